"""Contracts of the validation of serving: what the closed forms are checked against, and how far off they are."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, carried_from, column
from schemas.serving.benchmark_outputs import ARCHITECTURES as MEASURED_ARCHITECTURES
from schemas.serving.surface import WINNERS

QUANTITIES = (
    "input_tokens",
    "output_tokens",
    "input_tokens_mean",
    "output_tokens_mean",
    "rank_correlation",
    "requests",
    "requests_in_window",
)
GRID_WINNERS = ("aggregated", "disaggregated", "none")
CHECKS = ("simulation", "measured", "independent_tool")
CHECK_MEANING = (
    "simulation: the same cluster, every request simulated; measured: throughput per GPU that somebody measured at a contract; "
    "independent_tool: the search of aiconfigurator over its own measured operators"
)
METRICS = (
    "requests_per_s",
    "usd_per_mtok",
    "p99_ttft",
    "p99_tpot",
    "output_tokens_per_s_per_gpu",
    "median_absolute_error",
    "throughput_ratio",
    "winner_agreement",
    "rank_correlation",
)
BASES = ("simulated", "published", "measured", "computed_by_tool")
DESIGNS = (*WINNERS[1:], *MEASURED_ARCHITECTURES[:1])


class TraceShape(Table):
    """Figures of a production trace from which a like stream of requests is drawn. The trace itself is not shipped."""

    trace: str = column("name of the trace")
    quantity: str = column(
        "input_tokens, output_tokens: a quantile of the lengths; _mean: their mean; rank_correlation: Spearman's, of both; "
        "requests: how many the trace has; requests_in_window: arrivals in a window of ten seconds",
        isin=QUANTITIES,
    )
    at: float = column("level of the quantile, or number of the window from 0; else NULL", nullable=True, ge=0)
    value: float = column("the figure: tokens, requests, or a correlation")
    source: str = column("source of the transcription")

    class Config:
        name = "raw.trace_shape"
        unique = ["trace", "quantity", "at"]


class ServingGrid(Table):
    """Contracts in which an independent tool searched for the best aggregated and the best disaggregated deployment."""

    model: str = column("model, key of core.model_shape")
    gpu: str = column("canonical GPU")
    gpus: pl.Int64 = column("GPUs of the cluster", unit="GPUs", ge=1)
    engine: str = column("serving engine whose operators were measured")
    precision: str = column("number format of weights and KV")
    input_tokens: float = column("prompt", unit="tokens", gt=0)
    output_tokens: float = column("answer", unit="tokens", gt=0)
    ttft_s: float = column("bound on the time to first token", unit="s", gt=0)
    tpot_s: float = column("bound on the time per output token, mean of a request", unit="s", gt=0)
    winner: str = column("deployment with more throughput; none: neither meets the contract", isin=GRID_WINNERS)
    aggregated_tokens_per_s_per_gpu: float = column("output", unit="tokens_per_s", nullable=True, gt=0)
    disaggregated_tokens_per_s_per_gpu: float = column("output", unit="tokens_per_s", nullable=True, gt=0)
    aggregated_tp: pl.Int64 = column("GPUs of an aggregated replica", unit="GPUs", nullable=True, ge=1)
    aggregated_batch: pl.Int64 = column("its batch", unit="sequences", nullable=True, ge=1)
    prefill_tp: pl.Int64 = column("GPUs of a prefill replica", unit="GPUs", nullable=True, ge=1)
    prefill_workers: pl.Int64 = column("prefill replicas", nullable=True, ge=1)
    decode_tp: pl.Int64 = column("GPUs of a decode replica", unit="GPUs", nullable=True, ge=1)
    decode_workers: pl.Int64 = column("decode replicas", nullable=True, ge=1)
    decode_batch: pl.Int64 = column("batch of a decode replica", unit="sequences", nullable=True, ge=1)
    source: str = column("source of the transcription")

    class Config:
        name = "raw.serving_grid"
        unique = ["model", "gpu", "input_tokens", "output_tokens", "ttft_s", "tpot_s"]


class ServingValidation(Table):
    """How far the closed forms of serving are off: one row per check, slice and metric.

    Every row holds what the closed form says and what it is held against. Whatever was fitted, was fitted to other rows.
    """

    check: str = column(CHECK_MEANING, isin=CHECKS)
    slice: str = column("what the row is about, in words; unique with check and metric")
    metric: str = column(
        "requests_per_s, usd_per_mtok: what a cluster carries within its contract, and at what cost; p99_ttft, p99_tpot: at "
        "the rate that the closed form promises; median_absolute_error: of the predictions of a slice, as its unit says; "
        "throughput_ratio: disaggregated over aggregated; winner_agreement: share of contracts whose winner is the same, where "
        "the tool's margin exceeds 5 %; rank_correlation: Spearman's, of the ratios",
        isin=METRICS,
    )
    unit: str = column("unit of predicted, observed and interval; ratio and share carry none")
    architecture: str = column("design; NULL where designs are compared", isin=DESIGNS, nullable=True)
    gpu: str = column("canonical GPU", nullable=True)
    model: str = column("model, key of core.model_shape", nullable=True)
    workload: str = column("requests: where their lengths and arrivals come from")
    predicted: float = column("what the closed form says; NULL for a statistic of many points", nullable=True)
    observed: float = column(
        "what it is held against; for a statistic of many points, the statistic itself; NULL where nothing is feasible",
        nullable=True,
    )
    error: float = column("predicted over observed, less 1; NULL where one of them is missing", nullable=True)
    interval_low: float = column(
        "low end of the observed: 95 % of the order statistics (p99), Wilson (shares), or slowest submission; NULL if unknown",
        nullable=True,
    )
    interval_high: float = column("high end of the same", nullable=True)
    n: pl.Int64 = column("requests simulated, points, contracts or submissions behind the observed", ge=1)
    method: str = column("how both came about: switches of the closed form, search, folds")
    basis: str = column("what the observed is", isin=BASES)
    fitted: str = column("what was fitted, and to which other rows; nothing if nothing was")

    @pa.dataframe_check(description="error is predicted over observed, less 1")
    def error_closes(cls, data: pa.PolarsData) -> pl.LazyFrame:
        off = (pl.col("error") - (pl.col("predicted") / pl.col("observed") - 1.0)).abs()
        return data.lazyframe.select((off <= 1e-9 * (1.0 + pl.col("error").abs())).fill_null(pl.col("error").is_null()))

    class Config:
        name = "marts.serving_validation"
        metadata = carried_from("gpu", "gpu_price", "serving_grid")
        unique = ["check", "slice", "metric"]
