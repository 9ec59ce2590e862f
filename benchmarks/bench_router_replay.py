"""Replaying a router on per-item outcomes: ours against a plain loop, numpy and polars group-bys.

    OPENBLAS_NUM_THREADS=1 python benchmarks/bench_router_replay.py [ITEMS]        (default 10,000,000)

A replay chooses the cheapest of 200 thresholds that keeps 90 % of the quality gap on one half of the items and takes the
premium on the other half, over 20 random splits and 25 bootstrap replicates of each, so 520 times over. Ours replays all
items. The peers do the same item by item, which takes them too long for all of it: they replay fewer items or fewer
replicates and are compared by rate, items x replicates per CPU second. Each side runs in a process of its own; the peak is
that of the process and includes the items themselves.

"polars, one pass" is given our idea (sums by random group and score bin, one product with weights) and only does the pass:
it is compared with our pass alone.

"iecon route" is the whole path of the command on a Parquet table of as many rows, two per item: read, checked, judged.

The bar: ours, and the command, each in less than 30 s and 2 GB. Premiums of loop, numpy and polars must equal ours on the
same split of 2,000 items to 1e-9. (Premiums in the table are of different items, so they agree only roughly.)
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

from answers.route.answer import judge
from answers.route.table import read_outcomes
from economics.routing.evidence import replay_routing, summarise
from economics.routing.outcomes import Items, summed_items, threshold_edges

Array = NDArray[np.float64]

TARGET, THRESHOLDS, SPLITS, REPLICATES = 0.9, 200, 20, 25
GROUPS = 2_000
MOST_SECONDS, MOST_BYTES = 30.0, 2e9
SAME = 1e-9


class Cost(NamedTuple):
    seconds: float
    peak_bytes: float
    replayed: int
    """Items x replicates."""
    premium: float


def made_up(count: int) -> Items:
    """Two models on items of varying difficulty, and a score that half knows it."""
    rng = np.random.default_rng(0)
    difficulty = rng.normal(size=count)
    return Items(
        strong_correct=rng.random(count) < 1 / (1 + np.exp(1.2 * difficulty - 1.8)),
        weak_correct=rng.random(count) < 1 / (1 + np.exp(1.5 * difficulty - 0.6)),
        strong_cost=rng.gamma(4.0, 0.005, count),
        weak_cost=rng.gamma(4.0, 0.0005, count),
        score=0.5 * difficulty + np.sqrt(0.75) * rng.normal(size=count),
    )


def premium_of(quality: float, cost: float, weak: tuple[float, float], strong: tuple[float, float]) -> float:
    """Saving against the random mix of the same quality."""
    gap = strong[0] - weak[0]
    share = min(max((quality - weak[0]) / gap, 0.0), 1.0) if gap > 0 else 0.0
    return 1.0 - cost / (weak[1] + share * (strong[1] - weak[1]))


def plain_loop(items: Items, train: NDArray[np.intp], test: NDArray[np.intp], edges: Array) -> float:
    """Every threshold by walking over every item."""
    columns = [c.tolist() for c in (items.strong_correct, items.weak_correct, items.strong_cost, items.weak_cost, items.score)]

    def walk(rows: list[int], threshold: float) -> tuple[float, float]:
        right, spent = 0, 0.0
        for i in rows:
            if columns[4][i] >= threshold:
                right, spent = right + columns[0][i], spent + columns[2][i]
            else:
                right, spent = right + columns[1][i], spent + columns[3][i]
        return right / len(rows), spent / len(rows)

    rows = train.tolist()
    weak, strong = walk(rows, np.inf)[0], walk(rows, -np.inf)[0]
    best = (np.inf, 0.0)
    for threshold in [-np.inf, *edges.tolist(), np.inf]:
        quality, cost = walk(rows, threshold)
        if quality >= weak + TARGET * (strong - weak) - 1e-12:
            best = min(best, (cost, threshold))
    rows = test.tolist()
    return premium_of(*walk(rows, best[1]), walk(rows, np.inf), walk(rows, -np.inf))


def numpy_items(items: Items, train: NDArray[np.intp], test: NDArray[np.intp], edges: Array) -> float:
    """Rows drawn, score bins counted, sums from the right."""

    def by_policy(rows: NDArray[np.intp]) -> tuple[Array, Array]:
        bins = np.searchsorted(edges, items.score[rows], side="right")
        weak, cost = items.weak_correct[rows].astype(float), items.weak_cost[rows]
        curves = []
        for value, base in ((items.strong_correct[rows] - weak, weak), (items.strong_cost[rows] - cost, cost)):
            summed = np.bincount(bins, weights=value, minlength=edges.size + 1)
            curves.append(base.mean() + np.append(np.cumsum(summed[::-1])[::-1], 0.0) / rows.size)
        return curves[0], curves[1]

    quality, cost = by_policy(train)
    kept = quality >= quality[-1] + TARGET * (quality[0] - quality[-1]) - 1e-12
    policy = int(np.argmin(np.where(kept, cost, np.inf)))
    quality, cost = by_policy(test)
    return premium_of(quality[policy], cost[policy], (quality[-1], cost[-1]), (quality[0], cost[0]))


def polars_items(items: Items, train: NDArray[np.intp], test: NDArray[np.intp], edges: Array) -> float:
    """Rows gathered, group_by on the score bin, sums from the right."""
    frame = pl.DataFrame(
        {
            "strong": items.strong_correct,
            "weak": items.weak_correct,
            "strong_cost": items.strong_cost,
            "weak_cost": items.weak_cost,
            "bin": np.searchsorted(edges, items.score, side="right"),
        }
    )

    def by_policy(rows: NDArray[np.intp]) -> tuple[Array, Array]:
        part = frame[rows]
        summed = (
            part.group_by("bin")
            .agg(
                gain=pl.col("strong").cast(pl.Float64).sum() - pl.col("weak").cast(pl.Float64).sum(),
                extra=(pl.col("strong_cost") - pl.col("weak_cost")).sum(),
            )
            .join(pl.DataFrame({"bin": np.arange(edges.size + 1)}), on="bin", how="right")
            .sort("bin", descending=True)
            .select(pl.col("gain", "extra").fill_null(0.0).cum_sum() / len(part))
        )
        curves = []
        for name, base in (("gain", part["weak"].mean()), ("extra", part["weak_cost"].mean())):
            curves.append(base + np.append(summed[name].to_numpy()[::-1], 0.0))
        return curves[0], curves[1]

    quality, cost = by_policy(train)
    kept = quality >= quality[-1] + TARGET * (quality[0] - quality[-1]) - 1e-12
    policy = int(np.argmin(np.where(kept, cost, np.inf)))
    quality, cost = by_policy(test)
    return premium_of(quality[policy], cost[policy], (quality[-1], cost[-1]), (quality[0], cost[0]))


PEERS = {"plain loop": plain_loop, "numpy, item by item": numpy_items, "polars, item by item": polars_items}


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def run_ours(count: int) -> Cost:
    items = made_up(count)
    began = time.process_time()
    replay = replay_routing(
        items,
        rng=np.random.default_rng(1),
        quality_target=TARGET,
        thresholds=THRESHOLDS,
        splits=SPLITS,
        replicates=REPLICATES,
    )
    return Cost(time.process_time() - began, peak(), count * replay.premium.size, summarise(replay)["premium"].value)


def write_table(count: int, file: Path) -> Cost:
    """The same items as a user's table: one row per item and model."""
    items = made_up(count)
    sides = (("big", items.strong_correct, items.strong_cost), ("small", items.weak_correct, items.weak_cost))
    rows = [
        pl.DataFrame({"item": np.arange(count), "correct": correct, "cost_usd": cost, "score": items.score}).with_columns(
            model=pl.lit(model)
        )
        for model, correct, cost in sides
    ]
    pl.concat(rows).write_parquet(file)
    return Cost(0.0, peak(), count, float("nan"))


def run_command(file: Path) -> Cost:
    """What `iecon route` does with the table."""
    began = time.process_time()
    verdict = judge(read_outcomes(file), quality=TARGET)
    replayed = verdict["items"] * verdict["splits"] * (REPLICATES + 1)
    return Cost(time.process_time() - began, peak(), replayed, verdict["saving_at_equal_quality"]["value"])


def run_peer(name: str, count: int, replicates: int) -> Cost:
    """Some replicates of one split each, item by item."""
    items = made_up(count)
    rng = np.random.default_rng(1)
    began = time.process_time()
    edges = threshold_edges(score=items.score, thresholds=THRESHOLDS)
    premiums = []
    for _ in range(replicates):
        order = rng.permutation(count)
        half = count // 2
        train, test = rng.choice(order[half:], count - half), rng.choice(order[:half], half)
        premiums.append(PEERS[name](items, train, test, edges))
    return Cost(time.process_time() - began, peak(), count * replicates, float(np.mean(premiums)))


def run_pass(side: str, count: int) -> Cost:
    """Sums by group and score bin only."""
    items = made_up(count)
    edges = threshold_edges(score=items.score, thresholds=THRESHOLDS)
    rng = np.random.default_rng(1)
    began = time.process_time()
    if side == "ours, one pass":
        summed_items(items, edges=edges, rng=rng)
    else:
        frame = pl.DataFrame(
            {
                "group": rng.integers(GROUPS, size=count),
                "bin": np.searchsorted(edges, items.score, side="right"),
                "gain": items.strong_correct.astype(float) - items.weak_correct,
                "extra": items.strong_cost - items.weak_cost,
                "weak": items.weak_correct,
                "weak_cost": items.weak_cost,
            }
        )
        frame.group_by("group", "bin").agg(pl.len(), pl.col("gain", "extra", "weak", "weak_cost").sum())
    return Cost(time.process_time() - began, peak(), count, float("nan"))


def apart(run: Callable[..., Cost], *arguments: object) -> Cost:
    """In a process of its own, so that the peak is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(run, *arguments).result()


def largest_difference() -> float:
    """Premium of one split of 2,000 items, each peer against ours."""
    items = made_up(GROUPS)
    ours = replay_routing(
        items, rng=np.random.default_rng(3), quality_target=TARGET, thresholds=THRESHOLDS, splits=1, replicates=0
    )
    order = np.random.default_rng(3).permutation(GROUPS)
    test, train = order[: GROUPS // 2], order[GROUPS // 2 :]
    edges = threshold_edges(score=items.score, thresholds=THRESHOLDS)
    return max(abs(peer(items, train, test, edges) - float(ours.premium[0, 0])) for peer in PEERS.values())


def main(count: int) -> int:
    difference = largest_difference()
    ours = apart(run_ours, count)
    print(f"{'side':26}{'items':>12}{'replicates':>12}{'CPU s':>9}{'M items/s':>11}{'ours x':>9}{'peak GB':>9}{'premium':>9}")

    def show(name: str, cost: Cost, items: int, against: Cost) -> None:
        rate, base = cost.replayed / cost.seconds / 1e6, against.replayed / against.seconds / 1e6
        print(
            f"{name:26}{items:12,}{cost.replayed // items:12}{cost.seconds:9.2f}{rate:11.3f}{base / rate:9.1f}"
            f"{cost.peak_bytes / 1e9:9.2f}{cost.premium:9.4f}"
        )

    show("ours", ours, count, ours)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "outcomes.parquet"
        apart(write_table, count // 2, file)
        command = apart(run_command, file)
    show("iecon route, rows in all", command, count // 2, ours)
    for name, items, replicates in (
        ("plain loop", 5_000, 2),
        ("numpy, item by item", count // 10, 10),
        ("polars, item by item", count // 10, 10),
    ):
        show(name, apart(run_peer, name, items, replicates), items, ours)
    one_pass = apart(run_pass, "ours, one pass", count)
    show("ours, one pass", one_pass, count, one_pass)
    show("polars, one pass", apart(run_pass, "polars, one pass", count), count, one_pass)
    print(f"largest difference from ours on one split of {GROUPS:,} items: {difference:.1e}")
    within = all(cost.seconds < MOST_SECONDS and cost.peak_bytes < MOST_BYTES for cost in (ours, command))
    met = within and difference < SAME
    print("bar met" if met else "BAR NOT MET")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1].replace(",", "").replace("_", "")) if len(sys.argv) > 1 else 10_000_000))
