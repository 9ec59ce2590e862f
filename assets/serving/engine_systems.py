"""Systems of a frame as arrays: models, accelerators and splits as the closed forms of a step take them.

What a row leaves open is filled by a stated rule. Columns of OPTIONS may be absent.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from assets.serving.engine_parts import NODE_GPUS
from economics.serving.engine_load import PREFILL_BATCH_TOKENS, Work
from economics.serving.engine_time import Device, EngineConstants, Instance, ServedModel, Split, most_sequences, prefill_s
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
DRAFT_STEP_SHARE = 0.05
"""What one drafted token costs, as a share of a plain step, unless stated: a draft head of one layer. Source: formula S18."""
OPTIONS = ("prefix_hit_share", "draft_tokens", "draft_acceptance", "kv_bytes_factor", "prefill_gpu")
"""What else may describe a system: share of the prompt found in the prefix cache; drafts of a step and the probability that
one is accepted; KV bytes over those of 16 bits; another accelerator for the prefill pool."""


class Column:
    """Columns of a frame as float arrays; NaN where NULL. Read once each."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        self._read: dict[str, Array] = {}

    def has(self, name: str) -> bool:
        """Whether there is such a column."""
        return name in self._frame.columns

    def __call__(self, name: str) -> Array:
        if name in OPTIONS and not self.has(name):
            return np.full(self._frame.height, np.nan)
        if name not in self._read:
            self._read[name] = self._frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        return self._read[name]


def model_of(column: Column) -> ServedModel:
    """The models of a frame."""
    fields = {name: column(f"model_{name}") for name in ServedModel.__dataclass_fields__}
    factor = column("kv_bytes_factor")
    fields["kv_bytes_per_layer"] = fields["kv_bytes_per_layer"] * np.where(np.isfinite(factor), factor, 1.0)
    return ServedModel(**fields)


def device_of(column: Column, *, of: str = "device") -> Device:
    """The accelerators of a frame: those of all, or with `of` prefill_device those of the prefill pool."""
    return Device(**{name: column(f"{of}_{name}") for name in Device.__dataclass_fields__})


def instances_of(column: Column, model: ServedModel, device: Device, constants: EngineConstants) -> tuple[Instance, Array]:
    """One instance of each run, and how many there are.

    GPUs of a layer are those stated (tensor or expert parallel), else the fewest, as a power of two, that hold the weights.
    What is left over is further instances where they fit, else pipeline stages.
    """
    gpus = gpus_of(column)
    weights = model.dense_bytes + model.expert_bytes
    fewest = 2.0 ** np.ceil(np.log2(np.maximum(ROOM * weights / (0.9 * device.memory_bytes), 1.0)))
    stated = np.fmax(column("tp"), np.where(column("ep") > 1, column("ep"), np.nan))
    layer_gpus = np.clip(np.where(np.isfinite(stated), stated, fewest), 1.0, gpus)
    left = np.maximum(gpus / layer_gpus, 1.0)
    piped = np.isfinite(column("pp")) & (column("pp") > 1)
    fits = layer_gpus * 0.9 * device.memory_bytes > weights
    stages = np.where(piped, np.minimum(column("pp"), left), np.where(fits, 1.0, left))
    parallel = _data_parallel(column("dp_attention"), layer_gpus, model)
    split = Split(gpus=layer_gpus, stages=stages, attention_data_parallel=parallel)
    return Instance(model=model, device=device, split=split, constants=constants), np.maximum(left / stages, 1.0)


def _data_parallel(stated: Array, gpus: Array, model: ServedModel) -> Array:
    """1 where attention is data parallel: as stated, else where experts are spread over more GPUs than a node has."""
    wide = np.greater(gpus, NODE_GPUS) & np.greater(model.expert_parameters, 0.0)
    return np.where(np.isfinite(stated), stated, np.where(wide, 1.0, 0.0))


def gpus_of(column: Column) -> Array:
    """GPUs of the system: as stated, else what its split needs, else one."""
    split = np.fmax(np.nan_to_num(column("tp"), nan=1.0), np.nan_to_num(column("ep"), nan=1.0))
    needed = split * np.maximum(np.nan_to_num(column("pp"), nan=1.0), 1.0)
    return np.maximum(np.where(np.isfinite(column("gpus")), column("gpus"), needed), 1.0)


def _schedulers(instance: Instance) -> Real:
    return np.maximum(instance.split.attention_data_parallel * instance.split.gpus / GPUS_OF_A_SCHEDULER, 1.0)


def most_running(instance: Instance, work: Work) -> Array:
    """Sequences an instance runs at once; LEAST_SEQUENCES where the stated memory leaves room for none."""
    most = most_sequences(instance, context_tokens=work.context_tokens, most=SEQUENCES_MOST * _schedulers(instance))
    return np.where(most < 1.0, LEAST_SEQUENCES, most)


def work_of(column: Column) -> Work:
    """What requests ask for. Stated drafts cost their drafting and verifying; others save what they do in the mean."""
    drafts, accepted = np.nan_to_num(column("draft_tokens")), np.nan_to_num(column("draft_acceptance"))
    stated = drafts > 0.0
    kept = np.where(
        accepted < 1.0, (1.0 - accepted ** (drafts + 1.0)) / (1.0 - np.minimum(accepted, 1.0 - 1e-12)), drafts + 1.0
    )
    usual = np.where(column("drafts") > 0, DRAFT_TOKENS_PER_STEP, 1.0)
    return Work(
        input_tokens=column("input_tokens"),
        output_tokens=column("output_tokens"),
        cached_share=np.nan_to_num(column("prefix_hit_share")),
        tokens_per_step=np.where(stated, kept, usual),
        tokens_each=1.0 + drafts,
        draft_share=DRAFT_STEP_SHARE * drafts,
        first_token_steps=column("first_token_steps"),
    )


def pool_of(
    column: Column, name: str, model: ServedModel, device: Device, constants: EngineConstants
) -> tuple[Instance, Array, Array]:
    """A worker of the pool `prefill` or `decode`, how many there are, and the GPUs of all."""
    if name == "prefill" and column.has("prefill_device_memory_bytes"):
        device = device_of(column, of="prefill_device")
    gpus = np.nan_to_num(column(f"{name}_gpus"), nan=1.0)
    gpus = np.maximum(np.where(gpus > 0, gpus, np.nan_to_num(column("gpus"), nan=1.0)), 1.0)
    # Pools share tp and ep with a run that has none: they are of the decode pool.
    split_over = np.fmax(column("tp"), column("ep")) if name == "decode" else np.full_like(gpus, np.nan)
    of_split = np.where(np.greater(split_over, 1.0) & (split_over <= gpus), gpus / np.maximum(split_over, 1.0), 1.0)
    workers = np.clip(np.where(np.isfinite(column(f"{name}_workers")), column(f"{name}_workers"), of_split), 1.0, gpus)
    parallel = _data_parallel(column(f"{name}_dp_attention"), gpus / workers, model)
    split = Split(gpus=gpus / workers, attention_data_parallel=parallel)
    return Instance(model=model, device=device, split=split, constants=constants), workers, gpus


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
    column = Column(runs)
    model, device, constants = model_of(column), device_of(column), EngineConstants(layer_s=layer_s)
    work, pools = work_of(column), column("disaggregated") > 0
    whole, instances = instances_of(column, model, device, constants)
    (prefill, prefill_workers, _), (decode, decode_workers, _) = (
        pool_of(column, name, model, device, constants) for name in ("prefill", "decode")
    )

    def fits(instance: Instance) -> Real:
        return most_sequences(instance, context_tokens=work.context_tokens, most=SEQUENCES_MOST * _schedulers(instance))

    def work_s(instance: Instance) -> Real:
        prompts_s = prefill_s(instance, prompts=at_once, input_tokens=work.input_tokens, cached_share=work.cached_share)
        return prompts_s / at_once

    too_large = np.isfinite(column("prefill_gpus")) & (fits(prefill) < 1.0)  # a decode pool may stand alone
    at_once = np.maximum(PREFILL_BATCH_TOKENS / (work.input_tokens * np.maximum(1.0 - work.cached_share, 1e-3)), 1.0)
    return Room(
        sequences=np.where(pools, np.where(too_large, 0.0, fits(decode)), fits(whole)),
        instances=np.where(pools, decode_workers, instances),
        prefillers=np.where(pools, prefill_workers, 1.0),
        prompt_s=np.where(pools, work_s(prefill), work_s(whole)),
        prompts_at_once=at_once,
    )
