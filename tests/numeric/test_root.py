from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from economics.numeric.root import falling_root


@dataclass(frozen=True)
class Curve:
    at: NDArray[np.float64]
    steepness: NDArray[np.float64] | float = 1.0


def roots(gap, at, low=0.0, high=10.0, steepness=1.0):
    curve = Curve(at=np.asarray(at, dtype=float), steepness=steepness)
    return falling_root(gap, low=low, high=high, start=0.5 * (low + high), state=curve)


def line(x, curve):
    return curve.steepness * (curve.at - x)


@given(st.lists(st.floats(0.01, 9.99), min_size=1, max_size=40), st.floats(1e-9, 1e9))
def test_lines_are_found(at, steepness):
    np.testing.assert_allclose(roots(line, at, steepness=steepness), at, atol=1e-8)


@given(st.lists(st.floats(0.01, 9.99), min_size=1, max_size=40))
def test_curves_of_any_bend_are_found(at):
    for gap in (
        lambda x, c: np.exp(c.at) - np.exp(x),
        lambda x, c: c.at**7 - x**7,
        lambda x, c: np.arctan(1e4 * (c.at - x)),
        lambda x, c: np.maximum(c.at - x, 1e-3 * (c.at - x)),
        lambda x, c: np.minimum(c.at - x, 1e-3 * (c.at - x)),
    ):
        np.testing.assert_allclose(roots(gap, at), at, atol=1e-7)


@given(st.lists(st.floats(0.01, 9.99), min_size=1, max_size=40))
def test_a_jump_is_a_root(at):
    np.testing.assert_allclose(roots(lambda x, c: np.where(x < c.at, 1.0, -1e-6), at), at, atol=1e-8)
    np.testing.assert_allclose(roots(lambda x, c: np.where(x < c.at, 1e-6, -1.0), at), at, atol=1e-8)


def test_no_sign_change_is_told_apart():
    found = roots(line, [-1.0, 0.0, 5.0, 9.99, 11.0, np.nan])
    np.testing.assert_array_equal(found[[0, 1, 4]], [-np.inf, -np.inf, np.inf])
    np.testing.assert_allclose(found[[2, 3]], [5.0, 9.99], atol=1e-8)
    assert np.isnan(found[5])


def test_brackets_and_state_broadcast():
    found = roots(line, np.array([1.0, 2.0, 3.0]), low=np.zeros((2, 1)), high=np.array([[10.0], [2.5]]))
    np.testing.assert_allclose(found, [[1.0, 2.0, 3.0], [1.0, 2.0, np.inf]], atol=1e-8)


def test_many_roots_at_once_are_those_found_one_by_one():
    at = np.random.default_rng(0).uniform(0.1, 9.9, 300)

    def gap(x, curve):
        return np.exp(-x) - np.exp(-curve.at) + np.where(x > 5.0, -0.1, 0.0)

    together = roots(gap, at)
    alone = np.array([roots(gap, [value])[0] for value in at])
    np.testing.assert_allclose(together, alone, atol=1e-8)


def test_a_gap_that_is_lost_on_the_way_is_nan_and_not_searched_on():
    asked = []

    def gap(x, curve):
        asked.append(x.size)
        return np.where((curve.at > 9.0) & (x > 0.0), np.nan, curve.at - x)

    found = roots(gap, [3.0, 9.5, 7.0])
    np.testing.assert_allclose(found, [3.0, np.nan, 7.0], atol=1e-8)
    assert len(asked) < 20
