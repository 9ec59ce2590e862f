"""Resampling behind a fallible verifier: what N samples give when the first accepted one is the answer.

Problems differ, and a verifier that passes some wrong answers passes them on hard problems most, so precision falls as N
grows and a best N exists. Coverage already averages over problems: no distribution of success rates is needed for what N
samples give, only to know coverage between measured points.
"""

from dataclasses import dataclass

import numpy as np

from economics.numeric.root import falling_root
from economics.test_time.coverage import beta_coverage
from economics.test_time.verifier import Selected
from economics.units import Array, Real, is_on, require_fraction, require_non_negative, require_positive, require_share

_LOG_CONCENTRATION = (-16.0, 16.0)
"""From problems solved always or never to problems alike."""


def beta_coverage_curve(*, success_shape: Real, failure_shape: Real, most_samples: int) -> Array:
    """Coverage at 0, 1, ... N samples when success rates of problems are Beta(a, b): one row per Beta, N + 1 long.

    Shapes broadcast and are positive. Source: derived from `coverage.beta_coverage`: what is missed after i + 1
    samples is what is missed after i, times (b + i) / (a + b + i).
    """
    require_positive(success_shape=success_shape, failure_shape=failure_shape)
    require_non_negative(most_samples=most_samples)
    a, b = (np.asarray(shape, dtype=np.float64)[..., None] for shape in (success_shape, failure_shape))
    step = np.arange(float(most_samples))
    missed = np.cumprod((b + step) / (a + b + step), axis=-1)
    return np.concatenate([np.zeros((*missed.shape[:-1], 1)), 1.0 - missed], axis=-1)


def resampled(*, coverage: Array, false_positive_rate: Real) -> Selected:
    """What a question ends with after 0, 1, ... N samples when the first accepted one is the answer.

    `coverage` (..., N + 1) at 0 to N samples, starting at 0; the rate (...) is the share of wrong answers accepted, alike on
    all problems, and every right one is accepted. correct(N) = sum over i <= N of (1-f)^(i-1) (a(i) - a(i-1)), unanswered
    (1-f)^N (1 - a(N)). Returns shares shaped as `coverage`. ValueError where coverage falls or does not start at 0.
    Source: derived: E[p ((1-p)(1-f))^(i-1)] is a step of coverage times (1-f)^(i-1); Stroebl et al. 2411.17501 (setting).
    """
    require_share(coverage=coverage, false_positive_rate=false_positive_rate)
    curve, rate = np.asarray(coverage, dtype=np.float64), np.asarray(false_positive_rate, dtype=np.float64)[..., None]
    steps = np.diff(curve, axis=-1)
    if np.any(curve[..., 0] != 0.0) or np.any(steps < 0.0):
        raise ValueError("coverage must start at 0 and not fall")
    rejected = np.power(1.0 - rate, np.arange(curve.shape[-1]))
    gained = np.cumsum(rejected[..., :-1] * steps, axis=-1)
    correct = np.concatenate([np.zeros((*gained.shape[:-1], 1)), gained], axis=-1)
    unanswered = rejected * (1.0 - curve)
    return Selected(correct=correct, wrong=np.maximum(1.0 - unanswered - correct, 0.0), unanswered=unanswered)


def beta_through(*, mean: Real, samples: int, correct: Real, false_positive_rate: Real = 0.0) -> tuple[Array, Array]:
    """Shapes (a, b) of the Beta with this mean under which N samples give this share of correct answers.

    Arguments but N broadcast; mean is coverage at one sample. With a perfect verifier the share is coverage at N, so the
    Beta passes through two measured points of a curve. NaN where no Beta does: below the mean, or above problems alike.
    Source: derived (`resampled` solved for the concentration a + b).
    """
    require_fraction(mean=mean)
    require_share(correct=correct, false_positive_rate=false_positive_rate)
    target = _Target(*np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (mean, correct, false_positive_rate))))

    def gap(log_concentration: Array, at: _Target) -> Array:
        a, b = _shapes(log_concentration, at.mean)
        if is_on(at.false_positive_rate):
            curve = beta_coverage_curve(success_shape=a, failure_shape=b, most_samples=samples)
            reached: Array = np.asarray(resampled(coverage=curve, false_positive_rate=at.false_positive_rate).correct)
            return at.correct - reached[..., -1]
        return at.correct - beta_coverage(success_shape=a, failure_shape=b, samples=float(samples))

    low, high = _LOG_CONCENTRATION
    found = falling_root(gap, low=low, high=high, start=0.0, state=target)
    return _shapes(np.where(np.isfinite(found), found, np.nan), target.mean)


def least_mean(*, samples: Real, coverage: Real) -> Real:
    """Coverage at one sample below which independent samples cannot reach this coverage at N: 1 - (1 - a)^(1/N).

    Arguments broadcast. Problems alike reach it; any difference between them needs more.
    Source: derived (E[(1-p)^N] is at least (1 - E p)^N).
    """
    require_positive(samples=samples)
    require_share(coverage=coverage)
    with np.errstate(divide="ignore"):
        return -np.expm1(np.log1p(-np.asarray(coverage, dtype=np.float64)) / samples)


def break_even_penalty(*, correct: Real, wrong: Real, cost: Real) -> Real:
    """Penalty for a wrong answer from which these shares are worth less than no answer: (correct - cost) / wrong.

    Arguments broadcast; shares, cost and penalty in right answers. NaN where nothing is wrong; negative where the cost alone
    eats the worth. Source: derived (reward less cost is 0).
    """
    require_share(correct=correct, wrong=wrong)
    require_non_negative(cost=cost)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.greater(wrong, 0.0), np.subtract(correct, cost) / np.asarray(wrong), np.nan)[()]


@dataclass(frozen=True)
class _Target:
    mean: Array
    correct: Array
    false_positive_rate: Array


def _shapes(log_concentration: Array, mean: Array) -> tuple[Array, Array]:
    concentration = np.exp(log_concentration)
    return concentration * mean, concentration * (1.0 - mean)
