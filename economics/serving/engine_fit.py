"""The fixed time per layer of each engine and accelerator family, fitted to measured runs, and what the fit leaves over.

Three steps, each shrunk to the one before: alpha of every engine and family from the runs of its groups and of its relatives
(log-normal prior, partial pooling); an offset of every kind of load of an engine; what a group of runs (model, accelerator,
engine, precision) and its near runs share (`numeric.kriging`). Errors are log ratios, measured over predicted.
Source: formula S17.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from economics.numeric.kriging import Variances
from economics.units import Array

Index = NDArray[np.int64]

PRIOR_LAYER_S = 71e-6
"""Centre of the log-normal prior of alpha. Source: formula S17."""
FARTHEST = 1.2
"""Log distance from the prior beyond which a group is not believed: something else than alpha is off."""
TYPICAL_ERROR = 0.1
"""Log error beyond which a run counts as an outlier and pulls no harder (Huber)."""
HALF_RUNS = 60.0
"""Runs with which a group weighs half in an offset: runs of one group are points of few curves."""
GRID = np.log(np.geomspace(2e-6, 2e-3, 139))
"""Log alpha that are tried: 5 % apart."""
MOST_RUNS = 64.0
"""Runs that count as independent in how well a group knows its alpha: the rest are points of the same curves."""
DOUBTED = 1.0
"""Standard errors beyond which a group is believed less: its variance grows with the square of what is beyond."""
SHRUNK_BY = 1.5
"""Groups that an offset of no groups weighs as: the prior at 0."""

VARIANCES = {
    "output_tokens_per_s_per_gpu": Variances(constant=0.02, smooth=0.05, noise=0.003),
    "tpot_p50_s": Variances(constant=0.02, smooth=0.05, noise=0.003),
    "ttft_p50_s": Variances(constant=0.1, smooth=0.2, noise=0.02),
    "ttft_p99_s": Variances(constant=0.1, smooth=0.25, noise=0.05),
}
"""Of the residuals by quantity: a plateau of grouped cross-validation."""


@dataclass(frozen=True, kw_only=True)
class Shares:
    """What the log alphas of two groups of runs have in common: variances, all normal."""

    all: float
    engine: float
    family: float
    cell: float
    """Engine and family together."""
    study: float
    """Hosts, clients and versions of one publisher. The reference study has none: answers are for systems like its own."""
    group: float


SHARES = Shares(all=0.03, engine=0.06, family=0.26, cell=0.005, study=0.04, group=0.005)
"""A plateau of leaving groups out: accelerators differ, engines hardly."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Origins:
    """Where each run comes from: codes from 0, (n,) each."""

    group: Index
    cell: Index
    """Engine and family: one number for each pair."""
    engine: Index
    family: Index
    study: Index
    """-1: the reference."""


@dataclass(frozen=True, eq=False)
class LayerTimes:
    """Alpha of every cell (engine and accelerator family)."""

    log_s: Array
    """Mean of log alpha, (cells,)."""
    log_sd: Array
    """Its standard error."""
    groups: Index
    """Groups of runs of the cell itself, (cells,)."""
    without: Array
    """Log alpha of a run's cell if its whole group takes no share, (n,)."""


def fit_layer_times(*, measured_s: Array, rest_s: Array, per_layer: Array, origins: Origins) -> LayerTimes:
    """Alpha of the cells of `origins` from runs that took measured = rest + alpha per_layer; (n,) each.

    `rest_s` is the predicted time without the fixed part, `per_layer` how often a run pays alpha. Every group of every study is
    fitted alone (Huber loss over a grid), and knows its alpha the less, the smaller the fixed part and the worse the fit. Their
    logarithms are those of the prior and of what engine, family, pair and study add, all normal (SHARES): best linear unbiased
    prediction. Source: formula S17; Rasmussen and Williams 2006, eq. 2.25.
    """
    usable = np.isfinite(measured_s) & np.isfinite(rest_s) & (per_layer > 0.0)
    units = origins.group * (int(origins.study.max(initial=0)) + 2) + origins.study + 1
    numbers, first = np.unique(units[usable], return_index=True)
    found = [_one_group(measured_s[rows], rest_s[rows], per_layer[rows]) for rows in _rows_of(units, usable, numbers)]
    log_s, own_variance = np.array(found, dtype=np.float64).reshape(-1, 2).T
    taught = np.flatnonzero(usable)[first]
    cells, at = np.unique(origins.cell, return_index=True)
    noise = _alike(origins.study, taught, taught) * (origins.study[taught] >= 0) * SHARES.study
    noise = noise + np.diag(SHARES.group + own_variance)
    between, prior = _shared(origins, at, taught), float(np.log(PRIOR_LAYER_S))
    covariance = _shared(origins, taught, taught) + noise
    # A group that its relatives contradict is believed less.
    inverse = np.linalg.inv(covariance) if len(taught) else covariance
    contradicted = np.abs(inverse @ (log_s - prior)) / np.sqrt(np.diag(inverse)) / DOUBTED
    covariance = covariance + np.diag((SHARES.group + own_variance) * (np.maximum(contradicted, 1.0) ** 2 - 1.0))

    def predicted(rows: Array, known: NDArray[np.bool_]) -> tuple[Array, Array]:
        weights = np.linalg.solve(covariance[np.ix_(known, known)], rows[:, known].T)
        total = SHARES.all + SHARES.engine + SHARES.family + SHARES.cell
        variance = total - (rows[:, known] * weights.T).sum(axis=1)
        return prior + (log_s[known] - prior) @ weights, np.sqrt(np.maximum(variance, 0.0))

    everything = np.ones(len(taught), dtype=np.bool_)
    of_cell, sd = predicted(between, everything)
    without = of_cell[np.searchsorted(cells, origins.cell)]
    for group in np.unique(origins.group[taught]):
        mine = origins.group == group
        row = _shared(origins, np.flatnonzero(mine)[:1], taught)
        without[mine] = predicted(row, origins.group[taught] != group)[0]
    taught_cells = np.unique(np.column_stack([origins.cell[taught], origins.group[taught]]), axis=0)[:, 0]
    return LayerTimes(log_s=of_cell, log_sd=sd, groups=np.bincount(taught_cells, minlength=len(cells)), without=without)


def _shared(origins: Origins, one: Index, other: Index) -> Array:
    """Covariance of the log alphas that cells at rows `one` and `other` are expected to have."""
    return (
        SHARES.all
        + SHARES.engine * _alike(origins.engine, one, other)
        + SHARES.family * _alike(origins.family, one, other)
        + SHARES.cell * _alike(origins.cell, one, other)
    )


def _alike(codes: Index, one: Index, other: Index) -> Array:
    return np.equal.outer(codes[one], codes[other]).astype(np.float64)


def _rows_of(groups: Index, usable: NDArray[np.bool_], numbers: Index) -> list[Index]:
    rows = np.flatnonzero(usable)
    order = rows[np.argsort(groups[rows], kind="stable")]
    return np.split(order, np.searchsorted(groups[order], numbers[1:])) if len(numbers) else []


def _one_group(measured_s: Array, rest_s: Array, per_layer: Array) -> tuple[float, float]:
    """Log alpha of one group at the least Huber loss of log errors over the grid, and the variance with which it is known."""
    fixed_s = np.exp(GRID)[:, None] * per_layer
    error = np.abs(np.log(measured_s / (rest_s + fixed_s))) / TYPICAL_ERROR
    best = int(np.where(error < 1.0, 0.5 * error**2, error - 0.5).sum(axis=1).argmin())
    share = float(np.median(fixed_s[best] / (rest_s + fixed_s[best])))
    left = max(float(np.median(error[best])), 1.0) * TYPICAL_ERROR
    prior = float(np.log(PRIOR_LAYER_S))
    log_s = min(max(float(GRID[best]), prior - FARTHEST), prior + FARTHEST)
    return log_s, (left / share) ** 2 / min(len(measured_s), MOST_RUNS)


def _weights(runs: Index) -> Array:
    return runs / (runs + HALF_RUNS)


def _weighted_median(values: Array, weight: Array) -> float:
    """The least value up to which half of the weight lies; the middle of two where it is met exactly."""
    order = np.argsort(values)
    reached, half = np.cumsum(weight[order]), 0.5 * weight.sum()
    place = int(np.searchsorted(reached, half * (1.0 - 1e-12)))
    if np.isclose(reached[place], half) and place + 1 < len(order):
        return float(values[order[place : place + 2]].mean())
    return float(values[order[place]])


def offsets(*, error: Array, groups: Index, classes: Index, count: int, believed: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Shrunk median error of each class of load, and of each run's class if its group takes no share: (count,), (n,).

    The median over groups of each group's median, weighted by its runs as alpha is; shrunk to 0 as by SHRUNK_BY groups.
    """
    usable = np.isfinite(error) & believed
    both = classes * (int(groups.max(initial=0)) + 1) + groups
    numbers, first, runs = np.unique(both[usable], return_index=True, return_counts=True)
    median = np.array([np.median(error[rows]) for rows in _rows_of(both, usable, numbers)])
    class_of, group_of = classes[usable][first], groups[usable][first]
    weight = _weights(runs)
    offset, without = np.zeros(count), np.zeros(len(error))
    for number in np.unique(class_of):
        mine = np.flatnonzero(class_of == number)
        offset[number] = _shrunk(median[mine], weight[mine])
        rows = np.flatnonzero(classes == number)
        without[rows] = offset[number]
        for place in mine:
            others = mine[mine != place]
            without[rows[groups[rows] == group_of[place]]] = _shrunk(median[others], weight[others])
    return offset, without


def _shrunk(values: Array, weight: Array) -> float:
    if not len(values):
        return 0.0
    free = float(weight.sum())
    return float(_weighted_median(values, weight) * free / (free + SHRUNK_BY))


def interval_factor(*, error: Array, groups: Index, coverage: float = 0.9, of_groups: float = 0.9) -> float:
    """Factor by which a prediction is multiplied and divided so that it holds a share `coverage` of runs.

    `error`: log errors out of sample. Split-conformal over G groups: the larger of the quantile of all errors at `coverage` and
    that of the errors with equal weight of every group at `of_groups` (G+1)/G, so that a new group is held too; NaN where there
    are too few groups.
    Source: formula S19; Dunn, Wasserman and Ramdas 2022 (pooled CDF).
    """
    known = np.flatnonzero(np.isfinite(error))
    _, place, runs = np.unique(groups[known], return_inverse=True, return_counts=True)
    wanted = of_groups * (len(runs) + 1) / max(len(runs), 1)
    if wanted >= 1.0 or coverage * (len(known) + 1) > len(known):
        return float("nan")
    size = np.abs(error[known])
    order = np.argsort(size)
    held = np.cumsum((1.0 / runs)[place[order]]) / len(runs)
    by_group = min(int(np.searchsorted(held, wanted)), len(order) - 1)
    by_run = int(np.ceil(coverage * (len(known) + 1))) - 1
    return float(np.exp(size[order][max(by_group, by_run)]))
