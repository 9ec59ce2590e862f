"""Beta-binomial fits of per-problem success, many curves at once.

Each curve is one model on a set of problems; each problem has its own success rate, drawn from a Beta. Fitted by maximum
likelihood with damped Newton steps on (logit of the mean rate, log of the concentration a + b), all curves in one step.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from economics.test_time.beta_binomial_likelihood import Height, height, tallied
from economics.units import Array, require_non_negative, require_positive

_MOST_STEPS = 100
_LONGEST_STEP = 2.0
_LOW_CONCENTRATION = 1e-6
"""Below this every problem is solved always or never."""
_BINOMIAL_CONCENTRATION = 1e3
"""Times the largest number of samples of a curve: above it no count tells the Beta from a single success rate."""
_FLAT = 1e-5
"""Gain in log-likelihood, up to an infinite concentration, that no data can show."""
_SETTLED = 1e-6
"""Gain in log-likelihood before a last Newton step, which squares it."""
_ROUNDING = 1e-8
"""Of a log-likelihood."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BetaBinomialFit:
    """One fit per curve; arrays of the same shape. Where `identified` is false the shapes are NaN."""

    success_shape: Array
    """a"""
    failure_shape: Array
    """b"""
    mean: Array
    """a / (a + b), the coverage of one sample; 0 or 1 where all problems failed or all succeeded."""
    concentration: Array
    """a + b; small when problems differ much."""
    log_likelihood: Array
    """Of the drawn sequences: without binomial coefficients, which do not depend on the shapes."""
    logit_mean_error: Array
    """Standard error of logit(mean), from the curvature."""
    log_concentration_error: Array
    """Standard error of ln(a + b), from the curvature; NaN where it lies at a bound."""
    problems: Array
    samples: Array
    """All samples of all problems of the curve."""
    identified: NDArray[np.bool_]
    """Some, but not all, samples succeeded."""
    at_bound: NDArray[np.bool_]
    """The concentration lies at its upper bound (problems do not differ more than chance) or at its lower bound."""
    converged: NDArray[np.bool_]


def fit_beta_binomial(*, successes: Array, samples: Array, weights: Array | None = None) -> BetaBinomialFit:
    """Maximum-likelihood Beta(a, b) of each curve's per-problem success rates.

    `successes` and `samples` are counts of shape (..., problems); samples may differ between problems, and 0 samples
    (a problem not measured) leaves it out. `weights` of the same shape counts a problem several times, as a bootstrap by
    item does. Sampling a problem until it succeeds would need no correction here, unlike in pass@k, because the
    likelihood does not depend on the rule that ended the sampling. ValueError where successes exceed samples.
    Source: beta-binomial likelihood (standard); Schaeffer et al. 2025 on Brown et al. 2407.21787 (per-problem model).
    """
    require_non_negative(successes=successes, samples=samples, weights=weights)
    found, drawn = np.broadcast_arrays(np.asarray(successes, np.float64), np.asarray(samples, np.float64))
    if np.any(found > drawn):
        raise ValueError("successes must not exceed samples")
    times = np.ones(found.shape) if weights is None else np.asarray(weights, np.float64)
    times = np.where(drawn > 0.0, np.broadcast_to(times, found.shape), 0.0)
    shape = found.shape[:-1]
    c, n, w = (values.reshape(-1, found.shape[-1]) for values in (found, drawn, times))
    hits, tries, problems = (w * c).sum(axis=1), (w * n).sum(axis=1), w.sum(axis=1)
    require_positive(weighted_samples=tries)
    identified = (hits > 0.0) & (hits < tries)
    fitted = _maximise(c[identified], n[identified], w[identified])

    def spread(values: Array, otherwise: float | Array = np.nan) -> Array:
        full = np.broadcast_to(np.asarray(otherwise, np.float64), identified.shape).copy()
        full[identified] = values
        return full.reshape(shape)

    mean = 1.0 / (1.0 + np.exp(-fitted.logit))
    concentration = np.exp(fitted.log_concentration)
    return BetaBinomialFit(
        success_shape=spread(concentration * mean),
        failure_shape=spread(concentration / (1.0 + np.exp(fitted.logit))),
        mean=spread(mean, np.where(hits > 0.0, 1.0, 0.0)),
        concentration=spread(concentration),
        log_likelihood=spread(fitted.log_likelihood, 0.0),
        logit_mean_error=spread(fitted.logit_error),
        log_concentration_error=spread(fitted.log_concentration_error),
        problems=problems.reshape(shape),
        samples=tries.reshape(shape),
        identified=identified.reshape(shape),
        at_bound=spread(fitted.at_bound.astype(np.float64), 0.0).astype(bool),
        converged=spread(fitted.converged.astype(np.float64), 1.0).astype(bool),
    )


@dataclass(frozen=True, eq=False)
class _Maximum:
    logit: Array
    log_concentration: Array
    log_likelihood: Array
    logit_error: Array
    log_concentration_error: Array
    at_bound: NDArray[np.bool_]
    converged: NDArray[np.bool_]


def _maximise(c: Array, n: Array, w: Array) -> _Maximum:
    """Damped Newton steps on all curves at once; curves that have arrived drop out."""
    rows = c.shape[0]
    eta, lam = _start(c, n, w)
    low = np.full(rows, np.log(_LOW_CONCENTRATION))
    many = np.log(n.max(axis=1, initial=1.0))
    high = many + np.log(_BINOMIAL_CONCENTRATION)
    lam = np.clip(lam, low, high)
    tally = tallied(c, n, w)
    numbers, flags = np.full((5, rows), np.nan), np.zeros((2, rows), dtype=bool)
    result = _Maximum(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], flags[0], flags[1])
    at, damping, leapt = np.arange(rows), np.full(rows, 1e-3), np.zeros(rows, dtype=bool)
    here = height(eta, lam, tally)
    for left in reversed(range(_MOST_STEPS)):
        if at.size == 0:
            break
        stuck = (
            ((lam >= high) & (here.slope[1] >= 0.0))
            | ((lam <= low) & (here.slope[1] <= 0.0))
            # Above the samples slope and curvature fall as 1 / (a + b), so both are also what infinity would gain.
            | ((lam >= many) & (np.abs(here.slope[1]) < _FLAT) & (np.abs(here.curve[2]) < _FLAT))
        )
        d_eta, d_lam, gain = _step(here, stuck, damping)
        # On the way to infinity the slope is about minus the curvature, and Newton would take a step of 1 each time.
        endless = ~leapt & ~stuck & (lam >= many - 1.0) & (np.abs(here.slope[1] + here.curve[2]) < 0.1 * here.slope[1])
        d_lam, leapt = np.where(endless, high - lam, d_lam), leapt | endless
        to_eta, to_lam = eta + d_eta, np.clip(lam + d_lam, low, high)
        there = height(to_eta, to_lam, tally)
        better = there.value >= here.value - _ROUNDING
        done = better & (gain < _SETTLED)
        eta, lam = np.where(better, to_eta, eta), np.where(better, to_lam, lam)
        here = there.where(better, here)
        damping = np.clip(np.where(better, damping * 0.1, damping * 10.0), 1e-12, 1e12)
        leave = done | (left == 0)
        if leave.any():
            _store(result, at[leave], eta[leave], lam[leave], here.kept(leave), stuck[leave], done[leave])
            stay = ~leave
            at, leapt, eta, lam, damping = at[stay], leapt[stay], eta[stay], lam[stay], damping[stay]
            low, many, high = low[stay], many[stay], high[stay]
            here = here.kept(stay)
            tally = tally.kept(stay)
    return result


def _start(c: Array, n: Array, w: Array) -> tuple[Array, Array]:
    """Moments: mean rate, and the variance of rates beyond what the binomial explains."""
    problems = w.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(n > 0.0, c / np.maximum(n, 1.0), 0.0)
        mean = (w * rate).sum(axis=1) / problems
        variance = (w * (rate - mean[:, None]) ** 2).sum(axis=1) / problems
        inverse_n = (w / np.maximum(n, 1.0)).sum(axis=1) / problems
        uniform = mean * (1.0 - mean)
        likeness = (variance - uniform * inverse_n) / (uniform * (1.0 - inverse_n))
    # Rates that vary no more than chance start where a concentration begins to look infinite.
    likeness = np.clip(np.nan_to_num(likeness, nan=1e-3), 1.0 / (n.max(axis=1, initial=1.0) + 1.0), 0.99)
    return np.log(mean) - np.log1p(-mean), np.log(1.0 / likeness - 1.0)


def _step(here: Height, stuck: NDArray[np.bool_], damping: Array) -> tuple[Array, Array, Array]:
    """Levenberg step uphill, no longer than `_LONGEST_STEP`; along the mean alone where the concentration is stuck.

    The third result is twice what the likelihood can still gain, by the same curvature without damping; inf where the
    curvature is not that of a maximum.
    """
    # Where the curvature has the sign of a minimum its size still tells the length of a step.
    up_eta, up_lam, r = (
        np.maximum(np.abs(here.curve[0]), 1e-12),
        np.maximum(np.abs(here.curve[2]), 1e-12),
        -here.curve[1],
    )
    slope = here.slope
    peaked = (here.curve[0] < 0.0) & (here.curve[2] < 0.0) & (up_eta * up_lam > r * r)
    p, q = up_eta * (1.0 + damping), up_lam * (1.0 + damping)
    cross = np.where(peaked & ~stuck, r, 0.0)
    d_eta = (q * slope[0] - cross * slope[1]) / (p * q - cross * cross)
    d_lam = np.where(stuck, 0.0, (p * slope[1] - cross * slope[0]) / (p * q - cross * cross))
    both = peaked & ~stuck
    determinant = np.where(both, up_eta * up_lam - r * r, 1.0)
    quadratic = up_lam * slope[0] ** 2 - 2.0 * r * slope[0] * slope[1] + up_eta * slope[1] ** 2
    gain = np.where(stuck, slope[0] ** 2 / up_eta, np.where(both, quadratic / determinant, np.inf))
    longest = np.maximum(np.maximum(np.abs(d_eta), np.abs(d_lam)) / _LONGEST_STEP, 1.0)
    return d_eta / longest, d_lam / longest, gain


def _store(
    into: _Maximum,
    at: NDArray[np.intp],
    eta: Array,
    lam: Array,
    here: Height,
    stuck: NDArray[np.bool_],
    done: NDArray[np.bool_],
) -> None:
    curve = here.curve
    with np.errstate(divide="ignore", invalid="ignore"):
        determinant = curve[0] * curve[2] - curve[1] ** 2
        eta_variance = np.where(stuck, -1.0 / curve[0], -curve[2] / determinant)
        lam_variance = np.where(stuck, np.nan, -curve[0] / determinant)
        into.logit_error[at] = np.sqrt(np.where(eta_variance > 0.0, eta_variance, np.nan))
        into.log_concentration_error[at] = np.sqrt(np.where(lam_variance > 0.0, lam_variance, np.nan))
    into.logit[at], into.log_concentration[at], into.log_likelihood[at] = eta, lam, here.value
    into.at_bound[at], into.converged[at] = stuck, done
