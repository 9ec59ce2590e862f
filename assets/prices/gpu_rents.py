"""GPU rents: three live catalogues and a dated seed, folded into one history. Form factors and terms are never mixed."""

from datetime import datetime

import polars as pl

from assets.documents import parse_all, source_asset
from schemas.prices import gpu_rents as contract
from schemas.quarantine import Parsed
from sources.prices import azure_retail as azure
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


@table(schema=contract.GpuRent, group=GROUP)
def gpu_rent(
    previous: pl.DataFrame,
    now: datetime,
    azure_retail_price: pl.DataFrame,
    gpuhunt_offer: pl.DataFrame,
    skypilot_offer: pl.DataFrame,
    gpu_rent_seed: pl.DataFrame,
) -> Parsed:
    """Every source's rents, folded into the history."""
    observed = pl.concat([azure_retail_price, gpuhunt_offer, skypilot_offer, gpu_rent_seed])
    return merge(previous, observed, key=list(contract.SERIES), value="usd_per_gpu_hour", now=now)
