"""Runs of serving engines as arrays: what the closed forms of a step need, from rows of runs, model shapes and accelerators.

One row is one system under one load, in the words of the measured runs: counts of accelerators, how they are split, lengths,
and the requests in flight or their rate. What a row leaves open is filled by a stated rule. No answer reads a measured figure.
"""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from economics.serving.engine_load import PREFILL_BATCH_TOKENS, Served, arrivals, closed_loop, disaggregated
from economics.serving.engine_time import (
    REAL,
    Device,
    EngineConstants,
    Instance,
    Reached,
    ServedModel,
    Split,
    most_sequences,
    prefill_s,
)
from economics.units import Array, Real

SEQUENCES_MOST = 1024.0
"""Sequences that a scheduler runs at once unless told otherwise."""
GPUS_OF_A_SCHEDULER = 8.0
"""GPUs of data-parallel attention that one such scheduler serves: each GPU has its own sequences."""
LEAST_SEQUENCES = 16.0
"""Sequences taken where the stated memory leaves room for none: the row says that it runs."""
ROOM = 1.25
"""Weights times this must fit into the accelerators of an instance whose size is not stated."""
DRAFT_TOKENS_PER_STEP = 1.0 / 0.7
"""Tokens a step keeps with drafts, where nothing nearer is measured. Source: formula S18 (MTP)."""
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
            column = _Column(runs if mine.all() else runs.filter(pl.Series(mine)))
            for name, values in _of_load(load, column, layer_s=layer_s[mine], reached=reached).items():
                found[name][mine] = values
    kind = np.select([pools, loads["rate"], ~stated], [3.0, 2.0, 1.0], 0.0)
    column = _Column(runs)
    return Predicted(
        quantities={name: found[name] for name in QUANTITIES},
        kind=kind,
        load=found["load"],
        features=_features(column, kind=kind, in_flight=found["load"], layer_gpus=found["layer_gpus"], apart=pools),
        counted_gpus=found["counted_gpus"],
    )


def _of_load(load: str, column: "_Column", *, layer_s: Array, reached: Reached) -> dict[str, Array]:
    """QUANTITIES, load and GPUs of runs of one kind of load."""
    model, device = _model(column), _device(column)
    constants = EngineConstants(
        layer_s=layer_s,
        memory_share_reached=reached.memory,
        flop_share_reached=reached.flop,
        link_share_reached=reached.link,
        first_token_s=reached.first_token_s,
    )
    tokens = {
        "input_tokens": column("input_tokens"),
        "output_tokens": column("output_tokens"),
        "tokens_per_step": np.where(column("drafts") > 0, DRAFT_TOKENS_PER_STEP, 1.0),
        "first_token_steps": column("first_token_steps"),
    }
    system, instances = _instances(column, model, device, constants)
    most = _most(system, tokens["input_tokens"], tokens["output_tokens"])
    in_flight, counted = _in_flight(column, most * instances), _gpus(column)
    if load == "pools":
        served, decoding = _pools(column, model, device, constants, in_flight=in_flight, load=tokens)
        counted = np.where(column("counts_decode_gpus") > 0, decoding, counted)
    elif load == "rate":
        rate = column("request_rate_per_s")
        served = arrivals(system, requests_per_s=rate, running_most=most, instances=instances, **tokens)
        in_flight = served.running * instances
    else:
        served = closed_loop(system, concurrency=in_flight, running_most=most, instances=instances, **tokens)
    return {
        "output_tokens_per_s_per_gpu": served.output_tokens_per_s * _ramp(column, in_flight) / counted,
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
    return (
        runs.join(models, on=["model", "precision"], how="left", maintain_order="left")
        .join(devices, on=["gpu", "precision"], how="left", maintain_order="left")
        .join(steps, on=["engine", "family"], how="left", maintain_order="left")
        .with_columns(pl.col("first_token_steps").fill_null(1.0))
    )


class Room(NamedTuple):
    """What bounds a system besides the speed of its passes, (n,) each."""

    sequences: Array
    """Sequences that one instance, or one decode worker, runs at once: memory and scheduler; below 1 the model does not fit."""
    instances: Array
    """Instances, or decode workers."""
    prefillers: Array
    """Servers of one queue for prefill: the prefill workers of pools; 1 where each instance has a queue of its own."""
    prompt_s: Array
    """Work of one prompt at a busy prefill server, without the decode steps between."""
    prompts_at_once: Array
    """Prompts that a busy prefill server takes in one pass."""


def room(runs: pl.DataFrame, *, layer_s: Array) -> Room:
    """Memory and prefill of each system. `runs`, `layer_s`: as of `predicted`; loads are not read."""
    column = _Column(runs)
    model, device, constants = _model(column), _device(column), EngineConstants(layer_s=layer_s)
    inputs, outputs = column("input_tokens"), column("output_tokens")
    pools = column("disaggregated") > 0
    whole, instances = _instances(column, model, device, constants)
    (prefill, prefill_workers, _), (decode, decode_workers, _) = (
        _pool(column, name, model, device, constants) for name in ("prefill", "decode")
    )

    def fits(instance: Instance) -> Real:
        return most_sequences(instance, context_tokens=inputs + outputs / 2.0, most=SEQUENCES_MOST * _schedulers(instance))

    def work_s(instance: Instance) -> Real:
        return prefill_s(instance, prompts=at_once, input_tokens=inputs) / at_once

    at_once = np.maximum(PREFILL_BATCH_TOKENS / inputs, 1.0)
    return Room(
        sequences=np.where(pools, np.where(fits(prefill) < 1.0, 0.0, fits(decode)), fits(whole)),
        instances=np.where(pools, decode_workers, instances),
        prefillers=np.where(pools, prefill_workers, 1.0),
        prompt_s=np.where(pools, work_s(prefill), work_s(whole)),
        prompts_at_once=at_once,
    )


class _Column:
    """Columns of a frame as float arrays; NaN where NULL. Read once each."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        self._read: dict[str, Array] = {}

    def __call__(self, name: str) -> Array:
        if name not in self._read:
            self._read[name] = self._frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        return self._read[name]


def _model(column: _Column) -> ServedModel:
    names = ServedModel.__dataclass_fields__
    return ServedModel(**{name: column(f"model_{name}") for name in names})


def _device(column: _Column) -> Device:
    return Device(**{name: column(f"device_{name}") for name in Device.__dataclass_fields__})


def _instances(column: _Column, model: ServedModel, device: Device, constants: EngineConstants) -> tuple[Instance, Array]:
    """One instance of each run, and how many there are.

    GPUs of a layer are those stated (tensor or expert parallel), else the fewest, as a power of two, that hold the weights.
    What is left over is further instances where they fit, else pipeline stages.
    """
    gpus = _gpus(column)
    weights = model.dense_bytes + model.expert_bytes
    fewest = 2.0 ** np.ceil(np.log2(np.maximum(ROOM * weights / (0.9 * device.memory_bytes), 1.0)))
    stated = np.fmax(column("tp"), np.where(column("ep") > 1, column("ep"), np.nan))
    layer_gpus = np.clip(np.where(np.isfinite(stated), stated, fewest), 1.0, gpus)
    left = np.maximum(gpus / layer_gpus, 1.0)
    piped = np.isfinite(column("pp")) & (column("pp") > 1)
    fits = layer_gpus * 0.9 * device.memory_bytes > weights
    stages = np.where(piped, np.minimum(column("pp"), left), np.where(fits, 1.0, left))
    split = Split(gpus=layer_gpus, stages=stages, attention_data_parallel=np.nan_to_num(column("dp_attention")))
    return Instance(model=model, device=device, split=split, constants=constants), np.maximum(left / stages, 1.0)


def _gpus(column: _Column) -> Array:
    """GPUs of the system: as stated, else what its split needs, else one."""
    split = np.fmax(np.nan_to_num(column("tp"), nan=1.0), np.nan_to_num(column("ep"), nan=1.0))
    needed = split * np.maximum(np.nan_to_num(column("pp"), nan=1.0), 1.0)
    return np.maximum(np.where(np.isfinite(column("gpus")), column("gpus"), needed), 1.0)


def _schedulers(instance: Instance) -> Real:
    return np.maximum(instance.split.attention_data_parallel * instance.split.gpus / GPUS_OF_A_SCHEDULER, 1.0)


def _most(instance: Instance, inputs: Array, outputs: Array) -> Array:
    most = most_sequences(instance, context_tokens=inputs + outputs / 2.0, most=SEQUENCES_MOST * _schedulers(instance))
    return np.where(most < 1.0, LEAST_SEQUENCES, most)


def _in_flight(column: _Column, room: Array) -> Array:
    """Requests in flight: as stated, but no more than there are; else all there are, else as many as there is room for."""
    fewest = np.fmin(column("concurrency"), column("requests"))
    return np.maximum(np.where(np.isfinite(fewest), fewest, room), 1.0)


def _pools(
    column: _Column, model: ServedModel, device: Device, constants: EngineConstants, *, in_flight: Array, load: dict[str, Array]
) -> tuple[Served, Array]:
    """What the two pools of a disaggregated run serve, and the GPUs of the decode pool."""

    prefill, prefill_workers, _ = _pool(column, "prefill", model, device, constants)
    decode, decode_workers, decode_gpus = _pool(column, "decode", model, device, constants)
    served = disaggregated(
        prefill,
        decode,
        concurrency=in_flight,
        running_most=_most(decode, load["input_tokens"], load["output_tokens"]),
        prefill_workers=np.where(np.isfinite(column("prefill_gpus")), prefill_workers, np.inf),
        decode_workers=decode_workers,
        **load,
    )
    return served, decode_gpus


def _pool(
    column: _Column, name: str, model: ServedModel, device: Device, constants: EngineConstants
) -> tuple[Instance, Array, Array]:
    """A worker of the pool `prefill` or `decode`, how many there are, and the GPUs of all."""
    gpus = np.nan_to_num(column(f"{name}_gpus"), nan=1.0)
    gpus = np.maximum(np.where(gpus > 0, gpus, np.nan_to_num(column("gpus"), nan=1.0)), 1.0)
    workers = np.clip(np.nan_to_num(column(f"{name}_workers"), nan=1.0), 1.0, gpus)
    split = Split(gpus=gpus / workers, attention_data_parallel=np.nan_to_num(column(f"{name}_dp_attention")))
    return Instance(model=model, device=device, split=split, constants=constants), workers, gpus


def _ramp(column: _Column, in_flight: Array) -> Array:
    """Share of the steady rate that a run of so many requests reports."""
    requests = column("requests")
    waves = np.where(
        np.isfinite(requests), np.maximum(requests, 1.0) / np.minimum(in_flight, np.maximum(requests, 1.0)), np.inf
    )
    return 1.0 / (1.0 + RAMP_SHARE / waves)


def _features(column: _Column, *, kind: Array, in_flight: Array, layer_gpus: Array, apart: NDArray[np.bool_]) -> Array:
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
            2.0 * flag("dp_attention") + flag("decode_dp_attention"),
            (np.nan_to_num(column("ep"), nan=1.0) > 1.0) * 1.0,
            2.0 * flag("drafts"),
            2.0 * kind,
            spread / 1.5,
            np.where(apart, doublings("prefill_workers") - doublings("decode_workers"), 0.0) / 3.0,
        ]
    )
