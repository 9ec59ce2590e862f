"""Quantiles and shares out of buckets: by hand, at their ends, and against the values themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from economics.numeric.histogram import bucket_quantile, share_within

BOUNDS = [0.1, 0.5, 1.0, np.inf]


def test_a_quantile_within_a_bucket():
    # 10 below .1, 20 between .1 and .5, 10 up to 1: the median is the tenth of the 20, half way.
    assert bucket_quantile(upper_bounds=BOUNDS, cumulative=[10, 30, 40, 40], share=0.5) == pytest.approx(0.3)
    assert bucket_quantile(upper_bounds=BOUNDS, cumulative=[10, 30, 40, 40], share=0.125) == pytest.approx(0.05)


def test_above_the_last_bound_only_that_it_is_larger_is_known():
    assert bucket_quantile(upper_bounds=BOUNDS, cumulative=[10, 30, 40, 50], share=0.99) == np.inf
    assert np.isnan(bucket_quantile(upper_bounds=BOUNDS, cumulative=[0, 0, 0, 0], share=0.5))


def test_the_share_within_a_bound_and_what_it_can_be():
    assert share_within(upper_bounds=BOUNDS, cumulative=[10, 30, 40, 50], bound=0.5) == (0.6, 0.6, 0.6)
    assert share_within(upper_bounds=BOUNDS, cumulative=[10, 30, 40, 50], bound=0.3) == (0.4, 0.2, 0.6)
    assert share_within(upper_bounds=BOUNDS, cumulative=[10, 30, 40, 50], bound=9.0) == (0.8, 0.8, 1.0)


def test_buckets_that_do_not_end_are_refused():
    with pytest.raises(ValueError, match="infinity"):
        bucket_quantile(upper_bounds=[1.0, 2.0], cumulative=[1, 2], share=0.5)


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=200), st.floats(0.01, 0.99))
def test_a_quantile_is_in_the_bucket_of_the_true_one(values, share):
    counts = [sum(value <= bound for value in values) for bound in BOUNDS]
    found = bucket_quantile(upper_bounds=BOUNDS, cumulative=counts, share=share)
    true = float(np.quantile(values, share, method="inverted_cdf"))
    place = int(np.searchsorted(BOUNDS, true))
    assert (0.0 if place == 0 else BOUNDS[place - 1]) <= found <= BOUNDS[place]
    middle, least, most = share_within(upper_bounds=BOUNDS, cumulative=counts, bound=0.3)
    assert least <= sum(value <= 0.3 for value in values) / len(values) <= most
    assert least <= middle <= most
