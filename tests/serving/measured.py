"""Runs as an engine with a known fixed time per layer would measure them, for tests of the fit."""

import numpy as np
import polars as pl

from assets.serving.engine import runs_of
from assets.serving.engine_parts import accelerators, family, served_models
from assets.serving.engine_runs import QUANTITIES, RUN_COLUMNS, predicted, with_parts
from schemas.base import polars_schema
from schemas.serving.benchmark_outputs import OperatingPoint

LAYER_S = 90e-6
MODELS = ("llama-3.1-8b", "llama-3.1-70b", "qwen3-32b", "gpt-oss-120b")
GPUS = ("h100-sxm", "h200-sxm", "h100-pcie")


def operating_points(shapes: pl.DataFrame, layers: pl.DataFrame, gpus: pl.DataFrame, *, noise: float = 0.02) -> pl.DataFrame:
    """Twelve groups of vLLM on Hopper, each a sweep of requests in flight, as rows of the contract `OperatingPoint`."""
    rng = np.random.default_rng(5)
    loads = pl.DataFrame(
        {"model": model, "gpu": gpu, "concurrency": count, "input_tokens": inputs, "output_tokens": 512.0}
        for model in MODELS
        for gpu in GPUS
        for count in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
        for inputs in (256.0, 2048.0)
    )
    absent = [pl.lit(None, pl.Float64).alias(name) for name in RUN_COLUMNS if name not in loads.columns]
    runs = loads.with_columns(absent).with_columns(
        engine=pl.lit("vllm"),
        precision=pl.when(pl.col("model") == "gpt-oss-120b").then(pl.lit("mxfp4")).otherwise(pl.lit("bf16")),
        gpus=pl.lit(4.0),
        tp=pl.lit(4.0),
        disaggregated=pl.lit(value=False),
        drafts=pl.lit(value=False),
        counts_decode_gpus=pl.lit(value=False),
        family=family(),
    )
    whole = with_parts(runs, models=served_models(shapes, layers), devices=accelerators(gpus))
    figures = predicted(whole, layer_s=np.full(len(whole), LAYER_S)).quantities
    group = runs.select(pl.struct("model", "gpu").rank("dense")).to_series().to_numpy() - 1
    off = rng.normal(0.0, 2.0 * noise, 12)[group]
    measured = {name: values * np.exp(off + noise * rng.normal(size=len(off))) for name, values in figures.items()}
    stated = {
        **{f"{name}": pl.Series(measured[name]) for name in QUANTITIES},
        "run_id": pl.Series([f"run-{number:03}" for number in range(len(runs))]),
        "source": pl.Series(["published"] * len(runs)),
        "model_canonical": runs["model"],
        "gpu_canonical": runs["gpu"],
        "gpus_total": runs["gpus"],
        "input_tokens_nominal": runs["input_tokens"],
        "output_tokens_nominal": runs["output_tokens"],
        "basis": pl.Series(["measured"] * len(runs)),
        **{name: runs[name] for name in ("model", "gpu", "engine", "precision", "concurrency", "tp")},
    }
    columns = polars_schema(OperatingPoint)
    return pl.DataFrame({name: stated.get(name, pl.Series([None] * len(runs))).cast(kind) for name, kind in columns.items()})


def runs(shapes: pl.DataFrame, layers: pl.DataFrame, gpus: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """The same points as the fit takes them."""
    published = points.filter(pl.col("source") == "published")["run_id"]
    stored = dict(shapes.select("model", "stored_as").iter_rows())
    known = with_parts(
        runs_of(points, stored_as=stored, published=published), models=served_models(shapes, layers), devices=accelerators(gpus)
    )
    return known.drop_nulls(["model_layers", "device_memory_bytes"]).sort("run_id")
