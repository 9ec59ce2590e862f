"""`iecon price`: what a million tokens of each model costs in your own mix of input, cache and output."""

import sys
from dataclasses import replace
from typing import Annotated

import typer

from pipelines.console import out, warehouse


def price(
    models: Annotated[list[str] | None, typer.Argument(help="Models; all where none is named.")] = None,
    input_tokens: Annotated[float | None, typer.Option("--in", help="Tokens of a prompt; else 1.")] = None,
    output_tokens: Annotated[float | None, typer.Option("--out", help="Tokens of an answer; else 1.")] = None,
    cached: Annotated[float | None, typer.Option(help="Share of the prompt read from cache, 0 to 1; else 0.")] = None,
    workload: Annotated[
        str | None, typer.Option(help="A mix from use: market, chat, agent, long_context or code; what is stated comes first.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="So many of the cheapest.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """Price every model in your own mix of tokens, beside the even mix of cpm and the rank in both."""
    from answers.price import Mix, prices_in_mix, show_prices  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415
    from answers.workloads import workload_named  # noqa: PLC0415

    mix = Mix(input_tokens=1.0, output_tokens=1.0)
    if workload is not None:
        used = workload_named(warehouse(), workload)
        mix = Mix(input_tokens=used.input_tokens, output_tokens=used.output_tokens, cached_share=used.cached_share)
    stated = {"input_tokens": input_tokens, "output_tokens": output_tokens, "cached_share": cached}
    mix = replace(mix, **{name: value for name, value in stated.items() if value is not None})
    found = prices_in_mix(warehouse(), mix, models=tuple(models or ()), top=top)
    if json:
        write_json(found, sys.stdout)
    else:
        show_prices(found, mix, console=out)
