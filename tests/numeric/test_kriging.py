"""Kriging within groups: left-out errors are those of a fit without the points, and compiled sums are plain sums."""

import numpy as np
import pytest

from economics.numeric.kriging import Variances, kernel, kernel_sums, krige, left_out, left_out_alone

RNG = np.random.default_rng(11)
GROUPS = np.repeat([0, 1, 2], [6, 5, 1]).astype(np.int64)
FEATURES = RNG.normal(size=(12, 2))
RESIDUAL = RNG.normal(size=12)
VARIANCES = Variances(constant=0.5, smooth=0.3, noise=0.1)


def fitted(residual: np.ndarray = RESIDUAL):
    return krige(residual=residual, groups=GROUPS, features=FEATURES, variances=VARIANCES, noise_share=np.ones(12))


def predicted(weights: np.ndarray, row: int) -> float:
    mine = GROUPS[row] == GROUPS
    covariance = VARIANCES.constant + VARIANCES.smooth * kernel(FEATURES[row][None], FEATURES[mine])[0]
    return float(covariance @ weights[mine])


def test_points_left_out_get_the_error_of_a_fit_without_them() -> None:
    parts = np.array([0, 0, 1, 1, 2, 2, 0, 1, 2, 3, 4, 0], dtype=np.int64)
    errors = left_out(fitted(), parts=parts)
    for row in range(12):
        without = np.where((parts == parts[row]) & (GROUPS[row] == GROUPS), np.nan, RESIDUAL)
        assert errors[row] == pytest.approx(RESIDUAL[row] - predicted(fitted(without).weights, row))


def test_points_left_out_alone_are_parts_of_one_point() -> None:
    assert left_out_alone(fitted()) == pytest.approx(left_out(fitted(), parts=np.arange(12)))


def test_a_residual_that_is_unknown_teaches_nothing() -> None:
    residual = RESIDUAL.copy()
    residual[2] = np.nan
    fit = fitted(residual)
    assert fit.weights[2] == 0.0
    assert np.isnan(left_out(fit, parts=np.arange(12))[2])


def test_without_noise_a_point_is_met_and_far_away_only_the_group_is_left() -> None:
    exact = Variances(constant=0.5, smooth=0.3, noise=1e-9)
    fit = krige(residual=RESIDUAL, groups=GROUPS, features=FEATURES, variances=exact, noise_share=np.ones(12))
    mine = GROUPS == 0
    met = (exact.constant + exact.smooth * kernel(FEATURES[mine], FEATURES[mine])) @ fit.weights[mine]
    assert met == pytest.approx(RESIDUAL[mine], abs=1e-6)
    assert kernel(FEATURES[:1] + 100.0, FEATURES) == pytest.approx(np.zeros((1, 12)))


def test_a_single_point_is_shrunk_by_its_noise() -> None:
    share = (VARIANCES.constant + VARIANCES.smooth) / (VARIANCES.constant + VARIANCES.smooth + VARIANCES.noise)
    assert predicted(fitted().weights, 11) == pytest.approx(share * RESIDUAL[11])


def test_compiled_sums_are_plain_sums_and_find_the_nearest_point() -> None:
    wanted, weights = RNG.normal(size=(4, 2)), RNG.normal(size=(12, 3))
    first, last = np.array([0, 6, 11, 3], dtype=np.int64), np.array([6, 11, 12, 3], dtype=np.int64)
    sums, distance, nearest = np.zeros((4, 3)), np.zeros(4), np.zeros(4, dtype=np.int64)
    kernel_sums(wanted, first, last, FEATURES, weights, sums, distance, nearest)
    for row, (start, end) in enumerate(zip(first, last, strict=True)):
        rows = slice(int(start), int(end))
        assert sums[row] == pytest.approx((kernel(wanted[row][None], FEATURES[rows]) @ weights[rows])[0])
        if end > start:
            apart = np.linalg.norm(FEATURES[rows] - wanted[row], axis=1)
            assert (distance[row], nearest[row]) == (pytest.approx(apart.min()), start + apart.argmin())
    assert nearest[3] == -1
    assert np.isinf(distance[3])
