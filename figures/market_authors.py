"""Who earns what: each developer's share of paid tokens and of dollars."""

import polars as pl

from figures.exhibit import Control, Exhibit, Told, days, in_words, rounded, rows
from figures.market_volume import SAMPLE, USE, last_month
from figures.style import PALE, SKY, VERMILLION, looks, named_rows, number

AUTHORS = 16
MEASURES = {"token_share": "paid tokens", "usd_share": "dollars"}


def draw(*, market_volume: pl.DataFrame) -> Exhibit:
    """Two marks for each developer, joined by a line."""
    month = last_month(rows(market_volume, of="use of models by month"))
    authors = rows(by_author(market_volume), of="paid use of models")
    first = authors.filter(month=month)
    top = rows(first, of="paid use in the month with most days").row(0, named=True)
    most = authors.group_by("month", maintain_order=True).head(AUTHORS)
    drawn = most.unpivot(on=list(MEASURES), index=["month", "author", "tokens", "usd"], variable_name="of", value_name="share")
    return Exhibit(
        finding=(
            f"In {month:%B %Y} {top['author']} took {top['usd_share']:.0%} of the dollars with {top['token_share']:.0%} of the "
            f"paid tokens, among {in_words(first.height, 'developer')}."
        ),
        as_of=f"Use in months that began on {days(market_volume['month'])}; first and last month are partial.",
        uncertainty=f"A sample: {SAMPLE}. The {AUTHORS} developers with most dollars are drawn. There is no interval.",
        rows=rounded(
            drawn.drop_nulls("share").with_columns(of=pl.col("of").replace(MEASURES), source=pl.lit("router_use_seed"))
        ),
        chart={
            "height": {"step": 20},
            "encoding": {"y": named_rows("author"), "x": number("share", "share of the month", share=True, zero=True)},
            "layer": [
                {"mark": {"type": "line", "color": PALE}, "encoding": {"detail": {"field": "author"}}},
                {
                    "mark": {"type": "point", "size": 80},
                    "encoding": looks("of", {"paid tokens": SKY, "dollars": VERMILLION}),
                },
            ],
        },
        told=Told(name=("author", "of"), value="share", source="source", on="month", more=("tokens", "usd")),
        sql=(
            "SELECT month, author, sum(tokens) AS tokens, sum(usd) AS usd FROM marts.market_volume WHERE NOT is_free "
            "GROUP BY month, author"
        ),
        rests_on=USE,
        controls=(Control(column="month", label="Month", start=month, slider=True),),
    )


def by_author(volumes: pl.DataFrame) -> pl.DataFrame:
    """Share of paid tokens and of dollars of each author in each month, by dollars. `volumes`: rows of `MarketVolume`."""
    paid = volumes.filter(~pl.col("is_free"))
    sums = paid.group_by("month", "author").agg(pl.col("tokens", "usd").sum())
    return sums.with_columns(
        token_share=pl.col("tokens") / pl.col("tokens").sum().over("month"),
        usd_share=pl.col("usd") / pl.col("usd").sum().over("month"),
    ).sort("month", "usd", "author", descending=[False, True, False])
