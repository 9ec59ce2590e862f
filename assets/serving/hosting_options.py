"""Instances that could host a model: engines and numbers of GPUs worth asking, and what each serves within the contract."""

import polars as pl

from assets.serving.engine_answers import Fit
from assets.serving.engine_contract import capacity
from assets.serving.engine_parts import family
from assets.serving.engine_runs import RUN_COLUMNS

MOST_GPUS = 8
"""Of one instance, unless the weights need more: beyond it copies serve the same load for less."""
LARGEST = 64
"""GPUs of one instance at most."""
FREE = 1.1
"""Weights times this must fit beside the share of the memory that engines take."""
MEMORY_SHARE = 0.9
ENGINES = 3
"""Engines asked for each family of accelerators: those with most measured runs."""
SERVING = ("vllm", "sglang", "tensorrt_llm", "atom", "lmdeploy", "mindie")
"""Engines that are run as a service for many users; others are asked only where they are named."""
NO_ENGINE = "vllm"
"""Asked where no engine was measured on the family; the answer has no interval there."""
PERCENTILE = 0.99


def instances_of(asked: pl.DataFrame, fit: Fit, *, engines: int = ENGINES, sizes: int | None = None) -> pl.DataFrame:
    """Instances worth asking for each row: the columns of `asked` with engine, gpus, tp and dp_attention.

    `asked`: model, gpu, precision and whatever else is carried along; a column `engine` that is not NULL is kept. Sizes are
    powers of two from the fewest GPUs that hold the weights, `sizes` of them at most. Rows whose model or accelerator is not
    known give none.
    """
    weights = fit.models.drop_nulls().select(
        "model",
        "precision",
        weight_bytes=pl.col("model_dense_bytes") + pl.col("model_expert_bytes"),
        is_latent=pl.col("model_kv_split") == 1,
    )
    memory = fit.devices.select("gpu", "precision", "device_memory_bytes", "device_domain_gpus")
    fewest = (FREE * pl.col("weight_bytes") / (MEMORY_SHARE * pl.col("device_memory_bytes"))).clip(1.0).log(2).ceil()
    most = pl.min_horizontal(pl.lit(float(MOST_GPUS)), "device_domain_gpus").log(2).floor()
    last = pl.max_horizontal(fewest, most)
    if sizes is not None:
        last = pl.min_horizontal(last, fewest + sizes - 1)
    named = asked if "engine" in asked.columns else asked.with_columns(engine=pl.lit(None, pl.String))
    sized = (
        named.with_columns(family=family())
        .join(weights, on=["model", "precision"])
        .join(memory, on=["gpu", "precision"])
        .with_columns(power=pl.int_ranges(fewest.cast(pl.Int64), last.cast(pl.Int64) + 1))
        .explode("power")
        .with_columns(gpus=2.0 ** pl.col("power"))
        .filter(pl.col("gpus") <= LARGEST)
    )
    measured = _engines(fit, most=engines)
    with_engine = (
        sized.join(measured, on="family", how="left")
        .with_columns(engine=pl.coalesce("engine", "measured_engine", pl.lit(NO_ENGINE)))
        .drop("measured_engine", "family", "weight_bytes", "device_memory_bytes", "device_domain_gpus", "power")
        .unique(maintain_order=True)
    )
    apart = with_engine.filter("is_latent", pl.col("gpus") >= MOST_GPUS).with_columns(dp_attention=pl.lit(value=True))
    together = with_engine.with_columns(dp_attention=pl.lit(value=False))
    return pl.concat([together, apart]).drop("is_latent").with_columns(tp=pl.col("gpus"))


def with_capacity(instances: pl.DataFrame, fit: Fit, *, tails: pl.DataFrame) -> pl.DataFrame:
    """Instances with the columns of `engine_contract.CAPACITY`. `instances`: of `instances_of`, with lengths and bounds."""
    stated = instances.with_columns(
        *(pl.lit(value=False).alias(name) for name in ("disaggregated", "drafts") if name not in instances.columns),
        percentile=pl.lit(PERCENTILE),
    )
    absent = [name for name in RUN_COLUMNS if name not in stated.columns]
    return capacity(stated.with_columns(pl.lit(None, pl.Float64).alias(name) for name in absent), fit=fit, tails=tails)


def _engines(fit: Fit, *, most: int) -> pl.DataFrame:
    """Engines of each family that were measured most: family, measured_engine."""
    return (
        fit.near_cells.filter(pl.col("engine").is_in(SERVING))
        .with_columns(runs=pl.col("cell_last") - pl.col("cell_first"))
        .sort("runs", descending=True)
        .group_by("family", maintain_order=True)
        .agg(measured_engine=pl.col("engine").head(most))
        .explode("measured_engine")
    )
