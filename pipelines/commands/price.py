"""`iecon price`: what a million tokens of each model costs in your own mix of input, cache and output."""

import sys
from typing import Annotated

import typer

from pipelines.console import out, warehouse


def price(
    models: Annotated[list[str] | None, typer.Argument(help="Models; all where none is named.")] = None,
    input_tokens: Annotated[float, typer.Option("--in", help="Tokens of a prompt.")] = 1.0,
    output_tokens: Annotated[float, typer.Option("--out", help="Tokens of an answer.")] = 1.0,
    cached: Annotated[float, typer.Option(help="Share of the prompt read from cache, 0 to 1.")] = 0.0,
    top: Annotated[int, typer.Option(min=1, help="So many of the cheapest.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """Price every model in your own mix of tokens, beside the even mix of cpm and the rank in both."""
    from answers.price import Mix, prices_in_mix, show_prices  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415

    mix = Mix(input_tokens=input_tokens, output_tokens=output_tokens, cached_share=cached)
    found = prices_in_mix(warehouse(), mix, models=tuple(models or ()), top=top)
    if json:
        write_json(found, sys.stdout)
    else:
        show_prices(found, mix, console=out)
