"""Contracts of step times: measured runs beside the fit, the fixed time of each engine, intervals, and errors out of sample."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, column

QUANTITIES = ("output_tokens_per_s_per_gpu", "tpot_p50_s", "ttft_p50_s", "ttft_p99_s")
KINDS = ("closed", "offline", "rate", "pools")
KIND_MEANING = (
    "closed: so many requests in flight; offline: all that fit; rate: requests come on their own clock; "
    "pools: prefill and decode on GPUs of their own, so many in flight"
)
RANGES = ("near", "far", "family")
RANGE_MEANING = (
    "near: a run of the same model, GPU, engine and format lies within a distance of .5; far: none so near; "
    "family: no run of them, but of the engine on that family of accelerators"
)
LOADS = ("any", "low", "closed", "offline", "rate", "pools")
LOAD_MEANING = (
    "low: at most 8 requests in flight or 5 a second on shared GPUs; closed, offline, rate, pools: other runs of this kind; "
    "any: all, for quantities that depend less on queues"
)
LEVELS = ("run", "configuration", "group")
LEVEL_MEANING = (
    "what the fit has not seen: the run and a random quarter of its group; all runs of its configuration; "
    "all runs of its model, GPU, engine and format"
)
_RUN = ("operating_point.output_tokens_per_s_per_gpu", "operating_point.tpot_p50_s", "operating_point.ttft_p50_s")
_UNITS = {"output": "tokens_per_s", "tpot": "s", "ttft_p50": "s", "ttft_p99": "s"}
_MEANINGS = {
    "output": "output tokens per second per GPU of the whole system",
    "tpot": "median time per output token",
    "ttft_p50": "median time to first token",
    "ttft_p99": "99th percentile of time to first token",
}


def _count(meaning: str, unit: str) -> pl.Float64:
    field: pl.Float64 = column(f"{meaning}; NULL if not stated", unit=unit, nullable=True, ge=0)
    return field


def _flag(meaning: str) -> pl.Boolean:
    field: pl.Boolean = column(f"{meaning}; NULL if not stated", nullable=True)
    return field


def _feature(meaning: str) -> pl.Float64:
    field: pl.Float64 = column(f"for distances: {meaning}", derived_from=("operating_point.concurrency", "model_shape.layers"))
    return field


def _measured(short: str) -> pl.Float64:
    field: pl.Float64 = column(f"{_MEANINGS[short]}, as measured", unit=_UNITS[short], nullable=True, gt=0, derived_from=_RUN)
    return field


def _expected(short: str) -> pl.Float64:
    field: pl.Float64 = column(
        f"{_MEANINGS[short]}, by the closed forms with the fitted fixed time", unit=_UNITS[short], gt=0, derived_from=_RUN
    )
    return field


def _of(short: str, meaning: str) -> pl.Float64:
    field: pl.Float64 = column(f"{_MEANINGS[short]}: {meaning}", nullable=True, derived_from=_RUN)
    return field


_OFFSET = "shrunk median log error of the loads of this kind of the engine and family"
_WEIGHT = "weight of the run in the kernel of its group; 0 where it teaches nothing"
_ERROR = "log of measured over predicted, without "


class EngineRun(Table):
    """Measured runs of serving engines beside what the fit expects of them, with its error on each when it has not seen it.

    The fit is alpha, a fixed time per layer by engine and accelerator family; an offset by kind of load; and what near runs
    of one group (architecture, GPU, engine, number format) share. A prediction is the expected value times both.
    """

    run_id: str = column("key of core.operating_point", unique=True)
    source: str = column("format or publisher of the run", derived_from=("operating_point.source",))
    model: str = column("model, key of core.model_shape", derived_from=("operating_point.model_canonical",))
    architecture: str = column(
        "first of the models with the same layers and sizes: their steps take the same time",
        derived_from=("model_shape.layers",),
    )
    gpu: str = column("accelerator, key of core.gpu", derived_from=("operating_point.gpu_canonical",))
    engine: str = column("engine without its orchestrator: vllm, sglang, tensorrt_llm, ...", nullable=True)
    family: str = column("architecture of the accelerator", derived_from=("gpu.gpu",))
    precision: str = column("number format of the weights; MXFP4 is of experts only")
    disaggregated: bool = column("prefill and decode have GPUs of their own", derived_from=("operating_point.architecture",))
    kind: str = column(KIND_MEANING, isin=KINDS, derived_from=("operating_point.arrival",))
    drafts: bool = column("drafts are verified (speculative decoding)", derived_from=("operating_point.speculative_decoding",))
    gpus: pl.Float64 = _count("accelerators of the system", "gpus")
    prefill_gpus: pl.Float64 = _count("accelerators of the prefill pool", "gpus")
    decode_gpus: pl.Float64 = _count("accelerators of the decode pool", "gpus")
    prefill_workers: pl.Float64 = _count("prefill workers", "workers")
    decode_workers: pl.Float64 = _count("decode workers", "workers")
    tp: pl.Float64 = _count("tensor parallelism", "gpus")
    pp: pl.Float64 = _count("pipeline parallelism", "stages")
    ep: pl.Float64 = _count("expert parallelism", "gpus")
    dp_attention: pl.Boolean = _flag("attention is data-parallel")
    prefill_dp_attention: pl.Boolean = _flag("attention of the prefill workers is data-parallel")
    decode_dp_attention: pl.Boolean = _flag("attention of the decode workers is data-parallel")
    input_tokens: float = column("prompt length", unit="tokens", gt=0, derived_from=("operating_point.input_tokens_mean",))
    output_tokens: float = column("answer length", unit="tokens", gt=0, derived_from=("operating_point.output_tokens_mean",))
    concurrency: pl.Float64 = _count("most requests in flight", "requests")
    request_rate_per_s: pl.Float64 = _count("rate of arrivals", "requests_per_s")
    requests: pl.Float64 = _count("requests of the run", "requests")
    measured_on: pl.Date = column("day of the run; NULL if not stated", nullable=True)
    engine_version: str = column("version or image of the engine, as written", nullable=True)
    is_own: bool = column("a run that you brought", derived_from=("operating_point.source",))
    usable: bool = column("the fit learns from it")
    why_unused: str = column("why not; NULL where it does", nullable=True)
    feature_1: pl.Float64 = _feature("doublings of requests in flight, over 3")
    feature_2: pl.Float64 = _feature("doublings of prompt tokens, over 3")
    feature_3: pl.Float64 = _feature("doublings of output tokens, over 3")
    feature_4: pl.Float64 = _feature("doublings of accelerators, over 2")
    feature_5: pl.Float64 = _feature("doublings of accelerators of a worker, over 1.5")
    feature_6: pl.Float64 = _feature("data-parallel attention")
    feature_7: pl.Float64 = _feature("expert parallelism")
    feature_8: pl.Float64 = _feature("drafts, times 2")
    feature_9: pl.Float64 = _feature("kind of load, times 2")
    feature_10: pl.Float64 = _feature("doublings of prefill over decode accelerators, over 1.5")
    feature_11: pl.Float64 = _feature("doublings of prefill over decode workers, over 3")
    nearest_distance: pl.Float64 = column("to the nearest other run of its group that is used; NULL: none", nullable=True, ge=0)
    layer_s: float = column("alpha: fixed time per layer of its engine and family", unit="s", gt=0, derived_from=_RUN)
    layer_log_sd: float = column("standard error of log alpha", gt=0, derived_from=_RUN)
    cell_groups: pl.Int64 = column("groups of runs that alpha rests on; 0: the prior", ge=0, derived_from=_RUN)
    output_measured: pl.Float64 = _measured("output")
    output_expected: pl.Float64 = _expected("output")
    output_offset: pl.Float64 = _of("output", _OFFSET)
    output_weight: pl.Float64 = _of("output", _WEIGHT)
    output_error_run: pl.Float64 = _of("output", _ERROR + "it and a quarter of its group")
    output_error_configuration: pl.Float64 = _of("output", _ERROR + "its configuration")
    output_error_group: pl.Float64 = _of("output", _ERROR + "its group")
    output_error_default: pl.Float64 = _of("output", "log of measured over what MFU .5, MBU .8 and no fixed time say")
    tpot_measured: pl.Float64 = _measured("tpot")
    tpot_expected: pl.Float64 = _expected("tpot")
    tpot_offset: pl.Float64 = _of("tpot", _OFFSET)
    tpot_weight: pl.Float64 = _of("tpot", _WEIGHT)
    tpot_error_run: pl.Float64 = _of("tpot", _ERROR + "it and a quarter of its group")
    tpot_error_configuration: pl.Float64 = _of("tpot", _ERROR + "its configuration")
    tpot_error_group: pl.Float64 = _of("tpot", _ERROR + "its group")
    tpot_error_default: pl.Float64 = _of("tpot", "log of measured over what MFU .5, MBU .8 and no fixed time say")
    ttft_p50_measured: pl.Float64 = _measured("ttft_p50")
    ttft_p50_expected: pl.Float64 = _expected("ttft_p50")
    ttft_p50_offset: pl.Float64 = _of("ttft_p50", _OFFSET)
    ttft_p50_weight: pl.Float64 = _of("ttft_p50", _WEIGHT)
    ttft_p50_error_run: pl.Float64 = _of("ttft_p50", _ERROR + "it and a quarter of its group")
    ttft_p50_error_configuration: pl.Float64 = _of("ttft_p50", _ERROR + "its configuration")
    ttft_p50_error_group: pl.Float64 = _of("ttft_p50", _ERROR + "its group")
    ttft_p50_error_default: pl.Float64 = _of("ttft_p50", "log of measured over what MFU .5, MBU .8 and no fixed time say")
    ttft_p99_measured: pl.Float64 = _measured("ttft_p99")
    ttft_p99_expected: pl.Float64 = _expected("ttft_p99")
    ttft_p99_offset: pl.Float64 = _of("ttft_p99", _OFFSET)
    ttft_p99_weight: pl.Float64 = _of("ttft_p99", _WEIGHT)
    ttft_p99_error_run: pl.Float64 = _of("ttft_p99", _ERROR + "it and a quarter of its group")
    ttft_p99_error_configuration: pl.Float64 = _of("ttft_p99", _ERROR + "its configuration")
    ttft_p99_error_group: pl.Float64 = _of("ttft_p99", _ERROR + "its group")
    ttft_p99_error_default: pl.Float64 = _of("ttft_p99", "log of measured over what MFU .5, MBU .8 and no fixed time say")

    @pa.dataframe_check(description="a run that is not used says why")
    def says_why(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("usable") == pl.col("why_unused").is_null())

    class Config:
        name = "marts.engine_run"


_FROM_RUNS = ("engine_run.tpot_measured", "engine_run.tpot_expected")


class Calibration(Table):
    """Alpha, the fixed time per layer and pass, of each engine on each accelerator family, shrunk to a log-normal prior.

    The fit that answers use. Shares of the peaks and of the links are one for all engines; a row whose runs had one GPU each
    says nothing of links and turns none off. `marts.share_of_peak` has MFU and MBU of single groups, for the plain forms.
    """

    engine: str = column("serving engine", nullable=True)
    family: str = column("architecture of the accelerator")
    layer_s: float = column("alpha: fixed time per layer and pass", unit="s", gt=0)
    layer_log_sd: float = column("standard error of log alpha", gt=0)
    layer_low_s: float = column("low end of the 90% interval of alpha", unit="s", gt=0, derived_from=_FROM_RUNS)
    layer_high_s: float = column("high end of the 90% interval of alpha", unit="s", gt=0, derived_from=_FROM_RUNS)
    groups: pl.Int64 = column(
        "groups of runs it rests on; 0: the prior alone", unit="groups", ge=0, derived_from=("engine_run.cell_groups",)
    )
    runs: pl.Int64 = column(
        "runs of the engine and family that the fit learns from", unit="runs", ge=0, derived_from=_FROM_RUNS
    )
    models: str = column("models of these runs", derived_from=("engine_run.model",))
    measured_from: pl.Date = column("first day of these runs; NULL where none is dated", nullable=True)
    measured_to: pl.Date = column("last day of these runs; NULL where none is dated", nullable=True)
    engine_versions: pl.Int64 = column(
        "versions or images of the engine among them", ge=0, derived_from=("engine_run.engine_version",)
    )
    version_first: str = column(
        "version on the first day; NULL where none is stated", nullable=True, derived_from=("engine_run.engine_version",)
    )
    version_last: str = column(
        "version on the last day; NULL where none is stated", nullable=True, derived_from=("engine_run.engine_version",)
    )
    most_gpus: pl.Int64 = column(
        "GPUs of the largest system among the runs; 1: they say nothing of links",
        unit="GPUs",
        nullable=True,
        ge=1,
        derived_from=("engine_run.gpus",),
    )

    class Config:
        name = "marts.calibration"
        unique = ["engine", "family"]


class PredictionInterval(Table):
    """The factor by which a prediction is multiplied and divided so that nine in ten runs of a new group lie inside.

    Split-conformal over groups of runs, on errors out of sample. Where an engine was never measured on a family of GPUs no
    share is claimed, and there is no row.
    """

    quantity: str = column("what is predicted", isin=QUANTITIES)
    range: str = column(RANGE_MEANING, isin=RANGES)
    load: str = column(LOAD_MEANING, isin=LOADS)
    factor: float = column("high over predicted, and predicted over low", gt=1, derived_from=_FROM_RUNS)
    claimed: float = column("share of runs the interval is made to hold", gt=0, lt=1)
    held: float = column("share of the runs below that it holds", ge=0, le=1, derived_from=_FROM_RUNS)
    held_by_group: float = column("the same, averaged over groups", ge=0, le=1, derived_from=_FROM_RUNS)
    groups: pl.Int64 = column("groups it rests on", unit="groups", ge=1, derived_from=_FROM_RUNS)
    runs: pl.Int64 = column("runs it rests on", unit="runs", ge=1, derived_from=_FROM_RUNS)

    class Config:
        name = "marts.prediction_interval"
        unique = ["quantity", "range", "load"]


class EngineValidation(Table):
    """How far predictions of step times are off where the fit has not seen the runs, beside the old defaults.

    One row for each engine, GPU, architecture, number format, kind of load and quantity, and for all together (NULL). Errors
    are |predicted / measured - 1|. TTFT counts where the load is low: at most 8 in flight or 5 requests a second,
    and no pools.
    """

    left_out: str = column(LEVEL_MEANING, isin=LEVELS)
    engine: str = column("serving engine; NULL: all", nullable=True)
    gpu: str = column("accelerator; NULL: all", nullable=True)
    architecture: str = column("model, or the first of those with the same shape; NULL: all", nullable=True)
    precision: str = column("number format; NULL: all", nullable=True)
    kind: str = column(KIND_MEANING + "; NULL: all but pools", isin=KINDS, nullable=True)
    drafts: pl.Boolean = column("with drafts; NULL: without, of all kinds", nullable=True)
    quantity: str = column("what is predicted", isin=QUANTITIES)
    median_error: float = column("median error", ge=0, derived_from=_FROM_RUNS)
    p90_error: float = column("90th percentile of the error", ge=0, derived_from=_FROM_RUNS)
    mean_of_group_medians: float = column("mean over groups of each group's median error", ge=0, derived_from=_FROM_RUNS)
    default_error: float = column("median error of MFU .5, MBU .8 and no fixed time", ge=0, derived_from=_FROM_RUNS)
    held: pl.Float64 = column(
        "share of runs inside the interval; NULL where none is claimed", nullable=True, ge=0, le=1, derived_from=_FROM_RUNS
    )
    median_width: pl.Float64 = column(
        "median of high over low; NULL where none is claimed", nullable=True, ge=1, derived_from=_FROM_RUNS
    )
    runs: pl.Int64 = column("runs", unit="runs", ge=1, derived_from=_FROM_RUNS)
    groups: pl.Int64 = column("groups of runs", unit="groups", ge=1, derived_from=_FROM_RUNS)

    class Config:
        name = "marts.engine_validation"
        unique = ["left_out", "engine", "gpu", "architecture", "precision", "kind", "drafts", "quantity"]
