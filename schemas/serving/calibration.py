"""Contracts of calibration: measured times of single steps, and the MFU, MBU and overhead they give."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, carried_from, column
from schemas.status import BELIEVED, STATUS_MEANING

PHASES = ("prefill", "decode", "mixed")
ASSUMPTION_BASES = ("stated", "assumed")
TIME_BASES = ("single_run", "median_of_repeats", "p50_of_requests", "fitted_curve")
TIME_BASIS_MEANING = (
    "single_run: one execution; median_of_repeats: median of n; p50_of_requests: median over requests of a trace; "
    "fitted_curve: a point on a curve the authors fitted, which hides their residual"
)
CALIBRATIONS = ("fitted", "default")
PARAMETER_BASES = ("fitted", "at_bound", "default")
PARAMETER_BASIS_MEANING = (
    "fitted: from the points; at_bound: the fit ended on a limit of the range, so the points do not fix it; "
    "default: not fitted, see reason"
)
_MEASURED = (
    "latency_figure.time_s",
    "measured_step.step_time_s",
    "operating_point.ttft_p50_s",
    "operating_point.tpot_p50_s",
)


class LatencyFigure(Table):
    """Times of single steps as papers and their artifacts give them: one batch of prompts, or one token of a batch."""

    paper: str = column("document: sarathi_serve, distserve, splitwise")
    figure: str = column("name of the figure within the document", str_matches=r"^[a-z0-9_]+$")
    version: str = column("version of the document")
    locator: str = column("table or file of the figure", str_length={"min_value": 1})
    status: str = column(STATUS_MEANING, isin=BELIEVED)
    gpu: str = column("canonical GPU")
    gpu_count: pl.Int64 = column("GPUs that work as one replica", unit="GPUs", ge=1)
    model: str = column("model, key of core.model_shape")
    precision: str = column("number format of the weights")
    precision_basis: str = column(
        "stated by the document, or assumed: the files do not say, 16 bits are taken", isin=ASSUMPTION_BASES
    )
    engine: str = column("serving engine; NULL if the document does not say", nullable=True)
    phase: str = column("prefill, decode, or mixed: both in one step", isin=PHASES)
    batch: pl.Int64 = column("prompts, or decoding sequences, in the step", unit="sequences", ge=1)
    prompt_tokens: pl.Int64 = column(
        "tokens of each prompt; of a mixed step, prompt tokens in it", unit="tokens", nullable=True, ge=1
    )
    context_tokens: float = column(
        "mean length of a decoding sequence; NULL if the document does not say", unit="tokens", nullable=True, gt=0
    )
    time_s: float = column("time of the step", unit="s", gt=0, lt=3600)
    n: pl.Int64 = column("repeats the time is a median of", unit="runs", nullable=True, ge=1)
    basis: str = column(TIME_BASIS_MEANING, isin=TIME_BASES)
    note: str = column("what to know first, such as the formula of a derived time", nullable=True)
    source: str = column("source of the transcription")

    @pa.dataframe_check(description="a prefill or mixed step has prompt tokens")
    def has_prompt(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select((pl.col("phase") == "decode") | pl.col("prompt_tokens").is_not_null())

    class Config:
        name = "raw.latency_figure"
        unique = ["paper", "figure"]


def _share(meaning: str) -> pl.Float64:
    field: pl.Float64 = column(meaning, gt=0, le=1, derived_from=_MEASURED)
    return field


def _end(meaning: str, *, unit: str | None = None) -> pl.Float64:
    field: pl.Float64 = column(
        f"{meaning}; NULL where it is not fitted, lies on a bound, or no point is to spare",
        unit=unit,
        nullable=True,
        ge=0,
        derived_from=_MEASURED,
    )
    return field


def _single_point(share: str, phase: str, percentile: int) -> pl.Float64:
    field: pl.Float64 = column(
        f"{percentile}th percentile of the {share} that single {phase} points imply without overhead: how much one share for "
        f"all batches and lengths hides; NULL where {share} is not fitted",
        nullable=True,
        gt=0,
        le=1,
        derived_from=_MEASURED,
    )
    return field


def _error(meaning: str) -> pl.Float64:
    field: pl.Float64 = column(meaning, nullable=True, ge=0, derived_from=_MEASURED)
    return field


class ShareOfPeak(Table):
    """MFU, MBU and overhead of a step, fitted to measured times, with what the fit leaves unexplained.

    A step takes overhead + work / (share of peak). One row per GPU, model, engine and precision with all GPU counts pooled
    (`gpu_count` NULL), and one for each GPU count. Errors are medians of |model / measured - 1|. Intervals take points as
    independent, which points of one curve are not: believe leave_one_out_error and other_gpu_counts_error first.
    """

    gpu: str = column("canonical GPU")
    model: str = column("model, key of core.model_shape")
    engine: str = column("serving engine; NULL if the document does not say", nullable=True)
    precision: str = column("number format of the weights")
    gpu_count: pl.Int64 = column("GPUs of a replica; NULL: all counts pooled", unit="GPUs", nullable=True, ge=1)
    gpu_counts: str = column("GPU counts among the points", derived_from=("latency_figure.gpu_count",))
    mfu: pl.Float64 = _share("share of peak FLOP/s in prefill, beside the overhead")
    mfu_low: pl.Float64 = _end("low end of the 95% interval of MFU")
    mfu_high: pl.Float64 = _end("high end of the 95% interval of MFU")
    mfu_basis: str = column(PARAMETER_BASIS_MEANING, isin=PARAMETER_BASES)
    mbu: pl.Float64 = _share("share of peak memory bandwidth in decode, beside the overhead")
    mbu_low: pl.Float64 = _end("low end of the 95% interval of MBU")
    mbu_high: pl.Float64 = _end("high end of the 95% interval of MBU")
    mbu_basis: str = column(PARAMETER_BASIS_MEANING, isin=PARAMETER_BASES)
    overhead_s: float = column("fixed time of every step", unit="s", ge=0, derived_from=_MEASURED)
    overhead_low_s: pl.Float64 = _end("low end of the 95% interval of the overhead", unit="s")
    overhead_high_s: pl.Float64 = _end("high end of the 95% interval of the overhead", unit="s")
    overhead_basis: str = column(PARAMETER_BASIS_MEANING, isin=PARAMETER_BASES)
    mfu_without_overhead: pl.Float64 = column(
        "MFU if no overhead is allowed: for formulas without one; NULL where MFU is not fitted",
        nullable=True,
        gt=0,
        le=1,
        derived_from=_MEASURED,
    )
    mfu_without_overhead_low: pl.Float64 = _single_point("MFU", "prefill", 5)
    mfu_without_overhead_high: pl.Float64 = _single_point("MFU", "prefill", 95)
    mbu_without_overhead: pl.Float64 = column(
        "MBU if no overhead is allowed: for formulas without one; NULL where MBU is not fitted",
        nullable=True,
        gt=0,
        le=1,
        derived_from=_MEASURED,
    )
    mbu_without_overhead_low: pl.Float64 = _single_point("MBU", "decode", 5)
    mbu_without_overhead_high: pl.Float64 = _single_point("MBU", "decode", 95)
    n_prefill: pl.Int64 = column("prefill points used", unit="points", ge=0)
    n_decode: pl.Int64 = column("decode points used", unit="points", ge=0)
    n_left_out: pl.Int64 = column("points of the group that could not be used, see left_out", unit="points", ge=0)
    residual: pl.Float64 = _error("error over the points of fitted phases; NULL if none is fitted")
    prefill_residual: pl.Float64 = _error("the same over prefill points")
    decode_residual: pl.Float64 = _error("the same over decode points")
    leave_one_out_error: pl.Float64 = _error("error of each point under the fit to all others; NULL if too few")
    prefill_leave_one_out_error: pl.Float64 = _error("the same over prefill points")
    decode_leave_one_out_error: pl.Float64 = _error("the same over decode points")
    leave_one_out_p90: pl.Float64 = _error("90th percentile of that error over all points, where the others are medians")
    other_gpu_counts_error: pl.Float64 = _error(
        "error of the points of each GPU count under the fit to all other counts; NULL if there is one count"
    )
    default_error: pl.Float64 = _error("error of the defaults over the same points; NULL if there are none")
    calibration: str = column(
        "fitted: both MFU and MBU come from the points; default: at least one does not", isin=CALIBRATIONS
    )
    reason: str = column("why the points do not fix a parameter; NULL if they fix all", nullable=True)
    left_out: str = column("why points were not used; NULL if all were", nullable=True)
    points_basis: str = column(
        "what the times are, most frequent first: " + TIME_BASIS_MEANING + "; else measured",
        derived_from=("latency_figure.basis", "operating_point.basis"),
    )
    sources: str = column(
        "documents and benchmark formats of the points", derived_from=("latency_figure.paper", "operating_point.source")
    )
    precision_basis: str = column("stated, or assumed: 16 bits where the files do not say", isin=ASSUMPTION_BASES)
    speculation_basis: str = column(
        "assumed: some runs do not say whether drafts were used, none are taken; with drafts MBU would come out too high",
        isin=ASSUMPTION_BASES,
        derived_from=("operating_point.speculative_decoding",),
    )
    peak_flop_per_s: float = column(
        "dense peak of one GPU at this precision",
        unit="flop_per_s",
        gt=0,
        derived_from=("gpu.bf16_flop_per_s", "gpu.fp8_flop_per_s"),
    )
    hbm_bytes_per_s: float = column("memory bandwidth of one GPU", unit="bytes_per_s", gt=0)
    active_parameters: float = column("parameters one token uses", gt=0)
    weight_bytes: float = column("all weights", unit="bytes", gt=0, derived_from=("model_shape.parameters",))
    kv_bytes_per_token: float = column("KV bytes of one token at 2 bytes a value", unit="bytes_per_token", gt=0)
    gpu_status: str = column("of the GPU's figures: " + STATUS_MEANING, isin=BELIEVED, derived_from=("gpu.status",))
    gpu_locator: str = column("where the GPU's figures stand", derived_from=("gpu.locator",))
    shape_status: str = column("of the model's shape: " + STATUS_MEANING, isin=BELIEVED, derived_from=("model_shape.status",))
    shape_note: str = column("what the shape was checked against", nullable=True, derived_from=("model_shape.note",))

    @pa.dataframe_check(description="an interval holds its estimate")
    def interval_holds_estimate(cls, data: pa.PolarsData) -> pl.LazyFrame:
        inside = [
            pl.col(value).is_between(pl.col(low), pl.col(high)).fill_null(True)
            for value, low, high in (
                ("mfu", "mfu_low", "mfu_high"),
                ("mbu", "mbu_low", "mbu_high"),
                ("mfu_without_overhead", "mfu_without_overhead_low", "mfu_without_overhead_high"),
                ("mbu_without_overhead", "mbu_without_overhead_low", "mbu_without_overhead_high"),
                ("overhead_s", "overhead_low_s", "overhead_high_s"),
            )
        ]
        return data.lazyframe.select(pl.all_horizontal(inside))

    class Config:
        name = "marts.share_of_peak"
        metadata = carried_from("gpu", "latency_figure", "model_shape")
        unique = ["gpu", "model", "engine", "precision", "gpu_count"]
