"""One instance on one GPU against one call: costs and break-evens at the values of the inputs, and over draws of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from answers.host_or_call.record import Call, HostOrCallQuestion
from answers.host_or_call.rents import Rent
from economics.numeric.draws import Lognormal, Uniform, draw
from economics.serving.hosting import (
    BreakEven,
    Hosting,
    break_even,
    capacity_at,
    held_peak_factor,
    hosted_usd_per_month,
    instances_at,
    swing,
)
from economics.serving.load_split import scaled_instances
from economics.units import Array

DRAWS, SEED = 2000, 2026
BAND = (0.05, 0.95)
NORMAL_90 = float(ndtri(0.95))
MISSED = 0.05
"""Of the capacity: a draw below it all but misses the contract, and counts as never paying."""


@dataclass(frozen=True)
class Drawn:
    """Bands of $ a month and of the break-even in requests per second, and the share of draws in which hosting is cheaper."""

    month: tuple[float, float]
    even: tuple[float, float]
    chance: float | None


@dataclass(frozen=True, kw_only=True)
class Case:
    """One instance on one GPU against one call, at values or at draws of its inputs."""

    q: HostOrCallQuestion
    rent: Rent
    best: dict[str, object]
    call: Call | None

    @property
    def capacity(self) -> float:
        return float(self.best["requests_per_s"])  # type: ignore[arg-type]

    @property
    def gpus(self) -> float:
        return float(self.best["gpus"])  # type: ignore[arg-type]

    @property
    def ends(self) -> tuple[float, float] | None:
        """Ends of the capacity; None where nothing was measured."""
        low, high = self.best["requests_per_s_low"], self.best["requests_per_s_high"]
        if low is None or high is None:
            return None
        return min(float(low), self.capacity), max(float(high), self.capacity)  # type: ignore[arg-type]

    @property
    def peak_factor(self) -> float:
        return float(held_peak_factor(peak_factor=self.q.load.peak_factor, batch_share=self.q.batch_share))

    def instances(self, capacity: float | Array) -> Array | float:
        return instances_at(rate_per_s=self.q.load.mean_per_s, peak_factor=self.peak_factor, capacity_per_s=capacity)

    def usd_per_month(self, capacity: float | Array, usd_per_gpu_hour: float | Array) -> Array | float:
        return hosted_usd_per_month(
            instances=self.instances(capacity),
            usd_per_instance_hour=self.gpus * np.asarray(usd_per_gpu_hour),
            ops_usd_per_month=self.q.ops_usd_per_month,
        )

    def break_even(self, capacity: float | Array, usd_per_gpu_hour: float | Array, usd_per_request: float | Array) -> BreakEven:
        return break_even(
            Hosting(
                usd_per_instance_hour=self.gpus * np.asarray(usd_per_gpu_hour),
                capacity_per_s=capacity,
                peak_factor=self.peak_factor,
                ops_usd_per_month=self.q.ops_usd_per_month,
                usd_per_request=usd_per_request,
                minimum_usd_per_month=self.q.minimum_usd_per_month,
            )
        )

    def draws(self) -> Drawn | None:
        """Bands over draws of step times, rent and the API's price; None where nothing was measured."""
        if self.ends is None:
            return None
        at = ndtri(_draw(Uniform(low=1e-9, high=1.0 - 1e-9), f"capacity of {self.rent.gpu}")) / NORMAL_90
        capacity = capacity_at(capacity_per_s=self.capacity, low_per_s=self.ends[0], high_per_s=self.ends[1], deviations=at)
        holds = capacity > MISSED * self.capacity
        capacity = np.where(holds, capacity, self.capacity)
        rent = _spread(self.rent.low, self.rent.high, self.rent.usd_per_gpu_hour, f"rent of {self.rent.gpu}")
        month = np.where(holds, self.usd_per_month(capacity, rent), np.inf)
        if self.call is None:
            return Drawn(month=_band(month), even=(np.inf, np.inf), chance=None)
        ratio = _spread(self.call.low_usd_per_month, self.call.high_usd_per_month, self.call.usd_per_month, "price")
        times = ratio / self.call.usd_per_month
        even = np.where(holds, self.break_even(capacity, rent, self.call.usd_per_request * times).for_good_per_s, np.inf)
        return Drawn(month=_band(month), even=_band(even), chance=float(np.mean(month < self.call.usd_per_month * times)))

    def scaled_usd_per_month(self) -> float | None:
        """Where instances follow the load."""
        if self.q.start_up_s is None:
            return None
        count = scaled_instances(
            rates_per_s=self.q.load.rates_per_s,
            capacity_per_s=self.capacity,
            start_up_s=self.q.start_up_s,
            window_s=self.q.load.window_s,
        )
        return float(
            hosted_usd_per_month(
                instances=count,
                usd_per_instance_hour=self.gpus * self.rent.usd_per_gpu_hour,
                ops_usd_per_month=self.q.ops_usd_per_month,
            )
        )

    def moves_it_most(self) -> str | None:
        """The input whose interval moves the break-even most, in words; None where no interval moves it."""
        assert self.call is not None
        usd, rent = self.call.usd_per_request, self.rent.usd_per_gpu_hour
        prices = [usd * each / self.call.usd_per_month for each in (self.call.low_usd_per_month, self.call.high_usd_per_month)]
        ends: dict[str, list[tuple[float, float, float]]] = {
            "the rent": [(self.capacity, self.rent.low, usd), (self.capacity, self.rent.high, usd)],
            "the API's price": [(self.capacity, rent, prices[0]), (self.capacity, rent, prices[1])],
        }
        if self.ends is not None:
            ends["the step times of the engine"] = [(max(end, 1e-9 * self.capacity), rent, usd) for end in self.ends]
        moved = {name: float(swing(*(self.break_even(*case).for_good_per_s for case in cases))) for name, cases in ends.items()}
        name = max(moved, key=lambda each: moved[each])
        if moved[name] <= 1.0:
            return None
        return f"{name} ({'from some volume to none' if np.isinf(moved[name]) else f'x{moved[name]:.2g}'})"


def _draw(quantity: Uniform | Lognormal, name: str) -> NDArray[np.float64]:
    return draw(quantity, name=name, seed=SEED, draws=DRAWS).ravel()


def _spread(low: float, high: float, value: float, name: str) -> NDArray[np.float64]:
    return _draw(Lognormal(low=low, high=high), name) if low < high else np.full(DRAWS, value)


def _band(values: Array) -> tuple[float, float]:
    low, high = np.quantile(values, BAND, method="nearest")
    return float(low), float(high)
