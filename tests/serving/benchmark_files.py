"""Small benchmark results whose figures agree with each other, made for tests; and where the real public samples lie."""

import json
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "serving"
"""Real files of benchmark tools. They are public but not part of this project: tests that need one skip where it is absent."""

TRACE = "TIMESTAMP,ContextTokens,GeneratedTokens\n2026-05-10 00:00:00.5,12,3\n2026-05-10 00:00:01.5,20,5\n"


def vllm_run(*, clients: int = 16, tpot_s: float = 0.05, request_rate: object = "inf", **changes: Any) -> bytes:
    """A result of vLLM's serving benchmark: 1,000 tokens in, 200 out, half a second to the first token."""
    n, seconds_each = 10 * clients, 0.5 + 199 * tpot_s
    duration = n * seconds_each / clients
    record = {
        "date": "20261101-120000",
        "backend": "vllm",
        "model_id": "acme/Model-7B-Instruct",
        "num_prompts": n,
        "request_rate": request_rate,
        "burstiness": 1.0,
        "max_concurrency": clients,
        "duration": duration,
        "completed": n,
        "total_input_tokens": 1000 * n,
        "total_output_tokens": 200 * n,
        "request_throughput": n / duration,
        "output_throughput": 200 * n / duration,
        "total_token_throughput": 1200 * n / duration,
        "mean_ttft_ms": 500.0,
        "median_ttft_ms": 400.0,
        "p99_ttft_ms": 1500.0,
        "mean_tpot_ms": 1e3 * tpot_s,
        "median_tpot_ms": 1e3 * tpot_s,
        "p99_tpot_ms": 1.2e3 * tpot_s,
    }
    return json.dumps(record | changes).encode()


def inferencex_row(*, clients: int = 16, tpot_s: float = 0.05, gpu: str = "h200") -> dict[str, Any]:
    """A row of InferenceX's API: one engine on 8 GPUs, 1,024 tokens in, 1,024 out."""
    e2e_s = 0.5 + 1023 * tpot_s
    tokens_per_s_per_gpu = 1024 * clients / e2e_s / 8
    latencies = {"ttft": 0.5, "tpot": tpot_s, "itl": tpot_s, "e2el": e2e_s}
    factors = {"mean": 1.0, "median": 1.0, "p90": 1.1, "p99": 1.3, "p99.9": 1.4}
    return {
        "hardware": gpu,
        "framework": "vllm",
        "model": "dsr1",
        "precision": "fp8",
        "spec_method": "none",
        "disagg": False,
        "decode_tp": 8,
        "decode_ep": 1,
        "num_prefill_gpu": 8,
        "num_decode_gpu": 8,
        "isl": 1024,
        "osl": 1024,
        "conc": clients,
        "image": "vllm:v1",
        "date": "2026-11-01",
        "run_url": f"https://example.org/{gpu}/{clients}",
        "metrics": {
            "tput_per_gpu": 2 * tokens_per_s_per_gpu,
            "input_tput_per_gpu": tokens_per_s_per_gpu,
            "output_tput_per_gpu": tokens_per_s_per_gpu,
            **{f"{level}_{name}": factor * s for name, s in latencies.items() for level, factor in factors.items()},
        },
    }


def mlperf_result(**changes: Any) -> dict[str, Any]:
    """A row of MLPerf's `summary_results.json`, as in round v5.1."""
    row = {
        "ID": "5.1-0001",
        "Submitter": "AMD",
        "Category": "closed",
        "Suite": "datacenter",
        "Platform": "8xMI300X",
        "UsedModel": "llama2-70b-99",
        "Model": "llama2-70b-99",
        "Scenario": "Interactive",
        "Nodes": 1,
        "a#": 8,
        "Accelerator": "AMD Instinct MI300X 192GB HBM3",
        "Software": "vLLM 0.9.0, ROCm 6.4.1",
        "errors": 0,
        "inferred": 0,
        "Location": "closed/AMD/results/8xMI300X/llama2-70b-99/Interactive",
        "version": "v5.1",
        "weight_data_types": "fp8",
        "Performance_Result": 8840.42,
        "Performance_Units": "Tokens/s",
    }
    return row | changes


def document_of(rows: list[dict[str, Any]]) -> bytes:
    return json.dumps(rows).encode()
