import json

import polars as pl
import pytest

from sources.serving.benchmark_outputs import detect
from tests.serving.benchmark_outputs.samples import CLIENT_RESULT, INFERENCEX, only_point, read, record_of, rules, sample

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


@pytest.fixture(scope="module")
def capture() -> pl.DataFrame:
    return read(sample(INFERENCEX)).accepted


def test_every_row_but_one_is_believed():
    parsed = read(sample(INFERENCEX))
    assert parsed.accepted.height == 434
    # 512 clients and 50 tokens/s per GPU on MI355X: rate times latency makes 12 requests in flight.
    assert parsed.rejected.select("rule", "severity").rows() == [("against_littles_law", "suspect")]


def test_measured_crossover_of_colocated_and_disaggregated_serving(capture):
    """H200, DeepSeek-R1 FP8, 8k/1k: best total tokens/s per GPU under p99 contracts, as re-derived from this capture."""
    runs = capture.filter(gpu="h200", precision="fp8", input_tokens_nominal=8192, output_tokens_nominal=1024)

    def best(architecture: str, ttft_s: float, tpot_s: float) -> float:
        inside = runs.filter(pl.col("ttft_p99_s") <= ttft_s, pl.col("tpot_p99_s") <= tpot_s, architecture=architecture)
        return round(inside["total_tokens_per_s_per_gpu"].max())

    assert (best("colocated", 5, 0.05), best("disaggregated", 5, 0.05)) == (933, 415)
    assert (best("colocated", 20, 0.05), best("disaggregated", 20, 0.05)) == (1238, 1824)
    assert (best("colocated", 30, 0.05), best("disaggregated", 30, 0.05)) == (1238, 2070)


def test_gpus_of_one_engine_are_its_tensor_parallelism(capture):
    stated_64 = capture.filter(pl.col("notes").str.contains("states 64 GPUs"))
    assert stated_64.height == 33
    assert stated_64["gpus_total"].unique().to_list() == [8]


def test_littles_law_agrees_with_every_gpu_count(capture):
    """Requests in flight = rate of the system x latency; lengths are about .9 of nominal."""
    tokens = 0.9 * (pl.col("input_tokens_nominal") + pl.col("output_tokens_nominal"))
    in_flight = pl.col("total_tokens_per_s") / tokens * pl.col("e2e_mean_s") / pl.col("concurrency")
    assert capture["gpus_total"].null_count() == 0
    assert capture.select(in_flight.is_between(0.75, 1.1).all()).item()


def test_rates_per_phase_become_rates_of_the_whole_system(capture):
    pools = capture.filter(architecture="disaggregated")
    difference = pl.col("input_tokens_per_s_per_gpu") + pl.col("output_tokens_per_s_per_gpu")
    assert pools.select((difference / pl.col("total_tokens_per_s_per_gpu") - 1).abs().max()).item() < 0.01


def test_pools_stated_as_one_sum_are_recovered_from_the_rates(capture):
    recovered = capture.filter(pl.col("notes").str.contains("for each pool"))
    assert sorted(recovered.select("gpus_prefill", "gpus_decode").rows()) == [
        (4, 16),
        (4, 24),
        (4, 24),
        (4, 32),
        (4, 32),
        (24, 48),
        (32, 16),
        (48, 24),
    ]


def test_lengths_are_nominal_and_the_start_burst_is_flagged(capture):
    assert capture["output_tokens_mean"].null_count() == 434
    assert capture["start_burst_bias"].all()
    assert capture["arrival"].unique().to_list() == ["closed_loop"]


def test_names_power_and_place(capture):
    row = capture.filter(gpu="mi355x", concurrency=2048, input_tokens_nominal=8192).row(0, named=True)
    assert row["power_w_per_gpu"] == 907.773
    assert row["joules_per_output_token"] == 0.685255
    assert (row["gpus_prefill"], row["gpus_decode"], row["prefill_workers"]) == (16, 8, 2)
    assert row["source_locator"].startswith("https://github.com/SemiAnalysisAI/InferenceX/actions/runs/")
    assert set(capture["gpu_canonical"].unique()) == {
        "b200-sxm",
        "b300-sxm",
        "gb200",
        "gb300",
        "h100-sxm",
        "h200-sxm",
        "mi300x",
        "mi325x",
        "mi355x",
    }


def test_counts_that_reproduce_no_rate_are_refused():
    row = next(row for row in json.loads(sample(INFERENCEX)) if row["is_multinode"] and row["num_prefill_gpu"] == 4)
    assert rules([row | {"num_decode_gpu": 7}]) == ["throughput_not_reproduced"]


def test_row_that_does_not_say_whether_it_is_disaggregated_is_refused():
    row = json.loads(sample(INFERENCEX))[0]
    del row["disagg"]
    assert rules([row]) == ["missing_key"]


def test_aggregate_file():
    assert detect(json.dumps(AGGREGATE).encode()) == "inferencex"
    point = only_point(AGGREGATE)
    assert (point["gpus_total"], point["tp"], point["dp_attention"]) == (4, 4, False)
    assert point["output_tokens_per_s"] == 2800
    assert (point["ttft_p99_s"], point["speculative_decoding"], point["priceable"]) == (0.2, "none", True)


def test_result_of_the_client_is_in_seconds():
    point = only_point(sample(CLIENT_RESULT))
    assert (point["ttft_p99_s"], point["tpot_p50_s"]) == (2.077586937993753, 0.033614915054966145)
    assert (point["output_tokens_mean"], point["concurrency"]) == (128, 16)
    assert point["total_tokens_per_s"] == pytest.approx(3228.647450737003 + 403.5809313421254)


def test_client_result_in_milliseconds_is_refused():
    record = record_of(CLIENT_RESULT)
    in_ms = {key: value * 1000 for key, value in record.items() if key.endswith(("_ttft", "_tpot", "_e2el"))}
    assert "against_littles_law" in rules(record | in_ms)
