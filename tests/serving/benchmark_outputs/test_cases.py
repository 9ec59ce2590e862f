"""Files that people really have, as a folder of cases with what is right for each: what comes out, row by row.

The cases are public but not part of this project: a test that needs one is skipped where the folder is absent.
"""

from pathlib import Path
from typing import Any

import pytest

from sources.serving.benchmark_outputs import RunMeta, detect, parse
from sources.serving.benchmark_outputs.traces import ingest_trace
from tests.serving.benchmark_outputs.samples import FOLDER, read, rules

CASES = FOLDER.parent / "cases" / "ingest"
SAME_CONTENT = ("utf16.json", "run.json.gz", "log_before_json.txt")


def case(name: str) -> bytes:
    path = CASES / name
    if not path.exists():
        pytest.skip(f"the case {name} is not on this machine")
    return path.read_bytes()


def point(name: str, meta: RunMeta | None = None) -> dict[str, Any]:
    (row,) = read(case(name), meta).accepted.to_dicts()
    return row


@pytest.mark.published
def test_the_client_is_not_the_server():
    assert point("sglang_by_vllm_client_c16.json")["engine"] is None
    told = point("sglang_by_vllm_client_c16.json", RunMeta(engine="sglang", model="deepseek-r1"))
    assert (told["engine"], told["engine_basis"], told["client"]) == ("sglang", "user", "vllm")
    assert (told["model_canonical"], told["model_in_file"]) == ("deepseek-r1", "/models/deepseek-r1")


@pytest.mark.published
def test_pipeline_stages_are_gpus():
    row = point("infx_agg_tp4_pp2.json")
    assert (row["gpus_total"], row["tp"], row["pp"]) == (8, 4, 2)
    assert row["output_tokens_per_s"] == pytest.approx(864.9, abs=0.1)


@pytest.mark.published
def test_one_engine_over_several_nodes_is_taken():
    row = point("infx_agg_multinode_agg.json")
    assert (row["gpus_total"], row["architecture"]) == (16, "colocated")
    assert row["output_tokens_per_s"] == pytest.approx(864.9, abs=0.1)


@pytest.mark.published
def test_time_per_token_that_does_not_close_is_computed_from_the_whole_request():
    row = point("infperf_bs_stage3.json")
    assert row["tpot_mean_s"] == pytest.approx((1.698 - 0.146) / 61.8, rel=2e-3)
    assert (row["tpot_basis"], row["tpot_p99_s"]) == ("from_e2e", None)
    assert "is not believed" in row["notes"]


@pytest.mark.published
def test_metrics_of_prometheus_are_no_run():
    parsed = read(case("infperf_bs_prom3.json"))
    assert parsed.accepted.is_empty()
    assert parsed.rejected.select("rule", "severity").rows() == [("no_run", "out_of_scope")]


@pytest.mark.published
def test_run_of_which_most_failed_is_a_closed_loop_and_says_so():
    row = point("half_failed.json")
    assert (row["arrival"], row["concurrency"]) == ("closed_loop", 64)
    assert row["failed_share"] == pytest.approx(620 / 640)
    assert "96.9% of the requests failed" in row["notes"]


@pytest.mark.published
def test_nothing_streamed_means_no_latency():
    row = point("sgl9585_ttft0.jsonl")
    assert [row[f"{name}_mean_s"] for name in ("ttft", "tpot", "itl", "e2e")] == [None] * 4
    assert "nothing streamed" in row["notes"]


@pytest.mark.published
def test_trtllm_report():
    row = point("trtllm_report_W0a.json")
    assert (row["engine"], row["engine_basis"], row["gpus_total"], row["tp"]) == ("tensorrt-llm", "server", 1, 1)
    assert row["output_tokens_per_s_per_gpu"] == pytest.approx(27784.97)
    assert (row["e2e_p95_s"], row["precision"]) == (pytest.approx(119.7529), "FP8")


@pytest.mark.published
def test_genai_perf_table_with_thousands_separators():
    row = point("genaiperf.csv")
    assert (row["e2e_mean_s"], row["output_tokens_per_s"]) == (pytest.approx(6.9649), pytest.approx(4826.84))
    assert row["n_requests"] == 5429


@pytest.mark.published
def test_offline_runs_of_vllm_take_their_lengths_from_the_user():
    plain = point("vllm_throughput.json")
    assert (plain["arrival"], plain["total_tokens_per_s"], plain["output_tokens_per_s"]) == ("all_at_once", 38095.2, None)
    told = point("vllm_throughput.json", RunMeta(gpu="h100-sxm", gpus=1, input_tokens=300, output_tokens=100))
    assert told["output_tokens_per_s_per_gpu"] == pytest.approx(38095.2 / 4)
    assert (told["output_rate_basis"], told["priceable"]) == ("from_total", True)
    assert rules(case("vllm_throughput.json"), RunMeta(input_tokens=3000, output_tokens=100)) == ["meta_contradicts_file"]
    batch = point("vllm_latency.json", RunMeta(gpus=1, concurrency=8, input_tokens=32, output_tokens=128))
    assert batch["output_tokens_per_s"] == pytest.approx(8 * 128 / 1.93)
    assert (batch["e2e_mean_s"], batch["engine"]) == (1.93, "vllm")


@pytest.mark.published
def test_llama_bench_computes_a_prompt():
    row = point("llamabench.json")
    assert (row["engine"], row["gpu"], row["concurrency"]) == ("llama.cpp", "NVIDIA GeForce RTX 4080", 1)
    assert (row["model"], row["precision"]) == ("Qwen2.5-7B-Instruct", "q4_k")
    assert (row["ttft_mean_s"], row["input_tokens_per_s"]) == (pytest.approx(0.0721356), pytest.approx(7097.7, abs=1))
    assert row["output_tokens_per_s"] is None


@pytest.mark.published
def test_one_static_batch_of_sglang():
    row = point("sgl_bench_one_batch.jsonl")
    assert (row["concurrency"], row["ttft_mean_s"], row["tpot_p50_s"]) == (16, 0.35, 0.012)
    assert row["output_tokens_per_s"] == pytest.approx(16 * 16 / 0.55)


@pytest.mark.published
@pytest.mark.parametrize("name", SAME_CONTENT)
def test_the_same_content_in_other_clothes(name):
    row = point(name)
    assert (row["source"], row["run_id"]) == ("vllm", point("numbers_as_strings.json")["run_id"])


@pytest.mark.published
def test_objects_one_after_the_other():
    parsed = read(case("concat_pretty.json"))
    assert parsed.accepted["concurrency"].to_list() == [64]
    # The second is the first with half the bound: 62 requests in flight cannot be.
    assert parsed.rejected["rule"].to_list() == ["against_littles_law"]


@pytest.mark.published
def test_a_served_name_is_mapped_by_the_user():
    row = point("served_name.json", RunMeta(model="llama-3.1-8b"))
    assert (row["model_canonical"], row["model_in_file"]) == ("llama-3.1-8b", "/data/models/llama3")


@pytest.mark.published
def test_the_95th_percentile_is_kept():
    row = point("p50_p95.json")
    assert (row["ttft_p95_s"], row["tpot_p95_s"]) == (2.0, pytest.approx(0.0212))


@pytest.mark.published
def test_one_statistic_that_is_no_number_costs_only_itself():
    row = point("nan_tpot.json")
    assert (row["tpot_mean_s"], row["ttft_mean_s"]) == (None, pytest.approx(0.5954848))
    assert "mean_tpot_ms" in row["notes"]


@pytest.mark.published
def test_a_date_that_is_none_costs_only_itself():
    row = point("date_epoch.json")
    assert (row["measured_on"], row["n_requests"]) == (None, 640)
    assert "measured_on is not read" in row["notes"]


@pytest.mark.published
def test_numbers_written_as_texts_are_read():
    row = point("numbers_as_strings.json")
    assert (row["ttft_p99_s"], row["duration_s"]) == (pytest.approx(3.14276395), pytest.approx(195.3124906))


@pytest.mark.published
@pytest.mark.parametrize(
    ("name", "layout", "requests", "span_s"),
    [("bailian_traceA.jsonl", "bailian_trace", 3, 7200.0), ("burstgpt_1_6col.csv", "burstgpt_trace", 3, 113.0)],
)
def test_traces(tmp_path: Path, name, layout, requests, span_s):
    file = tmp_path / name
    file.write_bytes(case(name))
    row = ingest_trace(file, parquet=tmp_path / "requests.parquet").workload.row(0, named=True)
    assert (row["source"], row["n_requests"], row["duration_s"]) == (layout, requests, span_s)
    if layout == "bailian_trace":
        assert (row["n_sessions"], row["prefix_hit_rate"]) == (2, pytest.approx(16 / 1621))
    else:
        assert row["n_failed"] == 1


@pytest.mark.published
def test_every_case_is_known():
    if not CASES.exists():
        pytest.skip("the cases are not on this machine")
    unknown = [
        file.name
        for file in sorted(CASES.iterdir())
        if file.suffix != ".md" and "trace" not in file.name and "burst" not in file.name and detect(file.read_bytes()) is None
    ]
    assert unknown == []


def test_unknown_files_are_told_what_they_look_like_and_which_keys_are_missing():
    with pytest.raises(ValueError, match=r"a JSON object with mean_ttft_ms, note; nearest: vllm \(lacks model_id, completed\)"):
        parse(b'{"mean_ttft_ms": 12.0, "note": 1}', file_name="x", meta=None)
    with pytest.raises(ValueError, match="a table with the columns a, b"):
        parse(b"a,b\n1,2\n", file_name="x", meta=None)
