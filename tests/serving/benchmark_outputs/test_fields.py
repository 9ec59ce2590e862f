import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.serving.benchmark_outputs.accelerator import canonical_gpu
from sources.serving.benchmark_outputs.document import load as load_document
from sources.serving.benchmark_outputs.document import objects
from sources.serving.benchmark_outputs.fields import RowError, count, flag, latencies, load, number, text
from sources.serving.benchmark_outputs.iso_dates import day, day_of_unix_time
from sources.serving.benchmark_outputs.operating_points import complete
from sources.serving.benchmark_outputs.per_request import distribution, values

KEYS = {"mean": ("mean",), "p50": ("median", "p50"), "p99": ("p99",)}


def broken_rule(read, *arguments, **named):
    with pytest.raises(RowError) as caught:
        read(*arguments, **named)
    return caught.value.rule


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("one", "not_a_number"),
        ("1,5", "not_a_number"),
        ("", "not_a_number"),
        (True, "not_a_number"),
        ([1], "not_a_number"),
        (math.nan, "not_finite"),
        (-math.inf, "not_finite"),
        (-0.1, "negative"),
        (10**400, "out_of_range"),
    ],
)
def test_what_is_never_read_as_a_number(value, rule):
    assert broken_rule(number, {"key": value}, "key") == rule


@pytest.mark.parametrize(("text", "figure"), [("1", 1.0), ("1,024.5", 1024.5), (" 3e-4 ", 3e-4), (".5", 0.5)])
def test_a_number_written_as_text_is_a_number(text, figure):
    assert number({"key": text}, "key") == figure


def test_absent_and_null_are_unknown():
    assert number({}, "key") is None
    assert number({"key": None}, "key") is None
    assert (count({}, "key"), text({"key": " "}, "key"), flag({}, "key")) == (None, None, None)


def test_counts_are_whole():
    assert count({"key": 160.0}, "key") == 160
    assert broken_rule(count, {"key": 160.5}, "key") == "not_a_count"
    assert broken_rule(count, {"key": 2**60}, "key") == "not_a_count"
    assert broken_rule(count, {"key": 0}, "key", least=1) == "out_of_range"


def test_flags_as_shells_write_them():
    assert (flag({"key": "True"}, "key"), flag({"key": "false"}, "key")) == (True, False)
    assert broken_rule(flag, {"key": "yes"}, "key") == "not_a_flag"


def test_latencies_take_the_first_key_that_is_there():
    found = latencies({"mean": 80.0, "p50": 79.0, "median": 78.0}, "tpot", KEYS, scale=1e-3)
    assert found == pytest.approx({"tpot_mean_s": 0.080, "tpot_p50_s": 0.078})


def test_gaps_of_zero_are_possible_and_times_of_zero_are_not():
    assert latencies({"mean": 5.0, "median": 0.0}, "itl", KEYS, scale=1e-3)["itl_p50_s"] == 0
    assert broken_rule(latencies, {"mean": 5.0, "median": 0.0}, "ttft", KEYS, scale=1e-3) == "not_positive"


@pytest.mark.parametrize("rate", [0, -1.0, math.nan, True, "fast", [1], 10**400])
def test_rates_that_are_none(rate):
    with pytest.raises(RowError):
        load(rate=rate, in_flight=None, states_in_flight=True, n_sent=None, burstiness=None)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("2026-06-11", dt.date(2026, 6, 11)),
        ("20260611-075258", dt.date(2026, 6, 11)),
        ("2026-06-11T07:52:58.000Z", dt.date(2026, 6, 11)),
        (None, None),
    ],
)
def test_days(words, expected):
    assert day(words, "date") == expected


@pytest.mark.parametrize("words", ["11.06.2026", "2026", "", "2026-13-01", "99999999"])
def test_dates_that_are_none(words):
    assert broken_rule(day, words, "date") == "not_a_date"


def test_unix_times_in_other_units_are_refused():
    assert day_of_unix_time(1_786_678_148.25, "start") == dt.date(2026, 8, 14)
    assert broken_rule(day_of_unix_time, 1_786_678_148_250.0, "start") == "not_a_date"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NVIDIA H200-SXM-141GB", "h200-sxm"),
        ("Virtualized NVIDIA H200-SXM-141GB", "h200-sxm"),
        ("NVIDIA H100 80GB HBM3", "h100-sxm"),
        ("AMD Instinct MI325X 256GB HBM3e", "mi325x"),
        ("b200_sxm", "b200-sxm"),
        ("h100", None),
        ("AMD Instinct MI300X 192GB HBM3 (x32), AMD Instinct MI325X 256GB HBM3e (x16)", None),
        (None, None),
    ],
)
def test_canonical_gpus(name, expected):
    assert canonical_gpu(name) == expected


def test_lines_of_a_log_one_by_one():
    found = list(objects(load_document(b'{"a": 1}\n\n{"a": \n{"a": 3}\n')))
    assert [place for place, _ in found] == ["line 1", "line 3", "line 4"]
    assert isinstance(found[1][1], RowError)


def test_rates_that_do_not_fit_the_gpus_are_refused():
    stated = {"gpus_total": 8, "output_tokens_per_s": 800.0, "output_tokens_per_s_per_gpu": 200.0}
    assert broken_rule(complete, stated, None) == "rates_contradict_gpus"


@pytest.mark.parametrize("items", [["1.0"], [None], [True], [math.nan], [-1.0], [10**400], "12", {"0": 1}])
def test_lists_hold_numbers_only(items):
    with pytest.raises(RowError):
        values(items, "ttfts")


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=50))
def test_distribution_of_single_requests(figures):
    found = distribution("ttft", np.array(figures), scale=0.5)
    assert found["ttft_p99_s"] == pytest.approx(np.quantile(figures, 0.99) / 2)
    assert found["ttft_mean_s"] == pytest.approx(np.mean(figures) / 2)


def test_nothing_observed_has_no_distribution():
    assert distribution("itl", np.zeros(3)) == {}
    assert distribution("itl", np.empty(0)) == {}
