"""Contract of prices kept by day: the columns of `core.monthly_price`, for every day."""

import polars as pl

from schemas.base import column
from schemas.prices.frontier import MonthlyPrice


class DailyPrice(MonthlyPrice):
    """Input and output price of every model at every seller on every day, from the sources of that day.

    Base tier, standard variant; a model priced by the hour with its peak price. A seller without a row had no known price.
    """

    as_of: pl.Date = column("day")

    class Config:
        name = "partitions.daily_price"
