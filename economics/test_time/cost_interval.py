"""How far the cost of a correct answer may be from the truth, when items are drawn: bill and grade are both random.

Items, or groups of items, are the unit that is drawn. The pivot is the mean of c - theta y over its own standard error; it has
mean 0 at the true ratio whatever the share of correct answers. Its skewness is corrected, because bills are skewed.
"""

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded when first used

from economics.units import Array, require_fraction, require_non_negative


@dataclass(frozen=True, kw_only=True, eq=False)
class Ratio:
    """A ratio of sums, or a difference of two, with its interval."""

    value: Array
    low: Array
    high: Array


def cost_per_correct_interval(*, cost_usd: Array, correct: Array, confidence: float = 0.95) -> Ratio:
    """$ per correct answer, sum of bills over sum of correct answers, with an interval over items.

    `cost_usd` and `correct` are (..., items): per item, or group of items, the $ of all its attempts and how many were correct.
    Returns arrays shaped as what stands before the items. Value and limits are inf where nothing is correct; limits are NaN
    for fewer than two items. Where all items are alike in what was correct, the share of such items may still be lower: the
    high end is at the lowest share that n of n do not exclude. Measured coverage: docs, cost of a correct answer.
    Source: `ratio_interval`; Clopper and Pearson 1934 where all items are alike.
    """
    require_non_negative(cost_usd=cost_usd, correct=correct)
    found = ratio_interval(numerator=cost_usd, denominator=correct, confidence=confidence)
    right = np.asarray(correct, np.float64)
    n = right.shape[-1]
    if n < 2:
        return found
    alike = np.broadcast_to((right == right[..., :1]).all(axis=-1), found.value.shape)
    least = least_share(items=n, confidence=confidence)
    with np.errstate(invalid="ignore"):
        high = np.where(alike & np.isfinite(found.value), np.maximum(found.high, found.value / least), found.high)
    mean_cost = np.broadcast_to(np.asarray(cost_usd, np.float64).mean(axis=-1), found.value.shape)
    nothing = ~np.isfinite(found.value)
    return Ratio(value=found.value, low=np.where(nothing, mean_cost / (1.0 - least), found.low), high=high)


def least_share(*, items: int, confidence: float = 0.95) -> float:
    """Lowest share of items that n of n does not exclude; 1 less it is the highest that none of n does not.

    Source: Clopper and Pearson 1934, at the edge.
    """
    require_fraction(confidence=confidence)
    return float(((1.0 - confidence) / 2.0) ** (1.0 / items))


def ratio_interval(*, numerator: Array, denominator: Array, confidence: float = 0.95) -> Ratio:
    """Sum of numerators over sum of denominators, with an interval over the items that were drawn.

    Both (..., items), 0 or above. Value and high end are inf where the denominators are 0; the high end is so too where the
    draws do not exclude that. Limits are NaN for fewer than two items.
    Source: Fieller 1954 (pivot); Hall 1992, Journal of the Royal Statistical Society B 54 (monotone cubic correction of its
    skewness), with quantiles of Student's t.
    """
    require_non_negative(numerator=numerator, denominator=denominator)
    require_fraction(confidence=confidence)
    top, bottom = np.broadcast_arrays(np.asarray(numerator, np.float64), np.asarray(denominator, np.float64))
    n = top.shape[-1]
    if n == 0:
        raise ValueError("numerator must have at least one item")
    mean_top, mean_bottom = top.mean(axis=-1), bottom.mean(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(mean_bottom > 0.0, mean_top / mean_bottom, np.inf)
    if n < 2:
        return Ratio(value=value, low=np.full_like(value, np.nan), high=np.full_like(value, np.nan))
    finite = np.where(np.isfinite(value), value, 0.0)
    below, above = _corrected_quantiles(top - finite[..., None] * bottom, confidence)
    top_off, bottom_off = top - mean_top[..., None], bottom - mean_bottom[..., None]
    spread = n * (n - 1.0)
    terms = (
        mean_top,
        mean_bottom,
        (top_off**2).sum(-1) / spread,
        (bottom_off**2).sum(-1) / spread,
        (top_off * bottom_off).sum(-1) / spread,
    )
    low, high = _where_pivot_is(above, *terms, upper=False), _where_pivot_is(below, *terms, upper=True)
    nothing = ~np.isfinite(value)
    return Ratio(
        value=value,
        low=np.where(nothing, 0.0, np.minimum(low, finite)),
        high=np.where(nothing, np.inf, np.maximum(high, finite)),
    )


def cost_per_correct_difference(
    *,
    first_cost_usd: Array,
    first_correct: Array,
    second_cost_usd: Array,
    second_correct: Array,
    confidence: float = 0.95,
) -> Ratio:
    """First less second $ per correct answer on the same items, with an interval over items.

    Four arrays (..., items), as in `cost_per_correct_interval`. The same items stand behind both, so that what is hard for both
    cancels. NaN where either has no correct answer, or for fewer than two items.
    Source: delta method (Cochran 1977, section 6.3), quantiles corrected for skewness as above.
    """
    require_non_negative(first_cost_usd=first_cost_usd, second_cost_usd=second_cost_usd)
    require_fraction(confidence=confidence)
    sides = []
    for cost, correct in ((first_cost_usd, first_correct), (second_cost_usd, second_correct)):
        bill, right = np.broadcast_arrays(np.asarray(cost, np.float64), np.asarray(correct, np.float64))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = bill.mean(axis=-1) / right.mean(axis=-1)
            influence = (bill - ratio[..., None] * right) / right.mean(axis=-1)[..., None]
        sides.append((np.where(np.isfinite(ratio), ratio, np.nan), influence))
    (first, of_first), (second, of_second) = sides
    gap, value = of_first - of_second, first - second
    n = gap.shape[-1]
    if n < 2:
        return Ratio(value=value, low=np.full_like(value, np.nan), high=np.full_like(value, np.nan))
    below, above = _corrected_quantiles(np.where(np.isfinite(gap), gap, 0.0), confidence)
    error = gap.std(axis=-1, ddof=1) / np.sqrt(n)
    return Ratio(value=value, low=value - above * error, high=value - below * error)


def _corrected_quantiles(gap: Array, confidence: float) -> tuple[Array, Array]:
    """Quantiles of the pivot: those of Student's t, bent by the skewness of the gaps."""
    n = gap.shape[-1]
    off = gap - gap.mean(axis=-1, keepdims=True)
    second, third = (off**2).mean(axis=-1), (off**3).mean(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        skew = np.where(second > 0.0, third / second**1.5, 0.0)
    if n > 2:
        skew = skew * np.sqrt(n * (n - 1.0)) / (n - 2.0)
    z = scipy.special.stdtrit(n - 1.0, 0.5 + confidence / 2.0)
    root = np.sqrt(float(n))

    def bent(quantile: float) -> Array:
        small = np.abs(skew) < 1e-8
        safe = np.where(small, 1.0, skew)
        moved = root * (3.0 / safe) * (np.cbrt(1.0 + safe * (quantile / root - safe / (6.0 * n))) - 1.0)
        return np.where(small, quantile, moved)

    return bent(-z), bent(z)


def _where_pivot_is(
    quantile: Array, mean_top: Array, mean_bottom: Array, var_top: Array, var_bottom: Array, cov: Array, *, upper: bool
) -> Array:
    """The ratio at which the pivot takes this quantile: a root of Fieller's quadratic; inf where it has none above."""
    q2 = np.asarray(quantile) ** 2
    a = mean_bottom**2 - q2 * var_bottom
    b = -2.0 * (mean_top * mean_bottom - q2 * cov)
    c = mean_top**2 - q2 * var_top
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(np.maximum(b * b - 4.0 * a * c, 0.0))
        if upper:
            return np.where(a > 0.0, (-b + root) / (2.0 * a), np.inf)
        # Written so that it holds on where the leading term vanishes.
        low = 2.0 * c / (-b + root)
    return np.where(np.isfinite(low) & (c > 0.0), low, 0.0)
