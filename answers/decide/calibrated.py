"""MFU and MBU that a question is answered with: fitted to measured steps where there are any, else the defaults."""

from collections.abc import Sequence
from typing import NamedTuple

from answers.decide.record import Share
from economics.numeric.draws import Uniform
from economics.serving.scenarios import REFERENCE_ENGINE, Facts
from economics.serving.symbols import Efficiency

SAME_WIDTH = {"bf16": ("bf16", "fp16"), "fp8": ("fp8",)}
"""Precisions whose fits hold for a question: the peaks and bytes per weight are the same."""
ASSUMED = {"mfu": Uniform(low=0.35, high=0.65), "mbu": Uniform(low=0.65, high=0.95)}
"""Around the defaults of .5 and .8, where nothing is fitted."""
DEFAULTS = {"mfu": float(Efficiency().mfu), "mbu": float(Efficiency().mbu)}


class Group(NamedTuple):
    """Rows of `marts.calibration` of one model, engine and precision: one per GPU count, and the pooled one."""

    engine: str | None
    rows: Sequence[Facts]


def group_for(fits: Sequence[Facts], *, model: str, precision: str, engine: str | None) -> Group | None:
    """The fits to answer with: those of the engine that is named, else of the engine that serves with most points.

    Steps measured without a serving engine answer only where no engine is fitted.

    `fits`: rows of marts.calibration of one GPU. None where nothing is fitted. ValueError where an engine is named for which
    nothing is.
    """
    groups: dict[tuple[str | None, str], list[Facts]] = {}
    for row in fits:
        if row["model"] == model and row["precision"] in SAME_WIDTH[precision]:
            groups.setdefault((row["engine"], row["precision"]), []).append(row)
    fitted = {key: rows for key, rows in groups.items() if any(_is_fitted(row) for row in rows)}
    if engine is not None:
        engines = sorted(str(name or "not stated") for name, _ in fitted)
        fitted = {key: rows for key, rows in fitted.items() if key[0] == engine}
        if not fitted:
            raise ValueError(f"nothing is fitted for engine {engine}; fitted are: {', '.join(engines) or 'none'}")
    if not fitted:
        return None
    chosen = max(fitted, key=lambda key: (key[0] != REFERENCE_ENGINE, sum(_points(row) for row in fitted[key]), str(key)))
    return Group(engine=chosen[0], rows=fitted[chosen])


def share_of(name: str, group: Group | None, *, gpus: float) -> Share:
    """MFU or MBU of replicas of so many GPUs: fitted on that count, else on all counts pooled, else the default.

    `name`: mfu or mbu. The fit is the one without overhead, since the closed forms know none. Its band holds the shares that
    single points imply, from the 5th to the 95th percentile.
    """
    by_count = {row["gpu_count"]: row for row in (group.rows if group else ())}
    for count in (int(gpus), None):
        row = by_count.get(count)
        if row is not None and row[f"{name}_without_overhead"] is not None:
            return Share(
                name=name,
                basis="fitted",
                gpu_count=count,
                engine=row["engine"],
                value=row[f"{name}_without_overhead"],
                low=row[f"{name}_without_overhead_low"],
                high=row[f"{name}_without_overhead_high"],
                points=row["n_prefill" if name == "mfu" else "n_decode"],
                sources=row["sources"],
            )
    return Share(
        name=name,
        basis="default",
        gpu_count=None,
        engine=None,
        value=DEFAULTS[name],
        low=float(ASSUMED[name].low),
        high=float(ASSUMED[name].high),
        points=0,
        sources=None,
    )


def evidence(shares: Sequence[Share], *, fits: Sequence[Facts], model: str, gpu: str) -> str:
    """Where both shares come from, in words; beside a default, what was fitted to other models on that GPU."""
    said = []
    for share in shares:
        if share.basis == "fitted":
            count = "all GPU counts pooled" if share.gpu_count is None else f"{share.gpu_count} GPU(s)"
            said.append(
                f"{share.name.upper()} {share.value:.2f} (single points {share.low:.2f} to {share.high:.2f}) fitted to "
                f"{share.points} steps, {count}, engine {share.engine or 'not stated'} ({share.sources})"
            )
        else:
            said.append(
                f"{share.name.upper()} {share.value:.2g} by default (assumed {share.low:.2f} to {share.high:.2f})"
                + _elsewhere(share.name, fits)
            )
    fitted = any(share.basis == "fitted" for share in shares)
    lead = f"{model} on {gpu}" if fitted else f"nothing is fitted for {model} on {gpu}"
    return f"calibration: {calibration_of(shares)}, {lead}: {'; '.join(said)}"


def calibration_of(shares: Sequence[Share]) -> str:
    """fitted, default, or fitted_in_part."""
    bases = {share.basis for share in shares}
    return bases.pop() if len(bases) == 1 else "fitted_in_part"


def _elsewhere(name: str, fits: Sequence[Facts]) -> str:
    """What other models reached on the GPU: a default that none of them reached is a warning."""
    reached = [row[f"{name}_without_overhead"] for row in fits if row["gpu_count"] is not None]
    known = sorted(share for share in reached if share is not None)
    return f"; other models on this GPU reached {known[0]:.2f} to {known[-1]:.2f}" if known else ""


def _is_fitted(row: Facts) -> bool:
    return row["mfu_without_overhead"] is not None or row["mbu_without_overhead"] is not None


def _points(row: Facts) -> int:
    return int(row["n_prefill"] + row["n_decode"])
