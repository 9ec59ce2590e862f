"""Roots of many functions at once, where algebra has no inverse."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from economics.numeric.blocks import arrays_of, map_arrays
from economics.units import Array, Real

State = TypeVar("State")

MOST_STEPS = 200
PATIENCE = 24
"""Steps after which every other one halves the bracket."""
TOLERANCE = 1e-9
GAP_TOLERANCE = 1e-11


def falling_root(
    gap: Callable[[Array, State], Real],
    *,
    low: Real,
    high: Real,
    start: Real,
    state: State,
    tolerance: float = TOLERANCE,
    gap_tolerance: float = GAP_TOLERANCE,
) -> Array:
    """x in [low, high] where `gap(x, state)` falls through zero, elementwise, searched from `start`.

    -inf where the gap is not positive at low, inf where it stays positive up to high, NaN where it is NaN. `state` is a
    frozen dataclass whose arrays broadcast to the bracket; it shrinks with the points that are still to be found. A
    point is found when its bracket is narrower than `tolerance` (absolute, in x) or its gap below `gap_tolerance` of
    the gap at low. A jump across zero is a root. `gap` must be finite. False position as Anderson and Bjorck improve it;
    a function that is slow that way is bisected after a while. Source: Anderson and Bjorck 1973, BIT 13.
    """
    shape = np.broadcast_shapes(np.shape(low), np.shape(high), *(array.shape for array in arrays_of(state)))
    left, end, x = (np.broadcast_to(point, shape).astype(np.float64).ravel() for point in (low, high, start))
    state = map_arrays(state, lambda array: np.broadcast_to(array, shape).ravel())
    above = _evaluate(gap, left, state)
    found = np.where(above <= 0.0, -np.inf, np.nan)
    at = np.flatnonzero(above > 0.0)
    if at.size < found.size:
        left, end, x, above, state = left[at], end[at], x[at], above[at], _kept(state, at)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # The root lies between x and the other end, where the gap has the other sign. The gap at high is not asked for: a
        # bracket that never leaves that end has no root.
        value, met = _evaluate(gap, x, state), gap_tolerance * above
        falls = value < 0.0
        other, other_value = np.where(falls, left, end), np.where(falls, above, -above)
        waiting = np.ones(at.size, dtype=bool)
        for step in range(MOST_STEPS):
            width = other - x
            new = np.flatnonzero(waiting & ((np.abs(width) <= 2.0 * tolerance) | (np.abs(value) <= met)))
            found[at[new]] = np.where((other[new] != end[new]) | (np.abs(value[new]) <= met[new]), x[new], np.inf)
            waiting[new] = False
            waiting &= ~np.isnan(value)  # a gap that is NaN once stays so
            # Found points stay in the arrays until their removal pays.
            if 3 * np.count_nonzero(waiting) < 2 * waiting.size:
                keep = np.flatnonzero(waiting)
                if keep.size == 0:
                    break
                x, value, other, other_value = x[keep], value[keep], other[keep], other_value[keep]
                end, met, at, width, state = end[keep], met[keep], at[keep], width[keep], _kept(state, keep)
                waiting = np.ones(keep.size, dtype=bool)
            share = 0.5 if step >= PATIENCE and step % 2 else value / (value - other_value)
            last, last_value = x, value
            x = x + width * share
            value = _evaluate(gap, x, state)
            # The other end moves by arithmetic: a selection by random masks costs several times as much. Where it stays, it
            # is weighed down, so that the next step passes the root.
            crossed = np.less(value * last_value, 0.0).astype(np.float64)
            passed = value / last_value
            weighed = other_value * np.where(passed < 1.0, 1.0 - passed, 0.5)
            other = other + crossed * (last - other)
            other_value = crossed * last_value + (1.0 - crossed) * weighed
    return found.reshape(shape)


def _evaluate(gap: Callable[[Array, State], Real], x: Array, state: State) -> Array:
    return np.broadcast_to(np.asarray(gap(x, state), dtype=np.float64), x.shape)


def _kept(state: State, at: NDArray[np.intp]) -> State:
    return map_arrays(state, lambda array: array[at])
