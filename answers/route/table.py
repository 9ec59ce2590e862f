"""The outcomes `iecon route` judges, from a user's files."""

from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from answers.route.columns import named, no_such, scores_of
from answers.route.files import SUFFIXES, BadUsageError, NotATableError, RefusedTableError, read_files
from answers.route.prices import Prices
from answers.route.reading import Reading, Table
from answers.route.shapes import read_long, read_wide

__all__ = ["BadUsageError", "Reading", "RefusedTableError", "Table", "read_outcomes"]


def read_outcomes(files: list[Path], *, reading: Reading | None = None, prices: Prices | None = None) -> Table:
    """Read long or wide tables of outcomes.

    Raises RefusedTableError with row, column and rule; BadUsageError where options do not fit the table.
    """
    reading = reading or Reading()
    prices = prices or Prices()
    if all(file.suffix.lower() in SUFFIXES and not file.is_dir() for file in files):
        try:
            return _of_rows(read_files(files), reading, prices)
        except NotATableError:
            rows = _rows_of_logs(files, prices)
            if rows is None:
                raise
            return _of_rows(rows, reading, prices)
    rows = _rows_of_logs(files, prices)
    if rows is None:
        said = ", ".join(str(file) for file in files)
        raise BadUsageError(f"{said}: must be {', '.join(SUFFIXES)} files, or evaluation logs with outcomes")
    return _of_rows(rows, reading, prices)


def _rows_of_logs(files: list[Path], prices: Prices) -> pl.LazyFrame | None:
    from answers.route.logs import rows_of_logs  # noqa: PLC0415  (few tables are logs; their readers are many)

    for file in files:
        if not file.exists():
            raise BadUsageError(f"{file}: there is no such file")
    return rows_of_logs(files, prices=prices)


def _of_rows(rows: pl.LazyFrame, reading: Reading, prices: Prices) -> Table:
    columns = rows.collect_schema().names()
    for column, value in reading.where.items():
        if column not in columns:
            raise BadUsageError(f"--where {column}={value}: {no_such(column, columns)}")
        rows = rows.filter(pl.col(column).cast(pl.String).str.strip_chars() == value)
    fields = named(columns, reading.mapping)
    long_shape = "model" in fields
    if not long_shape:
        fields.pop("correct", None)
        fields.pop("cost_usd", None)
        fields.pop("answer", None)
        fields.pop("response", None)
    scores = scores_of(columns, list(reading.scores), reading.mapping, set(fields.values()))
    try:
        if long_shape:
            return read_long(rows, fields, scores, reading, prices)
        return read_wide(rows, fields, scores, reading, prices)
    except PolarsError as error:
        raise RefusedTableError(f"cannot be read: {str(error).splitlines()[0]}") from None
