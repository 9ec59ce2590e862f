"""Pareto frontiers: which points no other point beats, and how probable that is when the points are uncertain.

Small sets take a few lines of NumPy; large ones are compiled (`economics.numeric.pareto_large`), which costs some seconds the
first time on a machine and a fraction of a second once in each process after that.
"""

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from economics.numeric.pareto_small import front as small_front
from economics.units import Array

Mask = NDArray[np.bool_]
Codes = NDArray[np.int64]
Labels = NDArray[np.generic] | Sequence[Hashable] | ArrayLike

COMPILED_ROWS = 20_000
"""Sets smaller than this never wait for the compiler."""
FRAME_ROWS = 2_048
"""Frames of a large set that have fewer rows are swept together."""
DRAWN_ROWS = 2**20
"""Rows compared at once when the points are drawn many times."""


def non_dominated(points: ArrayLike, *, within: Labels | None = None) -> Mask:
    """Points that no other point of their frame beats: nowhere greater and somewhere less, every objective minimised.

    `points`: (points, objectives), any units. `within`: one label a point (integers, strings, tuples, or the rows of a
    two-dimensional array); a point never dominates across frames. Returns booleans. Equal points all stay or all go.
    A point with an infinite objective misses its contract: it stays off the frontier while its frame has a point
    without one; in a frame of nothing else, inf counts as the largest number. ValueError for NaN and -inf.
    Source: formula S20.
    """
    points = np.ascontiguousarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] == 0:
        raise ValueError(f"points must have the shape (points, objectives), got {points.shape}")
    frames = None if within is None else _frame_codes(within, len(points))
    with np.errstate(over="ignore", invalid="ignore"):
        all_finite = np.isfinite(points.sum())
    if all_finite:
        return _front(points, frames)
    frames = np.zeros(len(points), dtype=np.int64) if frames is None else frames
    rows = np.flatnonzero(_comparable(points, frames))
    mask = np.zeros(len(points), dtype=np.bool_)
    mask[rows] = _front(np.minimum(points[rows], np.finfo(np.float64).max), frames[rows])
    return mask


def frontier_probability(draws: Array | Iterable[Array], *, within: Labels | None = None) -> Array:
    """Share of draws in which each point is on the frontier of its frame.

    `draws`: (draws, points, objectives), or an iterable of such arrays so that they never stand in memory together;
    draw i holds every point as it may be at once. Returns (points,). Its standard error is sqrt(p (1 - p) / draws).
    ValueError as for `non_dominated`, and where there is no draw.
    Source: formula S20.
    """
    wins: Array = np.zeros(0)
    drawn = 0
    for chunk in [draws] if isinstance(draws, np.ndarray) else draws:
        if chunk.ndim != 3:
            raise ValueError(f"draws must have the shape (draws, points, objectives), got {chunk.shape}")
        count, points, objectives = chunk.shape
        frames = np.zeros(points, dtype=np.int64) if within is None else _frame_codes(within, points)
        wins = wins if drawn else np.zeros(points)
        step = max(DRAWN_ROWS // max(points, 1), 1)
        for low in range(0, count, step):
            part = chunk[low : low + step]
            # Each draw of each frame is a frame of its own, so one call compares them all.
            own = np.arange(len(part))[:, None] * (frames.max(initial=0) + 1) + frames
            found = non_dominated(part.reshape(-1, objectives), within=own.ravel())
            wins += found.reshape(-1, points).sum(axis=0)
        drawn += count
    if drawn == 0:
        raise ValueError("draws must hold at least one draw")
    return wins / drawn


def _frame_codes(within: Labels, points: int) -> Codes:
    """A number from 0 for each distinct label."""
    labels = np.asarray(within) if hasattr(within, "__array__") else np.asarray(within, dtype=object)
    if labels.ndim not in (1, 2) or len(labels) != points:
        raise ValueError(f"within must hold one label for each of {points} points, got the shape {labels.shape}")
    if labels.ndim == 1 and labels.dtype.kind in "iub":
        return np.unique(labels, return_inverse=True)[1]
    keys = labels.tolist() if labels.ndim == 1 else map(tuple, labels.tolist())
    codes: dict[Hashable, int] = {}
    coded = np.fromiter((codes.setdefault(key, len(codes)) for key in keys), np.int64, points)
    for key in codes:
        if any(part != part for part in (key if isinstance(key, tuple) else (key,))):  # noqa: PLR0124
            raise ValueError("within must not be NaN")
    return coded


def _comparable(points: Array, frames: Codes) -> Mask:
    """Rows without infinity, and all rows of frames that have no such row."""
    if np.isnan(points).any():
        raise ValueError("points must not be NaN")
    if np.isneginf(points).any():
        raise ValueError("points must not be -inf")
    finite = np.isfinite(points).all(axis=1)
    has_finite = np.zeros(frames.max(initial=0) + 1, dtype=np.bool_)
    has_finite[frames[finite]] = True
    return finite | ~has_finite[frames]


def _front(points: Array, frames: Codes | None) -> Mask:
    if len(points) == 0:
        return np.zeros(0, dtype=np.bool_)
    if points.shape[1] == 1:
        points = np.repeat(points, 2, axis=1)
    if frames is None:
        return small_front(points) if len(points) < COMPILED_ROWS else _compiled_front(points)
    order = frames.argsort(kind="stable")
    sizes = np.bincount(frames)
    ends = np.cumsum(sizes)
    mask = np.ones(len(points), dtype=np.bool_)
    few = len(points) < COMPILED_ROWS
    for frame in np.flatnonzero(sizes > 1 if few else sizes >= FRAME_ROWS):
        rows = order[ends[frame] - sizes[frame] : ends[frame]]
        mask[rows] = small_front(points[rows]) if few else _compiled_front(points[rows])
    rows = np.flatnonzero((sizes < FRAME_ROWS)[frames])
    if len(rows) > 0 and not few:
        mask[rows] = _compiled_small_frames(points[rows], frames[rows])
    return mask


def _compiled_front(points: Array) -> Mask:
    from economics.numeric.pareto_large import front  # noqa: PLC0415 - loads the compiler

    return front(points)


def _compiled_small_frames(points: Array, frames: Codes) -> Mask:
    from economics.numeric.pareto_sweep import fronts_of_small_frames  # noqa: PLC0415 - loads the compiler

    return fronts_of_small_frames(points, frames)
