"""The surface on fitted step times: the engine with most evidence on each GPU, every spread of a replica tried."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from assets.serving.engine_parts import accelerators, family, served_models
from economics.numeric.blocks import map_arrays
from economics.serving.engine_designs import (
    Replica,
    break_even_bandwidth,
    break_even_rate,
    chunked_cost,
    crossing,
    decode_pool_usd,
    least,
    prefill_pool_usd,
    replica,
    unchunked_cost,
)
from economics.serving.engine_time import (
    Device,
    EngineConstants,
    Instance,
    ServedModel,
    Split,
    decode_s,
)
from economics.serving.partition_map import Race, raced
from economics.units import Array

LARGER = (1.0, 2.0, 4.0, 8.0)
"""A replica is the smallest with room or so many times that, as far as the scale-up link joins its GPUs."""
RATIO_LINE = np.geomspace(2.0**-6, 2.0**12, 37)
TPOT_LINE_S = np.geomspace(0.004, 2.0, 28)
"""Places between which a break-even is interpolated."""
NORMAL_90 = 1.6449


class Measured(NamedTuple):
    """What the measured surface needs besides rents: parts of models and accelerators, and the engine of each GPU."""

    models: pl.DataFrame
    devices: pl.DataFrame
    engines: dict[str, dict[str, Any]]


def measured(*, model_shape: pl.DataFrame, model_layer: pl.DataFrame, gpu: pl.DataFrame, engine_run: pl.DataFrame) -> Measured:
    """All frames are of their contracts."""
    engines = engines_of(engine_run, gpu["gpu"])
    return Measured(
        models=served_models(model_shape, model_layer),
        devices=accelerators(gpu),
        engines={row["gpu"]: row for row in engines.iter_rows(named=True)},
    )


def engines_of(runs: pl.DataFrame, gpus: pl.Series) -> pl.DataFrame:
    """The engine of each GPU with most measured times per token on it, else on its family, with alpha and rates reached.

    `runs`: contract `EngineRun`. Columns gpu, engine, layer_s, layer_log_sd, runs, evidence (gpu or family),
    colocated_reached and pools_reached (measured over predicted rate of loads of that kind), pools_evidence (measured, or
    others: pools that were not measured on the family stand to colocation as the middle of those that were).
    """
    plain = runs.filter("usable", ~pl.col("drafts"), pl.col("engine").is_not_null())
    learned = plain.filter(pl.col("tpot_measured").is_not_null())
    of_gpu = learned.group_by("gpu", "engine", "family").agg(runs=pl.len().cast(pl.Int64))
    of_family = learned.group_by("engine", "family").agg(runs=pl.len().cast(pl.Int64))
    asked = pl.DataFrame({"gpu": gpus}).with_columns(family=family())
    columns = ["gpu", "engine", "family", "runs", "evidence"]
    every = pl.concat(
        [
            of_gpu.join(asked, on=["gpu", "family"]).with_columns(evidence=pl.lit("gpu")).select(columns),
            asked.join(of_family, on="family").with_columns(evidence=pl.lit("family")).select(columns),
        ]
    )
    best = every.sort(pl.col("evidence") == "gpu", "runs", "engine", descending=[True, True, False]).unique(
        "gpu", keep="first", maintain_order=True
    )
    return best.join(_rates_reached(plain), on=["engine", "family"], how="left")


def _rates_reached(plain: pl.DataFrame) -> pl.DataFrame:
    """Alpha of each engine and family, and measured over predicted rate of its loads."""
    groups = {
        kind: pl.struct("architecture", "gpu", "precision").filter(pl.col("kind") == kind).n_unique()
        for kind in ("closed", "pools")
    }
    reached = {
        f"{name}_reached": pl.when(groups[kind] >= LEAST_GROUPS).then(
            pl.col("output_offset").filter(pl.col("kind") == kind).first().exp()
        )
        for name, kind in (("colocated", "closed"), ("pools", "pools"))
    }
    cells = plain.group_by("engine", "family").agg(pl.col("layer_s", "layer_log_sd").first(), **reached)
    return cells.with_columns(pl.col("colocated_reached").fill_null(1.0)).with_columns(
        pools_evidence=pl.when(pl.col("pools_reached").is_null()).then(pl.lit("others")).otherwise(pl.lit("measured")),
        pools_reached=pl.coalesce(
            "pools_reached", pl.col("colocated_reached") * (pl.col("pools_reached") / pl.col("colocated_reached")).median(), 1.0
        ),
    )


LEAST_GROUPS = 2
"""Groups of runs from which a rate of an engine's kind of load is believed."""


def replicas_of(of: Sequence[dict[str, Any]], known: Measured, *, axes: int, layer_shift: float = 0.0) -> Replica:
    """Replicas of pairs, pairs on the first axis, spreads on the last, so many axes between.

    `of`: gpu, model, precision, replica_gpus, scale_up_gpus, gpu_usd_per_hour, input_tokens, context_tokens;
    `layer_shift`: standard errors by which alpha is moved.
    """
    pairs = pl.DataFrame(of, infer_schema_length=None)
    models = pairs.join(known.models, on=["model", "precision"], how="left", maintain_order="left")
    devices = pairs.join(known.devices, on=["gpu", "precision"], how="left", maintain_order="left")
    engines = pl.DataFrame([known.engines[name] for name in pairs["gpu"]], infer_schema_length=None)

    def placed(values: pl.Series) -> Array:
        return values.cast(pl.Float64).to_numpy().reshape(-1, *[1] * (axes + 1))

    smallest, widest = placed(pairs["replica_gpus"]), placed(pairs["scale_up_gpus"])
    sparse = placed(models["model_expert_parameters"]) > 0.0
    times = np.array(LARGER * 2)
    parallel = np.repeat([0.0, 1.0], len(LARGER))
    gpus = smallest * times
    offered = (gpus <= np.maximum(widest, smallest)) & ((parallel == 0.0) | (sparse & (gpus > 1.0)))
    log_alpha = np.log(placed(engines["layer_s"])) + layer_shift * placed(engines["layer_log_sd"])
    found = replica(
        Instance(
            model=ServedModel(**{name: placed(models[f"model_{name}"]) for name in ServedModel.__dataclass_fields__}),
            device=Device(**{name: placed(devices[f"device_{name}"]) for name in Device.__dataclass_fields__}),
            split=Split(gpus=gpus, attention_data_parallel=np.broadcast_to(parallel, gpus.shape)),
            constants=EngineConstants(layer_s=np.exp(log_alpha)),
        ),
        usd_per_gpu_hour=placed(pairs["gpu_usd_per_hour"]),
        input_tokens=placed(pairs["input_tokens"]),
        context_tokens=placed(pairs["context_tokens"]),
        colocated_reached=placed(engines["colocated_reached"]),
        pools_reached=placed(engines["pools_reached"]),
    )
    return replace(found, most=np.where(offered, found.most, 0.0))


def fastest_step_s(of: Replica) -> Array:
    """Step of one sequence on the fastest spread, seconds: the tightest bound that anything meets."""
    alone = decode_s(of.instance, sequences=1.0, context_tokens=of.context_tokens)
    return least(alone, np.greater(of.most, 0.0))


class Question(NamedTuple):
    """Axes of a grid in the order of the surface, each an array with the spread's axis last."""

    input_per_output: Array
    arrival_rate_per_s: Array
    kv_bytes_per_s_per_gpu: Array
    tpot_s: Array
    ttft_s: Array


def question(axes: dict[str, Array]) -> Question:
    """Axes of the surface as arrays that broadcast after the pairs' axis and before that of spreads."""
    return Question(*(array[None, ..., None] for array in np.ix_(*axes.values())))


class Costs(NamedTuple):
    """Costs per output token of the designs, $, each of the axes that it depends on."""

    chunked: tuple[Array, Array]
    unchunked: tuple[Array, Array]
    decode: Array
    """Of the decode pool."""
    prefill: Array
    """Of the prefill pool, per input token."""
    kv_tax: Array
    """Per input token."""


def costs(of: Replica, asked: Question) -> Costs:
    """Prefill and decode of the colocated designs, the pools, and the transfer."""
    chunked = chunked_cost(of, input_per_output=asked.input_per_output, ttft_s=asked.ttft_s, tpot_s=asked.tpot_s)
    unchunked = unchunked_cost(of, input_per_output=asked.input_per_output, ttft_s=asked.ttft_s, tpot_s=asked.tpot_s)
    prefill, kv_tax = prefill_pool_usd(
        of,
        arrival_rate_per_s=asked.arrival_rate_per_s,
        kv_bytes_per_s_per_gpu=asked.kv_bytes_per_s_per_gpu,
        ttft_s=asked.ttft_s,
    )
    return Costs(
        (chunked.prefill, chunked.decode),
        (unchunked.prefill, unchunked.decode),
        decode_pool_usd(of, tpot_s=asked.tpot_s),
        prefill,
        kv_tax,
    )


def measured_race(found: Costs, asked: Question) -> Race:
    """Who wins every cell. Source: formula S12."""
    ratio = asked.input_per_output[..., 0]
    return raced(
        unchunked=(*found.unchunked, 0.0),
        chunked=(*found.chunked, 0.0),
        disaggregated=(found.prefill * ratio, found.decode, found.kv_tax * ratio),
    )


def turning_points(of: Replica, found: Costs, asked: Question) -> dict[str, Array]:
    """Break-even of disaggregation against chunked colocation along each axis: 0, inf and NaN as `economics` has them."""
    ratio, colocated = asked.input_per_output[..., 0], sum(found.chunked)
    per_input = found.prefill + found.kv_tax
    with np.errstate(invalid="ignore"):
        affordable = ((colocated - found.decode) / ratio)[..., None]
    rate = break_even_rate(
        of, affordable_usd=affordable, kv_bytes_per_s_per_gpu=asked.kv_bytes_per_s_per_gpu, ttft_s=asked.ttft_s
    )
    bandwidth = break_even_bandwidth(
        of,
        affordable_usd=affordable,
        arrival_rate_per_s=asked.arrival_rate_per_s,
        kv_bytes_per_s_per_gpu=asked.kv_bytes_per_s_per_gpu,
        ttft_s=asked.ttft_s,
    )
    neither = ~np.isfinite(colocated) & ~np.isfinite(found.decode)
    return {
        "input_per_output": _along_ratio(of, found, asked, per_input),
        "arrival_rate_per_s": np.where(neither, np.nan, np.where(np.isfinite(found.decode), rate, np.inf)),
        "kv_bytes_per_s_per_gpu": np.where(neither, np.nan, np.where(np.isfinite(found.decode), bandwidth, np.inf)),
        "tpot_s": _along_tpot(of, asked, per_input),
    }


def _along_ratio(of: Replica, found: Costs, asked: Question, per_input: Array) -> Array:
    line = RATIO_LINE.reshape(-1, *[1] * 5, 1)
    chunked = chunked_cost(
        _lined(of), input_per_output=line[None], ttft_s=asked.ttft_s[:, None], tpot_s=asked.tpot_s[:, None]
    ).usd
    gap = _log_ratio(per_input[:, None] * line[None, ..., 0] + found.decode[:, None], chunked)
    return crossing(np.moveaxis(gap, 1, -1), RATIO_LINE)


def _along_tpot(of: Replica, asked: Question, per_input: Array) -> Array:
    line = TPOT_LINE_S.reshape(-1, *[1] * 5, 1)
    lined, ratio = _lined(of), asked.input_per_output[:, None]
    chunked = chunked_cost(lined, input_per_output=ratio, ttft_s=asked.ttft_s[:, None], tpot_s=line[None]).usd
    decode = decode_pool_usd(lined, tpot_s=line[None])
    gap = _log_ratio((per_input[:, None] * ratio[..., 0]) + decode, chunked)
    return crossing(np.moveaxis(gap, 1, -1), TPOT_LINE_S, below=True)


def _lined(of: Replica) -> Replica:
    """With one more axis after the pairs, for a line."""
    return map_arrays(of, lambda array: np.expand_dims(array, 1))


def _log_ratio(disaggregated: Array, colocated: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.log(disaggregated) - np.log(colocated)
