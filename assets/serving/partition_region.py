"""Which design is cheapest in three regions of work, by both forms, and what pairs of measured systems say of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from assets.serving.measured_surface import Measured, costs, measured, measured_race, question, replicas_of
from assets.serving.pairs import AXES, Pair, asked_of, pairs
from assets.serving.surface import grid_scenario
from economics.serving.partition_map import OUTCOMES, Race, cleanness, race
from schemas.base import polars_schema
from schemas.serving import partition_region as contract
from warehouse.table import table

GROUP = "serving"


@dataclass(frozen=True)
class Region:
    """Work of one shape and the TTFT bounds that such work is given."""

    name: str
    input_tokens: float
    output_tokens: float
    ttft_s: tuple[float, ...]


REGIONS = (
    Region("prefill_heavy_long_context", 16_000.0, 500.0, (5.0, 20.0)),
    Region("balanced", 3_500.0, 875.0, (1.0, 5.0)),
    Region("decode_heavy_short_context", 500.0, 1_000.0, (1.0, 5.0)),
)
PREFILL_HEAVY, DECODE_HEAVY = 4.0, 0.5
"""Input tokens per output token from which, and up to which, a pair of measured systems is of a region."""


@table(schema=contract.PartitionRegion, group=GROUP)
def partition_region(
    gpu: pl.DataFrame,
    model_shape: pl.DataFrame,
    model_layer: pl.DataFrame,
    engine_run: pl.DataFrame,
    gpu_price: pl.DataFrame,
    pool_comparison: pl.DataFrame,
) -> pl.DataFrame:
    """Shares of bounds, rates and links in which each design is cheapest, and of measured pairs."""
    every = list(pairs(gpu, model_shape, gpu_price))
    known = measured(model_shape=model_shape, model_layer=model_layer, gpu=gpu, engine_run=engine_run)
    computed = [row for region in REGIONS for row in rows_of(region, every, known)]
    frames = [pl.DataFrame(computed, infer_schema_length=None), of_measured_pairs(pool_comparison)]
    return pl.concat(frames, how="diagonal").select(list(polars_schema(contract.PartitionRegion))).sort(contract.KEY)


def rows_of(region: Region, of: list[Pair], known: Measured) -> Iterator[dict[str, Any]]:
    """One row for each pair and form."""
    context_tokens = region.input_tokens + region.output_tokens / 2.0
    axes = AXES | {
        "input_per_output": np.array([region.input_tokens / region.output_tokens]),
        "ttft_s": np.array(region.ttft_s),
    }
    lengths = {"input_tokens": region.input_tokens, "context_tokens": context_tokens}
    asked = question(axes)
    replicas = replicas_of(asked_of(of, **lengths), known, axes=len(axes))
    found: dict[str, Race] = {
        "plain": race(grid_scenario(of, axes, **lengths)),
        "measured": measured_race(costs(replicas, asked), asked),
    }
    shape = (len(of), *(len(values) for values in axes.values()))
    for form, won in found.items():
        winners = np.broadcast_to(np.asarray(won.winner), shape)
        clean = cleanness(winners)
        for place, (hardware, model, _) in enumerate(of):
            yield {
                "region": region.name,
                "form": form,
                "gpu": hardware["gpu"],
                "model": model["model"],
                "input_tokens": region.input_tokens,
                "output_tokens": region.output_tokens,
                "cells": winners[place].size,
                **{
                    f"{'infeasible' if name == 'none' else name}_share": float((winners[place] == code).mean())
                    for code, name in enumerate(OUTCOMES)
                },
                "isolated_share": float(clean.isolated_share[place]),
                "boundary_share": float(clean.boundary_share[place]),
            }


def of_measured_pairs(comparison: pl.DataFrame) -> pl.DataFrame:
    """Systems measured both ways at the same lengths, by region, GPU and model. `comparison`: contract `PoolComparison`."""
    ratio = pl.col("input_tokens") / pl.col("output_tokens")
    named = comparison.with_columns(
        region=pl.when(ratio >= PREFILL_HEAVY)
        .then(pl.lit(REGIONS[0].name))
        .when(ratio <= DECODE_HEAVY)
        .then(pl.lit(REGIONS[2].name))
        .otherwise(pl.lit(REGIONS[1].name))
    )
    splits = (pl.col("cheaper") == "disaggregated").mean()
    return named.group_by("region", "gpu", pl.col("architecture").alias("model")).agg(
        form=pl.lit("measured_pairs"),
        input_tokens=pl.col("input_tokens").median(),
        output_tokens=pl.col("output_tokens").median(),
        cells=pl.len().cast(pl.Int64),
        disaggregated_share=splits,
        chunked_share=1.0 - splits,
    )
