"""What each benchmark run is used for: priced, in the fit of the calibration, in the validation; and if not, why not."""

import polars as pl

from assets.serving.calibration import with_peaks
from assets.serving.calibration_times import times_of_runs
from assets.serving.measured import usable

NO_REASON = "its figures do not reach"
_IN_FLIGHT = (pl.col("arrival") == "closed_loop") | (pl.col("concurrency") == 1)
_ONE_REPLICA = (pl.col("tp") == pl.col("gpus_total")) | (pl.col("gpus_total") == 1)
UNPRICED = (
    (pl.coalesce("output_tokens_per_s", "total_tokens_per_s", "output_tokens_per_s_per_gpu").is_null(), "no rate of tokens"),
    (pl.col("gpu_canonical").is_null() & pl.col("usd_per_gpu_hour").is_null(), "the GPU is not known (--gpu, or --price)"),
    (pl.col("gpus_total").is_null(), "the number of GPUs is not known (--gpus)"),
)
"""Why a run has no price, the first that is true."""
UNUSED = (
    (pl.col("model_canonical").is_null(), "the model is not known (--model)"),
    (~pl.col("has_shape"), "the model's shape is not known (core.model_shape)"),
    (pl.col("gpu_canonical").is_null(), "the GPU is not known (--gpu)"),
    (pl.col("gpus_total").is_null(), "the number of GPUs is not known (--gpus)"),
    (pl.col("precision").is_null(), "the number format is not known (--precision)"),
    (pl.coalesce("architecture", pl.lit("")) == "disaggregated", "prefill and decode are apart"),
    (pl.coalesce("speculative_decoding", pl.lit("none")) != "none", "tokens are drafted"),
    (pl.col("gpus_total").gt(1) & pl.col("tp").is_null(), "tensor parallelism is not known (--tp)"),
    (~_ONE_REPLICA | (pl.coalesce("pp", 1) != 1), "it is not one replica of tensor parallelism alone"),
    (pl.col("is_sparse"), "which experts were read is not known"),
    (pl.col("dp_attention"), "attention is data-parallel"),
    (pl.coalesce("tpot_p50_s", "tpot_mean_s").is_null(), "no time per output token"),
    (pl.coalesce("ttft_p50_s", "ttft_mean_s").is_null(), "no time to first token"),
)
"""Why a run calibrates and validates nothing, the first that is true."""


def uses(runs: pl.DataFrame, *, gpu: pl.DataFrame, model_shape: pl.DataFrame) -> pl.DataFrame:
    """One row a run: `is_priced`, `calibrates`, `validates`, and why not, NULL where it is.

    `runs`: contract `OperatingPoint`; `gpu`, `model_shape`: core tables. What counts is what the tables do with the run; the
    reasons are read off the run.
    """
    times = with_peaks(times_of_runs(runs, model_shape), gpu, model_shape)
    fitted = times.filter(pl.col("left_out").is_null())["run_id"].unique()
    left_out = times.filter(pl.col("left_out").is_not_null()).group_by("run_id").agg(left_out=pl.col("left_out").first())
    compared = usable(runs, gpu=gpu, model_shape=model_shape)["run_id"].unique()
    sparse = model_shape.filter(pl.col("active_parameters") < pl.col("parameters"))["model"]
    described = runs.with_columns(
        has_shape=pl.col("model_canonical").is_in(model_shape["model"].implode()),
        is_sparse=pl.col("model_canonical").is_in(sparse.implode()),
    )
    reason = _first_true(UNUSED)
    calibrates, validates = pl.col("run_id").is_in(fitted.implode()), pl.col("run_id").is_in(compared.implode())
    return described.join(left_out, on="run_id", how="left", maintain_order="left").select(
        "run_id",
        is_priced="priceable",
        calibrates=calibrates,
        validates=validates,
        why_unpriced=pl.when(~pl.col("priceable")).then(pl.coalesce(_first_true(UNPRICED), pl.lit(NO_REASON))),
        why_not_calibration=pl.when(~calibrates).then(
            pl.coalesce(
                "left_out",
                reason,
                pl.when(~_IN_FLIGHT.fill_null(value=False)).then(pl.lit("the number in flight was not fixed")),
                pl.lit(NO_REASON),
            )
        ),
        why_not_validation=pl.when(~validates).then(pl.coalesce(reason, pl.lit(NO_REASON))),
    )


def _first_true(rules: tuple[tuple[pl.Expr, str], ...]) -> pl.Expr:
    return pl.coalesce(pl.when(broken.fill_null(value=False)).then(pl.lit(reason)) for broken, reason in rules)
