"""llmperf `token_benchmark_ray.py`: one summary per run under flat keys, times in seconds (`results_ttft_s_mean`, ...).

Its inter-token latency divides the whole answer, first token included, by the tokens: E2E/n per request. Requests go out one
after the other from a fixed number of clients. The summary names the model as the API was asked for it, and no hardware.
"""

from collections.abc import Iterable, Mapping
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
from sources.serving.benchmark_outputs.iso_dates import day_of_unix_time

NAME = "llmperf"
NOT_KEPT = frozenset[str]()
_LATENCIES = (("ttft", "ttft_s"), ("tpot", "inter_token_latency_s"), ("e2e", "end_to_end_latency_s"))


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """Summaries of the file with their place in it."""
    return objects(document)


def point(record: Any) -> Point:
    """Operating point of one summary. Source: llmperf, token_benchmark_ray.py."""
    run = _flat(mapping(record, "summary"))
    n_requests = count(run, "results_num_completed_requests")
    tokens_out = number(run, "results_number_output_tokens_mean")
    require_answers(n_requests, tokens_out)
    per_minute = number(run, "results_num_completed_requests_per_min")
    found: Point = {}
    for name, key in _LATENCIES:
        found |= latencies(run, name, _keys(f"results_{key}"), scale=1.0)
    return {
        "client": "llmperf",
        "model": text(run, "model"),
        **optional("measured_on", lambda: day_of_unix_time(number(run, "timestamp"), "timestamp")),
        "n_requests": n_requests,
        "n_failed": count(run, "results_number_errors"),
        "duration_s": n_requests / per_minute * 60.0 if n_requests and per_minute else None,
        "requests_per_s": None if per_minute is None else per_minute / 60.0,
        "output_tokens_per_s": number(run, "results_mean_output_throughput_token_per_s"),
        "input_tokens_mean": number(run, "results_number_input_tokens_mean"),
        "output_tokens_mean": tokens_out,
        **{f"{kind}_tokens_nominal": number(run, f"mean_{kind}_tokens", positive=True) for kind in ("input", "output")},
        **{
            f"{kind}_tokens_{q}": number(run, f"results_number_{kind}_tokens_quantiles_{q}")
            for kind in ("input", "output")
            for q in ("p50", "p90", "p99")
        },
        "arrival": "closed_loop",
        "start_burst_bias": True,
        "concurrency": number(run, "num_concurrent_requests", positive=True),
        "tpot_definition": "over_all_tokens",
        "percentile_basis": "requests",
        **found,
    }


def _keys(name: str) -> dict[str, tuple[str, ...]]:
    quantiles = ("p50", "p90", "p95", "p99")
    return {"mean": (f"{name}_mean",), **{q: (f"{name}_quantiles_{q}",) for q in quantiles}}


def _flat(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """The summary with nested results, as some forks write them, under the flat keys."""
    held = run.get("results")
    if not isinstance(held, dict):
        return run
    return {**run, **{f"results_{key}": value for key, value in held.items()}}
