"""A load over a week: what to reserve, what to call, what scaling pays. Closed forms against brute force and a simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from economics.serving.load_split import (
    base_and_burst,
    office_week,
    scaled_instances,
    split_at,
    with_peak,
    world_week,
)

PRICES = {"capacity_per_s": 2.0, "usd_per_instance_hour": 8.0, "usd_per_request": 0.005}


def test_profiles_have_a_mean_of_one_and_the_peak_asked_for():
    for week in (office_week(), world_week()):
        assert week.shape == (168,)
        assert week.mean() == pytest.approx(1.0)
        for peak in (1.0, 1.2, 3.0, 10.0):
            shaped = with_peak(week, peak_factor=peak)
            assert shaped.mean() == pytest.approx(1.0)
            assert shaped.max() == pytest.approx(peak)
    assert office_week()[12] > 10 * office_week()[3]


def test_a_peak_that_no_power_of_the_shape_has_is_refused():
    with pytest.raises(ValueError, match="below 2"):
        with_peak([1.0, 3.0], peak_factor=2.0)
    with pytest.raises(ValueError, match="at least 1"):
        with_peak([1.0, 3.0], peak_factor=0.9)


def test_the_split_by_hand():
    # Half of the time 1 request/s, half 5. A call-hour of 2 requests/s costs $36, an instance $8: ratio .22, so that one pays
    # which is full 22 % of the time. Two instances are full half of the time; the third would be half full for half.
    split = base_and_burst(rates_per_s=[1.0, 5.0], **PRICES)
    assert split.instances == 3  # 1 request/s for half the time: $9 of calls for $8 of rent
    assert split.hosted_usd_per_hour == 24.0
    assert split.called_usd_per_hour == 0.0
    dearer = base_and_burst(rates_per_s=[1.0, 5.0], **PRICES | {"usd_per_instance_hour": 10.0})
    assert dearer.instances == 2
    assert dearer.called_usd_per_hour == pytest.approx(0.5 * 3600 * 0.005)
    assert dearer.called_share == pytest.approx(0.5 / 3.0)


def test_hosting_that_never_pays_is_called_whole():
    split = base_and_burst(rates_per_s=[1.0, 5.0], **PRICES | {"usd_per_request": 0.001})
    assert (split.instances, split.called_share) == (0, 1.0)


rates = st.lists(st.floats(0.0, 40.0), min_size=1, max_size=60).filter(lambda each: sum(each) > 1e-3)


@given(rates, st.floats(0.3, 10.0), st.floats(0.1, 50.0), st.floats(1e-4, 0.1))
def test_the_newsvendor_split_is_what_brute_force_finds(load, capacity, rent, price):
    asked = {
        "rates_per_s": load,
        "capacity_per_s": capacity,
        "usd_per_instance_hour": rent,
        "usd_per_request": price,
    }
    most = int(max(load) / capacity) + 2
    best = min(split_at(count, **asked).usd_per_hour for count in range(most + 1))
    assert base_and_burst(**asked).usd_per_hour == pytest.approx(best, rel=1e-9, abs=1e-12)


@given(rates, st.floats(1.0, 3.0))
def test_dearer_rent_and_dearer_calls_never_make_the_split_cheaper(load, times):
    base = base_and_burst(rates_per_s=load, **PRICES).usd_per_hour
    for name in ("usd_per_instance_hour", "usd_per_request"):
        assert base_and_burst(rates_per_s=load, **PRICES | {name: PRICES[name] * times}).usd_per_hour >= base * (1 - 1e-12)


def test_a_simulated_week_of_arrivals_costs_what_the_closed_form_says():
    week = with_peak(office_week(), peak_factor=3.0) * 5.0
    split = base_and_burst(rates_per_s=week, **PRICES)
    arrivals = np.random.default_rng(7).poisson(week * 3600.0)
    called = np.maximum(arrivals - split.instances * PRICES["capacity_per_s"] * 3600.0, 0.0).sum()
    simulated = split.instances * PRICES["usd_per_instance_hour"] + called * PRICES["usd_per_request"] / 168
    assert simulated == pytest.approx(split.usd_per_hour, rel=0.01)
    assert split.usd_per_hour < split_at(0, rates_per_s=week, **PRICES).usd_per_hour
    everything = split_at(int(np.ceil(week.max() / 2.0)), rates_per_s=week, **PRICES)
    assert split.usd_per_hour < everything.usd_per_hour


def test_scaling_pays_from_before_the_need():
    # One, three, one, one instances; a window of 600 s of start-up is a window early.
    load = {"rates_per_s": [1.0, 5.0, 1.0, 1.0], "capacity_per_s": 2.0, "window_s": 600.0}
    assert scaled_instances(**load, start_up_s=0.0) == pytest.approx(6 / 4)
    assert scaled_instances(**load, start_up_s=300.0) == pytest.approx(7 / 4)
    assert scaled_instances(**load, start_up_s=600.0) == pytest.approx(8 / 4)
    assert scaled_instances(**load, start_up_s=1e9) == 3.0


@given(rates, st.floats(0.0, 1e5), st.floats(0.0, 1e5))
def test_a_longer_start_up_is_never_cheaper_and_never_above_the_reservation(load, one, other):
    one, other = sorted((one, other))
    paid = [scaled_instances(rates_per_s=load, capacity_per_s=2.0, window_s=3600.0, start_up_s=at) for at in (one, other)]
    assert paid[0] <= paid[1] + 1e-9
    assert paid[1] <= max(np.ceil(max(load) / 2.0), 1.0) + 1e-9
