"""What the cache and what discounts take off the price of input, for the sellers with most tokens."""

import polars as pl

from figures.exhibit import Exhibit, Told, days, rounded, rows
from figures.market_volume import SAMPLE
from figures.price_paid import with_list_price
from figures.style import BLUE, ORANGE, VERMILLION, at, looks, named_rows, number

SELLERS = 20
FACTORS = {
    "cache_factor": "what the cache leaves",
    "input_rest_factor": "what discounts and the rest leave",
    "input_paid_over_list": "paid over list",
}
LOOKS = dict(zip(FACTORS.values(), (ORANGE, VERMILLION, BLUE), strict=True))


def draw(*, price_paid: pl.DataFrame) -> Exhibit:
    """A row per model and seller with three marks: what the cache leaves, what the rest leaves, and both together."""
    largest = rows(with_list_price(price_paid).head(SELLERS), of="price paid beside a list price")
    told = largest.with_columns(row=pl.format("{}, {}", pl.col("source_model").str.split("/").list.last(), "seller"))
    drawn = told.unpivot(
        on=list(FACTORS), index=["row", "as_of", "tokens", "source", "cache_hit_rate"], variable_name="of", value_name="factor"
    ).drop_nulls("factor")
    most = largest.select(pl.col("cache_factor").median()).item()
    return Exhibit(
        finding=(
            f"Of the {largest.height} with most tokens, the cache leaves {most or 1.0:.0%} of the list price of input in the "
            "median; what stands right of the line costs more than its list price."
        ),
        as_of=f"Prices of {days(largest['as_of'])}.",
        uncertainty=f"A sample: {SAMPLE}. Paid over list is the product of the two factors. There is no interval.",
        rows=rounded(drawn.with_columns(of=pl.col("of").replace(FACTORS))),
        chart={
            "height": {"step": 17},
            "encoding": {"y": named_rows("row")},
            "layer": [
                at(1),
                {
                    "mark": {"type": "point", "size": 55},
                    "encoding": {
                        "x": number("factor", "share of the list price of input", share=True, zero=True),
                        **looks("of", LOOKS),
                    },
                },
            ],
        },
        told=Told(name=("row", "of"), value="factor", source="source", on="as_of", more=("tokens", "cache_hit_rate")),
        sql=(
            "SELECT source_model, provider, cache_factor, input_rest_factor, input_paid_over_list, tokens FROM core.price_paid "
            f"WHERE input_paid_over_list IS NOT NULL ORDER BY tokens DESC LIMIT {SELLERS}"
        ),
        rests_on=("router_price_paid_seed", "router_endpoint_seed"),
    )
