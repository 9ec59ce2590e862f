"""What hosting costs and from which volume it pays: by hand, at its limits, and against a search."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from economics.serving.hosting import (
    HOURS_PER_MONTH,
    Hosting,
    break_even,
    busy_usd_per_request,
    capacity_at,
    held_peak_factor,
    hosted_usd_per_month,
    instances_at,
    owned_usd_per_gpu_hour,
    reserved_usd_per_request,
    swing,
)
from economics.units import SECONDS_PER_HOUR, Flag, Real

MONTH_S = 3600 * HOURS_PER_MONTH
PLAIN = {
    "usd_per_instance_hour": 8.0,
    "capacity_per_s": 2.0,
    "peak_factor": 2.0,
    "ops_usd_per_month": 3000.0,
    "usd_per_request": 0.005,
}


def test_whole_instances_meet_the_contract_at_the_peak():
    # 5 requests/s that peak at 15, instances that hold the contract up to 4 a second: four of them, and one of 15 exactly.
    assert instances_at(rate_per_s=5.0, peak_factor=3.0, capacity_per_s=4.0) == 4
    assert instances_at(rate_per_s=5.0, peak_factor=3.0, capacity_per_s=15.0) == 1
    assert instances_at(rate_per_s=0.0, peak_factor=3.0, capacity_per_s=15.0) == 1


def test_idle_hours_are_paid_in_the_reserved_cost_and_not_in_the_busy_one():
    # $8 an hour at 2 requests/s: $8/7,200 busy; at a tenth of that rate ten times as much.
    busy = busy_usd_per_request(usd_per_instance_hour=8.0, capacity_per_s=2.0)
    month = hosted_usd_per_month(instances=1, usd_per_instance_hour=8.0)
    assert busy == pytest.approx(8 / 7200)
    assert reserved_usd_per_request(usd_per_month=month, rate_per_s=0.2) == pytest.approx(10 * busy)
    assert reserved_usd_per_request(usd_per_month=month, rate_per_s=2.0) == pytest.approx(busy)


def test_what_can_wait_need_not_be_held_at_the_peak():
    # A quarter waits: of a peak of 3 there are 2.25 to hold; where all waits, the mean.
    assert held_peak_factor(peak_factor=3.0, batch_share=0.25) == 2.25
    assert held_peak_factor(peak_factor=3.0, batch_share=1.0) == 1.0


def test_a_capacity_between_the_ends_of_its_interval():
    at = np.array([-2.0, -1.0, 0.0, 0.5, 1.0])
    assert capacity_at(capacity_per_s=4.0, low_per_s=2.0, high_per_s=16.0, deviations=at) == pytest.approx([1, 2, 4, 8, 16])
    assert capacity_at(capacity_per_s=4.0, low_per_s=0.0, high_per_s=16.0, deviations=at) == pytest.approx([0, 0, 4, 8, 16])


def test_a_gpu_of_ones_own():
    # $30,000 over four years without interest, 700 W at a PUE of 1.3 and $.12: $.8556 + $.1092.
    own = {"purchase_usd": 30_000.0, "life_years": 4.0, "watts": 700.0, "power_usage_effectiveness": 1.3, "usd_per_kwh": 0.12}
    assert owned_usd_per_gpu_hour(**own) == pytest.approx(30_000 / (4 * 8766) + 0.1092)
    # At 8 % a year the annuity of 4 years is .30192 of the price.
    assert owned_usd_per_gpu_hour(**own, interest_per_year=0.08) == pytest.approx(30_000 * 0.301921 / 8766 + 0.1092, rel=1e-5)
    # A fifth left at the end is worth .2 / 1.08^4 today.
    left = owned_usd_per_gpu_hour(**own, interest_per_year=0.08, residual_share=0.2)
    assert left == pytest.approx(30_000 * (1 - 0.2 / 1.08**4) * 0.301921 / 8766 + 0.1092, rel=1e-5)


def test_break_even_by_hand():
    # An instance carries 1 request/s on average: at $.005 that is $13,149 a month of calls, less $5,844 of rent: $7,305.
    # Operations of $3,000 are earned by one instance; with the next instance's rent ($8,844) it takes two.
    found = break_even(Hosting(**PLAIN))
    assert found.first_per_s == pytest.approx((3000 + 5844) / (0.005 * MONTH_S))
    assert found.for_good_per_s == pytest.approx((3000 + 2 * 5844) / (0.005 * MONTH_S))
    assert found.instances == 2
    assert found.least_utilisation == pytest.approx((8 / 7200) / 0.005)
    assert found.utilisation == pytest.approx(found.for_good_per_s / 4.0)


def test_where_the_busy_hour_costs_more_than_the_api_no_volume_pays():
    found = break_even(Hosting(**PLAIN | {"usd_per_request": 0.001}))
    assert found.first_per_s == found.for_good_per_s == np.inf
    assert found.least_utilisation > 1


def test_a_minimum_fee_is_saved_from_the_first_request():
    assert break_even(Hosting(**PLAIN, minimum_usd_per_month=8844.0)).first_per_s == 0.0
    assert break_even(Hosting(**PLAIN, minimum_usd_per_month=8843.0)).first_per_s > 0.0


positive = st.floats(0.05, 50.0)
CASES = {
    "usd_per_instance_hour": positive,
    "capacity_per_s": positive,
    "peak_factor": st.floats(1.0, 6.0),
    "ops_usd_per_month": st.floats(0.0, 20_000.0),
    "usd_per_request": st.floats(1e-4, 1.0),
}


def hosting_is_cheaper(hosting: Hosting, *, rate_per_s: Real) -> Flag:
    """Whether a month of hosting costs less than a month of calling at a mean rate, by the bills."""
    instances = instances_at(rate_per_s=rate_per_s, peak_factor=hosting.peak_factor, capacity_per_s=hosting.capacity_per_s)
    hosted = hosted_usd_per_month(
        instances=instances,
        usd_per_instance_hour=hosting.usd_per_instance_hour,
        ops_usd_per_month=hosting.ops_usd_per_month,
    )
    called = np.maximum(
        np.multiply(hosting.usd_per_request, rate_per_s) * SECONDS_PER_HOUR * HOURS_PER_MONTH, hosting.minimum_usd_per_month
    )
    return np.less(hosted, called)


@given(st.fixed_dictionaries(CASES))
def test_break_even_is_where_a_search_finds_it(case):
    hosting, found = Hosting(**case), break_even(Hosting(**case))
    assume(np.isfinite(found.for_good_per_s) and found.instances < 500)
    assert not hosting_is_cheaper(hosting, rate_per_s=found.first_per_s * (1 - 1e-6))
    assert hosting_is_cheaper(hosting, rate_per_s=found.first_per_s * (1 + 1e-6))
    below = np.linspace(1e-3, 0.999999, 500) * found.first_per_s
    assert not np.any(hosting_is_cheaper(hosting, rate_per_s=below))
    beyond = found.for_good_per_s * (1 + 1e-6 + np.linspace(0.0, 20.0, 2000))
    assert np.all(hosting_is_cheaper(hosting, rate_per_s=beyond))
    assert not hosting_is_cheaper(hosting, rate_per_s=found.for_good_per_s * (1 - 1e-6))


@pytest.mark.parametrize(
    ("name", "later"),
    [
        ("usd_per_instance_hour", True),
        ("peak_factor", True),
        ("ops_usd_per_month", True),
        ("usd_per_request", False),
        ("capacity_per_s", False),
    ],
)
@given(case=st.fixed_dictionaries(CASES), times=st.floats(1.0, 3.0))
def test_dearer_rent_and_higher_peaks_pay_later_and_dearer_calls_sooner(name, later, case, times):
    other = case | {name: case[name] * times}
    before, after = (break_even(Hosting(**one)).for_good_per_s for one in (case, other))
    assert after >= before * (1 - 1e-9) if later else after <= before * (1 + 1e-9)


@given(st.fixed_dictionaries(CASES), st.floats(0.0, 100.0), st.floats(1.0, 3.0))
def test_a_higher_rate_never_costs_less(case, rate, times):
    cost = [
        hosted_usd_per_month(
            instances=instances_at(rate_per_s=at, peak_factor=case["peak_factor"], capacity_per_s=case["capacity_per_s"]),
            usd_per_instance_hour=case["usd_per_instance_hour"],
        )
        for at in (rate, rate * times)
    ]
    assert cost[0] <= cost[1]


def test_what_moves_the_break_even_most():
    assert list(swing(np.array([1.0, 4.0, 2.0, np.inf]), np.array([4.0, 1.0, np.inf, np.inf]))) == [4.0, 4.0, np.inf, 1.0]


def test_what_is_outside_its_domain_is_named():
    with pytest.raises(ValueError, match="peak_factor"):
        Hosting(**PLAIN | {"peak_factor": 0.5})
    with pytest.raises(ValueError, match="usd_per_request"):
        Hosting(**PLAIN | {"usd_per_request": 0.0})
    with pytest.raises(ValueError, match="residual_share"):
        owned_usd_per_gpu_hour(purchase_usd=1.0, life_years=1.0, residual_share=1.0, watts=1.0, usd_per_kwh=0.1)
