"""Judging a router on per-item outcomes: what `iecon route` does, whole, and its one pass against a polars group-by.

    OPENBLAS_NUM_THREADS=1 python benchmarks/bench_router_replay.py [ROWS] [WIDE_ROWS]       (default 10,000,000 and 1,000,000)

"iecon route, long" reads, checks and judges a Parquet table of ROWS rows, two models, with every policy chosen anew without
each of 2,000 units, 400 redraws and 1,000 bootstrap replicates. "iecon route, wide" does so for a CSV of WIDE_ROWS items and
eleven models. Each runs in a process of its own; the peak is that of the process.

"one pass" sums every policy per unit; the peer is given our idea and groups by unit and score bin. Sums of all policies must
equal those of a walk with numpy on 20,000 items to 1e-9.

The bars: long in less than 30 s and 2 GB, wide in less than 30 s and 1 GB.
"""

import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from answers.route.judge import decide_routing
from answers.route.record import Asked
from answers.route.table import read_outcomes
from economics.routing.policies import MOST_UNITS, Outcomes, summed_policies, threshold_edges

Array = NDArray[np.float64]

MOST_SECONDS, MOST_BYTES_LONG, MOST_BYTES_WIDE = 30.0, 2e9, 1e9
MODELS = 11
SAME = 1e-9


class Cost(NamedTuple):
    seconds: float
    peak_bytes: float
    said: str


def made_up(count: int, models: int = 2) -> tuple[Array, Array, Array]:
    """Score, quality and cost of models on items of varying difficulty; the score half knows it."""
    rng = np.random.default_rng(0)
    difficulty = rng.normal(size=count)
    quality, cost = np.empty((count, models)), np.empty((count, models))
    for at in range(models):
        quality[:, at] = rng.random(count) < 1 / (1 + np.exp((1.2 + 0.3 * at / models) * difficulty - 1.8 + 1.2 * at / models))
        cost[:, at] = rng.gamma(4.0, 0.005 * 10.0 ** (-at / (models - 1)), count)
    return 0.5 * difficulty + np.sqrt(0.75) * rng.normal(size=count), quality, cost


def write_long(rows: int, file: Path) -> Cost:
    score, quality, cost = made_up(rows // 2)
    sides = [
        pl.DataFrame({"item": np.arange(rows // 2), "correct": quality[:, at], "cost_usd": cost[:, at], "score": score})
        for at in range(2)
    ]
    pl.concat(side.with_columns(model=pl.lit(name)) for side, name in zip(sides, ("big", "small"), strict=True)).write_parquet(
        file
    )
    return Cost(0.0, peak(), "")


def write_wide(rows: int, file: Path) -> Cost:
    score, quality, cost = made_up(rows, MODELS)
    columns = {"sample_id": np.arange(rows), "score": score}
    for at in range(MODELS):
        columns |= {f"m{at}": quality[:, at], f"m{at}|total_cost": cost[:, at]}
    pl.DataFrame(columns).write_csv(file, float_precision=6)
    return Cost(0.0, peak(), "")


def run_command(file: Path) -> Cost:
    """What `iecon route` does with the table."""
    began = time.process_time()
    best = decide_routing(read_outcomes([file]), Asked(quality=0.9)).best
    saving = best.of_policy["saving_at_equal_quality"]
    said = f"{best.pays}, saves {saving.value:.4f} ({saving.low:.4f} to {saving.high:.4f})"
    return Cost(time.process_time() - began, peak(), said)


def run_pass(side: str, count: int) -> Cost:
    score, quality, cost = made_up(count)
    unit = np.random.default_rng(1).integers(MOST_UNITS, size=count)
    outcomes = Outcomes(quality=quality, cost=cost, controller_cost=np.zeros(count), group=unit)
    began = time.process_time()
    if side == "ours":
        summed_policies(outcomes, score=score, strong=0, weak=[1], unit=unit)
    else:
        edges = threshold_edges(score=score, thresholds=200)
        frame = pl.DataFrame(
            {
                "unit": unit,
                "bin": np.searchsorted(edges, score, side="right"),
                "gain": quality[:, 0] - quality[:, 1],
                "extra": cost[:, 0] - cost[:, 1],
                "weak": quality[:, 1],
                "weak_cost": cost[:, 1],
            }
        )
        frame.group_by("unit", "bin").agg(pl.len(), pl.col("gain", "extra", "weak", "weak_cost").sum())
    return Cost(time.process_time() - began, peak(), "")


def largest_difference(count: int = 20_000) -> float:
    """Of the means of every policy from those of a walk over the items."""
    score, quality, cost = made_up(count)
    unit = np.arange(count) % MOST_UNITS
    outcomes = Outcomes(quality=quality, cost=cost, controller_cost=np.zeros(count), group=unit)
    policies = summed_policies(outcomes, score=score, strong=0, weak=[1], unit=unit)
    worst = 0.0
    for at in range(1, policies.weak.size - 1):
        sent = (score < policies.edges[policies.edge[at]]).astype(np.int64)
        rows = np.arange(count)
        walked = np.array([(1 - sent).sum(), quality[rows, sent].sum(), cost[rows, sent].sum()]) / count
        worst = max(worst, float(np.abs(policies.routed[:, at].sum(axis=0) / count - walked).max()))
    return worst


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def apart(run: Callable[..., Cost], *arguments: object) -> Cost:
    """In a process of its own, so that the peak is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(run, *arguments).result()


def main(rows: int, wide_rows: int) -> int:
    with TemporaryDirectory() as folder:
        long_file, wide_file = Path(folder) / "long.parquet", Path(folder) / "wide.csv"
        apart(write_long, rows, long_file)
        long = apart(run_command, long_file)
        long_file.unlink()
        apart(write_wide, wide_rows, wide_file)
        wide = apart(run_command, wide_file)
    ours, peer = (apart(run_pass, side, rows // 2) for side in ("ours", "polars"))
    difference = largest_difference()
    print(f"{'side':26}{'rows':>12}{'CPU s':>9}{'peak GB':>9}")
    for name, cost, count in (
        ("iecon route, long", long, rows),
        (f"iecon route, {MODELS} models", wide, wide_rows),
        ("ours, one pass", ours, rows // 2),
        ("polars, one pass", peer, rows // 2),
    ):
        print(f"{name:26}{count:12,}{cost.seconds:9.2f}{cost.peak_bytes / 1e9:9.2f}  {cost.said}")
    print(f"one pass: polars takes {peer.seconds / ours.seconds:.1f} x ours")
    print(f"largest difference from a walk over the items: {difference:.1e}")
    met = (
        max(long.seconds, wide.seconds) < MOST_SECONDS
        and long.peak_bytes < MOST_BYTES_LONG
        and wide.peak_bytes < MOST_BYTES_WIDE
        and difference < SAME
    )
    print("bars met" if met else "BARS NOT MET")
    return 0 if met else 1


if __name__ == "__main__":
    counts = [int(said.replace(",", "").replace("_", "")) for said in sys.argv[1:]]
    sys.exit(main(*(counts + [10_000_000, 1_000_000][len(counts) :])))
