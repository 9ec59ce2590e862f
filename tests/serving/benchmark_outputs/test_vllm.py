import datetime as dt

import numpy as np
import pytest

from sources.serving.benchmark_outputs import detect
from tests.serving.benchmark_outputs.samples import VLLM, only_point, record_of, rules, sample


def test_real_run_in_seconds_with_its_load():
    point = only_point(sample(VLLM))
    assert (point["source"], point["client"], point["model"]) == ("vllm", "vllm", "zai-org/GLM-4.7")
    assert point["engine"] is None
    assert point["ttft_p99_s"] == pytest.approx(1.6112285)
    assert point["tpot_mean_s"] == pytest.approx(0.08094105)
    assert point["itl_p50_s"] == pytest.approx(0.07927858)
    assert point["tpot_definition"] == "after_first_token"
    assert point["output_tokens_mean"] == 117008 / 160
    assert point["input_tokens_per_s"] == pytest.approx(163840 / 627.4708737)
    assert (point["arrival"], point["concurrency"], point["start_burst_bias"]) == ("closed_loop", 16, True)
    assert (point["n_requests"], point["n_failed"], point["measured_on"]) == (160, 0, dt.date(2026, 3, 14))
    assert point["ttft_p90_s"] is None


def test_no_gpu_count_means_accepted_but_not_priceable():
    point = only_point(sample(VLLM))
    assert point["gpus_total"] is None
    assert point["output_tokens_per_s_per_gpu"] is None
    assert point["priceable"] is False


@pytest.mark.parametrize("key", ["request_goodput", "request_goodput:"])
def test_goodput_under_new_and_old_key(key):
    record = record_of(VLLM)
    del record["request_goodput:"]
    point = only_point(record | {key: 0.2})
    assert point["goodput_per_s"] == 0.2
    assert point["attainment"] == pytest.approx(0.2 / 0.25499191548761424)


def test_goodput_above_throughput_is_refused():
    assert rules(record_of(VLLM) | {"request_goodput": 0.3}) == ["goodput_above_throughput"]


@pytest.mark.parametrize(
    ("changes", "arrival", "process", "is_biased"),
    [
        ({"request_rate": "inf", "max_concurrency": 16}, "closed_loop", None, True),
        ({"request_rate": "inf", "max_concurrency": None}, "all_at_once", None, True),
        ({"request_rate": "inf", "max_concurrency": 160}, "all_at_once", None, True),
        ({"request_rate": 0.26, "max_concurrency": None}, "open_loop", "poisson", False),
        ({"request_rate": 0.26, "max_concurrency": None, "burstiness": 0.5}, "open_loop", "gamma", False),
        ({"request_rate": 0.26, "max_concurrency": 16}, "open_loop_capped", "poisson", False),
    ],
)
def test_kinds_of_arrival_are_kept_apart(changes, arrival, process, is_biased):
    point = only_point(record_of(VLLM) | changes)
    assert (point["arrival"], point["arrival_process"], point["start_burst_bias"]) == (arrival, process, is_biased)


def test_file_that_does_not_say_whether_requests_were_held_back():
    record = record_of(VLLM)
    del record["max_concurrency"]
    assert only_point(record)["arrival"] is None


def test_zero_everywhere_means_that_nothing_was_observed():
    zeros = dict.fromkeys(("mean_itl_ms", "median_itl_ms", "std_itl_ms", "p99_itl_ms"), 0.0)
    assert only_point(record_of(VLLM) | zeros)["itl_mean_s"] is None


def test_one_zero_among_latencies_is_refused():
    assert rules(record_of(VLLM) | {"median_ttft_ms": 0.0}) == ["not_positive"]


def test_appended_runs_are_one_point_each():
    line = sample(VLLM).replace(b"\n", b"")
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
    record = record_of(VLLM)
    assert rules(record | {"duration": record["duration"] * 1000}) == ["rate_differs_from_total"]
