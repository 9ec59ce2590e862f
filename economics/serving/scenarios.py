"""From rows of `core.gpu` and `core.model_shape` to the symbols of serving cost. Light: the command line uses it too."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from economics.serving.deployment import replica_gpus
from economics.serving.step_time import sequence_bytes
from economics.serving.symbols import (
    PLAIN,
    Efficiency,
    Hardware,
    Model,
    Refinements,
)
from economics.units import Real

Facts = Mapping[str, Any]
"""One row of a table by column name."""
Record = TypeVar("Record", Hardware, Model)

CALIBRATION = "default"
"""MFU .5 and MBU .8 until a fit to benchmark outputs replaces them."""

REFERENCE_ENGINE = "torch reference"
"""Engine of steps that were measured alone: a model's arithmetic with nothing around it, so no engine that serves."""

PREFILL_POOL_EFFICIENCY, DECODE_POOL_EFFICIENCY = 0.9, 0.92
"""Rate-match efficiencies that aiconfigurator 0.11 states of itself."""
ACHIEVED_LINK_SHARES = (190.0 / 400.0, 87.0 / 100.0)
"""Achieved over nominal GB/s of KV transfers: Mooncake (FAST'25), Fig. 12, 8x400 and 4x200 Gbps, 40 GB."""
MEASURED_OVERLAP = (0.0681 + 0.2172 - 0.2176) / 0.0681
"""4 decodes, 1,024 prefill tokens, and both in one step (Sarathi-Serve artifact, osdi_table-2_results.csv, Yi-34B, 2 A100)."""

PRECISIONS = ("bf16", "fp8")
BYTES_PER_WEIGHT = {"bf16": 2.0, "fp8": 1.0}
NODE_GPUS = 8
"""GPUs that the scale-up link joins, where no document says it."""
LARGEST_REPLICA_GPUS = 72
"""Engines run no replica over more, however many chips of a pod the link joins."""
LEAST_SEQUENCES = 32.0
"""Running sequences that must fit for a replica to count as having room."""


def model_symbols(shape: Facts, *, precision: str = "bf16") -> Model:
    """Model of a row of `core.model_shape`. KV stays at 2 bytes a value whatever the weights have."""
    value_dim = shape["value_head_dim"] or shape["head_dim"]
    return Model(
        active_parameters=float(shape["active_parameters"]),
        weight_bytes=shape["parameters"] * BYTES_PER_WEIGHT[precision],
        kv_bytes_per_token=float(shape["kv_bytes_per_token"]),
        layers=float(shape["layers"]),
        query_heads=float(shape["query_heads"]),
        head_dim=(shape["head_dim"] + value_dim) / 2.0,  # queries meet keys of one width and values of the other
        hidden=float(shape["hidden"]),
    )


def scale_up_gpus(gpu: Facts) -> int:
    """GPUs of a row of `core.gpu` that one replica can span by the scale-up link."""
    return min(int(gpu.get("scale_up_gpus") or NODE_GPUS), LARGEST_REPLICA_GPUS)


def link_bytes_per_s(gpu: Facts, *, gpus: float) -> float | None:
    """Link that joins a replica of so many GPUs of a row of `core.gpu`: the scale-up link or PCIe, beyond it the network.

    None where no document states it.
    """
    known = gpu["nic_bytes_per_s"] if gpus > scale_up_gpus(gpu) else gpu["scale_up_bytes_per_s"] or gpu["pcie_bytes_per_s"]
    return None if known is None else float(known)


def hardware_symbols(gpu: Facts, *, gpus: float, usd_per_gpu_hour: Real, precision: str = "bf16") -> Hardware:
    """Replica of so many GPUs of a row of `core.gpu`; beyond one node it is linked by the network."""
    return Hardware(
        usd_per_gpu_hour=usd_per_gpu_hour,
        flops_per_s=gpu[f"{precision}_flop_per_s"],
        hbm_bytes_per_s=gpu["hbm_bytes_per_s"],
        hbm_bytes=gpu["hbm_bytes"],
        gpus=gpus,
        link_bytes_per_s=link_bytes_per_s(gpu, gpus=gpus),
    )


def smallest_replica(*, gpu: Facts, model: Model, context_tokens: float, sequences: float = LEAST_SEQUENCES) -> float:
    """Smallest power of two of GPUs on which the model fits with room for the KV of so many sequences."""
    return float(
        replica_gpus(
            weight_bytes=model.weight_bytes,
            sequence_bytes=sequence_bytes(model=model, tokens=context_tokens),
            hbm_bytes=gpu["hbm_bytes"],
            memory_share=Efficiency().memory_share,
            sequences=sequences,
        )
    )


def stacked(records: Sequence[Record], *, axes: int) -> Record:
    """Records of numbers as one of arrays, records on the first axis before so many others.

    A field that some do not state is not stated.
    """
    columns = {field.name: [getattr(one, field.name) for one in records] for field in fields(records[0])}
    stated = {
        name: None if None in values else np.array(values, dtype=np.float64).reshape(-1, *[1] * axes)
        for name, values in columns.items()
    }
    return type(records[0])(**stated)  # type: ignore[arg-type]


def in_words(refinements: Refinements) -> str:
    """Switches that are not at their default, as text."""
    default = vars(PLAIN)
    on = {name: value for name, value in vars(refinements).items() if value != default[name]}
    said = (name if value is True else f"{name} {value:.3g}" for name, value in on.items())
    return ", ".join(said) or "none"
