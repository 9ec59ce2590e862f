"""Verifiers: what they accept, what that is worth, how two compose, what N samples behind one give, how to choose one."""

from dataclasses import dataclass

import numpy as np

from economics.units import Array, Real, require_fraction, require_non_negative, require_positive, require_share


def accept_rate(*, base_correct_rate: Real, true_positive_rate: Real, false_positive_rate: Real) -> Real:
    """Share of answers the verifier accepts: alpha = q t + (1 - q) f.

    Arguments broadcast; shares. Source: formula C6 (derived).
    """
    require_share(
        base_correct_rate=base_correct_rate,
        true_positive_rate=true_positive_rate,
        false_positive_rate=false_positive_rate,
    )
    return base_correct_rate * true_positive_rate + (1.0 - base_correct_rate) * false_positive_rate


def precision(*, base_correct_rate: Real, true_positive_rate: Real, false_positive_rate: Real) -> Real:
    """Share of accepted answers that are correct: pi = q t / alpha.

    Arguments broadcast; shares. NaN where nothing is accepted. Source: formula C6 (derived).
    """
    accepted = accept_rate(
        base_correct_rate=base_correct_rate,
        true_positive_rate=true_positive_rate,
        false_positive_rate=false_positive_rate,
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(np.multiply(base_correct_rate, true_positive_rate), accepted)


def both_accept_rate(*, first_accept_rate: Real, second_accept_rate: Real, covariance: Real) -> Real:
    """Share accepted when two verifiers must both accept: alpha_AND = a1 a2 + cov.

    Arguments broadcast. ValueError where no pair of verifiers with these rates has that covariance.
    Source: formula C7 (derived).
    """
    _require_covariance(first_accept_rate, second_accept_rate, covariance)
    return first_accept_rate * second_accept_rate + covariance


def either_accept_rate(*, first_accept_rate: Real, second_accept_rate: Real, covariance: Real) -> Real:
    """Share accepted when one of two verifiers is enough: alpha_OR = a1 + a2 - a1 a2 - cov.

    Arguments broadcast. ValueError where no pair of verifiers with these rates has that covariance.
    Source: formula C7 (derived).
    """
    _require_covariance(first_accept_rate, second_accept_rate, covariance)
    return first_accept_rate + second_accept_rate - first_accept_rate * second_accept_rate - covariance


def both_accept_bounds(*, accept_rates: Array) -> tuple[Array, Array]:
    """Lowest and highest share that all verifiers can accept, given each one's rate (Fréchet).

    `accept_rates` has the verifiers on its last axis, any number of them.
    Source: formula C7: max(0, a1 + a2 - 1) and min(a1, a2); Fréchet bounds for more than two.
    """
    require_share(accept_rates=accept_rates)
    rates = np.asarray(accept_rates, dtype=np.float64)
    return np.maximum(rates.sum(axis=-1) - (rates.shape[-1] - 1), 0.0), rates.min(axis=-1)


def either_accept_bounds(*, accept_rates: Array) -> tuple[Array, Array]:
    """Lowest and highest share that at least one verifier can accept, given each one's rate (Fréchet).

    `accept_rates` has the verifiers on its last axis. Source: as `both_accept_bounds`, by complement.
    """
    require_share(accept_rates=accept_rates)
    rates = np.asarray(accept_rates, dtype=np.float64)
    return rates.max(axis=-1), np.minimum(rates.sum(axis=-1), 1.0)


def composed_cost_spread(*, accept_rates: Array) -> Array:
    """Cost-correct of the worst over the best pairing of verifiers with these rates that must all accept.

    inf where the worst pairing accepts nothing. Source: formula C7 (.7 and .7 give 1.75).
    """
    low, high = both_accept_bounds(accept_rates=accept_rates)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(low > 0.0, high / low, np.inf)


@dataclass(frozen=True, kw_only=True, eq=False)
class Selected:
    """What a question ends with: shares that sum to 1 with `unanswered`."""

    correct: Real
    wrong: Real
    unanswered: Real


def best_of_samples(*, base_correct_rate: Real, true_positive_rate: Real, false_positive_rate: Real, samples: Real) -> Selected:
    """One of the accepted answers among N independent samples: correct, wrong, or none accepted.

    Arguments broadcast over problems (each with its own rates) and N. Which accepted answer is taken makes no
    difference. Problems differ, so average the result over problems, never the rates.
    Source: formula C8 (derived): 1 - (1 - alpha)^N, of which pi is correct.
    """
    require_non_negative(samples=samples)
    rates = {
        "base_correct_rate": base_correct_rate,
        "true_positive_rate": true_positive_rate,
        "false_positive_rate": false_positive_rate,
    }
    accepted = np.asarray(accept_rate(**rates), dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        answered = np.where(np.equal(samples, 0.0), 0.0, -np.expm1(samples * np.log1p(-accepted)))
    return _selected(answered, np.nan_to_num(precision(**rates)))


def mean_attempts(*, accept_rate_per_sample: Real, most_samples: Real) -> Real:
    """Samples drawn on average when sampling stops at the first accepted answer: (1 - (1 - a)^N) / a.

    Arguments broadcast; the mean extra rollouts rho of such a policy are this less one. N where nothing is accepted.
    Source: derived (mean of a truncated geometric).
    """
    require_share(accept_rate_per_sample=accept_rate_per_sample)
    require_non_negative(most_samples=most_samples)
    rate = np.asarray(accept_rate_per_sample, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        stopped = -np.expm1(most_samples * np.log1p(-rate)) / rate
    none = np.equal(rate, 0.0)
    return np.where(none | np.equal(most_samples, 0.0), most_samples, stopped)[()]


def procurement_gap(*, candidates: Real, probes: Real, failure_probability: Real) -> Real:
    """How far the verifier chosen by its score on N probes may fall short of the best of K: 2 sqrt(ln(2K/d) / (2N)).

    Arguments broadcast; counts, probability that the bound fails. In units of the score, which lies in [0, 1].
    Source: formula C9.
    """
    require_positive(candidates=candidates, probes=probes)
    require_fraction(failure_probability=failure_probability)
    gap: Array = 2.0 * np.sqrt(np.log(2.0 * np.asarray(candidates) / failure_probability) / (2.0 * np.asarray(probes)))
    return gap


def procurement_probes(*, candidates: Real, gap: Real, failure_probability: Real) -> Real:
    """Probes that bring the gap of `procurement_gap` down to `gap`: 2 ln(2K/d) / gap^2, rounded up.

    Arguments broadcast. Source: as `procurement_gap`, solved for N.
    """
    require_positive(candidates=candidates)
    require_fraction(gap=gap, failure_probability=failure_probability)
    probes: Array = np.ceil(2.0 * np.log(2.0 * np.asarray(candidates) / failure_probability) / np.asarray(gap) ** 2)
    return probes


def procurement_cost_bound(
    *, price_usd_per_mtok: Real, reasoning_multiplier: Real, extra_rollouts: Real, least_accept_rate: Real, gap: Real
) -> Real:
    """Most that a score gap can add to Cost-correct, in its unit: cpm R (1 + rho) gap / alpha_min^2.

    Arguments broadcast; `least_accept_rate` is the lowest alpha any candidate may have. $ per M accepted answer tokens.
    Source: formula C9.
    """
    require_non_negative(price_usd_per_mtok=price_usd_per_mtok, extra_rollouts=extra_rollouts, gap=gap)
    require_positive(reasoning_multiplier=reasoning_multiplier)
    require_fraction(least_accept_rate=least_accept_rate)
    return price_usd_per_mtok * reasoning_multiplier * (1.0 + extra_rollouts) * gap / np.square(least_accept_rate)


def setter_reward(*, accepted: Real, solver_accuracy: Real) -> Real:
    """Reward of the one who sets problems in a verified curriculum: 1[V accepts] (1 - accuracy of the solver).

    Arguments broadcast; 0 or 1 (or a share of problems accepted), share of attempts solved.
    Source: formula C10.
    """
    require_share(accepted=accepted, solver_accuracy=solver_accuracy)
    return accepted * (1.0 - solver_accuracy)


def verifier_usd_per_call(
    *, fixed_usd: Real, usd_per_call: Real, filter_calls: Real, selection_calls: Real, curriculum_calls: Real
) -> Real:
    """c_v when one verifier filters training data, selects answers and sets a curriculum: its fixed cost is shared.

    Arguments broadcast; $ once, $ each call, calls over the verifier's life in each of the three uses. Zero calls in
    two of the uses gives the c_v of a verifier bought for one. ValueError without any call.
    Source: formula C10.
    """
    require_non_negative(
        fixed_usd=fixed_usd,
        usd_per_call=usd_per_call,
        filter_calls=filter_calls,
        selection_calls=selection_calls,
        curriculum_calls=curriculum_calls,
    )
    calls = filter_calls + selection_calls + curriculum_calls
    require_positive(calls=calls)
    return usd_per_call + fixed_usd / calls


def flipping_fixed_usd(
    *,
    accuracy_gain: Real,
    rollout_usd: Real,
    usd_per_call: Real,
    filter_calls: Real,
    selection_calls: Real,
    curriculum_calls: Real,
) -> Real:
    """Fixed cost of a verifier at which its curriculum stops lowering the cost per correct answer.

    Arguments broadcast; accuracy after over before, $ of a rollout without verifier, $ each call, calls as in
    `verifier_usd_per_call`. From (p + c_v) / alpha_1 = p / alpha_0: calls (p (alpha_1 / alpha_0 - 1) - c_call). Negative where
    the calls alone eat the gain. Source: formula C10 (derived).
    """
    require_positive(accuracy_gain=accuracy_gain, rollout_usd=rollout_usd)
    require_non_negative(
        usd_per_call=usd_per_call,
        filter_calls=filter_calls,
        selection_calls=selection_calls,
        curriculum_calls=curriculum_calls,
    )
    calls = np.asarray(filter_calls) + selection_calls + curriculum_calls
    return calls * (np.multiply(rollout_usd, np.subtract(accuracy_gain, 1.0)) - usd_per_call)


def _selected(answered: Real, correct_share: Real) -> Selected:
    correct = answered * correct_share
    return Selected(correct=correct, wrong=answered - correct, unanswered=1.0 - answered)


def _require_covariance(first: Real, second: Real, covariance: Real) -> None:
    require_share(first_accept_rate=first, second_accept_rate=second)
    low, high = both_accept_bounds(accept_rates=np.stack(np.broadcast_arrays(first, second), axis=-1))
    product = np.multiply(first, second)
    slack = 1e-12  # A covariance computed from counts may miss its bound by rounding.
    if not np.all((product + covariance >= low - slack) & (product + covariance <= high + slack)):
        raise ValueError("covariance must keep both_accept_rate between max(0, a1 + a2 - 1) and min(a1, a2)")
