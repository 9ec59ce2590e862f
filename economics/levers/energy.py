"""Energy: how clock and batch move the draw of a GPU, what a token takes, and what that is worth beside the rent."""

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded when first used
from numpy.typing import NDArray

from economics.units import Real, require_fraction, require_non_negative, require_positive, require_share

JOULES_PER_KWH = 3.6e6
_WATTS_PER_KILOWATT = 1e3
_WATTS_PER_MEGAWATT = 1e6
CLOCK_EXPONENT = 3.0
"""Draw of switching logic: frequency times squared voltage, voltage falling with frequency."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClockResponse:
    """How the draw of a GPU answers to its SM clock: P(x) / P(1) = 1 - s + s x^3, x the clock over its peak."""

    sm_share: Real
    """s: share of the draw that follows the SM clock; memory and leakage are the rest."""

    def __post_init__(self) -> None:
        require_share(sm_share=self.sm_share)

    def draw_factor(self, *, clock_ratio: Real) -> Real:
        """Draw at a clock over the draw at peak clock. Source: derived (f V^2 with V proportional to f)."""
        require_fraction(clock_ratio=clock_ratio)
        return 1.0 - self.sm_share * (1.0 - np.power(clock_ratio, CLOCK_EXPONENT))

    def clock_for_saving(self, *, saving: Real) -> Real:
        """Clock ratio at which the draw is lower by `saving`; NaN where no clock will do. Source: derived."""
        require_share(saving=saving)
        with np.errstate(divide="ignore", invalid="ignore"):
            left = 1.0 - np.divide(saving, self.sm_share)
            return np.where(left > 0.0, np.abs(left) ** (1.0 / CLOCK_EXPONENT), np.nan)[()]


def throughput_factor(*, clock_ratio: Real, compute_bound_share: Real) -> Real:
    """Throughput at a clock over throughput at peak clock, when a share of the step's time follows the clock.

    Arguments broadcast. 1 where the share is 0: a step that waits for memory loses nothing. Source: derived.
    """
    require_fraction(clock_ratio=clock_ratio)
    require_share(compute_bound_share=compute_bound_share)
    return 1.0 / (1.0 - compute_bound_share + np.divide(compute_bound_share, clock_ratio))


@dataclass(frozen=True, kw_only=True, eq=False)
class ClockFit:
    """A clock sweep explained by a peak clock, the share of the time that follows the clock, and that of the draw."""

    peak_clock_mhz: float
    compute_bound_share: float
    response: ClockResponse
    rms_residual: float
    """Of throughput and draw ratios together."""
    n: int


def fit_clock_sweep(
    *,
    clock_mhz: NDArray[np.float64],
    throughput_ratio: NDArray[np.float64],
    tokens_per_joule_ratio: NDArray[np.float64],
) -> ClockFit:
    """Fit a clock sweep whose unlocked clock is not told.

    Equal lengths, at least three points; MHz, and ratios to the unlocked run. The draw is throughput over tokens per joule.
    Source: derived; least squares with bounds.
    """
    require_positive(clock_mhz=clock_mhz, throughput_ratio=throughput_ratio, tokens_per_joule_ratio=tokens_per_joule_ratio)
    if clock_mhz.size < 3 or not clock_mhz.size == throughput_ratio.size == tokens_per_joule_ratio.size:
        raise ValueError("a clock sweep needs at least three points, each with throughput and tokens per joule")
    draw_ratio = throughput_ratio / tokens_per_joule_ratio
    fastest = float(clock_mhz.max())

    def residuals(unknown: NDArray[np.float64]) -> NDArray[np.float64]:
        peak, bound, sm_share = unknown
        ratio = clock_mhz / peak
        throughput = throughput_factor(clock_ratio=ratio, compute_bound_share=bound)
        draw = ClockResponse(sm_share=sm_share).draw_factor(clock_ratio=ratio)
        return np.concatenate([np.asarray(throughput - throughput_ratio), np.asarray(draw - draw_ratio)])

    found = scipy.optimize.least_squares(
        residuals,
        x0=[1.1 * fastest, 0.5, 0.5],
        bounds=([fastest, 0.0, 0.0], [4.0 * fastest, 1.0, 1.0]),
        x_scale=[fastest, 1.0, 1.0],
    )
    peak, bound, sm_share = (float(value) for value in found.x)
    return ClockFit(
        peak_clock_mhz=peak,
        compute_bound_share=bound,
        response=ClockResponse(sm_share=sm_share),
        rms_residual=float(np.sqrt(np.mean(np.square(found.fun)))),
        n=int(clock_mhz.size),
    )


def electricity_usd_per_gpu_hour(*, watts: Real, usd_per_kwh: Real, power_usage_effectiveness: Real) -> Real:
    """Electricity of one GPU for an hour: W / 1000 x PUE x $ per kWh.

    Arguments broadcast; PUE is facility over IT power, 1 or above. Source: derived.
    """
    require_non_negative(watts=watts, usd_per_kwh=usd_per_kwh)
    _require_pue(power_usage_effectiveness)
    return np.multiply(watts, power_usage_effectiveness) / _WATTS_PER_KILOWATT * usd_per_kwh


def share_of_rent(
    *, watts: Real, usd_per_kwh: Real, power_usage_effectiveness: Real, usd_per_gpu_hour: Real, saving: Real = 1.0
) -> Real:
    """Share of a GPU-hour's rent that a `saving` of its electricity is worth; saving 1 is the whole bill.

    Arguments broadcast. Golden: 32 % of 137 to 300 W at .08 $/kWh, PUE 1.3 and $2.50 is .18 to .40 %.
    Source: formula L10.
    """
    require_positive(usd_per_gpu_hour=usd_per_gpu_hour)
    require_share(saving=saving)
    bill = electricity_usd_per_gpu_hour(
        watts=watts, usd_per_kwh=usd_per_kwh, power_usage_effectiveness=power_usage_effectiveness
    )
    return np.multiply(saving, bill) / usd_per_gpu_hour


def joules_per_token(*, watts: Real, tokens_per_s: Real) -> Real:
    """Energy of a token: W / (tokens/s). Arguments broadcast. Source: definition."""
    require_non_negative(watts=watts)
    require_positive(tokens_per_s=tokens_per_s)
    return np.divide(watts, tokens_per_s)


def electricity_usd_per_mtok(*, joules_per_token: Real, usd_per_kwh: Real, power_usage_effectiveness: Real) -> Real:
    """Electricity of a million tokens, $. Arguments broadcast. Source: definition."""
    require_non_negative(joules_per_token=joules_per_token, usd_per_kwh=usd_per_kwh)
    _require_pue(power_usage_effectiveness)
    return np.multiply(joules_per_token, power_usage_effectiveness) * 1e6 / JOULES_PER_KWH * usd_per_kwh


def site_tokens_per_s(*, site_watts: Real, joules_per_token: Real, power_usage_effectiveness: Real) -> Real:
    """Tokens a second that a site's power feeds, when power and not rent is what is short: W / (J per token x PUE).

    Arguments broadcast. Only the GPUs draw in it: hosts and network come on top. Source: derived.
    """
    require_positive(site_watts=site_watts, joules_per_token=joules_per_token)
    _require_pue(power_usage_effectiveness)
    return np.divide(site_watts, np.multiply(joules_per_token, power_usage_effectiveness))


def gpus_per_megawatt(*, watts: Real, power_usage_effectiveness: Real) -> Real:
    """GPUs that a megawatt of site power feeds at a draw. Arguments broadcast. Source: derived."""
    require_positive(watts=watts)
    _require_pue(power_usage_effectiveness)
    return _WATTS_PER_MEGAWATT / np.multiply(watts, power_usage_effectiveness)


def _require_pue(power_usage_effectiveness: Real) -> None:
    if not np.all(np.greater_equal(power_usage_effectiveness, 1.0)):
        raise ValueError(f"power_usage_effectiveness must be 1 or above, got {power_usage_effectiveness}")
