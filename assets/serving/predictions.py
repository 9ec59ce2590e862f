"""Operating points that the fit predicts: every design on every GPU of interest at the contracts of a frame."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from assets.serving.engine_runs import GROUP
from assets.serving.measured_surface import Measured, replicas_of
from assets.serving.pairs import AXES, INPUT_TOKENS, MODELS, WIDEST_GPUS, Pair, precision_of, replica_of
from economics.serving.engine_designs import Replica, chunked_cost, decode_pool_usd, prefill_pool_usd, unchunked_cost
from economics.serving.scenarios import ACHIEVED_LINK_SHARES, Facts, scale_up_gpus
from economics.units import TOKENS_PER_MTOK, Array

ARRIVAL_RATE_PER_S = 16.0
"""Requests over the whole deployment: enough that pools are not one replica."""
STANDARD_RATIO = 4.0
DEFINITIONS = {
    "after_first_token": "per_request_mean",
    "pooled_gaps": "per_token_p99",
    "mean_of_worst_tenth": "worst_tenth_mean",
}
"""TPOT definitions that the closed forms know, by their name in tables."""
RANGE_OF = {"group": "far", "family": "family"}
"""Range of `PredictionInterval` that holds a prediction: its group was measured at other loads, or only its family was."""
QUANTITY = "output_tokens_per_s_per_gpu"

STANDARD = pl.DataFrame(
    [
        {
            "model": model,
            "workload": f"{INPUT_TOKENS:.0f} in, {INPUT_TOKENS / STANDARD_RATIO:.0f} out",
            "percentile": 99.0,
            "tpot_definition": "pooled_gaps",
            "input_tokens": INPUT_TOKENS,
            "output_tokens": INPUT_TOKENS / STANDARD_RATIO,
            "ttft_s": float(ttft_s),
            "tpot_s": float(tpot_s),
        }
        for model in MODELS
        for ttft_s in AXES["ttft_s"]
        for tpot_s in AXES["tpot_s"][[1, 3, 5]]
    ]
)
"""Questions asked whatever the evidence: prompts and contracts of the break-even surface, four tokens in per token out."""


def predictions(
    questions: pl.DataFrame,
    gpus: pl.DataFrame,
    *,
    shapes: pl.DataFrame,
    prices: pl.DataFrame,
    known: Measured,
    runs: pl.DataFrame,
    intervals: pl.DataFrame,
) -> pl.DataFrame:
    """GPU-hours per million tokens of each design on each GPU that somebody rents out, at each contract it can meet.

    `questions`: as `STANDARD`; `gpus`: contract `Gpu`; `shapes`: `ModelShape`; `prices`: `GpuPrice`; `runs`: `EngineRun`;
    `intervals`: `PredictionInterval`. Questions about unknown shapes or definitions, and GPUs whose family no engine was
    measured on, have no answer.
    """
    models = {row["model"]: row for row in shapes.drop_nulls(["dense_parameters", "query_heads"]).iter_rows(named=True)}
    rented = [
        row
        for row in gpus.join(prices.select("gpu"), on="gpu", how="semi").iter_rows(named=True)
        if row["gpu"] in known.engines
    ]
    asked = [
        (question, gpu, models[question["model"]])
        for question in questions.iter_rows(named=True)
        if question["model"] in models and question["tpot_definition"] in DEFINITIONS
        for gpu in rented
    ]
    rows = [
        row
        for definition in DEFINITIONS
        if (of := [one for one in asked if one[0]["tpot_definition"] == definition])
        for row in _answers(of, definition, known)
    ]
    return _with_ranges(pl.DataFrame(rows, infer_schema_length=None), known=known, runs=runs, intervals=intervals)


def _answers(of: Sequence[tuple[Facts, Facts, Facts]], definition: str, known: Measured) -> Iterator[dict[str, Any]]:
    """Points of questions under one definition of TPOT, for each GPU and design that can meet the contract."""
    systems = [_system(question, gpu, shape) for question, gpu, shape in of]
    hours = _hours(replicas_of(systems, known, axes=0), of, definition)
    for place, ((question, gpu, _), system) in enumerate(zip(of, systems, strict=True)):
        kept = question["percentile"] / 100.0
        ttft_s, tpot_s = question["ttft_s"], question["tpot_s"]
        for design, of_design in hours.items():
            if not np.isfinite(of_design[place]):
                continue
            yield {
                **question,
                "basis": "predicted",
                "source": "closed_form",
                "system": known.engines[gpu["gpu"]]["engine"],
                "design": design,
                "gpu": gpu["gpu"],
                "point": f"predicted: {gpu['gpu']} | {design} | ttft {ttft_s:g} s | tpot {tpot_s:g} s",
                "gpus": system["replica_gpus"],
                "precision": system["precision"],
                "arrival": "open_loop",
                "latency_basis": "bound",
                "range_basis": "predictive",
                "attainment": kept,
                "gpu_hours_per_mtok": of_design[place] / kept,
            }


def _system(question: Facts, gpu: Facts, shape: Facts) -> dict[str, Any]:
    """One question on one GPU in the words of `replicas_of`, at one dollar an hour, so that its cost is in GPU-hours."""
    context_tokens = question["input_tokens"] + question["output_tokens"] / 2.0
    pair: Pair = (gpu, shape, {"usd_per_gpu_hour": 1.0})
    return {
        "gpu": gpu["gpu"],
        "model": shape["model"],
        "precision": precision_of(shape),
        "replica_gpus": int(replica_of(pair, context_tokens=context_tokens)[0].gpus),
        "scale_up_gpus": min(scale_up_gpus(gpu), WIDEST_GPUS),
        "gpu_usd_per_hour": 1.0,
        "input_tokens": float(question["input_tokens"]),
        "context_tokens": float(context_tokens),
    }


def _hours(replicas: Replica, of: Sequence[tuple[Facts, Facts, Facts]], definition: str) -> dict[str, Array]:
    """GPU-hours per million output tokens of each design, (questions,); inf where it cannot meet the contract."""

    def column(name: str) -> Array:
        return np.array([[question[name]] for question, _, _ in of], dtype=np.float64)

    ratio = column("input_tokens") / column("output_tokens")
    bounds = {"ttft_s": column("ttft_s"), "tpot_s": column("tpot_s")}
    percentile = column("percentile") / 100.0
    network = np.array([[gpu["nic_bytes_per_s"]] for _, gpu, _ in of], dtype=np.float64)
    chunked = chunked_cost(replicas, input_per_output=ratio, **bounds)
    unchunked = unchunked_cost(
        replicas, input_per_output=ratio, **bounds, percentile=percentile, tpot_definition=DEFINITIONS[definition]
    )
    prefill, kv_tax = prefill_pool_usd(
        replicas,
        arrival_rate_per_s=ARRIVAL_RATE_PER_S,
        kv_bytes_per_s_per_gpu=network * float(np.mean(ACHIEVED_LINK_SHARES)),
        ttft_s=bounds["ttft_s"],
        percentile=percentile,
    )
    decode = decode_pool_usd(replicas, tpot_s=bounds["tpot_s"])
    usd = {
        "unchunked": unchunked.usd,
        "chunked": chunked.usd,
        "disaggregated": (prefill + kv_tax) * ratio[:, 0] + decode,
    }
    return {design: value * TOKENS_PER_MTOK for design, value in usd.items()}


def _with_ranges(points: pl.DataFrame, *, known: Measured, runs: pl.DataFrame, intervals: pl.DataFrame) -> pl.DataFrame:
    """What each prediction rests on, and the factor by which published runs of such bases were off at most, 9 times of 10.

    A prediction whose basis has no interval is none.
    """
    if points.is_empty():
        return points
    measured = runs.filter("usable").select(*GROUP[:-1], is_measured=pl.lit(value=True)).unique()
    factors = intervals.filter(pl.col("quantity") == QUANTITY, pl.col("load") == "any").select(
        pl.col("range").cast(pl.String), "factor"
    )
    named = points.join(known.models.select("model", "precision", "architecture"), on=["model", "precision"], how="left").join(
        measured.rename({"engine": "system"}), on=["architecture", "gpu", "system", "precision"], how="left"
    )
    basis = pl.when("is_measured").then(pl.lit("group")).otherwise(pl.lit("family"))
    hours = pl.col("gpu_hours_per_mtok")
    return (
        named.with_columns(calibration=basis)
        .with_columns(range=pl.col("calibration").replace_strict(RANGE_OF))
        .join(factors, on="range", how="inner")
        .with_columns(low_gpu_hours_per_mtok=hours / pl.col("factor"), high_gpu_hours_per_mtok=hours * pl.col("factor"))
        .drop("architecture", "is_measured", "range", "factor")
    )
