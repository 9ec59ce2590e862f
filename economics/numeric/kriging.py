"""Kriging within groups: what the points of a group share, and what near points share besides.

A residual is a constant of its group, a smooth deviation over features and noise, all normal with known variances; groups are
independent. So each group is one small matrix, thousands of points take milliseconds, and any part of a group can be left out
in closed form. Source: Rasmussen and Williams 2006, eq. 2.25 (mean) and 5.12 (left out).
"""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from economics.units import Array

Index = NDArray[np.int64]

compiled = numba.njit(nogil=True, cache=True)

FAR = 8.0
"""Distance beyond which points share nothing but their group: exp(-32)."""


@dataclass(frozen=True, kw_only=True)
class Variances:
    """How a residual is made up."""

    constant: float
    """Of what a group shares."""
    smooth: float
    """Of the deviation over features, with the kernel exp(-d^2/2)."""
    noise: float
    """Of a single point, with replicates and versions in it."""


@dataclass(frozen=True, eq=False)
class Kriged:
    """A fit: weights of the points, and what is needed to leave some out."""

    weights: Array
    """A^-1 r, (n,); 0 for points without a residual."""
    inverse: list[Array]
    """A^-1 of each group."""
    members: list[Index]
    """Points of each group that have a residual."""


def krige(*, residual: Array, groups: Index, features: Array, variances: Variances, noise_share: Array) -> Kriged:
    """Fit residuals (n,) of points with `features` (n, f) in `groups` (n,), numbered from 0.

    A residual that is NaN is left out. `noise_share` (n,) multiplies the noise of a point: above 1 where it is believed less.
    """
    weights, inverse, members = np.zeros(len(residual)), [], []
    for rows in _members(groups, np.isfinite(residual)):
        covariance = variances.constant + variances.smooth * kernel(features[rows], features[rows])
        covariance[np.diag_indices(len(rows))] += variances.noise * noise_share[rows]
        inverted: Array = np.linalg.inv(covariance).astype(np.float64)
        weights[rows] = inverted @ residual[rows]
        inverse.append(inverted)
        members.append(rows)
    return Kriged(weights, inverse, members)


def left_out(fit: Kriged, *, parts: Index) -> Array:
    """Residual minus its prediction from the points of other parts of its group, (n,); NaN where there is no residual."""
    errors = np.full(len(fit.weights), np.nan)
    for rows, inverse in zip(fit.members, fit.inverse, strict=True):
        part = parts[rows]
        order = np.argsort(part, kind="stable")
        for mine in np.split(order, np.flatnonzero(np.diff(part[order])) + 1):
            errors[rows[mine]] = np.linalg.solve(inverse[np.ix_(mine, mine)], fit.weights[rows[mine]])
    return errors


def left_out_alone(fit: Kriged) -> Array:
    """Residual minus its prediction from all other points of its group, (n,); NaN where there is no residual.

    Source: Rasmussen and Williams 2006, eq. 5.12.
    """
    errors = np.full(len(fit.weights), np.nan)
    for rows, inverse in zip(fit.members, fit.inverse, strict=True):
        errors[rows] = fit.weights[rows] / np.diag(inverse)
    return errors


def kernel(one: Array, other: Array) -> Array:
    """exp(-d^2/2) between two sets of points."""
    apart = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :] - 2.0 * one @ other.T
    return np.asarray(np.exp(-0.5 * np.maximum(apart, 0.0)))


@compiled
def kernel_sums(  # pragma: no cover  (compiled)
    wanted: Array, first: Index, last: Index, features: Array, weights: Array, sums: Array, distance: Array, nearest: Index
) -> None:
    """For each wanted point the sums of the kernel over points first..last, one a column of `weights`, and the nearest point.

    `features` and `weights` are sorted by group. Fills `sums` (m, q), `distance` (m,) and `nearest` (m,); -1 where the range is
    empty.
    """
    for row in range(len(wanted)):
        best, where = np.inf, -1
        for point in range(first[row], last[row]):
            apart = 0.0
            for feature in range(features.shape[1]):
                gap = wanted[row, feature] - features[point, feature]
                apart += gap * gap
            if apart < best:
                best, where = apart, point
            if apart < FAR * FAR:
                share = np.exp(-0.5 * apart)
                for quantity in range(weights.shape[1]):
                    sums[row, quantity] += share * weights[point, quantity]
        distance[row], nearest[row] = np.sqrt(best), where


def _members(groups: Index, known: NDArray[np.bool_]) -> list[Index]:
    rows = np.flatnonzero(known)
    order = rows[np.argsort(groups[rows], kind="stable")]
    return [part for part in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1) if len(part)]
