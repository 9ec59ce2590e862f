"""What N samples give: coverage, votes and a selector against all draws written out, and ways against counting by hand."""

from itertools import combinations

import numpy as np
import pytest

from economics.test_time.sample_curve import coverage_by_item, selected_by_item, tries_by_item, vote_by_item
from economics.test_time.ways import cascades, unions

RIGHT = np.array([[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0]])
ANSWERS = np.array([[0, 1, 1, 0], [0, 0, 1, -1], [2, 2, 2, 0]])
RATING = np.array([[0.9, 0.1, 0.5, 0.5], [0.3, 0.3, 0.2, 0.1], [0.2, 0.2, 0.9, 0.95]])


def over_draws(samples: int, right_of: object) -> list[float]:
    """The mean over every draw of so many of four samples."""
    return [
        float(np.mean([right_of(item, list(drawn)) for drawn in combinations(range(4), samples)]))  # type: ignore[operator]
        for item in range(3)
    ]


@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_coverage_is_the_share_of_draws_with_a_right_sample(samples: int) -> None:
    expected = over_draws(samples, lambda item, drawn: RIGHT[item, drawn].max())
    assert coverage_by_item(correct=RIGHT, samples=samples) == pytest.approx(expected)


def test_a_check_ends_the_row_at_the_first_right_one() -> None:
    """Two of four right: the first draw is right in 1/2, the second after it in 2/3, the third for certain: 1 + 1/2 + 1/6."""
    assert tries_by_item(correct=RIGHT[:1], samples=4) == pytest.approx([1 + 1 / 2 + 1 / 6])
    assert tries_by_item(correct=RIGHT[1:2], samples=3) == pytest.approx([3.0])


@pytest.mark.parametrize("samples", [2, 3, 4])
def test_a_vote_takes_the_most_frequent_answer_and_breaks_ties_evenly(samples: int) -> None:
    def voted(item: int, drawn: list[int]) -> float:
        given = [code for code in ANSWERS[item, drawn] if code >= 0]
        if not given:
            return 0.0
        most = max(given.count(code) for code in set(given))
        leads = [code for code in set(given) if given.count(code) == most]
        return float(np.mean([RIGHT[item][ANSWERS[item] == code].mean() for code in leads]))

    found = vote_by_item(
        correct=np.repeat(RIGHT, 2_000, axis=0),
        answers=np.repeat(ANSWERS, 2_000, axis=0),
        samples=samples,
        rng=np.random.default_rng(1),
    ).reshape(3, 2_000)
    assert found.mean(axis=1) == pytest.approx(over_draws(samples, voted), abs=0.01)


def test_a_vote_of_one_is_the_sample_itself() -> None:
    found = vote_by_item(correct=RIGHT, answers=ANSWERS, samples=1, rng=np.random.default_rng(1))
    assert found == pytest.approx(RIGHT.mean(axis=1))


@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_a_selector_takes_the_best_rated_of_the_draw(samples: int) -> None:
    def selected(item: int, drawn: list[int]) -> float:
        best = max(RATING[item, drawn])
        return float(np.mean([RIGHT[item, at] for at in drawn if RATING[item, at] == best]))

    found = selected_by_item(correct=RIGHT, selector=RATING, samples=samples)
    # Ties share their places, which is exact on average over items; here each tie is between alike or within one item.
    assert found.mean() == pytest.approx(np.mean(over_draws(samples, selected)), abs=0.02)
    assert found[1] == 0.0


def test_a_cascade_asks_the_second_only_where_the_first_failed() -> None:
    """mini right on 1 of 3 at $1, big on 2 of 3 at $10: after a check 1 x 3 + 10 x 2 = $23 for what both together solve."""
    right = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    cost = np.array([[1.0, 1.0, 1.0], [10.0, 10.0, 10.0]])
    found = cascades(correct=right, cost_usd=cost)
    assert found.correct[0, 1].tolist() == [1.0, 1.0, 0.0]
    assert found.cost_usd[0, 1].sum() == 23.0
    assert found.cost_usd[1, 0].sum() == 32.0
    assert unions(correct=right, cost_usd=cost).cost_usd[0, 1].sum() == 33.0
