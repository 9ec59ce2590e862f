"""Names of engines, number formats and benchmarks as people and tools write them, as the words the fit knows."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import polars as pl

ENGINES = (
    ("sglang", "sglang"),
    ("vllm", "vllm"),
    ("tensorrt", "tensorrt_llm"),
    ("trt", "tensorrt_llm"),
    ("nim", "tensorrt_llm"),
    ("atom", "atom"),
    ("llama.cpp", "llama.cpp"),
    ("llamacpp", "llama.cpp"),
    ("lmdeploy", "lmdeploy"),
    ("deepspeed", "deepspeed"),
    ("mindie", "mindie"),
)
"""An engine by what its name holds: dynamo-trt and mori-sglang are TensorRT-LLM and SGLang under an orchestrator."""
DECODE_POOL_COUNTED = re.compile(r"dynamo|mori|disagg")
"""Orchestrators whose runs state the output rate per GPU of the decode pool, as InferenceX does; others count all GPUs."""
PRECISIONS = (
    (re.compile(r"mxfp4"), "mxfp4"),
    (re.compile(r"fp4|nvfp4"), "fp4"),
    (re.compile(r"int4|awq|gptq|w4a|uint4|q4_|qat|bnb|bitsandbytes"), "int4"),
    (re.compile(r"int8|q8_"), "int8"),
    (re.compile(r"fp8|w8a8|8.?bit"), "fp8"),
    (re.compile(r"16|fp32|float32"), "bf16"),
)
"""Number formats by what a name holds, the first that does."""
MXFP4_MODELS = re.compile(r"gpt-oss")
"""Models whose weights exist in MXFP4 and are served in it whatever a run calls it."""
BENCHMARK_TOKENS = (
    ("llama2-70b", 294.0, 294.0),
    ("llama-2-70b", 294.0, 294.0),
    ("mixtral-8x7b", 294.0, 145.0),
    ("gptj", 1024.0, 69.0),
    ("405b", 9400.0, 684.0),
    ("llama3", 778.0, 73.0),
    ("llama-3.1-8b", 778.0, 73.0),
    ("deepseek-r1", 800.0, 3880.0),
)
"""Mean tokens in and out of the data sets of MLPerf Inference, by the model they belong to: for rows that state no lengths.
Source: MLPerf Inference v5.1 rules and reference implementations (OpenOrca, CNN DailyMail, LongBench mix, reasoning mix)."""
USUAL_TOKENS = (1024.0, 256.0)
"""Tokens in and out where neither the row nor its benchmark says any."""


@cache
def engine_of(written: str | None) -> str | None:
    """The engine that a name means, lower case; itself where it is none of ENGINES; None for None."""
    if written is None:
        return None
    low = written.strip().lower()
    return next((engine for part, engine in ENGINES if part in low), low) or None


@cache
def counts_decode_pool(written: str | None) -> bool:
    """Whether runs under this name state the output rate per GPU of the decode pool."""
    return bool(written and DECODE_POOL_COUNTED.search(written.lower()))


@cache
def precision_of(written: str | None, model_written: str | None, model: str | None, stored_as: str | None) -> tuple[str, str]:
    """Number format of the weights, and how it is known: stated, model_name (the label of the model says it), or assumed.

    Where nothing says it the format of the checkpoint is taken, and 16 bits where that is not known either.
    """
    if model and MXFP4_MODELS.search(model):
        return "mxfp4", "stated"
    for text, basis in ((written, "stated"), (model_written, "model_name")):
        low = (text or "").lower()
        for pattern, precision in PRECISIONS:
            if low and pattern.search(low) and not (basis == "model_name" and precision == "bf16"):
                return precision, basis
    return (stored_as or "bf16"), "assumed"


def benchmark_tokens(model_written: str | None) -> tuple[float, float]:
    """Tokens in and out that a benchmark of this model has, for a row that states none."""
    low = (model_written or "").lower().replace("_", ".")
    found = next(((i, o) for part, i, o in BENCHMARK_TOKENS if part in low or part in low.replace(".", "-")), None)
    return found or USUAL_TOKENS


def mapped(
    frame: pl.DataFrame, columns: list[str], function: Callable[..., Any], into: Mapping[str, type[pl.DataType]]
) -> pl.DataFrame:
    """`frame` with columns that a function of few distinct labels gives: it is called once for each distinct row."""
    distinct = frame.select(columns).unique()
    found = [function(*row) for row in distinct.iter_rows()]
    values = [row if isinstance(row, tuple) else (row,) for row in found]
    added = distinct.with_columns(
        pl.Series(name, [row[place] for row in values], dtype=kind) for place, (name, kind) in enumerate(into.items())
    )
    return frame.join(added, on=columns, how="left", nulls_equal=True, maintain_order="left")
