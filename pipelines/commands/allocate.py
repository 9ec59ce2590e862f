"""`iecon allocate`: where the next dollar of a budget goes."""

import sys
from typing import Annotated

import typer

from pipelines.console import out, warehouse


def allocate(
    benchmark: Annotated[str, typer.Option(help="Benchmark that stands for your questions, such as aime24 or gpqa_diamond.")],
    base: Annotated[str, typer.Option(help="Model you run now, such as deepseek-v3.")],
    budget: Annotated[float, typer.Option(help="USD to spend.")],
    queries: Annotated[float, typer.Option(help="Questions the spending serves, over the model's life.")],
    accuracy: Annotated[float | None, typer.Option(help="Share the base gets right, as you measured it.")] = None,
    items: Annotated[int | None, typer.Option(min=1, help="Items you measured it on, where the benchmark fixes none.")] = None,
    tokens: Annotated[
        float | None, typer.Option("--tokens-out", "--tokens", help="Output tokens per answer; else as published.")
    ] = None,
    tokens_in: Annotated[float | None, typer.Option(help="Input tokens per question; else not counted.")] = None,
    price: Annotated[float | None, typer.Option(help="USD per million output tokens; else today's.")] = None,
    cost_per_sample: Annotated[float | None, typer.Option(help="USD of one answer, as you measured it.")] = None,
    value: Annotated[float | None, typer.Option(help="USD one more correct answer is worth to you.")] = None,
    training_usd: Annotated[float | None, typer.Option(help="What training the base cost so far.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say where the next dollar goes: training, samples, a verifier or another model; on what evidence; what flips it."""
    from answers.allocate.answer import allocate as allocation_of  # noqa: PLC0415
    from answers.allocate.record import BudgetQuestion  # noqa: PLC0415
    from answers.allocate.text import show_allocation  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415

    asked = BudgetQuestion(
        benchmark=benchmark,
        base=base,
        budget_usd=budget,
        queries=queries,
        tokens_per_answer=tokens,
        tokens_in=tokens_in,
        usd_per_sample=cost_per_sample,
        accuracy=accuracy,
        items=items,
        value_usd=value,
        usd_per_mtok=price,
        training_usd=training_usd,
    )
    found = allocation_of(asked, warehouse=warehouse())
    if as_json:
        write_json(found, sys.stdout)
    else:
        show_allocation(found, console=out)
