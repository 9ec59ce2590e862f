"""A budget in correct answers: golden values, limits, and that nothing is promised beyond what was measured."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from economics.test_time.allocation import (
    accuracy_of_samples,
    accuracy_of_training,
    flipping_eta_samples,
    lent_accuracy,
    samples_affordable,
    share_upgraded,
)

CURVE = {"curve_samples": np.array([1.0, 8.0, 64.0]), "curve_accuracy": np.array([0.267, 0.5, 0.533])}


def test_a_dime_a_question_buys_five_and_a_half_more_samples_of_two_cents() -> None:
    bought = samples_affordable(budget_usd=1e6, queries=1e7, usd_per_sample=0.018, most_samples=64.0)
    assert bought == pytest.approx(1 + 0.1 / 0.018)
    assert samples_affordable(budget_usd=1e9, queries=1e7, usd_per_sample=0.018, most_samples=64.0) == 64.0
    assert samples_affordable(budget_usd=0.0, queries=1e7, usd_per_sample=0.018, most_samples=64.0) == 1.0


def test_a_curve_gives_its_own_points_and_nothing_beyond_its_end() -> None:
    reached = accuracy_of_samples(accuracy=0.267, samples=np.array([1.0, 8.0, 64.0, 1e6]), **CURVE)
    assert list(reached) == pytest.approx([0.267, 0.5, 0.533, 0.533])


def test_a_borrowed_curve_lends_its_odds_ratio() -> None:
    ratio = (0.5 / 0.5) / (0.267 / 0.733)
    reached = float(accuracy_of_samples(accuracy=0.4, samples=8.0, **CURVE))
    assert reached / (1 - reached) == pytest.approx(ratio * 0.4 / 0.6)


def test_what_is_lent_ends_at_the_lenders_accuracy_from_its_start_and_never_passes_one() -> None:
    step = {"lender_from": 0.784, "lender_to": 0.9}
    assert lent_accuracy(accuracy=0.784, **step) == pytest.approx(0.9)
    assert 0.906 < lent_accuracy(accuracy=0.906, **step) < 0.97
    assert lent_accuracy(accuracy=1.0, **step) == 1.0
    assert lent_accuracy(accuracy=0.0, **step) == 0.0
    assert lent_accuracy(accuracy=0.5, lender_from=0.5, lender_to=1.0) == 1.0
    with pytest.raises(ValueError, match="lender_from"):
        lent_accuracy(accuracy=0.5, lender_from=1.0, lender_to=1.0)


@given(st.floats(1.0, 64.0), st.floats(1.0, 64.0))
def test_more_samples_never_reach_less_on_a_rising_curve(few: float, many: float) -> None:
    low, high = sorted([few, many])
    reached = accuracy_of_samples(accuracy=0.3, samples=np.array([low, high]), **CURVE)
    assert reached[0] <= reached[1] + 1e-12


@pytest.mark.parametrize("samples", [[2.0, 8.0, 64.0], [1.0, 64.0, 8.0]])
def test_a_curve_must_rise_from_one_sample(samples: list[float]) -> None:
    with pytest.raises(ValueError, match="curve_samples must rise from 1"):
        accuracy_of_samples(accuracy=0.3, samples=2.0, **CURVE | {"curve_samples": np.array(samples)})


def test_the_whole_step_from_v3_to_r1_gives_r1() -> None:
    step = {"accuracy": 0.392, "training_usd": 5.576e6, "step_usd": 294e3}
    eta = np.log(79.8 / 39.2) / np.log(1 + 294e3 / 5.576e6)
    assert accuracy_of_training(eta_training=eta, budget_usd=1e6, **step) == pytest.approx(0.798)
    # Ten times the money buys no more than was measured.
    assert accuracy_of_training(eta_training=eta, budget_usd=1e7, **step) == pytest.approx(0.798)
    half = accuracy_of_training(eta_training=eta, budget_usd=147e3, **step)
    assert 0.392 < half < 0.798


def test_a_budget_moves_as_many_questions_as_it_pays_for() -> None:
    assert share_upgraded(budget_usd=1e5, queries=1e7, extra_usd_per_query=0.02) == pytest.approx(0.5)
    assert share_upgraded(budget_usd=1e6, queries=1e7, extra_usd_per_query=0.02) == 1.0
    assert share_upgraded(budget_usd=0.0, queries=1e7, extra_usd_per_query=-0.01) == 1.0


def test_elasticity_that_flips_reaches_what_is_to_beat() -> None:
    eta = float(flipping_eta_samples(accuracy=0.392, accuracy_to_beat=0.798, samples=6.6))
    assert 0.392 * 6.6**eta == pytest.approx(0.798)
    assert flipping_eta_samples(accuracy=0.4, accuracy_to_beat=0.8, samples=1.0) == np.inf
