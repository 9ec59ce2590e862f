"""Step times of real engines as tables: the runs beside the fit, alpha, intervals, and errors out of sample."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.serving.engine_answers import NEAR, SHORT, loads_of, of_load
from assets.serving.engine_fit import LEVELS, Fitted, fit_runs
from assets.serving.engine_names import benchmark_tokens, engine_of, mapped, precision_of
from assets.serving.engine_parts import accelerators, family, served_models
from assets.serving.engine_runs import FEATURES, GROUP, KINDS, QUANTITIES, predicted, with_parts
from economics.serving.engine_fit import interval_factor
from economics.serving.engine_time import DEFAULT
from economics.units import Array
from schemas.base import polars_schema
from schemas.serving import engine_runs as contract
from schemas.serving.benchmark_outputs import EVIDENCE
from warehouse.table import table

GROUP_OF_ASSETS = "serving"
Index = NDArray[np.int64]

CLAIMED = 0.9
OF_GROUPS = 0.8
"""Share that intervals of the time to first token hold averaged over groups: a few studies of few runs are off by hundreds."""
NORMAL_90 = 1.6449
PUBLISHERS = ("inferencex", "mlperf")
"""Formats that are read from their publishers; all other runs without a transcription are the user's."""
ERRORS = {"near": "run", "far": "configuration", "family": "group"}
"""The errors out of sample that the interval of each range is made from."""


@table(schema=contract.EngineRun, group=GROUP_OF_ASSETS, may_be_empty=True)
def engine_run(
    operating_point: pl.DataFrame,
    published_run: pl.DataFrame,
    model_shape: pl.DataFrame,
    model_layer: pl.DataFrame,
    gpu: pl.DataFrame,
) -> pl.DataFrame:
    """Runs of known models on known accelerators, each with what the fit says and how far it is off without it."""
    stored_as = dict(model_shape.select("model", "stored_as").iter_rows())
    runs = runs_of(operating_point, stored_as=stored_as, published=published_run["run_id"])
    parts = with_parts(runs, models=served_models(model_shape, model_layer), devices=accelerators(gpu))
    known = parts.drop_nulls(["model_layers", "device_memory_bytes"]).sort("run_id")
    return beside_fit(known, fit_runs(known))


@table(schema=contract.Calibration, group=GROUP_OF_ASSETS, may_be_empty=True)
def calibration(engine_run: pl.DataFrame) -> pl.DataFrame:
    """One row for each engine and accelerator family among the runs."""
    return calibration_of(engine_run)


@table(schema=contract.PredictionInterval, group=GROUP_OF_ASSETS, may_be_empty=True)
def prediction_interval(engine_run: pl.DataFrame) -> pl.DataFrame:
    """One factor for each quantity and range."""
    return intervals_of(engine_run)


@table(schema=contract.EngineValidation, group=GROUP_OF_ASSETS, may_be_empty=True)
def engine_validation(engine_run: pl.DataFrame, prediction_interval: pl.DataFrame) -> pl.DataFrame:
    """Errors of all runs together and of each group, by what was left out."""
    return validated(engine_run, prediction_interval)


def runs_of(points: pl.DataFrame, *, stored_as: dict[str, str | None], published: pl.Series) -> pl.DataFrame:
    """Measured runs in the words of the fit.

    `points`: contract `OperatingPoint`; `stored_as`: number format of each checkpoint; `published`: ids of published runs.
    """

    def words(
        engine: str | None, precision: str | None, written: str | None, model: str | None
    ) -> tuple[str | None, str, float, float]:
        number_format, _ = precision_of(precision, written, model, stored_as.get(model or ""))
        return engine_of(engine), number_format, *benchmark_tokens(written)

    measured = points.filter(pl.col("basis") != "simulated").drop_nulls(["model_canonical", "gpu_canonical"])
    named = mapped(
        measured.rename({"engine": "engine_written", "precision": "precision_written", "model": "model_written"}),
        ["engine_written", "precision_written", "model_written", "model_canonical"],
        words,
        {"engine": pl.String, "precision": pl.String, "usual_input": pl.Float64, "usual_output": pl.Float64},
    )
    apart = pl.col("architecture").fill_null("") == "disaggregated"
    drafts = ~pl.col("speculative_decoding").fill_null("none").is_in(["none", "", "false", "off"])
    number = pl.Float64
    runs = named.select(
        "run_id",
        "source",
        "engine",
        "precision",
        "dp_attention",
        "prefill_dp_attention",
        "measured_on",
        "engine_version",
        "request_rate_per_s",
        model=pl.col("model_canonical"),
        gpu=pl.col("gpu_canonical"),
        disaggregated=apart,
        drafts=drafts,
        gpus=pl.col("gpus_total").cast(number),
        prefill_gpus=pl.col("gpus_prefill").cast(number),
        decode_gpus=pl.col("gpus_decode").cast(number),
        prefill_workers=pl.col("prefill_workers").cast(number),
        decode_workers=pl.col("decode_workers").cast(number),
        tp=pl.col("tp").cast(number),
        pp=pl.col("pp").cast(number),
        ep=pl.col("ep").cast(number),
        decode_dp_attention=pl.when(apart).then("dp_attention"),
        input_tokens=pl.coalesce("input_tokens_nominal", "input_tokens_mean", "usual_input"),
        output_tokens=pl.coalesce("output_tokens_nominal", "output_tokens_mean", "usual_output"),
        concurrency=pl.when(pl.col("arrival").fill_null("") != "open_loop").then(pl.col("concurrency")),
        requests=pl.col("n_requests").cast(number),
        output_tokens_per_s_per_gpu=pl.col("output_tokens_per_s_per_gpu"),
        tpot_p50_s=pl.coalesce("tpot_p50_s", "tpot_mean_s"),
        ttft_p50_s=pl.coalesce("ttft_p50_s", "ttft_mean_s"),
        ttft_p99_s=pl.col("ttft_p99_s"),
        is_own=~pl.col("source").is_in(PUBLISHERS) & ~pl.col("run_id").is_in(published.implode()),
        counts_decode_gpus=pl.lit(value=False),
        fit_reason=pl.when(~pl.col("basis").is_in(EVIDENCE)).then(pl.format("the run is {}", "basis")),
        polluted=pl.col("starts_polluted").fill_null(value=False) & pl.col("n_requests").is_null() & ~apart,
    ).with_columns(family=family())
    positive = [pl.when(pl.col(name) > 0).then(pl.col(name)).alias(name) for name in QUANTITIES]
    lengths = (pl.col("input_tokens") > 0) & (pl.col("output_tokens") > 0) & pl.any_horizontal(pl.col(QUANTITIES) > 0)
    return runs.with_columns(positive).filter(lengths.fill_null(value=False)).with_columns(_judged()).unique("run_id")


def _judged() -> list[pl.Expr]:
    """`usable` and `why_unused`."""
    why = pl.coalesce(
        "fit_reason",
        pl.when(pl.col("gpus").is_null()).then(pl.lit("how many accelerators served is not stated")),
        pl.when(pl.col("disaggregated") & (pl.col("tp") > pl.col("decode_gpus"))).then(
            pl.lit("how the accelerators of the decode pool are split is not stated: tp is that of the whole system")
        ),
        pl.when("polluted").then(pl.lit("the rate holds the time of starting up: C o / rate is beyond 1.15 of TTFT + o TPOT")),
    )
    return [why.alias("why_unused"), why.is_null().alias("usable")]


def _version_at(day: pl.Expr) -> pl.Expr:
    """Version of the engine in runs of that day; of several the last by name."""
    return pl.col("engine_version").filter(pl.col("measured_on") == day).drop_nulls().max()


def calibration_of(runs: pl.DataFrame) -> pl.DataFrame:
    """Alpha by engine and family, contract `Calibration`. `runs`: contract `EngineRun`."""
    learned = runs.filter("usable")
    reach = NORMAL_90 * pl.col("layer_log_sd")
    return (
        learned.group_by("engine", "family")
        .agg(
            pl.col("layer_s", "layer_log_sd").first(),
            groups=pl.col("cell_groups").first(),
            runs=pl.len().cast(pl.Int64),
            models=pl.col("model").unique().sort().str.join(", "),
            measured_from=pl.col("measured_on").min(),
            measured_to=pl.col("measured_on").max(),
            engine_versions=pl.col("engine_version").drop_nulls().n_unique().cast(pl.Int64),
            version_first=_version_at(pl.col("measured_on").min()),
            version_last=_version_at(pl.col("measured_on").max()),
            most_gpus=pl.col("gpus").max().cast(pl.Int64),
        )
        .with_columns(layer_low_s=pl.col("layer_s") * (-reach).exp(), layer_high_s=pl.col("layer_s") * reach.exp())
        .select(polars_schema(contract.Calibration).names())
        .sort("engine", "family", nulls_last=True)
    )


def intervals_of(runs: pl.DataFrame) -> pl.DataFrame:
    """Factors of intervals, contract `PredictionInterval`. `runs`: contract `EngineRun`."""
    learned = runs.filter("usable")
    rows = [
        row
        for name in QUANTITIES
        for reach in contract.RANGES
        for load in loads_of(name)
        for row in _interval(learned, name, reach, load)
    ]
    return pl.DataFrame(rows, schema=polars_schema(contract.PredictionInterval))


def validated(runs: pl.DataFrame, intervals: pl.DataFrame) -> pl.DataFrame:
    """Errors out of sample (`EngineValidation`) of runs (contract `EngineRun`) and their intervals (`PredictionInterval`)."""
    learned = runs.filter("usable")
    frames = [_validated(learned, intervals, level, name) for level in LEVELS for name in QUANTITIES]
    return pl.concat(frames).select(polars_schema(contract.EngineValidation).names())


def beside_fit(runs: pl.DataFrame, fitted: Fitted) -> pl.DataFrame:
    """Runs with the fit's figures for each, contract `EngineRun`."""
    kind = pl.Series("kind", KINDS, dtype=pl.String).gather(fitted.expected.kind.astype(np.int64))
    default = predicted(runs, layer_s=np.zeros(len(runs)), reached=DEFAULT)
    cell = runs.select("engine", "family").join(
        fitted.cells.with_columns(
            layer_s=pl.Series(np.exp(fitted.layer.log_s)),
            layer_log_sd=pl.Series(fitted.layer.log_sd),
            cell_groups=pl.Series(fitted.layer.groups),
        ),
        on=["engine", "family"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    offsets = (
        runs.select("engine", "family", "drafts")
        .with_columns(kind)
        .join(fitted.classes, on=["engine", "family", "kind", "drafts"], how="left", nulls_equal=True, maintain_order="left")
    )
    columns: dict[str, pl.Series] = {}
    for name, short in SHORT.items():
        with np.errstate(divide="ignore", invalid="ignore"):
            of_default = np.log(fitted.measured[name] / default.quantities[name])
        columns |= {
            f"{short}_measured": pl.Series(fitted.measured[name]),
            f"{short}_expected": pl.Series(fitted.expected.quantities[name]),
            f"{short}_offset": offsets[name],
            f"{short}_weight": pl.Series(fitted.weights[name]),
            **{f"{short}_error_{level}": pl.Series(fitted.errors[name, level]) for level in LEVELS},
            f"{short}_error_default": pl.Series(of_default),
        }
    return (
        runs.with_columns(
            kind,
            *(pl.Series(name, fitted.expected.features[:, place]) for place, name in enumerate(FEATURES)),
            nearest_distance=pl.Series(_nearest_other(fitted, runs["usable"].to_numpy())),
            **{name: cell[name] for name in ("layer_s", "layer_log_sd", "cell_groups")},
            **columns,
        )
        .with_columns(pl.selectors.float().fill_nan(None))
        .select(pl.col(name).cast(dtype) for name, dtype in polars_schema(contract.EngineRun).items())
        .sort("run_id")
    )


def _nearest_other(fitted: Fitted, usable: NDArray[np.bool_]) -> Array:
    """Distance of each run to the nearest other used run of its group; NaN where there is none."""
    features, apart = fitted.expected.features, np.full(len(usable), np.nan)
    for group in np.unique(fitted.groups):
        rows = np.flatnonzero(fitted.groups == group)
        taught = rows[usable[rows]]
        if len(taught) < 2:
            continue
        square = ((features[rows][:, None, :] - features[taught][None, :, :]) ** 2).sum(axis=2)
        square[rows[:, None] == taught[None, :]] = np.inf
        apart[rows] = np.sqrt(square.min(axis=1))
    return apart


def _interval(runs: pl.DataFrame, quantity: str, reach: str, load: str) -> Iterator[dict[str, Any]]:
    """The row of one factor, where there are groups enough for it."""
    short = SHORT[quantity]
    distance = pl.col("nearest_distance")
    of_range = {"near": distance <= NEAR, "far": distance > NEAR, "family": pl.lit(value=True)}[reach]
    found = runs.filter(of_load(load) & of_range & pl.col(f"{short}_error_{ERRORS[reach]}").is_not_null())
    if not found.height:
        return
    error = found[f"{short}_error_{ERRORS[reach]}"].to_numpy()
    groups = found.select(pl.struct(GROUP).rank("dense")).to_series().cast(pl.Int64).to_numpy()
    of_groups = OF_GROUPS if quantity.startswith("ttft") else CLAIMED
    factor = interval_factor(error=error, groups=groups, coverage=CLAIMED, of_groups=of_groups)
    if not np.isfinite(factor):
        return
    inside = np.abs(error) <= np.log(factor)
    numbers = np.unique(groups)
    yield {
        "quantity": quantity,
        "range": reach,
        "load": load,
        "factor": factor,
        "claimed": CLAIMED,
        "held": float(inside.mean()),
        "held_by_group": float(np.mean([inside[groups == number].mean() for number in numbers])),
        "groups": len(numbers),
        "runs": len(error),
    }


def _validated(runs: pl.DataFrame, intervals: pl.DataFrame, level: str, quantity: str) -> pl.DataFrame:
    short = SHORT[quantity]
    load = "low" if quantity.startswith("ttft") else "any"
    of_quantity = intervals.filter(pl.col("quantity") == quantity, pl.col("load") == load)
    factors = dict(of_quantity.select("range", "factor").iter_rows())
    reach = {
        "run": pl.when(pl.col("nearest_distance") <= NEAR).then(pl.lit("near")).otherwise(pl.lit("far")),
        "configuration": pl.lit("far"),
        "group": pl.lit("family"),
    }[level]
    error = pl.col(f"{short}_error_{level}")
    judged = (
        runs.filter(error.is_not_null())
        .filter(of_load(load))
        .with_columns(
            log_factor=reach.replace_strict(factors, default=None, return_dtype=pl.Float64).log(),
            off=((-error).exp() - 1).abs(),
            default_off=((-pl.col(f"{short}_error_default")).exp() - 1).abs(),
            group=pl.struct(GROUP).rank("dense"),
        )
        .with_columns(inside=error.abs() <= pl.col("log_factor"), group_median=pl.col("off").median().over("group"))
    )
    figures = {
        "median_error": pl.col("off").median(),
        "p90_error": pl.col("off").quantile(0.9, "linear"),
        "mean_of_group_medians": (pl.col("group_median") / pl.len().over("group")).sum() / pl.col("group").n_unique(),
        "default_error": pl.col("default_off").median(),
        "held": pl.col("inside").mean(),
        "median_width": (2.0 * pl.col("log_factor")).exp().median(),
        "runs": pl.len().cast(pl.Int64),
        "groups": pl.col("group").n_unique().cast(pl.Int64),
    }
    judged = judged.with_columns(share=1.0 / pl.len().over("group"))
    figures["mean_of_group_medians"] = (pl.col("group_median") * pl.col("share")).sum() / pl.col("share").sum()
    keys = ["engine", "gpu", "architecture", "precision", "kind", "drafts"]
    nothing = [
        pl.lit(None, dtype).alias(name) for name, dtype in polars_schema(contract.EngineValidation).items() if name in keys
    ]
    plain = judged.filter((pl.col("kind") != "pools") & ~pl.col("drafts"))
    parts = [judged.group_by(keys).agg(**figures)]
    parts += [judged.group_by("kind", "drafts").agg(**figures)]
    if plain.height:
        parts += [plain.select(**figures)]
    return pl.concat(
        [
            part.with_columns([one for one in nothing if one.meta.output_name() not in part.columns])
            .with_columns(left_out=pl.lit(level), quantity=pl.lit(quantity))
            .select(sorted(polars_schema(contract.EngineValidation).names()))
            for part in parts
        ]
    ).sort(keys, nulls_last=False)
