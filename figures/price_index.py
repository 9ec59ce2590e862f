"""How the price of a fixed quality moved: step lines, each step named by the model that sets the price."""

import polars as pl

from figures.exhibit import Control, Exhibit, Told, days, in_words, rounded, rows, span
from figures.labels import spread
from figures.style import any_looks, day_axis, names, number
from schemas.prices.price_sources import PRICE_SOURCES, SEEDED

SCALE, BLEND = "eci", 1.0
FIXED, TASK = "fixed_quality", "usd_per_task"
UNITS = {"usd_per_mtok": "$ per million tokens", "usd_per_task": "$ per task"}


def draw(*, price_index: pl.DataFrame, price_slope: pl.DataFrame) -> Exhibit:
    """Steps of the cheapest price at or above each of a few fixed scores, month by month."""
    lines = rows(steps_of(price_index), of="price of a fixed quality")
    slopes = price_slope.filter(kind=FIXED, scale=SCALE, input_per_output=BLEND).drop_nulls("factor_per_year")
    y = number("usd", "cheapest price, $ per million tokens or per task", log=True, dollars=True)
    return Exhibit(
        finding=_finding(slopes, lines),
        as_of=f"Prices at month ends, {days(lines['as_of'])}.",
        uncertainty=(
            "Each line is the least first-party list price at or above a score on that day; a name stands where another model "
            "begins to set it. Scores are today's. There is no interval: the price is a minimum over the models known. Slopes "
            "and their intervals are in the next figure."
        ),
        rows=rounded(lines),
        chart={
            "height": 380,
            "encoding": {"x": day_axis("as_of"), "y": y, **any_looks("quality")},
            "layer": [
                {"mark": {"type": "line", "interpolate": "step-after"}},
                {"mark": {"type": "point", "size": 22}, "encoding": {"strokeDash": None}},
                names("label", below=False, color=None, strokeDash=None),
            ],
        },
        told=Told(name=("set_by", "quality"), value="usd", source="source", on="as_of", more=("unit", "n", "threshold")),
        sql=(
            "SELECT series, scale, threshold, model, coalesce(input_per_output, 0) AS input_per_output, unit, as_of, "
            "value AS usd, set_by, n, round(threshold, 1) || coalesce(', as ' || model, '') AS quality "
            "FROM marts.price_index WHERE kind IN ('fixed_quality', 'usd_per_task')"
        ),
        rests_on=(SEEDED, *PRICE_SOURCES, "epoch", "capability_seed"),
        controls=(
            Control(column="scale", label="Scale", start=SCALE),
            Control(column="input_per_output", label="Input tokens per output token", start=BLEND),
            Control(column="quality", label="Quality", every="all qualities"),
        ),
        log=("y",),
    )


def steps_of(index: pl.DataFrame) -> pl.DataFrame:
    """Prices of fixed qualities and of a task by month, with the name of the model that sets each where it changes."""
    known = index.filter(pl.col("kind").is_in([FIXED, TASK])).sort("scale", "threshold", "input_per_output", "as_of")
    told = pl.format("{}{}", pl.col("threshold").round(1), pl.coalesce(pl.format(", as {}", "model"), pl.lit("")))
    lines = known.select(
        "series",
        "scale",
        "threshold",
        pl.col("input_per_output").fill_null(0.0),
        "as_of",
        "set_by",
        "n",
        quality=told,
        usd="value",
        unit=pl.col("unit").replace(UNITS),
        source=pl.when(pl.col("unit") == "usd_per_task")
        .then(pl.format("runs on {}", pl.col("scale").str.replace_all("_", " ")))
        .otherwise(pl.lit("list prices of developers")),
        starts=(pl.col("set_by") != pl.col("set_by").shift(1).over("series")).fill_null(True),
        day=pl.col("as_of").to_physical(),
    )
    within = ("scale", "input_per_output")
    return spread(lines, x="day", y="usd", name="set_by", within=within, only=pl.col("starts"), log_y=True).drop(
        "day", "starts"
    )


def _finding(slopes: pl.DataFrame, lines: pl.DataFrame) -> str:
    if slopes.is_empty():
        return f"Prices of {in_words(lines['series'].n_unique(), 'fixed quality').replace('qualitys', 'qualities')} by month."
    low, high = span(slopes["factor_per_year"])
    shown = slopes.filter(pl.col("factor_per_year_low") > 1).height
    return (
        f"On Epoch's index the price of a fixed quality fell {low:.0f} to {high:.0f} times a year over "
        f"{in_words(slopes.height, 'level')}; for {shown} of them the interval excludes that nothing fell."
    )
