"""The verdict on a published claim: the range it allows, held against the value and the interval that come out."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from economics.numeric.statistics import wilson_interval
from economics.units import Array

RELATIONS = ("equals", "within", "at_least", "at_most", "always", "never")
VERDICTS = ("reproduced", "reproduced_in_part", "not_reproduced", "not_testable", "inconclusive")
SAME = 1e-9
"""Relative difference that two ways of computing the same number may have."""
MOSTLY = 0.9
"""Share that must hold, with confidence, before a sample without an exception bears out `always`."""
HALF = 0.5

Words = NDArray[np.str_]


def allowed_range(*, relation: Words, published_low: ArrayLike, published_high: ArrayLike) -> tuple[Array, Array]:
    """Range of values that would bear a claim out.

    Arguments broadcast: words of `RELATIONS`, and the ends of what was published in the claim's own unit, NaN where an end is
    open. Returns both ends, infinite where open and NaN where the relation needs an end that was not published. `always` and
    `never` are of shares and allow 1 and 0 alone. Raises ValueError for an unknown relation and for low > high.
    Source: formula E1 [D].
    """
    words, low, high = np.broadcast_arrays(
        np.asarray(relation), np.asarray(published_low, np.float64), np.asarray(published_high, np.float64)
    )
    if unknown := set(words.ravel().tolist()) - set(RELATIONS):
        raise ValueError(f"unknown relation {', '.join(sorted(unknown))}; there are {', '.join(RELATIONS)}")
    least = np.select([words == "always", words == "never", words == "at_most"], [1.0, 0.0, -np.inf], low)
    most = np.select([words == "always", words == "never", words == "at_least"], [1.0, 0.0, np.inf], high)
    if np.any(least > most):
        raise ValueError("published_low must not be above published_high")
    return least, most


def verdicts(
    *,
    relation: Words,
    published_low: ArrayLike,
    published_high: ArrayLike,
    recomputed: ArrayLike,
    interval_low: ArrayLike = np.nan,
    interval_high: ArrayLike = np.nan,
    is_sampled: ArrayLike = False,
) -> Words:
    """Verdict on each claim, a word of `VERDICTS`.

    Arguments broadcast, in the claim's own unit. `recomputed` NaN: not testable. An interval with a NaN end is the value
    alone. Reproduced: the whole interval lies in the allowed range; `equals` asks that the value does, or that the whole
    allowed range lies in the interval, which then explains the difference. Not reproduced: interval and allowed range do not
    meet. Else reproduced in part. Where the interval stands for what was not seen (`is_sampled`: a confidence interval, or an
    extreme over a part of the data), a claim needs all of it inside, `equals` too, and what lies between is inconclusive: with
    less data such an interval grows, and less data must reproduce no more.

    `always` and `never` are judged by the share that holds. With exceptions a claim is reproduced in part where it holds at
    half of the points and more, and not reproduced below. Of a sample the whole interval must lie on one side of half, else it
    is inconclusive; without an exception its lower end must reach `MOSTLY`.

    Raises ValueError as `allowed_range` does, for a recomputed value without the published end its relation needs, for an
    interval that does not hold its value, and for a share outside 0 to 1.
    Source: formula E1 [D].
    """
    least, most = allowed_range(relation=relation, published_low=published_low, published_high=published_high)
    words, value, low, high, least, most = np.broadcast_arrays(
        np.asarray(relation), *(np.asarray(part, np.float64) for part in (recomputed, interval_low, interval_high)), least, most
    )
    if np.any(~np.isnan(value) & (np.isnan(least) | np.isnan(most))):
        raise ValueError("equals and within need both ends of what was published, at_least the low, at_most the high one")
    low, high = np.where(np.isnan(low), value, low), np.where(np.isnan(high), value, high)
    is_share = np.isin(words, ("always", "never"))
    if np.any(is_share & ((value < 0.0) | (value > 1.0))):
        raise ValueError("always and never are judged by a share between 0 and 1")
    if np.any((low > value) | (value > high)):
        raise ValueError("an interval must hold its value")
    slack = SAME * np.maximum(np.abs(value), 1e-300)
    inside = (low >= least - slack) & (high <= most + slack)
    value_agrees = ((value >= least - slack) & (value <= most + slack)) | ((low <= least) & (most <= high))
    apart = (high < least - slack) | (low > most + slack)
    sampled = np.broadcast_to(np.asarray(is_sampled, np.bool_), words.shape)
    share = _of_shares(words == "never", value, np.where(sampled, low, value), np.where(sampled, high, value), sampled)
    is_reproduced = np.where((words == "equals") & ~sampled, value_agrees, inside)
    return np.select(
        [np.isnan(value), is_share, is_reproduced, apart, sampled],
        [VERDICTS[3], share, VERDICTS[0], VERDICTS[2], VERDICTS[4]],
        VERDICTS[1],
    )


def share_interval(*, share: ArrayLike, n: ArrayLike) -> tuple[Array, Array]:
    """95 % interval of the share of `n` points at which a claim holds; NaN where either is.

    Arguments broadcast; shares and counts. Source: formula E2.
    """
    value, count = np.broadcast_arrays(np.asarray(share, np.float64), np.asarray(n, np.float64))
    known = np.isfinite(value) & (count > 0.0)
    ends = np.full((2, *value.shape), np.nan)
    ends[:, known] = wilson_interval(successes=value[known] * count[known], trials=count[known])
    return ends[0], ends[1]


def _of_shares(never: NDArray[np.bool_], value: Array, low: Array, high: Array, sampled: NDArray[np.bool_]) -> Words:
    """Verdicts of `always` and `never` by the share that holds, which of `never` is the share without the event."""
    held, least, most = (np.where(never, 1.0 - a, b) for a, b in ((value, value), (high, low), (low, high)))
    without_exception = held >= 1.0 - SAME
    return np.select(
        [without_exception & (~sampled | (least >= MOSTLY)), most < HALF, ~without_exception & (least >= HALF)],
        [VERDICTS[0], VERDICTS[2], VERDICTS[1]],
        VERDICTS[4],
    )


def margins(*, relation: Words, published_low: ArrayLike, published_high: ArrayLike, recomputed: ArrayLike) -> Array:
    """Distance of each recomputed value from the nearest end of its allowed range: positive inside, negative outside.

    Arguments broadcast, in the claim's own unit, and so is the result; NaN where `recomputed` is. Raises ValueError as
    `allowed_range` does.
    Source: formula E1 [D].
    """
    least, most = allowed_range(relation=relation, published_low=published_low, published_high=published_high)
    value = np.asarray(recomputed, np.float64)
    return np.minimum(value - least, most - value)
