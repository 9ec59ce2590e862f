"""GuideLLM reports, version 2: one benchmark per rate, every metric split by outcome; latencies in milliseconds.

Request latency alone is in seconds. `time_per_output_token_ms` counts the first token (E2E/n); both it and
`inter_token_latency_ms` weigh each request by its tokens. Zeros of a metric with no observations mean unknown.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sources.serving.benchmark_outputs.document import Document, example
from sources.serving.benchmark_outputs.fields import Point, RowError, count, latencies, mapping, nested, number, text
from sources.serving.benchmark_outputs.iso_dates import day_of_unix_time

NAME = "guidellm"
NOT_KEPT = frozenset({"requests"})
VERSION = 2

_LATENCIES = (
    ("ttft", "time_to_first_token_ms", 1e-3),
    ("tpot", "time_per_output_token_ms", 1e-3),
    ("itl", "inter_token_latency_ms", 1e-3),
    ("e2e", "request_latency", 1.0),
)
_PERCENTILES = {"p50": "p50", "p90": "p90", "p99": "p99", "p999": "p999"}


def recognises(document: Document) -> bool:
    """Whether the document is a GuideLLM report."""
    record = example(document)
    metadata = record.get("metadata")
    return "benchmarks" in record and isinstance(metadata, dict) and "guidellm_version" in metadata


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """Benchmarks of the report; one of another version raises ValueError, because its units are not known."""
    report = example(document)
    version = nested(report, "metadata").get("version")
    if version != VERSION:
        raise ValueError(f"GuideLLM report version {version!r}; version {VERSION} is understood")
    benchmarks = report["benchmarks"]
    if not isinstance(benchmarks, list):
        raise ValueError("GuideLLM report without a list of benchmarks")
    for i, benchmark in enumerate(benchmarks, start=1):
        yield f"benchmark {i}", benchmark


def point(record: Any) -> Point:
    """Operating point of one benchmark, over its successful requests."""
    benchmark = mapping(record, "benchmark")
    metrics = nested(benchmark, "metrics")
    totals = nested(metrics, "request_totals")
    failed = [count(totals, key) for key in ("errored", "incomplete")]
    figures: Point = {}
    for name, key, scale in _LATENCIES:
        figures |= _latency(metrics, name, key, scale)
    return {
        "model": text(nested(benchmark, "config", "backend"), "model"),
        "measured_on": day_of_unix_time(number(benchmark, "start_time"), "start_time"),
        "n_requests": count(totals, "successful"),
        "n_failed": None if None in failed else sum(n for n in failed if n is not None),
        "duration_s": number(benchmark, "duration", positive=True),
        "requests_per_s": _mean(metrics, "requests_per_second"),
        "input_tokens_per_s": _mean(metrics, "prompt_tokens_per_second"),
        "output_tokens_per_s": _mean(metrics, "output_tokens_per_second"),
        "total_tokens_per_s": _mean(metrics, "tokens_per_second"),
        **_lengths(metrics, "input", "prompt_token_count"),
        **_lengths(metrics, "output", "output_token_count"),
        "tpot_definition": "over_all_tokens",
        "percentile_basis": "token_weighted_requests",
        **_strategy(nested(benchmark, "config", "strategy")),
        **figures,
    }


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
    kind = strategy.get("type_")
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
