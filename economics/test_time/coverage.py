"""Coverage: the share of problems that at least one of N samples solves, and how fast it grows with N.

Three views of the same curve: the unbiased estimate from counts, the beta-binomial model (problems differ, each with its
own success rate), and the exponentiated power law, which is a fit and breaks the bound eta <= 1 near one sample.
"""

import numpy as np
import scipy  # its parts are loaded when first used

from economics.numeric.statistics import bootstrap_weights, log_ratio_interval, percentile_interval
from economics.units import Array, Real, require_non_negative, require_positive, require_share

_ASYMPTOTIC_FROM = 16
"""From here on the Stirling series below is exact to rounding; smaller arguments are shifted up."""


def pass_at_k(*, successes: Real, samples: Real, k: Real) -> Array:
    """Share of draws of k from a problem's samples that hold a success: 1 - C(n-c, k) / C(n, k), unbiased.

    Arguments broadcast; counts. ValueError where k or the successes exceed the samples: beyond its own samples a problem
    has no estimate. Exact to rounding also for rare successes, where factorials would cancel.
    Source: Chen et al. 2107.03374 (pass@k).
    """
    require_non_negative(successes=successes, samples=samples, k=k)
    found, drawn, tries = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (successes, samples, k)))
    if np.any(found > drawn):
        raise ValueError("successes must not exceed samples")
    if np.any(tries > drawn):
        raise ValueError("k must not exceed samples")
    left = drawn - found - tries + 1.0
    missed = _log_gamma_ratio(np.maximum(left, 1.0), tries, found)
    return np.where(left <= 0.0, 1.0, -np.expm1(missed))


def beta_coverage(*, success_shape: Real, failure_shape: Real, samples: Real) -> Array:
    """Coverage when success rates of problems are Beta(a, b): 1 - B(a, b + N) / B(a, b).

    Arguments broadcast; shapes positive, samples 0 or more (not necessarily whole).
    Source: formula T4 = E[1 - (1-p)^N]).
    """
    require_positive(success_shape=success_shape, failure_shape=failure_shape)
    require_non_negative(samples=samples)
    a, b, n = _arrays(success_shape, failure_shape, samples)
    return -np.expm1(_log_gamma_ratio(b, n, a))


def beta_coverage_elasticity(*, success_shape: Real, failure_shape: Real, samples: Real) -> Array:
    """eta = d ln a(N) / d ln N of the beta-binomial coverage; between 0 and 1 at every N.

    Arguments broadcast; samples above 0. Source: derived: N (psi(a+b+N) - psi(b+N)) (1 - a(N)) / a(N).
    """
    require_positive(success_shape=success_shape, failure_shape=failure_shape, samples=samples)
    a, b, n = _arrays(success_shape, failure_shape, samples)
    missed = _log_gamma_ratio(b, n, a)
    return n * _digamma_step(b + n, a) * np.exp(missed) / -np.expm1(missed)


def power_law_coverage(*, scale: Real, exponent: Real, samples: Real) -> Array:
    """Coverage by the exponentiated power law: exp(a k^b), a and b below 0.

    Arguments broadcast. Source: Brown et al. 2407.21787 (coverage against samples).
    """
    coverage: Array = np.exp(np.asarray(scale) * np.power(np.asarray(samples, dtype=np.float64), exponent))
    return coverage


def power_law_elasticity(*, scale: Real, exponent: Real, samples: Real) -> Array:
    """eta = a b k^b of the exponentiated power law; a b at one sample, which may exceed the bound of 1.

    Arguments broadcast. Source: derived from `power_law_coverage`.
    """
    return np.asarray(scale) * exponent * np.power(np.asarray(samples, dtype=np.float64), exponent)


def fit_power_law(*, samples: Array, coverage: Array) -> tuple[float, float]:
    """Scale and exponent of the exponentiated power law nearest to one measured curve, by least squares in coverage.

    Two vectors of the same length; points with coverage 0 or 1 count, at least two others are needed (ValueError).
    Source: Brown et al. 2407.21787 (coverage against samples).
    """
    require_positive(samples=samples)
    require_share(coverage=coverage)
    k, share = np.asarray(samples, dtype=np.float64), np.asarray(coverage, dtype=np.float64)
    inside = (share > 0.0) & (share < 1.0)
    if np.unique(k[inside]).size < 2:
        raise ValueError("a power law needs coverage strictly between 0 and 1 at two or more numbers of samples")
    # ln(-ln c) = ln(-a) + b ln k is a straight line: a start close to the answer.
    slope, intercept = np.polyfit(np.log(k[inside]), np.log(-np.log(share[inside])), 1)
    found, _ = scipy.optimize.curve_fit(lambda x, a, b: np.exp(a * x**b), k, share, p0=(-np.exp(intercept), slope))
    return float(found[0]), float(found[1])


def arc_elasticity(*, accept_rate_from: Real, accept_rate_to: Real, samples_from: Real, samples_to: Real) -> Array:
    """Elasticity between two measured points: ln(alpha_1 / alpha_0) / ln(N_1 / N_0).

    Arguments broadcast; the quantity that grows may also be training compute. NaN where an alpha is 0 or N stays.
    Source: formula T5.
    """
    require_non_negative(accept_rate_from=accept_rate_from, accept_rate_to=accept_rate_to)
    require_positive(samples_from=samples_from, samples_to=samples_to)
    before, after, few, many = _arrays(accept_rate_from, accept_rate_to, samples_from, samples_to)
    with np.errstate(divide="ignore", invalid="ignore"):
        arc = (np.log(after) - np.log(before)) / (np.log(many) - np.log(few))
    return np.where((before > 0.0) & (after > 0.0) & (few != many), arc, np.nan)


def arc_elasticity_interval(
    *,
    successes_from: Real,
    trials_from: Real,
    successes_to: Real,
    trials_to: Real,
    samples_from: Real,
    samples_to: Real,
    confidence: Real = 0.95,
) -> tuple[Array, Array]:
    """Interval of an arc elasticity when only counts are known: Wilson limits of both shares, taken as independent.

    Arguments broadcast; counts of items. Returns low and high; NaN where a share is 0 or the samples are the same.
    Source: `economics.numeric.statistics.log_ratio_interval`, divided by ln(N_1 / N_0).
    """
    require_positive(samples_from=samples_from, samples_to=samples_to)
    low, high = log_ratio_interval(
        successes_from=successes_from,
        trials_from=trials_from,
        successes_to=successes_to,
        trials_to=trials_to,
        confidence=confidence,
    )
    growth = np.log(np.asarray(samples_to, dtype=np.float64) / samples_from)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.where(growth != 0.0, np.stack([low, high]) / growth, np.nan)
    return ends.min(axis=0), ends.max(axis=0)


def arc_elasticities_by_item(
    *, item_coverage: Array, samples: Array, replicates: int, rng: np.random.Generator, confidence: float = 0.95
) -> tuple[Array, Array, Array]:
    """Arc elasticities between neighbouring numbers of samples, with a bootstrap interval over items.

    `item_coverage` is (items, numbers of samples): per item a pass@k, a 0/1 outcome, or any share in [0, 1]. The same
    items are drawn for both ends of an arc, so that what they have in common cancels. Returns estimate, low and high,
    each one shorter than `samples`. Source: Efron 1979 (bootstrap), arcs as `arc_elasticity`.
    """
    require_share(item_coverage=item_coverage)
    items = np.asarray(item_coverage, dtype=np.float64)
    weights = bootstrap_weights(items=items.shape[0], replicates=replicates, rng=rng)
    curves = np.vstack([items.mean(axis=0), weights @ items / items.shape[0]])
    grid = np.asarray(samples, dtype=np.float64)
    arcs = arc_elasticity(
        accept_rate_from=curves[:, :-1],
        accept_rate_to=curves[:, 1:],
        samples_from=grid[:-1],
        samples_to=grid[1:],
    )
    low, high = percentile_interval(arcs[1:], confidence=confidence)
    return arcs[0], low, high


def _log_gamma_ratio(u: Array, k: Array, c: Array) -> Array:
    """ln of Gamma(u+k) Gamma(u+c) / (Gamma(u) Gamma(u+k+c)), to rounding even where it is tiny; u > 0, k, c >= 0.

    Differences of gammaln lose every digit when the ratio is near 1. Written as a second difference of Stirling's
    series, each term is small by itself.
    """
    u, k, c = np.broadcast_arrays(u, k, c)
    shifted = np.where(u < _ASYMPTOTIC_FROM, u + _ASYMPTOTIC_FROM, u)
    far = shifted + k + c
    total = (
        (shifted - 0.5) * np.log1p(k * c / (shifted * far))
        + k * np.log1p(-c / far)
        + c * np.log1p(-k / far)
        # In this order both differences are exactly 0 where c is 0, and cancel exactly where k is.
        + ((_stirling(shifted + k) - _stirling(far)) + (_stirling(shifted + c) - _stirling(shifted)))
    )
    small = np.flatnonzero(np.ravel(u < _ASYMPTOTIC_FROM))
    if small.size:
        near, kk, cc = (np.ravel(v)[small, None] + 0.0 for v in (u, k, c))
        steps = near + np.arange(_ASYMPTOTIC_FROM)
        flat = np.ravel(total)
        flat[small] -= np.log1p(kk * cc / (steps * (steps + kk + cc))).sum(axis=1)
        total = flat.reshape(u.shape)
    return total


def _stirling(x: Array) -> Array:
    """What is left of ln Gamma(x) after Stirling's leading terms."""
    inverse = 1.0 / (x * x)
    return (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)))) / x


def _digamma_step(x: Array, step: Array) -> Array:
    """psi(x + step) - psi(x), to rounding even for a tiny step; x > 0."""
    x, step = np.broadcast_arrays(x, step)
    ladder = x[..., None] + np.arange(_ASYMPTOTIC_FROM)
    near = (step[..., None] / (ladder * (ladder + step[..., None]))).sum(axis=-1)
    low, high = x + _ASYMPTOTIC_FROM, x + _ASYMPTOTIC_FROM + step
    tail = step / (2.0 * low * high)
    p, q = 1.0 / (low * low), 1.0 / (high * high)
    difference = step * (low + high) * p * q  # 1/low^2 - 1/high^2
    tail = tail + difference * (1 / 12 - (p + q) * (1 / 120 + (p * p + q * q) / 240) + (p * p + p * q + q * q) / 252)
    total: Array = near + np.log1p(step / low) + tail
    return total


def _arrays(*values: Real) -> tuple[Array, ...]:
    return tuple(np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in values)))
