import numpy as np
import pytest

from economics.units import is_on, kept, require_fraction, require_non_negative, require_positive, require_share

INSIDE = {
    require_positive: [1e-300, 1.0, np.array([0.5, 2.0]), np.array([]), None],
    require_non_negative: [0.0, 1e300, np.array([0.0, 2.0]), None],
    require_share: [0.0, 1.0, np.array([0.0, 1.0]), None],
    require_fraction: [1e-9, 1.0, np.array([0.2, 1.0]), None],
}
OUTSIDE = {
    require_positive: [0.0, -1.0, np.inf, np.nan, np.array([1.0, 0.0]), np.array([1.0, np.nan])],
    require_non_negative: [-1e-9, np.inf, np.nan, np.array([1.0, -1.0])],
    require_share: [-0.1, 1.1, np.nan, np.array([0.5, np.nan])],
    require_fraction: [0.0, 1.1, np.nan, np.array([0.5, 0.0])],
}


@pytest.mark.parametrize(("require", "value"), [(require, value) for require in INSIDE for value in INSIDE[require]])
def test_values_inside_the_domain_pass(require, value):
    require(symbol=value)


@pytest.mark.parametrize(("require", "value"), [(require, value) for require in OUTSIDE for value in OUTSIDE[require]])
def test_values_outside_the_domain_are_named(require, value):
    with pytest.raises(ValueError, match="symbol must"):
        require(fine=1.0, symbol=value)


def test_a_symbol_is_on_where_any_value_differs_from_zero():
    assert not is_on(0.0)
    assert not is_on(np.zeros(3))
    assert is_on(np.array([0.0, 0.1]))
    assert is_on(0.1)


def test_kept_values_and_the_others():
    np.testing.assert_array_equal(kept(np.array([1.0, 2.0]), np.array([True, False]), otherwise=np.inf), [1.0, np.inf])
    assert np.isnan(kept(1.0, False, otherwise=np.nan))
    assert kept(1.0, True, otherwise=np.nan) == 1.0
