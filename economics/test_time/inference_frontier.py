"""Where the next dollar goes: training compute or samples at inference.

alpha(T, N) is the share of questions answered, T training compute, N = 1 + rho samples. The published condition and two
corrected ones are computed side by side. All three compare "percent of alpha for one more percent of a quantity, net of
what that percent does to the bill" with the dollars that one percent of each quantity costs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from economics.units import Array, Real, require_non_negative, require_positive, require_share

_TIE = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Condition:
    """One form of the condition at an operating point."""

    left: Real
    """(eta_N - netted) / eta_T; NaN where training does not raise alpha (eta_T <= 0) and the ratio has no meaning."""
    dollar_ratio: Real
    """Inference dollars that scale with N, over training dollars."""
    margin: Real
    """left - dollar_ratio; inference wins where it is positive."""
    flipping_eta_samples: Real
    """The eta_N at which the verdict turns, at this eta_T and dollar ratio."""
    favours_inference: NDArray[np.bool_]
    """Decided on (eta_N - netted) D_T > eta_T D_I, which needs no division and so holds for eta_T <= 0 too."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Conditions:
    """The three forms side by side; arrays of the same shape."""

    published: Condition
    lagrangian: Condition
    shared_cost: Condition


def published_condition(*, eta_samples: Real, eta_training: Real, inference_usd: Real, training_usd: Real) -> Condition:
    """The next dollar goes to inference iff (eta_N - 1) / eta_T > D_I / D_T.

    Arguments broadcast; elasticities of alpha in N and in T, lifetime dollars. For independent samples eta_N <= 1, so
    that it cannot hold while training helps at all.
    Source: formula T1.
    """
    return _condition(1.0, eta_samples, eta_training, inference_usd, training_usd)


def lagrangian_condition(*, eta_samples: Real, eta_training: Real, inference_usd: Real, training_usd: Real) -> Condition:
    """The next dollar goes to inference iff eta_N / eta_T > S_I / S_T: the least (S_T + S_I) / (Q alpha).

    Arguments broadcast, as in `published_condition`. Here the dollar ratio already is the bill; taking 1 from eta_N as
    well, as the published form does, nets the bill of the samples twice.
    Source: formula T2.
    """
    return _condition(0.0, eta_samples, eta_training, inference_usd, training_usd)


def shared_cost_condition(
    *, eta_samples: Real, eta_training: Real, inference_usd: Real, training_usd: Real, variable_share: Real
) -> Condition:
    """The published form when samples of a question share a fixed cost: (eta_N - s) / eta_T > s D_I / D_T.

    Arguments broadcast; `variable_share` s = N c_var / (c_fix + N c_var), see there. Only the dollars that scale with N
    stand against training, so D_I enters as s D_I. At s = 1 it is the published form.
    Source: formula T3.
    """
    require_share(variable_share=variable_share)
    return _condition(variable_share, eta_samples, eta_training, np.multiply(inference_usd, variable_share), training_usd)


def conditions(
    *, eta_samples: Real, eta_training: Real, inference_usd: Real, training_usd: Real, variable_share: Real
) -> Conditions:
    """All three forms at once; no figure of one is comparable with a figure of another.

    Arguments broadcast, as in `shared_cost_condition`. Source: formula T1.
    """
    point = {
        "eta_samples": eta_samples,
        "eta_training": eta_training,
        "inference_usd": inference_usd,
        "training_usd": training_usd,
    }
    return Conditions(
        published=published_condition(**point),
        lagrangian=lagrangian_condition(**point),
        shared_cost=shared_cost_condition(**point, variable_share=variable_share),
    )


def variable_share(*, fixed_usd_per_question: Real, usd_per_sample: Real, samples: Real) -> Real:
    """Share of a question's bill that grows with its samples: s = N c_var / (c_fix + N c_var).

    Arguments broadcast; $. Prefill that the samples share through a prefix cache is the usual fixed part.
    Source: formula T3.
    """
    require_non_negative(fixed_usd_per_question=fixed_usd_per_question)
    require_positive(usd_per_sample=usd_per_sample, samples=samples)
    grows = np.multiply(samples, usd_per_sample)
    return grows / (fixed_usd_per_question + grows)


def samples_lower_cost(*, eta_samples: Real, variable_share: Real = 1.0) -> NDArray[np.bool_]:
    """Whether one more percent of samples lowers the cost per correct answer at all: eta_N > s.

    Arguments broadcast. In rho this is an elasticity above rho / (1 + rho).
    Source: formula T3 (derived).
    """
    require_share(variable_share=variable_share)
    return np.asarray(np.greater(eta_samples, variable_share))


def cost_multiplier(*, samples_ratio: Real, accept_rate_from: Real, accept_rate_to: Real) -> Real:
    """Cost-correct after over before when samples grow: (N_1 / N_0) alpha_0 / alpha_1.

    Arguments broadcast. Source: derived from Cost-correct.
    """
    require_positive(samples_ratio=samples_ratio, accept_rate_from=accept_rate_from, accept_rate_to=accept_rate_to)
    return samples_ratio * accept_rate_from / np.asarray(accept_rate_to)


def cost_multiplier_of_elasticity(*, samples_ratio: Real, eta_samples: Real) -> Real:
    """The same factor from the elasticity alone: (N_1 / N_0)^(1 - eta_N), which carries an interval of eta_N over.

    Arguments broadcast. Equal to `cost_multiplier` at an arc's own elasticity; 1 at eta_N = 1, the ratio itself at 0.
    Source: formula T6.
    """
    require_positive(samples_ratio=samples_ratio)
    return np.power(np.asarray(samples_ratio, dtype=np.float64), np.subtract(1.0, eta_samples))


def net_value(*, value: Real, reward: Real, cost: Real) -> Real:
    """What a question is worth: V x reward - cost. Unlike cost / alpha it can favour more samples at any eta_N.

    Arguments broadcast; worth of a right answer and cost of a question in one unit ($, samples, right answers), reward in
    right answers, which is alpha behind a perfect verifier and may be negative behind another.
    Source: formula T7.
    """
    require_non_negative(value=value, cost=cost)
    return np.multiply(value, reward) - cost


def selection_reward(*, correct: Real, wrong: Real, false_positive_penalty: Real) -> Real:
    """Expected reward of a question: 1 for a right answer, minus the penalty for a wrong one, 0 for none.

    Arguments broadcast; shares as `economics.test_time.verifier.Selected` holds them, penalty in right answers (0 or above).
    Source: Stroebl et al. 2411.17501 (stated).
    """
    require_share(correct=correct, wrong=wrong)
    require_non_negative(false_positive_penalty=false_positive_penalty)
    return correct - np.multiply(false_positive_penalty, wrong)


@dataclass(frozen=True, kw_only=True, eq=False)
class Optimum:
    """The best number of samples on a grid and what it gives."""

    samples: Array
    value: Array


def best_samples(*, samples: Array, value: Array) -> Optimum:
    """The number of samples with the greatest value; the smallest one among equals.

    `samples` is the grid, `value` (..., grid) any net value or reward on it. Put 0 in the grid where not answering is a
    choice. On a plateau rounding would pick a point at random: values within 1e-12 of the greatest are equal to it.
    Source: formula T7.
    """
    grid, worth = np.asarray(samples, dtype=np.float64), np.asarray(value, dtype=np.float64)
    most = worth.max(axis=-1, keepdims=True)
    first = np.argmax(worth >= most - _TIE * np.maximum(np.abs(most), 1.0), axis=-1)
    return Optimum(samples=grid[first], value=np.take_along_axis(worth, np.expand_dims(first, -1), axis=-1)[..., 0])


def _condition(netted: Real, eta_samples: Real, eta_training: Real, inference_usd: Real, training_usd: Real) -> Condition:
    require_non_negative(inference_usd=inference_usd)
    require_positive(training_usd=training_usd)
    less, many, more, spent, trained = np.broadcast_arrays(
        *(np.asarray(v, dtype=np.float64) for v in (netted, eta_samples, eta_training, inference_usd, training_usd))
    )
    ratio = spent / trained
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        left = np.where(more > 0.0, (many - less) / more, np.nan)
    return Condition(
        left=left[()],
        dollar_ratio=ratio[()],
        margin=(left - ratio)[()],
        flipping_eta_samples=(less + more * ratio)[()],
        favours_inference=np.asarray((many - less) * trained > more * spent),
    )
