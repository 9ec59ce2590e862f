"""The serving simulator: speed and identical waits beside other simulators.

    python benchmarks/bench_simulation.py [CUSTOMERS] [REQUESTS] [ROUNDS]

Queue: M/G/8 with lognormal service at .85 of capacity, one sample path for all. Peers: simpy with a process for each
customer, simpy with callbacks only, and a heap in plain Python. Waits are compared to the last bit.
Serving: requests of 1,000 prompt and 200 output tokens, Poisson, in the three architectures on four GPUs; once at light
load, once near saturation. Peer: NVIDIA Dynamo's offline replay (package ai-dynamo-runtime, written in Rust) with the same
sizes, rate and four workers. It also models paged blocks, a prefix cache and a router, so this compares the time for an
answer, not equal work. Peers that are not installed are named and left out.

The bar: twenty times simpy; and 17,000 requests a second, which Dynamo's replay reaches.
"""

import heapq
import importlib.util
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from economics.serving.simulation import Cluster, poisson_arrivals, queue_waits, simulate
from economics.serving.step_curves import line

Array = NDArray[np.float64]

SERVERS, LOAD = 8, 0.85
BAR_SIMPY, BAR_REQUESTS_PER_S = 20.0, 17_000.0
INPUT_TOKENS, OUTPUT_TOKENS = 1_000, 200


def sample_path(customers: int) -> tuple[Array, Array, Array]:
    """Gaps, arrivals and service times; cumsum adds gaps in the order in which an event queue adds them."""
    rng = np.random.default_rng(8)
    service = rng.lognormal(-0.5, 1.0, customers)
    gaps = rng.exponential(1.0 / (LOAD * SERVERS), customers)
    return gaps, np.cumsum(gaps), service


def by_simpy_processes(gaps: Array, arrivals: Array, service: Array) -> Array:
    import simpy  # noqa: PLC0415 - an optional peer

    env, waits = simpy.Environment(), np.empty(len(gaps))
    servers = simpy.Resource(env, capacity=SERVERS)

    def customer(index: int, arrival: float, duration: float):  # type: ignore[no-untyped-def]
        with servers.request() as turn:
            yield turn
            waits[index] = env.now - arrival
            yield env.timeout(duration)

    def source():  # type: ignore[no-untyped-def]
        for index, (gap, arrival, duration) in enumerate(zip(*map(np.ndarray.tolist, (gaps, arrivals, service)), strict=True)):
            yield env.timeout(gap)
            env.process(customer(index, arrival, duration))

    env.process(source())
    env.run()
    return waits


def by_simpy_callbacks(gaps: Array, arrivals: Array, service: Array) -> Array:
    import simpy  # noqa: PLC0415 - an optional peer

    env, waits = simpy.Environment(), np.empty(len(gaps))
    gap_list, arrival_list, service_list = gaps.tolist(), arrivals.tolist(), service.tolist()
    queue: deque[int] = deque()
    free, following = SERVERS, 0

    def begin(index: int) -> None:
        waits[index] = env.now - arrival_list[index]
        env.timeout(service_list[index]).callbacks.append(leave)

    def leave(_: object) -> None:
        nonlocal free
        if queue:
            begin(queue.popleft())
        else:
            free += 1

    def arrive(_: object) -> None:
        nonlocal free, following
        index = following
        following += 1
        if following < len(gap_list):
            env.timeout(gap_list[following]).callbacks.append(arrive)
        if free:
            free -= 1
            begin(index)
        else:
            queue.append(index)

    env.timeout(gap_list[0]).callbacks.append(arrive)
    env.run()
    return waits


def by_heap(_: Array, arrivals: Array, service: Array) -> Array:
    free = [-np.inf] * SERVERS
    waits = []
    for arrival, duration in zip(arrivals.tolist(), service.tolist(), strict=True):
        start = max(arrival, free[0])
        heapq.heapreplace(free, start + duration)
        waits.append(start - arrival)
    return np.array(waits)


def ours(_: Array, arrivals: Array, service: Array) -> Array:
    return queue_waits(arrival_s=arrivals, service_s=service, servers=SERVERS)


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def queue(customers: int, rounds: int) -> float:
    """Print the table of the queue; return how much faster ours is than the fastest simpy."""
    path = sample_path(customers)
    sides: dict[str, Callable[[Array, Array, Array], Array]] = {"ours": ours, "heap, plain Python": by_heap}
    if importlib.util.find_spec("simpy"):
        sides |= {"simpy, callbacks": by_simpy_callbacks, "simpy, processes": by_simpy_processes}
    else:
        print("simpy is not installed: left out")
    expected = ours(*path)
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            start = time.perf_counter()
            waits = side(*path)
            times[name].append(time.perf_counter() - start)
            np.testing.assert_array_equal(waits, expected, err_msg=name)
    medians = {name: statistics.median(found) for name, found in times.items()}
    print(f"M/G/{SERVERS}, {customers:,} customers, {rounds} rounds; mean wait {expected.mean():.4f}, equal to the last bit")
    for name, median in medians.items():
        print(f"  {name:20} {median:9.4f} s {customers / median / 1e6:8.2f} M customers/s {median / medians['ours']:8.1f}x")
    return min((medians[name] / medians["ours"] for name in medians if name.startswith("simpy")), default=np.inf)


def clusters() -> dict[str, Cluster]:
    pace = {"decode_s": line(6e-3, 5e-5), "prompt_s": line(0.0, 2e-5), "max_sequences": 256}
    return {
        "unchunked": Cluster(architecture="unchunked", replicas=4, **pace),
        "chunked": Cluster(architecture="chunked", replicas=4, step_tokens=512, **pace),
        "disaggregated": Cluster(
            architecture="disaggregated", replicas=2, prefill_replicas=2, transfer_s_per_token=3e-6, **pace
        ),
    }


def serving(requests: int, rounds: int) -> float:
    """Print the table of the architectures; return the fewest requests a second."""
    prompt, output = np.full(requests, INPUT_TOKENS), np.full(requests, OUTPUT_TOKENS)
    slowest = np.inf
    print(f"\nServing, {requests:,} requests of {INPUT_TOKENS:,}/{OUTPUT_TOKENS} tokens, {rounds} rounds")
    for rate_per_s in (12.0, 60.0):
        arrival = poisson_arrivals(requests=requests, rate_per_s=rate_per_s, seed=5)
        for name, cluster in clusters().items():
            call = lambda d=cluster, a=arrival: simulate(d, arrival_s=a, input_tokens=prompt, output_tokens=output)  # noqa: E731
            found = call()
            median = statistics.median(timed(call) for _ in range(rounds))
            slowest = min(slowest, requests / median)
            print(
                f"  {name:14} {rate_per_s:4.0f}/s {median:7.3f} s {requests / median / 1e6:6.2f} M requests/s"
                f" {requests * OUTPUT_TOKENS / median / 1e6:7.0f} M output tokens/s   mean batch {found.mean_batch:5.1f}"
            )
    if importlib.util.find_spec("dynamo"):
        from dynamo._core import run_mocker_synthetic_trace_replay as replay  # noqa: PLC0415 - an optional peer

        few = 10_000
        call = lambda: replay(  # noqa: E731
            INPUT_TOKENS, OUTPUT_TOKENS, few, num_workers=4, request_rate=12.0, capture_planner_details=False
        )
        median = statistics.median(timed(call) for _ in range(rounds))
        print(
            f"  Dynamo replay    12/s {few / median:,.0f} requests/s with {few:,} requests; ours {slowest * median / few:.0f}x"
        )
    else:
        print("  ai-dynamo-runtime is not installed: left out")
    return slowest


def main() -> int:
    customers = int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000
    requests = int(float(sys.argv[2])) if len(sys.argv) > 2 else 1_000_000
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    over_simpy = queue(customers, rounds)
    slowest = serving(requests, rounds)
    print(f"\nover the fastest simpy: {over_simpy:.0f} (bar {BAR_SIMPY:.0f})")
    print(f"slowest serving run: {slowest:,.0f} requests/s (bar {BAR_REQUESTS_PER_S:,.0f})")
    return int(over_simpy < BAR_SIMPY or slowest < BAR_REQUESTS_PER_S)


if __name__ == "__main__":
    sys.exit(main())
