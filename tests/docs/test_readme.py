"""What the README says to type works, and prints the columns it shows."""

import re
import shlex
from pathlib import Path

import pytest

from tests.refreshed import ROOT, iecon

README = (ROOT / "README.md").read_text()
ASKED = re.findall(r'^    uv run (iecon query "[^"]*")\n\n    (.*)$', README, re.MULTILINE)


@pytest.mark.parametrize(("command", "heading"), ASKED, ids=range(len(ASKED)))
def test_query_prints_the_columns_shown(refreshed: Path, command: str, heading: str):
    done = iecon(refreshed, *shlex.split(command)[1:])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split() == heading.split()


def test_decide_prints_the_lines_shown(refreshed: Path):
    command, lines = re.findall(r"^    uv run (iecon decide .*)\n\n((?:    .*\n)+)", README, re.MULTILINE)[0]
    done = iecon(refreshed, *shlex.split(command)[1:])
    assert done.returncode == 0, done.stderr
    answer, flips = " ".join(lines.split()).split(" What would flip the answer: ")
    shown = " ".join(done.stdout.split())
    assert answer in shown
    assert f"What would flip the answer: {flips}" in shown


def test_there_are_five_questions_with_their_output():
    assert len(ASKED) + README.count("uv run iecon query --file") == 5


def test_files_it_names_exist():
    for name in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / name).exists(), name
