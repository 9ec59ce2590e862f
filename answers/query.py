"""Questions to the published warehouse, in SQL, on a connection that can change nothing and reach nothing else."""

import csv
import json
import sys
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import TextIO

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "UINTEGER", "UBIGINT")
MOST_ROWS_ON_SCREEN = 200


class DamagedReleaseError(Exception):
    """The published file is not what was published."""


def connect(warehouse: Path) -> duckdb.DuckDBPyConnection:
    """Open a warehouse read-only, without other files or the network, and so that no statement can change that.

    Raises DamagedReleaseError.
    """
    closed = {"enable_external_access": False, "lock_configuration": True}
    try:
        return duckdb.connect(str(warehouse.resolve()), read_only=True, config={**closed})
    except duckdb.Error as error:
        raise DamagedReleaseError(
            f"{warehouse.resolve()} cannot be opened ({str(error).splitlines()[0][:120]}): "
            "`iecon refresh` sets it aside and publishes a new one; older ones lie beside it"
        ) from error


def run_query(warehouse: Path, sql: str, *, format: str, output: Path | None, console: Console) -> None:
    """Run one statement and print its rows as table, csv, json or parquet, to the screen or to a file.

    Raises duckdb.Error with the position of the mistake for bad SQL, ValueError for parquet to a terminal.
    """
    with connect(warehouse) as connection:
        if format == "parquet":
            _write_parquet(connection.sql(sql), output)
            return
        rows = connection.execute(sql)
        with nullcontext(sys.stdout) if output is None else output.open("w", newline="") as file:
            if format == "csv":
                _write_csv(rows, file)
            elif format == "json":
                _write_json(rows, file)
            else:
                _print_table(rows, console if output is None else Console(file=file, width=10_000))


def _write_parquet(relation: duckdb.DuckDBPyRelation, output: Path | None) -> None:
    import pyarrow.parquet as pq  # noqa: PLC0415  (a table on the screen does not wait for it)

    if output is None and sys.stdout.isatty():
        raise ValueError("parquet is not for a terminal: add --output FILE or redirect")
    pq.write_table(relation.to_arrow_table(), str(output) if output else sys.stdout.buffer)


def _write_csv(rows: duckdb.DuckDBPyConnection, file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_names(rows))
    writer.writerows(rows.fetchall())


def _write_json(rows: duckdb.DuckDBPyConnection, file: TextIO) -> None:
    names = _names(rows)
    json.dump([dict(zip(names, row, strict=True)) for row in rows.fetchall()], file, default=_plain, indent=1)
    file.write("\n")


def _print_table(rows: duckdb.DuckDBPyConnection, console: Console) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, kind, *_ in rows.description or []:
        table.add_column(name, justify="right" if str(kind).startswith(NUMERIC) else "left", overflow="fold")
    found = rows.fetchmany(MOST_ROWS_ON_SCREEN + 1)
    for row in found[:MOST_ROWS_ON_SCREEN]:
        table.add_row(*[_cell(value) for value in row])
    console.print(table)
    if len(found) > MOST_ROWS_ON_SCREEN:
        console.print(f"first {MOST_ROWS_ON_SCREEN} rows; add LIMIT or use --format csv for all")


def _names(rows: duckdb.DuckDBPyConnection) -> list[str]:
    return [str(column[0]) for column in rows.description or []]


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)


def _cell(value: object) -> str:
    if value is None:
        return "[dim]NULL[/dim]"
    return f"{value:.6g}" if isinstance(value, float) else escape(str(value))
