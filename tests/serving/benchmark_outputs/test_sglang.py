import json

import pytest

from sources.serving.benchmark_outputs import detect
from tests.serving.benchmark_outputs.samples import only_point, read, rules

# A run as a user of the tool posted it: ShareGPT, 5 requests/s, at most 256 in flight.
RUN = {
    "backend": "sglang",
    "dataset_name": "sharegpt",
    "request_rate": 5.0,
    "max_concurrency": 256,
    "sharegpt_output_len": None,
    "random_input_len": 1024,
    "random_output_len": 1024,
    "random_range_ratio": 0.0,
    "duration": 204.53694480800186,
    "completed": 1000,
    "total_input_tokens": 302118,
    "total_output_tokens": 195775,
    "total_output_tokens_retokenized": 195324,
    "request_throughput": 4.88909229058201,
    "input_throughput": 1477.0827846460556,
    "output_throughput": 957.162043188693,
    "mean_e2e_latency_ms": 2409.499004891637,
    "median_e2e_latency_ms": 1537.8948565048631,
    "std_e2e_latency_ms": 2620.270331568627,
    "p99_e2e_latency_ms": 9813.89673267491,
    "mean_ttft_ms": 91.69221715730964,
    "median_ttft_ms": 76.41966750088613,
    "std_ttft_ms": 65.22224954470558,
    "p99_ttft_ms": 327.9139723521075,
    "mean_tpot_ms": 11.808901276564441,
    "median_tpot_ms": 11.829237894316,
    "std_tpot_ms": 1.9529553892334461,
    "p99_tpot_ms": 19.04175553412642,
    "mean_itl_ms": 11.917698144217361,
    "median_itl_ms": 10.71716399746947,
    "std_itl_ms": 2.8155413018211033,
    "p95_itl_ms": 18.839622958330438,
    "p99_itl_ms": 21.477889133384465,
    "concurrency": 11.780263008980727,
    "accept_length": None,
}
SERVER = {
    "model_path": "meta-llama/Llama-3.1-8B-Instruct",
    "tp_size": 2,
    "pp_size": 1,
    "dp_size": 2,
    "ep_size": 1,
    "enable_dp_attention": False,
    "chunked_prefill_size": 8192,
    "disaggregation_mode": "null",
    "version": "0.5.9",
    "quantization": None,
    "speculative_algorithm": "EAGLE",
}


def test_run_in_seconds():
    point = only_point(RUN)
    assert (point["source"], point["engine"]) == ("sglang", "sglang")
    assert point["ttft_p99_s"] == pytest.approx(0.3279139723521075)
    assert point["e2e_p50_s"] == pytest.approx(1.5378948565048631)
    assert (point["arrival"], point["request_rate_per_s"]) == ("open_loop_capped", 5.0)
    assert point["total_tokens_per_s"] == pytest.approx(1477.0827846460556 + 957.162043188693)
    assert point["latency_closure"] == pytest.approx(0.9927, abs=1e-4)


def test_every_line_is_a_run_and_a_cut_line_stops_nothing():
    whole = json.dumps(RUN)
    other = json.dumps(RUN | {"max_concurrency": 8})
    body = f"{whole}\n{whole[:300]}\n{other}\n".encode()
    assert detect(body) == "sglang"
    parsed = read(body)
    assert parsed.accepted["concurrency"].to_list() == [RUN["max_concurrency"], 8]
    assert parsed.rejected.select("rule", "row_key").row(0) == ("unreadable_line", "run.json: line 2")


def test_log_that_begins_with_a_cut_line():
    whole = json.dumps(RUN)
    assert read(f"{whole[:300]}\n{whole}\n".encode()).accepted.height == 1


def test_server_states_model_parallelism_and_chunking():
    point = only_point(RUN | {"server_info": SERVER})
    assert (point["model"], point["engine_version"]) == ("meta-llama/Llama-3.1-8B-Instruct", "0.5.9")
    assert (point["architecture"], point["speculative_decoding"]) == ("chunked", "eagle")
    assert (point["tp"], point["gpus_total"]) == (2, 4)


def test_data_parallel_attention_shares_the_gpus_of_the_tensor_group():
    point = only_point(RUN | {"server_info": SERVER | {"enable_dp_attention": True}})
    assert (point["gpus_total"], point["dp_attention"]) == (2, True)


def test_one_phase_of_a_disaggregated_system_does_not_describe_it():
    point = only_point(RUN | {"server_info": SERVER | {"disaggregation_mode": "decode"}})
    assert (point["gpus_total"], point["model"]) == (None, None)


def test_unlimited_rate_as_python_writes_it():
    point = only_point(json.dumps(RUN | {"request_rate": float("inf"), "max_concurrency": 12}).encode())
    assert (point["arrival"], point["start_burst_bias"]) == ("closed_loop", True)


def test_replayed_trace_is_an_open_loop():
    point = only_point(RUN | {"request_rate": "trace", "max_concurrency": None})
    assert (point["arrival"], point["arrival_process"]) == ("open_loop", "trace")


def test_rate_that_is_a_word_is_refused():
    assert rules(RUN | {"request_rate": "fast"}) == ["not_a_rate"]
