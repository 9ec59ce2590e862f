"""Where tokens and dollars go: requests, tokens and dollars of a month by tier of the market split."""

import polars as pl

from figures.exhibit import Control, Exhibit, Told, days, rounded, rows
from figures.style import BLUE, ORANGE, PALE, SKY, number

TIERS = {"frontier_reasoning": BLUE, "commodity": ORANGE, "unclassified": PALE, "free": SKY}
WORDS = {
    "frontier_reasoning": "frontier reasoning",
    "commodity": "commodity",
    "unclassified": "not rated, so unclassified",
    "free": "free variants",
}
MEASURES = {"request_share": "requests", "token_share": "tokens", "usd_share": "dollars"}
SAMPLE = "one router's traffic, much of it agents and coding, tokens of each seller's own tokenizer"
USE = ("router_use_seed", "router_price_paid_seed")


def draw(*, market_volume_by_tier: pl.DataFrame, market_volume: pl.DataFrame) -> Exhibit:
    """A stacked bar each for requests, tokens and dollars of a month."""
    shares = rows(market_volume_by_tier, of="use of models by month")
    month = last_month(rows(market_volume, of="use of models by month"))
    usd = float(market_volume.filter(pl.col("month") == month)["usd"].sum())
    unrated = shares.filter(month=month, tier="unclassified")["usd_share"].sum()
    long = shares.unpivot(
        on=list(MEASURES), index=["month", "tier", "usd", "tokens", "variants"], variable_name="of", value_name="share"
    )
    drawn = long.drop_nulls("share").with_columns(
        of=pl.col("of").replace(MEASURES),
        tier=pl.col("tier").cast(pl.String).replace(WORDS),
        source=pl.lit("router_use_seed"),
        order=pl.col("tier").cast(pl.String).replace_strict(list(TIERS), range(len(TIERS)), default=9, return_dtype=pl.Int64),
    )
    return Exhibit(
        finding=(
            f"In {month:%B %Y} the router's traffic was worth ${usd / 1e6:,.0f} million; {unrated:.0%} of the dollars went to "
            "models that the capability index has not rated."
        ),
        as_of=f"Use in months that began on {days(shares['month'])}; first and last month are partial.",
        uncertainty=(
            f"A sample: {SAMPLE}. Dollars are price paid times tokens; prices paid are known for 8 August 2026 and moved "
            "by list prices for the months before. There is no interval: the counts are whole, what they are a sample "
            "of is not known."
        ),
        rows=rounded(drawn),
        chart={
            "height": {"step": 44},
            "mark": {"type": "bar"},
            "encoding": {
                "y": {"field": "of", "type": "nominal", "title": None, "sort": list(MEASURES.values())},
                "x": number("share", "share of the month", share=True, zero=True),
                "color": {
                    "field": "tier",
                    "type": "nominal",
                    "title": None,
                    "scale": {"domain": list(WORDS.values()), "range": list(TIERS.values())},
                },
                "order": {"field": "order"},
            },
        },
        told=Told(name=("of", "tier"), value="share", source="source", on="month", more=("usd", "tokens", "variants")),
        sql=(
            "SELECT month, tier, requests, tokens, usd, request_share, token_share, usd_share FROM marts.market_volume_by_tier"
        ),
        rests_on=USE,
        controls=(Control(column="month", label="Month", start=month, slider=True),),
    )


def last_month(volumes: pl.DataFrame) -> object:
    """The month with most days counted; of equals the newest."""
    return volumes.group_by("month").agg(pl.col("days").max()).sort("days", "month")["month"][-1]
