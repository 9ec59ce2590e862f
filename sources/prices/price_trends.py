"""Published falls of the price of inference, and the points behind Epoch's: two CSVs, two parsers.

`transcribed/price_trend*.csv` hold the rows; `transcribed/price_trend*.source.yaml` say what was taken.
"""

from datetime import UTC, datetime
from pathlib import Path

from schemas.prices.compression import PriceTrendFigure, PriceTrendPoint
from schemas.quarantine import Parsed
from sources.evidence.published_figures import NEVER_STALE, typed
from sources.source import Seed, Snapshot, Source, refuses_in_words

PUBLISHED = Path(__file__).parents[1] / "transcribed"

FIGURES = Source(
    name="price_trends",
    title="Published falls of the price of inference",
    homepage="https://ifitsmanu.com/papers/the-inference-stack-2026/",
    licence="facts, each with its citation",
    live=(),
    floor=(Seed(PUBLISHED / "price_trends.csv", as_of=datetime(2026, 11, 23, tzinfo=UTC)),),
    fresh_for=NEVER_STALE,
)
POINTS = Source(
    name="price_trend_points",
    title="Points of Epoch's price trends",
    homepage="https://epoch.ai/data-insights/llm-inference-price-trends",
    licence="CC BY 4.0",
    live=(),
    floor=(Seed(PUBLISHED / "price_trend_points.csv", as_of=datetime(2025, 3, 12, tzinfo=UTC)),),
    fresh_for=NEVER_STALE,
)


@refuses_in_words
def parse_figures(snapshot: Snapshot) -> Parsed:
    """Read the figures (contract `PriceTrendFigure`). Nothing is refused here: the contract judges each row."""
    return typed(snapshot, PriceTrendFigure)


@refuses_in_words
def parse_points(snapshot: Snapshot) -> Parsed:
    """Read the points (contract `PriceTrendPoint`). Nothing is refused here: the contract judges each row."""
    return typed(snapshot, PriceTrendPoint)
