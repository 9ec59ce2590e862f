"""Tables kept by partition: prices of every day, and the break-even sweep of every GPU and model on a finer grid.

They are built when asked for, as a backfill or on their own schedule, and never by a refresh.
"""

from datetime import date

import numpy as np
import polars as pl
from dagster import DailyPartitionsDefinition, MultiPartitionsDefinition, StaticPartitionsDefinition
from numpy.typing import NDArray

from assets.prices.frontier import FIRST_MONTH, prices_on
from assets.serving.surface import AXES, GPUS, MODELS, in_code_words, pairs, surface_of
from economics.serving.scenarios import SETTINGS
from schemas.base import empty
from schemas.by_partition import BreakEvenSweep, DailyPrice
from warehouse.partitioned import partitioned

DAYS = DailyPartitionsDefinition(start_date=FIRST_MONTH.isoformat())
GPU_MODELS = MultiPartitionsDefinition({"gpu": StaticPartitionsDefinition(GPUS), "model": StaticPartitionsDefinition(MODELS)})
DENSER = ("input_per_output", "arrival_rate_per_s", "kv_bytes_per_s_per_gpu", "tpot_s")
"""Axes with a further value between any two of the surface."""


@partitioned(schema=DailyPrice, partitions=DAYS)
def daily_price(llm_price: pl.DataFrame, partition: tuple[str]) -> pl.DataFrame:
    """Prices that held on one day."""
    mapped = llm_price.filter(pl.col("model").is_not_null())
    return prices_on(mapped, [date.fromisoformat(partition[0])]).sort("model", "provider")


@partitioned(schema=BreakEvenSweep, partitions=GPU_MODELS)
def break_even_sweep(
    gpu: pl.DataFrame, model_shape: pl.DataFrame, gpu_price: pl.DataFrame, partition: tuple[str, str]
) -> pl.DataFrame:
    """One GPU and model in every setting; no rows where nobody rents the GPU out."""
    asked = list(pairs(gpu.filter(gpu=partition[0]), model_shape.filter(model=partition[1]), gpu_price))
    if not asked:
        return empty(BreakEvenSweep)
    return in_code_words(pl.concat(surface_of(asked, setting, finer(AXES)) for setting in SETTINGS))


def finer(axes: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """The axes with the geometric mean of any two neighbours between them, along those of DENSER."""
    return {
        name: np.sort(np.concatenate([values, np.sqrt(values[1:] * values[:-1])])) if name in DENSER else values
        for name, values in axes.items()
    }
