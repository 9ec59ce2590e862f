"""Edge silicon: what a device of one's own decodes at most, what a token costs on it, and when that beats an API."""

import numpy as np

from economics.units import (
    SECONDS_PER_HOUR,
    TOKENS_PER_MTOK,
    Real,
    require_fraction,
    require_non_negative,
    require_positive,
)

_WATTS_PER_KILOWATT = 1e3


def ceiling_tokens_per_s(*, memory_bytes_per_s: Real, weight_bytes: Real, kv_bytes: Real = 0.0) -> Real:
    """Most tokens a second one sequence can get: bandwidth / (weight + KV bytes read per token).

    Arguments broadcast; `weight_bytes` are those a token passes through. A published single-stream rate of a dense model
    above it is wrong, speculative, or of a sparse model. Source: formula L8.
    """
    require_positive(memory_bytes_per_s=memory_bytes_per_s, weight_bytes=weight_bytes)
    require_non_negative(kv_bytes=kv_bytes)
    return np.divide(memory_bytes_per_s, np.add(weight_bytes, kv_bytes))


def amortised_usd_per_hour(*, device_usd: Real, life_hours: Real, utilisation: Real) -> Real:
    """Purchase price per hour of use: price / (hours of its life x share of them in use).

    Arguments broadcast. No resale value, no interest: both would move it a little, in opposite directions.
    Source: derived.
    """
    require_non_negative(device_usd=device_usd)
    require_positive(life_hours=life_hours)
    require_fraction(utilisation=utilisation)
    return np.divide(device_usd, np.multiply(life_hours, utilisation))


def device_usd_per_hour(*, device_usd: Real, life_hours: Real, utilisation: Real, watts: Real, usd_per_kwh: Real) -> Real:
    """Cost of an hour of use: purchase spread over the hours used, and electricity while in use.

    Arguments broadcast; the idle draw is left out. Source: formula L8.
    """
    require_non_negative(watts=watts, usd_per_kwh=usd_per_kwh)
    purchase = amortised_usd_per_hour(device_usd=device_usd, life_hours=life_hours, utilisation=utilisation)
    return purchase + np.multiply(watts, usd_per_kwh) / _WATTS_PER_KILOWATT


def usd_per_mtok(*, usd_per_hour: Real, tokens_per_s: Real) -> Real:
    """Cost of a million tokens at a rate. Arguments broadcast. Source: definition."""
    require_non_negative(usd_per_hour=usd_per_hour)
    require_positive(tokens_per_s=tokens_per_s)
    return np.divide(usd_per_hour, np.multiply(tokens_per_s, SECONDS_PER_HOUR)) * TOKENS_PER_MTOK


def break_even_utilisation(
    *,
    device_usd: Real,
    life_hours: Real,
    watts: Real,
    usd_per_kwh: Real,
    tokens_per_s: Real,
    api_usd_per_mtok: Real,
) -> Real:
    """Share of its life a device must be busy to cost no more than the API; NaN where even always busy is dearer.

    Arguments broadcast. Where electricity alone costs as much as the API no utilisation will do.
    Source: derived: price / (life (api rate - electricity)).
    """
    require_non_negative(device_usd=device_usd, watts=watts, usd_per_kwh=usd_per_kwh)
    require_positive(life_hours=life_hours, tokens_per_s=tokens_per_s, api_usd_per_mtok=api_usd_per_mtok)
    earned_usd_per_hour = np.multiply(tokens_per_s, api_usd_per_mtok) * SECONDS_PER_HOUR / TOKENS_PER_MTOK
    margin = earned_usd_per_hour - np.multiply(watts, usd_per_kwh) / _WATTS_PER_KILOWATT
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.divide(device_usd, np.multiply(life_hours, margin))
    return np.where((margin > 0.0) & (needed <= 1.0), needed, np.nan)[()]
