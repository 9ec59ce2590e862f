"""Price paid against list price of input, for every model and seller."""

import polars as pl

from figures.exhibit import Control, Exhibit, Told, days, in_words, rounded, rows
from figures.market_volume import SAMPLE
from figures.style import BLUE, number

LEAST_TOKENS = 1e7
"""Tokens from which a mean price is drawn."""


def draw(*, price_paid: pl.DataFrame) -> Exhibit:
    """A mark for each model and seller, list price across and price paid upwards, with the line where they are equal."""
    newest = rows(with_list_price(price_paid), of="price paid beside a list price")
    listed = pl.col("tokens") * pl.col("list_input_usd_per_mtok")
    paid, cache = newest.select(
        paid=(pl.col("tokens") * pl.col("input_usd_per_mtok")).sum() / listed.sum(),
        cache=(listed * pl.col("cache_factor")).sum() / listed.sum(),
    ).row(0)
    below = newest.filter(pl.col("input_rest_factor") < 0.9).height
    y = number("input_usd_per_mtok", "price paid for input, $ per million tokens", log=True, dollars=True)
    x = number("list_input_usd_per_mtok", "list price of input, $ per million tokens", log=True, dollars=True)
    return Exhibit(
        finding=(
            f"Input cost {paid:.0%} of its list price, weighted by tokens; cache hits alone take it to {cache or 1.0:.0%}. "
            f"{below} of {in_words(newest.height, 'seller')} of a model also charge a tenth or more below their list "
            "price."
        ),
        as_of=f"Prices of {days(newest['as_of'])}.",
        uncertainty=(
            f"A sample: {SAMPLE}. Prices paid are means over a window that the publisher does not state; list prices are "
            "of the day. The rest factor holds discounts, long-context tiers, cache writes and prices that moved within "
            "the window. There is no interval."
        ),
        rows=rounded(newest),
        chart={
            "height": 400,
            "encoding": {"x": x},
            "layer": [
                {
                    "mark": {"type": "line", "strokeDash": [4, 3], "color": "#808080", "strokeWidth": 1},
                    "encoding": {"y": {"field": "list_input_usd_per_mtok", "type": "quantitative"}},
                },
                {
                    "mark": {"type": "point", "opacity": 0.45, "color": BLUE},
                    "encoding": {
                        "y": y,
                        "size": {
                            "field": "tokens",
                            "type": "quantitative",
                            "title": "tokens",
                            "legend": None,
                            "scale": {"range": [12, 500]},
                        },
                    },
                },
            ],
        },
        told=Told(
            name=("source_model", "seller"),
            value="input_usd_per_mtok",
            source="source",
            on="as_of",
            more=(
                "list_input_usd_per_mtok",
                "cache_hit_rate",
                "cache_factor",
                "input_rest_factor",
                "stated_discount",
                "tokens",
            ),
        ),
        sql=(
            "SELECT *, coalesce(provider, source_provider) AS seller FROM core.price_paid "
            f"WHERE input_paid_over_list IS NOT NULL AND tokens >= {LEAST_TOKENS:g}"
        ),
        rests_on=("router_price_paid_seed", "router_endpoint_seed"),
        controls=(
            Control(column="seller", label="Seller", every="all sellers"),
            Control(column="variant", label="Variant", every="all variants"),
        ),
        log=("x", "y"),
    )


def with_list_price(price_paid: pl.DataFrame) -> pl.DataFrame:
    """Rows of the newest day that have a list price and enough tokens for a mean, most tokens first."""
    known = price_paid.filter(
        pl.col("input_paid_over_list").is_not_null(),
        pl.col("tokens") >= LEAST_TOKENS,
        pl.col("input_usd_per_mtok") > 0,
        pl.col("list_input_usd_per_mtok") > 0,
    )
    return (
        known.filter(pl.col("as_of") == pl.col("as_of").max())
        .sort("tokens", descending=True)
        .select(
            "source_model",
            "variant",
            "as_of",
            "tokens",
            "list_input_usd_per_mtok",
            "input_usd_per_mtok",
            "input_paid_over_list",
            "cache_hit_rate",
            "cache_factor",
            "input_rest_factor",
            "stated_discount",
            "output_paid_over_list",
            "source",
            seller=pl.coalesce("provider", "source_provider"),
        )
    )
