"""A small file of each benchmark format, made for tests from one run whose figures are easy to check by hand.

Sixteen requests in flight, 160 in all, each of 1,000 tokens in and 200 out (1,024 and 1,024 where lengths are nominal): half
a second to the first token (400 ms in the median, 1.5 s at p99), then a token every 50 ms (60 ms at p99). A request takes
.5 + 199 x .05 = 10.45 s, 16 in flight make 16 / 10.45 = 1.5311 requests and 306.22 output tokens a second, all in 104.5 s.
"""

import json
from collections.abc import Callable
from typing import Any

from tests.serving.benchmark_files import inferencex_row, vllm_run

IN_FLIGHT, REQUESTS, INPUT, OUTPUT = 16, 160, 1000, 200
TTFT_S, TPOT_S = 0.5, 0.05
E2E_S = TTFT_S + (OUTPUT - 1) * TPOT_S
RATE_PER_S = IN_FLIGHT / E2E_S
SPREAD = {"mean": 1.0, "p50": 0.8, "p90": 1.5, "p95": 2.0, "p99": 3.0, "p999": 3.5}
"""Statistics of the time to first token, over its mean."""
STEADY = {"mean": 1.0, "p50": 1.0, "p90": 1.1, "p95": 1.15, "p99": 1.2, "p999": 1.25}
"""The same of the time per token and of whole requests."""
LATENCIES = {"ttft": (TTFT_S, SPREAD), "tpot": (TPOT_S, STEADY), "itl": (TPOT_S, STEADY), "e2e": (E2E_S, STEADY)}


def spelled(name: str, *, scale: float = 1.0, **words: str) -> dict[str, float]:
    """Statistics of a latency in units of `scale` seconds, under the words a format has for them."""
    seconds, factors = LATENCIES[name]
    return {words.get(statistic, statistic): seconds * factor / scale for statistic, factor in factors.items()}


def vllm() -> dict[str, Any]:
    record: dict[str, Any] = json.loads(vllm_run())
    return record | {"mean_itl_ms": 50.0, "median_itl_ms": 50.0, "p99_itl_ms": 60.0}


def client_result() -> dict[str, Any]:
    """InferenceX's client: the keys of vLLM's, in seconds."""
    run = vllm()
    kept = {key: run[key] for key in ("date", "model_id", "num_prompts", "request_rate", "burstiness", "max_concurrency")}
    rates = {key: run[key] for key in ("duration", "completed", "total_input_tokens", "total_output_tokens")}
    return (
        kept
        | rates
        | {"request_throughput": RATE_PER_S, "output_throughput": OUTPUT * RATE_PER_S, "input_throughput": INPUT * RATE_PER_S}
        | {"median_ttft": 0.4, "p99_ttft": 1.5, "median_tpot": 0.05, "p99_tpot": 0.06, "median_e2el": 10.45, "p99_e2el": 12.54}
    )


def inferencex_pools(*, prefill: int, decode: int, stated: tuple[int, int] | None = None, **changes: Any) -> dict[str, Any]:
    """A row of two pools: rates of a phase are per GPU of its pool. `stated` are GPU counts that the source states instead."""
    row = inferencex_row()
    each = row["metrics"]["output_tput_per_gpu"] * row["num_decode_gpu"]
    rates = {
        "tput_per_gpu": 2 * each / (prefill + decode),
        "input_tput_per_gpu": each / prefill,
        "output_tput_per_gpu": each / decode,
    }
    of_source = stated or (prefill, decode)
    told = {"num_prefill_gpu": of_source[0], "num_decode_gpu": of_source[1], "metrics": row["metrics"] | rates}
    return row | {"disagg": True, "is_multinode": True, "prefill_tp": 4, "prefill_ep": 1, **told} | changes


def inferencex() -> list[dict[str, Any]]:
    """Pools over nodes, pools stated as one sum, and one engine whose source states tensor times expert parallelism."""
    return [
        inferencex_pools(prefill=4, decode=8, prefill_num_workers=1, decode_num_workers=1),
        inferencex_pools(prefill=4, decode=16, stated=(20, 20), is_multinode=False),
        inferencex_row() | {"decode_ep": 8, "num_prefill_gpu": 64, "num_decode_gpu": 64, "is_multinode": False},
    ]


def guidellm(**strategy: Any) -> dict[str, Any]:
    """Version 2: milliseconds but for the whole request, and a TPOT that counts the first token: 10.45 s / 200 = 52.25 ms."""

    def metric(figures: dict[str, float], count: int = REQUESTS) -> dict[str, Any]:
        percentiles = {name: figures.get(name, figures["mean"]) for name in ("p50", "p90", "p99", "p999")}
        nothing = {"mean": 0.0, "count": 0, "percentiles": dict.fromkeys(percentiles, 0.0)}
        return {"successful": {"mean": figures["mean"], "count": count, "percentiles": percentiles}, "errored": nothing}

    over_all = {name: E2E_S / OUTPUT * 1e3 * factor for name, factor in STEADY.items()}
    metrics = {
        "request_totals": {"successful": REQUESTS, "errored": 0, "incomplete": 0, "total": REQUESTS},
        "requests_per_second": metric({"mean": RATE_PER_S}),
        "request_latency": metric(spelled("e2e")),
        "prompt_token_count": metric({"mean": float(INPUT)}),
        "output_token_count": metric({"mean": float(OUTPUT)}),
        "time_to_first_token_ms": metric(spelled("ttft", scale=1e-3)),
        "time_per_output_token_ms": metric(over_all, REQUESTS * OUTPUT),
        "inter_token_latency_ms": metric(spelled("itl", scale=1e-3), REQUESTS * (OUTPUT - 1)),
        "prompt_tokens_per_second": metric({"mean": INPUT * RATE_PER_S}),
        "output_tokens_per_second": metric({"mean": OUTPUT * RATE_PER_S}),
        "tokens_per_second": metric({"mean": (INPUT + OUTPUT) * RATE_PER_S}),
    }
    sent = strategy or {"type_": "concurrent", "streams": IN_FLIGHT, "rampup_duration": 0.0}
    benchmark = {
        "type_": "generative_benchmark",
        "config": {"strategy": sent, "backend": {"kind": "openai_http", "model": "acme/Model-7B-Instruct"}},
        "scheduler_state": {},
        "metrics": metrics,
        "start_time": 1793534400.0,  # 1 November 2026, 12:00 UTC
        "duration": REQUESTS / RATE_PER_S,
    }
    return {"metadata": {"version": 2, "guidellm_version": "0.8.0"}, "config": {}, "benchmarks": [benchmark]}


def inference_perf(*, tokens_counted_twice: bool = False) -> dict[str, Any]:
    """A load stage, in seconds. Versions that count tokens twice state half the time per token."""
    words = {"p50": "median", "p999": "p99.9"}
    tpot = {key: value / (2.0 if tokens_counted_twice else 1.0) for key, value in spelled("tpot", **words).items()}
    latency = {
        "request_latency": spelled("e2e", **words),
        "time_per_output_token": tpot,
        "time_to_first_token": spelled("ttft", **words),
        "inter_token_latency": tpot,
    }
    throughput = {
        "input_tokens_per_sec": INPUT * RATE_PER_S,
        "output_tokens_per_sec": OUTPUT * RATE_PER_S,
        "total_tokens_per_sec": (INPUT + OUTPUT) * RATE_PER_S,
        "requests_per_sec": RATE_PER_S,
    }
    lengths = {name: {"mean": float(n), "median": float(n)} for name, n in (("prompt_len", INPUT), ("output_len", OUTPUT))}
    return {
        "load_summary": {"count": REQUESTS, "requested_rate": 1.6, "achieved_rate": 1.55, "send_duration": 103.2},
        "successes": {"count": REQUESTS, "latency": latency, "throughput": throughput, **lengths},
        "failures": {"count": 0},
    }


def mlperf_log() -> bytes:
    """LoadGen's summary, in nanoseconds: a server run at 1.6 queries a second under 2 s and 200 ms."""

    def lines(what: str, name: str) -> list[str]:
        words = {"mean": f"Mean {what[0].upper()}{what[1:]}", "p999": f"99.90 percentile {what}"}
        words |= {f"p{q}": f"{q}.00 percentile {what}" for q in (50, 90, 95, 99)}
        return [f"{words[key]} (ns) : {value:.0f}" for key, value in spelled(name, scale=1e-9).items()]

    rule = "=" * 48
    return "\n".join(
        [
            *(rule, "MLPerf Results Summary", rule, "SUT name : PySUT", "Scenario : Server", "Mode     : PerformanceOnly"),
            f"Completed samples per second    : {RATE_PER_S:.4f}",
            f"Completed tokens per second: {OUTPUT * RATE_PER_S:.2f}",
            *("Result is : VALID", "  Performance constraints satisfied : Yes", "", rule, "Additional Stats", rule),
            "Scheduled samples per second : 1.60",
            *lines("latency", "e2e"),
            *lines("first token latency", "ttft"),
            *lines("time to output token", "tpot"),
            *(rule, "Test Parameters Used", rule, "samples_per_query : 1", "target_qps : 1.6"),
            *("ttft_latency (ns): 2000000000", "tpot_latency (ns): 200000000", "max_async_queries : 0"),
            *("min_duration (ms): 600000", "performance_sample_count : 24576", ""),
        ]
    ).encode()


def aiconfigurator(lines: int = 7) -> bytes:
    """Measured points in milliseconds: one engine of 4 GPUs, then the same at more requests in flight."""
    columns = (
        "id,silicon_data_source,backend,backend_version,model_path,system,precision,mode,isl,osl,gemm_quant_mode,moe_quant_mode,"
        "batch_size,tp_size,pp_size,attention_dp_size,moe_tp_size,moe_ep_size,prefill_batch_size,prefill_num_workers,"
        "prefill_tp_size,prefill_pp_size,prefill_attention_dp_size,prefill_moe_tp_size,prefill_moe_ep_size,decode_batch_size,"
        "decode_num_workers,decode_tp_size,decode_pp_size,decode_attention_dp_size,decode_moe_tp_size,decode_moe_ep_size,"
        "silicon_ttft_ms,silicon_tpot_ms"
    )
    rows = [
        f"made_{n},db-dump/2026-11-01; config_id={n}; silicon_concurrency={IN_FLIGHT * n}; measured=2026-11-01T00:00:00.000Z; "
        f"workflow_run_id={n}; vllm/vllm-openai:v0.19.0,vllm,0.19.0,acme/Model-7B-Instruct,h200_sxm,fp8,agg,1000,200,fp8,fp8,"
        f"{IN_FLIGHT * n},4,1,1,4,1{',' * 15}{500.0 * n},{50.0 + n - 1:.6f}"
        for n in range(1, lines + 1)
    ]
    return "\n".join([columns, *rows, ""]).encode()


AZURE_TRACE = (
    b"TIMESTAMP,ContextTokens,GeneratedTokens\n2026-11-01 12:00:00.0000000,1000,200\n2026-11-01 12:00:02.0000000,3000,100\n"
    b"2026-11-01 12:00:04.0000000,2000,300"
)
"""Three requests in four seconds; the file ends without a line end."""
MOONCAKE_TRACE = b"".join(
    json.dumps({"timestamp": at, "input_length": i, "output_length": o, "hash_ids": [at]}).encode() + b"\n"
    for at, i, o in ((0, 1000, 200), (2000, 3000, 100), (4000, 2000, 300))
)
"""The same in milliseconds from the first."""

RUNS: dict[str, Callable[[], object]] = {
    "vllm": vllm,
    "inferencex": inferencex,
    "inferencex client": client_result,
    "guidellm": guidellm,
    "inference_perf": inference_perf,
    "mlperf_log": mlperf_log,
    "aiconfigurator": aiconfigurator,
}


def body(name: str) -> bytes:
    """The file of a format, as bytes."""
    document = RUNS[name]()
    return document if isinstance(document, bytes) else json.dumps(document).encode()
