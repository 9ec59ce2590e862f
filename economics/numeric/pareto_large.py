"""Non-dominated points of large sets, compiled: cheap filters first, then an exact sweep over what is left.

`economics.numeric.pareto` imports this only when a set is large, because the compiler takes a moment to load. Every kernel
releases the interpreter lock, so that parts of a set run on threads.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from economics.numeric.pareto_small import front as sorted_front
from economics.numeric.pareto_small import front_by_sorting
from economics.numeric.pareto_sweep import sweep
from economics.numeric.threads import in_parts
from economics.units import Array

Mask = NDArray[np.bool_]

THREAD_ROWS = 50_000
"""Below this a second thread costs more than it saves."""
FILTER_ROWS = 20_000
FILTER_ROUNDS = 10
SAMPLE_ROWS = 2_048
STRONG_CANDIDATES = 32
STRONG_ROWS = 16
GRID_ROWS = 200_000
GRID_CELLS = {2: 32_768, 3: 512, 4: 128}
"""Cells per axis by number of objectives: the table of a thread stays below 17 MB."""
GRID_SAMPLE_ROWS = 65_536
GRID_BUCKET_BITS = 17
STRIP_ROWS = 1_024
"""Rows whose columns stay in a core's first cache."""

compiled = numba.njit(nogil=True, cache=True)


def front(points: Array, *, rounds: int = FILTER_ROUNDS) -> Mask:
    """Rows that no other row dominates, every objective minimised.

    (rows, objectives), finite, C order, at least two objectives. Time O(n log n) for two and three objectives,
    O(n log^2 n) for four, O(n x front) for more.
    """
    if len(points) >= FILTER_ROWS and rounds > 0:
        strong, beaten_share = _strong_rows(points)
        if beaten_share > 0.5:
            clear = np.empty(len(points), dtype=np.bool_)
            in_parts(len(points), lambda part: _clear_of_rows(points[part], strong, clear[part]), least=THREAD_ROWS)
            return _narrowed(points, clear, lambda kept: front(kept, rounds=rounds - 1))
    if len(points) >= GRID_ROWS and points.shape[1] in GRID_CELLS:
        return _narrowed(points, _clear_of_grid(points), _exact_front)
    return _exact_front(points)


def _exact_front(points: Array) -> Mask:
    # Two objectives need no compiled sweep: a running minimum over sorted rows is as fast as it gets.
    return sorted_front(points) if points.shape[1] == 2 else front_by_sorting(points, sweep)


def _narrowed(points: Array, clear: Mask, then: Callable[[Array], Mask]) -> Mask:
    """The mask `clear` with its true rows decided by `then`."""
    rows = np.flatnonzero(clear)
    clear[rows] = then(points[rows])
    return clear


# First filter: a few strong rows.


def _strong_rows(points: Array) -> tuple[Array, float]:
    """A few rows of a sample that together beat most of it in every objective, and the share they beat."""
    sample = np.ascontiguousarray(points[:: len(points) // SAMPLE_ROWS])
    ranks = sample.argsort(axis=0).argsort(axis=0)
    beaten_volume = np.log1p(-(ranks + 0.5) / len(sample)).sum(axis=1)
    strong, beaten = _strongest(sample, beaten_volume.argsort()[-STRONG_CANDIDATES:], STRONG_ROWS)
    return strong, beaten / len(sample)


@compiled
def _beats(better: Array, worse: Array) -> bool:
    wins = 0
    for j in range(len(better)):
        wins += better[j] < worse[j]
    return wins == len(better)


@compiled
def _strongest(sample: Array, candidates: NDArray[np.int64], count: int) -> tuple[Array, int]:
    """The candidates that beat most of the sample, each counted on what the ones before it left."""
    left = np.ones(len(sample), dtype=np.bool_)
    strong = np.empty((count, sample.shape[1]))
    found, beaten = 0, 0
    while found < count:
        best, most = -1, 0
        for candidate in candidates:
            beats = 0
            for i in range(len(sample)):
                if left[i] and _beats(sample[candidate], sample[i]):
                    beats += 1
            if beats > most:
                best, most = candidate, beats
        if best < 0:
            break
        for i in range(len(sample)):
            if left[i] and _beats(sample[best], sample[i]):
                left[i] = False
        strong[found] = sample[best]
        found += 1
        beaten += most
    return strong[:found], beaten


@compiled
def _clear_of_rows(points: Array, strong: Array, clear: Mask) -> None:
    """Mark the rows that no strong row beats. Strips and flags instead of branches: the loops become vector code."""
    objectives = points.shape[1]
    columns = np.empty((objectives, STRIP_ROWS))
    beaten, by_this = np.empty(STRIP_ROWS, dtype=np.uint8), np.empty(STRIP_ROWS, dtype=np.uint8)
    for low in range(0, len(points), STRIP_ROWS):
        rows = min(STRIP_ROWS, len(points) - low)
        for j in range(objectives):
            for i in range(rows):
                columns[j, i] = points[low + i, j]
        beaten[:] = 0
        for s in range(len(strong)):
            by_this[:] = 1
            for j in range(objectives):
                value = strong[s, j]
                for i in range(rows):
                    by_this[i] &= value < columns[j, i]
            for i in range(rows):
                beaten[i] |= by_this[i]
        for i in range(rows):
            clear[low + i] = beaten[i] == 0


# Second filter: a grid over all objectives but the last. A cell knows the least last objective of all cells that are
# lower on every axis; a row above it is beaten. Slices of an axis hold about the same number of rows.


class _Grid(NamedTuple):
    """How a value becomes a cell: its key, less the first, shifted to a bucket, looked up."""

    first: NDArray[np.int64]
    shift: NDArray[np.int64]
    cell: NDArray[np.int32]
    """(axes, buckets). Cell 0 stays empty, so that every row has a lower neighbour on every axis."""
    stride: NDArray[np.int64]


def _clear_of_grid(points: Array) -> Mask:
    """Rows that are not behind a row of a lower cell."""
    count, objectives = points.shape
    axes, cells = objectives - 1, GRID_CELLS[objectives]
    grid = _grid(points[:: max(count // GRID_SAMPLE_ROWS, 1), :axes], cells)
    bits = points.view(np.int64)
    cell_of = np.empty(count, dtype=np.int32)
    tables: list[Array] = []

    def fill(part: slice) -> None:
        table = np.full(cells**axes, np.inf)
        tables.append(table)
        _least_by_cell(points[part], bits[part], grid, table, cell_of[part])

    in_parts(count, fill, least=THREAD_ROWS)
    least = np.minimum.reduce(tables).reshape((cells,) * axes)
    for axis in range(axes):
        np.minimum.accumulate(least, axis=axis, out=least)
    clear = np.empty(count, dtype=np.bool_)
    to_lower = int(grid.stride.sum())
    in_parts(
        count,
        lambda part: _above_lower_cells(points[part], cell_of[part], least.ravel(), to_lower, clear[part]),
        least=THREAD_ROWS,
    )
    return clear


def _grid(sample: Array, cells: int) -> _Grid:
    # Sorted as keys and not as numbers: zeros of both signs are equal numbers with different keys.
    keys = np.sort(_key.py_func(np.ascontiguousarray(sample.T).view(np.int64)), axis=1)
    first, span = keys[:, 0].copy(), keys[:, -1] - keys[:, 0]
    shift = np.array([max(int(key).bit_length() - GRID_BUCKET_BITS, 0) for key in span])
    buckets = int((span >> shift).max()) + 2
    cell = np.empty((len(keys), buckets), dtype=np.int32)
    for axis, key in enumerate(keys):
        in_bucket = np.bincount((key - first[axis]) >> shift[axis], minlength=buckets)
        cell[axis] = 1 + (np.cumsum(in_bucket) - in_bucket) * (cells - 1) // (len(key) + 1)
    stride = np.array([cells ** (len(keys) - 1 - axis) for axis in range(len(keys))])
    return _Grid(first, shift, cell, stride)


@compiled
def _key(bits: Any) -> Any:
    """An integer that orders as the number of these bits does: relative resolution at every scale, no logarithm.

    The last bit is given up, so that the difference of two keys fits 64 bits.
    """
    return (bits ^ ((bits >> 63) & 0x7FFF_FFFF_FFFF_FFFF)) >> 1


@compiled
def _least_by_cell(points: Array, bits: NDArray[np.int64], grid: _Grid, table: Array, cell_of: NDArray[np.int32]) -> None:
    last = points.shape[1] - 1
    highest = grid.cell.shape[1] - 1
    for i in range(len(points)):
        cell = 0
        for axis in range(last):
            bucket = max(_key(bits[i, axis]) - grid.first[axis], 0) >> grid.shift[axis]
            cell += grid.cell[axis, min(bucket, highest)] * grid.stride[axis]
        cell_of[i] = cell
        if points[i, last] < table[cell]:  # noqa: PLR1730 - writes only where it lowers
            table[cell] = points[i, last]


@compiled
def _above_lower_cells(points: Array, cell_of: NDArray[np.int32], least: Array, to_lower: int, clear: Mask) -> None:
    last = points.shape[1] - 1
    for i in range(len(points)):
        clear[i] = least[cell_of[i] - to_lower] >= points[i, last]
