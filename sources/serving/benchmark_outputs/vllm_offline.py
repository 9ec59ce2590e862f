"""vLLM `bench throughput` and `bench latency`: the engine without a server, times in seconds.

Neither file states model, lengths or GPUs. `throughput` counts prompts and answers together, so that its output rate follows
only where the user says the lengths; `latency` is the time of one whole batch, whose size is not in the file either.
"""

from collections.abc import Iterable
from typing import Any

from sources.serving.benchmark_outputs.document import Document, objects
from sources.serving.benchmark_outputs.fields import Point, count, latencies, mapping, number, require_answers
from sources.serving.benchmark_outputs.per_request import distribution, values
from sources.serving.benchmark_outputs.vllm import agrees_with_totals

NOT_KEPT = frozenset[str]()
_KEYS = {"mean": ("avg_latency",), "p50": ("50",), "p90": ("90",), "p95": ("95",), "p99": ("99",)}
OFFLINE: Point = {"engine": "vllm", "engine_basis": "server", "start_burst_bias": True}
"""The tool loads the engine itself."""


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """Runs of the file with their place in it."""
    return objects(document)


def throughput_point(record: Any) -> Point:
    """Operating point of `bench throughput`: all requests at once; only their number and tokens together are stated."""
    run = mapping(record, "run")
    n_requests, duration_s = count(run, "num_requests"), number(run, "elapsed_time", positive=True)
    tokens = number(run, "total_num_tokens")
    require_answers(n_requests, tokens)
    agrees_with_totals(run, "requests_per_second", n_requests, duration_s)
    agrees_with_totals(run, "tokens_per_second", tokens, duration_s)
    return OFFLINE | {
        "arrival": "all_at_once",
        "n_requests": n_requests,
        "duration_s": duration_s,
        "requests_per_s": number(run, "requests_per_second"),
        "total_tokens_per_s": number(run, "tokens_per_second"),
        "total_tokens_mean": tokens / n_requests if tokens is not None and n_requests else None,
    }


def latency_point(record: Any) -> Point:
    """Operating point of `bench latency`: one batch again and again; each of its requests ends with the batch."""
    run = mapping(record, "run")
    repeats = values(run.get("latencies") or [], "latencies")
    stated = {**mapping(run.get("percentiles"), "percentiles"), "avg_latency": run.get("avg_latency")}
    stated = {str(key): value for key, value in stated.items()}
    return OFFLINE | {
        "arrival": "closed_loop",
        "start_burst_bias": False,
        "is_one_batch": True,
        **(latencies(stated, "e2e", _KEYS, scale=1.0) or distribution("e2e", repeats)),
        "notes": f"{repeats.size} repeats of one batch; its size is the concurrency" if repeats.size else None,
    }
