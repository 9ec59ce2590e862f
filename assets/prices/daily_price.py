"""Prices of every day, kept by day. Built when asked for, as a backfill or on its own schedule, and never by a refresh."""

from datetime import date

import polars as pl
from dagster import DailyPartitionsDefinition

from assets.prices.frontier import FIRST_MONTH, prices_on
from schemas.prices.daily_price import DailyPrice
from warehouse.partitioned import partitioned

DAYS = DailyPartitionsDefinition(start_date=FIRST_MONTH.isoformat())


@partitioned(schema=DailyPrice, partitions=DAYS)
def daily_price(llm_price: pl.DataFrame, model_retirement: pl.DataFrame, partition: tuple[str]) -> pl.DataFrame:
    """Prices that held on one day."""
    mapped = llm_price.filter(pl.col("model").is_not_null())
    return prices_on(mapped, model_retirement, [date.fromisoformat(partition[0])]).sort("model", "provider")
