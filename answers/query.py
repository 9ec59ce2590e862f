"""Questions to the published warehouse, in SQL, on a connection that can change nothing and reach nothing else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.markup import escape

from answers.text import PlainConsole, show_rows
from answers.written import Format, as_records, opened, write_csv, write_json_rows, write_parquet

NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "UINTEGER", "UBIGINT")
MOST_ROWS_ON_SCREEN = 200


class DamagedReleaseError(Exception):
    """The published file is not what was published."""


class QuestionError(ValueError):
    """What was asked cannot be answered as it was asked; bad usage, told in one line."""

    code = 2


class StoppedError(RuntimeError):
    """A question took more time than it was given."""


def connect(warehouse: Path, *, memory: str | None = None) -> duckdb.DuckDBPyConnection:
    """Open a warehouse read-only, without other files or the network, and so that no statement can change that.

    Nothing is written for want of memory either. `memory` bounds it, such as 500MB; else DuckDB takes four fifths of the
    machine's at most. Raises DamagedReleaseError, and QuestionError for a memory that is none.
    """
    closed: dict[str, str | int | float | list[str]] = {"enable_external_access": False, "temp_directory": ""}
    bounds = {} if memory is None else {"memory_limit": memory}
    try:
        connection = duckdb.connect(str(warehouse.resolve()), read_only=True, config={**closed, **bounds})
        # The bar would be drawn among the rows. In a notebook without widgets it is off, and to say so again is an error.
        if connection.execute("SELECT current_setting('enable_progress_bar')").fetchall() == [(True,)]:
            connection.execute("SET enable_progress_bar = false")
        connection.execute("SET lock_configuration = true")
        return connection
    except (duckdb.ParserException, duckdb.InvalidInputException) as error:
        if memory is None:
            raise
        raise QuestionError(f"--memory {memory}: {str(error).splitlines()[0]}") from None
    except duckdb.Error as error:
        raise DamagedReleaseError(
            f"{warehouse.resolve()} cannot be opened ({str(error).splitlines()[0][:120]}): "
            "`iecon refresh` sets it aside and publishes a new one; older ones lie beside it"
        ) from error


def run_query(
    warehouse: Path,
    sql: str,
    *,
    format: Format,
    output: Path | None,
    console: Console,
    memory: str | None = None,
    timeout_s: float | None = None,
    for_spreadsheet: bool = False,
) -> None:
    """Run SQL and print the rows of its last statement, to the screen or to a file, which is replaced whole or not at all.

    On the screen a table shows its first rows; every other way all of them, held in memory a batch at a time. Raises
    duckdb.Error with the position of the mistake for bad SQL, QuestionError where nothing or too much is asked or the file is
    one of the warehouse's own, StoppedError after `timeout_s`, ValueError for Parquet to a terminal.
    """
    with connect(warehouse, memory=memory) as connection, _stopped_after(connection, timeout_s):
        asked = _last_statement(connection, sql)
        if format == "table" and output is None:
            _print_rows(connection.execute(asked), console, most=MOST_ROWS_ON_SCREEN)
            return
        with opened(output, data=warehouse.parent.parent, is_binary=format == "parquet") as file:
            if format == "table":
                _print_rows(connection.execute(asked), PlainConsole(file=file, width=10_000), most=None)
            elif format == "csv":
                write_csv(connection.sql(asked.query), file, for_spreadsheet=for_spreadsheet)
            elif format == "json":
                write_json_rows(connection.execute(asked), file)
            else:
                write_parquet(connection.sql(asked.query), file)


def first_records(
    warehouse: Path, sql: str, *, most: int, memory: str | None = None, timeout_s: float | None = None
) -> tuple[list[dict[str, Any]], bool]:
    """The first rows of SQL as JSON has them, and whether these are all. Raises as `run_query` does."""
    with connect(warehouse, memory=memory) as connection, _stopped_after(connection, timeout_s):
        rows = connection.execute(_last_statement(connection, sql))
        found, is_whole = as_records(rows, most=most)
        return found, is_whole


def _last_statement(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """The last statement, after those before it were run, none of which may return rows."""
    statements = connection.extract_statements(sql)
    if not statements:
        raise QuestionError("there is no statement in the SQL")
    *first, last = statements
    for place, statement in enumerate(first, 1):
        if statement.expected_result_type == [duckdb.ExpectedResultType.QUERY_RESULT]:
            raise QuestionError(
                f"statement {place} of {len(statements)} returns rows, and only those of the last are shown: ask one by one"
            )
        connection.execute(statement)
    return last


@contextmanager
def _stopped_after(connection: duckdb.DuckDBPyConnection, seconds: float | None) -> Iterator[None]:
    """Interrupt what a connection does when its time is up."""
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.InterruptException:
        raise StoppedError(f"not finished after {seconds:g} s (--timeout)") from None
    finally:
        timer.cancel()


def _print_rows(rows: duckdb.DuckDBPyConnection, console: Console, *, most: int | None) -> None:
    columns = rows.description or []
    found = rows.fetchall() if most is None else rows.fetchmany(most + 1)
    shown = [[_cell(value) for value in row] for row in found[:most]]
    figures = {name for name, kind, *_ in columns if str(kind).startswith(NUMERIC)}
    show_rows([name for name, *_ in columns], shown, console=console, right=figures)
    if most is not None and len(found) > most:
        console.print(f"first {most} rows; add LIMIT, or --output FILE for all")


def _cell(value: object) -> str:
    if value is None:
        return "[dim]NULL[/dim]"
    return f"{value:.6g}" if isinstance(value, float) else escape(str(value))
