"""Prices on one scale and over time: blends, the price of a fixed quality, matched-model chains, and slopes with intervals."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy  # its parts are loaded when first used

from economics.units import Array, require_fraction, require_positive

Index = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False, kw_only=True)
class Cheapest:
    """The price of each quality on each date; arrays are (dates, thresholds)."""

    usd: Array
    """Lowest price at or above the threshold; NaN where no model reaches it."""
    item: Index
    """Position of the model that sets it; -1 where none does."""
    models: Index
    """Models with a price at or above the threshold."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Chain:
    """A chained index of matched prices; arrays are (dates,)."""

    value: Array
    """1 on the first date of a chain; NaN on a date without prices."""
    number: Index
    """Which chain the date belongs to: a new one begins where nothing on sale was also on sale the date before."""
    log_change: Array
    """Logarithm of the change since the date before; NaN at the beginning of a chain."""
    matched: Index
    """Prices compared with the date before."""
    matched_sellers: Index
    """Sellers of those."""
    entered: Index
    """Prices without one on the date before: they enter the index with their next change."""
    left: Index
    """Prices of the date before that are gone: they leave the index at their last price."""


@dataclass(frozen=True, kw_only=True)
class Slope:
    """How many times cheaper per year: above 1 prices fall. The interval is NaN where n does not allow one."""

    factor_per_year: float
    low: float
    high: float
    n: int
    r_squared: float


def blended_usd_per_mtok(*, input_usd_per_mtok: Array, output_usd_per_mtok: Array, input_per_output: float = 1.0) -> Array:
    """Blended price of a model at a stated mix of input and output tokens.

    Arguments broadcast; $ per M tokens. `input_per_output` is input tokens per output token: 1 is the mean of both list
    prices (cpm), 3 the 3:1 blend of price trackers. Returns $ per M tokens of the mix. Raises ValueError for a negative
    price or mix. A price that is not known (NaN) gives NaN.
    Source: formula P1.
    """
    prices_in, prices_out = np.asarray(input_usd_per_mtok, float), np.asarray(output_usd_per_mtok, float)
    if (prices_in < 0).any() or (prices_out < 0).any():
        raise ValueError("input_usd_per_mtok and output_usd_per_mtok must not be negative")
    if not input_per_output >= 0:
        raise ValueError(f"input_per_output must not be negative, found {input_per_output}")
    blend: Array = (input_per_output * prices_in + prices_out) / (input_per_output + 1)
    return blend


def cheapest_at_or_above(*, usd: Array, score: Array, threshold: Array) -> Cheapest:
    """Lowest price on each date of anything at or above each threshold of quality.

    `usd` (dates, models) in any unit of price, NaN where the model is not sold; `score` (models,) and `threshold`
    (thresholds,) on one scale. A model enters with its first price and leaves with its last, so the price of a quality rises
    when the model that set it is withdrawn. Raises ValueError for a price that is not positive.
    Source: formula P2.
    """
    prices = _positive_or_nan(usd)
    reached = np.asarray(score, dtype=np.float64)[None, :] >= np.asarray(threshold, dtype=np.float64)[:, None]
    candidates = np.where(reached[None] & ~np.isnan(prices)[:, None], prices[:, None], np.inf)
    lowest = candidates.min(axis=2, initial=np.inf)
    found = np.isfinite(lowest)
    return Cheapest(
        usd=np.where(found, lowest, np.nan),
        item=np.where(found, candidates.argmin(axis=2) if prices.shape[1] else 0, -1),
        models=np.isfinite(candidates).sum(axis=2),
    )


def chained_jevons(*, usd: Array, seller: npt.ArrayLike | None = None) -> Chain:
    """Matched-model index: geometric mean of the price changes of what is sold on two dates in a row, chained.

    `usd` (dates, items) in any unit of price, NaN where not sold; `seller` (items,) names the seller of each, so that all
    items of a seller count as one; without it every item counts for itself. What is new enters with its second date, what
    vanishes leaves at its last price; neither moves the index. Raises ValueError for a price that is not positive.
    Source: formula P3; ILO and others 2004, Consumer Price Index Manual, chapters 9 (chaining) and 20 (Jevons).
    """
    prices = _positive_or_nan(usd)
    dates = len(prices)
    sold = ~np.isnan(prices)
    logs = np.log(np.where(sold, prices, 1.0))
    both = np.zeros_like(sold)
    both[1:] = sold[1:] & sold[:-1]
    change = np.where(both, np.diff(logs, axis=0, prepend=0.0), 0.0)
    offers, total = both.astype(np.float64), change
    if seller is not None:
        names = np.unique(np.asarray(seller), return_inverse=True)[1]
        of_seller = (names[:, None] == np.arange(names.max(initial=-1) + 1)).astype(np.float64)
        offers, total = offers @ of_seller, total @ of_seller
    matched_sellers = (offers > 0).sum(axis=1)
    by_seller = np.divide(total, offers, out=np.zeros_like(total), where=offers > 0)
    starts = matched_sellers == 0
    log_change = np.where(starts, np.nan, by_seller.sum(axis=1) / np.maximum(matched_sellers, 1))
    level = np.cumsum(np.nan_to_num(log_change))
    base = np.maximum.accumulate(np.where(starts, np.arange(dates), 0))
    return Chain(
        value=np.where(sold.any(axis=1), np.exp(level - level[base]), np.nan),
        number=np.cumsum(starts),
        log_change=log_change,
        matched=both.sum(axis=1),
        matched_sellers=matched_sellers,
        entered=_gained(sold),
        left=_gained(~sold),
    )


def log_linear_slope(*, years: Array, usd: Array, confidence: float = 0.95) -> Slope:
    """Fall of a price per year from a straight line through its logarithms, with Student's interval of the slope.

    `years` and `usd` (points,); any unit of price. With two points there is a slope and no interval. Returns times cheaper
    per year. Raises ValueError for fewer than two points or dates, or a price that is not positive.
    Source: formula P4: least squares on log prices; the interval has n - 2 degrees of freedom, which is what keeps it honest
    for the n of 4 to 7 behind published slopes (Epoch 2025 does the same).
    """

    require_positive(usd=usd)
    require_fraction(confidence=confidence)
    if len(np.unique(years)) < 2:
        raise ValueError("a slope needs at least two dates")
    # Written out: scipy.stats costs a refresh .3 s and 22 MB to load.
    n = len(years)
    x, y = np.asarray(years, dtype=np.float64) - np.mean(years), np.log(usd) - np.mean(np.log(usd))
    slope = (x @ y) / (x @ x)
    with np.errstate(invalid="ignore"):  # a price that never moves has none
        r_squared = np.minimum((x @ y) ** 2 / ((x @ x) * (y @ y)), 1.0)
    error = np.sqrt((1.0 - r_squared) * (y @ y) / (x @ x) / (n - 2)) if n > 2 else np.nan
    half = scipy.special.stdtrit(n - 2, 0.5 + confidence / 2.0) * error if n > 2 else np.nan
    return Slope(
        factor_per_year=float(np.exp(-slope)),
        low=float(np.exp(-slope - half)),
        high=float(np.exp(-slope + half)),
        n=n,
        r_squared=float(r_squared) if n > 2 else np.nan,
    )


def mean_change_slope(*, log_change: Array, years: Array, confidence: float = 0.95) -> Slope:
    """Fall of a chained index per year from its changes, with Student's interval of their mean.

    `log_change` (links,) and `years` (links,), the time each link spans. A chain is a sum of its changes, so its errors add up
    and a line through its levels would claim too much; the mean change does not. With one link there is a slope and no
    interval. Returns times cheaper per year. Raises ValueError for no links or a time that is not positive.
    Source: drift of a random walk seen at unequal intervals (derived).
    """
    require_positive(years=years)
    require_fraction(confidence=confidence)
    n, span = len(log_change), np.sum(years)
    if n == 0:
        raise ValueError("a mean change needs at least one link")
    drift = np.sum(log_change) / span
    variance = np.sum((log_change - drift * years) ** 2 / years) / (n - 1) / span if n > 1 else np.nan
    half = scipy.special.stdtrit(n - 1, 0.5 + confidence / 2.0) * np.sqrt(variance) if n > 1 else np.nan
    return Slope(
        factor_per_year=float(np.exp(-drift)),
        low=float(np.exp(-drift - half)),
        high=float(np.exp(-drift + half)),
        n=n,
        r_squared=np.nan,
    )


def fall_per_year(*, fall: npt.ArrayLike, months: npt.ArrayLike) -> Array:
    """A fall over a span of months as a fall per year: 280 times in 23 months is 19 times a year.

    Arguments broadcast; times cheaper, months. ValueError for a fall or span that is not positive.
    Source: compound change (derived).
    """
    times, span = np.asarray(fall, dtype=np.float64), np.asarray(months, dtype=np.float64)
    require_positive(fall=times, months=span)
    yearly: Array = times ** (12.0 / span)
    return yearly


def _positive_or_nan(values: Array) -> Array:
    numbers = np.asarray(values, dtype=np.float64)
    if (numbers <= 0).any():
        raise ValueError("prices must be positive, NaN where there is none")
    return numbers


def _gained(present: npt.NDArray[np.bool_]) -> Index:
    """How many items are present on each date and were not on the date before."""
    gained = np.zeros(len(present), dtype=np.intp)
    gained[1:] = (present[1:] & ~present[:-1]).sum(axis=1)
    return gained
