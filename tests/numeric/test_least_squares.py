"""Many small least-squares problems at once: the minima that scipy finds one at a time."""

import numpy as np
import pytest
import scipy

from economics.numeric.least_squares import least_squares
from economics.units import Array

PEAK_S = np.geomspace(0.01, 0.3, 14)
HIGH = np.array([100.0, np.inf])


def residual_of(measured_s: Array, keep: Array, x: Array) -> tuple[Array, Array]:
    """Log ratios of overhead + slowness x peak to what was measured, and their slopes, of each row of x."""
    expected_s = x[:, 1:] + PEAK_S * x[:, :1]
    slopes = np.stack([PEAK_S / expected_s, 1.0 / expected_s], axis=-1)
    return keep * np.log(expected_s / measured_s), keep[:, :, None] * slopes


def problems(seed: int) -> tuple[Array, Array]:
    """Noisy steps, two of them wild; and which of them each problem keeps: all, then all but one."""
    rng = np.random.default_rng(seed)
    noise = np.exp(0.08 * rng.standard_normal(14))
    noise[rng.integers(14, size=2)] *= [3.0, 0.5]
    return (rng.uniform(0.0, 0.01) + PEAK_S / rng.uniform(0.3, 1.0)) * noise, np.vstack([np.ones(14), 1.0 - np.eye(14)])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("typical_error", [0.1, np.inf])
def test_each_minimum_is_the_one_scipy_finds_alone(seed: int, typical_error: float) -> None:
    measured_s, keep = problems(seed)
    found = least_squares(
        lambda x: residual_of(measured_s, keep, x),
        start=np.tile([2.0, 0.001], (15, 1)),
        low=[1.0, 0.0],
        high=HIGH,
        typical_error=typical_error,
    )
    loss = {"loss": "soft_l1", "f_scale": typical_error} if np.isfinite(typical_error) else {}
    for problem, kept in enumerate(keep):
        alone = scipy.optimize.least_squares(
            lambda x, kept=kept: residual_of(measured_s, kept[None], x[None])[0][0],
            [2.0, 0.001],
            jac=lambda x, kept=kept: residual_of(measured_s, kept[None], x[None])[1][0],
            bounds=([1.0, 0.0], HIGH),
            x_scale=[1.0, 0.001],
            ftol=1e-15,
            xtol=1e-15,
            gtol=1e-15,
            max_nfev=2000,
            **loss,
        )
        np.testing.assert_allclose(found.cost[problem], alone.cost, rtol=1e-9)
        np.testing.assert_allclose(found.x[problem], alone.x, rtol=1e-5, atol=1e-8)
        np.testing.assert_allclose(found.curvature[problem], alone.jac.T @ alone.jac, rtol=1e-4)


def test_a_bound_that_the_cost_pushes_against_holds_and_the_rest_is_at_its_best() -> None:
    faster_than_peak_s = 0.5 * PEAK_S
    keep = np.ones((1, 14))
    found = least_squares(lambda x: residual_of(faster_than_peak_s, keep, x), start=[[2.0, 0.01]], low=[[1.0, 0.0]], high=HIGH)
    assert found.x.tolist() == [[1.0, 0.0]]


def test_a_parameter_whose_bounds_are_equal_stays_and_the_other_is_found() -> None:
    measured_s = 0.004 + PEAK_S / 0.5
    overhead_s = np.array([0.004, 0.0])
    found = least_squares(
        lambda x: residual_of(measured_s, np.ones((2, 14)), x),
        start=np.column_stack([[5.0, 5.0], overhead_s]),
        low=np.column_stack([[1.0, 1.0], overhead_s]),
        high=np.column_stack([[100.0, 100.0], overhead_s]),
    )
    assert found.x[:, 1].tolist() == [0.004, 0.0]
    assert found.x[0, 0] == pytest.approx(2.0, rel=1e-12)
    assert found.x[1, 0] > 2.05


def test_a_problem_without_points_or_a_parameter_without_effect_stays_where_it_started() -> None:
    none = least_squares(lambda x: (0.0 * x, 0.0 * x[:, :, None]), start=[[0.3]], low=0.0, high=1.0)
    assert (none.x.tolist(), none.cost.tolist()) == ([[0.3]], [0.0])

    def first_alone(x: Array) -> tuple[Array, Array]:
        return x[:, :1] - np.array([1.0, 3.0]), np.tile([1.0, 0.0], (1, 2, 1))

    half = least_squares(first_alone, start=[[0.0, 0.3]], low=-9.0, high=9.0)
    assert half.x[0].tolist() == pytest.approx([2.0, 0.3])
