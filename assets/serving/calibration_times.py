"""Step times to calibrate on, in one frame, from documents, from benchmark runs and from steps measured alone."""

import polars as pl

from economics.serving.scenarios import REFERENCE_ENGINE
from schemas.serving.benchmark_outputs import EVIDENCE

KEY = ["gpu", "model", "engine", "precision"]
"""What one fit is for."""


def times_of_figures(figures: pl.DataFrame) -> pl.DataFrame:
    """Step times of documents; `left_out` says why one cannot be used. `figures`: contract `LatencyFigure`."""
    return figures.rename({"time_s": "measured_s", "paper": "origin"}).select(
        *KEY,
        "gpu_count",
        "precision_basis",
        "phase",
        "context_tokens",
        "measured_s",
        "basis",
        "origin",
        pl.col("batch", "prompt_tokens").cast(pl.Float64),
        left_out=pl.when(pl.col("phase") == "mixed")
        .then(pl.lit("prefill and decode in one step"))
        .when((pl.col("phase") == "decode") & pl.col("context_tokens").is_null())
        .then(pl.lit("length of contexts not stated")),
        prompt_tokens_per_step=pl.lit(0.0),
        speculation_basis=pl.lit("stated"),
    )


def times_of_runs(runs: pl.DataFrame, shapes: pl.DataFrame) -> pl.DataFrame:
    """Step times that benchmark runs imply: TTFT of one request at a time, and TPOT with a fixed number in flight.

    `runs`: contract `OperatingPoint`; `shapes`: contract `ModelShape`. Only runs of one replica, not disaggregated, whose GPU
    and precision are stated, and that do not state speculative decoding. Medians, else means.
    """
    told = runs.filter(
        pl.col("model_canonical").is_in(shapes["model"].implode()),
        pl.col("basis").is_in(EVIDENCE),
        pl.coalesce("speculative_decoding", pl.lit("none")) == "none",
        (pl.col("tp") == pl.col("gpus_total")) | (pl.col("gpus_total") == 1),
        pl.coalesce("pp", 1) == 1,
        ~pl.coalesce("dp_attention", False),
        pl.coalesce("architecture", pl.lit("colocated")) != "disaggregated",
        (pl.col("arrival") == "closed_loop") | (pl.col("concurrency") == 1),
        pl.coalesce("arrival", pl.lit("closed_loop")) != "all_at_once",  # TTFT holds the queue of all requests
    ).select(
        "run_id",
        "engine",
        "basis",
        model="model_canonical",
        gpu="gpu_canonical",
        gpu_count="gpus_total",
        origin="source",
        precision=pl.col("precision").str.to_lowercase(),
        precision_basis=pl.lit("stated"),
        in_flight="concurrency",
        speculation_basis=pl.when(pl.col("speculative_decoding").is_null()).then(pl.lit("assumed")).otherwise(pl.lit("stated")),
        prompt_tokens=pl.coalesce("input_tokens_mean", "input_tokens_nominal"),
        answer_tokens=pl.coalesce("output_tokens_mean", "output_tokens_nominal"),
        ttft_s=pl.coalesce("ttft_p50_s", "ttft_mean_s"),
        tpot_s=pl.coalesce("tpot_p50_s", "tpot_mean_s"),
        tpot_definition="tpot_definition",
    )
    # A request that runs alone waits for nobody: its TTFT is the prefill of one prompt.
    alone = pl.col("in_flight") == 1
    first = told.filter(alone, pl.col("ttft_s") > 0, pl.col("prompt_tokens") > 0).select(
        "run_id",
        *KEY,
        "gpu_count",
        "precision_basis",
        "speculation_basis",
        "basis",
        "origin",
        "prompt_tokens",
        phase=pl.lit("prefill"),
        batch=pl.lit(1.0),
        measured_s="ttft_s",
    )
    # Among others, each step also computes its share of their prompts.
    later = told.filter(
        pl.col("tpot_s") > 0, pl.col("answer_tokens") > 0, pl.col("tpot_definition") == "after_first_token"
    ).select(
        "run_id",
        *KEY,
        "gpu_count",
        "precision_basis",
        "speculation_basis",
        "basis",
        "origin",
        phase=pl.lit("decode"),
        batch="in_flight",
        measured_s="tpot_s",
        context_tokens=pl.col("prompt_tokens") + pl.col("answer_tokens") / 2.0,
        prompt_tokens_per_step=pl.when(alone)
        .then(0.0)
        .otherwise(pl.col("in_flight") * pl.col("prompt_tokens") / pl.col("answer_tokens")),
    )
    return pl.concat([first, later], how="diagonal").with_columns(left_out=pl.lit(None, pl.String))


def times_of_steps(steps: pl.DataFrame) -> pl.DataFrame:
    """Steps measured on one GPU that is known. `steps`: contract `StepTime`."""
    return steps.drop_nulls(["gpu", "model_canonical"]).select(
        "step_id",
        "gpu",
        "phase",
        "energy_j",
        "power_w",
        "precision",
        engine=pl.lit(REFERENCE_ENGINE),
        gpu_count=pl.lit(1, pl.Int64),
        model="model_canonical",
        precision_basis=pl.lit("stated"),
        speculation_basis=pl.lit("stated"),
        basis=pl.lit("median_of_repeats"),
        origin=pl.lit("gpu_step_time"),
        measured_s="step_time_s",
        batch=pl.col("batch").cast(pl.Float64),
        prompt_tokens=pl.col("prompt_tokens").cast(pl.Float64),
        context_tokens=pl.col("context_tokens").cast(pl.Float64),
        prompt_tokens_per_step=pl.lit(0.0),
        tokens=pl.coalesce("prompt_tokens", "context_tokens"),
        left_out=pl.lit(None, pl.String),
    )
