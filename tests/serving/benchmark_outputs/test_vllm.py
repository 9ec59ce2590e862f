import numpy as np
import pytest

from sources.serving.benchmark_outputs import detect
from tests.serving.benchmark_outputs import made
from tests.serving.benchmark_outputs.samples import only_point, rules


def test_no_gpu_count_means_accepted_but_not_priceable():
    point = only_point(made.vllm())
    assert point["gpus_total"] is None
    assert point["output_tokens_per_s_per_gpu"] is None
    assert point["priceable"] is False


@pytest.mark.parametrize("key", ["request_goodput", "request_goodput:"])
def test_goodput_under_new_and_old_key(key):
    point = only_point(made.vllm() | {key: 1.2})
    assert point["goodput_per_s"] == 1.2
    assert point["attainment"] == pytest.approx(1.2 * 10.45 / 16)


def test_goodput_above_throughput_is_refused():
    assert rules(made.vllm() | {"request_goodput": 1.6}) == ["goodput_above_throughput"]


@pytest.mark.parametrize(
    ("changes", "arrival", "process", "is_biased"),
    [
        ({"request_rate": "inf", "max_concurrency": 16}, "closed_loop", None, True),
        ({"request_rate": "inf", "max_concurrency": None}, "all_at_once", None, True),
        ({"request_rate": "inf", "max_concurrency": 160}, "all_at_once", None, True),
        ({"request_rate": 1.6, "max_concurrency": None}, "open_loop", "poisson", False),
        ({"request_rate": 1.6, "max_concurrency": None, "burstiness": 0.5}, "open_loop", "gamma", False),
        ({"request_rate": 1.6, "max_concurrency": 16}, "open_loop_capped", "poisson", False),
    ],
)
def test_kinds_of_arrival_are_kept_apart(changes, arrival, process, is_biased):
    point = only_point(made.vllm() | changes)
    assert (point["arrival"], point["arrival_process"], point["start_burst_bias"]) == (arrival, process, is_biased)


def test_file_that_does_not_say_whether_requests_were_held_back():
    record = made.vllm()
    del record["max_concurrency"]
    assert only_point(record)["arrival"] is None


def test_zero_everywhere_means_that_nothing_was_observed():
    zeros = dict.fromkeys(("mean_itl_ms", "median_itl_ms", "std_itl_ms", "p99_itl_ms"), 0.0)
    assert only_point(made.vllm() | zeros)["itl_mean_s"] is None


def test_one_zero_among_latencies_is_refused():
    assert rules(made.vllm() | {"median_ttft_ms": 0.0}) == ["not_positive"]


def test_appended_runs_are_one_point_each():
    line = made.body("vllm")
    assert detect(line + b"\n" + line + b"\n") == "vllm"


def detailed_record() -> dict[str, object]:
    """A run of 40 requests, one failed, as `--save-detailed` writes it: lists in seconds, summary in milliseconds."""
    rng = np.random.default_rng(7)
    ttfts = rng.uniform(0.05, 0.4, 40)
    itls = [rng.uniform(0.01, 0.03, 99) for _ in range(40)]
    tpots = np.array([gaps.sum() / 99 for gaps in itls])
    return {
        "date": "20260314-193625",
        "backend": "vllm",
        "model_id": "m",
        "num_prompts": 41,
        "request_rate": 2.0,
        "burstiness": 1.0,
        "max_concurrency": None,
        "duration": 21.0,
        "completed": 40,
        "total_input_tokens": 40 * 200,
        "total_output_tokens": 40 * 100,
        "request_throughput": 40 / 21,
        "output_throughput": 4000 / 21,
        "total_token_throughput": 12000 / 21,
        "mean_ttft_ms": ttfts.mean() * 1e3,
        "mean_tpot_ms": tpots.mean() * 1e3,
        "input_lens": [200] * 41,
        "output_lens": [100] * 40 + [0],
        "ttfts": [*ttfts, 0.0],
        "itls": [*(gaps.tolist() for gaps in itls), []],
        "errors": [""] * 40 + ["timeout"],
        "generated_texts": ["secret"] * 41,
    }


def test_percentiles_from_detailed_lists():
    record = detailed_record()
    point = only_point(record)
    done = np.array(record["ttfts"][:40])
    assert point["ttft_p99_s"] == pytest.approx(np.percentile(done, 99))
    assert point["ttft_p999_s"] == pytest.approx(np.percentile(done, 99.9))
    tpots = [sum(gaps) / 99 for gaps in record["itls"][:40]]
    assert point["tpot_p90_s"] == pytest.approx(np.percentile(tpots, 90))
    assert point["e2e_mean_s"] == pytest.approx(np.mean(done) + np.mean(tpots) * 99)
    assert point["latency_closure"] == pytest.approx(1)
    assert (point["output_tokens_p99"], point["n_failed"]) == (100, 1)


def test_summary_in_another_unit_than_its_own_requests_is_refused():
    record = detailed_record()
    record["mean_ttft_ms"] = record["mean_ttft_ms"] / 1000
    assert rules(record) == ["summary_differs_from_requests"]


def test_lists_that_do_not_belong_together_are_refused():
    record = detailed_record()
    record["ttfts"] = record["ttfts"][:-3]
    assert rules(record) == ["lists_differ_in_length"]


def test_duration_in_milliseconds_is_refused():
    record = made.vllm()
    assert rules(record | {"duration": record["duration"] * 1000}) == ["rate_differs_from_total"]
