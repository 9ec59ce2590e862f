"""What is known to an interval only: draws of inputs, and quantile bands of what is computed from them.

Draw j of an input at point i is one fixed element of a counter-based random sequence (Philox) that belongs to the seed
and the input's name. It does not depend on how the points are chunked, on the number of threads, or on the other inputs,
so the same seed gives the same bands, and adding an input leaves the draws of the others alone. Across machines they agree
to the rounding of the machine's exponential.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy  # its parts are loaded when first used
from numpy.typing import ArrayLike

from economics.numeric.threads import in_parts
from economics.units import Array, Real, require_fraction, require_positive, require_share

CHUNK_VALUES = 2**17
"""Draws computed at once: an array of them is 1 MB, so a handful stays in a core's cache."""
NUMBERS_PER_COUNT = 4
"""Numbers that Philox makes from one value of its counter."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Lognormal:
    """A positive quantity whose interval holds it with probability `coverage`, as likely above as below, in ratio.

    The median is sqrt(low high) and the standard deviation of the logarithm ln(high / low) / (2 z), z the normal quantile
    of (1 + coverage) / 2. Numbers: one quantity, the same draw at all points. Arrays (points,): independent by point.
    Source: Limpert, Stahel and Abbt 2001, BioScience 51 (multiplicative intervals).
    """

    low: Real
    high: Real
    coverage: float = 0.9

    def __post_init__(self) -> None:
        require_positive(low=self.low, high=self.high)
        require_fraction(coverage=self.coverage)
        if self.coverage == 1.0:
            raise ValueError("coverage must be below 1: no finite interval holds all of a lognormal quantity")
        _require_order(self.low, self.high)

    def at(self, share: Array) -> Array:
        """The quantile function: the value that the quantity stays below with probability `share`."""
        middle, half = np.log(self.low) + np.log(self.high), np.log(self.high) - np.log(self.low)
        deviation = half / (2.0 * scipy.special.ndtri(0.5 + self.coverage / 2.0))
        values: Array = np.asarray(_by_point(deviation) * scipy.special.ndtri(share))
        values += _by_point(middle / 2.0)
        return np.exp(values, out=values)


@dataclass(frozen=True, eq=False, kw_only=True)
class Uniform:
    """A quantity that is never outside its interval and equally likely everywhere in it; may be negative.

    Numbers: one quantity, the same draw at all points. Arrays (points,): independent by point.
    """

    low: Real
    high: Real

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low).all() and np.isfinite(self.high).all()):
            raise ValueError("low and high must be finite")
        _require_order(self.low, self.high)

    def at(self, share: Array) -> Array:
        """The quantile function: the value that the quantity stays below with probability `share`."""
        low = _by_point(self.low)
        return low + (_by_point(self.high) - low) * share


Uncertain = Lognormal | Uniform


def split_lognormal(share: Array, *, low: Real, value: Real, high: Real, coverage: float = 0.9) -> Array:
    """Quantiles of a positive quantity that is as likely above `value` as below, with an interval that need not be even.

    `share`: probabilities, (points, draws). low <= value <= high are numbers or arrays (points,); the logarithm is normal on
    each side of the value, and low and high hold `coverage` between them. Returns (points, draws).
    ValueError outside the domain. Source: Wallis 2014, Statistical Science 29 (two-piece normal), here with equal halves.
    """
    require_positive(low=low, value=value, high=high)
    require_fraction(coverage=coverage)
    _require_order(low, value)
    _require_order(value, high)
    normal = scipy.special.ndtri(share) / scipy.special.ndtri(0.5 + coverage / 2.0)
    below, above = (_by_point(np.abs(np.log(value) - np.log(end))) for end in (low, high))
    quantiles: Array = _by_point(value) * np.exp(normal * np.where(normal < 0.0, below, above))
    return quantiles


def draw(quantity: Uncertain, *, name: str, seed: int, draws: int, points: slice = slice(None)) -> Array:
    """Draws of a quantity at some of its points.

    Returns (points, draws), or (1, draws) where the quantity is the same at all points. Quantities of one seed with
    different names are independent. ValueError for a negative seed or no draws.
    Source: Salmon et al. 2011, SC'11 (Philox); inversion of the distribution function.
    """
    require_positive(draws=draws)
    count = np.broadcast(quantity.low, quantity.high).size
    if np.ndim(quantity.low) == np.ndim(quantity.high) == 0:
        return quantity.at(_shares(name=name, seed=seed, draws=draws, first=0, points=1))
    first, end, _ = points.indices(count)
    shares = _shares(name=name, seed=seed, draws=draws, first=first, points=end - first)
    return replace(quantity, low=_part(quantity.low, points), high=_part(quantity.high, points)).at(shares)


def quantile_bands(
    function_of_draws: Callable[..., ArrayLike],
    *,
    inputs: Mapping[str, Uncertain | Real],
    n_points: int,
    draws: int,
    quantiles: ArrayLike,
    seed: int,
    chunk_points: int | None = None,
) -> Array:
    """Quantiles, point by point, of a function of uncertain inputs.

    `function_of_draws(**values)` gets each input by its name: draws as (points, draws), or (1, draws) where the input is a
    single quantity; known values as (points, 1) or a number. It works elementwise, returns what broadcasts to (points,
    draws), may return inf, and is called from several threads. Returns (quantiles, points); NaN where a draw is NaN.
    `chunk_points` sets how many points stand in memory at once and changes no number.
    ValueError where shapes do not fit or a quantile is outside [0, 1].
    Source: formula E3; quantiles: Hyndman and Fan 1996, definition 7.
    """
    levels = np.atleast_1d(np.asarray(quantiles, dtype=np.float64))
    require_share(quantiles=levels)
    require_positive(draws=draws)
    for name, quantity in inputs.items():
        for bound in (quantity.low, quantity.high) if isinstance(quantity, Uncertain) else (quantity,):
            if np.shape(bound) not in ((), (n_points,)):
                raise ValueError(f"{name} must be a number or one for each of {n_points} points, got {np.shape(bound)}")
    bands = np.empty((len(levels), n_points))
    step = chunk_points or max(CHUNK_VALUES // draws, 1)

    def compute(part: slice) -> None:
        for low in range(part.start * step, min(part.stop * step, n_points), step):
            points = slice(low, min(low + step, n_points))
            values = {name: _values(quantity, name, seed, draws, points) for name, quantity in inputs.items()}
            result = np.asarray(function_of_draws(**values), dtype=np.float64)
            bands[:, points] = _of_rows(np.broadcast_to(result, (points.stop - points.start, draws)), levels)

    in_parts(-(-n_points // step), compute, least=1)
    return bands


def quantiles_by_row(values: Array, quantiles: ArrayLike) -> Array:
    """Quantiles of each row, like `numpy.quantile` along the last axis and several times as fast.

    `values`: (rows, draws). Returns (quantiles, rows). A row with NaN gives NaN; infinities are ordinary largest and
    smallest values. Source: Hyndman and Fan 1996, The American Statistician 50, definition 7.
    """
    levels = np.atleast_1d(np.asarray(quantiles, dtype=np.float64))
    require_share(quantiles=levels)
    bands = np.empty((len(levels), len(values)))
    step = max(CHUNK_VALUES // max(values.shape[1], 1), 1)

    def compute(part: slice) -> None:
        for low in range(part.start * step, min(part.stop * step, len(values)), step):
            bands[:, low : low + step] = _of_rows(values[low : low + step], levels)

    in_parts(-(-len(values) // step), compute, least=1)
    return bands


def _values(quantity: Uncertain | Real, name: str, seed: int, draws: int, points: slice) -> Real:
    if isinstance(quantity, Uncertain):
        return draw(quantity, name=name, seed=seed, draws=draws, points=points)
    return _by_point(_part(np.asarray(quantity, dtype=np.float64), points))


def _shares(*, name: str, seed: int, draws: int, first: int, points: int) -> Array:
    """Uniform numbers inside (0, 1): each point owns a stretch of the counter."""
    counts = -(-draws // NUMBERS_PER_COUNT)
    key = np.random.SeedSequence([seed, *name.encode()]).generate_state(2, np.uint64)
    generator = np.random.Generator(np.random.Philox(key=key, counter=first * counts))
    shares = generator.random((points, counts * NUMBERS_PER_COUNT))[:, :draws]
    return np.maximum(shares, 2.0**-54, out=shares)


def _of_rows(values: Array, levels: Array) -> Array:
    # Sorting a row beats selecting: NumPy sorts with vector instructions.
    ordered = np.sort(values, axis=1)
    position = levels * (values.shape[1] - 1)
    below = np.floor(position).astype(np.int64)
    low, high = ordered[:, below].T, ordered[:, np.minimum(below + 1, values.shape[1] - 1)].T
    weight = (position - below)[:, None]
    with np.errstate(invalid="ignore"):
        gap = high - low
        between = np.where(weight < 0.5, low + gap * weight, high - gap * (1.0 - weight))
    # Nothing to interpolate: between equal values, at no distance from one, and on the way to an infinity.
    between = np.where(np.isinf(gap), np.where(np.isneginf(low), low, high), between)
    between = np.where((low == high) | (weight == 0.0), low, between)
    between[:, np.isnan(ordered[:, -1])] = np.nan
    return between


def _by_point(value: Real) -> Real:
    """One row for each point."""
    return value[:, None] if isinstance(value, np.ndarray) and value.ndim else value


def _part(value: Real, points: slice) -> Real:
    return value[points] if isinstance(value, np.ndarray) and value.ndim else value


def _require_order(low: Real, high: Real) -> None:
    if np.any(np.greater(low, high)):
        raise ValueError("low must not exceed high")
