"""inference-perf: one JSON report per load stage, in seconds, with the rate asked for beside the rate sent.

The tool counts tokens per stream event; versions that re-tokenise each event with a leading special token count about
twice the tokens and state about half the TPOT. `latency_closure` shows it: such rows stand near 0.55 instead of 1, and their
TPOT is not believed. The summary of all stages pools loads, so it is no run; nor is the file of Prometheus beside a stage.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sources.serving.benchmark_outputs.document import Document, objects
from sources.serving.benchmark_outputs.fields import (
    NO_RUN,
    Point,
    RowError,
    count,
    latencies,
    mapping,
    nested,
    number,
    require_answers,
)

NAME = "inference_perf"
NOT_KEPT = frozenset[str]()

_LATENCIES = (
    ("ttft", "time_to_first_token"),
    ("tpot", "time_per_output_token"),
    ("itl", "inter_token_latency"),
    ("e2e", "request_latency"),
)
_OF_A_STAGE = ("requested_rate", "achieved_rate", "send_duration", "concurrency")
_KEYS = {"mean": ("mean",), "p50": ("median", "p50"), "p90": ("p90",), "p95": ("p95",), "p99": ("p99",), "p999": ("p99.9",)}


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """The stage, with its place in the file."""
    return objects(document)


def point(record: Any) -> Point:
    """Operating point of one stage. TPOT is (last - first token)/(n - 1) per request: inference-perf, requests report."""
    stage = mapping(record, "stage")
    sent, done = nested(stage, "load_summary"), nested(stage, "successes")
    if not any(key in sent for key in _OF_A_STAGE):
        reason = "the summary of all load stages together: bring the stages (stage_0_lifecycle_metrics.json, ...)"
        raise RowError("pooled_stages", reason, column="load_summary", severity=NO_RUN)
    n_requests = count(done, "count")
    require_answers(n_requests, number(nested(done, "output_len"), "mean"))
    rates, waits = nested(done, "throughput"), nested(done, "latency")
    figures: Point = {}
    for name, key in _LATENCIES:
        figures |= latencies(nested(waits, key), name, _KEYS, scale=1.0)
    return {
        **_arrivals(sent),
        "sent_rate_per_s": number(sent, "achieved_rate"),
        "n_requests": n_requests,
        "n_failed": count(nested(stage, "failures"), "count"),
        "duration_s": number(stage, "benchmark_time_seconds", positive=True),
        "requests_per_s": number(rates, "requests_per_sec"),
        "input_tokens_per_s": number(rates, "input_tokens_per_sec"),
        "output_tokens_per_s": number(rates, "output_tokens_per_sec"),
        "total_tokens_per_s": number(rates, "total_tokens_per_sec"),
        **_lengths(nested(done, "prompt_len"), "input"),
        **_lengths(nested(done, "output_len"), "output"),
        "tpot_definition": "after_first_token",
        "tpot_needs_closure": True,
        "percentile_basis": "requests",
        **figures,
    }


def _arrivals(sent: Mapping[str, Any]) -> Point:
    rate, in_flight = number(sent, "requested_rate", positive=True), number(sent, "concurrency", positive=True)
    if in_flight is not None:
        return {"arrival": "closed_loop", "concurrency": in_flight, "start_burst_bias": True}
    if rate is None:
        return {}
    return {"arrival": "open_loop", "request_rate_per_s": rate, "start_burst_bias": False}


def _lengths(found: Mapping[str, Any], name: str) -> Point:
    point: Point = {f"{name}_tokens_mean": number(found, "mean")}
    return point | {f"{name}_tokens_{q}": number(found, "median" if q == "p50" else q) for q in ("p50", "p90", "p99")}
