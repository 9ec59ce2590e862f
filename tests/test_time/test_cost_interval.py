"""The interval of $ per correct answer: golden values, edges, and how often it covers the truth."""

import math

import numpy as np
import pytest
import scipy
from numpy.typing import NDArray

from economics.test_time.cost_interval import (
    cost_per_correct_difference,
    cost_per_correct_interval,
    least_share,
    ratio_interval,
)

Array = NDArray[np.float64]


def test_the_value_is_the_bill_over_correct_answers() -> None:
    found = cost_per_correct_interval(cost_usd=np.array([1.0, 3.0, 2.0]), correct=np.array([1.0, 0.0, 2.0]))
    assert float(found.value) == 2.0
    assert found.low < found.value < found.high


def test_without_skewness_the_ends_are_those_of_fieller() -> None:
    """c - theta y is symmetric here: theta = 1, gaps -1, 0, 1; 0.75 and 1.25 are the roots of Fieller's quadratic by hand.

    n = 3, t = 4.3027: mean cost 4, mean correct 4, variances of the means 1/3 and 0, so 4 - 4 theta = +-4.3027 / sqrt 3.
    """
    found = ratio_interval(numerator=np.array([3.0, 4.0, 5.0]), denominator=np.array([4.0, 4.0, 4.0]))
    half = 4.302652729749462 / math.sqrt(3.0) / 4.0
    assert float(found.low) == pytest.approx(1.0 - half)
    assert float(found.high) == pytest.approx(1.0 + half)


def test_nothing_correct_has_no_value_but_a_low_end() -> None:
    """None of 10 does not exclude a share of 1 - .025^(1/10) = 30.8 %, so an answer costs 1 / .308 at least."""
    found = cost_per_correct_interval(cost_usd=np.ones(10), correct=np.zeros(10))
    assert (float(found.value), float(found.high)) == (math.inf, math.inf)
    assert float(found.low) == pytest.approx(1.0 / 0.3084971078)


def test_all_correct_is_not_certain() -> None:
    """10 of 10 do not exclude a share of .025^(1/10) = 69.2 %."""
    found = cost_per_correct_interval(cost_usd=np.ones(10), correct=np.ones(10))
    assert float(found.high) == pytest.approx(1.0 / least_share(items=10))
    assert least_share(items=10) == pytest.approx(0.6915028922)


def test_one_item_has_no_interval_and_none_no_value() -> None:
    assert math.isnan(cost_per_correct_interval(cost_usd=np.ones(1), correct=np.ones(1)).low)
    with pytest.raises(ValueError, match="at least one item"):
        cost_per_correct_interval(cost_usd=np.zeros(0), correct=np.zeros(0))
    with pytest.raises(ValueError, match="cost_usd"):
        cost_per_correct_interval(cost_usd=np.array([-1.0, 1.0]), correct=np.ones(2))


def test_rows_are_judged_alike_alone_and_together() -> None:
    rng = np.random.default_rng(3)
    cost, correct = rng.lognormal(size=(4, 40)), (rng.random((4, 40)) < 0.5).astype(float)
    together = cost_per_correct_interval(cost_usd=cost, correct=correct)
    for row in range(4):
        alone = cost_per_correct_interval(cost_usd=cost[row], correct=correct[row])
        assert (float(alone.low), float(alone.high)) == pytest.approx((together.low[row], together.high[row]))


def test_more_items_narrow_it() -> None:
    rng = np.random.default_rng(4)
    cost, correct = rng.lognormal(size=800), (rng.random(800) < 0.5).astype(float)
    few = cost_per_correct_interval(cost_usd=cost[:50], correct=correct[:50])
    many = cost_per_correct_interval(cost_usd=cost, correct=correct)
    assert many.high - many.low < (few.high - few.low) / 2


def test_a_model_against_itself_differs_by_nothing() -> None:
    cost, correct = np.array([1.0, 2.0, 4.0]), np.array([1.0, 0.0, 1.0])
    found = cost_per_correct_difference(
        first_cost_usd=cost, first_correct=correct, second_cost_usd=cost, second_correct=correct
    )
    assert (float(found.value), float(found.low), float(found.high)) == (0.0, 0.0, 0.0)


REPETITIONS = 2_000
SETTINGS = {
    # Items differ in difficulty, hard ones cost more, wrong answers cost more; spread is that of the bill's logarithm.
    "one answer each": {"samples": 1, "spread": 0.8, "wrong_extra": 0.5},
    "heavy bills": {"samples": 1, "spread": 1.2, "wrong_extra": 0.5},
    "eight answers each": {"samples": 8, "spread": 0.6, "wrong_extra": 0.0},
    "constant bills": {"samples": 1, "spread": 0.01, "wrong_extra": 0.0},
}


def draw(
    rng: np.random.Generator, *, items: int, share: float, samples: int, spread: float, wrong_extra: float, rows: int = 1
) -> tuple[Array, Array]:
    ease = rng.normal(size=(rows, items, 1))
    chance = scipy.stats.norm.cdf(scipy.stats.norm.ppf(share) * math.sqrt(2.0) + ease)
    right = (rng.random((rows, items, samples)) < chance).astype(float)
    bill = np.exp(spread * rng.normal(size=right.shape) - 0.3 * ease * (spread > 0.1)) * (1.0 + wrong_extra * (1.0 - right))
    return bill.sum(axis=2), right.sum(axis=2)


def covered(name: str, *, items: int, share: float) -> float:
    """Share of seeded repetitions whose interval holds the truth, which two million items tell."""
    setting = SETTINGS[name]
    bill, right = draw(np.random.default_rng(1), items=2_000_000 // int(setting["samples"]), share=share, **setting)  # type: ignore[arg-type]
    truth = bill.sum() / right.sum()
    bill, right = draw(np.random.default_rng(7), items=items, share=share, rows=REPETITIONS, **setting)  # type: ignore[arg-type]
    found = cost_per_correct_interval(cost_usd=bill, correct=right)
    return float(np.mean((found.low <= truth) & (truth <= found.high)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["one answer each", "eight answers each", "constant bills"])
@pytest.mark.parametrize("share", [0.3, 0.65, 0.9])
@pytest.mark.parametrize("items", [100, 200, 500])
def test_the_interval_covers_the_truth_in_95_of_100(name: str, share: float, items: int) -> None:
    most = 0.985 if name == "constant bills" else 0.97  # whole numbers of answers alone: what covers goes by steps
    assert 0.93 <= covered(name, items=items, share=share) <= most


@pytest.mark.slow
@pytest.mark.parametrize(("spread", "variation"), [(0.38, 0.6), (0.56, 0.8), (0.72, 1.0)])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("items", [50, 100, 200, 500])
def test_skewed_bills_that_go_with_failure_are_covered(spread: float, variation: float, share: float, items: int) -> None:
    """Coefficients of variation of real bills (0.6 to 1.0), failures half as dear again: between 93 and 97 in 100."""
    setting = {"samples": 1, "spread": spread, "wrong_extra": 0.5}
    bill, right = draw(np.random.default_rng(1), items=1_000_000, share=share, **setting)  # type: ignore[arg-type]
    assert bill.std() / bill.mean() == pytest.approx(variation, abs=0.05)
    truth = bill.sum() / right.sum()
    bill, right = draw(np.random.default_rng(7), items=items, share=share, rows=REPETITIONS, **setting)  # type: ignore[arg-type]
    found = cost_per_correct_interval(cost_usd=bill, correct=right)
    assert 0.93 <= np.mean((found.low <= truth) & (truth <= found.high)) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(("share", "items"), [(0.1, 200), (0.3, 30), (0.65, 30), (0.9, 60)])
@pytest.mark.parametrize("name", ["one answer each", "heavy bills", "eight answers each"])
def test_with_few_items_or_heavy_bills_it_stays_near(name: str, share: float, items: int) -> None:
    assert 0.91 <= covered(name, items=items, share=share) <= 0.985


@pytest.mark.slow
def test_the_difference_of_two_models_is_covered() -> None:
    rng, truth_rng = np.random.default_rng(11), np.random.default_rng(2)

    def pair(rng: np.random.Generator, rows: int, items: int) -> tuple[Array, Array, Array, Array]:
        ease = rng.normal(size=(rows, items))
        sides = []
        for share, price in ((0.6, 1.0), (0.75, 4.0)):
            chance = scipy.stats.norm.cdf(scipy.stats.norm.ppf(share) * math.sqrt(2.0) + ease)
            right = (rng.random(ease.shape) < chance).astype(float)
            sides += [price * np.exp(0.7 * rng.normal(size=ease.shape) - 0.3 * ease), right]
        return sides[0], sides[1], sides[2], sides[3]

    c1, y1, c2, y2 = pair(truth_rng, 1, 2_000_000)
    truth = c1.sum() / y1.sum() - c2.sum() / y2.sum()
    c1, y1, c2, y2 = pair(rng, REPETITIONS, 200)
    found = cost_per_correct_difference(first_cost_usd=c1, first_correct=y1, second_cost_usd=c2, second_correct=y2)
    assert 0.93 <= np.mean((found.low <= truth) & (truth <= found.high)) <= 0.97
