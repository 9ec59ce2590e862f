"""Operating points of levers on fitted step times, and the draw of decode as it was measured."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from assets.serving.engine_parts import EXPERT_BYTES
from assets.serving.measured_surface import engines_of
from economics.levers.operating_point import Power
from economics.serving.engine_fit import PRIOR_LAYER_S
from economics.serving.engine_time import REAL
from economics.serving.scenarios import ACHIEVED_LINK_SHARES, hardware_symbols, model_symbols
from economics.serving.symbols import Contract, Efficiency, Hardware, Model, Refinements, RequestShape, Scenario, Transfer
from economics.units import Real

Facts = Mapping[str, Any]

LEAST_BATCH = 2
"""Sequences up to which a measured decode step only reads: its draw is that of waiting for memory."""


@dataclass(frozen=True)
class Bench:
    """What was measured of step times and power, by GPU."""

    layer_s: Mapping[str, float]
    """alpha of the engine with most evidence; the prior where no engine was measured on the family."""
    memory_shares: Mapping[str, float]
    """Draw of decode that waits for memory over the power limit, of GPUs whose steps were measured."""
    idle_share: float
    """Draw of a GPU without work over its limit, the middle of those measured."""

    @property
    def memory_share(self) -> float:
        """The middle of the measured GPUs, for the others."""
        return float(np.median(list(self.memory_shares.values())))

    def power(self, gpu: Facts) -> Power:
        """Draw of a GPU of `core.gpu`: as measured on it, else the middle share of its limit."""
        limit_w = float(gpu["tdp_w"])
        memory_w = self.memory_shares.get(gpu["gpu"], self.memory_share) * limit_w
        return Power(memory_w=memory_w, compute_w=limit_w, prefill_w=limit_w, limit_w=limit_w, idle_w=self.idle_share * limit_w)


def bench(*, gpu: pl.DataFrame, engine_run: pl.DataFrame, measured_step: pl.DataFrame) -> Bench:
    """All frames are of their contracts."""
    engines = dict(engines_of(engine_run, gpu["gpu"]).select("gpu", "layer_s").iter_rows())
    limited = measured_step.join(gpu.select("gpu", "tdp_w"), on="gpu")
    reads = limited.filter(pl.col("phase") == "decode", pl.col("power_w").is_not_null(), pl.col("batch") <= LEAST_BATCH)
    shares = reads.group_by("gpu").agg((pl.col("power_w") / pl.col("tdp_w")).median().alias("share"))
    return Bench(
        layer_s={name: engines.get(name, PRIOR_LAYER_S) for name in gpu["gpu"]},
        memory_shares=dict(shares.sort("gpu").iter_rows()),
        idle_share=float(limited.select((pl.col("idle_power_w") / pl.col("tdp_w")).median()).item()),
    )


def measured_scenario(
    gpu: Facts,
    shape: Facts,
    measured: Bench,
    *,
    gpus: float,
    usd_per_gpu_hour: Real,
    workload: RequestShape,
    contract: Contract,
) -> Scenario:
    """A question on step times as fitted: a fixed time per layer, shares of the peaks that engines reach, links, experts.

    Source: formula S17, in the symbols of S2 to S6.
    """
    hardware = measured_hardware(gpu, measured, gpus=gpus, usd_per_gpu_hour=usd_per_gpu_hour)
    sparse = bool(shape["expert_parameters"])
    return Scenario(
        hardware=hardware,
        model=_with_experts(model_symbols(shape), shape) if sparse else model_symbols(shape),
        workload=workload,
        contract=contract,
        transfer=Transfer(bandwidth_bytes_per_s=gpu["nic_bytes_per_s"] * gpus),
        efficiency=Efficiency(mfu=REAL.flop, mbu=REAL.memory),
        refinements=Refinements(
            ttft_coupling=True,
            prefill_attention=True,
            decode_compute_bound=True,
            tensor_parallel_communication=gpus > 1.0,
            experts_touched=sparse,
            achieved_link_share=float(np.mean(ACHIEVED_LINK_SHARES)),
        ),
    )


def measured_hardware(gpu: Facts, measured: Bench, *, gpus: float, usd_per_gpu_hour: Real) -> Hardware:
    """A replica whose passes pay the fixed time of each layer, and whose links reach what engines do."""
    nominal = hardware_symbols(gpu, gpus=gpus, usd_per_gpu_hour=usd_per_gpu_hour)
    link = None if nominal.link_bytes_per_s is None else nominal.link_bytes_per_s * REAL.link
    return replace(nominal, layer_s=measured.layer_s.get(gpu["gpu"], PRIOR_LAYER_S), link_bytes_per_s=link)


def _with_experts(model: Model, shape: Facts) -> Model:
    return replace(
        model,
        experts=float(shape["experts"]),
        experts_per_token=float(shape["experts_per_token"]),
        expert_weight_bytes=EXPERT_BYTES["bf16"] * shape["expert_parameters"],
    )
