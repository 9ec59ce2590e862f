"""What a mix of tokens costs, how a market is shared, and indices weighted by what is bought."""

import numpy as np
import numpy.typing as npt

from economics.units import Array, Real, require_non_negative, require_share


def mix_usd_per_mtok(
    *,
    input_usd_per_mtok: Real,
    cache_read_usd_per_mtok: Real,
    output_usd_per_mtok: Real,
    input_tokens: Real,
    output_tokens: Real,
    cached_share: Real,
) -> Array:
    """Price of a million tokens, input and output together, in a mix of fresh input, input read from cache, and output.

    Arguments broadcast; $ per M tokens, tokens of a request (only their ratio counts), share of the input read from cache. A
    cache price that is not known (NaN) leaves cached input at the price of input. Returns $ per M tokens; NaN where another
    price is not known. Raises ValueError for a negative price or count, a share outside [0, 1], or a mix without tokens.
    Source: (n_in ((1 - h) p_in + h p_cache) + n_out p_out) / (n_in + n_out); at h = 0 the blend of formula P1.
    """
    require_share(cached_share=cached_share)
    fresh, output = np.asarray(input_usd_per_mtok, dtype=np.float64), np.asarray(output_usd_per_mtok, dtype=np.float64)
    cached = np.asarray(cache_read_usd_per_mtok, dtype=np.float64)
    n_in, n_out = np.asarray(input_tokens, dtype=np.float64), np.asarray(output_tokens, dtype=np.float64)
    require_non_negative(input_tokens=n_in, output_tokens=n_out)
    for name, prices in (("input", fresh), ("cache_read", cached), ("output", output)):
        if (prices < 0).any():
            raise ValueError(f"{name}_usd_per_mtok must not be negative")
    if (n_in + n_out <= 0).any():
        raise ValueError("a mix needs tokens: input_tokens and output_tokens are both 0")
    hit = np.asarray(cached_share, dtype=np.float64)
    of_input = (1.0 - hit) * fresh + hit * np.where(np.isnan(cached), fresh, cached)
    blend: Array = (n_in * of_input + n_out * output) / (n_in + n_out)
    return blend


def herfindahl(*, amounts: npt.ArrayLike) -> float:
    """Herfindahl index of amounts: sum of squared shares, 1 for one seller, 1/n for n equal ones; NaN for nothing at all.

    Source: Hirschman 1945; Herfindahl 1950.
    """
    sold = np.asarray(amounts, dtype=np.float64)
    require_non_negative(amounts=sold)
    total = sold.sum()
    return float(np.square(sold / total).sum()) if total > 0 else float("nan")


def discordant_share(*, before: npt.ArrayLike, after: npt.ArrayLike) -> float:
    """Share of the pairs of items that stand in another order after than before; ties count for neither. NaN without pairs.

    One value per item in each. Source: Kendall 1938, Biometrika 30 (pairs counted as in tau-b's numerator).
    """
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    product = np.sign(np.subtract.outer(first, first)) * np.sign(np.subtract.outer(second, second))
    compared = np.count_nonzero(product)
    return float(np.count_nonzero(product < 0) / compared) if compared else float("nan")


def weighted_chain(*, usd: Array, weight: npt.ArrayLike) -> tuple[Array, Array]:
    """Geometric index with fixed weights over what is sold on two dates in a row, chained, and the weight each link covers.

    `usd` (dates, items) in any unit of price, NaN where not sold; `weight` (items,), in any unit. Returns values (dates,), 1 on
    the first, and the share of all weight among matched items (dates,), NaN on the first. A link without a match leaves the
    value where it was. Raises ValueError for a price that is not positive.
    Source: ILO and others 2004, Consumer Price Index Manual, chapter 1, geometric Young index, over matched items.
    """
    prices = np.asarray(usd, dtype=np.float64)
    if (prices <= 0).any():
        raise ValueError("prices must be positive, NaN where there is none")
    weights = np.asarray(weight, dtype=np.float64)
    require_non_negative(weight=weights)
    change = np.diff(np.log(prices), axis=0)
    matched = np.where(np.isnan(change), 0.0, weights)
    covered = matched.sum(axis=1)
    moved = np.divide(
        np.nansum(matched * np.nan_to_num(change), axis=1), covered, out=np.zeros_like(covered), where=covered > 0
    )
    values = np.exp(np.concatenate([[0.0], np.cumsum(moved)]))
    return values, np.concatenate([[np.nan], covered / weights.sum()])
