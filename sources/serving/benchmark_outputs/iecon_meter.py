"""`iecon meter --export`: what a running server counted over a time, by its own metrics. Times in seconds."""

from collections.abc import Iterable
from typing import Any

from sources.serving.benchmark_outputs.document import Document, objects
from sources.serving.benchmark_outputs.fields import (
    Point,
    count,
    latencies,
    mapping,
    number,
    optional,
    require_answers,
    text,
)

_KEYS = {"mean": ("mean",), "p50": ("p50",), "p90": ("p90",), "p99": ("p99",)}


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """Runs of the file with their place in it."""
    return objects(document)


def point(record: Any) -> Point:
    """Operating point of a metered time: users came on their own clock, at the rate that was seen."""
    run = mapping(record, "run")
    completed, duration_s = count(run, "completed"), number(run, "duration_s", positive=True)
    require_answers(completed)
    given, written = number(run, "input_tokens_mean", positive=True), number(run, "output_tokens_mean", positive=True)
    rate = None if completed is None or duration_s is None else completed / duration_s
    failed = number(run, "failed") or 0.0
    hits = number(run, "prefix_hit_share")
    of_intervals = text(run, "tpot_of") != "requests"
    return {
        "model": text(run, "model"),
        "engine": text(run, "engine"),
        "engine_basis": "server",
        "gpu": text(run, "gpu"),
        **optional("gpus_total", lambda: count(run, "gpus", least=1)),
        "precision": text(run, "precision"),
        "arrival": "open_loop",
        "arrival_process": "trace",
        "start_burst_bias": False,
        "request_rate_per_s": rate,
        "requests_per_s": rate,
        "n_requests": completed,
        "duration_s": duration_s,
        "failed_share": failed / (failed + completed) if completed else None,
        "input_tokens_mean": given,
        "output_tokens_mean": written,
        "output_tokens_per_s": None if rate is None or written is None else rate * written,
        "prefix_caching": None if hits is None else hits > 0,
        "usd_per_gpu_hour": number(run, "usd_per_gpu_hour", positive=True),
        **latencies(mapping(run.get("ttft_s"), "ttft_s"), "ttft", _KEYS, scale=1.0),
        **latencies(mapping(run.get("tpot_s"), "tpot_s"), "itl" if of_intervals else "tpot", _KEYS, scale=1.0),
        **latencies(mapping(run.get("e2e_s"), "e2e_s"), "e2e", _KEYS, scale=1.0),
        "notes": "percentiles are read out of a histogram's buckets",
    }
