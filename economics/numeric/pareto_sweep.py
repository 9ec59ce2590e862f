"""The non-dominated points of a set, exactly: compiled sweeps over sorted and distinct rows.

So only a row before a row can dominate it, and it does as soon as it is nowhere greater.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from economics.numeric.threads import in_parts
from economics.units import Array

Mask = NDArray[np.bool_]

BLOCK_ROWS = 32
"""Rows of the sweep in four objectives that are compared pair by pair before blocks are merged."""
THREAD_BLOCKS = 1_500
THREAD_FRAMES = 1_000
"""A second thread costs more than it saves on fewer."""

compiled = numba.njit(nogil=True, cache=True)


def sweep(rows: Array) -> Mask:
    """The front of rows that are sorted by all objectives and distinct; two objectives or more, finite."""
    alive = np.empty(len(rows), dtype=np.bool_)
    if rows.shape[1] == 3:
        _sweep_three(rows, _places(rows[:, 1]), alive)
    elif rows.shape[1] == 4:
        _sweep_four(rows, alive)
    else:
        _fronts_by_pairs(rows, np.array([0, len(rows)]), alive)
    return alive


def fronts_of_small_frames(points: Array, frames: NDArray[np.int64]) -> Mask:
    """The front of each frame of few rows, which `frames` numbers, in any order: every row against the front of its frame."""
    order = np.lexsort((*points.T[::-1], frames))
    ordered, frame = points[order], frames[order]
    new_frame = np.concatenate([[True], frame[1:] != frame[:-1]])
    distinct = np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)]) | new_frame
    rows = ordered[distinct]
    starts = np.append(np.flatnonzero(new_frame[distinct]), len(rows))
    alive = np.empty(len(rows), dtype=np.bool_)
    in_parts(
        len(starts) - 1,
        lambda part: _fronts_by_pairs(rows, starts[part.start : part.stop + 1], alive),
        least=THREAD_FRAMES,
    )
    mask = np.empty(len(points), dtype=np.bool_)
    mask[order] = alive[np.cumsum(distinct) - 1]
    return mask


def _places(values: Array) -> NDArray[np.int32]:
    """Rank of each value from 1; equal values share one."""
    order = values.argsort()
    ascending = values[order]
    places = np.empty(len(values), dtype=np.int32)
    places[order] = np.cumsum(np.concatenate([[True], ascending[1:] != ascending[:-1]]))
    return places


@compiled
def _fronts_by_pairs(rows: Array, starts: NDArray[np.int64], alive: Mask) -> None:
    """Each row against the front before it, frame by frame."""
    objectives = rows.shape[1]
    for frame in range(len(starts) - 1):
        front_rows = np.empty(starts[frame + 1] - starts[frame], dtype=np.int64)
        found = 0
        for i in range(starts[frame], starts[frame + 1]):
            alive[i] = True
            for f in range(found):
                greater = False
                for j in range(1, objectives):
                    greater |= rows[front_rows[f], j] > rows[i, j]
                if not greater:
                    alive[i] = False
                    break
            if alive[i]:
                front_rows[found] = i
                found += 1


# Prefix minima in a Fenwick tree: `place` 1 to n, minimum over all places up to one in O(log n).


@compiled
def _lower(tree: Array, place: int, value: float) -> None:
    """Record a value at a place. The sums further up are lower already where one is."""
    while place < len(tree) and tree[place] > value:
        tree[place] = value
        place += place & -place


@compiled
def _reached(tree: Array, place: int, value: float) -> bool:
    """Whether a value at or before the place is at most this one."""
    while place > 0:
        if tree[place] <= value:
            return True
        place &= place - 1
    return False


@compiled
def _sweep_three(rows: Array, place: NDArray[np.int32], alive: Mask) -> None:
    """In the order of the first objective: least third objective by place in the second."""
    tree = np.full(len(rows) + 1, np.inf)
    for i in range(len(rows)):
        alive[i] = not _reached(tree, place[i], rows[i, 2])
        if alive[i]:
            _lower(tree, place[i], rows[i, 2])


class _Lists(NamedTuple):
    """The rows of each block, twice: by the second objective with the fourth beside it, and by the third."""

    second: Array
    fourth: Array
    row_by_second: NDArray[np.int32]
    third: Array
    row_by_third: NDArray[np.int32]


def _sweep_four(rows: Array, alive: Mask) -> None:
    """Divide and conquer on the first objective: each half is reduced to its front, then the left reduces the right."""
    count, blocks = len(rows), -(-len(rows) // BLOCK_ROWS)
    lists, merged = (
        _Lists(*(np.empty(count, dtype=kind) for kind in (float, float, np.int32, float, np.int32))) for _ in range(2)
    )
    sizes, place = np.zeros(blocks, dtype=np.int64), np.empty(count, dtype=np.int32)
    tree = np.empty(count + blocks)
    in_parts(blocks, lambda part: _fronts_of_blocks(rows, lists, sizes, part.start, part.stop), least=THREAD_BLOCKS)
    width = 1
    while width < blocks:
        pairs = -(-blocks // (2 * width))

        def merge(part: slice, width: int = width, old: _Lists = lists, new: _Lists = merged) -> None:
            _merge_pairs(old, new, sizes, place, tree, alive, width, part.start, part.stop)

        in_parts(pairs, merge, least=max(THREAD_BLOCKS // (2 * width), 1))
        lists, merged = merged, lists
        width *= 2
    alive[:] = False
    alive[lists.row_by_second[: sizes[0]]] = True


@compiled
def _fronts_of_blocks(rows: Array, lists: _Lists, sizes: NDArray[np.int64], first: int, last: int) -> None:
    """Fill the lists with the front of each block, sorted by insertion."""
    second, fourth, row_by_second, third, row_by_third = lists
    for block in range(first, last):
        low = block * BLOCK_ROWS
        end = low
        for i in range(low, min(low + BLOCK_ROWS, len(rows))):
            dominated = False
            for j in range(low, end):
                if second[j] <= rows[i, 1] and third[j] <= rows[i, 2] and fourth[j] <= rows[i, 3]:
                    dominated = True
                    break
            if not dominated:
                second[end], third[end], fourth[end] = rows[i, 1], rows[i, 2], rows[i, 3]
                row_by_second[end] = row_by_third[end] = i
                end += 1
        sizes[block] = end - low
        for i in range(low + 1, end):
            for j in range(i, low, -1):
                if second[j - 1] <= second[j]:
                    break
                second[j - 1], second[j] = second[j], second[j - 1]
                fourth[j - 1], fourth[j] = fourth[j], fourth[j - 1]
                row_by_second[j - 1], row_by_second[j] = row_by_second[j], row_by_second[j - 1]
            for j in range(i, low, -1):
                if third[j - 1] <= third[j]:
                    break
                third[j - 1], third[j] = third[j], third[j - 1]
                row_by_third[j - 1], row_by_third[j] = row_by_third[j], row_by_third[j - 1]


@compiled
def _merge_pairs(
    old: _Lists,
    new: _Lists,
    sizes: NDArray[np.int64],
    place: NDArray[np.int32],
    tree: Array,
    alive: Mask,
    width: int,
    first: int,
    last: int,
) -> None:
    """Merge runs of `width` blocks two by two; a row of the right run that a row of the left one dominates drops out.

    The rows of the left run enter the tree in the order of the second objective, at their place in the third.
    """
    for pair in range(first, last):
        left_block, right_block = 2 * pair * width, (2 * pair + 1) * width
        low, right = left_block * BLOCK_ROWS, right_block * BLOCK_ROWS
        left_end = low + sizes[left_block]
        right_end = right + sizes[right_block] if right_block < len(sizes) else right

        at = low
        for j in range(right, right_end):
            while at < left_end and old.third[at] <= old.third[j]:
                place[old.row_by_third[at]] = at - low + 1
                at += 1
            place[old.row_by_third[j]] = at - low
        for i in range(at, left_end):
            place[old.row_by_third[i]] = i - low + 1

        # Runs do not overlap, and a run of n rows owns n + 1 places: its first block gives the offset.
        least = tree[low + left_block : left_end + left_block + 1]
        least[:] = np.inf
        at, end = low, low
        for j in range(right, right_end + 1):
            while at < left_end and (j == right_end or old.second[at] <= old.second[j]):
                row = old.row_by_second[at]
                _lower(least, place[row], old.fourth[at])
                new.second[end], new.fourth[end], new.row_by_second[end] = old.second[at], old.fourth[at], row
                at += 1
                end += 1
            if j < right_end:
                row = old.row_by_second[j]
                alive[row] = not _reached(least, place[row], old.fourth[j])
                if alive[row]:
                    new.second[end], new.fourth[end], new.row_by_second[end] = old.second[j], old.fourth[j], row
                    end += 1
        sizes[left_block] = end - low

        at, end = low, low
        for j in range(right, right_end + 1):
            if j < right_end and not alive[old.row_by_third[j]]:
                continue
            while at < left_end and (j == right_end or old.third[at] <= old.third[j]):
                new.third[end], new.row_by_third[end] = old.third[at], old.row_by_third[at]
                at += 1
                end += 1
            if j < right_end:
                new.third[end], new.row_by_third[end] = old.third[j], old.row_by_third[j]
                end += 1
