"""Where each figure of a run was read from: what changes in the run when one key of its record does."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from sources.serving.benchmark_outputs.fields import RowError
from sources.serving.benchmark_outputs.formats import FORMATS, Format
from sources.serving.benchmark_outputs.operating_points import complete
from sources.serving.benchmark_outputs.run_meta import RunMeta

_DEEPEST = 6
_MOST_KEYS = 400


def origins(source: str, record_json: str, meta: RunMeta | None = None) -> dict[str, list[str]]:
    """Keys of a record, dotted, by the column that depends on them; empty where no format of the source reads the record.

    `record_json` is the record as kept in raw.benchmark_run. A key without which there would be no run stands under `run`.
    """
    record = json.loads(record_json)
    for format_ in FORMATS:
        if format_.point is not None and (format_.name == source or format_.name.startswith(f"{source}_")):
            try:
                whole = complete({"run_id": "", "source": source} | format_.point(record), meta)
            except (RowError, ValueError):
                continue
            return _of_record(format_, record, whole, source, meta)
    return {}


def _of_record(format_: Format, record: Any, whole: dict[str, Any], source: str, meta: RunMeta | None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in list(_leaves(record))[:_MOST_KEYS]:
        name = ".".join(map(str, path))
        changed: set[str] = set()
        is_needed = True
        for record_changed in _changes(record, path):
            try:
                point = complete({"run_id": "", "source": source} | format_.point(record_changed), meta)  # type: ignore[misc]
            except (RowError, ValueError):
                continue
            is_needed = False
            changed |= {column for column, value in whole.items() if value is not None and point.get(column) != value}
        for column in ["run"] if is_needed else sorted(changed - {"notes"}):
            found.setdefault(column, []).append(name)
    return found


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if isinstance(item, dict | list) and item and len(path) < _DEEPEST:
            yield from _leaves(item, (*path, key))
        elif item is not None:
            yield (*path, key)


def _changes(record: Any, path: tuple[Any, ...]) -> Iterator[Any]:
    """The record with one of its values left out and, where it is a figure, with a slightly larger one."""
    value: Any = record
    for key in path:
        value = value[key]
    yield _with(record, path, None)
    if isinstance(value, float):
        yield _with(record, path, value * 1.01)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield _with(record, path, value + 1)


def _with(record: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of the record with another value at a path, or with none."""
    copied = copy.deepcopy(record)
    held = copied
    for key in path[:-1]:
        held = held[key]
    if new is None:
        del held[path[-1]]
    else:
        held[path[-1]] = new
    return copied
