"""What stands above the figures: the release, three doors with today's answer in them, and what changed since the last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from figures.exhibit import Exhibit, shown_first

DESIGN = ("partition_map", "break_even_slices", "serving_frontier", "levers")
PRICES = (
    "price_frontier",
    "price_index",
    "price_slopes",
    "market_volume",
    "market_authors",
    "price_paid",
    "price_paid_factors",
    "gpu_rents_by_day",
)
CLAIMS = (
    "ledger",
    "cost_per_correct",
    "cost_by_benchmark",
    "inference_threshold",
    "inference_shares",
    "routing_premium",
    "routing_safety",
)
NOT_BUILT = "Its table is not built yet: `iecon refresh` builds it."


@dataclass(frozen=True, kw_only=True)
class Door:
    """A question people come with: today's answer, and the figures behind it."""

    title: str
    target: str
    answer: str
    figures: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What moved since another release: heading, lines, and how many more lines there are."""

    before: str
    told: tuple[tuple[str, tuple[str, ...], int], ...]


@dataclass(frozen=True, kw_only=True)
class Top:
    """The part above the figures."""

    built_at: datetime
    release: str
    oldest: tuple[str, date] | None
    """Title and day of the oldest document."""
    doors: Sequence[Door]
    changes: Changes | None
    stale: Sequence[str]
    priced_model: str


def doors_of(exhibits: Mapping[str, Exhibit]) -> tuple[Door, ...]:
    """The three doors. Each answer is made from the rows of a figure, so that both say the same."""
    return (
        Door(title="Choose a serving design", target=DESIGN[0], answer=_design(exhibits.get(DESIGN[0])), figures=DESIGN),
        Door(title="Follow prices", target=PRICES[0], answer=_finding(exhibits.get(PRICES[0])), figures=PRICES),
        Door(title="Check a claim", target=CLAIMS[0], answer=_finding(exhibits.get(CLAIMS[0])), figures=CLAIMS),
    )


def priced_model(exhibits: Mapping[str, Exhibit]) -> str:
    """The model of the price calculator to begin with: the most capable one on today's frontier."""
    exhibit = exhibits.get(PRICES[0])
    if exhibit is None:
        return ""
    first = shown_first(exhibit).filter("on_frontier").drop_nulls("picked").sort("score")
    return "" if first.is_empty() else str(first["model"][-1])


def _finding(exhibit: Exhibit | None) -> str:
    return NOT_BUILT if exhibit is None else exhibit.finding


def _design(exhibit: Exhibit | None) -> str:
    """The cheapest design for the contract in the middle of the map that is shown first."""
    if exhibit is None:
        return NOT_BUILT
    cells = shown_first(exhibit).filter(pl.col("winner") != "none").sort("tpot_s", "input_per_output")
    if cells.is_empty():
        return "No design meets any contract of the map that is shown first."
    bounds, ratios = cells["tpot_s"].unique().sort(), cells["input_per_output"].unique().sort()
    middle = cells.filter(tpot_s=bounds[bounds.len() // 2], input_per_output=ratios[ratios.len() // 2])
    cell = (middle if middle.height else cells).row(0, named=True)
    return (
        f"{cell['model']} on {cell['gpu']} at {cell['arrival_rate_per_s']:g} requests/s, {cell['input_per_output']:g} input "
        f"tokens per output token, TTFT within {cell['ttft_s']:g} s and TPOT within {cell['tpot_ms']:g} ms: {cell['winner']} "
        f"is cheapest, ${cell['usd_per_mtok']:.3g} per million output tokens at rents of {cell['gpu_price_on']:%-d %B %Y}."
    )
