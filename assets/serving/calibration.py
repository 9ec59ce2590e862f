"""Calibration: step times of papers and benchmark runs, and the MFU, MBU and overhead they give per GPU, model and engine."""

from typing import Any

import numpy as np
import polars as pl

from assets.documents import parse_all, source_asset
from assets.serving.calibration_times import KEY, times_of_figures, times_of_runs, times_of_steps
from economics.serving.calibration import (
    DEFAULT,
    Calibration,
    FittedShare,
    Points,
    calibrate,
    decode_read_bytes,
    fit_share,
    held_out_errors,
    leave_one_out_errors,
    prefill_flop,
    relative_errors,
)
from economics.serving.scenarios import REFERENCE_ENGINE
from economics.units import Array
from schemas.base import polars_schema
from schemas.quarantine import Parsed
from schemas.serving import calibration as contract
from sources.serving.latency_figures import parse
from sources.source import Snapshot
from warehouse.table import table

GROUP = "calibration"
BYTES_PER_PARAMETER = {"bf16": 2.0, "fp16": 2.0, "fp8": 1.0}
"""Formats that can be calibrated. Four-bit weights carry scales whose size no source states."""
MEMORY_SHARE = float(DEFAULT.memory_share)
SINGLE_POINT_BAND = (0.05, 0.95)
PROMPT_SHARE = 0.05
"""A run counts as decode only if the prompts in a step take less than this share of it, both at full peak."""
DEFAULTS = Calibration(
    mfu=FittedShare(value=float(DEFAULT.mfu), basis="default"),
    mbu=FittedShare(value=float(DEFAULT.mbu), basis="default"),
    overhead_s=FittedShare(value=0.0, basis="default"),
    reason=None,
)

latency_figures = source_asset("latency_figures", accept=parse, group=GROUP)


@table(schema=contract.LatencyFigure, group=GROUP)
def latency_figure(latency_figures: list[Snapshot]) -> Parsed:
    """Step times as the documents give them."""
    return parse_all(latency_figures, parse, contract.LatencyFigure)


@table(schema=contract.ShareOfPeak, group=GROUP)
def share_of_peak(
    latency_figure: pl.DataFrame,
    operating_point: pl.DataFrame,
    measured_step: pl.DataFrame,
    gpu: pl.DataFrame,
    model_shape: pl.DataFrame,
) -> pl.DataFrame:
    """One row per group with all GPU counts pooled, and one per GPU count."""
    times = pl.concat(
        [times_of_figures(latency_figure), times_of_runs(operating_point, model_shape), times_of_steps(measured_step)],
        how="diagonal",
    )
    return calibrated(with_peaks(times, gpu, model_shape))


def with_peaks(times: pl.DataFrame, gpus: pl.DataFrame, shapes: pl.DataFrame) -> pl.DataFrame:
    """Add what each step would take at full peak, and complete `left_out`. Times of unknown GPUs and models fall away.

    `gpus`: contract `Gpu`; `shapes`: contract `ModelShape`; all counts of a step are per replica.
    """
    specified = gpus.select(
        "gpu", "bf16_flop_per_s", "fp8_flop_per_s", "hbm_bytes", "hbm_bytes_per_s", gpu_status="status", gpu_locator="locator"
    )
    shaped = shapes.rename({"status": "shape_status", "note": "shape_note"}).drop("disagreements")
    eight_bit = pl.col("precision") == "fp8"
    known = (
        times.filter(pl.col("precision").is_in(list(BYTES_PER_PARAMETER)))
        .join(specified, on="gpu")
        .join(shaped, on="model")
        .with_columns(
            peak_flop_per_s=pl.when(eight_bit).then("fp8_flop_per_s").otherwise("bf16_flop_per_s"),
            weight_bytes=pl.col("parameters")
            * pl.col("precision").replace_strict(BYTES_PER_PARAMETER, return_dtype=pl.Float64),
        )
        .drop_nulls("peak_flop_per_s")
    )
    served = pl.col("engine").ne_missing(REFERENCE_ENGINE)  # a step measured alone was in memory, with nothing split
    tokens = pl.when(pl.col("phase") == "decode").then("context_tokens").otherwise("prompt_tokens")
    held_bytes = pl.col("weight_bytes") + pl.col("batch") * tokens * pl.col("kv_bytes_per_token")
    prompts_s = pl.col("prompt_tokens_per_step") * 2.0 * pl.col("active_parameters") / pl.col("peak_flop_per_s")
    read_s = held_bytes / pl.col("hbm_bytes_per_s")
    ridge = pl.col("peak_flop_per_s") * pl.col("weight_bytes") / (2.0 * pl.col("active_parameters") * pl.col("hbm_bytes_per_s"))
    decode, sparse = pl.col("phase") == "decode", pl.col("active_parameters") < pl.col("parameters")
    judged = known.with_columns(
        left_out=pl.coalesce(
            "left_out",
            pl.when(decode & sparse).then(pl.lit("weights read depend on the experts chosen")),
            pl.when(served & (held_bytes > MEMORY_SHARE * pl.col("hbm_bytes") * pl.col("gpu_count"))).then(
                pl.lit("batch does not fit into memory at once")
            ),
            pl.when(decode & (prompts_s > PROMPT_SHARE * read_s)).then(pl.lit("prompts take too much of a step")),
            pl.when(decode & (pl.col("batch") > ridge)).then(pl.lit("arithmetic takes longer than reading the weights")),
        )
    )
    return judged.with_columns(peak_s=_peak_s(judged))


def calibrated(times: pl.DataFrame) -> pl.DataFrame:
    """Fit every group, pooled and per GPU count. `times`: from `with_peaks`. Returns contract `ShareOfPeak`."""
    rows = []
    for group in times.partition_by(KEY, maintain_order=True):
        pooled = _row(group, None)
        by_count = group.partition_by("gpu_count", maintain_order=True)
        single = len(by_count) == 1  # then the pooled fit is that of the one count
        rows += [pooled]
        for part in by_count:
            count = part["gpu_count"][0]
            rows += [pooled | {"gpu_count": count} if single else _row(part, count)]
    return pl.DataFrame(rows, schema=polars_schema(contract.ShareOfPeak)).sort(*KEY, "gpu_count")


def _peak_s(times: pl.DataFrame) -> pl.Series:
    """Seconds of each usable step at full peak of its GPUs; NULL for steps that are left out."""
    peak = np.full(times.height, np.nan)
    usable = times["left_out"].is_null().to_numpy()
    for phase in ("prefill", "decode"):
        here = usable & (times["phase"] == phase).to_numpy()
        steps = times.filter(pl.Series(here))
        gpus = steps["gpu_count"].to_numpy()
        if phase == "prefill":
            flop = prefill_flop(
                **_columns(steps, "active_parameters", "layers", "query_heads", "head_dim", "prompt_tokens", "batch")
            )
            peak[here] = flop / (steps["peak_flop_per_s"].to_numpy() * gpus)
        else:
            read = decode_read_bytes(**_columns(steps, "weight_bytes", "kv_bytes_per_token", "context_tokens", "batch"))
            peak[here] = read / (steps["hbm_bytes_per_s"].to_numpy() * gpus)
    return pl.Series(peak).fill_nan(None)


def _columns(frame: pl.DataFrame, *names: str) -> dict[str, Array]:
    return {name: frame[name].cast(pl.Float64).to_numpy() for name in names}


def _row(group: pl.DataFrame, gpu_count: int | None) -> dict[str, Any]:
    used = group.filter(pl.col("left_out").is_null())
    steps = {phase: used.filter(phase=phase) for phase in ("prefill", "decode")}
    prefill, decode = (points_of(used, phase) for phase in ("prefill", "decode"))
    fit = calibrate(prefill=prefill, decode=decode)
    alone = leave_one_out_errors(prefill=prefill, decode=decode)
    several = used["gpu_count"].n_unique() > 1
    elsewhere = (
        held_out_errors(
            prefill=prefill,
            decode=decode,
            prefill_fold=steps["prefill"]["gpu_count"].to_numpy(),
            decode_fold=steps["decode"]["gpu_count"].to_numpy(),
        )
        if several
        else None
    )
    errors = _of_fitted(fit, relative_errors(prefill=prefill, decode=decode, calibration=fit))
    unfit = relative_errors(prefill=prefill, decode=decode, calibration=DEFAULTS)
    why = _most_frequent_first(group["left_out"].drop_nulls())
    first = group.row(0, named=True)
    facts = (
        "peak_flop_per_s",
        "hbm_bytes_per_s",
        "active_parameters",
        "weight_bytes",
        "kv_bytes_per_token",
        "gpu_status",
        "gpu_locator",
        "shape_status",
        "shape_note",
    )
    return {
        **{name: first[name] for name in (*KEY, *facts)},
        "gpu_count": gpu_count,
        "gpu_counts": ", ".join(str(count) for count in group["gpu_count"].unique().sort()),
        **{
            name: value
            for name, share in (("mfu", fit.mfu), ("mbu", fit.mbu))
            for name, value in (
                (name, share.value),
                (f"{name}_low", share.low),
                (f"{name}_high", share.high),
                (f"{name}_basis", share.basis),
            )
        },
        "overhead_s": fit.overhead_s.value,
        "overhead_low_s": fit.overhead_s.low,
        "overhead_high_s": fit.overhead_s.high,
        "overhead_basis": fit.overhead_s.basis,
        **_without_overhead("mfu", prefill, fit.mfu),
        **_without_overhead("mbu", decode, fit.mbu),
        "n_prefill": len(prefill),
        "n_decode": len(decode),
        "n_left_out": group.height - used.height,
        "residual": _median(*errors),
        "prefill_residual": _median(errors[0]),
        "decode_residual": _median(errors[1]),
        "leave_one_out_error": _median(*alone),
        "prefill_leave_one_out_error": _median(alone[0]),
        "decode_leave_one_out_error": _median(alone[1]),
        "leave_one_out_p90": _quantile(0.9, *alone),
        "other_gpu_counts_error": None if elsewhere is None else _median(*elsewhere),
        "default_error": _median(*unfit),
        "calibration": "fitted" if fit.fitted else "default",
        "reason": fit.reason,
        "left_out": "; ".join(f"{row['left_out']}: {row['count']}" for row in why.iter_rows(named=True)) or None,
        "points_basis": ", ".join(_most_frequent_first(group["basis"])["basis"]),
        "sources": ", ".join(group["origin"].unique().sort()),
        **{
            name: "assumed" if (group[name] == "assumed").any() else "stated"
            for name in ("precision_basis", "speculation_basis")
        },
    }


def _without_overhead(name: str, points: Points, fitted: FittedShare) -> dict[str, float | None]:
    """The share if no overhead is allowed, with the band of the shares that single points imply; NULL where not fitted."""
    keys = [f"{name}_without_overhead{end}" for end in ("", "_low", "_high")]
    if fitted.basis == "default":
        return dict.fromkeys(keys)
    share = fit_share(points, overhead_s=0.0).value
    low, high = np.quantile(np.minimum(points.peak_s / points.measured_s, 1.0), SINGLE_POINT_BAND)
    return dict(zip(keys, (share, min(share, float(low)), max(share, float(high))), strict=True))


def points_of(times: pl.DataFrame, phase: str) -> Points:
    """The usable steps of one phase. `times`: from `with_peaks`."""
    steps = times.filter(pl.col("left_out").is_null(), pl.col("phase") == phase)
    return Points(peak_s=steps["peak_s"].to_numpy(), measured_s=steps["measured_s"].to_numpy())


def _of_fitted(fit: Calibration, errors: tuple[Array, Array]) -> tuple[Array, Array]:
    """Errors of the phases that were fitted; a default explains nothing, so its errors are no residuals."""
    nothing = np.empty(0)
    return (
        nothing if fit.mfu.basis == "default" else errors[0],
        nothing if fit.mbu.basis == "default" else errors[1],
    )


def _most_frequent_first(values: pl.Series) -> pl.DataFrame:
    return values.value_counts().sort("count", values.name, descending=[True, False])


def _median(*errors: Array) -> float | None:
    return _quantile(0.5, *errors)


def _quantile(share: float, *errors: Array) -> float | None:
    together = np.concatenate(errors)
    return float(np.quantile(together, share)) if together.size else None
