"""Step times fitted to measured runs: alpha by engine and family, what loads and groups share, and errors out of sample."""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.serving.engine_runs import GROUP, KINDS, QUANTITIES, Predicted, predicted
from economics.numeric.kriging import Kriged, krige, left_out, left_out_alone
from economics.serving.engine_fit import VARIANCES, LayerTimes, Origins, fit_layer_times, offsets
from economics.units import Array

Index = NDArray[np.int64]

CELL = ("engine", "family")
LOAD_CLASS = ("engine", "family", "kind", "drafts")
CONFIGURATION = (*GROUP, "gpus", "tp", "pp", "ep", "dp_attention", "prefill_gpus", "decode_gpus", "decode_tp", "drafts", "kind")
REFERENCE = "inferencex"
"""Study on hosts that are set up for it, with versions and thousands of runs: alpha is that of systems like these."""
PROBE_S = 1e-4
"""Alpha at which predictions are compared with those at 0: a step is linear in it."""
OUTLIER = 3.0
"""Residuals beyond this many typical ones are believed less: their noise grows with the square of what is beyond."""
WILD = 2.5
"""Log errors beyond this are faults of a row, not of the model: they teach nothing, and count as errors all the same."""
LEVELS = ("run", "configuration", "group")
"""What is left out for an error out of sample: a quarter of the group with the run, its configuration, all of its group."""
FOLDS = 4
SEED = 20_261_130
"""The quarters are drawn alike in every refresh."""


class Fitted(NamedTuple):
    """A fit to n runs. Arrays in the order of the runs."""

    layer: LayerTimes
    cells: pl.DataFrame
    """CELL and `cell`, the place in `layer`."""
    classes: pl.DataFrame
    """LOAD_CLASS with the offset of each of QUANTITIES, and `groups` it rests on."""
    groups: Index
    expected: Predicted
    """With alpha of the cell."""
    measured: dict[str, Array]
    weights: dict[str, Array]
    """Dual weights of the runs, of each quantity."""
    errors: dict[tuple[str, str], Array]
    """Log errors out of sample by quantity and level."""


def fit_runs(runs: pl.DataFrame) -> Fitted:
    """Fit measured runs.

    `runs`: RUN_COLUMNS, parts of model and accelerator (`with_parts`), `family`, QUANTITIES as measured, and `usable`: false
    for runs that no fit believes.
    """
    runs = runs.with_row_index("row")
    cells = _numbered(runs, CELL)
    cell, group = _number_of(runs, CELL, cells), _codes(runs, GROUP)
    measured = {name: runs[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in QUANTITIES}
    usable = runs["usable"].to_numpy()
    flat, probed = (predicted(runs, layer_s=np.full(len(runs), alpha)) for alpha in (0.0, PROBE_S))
    plain = usable & (flat.kind == 0) & (runs["drafts"].fill_null(value=False).to_numpy() == 0)
    tpot = np.where(plain, measured["tpot_p50_s"], np.nan)
    rest = flat.quantities["tpot_p50_s"]
    layer = fit_layer_times(
        measured_s=tpot,
        rest_s=rest,
        per_layer=(probed.quantities["tpot_p50_s"] - rest) / PROBE_S,
        origins=Origins(
            group=group,
            cell=cell,
            engine=_codes(runs, ("engine",)),
            family=_codes(runs, ("family",)),
            study=np.where(runs["source"].to_numpy() == REFERENCE, -1, _codes(runs, ("source",))),
        ),
    )
    expected = predicted(runs, layer_s=np.exp(layer.log_s)[cell])
    without = predicted(runs, layer_s=np.exp(layer.without))
    kinds = pl.Series("kind", KINDS).gather(expected.kind.astype(np.int64))
    classed = runs.with_columns(kinds)
    classes = _numbered(classed, LOAD_CLASS)
    number = _number_of(classed, LOAD_CLASS, classes)
    configuration = _codes(classed, CONFIGURATION)
    folds = np.random.default_rng(SEED).integers(0, FOLDS, len(runs))
    weights, errors = {}, {}
    for name in QUANTITIES:
        error = _log_ratio(measured[name], expected.quantities[name])
        believed = usable & (np.abs(error) < WILD)
        offset, offset_without = offsets(error=error, groups=group, classes=number, count=classes.height, believed=believed)
        residual = np.where(believed, error - offset[number], np.nan)
        fit = _robust(residual, groups=group, features=expected.features, name=name)
        weights[name] = fit.weights
        for level, parts in (("run", folds), ("configuration", configuration)):
            held = left_out(fit, parts=parts)
            errors[name, level] = np.where(believed, held, error - offset[number])
        errors[name, "group"] = _log_ratio(measured[name], without.quantities[name]) - offset_without
        classes = classes.with_columns(pl.Series(name, offset))
    return Fitted(layer, cells, classes, group, expected, measured, weights, errors)


def _robust(residual: Array, *, groups: Index, features: Array, name: str) -> Kriged:
    """Krige twice: the second time points that the others contradict have more noise."""
    share = np.ones(len(residual))
    first = krige(residual=residual, groups=groups, features=features, variances=VARIANCES[name], noise_share=share)
    held = np.abs(left_out_alone(first))
    typical = OUTLIER * 1.4826 * np.nanmedian(held) if np.isfinite(held).any() else np.inf
    share = np.maximum(1.0, np.nan_to_num(held / typical) ** 2)
    return krige(residual=residual, groups=groups, features=features, variances=VARIANCES[name], noise_share=share)


def _log_ratio(measured: Array, expected: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(measured / expected)
    return np.where(np.isfinite(ratio), ratio, np.nan)


def _numbered(frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    return frame.select(columns).unique(maintain_order=True)


def _number_of(frame: pl.DataFrame, columns: tuple[str, ...], numbered: pl.DataFrame) -> Index:
    joined = frame.select(columns).join(
        numbered.with_row_index("number"), on=list(columns), how="left", nulls_equal=True, maintain_order="left"
    )
    return joined["number"].cast(pl.Int64).to_numpy()


def _codes(frame: pl.DataFrame, columns: tuple[str, ...]) -> Index:
    """Number of the group of each row, from 0."""
    present = tuple(column for column in columns if column in frame.columns)
    return _number_of(frame, present, _numbered(frame, present))
