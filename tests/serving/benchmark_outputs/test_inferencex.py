import json

from sources.serving.benchmark_outputs import detect
from tests.serving.benchmark_files import inferencex_row
from tests.serving.benchmark_outputs import made
from tests.serving.benchmark_outputs.samples import only_point, rules

# An aggregate as the project's process_result.py writes it for one node: latencies in seconds.
AGGREGATE = {
    "hw": "b200-nv",
    "conc": 16,
    "image": "vllm/vllm-openai:v0.11.0",
    "model": "openai/gpt-oss-120b",
    "infmax_model_prefix": "gptoss",
    "framework": "vllm",
    "precision": "fp4",
    "spec_decoding": "none",
    "disagg": False,
    "isl": 1024,
    "osl": 1024,
    "is_multinode": False,
    "tp": 4,
    "ep": 1,
    "dp_attention": "false",
    "tput_per_gpu": 1400.0,
    "output_tput_per_gpu": 700.0,
    "input_tput_per_gpu": 700.0,
    "mean_ttft": 0.05,
    "median_ttft": 0.045,
    "p99_ttft": 0.2,
    "mean_tpot": 0.0055,
    "median_tpot": 0.0055,
    "p99_tpot": 0.0061,
    "mean_e2el": 5.1,
    "median_e2el": 5.1,
    "p99_e2el": 6.0,
}


def test_counts_that_reproduce_no_rate_are_refused():
    row = made.inferencex_pools(prefill=4, decode=8)
    assert rules([row | {"num_decode_gpu": 7}]) == ["throughput_not_reproduced"]


def test_row_that_does_not_say_whether_it_is_disaggregated_is_refused():
    row = inferencex_row()
    del row["disagg"]
    assert rules([row]) == ["missing_key"]


def test_aggregate_file():
    assert detect(json.dumps(AGGREGATE).encode()) == "inferencex"
    point = only_point(AGGREGATE)
    assert (point["gpus_total"], point["tp"], point["dp_attention"]) == (4, 4, False)
    assert point["output_tokens_per_s"] == 2800
    assert (point["ttft_p99_s"], point["speculative_decoding"], point["priceable"]) == (0.2, "none", True)


def test_client_result_in_milliseconds_is_refused():
    record = made.client_result()
    in_ms = {key: value * 1000 for key, value in record.items() if key.endswith(("_ttft", "_tpot", "_e2el"))}
    assert "against_littles_law" in rules(record | in_ms)
