"""How long a step takes by what is in it, as straight pieces between equally spaced counts: what a simulation looks up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from economics.units import Array


@dataclass(frozen=True, eq=False)
class Curve:
    """Seconds over a count of sequences or tokens: pieces of `every` counts each from 0, the last without end."""

    start_s: Array
    """At the beginning of each piece, (pieces,)."""
    slope_s: Array
    """Of one count more, (pieces,)."""
    every: int = 1

    def __post_init__(self) -> None:
        if len(self.start_s) != len(self.slope_s) or not len(self.start_s) or self.every < 1:
            raise ValueError(f"a curve has as many slopes as starts, {len(self.slope_s)} and {len(self.start_s)} given")
        if not all((np.isfinite(part) & (part >= 0.0)).all() for part in (self.start_s, self.slope_s)):
            raise ValueError("the seconds of a step and of one count more must be zero or above and finite")

    def at(self, count: ArrayLike) -> Array:
        """Seconds at each count, any shape."""
        counts = np.asarray(count)
        piece = np.minimum(counts // self.every, len(self.start_s) - 1).astype(np.int64)
        return np.asarray(self.start_s[piece] + (counts - piece * self.every) * self.slope_s[piece])


def line(at_zero_s: float, slope_s: float) -> Curve:
    """A straight line: t_w + B tau of formula S2."""
    return Curve(np.array([at_zero_s], dtype=np.float64), np.array([slope_s], dtype=np.float64))


def through(seconds: Array, *, every: int = 1) -> Curve:
    """The curve through `seconds` at 0, every, 2 every, ...; (knots,), two or more, not falling; its last piece goes on.

    A knot below the one before, as rounding leaves it, is raised to it.
    """
    risen = np.maximum.accumulate(np.asarray(seconds, dtype=np.float64))
    return Curve(risen[:-1].copy(), np.diff(risen) / every, every)


NOTHING = line(0.0, 0.0)
