"""SGLang `bench_serving`: one JSON object per run and line, appended to the file; latencies in milliseconds.

Newer files carry `server_info`, the server's own arguments, which state model, parallelism and chunking. Lengths are drawn
between `random_range_ratio` times the length asked for and that length, so that only a ratio of 1 fixes them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sources.serving.benchmark_outputs.document import Document, objects
from sources.serving.benchmark_outputs.fields import (
    NO_RUN,
    Point,
    RowError,
    count,
    flag,
    latencies,
    load,
    mapping,
    number,
    require_answers,
    require_text_task,
    text,
)
from sources.serving.benchmark_outputs.per_request import DETAIL_KEYS, detailed_run, with_details
from sources.serving.benchmark_outputs.vllm import (
    agrees_with_totals,
    engine_of,
    goodput,
    parallelism,
    requested_lengths,
    statistic_keys,
    word,
)

NAME = "sglang"
NOT_KEPT = DETAIL_KEYS


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """Runs of the file with their place in it."""
    return objects(document)


def point(record: Any) -> Point:
    """Operating point of one run. TPOT is (E2E - TTFT)/(n - 1) per request: SGLang, bench_serving.py."""
    record = mapping(record, "run")
    client = text(record, "backend")
    require_text_task(client, word(record, "dataset_name"))
    if number(record, "total_input_vision_tokens"):
        reason = "prompts of pictures: their tokens are not those of a text"
        raise RowError("not_a_text_task", reason, column="total_input_vision_tokens", severity=NO_RUN)
    n_requests, duration_s = count(record, "completed"), number(record, "duration", positive=True)
    summary: Point = {}
    for name, key in (("ttft", "ttft"), ("tpot", "tpot"), ("itl", "itl"), ("e2e", "e2e_latency")):
        summary |= latencies(record, name, statistic_keys(key, unit="_ms"), scale=1e-3)
    figures = with_details(summary, detailed_run(record))
    tokens_in, tokens_out = number(record, "total_input_tokens"), number(record, "total_output_tokens")
    require_answers(n_requests, tokens_out)
    n_failed = _failed(record, n_requests)
    agrees_with_totals(record, "request_throughput", n_requests, duration_s)
    agrees_with_totals(record, "input_throughput", tokens_in, duration_s)
    agrees_with_totals(record, "output_throughput", tokens_out, duration_s)
    return {
        "client": client,
        "engine": engine_of(client),
        "engine_basis": "client",
        "n_requests": n_requests,
        "n_failed": n_failed,
        "duration_s": duration_s,
        "tpot_definition": "after_first_token",
        "percentile_basis": "requests",
        "accepted_tokens_per_step": number(record, "accept_length", positive=True),
        "requests_per_s": number(record, "request_throughput"),
        "input_tokens_per_s": number(record, "input_throughput"),
        "output_tokens_per_s": number(record, "output_throughput"),
        "total_tokens_per_s": number(record, "total_throughput"),
        "input_tokens_mean": tokens_in / n_requests if n_requests and tokens_in is not None else None,
        "output_tokens_mean": tokens_out / n_requests if n_requests and tokens_out is not None else None,
        **load(
            rate=record.get("request_rate"),
            in_flight=number(record, "max_concurrency", positive=True),
            states_in_flight="max_concurrency" in record,
            n_sent=None if n_requests is None else n_requests + (n_failed or 0),
            burstiness=None,
        ),
        **parallelism(record),
        **(requested_lengths(record) if number(record, "random_range_ratio") == 1 else {}),
        **goodput(record),
        **_server(record.get("server_info")),
        **figures,
    }


def _server(info: Any) -> Point:
    """What the server says of itself. GPUs = tp x pp, times dp where whole replicas (not attention) are data-parallel.

    A server that holds one phase only, or a router in front of others, does not describe the system: nothing is taken.
    """
    if not isinstance(info, dict) or "tp_size" not in info or info.get("disaggregation_mode") not in (None, "null"):
        return {}
    tp, pp, dp = (count(info, key, least=1) for key in ("tp_size", "pp_size", "dp_size"))
    dp_attention = flag(info, "enable_dp_attention")
    replicas = 1 if dp_attention else dp
    is_counted = None not in (tp, pp, dp, dp_attention)
    return {
        "engine": "sglang",
        "engine_basis": "server",
        "engine_version": text(info, "version"),
        "model": text(info, "model_path"),
        "precision": text(info, "quantization"),
        "architecture": _chunking(info),
        "tp": tp,
        "pp": pp,
        "ep": count(info, "ep_size", least=1),
        "dp_attention": dp_attention,
        "gpus_total": tp * pp * replicas if is_counted and tp and pp and replicas else None,
        "speculative_decoding": _speculation(info),
    }


def _chunking(info: Mapping[str, Any]) -> str | None:
    size = info.get("chunked_prefill_size")
    if isinstance(size, bool) or not isinstance(size, int):
        return None
    return "chunked" if size > 0 else "colocated"


def _speculation(info: Mapping[str, Any]) -> str | None:
    if "speculative_algorithm" not in info:
        return None
    return (text(info, "speculative_algorithm") or "none").lower()


def _failed(record: Mapping[str, Any], n_requests: int | None) -> int | None:
    """Requests that failed: stated, else the prompts asked for that did not finish."""
    failed, asked = count(record, "failed"), count(record, "num_prompts")
    if failed is None and asked is not None and n_requests is not None and asked >= n_requests:
        return asked - n_requests
    return failed
