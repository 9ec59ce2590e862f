"""`iecon query`, `tables` and `describe`: the published warehouse in SQL, and what is in it."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import out, warehouse


class Format(StrEnum):
    """How a query's rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def query(
    sql: Annotated[str | None, typer.Argument(help="SQL, in DuckDB's dialect.")] = None,
    file: Annotated[Path | None, typer.Option(help="File with the SQL.")] = None,
    example: Annotated[str | None, typer.Option(metavar="NAME", help="A worked question, such as price_frontier.")] = None,
    list_examples: Annotated[bool, typer.Option("--list-examples", help="List the worked questions.")] = False,
    format: Annotated[
        Format | None, typer.Option("--format", "-f", help="How to write the rows; else by the file's suffix, else a table.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File for all rows instead of the screen.")] = None,
    memory: Annotated[str | None, typer.Option(help="Most memory the question may take, such as 500MB.")] = None,
    timeout: Annotated[float | None, typer.Option(min=0.001, help="Seconds after which the question is stopped.")] = None,
    for_spreadsheet: Annotated[
        bool, typer.Option("--for-spreadsheet", help="In CSV, put ' before text that a spreadsheet would take for a formula.")
    ] = False,
) -> None:
    """Ask the latest published warehouse a question in SQL. Nothing can be changed by it."""
    from answers.examples import example as example_sql  # noqa: PLC0415
    from answers.examples import show_examples  # noqa: PLC0415
    from answers.query import run_query  # noqa: PLC0415
    from answers.written import format_of  # noqa: PLC0415

    if list_examples:
        show_examples(console=out)
        return
    if [sql, file, example].count(None) != 2:
        raise typer.BadParameter("give the SQL, or --file FILE with it, or --example NAME")
    text = file.read_text("utf-8-sig") if file is not None else example_sql(example) if example is not None else sql
    run_query(
        warehouse(),
        text or "",
        format=format_of(output, format.value if format else None),
        output=output,
        console=out,
        memory=memory,
        timeout_s=timeout,
        for_spreadsheet=for_spreadsheet,
    )


def tables(
    pattern: Annotated[str | None, typer.Argument(help="Word in name or meaning, or a pattern such as core.gpu*.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """List the tables, views and macros with what each holds."""
    from answers.describe import listed, show_listed  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415

    found = listed(warehouse(), pattern)
    if as_json:
        write_json([each._asdict() for each in found], sys.stdout)
    else:
        show_listed(found, console=out)


def describe(table: Annotated[str, typer.Argument(help="Table, view or macro, such as core.llm_price.")]) -> None:
    """Show the columns of a table, view or macro with unit, meaning and rules."""
    from answers.describe import show_described  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    latest = data_root() / "releases" / "latest.duckdb"
    show_described(table, warehouse=latest if latest.exists() else None, console=out)
