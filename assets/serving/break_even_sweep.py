"""The break-even sweep of every GPU and model on a finer grid than the surface's, kept by pair.

It is built when asked for, as a backfill or on its own schedule, and never by a refresh.
"""

import numpy as np
import polars as pl
from dagster import MultiPartitionsDefinition, StaticPartitionsDefinition
from numpy.typing import NDArray

from assets.serving.measured_surface import measured
from assets.serving.pairs import AXES, GPUS, MODELS, pairs
from assets.serving.surface import in_code_words, measured_surface, surface_of
from schemas.base import empty
from schemas.serving.break_even_sweep import BreakEvenSweep
from warehouse.partitioned import partitioned

GPU_MODELS = MultiPartitionsDefinition({"gpu": StaticPartitionsDefinition(GPUS), "model": StaticPartitionsDefinition(MODELS)})
DENSER = ("input_per_output", "arrival_rate_per_s", "kv_bytes_per_s_per_gpu", "tpot_s")
"""Axes with a further value between any two of the surface."""


@partitioned(schema=BreakEvenSweep, partitions=GPU_MODELS)
def break_even_sweep(
    gpu: pl.DataFrame,
    model_shape: pl.DataFrame,
    model_layer: pl.DataFrame,
    engine_run: pl.DataFrame,
    gpu_price: pl.DataFrame,
    partition: tuple[str, str],
) -> pl.DataFrame:
    """One GPU and model in every setting; no rows where nobody rents the GPU out."""
    asked = list(pairs(gpu.filter(gpu=partition[0]), model_shape.filter(model=partition[1]), gpu_price))
    if not asked:
        return empty(BreakEvenSweep)
    known = measured(model_shape=model_shape, model_layer=model_layer, gpu=gpu, engine_run=engine_run)
    axes = finer(AXES)
    return in_code_words(pl.concat([surface_of(asked, axes), measured_surface(asked, known, axes)]))


def finer(axes: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """The axes with the geometric mean of any two neighbours between them, along those of DENSER."""
    return {
        name: np.sort(np.concatenate([values, np.sqrt(values[1:] * values[:-1])])) if name in DENSER else values
        for name, values in axes.items()
    }
