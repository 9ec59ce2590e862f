"""Published falls of the price of inference, and the points behind Epoch's: two CSVs, two parsers.

`published/price_trend*.csv` hold the rows; `published/price_trend*.source.yaml` say what was taken.
"""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from schemas.base import Table, empty, polars_schema
from schemas.price_compression import PriceTrendFigure, PriceTrendPoint
from schemas.quarantine import Parsed, Rejected
from sources.source import Seed, Snapshot, Source, refuses_in_words

PUBLISHED = Path(__file__).parent / "published"
NEVER_STALE = timedelta(days=36_500)
"""What was printed stays printed."""

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
    return _typed(snapshot, PriceTrendFigure)


@refuses_in_words
def parse_points(snapshot: Snapshot) -> Parsed:
    """Read the points (contract `PriceTrendPoint`). Nothing is refused here: the contract judges each row."""
    return _typed(snapshot, PriceTrendPoint)


def _typed(snapshot: Snapshot, schema: type[Table]) -> Parsed:
    rows = pl.read_csv(io.BytesIO(snapshot.body), infer_schema=False).with_columns(source=pl.lit(snapshot.source))
    typed = rows.select(
        pl.col(name).str.to_date("%Y-%m-%d") if dtype == pl.Date else pl.col(name).cast(dtype)
        for name, dtype in polars_schema(schema).items()
    )
    return Parsed(typed, empty(Rejected))
