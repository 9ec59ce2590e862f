import polars as pl
import pytest

from schemas.serving.benchmark_outputs import OperatingPoint
from sources.serving.benchmark_outputs.operating_points import complete, point_frame
from sources.serving.benchmark_outputs.plausibility import split
from sources.serving.benchmark_outputs.weight_reads import active_params

# A colocated Llama-3.1-70B on 8 H100: 32 in flight, 1.3 requests/s of 24.5 s each.
SOUND = {
    "run_id": "0123456789abcdef-1",
    "source": "vllm",
    "file_name": "run.json",
    "model": "meta-llama/Llama-3.1-70B",
    "precision": "fp8",
    "gpu": "h100-sxm",
    "gpus_total": 8,
    "arrival": "closed_loop",
    "concurrency": 32.0,
    "n_requests": 320,
    "duration_s": 250.0,
    "requests_per_s": 1.3,
    "output_tokens_per_s": 1040.0,
    "input_tokens_mean": 1000.0,
    "output_tokens_mean": 801.0,
    "tpot_definition": "after_first_token",
    "ttft_mean_s": 0.5,
    "ttft_p50_s": 0.4,
    "ttft_p90_s": 0.9,
    "ttft_p99_s": 4.0,
    "tpot_mean_s": 0.030,
    "tpot_p50_s": 0.030,
    "tpot_p90_s": 0.033,
    "tpot_p99_s": 0.036,
    "itl_mean_s": 0.031,
    "itl_p50_s": 0.030,
    "itl_p99_s": 0.1,
    "e2e_mean_s": 24.5,
    "e2e_p50_s": 24.4,
    "e2e_p90_s": 27.0,
    "e2e_p99_s": 30.0,
}
FAMILIES = ("ttft", "tpot", "itl", "e2e")
LATENCIES = {name: value for name, value in SOUND.items() if name.endswith("_s") and name.split("_")[0] in FAMILIES}


def broken_rules(**changes: object) -> set[str]:
    points = point_frame([complete(SOUND | changes, None)])
    parsed = split(points)
    assert parsed.accepted.is_empty() == bool(parsed.rejected.height)
    return set(parsed.rejected["rule"])


def test_sound_point_passes_and_keeps_its_columns():
    parsed = split(point_frame([complete(dict(SOUND), None)]))
    OperatingPoint.validate(parsed.accepted)
    assert parsed.rejected.is_empty()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"ttft_p90_s": 0.3}, "percentiles_fall"),
        ({"ttft_p90_s": 5.1, "ttft_p99_s": 6.0}, "percentile_above_what_mean_allows"),
        ({"ttft_p50_s": 0.002}, "tail_out_of_proportion"),
        ({"ttft_p99_s": 31.0}, "first_token_after_last"),
        ({"duration_s": 25.0}, "longer_than_the_run"),
        ({"ttft_p99_s": 90_000.0, "e2e_p99_s": 90_001.0, "duration_s": None}, "above_a_day"),
        ({"tpot_p50_s": 1.5}, "token_too_slow"),
        ({"tpot_p50_s": 1e-4}, "token_too_fast"),
        ({"ttft_p50_s": 4e-4}, "first_token_too_fast"),
        ({"ttft_mean_s": 0.014, "ttft_p50_s": 0.014, "ttft_p90_s": 0.015, "ttft_p99_s": 0.02}, "first_token_below_a_step"),
        ({"tpot_mean_s": 0.002, "speculative_decoding": "none"}, "faster_than_weight_read"),
        ({"output_tokens_per_s": 1e8, "input_tokens_mean": None}, "throughput_too_high"),
        ({"e2e_mean_s": 60.0}, "latencies_do_not_close"),
        ({"itl_mean_s": 0.001}, "gap_out_of_proportion"),
        ({"itl_mean_s": 25.0}, "gap_longer_than_request"),
        ({"requests_per_s": 0.1}, "against_littles_law"),
    ],
)
def test_each_rule_refuses_what_it_is_for(changes, rule):
    assert rule in broken_rules(**changes)


@pytest.mark.parametrize("factor", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("families", [FAMILIES, *((name,) for name in FAMILIES)])
def test_units_mixed_up_in_one_latency_or_in_all(families, factor):
    changes = {name: figure * factor for name, figure in LATENCIES.items() if name.split("_")[0] in families}
    assert broken_rules(**changes)


def test_queue_longer_than_all_others_together():
    unknown = (
        "requests_per_s",
        "output_tokens_per_s",
        "duration_s",
        *(name for name in SOUND if name.startswith("e2e")),
    )
    slow = {"ttft_mean_s": 500.0, "ttft_p50_s": 400.0, "ttft_p90_s": 900.0, "ttft_p99_s": 4000.0, "concurrency": 4.0}
    assert "first_token_after_all_others" in broken_rules(**dict.fromkeys(unknown), **slow)


def test_weights_are_not_asked_of_models_and_gpus_that_are_not_known():
    fast = {"tpot_mean_s": 0.002, "tpot_p50_s": 0.002, "e2e_mean_s": 2.1, "requests_per_s": 15.0, "itl_mean_s": 0.002}
    assert "faster_than_weight_read" not in broken_rules(**fast, model="some/new-model", speculative_decoding="none")
    assert "faster_than_weight_read" not in broken_rules(**fast, gpu=None, speculative_decoding="none")


def test_speculation_may_keep_several_tokens_of_one_read():
    fast = {"tpot_mean_s": 0.002, "tpot_p50_s": 0.002}
    assert "faster_than_weight_read" in broken_rules(**fast, speculative_decoding="none")
    assert "faster_than_weight_read" not in broken_rules(**fast, speculative_decoding="eagle")


@pytest.mark.parametrize(
    ("model", "params"),
    [
        ("deepseek-ai/DeepSeek-R1", 37e9),
        ("dsr1", 37e9),
        ("meta-llama/Llama-3.3-70B-Instruct-FP8", 70.6e9),
        ("llama3_1-405b", 405.9e9),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", None),
        ("zai-org/GLM-4.7", None),
    ],
)
def test_active_parameters_by_name(model, params):
    assert active_params(model) == params


def test_a_file_of_which_a_tenth_breaks_is_doubted_as_a_whole():
    runs = [complete(SOUND | {"run_id": f"{'a' * 16}-{i}", "tpot_p50_s": 1.5 if i < 3 else 0.03}, None) for i in range(20)]
    other = complete(SOUND | {"run_id": f"{'b' * 16}-1"}, None)
    parsed = split(point_frame([*runs, other]))
    assert parsed.accepted["run_id"].to_list() == [f"{'b' * 16}-1"]
    assert parsed.rejected.filter(pl.col("rule") == "file_in_doubt").height == 17
