"""One run of AIPerf put together from the records of its single requests."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from sources.serving.benchmark_outputs.document import Document
from sources.serving.benchmark_outputs.fields import Point, RowError, mapping, nested, number, text
from sources.serving.benchmark_outputs.per_request import distribution, token_distribution, values

SECONDS = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "us": 1e-6, "ns": 1e-9}
MEASURED_PHASE = "profiling"
EARLIEST_NS, LATEST_NS = 10**18, 4 * 10**18
"""Between 2001 and 2096."""

_LATENCIES = {"time_to_first_token": "ttft", "inter_token_latency": "tpot", "request_latency": "e2e"}
_LENGTHS = {"input_sequence_length": "input", "output_sequence_length": "output"}


def seconds_per_unit(metric: Mapping[str, Any], key: str) -> float:
    """Seconds in one unit of a metric; RowError where its unit is not one of time."""
    unit = text(metric, "unit")
    if unit not in SECONDS:
        raise RowError("unknown_unit", f"{key} is in {unit}, not in a unit of time", column=key, value=unit)
    return SECONDS[unit]


def run_of_requests(document: Document) -> Iterator[tuple[str, Any]]:
    """Yield (line, RowError) for every refused line, then ("profiling", record) with the operating point.

    Percentiles run over the finished requests of the profiling phase; the span is from the first start to the last end.
    """
    figures: dict[str, list[float]] = defaultdict(list)
    gaps: list[float] = []
    failed = refused = 0
    for number_of_line, line in enumerate(document.text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = mapping(msgspec.json.decode(line), "request")
            if text(nested(record, "metadata"), "benchmark_phase") != MEASURED_PHASE:
                continue
            if record.get("error") is not None:
                failed += 1
                continue
            request, request_gaps = _request(record)
        except (msgspec.DecodeError, RecursionError) as error:
            refused += 1
            reason = f"the line is not complete JSON: {error}"
            yield f"line {number_of_line}", RowError("unreadable_line", reason, value=line[:80])
        except RowError as error:
            refused += 1
            yield f"line {number_of_line}", error
        else:
            gaps += request_gaps
            for key, figure in request.items():
                figures[key].append(figure)
    if not figures and not failed:
        yield MEASURED_PHASE, RowError("no_requests", "no request of the profiling phase could be read")
        return
    point = _point(figures, gaps, failed)
    point["notes"] = f"{refused} lines refused" if refused else None
    yield MEASURED_PHASE, {"n_requests": point["n_requests"], "n_failed": failed, "n_refused": refused, "point": point}


def _request(record: Mapping[str, Any]) -> tuple[dict[str, float], list[float]]:
    """Figures of one finished request in seconds and tokens, and the gaps between its stream events in seconds."""
    metadata, metrics = nested(record, "metadata"), nested(record, "metrics")
    start, end = _nanoseconds(metadata, "request_start_ns"), _nanoseconds(metadata, "request_end_ns")
    if start is None or end is None or end < start:
        raise RowError("no_duration", "a request needs a start and a later end", column="request_end_ns", value=end)
    request = {"start_ns": float(start), "end_ns": float(end), "measured_e2e": (end - start) * 1e-9}
    for key, name in _LATENCIES.items():
        figure = _seconds(metrics, key)
        if figure is not None:
            request[name] = figure
    for key, name in _LENGTHS.items():
        figure = number(nested(metrics, key), "value")
        if figure is not None:
            request[name] = figure
    e2e = request.get("e2e")
    if e2e is not None and not 0.5 * request["measured_e2e"] <= e2e <= 2 * request["measured_e2e"] + 1e-3:
        raise RowError(
            "latency_differs_from_clock",
            f"latency is {e2e:.6g} s, start and end are {request['measured_e2e']:.6g} s apart",
            column="request_latency",
            value=e2e,
        )
    return request, _gaps(nested(metrics, "inter_chunk_latency"))


def _nanoseconds(metadata: Mapping[str, Any], key: str) -> int | None:
    """Unix time in nanoseconds, which is above the counts that a float holds exactly."""
    value = metadata.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not EARLIEST_NS < value < LATEST_NS:
        raise RowError("not_a_time", f"{key} should be a Unix time in whole nanoseconds", column=key, value=value)
    return value


def _seconds(metrics: Mapping[str, Any], key: str) -> float | None:
    metric = nested(metrics, key)
    if not metric:
        return None
    return number(metric, "value", scale=seconds_per_unit(metric, key), positive=key != "inter_token_latency")


def _gaps(metric: Mapping[str, Any]) -> list[float]:
    if not isinstance(metric.get("value"), list):
        return []
    scale = seconds_per_unit(metric, "inter_chunk_latency")
    return [float(gap) * scale for gap in values(metric["value"], "inter_chunk_latency")]


def _point(figures: Mapping[str, list[float]], gaps: list[float], failed: int) -> Point:
    column = {name: np.asarray(items) for name, items in figures.items()}
    none = np.empty(0)
    starts, ends = column.get("start_ns", none), column.get("end_ns", none)
    duration_s = float(ends.max() - starts.min()) * 1e-9 if starts.size else None
    tokens = {name: column.get(name, none) for name in ("input", "output")}
    is_complete = {name: items.size == starts.size and items.size > 0 for name, items in tokens.items()}
    rates = {
        f"{name}_tokens_per_s": float(items.sum()) / duration_s if duration_s and is_complete[name] else None
        for name, items in tokens.items()
    }
    return {
        "n_requests": int(starts.size),
        "n_failed": failed,
        "duration_s": duration_s,
        "requests_per_s": starts.size / duration_s if duration_s else None,
        **rates,
        "measured_on": dt.datetime.fromtimestamp(starts.min() * 1e-9, tz=dt.UTC).date() if starts.size else None,
        "tpot_definition": "after_first_token",
        "percentile_basis": "requests",
        **distribution("ttft", column.get("ttft", none)),
        **distribution("tpot", column.get("tpot", none)),
        **distribution("e2e", column.get("e2e", none)),
        **distribution("itl", np.asarray(gaps)),
        **token_distribution("input", tokens["input"]),
        **token_distribution("output", tokens["output"]),
    }
