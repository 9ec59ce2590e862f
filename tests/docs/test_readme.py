"""What the README says to type works, and what it shows is what a first run prints."""

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from tests.docs.readme_lines import PAGE, commands, rewritten
from tests.refreshed import ROOT

README = PAGE.read_text()
QUICKSTARTS = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\]8;[^\x1b]*\x1b\\")


def test_it_shows_what_a_first_run_prints(refreshed: Path):
    again = "run: uv run iecon refresh --offline && uv run python -m tests.docs.readme_lines warehouse/data"
    assert rewritten(README, refreshed) == README, again


def test_three_quickstarts_of_five_lines_and_few_words():
    assert [len(block.splitlines()) for block in QUICKSTARTS] == [5, 5, 5]
    assert len(README.split()) < 1_500


def test_files_it_names_exist():
    for name in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / name).exists(), name


def in_a_terminal(arguments: list[str], *, folder: Path, checkout: Path) -> tuple[int, str]:
    """Run the command of a checkout in a terminal of 80 columns; returns its exit code and what the screen was sent."""
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "PYTHONPATH")}
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        cwd=checkout,
        env=environment | {"ECONOMICS_DATA": str(folder), "TERM": "xterm-256color"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    ) as running:
        os.close(terminal)
        sent = b""
        with suppress(OSError):  # how a terminal says that the other side has closed it
            while part := os.read(screen, 65_536):
                sent += part
        code = running.wait()
    os.close(screen)
    return code, STEERING.sub("", sent.decode()).replace("\r\n", "\n")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="clones the repository")
def test_a_newcomer_types_every_line_in_a_fresh_clone_at_80_columns(tmp_path: Path):
    checkout, folder = tmp_path / "clone", tmp_path / "data"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(checkout)], check=True)
    code, sent = in_a_terminal(["refresh", "--offline"], folder=folder, checkout=checkout)
    assert code == 0, sent
    assert "published:" in sent
    for arguments in commands(README):
        code, sent = in_a_terminal(arguments, folder=folder, checkout=checkout)
        assert code == 0, (arguments, sent)
        lines = [line.rstrip() for line in sent.splitlines() if not line.startswith((" - ", "nanobind"))]
        long = [line for line in lines if len(line) > 80 and max(map(len, line.split())) < 40]
        assert any(lines), arguments
        assert long == [], (arguments, long)
