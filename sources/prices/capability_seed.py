"""Capability figures transcribed from documents, and how they and Epoch's become one table by canonical model.

`seeds/capability.csv` holds one row per figure with its citation; `seeds/capability.source.yaml` says what was taken.
"""

import io

import polars as pl

from schemas.base import empty, polars_schema
from schemas.prices.capability import Capability, CapabilitySeed
from schemas.quarantine import Parsed, Rejected
from sources.document import SEEDS, document
from sources.prices.model_map import models, resolve
from sources.source import Snapshot, Source, refuses_in_words

SOURCE = document(SEEDS / "capability.csv", name="capability_seed", fresh_for=Source.fresh_for)

SCALE_OF_BENCHMARK = {"GPQA diamond": "gpqa_diamond", "MMLU": "mmlu", "MATH level 5": "math_level_5"}
"""Benchmarks of Epoch's bundle that are scales of `core.capability`, by the name Epoch gives them."""


@refuses_in_words
def parse_scores(snapshot: Snapshot) -> Parsed:
    """Read the seed into figures (contract `CapabilitySeed`). Nothing is refused: the contract refuses a bad seed whole."""
    rows = pl.read_csv(io.BytesIO(snapshot.body), infer_schema=False)
    complete = rows.with_columns(pl.col("as_of").str.to_date("%Y-%m-%d"), source=pl.lit(snapshot.source))
    figures = complete.select(pl.col(name).cast(dtype) for name, dtype in polars_schema(CapabilitySeed).items())
    return Parsed(figures, empty(Rejected))


def by_model(
    epoch_eci: pl.DataFrame, epoch_benchmark: pl.DataFrame, router_index: pl.DataFrame, capability_seed: pl.DataFrame
) -> pl.DataFrame:
    """All capability figures of canonical models (contract `Capability`).

    Arguments in the contracts `EpochEci`, `EpochBenchmark`, `RouterIndex` and `CapabilitySeed`. Models without a canonical
    name are left out, and so are rolling names. Of several runs of one benchmark the best counts, as in Epoch's own index.
    """
    index = epoch_eci.with_columns(scale=pl.lit("eci"), basis=pl.lit("publisher"))
    runs = (
        epoch_benchmark.filter(pl.col("benchmark").is_in(list(SCALE_OF_BENCHMARK)), pl.col("score_percent").is_not_null())
        .group_by("source", "benchmark", pl.coalesce("model_group", "source_model").alias("source_model"), "as_of")
        .agg(pl.col("score_percent").max().alias("score"), pl.col("release_date").min())
        .with_columns(
            scale=pl.col("benchmark").replace_strict(SCALE_OF_BENCHMARK, return_dtype=pl.String),
            basis=pl.lit("publisher"),
        )
    )
    named = pl.concat([index, runs], how="diagonal").with_columns(source_provider=pl.lit(""))
    routed = router_index.with_columns(source_provider="source", basis=pl.lit("secondary"))
    seeded = capability_seed.with_columns(basis=pl.lit("secondary"))
    figures = pl.concat([resolve(named), resolve(routed), seeded], how="diagonal")
    rated = models().filter(~pl.col("rolling")).select("model")
    columns = polars_schema(Capability)
    kept = figures.join(rated, on="model", how="semi").select(pl.col(name).cast(dtype) for name, dtype in columns.items())
    return kept.sort("scale", "model", "as_of", "source", "source_model")
