"""SGLang `bench_one_batch`, `bench_one_batch_server` and `bench_offline_throughput`: JSON lines, times in seconds.

One batch is prefilled and decoded together: a static batch, with as many requests in flight as it holds. The output rate that
newer versions state is over decoding alone, so the rate of a run is taken from its tokens and its whole time.
"""

from collections.abc import Iterable
from typing import Any

from sources.serving.benchmark_outputs.document import Document, objects
from sources.serving.benchmark_outputs.fields import (
    Point,
    RowError,
    count,
    latencies,
    mapping,
    number,
    optional,
    require_answers,
    text,
)
from sources.serving.benchmark_outputs.vllm import agrees_with_totals

NOT_KEPT = frozenset({"output_token_ids", "dp_ranks"})
_SAME_TOTAL = 0.02
"""The total rate is tokens over time within this share, or one of the three is in another unit."""
OFFLINE: Point = {"engine": "sglang", "engine_basis": "server", "start_burst_bias": True}


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """Runs of the file with their place in it."""
    return objects(document)


def batch_point(record: Any) -> Point:
    """Operating point of one batch. TTFT is its prefill, TPOT the median step of an engine without a server."""
    run = mapping(record, "run")
    batch = count(run, "batch_size", least=1)
    tokens_in, tokens_out = number(run, "input_len", positive=True), number(run, "output_len", positive=True)
    whole_s = _whole_s(run)
    if batch is None or tokens_in is None or tokens_out is None or whole_s is None:
        raise RowError("missing_key", "a batch needs its size, both lengths and its latency", column="batch_size")
    stated, total = number(run, "overall_throughput"), batch * (tokens_in + tokens_out) / whole_s
    if stated and abs(stated / total - 1) > _SAME_TOTAL:
        reason = f"overall_throughput is {stated:.6g} per second, tokens over latency give {total:.6g}"
        raise RowError("rate_differs_from_total", reason, column="overall_throughput", value=stated)
    first = {"prefill": run.get("prefill_latency") or run.get("last_ttft") or run.get("ttft")}
    step = {"step": run.get("median_decode_latency")}
    return OFFLINE | {
        "model": text(run, "model_path"),
        "arrival": "closed_loop",
        "concurrency": float(batch),
        "n_requests": batch,
        "duration_s": whole_s,
        "input_tokens_nominal": tokens_in,
        "output_tokens_nominal": tokens_out,
        "input_tokens_mean": tokens_in,
        "output_tokens_mean": tokens_out,
        "requests_per_s": batch / whole_s,
        "input_tokens_per_s": batch * tokens_in / whole_s,
        "output_tokens_per_s": batch * tokens_out / whole_s,
        "total_tokens_per_s": total,
        "tpot_definition": "pooled_gaps" if step["step"] else None,
        "percentile_basis": "tokens" if step["step"] else None,
        **optional("accepted_tokens_per_step", lambda: _accepted(run)),
        "e2e_mean_s": whole_s,
        **latencies(first, "ttft", {"mean": ("prefill",)}, scale=1.0),
        **latencies(step, "tpot", {"p50": ("step",)}, scale=1.0),
        "notes": "one static batch",
    }


def throughput_point(record: Any) -> Point:
    """Operating point of `bench_offline_throughput`: all requests at once."""
    run = mapping(record, "run")
    n_requests, duration_s = count(run, "successful_requests"), number(run, "total_latency", positive=True)
    tokens_in, tokens_out = number(run, "total_input_tokens"), number(run, "total_output_tokens")
    require_answers(n_requests, tokens_out)
    for key, total in (
        ("request_throughput", n_requests),
        ("input_throughput", tokens_in),
        ("output_throughput", tokens_out),
    ):
        agrees_with_totals(run, key, total, duration_s)
    return OFFLINE | {
        "arrival": "all_at_once",
        "n_requests": n_requests,
        "duration_s": duration_s,
        "requests_per_s": number(run, "request_throughput"),
        "input_tokens_per_s": number(run, "input_throughput"),
        "output_tokens_per_s": number(run, "output_throughput"),
        "total_tokens_per_s": number(run, "total_throughput"),
        "input_tokens_mean": tokens_in / n_requests if tokens_in is not None and n_requests else None,
        "output_tokens_mean": tokens_out / n_requests if tokens_out is not None and n_requests else None,
    }


def _whole_s(run: Any) -> float | None:
    whole = number(run, "total_latency", positive=True)
    return whole if whole is not None else number(run, "latency", positive=True)


def _accepted(run: Any) -> float | None:
    """Tokens kept per step; -1 stands for no speculation."""
    return None if run.get("acc_length") in (-1, -1.0) else number(run, "acc_length", positive=True)
