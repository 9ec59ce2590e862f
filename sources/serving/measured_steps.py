"""Step times of one GPU, as `benchmarks/gpu_step_time.py` writes them: the shipped files and those a user brings.

`transcribed/step_times_<gpu>.csv` are files of that script; `.source.yaml` says when and on what they were measured. Each row
is held against its own file: energy against power and time, time against the card's own copy and matrix product.
"""

import csv
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import polars as pl

from schemas.base import empty, polars_schema
from schemas.quarantine import Parsed
from schemas.serving.measured_steps import PHASES, StepTime
from sources.document import documents_of
from sources.serving.benchmark_outputs.accelerator import canonical_gpu
from sources.serving.benchmark_outputs.fields import RowError, count, number, text
from sources.serving.benchmark_outputs.operating_points import canonical_models, rejection, rejection_frame
from sources.serving.benchmark_outputs.plausibility import FILE_IN_DOUBT_RUNS, FILE_IN_DOUBT_SHARE
from sources.serving.benchmark_outputs.weight_reads import BYTES_PER_PARAM, HBM_BYTES_PER_S, active_params
from sources.source import Snapshot, refuses_in_words

NAME = "gpu_step_time"
SOURCES = documents_of("raw.measured_step")
MARKS = ("phase", "step_time_s", "step_time_p10_s", "relative_error", "matmul_flop_per_s")
"""Columns by which a file is recognised."""
NUMBERS = frozenset(name for name, kind in polars_schema(StepTime).items() if kind in (pl.Float64, pl.Int64))
DRIVER_NAMES = {"nvidia h200": "h200-sxm"}
"""Names a driver gives to one product, which on a price list would leave it open: the PCIe card is `NVIDIA H200 NVL`."""
LARGEST_RELATIVE_ERROR = 2e-2
"""bf16 over float64 stands near 6e-3; the script times nothing above this."""
ENERGY_CLOSURE = (0.8, 1.25)
"""Energy over power times median time; the shipped rows lie within .99 and 1.03."""
FASTEST_SHARE, SLOWEST_SHARE = 1.5, 0.01
"""Of the card's own copy or matrix product. A small product can outrun a large one; 1.07 is the most in the shipped rows."""
LIMITS = {
    "power_w": (1.0, 5_000.0),
    "idle_power_w": (1.0, 5_000.0),
    "sm_clock_mhz": (50.0, 5_000.0),
    "gpu_memory_bytes": (1e8, 1e13),
    "copy_bytes_per_s": (1e8, 1e14),
    "matmul_flop_per_s": (1e8, 1e17),
    "step_time_s": (1e-6, 3_600.0),
}
"""What no card exceeds: a figure outside is most likely in another unit."""


def recognises(head: bytes) -> bool:
    """Whether a file is of this kind, by the header in its first kilobytes. Never raises."""
    columns = head.decode("utf-8-sig", errors="replace").partition("\n")[0].strip().split(",")
    return set(MARKS) <= set(columns)


@refuses_in_words
def parse(snapshot: Snapshot) -> Parsed:
    """Steps of a stored file (contract `StepTime`), by the name it was kept under."""
    return steps_of_file(snapshot.body, file_name=snapshot.uri)


def steps_of_file(body: bytes, *, file_name: str) -> Parsed:
    """Steps of one file and its refused lines. Raises ValueError for a body that is no such file.

    A tenth or more of the lines refused for their units means that all were written in one: then none is believed.
    """
    if not recognises(body):
        raise ValueError(f"no file of {NAME}: the header lacks {', '.join(MARKS)}")
    run = hashlib.sha256(body).hexdigest()[:16]
    steps: list[dict[str, Any]] = []
    refused: list[dict[str, object]] = []
    doubted = 0
    for line, record in _lines(body.decode("utf-8-sig", errors="replace")):
        try:
            if isinstance(record, RowError):
                raise record
            steps.append({"step_id": f"{run}-{line}", "file_name": file_name, **_step(record)})
        except RowError as error:
            doubted += error.severity == "suspect"
            refused.append(rejection(NAME, f"{file_name}: line {line}", error))
    if doubted >= max(FILE_IN_DOUBT_RUNS, FILE_IN_DOUBT_SHARE * (len(steps) + len(refused))):
        reason = "a tenth or more of the lines of this file breaks a rule, and all of them were written in one unit"
        doubt = RowError("file_in_doubt", reason, severity="suspect")
        refused += [rejection(NAME, f"{file_name}: line {step['step_id'].rpartition('-')[2]}", doubt) for step in steps]
        steps = []
    return Parsed(_frame(steps), rejection_frame(refused))


def _frame(steps: list[dict[str, Any]]) -> pl.DataFrame:
    if not steps:
        return empty(StepTime)
    frame = pl.DataFrame(
        [{name: step.get(name) for name in polars_schema(StepTime)} for step in steps], schema=polars_schema(StepTime)
    )
    return frame.with_columns(model_canonical=canonical_models(pl.Series([NAME] * len(steps)), frame["model"]))


def _lines(body: str) -> Iterator[tuple[int, Any]]:
    """Lines as records with numbers read; a RowError stands for one that was cut or has cells too many."""
    lines = body.splitlines()
    reader = csv.DictReader(lines)
    for row in reader:
        if None in row or None in row.values():
            error = RowError("wrong_width", "the line has more or fewer cells than the header", value=row.get("model"))
            yield reader.line_num, error
        elif reader.line_num == len(lines) and not body.endswith("\n"):
            reason = "the last line has no end: it may be cut inside a figure"
            yield reader.line_num, RowError("truncated", reason, severity="invalid")
        else:
            yield reader.line_num, {name: _cell(name, cell) for name, cell in row.items() if cell != ""}


def _cell(name: str, cell: str) -> Any:
    if name not in NUMBERS:
        return cell
    try:
        return float(cell)
    except ValueError:
        return cell


def _step(row: dict[str, Any]) -> dict[str, Any]:
    """Columns of one line, each in its range, and the line in agreement with itself; RowError otherwise."""
    phase = text(row, "phase")
    if phase not in PHASES:
        raise RowError("unknown_phase", "phase should be prefill or decode", column="phase", value=phase)
    step: dict[str, Any] = {name: text(row, name) for name in ("model", "precision", "driver", "torch_version", "attention")}
    step |= {"phase": phase, "gpu_name": text(row, "gpu"), "measured_at": _moment(text(row, "measured_at"))}
    step["gpu"] = DRIVER_NAMES.get((step["gpu_name"] or "").lower()) or canonical_gpu(step["gpu_name"])
    step |= {name: count(row, name, least=1) for name in ("batch", "n", "prompt_tokens", "context_tokens")}
    step |= {name: number(row, name, positive=True) for name in (*LIMITS, "step_time_p10_s", "step_time_p90_s", "energy_j")}
    step["relative_error"] = number(row, "relative_error")
    tokens, other = ("prompt_tokens", "context_tokens") if phase == "prefill" else ("context_tokens", "prompt_tokens")
    if step[other] is not None:
        raise RowError("not_of_the_phase", f"a {phase} step has no {other}", column=other, value=step[other])
    for name in (
        "model",
        "precision",
        "gpu_name",
        "measured_at",
        "batch",
        "n",
        tokens,
        "step_time_s",
        "step_time_p10_s",
        "step_time_p90_s",
        "relative_error",
        "copy_bytes_per_s",
        "matmul_flop_per_s",
    ):
        if step[name] is None:
            raise RowError("missing", f"{name} is not given", column=name)
    _in_range(step)
    _in_agreement(step)
    _at_a_possible_pace(step, new_tokens=step["batch"] * (step["prompt_tokens"] or 1))
    return step


def _moment(stated: str | None) -> datetime | None:
    if stated is None:
        return None
    try:
        moment = datetime.fromisoformat(stated)
    except ValueError as error:
        raise RowError("not_a_date", "measured_at should be an ISO time", column="measured_at", value=stated) from error
    if moment.tzinfo is None:
        raise RowError("no_time_zone", "measured_at should state its zone", column="measured_at", value=stated)
    return moment.astimezone(UTC)


def _in_range(step: dict[str, Any]) -> None:
    for name, (low, high) in LIMITS.items():
        if step[name] is not None and not low <= step[name] <= high:
            reason = f"{name} outside {low:g} to {high:g}: it may be in another unit"
            raise RowError("out_of_range", reason, column=name, value=step[name], severity="suspect")
    peak = HBM_BYTES_PER_S.get(step["gpu"] or "")
    if peak is not None and step["copy_bytes_per_s"] > peak * 1.05:
        reason = "a copy is faster than the memory of this GPU"
        raise RowError("faster_than_memory", reason, column="copy_bytes_per_s", value=step["copy_bytes_per_s"])


def _in_agreement(step: dict[str, Any]) -> None:
    if not step["step_time_p10_s"] <= step["step_time_s"] <= step["step_time_p90_s"]:
        raise RowError("percentiles_fall", "a higher percentile is lower", column="step_time_s", value=step["step_time_s"])
    if step["relative_error"] > LARGEST_RELATIVE_ERROR:
        reason = f"the logits are off by more than {LARGEST_RELATIVE_ERROR:.0%}: another function was timed"
        raise RowError("not_correct", reason, column="relative_error", value=step["relative_error"])
    if step["energy_j"] is not None and step["power_w"] is not None:
        closure = step["energy_j"] / (step["power_w"] * step["step_time_s"])
        if not ENERGY_CLOSURE[0] <= closure <= ENERGY_CLOSURE[1]:
            reason = "power times time does not make the energy: one of them may be in another unit"
            raise RowError("energy_does_not_close", reason, column="energy_j", value=step["energy_j"], severity="suspect")


def _at_a_possible_pace(step: dict[str, Any], *, new_tokens: int) -> None:
    """No step beats the card's own copy and matrix product, and none takes a hundred times as long as both allow."""
    parameters, width = active_params(step["model"]), BYTES_PER_PARAM.get(step["precision"].lower())
    if parameters is None or width is None:
        return
    read_share = parameters * width / step["step_time_s"] / step["copy_bytes_per_s"]
    multiplied_share = 2.0 * parameters * new_tokens / step["step_time_s"] / step["matmul_flop_per_s"]
    share, seconds = max(read_share, multiplied_share), step["step_time_s"]
    if share > FASTEST_SHARE:
        reason = "faster than this card reads the weights once or multiplies with them"
        raise RowError("faster_than_the_card", reason, column="step_time_s", value=seconds, severity="suspect")
    if share < SLOWEST_SHARE:
        reason = "takes a hundred times as long as reading and multiplying: it may be in another unit"
        raise RowError("slower_than_the_card", reason, column="step_time_s", value=seconds, severity="suspect")
