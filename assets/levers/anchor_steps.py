"""Steps behind published effects of levers: of 4-bit weights on a device, and of drafts with their verification."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from economics.serving.engine_fit import PRIOR_LAYER_S
from economics.serving.engine_time import REAL

Facts = Mapping[str, Any]

AWQ_BYTES = (4.0 + 20.0 / 128.0) / 8.0
"""Bytes of a parameter: 4 bits, and a scale of 16 and a zero of 4 bits for each group of 128. Source: AWQ (2306.00978)."""
LOOKED_UP = ("pld", "lookahead")
"""Systems of Spec-Bench that look drafts up and compute none with a network."""
BENCH = "spec_bench_"
T5_PARAMETERS = {"T5-small": 60e6, "T5-base": 220e6, "T5-large": 770e6}
T5_TARGET = 11e9
"""Parameters as the T5 paper states them (1910.10683)."""
STATED_MOST = 0.05


def read_bytes(shape: Facts) -> tuple[float, float]:
    """Bytes that a step of one sequence reads in 16 bits, and with AWQ, which leaves the head in 16 bits.

    `shape`: a row of `core.model_shape`. No input embedding is read.
    """
    head = 2.0 * shape["vocabulary"] * shape["hidden"]
    body = shape["dense_parameters"] + (shape["expert_parameters"] or 0.0)
    return 2.0 * body + head, AWQ_BYTES * body + head


def awq_byte_ratio(shape: Facts) -> float:
    """Bytes read with AWQ over those in 16 bits: .28 with a vocabulary of 32,000, .32 with one of 128,000 (8B)."""
    wide, narrow = read_bytes(shape)
    return narrow / wide


def step_gain(shape: Facts, *, bytes_per_s: float) -> float:
    """Step of one sequence in 16 bits over that with AWQ. Source: formula S17 at one sequence, KV neglected."""
    fixed_s = PRIOR_LAYER_S * shape["layers"]
    wide_s, narrow_s = (fixed_s + read / (REAL.memory * bytes_per_s) for read in read_bytes(shape))
    return float(wide_s / narrow_s)


def drafted_steps(points: pl.DataFrame) -> dict[str, float]:
    """Pass with its drafts over a plain pass, of each system of the bench that drafts with a network: median of the others.

    `points`: rows of `RoutingPoint` about speculation. A system takes no part in its own figure.
    """
    mine = points.filter(
        pl.col("figure").str.starts_with(BENCH),
        ~pl.any_horizontal(pl.col("figure").str.contains(name) for name in LOOKED_UP),
        pl.col("value").is_not_null(),
        pl.col("tokens_per_pass").is_not_null(),
    )
    ratio = (mine["tokens_per_pass"] / mine["value"]).to_numpy()
    return {figure: float(np.median(np.delete(ratio, place))) for place, figure in enumerate(mine["figure"]) if len(ratio) > 1}


def stated_draft_cost(setting: str) -> tuple[float, str]:
    """Draft pass over target pass where only an upper end is stated: between the ratio of the weights and that end."""
    (name,) = (name for name in T5_PARAMETERS if name in setting)
    least = T5_PARAMETERS[name] / T5_TARGET
    return float(
        np.sqrt(least * STATED_MOST)
    ), f"between its share of the weights, {least:.3f}, and the {STATED_MOST} it is below"
