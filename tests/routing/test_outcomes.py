import numpy as np
import pytest

from economics.routing.outcomes import Items, best_gain, oracle_extra_cost, summed_items, threshold_edges


def some_items(count: int, seed: int = 0) -> Items:
    rng = np.random.default_rng(seed)
    return Items(
        strong_correct=rng.random(count) < 0.8,
        weak_correct=rng.random(count) < 0.6,
        strong_cost=rng.gamma(4.0, 1.0, count),
        weak_cost=rng.gamma(4.0, 0.3, count),
        score=np.round(rng.normal(size=count), 2),
    )


def test_every_distinct_score_is_a_threshold_where_there_are_few() -> None:
    score = np.array([0.5, 0.1, 0.5, 0.9])

    assert list(threshold_edges(score=score, thresholds=10)) == [0.1, 0.5, 0.9]
    assert list(threshold_edges(score=np.tile(score, 100), thresholds=10)) == [0.1, 0.5, 0.9]
    assert threshold_edges(score=np.arange(1000.0), thresholds=11)[[0, 5, 10]].tolist() == [0.0, 499.0, 999.0]


@pytest.mark.parametrize("count", [150, 5_000])
def test_sums_are_those_of_the_items_at_every_threshold(count: int) -> None:
    items = some_items(count)
    edges = threshold_edges(score=items.score, thresholds=20)

    sums = summed_items(items, edges=edges, rng=np.random.default_rng(1))
    means = sums.weighted(np.ones((1, sums.base.shape[0])))

    for policy, threshold in enumerate([-np.inf, *edges, np.inf]):
        strong = items.score >= threshold
        gain = np.where(strong, items.strong_correct, items.weak_correct).mean() - items.weak_correct.mean()
        extra = np.where(strong, items.strong_cost, items.weak_cost).mean() - items.weak_cost.mean()
        assert means.routed[0, policy] == pytest.approx([strong.mean(), gain, extra])
    assert means.base[0] == pytest.approx(
        [
            1.0,
            items.weak_correct.mean(),
            items.weak_cost.mean(),
            (items.strong_correct & ~items.weak_correct).mean(),
            (items.weak_correct & ~items.strong_correct).mean(),
        ]
    )


def test_weighting_a_group_twice_is_having_its_items_twice() -> None:
    items = some_items(60)
    edges = threshold_edges(score=items.score, thresholds=60)
    sums = summed_items(items, edges=edges, rng=np.random.default_rng(1))
    weights = np.random.default_rng(2).multinomial(60, np.full(60, 1 / 60)).astype(float)

    twice = items.kept(np.repeat(np.arange(60), weights.astype(int)))
    again = summed_items(twice, edges=edges, rng=np.random.default_rng(1))

    one, other = sums.weighted(weights[None]), again.weighted(np.ones((1, again.base.shape[0])))
    assert one.routed == pytest.approx(other.routed)
    assert one.base == pytest.approx(other.base)


def least_cost(items: Items, gain: float) -> float:
    """Extra cost of the cheapest choice with a gain, by trying every price of a correct answer and mixing neighbours."""
    won = items.strong_correct.astype(float) - items.weak_correct
    extra = items.strong_cost - items.weak_cost
    points = []
    for price in [0.0, *np.sort(np.abs(extra)) * (1 + 1e-12), np.inf]:
        with np.errstate(invalid="ignore"):
            strong = np.where(won == 0.0, extra < 0.0, won * price > extra)
        points.append((won[strong].sum() / len(won), extra[strong].sum() / len(won)))
    gains, costs = np.array(points).T
    return float(np.interp(gain, gains, costs))


@pytest.mark.parametrize("gain", [-0.05, 0.0, 0.05, 0.1, 0.2])
def test_oracle_pays_the_least_for_a_gain(gain: float) -> None:
    items = some_items(90, seed=3)
    sums = summed_items(items, edges=np.array([0.0]), rng=np.random.default_rng(1))
    means = sums.weighted(np.ones((1, 90)))

    assert oracle_extra_cost(oracle=means.oracle, gain=np.array([gain]))[0] == pytest.approx(least_cost(items, gain))


def test_oracle_of_many_prices_is_never_below_the_least_cost_and_close_to_it() -> None:
    items = some_items(4_000, seed=4)
    sums = summed_items(items, edges=np.array([0.0]), rng=np.random.default_rng(1))
    means = sums.weighted(np.ones((1, sums.base.shape[0])))

    for gain in (0.02, 0.1, 0.25):
        found = oracle_extra_cost(oracle=means.oracle, gain=np.array([gain]))[0]
        assert found >= least_cost(items, gain) - 1e-9
        assert found == pytest.approx(least_cost(items, gain), abs=1e-3)


def test_oracle_without_any_disagreement_stays_with_the_cheaper_model() -> None:
    same = np.array([True, False, True])
    items = Items(
        strong_correct=same, weak_correct=same, strong_cost=np.full(3, 2.0), weak_cost=np.ones(3), score=np.arange(3.0)
    )
    means = summed_items(items, edges=np.array([1.0]), rng=np.random.default_rng(1)).weighted(np.ones((1, 3)))

    assert oracle_extra_cost(oracle=means.oracle, gain=np.zeros(1)) == 0.0


def test_best_gain_takes_what_only_the_strong_model_solves_first_and_what_it_breaks_last() -> None:
    share = np.array([0.0, 0.1, 0.3, 0.9, 0.95, 1.0])

    gain = best_gain(strong_share=share, only_strong=np.asarray(0.3), only_weak=np.asarray(0.1))

    assert gain == pytest.approx([0.0, 0.1, 0.3, 0.3, 0.25, 0.2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": np.array([0.1])}, "one length"),
        ({"score": np.array([0.1, np.nan])}, "score must be finite"),
        ({"weak_cost": np.array([0.0, 1.0])}, "weak_cost must be positive"),
        ({"strong_correct": np.array([1.0, 0.0])}, "strong_correct must be boolean"),
    ],
)
def test_table_that_cannot_be_replayed_is_refused(change: dict[str, np.ndarray], message: str) -> None:
    columns = {
        "strong_correct": np.array([True, False]),
        "weak_correct": np.array([False, False]),
        "strong_cost": np.ones(2),
        "weak_cost": np.ones(2),
        "score": np.zeros(2),
    }
    with pytest.raises(ValueError, match=message):
        Items(**{**columns, **change})
