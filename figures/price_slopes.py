"""How fast prices fall, as factors per year with their intervals: ours by kind, then what others published."""

import polars as pl

from figures.exhibit import Exhibit, Told, days, in_words, rounded, rows, span
from figures.style import BLUE, GREEN, PURPLE, VERMILLION, at, interval, looks, named_rows, number

SCALE, BLEND, TASK_THRESHOLD = "eci", 1.0, 50.0
KINDS = {"fixed_quality": BLUE, "matched": GREEN, "usd_per_task": PURPLE, "published": VERMILLION}
WORDS = {
    "fixed_quality": "price of a fixed quality",
    "matched": "same models, matched",
    "usd_per_task": "$ per task",
    "published": "as published, or by their own dates",
}
LEAST, MOST = 0.1, 10_000.0
COLUMNS = ("label", "kind", "n", "first_on", "last_on", "factor_per_year", "low", "high", "source")


def draw(*, price_slope: pl.DataFrame, published_price_trend: pl.DataFrame) -> Exhibit:
    """A row per index, then a row per published trend, with a line at 1 where nothing fell."""
    slopes = rows(pl.concat([our_slopes(price_slope), published_slopes(published_price_trend)]), of="slope of a price index")
    drawn = slopes.with_columns(
        kind=pl.col("kind").replace(WORDS),
        label=pl.when(pl.col("n").is_null()).then("label").otherwise(pl.format("{} (n={})", "label", "n")),
        drawn_low=pl.col("low").clip(LEAST, MOST),
        drawn_high=pl.col("high").clip(LEAST, MOST),
        dated=pl.coalesce(pl.col("last_on").cast(pl.String), pl.lit("as published")),
    )
    colours = {WORDS[kind]: colour for kind, colour in KINDS.items()}
    return Exhibit(
        finding=_finding(slopes),
        as_of=f"Prices at month ends, {days(slopes['last_on'].drop_nulls())}; published trends as their documents state them.",
        uncertainty=(
            "Bars: 95 % Student intervals of the slope through the levels a price took, so n is small; of published slopes the "
            f"range or interval they state. Intervals beyond {LEAST:g} or {MOST:,.0f} are cut at the edge and whole in the "
            "table; a mark without a bar has no interval. List prices, input and output weighed alike; no volumes are known."
        ),
        rows=rounded(drawn),
        chart={
            "height": {"step": 16},
            "encoding": {"y": named_rows("label")},
            "layer": [
                at(1),
                interval("drawn_low", "drawn_high", color=looks("kind", colours)["color"]),
                {
                    "mark": {"type": "point", "size": 55},
                    "encoding": {"x": number("factor_per_year", "times cheaper per year", log=True), **looks("kind", colours)},
                },
            ],
        },
        told=Told(
            name=("label",),
            value="factor_per_year",
            source="source",
            on="dated",
            low="low",
            high="high",
            more=("kind", "first_on"),
        ),
        sql=(
            "SELECT series, kind, n, first_on, last_on, factor_per_year, factor_per_year_low, factor_per_year_high "
            "FROM marts.price_slope"
        ),
        rests_on=("price_trends", "price_trend_points", "llm_price_seed", "genai_prices", "epoch", "capability_seed"),
        log=("x",),
    )


def our_slopes(price_slope: pl.DataFrame) -> pl.DataFrame:
    """The slopes to show: label, kind, n, first and last day, factor per year and its interval."""
    is_fixed = (pl.col("kind") == "fixed_quality") & (pl.col("scale") == SCALE)
    is_matched = pl.col("kind").str.starts_with("matched")
    is_task = (pl.col("kind") == "usd_per_task") & (pl.col("threshold") == TASK_THRESHOLD)
    chosen = price_slope.filter(
        (is_fixed | is_matched) & (pl.col("input_per_output") == BLEND) | is_task,
        pl.col("factor_per_year").is_not_null(),
    )
    label = (
        pl.when(is_fixed)
        .then(pl.format("as good as {}", pl.coalesce("model", "series")))
        .when(is_matched)
        .then(pl.col("kind").replace({"matched_model": "same models, developers", "matched_host": "same models, hosts"}))
        .otherwise(pl.format("{}, half solved", pl.coalesce("scale", "series").str.replace_all("_", " ")))
    )
    in_order = pl.col("kind").replace_strict(list(KINDS), range(len(KINDS)), return_dtype=pl.Int64)
    return chosen.select(
        label=label,
        kind=pl.when(is_matched).then(pl.lit("matched")).otherwise("kind"),
        n="n",
        first_on="first_on",
        last_on="last_on",
        factor_per_year="factor_per_year",
        low="factor_per_year_low",
        high="factor_per_year_high",
        source=pl.format("marts.price_slope: {}", "series"),
    ).sort(in_order, maintain_order=True)


def published_slopes(trends: pl.DataFrame) -> pl.DataFrame:
    """Published slopes of prices per token: as stated, over the time of the text, over its own dates; Epoch's as a range."""
    tokens = trends.filter(pl.col("unit") == "usd_per_mtok")
    many = (
        tokens.filter(pl.col("stated_factor_per_year").is_not_null())
        .group_by("publisher", maintain_order=True)
        .agg(
            pl.len(),
            value=pl.col("stated_factor_per_year").median(),
            low=pl.col("stated_factor_per_year").min(),
            high=pl.col("stated_factor_per_year").max(),
            url=pl.col("url").first(),
        )
        .filter(pl.col("len") > 1)
    )
    told: list[tuple[str, int | None, float | None, float | None, float | None, str]] = [
        (f"{r['publisher']}, {r['len']} qualities", None, r["value"], r["low"], r["high"], r["url"])
        for r in many.iter_rows(named=True)
    ]
    for r in tokens.filter(~pl.col("publisher").is_in(many["publisher"].implode())).iter_rows(named=True):
        place = f"{r['url']}, {r['locator']}"
        if r["stated_factor_per_year"] is not None or r["stated_low"] is not None:
            told.append((r["publisher"], r["n"], r["stated_factor_per_year"], r["stated_low"], r["stated_high"], place))
            continue
        what = r["publisher"] + (f" ({r['scale']} {r['threshold']:g})" if r["scale"] and r["threshold"] else "")
        if r["by_text_per_year"] is not None:
            told.append((f"{what}, by its text", r["n"], r["by_text_per_year"], None, None, place))
        if r["by_dates_per_year"] is not None:
            dated = (r["by_dates_per_year"], r["by_dates_low"], r["by_dates_high"])
            told.append((f"{what}, by its dates", r["n"], *dated, place))
    number_of = dict.fromkeys(("factor_per_year", "low", "high"), pl.Float64)
    frame = pl.DataFrame(told, orient="row", schema={"label": pl.String, "n": pl.Int64, **number_of, "source": pl.String})
    middle = pl.coalesce("factor_per_year", (pl.col("low") * pl.col("high")).sqrt())
    return frame.with_columns(
        kind=pl.lit("published"), first_on=pl.lit(None, pl.Date), last_on=pl.lit(None, pl.Date), factor_per_year=middle
    ).select(COLUMNS)


def _finding(slopes: pl.DataFrame) -> str:
    fixed, matched = slopes.filter(kind="fixed_quality"), slopes.filter(kind="matched")
    told = []
    if not fixed.is_empty():
        low, high = span(fixed["factor_per_year"])
        shown = fixed.filter(pl.col("low") > 1).height
        told.append(
            f"The price of a fixed quality fell {low:.0f} to {high:.0f} times a year over {in_words(fixed.height, 'level')}; "
            f"for {shown} of them the interval excludes that nothing fell."
        )
    if not matched.is_empty():
        low, high = span(matched["factor_per_year"])
        told.append(f"The same models became {low:.2f} to {high:.2f} times cheaper a year: most of the fall is new models.")
    return " ".join(told) or "Only published slopes are known."
