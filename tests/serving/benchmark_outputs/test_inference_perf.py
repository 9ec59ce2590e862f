from tests.serving.benchmark_outputs import made
from tests.serving.benchmark_outputs.samples import only_point, rules


def test_stage_with_a_bound_on_requests_in_flight_is_a_closed_loop():
    record = made.inference_perf()
    record["load_summary"]["concurrency"] = 200
    point = only_point(record)
    assert (point["arrival"], point["concurrency"], point["request_rate_per_s"]) == ("closed_loop", 200, None)


def test_stage_in_milliseconds_is_refused():
    record = made.inference_perf()
    latency = record["successes"]["latency"]
    for name, statistics in latency.items():
        latency[name] = {statistic: figure * 1000 for statistic, figure in statistics.items()}
    assert "token_too_slow" in rules(record)


def test_latency_that_is_no_object_is_refused():
    record = made.inference_perf()
    record["successes"]["latency"] = 0.4
    assert rules(record) == ["not_an_object"]
