"""A load over time, and how to serve it: what to reserve, what to call, and what scaling up and down pays.

A profile is the rate in windows of equal length that repeat, such as the 168 hours of a week; its mean is 1 until it is
multiplied by a rate.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy  # its parts are loaded when first used

from economics.units import SECONDS_PER_HOUR, Array, Real, require_non_negative, require_positive

WEEK_HOURS = 168
NIGHT, WEEKEND = 0.05, 0.1
"""Of the busiest hour: what is asked at night and on a weekend by people who work in offices. Assumed."""
TROUGH = 0.4
"""Of the busiest hour: the quietest of a service that the whole world uses. Assumed."""


@dataclass(frozen=True, eq=False)
class Split:
    """Instances that are hosted for the base, and what is called above it; $ per hour, on average over the profile."""

    instances: int
    hosted_usd_per_hour: float
    called_usd_per_hour: float
    called_share: float
    """Of all requests."""

    @property
    def usd_per_hour(self) -> float:
        """Both."""
        return self.hosted_usd_per_hour + self.called_usd_per_hour


def office_week() -> Array:
    """Rate of each hour from Monday 0:00 of people who work by day, mean 1. Assumed, see NIGHT and WEEKEND."""
    hours = np.arange(WEEK_HOURS)
    of_day, day = hours % 24, hours // 24
    working = np.clip(np.sin(np.pi * (of_day - 7.0) / 11.0), 0.0, None) * ((of_day > 7) & (of_day < 18))
    rate = np.where(day < 5, np.maximum(working, NIGHT), np.maximum(WEEKEND * working, NIGHT * WEEKEND))
    return _mean_one(rate)


def world_week() -> Array:
    """Rate of each hour of a service that is used around the clock, mean 1. Assumed, see TROUGH."""
    of_day = np.arange(WEEK_HOURS) % 24
    return _mean_one(TROUGH + (1.0 - TROUGH) * 0.5 * (1.0 - np.cos(2.0 * np.pi * of_day / 24.0)))


def with_peak(profile: npt.ArrayLike, *, peak_factor: float) -> Array:
    """The profile with its hours raised to the power at which the highest is `peak_factor` times the mean.

    A peak of 1 is a flat load. ValueError below 1, and for a peak that this shape cannot have: the hours at its top, all alike,
    would have to hold more than there is. Source: formula H6.
    """
    rate = _mean_one(np.asarray(profile, dtype=np.float64))
    if peak_factor < 1.0:
        raise ValueError(f"peak_factor must be at least 1, got {peak_factor}")
    if peak_factor == 1.0:
        return np.ones_like(rate)
    most = len(rate) / int(np.sum(rate == rate.max()))
    if peak_factor >= most:
        raise ValueError(f"peak_factor must be below {most:.4g} in this profile, got {peak_factor}")
    relative = rate / rate.max()

    def excess(power: float) -> float:
        return float(1.0 / np.mean(relative**power) - peak_factor)

    high = 1.0
    while excess(high) < 0.0:
        high *= 2.0
    return _mean_one(relative ** scipy.optimize.brentq(excess, 0.0, high, xtol=1e-12))


def base_and_burst(
    *, rates_per_s: npt.ArrayLike, capacity_per_s: float, usd_per_instance_hour: float, usd_per_request: float
) -> Split:
    """The number of hosted instances at which base hosted and bursts called together cost least.

    `rates_per_s` of windows of equal length. An instance more pays while the share of time in which it is full exceeds
    what it costs over what its requests would cost at the API: the critical ratio of a newsvendor, whose quantile of the load
    is the base. Source: formula H6 (Arrow, Harris and Marschak 1951).
    """
    rates = np.asarray(rates_per_s, dtype=np.float64)
    require_non_negative(rates_per_s=rates)
    require_positive(
        capacity_per_s=capacity_per_s, usd_per_instance_hour=usd_per_instance_hour, usd_per_request=usd_per_request
    )
    ratio = usd_per_instance_hour / (usd_per_request * capacity_per_s * SECONDS_PER_HOUR)
    at_base = 0.0 if ratio >= 1.0 else float(np.quantile(rates, 1.0 - ratio, method="inverted_cdf"))
    near = np.floor(at_base / capacity_per_s) + np.array([0.0, 1.0])
    costs = [
        split_at(
            int(instances),
            rates_per_s=rates,
            capacity_per_s=capacity_per_s,
            usd_per_instance_hour=usd_per_instance_hour,
            usd_per_request=usd_per_request,
        )
        for instances in near
    ]
    return min(costs, key=lambda split: split.usd_per_hour)


def split_at(
    instances: int,
    *,
    rates_per_s: npt.ArrayLike,
    capacity_per_s: float,
    usd_per_instance_hour: float,
    usd_per_request: float,
) -> Split:
    """What so many hosted instances cost with the rest called. Arguments as `base_and_burst`. Source: formula H6."""
    rates = np.asarray(rates_per_s, dtype=np.float64)
    above = np.maximum(rates - instances * capacity_per_s, 0.0).mean()
    return Split(
        instances=instances,
        hosted_usd_per_hour=instances * usd_per_instance_hour,
        called_usd_per_hour=float(above * SECONDS_PER_HOUR * usd_per_request),
        called_share=float(above / rates.mean()) if rates.mean() > 0.0 else 0.0,
    )


def scaled_instances(*, rates_per_s: npt.ArrayLike, capacity_per_s: Real, start_up_s: float, window_s: float) -> float:
    """Instances paid on average where they follow the load, each paid from the start-up time before it is needed.

    `rates_per_s` of windows of `window_s` that repeat; at least one instance stays up. With no start-up time it is what is
    needed in each window, with a start-up time as long as the profile the most of any. Source: formula H7.
    """
    require_positive(window_s=window_s, capacity_per_s=capacity_per_s)
    require_non_negative(start_up_s=start_up_s)
    needed = np.maximum(np.ceil(np.asarray(rates_per_s, dtype=np.float64) / capacity_per_s * (1.0 - 1e-12)), 1.0)
    ahead = min(start_up_s / window_s, float(len(needed)))
    whole = int(ahead)
    held, soon = _most_ahead(needed, whole), _most_ahead(needed, whole + 1)
    return float(((1.0 - (ahead - whole)) * held + (ahead - whole) * soon).mean())


def _most_ahead(needed: Array, windows: int) -> Array:
    """The most that is needed from each window to so many later, around the end."""
    most = needed
    for ahead in range(1, min(windows, len(needed) - 1) + 1):
        most = np.maximum(most, np.roll(needed, -ahead))
    return most


def _mean_one(rate: Array) -> Array:
    require_non_negative(rate=rate)
    if not rate.size or rate.mean() <= 0.0:
        raise ValueError("a profile needs a rate above 0")
    return np.asarray(rate / rate.mean())
