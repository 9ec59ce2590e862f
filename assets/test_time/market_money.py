"""Does the money go where the threshold says? Predicted channel and tier, weighed by tokens and dollars."""

import polars as pl

from assets.frames import under_contract
from schemas.test_time import market_money as contract
from warehouse.table import table

GROUP = "inference_frontier"


@table(schema=contract.MarketSplitMoney, group=GROUP)
def market_split_money(market_split_channel: pl.DataFrame, market_volume: pl.DataFrame) -> pl.DataFrame:
    """The prediction of the latest day against the dollars of every month."""
    newest = market_split_channel.filter(pl.col("as_of") == pl.col("as_of").max())
    sold = market_volume.filter(~pl.col("is_free"), pl.col("model").is_not_null(), pl.col("usd").is_not_null())
    bought = sold.group_by("month", "model").agg(pl.col("tokens", "usd").sum())
    return under_contract(contract.MarketSplitMoney, weighed(newest, bought, market_volume)).sort(
        "month", "form", "predicted_channel", "tier"
    )


def weighed(channels: pl.DataFrame, bought: pl.DataFrame, volumes: pl.DataFrame) -> pl.DataFrame:
    """Cells of channel and tier. `channels`: a day of `MarketSplitChannel`; `bought`: tokens, dollars by month and model."""
    joined = channels.join(bought, on="model")
    form = ["month", "form"]
    cells = joined.group_by(*form, "predicted_channel", "tier").agg(
        models=pl.len().cast(pl.Int64), tokens=pl.col("tokens").sum(), usd=pl.col("usd").sum()
    )
    judged = joined.filter(pl.col("agrees").is_not_null())
    agreement = judged.group_by(form).agg(
        agreement_by_model=pl.col("agrees").mean(),
        agreement_by_usd=pl.col("usd").filter("agrees").sum() / pl.col("usd").sum(),
    )
    whole = volumes.group_by("month").agg(all_usd=pl.col("usd").sum())
    compared = pl.col("usd").sum().over(form)
    return (
        cells.join(agreement, on=form, how="left")
        .join(whole, on="month")
        .with_columns(usd_share=pl.col("usd") / compared, usd_covered=compared / pl.col("all_usd"))
    )
