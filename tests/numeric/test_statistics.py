import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from economics.numeric.statistics import bootstrap_weights, log_ratio_interval, percentile_interval, wilson_interval


def test_thirty_items_leave_a_wide_interval() -> None:
    # AIME: 53.3 % of 30 questions.
    low, high = wilson_interval(successes=16.0, trials=30.0)

    assert low == pytest.approx(0.36, abs=0.005)
    assert high == pytest.approx(0.70, abs=0.005)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.5, 0.95, 0.99]))
def test_wilson_is_the_one_of_scipy(counts: tuple[int, int], confidence: float) -> None:
    successes, trials = counts
    expected = binomtest(successes, trials).proportion_ci(confidence, method="wilson")

    low, high = wilson_interval(successes=float(successes), trials=float(trials), confidence=confidence)

    assert (low, high) == (pytest.approx(expected.low, abs=1e-12), pytest.approx(expected.high, abs=1e-12))


def test_wilson_of_a_column_is_wilson_of_each_row() -> None:
    successes, trials = np.array([0.0, 3.0, 30.0]), 30.0
    low, high = wilson_interval(successes=successes, trials=trials)

    assert [low[1], high[1]] == list(wilson_interval(successes=3.0, trials=trials))
    assert low[0] == 0.0
    assert high[2] == 1.0


def test_more_successes_than_trials_is_an_error() -> None:
    with pytest.raises(ValueError, match="successes must not exceed trials"):
        wilson_interval(successes=5.0, trials=4.0)
    with pytest.raises(ValueError, match="trials must be positive"):
        wilson_interval(successes=0.0, trials=0.0)


def test_log_ratio_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    few, many = rng.binomial(60, 0.3, 20_000), rng.binomial(90, 0.6, 20_000)

    low, high = log_ratio_interval(successes_from=few, trials_from=60, successes_to=many, trials_to=90)

    covered = np.mean((low <= np.log(2.0)) & (np.log(2.0) <= high))
    assert covered == pytest.approx(0.95, abs=0.01)


def test_log_ratio_of_a_share_of_zero_is_not_known() -> None:
    low, high = log_ratio_interval(successes_from=0.0, trials_from=30.0, successes_to=8.0, trials_to=30.0)

    assert np.isnan(low)
    assert np.isnan(high)


def test_bootstrap_weights_draw_as_many_items_as_there_are() -> None:
    weights = bootstrap_weights(items=50, replicates=400, rng=np.random.default_rng(2))

    assert weights.shape == (400, 50)
    assert (weights.sum(axis=1) == 50.0).all()
    assert weights.mean() == pytest.approx(1.0)
    assert weights.var() == pytest.approx(1.0, abs=0.05)


def test_percentile_interval_leaves_out_what_is_not_known() -> None:
    values = np.array([[1.0, np.nan], [2.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    low, high = percentile_interval(values, confidence=0.5)

    assert (low[0], high[0]) == (1.5, 2.5)
    assert np.isnan(low[1])
    assert np.isnan(high[1])
