import pytest

from sources.serving.benchmark_outputs import detect
from tests.serving.benchmark_outputs import made
from tests.serving.benchmark_outputs.samples import only_point, read, rules

# Records in the shape of MLPerf Inference v5.1 (summary_results.json), keys as there.
H200 = {
    "ID": "5.1-0010",
    "Submitter": "Cisco",
    "Availability": "available",
    "Category": "closed",
    "Suite": "datacenter",
    "System": "Cisco UCS C885A M8",
    "Platform": "C885_H200x8_TRT",
    "UsedModel": "llama2-70b-99",
    "Model": "llama2-70b-99",
    "Scenario": "Server",
    "Nodes": 1,
    "Accelerator": "NVIDIA H200-SXM-141GB",
    "a#": 8,
    "Location": "closed/Cisco/results/C885_H200x8_TRT/llama2-70b-99/Server",
    "Software": "TensorRT 10.11, CUDA 12.9",
    "compliance": 1,
    "errors": 0,
    "version": "v5.1",
    "inferred": 0,
    "has_power": False,
    "weight_data_types": "fp8",
    "Performance_Result": 33163.3,
    "Performance_Units": "Tokens/s",
}
MIXED = H200 | {
    "Submitter": "MangoBoost",
    "Platform": "32xMI300X_2xEPYC_9534_16xMI325X_2xEPYC_9655",
    "Nodes": 6,
    "inferred": 1,
    "Accelerator": "AMD Instinct MI300X 192GB HBM3 (x32), AMD Instinct MI325X 256GB HBM3e (x16)",
    "Software": "vLLM 0.9.0.2.dev108, Pytorch 2.7.0, ROCm 6.4.1",
    "Performance_Result": 153076.0,
}
IMAGES = H200 | {"UsedModel": "resnet", "Performance_Result": 88526.0, "Performance_Units": "Samples/s"}


def test_result_that_loadgen_calls_invalid_is_no_result():
    body = made.mlperf_log().replace(b"Result is : VALID", b"Result is : INVALID")
    assert rules(body) == ["result_not_valid"]


def test_accuracy_run_is_no_performance():
    assert rules(made.mlperf_log().replace(b"PerformanceOnly", b"AccuracyOnly")) == ["not_a_performance_run"]


def test_log_cut_inside_a_figure_is_refused():
    body = made.mlperf_log()
    assert rules(body[: body.index(b"99.00 percentile first token") + 42]) == ["truncated"]


def test_word_for_a_number_is_refused():
    body = made.mlperf_log().replace(b": 1500000000", b": about a second")
    assert rules(body) == ["not_a_number"]


def test_published_results_are_per_node_times_nodes():
    assert detect(b'[{"UsedModel": "resnet", "Scenario": "Server", "Performance_Units": "Queries/s"}]') == "mlperf"
    parsed = read([H200 | {"Nodes": 4}, IMAGES, IMAGES])
    point = parsed.accepted.row(0, named=True)
    assert (point["gpus_total"], point["submitter"], point["basis"]) == (32, "Cisco", "peer_reviewed")
    assert point["output_tokens_per_s_per_gpu"] == pytest.approx(33163.3 / 32)
    assert (point["slo_ttft_s"], point["slo_tpot_s"]) == (2.0, 0.2)
    assert (point["engine"], point["precision"]) == ("tensorrt-llm", "fp8")
    out_of_scope = parsed.rejected.row(0, named=True)
    assert (out_of_scope["rule"], out_of_scope["severity"]) == ("not_token_throughput", "out_of_scope")
    assert out_of_scope["row_key"] == "run.json: 2 results in Samples/s"


def test_several_kinds_of_accelerator_have_no_count():
    point = only_point([MIXED])
    assert (point["gpus_total"], point["gpu_canonical"], point["priceable"]) == (None, None, False)
    assert "several kinds of accelerator" in point["notes"]
    assert "another accuracy target" in point["notes"]


def test_interactive_has_the_tighter_contract_and_offline_none():
    interactive = only_point([H200 | {"Scenario": "Interactive", "UsedModel": "llama2-70b-99.9"}])
    assert (interactive["slo_ttft_s"], interactive["slo_tpot_s"]) == (0.45, 0.04)
    offline = only_point([H200 | {"Scenario": "Offline"}])
    assert (offline["slo_ttft_s"], offline["arrival"], offline["start_burst_bias"]) == (None, "all_at_once", True)


def test_contracts_of_other_rounds_are_not_assumed():
    assert only_point([H200 | {"version": "v4.1"}])["slo_ttft_s"] is None


def test_result_with_errors_is_refused():
    assert rules([H200 | {"errors": 2}]) == ["has_errors"]
