"""What a person reads at the end of a refresh: a table no wider than a screen or two, and what is published."""

import io
from pathlib import Path

import duckdb
import polars as pl
from rich.console import Console

from pipelines.progress import closing_table, verdict
from pipelines.refresh import Outcome
from schemas.base import polars_schema
from schemas.evidence.provenance import Refresh


def outcome(*, success: bool, warnings: str | None = None) -> Outcome:
    step = {
        "run_id": "r",
        "asset": "core.gpu_rent",
        "outcome": "written" if success else "failed",
        "rows": 160,
        "rejected_rows": 0,
        "seconds": 0.5,
        "warnings": warnings,
    }
    return Outcome(success, "r", pl.DataFrame([step], schema=polars_schema(Refresh)), [])


def printed(result: Outcome, tables: Path = Path("no-tables")) -> str:
    text = io.StringIO()
    Console(file=text, width=1_000).print(closing_table(result, tables))
    return text.getvalue()


def test_long_warning_goes_on_in_the_next_line_of_a_pipe():
    words = [f"word{i}" for i in range(200)]
    text = printed(outcome(success=True, warnings=" ".join(words)))
    assert max(len(line) for line in text.splitlines()) < 200
    assert text.split()[-1] == "word199"
    assert len(text.splitlines()) > 10


def test_brackets_of_a_message_are_kept():
    assert "expected list[int] in [/path]" in printed(outcome(success=False, warnings="expected list[int] in [/path]"))


def test_table_that_was_not_reached_keeps_its_last_version_where_there_is_one(tmp_path: Path):
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "gpu_rent.parquet").touch()
    failed = Outcome(False, "r", outcome(success=False).steps, ["core.gpu_rent", "marts.price_slope"])
    old, new = printed(failed, tmp_path).splitlines()[-2:]
    assert old.strip().endswith("not reached; its last good version stays")
    assert new.strip().endswith("not reached")


def test_closing_line_says_that_something_is_published_only_where_it_is(tmp_path: Path):
    latest = tmp_path / "latest.duckdb"
    assert "nothing is published yet" in verdict(outcome(success=False), latest)
    latest.touch()
    assert "the rest is published" in verdict(outcome(success=False), latest)
    assert verdict(outcome(success=True), latest).startswith("[green]published")


def test_every_warning_of_a_first_refresh_is_one_short_phrase(warehouse: duckdb.DuckDBPyConnection):
    warnings = warehouse.execute("SELECT asset, warnings FROM meta.refresh WHERE warnings IS NOT NULL").fetchall()
    assert warnings
    assert {asset: text for asset, text in warnings if len(text) > 120} == {}
