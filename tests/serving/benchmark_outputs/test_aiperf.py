import copy
import json
from typing import Any

import numpy as np
import pytest

from sources.serving.benchmark_outputs import detect
from tests.serving.benchmark_outputs.samples import only_point, read, rules

# The example of AIPerf's own documentation, completed with the percentiles it leaves out.
AGGREGATE: dict[str, Any] = {
    "schema_version": "1.5",
    "aiperf_version": "0.13.0",
    "benchmark_id": "f43cfc1c6cce",
    "request_throughput": {"unit": "requests/sec", "avg": 13.16084556379392},
    "request_latency": {
        "unit": "ms",
        "avg": 6550.356151749999,
        "p50": 5799.897624499999,
        "p90": 8594.209632299999,
        "p99": 9381.628943169999,
        "min": 4996.247445999999,
        "max": 9383.367922,
        "std": 1171.13614778278,
    },
    "time_to_first_token": {
        "unit": "ms",
        "avg": 1588.797775365,
        "p50": 787.5439584999999,
        "p90": 3695.1,
        "p99": 4119.33,
    },
    "inter_token_latency": {"unit": "ms", "avg": 51.76, "p50": 51.98, "p90": 53.18, "p99": 55.87},
    "output_sequence_length": {"unit": "tokens", "avg": 96.85, "p50": 97.0, "p90": 97.0, "p99": 97.0},
    "input_sequence_length": {"unit": "tokens", "avg": 550.0, "p50": 550.0, "p90": 550.0, "p99": 550.0},
    "output_token_throughput": {"unit": "tokens/sec", "avg": 1274.6},
    "benchmark_duration": {"unit": "sec", "avg": 15.196591969000002},
    "request_count": {"unit": "requests", "avg": 200.0},
    "good_request_count": None,
    "was_cancelled": False,
    "start_time": "2025-10-17T20:22:08.939332",
    "end_time": "2025-10-17T20:22:24.967633",
    "error_summary": [
        {"error_details": {"code": 499, "type": "RequestCancellationError"}, "count": 81},
        {"error_details": {"code": 500, "type": "InternalServerError"}, "count": 3},
    ],
    "telemetry_data": {
        "endpoints": {
            "localhost:9401": {
                "gpus": {
                    "gpu_0": {
                        "gpu_index": 0,
                        "gpu_name": "NVIDIA H100 80GB HBM3",
                        "metrics": {"nvidia_power_usage": {"unit": "W", "avg": 310.0}},
                    },
                    "gpu_1": {
                        "gpu_index": 1,
                        "gpu_name": "NVIDIA H100 80GB HBM3",
                        "metrics": {"nvidia_power_usage": {"unit": "W", "avg": 350.0}},
                    },
                }
            }
        }
    },
    "input_config": {
        "endpoint": {"model_names": ["openai/gpt-oss-20b"], "streaming": True},
        "loadgen": {"concurrency": 100, "request_rate_mode": "concurrency_burst"},
    },
}
CSV = """Metric,avg,min,max,p1,p5,p10,p25,p50,p75,p90,p95,p99,std
Request Latency (ms),6550.36,4996.25,9383.37,5523.64,5641.18,5649.25,5678.54,5799.90,7314.96,8594.21,8980.84,9381.63,1171.14
Time to First Token (ms),1588.80,382.24,4121.09,403.48,547.97,641.77,659.03,787.54,2439.00,3695.10,4051.43,4119.33,1189.99
Inter Token Latency (ms),51.76,46.81,56.30,50.41,50.50,50.53,50.86,51.98,52.17,53.18,54.32,55.87,1.23
Output Sequence Length (tokens),96.85,91.00,97.00,91.00,97.00,97.00,97.00,97.00,97.00,97.00,97.00,97.00,0.88

Metric,Value
Benchmark Duration (sec),15.20
Request Count (requests),200.00
Request Throughput (requests/sec),13.16

Endpoint,GPU_Index,GPU_Name,GPU_UUID,Metric,avg,min,max,std
localhost:9401,0,NVIDIA H100 80GB HBM3,GPU-1,GPU Power Usage (W),348.69,120.57,386.02,85.97
"""


def test_aggregate():
    assert detect(json.dumps(AGGREGATE).encode()) == "aiperf"
    point = only_point(AGGREGATE)
    assert point["ttft_p99_s"] == pytest.approx(4.11933)
    assert (point["tpot_p50_s"], point["tpot_definition"]) == (pytest.approx(0.05198), "after_first_token")
    assert (point["e2e_mean_s"], point["duration_s"]) == pytest.approx((6.550356, 15.196592))
    assert (point["n_requests"], point["n_failed"], point["model"]) == (200, 84, "openai/gpt-oss-20b")
    assert (point["arrival"], point["concurrency"], point["start_burst_bias"]) == ("closed_loop", 100, True)
    assert point["latency_closure"] == pytest.approx(1.0, abs=0.01)


def test_telemetry_names_the_gpu_and_does_not_count_it():
    point = only_point(AGGREGATE)
    assert (point["gpu_canonical"], point["power_w_per_gpu"], point["gpus_total"]) == ("h100-sxm", 330, None)
    assert "telemetry saw 2 GPUs" in point["notes"]


def test_csv_says_the_same_as_json():
    assert detect(CSV.encode()) == "aiperf"
    point = only_point(CSV.encode())
    assert (point["ttft_p99_s"], point["tpot_p90_s"]) == pytest.approx((4.11933, 0.05318))
    assert (point["n_requests"], point["requests_per_s"], point["duration_s"]) == (200, 13.16, 15.2)


def test_csv_cut_inside_a_figure_is_refused():
    assert rules(CSV[: CSV.index(",1189.99") - 3].encode()) == ["truncated"]


@pytest.mark.parametrize(("unit", "factor"), [("s", 1e-3), ("us", 1e3), ("ns", 1e6)])
def test_the_unit_is_what_the_file_says(unit, factor):
    record = copy.deepcopy(AGGREGATE)
    record["time_to_first_token"] = {
        "unit": unit,
        **{q: record["time_to_first_token"][q] * factor for q in ("avg", "p50", "p90", "p99")},
    }
    assert only_point(record)["ttft_p99_s"] == pytest.approx(4.11933)


def test_wrong_unit_is_refused():
    record = AGGREGATE | {"time_to_first_token": AGGREGATE["time_to_first_token"] | {"unit": "s"}}
    assert "first_token_after_last" in rules(record)


def test_unknown_unit_is_refused():
    record = AGGREGATE | {"time_to_first_token": AGGREGATE["time_to_first_token"] | {"unit": "ticks"}}
    assert rules(record) == ["unknown_unit"]


def test_goodput_and_its_share():
    good = {"good_request_count": {"unit": "requests", "avg": 150.0}, "goodput": {"unit": "requests/sec", "avg": 9.87}}
    point = only_point(AGGREGATE | good)
    assert (point["goodput_per_s"], point["attainment"]) == (9.87, 0.75)
    assert rules(AGGREGATE | {"good_request_count": {"unit": "requests", "avg": 300.0}}) == ["attainment_above_one"]


def test_rate_and_phases_of_newer_versions():
    phases = [
        {"name": "warmup", "concurrency": 1},
        {"name": "profiling", "request_rate": 13, "arrival_pattern": "poisson"},
    ]
    point = only_point(AGGREGATE | {"input_config": {"phases": phases}})
    assert (point["arrival"], point["arrival_process"], point["request_rate_per_s"]) == ("open_loop", "poisson", 13)


def request(i: int, *, phase: str = "profiling", error: object = None, ttft_ms: float = 80.0) -> dict[str, Any]:
    """A record of one request as the tool writes it: 101 tokens, 10 ms apart after the first."""
    start = 1_759_813_207_532_900_363 + i * 100_000_000
    latency_ms = ttft_ms + 1000
    metrics = {
        "input_sequence_length": {"value": 500 + i, "unit": "tokens"},
        "output_sequence_length": {"value": 101, "unit": "tokens"},
        "time_to_first_token": {"value": ttft_ms, "unit": "ms"},
        "inter_token_latency": {"value": 10.0, "unit": "ms"},
        "inter_chunk_latency": {"value": [20.0] * 50, "unit": "ms"},
        "request_latency": {"value": latency_ms, "unit": "ms"},
    }
    return {
        "metadata": {
            "session_num": i,
            "benchmark_phase": phase,
            "was_cancelled": error is not None,
            "request_start_ns": start,
            "request_end_ns": start + round(latency_ms * 1e6),
        },
        "metrics": metrics if error is None else {},
        "error": error,
    }


def lines(*requests: dict[str, Any]) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in requests).encode()


def test_requests_of_the_profiling_phase_make_one_run():
    warmup = [request(i, phase="warmup", ttft_ms=5000) for i in range(5)]
    failure = request(99, error={"code": 500, "type": "InternalServerError"})
    measured = [request(i, ttft_ms=50 + i) for i in range(100)]
    point = only_point(lines(*warmup, failure, *measured))
    assert (point["n_requests"], point["n_failed"]) == (100, 1)
    assert point["ttft_p99_s"] == pytest.approx(np.percentile(np.arange(50, 150), 99) / 1000)
    assert (point["tpot_p99_s"], point["itl_p50_s"]) == pytest.approx((0.010, 0.020))
    assert point["duration_s"] == pytest.approx(9.9 + 1.149)
    assert point["output_tokens_per_s"] == pytest.approx(100 * 101 / 11.049)
    assert (point["input_tokens_p50"], point["latency_closure"]) == (549.5, pytest.approx(1))


def test_broken_requests_are_refused_one_by_one():
    wrong_unit = request(7)
    wrong_unit["metrics"]["request_latency"]["unit"] = "s"
    text = request(8)
    text["metrics"]["time_to_first_token"]["value"] = "fast"
    body = lines(*(request(i) for i in range(20)), wrong_unit, text) + b'{"metadata": {"bench'
    parsed = read(body)
    assert parsed.rejected["rule"].to_list() == ["latency_differs_from_clock", "not_a_number", "unreadable_line"]
    assert parsed.accepted.select("n_requests", "notes").row(0) == (20, "3 lines refused")


def test_run_without_a_measured_request_is_refused():
    assert rules(lines(request(0, phase="warmup"))) == ["no_requests"]
