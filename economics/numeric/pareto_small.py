"""Non-dominated points of small sets, in NumPy alone."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from economics.units import Array

Mask = NDArray[np.bool_]

BLOCK_ROWS = 128


def front(points: Array) -> Mask:
    """Rows that no other row dominates, every objective minimised; (rows, objectives >= 2), finite."""
    return front_by_sorting(points, _two_objectives if points.shape[1] == 2 else _more_objectives)


def front_by_sorting(points: Array, sweep: Callable[[Array], Mask]) -> Mask:
    """The same, where `sweep` marks the front of rows that are sorted by all objectives and distinct.

    In such rows only one before a row can dominate it, and it does as soon as it is nowhere greater.
    """
    mask = np.empty(len(points), dtype=np.bool_)
    order = points[:, 0].argsort()
    rows = points[order]
    if (rows[1:, 0] > rows[:-1, 0]).all():
        mask[order] = sweep(rows)
        return mask
    order = np.lexsort(points.T[::-1])
    rows = points[order]
    distinct = np.concatenate([[True], (rows[1:] != rows[:-1]).any(axis=1)])
    mask[order] = sweep(rows[distinct])[np.cumsum(distinct) - 1]
    return mask


def _two_objectives(rows: Array) -> Mask:
    least = np.minimum.accumulate(rows[:, 1])
    return np.concatenate([[True], rows[1:, 1] < least[:-1]])


def _more_objectives(rows: Array) -> Mask:
    """Block by block: against the front so far, then within the block. The first objective is in order already."""
    alive = np.zeros(len(rows), dtype=np.bool_)
    front = np.empty((len(rows), rows.shape[1] - 1))
    found = 0
    for low in range(0, len(rows), BLOCK_ROWS):
        block = rows[low : low + BLOCK_ROWS, 1:]
        kept = np.flatnonzero(~np.any(_reached(front[:found], block), axis=0))
        kept = kept[~np.any(np.triu(_reached(block[kept], block[kept]), 1), axis=0)]
        front[found : found + len(kept)] = block[kept]
        found += len(kept)
        alive[low + kept] = True
    return alive


def _reached(lower: Array, rows: Array) -> Mask:
    """Whether each of `rows` (second axis) is nowhere less than each of `lower` (first axis)."""
    reached: Mask = np.less_equal(lower[:, None, 0], rows[:, 0])
    for column in range(1, rows.shape[1]):
        reached &= lower[:, None, column] <= rows[:, column]
    return reached
