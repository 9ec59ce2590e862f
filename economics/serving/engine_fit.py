"""The fixed time per layer of each engine and accelerator family, fitted to measured runs, and what the fit leaves over.

Three steps, each shrunk to the one before: alpha of every engine and family from the runs of its groups (log-normal prior,
partial pooling); an offset of every kind of load of an engine; what a group of runs (model, accelerator, engine, precision) and
its near runs share (`numeric.kriging`). Errors are log ratios, measured over predicted. Source: formula S17.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from economics.numeric.kriging import Variances
from economics.units import Array

Index = NDArray[np.int64]

PRIOR_LAYER_S = 71e-6
"""Centre of the log-normal prior of alpha. Source: formula S17."""
PRIOR_LOG_SD = 0.4
"""Its spread between engines and families."""
FARTHEST = 3.0
"""Standard deviations of the prior beyond which a group is not believed: something else than alpha is off."""
TYPICAL_ERROR = 0.1
"""Log error beyond which a run counts as an outlier and pulls no harder (Huber)."""
HALF_RUNS = 60.0
"""Runs with which a group weighs half: runs of one group are points of few curves, and small studies differ in more."""
LEAST_SPREAD = 0.1
"""Log spread between groups of a cell that is taken at least, where there are several."""
GRID = np.log(np.geomspace(2e-6, 2e-3, 139))
"""Log alpha that are tried: 5 % apart."""
SHRUNK_BY = 1.0
"""Groups that an offset of no groups weighs as: the prior at 0."""

VARIANCES = {
    "output_tokens_per_s_per_gpu": Variances(constant=0.02, smooth=0.05, noise=0.003),
    "tpot_p50_s": Variances(constant=0.02, smooth=0.05, noise=0.003),
    "ttft_p50_s": Variances(constant=0.1, smooth=0.2, noise=0.02),
    "ttft_p99_s": Variances(constant=0.1, smooth=0.25, noise=0.05),
}
"""Of the residuals by quantity: a plateau of grouped cross-validation."""


@dataclass(frozen=True, eq=False)
class LayerTimes:
    """Alpha of every cell (engine and accelerator family)."""

    log_s: Array
    """Mean of log alpha, (cells,)."""
    log_sd: Array
    """Its standard error; the prior's where nothing was measured."""
    groups: Index
    """Groups of runs a cell rests on."""
    without: Array
    """Log alpha of a run's cell if its whole group takes no share, (n,)."""


def fit_layer_times(
    *, measured_s: Array, rest_s: Array, per_layer: Array, groups: Index, cells: Index, count: int
) -> LayerTimes:
    """Alpha of `count` cells from runs that took measured = rest + alpha per_layer.

    `rest_s` is the predicted time without the fixed part, `per_layer` how often a run pays alpha; `groups` and `cells` number
    each run's. Every group is fitted alone (Huber loss over a grid); a cell is the median of its groups weighted by their runs,
    so that neither a bad run nor a bad study pulls hard, and shrunk to the log-normal prior. Source: formula S17.
    """
    usable = np.isfinite(measured_s) & np.isfinite(rest_s) & (per_layer > 0.0)
    numbers, first, runs = np.unique(groups[usable], return_index=True, return_counts=True)
    found = np.array(
        [_one_group(measured_s[rows], rest_s[rows], per_layer[rows]) for rows in _rows_of(groups, usable, numbers)]
    )
    cell_of, weight = cells[usable][first], _weights(runs)
    log_s, log_sd = np.full(count, np.log(PRIOR_LAYER_S)), np.full(count, PRIOR_LOG_SD)
    without = np.full(len(groups), np.log(PRIOR_LAYER_S))
    for cell in np.unique(cell_of):
        mine = np.flatnonzero(cell_of == cell)
        log_s[cell], log_sd[cell] = _pooled(found[mine], weight[mine])
        without[cells == cell] = log_s[cell]
        for place in mine:
            others = mine[mine != place]
            without[groups == numbers[place]] = _pooled(found[others], weight[others])[0]
    return LayerTimes(log_s=log_s, log_sd=log_sd, groups=np.bincount(cell_of, minlength=count), without=without)


def _rows_of(groups: Index, usable: NDArray[np.bool_], numbers: Index) -> list[Index]:
    rows = np.flatnonzero(usable)
    order = rows[np.argsort(groups[rows], kind="stable")]
    return np.split(order, np.searchsorted(groups[order], numbers[1:])) if len(numbers) else []


def _one_group(measured_s: Array, rest_s: Array, per_layer: Array) -> float:
    """Log alpha of one group at the least Huber loss of log errors, over the grid."""
    expected = rest_s + np.exp(GRID)[:, None] * per_layer
    error = np.abs(np.log(measured_s / expected)) / TYPICAL_ERROR
    best = float(GRID[np.where(error < 1.0, 0.5 * error**2, error - 0.5).sum(axis=1).argmin()])
    prior = float(np.log(PRIOR_LAYER_S))
    return min(max(best, prior - FARTHEST * PRIOR_LOG_SD), prior + FARTHEST * PRIOR_LOG_SD)


def _pooled(found: Array, weight: Array) -> tuple[float, float]:
    """Weighted median of the groups of a cell, shrunk to the prior, and its standard error."""
    prior = float(np.log(PRIOR_LAYER_S))
    if not len(found):
        return prior, PRIOR_LOG_SD
    middle = _weighted_median(found, weight)
    spread = max(
        1.4826 * _weighted_median(np.abs(found - middle), weight), LEAST_SPREAD if len(found) > 1 else PRIOR_LOG_SD / 2.0
    )
    free = weight.sum()
    precise, belief = free / spread**2, 1.0 / PRIOR_LOG_SD**2
    return (precise * middle + belief * prior) / (precise + belief), float(1.0 / np.sqrt(precise + belief))


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


def interval_factor(*, error: Array, groups: Index, coverage: float = 0.9) -> float:
    """Factor by which a prediction is multiplied and divided so that it holds a share `coverage` of the runs of a new group.

    `error`: log errors out of sample. Split-conformal over G groups: the quantile at coverage (G+1)/G of all errors, with equal
    weight of every group; NaN where there are too few.
    Source: formula S19; Dunn, Wasserman and Ramdas 2022 (pooled CDF).
    """
    known = np.flatnonzero(np.isfinite(error))
    _, place, runs = np.unique(groups[known], return_inverse=True, return_counts=True)
    wanted = coverage * (len(runs) + 1) / max(len(runs), 1)
    if wanted >= 1.0:
        return float("nan")
    size = np.abs(error[known])
    order = np.argsort(size)
    held = np.cumsum((1.0 / runs)[place[order]]) / len(runs)
    return float(np.exp(size[order][min(int(np.searchsorted(held, wanted)), len(order) - 1)]))
