import pytest

from tests.serving.benchmark_outputs.samples import STAGES, only_point, record_of, rules, sample


@pytest.mark.parametrize(("stage", "asked", "sent"), [(0, 1.0, 1.0151783), (5, 86.81, 73.0761336)])
def test_rate_asked_for_and_rate_sent(stage, asked, sent):
    point = only_point(sample(STAGES[stage]))
    assert (point["arrival"], point["start_burst_bias"]) == ("open_loop", False)
    assert point["request_rate_per_s"] == asked
    assert point["sent_rate_per_s"] == pytest.approx(sent)


def test_stage_in_seconds():
    point = only_point(sample(STAGES[4]))
    assert point["ttft_p50_s"] == pytest.approx(0.8081083650467917)
    assert point["e2e_p999_s"] == pytest.approx(3.449801756343106)
    assert point["tpot_p99_s"] is None
    assert (point["tpot_basis"], point["tpot_mean_s"]) == (
        "from_e2e",
        pytest.approx((point["e2e_mean_s"] - point["ttft_mean_s"]) / 61.878918),
    )
    assert (point["n_requests"], point["n_failed"]) == (4179, 0)
    assert point["output_tokens_mean"] == pytest.approx(62.878918)
    assert point["total_tokens_per_s"] == pytest.approx(17695.468723)


def test_tokens_counted_twice_show_in_the_closure():
    """These stages state about half the time per token that their own end-to-end latency gives."""
    closures = [only_point(sample(stage))["latency_closure"] for stage in STAGES]
    # In the last stages requests wait so long for their first token that the whole closes all the same.
    assert closures[5:] == pytest.approx([0.83, 0.84], abs=0.05)
    assert {only_point(sample(stage))["tpot_basis"] for stage in STAGES} == {"from_e2e"}
    assert closures[:4] == pytest.approx([0.551, 0.563, 0.564, 0.560], abs=1e-3)


def test_stage_with_a_bound_on_requests_in_flight_is_a_closed_loop():
    record = record_of(STAGES[4])
    record["load_summary"]["concurrency"] = 200
    point = only_point(record)
    assert (point["arrival"], point["concurrency"], point["request_rate_per_s"]) == ("closed_loop", 200, None)


def test_stage_in_milliseconds_is_refused():
    record = record_of(STAGES[0])
    latency = record["successes"]["latency"]
    for name, statistics in latency.items():
        latency[name] = {statistic: figure * 1000 for statistic, figure in statistics.items()}
    assert "token_too_slow" in rules(record)


def test_latency_that_is_no_object_is_refused():
    record = record_of(STAGES[0])
    record["successes"]["latency"] = 0.4
    assert rules(record) == ["not_an_object"]
