"""Runs of serving engines as arrays: what the closed forms of a step need, from rows of runs, model shapes and accelerators.

One row is one system under one load, in the words of the measured runs: counts of accelerators, how they are split, lengths,
and the requests in flight or their rate. What a row leaves open is filled by a stated rule. No answer reads a measured figure.
"""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.serving.engine_systems import (
    Column,
    device_of,
    gpus_of,
    instances_of,
    model_of,
    most_running,
    pool_of,
    work_of,
)
from economics.serving.engine_load import Served, Work, arrivals, closed_loop, disaggregated
from economics.serving.engine_time import REAL, Device, EngineConstants, Reached, ServedModel
from economics.units import Array

RAMP_SHARE = 0.25
"""Share of a wave of requests that a benchmark loses while it starts and ends. Source: formula S18."""
FIRST_TOKEN_STEPS = {("sglang", "blackwell"): 10.0}
"""w: steps a first token waits; 1 elsewhere. Source: formula S18."""
KINDS = ("closed", "offline", "rate", "pools")
"""closed: so many in flight; offline: as many as fit; rate: arrivals; pools: prefill and decode apart."""

COUNTS = ("gpus", "prefill_gpus", "decode_gpus", "prefill_workers", "decode_workers", "tp", "pp", "ep")
FLAGS = ("dp_attention", "prefill_dp_attention", "decode_dp_attention", "disaggregated", "drafts")
LOADS = ("input_tokens", "output_tokens", "concurrency", "request_rate_per_s", "requests")
NAMES = ("model", "gpu", "engine", "precision")
RUN_COLUMNS = (*NAMES, *COUNTS, *FLAGS, *LOADS)
"""What describes a run; any but the names may be NULL."""
GROUP = ("architecture", "gpu", "engine", "precision", "disaggregated")
"""Runs that share these are one group."""
QUANTITIES = ("output_tokens_per_s_per_gpu", "tpot_p50_s", "ttft_p50_s", "ttft_p99_s")
FEATURES = tuple(f"feature_{number}" for number in range(1, 12))


class Predicted(NamedTuple):
    """What the closed forms say of each run, before any correction, (n,) each."""

    quantities: dict[str, Array]
    """By name of QUANTITIES."""
    kind: Array
    """Place in KINDS."""
    load: Array
    """Requests in flight of the system."""
    features: Array
    """What makes runs of one group near to each other, (n, len(FEATURES))."""
    counted_gpus: Array
    """Accelerators that the output rate is divided by."""


def predicted(runs: pl.DataFrame, *, layer_s: Array, reached: Reached = REAL) -> Predicted:
    """The closed forms for each run. `runs`: RUN_COLUMNS and the columns of `with_parts`; `layer_s`: alpha of each, (n,)."""
    pools = runs["disaggregated"].fill_null(value=False).to_numpy()
    stated, rate = runs["concurrency"].is_not_null().to_numpy(), runs["request_rate_per_s"].is_not_null().to_numpy()
    loads = {"pools": pools, "rate": rate & ~stated & ~pools, "loop": ~pools & (stated | ~rate)}
    found = {name: np.full(len(runs), np.nan) for name in (*QUANTITIES, "load", "counted_gpus", "layer_gpus")}
    for load, mine in loads.items():
        if mine.any():
            column = Column(runs if mine.all() else runs.filter(pl.Series(mine)))
            for name, values in _of_load(load, column, layer_s=layer_s[mine], reached=reached).items():
                found[name][mine] = values
    kind = np.select([pools, loads["rate"], ~stated], [3.0, 2.0, 1.0], 0.0)
    column = Column(runs)
    return Predicted(
        quantities={name: found[name] for name in QUANTITIES},
        kind=kind,
        load=found["load"],
        features=_features(column, kind=kind, in_flight=found["load"], layer_gpus=found["layer_gpus"], apart=pools),
        counted_gpus=found["counted_gpus"],
    )


def _of_load(load: str, column: Column, *, layer_s: Array, reached: Reached) -> dict[str, Array]:
    """QUANTITIES, load and GPUs of runs of one kind of load."""
    model, device = model_of(column), device_of(column)
    constants = EngineConstants(
        layer_s=layer_s,
        memory_share_reached=reached.memory,
        flop_share_reached=reached.flop,
        link_share_reached=reached.link,
        first_token_s=reached.first_token_s,
    )
    work = work_of(column)
    system, instances = instances_of(column, model, device, constants)
    most, counted = most_running(system, work), gpus_of(column)
    in_flight = _in_flight(column, most * instances)
    running = np.minimum(in_flight, most * instances)
    if load == "pools":
        served, in_flight, decoding = _pools(column, model, device, constants, work)
        running = in_flight
        counted = np.where(column("counts_decode_gpus") > 0, decoding, counted)
    elif load == "rate":
        rate = column("request_rate_per_s")
        served = arrivals(system, work, requests_per_s=rate, running_most=most, instances=instances)
        in_flight = running = served.running * instances
    else:
        served = closed_loop(system, work, concurrency=in_flight, running_most=most, instances=instances)
    return {
        "output_tokens_per_s_per_gpu": served.output_tokens_per_s * _ramp(column, running) / counted,
        **{name: getattr(served, name) for name in QUANTITIES[1:]},
        "load": in_flight,
        "counted_gpus": counted,
        "layer_gpus": system.split.gpus,
    }


def with_parts(runs: pl.DataFrame, *, models: pl.DataFrame, devices: pl.DataFrame) -> pl.DataFrame:
    """Each run with the parts of its model in its number format, and of its accelerator. Rows keep their order.

    `models`: a row for each model and format (`served_models`); `devices`: one for each GPU and format (`accelerators`).
    """
    steps = pl.DataFrame(
        [
            {"engine": engine, "family": family, "first_token_steps": steps}
            for (engine, family), steps in FIRST_TOKEN_STEPS.items()
        ],
        schema={"engine": pl.String, "family": pl.String, "first_token_steps": pl.Float64},
    )
    if "prefill_gpu" in runs.columns:
        other = devices.rename({name: f"prefill_{name}" for name in devices.columns if name != "precision"})
        asked = runs.with_columns(prefill_gpu=pl.coalesce("prefill_gpu", "gpu"))
        runs = asked.join(other, on=["prefill_gpu", "precision"], how="left", maintain_order="left")
    return (
        runs.join(models, on=["model", "precision"], how="left", maintain_order="left")
        .join(devices, on=["gpu", "precision"], how="left", maintain_order="left")
        .join(steps, on=["engine", "family"], how="left", maintain_order="left")
        .with_columns(pl.col("first_token_steps").fill_null(1.0))
    )


def _in_flight(column: Column, room: Array) -> Array:
    """Requests in flight: as stated, but no more than there are; else all there are, else as many as there is room for."""
    fewest = np.fmin(column("concurrency"), column("requests"))
    return np.maximum(np.where(np.isfinite(fewest), fewest, room), 1.0)


def _pools(
    column: Column, model: ServedModel, device: Device, constants: EngineConstants, work: Work
) -> tuple[Served, Array, Array]:
    """What the two pools of a disaggregated run serve, the requests in flight, and the GPUs of the decode pool."""
    prefill, prefill_workers, _ = pool_of(column, "prefill", model, device, constants)
    decode, decode_workers, decode_gpus = pool_of(column, "decode", model, device, constants)
    most = most_running(decode, work)
    in_flight = _in_flight(column, most * decode_workers)
    served = disaggregated(
        prefill,
        decode,
        work,
        concurrency=in_flight,
        running_most=most,
        prefill_workers=np.where(np.isfinite(column("prefill_gpus")), prefill_workers, np.inf),
        decode_workers=decode_workers,
    )
    return served, in_flight, decode_gpus


def _ramp(column: Column, running: Array) -> Array:
    """Share of the steady rate that a run of so many requests reports."""
    requests = column("requests")
    waves = np.where(np.isfinite(requests), np.maximum(requests, 1.0) / np.minimum(running, np.maximum(requests, 1.0)), np.inf)
    return 1.0 / (1.0 + RAMP_SHARE / waves)


def _features(column: Column, *, kind: Array, in_flight: Array, layer_gpus: Array, apart: NDArray[np.bool_]) -> Array:
    """Logarithms and flags, scaled so that runs a distance of 1 apart still resemble each other."""

    def doublings(name: str) -> Array:
        return np.log2(np.maximum(np.nan_to_num(column(name), nan=1.0), 1.0))

    def flag(name: str) -> Array:
        return np.nan_to_num(column(name))

    workers = np.where(apart, doublings("decode_gpus") - doublings("decode_workers"), np.log2(np.maximum(layer_gpus, 1.0)))
    spread = np.where(apart, doublings("prefill_gpus") - doublings("decode_gpus"), 0.0)
    return np.column_stack(
        [
            np.log2(in_flight) / 3.0,
            np.log2(column("input_tokens")) / 3.0,
            np.log2(column("output_tokens")) / 3.0,
            doublings("gpus") / 2.0,
            workers / 1.5,
            # Two pools have splits of their own: what is stated of the whole is not read there.
            np.where(apart, flag("decode_dp_attention"), 2.0 * flag("dp_attention")),
            (~apart & (np.nan_to_num(column("ep"), nan=1.0) > 1.0)) * 1.0,
            2.0 * flag("drafts"),
            2.0 * kind,
            spread / 1.5,
            np.where(apart, doublings("prefill_workers") - doublings("decode_workers"), 0.0) / 3.0,
        ]
    )
