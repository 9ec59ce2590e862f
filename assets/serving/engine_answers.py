"""Predictions of runs from the published fit: the closed forms, corrected by what was measured near, with intervals.

The way from the tables of the fit to an answer, for every user of a step time: `predict`, decisions, frontiers. To cost
deployments, lay the tables out once with `fit_of`, make a frame of `RUN_COLUMNS` (one row a deployment; NULL is filled by rule)
and `counts_decode_gpus` (false: rates are per GPU of the whole system), and pass both to `answered`. It gives, for M in
QUANTITIES, M_predicted, M_low and M_high (NULL where nothing was measured for the engine and family), `basis`, `nearest_run`,
`distance`. USD per million output tokens are the rent of a GPU-second over output_tokens_per_s_per_gpu_predicted, times 1e6.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.serving.engine_parts import accelerators, family, served_models
from assets.serving.engine_runs import FEATURES, GROUP, KINDS, QUANTITIES, predicted, with_parts
from economics.numeric.kriging import kernel_sums
from economics.numeric.threads import in_parts
from economics.serving.engine_fit import PRIOR_LAYER_S, VARIANCES
from economics.units import Array

Index = NDArray[np.int64]

BASES = ("own", "group", "family", "none")
BASIS_MEANING = (
    "own: runs of your own of this model, accelerator, engine and number format; group: published runs of them; "
    "family: runs of the engine on that family of accelerators; none: no run of the engine on the family"
)
NEAR = 0.5
"""Distance up to which a run of the same group counts as near."""
RANGES = ("near", "far", "family")
SHORT = dict(zip(QUANTITIES, ("output", "tpot", "ttft_p50", "ttft_p99"), strict=True))
"""Beginning of the columns of each quantity in `marts.engine_run`."""
LOW_CONCURRENCY = 8.0
LOW_RATE_PER_S = 5.0
LEAST_ROWS = 20_000
"""Rows for which a second thread pays."""


@dataclass(frozen=True, eq=False)
class Fit:
    """The tables of the fit, laid out for look-up."""

    models: pl.DataFrame
    devices: pl.DataFrame
    cells: pl.DataFrame
    """engine, family, layer_s."""
    classes: pl.DataFrame
    """engine, family, kind, drafts and the offset of each quantity."""
    groups: pl.DataFrame
    """GROUP with first and last place of its runs, whether some are the user's own, and the sum of weights of each quantity."""
    near_cells: pl.DataFrame
    """engine, family with first and last place of its runs in `cell_order`."""
    cell_order: Index
    run_ids: pl.Series
    features: Array
    weights: Array
    intervals: pl.DataFrame


def fit_of(
    *,
    engine_run: pl.DataFrame,
    prediction_interval: pl.DataFrame,
    model_shape: pl.DataFrame,
    model_layer: pl.DataFrame,
    gpu: pl.DataFrame,
) -> Fit:
    """Lay out the tables of the fit. All frames are of their contracts."""
    runs = engine_run.filter("usable").sort([*GROUP, "run_id"])
    placed = runs.with_row_index("place")
    groups = placed.group_by(GROUP, maintain_order=True).agg(
        first=pl.col("place").min().cast(pl.Int64),
        last=pl.col("place").max().cast(pl.Int64) + 1,
        is_own=pl.col("is_own").any(),
        **{f"sum_{short}": pl.col(f"{short}_weight").sum() for short in SHORT.values()},
    )
    by_cell = placed.sort("engine", "family", "place")
    near_cells = (
        by_cell.with_row_index("at")
        .group_by("engine", "family", maintain_order=True)
        .agg(cell_first=pl.col("at").min().cast(pl.Int64), cell_last=pl.col("at").max().cast(pl.Int64) + 1)
    )
    return Fit(
        models=served_models(model_shape, model_layer),
        devices=accelerators(gpu),
        cells=runs.group_by("engine", "family").agg(pl.col("layer_s").first()),
        classes=runs.group_by("engine", "family", "kind", "drafts").agg(
            pl.col(f"{short}_offset").first() for short in SHORT.values()
        ),
        groups=groups,
        near_cells=near_cells,
        cell_order=by_cell["place"].cast(pl.Int64).to_numpy(),
        run_ids=runs["run_id"],
        features=np.ascontiguousarray(runs.select(FEATURES).to_numpy()),
        weights=np.ascontiguousarray(runs.select(f"{short}_weight" for short in SHORT.values()).to_numpy()),
        intervals=prediction_interval,
    )


def answered(runs: pl.DataFrame, fit: Fit) -> pl.DataFrame:
    """Predictions of runs, in their order, one row each.

    `runs`: RUN_COLUMNS and `counts_decode_gpus`. Returns M_predicted, M_low, M_high of each quantity, `kind`, `basis`,
    `nearest_run`, `distance`, `counted_gpus`; NULL where the model, the accelerator or a length is unknown.
    """
    found = (
        with_parts(runs.with_columns(family=family()), models=fit.models, devices=fit.devices)
        .join(fit.cells, on=["engine", "family"], how="left", nulls_equal=True, maintain_order="left")
        .join(fit.groups, on=list(GROUP), how="left", nulls_equal=True, maintain_order="left")
        .join(fit.near_cells, on=["engine", "family"], how="left", nulls_equal=True, maintain_order="left")
    )
    complete = (
        pl.col("model_layers").is_not_null()
        & pl.col("device_memory_bytes").is_not_null()
        & (pl.col("input_tokens") > 0)
        & (pl.col("output_tokens") > 0)
    )
    known = found.select(complete.fill_null(value=False)).to_series()
    rows = np.flatnonzero(known.to_numpy())
    answers = _answered(found.filter(known), fit)
    return (
        pl.DataFrame({"row": np.arange(len(runs))})
        .join(answers.with_columns(row=pl.Series(rows)), on="row", how="left", maintain_order="left")
        .drop("row")
    )


def _answered(found: pl.DataFrame, fit: Fit) -> pl.DataFrame:
    layer_s = found["layer_s"].fill_null(PRIOR_LAYER_S).to_numpy()
    forms = predicted(found, layer_s=layer_s)
    kinds = pl.Series("kind", KINDS, dtype=pl.String).gather(forms.kind.astype(np.int64))
    has_group, has_cell = found["first"].is_not_null().to_numpy(), found["layer_s"].is_not_null().to_numpy()
    sums, distance, nearest = _near(found, forms.features, fit, has_group=has_group, has_cell=has_cell)
    offsets = (
        found.select("engine", "family", pl.col("drafts").fill_null(value=False))
        .with_columns(kinds)
        .join(fit.classes, on=["engine", "family", "kind", "drafts"], how="left", nulls_equal=True, maintain_order="left")
    )
    basis = np.where(has_group, np.where(found["is_own"].fill_null(value=False).to_numpy(), 0, 1), np.where(has_cell, 2, 3))
    reach = np.where(has_group, np.where(distance <= NEAR, 0, 1), 2)
    columns: dict[str, pl.Series | Array] = {"kind": kinds}
    of_kind = found.select("concurrency", "request_rate_per_s", kinds)
    for place, (name, short) in enumerate(SHORT.items()):
        parts = VARIANCES[name]
        constant = np.where(has_group, found[f"sum_{short}"].fill_null(0.0).to_numpy(), 0.0)
        shared = parts.constant * constant + parts.smooth * sums[:, place]
        value = forms.quantities[name] * np.exp(offsets[f"{short}_offset"].fill_null(0.0).to_numpy() + shared)
        loads = np.argmax(of_kind.select(of_load(load).alias(load) for load in loads_of(name)).to_numpy(), axis=1)
        factor = np.where(basis == 3, np.nan, _factors(fit.intervals, name)[loads, reach])
        columns |= {f"{name}_predicted": value, f"{name}_low": value / factor, f"{name}_high": value * factor}
    ids = (
        fit.run_ids.gather(np.maximum(nearest, 0)) if len(fit.run_ids) else pl.Series("run_id", [None] * len(found), pl.String)
    )
    return pl.DataFrame(columns).with_columns(
        pl.selectors.float().fill_nan(None),
        basis=pl.Series(BASES, dtype=pl.String).gather(basis),
        nearest_run=pl.when(pl.Series(nearest >= 0)).then(ids),
        distance=pl.when(pl.Series(nearest >= 0)).then(pl.Series(distance)),
        counted_gpus=pl.Series(forms.counted_gpus),
    )


def _near(
    found: pl.DataFrame, features: Array, fit: Fit, *, has_group: NDArray[np.bool_], has_cell: NDArray[np.bool_]
) -> tuple[Array, Array, Index]:
    """Kernel sums over the runs of each row's group, and the nearest run: of the group, else of the engine and family."""
    count = len(found)
    sums, distance, nearest = np.zeros((count, len(SHORT))), np.full(count, np.inf), np.full(count, -1, dtype=np.int64)
    features = np.ascontiguousarray(features)
    ends = {name: found[name].fill_null(0).to_numpy() for name in ("first", "last", "cell_first", "cell_last")}

    def of_group(part: slice) -> None:
        kernel_sums(
            features[part],
            ends["first"][part],
            ends["last"][part],
            fit.features,
            fit.weights,
            sums[part],
            distance[part],
            nearest[part],
        )

    in_parts(count, of_group, least=LEAST_ROWS)
    rest = np.flatnonzero(~has_group & has_cell)
    if len(rest):
        unused, apart, place = np.zeros((len(rest), 1)), np.full(len(rest), np.inf), np.full(len(rest), -1, dtype=np.int64)
        ordered = fit.features[fit.cell_order]
        first, last, wanted = ends["cell_first"][rest], ends["cell_last"][rest], features[rest]
        nothing = np.zeros((len(ordered), 1))

        def of_cell(part: slice) -> None:
            kernel_sums(wanted[part], first[part], last[part], ordered, nothing, unused[part], apart[part], place[part])

        in_parts(len(rest), of_cell, least=LEAST_ROWS)
        distance[rest], nearest[rest] = apart, np.where(place >= 0, fit.cell_order[np.maximum(place, 0)], -1)
    return sums, distance, nearest


def loads_of(quantity: str) -> tuple[str, ...]:
    """Loads that have intervals of their own: a queue decides the time to first token, and each kind of load has its own."""
    return ("low", *KINDS) if quantity.startswith("ttft") else ("any",)


def of_load(load: str) -> pl.Expr:
    """Whether a run, with its `kind`, is of a load: low (up to 8 in flight or 5 a second, no pools), else its kind; or any."""
    kind = pl.col("kind")
    low = (pl.col("concurrency") <= LOW_CONCURRENCY).fill_null(value=False) | (
        (pl.col("request_rate_per_s") <= LOW_RATE_PER_S).fill_null(value=False) & pl.col("concurrency").is_null()
    )
    low = low & kind.is_in(["closed", "rate"])
    return low if load == "low" else pl.lit(value=True) if load == "any" else ~low & (kind == load)


def _factors(intervals: pl.DataFrame, quantity: str) -> Array:
    """Factor of the interval of a quantity, (loads, RANGES); NaN where it is not known."""
    rows = intervals.filter(pl.col("quantity") == quantity).select("load", "range", "factor").iter_rows()
    factors = {(load, reach): factor for load, reach, factor in rows}
    return np.array([[factors.get((load, reach), np.nan) for reach in RANGES] for load in loads_of(quantity)], dtype=np.float64)
