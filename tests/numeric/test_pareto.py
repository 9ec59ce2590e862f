"""Pareto frontiers against brute force, for sets small and large, with ties, frames and infinities."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from economics.numeric import pareto, pareto_large, pareto_small, pareto_sweep
from economics.numeric.pareto import frontier_probability, non_dominated

SEED = 20


def by_brute_force(points: np.ndarray, frames: np.ndarray | None = None) -> np.ndarray:
    """Every point against every other, as the definition reads."""
    nowhere_greater = (points[:, None] <= points).all(axis=2)
    somewhere_less = (points[:, None] < points).any(axis=2)
    dominates = nowhere_greater & somewhere_less
    if frames is not None:
        dominates &= frames[:, None] == frames
    return ~dominates.any(axis=0)


def shell(rows: int, objectives: int) -> np.ndarray:
    """Points low on one axis and high on the others: a large front."""
    rng = np.random.default_rng(SEED)
    points = rng.standard_exponential((rows, objectives))
    return points * ((1 + 0.05 * rng.random(rows)) / points.sum(axis=1))[:, None]


@st.composite
def tied_points(draw: st.DrawFn) -> np.ndarray:
    """Few distinct values, so that ties and duplicates are common; some negative and some zeros of both signs."""
    value = st.sampled_from([-2.5, -0.0, 0.0, 1.0, 1.5, 7.0])
    return draw(arrays(np.float64, st.tuples(st.integers(0, 40), st.integers(1, 5)), elements=value))


def test_price_and_latency():
    points = [[1.0, 9.0], [2.0, 5.0], [2.0, 6.0], [3.0, 5.0], [4.0, 1.0]]
    assert non_dominated(points).tolist() == [True, True, False, False, True]


def test_equal_points_all_stay():
    assert non_dominated([[1.0, 2.0], [1.0, 2.0], [1.0, 3.0]]).tolist() == [True, True, False]


def test_a_point_never_dominates_across_frames():
    points = [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]
    assert non_dominated(points, within=["8b", "70b", "70b"]).tolist() == [True, True, False]


@pytest.mark.parametrize(
    "within",
    [
        np.array([7, -7, 7]),
        np.array([True, False, True]),
        np.array(["a", "b", "a"]),
        [("h100", 8), ("h100", 4), ("h100", 8)],
        np.array([["h100", 8], ["h100", 4], ["h100", 8]], dtype=object),
        ["long", None, "long"],
    ],
    ids=["integers", "booleans", "strings", "tuples", "rows", "unknown"],
)
def test_frames_by_any_label(within: object):
    points = [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]
    assert non_dominated(points, within=within).tolist() == [True, True, False]


def test_labels_that_only_look_alike_are_different_frames():
    assert non_dominated([[1.0], [2.0]], within=[(1, "a"), ("1", "a")]).all()


@given(tied_points())
def test_small_sets_equal_brute_force(points: np.ndarray):
    np.testing.assert_array_equal(non_dominated(points), by_brute_force(points))


@given(tied_points(), st.data())
def test_frames_equal_brute_force_in_any_order(points: np.ndarray, data: st.DataObject):
    frames = data.draw(arrays(np.int64, len(points), elements=st.integers(-1, 3)))
    order = np.array(data.draw(st.permutations(range(len(points)))), dtype=np.int64)
    expected = by_brute_force(points, frames)
    np.testing.assert_array_equal(non_dominated(points, within=frames), expected)
    np.testing.assert_array_equal(non_dominated(points[order], within=frames[order]), expected[order])


@pytest.fixture(scope="module")
def everything_compiled():
    """Every filter and sweep of large sets at work on small ones too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pareto, "COMPILED_ROWS", 0)
        patch.setattr(pareto, "FRAME_ROWS", 10)
        patch.setattr(pareto_large, "SAMPLE_ROWS", 4)
        patch.setattr(pareto_large, "FILTER_ROWS", 8)
        patch.setattr(pareto_large, "GRID_ROWS", 8)
        patch.setattr(pareto_large, "GRID_CELLS", {2: 6, 3: 5, 4: 4})
        patch.setattr(pareto_large, "GRID_BUCKET_BITS", 5)
        patch.setattr(pareto_large, "THREAD_ROWS", 5)
        patch.setattr(pareto_sweep, "THREAD_BLOCKS", 1)
        patch.setattr(pareto_sweep, "THREAD_FRAMES", 1)
        yield


@given(tied_points())
def test_compiled_sets_equal_brute_force(everything_compiled: None, points: np.ndarray):
    np.testing.assert_array_equal(non_dominated(points), by_brute_force(points))


@given(tied_points(), st.data())
def test_compiled_frames_equal_brute_force(everything_compiled: None, points: np.ndarray, data: st.DataObject):
    frames = data.draw(arrays(np.int64, len(points), elements=st.integers(0, 3)))
    np.testing.assert_array_equal(non_dominated(points, within=frames), by_brute_force(points, frames))


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 4), st.integers(2, 400), st.floats(-1e300, 1e300), st.floats(1e-3, 1e3), st.integers(0, 99))
def test_compiled_sets_at_any_scale(
    everything_compiled: None, objectives: int, rows: int, offset: float, scale: float, seed: int
):
    points = offset + scale * np.random.default_rng(seed).normal(size=(rows, objectives)) * max(abs(offset), 1.0)
    np.testing.assert_array_equal(non_dominated(points), by_brute_force(points))


@pytest.mark.parametrize("objectives", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["shell", "lognormal", "uniform", "tied"])
def test_large_sets_equal_the_plain_algorithm(kind: str, objectives: int):
    rows = 250_000 if objectives < 5 else 30_000
    rng = np.random.default_rng(SEED)
    points = {
        "shell": lambda: shell(20_000, objectives),
        "lognormal": lambda: rng.lognormal(sigma=3.0, size=(rows, objectives)),
        "uniform": lambda: rng.random((rows, objectives)),
        "tied": lambda: rng.integers(0, 40, (rows, objectives)).astype(float),
    }[kind]()
    np.testing.assert_array_equal(non_dominated(points), pareto_small.front(points))


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_the_grid_only_saves_time(objectives: int, monkeypatch: pytest.MonkeyPatch):
    points = shell(pareto_large.GRID_ROWS, objectives)
    with_grid = pareto_large.front(points)
    monkeypatch.setattr(pareto_large, "GRID_ROWS", len(points) + 1)
    np.testing.assert_array_equal(pareto_large.front(points), with_grid)


def test_large_set_in_many_frames():
    rng = np.random.default_rng(SEED)
    points = rng.integers(0, 1_000, (60_000, 3)).astype(float)
    frames = np.where(rng.random(60_000) < 0.5, 0, rng.integers(1, 5_000, 60_000))
    found = non_dominated(points, within=frames)
    for frame in (0, 1, 2, 4_999):
        rows = frames == frame
        np.testing.assert_array_equal(found[rows], pareto_small.front(points[rows]))


def test_a_missed_contract_never_wins():
    points = [[np.inf, 0.1], [2.0, 5.0], [3.0, np.inf]]
    assert non_dominated(points).tolist() == [False, True, False]


def test_where_every_contract_is_missed_infinity_is_the_largest_number():
    points = [[np.inf, 0.1], [np.inf, 0.2], [2.0, np.inf], [np.inf, np.inf], [1.0, 1.0]]
    assert non_dominated(points, within=[0, 0, 0, 0, 1]).tolist() == [True, False, True, False, True]
    assert non_dominated([[np.inf, np.inf]] * 2).all()


def test_sums_that_overflow_are_no_infinities():
    assert non_dominated([[1e308, 1.0], [1e308, 2.0], [1.0, 1e308]]).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("points", "within", "message"),
    [
        ([[np.nan, 1.0]], None, "points must not be NaN"),
        ([[-np.inf, 1.0]], None, "points must not be -inf"),
        ([[np.inf, 1.0], [np.nan, 1.0]], None, "points must not be NaN"),
        ([1.0, 2.0], None, "shape"),
        ([[], []], None, "shape"),
        ([[1.0]], [1, 2], "one label for each of 1 points"),
        ([[1.0], [2.0]], [0.5, np.nan], "within must not be NaN"),
        ([[1.0], [2.0]], [("a", np.nan), ("b", 1.0)], "within must not be NaN"),
    ],
)
def test_refused_input(points: object, within: object, message: str):
    with pytest.raises(ValueError, match=message):
        non_dominated(points, within=within)


def test_no_points():
    assert non_dominated(np.empty((0, 3))).shape == (0,)
    assert non_dominated(np.empty((0, 3)), within=np.empty(0, dtype=np.int64)).shape == (0,)


def test_small_sets_never_load_the_compiler():
    code = (
        "import sys, numpy as np; from economics.numeric.pareto import non_dominated;"
        "non_dominated(np.random.default_rng(0).random((19_000, 3)), within=np.arange(19_000) % 7);"
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_frontier_probability_of_two_points_that_trade_places():
    # The second point is cheaper in one draw of four and slower in all: on the frontier in that draw only.
    first = np.tile([2.0, 1.0], (4, 1))
    second = np.array([[3.0, 2.0], [1.0, 2.0], [3.0, 2.0], [2.5, 2.0]])
    draws = np.stack([first, second], axis=1)
    np.testing.assert_array_equal(frontier_probability(draws), [1.0, 0.25])
    np.testing.assert_array_equal(frontier_probability(draws, within=["a", "b"]), [1.0, 1.0])


def test_frontier_probability_is_the_same_in_chunks(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(SEED)
    draws = rng.lognormal(size=(200, 30, 3)) + np.linspace(0, 2, 30)[:, None]
    frames = np.arange(30) % 3
    whole = frontier_probability(draws, within=frames)
    assert whole == pytest.approx(np.mean([non_dominated(draw, within=frames) for draw in draws], axis=0))
    np.testing.assert_array_equal(frontier_probability(iter(np.array_split(draws, 7)), within=frames), whole)
    monkeypatch.setattr(pareto, "DRAWN_ROWS", 100)
    np.testing.assert_array_equal(frontier_probability(draws, within=frames), whole)
    assert 0 < whole.min() < whole.max() <= 1


def test_frontier_probability_needs_draws():
    with pytest.raises(ValueError, match="at least one draw"):
        frontier_probability(np.empty((0, 3, 2)))
    with pytest.raises(ValueError, match="shape"):
        frontier_probability(np.zeros((3, 2)))
