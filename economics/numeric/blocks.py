"""Grids too large for one array per intermediate result: the same function over blocks that fit the cache."""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import product
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from economics.units import Real

_TEACHING_BYTES = 16_000_000

Record = TypeVar("Record")
Result = TypeVar("Result")

BLOCK_POINTS = 32_768
"""Few enough that a block's arrays stay in a core's cache, many enough that calls cost little (measured)."""
ROW_POINTS = 64
"""Shorter rows cost more in loops than they save."""


def map_arrays(record: Record, change: Callable[[NDArray[np.float64]], Real]) -> Record:
    """The record with every array in it, also in nested records and tuples, replaced by `change(array)`.

    Records are frozen dataclasses; numbers stay. A record without arrays is returned as it is.
    """
    changed = {}
    for field in fields(record):  # type: ignore[arg-type]
        value = getattr(record, field.name)
        new = _changed(value, change)
        if new is not value:
            changed[field.name] = new
    return replace(record, **changed) if changed else record  # type: ignore[type-var]


def _changed(value: Any, change: Callable[[NDArray[np.float64]], Real]) -> Any:
    if isinstance(value, np.ndarray):
        return change(value) if value.ndim else value
    if isinstance(value, tuple):
        return tuple(_changed(item, change) for item in value)
    return map_arrays(value, change) if is_dataclass(value) else value


def arrays_of(record: object) -> list[NDArray[np.float64]]:
    """Every array in a record, also in nested records, in the order `map_arrays` meets them."""
    arrays: list[NDArray[np.float64]] = []

    def collect(array: NDArray[np.float64]) -> NDArray[np.float64]:
        arrays.append(array)
        return array

    map_arrays(record, collect)
    return arrays


def in_blocks(compute: Callable[[Record], Result], record: Record, *, points: int = BLOCK_POINTS) -> Result:
    """`compute(record)`, evaluated over blocks of the broadcast grid of the record's arrays.

    `compute` works point by point and returns a dataclass of arrays; so does this, in the shape of the grid. Axes stay
    axes inside a block, so what depends on some of them only is computed for those only. Memory beyond the result does
    not grow with the grid.
    """
    arrays = arrays_of(record)
    if not arrays:
        return compute(record)
    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    if int(np.prod(shape)) <= points:
        part = compute(record)
        values = {f.name: getattr(part, f.name) for f in fields(part)}  # type: ignore[arg-type]
        return type(part)(**{name: np.broadcast_to(value, shape).copy() for name, value in values.items()})
    # Freeing one large array teaches glibc to keep the small ones of the blocks in its heap, which saves up to half of
    # the time: it would hand their pages back and fetch them anew. Nothing is touched, so it costs nothing itself.
    np.empty(_TEACHING_BYTES, dtype=np.uint8)
    result: dict[str, NDArray[Any]] = {}
    for block in _blocks(shape, points):
        part = compute(map_arrays(record, lambda array, block=block: _part_of(array, block)))  # type: ignore[misc]
        for field in fields(part):  # type: ignore[arg-type]
            value = np.asarray(getattr(part, field.name))
            if field.name not in result:
                result[field.name] = np.empty(shape, dtype=value.dtype)
            result[field.name][block] = value
    return type(part)(**result)


def _blocks(shape: tuple[int, ...], points: int) -> Iterator[tuple[slice, ...]]:
    """Slices that cover the grid. Blocks are about as long along every axis, but no shorter than a row along the last.

    So a result that one axis does not move is computed once for many points of that axis, whichever axis it is.
    """
    steps, room = [1] * len(shape), points
    for axis in reversed(range(len(shape))):
        even = int(room ** (1.0 / (axis + 1)) + 1e-9)
        least = ROW_POINTS if axis == len(shape) - 1 else 1
        steps[axis] = max(min(shape[axis], max(even, least), room), 1)
        room //= steps[axis]
    starts = (range(0, length, step) for length, step in zip(shape, steps, strict=True))
    for corner in product(*starts):
        yield tuple(slice(start, start + step) for start, step in zip(corner, steps, strict=True))


def _part_of(array: NDArray[np.float64], block: tuple[slice, ...]) -> NDArray[np.float64]:
    """The part of a broadcasting array in a block of the grid."""
    own = block[len(block) - array.ndim :]
    part = array[tuple(one if length > 1 else slice(None) for one, length in zip(own, array.shape, strict=True))]
    return part.astype(np.float64, copy=False)
