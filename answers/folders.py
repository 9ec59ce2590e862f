"""What differs between two data folders, table by table: rows that went, rows that came, and columns whose values moved.

Times of the run itself differ between any two runs and are left out.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
from rich.console import Console

from answers.text import say
from schemas.base import Table, polars_schema, table_name
from schemas.registry import TABLES
from warehouse.store import scan_table

RUN_TIMES = ("refreshed_at", "observed_at", "fetched_at", "last_checked_at", "first_seen_at", "last_seen_at")
OF_THE_RUN = {"meta.refresh": ("run_id", "seconds", "started_at")}
"""Further columns that each run makes anew."""
SAME = 1e-9
"""Relative difference up to which two floats are the same figure."""


@dataclass(frozen=True)
class TableChange:
    """How one table differs. `columns` counts, for rows with the same key, in how many each column moved."""

    table: str
    rows_before: int
    rows_after: int
    gone: int
    new: int
    columns: dict[str, int]

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not (self.gone or self.new or self.columns) and self.rows_before == self.rows_after


def changes(before: Path, after: Path) -> list[TableChange]:
    """Every table of the contracts in two data folders, in the order of the contracts; a table that neither has is left out."""
    found = []
    for schema in TABLES.values():
        old, new = (scan_table(folder / "tables", schema) for folder in (before, after))
        if old is None and new is None:
            continue
        nothing = pl.LazyFrame(schema=polars_schema(schema))
        found.append(
            table_change(schema, (nothing if old is None else old).collect(), (nothing if new is None else new).collect())
        )
    return found


def table_change(schema: type[Table], old: pl.DataFrame, new: pl.DataFrame) -> TableChange:
    """One table in two versions, by its key where it has one, else by whole rows."""
    name = table_name(schema)
    compared = [column for column in polars_schema(schema) if column not in (*RUN_TIMES, *OF_THE_RUN.get(name, ()))]
    key = [column for column in schema.to_schema().unique or [] if column in compared]
    if not key or not all(frame.select(key).is_unique().all() for frame in (old, new)):
        key = compared
    gone = old.select(compared).join(new, on=key, how="anti", nulls_equal=True).height
    came = new.select(compared).join(old, on=key, how="anti", nulls_equal=True).height
    both = old.select(compared).join(new.select(compared), on=key, how="inner", nulls_equal=True, suffix=" after")
    moved = {column: _differing(both, column) for column in compared if column not in key}
    return TableChange(name, old.height, new.height, gone, came, {column: rows for column, rows in moved.items() if rows})


def _differing(both: pl.DataFrame, column: str) -> int:
    before, after = both[column], both[f"{column} after"]
    differs = before.ne_missing(after)
    if before.dtype.is_float():
        scale = pl.max_horizontal(pl.col(column).abs(), pl.col(f"{column} after").abs())
        close = both.select(((pl.col(column) - pl.col(f"{column} after")).abs() <= SAME * scale).fill_null(False)).to_series()
        differs = differs & ~close
    return int(differs.sum())


def show_changes(found: list[TableChange], *, console: Console) -> None:
    """One line per table that differs, then how many do not."""
    differ = [change for change in found if not change.is_equal]
    for change in differ:
        parts = [f"{change.rows_before} rows, now {change.rows_after}"]
        parts += [f"{change.gone} gone"] if change.gone else []
        parts += [f"{change.new} new"] if change.new else []
        parts += [f"{column} moved in {rows}" for column, rows in change.columns.items()]
        say(f"{change.table}: {', '.join(parts)}", console=console)
    console.print(f"{len(found) - len(differ)} of {len(found)} tables are equal, times of the runs aside", highlight=False)
