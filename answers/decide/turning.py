"""What turns the answer: on each axis the nearest value at which another design or accelerator is cheapest."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from answers.decide.known import Known
from answers.decide.record import Design, Flip, ServingQuestion
from answers.decide.sizing import Field, candidates_of, copies_of, field_of
from answers.decide.weighing import markets_of

TIMES = (0.25, 0.5, 0.7, 0.85, 1.2, 1.4, 2.0, 4.0)
"""Multiples of the present value at which the question is asked again, each time with systems sized anew."""
HITS = (0.0, 0.3, 0.6, 0.9)
ACCELERATORS = 3
"""Accelerators that compete on the other axes: those of the answer and of the next."""
Choice = tuple[str, bool]
"""An accelerator, and whether prefill has a pool of its own."""
Axis = tuple[str, str, float, list[float], list[dict[str, Any]]]
"""Name, unit, present value, other values, and what each changes in the question."""


def flips_of(designs: tuple[Design, ...], q: ServingQuestion, known: Known) -> tuple[Flip, ...]:
    """Where the first of `designs` stops being the cheapest of its market, by axis."""
    markets = markets_of([design.term for design in designs])
    mine = [design for design, market in zip(designs, markets, strict=True) if market == markets[0]]
    gpus = list(dict.fromkeys(design.gpu for design in mine))[:ACCELERATORS]
    axes = list(_axes(q))
    changes = [change for axis in axes for change in axis[4]]
    rows = candidates_of([q, *(replace(q, **change) for change in changes)], known, gpus, workers_most=1, more=(0, 1, 2))
    field = field_of(rows, q, known)
    usd = pl.Series(field.usd_per_hour * copies_of(field)) * _beside_simulation(field, mine)
    cheapest = (
        field.systems.select(
            "variant", "gpu", apart="disaggregated", usd=usd, gpus=pl.Series(copies_of(field)) * pl.col("gpus")
        )
        .filter(pl.col("usd").is_finite() & (pl.lit(q.gpus is None) | (pl.col("gpus") <= (q.gpus or 0))))
        .sort("usd", "apart")
        .group_by("variant", maintain_order=True)
        .first()
    )
    by_variant: dict[int, Choice] = {
        variant: (gpu, apart) for variant, gpu, apart in cheapest.select("variant", "gpu", "apart").iter_rows()
    }
    now = by_variant.get(0)
    first, flips = 1, list(_price_flip(mine))
    for name, unit, value, values, changed in axes:
        there = [by_variant.get(first + place) for place in range(len(changed))]
        first += len(changed)
        flips.append(_flip(name, unit, value, values, there, now))
    return tuple(flips)


def _beside_simulation(field: Field, mine: list[Design]) -> pl.Series:
    """What the simulation said of each choice over the closed form, as a factor on its bill at every value."""
    closed = (
        field.systems.select("variant", "gpu", apart="disaggregated", usd=pl.Series(field.usd_per_hour * copies_of(field)))
        .filter(pl.col("variant") == 0, pl.col("usd").is_finite())
        .group_by("gpu", "apart")
        .agg(pl.col("usd").min())
    )
    told = pl.DataFrame(
        {
            "gpu": [design.gpu for design in mine],
            "apart": [design.architecture == "disaggregated" for design in mine],
            "told": [design.usd_per_hour for design in mine],
        }
    )
    factors = closed.join(told, on=["gpu", "apart"]).select("gpu", "apart", factor=pl.col("told") / pl.col("usd"))
    return (
        field.systems.select("gpu", apart="disaggregated")
        .join(factors, on=["gpu", "apart"], how="left", maintain_order="left")["factor"]
        .fill_null(1.0)
    )


def _axes(q: ServingQuestion) -> Iterator[Axis]:
    for metric, (at, seconds) in q.bounds().items():
        values = [seconds * times for times in TIMES]
        yield f"{metric}-{at}", "s", seconds, values, [{f"{metric}_{at}_s": value} for value in values]
    peak = q.peak_requests_per_s
    yield (
        "rate",
        "requests/s",
        q.requests_per_s,
        [q.requests_per_s * times for times in TIMES],
        [
            {"requests_per_s": q.requests_per_s * times, "peak_requests_per_s": None if peak is None else peak * times}
            for times in TIMES
        ],
    )
    for axis, key, tokens in (("in", "input_tokens", q.input_tokens), ("out", "output_tokens", q.output_tokens)):
        values = [max(tokens * times, 2.0) for times in TIMES]
        yield axis, "tokens", tokens, values, [{key: value} for value in values]
    hits = [share for share in HITS if abs(share - q.prefix_hit_share) > 0.05]
    yield "prefix-hit", "share", q.prefix_hit_share, hits, [{"prefix_hit_share": share} for share in hits]


def _price_flip(mine: list[Design]) -> Iterator[Flip]:
    """The rent of the winner's accelerator at which the cheapest design on another costs as much."""
    best = mine[0]
    rival = next((design for design in mine if design.gpu != best.gpu), None)
    if rival is None or best.prefill_gpu not in (None, best.gpu):
        return
    turns = best.usd_per_gpu_hour * rival.usd_per_hour / best.usd_per_hour
    yield Flip(
        axis=f"price of {best.gpu}",
        unit="USD per GPU-hour",
        now=best.usd_per_gpu_hour,
        turns_at=turns,
        to=f"{rival.architecture} on {rival.gpu}",
        low=0.0,
        high=max(turns, best.usd_per_gpu_hour),
    )


def _flip(axis: str, unit: str, now: float, values: list[float], there: list[Choice | None], winner: Choice | None) -> Flip:
    """The value nearest to `now` at which another choice is the cheapest, or none meets the contract."""
    turned = [
        (abs(np.log(max(value, 0.01) / max(now, 0.01))), value, choice)
        for value, choice in zip(values, there, strict=True)
        if choice != winner
    ]
    low, high = min([now, *values]), max([now, *values])
    if not turned:
        return Flip(axis=axis, unit=unit, now=now, turns_at=None, to=None, low=low, high=high)
    _, value, choice = min(turned, key=lambda one: one[0])
    to = "no design meets the contract" if choice is None else f"{'disaggregated' if choice[1] else 'colocated'} on {choice[0]}"
    return Flip(axis=axis, unit=unit, now=now, turns_at=value, to=to, low=low, high=high)
