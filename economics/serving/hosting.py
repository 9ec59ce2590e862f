"""What hosting a model costs, and from which volume it is cheaper than calling it.

Two costs of hosting are kept apart: of the busy hour, what a request costs while the GPUs are full, and of the reserved hour,
what it costs when idle hours are paid too. Only the second compares with an API, which charges for no idle hour.
Arguments broadcast. An instance is the GPUs that serve as one; its capacity is the rate at which the contract still holds.
"""

from dataclasses import dataclass

import numpy as np

from economics.units import (
    SECONDS_PER_HOUR,
    Real,
    require_fraction,
    require_non_negative,
    require_positive,
    require_share,
)

HOURS_PER_MONTH = 730.5
"""365.25 days of 24 hours over 12."""
HOURS_PER_YEAR = 8766.0
_WATTS_PER_KILOWATT = 1e3


@dataclass(frozen=True, kw_only=True, eq=False)
class Hosting:
    """One way of hosting, against one price of a request."""

    usd_per_instance_hour: Real
    capacity_per_s: Real
    """Requests per second of one instance within the contract."""
    peak_factor: Real
    """Highest rate over the mean; the contract holds at the peak."""
    ops_usd_per_month: Real = 0.0
    """What hosting costs besides the GPUs."""
    usd_per_request: Real
    """What the API charges."""
    minimum_usd_per_month: Real = 0.0
    """What the API charges at least."""

    def __post_init__(self) -> None:
        require_positive(
            usd_per_instance_hour=self.usd_per_instance_hour,
            capacity_per_s=self.capacity_per_s,
            usd_per_request=self.usd_per_request,
        )
        require_non_negative(ops_usd_per_month=self.ops_usd_per_month, minimum_usd_per_month=self.minimum_usd_per_month)
        if not np.all(np.greater_equal(self.peak_factor, 1.0)):
            raise ValueError(f"peak_factor must be at least 1, got {np.min(self.peak_factor)}")


@dataclass(frozen=True, eq=False)
class BreakEven:
    """From which volume hosting is cheaper. inf: at none."""

    first_per_s: Real
    """Mean rate at which hosting first costs no more."""
    for_good_per_s: Real
    """Mean rate from which it stays so, although each further instance is paid whole."""
    instances: Real
    """Instances at the second."""
    utilisation: Real
    """Mean rate over the capacity of those instances there."""
    least_utilisation: Real
    """Below it no volume makes hosting cheaper, however little the operations cost: busy cost over the API's price."""


def instances_at(*, rate_per_s: Real, peak_factor: Real, capacity_per_s: Real) -> Real:
    """Whole instances that meet the contract at the peak; at least one. Source: formula H2."""
    require_non_negative(rate_per_s=rate_per_s)
    require_positive(capacity_per_s=capacity_per_s, peak_factor=peak_factor)
    # A peak that fills an instance exactly, but for the last digit, needs no other.
    return np.maximum(np.ceil(np.multiply(rate_per_s, peak_factor) / capacity_per_s * (1.0 - 1e-12)), 1.0)


def held_peak_factor(*, peak_factor: Real, batch_share: Real) -> Real:
    """Highest rate over the mean that must be held where a share of the requests can wait for a quiet hour.

    Source: formula H2.
    """
    require_positive(peak_factor=peak_factor)
    require_share(batch_share=batch_share)
    return np.maximum(np.multiply(np.subtract(1.0, batch_share), peak_factor), 1.0)


def capacity_at(*, capacity_per_s: Real, low_per_s: Real, high_per_s: Real, deviations: Real) -> Real:
    """Capacity at so many half widths of its interval above (or below) the value; -1 and 1 are its ends.

    In ratio, but down to a lower end of 0, where the contract is missed, in a straight line. Source: formula H5.
    """
    require_non_negative(low_per_s=low_per_s)
    require_positive(capacity_per_s=capacity_per_s, high_per_s=high_per_s)
    less = np.maximum(-np.asarray(deviations, dtype=np.float64), 0.0)
    more = np.maximum(deviations, 0.0)
    missed = np.equal(low_per_s, 0.0)
    ratio = np.where(missed, 1.0, low_per_s) / capacity_per_s
    below = np.where(missed, np.maximum(1.0 - less, 0.0), ratio**less)
    return capacity_per_s * below * np.power(np.divide(high_per_s, capacity_per_s), more)


def hosted_usd_per_month(*, instances: Real, usd_per_instance_hour: Real, ops_usd_per_month: Real = 0.0) -> Real:
    """Instances paid around the clock, and the operations. Source: formula H2."""
    require_non_negative(instances=instances, usd_per_instance_hour=usd_per_instance_hour, ops_usd_per_month=ops_usd_per_month)
    return np.multiply(instances, usd_per_instance_hour) * HOURS_PER_MONTH + ops_usd_per_month


def busy_usd_per_request(*, usd_per_instance_hour: Real, capacity_per_s: Real) -> Real:
    """What a request costs in an hour in which the instance is full. Source: formula H2."""
    require_positive(capacity_per_s=capacity_per_s)
    return np.divide(usd_per_instance_hour, np.multiply(capacity_per_s, SECONDS_PER_HOUR))


def reserved_usd_per_request(*, usd_per_month: Real, rate_per_s: Real) -> Real:
    """What a request costs when every reserved hour is paid: it alone compares with an API. Source: formula H2."""
    require_positive(rate_per_s=rate_per_s)
    return np.divide(usd_per_month, np.multiply(rate_per_s, SECONDS_PER_HOUR * HOURS_PER_MONTH))


def owned_usd_per_gpu_hour(
    *,
    purchase_usd: Real,
    life_years: Real,
    interest_per_year: Real = 0.0,
    residual_share: Real = 0.0,
    watts: Real,
    power_usage_effectiveness: Real = 1.0,
    usd_per_kwh: Real,
) -> Real:
    """Cost of an hour of a GPU of one's own, powered around the clock: an annuity of its price, and its electricity.

    `purchase_usd` per GPU with its share of server and network; `residual_share` of it is left at the end of its life.
    Source: formula H3.
    """
    require_non_negative(purchase_usd=purchase_usd, interest_per_year=interest_per_year, watts=watts, usd_per_kwh=usd_per_kwh)
    require_positive(life_years=life_years)
    require_fraction(one_minus_residual_share=np.subtract(1.0, residual_share))
    if not np.all(np.greater_equal(power_usage_effectiveness, 1.0)):
        raise ValueError(f"power_usage_effectiveness must be at least 1, got {np.min(power_usage_effectiveness)}")
    growth = np.power(np.add(1.0, interest_per_year), life_years)
    lent = np.multiply(purchase_usd, 1.0 - np.divide(residual_share, growth))
    rate = np.asarray(interest_per_year, dtype=np.float64)
    factor = np.where(rate > 0.0, rate / np.where(rate > 0.0, 1.0 - 1.0 / growth, 1.0), np.divide(1.0, life_years))
    electricity = np.multiply(watts, power_usage_effectiveness) / _WATTS_PER_KILOWATT * usd_per_kwh
    return lent * factor / HOURS_PER_YEAR + electricity


def break_even(hosting: Hosting) -> BreakEven:
    """From which mean rate hosting is cheaper than calling, with whole instances that meet the contract at the peak.

    Source: formula H4.
    """
    month_s = SECONDS_PER_HOUR * HOURS_PER_MONTH
    instance_usd = np.multiply(hosting.usd_per_instance_hour, HOURS_PER_MONTH)
    ops = np.asarray(hosting.ops_usd_per_month, dtype=np.float64)
    full_per_s = np.divide(hosting.capacity_per_s, hosting.peak_factor)
    usd_per_rate = np.multiply(hosting.usd_per_request, month_s)
    margin = usd_per_rate * full_per_s - instance_usd
    pays = margin > 0.0
    safe = np.where(pays, margin, 1.0)
    first = np.maximum(np.ceil(ops / safe * (1.0 - 1e-12)), 1.0)
    last = np.maximum(np.ceil((ops + instance_usd) / safe * (1.0 - 1e-12)), 1.0)
    # A fee that is charged whatever is sent is there to be saved from the first request on.
    from_the_first = np.greater_equal(hosting.minimum_usd_per_month, ops + instance_usd)
    first_per_s = np.where(pays, (ops + first * instance_usd) / usd_per_rate, np.inf)
    good_per_s = np.where(pays, (ops + last * instance_usd) / usd_per_rate, np.inf)
    return BreakEven(
        first_per_s=np.where(from_the_first, 0.0, first_per_s)[()],
        for_good_per_s=good_per_s[()],
        instances=np.where(pays, last, np.inf)[()],
        utilisation=np.where(pays, good_per_s / (np.where(pays, last, 1.0) * hosting.capacity_per_s), np.nan)[()],
        least_utilisation=np.divide(
            busy_usd_per_request(usd_per_instance_hour=hosting.usd_per_instance_hour, capacity_per_s=hosting.capacity_per_s),
            hosting.usd_per_request,
        ),
    )


def swing(low_per_s: Real, high_per_s: Real) -> Real:
    """How far an input moves the break-even over its interval: the ratio of both ends, at least 1. Source: formula H5."""
    least, most = np.minimum(low_per_s, high_per_s), np.maximum(low_per_s, high_per_s)
    never = np.isinf(least)  # on no end does hosting pay: the input moves nothing
    safe = np.where(never | np.equal(least, 0.0), 1.0, least)
    return np.where(never, 1.0, np.where(np.equal(least, most), 1.0, np.where(np.equal(least, 0.0), np.inf, most / safe)))
