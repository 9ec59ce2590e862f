"""Draws of uncertain inputs, and quantile bands of what is computed from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import stats

from economics.numeric.draws import Lognormal, Uniform, draw, quantile_bands, quantiles_by_row, split_lognormal
from economics.numeric.pareto import frontier_probability

SEED = 7
PRICE = Lognormal(low=1.0, high=4.0)


def test_lognormal_interval_holds_its_coverage():
    assert PRICE.at(np.array([0.05, 0.5, 0.95])) == pytest.approx([1.0, 2.0, 4.0], rel=1e-12)
    wide = Lognormal(low=1.0, high=4.0, coverage=0.5)
    assert wide.at(np.array([0.25, 0.5, 0.75])) == pytest.approx([1.0, 2.0, 4.0], rel=1e-12)


def test_uniform_stays_inside():
    assert Uniform(low=-1.0, high=3.0).at(np.array([0.0, 0.25, 1.0])) == pytest.approx([-1.0, 0.0, 3.0])


def test_an_interval_of_no_width_is_a_known_value():
    values = draw(Lognormal(low=2.5, high=2.5), name="price", seed=SEED, draws=9)
    assert values == pytest.approx(np.full((1, 9), 2.5), rel=1e-15)
    assert (draw(Uniform(low=-2.0, high=-2.0), name="price", seed=SEED, draws=9) == -2.0).all()


@pytest.mark.parametrize("quantity", [PRICE, Uniform(low=-1.0, high=3.0)], ids=["lognormal", "uniform"])
def test_draws_follow_the_distribution(quantity: Lognormal | Uniform):
    values = draw(quantity, name="price", seed=SEED, draws=20_000)[0]
    if isinstance(quantity, Uniform):
        law = stats.uniform(quantity.low, quantity.high - quantity.low)
    else:
        law = stats.lognorm(s=np.log(4) / 2 / stats.norm.ppf(0.95), scale=2.0)
    assert stats.kstest(values, law.cdf).pvalue > 0.01


def test_the_sequence_itself_is_part_of_the_result():
    """Pinned: NumPy keeps Philox and its doubles as they are; a change would move every published band."""
    shares = draw(Uniform(low=np.zeros(2), high=np.ones(2)), name="price", seed=SEED, draws=3)
    expected = [
        [0.2982367106792687, 0.17884865224893776, 0.25574744455906906],
        [0.06173601538343987, 0.3595051003551777, 0.9757992023030994],
    ]
    np.testing.assert_array_equal(shares, expected)


@given(st.integers(1, 12), st.integers(1, 9), st.data())
def test_a_draw_depends_on_its_point_and_number_only(points: int, draws: int, data: st.DataObject):
    everything = Uniform(low=np.zeros(12), high=np.arange(1.0, 13.0))
    whole = draw(everything, name="ttft_s", seed=SEED, draws=draws)
    first = data.draw(st.integers(0, points - 1))
    part = draw(everything, name="ttft_s", seed=SEED, draws=draws, points=slice(first, points))
    np.testing.assert_array_equal(part, whole[first:points])


def test_names_and_seeds_are_independent():
    quantity = Uniform(low=0.0, high=1.0)
    sets = [draw(quantity, name=name, seed=seed, draws=20_000)[0] for name in ("a", "b", "ab") for seed in (0, 1)]
    correlations = np.corrcoef(sets)[np.triu_indices(len(sets), 1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(20_000)


def test_one_quantity_is_the_same_at_all_points_and_an_array_is_not():
    n_points, draws = 50, 500

    def spread(price: np.ndarray) -> float:
        both = quantile_bands(
            lambda price: price, inputs={"price": price}, n_points=n_points, draws=draws, quantiles=0.5, seed=SEED
        )
        return float(np.ptp(both))

    assert spread(PRICE) == 0.0
    assert spread(Lognormal(low=np.full(n_points, 1.0), high=np.full(n_points, 4.0))) > 0.1


COST_INPUTS = {
    "usd_per_hour": Lognormal(low=1.5, high=3.0),
    "tokens_per_s": Uniform(low=np.linspace(400.0, 900.0, 300), high=np.linspace(500.0, 1200.0, 300)),
    "attainment": np.linspace(0.5, 1.0, 300),
}


def usd_per_mtok(usd_per_hour: np.ndarray, tokens_per_s: np.ndarray, attainment: np.ndarray) -> np.ndarray:
    return usd_per_hour / 3600 / (tokens_per_s * attainment) * 1e6


def test_bands_are_the_quantiles_of_the_draws():
    levels = [0.05, 0.5, 0.95]
    bands = quantile_bands(usd_per_mtok, inputs=COST_INPUTS, n_points=300, draws=101, quantiles=levels, seed=SEED)
    drawn = {name: draw(COST_INPUTS[name], name=name, seed=SEED, draws=101) for name in ("usd_per_hour", "tokens_per_s")}
    values = usd_per_mtok(**drawn, attainment=COST_INPUTS["attainment"][:, None])
    np.testing.assert_array_equal(bands, np.quantile(values, levels, axis=1))
    low, median, high = bands
    assert (low < median).all()
    assert (median < high).all()


@pytest.mark.parametrize("chunk_points", [1, 7, 299, 300, 10_000])
def test_chunks_change_no_number(chunk_points: int):
    request = {"inputs": COST_INPUTS, "n_points": 300, "draws": 50, "quantiles": [0.1, 0.9], "seed": SEED}
    expected = quantile_bands(usd_per_mtok, **request)
    found = quantile_bands(usd_per_mtok, **request, chunk_points=chunk_points)
    np.testing.assert_array_equal(found, expected)


def test_another_input_leaves_the_draws_alone():
    request = {"n_points": 1, "draws": 50, "quantiles": [0.1, 0.9], "seed": SEED}
    alone = quantile_bands(lambda price: price, inputs={"price": PRICE}, **request)
    beside = quantile_bands(lambda price, other: price + 0 * other, inputs={"price": PRICE, "other": PRICE}, **request)
    np.testing.assert_array_equal(alone, beside)


def test_product_of_lognormals_has_the_band_of_the_closed_form():
    deviation = np.log(4) / 2 / stats.norm.ppf(0.95)
    product = stats.lognorm(s=np.sqrt(2) * deviation, scale=4.0)
    levels, draws = np.array([0.05, 0.5, 0.95]), 100_000
    bands = quantile_bands(
        lambda a, b: a * b, inputs={"a": PRICE, "b": PRICE}, n_points=1, draws=draws, quantiles=levels, seed=SEED
    )
    exact = product.ppf(levels)
    standard_error = np.sqrt(levels * (1 - levels) / draws) / product.pdf(exact)
    assert (np.abs(bands[:, 0] - exact) < 4 * standard_error).all()


def test_a_share_of_missed_contracts_is_an_infinite_upper_band():
    low, median, high = quantile_bands(
        lambda load: np.where(load < 0.8, load, np.inf),
        inputs={"load": Uniform(low=0.0, high=1.0)},
        n_points=2,
        draws=1000,
        quantiles=[0.05, 0.5, 0.95],
        seed=SEED,
    )
    assert np.isfinite(low).all()
    assert np.isfinite(median).all()
    assert np.isinf(high).all()


@given(
    arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.floats(-1e9, 1e9)),
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
)
def test_row_quantiles_equal_numpy(values: np.ndarray, quantiles: list[float]):
    np.testing.assert_array_equal(quantiles_by_row(values, quantiles), np.quantile(values, quantiles, axis=1))


def test_row_quantiles_with_infinities_and_unknowns():
    rows = np.array([[np.inf, 1.0, 2.0], [np.inf, np.inf, 2.0], [np.inf, np.inf, np.inf], [np.nan, 1.0, 2.0]])
    np.testing.assert_array_equal(quantiles_by_row(rows, [0.25, 0.5, 1.0])[:, 0], [1.5, 2.0, np.inf])
    np.testing.assert_array_equal(quantiles_by_row(rows, [0.0, 0.25, 0.5])[:, 1], [2.0, np.inf, np.inf])
    np.testing.assert_array_equal(quantiles_by_row(rows, [0.0, 0.3])[:, 2], [np.inf, np.inf])
    np.testing.assert_array_equal(quantiles_by_row(rows, 0.5)[:, 3], [np.nan])


def test_probability_of_the_frontier_from_intervals():
    """The cheap point is surely on the frontier, the dear one hardly; a clone in doubt is there about half the time."""
    draws, points = 2_000, 3
    cost = Lognormal(low=np.array([1.0, 8.0, 1.0]), high=np.array([2.0, 9.0, 2.0]))
    latency = Uniform(low=np.array([1.0, 2.0, 1.0]), high=np.array([1.0, 2.0, 1.0]))
    axes = [draw(axis, name=name, seed=SEED, draws=draws) for name, axis in (("cost", cost), ("latency", latency))]
    probability = frontier_probability(np.stack(axes, axis=-1).swapaxes(0, 1))
    assert probability.shape == (points,)
    assert probability[1] == 0.0
    assert probability[0] == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(draws))
    assert probability[0] + probability[2] == 1.0


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (lambda: Lognormal(low=0.0, high=1.0), "low must be positive"),
        (lambda: Lognormal(low=2.0, high=1.0), "low must not exceed high"),
        (lambda: Lognormal(low=1.0, high=2.0, coverage=1.0), "coverage must be below 1"),
        (lambda: Lognormal(low=1.0, high=np.array([1.0, np.nan])), "high must be positive"),
        (lambda: Uniform(low=np.array([1.0, 3.0]), high=2.0), "low must not exceed high"),
        (lambda: Uniform(low=0.0, high=np.inf), "finite"),
        (lambda: draw(PRICE, name="a", seed=SEED, draws=0), "draws must be positive"),
        (lambda: draw(PRICE, name="a", seed=-1, draws=1), "non-negative"),
        (lambda: quantiles_by_row(np.ones((1, 2)), [1.5]), "quantiles must lie"),
    ],
)
def test_refused_input(refused: object, message: str):
    with pytest.raises(ValueError, match=message):
        refused()


def test_shapes_that_do_not_fit_are_refused():
    request = {"n_points": 3, "draws": 5, "quantiles": 0.5, "seed": SEED}
    with pytest.raises(ValueError, match="price must be a number or one for each of 3 points"):
        quantile_bands(lambda price: price, inputs={"price": np.ones(2)}, **request)
    with pytest.raises(ValueError, match="broadcast"):
        quantile_bands(lambda price: price + np.ones((2, 2)), inputs={"price": 1.0}, **request)


@given(st.floats(0.1, 10), st.floats(1.0, 5), st.floats(1.0, 5))
def test_a_split_lognormal_has_its_value_in_the_middle_and_its_ends_at_the_coverage(
    value: float, below: float, above: float
) -> None:
    share = np.array([[0.05, 0.5, 0.95]])
    found = split_lognormal(share, low=value / below, value=value, high=value * above)
    assert found[0] == pytest.approx([value / below, value, value * above])


def test_a_split_lognormal_refuses_a_value_outside_its_interval() -> None:
    with pytest.raises(ValueError, match="low must not exceed high"):
        split_lognormal(np.array([[0.5]]), low=1.0, value=0.5, high=2.0)
