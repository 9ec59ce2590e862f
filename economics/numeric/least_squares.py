"""Least squares within bounds of many small problems at once, with a loss that wild points move little.

`scipy.optimize.least_squares` solves one problem in a millisecond; leaving each point out in turn makes a thousand problems.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from economics.units import Array

MOST_STEPS = 200
TOLERANCE = 1e-15
"""A problem is solved when the next step would take less than this share of its cost away."""
DAMPING, WEAKER, STRONGER = 1e-3, 0.1, 10.0
"""Of the first step, and how it changes after a step that takes cost away and after one that does not."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Minimum:
    """Where the cost of each problem is least: half the sum of its squared residuals, or what the loss makes of them."""

    x: Array
    """(problems, parameters)."""
    cost: Array
    """(problems,)."""
    curvature: Array
    """(problems, parameters, parameters): J^T J with the weights of the loss, the Gauss-Newton Hessian of the cost."""
    gradient: Array
    """(problems, parameters), of the cost."""


def least_squares(
    residual: Callable[[Array], tuple[Array, Array]],
    *,
    start: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    typical_error: float = np.inf,
) -> Minimum:
    """Minimise within [low, high] from a start, all three (problems, parameters) or broadcast to it.

    `residual` takes x and returns (problems, points) and their slopes (problems, points, parameters); a point that a problem
    leaves out is 0 in both. Beyond `typical_error` a residual counts with its size, no longer its square (soft L1); without
    one all count squared. A parameter whose bounds are equal stays.
    Source: Levenberg 1944, Marquardt 1963; the loss as `scipy.optimize.least_squares` has it.
    """
    shape = np.broadcast_shapes(np.shape(start), np.shape(low), np.shape(high))
    least, most = np.broadcast_to(low, shape), np.broadcast_to(high, shape)
    at = _cost(residual, np.clip(np.broadcast_to(start, shape), least, most), typical_error)
    damping, own = np.full(len(at.x), DAMPING), np.eye(shape[-1])
    for _ in range(MOST_STEPS):
        # A parameter on a bound that the cost pushes it against is left out of the step, as is one that moves nothing.
        size = np.diagonal(at.curvature, axis1=1, axis2=2)
        held = ((at.x <= least) & (at.gradient >= 0.0)) | ((at.x >= most) & (at.gradient <= 0.0)) | (size == 0.0)
        free = ~held
        matrix = at.curvature * free[:, :, None] * free[:, None, :]
        matrix += own * (damping[:, None] * size + held)[:, None]
        slope = at.gradient * free
        step = np.linalg.solve(matrix, -slope[:, :, None])[:, :, 0]
        if (-(slope * step).sum(axis=1) <= TOLERANCE * at.cost).all():
            break
        then = _cost(residual, np.clip(at.x + step, least, most), typical_error)
        better = then.cost <= at.cost
        damping *= np.where(better, WEAKER, STRONGER)
        at = Minimum(
            x=np.where(better[:, None], then.x, at.x),
            cost=np.where(better, then.cost, at.cost),
            curvature=np.where(better[:, None, None], then.curvature, at.curvature),
            gradient=np.where(better[:, None], then.gradient, at.gradient),
        )
    return at


def _cost(residual: Callable[[Array], tuple[Array, Array]], x: Array, typical_error: float) -> Minimum:
    off, slopes = residual(x)
    root = np.sqrt(1.0 + np.square(off / typical_error))
    turned = slopes.transpose(0, 2, 1)
    return Minimum(
        x=x,
        cost=(off * off / (1.0 + root)).sum(axis=1),
        curvature=(turned / root[:, None, :] ** 3) @ slopes,
        gradient=(turned @ (off / root)[:, :, None])[:, :, 0],
    )
