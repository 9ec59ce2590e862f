"""Units, and the domains of the symbols: a value outside its domain is an error that names it.

Decimal prefixes only: 1 GB is 1e9 bytes, 1 Mtok is 1e6 tokens.
"""

import sys

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
"""An array of numbers."""

Real = float | NDArray[np.float64]
"""A number or an array of numbers; functions broadcast over arrays."""

Flag = bool | NDArray[np.bool_]
"""A truth value or an array of them."""

Code = int | NDArray[np.int8]
"""An index into a tuple of names, or an array of them."""

SECONDS_PER_HOUR = 3600.0
TOKENS_PER_MTOK = 1e6


def require_positive(**values: Real | None) -> None:
    """Check that every value is above zero and finite; None (not stated) passes.

    Raises ValueError naming the first argument that is not.
    """
    for name, value in values.items():
        if value is not None and not _all_between(value, 0.0, np.inf, closed=False):
            raise ValueError(f"{name} must be positive and finite, got {_worst(value)}")


def require_non_negative(**values: Real | None) -> None:
    """Check that every value is zero or above and finite; None (not stated) passes.

    Raises ValueError naming the first argument that is not.
    """
    for name, value in values.items():
        if value is not None and not _all_between(value, 0.0, sys.float_info.max):
            raise ValueError(f"{name} must be zero or above and finite, got {_worst(value)}")


def require_share(**values: Real | None) -> None:
    """Check that every value lies in [0, 1]; None (not stated) passes.

    Raises ValueError naming the first argument that does not.
    """
    for name, value in values.items():
        if value is not None and not _all_between(value, 0.0, 1.0):
            raise ValueError(f"{name} must lie in [0, 1], got {_worst(value)}")


def require_fraction(**values: Real | None) -> None:
    """Check that every value lies in (0, 1]; None (not stated) passes.

    Raises ValueError naming the first argument that does not.
    """
    for name, value in values.items():
        if value is not None and not _all_between(value, sys.float_info.min, 1.0):
            raise ValueError(f"{name} must lie in (0, 1], got {_worst(value)}")


def is_on(value: Real) -> bool:
    """Whether a symbol differs from zero anywhere, so that the term it switches on has to be computed."""
    return bool(np.any(value)) if isinstance(value, np.ndarray) else bool(value)


def kept(value: Real, keep: Flag, *, otherwise: float) -> Real:
    """The value where `keep`, else `otherwise`. Costs next to nothing where all is kept, the usual case in a block."""
    return value if np.all(keep) else np.where(keep, value, otherwise)[()]


def _all_between(value: Real, low: float, high: float, *, closed: bool = True) -> bool:
    """Whether all values lie in the interval. NaN does not: minimum and maximum carry it to the comparison."""
    if not isinstance(value, np.ndarray):
        least = most = value
    elif value.size == 0:
        return True
    else:
        least, most = value.min(), value.max()
    return bool(least >= low and most <= high) if closed else bool(least > low and most < high)


def _worst(value: Real) -> str:
    return f"values from {value.min()} to {value.max()}" if isinstance(value, np.ndarray) else f"{value}"
