"""Quantile bands by Monte Carlo: ours against NumPy, Polars and DuckDB, and memory at a million points.

    python benchmarks/bench_monte_carlo.py [ROUNDS]

Reduction: 10,000 points with 1,000 draws each that are in memory already, to the 5, 50 and 95 % quantiles.
Whole: the same size from intervals: draws of two inputs, a cost computed from them, and the bands; against the same
draws, made by NumPy's default generator in one piece, and `numpy.quantile`. Sides take turns within one run.
Memory: 1,000,000 points with 1,000 draws, peak of the process above what was resident before.

The bar: the reduction at least twice as fast as numpy.quantile; below 2 GB. The whole is shown for what it is: our draws
can be made in any order and chunk, which costs more than NumPy's and is paid back by the reduction and by threads, so its
ratio depends on how many cores are free.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from economics.numeric.draws import Lognormal, quantile_bands, quantiles_by_row

Array = NDArray[np.float64]

POINTS, DRAWS = 10_000, 1_000
QUANTILES = [0.05, 0.5, 0.95]
BAR_RATIO, BAR_GB = 2.0, 2.0


def by_polars(values: Array) -> Array:
    frame = pl.DataFrame({"point": np.repeat(np.arange(len(values)), values.shape[1]), "value": values.ravel()})
    levels = [pl.col("value").quantile(level, interpolation="linear").alias(str(level)) for level in QUANTILES]
    return frame.lazy().group_by("point").agg(levels).sort("point").drop("point").collect().to_numpy().T


def by_duckdb(values: Array) -> Array:
    drawn = {"point": np.repeat(np.arange(len(values)), values.shape[1]), "value": values.ravel()}
    with duckdb.connect() as connection:
        connection.register("drawn", drawn)
        query = f"select quantile_cont(value, {QUANTILES}) as bands from drawn group by point order by point"
        return np.array([row[0] for row in connection.execute(query).fetchall()]).T


def cost(usd_per_hour: Array, tokens_per_s: Array) -> Array:
    """$ per M tokens."""
    return usd_per_hour / 3600.0 / tokens_per_s * 1e6


def inputs(points: int) -> dict[str, Lognormal]:
    rate = np.linspace(500.0, 5_000.0, points)
    return {
        "usd_per_hour": Lognormal(low=np.full(points, 1.5), high=np.full(points, 3.0)),
        "tokens_per_s": Lognormal(low=rate * 0.8, high=rate * 1.2),
    }


def whole_by_us() -> Array:
    return quantile_bands(cost, inputs=inputs(POINTS), n_points=POINTS, draws=DRAWS, quantiles=QUANTILES, seed=1)


def whole_by_numpy() -> Array:
    rng = np.random.default_rng(1)
    z = 1.6448536269514722  # the 95 % quantile of the normal distribution
    drawn = {}
    for name, interval in inputs(POINTS).items():
        low, high = np.log(interval.low)[:, None], np.log(interval.high)[:, None]
        drawn[name] = np.exp((low + high) / 2 + (high - low) / (2 * z) * rng.standard_normal((POINTS, DRAWS)))
    return np.quantile(cost(**drawn), QUANTILES, axis=1)


def compare(title: str, sides: dict[str, Callable[[], Array]], rounds: int, tolerance: float) -> float:
    """Print a table of medians; return how much faster the first side is than `numpy`."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    expected = sides["numpy"]()
    for _ in range(rounds):
        for name, side in sides.items():
            start = time.perf_counter()
            found = side()
            times[name].append(time.perf_counter() - start)
            np.testing.assert_allclose(found, expected, rtol=tolerance)
    mine = statistics.median(times["ours"])
    print(f"\n{title}, {rounds} rounds of each, taking turns")
    for name, took in times.items():
        median = statistics.median(took)
        print(f"  {name:8} {median * 1e3:8.1f} ms   {POINTS * DRAWS / median / 1e6:7.0f} M draws/s   {median / mine:5.1f}x")
    return statistics.median(theirs / ours for theirs, ours in zip(times["numpy"], times["ours"], strict=True))


def peak_gb_of_a_million_points() -> float | None:
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        return None
    reset.write_text("5")

    def peak() -> int:
        return int(next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1])

    before = peak()
    start = time.perf_counter()
    bands = quantile_bands(cost, inputs=inputs(10**6), n_points=10**6, draws=DRAWS, quantiles=QUANTILES, seed=1)
    took = time.perf_counter() - start
    gb = (peak() - before) * 1024 / 1e9
    print(f"\n1,000,000 points x {DRAWS:,} draws: {took:.1f} s, {1e9 / took / 1e6:.0f} M draws/s, peak {gb:.2f} GB above")
    assert np.isfinite(bands).all()
    return gb


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    values = np.random.default_rng(0).lognormal(size=(POINTS, DRAWS))
    reduction = compare(
        f"Reduction of {POINTS:,} x {DRAWS:,} draws",
        {
            "ours": lambda: quantiles_by_row(values, QUANTILES),
            "numpy": lambda: np.quantile(values, QUANTILES, axis=1),
            "polars": lambda: by_polars(values),
            "duckdb": lambda: by_duckdb(values),
        },
        rounds,
        tolerance=1e-12,
    )
    # Other draws of the same law: bands of 1,000 draws differ by sampling.
    whole = compare("Whole: draws, cost, bands", {"ours": whole_by_us, "numpy": whole_by_numpy}, rounds, tolerance=0.25)
    gb = peak_gb_of_a_million_points()
    print(f"\nratios to numpy, median over rounds: reduction {reduction:.1f} (bar {BAR_RATIO:.0f}), whole {whole:.1f}")
    return int(reduction < BAR_RATIO or (gb or 0.0) > BAR_GB)


if __name__ == "__main__":
    sys.exit(main())
