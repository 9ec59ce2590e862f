"""docs/engines.md says how far predictions are off: its table is what the warehouse holds."""

import re
from pathlib import Path

import polars as pl
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "engines.md"
QUANTITIES = {"output": "output_tokens_per_s_per_gpu", "TPOT": "tpot_p50_s", "TTFT at low load": "ttft_p50_s"}
KINDS = {"all colocated": (None, None), "closed loops": ("closed", False), "pools": ("pools", False)}
ROW = re.compile(
    r"^\| (.+?) \| (.+?) \| (run|group) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d,]+) \|$"
)
PERCENT = ("median_error", "p90_error", "mean_of_group_medians", "held")


def test_the_page_says_what_the_warehouse_holds(refreshed: Path) -> None:
    table = pl.read_parquet(refreshed / "tables" / "marts" / "engine_validation.parquet")
    whole = table.filter(pl.all_horizontal(pl.col("engine", "gpu", "architecture", "precision").is_null()))
    rows = [match.groups() for line in PAGE.read_text().splitlines() if (match := ROW.match(line))]
    assert len(rows) >= 10
    for quantity, kind, left_out, *figures in rows:
        name, drafts = KINDS[kind]
        found = whole.filter(
            pl.col("quantity") == QUANTITIES[quantity],
            pl.col("left_out") == left_out,
            pl.col("kind").eq_missing(name),
            pl.col("drafts").eq_missing(drafts),
        )
        assert found.height == 1, (quantity, kind, left_out)
        held = found.row(0, named=True)
        expected = [*(100.0 * held[column] for column in PERCENT), held["median_width"], held["runs"]]
        said = [float(figure.replace(",", "")) for figure in figures]
        assert said == pytest.approx(expected, rel=0.1), (quantity, kind, left_out)
