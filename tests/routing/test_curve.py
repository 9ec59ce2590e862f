"""APGR, CPT, oracle and hull by hand."""

import numpy as np
import pytest

from economics.routing.curve import (
    area_above_random,
    average_gap_recovered,
    best_quality_at,
    curve_of,
    on_hull,
    oracle_frontier,
    strong_calls_needed,
)
from economics.routing.policies import Outcomes, summed_policies


def curve(score: list[float], gains: list[float]):
    quality = np.column_stack([np.array(gains), np.zeros(len(gains))])
    made = Outcomes(
        quality=quality, cost=np.ones_like(quality), controller_cost=np.zeros(len(gains)), group=np.arange(len(gains))
    )
    policies = summed_policies(made, score=np.array(score), strong=0, weak=[1], unit=made.group)
    return policies, curve_of(policies, weak=1)


def test_a_score_that_knows_recovers_the_gap_first() -> None:
    _, known = curve([4.0, 3.0, 2.0, 1.0], [1.0, 1.0, 0.0, 0.0])
    # The gap is recovered at half of the calls: a triangle of .25 and a rectangle of .5.
    assert average_gap_recovered(known) == pytest.approx(0.75)
    assert strong_calls_needed(known, recovered=0.5) == pytest.approx(0.25)
    assert strong_calls_needed(known, recovered=0.8) == pytest.approx(0.4)


def test_a_reversed_score_lies_below_a_random_choice() -> None:
    policies, known = curve(list(range(60)), [1.0] * 20 + [0.0] * 40)
    assert average_gap_recovered(known) < 0.5
    area = area_above_random(policies, weak=1, rng=np.random.default_rng(0))
    assert np.quantile(area[1:], 0.975) < 0.0


def test_without_a_gap_there_is_nothing_to_recover() -> None:
    _, known = curve([1.0, 2.0], [0.0, 0.0])
    assert np.isnan(average_gap_recovered(known))
    assert np.isnan(strong_calls_needed(known, recovered=0.5))


def test_best_quality_at_a_share() -> None:
    gain = np.array([1.0, 0.0, -1.0, 1.0])
    assert best_quality_at(gain=gain, weak_quality=0.5, share=0.5) == 1.0
    assert best_quality_at(gain=gain, weak_quality=0.5, share=1.0) == 0.75
    assert best_quality_at(gain=gain, weak_quality=0.5, share=0.25) == 0.75


def test_oracle_takes_the_cheapest_model_that_is_right() -> None:
    quality = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 1.0]])
    cost = np.tile([1.0, 0.1], (4, 1))
    reached, spent = oracle_frontier(quality=quality, cost=cost)
    assert (reached[0], spent[0]) == pytest.approx((0.5, 0.1))
    assert (reached[-1], spent[-1]) == pytest.approx((0.75, 0.325))


def test_hull_leaves_out_what_a_mix_beats() -> None:
    quality, cost = np.array([0.5, 0.6, 0.9, 0.85]), np.array([0.1, 0.9, 1.0, 1.2])
    assert on_hull(quality=quality, cost=cost).tolist() == [0, 2]
    assert on_hull(quality=np.array([0.5, 0.8, 0.9]), cost=np.array([0.1, 0.2, 1.0])).tolist() == [0, 1, 2]
