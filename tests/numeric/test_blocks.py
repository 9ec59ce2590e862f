from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from economics.numeric.blocks import arrays_of, in_blocks, map_arrays


@dataclass(frozen=True)
class Inner:
    a: NDArray[np.float64] | float
    pairs: tuple = ()


@dataclass(frozen=True)
class Outer:
    inner: Inner
    b: NDArray[np.float64] | float
    name: str = "name"


@dataclass(frozen=True)
class Sum:
    total: NDArray[np.float64] | float
    positive: NDArray[np.bool_] | bool


def add(record):
    total = record.inner.a + record.b
    return Sum(total=total, positive=total > 0)


def test_arrays_are_found_in_nested_records_and_tuples():
    record = Outer(inner=Inner(a=np.arange(3.0), pairs=((np.ones(3), 2.0),)), b=np.zeros(3))
    assert [array.sum() for array in arrays_of(record)] == [3.0, 3.0, 0.0]
    doubled = map_arrays(record, lambda array: 2 * array)
    np.testing.assert_array_equal(doubled.inner.a, [0.0, 2.0, 4.0])
    np.testing.assert_array_equal(doubled.inner.pairs[0][0], [2.0, 2.0, 2.0])
    assert (doubled.inner.pairs[0][1], doubled.name) == (2.0, "name")


def test_a_record_of_numbers_stays_itself():
    record = Outer(inner=Inner(a=1.0), b=2.0)
    assert map_arrays(record, lambda array: array) is record
    assert in_blocks(add, record).total == 3.0


@pytest.mark.parametrize("points", [1, 7, 100, 10_000])
def test_blocks_give_what_the_whole_gives(points):
    record = Outer(inner=Inner(a=np.linspace(-1.0, 1.0, 41)[:, None]), b=np.linspace(-0.5, 0.5, 23))
    whole, blocks = add(record), in_blocks(add, record, points=points)
    np.testing.assert_array_equal(blocks.total, whole.total)
    np.testing.assert_array_equal(blocks.positive, whole.positive)
    assert blocks.positive.dtype == bool


def test_no_block_is_larger_than_asked():
    sizes = []

    def watch(record):
        sizes.append(np.size(record.b))
        return add(record)

    in_blocks(watch, Outer(inner=Inner(a=0.0), b=np.arange(100.0)), points=30)
    assert sum(sizes) == 100
    assert max(sizes) == 30


def test_a_block_keeps_axes_so_that_an_array_along_one_of_them_stays_short():
    seen = []

    def watch(record):
        seen.append((np.size(record.inner.a), np.size(record.b)))
        return add(record)

    record = Outer(inner=Inner(a=np.arange(50.0)[:, None]), b=np.arange(200.0))
    np.testing.assert_array_equal(in_blocks(watch, record, points=1000).total, add(record).total)
    assert len(seen) == 16
    assert max(seen) == (15, 64)


def test_integers_are_taken_as_numbers():
    record = Outer(inner=Inner(a=0.5), b=np.arange(10))
    np.testing.assert_array_equal(in_blocks(add, record, points=3).total, np.arange(10) + 0.5)


def test_one_array_and_an_empty_one():
    record = Outer(inner=Inner(a=0.0), b=np.arange(5.0))
    np.testing.assert_array_equal(in_blocks(add, record, points=2).total, np.arange(5.0))
    assert in_blocks(add, replace(record, b=np.empty(0)), points=2).total.shape == (0,)
