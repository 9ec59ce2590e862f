"""GuideLLM reports (JSON or YAML): one benchmark per rate, every metric split by outcome; latencies in milliseconds.

Request latency alone is in seconds. In version 2 `time_per_output_token_ms` counts the first token (E2E/n); both it and
`inter_token_latency_ms` weigh each request by its tokens. What it divides in reports of version 1, and in those from before
there was a version, changed between releases of the tool, so that their TPOT is the inter-token latency, which is (E2E -
TTFT)/(n - 1) in all of them. Zeros of a metric with no observations mean unknown.
"""

from collections.abc import Iterable, Mapping
from typing import Any

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
from sources.serving.benchmark_outputs.iso_dates import day_of_unix_time

NAME = "guidellm"
NOT_KEPT = frozenset({"requests"})
VERSIONS = (0, 1, 2)
"""0 stands for reports from before there was a version."""
_VERSION_KEY = "report_version"

_LATENCIES = (
    ("ttft", "time_to_first_token_ms", 1e-3),
    ("tpot", "time_per_output_token_ms", 1e-3),
    ("itl", "inter_token_latency_ms", 1e-3),
    ("e2e", "request_latency", 1.0),
)
_PERCENTILES = {"p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99", "p999": "p999"}


def recognises(document: Document) -> bool:
    """Whether the document is a GuideLLM report."""
    record = example(document)
    metadata = record.get("metadata")
    return "benchmarks" in record and isinstance(metadata, dict) and "guidellm_version" in metadata


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """Benchmarks of the report, each with the report's version; ValueError for a version whose units are not known."""
    report = example(document)
    benchmarks = report.get("benchmarks")
    if not isinstance(benchmarks, list):
        raise ValueError("GuideLLM report without a list of benchmarks")
    is_from_before = any(isinstance(each, dict) and "run_stats" in each for each in benchmarks)
    version = nested(report, "metadata").get("version", 0 if is_from_before else None)
    if version not in VERSIONS or isinstance(version, bool):
        raise ValueError(f"GuideLLM report version {version!r}; versions 1 and 2 are understood, and those with run_stats")
    asked = nested(report, "args").get("model")
    for i, benchmark in enumerate(benchmarks, start=1):
        is_whole = isinstance(benchmark, dict)
        yield f"benchmark {i}", {**benchmark, _VERSION_KEY: version, "asked_model": asked} if is_whole else benchmark


def point(record: Any) -> Point:
    """Operating point of one benchmark, over its successful requests. Source: GuideLLM, benchmark schemas."""
    benchmark = mapping(record, "benchmark")
    metrics = nested(benchmark, "metrics")
    require_text_task(_kind(benchmark.get("type_")), *(key for key in metrics if key.startswith(("audio", "image", "video"))))
    totals = nested(metrics, "request_totals") or nested(benchmark, "request_totals")
    failed = [count(totals, key) for key in ("errored", "incomplete")]
    n_requests = count(totals, "successful")
    require_answers(n_requests, _mean(metrics, "output_token_count"))
    is_first_version = benchmark.get(_VERSION_KEY) != 2
    figures: Point = {}
    for name, key, scale in _LATENCIES:
        column_key = "inter_token_latency_ms" if name == "tpot" and is_first_version else key
        figures |= _latency(metrics, name, column_key, scale)
    return {
        "client": "guidellm",
        "model": _model(benchmark),
        **optional("measured_on", lambda: day_of_unix_time(_started(benchmark), "start_time")),
        "n_requests": n_requests,
        "n_failed": None if None in failed else sum(n for n in failed if n is not None),
        "duration_s": number(benchmark, "duration", positive=True),
        "requests_per_s": _mean(metrics, "requests_per_second"),
        "input_tokens_per_s": _mean(metrics, "prompt_tokens_per_second"),
        "output_tokens_per_s": _mean(metrics, "output_tokens_per_second"),
        "total_tokens_per_s": _mean(metrics, "tokens_per_second"),
        **_lengths(metrics, "input", "prompt_token_count"),
        **_lengths(metrics, "output", "output_token_count"),
        "tpot_definition": "after_first_token" if is_first_version else "over_all_tokens",
        "percentile_basis": "token_weighted_requests",
        **_strategy(nested(benchmark, "config", "strategy") or nested(benchmark, "args", "strategy")),
        **figures,
    }


def _kind(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _started(benchmark: Mapping[str, Any]) -> float | None:
    """Start of the benchmark; 0 where a simulated clock wrote it."""
    return number(benchmark, "start_time") or None


def _model(benchmark: Mapping[str, Any]) -> str | None:
    """Model as the backend was asked for it: in version 2 in its settings, before in the worker's or the report's."""
    for held in (nested(benchmark, "config", "backend"), benchmark.get("worker"), benchmark.get("config")):
        if isinstance(held, dict):
            name = text(held, "model") or text(held, "backend_model")
            if name:
                return name
    asked = benchmark.get("asked_model")
    return asked if isinstance(asked, str) else None


def _successful(metrics: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Statistics over successful requests; empty where there were none, whose statistics are written as zeros."""
    found = nested(metrics, key, "successful")
    return found if count(found, "count") else {}


def _latency(metrics: Mapping[str, Any], name: str, key: str, scale: float) -> Point:
    found = _successful(metrics, key)
    flat = {**nested(found, "percentiles"), "mean": found.get("mean")}
    keys = {statistic: (word,) for statistic, word in _PERCENTILES.items()}
    return latencies(flat, name, {"mean": ("mean",), **keys}, scale=scale)


def _mean(metrics: Mapping[str, Any], key: str) -> float | None:
    return number(_successful(metrics, key), "mean")


def _lengths(metrics: Mapping[str, Any], name: str, key: str) -> Point:
    found = _successful(metrics, key)
    percentiles = nested(found, "percentiles")
    point: Point = {f"{name}_tokens_mean": number(found, "mean")}
    return point | {f"{name}_tokens_{q}": number(percentiles, q) for q in ("p50", "p90", "p99")}


def _strategy(strategy: Mapping[str, Any]) -> Point:
    """How requests were sent. The bound on an open loop is only the client's own limit, so it is not a concurrency."""
    kind = strategy.get("type_") or strategy.get("kind")
    if kind in ("constant", "poisson"):
        law: Point = {"arrival": "open_loop", "arrival_process": kind, "start_burst_bias": False}
        return law | {"request_rate_per_s": number(strategy, "rate", positive=True)}
    if kind == "concurrent":
        streams = number(strategy, "streams", positive=True) or number(strategy, "max_concurrency", positive=True)
        return {
            "arrival": "closed_loop",
            "start_burst_bias": not number(strategy, "rampup_duration"),
            "concurrency": streams,
        }
    if kind == "synchronous":
        return {"arrival": "closed_loop", "start_burst_bias": False, "concurrency": 1.0}
    if kind == "throughput":
        return {"arrival": "all_at_once", "start_burst_bias": True}
    if kind is not None and not isinstance(kind, str):
        raise RowError("not_text", "strategy type should be text", column="type_", value=kind)
    return {}
