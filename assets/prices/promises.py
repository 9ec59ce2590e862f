"""What the tables of prices promise, checked on the tables as they stand after every refresh."""

import dagster as dg
import polars as pl

from schemas.base import Table
from schemas.prices.frontier import PriceFrontier, PriceFrontierHistory
from schemas.prices.index import PriceIndex
from schemas.prices.llm_prices import LlmPrice, LlmPriceWide
from schemas.prices.market_split import MarketSplit
from schemas.prices.retirement import ModelRetirement
from warehouse.history import holding_on
from warehouse.resources import DataFolder, run_time
from warehouse.table import asset_key, built_table

SAME = 1e-8
"""Relative difference below which two prices are one: a price of today is rounded to nine digits."""


def _sold(schema: type[Table], model: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset_key(schema),
        name="sold_on_its_day",
        description="no row is of a model that nobody sold any more on the day of the row",
        additional_deps=[asset_key(ModelRetirement), asset_key(LlmPrice)],
    )
    def check(data: dg.ResourceParam[DataFolder]) -> dg.AssetCheckResult:
        rows, retired, prices = (built_table(data, each).collect() for each in (schema, ModelRetirement, LlmPrice))
        return _result(sold_no_more(rows.rename({model: "model"}) if model != "model" else rows, retired, prices))

    return check


frontier_is_sold = _sold(PriceFrontier, "model")
frontier_history_was_sold = _sold(PriceFrontierHistory, "model")
split_is_sold = _sold(MarketSplit, "model")


@dg.asset_check(
    asset=asset_key(PriceIndex),
    name="sold_on_its_day",
    description="no price is set by a model that nobody sold any more on the day of the row",
    additional_deps=[asset_key(ModelRetirement), asset_key(LlmPrice)],
)
def index_is_set_by_sold_models(data: dg.ResourceParam[DataFolder]) -> dg.AssetCheckResult:
    """Hold the models that set an index against the days on which they were retired."""
    rows, retired, prices = (built_table(data, each).collect() for each in (PriceIndex, ModelRetirement, LlmPrice))
    set_by = rows.filter(pl.col("kind") == "fixed_quality").select("as_of", model="set_by")
    return _result(sold_no_more(set_by, retired, prices))


@dg.asset_check(
    asset=asset_key(LlmPriceWide),
    name="stated_by_its_source",
    description="the source of each row states all prices of the row, for routes of that seller and model today",
    additional_deps=[asset_key(LlmPrice)],
)
def wide_rows_are_stated(context: dg.AssetCheckExecutionContext, data: dg.ResourceParam[DataFolder]) -> dg.AssetCheckResult:
    """Hold every row against what its source says."""
    wide, prices = (built_table(data, each).collect() for each in (LlmPriceWide, LlmPrice))
    return _result(not_stated(wide, holding_on(prices, run_time(context).date())))


def sold_no_more(rows: pl.DataFrame, retired: pl.DataFrame, prices: pl.DataFrame) -> list[str]:
    """Rows (model, as_of) of models that every seller had retired by that day, in words."""
    key = ["provider", "model"]
    sold = prices.filter(pl.col("model").is_not_null()).select(key).unique()
    ends = (
        sold.join(retired.select(*key, "retired_on"), on=key, how="left")
        .group_by("model")
        .agg(pl.col("retired_on").max(), on_sale=pl.col("retired_on").is_null().any())
    )
    late = rows.join(ends.filter(~pl.col("on_sale")), on="model").filter(pl.col("as_of") >= pl.col("retired_on"))
    return [f"{row['model']} on {row['as_of']}, retired on {row['retired_on']}" for row in late.unique("model").to_dicts()]


def not_stated(wide: pl.DataFrame, held: pl.DataFrame) -> list[str]:
    """Rows of `LlmPriceWide` with a price that their source does not state. `held`: rows of `LlmPrice` of that day."""
    legs = {
        "input_usd_per_mtok": ("input", "standard"),
        "output_usd_per_mtok": ("output", "standard"),
        "cache_read_usd_per_mtok": ("cache_read", "standard"),
        "cache_write_usd_per_mtok": ("cache_write", "standard"),
        "batch_input_usd_per_mtok": ("input", "batch"),
        "batch_output_usd_per_mtok": ("output", "batch"),
    }
    row = ["provider", "model", "source"]
    claimed = pl.concat(
        wide.select(*row, usd=name, leg=pl.lit(leg), variant=pl.lit(variant)).drop_nulls("usd")
        for name, (leg, variant) in legs.items()
    )
    stated = held.filter(pl.col("tier_min_tokens") == 0).select(
        "provider", "source", "leg", "variant", "usd_per_mtok", model=pl.coalesce("model", "source_model")
    )
    pairs = claimed.join(stated, on=[*row, "leg", "variant"], how="left")
    is_same = ((pl.col("usd") - pl.col("usd_per_mtok")).abs() <= SAME * pl.col("usd")).fill_null(value=False)
    missed = pairs.group_by(*row, "leg", "variant").agg(found=is_same.any()).filter(~pl.col("found"))
    return [f"{r['provider']} {r['model']}: {r['variant']} {r['leg']} by {r['source']}" for r in missed.to_dicts()]


def _result(faults: list[str]) -> dg.AssetCheckResult:
    some = "; ".join(sorted(faults)[:5]) + (f"; and {len(faults) - 5} more" if len(faults) > 5 else "")
    return dg.AssetCheckResult(passed=not faults, severity=dg.AssetCheckSeverity.ERROR, description=some or None)
