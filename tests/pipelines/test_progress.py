"""What a person reads at the end of a refresh: a table no wider than a screen or two, and what is published."""

import io
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import duckdb
import polars as pl
import pytest

from answers.text import PlainConsole
from pipelines.progress import show_outcome, verdict
from pipelines.refresh import Outcome, planned_steps
from schemas.base import polars_schema
from schemas.evidence.provenance import Refresh
from tests.refreshed import ROOT


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


def printed(result: Outcome, tables: Path = Path("no-tables"), *, all_of_them: bool = False) -> str:
    text = io.StringIO()
    show_outcome(result, tables, out=PlainConsole(file=text, width=80), all_of_them=all_of_them)
    return text.getvalue()


def test_long_warning_goes_on_in_the_next_line():
    words = [f"word{i}" for i in range(200)]
    text = printed(outcome(success=True, warnings=" ".join(words)))
    assert max(len(line) for line in text.splitlines()) <= 80
    assert text.split()[-200:] == words


def test_what_went_well_is_one_line_per_layer_and_on_request_a_line_per_step():
    good = outcome(success=True)
    assert printed(good) == "core: 1 tables, 160 rows\n"
    assert "core.gpu_rent   160" in printed(good, all_of_them=True)


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


@pytest.mark.slow
def test_the_bar_moves_with_the_steps_and_ends_at_its_total(tmp_path: Path):
    screen, steps = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "refresh", "--offline"],
        cwd=ROOT,
        env=os.environ | {"ECONOMICS_DATA": str(tmp_path), "TERM": "xterm", "COLUMNS": "80"},
        stdout=subprocess.DEVNULL,
        stderr=steps,
    ) as running:
        os.close(steps)
        seen = b""
        with suppress(OSError):  # how a terminal says that the other side has closed it
            while part := os.read(screen, 65_536):
                seen += part
        assert running.wait() == 0
    os.close(screen)
    shown = [(int(done), int(total)) for done, total in re.findall(rb"(\d+)/(\d+)", seen)]
    done, totals = [each[0] for each in shown], {each[1] for each in shown}
    assert totals == {len(planned_steps("refresh"))}
    assert done == sorted(done)
    assert len(set(done)) > 3
    assert done[-1] in totals
