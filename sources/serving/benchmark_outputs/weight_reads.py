"""The least time of a decode step: each GPU reads its share of the active weights once. A floor for any measured TPOT."""

import re
from functools import lru_cache

import polars as pl

HBM_BYTES_PER_S = {
    "a100-40gb-sxm": 1.6e12,
    "a100-80gb-sxm": 2.039e12,
    "a100-80gb-pcie": 1.935e12,
    "a40": 0.696e12,
    "l40s": 0.864e12,
    "h100-sxm": 3.40e12,
    "h100-pcie": 2.0e12,
    "h20-sxm": 4.0e12,
    "h200-sxm": 4.8e12,
    "b200-sxm": 8.0e12,
    "b300-sxm": 8.0e12,
    "gb200": 8.0e12,
    "gb300": 8.0e12,
    "mi300x": 5.3e12,
    "mi325x": 6.0e12,
    "mi355x": 8.0e12,
}
"""Peak memory bandwidth, the highest of the published claims: a floor must not be too high.

Source: specification tables of aiconfigurator (systems/*.yaml) and InferenceX (gpu-specs); GenZ for A100-40 and H100.
"""

ACTIVE_PARAMS = (
    (r"llama-?2-13b|llama-13b|opt-13b", 13.0e9),
    (r"opt-66b", 66e9),
    (r"opt-175b", 175e9),
    (r"llama-?2-70b", 69.0e9),
    (r"llama-?3(\.\d)?-70b", 70.6e9),
    (r"llama-?3(\.\d)?-8b", 8.03e9),
    (r"llama-?3(\.\d)?-405b", 405.9e9),
    (r"mistral-7b", 7.24e9),
    (r"yi-34b", 34.4e9),
    (r"falcon-180b", 180e9),
    (r"bloom-176b", 176e9),
    (r"qwen3-32b", 32.8e9),
    (r"mixtral-8x7b", 12.9e9),
    (r"deepseek-(r1|v3)|\bdsr1\b", 37e9),
)
"""Parameters read per token, by a pattern of the model's name. Distilled and pruned models are left out.

Source: the published configuration of each model; active parameters for mixtures of experts.
"""

BYTES_PER_PARAM = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "int8": 1.0}
LEAST_BYTES_PER_PARAM = 0.5
"""Four-bit weights; also for a precision that is not stated."""
MOST_TOKENS_PER_STEP = 8.0
"""A step of speculative decoding keeps at most this many tokens; also where speculation is not stated."""


@lru_cache(maxsize=4096)
def active_params(model: str | None) -> float | None:
    """Parameters read per token; None for a model that is not listed or is a smaller relative of a listed one."""
    if model is None:
        return None
    name = model.lower().replace("_", ".").replace(" ", "-")
    if "distil" in name or "prune" in name:
        return None
    return next((params for pattern, params in ACTIVE_PARAMS if re.search(pattern, name)), None)


def weight_read_floor(points: pl.DataFrame) -> pl.Series:
    """Least seconds per output token of each point: active weights over the bandwidth of all its decode GPUs.

    Reads model, precision, gpu_canonical, gpus_decode or gpus_total, speculative_decoding. NULL where one is unknown.
    """
    params = pl.Series("params", [active_params(model) for model in points["model"]], pl.Float64)
    gpus = pl.coalesce("gpus_decode", "gpus_total")
    bandwidth = pl.col("gpu_canonical").replace_strict(HBM_BYTES_PER_S, default=None, return_dtype=pl.Float64)
    width = (
        pl.col("precision")
        .str.to_lowercase()
        .replace_strict(BYTES_PER_PARAM, default=LEAST_BYTES_PER_PARAM, return_dtype=pl.Float64)
        .fill_null(LEAST_BYTES_PER_PARAM)
    )
    tokens_per_step = pl.when(pl.col("speculative_decoding") == "none").then(1.0).otherwise(MOST_TOKENS_PER_STEP)
    seconds = pl.col("params") * width / (bandwidth * gpus) / tokens_per_step
    return points.with_columns(params).select(seconds.alias("weight_read_s"))["weight_read_s"]
