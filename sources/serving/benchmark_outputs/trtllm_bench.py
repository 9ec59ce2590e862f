"""TensorRT-LLM `trtllm-bench --report_json`: one JSON report per run, latencies in milliseconds.

Output tokens count the first one. `streaming_metrics` stand only in runs with `--streaming`; its TPOT excludes the first token.
Rates per GPU are over the world size. The client is the engine itself, so what it says of the engine holds.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sources.serving.benchmark_outputs.document import Document, objects
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
    text,
)

NAME = "trtllm_bench"
NOT_KEPT = frozenset({"requests", "outputs"})
_KEYS = {"mean": ("average",), "p50": ("p50",), "p90": ("p90",), "p95": ("p95",), "p99": ("p99",)}
_NO_LIMIT = 1.0e6
"""Requests per second of issue above which all of them are there at the start."""


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """Reports of the file with their place in it."""
    return objects(document)


def point(record: Any) -> Point:
    """Operating point of one report. TPOT is (E2E - TTFT)/(n - 1) per request: TensorRT-LLM, bench/dataclasses/reporting.py."""
    report = mapping(record, "report")
    engine, world = nested(report, "engine"), nested(report, "world_info")
    requests, figures = nested(report, "request_info"), nested(report, "performance")
    n_requests = count(requests, "num_requests")
    tokens_out = number(requests, "avg_output_length")
    require_answers(n_requests, tokens_out)
    gpus = count(world, "world_size", least=1)
    point: Point = {
        "engine": "tensorrt-llm",
        "engine_basis": "server",
        "engine_version": text(engine, "version"),
        "model": text(engine, "model"),
        "precision": _precision(engine),
        "gpu": _gpu(report),
        "gpus_total": gpus,
        "tp": count(world, "tp_size", least=1),
        "pp": count(world, "pp_size", least=1),
        **optional("ep", lambda: count(world, "ep_size", least=1)),
        "n_requests": n_requests,
        "duration_s": number(figures, "total_latency_ms", scale=1e-3, positive=True),
        "requests_per_s": number(figures, "request_throughput_req_s"),
        "output_tokens_per_s": number(figures, "system_output_throughput_tok_s"),
        "total_tokens_per_s": number(figures, "system_total_throughput_tok_s"),
        "output_tokens_per_s_per_gpu": number(figures, "output_throughput_per_gpu_tok_s"),
        "input_tokens_mean": number(requests, "avg_input_length"),
        "output_tokens_mean": tokens_out,
        **_lengths(nested(report, "dataset")),
        "tpot_definition": "after_first_token",
        "percentile_basis": "requests",
        **_arrivals(report, world),
        **_latencies(report, figures),
        **_speculation(report),
    }
    return point


def _gpu(report: Mapping[str, Any]) -> str | None:
    machine = report.get("machine")
    return text(machine, "name") if isinstance(machine, dict) else None


def _precision(engine: Mapping[str, Any]) -> str | None:
    """Number format of the weights: the quantisation where there is one, else the data type."""
    stated = text(engine, "quantization")
    return (stated if stated and stated.lower() != "none" else text(engine, "dtype")) or None


def _lengths(dataset: Mapping[str, Any]) -> Point:
    point: Point = {}
    for kind, key in (("input", "isl_stats"), ("output", "osl_stats")):
        statistics = nested(dataset, key)
        same = number(statistics, "minimum"), number(statistics, "maximum")
        if same[0] is not None and same[0] == same[1]:
            point[f"{kind}_tokens_nominal"] = same[0]
        if kind == "input":
            point |= {f"input_tokens_{q}": number(statistics, q) for q in ("p50", "p90", "p99")}
    return point


def _arrivals(report: Mapping[str, Any], world: Mapping[str, Any]) -> Point:
    """Requests are issued as fast as the client can, or kept at a number in flight, which older reports do not state."""
    in_flight = number(nested(report, "request_info"), "concurrency") or number(world, "concurrency")
    if in_flight:
        return {"arrival": "closed_loop", "concurrency": in_flight, "start_burst_bias": True}
    issued = number(world, "issue_rate")
    is_unlimited = issued is None or issued > _NO_LIMIT
    return {"arrival": "all_at_once", "start_burst_bias": True} if is_unlimited else {}


def _latencies(report: Mapping[str, Any], figures: Mapping[str, Any]) -> Point:
    streamed = nested(report, "streaming_metrics")
    ends = {**nested(figures, "request_latency_percentiles_ms")}
    ends.setdefault("average", figures.get("avg_request_latency_ms"))
    found = latencies(ends, "e2e", _KEYS, scale=1e-3)
    for name in ("ttft", "tpot"):
        statistics = {**nested(streamed, f"{name}_percentiles")}
        statistics.setdefault("average", streamed.get(f"avg_{name}_ms"))
        found |= latencies(statistics, name, _KEYS, scale=1e-3)
    return found


def _speculation(report: Mapping[str, Any]) -> Point:
    decoding = report.get("decoding_stats")
    if decoding is None:
        return {"speculative_decoding": "none"}
    decoding = mapping(decoding, "decoding_stats")
    accepted = nested(decoding, "acceptance_length_percentiles")
    mode = decoding.get("mode")
    if mode is not None and not isinstance(mode, str):
        raise RowError("not_text", "mode should be text", column="mode", value=mode)
    return {
        "speculative_decoding": (mode or "stated").lower(),
        "accepted_tokens_per_step": number(accepted, "average", positive=True),
    }
