"""Contracts of step times that were measured on one GPU: the times as written, and what the closed forms make of them."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, Timestamp, carried_from, column

PHASES = ("prefill", "decode")
CALIBRATED_ON = ("other_points", "other_models", "other_gpus")
CALIBRATED_ON_MEANING = (
    "other_points: the other half of the same model's points on the same GPU; other_models: the other models on the same "
    "GPU; other_gpus: the same model on the other GPUs, whose shares of peak are carried over"
)


class StepTime(Table):
    """Times, power and energy of single prefill and decode steps, measured on one GPU by `benchmarks/gpu_step_time.py`."""

    step_id: str = column("first 16 hex digits of the file's SHA-256, a dash, and the line of the file")
    file_name: str = column("name of the file")
    gpu_name: str = column("GPU, as its driver names it")
    gpu: str = column("canonical GPU; NULL where the name is not known", nullable=True)
    gpu_memory_bytes: float = column("memory of the GPU, as the driver counts it", unit="bytes", nullable=True, gt=0)
    driver: str = column("version of the driver", nullable=True)
    torch_version: str = column("version of PyTorch", nullable=True)
    model: str = column("model whose shape was measured, as written")
    model_canonical: str = column("model, key of core.model; NULL where the name is not known", nullable=True)
    precision: str = column("number format of weights and KV")
    phase: str = column("prefill: whole prompts; decode: one token of every sequence", isin=PHASES)
    batch: pl.Int64 = column("prompts, or decoding sequences, in the step", unit="sequences", ge=1)
    prompt_tokens: pl.Int64 = column("tokens of each prompt; NULL for decode", unit="tokens", nullable=True, ge=1)
    context_tokens: pl.Int64 = column(
        "tokens in the cache of each sequence, its own among them; NULL for prefill", unit="tokens", nullable=True, ge=1
    )
    step_time_s: float = column("median time of the step", unit="s", gt=0)
    step_time_p10_s: float = column("10th percentile over the repeats", unit="s", gt=0)
    step_time_p90_s: float = column("90th percentile over the repeats", unit="s", gt=0)
    n: pl.Int64 = column("repeats", unit="runs", ge=1)
    power_w: float = column("mean draw of the GPU over the repeats", unit="W", nullable=True, gt=0)
    energy_j: float = column("energy of one step of mean length", unit="J", nullable=True, gt=0)
    sm_clock_mhz: float = column("median clock of the multiprocessors during the repeats", unit="MHz", nullable=True, gt=0)
    idle_power_w: float = column("draw with a context and no work", unit="W", nullable=True, gt=0)
    attention: str = column("kernels of attention", nullable=True)
    relative_error: float = column("error of the logits against float64, checked before timing", ge=0)
    copy_bytes_per_s: float = column("bytes read and written by a copy on the same GPU", unit="bytes_per_s", gt=0)
    matmul_flop_per_s: float = column("rate of a large matrix product on the same GPU", unit="flop_per_s", gt=0)
    measured_at: Timestamp = column("time of the measurement")

    @pa.dataframe_check(description="a prefill has a prompt and no context, a decode step a context and no prompt")
    def has_its_tokens(cls, data: pa.PolarsData) -> pl.LazyFrame:
        prefill = pl.col("phase") == "prefill"
        stated = (pl.col(f"{kind}_tokens").is_not_null() for kind in ("prompt", "context"))
        return data.lazyframe.select(
            pl.all_horizontal(has == is_phase for has, is_phase in zip(stated, (prefill, ~prefill), strict=True))
        )

    class Config:
        name = "raw.measured_step"
        unique = ["step_id"]


_INPUTS = ("measured_step.step_time_s", "gpu.hbm_bytes_per_s", "gpu.bf16_flop_per_s", "model_shape.parameters")


def _predicted(meaning: str) -> pl.Float64:
    field: pl.Float64 = column(meaning, unit="s", gt=0, derived_from=_INPUTS)
    return field


def _error(meaning: str) -> pl.Float64:
    field: pl.Float64 = column(f"{meaning} over the measured time, less 1", derived_from=_INPUTS)
    return field


class StepTimePrediction(Table):
    """Measured steps beside three closed forms, each calibrated on rows that do not hold the step.

    `bound_s`: overhead + FLOP / (MFU F) in prefill, overhead + bytes read / (MBU BW) in decode. `step_s` adds that a decode
    step takes no less than its arithmetic. `parts_s` takes the larger of reading and multiplying for the weights alone, and
    adds KV and attention, which other kernels work on.
    """

    step_id: str = column("key of raw.measured_step")
    calibrated_on: str = column(CALIBRATED_ON_MEANING, isin=CALIBRATED_ON)
    gpu: str = column("canonical GPU")
    model: str = column("model, key of core.model_shape", derived_from=("measured_step.model_canonical",))
    phase: str = column("prefill or decode", isin=PHASES)
    batch: pl.Int64 = column("prompts, or decoding sequences, in the step", unit="sequences", ge=1)
    tokens: pl.Int64 = column(
        "tokens of each prompt, or of each sequence's cache",
        unit="tokens",
        ge=1,
        derived_from=("measured_step.prompt_tokens", "measured_step.context_tokens"),
    )
    measured_s: float = column("median time of the step", unit="s", gt=0, derived_from=("measured_step.step_time_s",))
    mfu: float = column("share of peak FLOP/s the other rows give", gt=0, le=1, derived_from=_INPUTS)
    mbu: float = column("share of peak memory bandwidth the other rows give", gt=0, le=1, derived_from=_INPUTS)
    overhead_s: float = column("fixed time of a step the other rows give", unit="s", ge=0, derived_from=_INPUTS)
    bound_s: pl.Float64 = _predicted("prediction by the one resource that bounds the phase")
    step_s: pl.Float64 = _predicted("prediction by the slower of the two resources for the whole step")
    parts_s: pl.Float64 = _predicted("prediction by the slower resource for weights, with KV and attention added")
    bound_error: pl.Float64 = _error("bound_s")
    step_error: pl.Float64 = _error("step_s")
    parts_error: pl.Float64 = _error("parts_s")
    compute_bound: pl.Boolean = column(
        "multiplying with the weights takes longer than reading them, at the shares of the other rows",
        derived_from=_INPUTS,
    )
    power_w: float = column("mean draw", unit="W", nullable=True, gt=0)
    joules_per_token: float = column(
        "energy per token computed: prompt tokens of a prefill, sequences of a decode step",
        unit="J_per_token",
        nullable=True,
        gt=0,
        derived_from=("measured_step.energy_j",),
    )

    class Config:
        name = "marts.step_time_prediction"
        metadata = carried_from("gpu", "measured_step")
        unique = ["step_id", "calibrated_on"]
