"""What differs between two data folders."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from answers.folders import changes, table_change
from schemas.base import Table, Timestamp, column
from tests.refreshed import iecon


class Price(Table):
    """A price."""

    model: str = column("model")
    usd: float = column("price", nullable=True)
    refreshed_at: Timestamp = column("when")

    class Config:
        name = "marts.price"
        unique = ["model"]


def prices(*rows: tuple[str, float | None], day: int = 1) -> pl.DataFrame:
    models, usd = zip(*rows, strict=True)
    return pl.DataFrame({"model": models, "usd": usd}).with_columns(refreshed_at=pl.lit(datetime(2026, 1, day, tzinfo=UTC)))


def test_the_time_of_the_run_is_no_difference() -> None:
    assert table_change(Price, prices(("a", 1.0), ("b", None)), prices(("b", None), ("a", 1.0), day=2)).is_equal


def test_rows_that_went_and_came_and_values_that_moved_are_counted() -> None:
    found = table_change(Price, prices(("a", 1.0), ("b", 2.0), ("c", 3.0)), prices(("a", 1.5), ("b", 2.0), ("d", 3.0)))
    assert (found.gone, found.new, found.columns) == (1, 1, {"usd": 1})


def test_unknown_is_not_zero_and_the_last_bits_of_a_float_are_the_same_figure() -> None:
    assert table_change(Price, prices(("a", 0.1 + 0.2)), prices(("a", 0.3))).is_equal
    assert table_change(Price, prices(("a", None)), prices(("a", 0.0))).columns == {"usd": 1}


def test_a_row_that_stands_twice_is_compared_whole() -> None:
    assert table_change(Price, prices(("a", 1.0), ("a", 2.0)), prices(("a", 2.0), ("a", 1.0))).is_equal
    assert table_change(Price, prices(("a", 1.0), ("a", 2.0)), prices(("a", 2.0), ("a", 3.0))).gone == 1


def test_a_folder_is_equal_to_itself(refreshed: Path) -> None:
    assert all(change.is_equal for change in changes(refreshed, refreshed))
    done = iecon(refreshed, "changes", "--against", str(refreshed))
    assert "tables are equal" in done.stdout
    wrong = iecon(refreshed, "changes", "--against", str(refreshed / "nowhere"))
    assert wrong.returncode == 2
    assert "no data folder" in wrong.stderr
