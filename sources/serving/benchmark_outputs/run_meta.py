"""What a user says of a run beside its file: `NAME.meta.yaml`, or the options of the command line."""

import datetime as dt
import difflib
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from schemas.yaml_document import read_yaml
from sources.prices.gpu_names import named
from sources.serving.benchmark_outputs.accelerator import canonical_gpu, require_gpu
from sources.serving.benchmark_outputs.fields import Point, RowError

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
_Positive = Annotated[float, msgspec.Meta(gt=0)]


class RunMeta(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Facts that a benchmark file lacks. Each fills an empty column; engine and model, mere labels of a client, win over it."""

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
    input_tokens: _Positive | None = None
    output_tokens: _Positive | None = None
    speculative_decoding: _Text | None = None
    usd_per_gpu_hour: _Positive | None = None
    slo_ttft_s: _Positive | None = None
    slo_tpot_s: _Positive | None = None
    slo_e2e_s: _Positive | None = None
    slo_percentile: Annotated[float, msgspec.Meta(gt=0, le=100)] | None = None
    measured_on: dt.date | None = None
    basis: Literal["measured", "simulated"] | None = None
    notes: _Text | None = None
    format: _Text | None = None


COLUMNS = {"gpus": "gpus_total", "input_tokens": "input_tokens_nominal", "output_tokens": "output_tokens_nominal"}
"""Where a fact stands under another name in core.operating_point."""
NO_COLUMNS = frozenset({"format", "notes", "basis"})
LABELS = ("engine", "model")
"""What a load client is told and cannot know: the user's word wins, and the file's is kept beside it."""


def run_meta(values: Mapping[str, Any]) -> RunMeta:
    """Check facts given by name; raises ValueError that names the wrong one. 1e-5, a text in YAML 1.1, is a number."""
    endless = [name for name, value in values.items() if isinstance(value, float) and not math.isfinite(value)]
    if endless:
        raise ValueError(f"run metadata: {endless[0]} should be a finite number")
    try:
        meta = msgspec.convert(_with_numbers(values), RunMeta)
    except msgspec.ValidationError as error:
        unknown = sorted(set(values) - set(RunMeta.__struct_fields__))
        meant = difflib.get_close_matches(unknown[0], RunMeta.__struct_fields__, n=1) if unknown else []
        hint = f"; did you mean {meant[0]}?" if meant else ""
        raise ValueError(f"run metadata: {error}{hint}; the fields are {', '.join(RunMeta.__struct_fields__)}") from error
    if meta.gpu is not None:
        require_gpu(meta.gpu)
    return meta


def read_meta(body: bytes) -> RunMeta:
    """Read a `.meta.yaml` file; raises ValueError where it is not YAML, not a mapping, or a field is wrong."""
    try:
        values = read_yaml(body)
    except ValueError as error:
        raise ValueError(f"run metadata: {error}") from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ValueError("run metadata should be a list of `name: value` lines")
    return run_meta(values)


def stored_meta(body: bytes) -> RunMeta:
    """Read metadata as it is kept, in JSON. Raises ValueError where it is damaged."""
    try:
        return msgspec.json.decode(body, type=RunMeta)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"run metadata: {error}") from error


def with_meta(point: Point, meta: RunMeta | None) -> Point:
    """Fill the columns that the file left empty; RowError where the user and the file contradict each other.

    Engine and model are the user's where he names them: unless the server itself told its engine, the file only repeats what
    its client was told. What it says stays in `engine_in_file` and `model_in_file`.
    """
    if meta is None:
        return point
    filled = dict(point)
    for name in RunMeta.__struct_fields__:
        said = getattr(meta, name)
        column = COLUMNS.get(name, name)
        if said is None or name in NO_COLUMNS:
            continue
        stated = filled.get(column)
        if stated is None or (column in LABELS and not _is_told_by_server(column, filled)):
            filled[column] = said
            if column in LABELS and stated is not None and stated != said:
                filled[f"{column}_in_file"] = stated
            if column == "engine":
                filled["engine_basis"] = "user"
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


def _is_told_by_server(column: str, point: Point) -> bool:
    return column == "engine" and point.get("engine_basis") == "server"


def _with_numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    """The facts, with texts that are numbers as numbers where a number is asked for."""
    asked = {field.name for field in msgspec.structs.fields(RunMeta) if _is_number(field.type)}
    return {name: _number(value) if name in asked and isinstance(value, str) else value for name, value in values.items()}


def _is_number(kind: Any) -> bool:
    return any(word in str(kind) for word in ("int", "float"))


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            figure = kind(text)
        except ValueError:
            continue
        return figure if math.isfinite(figure) else text
    return text


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
