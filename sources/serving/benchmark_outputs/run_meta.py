"""What a user says of a run beside its file: `NAME.meta.yaml`, or the options of the command line."""

import datetime as dt
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from sources.prices.gpu_names import named
from sources.serving.benchmark_outputs.accelerator import canonical_gpu
from sources.serving.benchmark_outputs.fields import Point, RowError
from sources.yaml_document import read_yaml

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
_Positive = Annotated[float, msgspec.Meta(gt=0)]


class RunMeta(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Facts that a benchmark file lacks. Each fills an empty column; none overrules the file."""

    gpu: _Text | None = None
    gpus: _Count | None = None
    gpus_prefill: _Count | None = None
    gpus_decode: _Count | None = None
    system: _Text | None = None
    engine: _Text | None = None
    engine_version: _Text | None = None
    model: _Text | None = None
    precision: _Text | None = None
    architecture: Literal["colocated", "chunked", "disaggregated"] | None = None
    tp: _Count | None = None
    pp: _Count | None = None
    ep: _Count | None = None
    dp_attention: bool | None = None
    arrival: Literal["open_loop", "open_loop_capped", "closed_loop", "all_at_once"] | None = None
    concurrency: _Positive | None = None
    request_rate_per_s: _Positive | None = None
    speculative_decoding: _Text | None = None
    usd_per_gpu_hour: _Positive | None = None
    slo_ttft_s: _Positive | None = None
    slo_tpot_s: _Positive | None = None
    slo_e2e_s: _Positive | None = None
    slo_percentile: Annotated[float, msgspec.Meta(gt=0, le=100)] | None = None
    measured_on: dt.date | None = None
    basis: Literal["measured", "simulated"] | None = None
    notes: _Text | None = None


def run_meta(values: Mapping[str, Any]) -> RunMeta:
    """Check facts given by name; raises ValueError that names the wrong one."""
    endless = [name for name, value in values.items() if isinstance(value, float) and not math.isfinite(value)]
    if endless:
        raise ValueError(f"run metadata: {endless[0]} should be a finite number")
    try:
        return msgspec.convert(dict(values), RunMeta)
    except msgspec.ValidationError as error:
        known = ", ".join(RunMeta.__struct_fields__)
        raise ValueError(f"run metadata: {error}; the fields are {known}") from error


def read_meta(body: bytes) -> RunMeta:
    """Read a `.meta.yaml` file; raises ValueError where it is not YAML, not a mapping, or a field is wrong."""
    try:
        values = read_yaml(body)
    except ValueError as error:
        raise ValueError(f"run metadata: {error}") from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ValueError("run metadata should be a list of `name: value` lines")
    return run_meta(values)


def with_meta(point: Point, meta: RunMeta | None) -> Point:
    """Fill the columns that the file left empty; RowError where the user and the file contradict each other."""
    if meta is None:
        return point
    filled = dict(point)
    for name in RunMeta.__struct_fields__:
        said = getattr(meta, name)
        column = "gpus_total" if name == "gpus" else name
        if said is None or column in ("notes", "basis"):
            continue
        stated = filled.get(column)
        if stated is None:
            filled[column] = said
        elif column == "gpu" and not filled.get("gpu_canonical") and canonical_gpu(said) in named(stated).can_mean:
            filled["gpu_canonical"] = canonical_gpu(said)  # the file leaves open which product it is
        elif not _agree(column, filled, said):
            raise RowError(
                "meta_contradicts_file",
                f"the file says {column} is {stated}, the metadata beside it says {said}: correct one of them",
                column=column,
                value=said,
            )
    filled["notes"] = join_notes(filled.get("notes"), meta.notes)
    filled["basis"] = meta.basis or filled.get("basis")
    return filled


def _agree(column: str, point: Point, said: object) -> bool:
    stated = point[column]
    if isinstance(stated, str) and isinstance(said, str):
        canonical = point.get("gpu_canonical") or canonical_gpu(stated)
        is_same_gpu = column == "gpu" and canonical is not None and canonical == canonical_gpu(said)
        return is_same_gpu or stated.lower() == said.lower()
    return bool(stated == said)


def join_notes(*notes: str | None) -> str | None:
    """Notes in one text, NULL if there are none."""
    return "; ".join(note for note in notes if note) or None
