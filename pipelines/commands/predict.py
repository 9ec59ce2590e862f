"""`iecon predict`: what a serving engine would do with each run of a table, with intervals."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import CommandError, err, out, warehouse


class Format(StrEnum):
    """How the rows are written."""

    TABLE = "table"
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


def predict(
    table: Annotated[Path, typer.Argument(help="Runs to predict: .csv, .tsv, .parquet, .json or .ndjson with model and gpu.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write instead of the screen.")] = None,
    format: Annotated[
        Format | None, typer.Option("--format", "-f", help="Else by the ending of the file; a table on a terminal.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="config.json of a model of your own, named as its folder.")] = None,
    accelerator: Annotated[Path | None, typer.Option(help="JSON object of columns of core.gpu for one of your own.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object a row.")] = False,
) -> None:
    """Predict TTFT, TPOT, output rate and cost of runs from what was measured, each with an interval and what it rests on."""
    from answers.predict.answer import Tally, evidence_of, predict_batches  # noqa: PLC0415
    from answers.predict.files import format_of, read_batches, show_batches, write_batches  # noqa: PLC0415

    on_terminal = output is None and sys.stdout.isatty()
    wanted = "json" if json else format.value if format else "table" if on_terminal else format_of(output)
    if wanted == "parquet" and on_terminal:
        raise CommandError("parquet is not for a terminal: add --output FILE or redirect", code=2)
    if wanted == "table" and output is not None:
        raise CommandError("a table is for the screen: write a file as csv, parquet or json", code=2)
    tally = Tally()
    try:
        evidence = evidence_of(warehouse(), config=config, accelerator=accelerator)
        answers = tally.of(predict_batches(read_batches(table), evidence))
        if wanted == "table":
            show_batches(answers, console=out)
        else:
            write_batches(answers, output=output, format=wanted, screen=sys.stdout.buffer)
    except ValueError as error:
        raise CommandError(str(error), code=2) from None
    for line in tally.words():
        err.print(line, highlight=False, markup=False, soft_wrap=True)
