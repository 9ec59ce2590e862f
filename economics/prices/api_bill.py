"""What an API charges for a workload: every leg at its own price, tiers by prompt length, batch, minimum fees."""

from dataclasses import dataclass

import numpy as np

from economics.units import TOKENS_PER_MTOK, Array, Real, require_non_negative, require_positive, require_share


@dataclass(frozen=True, kw_only=True, eq=False)
class Legs:
    """Prices of one seller in $ per million tokens, numbers or arrays that broadcast; NaN where the seller states none."""

    input_usd_per_mtok: Real
    output_usd_per_mtok: Real
    cache_read_usd_per_mtok: Real = np.nan
    """NaN: cached input costs what input does."""
    cache_write_usd_per_mtok: Real = np.nan
    """NaN: writing to the cache costs what input does."""
    batch_input_usd_per_mtok: Real = np.nan
    """NaN: no batch is sold, and the batch share pays the price of the rest."""
    batch_output_usd_per_mtok: Real = np.nan

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            if (np.asarray(getattr(self, name), dtype=np.float64) < 0.0).any():
                raise ValueError(f"{name} must not be negative")


def request_usd(
    *,
    legs: Legs,
    input_tokens: Real,
    output_tokens: Real,
    cached_share: Real = 0.0,
    written_share: Real = 0.0,
    batch_share: Real = 0.0,
) -> Array:
    """What one request costs.

    Arguments broadcast. Tokens of a request, output as billed (visible tokens times R); share of the input read from cache;
    share of the rest that is written to it; share of the requests sent as a batch. A batch is billed whole: no seller states a
    cache price of a batch. Returns $, NaN where input or output has no price. ValueError outside the domain.
    Source: formula H1.
    """
    require_share(cached_share=cached_share, written_share=written_share, batch_share=batch_share)
    require_non_negative(input_tokens=input_tokens, output_tokens=output_tokens)
    fresh_usd, output_usd = _array(legs.input_usd_per_mtok), _array(legs.output_usd_per_mtok)
    read_usd = _first_known(legs.cache_read_usd_per_mtok, fresh_usd)
    write_usd = _first_known(legs.cache_write_usd_per_mtok, fresh_usd)
    fresh_share = 1.0 - _array(cached_share)
    of_input = cached_share * read_usd + fresh_share * (written_share * write_usd + (1.0 - _array(written_share)) * fresh_usd)
    live = input_tokens * of_input + output_tokens * output_usd
    # Who can send a request as a batch sends it where that is cheaper: a warm cache may beat the batch price.
    batched = input_tokens * _first_known(legs.batch_input_usd_per_mtok, fresh_usd) + output_tokens * _first_known(
        legs.batch_output_usd_per_mtok, output_usd
    )
    usd: Array = ((1.0 - _array(batch_share)) * live + batch_share * np.minimum(batched, live)) / TOKENS_PER_MTOK
    return usd


def billed_output_tokens(*, output_tokens: Real, own_reasoning_factor: Real, other_reasoning_factor: Real) -> Real:
    """Output tokens another model bills for the same visible answers.

    `output_tokens` of one's own model as it emits them, R of both (billed over visible, at least 1). Source: formula H1.
    """
    require_non_negative(output_tokens=output_tokens)
    require_positive(own_reasoning_factor=own_reasoning_factor, other_reasoning_factor=other_reasoning_factor)
    return np.multiply(output_tokens, np.divide(other_reasoning_factor, own_reasoning_factor))


def bill_usd(*, usd_per_request: Real, requests: Real, minimum_usd: Real = 0.0) -> Real:
    """What so many requests cost where the seller charges at least a minimum. Arguments broadcast. Source: formula H1."""
    require_non_negative(requests=requests, minimum_usd=minimum_usd)
    return np.maximum(np.multiply(usd_per_request, requests), minimum_usd)


def _array(value: Real) -> Array:
    return np.asarray(value, dtype=np.float64)


def _first_known(value: Real, otherwise: Array) -> Array:
    return np.where(np.isnan(value), otherwise, value)
