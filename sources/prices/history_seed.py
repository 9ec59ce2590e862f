"""Price changes of well-known models since 2023, transcribed from dated documents.

`seeds/llm_price_history.csv` holds one row per price and period; `seeds/llm_price_history.source.yaml` says what was taken
and what was left out.
"""

import io

import polars as pl

from schemas.base import empty, polars_schema
from schemas.prices.llm_price_seed import LlmPriceSeed
from schemas.quarantine import Parsed, Rejected
from sources.document import SEEDS, document
from sources.source import Snapshot, Source, refuses_in_words

SOURCE = document(SEEDS / "llm_price_history.csv", name="llm_price_seed", fresh_for=Source.fresh_for)


@refuses_in_words
def parse_prices(snapshot: Snapshot) -> Parsed:
    """Read the seed into prices (contract `LlmPriceSeed`). Nothing is refused: the contract refuses a bad seed as a whole."""
    rows = pl.read_csv(io.BytesIO(snapshot.body), infer_schema=False)
    complete = rows.with_columns(
        pl.col("valid_from", "valid_to").str.to_date("%Y-%m-%d"),
        source=pl.lit(snapshot.source),
        source_provider=pl.col("provider"),
        source_model=pl.col("model"),
        source_key=pl.format("{}_usd_per_mtok", "leg"),
        published_value=pl.col("usd_per_mtok"),
        published_unit=pl.lit("usd_per_mtok"),
        fx_note=pl.lit(None),
        seen_on=pl.lit(snapshot.seen_on),
        evidence_on=pl.lit(snapshot.evidence_on),
        document_sha256=pl.lit(snapshot.sha256),
    )
    prices = complete.select(pl.col(name).cast(dtype) for name, dtype in polars_schema(LlmPriceSeed).items())
    return Parsed(prices, empty(Rejected))
