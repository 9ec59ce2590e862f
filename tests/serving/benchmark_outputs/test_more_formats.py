"""Formats without a public sample here, each by a small file in the shape its tool writes (tests/fuzz/seeds)."""

import gzip
import json

import pyarrow as pa
import pytest
import yaml

from sources.serving.benchmark_outputs import BenchmarkFile, RunMeta, detect, ingest
from sources.serving.benchmark_outputs.format_table import as_markdown
from sources.serving.benchmark_outputs.traces import ingest_trace
from tests.refreshed import ROOT
from tests.serving.benchmark_outputs import made
from tests.serving.benchmark_outputs.samples import only_point, read, rules

SEEDS = ROOT / "tests" / "fuzz" / "seeds"
PAGE = ROOT / "docs" / "benchmark_files.md"


def seed(name: str) -> bytes:
    return (SEEDS / name / "whole").read_bytes()


def of(name: str) -> bytes:
    return seed(f"benchmark_outputs.{name}")


def test_sweep_of_vllm_keeps_what_it_varied_and_passes_over_its_warm_up():
    row = only_point(of("vllm_sweep"))
    assert (row["source"], row["engine"], row["tp"], row["input_tokens_nominal"]) == ("vllm", None, 2, 1000)
    assert (row["ttft_p50_s"], row["failed_share"]) == (pytest.approx(0.4005), 0.0)
    assert rules(of("vllm_sweep").replace(b",0,2,1000,200", b",-1,2,1000,200")) == ["warm_up"]


def test_batch_latency_and_throughput_without_a_server():
    assert only_point(of("vllm_latency"))["e2e_p99_s"] == pytest.approx(1.9543)
    told = RunMeta(gpus=2, input_tokens=200, output_tokens=200)
    assert only_point(of("vllm_throughput"), told)["output_tokens_per_s_per_gpu"] == 8000


def test_one_batch_of_sglang_takes_its_rate_from_tokens_and_time():
    engine, server = read(of("sglang_one_batch")).accepted.to_dicts()
    assert engine["tpot_p50_s"] == 0.0121
    assert server["ttft_mean_s"] == 80.1232
    # The stated output rate is over decoding alone: 551.92.
    assert server["output_tokens_per_s"] == pytest.approx(33 * 65536 / 3998.5722)
    assert only_point(of("sglang_offline"))["output_tokens_per_s"] == 8000


def test_trtllm_report_with_streaming():
    row = only_point(of("trtllm_bench"))
    assert (row["gpu_canonical"], row["gpus_total"], row["tp"]) == ("h100-sxm", 2, 2)
    assert (row["ttft_mean_s"], row["tpot_p99_s"]) == (0.5, pytest.approx(0.01305))
    assert row["latency_closure"] == pytest.approx(1.0, abs=1e-3)


def test_llm_d_report_states_its_units_and_its_stack():
    row = only_point(of("llm_d"))
    assert (row["engine"], row["gpu_canonical"], row["gpus_total"], row["tp"]) == ("vllm", "h100-sxm", 2, 2)
    assert (row["ttft_p95_s"], row["e2e_mean_s"], row["request_rate_per_s"]) == (pytest.approx(0.2205), 4.1455, 2.0)
    assert str(row["measured_on"]) == "2025-11-05"


def test_llm_d_report_of_version_2_with_two_pools():
    first = yaml.safe_load(of("llm_d"))
    engine = {"tool": "llm-d", "tool_version": "0.3.1", "model": {"name": "Qwen/Qwen3-32B"}}
    stack = [
        {
            "metadata": {"kind": "inference_engine", "label": role},
            "standardized": engine
            | {"role": role, "accelerator": {"model": "NVIDIA-H200", "count": count, "parallelism": {"tp": count}}},
        }
        for role, count in (("prefill", 2), ("decode", 4))
    ]
    metrics = first["metrics"]
    rates = metrics["throughput"]
    throughput = {
        "output_token_rate": {"units": "tokens/s", "mean": rates["output_tokens_per_sec"]},
        "total_token_rate": {"units": "tokens/s", "mean": rates["total_tokens_per_sec"]},
        "request_rate": {"units": "queries/s", "mean": rates["requests_per_sec"]},
    }
    report = {
        "version": "0.2",
        "run": {"uid": "x", "time": {"start": "2025-11-05T18:00:42Z", "duration": "PT1M0.5S"}},
        "scenario": {
            "stack": stack,
            "load": {"standardized": {"tool": "inference-perf", "rate_qps": 2, "concurrency": float("inf")}},
        },
        "results": {
            "request_performance": {
                "aggregate": {"requests": metrics["requests"], "latency": metrics["latency"], "throughput": throughput}
            }
        },
    }
    row = only_point(yaml.safe_dump(json.loads(json.dumps(report))).encode())
    assert (row["architecture"], row["gpus_prefill"], row["gpus_decode"]) == ("disaggregated", 2, 4)
    assert (row["arrival"], row["request_rate_per_s"], row["duration_s"]) == ("open_loop", 2.0, 60.5)
    assert row["output_tokens_per_s_per_gpu"] == pytest.approx(397.2 / 6)


def test_llmperf_counts_the_first_token():
    row = only_point(of("llmperf"))
    assert (row["concurrency"], row["tpot_definition"], row["n_failed"]) == (4, "over_all_tokens", 0)
    assert (row["tpot_mean_s"], row["e2e_p99_s"]) == (0.01192, 1.521)
    assert row["requests_per_s"] == pytest.approx(3.3729)


def test_inferencex_table_is_in_seconds_whatever_its_header_says():
    row = only_point(of("inferencex_csv"))
    assert (row["gpu_canonical"], row["gpus_total"], row["ttft_p99_s"]) == ("h200-sxm", 8, 1.21366)
    header, line = of("inferencex_csv").decode().splitlines()
    columns = header.split(",")
    in_ms = [
        str(float(cell) * 1000) if name.endswith("(ms)") else cell for name, cell in zip(columns, line.split(","), strict=True)
    ]
    again = only_point("\n".join([header, ",".join(in_ms), ""]).encode())
    assert again["tpot_mean_s"] == pytest.approx(row["tpot_mean_s"])


def test_llama_bench_tells_prompt_and_answer_apart():
    for body in (of("llama_bench"), of("llama_bench_csv")):
        prompt, answer = read(body).accepted.to_dicts()
        assert (prompt["gpu_canonical"], prompt["ttft_mean_s"]) == ("rtx-4090", pytest.approx(0.07213564))
        assert (answer["tpot_mean_s"], answer["output_tokens_per_s"]) == (pytest.approx(0.00714286), pytest.approx(140.0))
        assert (answer["ttft_mean_s"], answer["concurrency"]) == (None, 1)


def test_log_of_mlperf():
    row = only_point(of("mlperf_log"))
    assert (row["source"], row["slo_ttft_s"], row["ttft_p95_s"]) == ("mlperf", 2.0, 1.1)
    assert rules(of("mlperf_log").replace(b"VALID", b"INVALID")) == ["result_not_valid"]


def test_guidellm_report_as_yaml_and_of_version_1():
    report = made.guidellm()
    report["benchmarks"] = report["benchmarks"][:1]
    for benchmark in report["benchmarks"]:
        benchmark["requests"] = {}
    (second,) = read(yaml.safe_dump(report).encode()).accepted.to_dicts()
    assert second["tpot_definition"] == "over_all_tokens"
    first = report | {"metadata": report["metadata"] | {"version": 1}}
    (row,) = read(first).accepted.to_dicts()
    assert row["ttft_mean_s"] == second["ttft_mean_s"]
    assert row["tpot_mean_s"] == row["itl_mean_s"]


def test_packed_files():
    plain = of("vllm_throughput")
    packed = bytes(pa.Codec("zstd").compress(plain, asbytes=True))
    assert detect(gzip.compress(plain)) == detect(packed) == "vllm_throughput"
    assert detect(gzip.compress(plain)[:-9]) is None


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        ({"completed": 0, "total_output_tokens": 0}, "no_answer"),
        ({"backend": "openai-audio"}, "not_a_text_task"),
        ({"endpoint": "/v1/embeddings"}, "not_a_text_task"),
    ],
)
def test_what_is_no_run(record, rule):
    run = {"model_id": "m", "num_prompts": 4, "completed": 4, "duration": 2.0, "mean_ttft_ms": 100.5, "mean_tpot_ms": 20.5}
    parsed = read(run | record)
    assert parsed.accepted.is_empty()
    assert parsed.rejected.select("rule", "severity").rows() == [(rule, "out_of_scope")]


def test_summary_of_all_stages_is_no_run():
    stage = {"load_summary": {"count": 9}, "successes": {"count": 9, "latency": {}, "throughput": {}}}
    assert rules(stage) == ["pooled_stages"]


def test_sessions_of_lmcache_have_gaps_and_no_arrivals(tmp_path):
    (tmp_path / "trace").write_bytes(seed("user_files.lmcache_session_trace"))
    row = ingest_trace(tmp_path / "trace", parquet=tmp_path / "p").workload.row(0, named=True)
    assert (row["arrival_basis"], row["input_tokens_basis"], row["n_sessions"]) == ("gaps", "estimated_from_text", 1)
    assert row["requests_per_s"] is None


def test_two_possible_layouts_are_decided_by_the_user(tmp_path):
    (tmp_path / "trace").write_bytes(
        b'{"timestamp": 0, "input_length": 10, "output_length": 5}\n{"timestamp": 9, "input_length": 10, "output_length": 5}\n'
    )
    with pytest.raises(ValueError, match=r"mooncake_trace \(milliseconds\) or a bailian_trace \(seconds\).*--format"):
        ingest_trace(tmp_path / "trace", parquet=tmp_path / "p")
    spans = [
        ingest_trace(tmp_path / "trace", parquet=tmp_path / "p", named=name).workload["duration_s"].item()
        for name in ("mooncake_trace", "bailian_trace")
    ]
    assert spans == pytest.approx([0.009, 9.0])


def test_records_that_contradict_each_other_are_not_one_run():
    rows = [
        BenchmarkFile("a", json.dumps(of_run()).encode(), RunMeta(gpu="h100-sxm", gpus=8)),
        BenchmarkFile("b", json.dumps(of_run(), indent=1).encode()),
        BenchmarkFile("c", json.dumps(of_run(), indent=2).encode(), RunMeta(gpu="h100-sxm", gpus=4)),
    ]
    assert ingest(rows[:2]).accepted.select("gpus_total", "priceable").rows() == [(8, True)]
    assert sorted(ingest([rows[0], rows[2]]).accepted["gpus_total"]) == [4, 8]


def of_run() -> dict[str, object]:
    return {
        "model_id": "acme/Model-7B",
        "num_prompts": 160,
        "completed": 160,
        "duration": 104.512345,
        "output_throughput": 306.184,
        "total_output_tokens": 32000,
        "mean_ttft_ms": 512.3456,
        "mean_tpot_ms": 50.12345,
    }


def test_page_lists_every_format():
    assert as_markdown() in PAGE.read_text(), "the table comes from sources.serving.benchmark_outputs.format_table.as_markdown"
