"""Break-even values of a large grid: ours against scipy's elementwise root finder and a loop over brentq.

Run: python benchmarks/bench_break_even.py [points]        (default 10,000,000)

All solvers get the same two cost functions (`economics.serving.cost`). The peers are measured on fewer points and
compared by rate, on points that have a root, so that none of them can stop early. Rates are per CPU second of one
thread: waiting for other work on the machine does not enter. A whole grid has one value for all points along the axis
that is solved for, of which our blocks make use; scattered points have nothing to share. Prints a table; exits 1 where a
root differs or memory is over 1 GB.
"""

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, elementwise

from economics.numeric.blocks import arrays_of, in_blocks, map_arrays
from economics.serving.break_even import (
    break_even_arrival_rate,
    break_even_bandwidth,
    break_even_ratio,
    break_even_tpot,
)
from economics.serving.cost import cost
from economics.serving.partition import partition
from economics.serving.symbols import Contract, Hardware, Model, Refinements, RequestShape, Scenario, Transfer
from economics.units import Real

Array = NDArray[np.float64]

PEER_CHUNK = 65_536
PEER_CHUNKS = 4
LOOP_POINTS = 200
REPEATS = 3
"""Of ours; the fastest counts. The peers run long enough to be steady."""
AGREEMENT = 1e-7
"""In log2 of the root."""

BENT = Refinements(
    overlap=0.5,
    ttft_coupling=True,
    decode_compute_bound=True,
    prefill_pool_efficiency=0.95,
    decode_pool_efficiency=0.97,
)
EXPERTS = Refinements(experts_touched=True, prefill_pool_efficiency=0.95)


@dataclass(frozen=True)
class Values:
    value: Real


@dataclass(frozen=True)
class Case:
    name: str
    solve: Callable[[Scenario], Real]
    symbol: str
    low: float
    high: float
    refinements: Refinements
    bar: float
    """Rate over that of elementwise.find_root that is aimed at."""


CASES = [
    Case("W, closed", break_even_bandwidth, "bandwidth_bytes_per_s", 1e8, 1e14, Refinements(), 40),
    Case("r, closed", break_even_ratio, "input_per_output", 1e-4, 1e5, Refinements(), 40),
    Case("S_tpot, closed", break_even_tpot, "tpot_s", 6.2e-3, 2.0, Refinements(), 40),
    Case("W, closed, refined", break_even_bandwidth, "bandwidth_bytes_per_s", 1e8, 1e14, BENT, 40),
    Case("r, closed, refined", break_even_ratio, "input_per_output", 1e-4, 1e5, BENT, 10),
    Case("S_tpot, numeric, refined", break_even_tpot, "tpot_s", 6.2e-3, 2.0, BENT, 10),
    Case("S_tpot, numeric, experts", break_even_tpot, "tpot_s", 6.2e-3, 2.0, EXPERTS, 10),
]


def scenario(*, r: Real, width: Real, tpot_s: Real, replicas: Real, refinements: Refinements) -> Scenario:
    """An 8-billion model in BF16 on one H100."""
    return Scenario(
        hardware=Hardware(usd_per_gpu_hour=2.0, flops_per_s=989e12, hbm_bytes_per_s=3.35e12, hbm_bytes=80e9),
        model=Model(
            active_parameters=8e9,
            weight_bytes=16e9,
            kv_bytes_per_token=131_072.0,
            experts=64.0,
            experts_per_token=2.0,
            expert_weight_bytes=12e9,
        ),
        workload=RequestShape(input_tokens=3500.0, input_per_output=r, context_tokens=4096.0, prefill_replicas=replicas),
        contract=Contract(ttft_s=1.0, tpot_s=tpot_s),
        transfer=Transfer(bandwidth_bytes_per_s=width),
        refinements=refinements,
    )


def moved(question: Scenario, symbol: str, value: Real) -> Scenario:
    for name in ("workload", "contract", "transfer"):
        record = getattr(question, name)
        if hasattr(record, symbol):
            return replace(question, **{name: replace(record, **{symbol: value})})
    raise AssertionError(symbol)


def advantage(question: Scenario) -> Real:
    """Tokens per dollar of colocation less those of disaggregation: finite everywhere, zero at the break-even."""
    chunked, disaggregated = (cost(scenario=question, architecture=name) for name in ("chunked", "disaggregated"))
    return 1.0 / chunked.usd_per_token - 1.0 / disaggregated.usd_per_token


def questions_with_a_root(case: Case, points: int) -> Scenario:
    """Random questions, of which those are kept whose break-even lies inside the bracket."""
    rng = np.random.default_rng(11)
    kept: list[list[Array]] = []
    found = 0
    while found < points:
        r, width = 10 ** rng.uniform(-0.5, 2.0, 500_000), 10 ** rng.uniform(10.0, 12.0, 500_000)
        tpot_s, replicas = 10 ** rng.uniform(-1.9, -1.0, 500_000), np.floor(10 ** rng.uniform(0.5, 2.0, 500_000))
        drawn = scenario(r=r, width=width, tpot_s=tpot_s, replicas=replicas, refinements=case.refinements)
        value = np.asarray(in_all_blocks(case.solve, drawn))
        inside = (value > case.low) & (value < case.high)
        # A root, not the edge of what is feasible: the advantage changes sign without a jump to it.
        near = np.where(inside, value, 1.0)
        sides = [advantage(moved(drawn, case.symbol, near * factor)) for factor in (1 - 1e-6, 1 + 1e-6)]
        inside &= np.asarray(sides[0] * sides[1] < 0.0)
        # And one crossing in the bracket, as the peers need.
        ends = [np.asarray(advantage(moved(drawn, case.symbol, end))) for end in (case.low, case.high)]
        inside &= ends[0] * ends[1] < 0.0
        kept.append([array[inside] for array in (r, width, tpot_s, replicas)])
        found += int(inside.sum())
    r, width, tpot_s, replicas = (np.concatenate(column)[:points] for column in zip(*kept, strict=True))
    return scenario(r=r, width=width, tpot_s=tpot_s, replicas=replicas, refinements=case.refinements)


def in_all_blocks(solve: Callable[[Scenario], Real], question: Scenario) -> Real:
    return in_blocks(lambda block: Values(solve(block)), question).value


def solve_elementwise(case: Case, question: Scenario) -> Array:
    """scipy.optimize.elementwise.find_root in log2 of the symbol, in chunks."""
    roots = []
    columns = arrays_of(question)
    for start in range(0, columns[0].size, PEER_CHUNK):
        chunk = [column[start : start + PEER_CHUNK] for column in columns]

        def gap(log2: Array, *args: Array) -> Array:
            left = iter(args)
            here = map_arrays(question, lambda _: next(left))
            return np.asarray(advantage(moved(here, case.symbol, 2.0**log2)))

        low, high = (np.full(chunk[0].size, np.log2(end)) for end in (case.low, case.high))
        found = elementwise.find_root(gap, (low, high), args=tuple(chunk), tolerances={"xatol": 1e-9, "xrtol": 0.0})
        roots.append(np.where(found.success, 2.0**found.x, np.nan))
    return np.concatenate(roots)


def solve_loop(case: Case, question: Scenario, points: int) -> Array:
    """scipy.optimize.brentq in a Python loop."""
    roots = np.empty(points)
    for i in range(points):
        here = map_arrays(question, lambda array, i=i: float(array[i]))  # type: ignore[misc]

        def gap(log2: float, here: Scenario = here) -> float:
            return float(advantage(moved(here, case.symbol, 2.0**log2)))

        roots[i] = 2.0 ** brentq(gap, np.log2(case.low), np.log2(case.high), xtol=1e-9)
    return roots


def timed(run: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    start = time.process_time()
    result = run(*arguments)
    return result, time.process_time() - start


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def grid(points: int, refinements: Refinements) -> Scenario:
    """About so many points over r, W, S_tpot and k, as axes."""
    side = max(2, round(points**0.25))
    last = max(2, round(points / side**3))
    return scenario(
        r=np.geomspace(0.3, 100.0, side)[:, None, None, None],
        width=np.geomspace(1e10, 1e12, side)[:, None, None],
        tpot_s=np.geomspace(0.0125, 0.1, side)[:, None],
        replicas=np.floor(np.geomspace(3.0, 100.0, last)),
        refinements=refinements,
    )


def main(points: int) -> bool:
    print(f"{points:,} points; M points per CPU second of one thread\n")
    failures = []
    whole: list[tuple[str, str, float]] = []
    for name, refinements in (("plain", Refinements()), ("refined", BENT), ("experts", EXPERTS)):
        question = grid(points, refinements)
        size = int(np.prod(np.broadcast_shapes(*(array.shape for array in arrays_of(question)))))
        for axis, solve in (
            ("W", break_even_bandwidth),
            ("lambda", break_even_arrival_rate),
            ("r", break_even_ratio),
            ("S_tpot", break_even_tpot),
        ):
            if name == "experts" and axis != "S_tpot":
                continue
            seconds = min(timed(in_all_blocks, solve, question)[1] for _ in range(REPEATS))
            whole.append((axis, name, size / seconds / 1e6))
    found, seconds = timed(partition, grid(points, Refinements()))
    shares = np.bincount(np.asarray(found.winner).ravel(), minlength=3) / size
    print(f"partition of {size:,} points (costs, winner, term, four axes): {size / seconds / 1e6:.2f} M/s")
    print(f"chunked wins {shares[1]:.3f}, disaggregated {shares[2]:.3f}; peak memory {peak_mb():.0f} MB\n")
    del found
    if peak_mb() > 1000:
        failures.append("memory")

    print(f"Scattered points: {PEER_CHUNK * PEER_CHUNKS:,} random questions")
    peer_rates: dict[str, float] = {}
    print(f"{'case':<26}{'ours':>8}{'find_root':>11}{'brentq':>10}{'ratio':>8}{'bar':>6}   largest difference in log2")
    for case in CASES:
        question = questions_with_a_root(case, PEER_CHUNK * PEER_CHUNKS)
        total = PEER_CHUNK * PEER_CHUNKS
        in_all_blocks(case.solve, question)  # warm
        ours, seconds = min((timed(in_all_blocks, case.solve, question) for _ in range(REPEATS)), key=itemgetter(1))
        peers, peer_seconds = timed(solve_elementwise, case, question)
        looped, loop_seconds = timed(solve_loop, case, question, LOOP_POINTS)
        apart = np.abs(np.log2(np.asarray(ours) / peers))
        loop_apart = np.abs(np.log2(np.asarray(ours)[:LOOP_POINTS] / looped))
        worst = max(float(np.nanmax(apart)), float(np.nanmax(loop_apart)))
        # Where costs cross twice in the bracket, solvers may settle on different crossings.
        elsewhere = float(np.mean(~(apart < AGREEMENT)))
        rates = total / seconds / 1e6, total / peer_seconds / 1e6, LOOP_POINTS / loop_seconds / 1e6
        ratio, peer_rates[case.name] = rates[0] / rates[1], rates[1]
        print(
            f"{case.name:<26}{rates[0]:>8.2f}{rates[1]:>11.3f}{rates[2]:>10.5f}{ratio:>7.1f}x{case.bar:>5.0f}x"
            f"   {worst:.1e}" + (f"  ({elsewhere:.2%} on another crossing)" if elsewhere else "")
        )
        if elsewhere > 0.01:
            failures.append(case.name)
    print(f"\nThe whole grid of {size:,} points, where each value is shared along its own axis")
    for axis, name, rate in whole:
        same = [axis] if name == "plain" else [axis, name]
        peer = next((peers for case, peers in peer_rates.items() if case.split(", ")[::2] == same), None)
        print(f"{axis + ', ' + name:<26}{rate:>8.2f}" + (f"{peer:>11.3f}{'':>10}{rate / peer:>7.0f}x" if peer else ""))
    print(f"\npeak memory {peak_mb():.0f} MB" + (f"; FAILED: {', '.join(failures)}" if failures else ""))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1].replace(",", "").replace("_", "")) if len(sys.argv) > 1 else 10_000_000))
