"""Designs verified before they are told: the asked arrivals, request by request, on the fitted step times.

The size that the closed forms say is the start. Where a bound breaks in the simulation the system grows; where only the wait
for prefill made it as large, it shrinks as far as every bound holds. The time per token keeps its measured tail: what holds it
in the closed form is never taken away.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from answers.decide.known import Facts, Known
from answers.decide.record import PERCENTILES, Checked, ServingQuestion
from answers.decide.systems import frame
from assets.serving.engine_clusters import cluster_of_run
from assets.serving.engine_runs import RUN_COLUMNS
from assets.serving.engine_systems import OPTIONS
from economics.serving.request_load import Load, stream
from economics.serving.simulation import Cluster, Simulation, simulate
from economics.units import Array

REQUESTS = 6_000
"""Requests that are simulated: 60 lie above a 99th percentile."""
WARM_UP_SHARE = 0.1
"""Requests that come while the system fills up: not counted."""
SEED = 2026
GROWS, MOST_TIMES = 1.1, 3.0
"""A size that breaks a bound grows by a tenth at a time, to three times the predicted one."""
Size = tuple[int, int]
"""Copies, or decode workers; and prefill workers, 0 where there are none."""


def checked(
    system: Facts, copies: int, *, fewest: int, q: ServingQuestion, known: Known, transfer_s: float, in_flight: float
) -> tuple[Facts, int, Checked]:
    """The system at the smallest size that holds every bound, its copies, and what its requests see.

    `system`: a row of `systems.SCHEMA`, of one copy; `fewest`: copies that the time per token needs; `in_flight`: requests in
    flight of a copy at the load; `transfer_s`: what moving a prompt's keys and values takes. Pools come back as one set.
    """
    apart = bool(system["disaggregated"])
    start: Size = (copies * int(system["decode_workers"]), copies * int(system["prefill_workers"])) if apart else (copies, 0)
    least: Size = (start[0], 1) if apart else (min(fewest, copies), 0)
    cluster = _cluster(system, known, concurrency=in_flight, transfer_s_per_token=transfer_s / q.input_tokens)
    load = _load(q)
    seen: dict[Size, Simulation] = {}

    def served(size: Size) -> Simulation:
        if size not in seen:
            requests = stream(load, rate_per_s=q.sized_for_per_s, seed=SEED)
            sized = replace(cluster, replicas=size[0], prefill_replicas=size[1] or None)
            seen[size] = simulate(
                sized,
                arrival_s=requests.arrival_s,
                input_tokens=requests.input_tokens,
                output_tokens=requests.output_tokens,
            )
        return seen[size]

    def broken(size: Size) -> set[str]:
        return _broken(served(size), q)

    size = _grown(start, broken) if broken(start) else _shrunk(start, least, broken)
    told = _told(served(size), q, size=size, start=start, holds=not broken(size))
    return (_resized(system, size), 1, told) if apart else (system, size[0], told)


def _grown(start: Size, broken: Callable[[Size], set[str]]) -> Size:
    """Larger sizes until every bound holds: more prefill where the first token is late, more decode for the others."""
    size = start
    while found := broken(size):
        if size[0] > MOST_TIMES * start[0] or size[1] > MOST_TIMES * max(start[1], 1):
            return size
        late = size[1] > 0 and "ttft" in found
        size = (size[0] if late and found == {"ttft"} else _more(size[0]), _more(size[1]) if late else size[1])
    return size


def _shrunk(start: Size, least: Size, broken: Callable[[Size], set[str]]) -> Size:
    """The smallest size of at least `least` at which every bound holds; the pool that waits for is the one that shrinks."""
    place = 1 if start[1] else 0
    low, high = least[place] - 1, start[place]
    while high - low > 1:
        middle = (low + high) // 2
        trial = (start[0], middle) if place else (middle, 0)
        low, high = (middle, high) if broken(trial) else (low, middle)
    return (start[0], high) if place else (high, 0)


def _more(count: int) -> int:
    return max(count + 1, int(np.ceil(count * GROWS)))


def _cluster(system: Facts, known: Known, *, concurrency: float, transfer_s_per_token: float) -> Cluster:
    run = frame([system | {"concurrency": concurrency, "request_rate_per_s": None}]).select(*RUN_COLUMNS, *OPTIONS)
    cluster = cluster_of_run(run, known.evidence.fit, transfer_s_per_token=transfer_s_per_token)
    times = known.measured.get(system["gpu"], {}).get("tpot_p50_s", 1.0)
    return replace(cluster, decode_s=replace(cluster.decode_s, start_s=cluster.decode_s.start_s * times))


def _load(q: ServingQuestion) -> Load:
    """Requests as they are asked for: lengths with their spread, arrivals with their burstiness, at the rate to hold."""
    draws = np.random.default_rng(SEED)

    def lengths(mean: float, spread: float, least: float) -> Array:
        if spread <= 0.0:
            return np.full(1, max(round(mean), least))
        drawn = mean * np.exp(spread * draws.standard_normal(REQUESTS) - spread**2 / 2.0)
        return np.maximum(np.rint(drawn), least)

    inputs, outputs = np.broadcast_arrays(
        lengths(q.input_tokens, q.length_spread[0], 1.0), lengths(q.output_tokens, q.length_spread[1], 2.0)
    )
    return Load(
        input_tokens=inputs.astype(np.int64),
        output_tokens=outputs.astype(np.int64),
        intensity=np.ones(1),
        window_s=REQUESTS / q.sized_for_per_s,
        burstiness=q.burstiness,
    )


def _seen(served: Simulation) -> dict[str, Array]:
    """Seconds of each metric of every request that is counted."""
    first = int(WARM_UP_SHARE * len(served.arrival_s))
    return {
        "ttft": served.ttft_s[first:],
        "tpot": served.tpot_s[first:],
        "e2e": (served.finish_s - served.arrival_s)[first:],
    }


def _broken(served: Simulation, q: ServingQuestion) -> set[str]:
    """Metrics whose bound breaks at its percentile."""
    seen = _seen(served)
    return {metric for metric, (at, seconds) in q.bounds().items() if np.nanquantile(seen[metric], PERCENTILES[at]) > seconds}


def _told(served: Simulation, q: ServingQuestion, *, size: Size, start: Size, holds: bool) -> Checked:
    seen = _seen(served)
    good = np.ones(len(seen["ttft"]), dtype=np.bool_)
    for metric, (_, seconds) in q.bounds().items():
        good &= ~(seen[metric] > seconds)
    figures = {
        f"{metric}_{at}_s": float(np.nanquantile(seen[metric], PERCENTILES[at]))
        for metric in ("ttft", "tpot")
        for at in ("p50", "p90", "p99")
    }
    return Checked(
        requests=len(served.arrival_s),
        size=size,
        size_predicted=start,
        holds=holds,
        attainment=float(good.mean()),
        goodput_per_s=float(good.mean()) * q.sized_for_per_s,
        **figures,
    )


def _resized(system: Facts, size: Size) -> Facts:
    """Pools of so many decode and prefill workers."""
    decode, prefill = (system[f"{pool}_gpus"] / system[f"{pool}_workers"] for pool in ("decode", "prefill"))
    return system | {
        "decode_workers": float(size[0]),
        "prefill_workers": float(size[1]),
        "decode_gpus": decode * size[0],
        "prefill_gpus": prefill * size[1],
        "gpus": decode * size[0] + prefill * size[1],
    }
