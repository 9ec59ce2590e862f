"""The nearest contract that can be met, where the one asked for cannot."""

from dataclasses import dataclass, replace

import numpy as np

from economics.serving.feasibility import feasibility
from economics.serving.prefill_pool import prefill_times, promised_percentile
from economics.serving.queueing import idle_servers
from economics.serving.step_time import stated
from economics.serving.symbols import Scenario

_LOOSEST = 1e3
_STEPS = 400
_OPEN = 1.01
"""Some bounds must be passed, not only reached; at one percent past them a cost is still a number."""


@dataclass(frozen=True)
class Nearest:
    """A contract that an architecture can just meet."""

    architecture: str
    ttft_s: float
    tpot_s: float
    distance: float
    """Sum of the logarithms of what both bounds are loosened by; 0 where the contract asked for can be met."""


def nearest_contract(*, scenario: Scenario, architecture: str) -> Nearest | None:
    """Contract nearest to that of the scenario (one point) that the architecture can meet, loosening as little as it can.

    Looser TPOT leaves a coupled prompt more of each step, so that both bounds trade: every TPOT bound of a fine scale is
    paired with the TTFT it then needs, with the wait of a prefill pool that is at most half idle. None where no bound up
    to a thousand times looser will do, as for a model that does not fit. ValueError for an unknown architecture.
    Source: derived from the bounds of `feasibility`.
    """
    asked_ttft_s, asked_tpot_s = float(scenario.contract.ttft_s), float(scenario.contract.tpot_s)
    least_s = float(feasibility(scenario=scenario, architecture=architecture)["tpot_s"].required)
    start = max(1.0, least_s / asked_tpot_s)
    if not start < _LOOSEST:
        return None
    tpot_s = asked_tpot_s * np.geomspace(start, _LOOSEST, _STEPS) * np.where(start > 1.0, _OPEN, 1.0)
    eased = replace(scenario, contract=replace(scenario.contract, tpot_s=tpot_s, ttft_s=asked_ttft_s * _LOOSEST))
    bounds = feasibility(scenario=eased, architecture=architecture)
    needed_ttft_s = np.broadcast_to(bounds["ttft_s"].required * _OPEN + _queue_s(scenario, architecture), tpot_s.shape)
    ttft_s = np.maximum(needed_ttft_s, asked_ttft_s)
    possible = np.all([np.broadcast_to(bound.holds, tpot_s.shape) for bound in bounds.values()], axis=0)
    distance = np.where(possible, np.log(ttft_s / asked_ttft_s) + np.log(tpot_s / asked_tpot_s), np.inf)
    best = int(np.argmin(distance))
    if not np.isfinite(distance[best]):
        return None
    return Nearest(
        architecture=architecture,
        ttft_s=float(ttft_s[best]),
        tpot_s=float(tpot_s[best]),
        distance=float(distance[best]),
    )


def _queue_s(scenario: Scenario, architecture: str) -> float:
    """Wait to allow for a prefill pool that is no more than half idle (or, at light load, keeps one replica idle)."""
    if architecture != "disaggregated":
        return 0.0
    service_s = prefill_times(scenario).service_s
    load = stated("arrival_rate_per_s", scenario.workload.arrival_rate_per_s) * service_s
    idle_s = idle_servers(slack_s=1.0, service_s=service_s, percentile=promised_percentile(scenario))
    return float(idle_s / np.maximum(load, 1.0))
