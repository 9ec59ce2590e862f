"""A published gain as a product of factors, and what the known ones leave unexplained."""

import numpy as np
from numpy.typing import ArrayLike

from economics.units import Array, Real, require_positive


def unexplained(*, ratio: Real, factors: ArrayLike) -> Array:
    """What is left of a gain after its known factors: ratio over their product.

    `ratio`: (gains,), new over old. `factors`: (gains, factors); NaN is not known and counts as 1, so that it stays in what
    is left. Returns (gains,). ValueError outside the domain. Source: formula S16.
    """
    known = np.asarray(factors, dtype=np.float64)
    require_positive(ratio=ratio, factors=np.nan_to_num(known, nan=1.0))
    left: Array = np.asarray(ratio / np.nanprod(known, axis=-1))
    return left


def log_share(*, ratio: Real, factor: ArrayLike) -> Array:
    """Share of a gain that a factor makes up: ln factor / ln ratio. The shares of all factors of a gain add up to 1.

    Arguments broadcast; NaN where the factor is not known or the ratio is 1, which nothing makes up.
    Source: formula S16.
    """
    require_positive(ratio=ratio)
    logs = np.log(np.asarray(ratio, dtype=np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        share: Array = np.where(logs == 0.0, np.nan, np.log(np.asarray(factor, dtype=np.float64)) / logs)
    return share
