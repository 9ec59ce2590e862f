"""Blends of input and output price, the price of a fixed quality, matched-model chains, and slopes with intervals."""

import duckdb
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import linregress, t

from economics.prices.index import (
    blended_usd_per_mtok,
    chained_jevons,
    cheapest_at_or_above,
    fall_per_year,
    log_linear_slope,
    mean_change_slope,
)

NONE = np.nan
price = st.floats(0, 1e4)
prices = arrays(np.float64, (5, 4), elements=st.one_of(st.just(NONE), st.floats(0.01, 100)))


def test_cpm_is_the_mean_of_input_and_output_price():
    assert blended_usd_per_mtok(input_usd_per_mtok=2.5, output_usd_per_mtok=10.0) == 6.25


def test_three_to_one_blend():
    assert blended_usd_per_mtok(input_usd_per_mtok=2.5, output_usd_per_mtok=10.0, input_per_output=3) == 4.375


@given(price, price, st.floats(0, 100))
def test_blend_lies_between_the_two_prices_and_scales_with_them(low: float, high: float, mix: float):
    blend = blended_usd_per_mtok(input_usd_per_mtok=low, output_usd_per_mtok=high, input_per_output=mix)
    assert min(low, high) * (1 - 1e-12) <= blend <= max(low, high) * (1 + 1e-12)
    doubled = blended_usd_per_mtok(input_usd_per_mtok=2 * low, output_usd_per_mtok=2 * high, input_per_output=mix)
    assert doubled == pytest.approx(2 * blend)


def test_arrays_and_unknown_prices_pass_through():
    blend = blended_usd_per_mtok(input_usd_per_mtok=np.array([1.0, np.nan]), output_usd_per_mtok=np.array([3.0, 1.0]))
    np.testing.assert_equal(blend, [2.0, np.nan])


def test_negative_price_is_refused():
    with pytest.raises(ValueError, match="must not be negative"):
        blended_usd_per_mtok(input_usd_per_mtok=-1.0, output_usd_per_mtok=1.0)


def test_price_of_a_quality_falls_with_a_new_model_and_rises_when_it_is_withdrawn():
    usd = np.array([[45.0, NONE, 1.0], [45.0, 10.0, 1.0], [40.0, NONE, 1.0]])
    found = cheapest_at_or_above(usd=usd, score=np.array([86.0, 87.0, 50.0]), threshold=np.array([86.0, 99.0]))
    np.testing.assert_equal(found.usd, [[45.0, NONE], [10.0, NONE], [40.0, NONE]])
    assert found.item.tolist() == [[0, -1], [1, -1], [0, -1]]
    assert found.models.tolist() == [[1, 0], [2, 0], [1, 0]]


@given(prices, arrays(np.float64, 4, elements=st.floats(0, 100)))
def test_a_higher_quality_never_costs_less(usd, score):
    found = cheapest_at_or_above(usd=usd, score=score, threshold=np.array([20.0, 60.0]))
    easy, hard = np.nan_to_num(found.usd, nan=np.inf).T
    assert (hard >= easy).all()


def test_matched_index_compares_only_what_is_sold_on_both_dates():
    """A halves and B stays: sqrt(1/2). C enters ten times cheaper and moves nothing; then A leaves and C halves."""
    usd = np.array([[4.0, 8.0, NONE], [2.0, 8.0, 0.4], [NONE, 8.0, 0.2]])
    chain = chained_jevons(usd=usd)
    np.testing.assert_allclose(chain.value, [1.0, np.sqrt(0.5), 0.5])
    assert (chain.matched.tolist(), chain.entered.tolist(), chain.left.tolist()) == ([0, 2, 2], [0, 1, 0], [0, 0, 1])


def test_all_offers_of_a_seller_count_as_one():
    usd = np.array([[1.0, 1.0, 1.0, 1.0], [0.5, 0.5, 0.5, 1.0]])
    assert chained_jevons(usd=usd).value[1] == pytest.approx(0.5**0.75)
    by_seller = chained_jevons(usd=usd, seller=["a", "a", "a", "b"])
    assert by_seller.value[1] == pytest.approx(0.5**0.5)
    assert by_seller.matched_sellers[1] == 2


def test_a_new_chain_begins_where_nothing_can_be_compared():
    chain = chained_jevons(usd=np.array([[4.0, NONE], [2.0, NONE], [NONE, 9.0], [NONE, 3.0]]))
    np.testing.assert_allclose(chain.value, [1.0, 0.5, 1.0, 1 / 3])
    assert chain.number.tolist() == [1, 1, 2, 2]


@given(prices, st.floats(0.01, 100))
def test_matched_index_does_not_depend_on_the_unit_of_money(usd, rate):
    mine, theirs = chained_jevons(usd=usd).value, chained_jevons(usd=usd * rate).value
    np.testing.assert_allclose(mine, theirs, rtol=1e-9)


@given(st.floats(1.1, 900))
def test_slope_of_an_exact_fall_is_that_fall(factor):
    years = np.array([0.0, 0.4, 1.1, 2.0])
    slope = log_linear_slope(years=years, usd=20.0 * factor**-years)
    assert slope.factor_per_year == pytest.approx(factor)
    assert slope.r_squared == pytest.approx(1.0)


def test_interval_of_four_points_has_two_degrees_of_freedom():
    """By hand: slope -1 per year, residuals .1, -.1, -.1, .1, so stderr = sqrt(.04 / 2 / 5) = .0632; t(.975, 2) = 4.303."""
    years = np.array([0.0, 1.0, 2.0, 3.0])
    slope = log_linear_slope(years=years, usd=np.exp(-years + [0.1, -0.1, -0.1, 0.1]))
    assert slope.factor_per_year == pytest.approx(np.e)
    assert np.log(slope.high / slope.factor_per_year) == pytest.approx(4.3027 * np.sqrt(0.004), rel=1e-4)
    assert slope.low * slope.high == pytest.approx(slope.factor_per_year**2)


@given(st.lists(st.tuples(st.floats(0.0, 4.0), st.floats(0.01, 100.0)), min_size=3, max_size=9))
def test_the_line_is_that_of_least_squares(points):
    years, usd = np.array(points).T
    assume(np.ptp(years) > 0.1)
    assume(np.ptp(np.log(usd)) > 0.1)
    found, fit = log_linear_slope(years=years, usd=usd), linregress(years, np.log(usd))
    assert np.log(found.factor_per_year) == pytest.approx(-fit.slope, rel=1e-6, abs=1e-9)
    assert found.r_squared == pytest.approx(fit.rvalue**2, abs=1e-9)
    half = t.ppf(0.975, len(years) - 2) * fit.stderr
    assume(half < 300)  # beyond, its bounds leave the range of a double
    assert np.log(found.high / found.low) == pytest.approx(2.0 * half, rel=1e-3, abs=1e-5)


def test_two_points_give_a_slope_and_no_interval():
    slope = log_linear_slope(years=np.array([0.0, 2.0]), usd=np.array([100.0, 1.0]))
    assert slope.factor_per_year == pytest.approx(10.0)
    assert np.isnan([slope.low, slope.high, slope.r_squared]).all()
    with pytest.raises(ValueError, match="at least two dates"):
        log_linear_slope(years=np.array([1.0, 1.0]), usd=np.array([100.0, 1.0]))


def test_mean_change_gives_the_fall_between_the_ends_and_a_wider_interval_than_a_line():
    changes = np.array([0.0, 0.0, -1.2, 0.0, 0.0, 0.0, -0.6, 0.0, 0.0, 0.0, 0.0, 0.0])
    chain = mean_change_slope(log_change=changes, years=np.full(12, 1 / 12))
    assert chain.factor_per_year == pytest.approx(np.exp(1.8))
    line = log_linear_slope(years=np.arange(12) / 12, usd=np.exp(np.cumsum(changes)))
    assert chain.high / chain.low > line.high / line.low


def test_the_famous_fall_of_280_by_its_text_and_by_its_dates():
    assert fall_per_year(fall=280.0, months=[18.0, 23.0]) == pytest.approx([42.8, 18.9], abs=0.05)


def test_a_retired_model_sets_no_price_of_a_quality(warehouse: duckdb.DuckDBPyConnection) -> None:
    """gemini-1.5-flash ended on 24 September 2025; its name stayed in price lists until March 2026."""
    series = "FROM marts.price_index WHERE series = 'eci 125.76 gpt-4 1:1'"
    assert warehouse.sql(f"SELECT max(as_of)::VARCHAR {series} AND set_by = 'gemini-1.5-flash'").fetchall() == [("2025-08-31",)]
    assert warehouse.sql(f"SELECT DISTINCT set_by, value {series} AND as_of >= '2025-09-30'").fetchall() == [
        ("gpt-5-nano", 0.225)
    ]
    ((slope,),) = warehouse.sql(
        "SELECT factor_per_year FROM marts.price_slope WHERE series = 'eci 125.76 gpt-4 1:1'"
    ).fetchall()
    assert slope == pytest.approx(7.4, abs=0.1)
