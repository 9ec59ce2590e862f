"""`iecon predict`: what a serving engine would do with each run of a table, with intervals."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import CommandError, err, warehouse


class Format(StrEnum):
    """How the rows are written."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


def predict(
    table: Annotated[Path, typer.Argument(help="Runs to predict: .csv, .tsv, .parquet, .json or .ndjson with model and gpu.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write instead of the screen.")] = None,
    format: Annotated[Format | None, typer.Option("--format", "-f", help="Else by the ending of the file.")] = None,
    config: Annotated[Path | None, typer.Option(help="config.json of a model of your own, named as its folder.")] = None,
    accelerator: Annotated[Path | None, typer.Option(help="JSON object of columns of core.gpu for one of your own.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object a row.")] = False,
) -> None:
    """Predict TTFT, TPOT, output rate and cost of runs from what was measured, each with an interval and what it rests on."""
    from answers.predict.answer import Tally, evidence_of, predict_batches  # noqa: PLC0415
    from answers.predict.files import format_of, read_batches, write_batches  # noqa: PLC0415

    wanted = "json" if json else format.value if format else format_of(output)
    if wanted == "parquet" and output is None and sys.stdout.isatty():
        raise CommandError("parquet is not for a terminal: add --output FILE or redirect", code=2)
    tally = Tally()
    try:
        evidence = evidence_of(warehouse(), config=config, accelerator=accelerator)
        answers = tally.of(predict_batches(read_batches(table), evidence))
        write_batches(answers, output=output, format=wanted, screen=sys.stdout.buffer)
    except ValueError as error:
        raise CommandError(str(error), code=2) from None
    for line in tally.words():
        err.print(line, highlight=False, markup=False, soft_wrap=True)
