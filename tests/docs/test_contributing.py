"""The contributor's page: its recipes are performed on a copy of the project, which is then checked and refreshed."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.refreshed import ROOT

PAGE = (ROOT / "docs" / "contributing.md").read_text()
STEP = re.compile(
    r"^`(?P<file>[\w/.]+)`, (?:new file|(?P<end>at the end)|below `(?P<anchor>[^\n]+)`):\n\n```\w+\n(?P<text>.*?)^```$",
    re.M | re.S,
)
RECIPES = {recipe.partition("\n")[0]: list(STEP.finditer(recipe)) for recipe in PAGE.split("\n## ")[1:]}
MOST_FILES = {
    "A table of a paper": 2,
    "A model": 2,
    "A GPU": 3,
    "A claim": 2,
    "A formula": 2,
    "A mart with a figure": 5,
    "A source": 5,
    "A price source": 2,
}
"""Files that a recipe touches; a GPU's third is its citation."""
FLOORS = ("iecon", "pipelines", "answers", "assets", "sources", "figures", "economics", "schemas", "warehouse", "tests", "docs")
CHECKED = (
    "tests/prices/test_batch_discount.py",
    "tests/pipelines/test_definitions.py",
    "tests/warehouse/test_dictionary.py",
    "tests/fuzz/test_fuzz.py",
    "tests/evidence/test_document.py",
    "tests/docs/test_where_things_are.py",
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with all recipes performed."""
    folder = tmp_path_factory.mktemp("project")
    for name in FLOORS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "data"))
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder)
    for step in (step for steps in RECIPES.values() for step in steps):
        file = folder / step["file"]
        if step["end"]:
            file.write_text(file.read_text() + step["text"])
        elif step["anchor"] is None:
            assert not file.exists(), f"{step['file']} is there already"
            file.parent.mkdir(parents=True, exist_ok=True)
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
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-4_000:]
    return done.stdout


def test_every_recipe_is_short_and_every_block_is_a_step() -> None:
    assert sum(len(steps) for steps in RECIPES.values()) == PAGE.count("\n```") // 2
    for name, steps in RECIPES.items():
        assert len({step["file"] for step in steps if not step["file"].startswith(("tests/", "docs/"))}) <= MOST_FILES.get(
            name, 5
        ), name
        for step in steps:
            assert step["text"].count("\n") <= 32, f"{step['file']} is long"


@pytest.mark.slow
def test_recipes_pass_what_every_change_must_pass_and_their_rows_can_be_asked_for(copy: Path) -> None:
    run(copy, "-m", "pipelines.cli", "refresh", "--offline")
    run(copy, "-m", "warehouse.dictionary", "docs/data_dictionary.md")
    run(copy, "-m", "ruff", "check", "--fix", "--select", "I", ".")
    run(copy, "-m", "ruff", "check", ".")
    run(copy, "-m", "ruff", "format", "--check", ".")
    run(copy, "-m", "mypy")
    run(copy, "-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())")
    run(copy, "-m", "pytest", *CHECKED, "-n", "0", "-p", "no:cacheprovider")

    def ask(sql: str) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = json.loads(run(copy, "-m", "pipelines.cli", "query", sql, "--format", "json"))
        return rows

    assert ask("SELECT value FROM raw.test_time_figure WHERE paper = 'example'") == [{"value": 81.5}]
    (discounts,) = ask("SELECT count(*) AS n, median(discount) AS typical FROM marts.batch_discount")
    assert discounts["n"]
    assert discounts["typical"] == pytest.approx(0.5)
    assert (copy / "data" / "report" / "figures" / "batch_discount.svg").exists()
    (claim,) = ask("SELECT verdict, n FROM meta.claims WHERE claim_id = 'batch_halves_the_price'")
    assert claim["verdict"] == "reproduced"
    (gpu,) = ask("SELECT hbm_bytes, bf16_flop_per_s FROM core.gpu WHERE gpu = 'example-100'")
    assert gpu == {"hbm_bytes": 96e9, "bf16_flop_per_s": 500e12}
    (shape,) = ask("SELECT layers, parameters FROM core.model_shape WHERE model = 'example-8b'")
    assert shape["layers"] == 32
    assert shape["parameters"] == pytest.approx(8.03e9, rel=0.01)
    assert ask("SELECT count(*) AS n FROM raw.tariff_price") == [{"n": 0}]
    (order,) = ask(
        "SELECT description FROM meta.columns WHERE table_name = 'core.llm_price_current' AND column_name = 'decided_by'"
    )
    assert "models_dev, tariff, openrouter" in str(order["description"])
    measured = copy / "run.json"
    shutil.copy(copy / "tests/fuzz/seeds/benchmark_outputs.example_bench/whole", measured)
    run(copy, "-m", "pipelines.cli", "ingest", str(measured), "--gpu", "h100-sxm", "--gpus", "1", "--engine", "vllm")
    (own,) = ask("SELECT output_tokens_per_s, ttft_p50_s FROM core.operating_point WHERE source = 'example_bench'")
    assert own == {"output_tokens_per_s": 2400.0, "ttft_p50_s": 0.05}
