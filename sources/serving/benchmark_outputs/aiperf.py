"""AIPerf: records of single requests (`profile_export.jsonl`) and aggregates (`profile_export_aiperf.json` and `.csv`).

Its forerunner genai-perf writes the same aggregates (`profile_export_genai_perf.json` and `.csv`), numbers with thousands
separators.

Every figure states its unit, and the unit is what counts. Only requests of the profiling phase are measured. The tool's
inter-token latency is (E2E - TTFT)/(n - 1) per request, our TPOT; its inter-chunk latency is the gap between events.
Telemetry names the GPUs of a node, not how many of them the engine used, so it gives no GPU count.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sources.serving.benchmark_outputs.aiperf_requests import run_of_requests, seconds_per_unit
from sources.serving.benchmark_outputs.document import Document, example
from sources.serving.benchmark_outputs.fields import (
    Point,
    RowError,
    count,
    latencies,
    mapping,
    nested,
    number,
    optional,
    require_answers,
    require_text_task,
    text,
)
from sources.serving.benchmark_outputs.iso_dates import day

NAME = "aiperf"
NOT_KEPT = frozenset({"warmup_metrics"})
RATES = ("requests/sec", "tokens/sec", "requests/s", "tokens/s", "per sec", "per second")

_LATENCIES = (
    ("ttft", "time_to_first_token"),
    ("tpot", "inter_token_latency"),
    ("itl", "inter_chunk_latency"),
    ("e2e", "request_latency"),
)
_KEYS = {"mean": ("avg",), "p50": ("p50",), "p90": ("p90",), "p95": ("p95",), "p99": ("p99",), "p999": ("p99.9", "p999")}
_POWER = ("gpu_power_usage", "nvidia_power_usage", "amd_power_usage")


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """The run, with one entry per refused line where the file lists requests."""
    if document.value is None:
        yield from _csv_record(document.text)
    elif "metadata" in example(document):
        yield from run_of_requests(document)
    else:
        yield "profile", document.value


def point(record: Any) -> Point:
    """Operating point of an aggregate, or of requests already put together (`point` key)."""
    record = mapping(record, "profile")
    if "point" in record:
        return dict(record["point"])
    metrics = _metrics(record)
    figures: Point = {"tpot_definition": "after_first_token", "percentile_basis": "requests"}
    for name, key in _LATENCIES:
        metric = nested(metrics, key)
        figures |= latencies(metric, name, _KEYS, scale=seconds_per_unit(metric, key)) if metric else {}
    require_text_task(_endpoint(record))
    n_requests = count(nested(metrics, "request_count"), "avg")
    require_answers(n_requests, number(nested(metrics, "output_sequence_length"), "avg"))
    good = count(nested(metrics, "good_request_count"), "avg")
    duration = nested(metrics, "benchmark_duration")
    return {
        "model": _model(record),
        "client": "aiperf" if "aiperf_version" in record else None,
        **optional("measured_on", lambda: day(text(record, "start_time"), "start_time")),
        "n_requests": n_requests,
        "n_failed": _failed(record, metrics),
        "duration_s": number(duration, "avg", scale=seconds_per_unit(duration, "benchmark_duration")) if duration else None,
        "requests_per_s": _rate(metrics, "request_throughput"),
        "input_tokens_per_s": _rate(metrics, "input_token_throughput"),
        "output_tokens_per_s": _rate(metrics, "output_token_throughput"),
        "total_tokens_per_s": _rate(metrics, "total_token_throughput"),
        "goodput_per_s": _rate(metrics, "goodput"),
        "attainment": good / n_requests if good is not None and n_requests else None,
        **_lengths(metrics, "input", "input_sequence_length"),
        **_lengths(metrics, "output", "output_sequence_length"),
        **_load(nested(record, "input_config")),
        **_bounds(nested(record, "input_config")),
        **_telemetry(nested(record, "telemetry_data", "endpoints")),
        **figures,
    }


def _metrics(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Metrics by name: at the top of the document, in early versions under `records`."""
    held = record.get("records")
    return held if isinstance(held, dict) else record


def _rate(metrics: Mapping[str, Any], key: str) -> float | None:
    metric = nested(metrics, key)
    unit = text(metric, "unit")
    if metric and unit not in RATES:
        raise RowError("unknown_unit", f"{key} is in {unit}, not in a rate per second", column=key, value=unit)
    return number(metric, "avg")


def _lengths(metrics: Mapping[str, Any], name: str, key: str) -> Point:
    metric = nested(metrics, key)
    point: Point = {f"{name}_tokens_mean": number(metric, "avg")}
    return point | {f"{name}_tokens_{q}": number(metric, q) for q in ("p50", "p90", "p99")}


def _failed(record: Mapping[str, Any], metrics: Mapping[str, Any]) -> int | None:
    stated = count(nested(metrics, "error_request_count"), "avg")
    summary = record.get("error_summary")
    if stated is not None or not isinstance(summary, list):
        return stated
    counts = [count(mapping(entry, "error_summary"), "count") for entry in summary]
    return None if None in counts else sum(n for n in counts if n is not None)


def _endpoint(record: Mapping[str, Any]) -> str | None:
    """Kind of endpoint that was asked, such as chat, embeddings or image_generation."""
    endpoint = nested(record, "input_config").get("endpoint")
    kind = endpoint.get("type") if isinstance(endpoint, dict) else nested(record, "input_config").get("endpoint_type")
    return kind if isinstance(kind, str) else None


def _model(record: Mapping[str, Any]) -> str | None:
    config = nested(record, "input_config")
    endpoint = config.get("endpoint")
    names = endpoint.get("model_names") if isinstance(endpoint, dict) else config.get("model", config.get("model_names"))
    names = [names] if isinstance(names, str) else names
    return names[0] if isinstance(names, list) and len(names) == 1 and isinstance(names[0], str) else None


def _load(config: Mapping[str, Any]) -> Point:
    """How requests were sent: `loadgen`, in newer versions the phase called profiling, in genai-perf at the top."""
    held: Any = config.get("loadgen") or config.get("phases")
    if isinstance(held, list):
        held = next((phase for phase in held if isinstance(phase, dict) and phase.get("name") == "profiling"), {})
    settings = mapping(held, "loadgen")
    settings = mapping(settings["profiling"], "profiling") if "profiling" in settings else settings
    if not settings:
        stimulus = nested(config, "perf_analyzer").get("stimulus")
        settings = mapping(stimulus, "stimulus") if isinstance(stimulus, dict) else config
    rate, in_flight = number(settings, "request_rate", positive=True), number(settings, "concurrency", positive=True)
    if rate is not None:
        law = settings.get("arrival_pattern") or settings.get("request_rate_mode")
        kind = "open_loop" if in_flight is None else "open_loop_capped"
        point: Point = {"arrival": kind, "arrival_process": law if isinstance(law, str) else None}
        return point | {"request_rate_per_s": rate, "concurrency": in_flight, "start_burst_bias": False}
    if in_flight is None:
        return {}
    is_ramped = any(settings.get(key) for key in ("concurrency_ramp_duration", "concurrency_ramp"))
    return {"arrival": "closed_loop", "concurrency": in_flight, "start_burst_bias": not is_ramped}


def _bounds(config: Mapping[str, Any]) -> Point:
    """The contract a run was held against (`--goodput`), in the milliseconds in which the tool takes it."""
    prompts = config.get("input")
    held: Any = config.get("goodput") or (prompts.get("goodput") if isinstance(prompts, dict) else None)
    if not isinstance(held, dict):
        return {}
    keys = (("ttft", "time_to_first_token"), ("tpot", "inter_token_latency"), ("e2e", "request_latency"))
    return {f"slo_{name}_s": number(held, key, scale=1e-3, positive=True) for name, key in keys}


def _telemetry(endpoints: Mapping[str, Any]) -> Point:
    gpus = [mapping(gpu, "gpu") for name in endpoints for gpu in nested(endpoints, name, "gpus").values()]
    names = {text(gpu, "gpu_name") for gpu in gpus} - {None}
    watts = []
    for gpu in gpus:
        for key in _POWER:
            metric = nested(gpu, "metrics", key)
            watts += [number(metric, "avg")] if text(metric, "unit") == "W" else []
    known = [watt for watt in watts if watt]
    return {
        "gpu": names.pop() if len(names) == 1 else None,
        "power_w_per_gpu": sum(known) / len(known) if known and len(known) == len(gpus) else None,
        "notes": f"telemetry saw {len(gpus)} GPUs; how many the engine used is not stated" if gpus else None,
    }


def _csv_record(body: str) -> Iterator[tuple[str, Any]]:
    """Metrics of the CSV under the names of the JSON: `Time to First Token (ms)` is `time_to_first_token` in `ms`."""
    if not body.endswith("\n"):
        reason = "the last line has no end: the file may be cut inside a figure"
        yield "profile", RowError("truncated", reason, severity="suspect")
        return
    record: dict[str, Any] = {}
    header: list[str] = []
    for row in csv.reader(body.splitlines()):
        if row and row[0] in ("Metric", "Endpoint"):
            header = row
        elif header[:1] == ["Metric"] and len(row) == len(header):
            label, _, unit = row[0].removesuffix(")").rpartition(" (") if row[0].endswith(")") else (row[0], "", "")
            cells = {"avg" if name == "Value" else name: cell for name, cell in zip(header[1:], row[1:], strict=True)}
            figures = {name: _figure(cell) for name, cell in cells.items() if cell and cell != "N/A"}
            record[label.lower().replace(" ", "_")] = {"unit": unit, **figures}
    yield "profile", record


def _figure(cell: str) -> Any:
    try:
        return float(cell.replace(",", ""))
    except ValueError:
        return cell
