"""SGLang `bench_serving`: one JSON object per run and line, appended to the file; latencies in milliseconds.

Newer files carry `server_info`, the server's own arguments, which state model, parallelism and chunking.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sources.serving.benchmark_outputs.document import Document, example, objects
from sources.serving.benchmark_outputs.fields import Point, count, flag, latencies, load, mapping, number, text
from sources.serving.benchmark_outputs.per_request import DETAIL_KEYS, detailed_run, with_details
from sources.serving.benchmark_outputs.vllm import agrees_with_totals, engine_of, statistic_keys

NAME = "sglang"
NOT_KEPT = DETAIL_KEYS


def recognises(document: Document) -> bool:
    """Whether the document is a log of SGLang's serving benchmark."""
    keys = set(example(document))
    return bool(keys & {"total_output_tokens_retokenized", "mean_e2e_latency_ms", "median_e2e_latency_ms"})


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """Runs of the file with their place in it."""
    return objects(document)


def point(record: Any) -> Point:
    """Operating point of one run. TPOT is (E2E - TTFT)/(n - 1) per request: SGLang, bench_serving.py."""
    record = mapping(record, "run")
    n_requests, duration_s = count(record, "completed"), number(record, "duration", positive=True)
    summary: Point = {}
    for name, key in (("ttft", "ttft"), ("tpot", "tpot"), ("itl", "itl"), ("e2e", "e2e_latency")):
        summary |= latencies(record, name, statistic_keys(key, unit="_ms"), scale=1e-3)
    figures = with_details(summary, detailed_run(record))
    tokens_in, tokens_out = number(record, "total_input_tokens"), number(record, "total_output_tokens")
    agrees_with_totals(record, "request_throughput", n_requests, duration_s)
    agrees_with_totals(record, "input_throughput", tokens_in, duration_s)
    agrees_with_totals(record, "output_throughput", tokens_out, duration_s)
    return {
        "engine": engine_of(text(record, "backend")),
        "n_requests": n_requests,
        "n_failed": count(record, "failed"),
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
            n_requests=n_requests,
            burstiness=None,
        ),
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
