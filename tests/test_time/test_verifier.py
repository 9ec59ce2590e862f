import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from economics.test_time import verifier as v
from economics.test_time.cost_per_correct import cost_correct_published_usd_per_mtok

shares = st.floats(0.0, 1.0)


@given(shares, shares, shares)
def test_accepted_and_correct_is_base_rate_times_true_positives(q: float, t: float, f: float) -> None:
    rates = {"base_correct_rate": q, "true_positive_rate": t, "false_positive_rate": f}
    accepted = v.accept_rate(**rates)

    if accepted > 0.0:
        assert accepted * v.precision(**rates) == pytest.approx(q * t, abs=1e-12)
    else:
        assert np.isnan(v.precision(**rates))


def test_equal_marginals_span_a_wide_range_of_costs() -> None:
    low, high = v.both_accept_bounds(accept_rates=np.array([0.7, 0.7]))

    assert (low, high) == (pytest.approx(0.40), pytest.approx(0.70))
    assert v.both_accept_rate(first_accept_rate=0.7, second_accept_rate=0.7, covariance=0.0) == pytest.approx(0.49)
    assert v.composed_cost_spread(accept_rates=np.array([0.7, 0.7])) == pytest.approx(1.75)
    assert v.composed_cost_spread(accept_rates=np.array([0.4, 0.5])) == np.inf


@given(st.lists(shares, min_size=4, max_size=4).filter(lambda w: sum(w) > 0.0))
def test_composition_is_exact_on_any_joint_distribution(weights: list[float]) -> None:
    both, first_only, second_only, _ = np.array(weights) / sum(weights)
    first, second = both + first_only, both + second_only
    rates = {"first_accept_rate": first, "second_accept_rate": second, "covariance": both - first * second}

    assert v.both_accept_rate(**rates) == pytest.approx(both, abs=1e-12)
    assert v.either_accept_rate(**rates) == pytest.approx(both + first_only + second_only, abs=1e-12)
    low, high = v.both_accept_bounds(accept_rates=np.array([first, second]))
    assert low - 1e-12 <= both <= high + 1e-12
    low, high = v.either_accept_bounds(accept_rates=np.array([first, second]))
    assert low - 1e-12 <= both + first_only + second_only <= high + 1e-12


def test_impossible_covariance_is_an_error() -> None:
    with pytest.raises(ValueError, match="covariance"):
        v.both_accept_rate(first_accept_rate=0.7, second_accept_rate=0.7, covariance=0.22)


def test_three_verifiers_need_more_than_covariances() -> None:
    # Pairwise independent, and yet never all three at once: x, y and x xor y, negated.
    x, y = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    verdicts = np.array([x, y, 1 - (x ^ y) ^ 1]) == 1

    pairs = [(0, 1), (0, 2), (1, 2)]
    assert all((verdicts[i] & verdicts[j]).mean() == 0.25 for i, j in pairs)
    assert verdicts.all(axis=0).mean() != 0.5**3
    low, high = v.both_accept_bounds(accept_rates=np.full(3, 0.5))
    assert low <= verdicts.all(axis=0).mean() <= high


def test_best_of_samples_against_sampling() -> None:
    rng = np.random.default_rng(3)
    correct = rng.random((40_000, 6)) < 0.3
    accepted = rng.random(correct.shape) < np.where(correct, 0.8, 0.1)
    first = np.argmax(accepted, axis=1)
    answered = accepted.any(axis=1)

    expected = v.best_of_samples(base_correct_rate=0.3, true_positive_rate=0.8, false_positive_rate=0.1, samples=6.0)

    right = answered & correct[np.arange(len(first)), first]
    assert expected.correct == pytest.approx(right.mean(), abs=0.01)
    assert expected.wrong == pytest.approx((answered & ~right).mean(), abs=0.01)
    assert expected.correct + expected.wrong + expected.unanswered == pytest.approx(1.0)


def test_best_of_samples_at_the_edges() -> None:
    sure = v.best_of_samples(base_correct_rate=1.0, true_positive_rate=1.0, false_positive_rate=0.0, samples=1.0)
    none = v.best_of_samples(base_correct_rate=0.0, true_positive_rate=1.0, false_positive_rate=0.0, samples=9.0)
    zero = v.best_of_samples(base_correct_rate=1.0, true_positive_rate=1.0, false_positive_rate=1.0, samples=0.0)

    assert (sure.correct, sure.wrong, sure.unanswered) == (1.0, 0.0, 0.0)
    assert (none.correct, none.wrong, none.unanswered) == (0.0, 0.0, 1.0)
    assert zero.unanswered == 1.0


def test_more_samples_cannot_mend_precision() -> None:
    # What limits resampling: the share of accepted answers that are right does not depend on N.
    n = np.array([1.0, 10.0, 1e6])
    got = v.best_of_samples(base_correct_rate=0.2, true_positive_rate=0.9, false_positive_rate=0.05, samples=n)

    assert got.correct / (got.correct + got.wrong) == pytest.approx(np.full(3, 0.18 / 0.22))
    assert got.correct[-1] == pytest.approx(0.18 / 0.22)


def test_mean_attempts_when_sampling_stops_at_the_first_accepted_answer() -> None:
    rng = np.random.default_rng(5)
    passed = rng.random((100_000, 8)) < 0.25
    attempts = np.where(passed.any(axis=1), np.argmax(passed, axis=1) + 1, 8)

    assert v.mean_attempts(accept_rate_per_sample=0.25, most_samples=8.0) == pytest.approx(attempts.mean(), abs=0.02)
    assert v.mean_attempts(accept_rate_per_sample=0.0, most_samples=8.0) == 8.0
    assert v.mean_attempts(accept_rate_per_sample=1.0, most_samples=8.0) == 1.0


def test_retrying_until_accepted_would_count_the_retries_twice_with_alpha_per_sample() -> None:
    # With alpha per question the published form is right; with alpha per sample it squares the retries.
    attempts = v.mean_attempts(accept_rate_per_sample=0.25, most_samples=1e6)
    right, wrong = (
        cost_correct_published_usd_per_mtok(
            price_usd_per_mtok=1.0, reasoning_multiplier=1.0, extra_rollouts=attempts - 1.0, accept_rate=alpha
        )
        for alpha in (1.0, 0.25)
    )

    assert right == pytest.approx(4.0)
    assert wrong == pytest.approx(16.0)


def test_procurement_needs_thirty_thousand_probes_for_two_points() -> None:
    probes = v.procurement_probes(candidates=10.0, gap=0.02, failure_probability=0.05)

    assert probes == pytest.approx(30_000, rel=0.01)
    assert v.procurement_gap(candidates=10.0, probes=probes, failure_probability=0.05) <= 0.02
    assert v.procurement_gap(candidates=10.0, probes=probes - 1, failure_probability=0.05) > 0.02


def test_procurement_bound_holds_in_simulation() -> None:
    rng = np.random.default_rng(6)
    quality = rng.random(8)
    scores = rng.binomial(200, quality, size=(5_000, 8)) / 200
    shortfall = quality.max() - quality[np.argmax(scores, axis=1)]

    gap = v.procurement_gap(candidates=8.0, probes=200.0, failure_probability=0.05)
    assert np.mean(shortfall > gap) <= 0.05


@given(st.floats(0.05, 0.9), st.floats(0.0, 0.1))
def test_procurement_cost_bound_is_never_exceeded(alpha: float, gap: float) -> None:
    point = {"price_usd_per_mtok": 10.0, "reasoning_multiplier": 4.0, "extra_rollouts": 3.0}
    loss = cost_correct_published_usd_per_mtok(**point, accept_rate=alpha) - cost_correct_published_usd_per_mtok(
        **point, accept_rate=alpha + gap
    )

    assert loss <= v.procurement_cost_bound(**point, least_accept_rate=alpha, gap=gap) * (1 + 1e-9) + 1e-9


def test_setter_is_paid_for_valid_and_hard_problems_only() -> None:
    reward = v.setter_reward(accepted=np.array([0.0, 1.0, 1.0]), solver_accuracy=np.array([0.1, 0.25, 1.0]))

    assert list(reward) == [0.0, 0.75, 0.0]


def test_three_uses_share_the_fixed_cost_of_a_verifier() -> None:
    alone = v.verifier_usd_per_call(
        fixed_usd=3e5, usd_per_call=0.001, filter_calls=0.0, selection_calls=1e6, curriculum_calls=0.0
    )
    shared = v.verifier_usd_per_call(
        fixed_usd=3e5, usd_per_call=0.001, filter_calls=1e6, selection_calls=1e6, curriculum_calls=1e6
    )

    assert alone == pytest.approx(0.301)
    assert shared == pytest.approx(0.101)
    with pytest.raises(ValueError, match="calls"):
        v.verifier_usd_per_call(fixed_usd=1.0, usd_per_call=0.0, filter_calls=0.0, selection_calls=0.0, curriculum_calls=0.0)
