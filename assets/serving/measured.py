"""The closed forms against measured throughput per GPU at a contract, with MFU and MBU fitted to other rows."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from economics.serving.deployment import shared_read_overlap
from economics.serving.symbols import Contract, Hardware, Model, Refinements, RequestShape, Scenario, Transfer
from economics.serving.throughput import LEAST_POINTS, held_out_rates
from economics.units import Array
from schemas.serving.benchmark_outputs import EVIDENCE

BYTES_PER_WEIGHT = {"bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "fp4": 0.5625}
"""Four-bit weights with an 8-bit scale for each 16 of them."""
MEMORY_SHARE = 0.9
REPLICA_GPUS = (1.0, 2.0, 4.0, 8.0)
"""Sizes of a replica to choose from where the source does not state it."""
METHOD = (
    "chunked colocation at the contract, TTFT coupling, prefill attention, decode compute bound, weights read once as "
    "overlap; the best replica size where none is stated"
)
LENGTHS = ["mean_input_tokens", "mean_output_tokens"]
METRIC, ERROR = "output_tokens_per_s_per_gpu", "median_absolute_error"


def published_rows(figures: pl.DataFrame, *, gpu: pl.DataFrame, model_shape: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """MLPerf medians on each GPU, predicted with MFU and MBU fitted to the other GPUs.

    `figures`: contract `CitedFigure`. Points whose lengths, GPU or shape are in no document, and sparse models, are left out.
    """
    lengths = (
        figures.filter(pl.col("paper") == "mlperf_v5_1", pl.col("metric").is_in(LENGTHS))
        .pivot("metric", on_columns=LENGTHS, index="workload", values="value")
        .rename({"mean_input_tokens": "input_tokens", "mean_output_tokens": "output_tokens"})
        .drop_nulls()
    )
    medians = figures.filter(
        pl.col("paper") == "mlperf_v5_1", pl.col("metric") == METRIC, pl.col("system") == "median of submissions"
    ).select("figure", "gpu", "model", "workload", "ttft_s", "tpot_s", "low", "high", "n", "value")
    points = known(medians.join(lengths, on="workload"), gpu=gpu, model_shape=model_shape, precision=None)
    # A share of an FP4 peak says little of a share of an FP8 peak.
    parts = points.partition_by("precision", maintain_order=True)
    predicted = np.concatenate([np.empty(0), *(predictions(part, fold=part["gpu"], percentile=0.99) for part in parts)])
    points = pl.concat([points.clear(), *parts])
    common = {
        "check": "measured",
        "architecture": "chunked",
        "basis": "published",
        "unit": "tokens_per_s",
        "method": f"{METHOD}; FP4 where the GPU has it, else FP8; FP8 KV; prompt lengths: see core.cited_figure",
        "fitted": "MFU and MBU, to the points of all other GPUs in the same number format",
    }
    for row, rate in zip(points.iter_rows(named=True), predicted, strict=True):
        yield common | {
            "slice": f"MLPerf v5.1, {row['workload']}, {row['gpu']}",
            "metric": METRIC,
            "gpu": row["gpu"],
            "model": row["model"],
            "workload": row["workload"],
            "predicted": float(rate),
            "observed": row["value"],
            "interval_low": row["low"],
            "interval_high": row["high"],
            "n": row["n"],
        }
    yield from _errors(points, predicted, common | {"workload": "MLPerf v5.1"}, name="MLPerf v5.1")


def ingested_rows(runs: pl.DataFrame, *, gpu: pl.DataFrame, model_shape: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Errors on each GPU over the user's benchmark runs of colocated replicas; MFU and MBU fitted to the other models.

    `runs`: contract `OperatingPoint`. The contract of a run is what it measured. Where a GPU has one model only, folds are
    pairs of lengths instead. Nothing where no run can be used.
    """
    for (source, name), part in usable(runs, gpu=gpu, model_shape=model_shape).group_by("source", "gpu", maintain_order=True):
        sizes = part["model"].value_counts()["count"]
        by_model = (sizes >= LEAST_POINTS).sum() > 1
        fold = part["model"] if by_model else part.select(pl.struct("input_tokens", "output_tokens")).to_series()
        common = {
            "check": "measured",
            "architecture": "colocated",
            "basis": "measured",
            "unit": "share",
            "fitted": f"MFU and MBU, to the points of other {'models' if by_model else 'lengths'} on the same GPU",
            "workload": f"runs ingested as {source}",
        }
        for what, method, loaded in (
            ("contract", f"{METHOD}; the bounds are the latencies measured, as means or medians", False),
            ("load", f"{METHOD}; as many sequences decode as requests were in flight", True),
        ):
            chosen = part.filter(pl.col("in_flight") > 0) if loaded else part
            folds = fold.filter(part["in_flight"].fill_null(0.0) > 0) if loaded else fold
            predicted = predictions(chosen, fold=folds.rank("dense"), percentile=0.0, loaded=loaded)
            judged = np.isfinite(predicted)
            if judged.sum() >= LEAST_POINTS:
                error = np.abs(predicted[judged] / chosen["value"].to_numpy()[judged] - 1.0)
                yield common | {
                    "slice": f"{source} on {name}, at the measured {what}",
                    "gpu": name,
                    "metric": ERROR,
                    "method": method,
                    "observed": float(np.median(error)),
                    "n": len(error),
                }


def usable(runs: pl.DataFrame, *, gpu: pl.DataFrame, model_shape: pl.DataFrame) -> pl.DataFrame:
    """Runs of one colocated replica without drafts, whose GPU, model, precision, load and latencies are known."""
    told = runs.filter(
        pl.col("model_canonical").is_in(model_shape["model"].implode()),
        pl.col("basis").is_in(EVIDENCE),
        pl.coalesce("architecture", pl.lit("colocated")) != "disaggregated",
        pl.coalesce("speculative_decoding", pl.lit("none")) == "none",
        (pl.col("tp") == pl.col("gpus_total")) | (pl.col("gpus_total") == 1),
        pl.coalesce("pp", 1) == 1,
    ).select(
        "source",
        "run_id",
        model="model_canonical",
        gpu="gpu_canonical",
        gpus=pl.col("gpus_total").cast(pl.Float64),
        precision=pl.col("precision").str.to_lowercase(),
        input_tokens=pl.coalesce("input_tokens_mean", "input_tokens_nominal"),
        output_tokens=pl.coalesce("output_tokens_mean", "output_tokens_nominal"),
        ttft_s=pl.coalesce("ttft_p50_s", "ttft_mean_s"),
        tpot_s=pl.coalesce("tpot_p50_s", "tpot_mean_s"),
        in_flight="concurrency",
        stated="output_tokens_per_s_per_gpu",
    )
    answer_s = pl.col("ttft_s") + pl.col("tpot_s") * (pl.col("output_tokens") - 1.0)
    rated = told.with_columns(
        value=pl.coalesce("stated", pl.col("in_flight") * pl.col("output_tokens") / (answer_s * pl.col("gpus")))
    ).filter(pl.all_horizontal(pl.col("value", "ttft_s", "tpot_s", "input_tokens", "output_tokens") > 0))
    return known(rated, gpu=gpu, model_shape=model_shape, precision="precision")


def known(points: pl.DataFrame, *, gpu: pl.DataFrame, model_shape: pl.DataFrame, precision: str | None) -> pl.DataFrame:
    """Points of dense models with peaks and shapes. Without a precision: FP4 where the GPU has it, else FP8.

    `gpu`, `model_shape`: core tables.
    """
    peaks = gpu.select("gpu", "bf16_flop_per_s", "fp8_flop_per_s", "fp4_flop_per_s", "hbm_bytes", "hbm_bytes_per_s")
    shapes = model_shape.filter(pl.col("parameters") == pl.col("active_parameters")).select(
        "model", "parameters", "kv_bytes_per_token", "layers", "query_heads", "head_dim", "hidden"
    )
    newest = pl.when(pl.col("fp4_flop_per_s").is_not_null()).then(pl.lit("fp4")).otherwise(pl.lit("fp8"))
    return (
        points.join(peaks, on="gpu")
        .join(shapes, on="model")
        .with_columns(precision=newest if precision is None else pl.col(precision))
        .with_columns(
            peak_flop_per_s=pl.when(pl.col("precision") == "fp4")
            .then("fp4_flop_per_s")
            .when(pl.col("precision") == "fp8")
            .then("fp8_flop_per_s")
            .otherwise("bf16_flop_per_s"),
            weight_bytes=pl.col("parameters")
            * pl.col("precision").replace_strict(BYTES_PER_WEIGHT, default=None, return_dtype=pl.Float64),
            kv_bytes=pl.col("kv_bytes_per_token") / (2.0 if precision is None else 1.0),
        )
        .drop_nulls(["peak_flop_per_s", "weight_bytes"])
    )


def predictions(points: pl.DataFrame, *, fold: pl.Series, percentile: float, loaded: bool = False) -> Array:
    """Predicted output tokens per second and GPU of each point, fitted to the points of the other folds."""
    if points.is_empty():
        return np.empty(0)
    folds = fold.rank("dense").cast(pl.Int64).to_numpy()
    in_flight = points["in_flight"].cast(pl.Float64).to_numpy()[:, None] if loaded else None
    scenario = scenario_of_points(points, percentile=percentile)
    return held_out_rates(scenario, points["value"].to_numpy(), folds, in_flight=in_flight)


def scenario_of_points(points: pl.DataFrame, *, percentile: float) -> Scenario:
    """One scenario: points on the first axis, replica sizes on the last. The rent cancels."""
    of = {name: points[name].cast(pl.Float64).to_numpy()[:, None] for name in points.columns if points[name].dtype.is_numeric()}
    gpus = of["gpus"] if "gpus" in of else np.broadcast_to(REPLICA_GPUS, (points.height, len(REPLICA_GPUS)))
    prompt, answer = of["input_tokens"], of["output_tokens"]
    overlap = shared_read_overlap(weight_bytes=of["weight_bytes"], hbm_bytes=of["hbm_bytes"] * gpus, memory_share=MEMORY_SHARE)
    return Scenario(
        hardware=Hardware(
            usd_per_gpu_hour=1.0,
            flops_per_s=of["peak_flop_per_s"],
            hbm_bytes_per_s=of["hbm_bytes_per_s"],
            hbm_bytes=of["hbm_bytes"],
            gpus=gpus,
        ),
        model=Model(
            active_parameters=of["parameters"],
            weight_bytes=of["weight_bytes"],
            kv_bytes_per_token=of["kv_bytes"],
            layers=of["layers"],
            query_heads=of["query_heads"],
            head_dim=of["head_dim"],
            hidden=of["hidden"],
        ),
        workload=RequestShape(
            input_tokens=prompt, input_per_output=prompt / answer, context_tokens=prompt + answer / 2.0, prefill_replicas=1.0
        ),
        contract=Contract(ttft_s=of["ttft_s"], tpot_s=of["tpot_s"], percentile=percentile, tpot_definition="per_request_mean"),
        transfer=Transfer(bandwidth_bytes_per_s=1.0),
        refinements=Refinements(
            overlap=np.asarray(overlap), ttft_coupling=True, prefill_attention=True, decode_compute_bound=True
        ),
    )


def _errors(points: pl.DataFrame, predicted: Array, common: dict[str, Any], *, name: str) -> Iterator[dict[str, Any]]:
    """Median absolute percentage error of each GPU, and of all together."""
    off = points.select("gpu", error=pl.Series(np.abs(predicted / points["value"].to_numpy() - 1.0)).fill_nan(None))
    told = common | {"metric": ERROR, "unit": "share"}
    parts = [(f"{name}, {gpu}", gpu, part) for (gpu,), part in off.drop_nulls().group_by("gpu", maintain_order=True)]
    for words, gpu, part in (*parts, (f"{name}, all GPUs", None, off.drop_nulls())):
        if part.height:
            median = float(np.median(part["error"].to_numpy()))
            yield told | {"slice": words, "gpu": gpu, "observed": median, "n": part.height}
