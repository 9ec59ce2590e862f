"""How far the cost of a correct answer may be from the truth, when items are drawn: bill and grade are both random.

Items, or groups of items, are the unit that is drawn. The pivot is the mean of c - theta y over its own standard error; it has
mean 0 at the true ratio whatever the share of correct answers. Its skewness is corrected, because bills are skewed.
"""

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded when first used
from numpy.typing import NDArray

from economics.units import require_fraction, require_non_negative

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ratio:
    """A ratio of sums with its interval; `high` is inf where the draws do not exclude that nothing is correct."""

    value: Array
    low: Array
    high: Array


def cost_per_correct_interval(*, cost_usd: Array, correct: Array, confidence: float = 0.95) -> Ratio:
    """$ per correct answer, sum of bills over sum of correct answers, with an interval over items.

    `cost_usd` and `correct` are (..., items): per item, or group of items, the $ of all its attempts and how many were correct.
    Returns arrays shaped as what stands before the items. Value and limits are inf where nothing is correct; limits are NaN
    for fewer than two items. Measured coverage: docs, cost of a correct answer.
    Source: Fieller 1954 (pivot); Hall 1992, Journal of the Royal Statistical Society B 54 (monotone cubic correction of its
    skewness), with quantiles of Student's t.
    """
    require_non_negative(cost_usd=cost_usd, correct=correct)
    require_fraction(confidence=confidence)
    cost, right = np.broadcast_arrays(np.asarray(cost_usd, np.float64), np.asarray(correct, np.float64))
    n = cost.shape[-1]
    if n == 0:
        raise ValueError("cost_usd must have at least one item")
    mean_cost, mean_right = cost.mean(axis=-1), right.mean(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(mean_right > 0.0, mean_cost / mean_right, np.inf)
    if n < 2:
        return Ratio(value=value, low=np.full_like(value, np.nan), high=np.full_like(value, np.nan))
    finite = np.where(np.isfinite(value), value, 0.0)
    gap = cost - finite[..., None] * right
    below, above = _corrected_quantiles(gap, confidence)
    cost_off, right_off = cost - mean_cost[..., None], right - mean_right[..., None]
    spread = n * (n - 1.0)
    terms = (mean_cost, mean_right, (cost_off**2).sum(-1) / spread, (right_off**2).sum(-1) / spread,
             (cost_off * right_off).sum(-1) / spread)  # fmt: skip
    low = _where_pivot_is(above, *terms, upper=False)
    high = _where_pivot_is(below, *terms, upper=True)
    nothing = ~np.isfinite(value)
    return Ratio(
        value=value,
        low=np.where(nothing, _none_correct_low(mean_cost, n, confidence), np.minimum(low, finite)),
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
    quantile: Array, mean_cost: Array, mean_right: Array, var_cost: Array, var_right: Array, cov: Array, *, upper: bool
) -> Array:
    """The ratio at which the pivot takes this quantile: a root of Fieller's quadratic; inf where it has none above."""
    q2 = np.asarray(quantile) ** 2
    a = mean_right**2 - q2 * var_right
    b = -2.0 * (mean_cost * mean_right - q2 * cov)
    c = mean_cost**2 - q2 * var_cost
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(np.maximum(b * b - 4.0 * a * c, 0.0))
        if upper:
            return np.where(a > 0.0, (-b + root) / (2.0 * a), np.inf)
        # Written so that it holds on where the leading term vanishes.
        low = 2.0 * c / (-b + root)
    return np.where(np.isfinite(low) & (c > 0.0), low, 0.0)


def _none_correct_low(mean_cost: Array, n: int, confidence: float) -> Array:
    """Least cost where none of n was correct: the mean bill over the highest share that none of n does not exclude."""
    share = -np.expm1(np.log((1.0 - confidence) / 2.0) / n)
    low: Array = mean_cost / share
    return low
