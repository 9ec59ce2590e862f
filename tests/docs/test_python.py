"""Every line of Python in docs/python.md and docs/other_tools.md runs."""

import csv
import re
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.refreshed import ROOT, iecon


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


def test_every_line_of_the_page_runs(refreshed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECONOMICS_DATA", str(refreshed))
    assert len(blocks("python.md")) >= 4
    exec("\n".join(blocks("python.md")), {})


def test_other_tools_read_the_release_and_the_tables(refreshed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("releases", "tables"):
        (tmp_path / name).symlink_to(refreshed / name)
    monkeypatch.setenv("ECONOMICS_DATA", str(tmp_path))
    exec("\n".join(blocks("other_tools.md")), {})
    assert (tmp_path / "browse.sqlite").exists()


def test_a_table_written_as_csv_and_as_parquet_is_the_table(refreshed: Path, tmp_path: Path) -> None:
    sql = "FROM marts.gpu_price_today"
    for suffix in ("csv", "parquet"):
        done = iecon(refreshed, "query", sql, "--for-spreadsheet", "-o", str(tmp_path / f"gpus.{suffix}"))
        assert done.returncode == 0, done.stderr
    with duckdb.connect(str(refreshed / "releases" / "latest.duckdb"), read_only=True) as warehouse:
        expected = warehouse.sql(sql).pl()
    assert pl.read_parquet(tmp_path / "gpus.parquet").equals(expected)
    with (tmp_path / "gpus.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["gpu"] for row in rows] == expected["gpu"].to_list()
    known = expected["on_demand_usd_per_gpu_hour"].to_list()
    assert [row["on_demand_usd_per_gpu_hour"] == "" for row in rows] == [value is None for value in known]


def test_a_folder_without_a_release_is_named(tmp_path: Path) -> None:
    import iecon as package

    with pytest.raises(FileNotFoundError, match="iecon refresh"):
        package.sql("SELECT 1", data=tmp_path)
