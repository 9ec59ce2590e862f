"""Non-dominated points: ours against the fastest libraries and queries, on uniform and on anti-correlated points.

    python benchmarks/bench_pareto.py [LARGEST_SIZE] [ROUNDS]

Peers: moocore, paretoset, pymoo, and for two objectives a sort with a running minimum in NumPy, Polars and DuckDB (with
more objectives these need a join of every point with every other). A peer that is not installed is named and left out;
one whose last size took so long that the next would pass a minute is left out of that cell. All sides get the same
array and take turns within one run; every mask is compared with ours. Memory is the peak of one call above what was
resident before, in a process of its own.

The bar: at least as fast as the best peer in every cell of a million points and more; below 1 GB of extra memory.
"""

import importlib.util
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from economics.numeric.pareto import non_dominated

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

BAR_ROWS = 1_000_000
PATIENCE_S = 60.0
SLOW_S = 10.0
SHELL = 0.05


def drawn(kind: str, size: int, objectives: int) -> Array:
    """Independent uniform values, or a shell around a simplex: what is low on one axis is high on the others."""
    rng = np.random.default_rng(size + objectives)
    if kind == "uniform":
        return rng.random((size, objectives))
    points = rng.standard_exponential((size, objectives))
    points *= ((1.0 + SHELL * rng.random(size)) / points.sum(axis=1))[:, None]
    return points


def by_moocore(points: Array) -> Mask:
    import moocore  # noqa: PLC0415 - an optional peer

    return moocore.is_nondominated(points, keep_weakly=True)


def by_paretoset(points: Array) -> Mask:
    import paretoset  # noqa: PLC0415 - an optional peer

    return paretoset.paretoset(points, distinct=False)


def by_pymoo(points: Array) -> Mask:
    from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting  # noqa: PLC0415 - an optional peer

    mask = np.zeros(len(points), dtype=np.bool_)
    mask[NonDominatedSorting().do(points, only_non_dominated_front=True)] = True
    return mask


def by_numpy(points: Array) -> Mask:
    order = points[:, 0].argsort()
    second = points[order, 1]
    mask = np.ones(len(points), dtype=np.bool_)
    mask[order[1:]] = second[1:] < np.minimum.accumulate(second)[:-1]
    return mask


def by_polars(points: Array) -> Mask:
    frame = pl.DataFrame({"a": points[:, 0], "b": points[:, 1]}).with_row_index()
    best_before = pl.col("b").cum_min().shift(1, fill_value=np.inf)
    kept = frame.lazy().sort("a").filter(pl.col("b") < best_before).select("index").collect()
    mask = np.zeros(len(points), dtype=np.bool_)
    mask[kept["index"].to_numpy()] = True
    return mask


def by_duckdb(points: Array) -> Mask:
    table = {"i": np.arange(len(points)), "a": points[:, 0].copy(), "b": points[:, 1].copy()}
    query = """
        select i from (
            select i, b, min(b) over (order by a rows between unbounded preceding and 1 preceding) as best from table_
        ) where best is null or b < best
    """
    with duckdb.connect() as connection:
        connection.register("table_", table)
        kept = connection.execute(query).fetchnumpy()["i"]
    mask = np.zeros(len(points), dtype=np.bool_)
    mask[kept] = True
    return mask


LIBRARIES = {"moocore": by_moocore, "paretoset": by_paretoset, "pymoo": by_pymoo}
TWO_OBJECTIVES = {"numpy": by_numpy, "polars": by_polars, "duckdb": by_duckdb}


def measured(sides: dict[str, Callable[[Array], Mask]], points: Array, rounds: int) -> dict[str, list[float]]:
    """Seconds of each side in `rounds` turns after one warm-up; the warm-up alone where that was very slow."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    expected = non_dominated(points)
    for turn in range(rounds + 1):
        for name, side in sides.items():
            if turn > 0 and times[name][0] > SLOW_S:
                continue
            start = time.perf_counter()
            mask = side(points)
            times[name].append(time.perf_counter() - start)
            if not (mask == expected).all():
                raise AssertionError(f"{name} and ours disagree")
    return {name: found[1:] or found for name, found in times.items()}


def extra_mb(cell: tuple[str, int, int]) -> float | None:
    """Peak memory of one of our calls above what was resident before; None where the system does not tell."""
    points = drawn(*cell)
    non_dominated(points[:200_000])
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        return None
    reset.write_text("5")

    def peak() -> int:
        return int(next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1])

    before = peak()
    non_dominated(points)
    return (peak() - before) * 1024 / 1e6


def main() -> int:
    largest = int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    peers = {name: side for name, side in LIBRARIES.items() if importlib.util.find_spec(name)}
    for name in LIBRARIES.keys() - peers.keys():
        print(f"{name} is not installed: left out")
    sizes = [size for size in (10_000, 100_000, 1_000_000, 10_000_000) if size <= largest]
    print(f"medians of {rounds} rounds after one warm-up, ms; best / ours above 1 means ours is faster")
    print(f"{'points':>10} {'kind':8} d {'front':>9} {'ours':>9} {'best peer':>20} {'ratio':>6} {'MB':>6}  others")
    misses = 0
    for kind in ("uniform", "anti"):
        for objectives in (2, 3, 4):
            sides = {"ours": non_dominated} | (TWO_OBJECTIVES if objectives == 2 else {}) | peers
            for size in sizes:
                points = drawn(kind, size, objectives)
                times = measured(sides, points, rounds)
                medians = {name: statistics.median(found) * 1e3 for name, found in times.items()}
                sides = {name: side for name, side in sides.items() if medians[name] * 15e-3 < PATIENCE_S}
                mine = medians.pop("ours")
                best = min(medians, key=medians.__getitem__)
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    memory = pool.map(extra_mb, [(kind, size, objectives)])[0]
                ratio = medians[best] / mine
                misses += size >= BAR_ROWS and (ratio < 1 or (memory or 0) > 1_000)
                front = int(non_dominated(points).sum())
                others = ", ".join(f"{name} {value:.1f}" for name, value in medians.items() if name != best)
                print(
                    f"{size:>10,} {kind:8} {objectives} {front:>9,} {mine:>9.1f} {best:>11} {medians[best]:>8.1f}"
                    f" {ratio:>6.2f} {'' if memory is None else f'{memory:.0f}':>6}  {others}",
                    flush=True,
                )
    print(f"cells of {BAR_ROWS:,} points and more that miss the bar: {misses}")
    return int(misses > 0)


if __name__ == "__main__":
    sys.exit(main())
