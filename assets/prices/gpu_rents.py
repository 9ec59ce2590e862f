"""GPU rents: three live catalogues and a dated seed, folded into one history. Form factors and terms are never mixed."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from assets.documents import parse_all, source_asset
from schemas.base import polars_schema
from schemas.prices import gpu_rents as contract
from schemas.prices.market import MarketGpuOffer
from schemas.quarantine import Parsed
from sources.prices import azure_retail as azure
from sources.prices import gpu_markets as markets
from sources.prices import gpu_rent_seed as seeded
from sources.prices import gpuhunt as hunt
from sources.prices import skypilot as sky
from sources.source import Snapshot
from warehouse.history import merge
from warehouse.table import table

GROUP = "gpu_rents"

azure_retail = source_asset("azure_retail", accept=azure.parse_offers, group=GROUP)
gpuhunt = source_asset("gpuhunt", accept=hunt.parse_offers, group=GROUP)
skypilot = source_asset("skypilot", accept=sky.parse_offers, group=GROUP)
runpod_days = source_asset("runpod_days", accept=markets.parse_runpod_days, group=GROUP)
runpod = source_asset("runpod", accept=markets.parse_runpod, group=GROUP)
vast_days = source_asset("vast_days", accept=markets.parse_vast_days, group=GROUP)
vast = source_asset("vast", accept=markets.parse_vast, group=GROUP)
gpu_rent_figures = source_asset("gpu_rent_figures", accept=seeded.parse_offers, group=GROUP)


@table(schema=contract.AzureRetailPrice, group=GROUP, may_be_empty=True)
def azure_retail_price(azure_retail: list[Snapshot]) -> Parsed:
    """Offers as the Azure Retail Prices API publishes them."""
    return parse_all(azure_retail, azure.parse_offers, contract.AzureRetailPrice)


@table(schema=contract.GpuhuntOffer, group=GROUP, may_be_empty=True)
def gpuhunt_offer(gpuhunt: list[Snapshot]) -> Parsed:
    """Offers as the gpuhunt catalogue publishes them."""
    return parse_all(gpuhunt, hunt.parse_offers, contract.GpuhuntOffer)


@table(schema=contract.SkypilotOffer, group=GROUP, may_be_empty=True)
def skypilot_offer(skypilot: list[Snapshot]) -> Parsed:
    """Offers as SkyPilot's catalogue publishes them."""
    return parse_all(skypilot, sky.parse_offers, contract.SkypilotOffer)


@table(schema=contract.GpuRentSeed, group=GROUP)
def gpu_rent_seed(gpu_rent_figures: list[Snapshot]) -> Parsed:
    """Dated rents transcribed with their source."""
    return parse_all(gpu_rent_figures, seeded.parse_offers, contract.GpuRentSeed)


@table(schema=MarketGpuOffer, group=GROUP)
def market_gpu_offer(
    runpod_days: list[Snapshot],
    runpod: list[Snapshot],
    vast_days: list[Snapshot],
    vast: list[Snapshot],
    previous: pl.DataFrame,
) -> Parsed:
    """Rents of RunPod and Vast by day, transcribed and live; a live document holds one day, and those before it stay."""
    parsed = [
        parse_all(runpod_days, markets.parse_runpod_days, MarketGpuOffer),
        parse_all(runpod, markets.parse_runpod, MarketGpuOffer),
        parse_all(vast_days, markets.parse_vast_days, MarketGpuOffer),
        parse_all(vast, markets.parse_vast, MarketGpuOffer),
    ]
    told = pl.concat([part.accepted for part in parsed])
    return Parsed(with_earlier_days(told, previous), pl.concat([part.rejected for part in parsed]))


def with_earlier_days(told: pl.DataFrame, previous: pl.DataFrame) -> pl.DataFrame:
    """Rows of today's documents after those of days before the first that their source tells now. Contract `MarketGpuOffer`."""
    first = told.group_by("source").agg(told_from=pl.col("valid_from").min())
    dated = previous.join(first, on="source", how="left", maintain_order="left")
    before = dated.filter(pl.col("told_from").is_null() | (pl.col("valid_from") < pl.col("told_from")))
    return pl.concat([before.select(told.columns), told])


@table(schema=contract.GpuRent, group=GROUP)
def gpu_rent(
    previous: pl.DataFrame,
    now: datetime,
    azure_retail_price: pl.DataFrame,
    gpuhunt_offer: pl.DataFrame,
    skypilot_offer: pl.DataFrame,
    gpu_rent_seed: pl.DataFrame,
    market_gpu_offer: pl.DataFrame,
) -> Parsed:
    """Every source's rents, folded into the history."""
    stated = [azure_retail_price, gpuhunt_offer, skypilot_offer, gpu_rent_seed, spells(market_gpu_offer)]
    return fold(previous, stated, now=now)


def fold(previous: pl.DataFrame, stated: Sequence[pl.DataFrame], *, now: datetime) -> Parsed:
    """The history with what the documents of today say. `stated`: contract `RawGpuOffer`."""
    return merge(
        previous,
        pl.concat(stated),
        key=list(contract.SERIES),
        value="usd_per_gpu_hour",
        now=now,
        same_thing=["provider", "gpu", "term", "statistic", "region"],
    )


def spells(days: pl.DataFrame) -> pl.DataFrame:
    """Prices of single days as spells in which nothing was seen to change. `days`: contract `MarketGpuOffer`.

    A day on which nobody looked ends no spell of the same price. A spell ends with the last day it was seen.
    """
    series = [name for name in contract.SERIES if name in days.columns]
    price = pl.col("usd_per_gpu_hour")
    changed = (price != price.shift().over(series, order_by="valid_from")).fill_null(True)
    numbered = days.sort(*series, "valid_from", nulls_last=True).with_columns(
        spell=changed.cast(pl.Int64).cum_sum().over(series, order_by="valid_from")
    )
    columns = list(polars_schema(contract.RawGpuOffer))
    ends = {
        "valid_from": pl.col("valid_from").min(),
        "valid_to": pl.col("valid_to").max(),
        "seen_on": pl.col("seen_on").max(),
        "evidence_on": pl.col("evidence_on").max(),
    }
    merged = numbered.group_by([*series, "spell"], maintain_order=True).agg(
        *(ends.get(name, pl.col(name).first()).alias(name) for name in columns if name not in series)
    )
    return merged.select(columns)
