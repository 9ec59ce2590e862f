import datetime as dt

import pytest

from tests.serving.benchmark_outputs.samples import GUIDELLM, only_point, read, record_of, sample


def test_two_rates_of_a_report():
    """The report comes from a mock server: its shape is real, its latencies are not those of a model."""
    parsed = read(sample(GUIDELLM))
    assert parsed.rejected.is_empty()
    assert parsed.accepted["request_rate_per_s"].to_list() == [2.0, 4.0]
    point = parsed.accepted.row(0, named=True)
    assert (point["arrival"], point["arrival_process"], point["start_burst_bias"]) == ("open_loop", "constant", False)
    assert point["ttft_p999_s"] == pytest.approx(0.011686325)
    assert point["tpot_mean_s"] == pytest.approx(0.0024421364)
    assert point["e2e_mean_s"] == pytest.approx(0.0197890997)
    assert (point["model"], point["measured_on"]) == ("e2e-mock-model", dt.date(2026, 8, 14))
    assert (point["n_requests"], point["n_failed"], point["input_tokens_mean"]) == (2, 0, 71.5)


def test_time_per_token_counts_the_first_token():
    point = read(sample(GUIDELLM)).accepted.row(0, named=True)
    assert (point["tpot_definition"], point["percentile_basis"]) == ("over_all_tokens", "token_weighted_requests")
    assert point["latency_closure"] == pytest.approx(0.987, abs=1e-3)


def test_zeros_without_observations_are_unknown():
    report = record_of(GUIDELLM)
    for benchmark in report["benchmarks"]:
        metric = benchmark["metrics"]["inter_token_latency_ms"]
        metric["successful"] = metric["errored"]
    assert read(report).accepted["itl_mean_s"].null_count() == 2


@pytest.mark.parametrize(
    ("strategy", "arrival", "concurrency", "is_biased"),
    [
        ({"type_": "concurrent", "streams": 8, "rampup_duration": 0.0}, "closed_loop", 8.0, True),
        ({"type_": "concurrent", "streams": 8, "rampup_duration": 5.0}, "closed_loop", 8.0, False),
        ({"type_": "synchronous"}, "closed_loop", 1.0, False),
        ({"type_": "throughput"}, "all_at_once", None, True),
        ({"type_": "poisson", "rate": 2.0}, "open_loop", None, False),
    ],
)
def test_strategies(strategy, arrival, concurrency, is_biased):
    report = record_of(GUIDELLM)
    report["benchmarks"] = report["benchmarks"][:1]
    report["benchmarks"][0]["config"]["strategy"] = strategy
    # 50 requests/s of 20 ms each keep one request in flight.
    report["benchmarks"][0]["metrics"]["requests_per_second"]["successful"]["mean"] = 50.0
    report["benchmarks"][0]["metrics"]["request_totals"]["successful"] = 200
    point = only_point(report)
    assert (point["arrival"], point["concurrency"], point["start_burst_bias"]) == (arrival, concurrency, is_biased)


def test_other_versions_are_not_understood():
    report = record_of(GUIDELLM)
    report["metadata"]["version"] = 3
    with pytest.raises(ValueError, match="version 3"):
        read(report)
