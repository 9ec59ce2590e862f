"""The GPUs and models of the break-even surface, their replicas, and the axes of its grid."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.serving.engine_parts import DENSE_BYTES, EXPERT_BYTES, FAMILIES, FP8_FOR_MXFP4
from economics.serving.scenarios import Facts, hardware_symbols, model_symbols, scale_up_gpus, smallest_replica
from economics.serving.symbols import Hardware, Model

GPUS = ("a100-80gb-sxm", "h100-sxm", "h200-sxm", "b200-sxm", "b300-sxm", "gb200", "mi300x", "mi355x")
MODELS = (
    "llama-3.1-8b",
    "llama-2-13b",
    "qwen3-32b",
    "yi-34b",
    "llama-3.1-70b",
    "llama-3.1-405b",
    "mixtral-8x7b",
    "qwen3-30b-a3b",
    "gpt-oss-120b",
    "qwen3-235b-a22b",
    "deepseek-v3",
    "kimi-k2",
)
"""Shapes that differ: six dense, six sparse; few and many KV heads, windows, a latent; in the format they are stored in."""
WIDEST_GPUS = 32
"""GPUs of the widest replica that is tried."""

INPUT_TOKENS, CONTEXT_TOKENS = 3500.0, 4096.0
"""Prompt and mean running sequence of the golden values."""
AXES: dict[str, NDArray[np.float64]] = {
    "input_per_output": np.array([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]),
    "arrival_rate_per_s": np.array([4.0, 16.0, 64.0]),
    "kv_bytes_per_s_per_gpu": np.array([3.125e9, 12.5e9, 50e9, 300e9]),
    "tpot_s": np.array([0.015, 0.02, 0.025, 0.03, 0.05, 0.1, 0.2]),
    "ttft_s": np.array([1.0, 5.0]),
}


Pair = tuple[Facts, Facts, Facts]
"""Rows of core.gpu, core.model_shape and core.gpu_price."""


def pairs(gpu: pl.DataFrame, model_shape: pl.DataFrame, gpu_price: pl.DataFrame) -> Iterator[Pair]:
    """GPUs of interest that somebody rents out, each with every model of interest."""
    hardware, shapes, prices = (
        {row[key]: row for row in frame.iter_rows(named=True)}
        for frame, key in ((gpu, "gpu"), (model_shape, "model"), (gpu_price, "gpu"))
    )
    for name in GPUS:
        for model in MODELS:
            if name in hardware and name in prices and model in shapes:
                yield hardware[name], shapes[model], prices[name]


def precision_of(shape: Facts) -> str:
    """The number format a model is served in: that of its own checkpoint where it is an 8- or 4-bit one."""
    if shape["model"].startswith("gpt-oss"):
        return "mxfp4"
    return "fp8" if shape.get("stored_as") == "fp8" else "bf16"


def replica_of(pair: Pair, *, context_tokens: float = CONTEXT_TOKENS) -> tuple[Hardware, Model]:
    """The model on the smallest replica of that GPU with room for such sequences, at its rent."""
    gpu, shape, price = pair
    precision = precision_of(shape)
    model = model_symbols(shape)
    if precision != "bf16":
        experts = shape["expert_parameters"]
        stored = EXPERT_BYTES[precision] * experts + DENSE_BYTES[precision] * (shape["parameters"] - experts)
        model = replace(model, weight_bytes=stored)
    gpus = smallest_replica(gpu=gpu, model=model, context_tokens=context_tokens)
    hardware = hardware_symbols(gpu, gpus=gpus, usd_per_gpu_hour=price["usd_per_gpu_hour"])
    eight = gpu.get("fp8_flop_per_s")
    computes_eight = precision == "fp8" or (precision == "mxfp4" and gpu["gpu"].startswith(MXFP4_GPUS))
    return replace(hardware, flops_per_s=eight) if eight and computes_eight else hardware, model


MXFP4_GPUS = tuple(start for name in FP8_FOR_MXFP4 for start in FAMILIES[name])
"""GPUs that multiply MXFP4 weights at their FP8 peak, by how their names begin."""


def facts_of(pair: Pair, *, context_tokens: float = CONTEXT_TOKENS) -> dict[str, Any]:
    """What every row of a GPU and model says of them."""
    gpu, shape, price = pair
    return {
        "gpu": gpu["gpu"],
        "model": shape["model"],
        "replica_gpus": int(replica_of(pair, context_tokens=context_tokens)[0].gpus),
        "gpu_usd_per_hour": price["usd_per_gpu_hour"],
        "gpu_price_term": price["term"],
        "gpu_price_on": price["valid_from"],
    }


def asked_of(
    of: Sequence[Pair], *, input_tokens: float = INPUT_TOKENS, context_tokens: float = CONTEXT_TOKENS
) -> list[dict[str, Any]]:
    """Pairs in the words of `measured_surface.replicas_of`."""
    return [
        {
            **facts_of(pair, context_tokens=context_tokens),
            "precision": precision_of(pair[1]),
            "scale_up_gpus": min(scale_up_gpus(pair[0]), WIDEST_GPUS),
            "input_tokens": input_tokens,
            "context_tokens": context_tokens,
        }
        for pair in of
    ]
