"""Step times measured on one GPU, and how well closed forms that were calibrated on other rows foretell them."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from assets.documents import parse_all, source_asset
from assets.serving.benchmark_outputs import GROUP, kept_files
from assets.serving.calibration import points_of, with_peaks
from assets.serving.calibration_times import times_of_steps
from economics.serving.calibration import Calibration, calibrate
from economics.serving.step_parts import compute_bound, parts_s, weights_multiplied_s, weights_read_s
from schemas.base import empty, polars_schema
from schemas.quarantine import Parsed, Rejected
from schemas.serving import measured_steps as contract
from sources.serving import user_files as kept
from sources.serving.benchmark_outputs.fields import RowError
from sources.serving.benchmark_outputs.operating_points import rejection, rejection_frame
from sources.serving.measured_steps import NAME, parse, steps_of_file
from sources.source import Snapshot
from warehouse.table import table

step_times = source_asset("step_times", accept=parse, group=GROUP)
user_step_times = kept_files(
    kept.STEPS,
    description="Step times of a GPU the user brought by `iecon ingest` or the inbox, each file kept once by its content.",
)


@table(schema=contract.StepTime, group=GROUP)
def measured_step(step_times: list[Snapshot], user_step_times: list[Snapshot]) -> Parsed:
    """Steps of the shipped files and of every file the user brought."""
    shipped, own = parse_all(step_times, parse, contract.StepTime), _of_user(user_step_times)
    return Parsed(
        pl.concat([shipped.accepted, own.accepted]).unique("step_id", keep="first", maintain_order=True),
        pl.concat([shipped.rejected, own.rejected]),
    )


@table(schema=contract.StepTimePrediction, group="calibration", may_be_empty=True)
def step_time_prediction(measured_step: pl.DataFrame, gpu: pl.DataFrame, model_shape: pl.DataFrame) -> pl.DataFrame:
    """Every step of a known GPU and model, foretold from the other half, the other models and the other GPUs."""
    times = with_peaks(times_of_steps(measured_step), gpu, model_shape).with_columns(
        half=pl.int_range(pl.len()).over("gpu", "model", "precision", "phase") % 2
    )
    parts = [empty(contract.StepTimePrediction)]
    for calibrated_on, held_out, basis in _folds(times):
        fit = calibrate(prefill=points_of(basis, "prefill"), decode=points_of(basis, "decode"))
        if fit.fitted:
            parts.append(foretold(held_out, fit).with_columns(calibrated_on=pl.lit(calibrated_on)).pipe(_as_contract))
    return pl.concat(parts).sort("gpu", "model", "phase", "batch", "tokens", "calibrated_on", "step_id")


def foretold(steps: pl.DataFrame, fit: Calibration) -> pl.DataFrame:
    """Steps with the three predictions of `StepTimePrediction` under one fit. `steps`: from `with_peaks`."""
    at = {
        name: steps[name].cast(pl.Float64).to_numpy()
        for name in (
            "measured_s",
            "active_parameters",
            "weight_bytes",
            "kv_bytes_per_token",
            "peak_flop_per_s",
            "hbm_bytes_per_s",
            "layers",
            "query_heads",
            "head_dim",
            "batch",
            "tokens",
            "gpu_count",
        )
    }
    is_decode = (steps["phase"] == "decode").to_numpy()
    mfu, mbu, overhead_s = fit.mfu.value, fit.mbu.value, fit.overhead_s.value
    flop_per_s, bytes_per_s = at["peak_flop_per_s"] * at["gpu_count"], at["hbm_bytes_per_s"] * at["gpu_count"]
    new_tokens = at["batch"] * (1.0 * is_decode + at["tokens"] * ~is_decode)
    read_s = weights_read_s(weight_bytes=at["weight_bytes"], hbm_bytes_per_s=bytes_per_s, mbu=mbu)
    multiplied_s = weights_multiplied_s(
        active_parameters=at["active_parameters"], new_tokens=new_tokens, flop_per_s=flop_per_s, mfu=mfu
    )
    kv_s = is_decode * at["batch"] * at["tokens"] * at["kv_bytes_per_token"] / (mbu * bytes_per_s)
    attention_flop = 2.0 * at["layers"] * at["query_heads"] * at["head_dim"] * at["tokens"] * new_tokens
    attention_s = ~is_decode * attention_flop / (mfu * flop_per_s)
    decode_s, prefill_s = read_s + kv_s, multiplied_s + attention_s
    predicted = {
        "bound_s": overhead_s + is_decode * decode_s + ~is_decode * prefill_s,
        "step_s": overhead_s + is_decode * (decode_s.clip(multiplied_s)) + ~is_decode * prefill_s.clip(read_s),
        "parts_s": parts_s(read_s=read_s, multiplied_s=multiplied_s, kv_s=kv_s, attention_s=attention_s, overhead_s=overhead_s),
    }
    return steps.with_columns(
        *(pl.Series(name, seconds) for name, seconds in predicted.items()),
        *(pl.Series(name.replace("_s", "_error"), seconds / at["measured_s"] - 1.0) for name, seconds in predicted.items()),
        pl.Series("compute_bound", np.asarray(compute_bound(read_s=read_s, multiplied_s=multiplied_s))),
        pl.Series("joules_per_token", steps["energy_j"] / pl.Series(new_tokens)),
        mfu=pl.lit(mfu),
        mbu=pl.lit(mbu),
        overhead_s=pl.lit(overhead_s),
    )


def _folds(times: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame, pl.DataFrame]]:
    """What is calibrated on, the steps that are foretold, and the steps it rests on."""
    for (gpu, model, precision), group in times.group_by("gpu", "model", "precision", maintain_order=True):
        alike = times.filter(pl.col("precision") == precision)
        yield from (("other_points", group.filter(half=half), group.filter(half=1 - half)) for half in (0, 1))
        yield "other_models", group, alike.filter(pl.col("gpu") == gpu, pl.col("model") != model)
        yield "other_gpus", group, alike.filter(pl.col("gpu") != gpu, pl.col("model") == model)


def _as_contract(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(kind) for name, kind in polars_schema(contract.StepTimePrediction).items())


def _of_user(snapshots: Sequence[Snapshot]) -> Parsed:
    """All files of the user together; one that can no longer be read is refused and stops nothing."""
    parsed = [Parsed(empty(contract.StepTime), empty(Rejected))]
    for snapshot in snapshots:
        try:
            parsed.append(steps_of_file(snapshot.body, file_name=snapshot.uri))
        except ValueError as error:
            entry = rejection(NAME, snapshot.uri, RowError("unreadable_file", str(error)))
            parsed.append(Parsed(empty(contract.StepTime), rejection_frame([entry])))
    return Parsed(pl.concat([part.accepted for part in parsed]), pl.concat([part.rejected for part in parsed]))
