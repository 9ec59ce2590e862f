"""What an hour of a GPU cost on each day: a rental index, posted prices and quantiles over offers, market by market."""

import polars as pl

from figures.exhibit import Control, Exhibit, Told, day, days, rounded, rows
from figures.style import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION, day_axis, looks, number

GPU = "h100-sxm"
TERMS = {
    "rental_index": BLUE,
    "on_demand": VERMILLION,
    "marketplace": GREEN,
    "marketplace_interruptible": ORANGE,
    "reserved_3m": PURPLE,
    "reserved_6m": SKY,
}


def draw(*, gpu_rent_daily: pl.DataFrame, hardware_factor_by_day: pl.DataFrame) -> Exhibit:
    """A line per market, term and kind of figure for the GPU that is picked."""
    rents = rows(lines_of(gpu_rent_daily), of="rent of a GPU by day")
    index = rows(rents.filter(term="rental_index", gpu=GPU).sort("as_of"), of=f"rental index of {GPU}")
    factor = rows(hardware_factor_by_day.sort("last_on"), of="hardware factor").row(-1, named=True)
    of_gpu = index["usd_per_gpu_hour"]
    y = number("usd_per_gpu_hour", "$ per GPU-hour", dollars=True, zero=True)
    return Exhibit(
        finding=(
            f"By the index an hour of an H100 went from ${of_gpu[0]:.2f} to ${of_gpu[-1]:.2f}. Served on the cheaper of "
            f"{factor['gpus']}, a token cost {1.0 / factor['factor']:.2f} times as much on {day(factor['last_on'])} as "
            f"on {day(factor['first_on'])}: hardware became {factor['direction']}."
        ),
        as_of=f"Rents from {days(rents['as_of'])}.",
        uncertainty=(
            "An index, a posted price and a quantile over offers are three things. How the index weighs sellers is not "
            "stated. What a seller asks is no price paid, and days on which nobody looked are missing. The pace of a "
            "few months is no trend: its interval is in marts.gpu_rent_change."
        ),
        rows=rounded(rents),
        chart={
            "height": 320,
            "encoding": {"x": day_axis("as_of"), "y": y, **looks("term", TERMS)},
            "layer": [
                {"mark": {"type": "line"}, "encoding": {"detail": {"field": "line"}}},
                {"mark": {"type": "point", "size": 25}},
            ],
        },
        told=Told(
            name=("line", "gpu"),
            value="usd_per_gpu_hour",
            source="source",
            on="as_of",
            more=("term", "statistic", "offers", "locator"),
        ),
        sql=(
            "SELECT coalesce(gpu, source_gpu) AS gpu, source_gpu, provider, term, instance_type, statistic, as_of, "
            "usd_per_gpu_hour, offers, source, locator FROM core.gpu_rent_daily"
        ),
        rests_on=tuple(rents["source"].unique().sort()),
        controls=(
            Control(column="gpu", label="GPU", start=GPU),
            Control(column="term", label="Term", every="all terms"),
            Control(column="provider", label="Market", every="all markets"),
        ),
        log=("y",),
    )


def lines_of(rents: pl.DataFrame) -> pl.DataFrame:
    """Rents with the GPU's name, which is the seller's own where it is none of ours, and the line each belongs to."""
    product = pl.when(pl.col("instance_type").is_null()).then(pl.lit("")).otherwise(pl.format(", {}", "instance_type"))
    kind = pl.when(pl.col("statistic") == "price").then(pl.lit("")).otherwise(pl.format(", {}", "statistic"))
    term = pl.col("term").cast(pl.String)
    return rents.select(
        "as_of",
        "provider",
        "usd_per_gpu_hour",
        "offers",
        "statistic",
        "source",
        "locator",
        gpu=pl.coalesce("gpu", "source_gpu"),
        term=term,
        line=pl.format("{}: {}{}{}, {}", "provider", term.str.replace_all("_", " "), product, kind, "source_gpu"),
    ).sort("gpu", "line", "as_of")
