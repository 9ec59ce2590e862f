"""Two scales of capability chained by the models that both rate, with the error of a model that only one rates."""

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded when first used

from economics.units import Array, require_fraction


@dataclass(frozen=True, kw_only=True)
class Link:
    """A straight line from one scale, in its shape, to another."""

    n: int
    intercept: float
    slope: float
    middle: float
    """Mean of the scale, in its shape, over the models that both rate."""
    spread: float
    """Sum of squared distances from that mean."""
    residual_points: float
    """Residual standard deviation, points of the scale that is foretold."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Foretold:
    """Scores foretold by a link, with their interval; arrays are (models,)."""

    score: Array
    low: Array
    high: Array


def shaped(*, score: Array, shape: str) -> Array:
    """A score as it enters a link: the log-odds of a percentage, the logarithm of minutes, or itself.

    `score` (models,) in points, percent or minutes; `shape` is log_odds, logarithm or as_it_is. Epoch's index is a latent
    ability, whose log-odds of solving a task is a straight line in it, so a share of tasks solved enters as its log-odds.
    Raises ValueError for a shape that is not known and a score outside what its shape can take.
    Source: formula P6.
    """
    values = np.asarray(score, dtype=np.float64)
    if shape == "as_it_is":
        return values
    if shape == "logarithm":
        if (values <= 0).any():
            raise ValueError("score must be positive in the shape logarithm")
        return np.log(values)
    if shape != "log_odds":
        raise ValueError(f"shape must be log_odds, logarithm or as_it_is, found {shape}")
    if ((values <= 0) | (values >= 100)).any():
        raise ValueError("score must lie between 0 and 100 in the shape log_odds")
    odds: Array = np.log(values / (100.0 - values))
    return odds


def link_of(*, x: Array, y: Array) -> Link:
    """Least squares from one scale to another over the models that both rate.

    `x` (models,) as `shaped` gives it, `y` (models,) in points of the scale that is foretold. Raises ValueError for fewer than
    three models or a scale that does not vary.
    Source: formula P6.
    """
    if len(x) != len(y) or len(x) < 3:
        raise ValueError("a link needs three models that both scales rate")
    middle = float(np.mean(x))
    spread = float(np.sum((x - middle) ** 2))
    if not spread > 0:
        raise ValueError("a link needs scores that differ")
    slope = float(np.sum((x - middle) * y) / spread)
    intercept = float(np.mean(y) - slope * middle)
    left = y - intercept - slope * x
    return Link(
        n=len(x),
        intercept=intercept,
        slope=slope,
        middle=middle,
        spread=spread,
        residual_points=float(np.sqrt(np.sum(left**2) / (len(x) - 2))),
    )


def foretold(*, link: Link, x: Array, confidence: float = 0.95) -> Foretold:
    """What a link says of models that only one scale rates, with the interval of a single new model.

    `x` (models,) as `shaped` gives it. The error grows away from the models that both scales rate, so a score beyond all of
    them has a wide interval. Returns points of the scale that is foretold. Raises ValueError for a confidence outside (0, 1).
    Source: formula P6; prediction interval of a straight line with Student's t of n - 2 degrees of freedom.
    """
    require_fraction(confidence=confidence)
    away = (np.asarray(x, dtype=np.float64) - link.middle) ** 2 / link.spread
    half = scipy.special.stdtrit(link.n - 2, 0.5 + confidence / 2.0) * link.residual_points * np.sqrt(1.0 + 1.0 / link.n + away)
    score = link.intercept + link.slope * np.asarray(x, dtype=np.float64)
    return Foretold(score=score, low=score - half, high=score + half)
