"""`iecon route`: does routing pay on a user's own outcomes."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import err, out


def route(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet: item, model, correct, cost_usd, score, ...")],
    strong: Annotated[str | None, typer.Option(help="The strong model; of two models the dearer one.")] = None,
    weak: Annotated[str | None, typer.Option(help="The weak model.")] = None,
    quality: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the way from weak to strong that must be kept.")
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Say whether routing between two models pays on your own outcomes, judged on items the threshold has not seen."""
    from answers.route.answer import show_route  # noqa: PLC0415

    if not show_route(file, strong=strong, weak=weak, quality=quality, as_json=as_json, out=out, err=err):
        raise typer.Exit(1)
