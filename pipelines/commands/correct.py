"""`iecon correct`: what a correct answer costs, from one's own evaluation logs."""

import sys
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import err, out


class Errors(StrEnum):
    """How an attempt that broke counts."""

    WRONG = "wrong"
    LEFT_OUT = "left-out"
    RETRIED = "retried"


def correct(
    paths: Annotated[list[Path], typer.Argument(help="Evaluation logs of any tool, tables of attempts, or folders of them.")],
    benchmark: Annotated[str | None, typer.Option(help="Benchmark, where a log does not state it.")] = None,
    model: Annotated[str | None, typer.Option(help="Model, where a log does not state it.")] = None,
    errors: Annotated[Errors, typer.Option(help="An attempt that broke is wrong, left out, or asked again.")] = Errors.WRONG,
    price_date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Price all tokens as on this day, whatever the log states.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    csv: Annotated[Path | None, typer.Option(help="Write runs, curves and ways as rows to this file.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Draw accuracy against cost into this file.")] = None,
) -> None:
    """Say what a correct answer costs by your own evaluation logs: per model, with its interval, and the cheapest way to each
    accuracy. A log states dollars, or tokens that the dated prices of the warehouse turn into dollars.
    """
    from answers.correct.answer import correct as answer_from  # noqa: PLC0415
    from answers.correct.drawing import draw_svg  # noqa: PLC0415
    from answers.correct.text import show_correct, write_csv  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    latest = data_root() / "releases" / "latest.duckdb"
    on: date | None = None if price_date is None else price_date.date()
    found = answer_from(
        paths,
        warehouse=latest if latest.exists() else None,
        benchmark=benchmark,
        model=model,
        errors=errors.value,
        price_date=on,
    )
    for line in (*found.unread, *found.refused):
        err.print(f"[red]rejected[/red] {line}", highlight=False, soft_wrap=True)
    if csv is not None:
        with csv.open("w", newline="") as file:
            write_csv(found, file)
    if svg is not None:
        svg.write_bytes(draw_svg(found))
    if as_json:
        write_json(found, sys.stdout)
    elif found.runs:
        show_correct(found, console=out)
    if found.unread or not found.runs:
        if not found.unread:
            err.print("[red]rejected[/red] no file is of a known format of evaluation logs", highlight=False)
        raise typer.Exit(1)
