"""What the closed forms promise of a cluster, and how much of it a simulation of every request finds kept.

The promise is a rate: the most requests per second at which the stated percentile of requests meets both bounds. The closed
form reads it off its cost; the simulation looks for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from economics.serving.cost import cost
from economics.serving.prefill_pool import prefill_times, promised_percentile, queue_slack_s
from economics.serving.queueing import idle_servers
from economics.serving.request_load import Load, stream
from economics.serving.simulation import Cluster, Goodput, Simulation, cluster_of, goodput, simulate
from economics.serving.step_time import decode_step
from economics.serving.symbols import Refinements, Scenario

SHARES_OF_CAPACITY = np.geomspace(0.02, 1.0, 400)
"""Rates at which the closed form with place_queue is asked, over the rate without: it needs the rate to give the headroom."""
SEARCH = (0.02, 1.6)
"""Rates that a simulation tries, over the promised one."""
SEARCH_STEPS = 9


@dataclass(frozen=True, kw_only=True, eq=False)
class Promise:
    """A cluster, and what it is said to carry within the contract."""

    cluster: Cluster
    gpus: float
    rate_per_s: float
    """Requests per second, all of them served and the stated percentile within both bounds."""
    tpot_s: float
    """Time of a step at the largest batch."""


def promise(scenario: Scenario, *, architecture: str, replicas: int) -> Promise | None:
    """What `replicas` whole replicas carry by the closed form of `cost`; None where they cannot meet the contract.

    A scenario of numbers; its arrival rate is not used. Disaggregated: the split of the replicas into whole pools that carries
    most. Source: formula S15, costs solved for the rate.
    """
    asked = _at(scenario, 1.0)
    paid = cost(scenario=replace(asked, refinements=_without_places(asked)), architecture=architecture)
    if not paid.feasible:
        return None
    step, prefill = decode_step(scenario), prefill_times(scenario)
    batch, output_tokens = float(paid.batch), float(scenario.workload.output_tokens)
    gpus = replicas * float(scenario.hardware.gpus)
    if architecture == "disaggregated":
        token_s = float(paid.decode_usd_per_token / scenario.hardware.usd_per_s)
        split = _best_split(scenario, replicas, answer_s=output_tokens * token_s)
        if split is None:
            return None
        prefill_replicas, rate = split
        cluster = cluster_of(
            scenario, architecture=architecture, replicas=replicas - prefill_replicas, prefill_replicas=prefill_replicas
        )
        tpot_s = float(step.weight_s + batch * step.sequence_s)
    else:
        rate = _colocated_rate(scenario, architecture=architecture, replicas=replicas)
        shared = paid.prefill_usd_per_token + paid.decode_usd_per_token + paid.overlap_usd_per_token
        tpot_s = batch * float(shared / scenario.hardware.usd_per_s)
        step_tokens = None
        if architecture == "chunked":
            left_s = float(scenario.contract.tpot_s - step.weight_s - batch * step.sequence_s)
            chunk = left_s * float(scenario.workload.input_tokens / prefill.chunked_service_s)
            step_tokens = int(batch) + max(int(chunk), 1)
        cluster = cluster_of(scenario, architecture=architecture, replicas=replicas, step_tokens=step_tokens)
    cluster = replace(cluster, max_sequences=max(int(batch), 1))
    return Promise(cluster=cluster, gpus=gpus, rate_per_s=rate, tpot_s=tpot_s)


def served(cluster: Cluster, load: Load, *, rate_per_s: float, seed: int) -> Simulation:
    """The load at a rate through the cluster, request by request."""
    requests = stream(load, rate_per_s=rate_per_s, seed=seed)
    return simulate(
        cluster, arrival_s=requests.arrival_s, input_tokens=requests.input_tokens, output_tokens=requests.output_tokens
    )


def kept_rate(promised: Promise, load: Load, scenario: Scenario, *, seed: int) -> float:
    """Largest rate at which the stated percentile of the simulated requests meets both bounds, requests per second.

    By bisection on the logarithm, within SEARCH of the promised rate and to 2 % of it. Source: derived.
    """
    low, high = (np.log(end * promised.rate_per_s) for end in SEARCH)

    def keeps(log_rate: float) -> bool:
        found = kept(served(promised.cluster, load, rate_per_s=float(np.exp(log_rate)), seed=seed), scenario)
        return found.request_share >= float(promised_percentile(scenario))

    return float(np.exp(_last_true(keeps, low, high)))


def kept(simulation: Simulation, scenario: Scenario) -> Goodput:
    """What of a simulation meets the scenario's contract."""
    return goodput(simulation, ttft_s=float(scenario.contract.ttft_s), tpot_s=float(scenario.contract.tpot_s))


def _last_true(holds: Callable[[float], bool], low: float, high: float) -> float:
    for _ in range(SEARCH_STEPS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _colocated_rate(scenario: Scenario, *, architecture: str, replicas: int) -> float:
    """Largest rate for which the closed form asks for no more than the replicas."""
    plain = replace(_at(scenario, 1.0), refinements=_without_places(scenario))
    full = replicas / _replica_s(plain, architecture)
    if not scenario.refinements.place_queue:
        return float(full)
    rates = float(full) * SHARES_OF_CAPACITY
    needed = rates * _replica_s(_at(scenario, rates), architecture)
    return float(rates[needed <= replicas].max(initial=rates[0]))


def _replica_s(scenario: Scenario, architecture: str) -> np.ndarray:
    """Replica time that a request is charged."""
    usd = cost(scenario=scenario, architecture=architecture).usd_per_token
    return np.asarray(usd * scenario.workload.output_tokens / scenario.hardware.usd_per_s)


def _best_split(scenario: Scenario, replicas: int, *, answer_s: float) -> tuple[int, float] | None:
    """Prefill replicas of the split that carries most, and its rate; None where no split meets the TTFT bound."""
    prefill = prefill_times(scenario)
    pool = np.arange(1.0, replicas)
    idle = idle_servers(
        slack_s=queue_slack_s(scenario, prefill), service_s=prefill.service_s, percentile=promised_percentile(scenario)
    )
    rates = np.minimum((pool - idle) / prefill.service_s, (replicas - pool) / answer_s)
    best = int(np.argmax(rates)) if len(rates) else 0
    return (int(pool[best]), float(rates[best])) if len(rates) and rates[best] > 0.0 else None


def _at(scenario: Scenario, rate_per_s: float | np.ndarray) -> Scenario:
    return replace(scenario, workload=replace(scenario.workload, arrival_rate_per_s=rate_per_s, prefill_replicas=None))


def _without_places(scenario: Scenario) -> Refinements:
    return replace(scenario.refinements, place_queue=False)
