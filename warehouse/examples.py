"""One real row of every table, kept beside the dictionary so that it reads the same until a contract changes."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from schemas.base import Table, table_name
from schemas.registry import TABLES
from warehouse.store import read_table

Row = dict[str, Any]


def read_examples(path: Path) -> dict[str, Row]:
    """Example rows by full table name, as kept in a JSON file."""
    examples: dict[str, Row] = json.loads(path.read_text()) if path.exists() else {}
    return examples


def renewed(examples: dict[str, Row], tables: Path) -> dict[str, Row]:
    """The examples with a row for each table that has none or gained or lost a column; tables that are gone leave.

    `tables` is the folder of the Parquet files; a table without rows there has no example.
    """
    found = {
        table_name(schema): examples[table_name(schema)]
        if is_current(examples.get(table_name(schema)), schema)
        else example_of(schema, tables)
        for schema in TABLES.values()
    }
    return {name: row for name, row in sorted(found.items()) if row is not None}


def is_current(row: Row | None, schema: type[Table]) -> bool:
    """Whether a row has exactly the columns of the contract, in its order."""
    return row is not None and list(row) == list(schema.to_schema().columns)


def example_of(schema: type[Table], tables: Path) -> Row | None:
    """The first of the rows with fewest unknown values; None where there are no rows."""
    frame = read_table(tables, schema)
    if frame is None or frame.is_empty():
        return None
    unknown = frame.select(pl.sum_horizontal(pl.all().is_null()))
    row: Row = json.loads(frame.slice(unknown.to_series().arg_min() or 0, 1).write_json())[0]
    return row


def as_frame(row: Row, schema: type[Table]) -> pl.DataFrame:
    """An example as a frame of the contract's types."""
    columns = []
    for name, spec in schema.to_schema().columns.items():
        dtype = spec.dtype.type
        value = pl.Series(name, [row[name]], dtype=pl.String if dtype.is_temporal() and row[name] is not None else dtype)
        if dtype.is_temporal() and row[name] is not None:
            value = value.str.to_date() if dtype == pl.Date else value.str.to_datetime(time_zone="UTC", time_unit="us")
        columns.append(value)
    return pl.DataFrame(columns)
