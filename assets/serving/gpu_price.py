"""The rent each GPU is priced at."""

from datetime import date, datetime

import polars as pl

from assets.evidence.published import gpu_prices, last_known
from schemas.base import polars_schema
from schemas.serving import surface as contract
from warehouse.table import table

GROUP = "serving"


@table(schema=contract.GpuPrice, group=GROUP)
def gpu_price(gpu_rent: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """One rent per GPU with the range of sellers."""
    return rents(gpu_rent, now.date()).select(list(polars_schema(contract.GpuPrice)))


def rents(gpu_rent: pl.DataFrame, day: date) -> pl.DataFrame:
    """The rent of each GPU as `assets.evidence.published` prices it, and the cheapest and dearest seller of the same term."""
    prices = gpu_prices(gpu_rent, day).rename(
        {"gpu_usd_per_hour": "usd_per_gpu_hour"}
        | {f"gpu_price_{name}": name for name in ("term", "sellers", "sources")}
        | {"gpu_price_on": "valid_from"}
    )
    sellers = (
        last_known(gpu_rent, day)
        .filter(pl.col("statistic") == "price")
        .group_by("gpu", "term", "provider")
        .agg(pl.col("usd_per_gpu_hour").median())
        .group_by("gpu", "term")
        .agg(
            low_usd_per_gpu_hour=pl.col("usd_per_gpu_hour").min(),
            high_usd_per_gpu_hour=pl.col("usd_per_gpu_hour").max(),
        )
    )
    return prices.join(sellers, on=["gpu", "term"]).with_columns(as_of=pl.lit(day)).sort("gpu")
