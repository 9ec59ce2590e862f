"""Items that belong together: as the user groups them, and near-equal rows under other names."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from answers.route.table import Table

FINE_DIGITS = 7
"""A score that needs as many digits is hardly ever the same for two different items."""
MOST_PARTS = 1_000
"""Shares of so many neighbours or trees have many digits and are coarse all the same."""
SAME_SCORE = 1e-7
"""Share of the scores' range within which two scores are one; in a large table a thousandth of the usual distance."""
NEAR_SCORE = 0.02
"""The same for rows that were jittered, in usual distances of two neighbours: so near are 2 in 100 by chance."""
FEW, MANY = 0.01, 0.1
"""Share of items with an equal score, or a near one, from which on they are looked at as copies."""
ALIKE = 0.2
"""How much less the outcomes of ties of a fine score must differ to be copies, or repeats of one question."""
SURE = 3.0
"""In standard errors."""
THE_SAME = 0.99
"""Part of the outcomes' spread that ties of a coarse score must explain: they are often chance, and as alike as it knows."""
WINDOW = 100_000
"""Items of a large table that are looked at first."""
FEWEST_VALUES = 30
"""A score with fewer values sorts items into classes; items of one class are no copies."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Groups:
    """The units of splits and intervals."""

    group: NDArray[np.int64]
    """(items)"""
    stated: bool
    copies: int
    """Items that are near-equal to another one and do not stand in its stated group."""
    example: tuple[str, ...]
    """Names of some that are near-equal to each other."""


def groups_of(table: Table) -> Groups:
    """Items of one stated group, of one prompt, or near-equal in score, cost and outcome are one unit.

    Near-equal rows are found by their scores, equal or jittered a little, with outcomes that go together; of a score with few
    digits also every cost and every outcome must be equal.
    """
    count = len(table.quality)
    stated = "group" in table.items.columns
    group = np.arange(count)
    if stated:
        group = np.arange(count)
    if stated:
        own = table.items["group"].fill_null(pl.select(pl.format("item {}", pl.int_range(count))).to_series())
        group = own.rank("dense").to_numpy().astype(np.int64) - 1
    alike = _same_prompt(table)
    alike = _near_equal(table) if alike is None else alike
    if alike is None:
        return Groups(group=group, stated=stated, copies=0, example=())
    joined = _joined(group, alike)
    sizes = np.bincount(alike)[alike]
    together = (
        pl.DataFrame({"alike": alike, "group": group}).select(pl.col("group").n_unique().over("alike")).to_series().to_numpy()
    )
    copied = (sizes > 1) & (together > 1)
    if not copied.any():
        return Groups(group=group, stated=stated, copies=0, example=())
    first = int(np.flatnonzero(copied)[0])
    names = table.items["item"].cast(pl.String).filter(pl.Series(alike == alike[first])).head(3)
    return Groups(group=joined, stated=stated, copies=int(copied.sum()), example=tuple(names))


def _same_prompt(table: Table) -> NDArray[np.int64] | None:
    """Numbers of equal prompts, where some are."""
    if "prompt_hash" not in table.items.columns:
        return None
    prompt = table.items["prompt_hash"]
    number = prompt.rank("dense").to_numpy().astype(np.int64) - 1
    return number if prompt.n_unique() < len(prompt) else None


def _near_equal(table: Table) -> NDArray[np.int64] | None:
    """Numbers of near-equal rows, where ties of the scores are too many and too alike to be chance."""
    if not table.scores or not _any_near_equal(table):
        return None
    fine = {name: score for name, score in table.scores.items() if _is_fine(score)}
    if not fine:
        costs = {f"cost {at}": _steps(table.cost[:, at]) for at in range(len(table.models))}
        number = _numbered({name: _steps(score) for name, score in table.scores.items()} | costs)
        tied = np.bincount(number)[number] > 1
        copies = _enough(number, least=FEW) and _explained(table.quality[tied], number[tied]) > THE_SAME
        return number if copies else None
    first = next(iter(fine.values()))
    for near, least in ((True, MANY), (False, FEW)):
        number = _numbered({name: _steps(score, near=near) for name, score in fine.items()})
        if _enough(number, least=least) and _more_alike(table.quality, first, number):
            return number
    return None


def _numbered(keys: dict[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """One number for each combination of keys."""
    return pl.DataFrame(keys).select(pl.struct(pl.all()).rank("dense")).to_series().to_numpy().astype(np.int64) - 1


def _enough(number: NDArray[np.int64], *, least: float) -> bool:
    """Whether there are many values, and enough items that share theirs."""
    tied = int((np.bincount(number)[number] > 1).sum())
    return number.max() + 1 >= FEWEST_VALUES and tied >= max(2.0, least * len(number))


def _more_alike(quality: NDArray[np.float64], score: NDArray[np.float64], number: NDArray[np.int64]) -> bool:
    """Whether the outcomes of ties differ less than those of neighbours that are no ties, by more than chance.

    A score that knows the difficulty makes neighbours alike too, so they are what ties are held against.
    """
    order = np.argsort(score, kind="stable")
    differs = np.square(np.diff(quality[order], axis=0)).sum(axis=1)
    tied = np.diff(number[order]) == 0
    of_ties, of_others = differs[tied], differs[~tied]
    if of_ties.size < 2 or of_others.size < 2 or of_others.mean() == 0.0:
        return False
    error = np.sqrt(of_ties.var() / of_ties.size + of_others.var() / of_others.size)
    gap = float(of_others.mean() - of_ties.mean())
    return gap > ALIKE * float(of_others.mean()) and gap > SURE * error


def _any_near_equal(table: Table) -> bool:
    """Whether a window of the middle scores of a large table has ties of the first score at all."""
    score = next(iter(table.scores.values()))
    if len(score) <= WINDOW:
        return True
    middle = len(score) // 2
    low, high = np.partition(score, (middle, middle + WINDOW))[[middle, middle + WINDOW]]
    inside = np.sort(score[(score >= low) & (score <= high)])
    return bool((np.diff(inside) <= _one_score(score)).mean() > FEW)


def _one_score(values: NDArray[np.float64], *, near: bool = False) -> float:
    usual = float(np.ptp(values)) / len(values)
    return NEAR_SCORE * usual if near else min(SAME_SCORE * float(np.ptp(values)), 1e-3 * usual)


def _steps(values: NDArray[np.float64], *, near: bool = False) -> NDArray[np.int64]:
    """Numbers of values, near-equal ones having one."""
    order = np.argsort(values, kind="stable")
    apart = np.diff(values[order], prepend=values[order[0]]) > _one_score(values, near=near)
    number = np.empty(len(values), dtype=np.int64)
    number[order] = np.cumsum(apart)
    return number


def _is_fine(score: NDArray[np.float64]) -> bool:
    """Whether most scores need many digits and are no shares of a few parts."""
    sample = score[:: max(1, len(score) // 300)]
    shown = [len(f"{value:.12g}".replace("-", "").replace(".", "").lstrip("0")) for value in sample]
    if float(np.median(shown)) < FINE_DIGITS:
        return False
    parts = sample[:, None] * np.arange(1, MOST_PARTS + 1)
    whole = np.abs(parts - np.round(parts)) < 1e-6 * np.maximum(1.0, np.abs(parts))
    return not bool(whole.all(axis=0).any())


def _explained(quality: NDArray[np.float64], number: NDArray[np.int64]) -> float:
    """Share of the outcomes' variance that lies between ties, with what chance explains taken off (adjusted R squared)."""
    _, place = np.unique(number, return_inverse=True)
    groups = int(place.max()) + 1
    sizes = np.bincount(place)
    within, total = 0.0, 0.0
    for column in quality.T:
        mean = np.bincount(place, weights=column) / sizes
        within += float(np.square(column - mean[place]).sum())
        total += float(np.square(column - column.mean()).sum())
    left = len(place) - groups
    if total == 0.0 or left <= 0:
        return 0.0
    return 1.0 - (within / left) / (total / (len(place) - 1))


def _joined(group: NDArray[np.int64], alike: NDArray[np.int64]) -> NDArray[np.int64]:
    """The finest groups of which both are parts."""
    from scipy.sparse import coo_array  # noqa: PLC0415  (few tables need it)
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    groups = int(group.max()) + 1
    nodes = groups + int(alike.max()) + 1
    edges = coo_array((np.ones(len(group)), (group, groups + alike)), shape=(nodes, nodes))
    _, part = connected_components(edges, directed=False)
    _, number = np.unique(part[group], return_inverse=True)
    return number.astype(np.int64)
