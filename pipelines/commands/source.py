"""`iecon source`: from one number to the documents it rests on."""

import sys
from typing import Annotated

import typer

from pipelines.console import out, warehouse


def source(
    place: Annotated[str, typer.Argument(help="Table or column, such as marts.price_frontier.cpm_usd_per_mtok.")],
    key: Annotated[str, typer.Argument(help="Value of the table's key, such as gpt-4o, or column=value,column=value.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the chain as JSON.")] = False,
) -> None:
    """Follow a number back, row by row, to the documents it rests on: place, date and hash of each."""
    from answers.provenance import chain, show_chain  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415

    steps = chain(warehouse(), place, key)
    if as_json:
        write_json(steps, sys.stdout)
    else:
        show_chain(steps, console=out)
