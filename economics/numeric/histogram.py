"""Quantiles and shares of what is only known as counts in buckets, as servers publish their latencies."""

import numpy as np
import numpy.typing as npt

from economics.units import Array, require_share


def _checked(upper_bounds: npt.ArrayLike, cumulative: npt.ArrayLike) -> tuple[Array, Array]:
    bounds, counts = np.asarray(upper_bounds, dtype=np.float64), np.asarray(cumulative, dtype=np.float64)
    if bounds.shape != counts.shape or bounds.ndim != 1 or bounds.size == 0:
        raise ValueError("a histogram needs a count for each upper bound")
    if (np.diff(bounds) <= 0).any() or not np.isposinf(bounds[-1]):
        raise ValueError("upper bounds must ascend and end with infinity")
    if (counts < 0).any():
        raise ValueError("counts must not be negative")
    # Buckets of one scrape may be read a moment apart: a later one never holds less than an earlier one.
    return bounds, np.maximum.accumulate(counts)


def bucket_quantile(*, upper_bounds: npt.ArrayLike, cumulative: npt.ArrayLike, share: float) -> float:
    """The value that this share of the observations does not exceed; observations of a bucket lie evenly in it.

    `cumulative` counts of values at or below each bound, the last of which is infinity. NaN without observations, and inf where
    the quantile lies above the last finite bound: all that is known is that it is larger. ValueError for other shapes.
    Source: formula H8.
    """
    require_share(share=share)
    bounds, counts = _checked(upper_bounds, cumulative)
    if counts[-1] <= 0.0:
        return float("nan")
    rank = share * counts[-1]
    place = int(np.searchsorted(counts, rank, side="left"))
    if place == bounds.size - 1:
        return float("inf") if bounds.size == 1 or rank > counts[-2] else float(bounds[-2])
    lower, below = (0.0, 0.0) if place == 0 else (bounds[place - 1], counts[place - 1])
    held = counts[place] - below
    return float(bounds[place] if held <= 0.0 else lower + (bounds[place] - lower) * (rank - below) / held)


def share_within(*, upper_bounds: npt.ArrayLike, cumulative: npt.ArrayLike, bound: float) -> tuple[float, float, float]:
    """Share of the observations at or below a bound: even within its bucket, and the least and the most it can be.

    NaN without observations. Source: formula H8.
    """
    bounds, counts = _checked(upper_bounds, cumulative)
    total = counts[-1]
    if total <= 0.0:
        return float("nan"), float("nan"), float("nan")
    place = int(np.searchsorted(bounds, bound, side="left"))
    if bounds[place] == bound:
        exact = float(counts[place] / total)
        return exact, exact, exact
    lower, below = (0.0, 0.0) if place == 0 else (float(bounds[place - 1]), float(counts[place - 1]))
    upper = bounds[place]
    part = 0.0 if not np.isfinite(upper) else (bound - lower) / (upper - lower)
    even = below + part * (counts[place] - below)
    return float(even / total), float(below / total), float(counts[place] / total)
