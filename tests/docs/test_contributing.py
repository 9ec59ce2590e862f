"""The contributor's page: every step of its worked examples is performed on a copy of the project, which then refreshes."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.refreshed import ROOT

PAGE = ROOT / "docs" / "contributing.md"
STEP = re.compile(r"^`(?P<file>[\w/.]+)`, (?:new file|below `(?P<anchor>[^\n]+)`):\n\n```\w+\n(?P<text>.*?)^```$", re.M | re.S)
STEPS = list(STEP.finditer(PAGE.read_text()))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with all examples in it."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("pipelines", "assets", "sources", "schemas", "economics", "warehouse", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "data"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for step in STEPS:
        file = folder / step["file"]
        if step["anchor"] is None:
            assert not file.exists(), f"{step['file']} is there already"
            file.write_text(step["text"])
        else:
            before, line, after = file.read_text().partition(f"\n{step['anchor']}\n")
            assert line, f"{step['file']} has no line {step['anchor']!r}"
            file.write_text(before + line + step["text"] + after)
    return folder


def run(copy: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "ECONOMICS_DATA": str(copy / "data")},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_recipe_is_short_and_every_block_is_a_step():
    recipes = PAGE.read_text().split("\n## ")[1:]
    assert len(STEPS) == PAGE.read_text().count("\n```") // 2
    for recipe in recipes:
        for step in STEP.finditer(recipe):
            assert step["text"].count("\n") <= 30, f"{step['file']} is long"


@pytest.mark.slow
def test_examples_refresh_and_their_rows_can_be_asked_for(copy: Path):
    run(copy, "-m", "pytest", "tests/test_batch_discount.py", "-n", "0", "-p", "no:cacheprovider")
    run(copy, "-m", "pipelines.cli", "refresh", "--offline")

    def ask(sql: str) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = json.loads(run(copy, "-m", "pipelines.cli", "query", sql, "--format", "json"))
        return rows

    assert ask("SELECT value FROM raw.test_time_figure WHERE paper = 'example'") == [{"value": 81.5}]
    (discounts,) = ask("SELECT count(*) AS n, median(discount) AS typical FROM marts.batch_discount")
    assert discounts["n"]
    assert discounts["typical"] == pytest.approx(0.5)
    assert ask("FROM raw.electricity_price") == [{"region": "us", "usd_per_kwh": 0.08}]
    (refused,) = ask("SELECT row_key, rule FROM meta.quarantine WHERE table_name = 'raw.electricity_price'")
    assert refused == {"row_key": "nowhere", "rule": "greater_than(0)"}
