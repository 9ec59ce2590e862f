"""Intervals: how far a measured share, or the ratio of two shares, may be from the truth."""

import numpy as np
import scipy  # its parts are loaded when first used

from economics.units import Array, Real, require_fraction, require_non_negative, require_positive


def wilson_interval(*, successes: Real, trials: Real, confidence: Real = 0.95) -> tuple[Array, Array]:
    """Interval of a share from its counts; stays inside [0, 1] and is not empty at 0 or all successes.

    Arguments broadcast; counts (not necessarily whole, a mean of repeated runs is allowed), probability. Returns low
    and high. ValueError for no trials or more successes than trials.
    Source: formula E2; Wilson 1927, Journal of the American Statistical Association 22.
    """
    successes, trials = _counts(successes, trials)
    require_fraction(confidence=confidence)
    share = successes / trials
    z2 = scipy.special.ndtri(0.5 + np.asarray(confidence) / 2.0) ** 2
    centre = (successes + z2 / 2.0) / (trials + z2)
    half = np.sqrt(z2 * (share * (1.0 - share) / trials + z2 / (4.0 * trials**2))) / (1.0 + z2 / trials)
    # At 0 and at all successes the limit is exact; the subtraction would leave a rounding error there.
    low = np.where(successes == 0.0, 0.0, np.maximum(centre - half, 0.0))
    high = np.where(successes == trials, 1.0, np.minimum(centre + half, 1.0))
    return low, high


def log_ratio_interval(
    *, successes_from: Real, trials_from: Real, successes_to: Real, trials_to: Real, confidence: Real = 0.95
) -> tuple[Array, Array]:
    """Interval of ln(share_to / share_from), both shares measured, combined from their two Wilson intervals.

    The distances from each share to its limits add in squares (MOVER). The two shares are taken as independent: when the
    same items were measured twice the interval is wider than it need be; use a bootstrap by item where items are known.
    Arguments broadcast; counts. Returns low and high; NaN where a share is 0, because its logarithm is not known.
    Source: formula E2; Zou and Donner 2008, Statistics in Medicine 27, on the logarithms of Wilson limits.
    """
    count_from, n_from = _counts(successes_from, trials_from)
    count_to, n_to = _counts(successes_to, trials_to)
    low_from, high_from = wilson_interval(successes=count_from, trials=n_from, confidence=confidence)
    low_to, high_to = wilson_interval(successes=count_to, trials=n_to, confidence=confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_from, log_to = np.log(count_from / n_from), np.log(count_to / n_to)
        below = np.hypot(log_to - np.log(low_to), np.log(high_from) - log_from)
        above = np.hypot(np.log(high_to) - log_to, log_from - np.log(low_from))
        known = (count_from > 0.0) & (count_to > 0.0)
        ratio = np.where(known, log_to - log_from, np.nan)
        return np.where(known, ratio - below, np.nan), np.where(known, ratio + above, np.nan)


def bootstrap_weights(*, items: int, replicates: int, rng: np.random.Generator) -> Array:
    """How often each item is drawn in each bootstrap replicate; a row of counts that sums to `items`.

    Returns (replicates, items). A statistic that is a mean over items is one matrix product with it.
    Source: Efron 1979 (bootstrap).
    """
    require_positive(items=items, replicates=replicates)
    return rng.multinomial(items, np.full(items, 1.0 / items), size=replicates).astype(np.float64)


def percentile_interval(values: Array, *, confidence: float = 0.95, axis: int = 0) -> tuple[Array, Array]:
    """Central interval that holds `confidence` of the replicates along `axis`; replicates that are NaN are left out."""
    require_fraction(confidence=confidence)
    tail = (1.0 - confidence) / 2.0
    finite = np.isfinite(values)
    if not finite.any(axis=axis).all():
        empty = np.where(finite.any(axis=axis), 0.0, np.nan)
        filled = np.where(finite.any(axis=axis, keepdims=True), values, 0.0)
        low, high = np.nanquantile(filled, [tail, 1.0 - tail], axis=axis)
        return low + empty, high + empty
    low, high = np.nanquantile(values, [tail, 1.0 - tail], axis=axis)
    return low, high


def _counts(successes: Real, trials: Real) -> tuple[Array, Array]:
    require_non_negative(successes=successes)
    require_positive(trials=trials)
    counted, tried = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    if np.any(counted > tried):
        raise ValueError("successes must not exceed trials")
    return counted, tried
