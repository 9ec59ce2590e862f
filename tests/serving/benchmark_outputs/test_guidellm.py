import pytest

from tests.serving.benchmark_outputs import made
from tests.serving.benchmark_outputs.samples import only_point, read


def test_zeros_without_observations_are_unknown():
    report = made.guidellm()
    for benchmark in report["benchmarks"]:
        metric = benchmark["metrics"]["inter_token_latency_ms"]
        metric["successful"] = metric["errored"]
    assert read(report).accepted["itl_mean_s"].null_count() == 1


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
    report = made.guidellm(**strategy)
    # Requests of 10.45 s each, as many at a time as the strategy keeps in flight.
    report["benchmarks"][0]["metrics"]["requests_per_second"]["successful"]["mean"] = (concurrency or 16) / 10.45
    point = only_point(report)
    assert (point["arrival"], point["concurrency"], point["start_burst_bias"]) == (arrival, concurrency, is_biased)


def test_other_versions_are_not_understood():
    report = made.guidellm()
    report["metadata"]["version"] = 3
    with pytest.raises(ValueError, match="version 3"):
        read(report)
