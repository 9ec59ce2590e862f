"""Colocated against disaggregated serving where both were measured, and ratios of prefill to decode workers."""

import polars as pl

from schemas.base import polars_schema
from schemas.serving import engine_pools as contract
from warehouse.table import table

GROUP_OF_ASSETS = "serving"
ALIKE = ["architecture", "gpu", "engine", "precision", "input_tokens", "output_tokens"]
"""Runs that share these answer the same question."""
BOUNDS_S = (0.01, 0.02, 0.03, 0.05, 0.1)
WORKLOAD = ["architecture", "gpu", "engine", "precision", "input_tokens", "answer", "concurrency", "gpus", "of_worker"]
"""Answers differ a little from run to run: those of one factor of four are of one workload."""


@table(schema=contract.PoolComparison, group=GROUP_OF_ASSETS, may_be_empty=True)
def pool_comparison(engine_run: pl.DataFrame) -> pl.DataFrame:
    """One row for each model, GPU, engine, format and lengths that were measured both ways, and bound on TPOT."""
    return compared(engine_run)


@table(schema=contract.PoolRatio, group=GROUP_OF_ASSETS, may_be_empty=True)
def pool_ratio(engine_run: pl.DataFrame) -> pl.DataFrame:
    """One row for each workload that was measured with several ratios of workers."""
    return ratios(engine_run)


def compared(runs: pl.DataFrame) -> pl.DataFrame:
    """Best rates per GPU of both designs within each bound, measured and predicted. `runs`: contract `EngineRun`."""
    plain = foretold(runs.filter("usable", ~pl.col("drafts"), pl.col("tpot_measured").is_not_null()))
    bounds = pl.DataFrame({"tpot_bound_s": BOUNDS_S})
    key = [*ALIKE, "tpot_bound_s"]

    def best(kind: str, name: str) -> pl.DataFrame:
        within = plain.filter(pl.col("kind") == kind).join(bounds, how="cross")
        measured = within.filter(pl.col("tpot_measured") <= pl.col("tpot_bound_s")).group_by(key)
        foretelling = within.filter(pl.col("tpot_foretold") <= pl.col("tpot_bound_s")).group_by(key)
        return measured.agg(
            pl.col("output_measured").max().alias(f"{name}_tokens_per_s_per_gpu"), pl.len().cast(pl.Int64).alias(f"{name}_runs")
        ).join(foretelling.agg(pl.col("output_foretold").max().alias(f"{name}_foretold")), on=key, how="left")

    both = best("closed", "colocated").join(best("pools", "disaggregated"), on=key)
    ratio = pl.col("disaggregated_tokens_per_s_per_gpu") / pl.col("colocated_tokens_per_s_per_gpu")
    foretold_ratio = pl.col("disaggregated_foretold") / pl.col("colocated_foretold")
    return (
        both.with_columns(ratio=ratio, ratio_foretold=foretold_ratio)
        .with_columns(
            cheaper=pl.when(pl.col("ratio") > 1).then(pl.lit("disaggregated")).otherwise(pl.lit("colocated")),
            named_right=(pl.col("ratio") > 1) == (pl.col("ratio_foretold") > 1),
        )
        .select(pl.col(name).cast(kind) for name, kind in polars_schema(contract.PoolComparison).items())
        .sort(key, nulls_last=True)
    )


def ratios(runs: pl.DataFrame) -> pl.DataFrame:
    """Best measured and best predicted ratio of workers of each workload. `runs`: contract `EngineRun`."""
    pools = foretold(runs.filter("usable", pl.col("kind") == "pools", ~pl.col("drafts"))).drop_nulls(
        ["prefill_workers", "decode_workers", "output_measured", "output_foretold", "concurrency"]
    )
    workers = pl.format("{}:{}", pl.col("prefill_workers").cast(pl.Int64), pl.col("decode_workers").cast(pl.Int64))
    of_worker = pl.col("gpus") / (pl.col("prefill_workers") + pl.col("decode_workers"))
    answer = (pl.col("output_tokens").log(2) / 2).floor()
    named = pools.with_columns(workers=workers, of_worker=of_worker, answer=answer)
    one = (
        named.sort("output_measured")
        .group_by([*WORKLOAD, "workers"])
        .agg(pl.col("output_measured", "output_foretold", "output_tokens").median())
    )
    found = (
        one.group_by(WORKLOAD)
        .agg(
            output_tokens=pl.col("output_tokens").median(),
            ratios=pl.len().cast(pl.Int64),
            best_measured=pl.col("workers").sort_by("output_measured").last(),
            best_foretold=pl.col("workers").sort_by("output_foretold").last(),
            best_tokens_per_s_per_gpu=pl.col("output_measured").max(),
            foretold_tokens_per_s_per_gpu=pl.col("output_measured").sort_by("output_foretold").last(),
        )
        .filter(pl.col("ratios") > 1)
        .with_columns(
            named_right=pl.col("best_measured") == pl.col("best_foretold"),
            lost_share=1.0 - pl.col("foretold_tokens_per_s_per_gpu") / pl.col("best_tokens_per_s_per_gpu"),
            gpus_of_a_worker=pl.col("of_worker"),
        )
    )
    return found.select(pl.col(name).cast(kind) for name, kind in polars_schema(contract.PoolRatio).items()).sort(
        "architecture", "gpu", "engine", "input_tokens", "output_tokens", "concurrency", "gpus", nulls_last=True
    )


def foretold(runs: pl.DataFrame) -> pl.DataFrame:
    """Runs with the rate and the TPOT that the fit says of them without their whole group."""
    return runs.with_columns(
        output_foretold=pl.col("output_measured") * (-pl.col("output_error_group")).exp(),
        tpot_foretold=pl.col("tpot_measured") * (-pl.col("tpot_error_group")).exp(),
    )
