"""Models side by side on the same items: differences, and the cheapest way to each accuracy."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from answers.correct.record import Interval, Pair, RunCost, Way
from answers.correct.runs import EMPTY, Items, by_selection, finite, interval_of, numbers_of_samples, share_of
from economics.numeric.pareto import non_dominated
from economics.test_time.cost_interval import cost_per_correct_difference
from economics.test_time.sample_curve import coverage_by_item, tries_by_item
from economics.test_time.ways import cascades, unions
from economics.units import Array

Run = tuple[RunCost, Items]

FEWEST_ITEMS = 2
SINGLE, VOTE, SELECTOR, RETRIES, CASCADE = "single", "vote", "selector", "retries", "cascade"


def by_benchmark(runs: Sequence[tuple[RunCost, Items | None]]) -> dict[str, list[Run]]:
    """Runs with a known bill and grades, by benchmark."""
    found: dict[str, list[Run]] = defaultdict(list)
    for run, items in runs:
        if items is not None and np.isfinite(items.cost_usd).all() and items.graded.sum() > 0:
            found[run.benchmark].append((run, items))
    return dict(found)


def pairs_of(benchmark: str, runs: Sequence[Run]) -> Iterator[Pair]:
    """Every two models of a benchmark that share items."""
    for (one, of_one), (other, of_other) in combinations(runs, 2):
        others = set(of_other.names)
        names = [name for name in of_one.names if name in others]
        if len(names) < FEWEST_ITEMS:
            continue
        right, cost = _aligned([of_one, of_other], names)
        cheap_first = (0, 1) if cost[0].mean() <= cost[1].mean() else (1, 0)
        both, after = unions(correct=right, cost_usd=cost), cascades(correct=right, cost_usd=cost)
        reached = both.correct[0, 1]
        cascade = after.cost_usd[cheap_first]
        found = cost_per_correct_difference(
            first_cost_usd=cost[0], first_correct=right[0], second_cost_usd=cost[1], second_correct=right[1]
        )
        yield Pair(
            benchmark=benchmark,
            first=one.model,
            second=other.model,
            items=len(names),
            accuracy_difference=_mean_difference(right[0] - right[1]),
            usd_per_correct_difference=Interval(value=finite(found.value), low=finite(found.low), high=finite(found.high)),
            union_accuracy=float(reached.mean()),
            union_usd_per_correct=interval_of(both.cost_usd[0, 1], reached).value,
            cascade_order=tuple((one.model, other.model)[at] for at in cheap_first),  # type: ignore[arg-type]
            cascade_usd_per_item=float(cascade.mean()),
            cascade_usd_per_correct=interval_of(cascade, reached),
        )


def ways_of(benchmark: str, runs: Sequence[Run]) -> tuple[list[Way], list[str]]:
    """Ways that none other beats in accuracy and $ per item, those without a check apart from all; and what to say of them."""
    shared = set.intersection(*(set(items.names) for _, items in runs))
    names = [name for name in runs[0][1].names if name in shared]
    if len(names) < FEWEST_ITEMS:
        return [], [f"{benchmark}: the models share fewer than {FEWEST_ITEMS} items: no ways are compared"]
    notes = []
    widest = max(len(items.names) for _, items in runs)
    if len(names) < widest:
        notes.append(f"{benchmark}: ways are compared on the {len(names)} items that all models share, of up to {widest}")
    labels, right, cost = _candidates(runs, names)
    kept: list[Way] = []
    for needs_check in (False, True):
        chosen = [at for at, label in enumerate(labels) if needs_check or not label[3]]
        # To a tenth of a point: what a vote gains by the luck of its draws is no way to more accuracy.
        axes = np.column_stack([cost[chosen].mean(axis=1), -np.round(right[chosen].mean(axis=1), 3)])
        for at in np.asarray(chosen)[non_dominated(axes)]:
            way, kind, models, checked, samples = labels[at]
            if needs_check and not checked:
                continue
            kept.append(
                Way(
                    benchmark=benchmark,
                    way=way,
                    kind=kind,
                    models=models,
                    samples=samples,
                    needs_check=checked,
                    items=len(names),
                    accuracy=share_of(right[at], np.ones(len(names))),
                    usd_per_item=float(cost[at].mean()),
                    usd_per_correct=interval_of(cost[at], right[at]),
                )
            )
    kept.sort(key=lambda way: (way.needs_check, way.usd_per_item))
    if any(way.needs_check for way in kept):
        notes.append(
            "retries and cascades need a check that never errs, such as tests; without one they do not reach these figures"
        )
    return kept, notes


Label = tuple[str, str, tuple[str, ...], bool, int]


def _candidates(runs: Sequence[Run], names: list[str]) -> tuple[list[Label], Array, Array]:
    labels: list[Label] = []
    rights, costs = [], []
    right, cost = _aligned([items for _, items in runs], names)
    for at, (run, items) in enumerate(runs):
        labels.append((run.model, SINGLE, (run.model,), False, 1))
        rights.append(right[at])
        costs.append(cost[at])
        if items.samples is None:
            continue
        rows = [items.names.index(name) for name in names] if len(names) < len(items.names) else slice(None)
        for count in numbers_of_samples(items.samples.shape[1])[1:]:
            for selection, chance in by_selection(items, count).items():
                if selection != "coverage":
                    labels.append((f"{run.model}, {selection} of {count}", selection, (run.model,), False, count))
                    rights.append(chance[rows])
                    costs.append(cost[at] * count)
            labels.append((f"{run.model}, up to {count} tries", RETRIES, (run.model,), True, count))
            rights.append(coverage_by_item(correct=items.samples, samples=count)[rows])
            costs.append(cost[at] * tries_by_item(correct=items.samples, samples=count)[rows])
    if len(runs) > 1:
        after = cascades(correct=right, cost_usd=cost)
        for first, second in ((i, j) for i in range(len(runs)) for j in range(len(runs)) if i != j):
            pair = (runs[first][0].model, runs[second][0].model)
            labels.append((f"{pair[0]}, then {pair[1]}", CASCADE, pair, True, 1))
            rights.append(after.correct[first, second])
            costs.append(after.cost_usd[first, second])
    return labels, np.stack(rights), np.stack(costs)


def _aligned(runs: Sequence[Items], names: list[str]) -> tuple[Array, Array]:
    """Mean grade and $ of an attempt as (models, items), on these items."""
    right, cost = [], []
    for items in runs:
        place = {name: at for at, name in enumerate(items.names)}
        rows = np.asarray([place[name] for name in names])
        right.append(items.mean_correct[rows])
        # What an answer costs: all that was paid for the item, over its graded answers.
        cost.append((items.cost_usd / np.maximum(items.graded, 1.0))[rows])
    return np.stack(right), np.stack(cost)


def _mean_difference(gap: Array) -> Interval:
    """A mean with its interval by the pivot of a ratio, on a scale that is never negative."""
    found = share_of((gap + 1.0) / 2.0, np.ones_like(gap))
    if found.value is None or found.low is None or found.high is None:
        return EMPTY
    return Interval(value=2.0 * found.value - 1.0, low=2.0 * found.low - 1.0, high=2.0 * found.high - 1.0)
