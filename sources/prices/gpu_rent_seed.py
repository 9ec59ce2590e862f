"""GPU rents shipped with this project: dated figures from benchmarks, papers, a market tracker and catalogue excerpts.

`seeds/gpu_rent.csv` holds one row per figure with its document and place; `seeds/gpu_rent.source.yaml` says what was taken.
"""

import io

import polars as pl

from schemas.base import empty, polars_schema
from schemas.prices.gpu_rents import RawGpuOffer
from schemas.quarantine import Parsed, Rejected
from sources.document import SEEDS, document
from sources.prices.gpu_offers import add_gpu
from sources.source import Snapshot, Source, refuses_in_words

SOURCE = document(SEEDS / "gpu_rent.csv", name="gpu_rent_seed", fresh_for=Source.fresh_for)


@refuses_in_words
def parse_offers(snapshot: Snapshot) -> Parsed:
    """Read the seed into offers (contract `RawGpuOffer`). Nothing is refused: the contract refuses a bad seed as a whole."""
    rows = pl.read_csv(io.BytesIO(snapshot.body), infer_schema=False)
    asked = rows.select("source_gpu", instance_hint="instance_type", gpu_memory_gb=pl.col("gpu_memory_gb").cast(pl.Float64))
    complete = rows.with_columns(
        add_gpu(asked)["gpu_family"],
        pl.col("valid_from", "valid_to").str.to_date("%Y-%m-%d"),
        locator=pl.format("{}: {}", "source_title", "source_url_or_locator"),
        source=pl.lit(snapshot.source),
        seen_on=pl.lit(snapshot.seen_on),
        evidence_on=pl.lit(snapshot.evidence_on),
        document_sha256=pl.lit(snapshot.sha256),
    )
    offers = complete.select(pl.col(name).cast(dtype) for name, dtype in polars_schema(RawGpuOffer).items())
    return Parsed(offers, empty(Rejected))
