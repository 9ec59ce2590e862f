"""Contracts of what is kept by partition: the same columns as a table of the release, finer and longer."""

import polars as pl

from schemas.base import column
from schemas.prices.frontier import MonthlyPrice
from schemas.serving.surface import BreakEvenSurface


class DailyPrice(MonthlyPrice):
    """Input and output price of every model at every seller on every day, from the sources of that day.

    Base tier, standard variant; a model priced by the hour with its peak price. A seller without a row had no known price.
    """

    as_of: pl.Date = column("day")

    class Config:
        name = "partitions.daily_price"


class BreakEvenSweep(BreakEvenSurface):
    """Which design serves a token within its contract most cheaply, for one GPU and model on a grid finer than the surface's.

    Prompts of 3,500 tokens, running sequences of 4,096, BF16, p99 bounds; TPOT is read on every interval between tokens.
    """

    class Config:
        name = "partitions.break_even_sweep"
