"""What a rollout costs on harvested serving slack, and which channel cheaper rollouts favour."""

import numpy as np

from economics.units import Real, require_non_negative, require_positive, require_share

_WATTS_PER_KILOWATT = 1e3


def idle_floor_usd_per_gpu_hour(
    *, added_watts: Real, usd_per_kwh: Real, power_usage_effectiveness: Real, breaches_per_hour: Real, breach_usd: Real
) -> Real:
    """Least an idle GPU-hour costs: the energy the rollouts add, and the risk that they break the serving SLO.

    Arguments broadcast; W above idle draw, $ per kWh, facility over IT power (1 or above), SLO breaches caused per
    GPU-hour, $ each. Source: formula T8: p_idle >= energy + SLO risk.
    """
    require_non_negative(
        added_watts=added_watts, usd_per_kwh=usd_per_kwh, breaches_per_hour=breaches_per_hour, breach_usd=breach_usd
    )
    if not np.all(np.greater_equal(power_usage_effectiveness, 1.0)):
        raise ValueError(f"power_usage_effectiveness must be 1 or above, got {power_usage_effectiveness}")
    energy = np.multiply(added_watts, power_usage_effectiveness) / _WATTS_PER_KILOWATT * usd_per_kwh
    return energy + np.multiply(breaches_per_hour, breach_usd)


def rollout_usd_per_gpu_hour(*, idle_share: Real, idle_usd_per_gpu_hour: Real, dedicated_usd_per_gpu_hour: Real) -> Real:
    """Price of a GPU-hour of rollouts, some on idle serving GPUs: phi p_idle + (1 - phi) p_dedicated.

    Arguments broadcast; share of GPU-hours on idle GPUs, $. ValueError for an idle price of 0: idle is not free.
    Source: formula T8.
    """
    require_share(idle_share=idle_share)
    require_positive(idle_usd_per_gpu_hour=idle_usd_per_gpu_hour, dedicated_usd_per_gpu_hour=dedicated_usd_per_gpu_hour)
    dedicated_share = np.subtract(1.0, idle_share)
    return np.multiply(idle_share, idle_usd_per_gpu_hour) + dedicated_share * dedicated_usd_per_gpu_hour


def idle_share_of_gain(*, throughput_gain: Real) -> Real:
    """Share of GPU-hours on idle GPUs that explains a throughput gain of x over the dedicated ones alone: 1 - 1 / x.

    Broadcasts; gain of 1 or above. An idle hour is taken to do as much work as a dedicated one; where it does less, more
    idle hours and so a greater share are needed. With this share `rollout_usd_per_gpu_hour` over the dedicated price is
    `step_cost_factor` of the same gain. Source: formula T8.
    """
    if not np.all(np.greater_equal(throughput_gain, 1.0)):
        raise ValueError(f"throughput_gain must be 1 or above, got {throughput_gain}")
    return 1.0 - 1.0 / np.asarray(throughput_gain)


def step_cost_factor(*, throughput_gain: Real, harvested_usd_per_dedicated_usd: Real = 0.0) -> Real:
    """Cost of an RL step after over before, when harvested GPUs raise throughput x-fold: (1 + h) / x.

    Arguments broadcast; end-to-end throughput over the same dedicated GPUs alone, and what the harvested GPUs cost per
    dollar of dedicated ones. With free harvested GPUs it is 1 / x, a lower bound. Source: formula T8.
    """
    require_positive(throughput_gain=throughput_gain)
    require_non_negative(harvested_usd_per_dedicated_usd=harvested_usd_per_dedicated_usd)
    return (1.0 + np.asarray(harvested_usd_per_dedicated_usd)) / throughput_gain


def dollars_after_harvest(*, usd: Real, rollout_share: Real, rollout_cost_factor: Real) -> Real:
    """D_T or D_I when its rollouts get cheaper and the rest does not: D (1 - w + w f).

    Arguments broadcast; $, share of it spent on rollouts, their cost after over before. Cheaper *training* rollouts
    shrink D_T, which raises D_I / D_T and favours training; cheaper *test-time* rollouts shrink D_I and favour inference.
    Source: formula T8.
    """
    require_non_negative(usd=usd, rollout_cost_factor=rollout_cost_factor)
    require_share(rollout_share=rollout_share)
    return np.multiply(usd, 1.0 - np.multiply(rollout_share, np.subtract(1.0, rollout_cost_factor)))


def threshold_after_harvest(*, dollar_ratio: Real, training_factor: Real, inference_factor: Real) -> Real:
    """The D_I / D_T, at prices without harvest, at which a verdict turns once slack is harvested: r f_T / f_I.

    Arguments broadcast; the ratio at which it turned before (negative where no ratio turns it), dollars after over before
    in training and at inference. What lowers f_T lowers the threshold and leaves inference less room.
    Source: formula T8.
    """
    require_positive(training_factor=training_factor, inference_factor=inference_factor)
    return np.multiply(dollar_ratio, training_factor) / inference_factor
