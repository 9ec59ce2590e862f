"""How fast the price of a fixed quality falls: monthly prices, and slopes with their intervals beside published ones."""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.dates import YearLocator

from figures.exhibit import Exhibit, days, in_words, rows, span
from figures.style import BLUE, GREEN, GREY, INK, SERIES, VERMILLION, decades, house_style, log_axis, sheet

SCALE, BLEND, TASK_THRESHOLD = "eci", 1.0, 50.0
KINDS = {
    "fixed_quality": (BLUE, "o", "price of a fixed quality"),
    "matched": (GREEN, "s", "same models, matched"),
    "usd_per_task": (INK, "D", "$ per task"),
    "published": (VERMILLION, "^", "as published, or by their own dates"),
}
LEAST, MOST = 0.4, 2000.0


def draw(*, price_index: pl.DataFrame, price_slope: pl.DataFrame, published_price_trend: pl.DataFrame) -> Exhibit:
    """Left the monthly prices of fixed qualities, right the slopes: ours by kind, then what others published."""
    lines = rows(
        price_index.filter(kind="fixed_quality", scale=SCALE, input_per_output=BLEND).sort("threshold", "as_of"),
        of="price of a fixed quality on Epoch's index",
    )
    slopes = pl.concat([our_slopes(price_slope), published_slopes(published_price_trend)])
    with house_style():
        picture = sheet(1.4 + 0.24 * max(slopes.height, 12))
        left, right = picture.subplots(1, 2, width_ratios=(1, 1))
        _prices(left, lines)
        _slopes(right, rows(slopes, of="slope of a price index"))
        picture.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return Exhibit(
        finding=_finding(slopes),
        alt=(
            "Left: cheapest first-party price at or above each of a few fixed scores, month by month on a logarithmic axis, "
            "as falling steps. Right: times cheaper per year with intervals on a logarithmic axis, a row per index, first "
            "ours, then published ones, with a line at 1 where nothing fell."
        ),
        as_of=f"Prices at month ends, {days(lines['as_of'])}.",
        uncertainty=(
            "Bars: 95 % Student intervals of the slope through the levels a price took, so n is small; of published slopes the "
            f"range or interval they state. Intervals beyond {LEAST:g} or {MOST:,.0f} are cut at the edge and whole in the "
            "table; a mark without a bar has no interval. List prices, input and output weighed alike; no volumes are known."
        ),
        numbers=slopes.with_columns(pl.selectors.float().round_sig_figs(4)),
        picture=picture,
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
    ).sort(in_order, maintain_order=True)


def published_slopes(trends: pl.DataFrame) -> pl.DataFrame:
    """Published slopes of prices per token: as stated, over the time of the text, over its own dates; Epoch's as a range."""
    tokens = trends.filter(pl.col("unit") == "usd_per_mtok")
    many = (
        tokens.filter(pl.col("stated_factor_per_year").is_not_null())
        .group_by("publisher")
        .agg(
            pl.len(),
            value=pl.col("stated_factor_per_year").median(),
            low=pl.col("stated_factor_per_year").min(),
            high=pl.col("stated_factor_per_year").max(),
        )
        .filter(pl.col("len") > 1)
    )
    told: list[tuple[str, int | None, float | None, float | None, float | None]] = [
        (f"{r['publisher']}, {r['len']} qualities", None, r["value"], r["low"], r["high"]) for r in many.iter_rows(named=True)
    ]
    for r in tokens.filter(~pl.col("publisher").is_in(many["publisher"].implode())).iter_rows(named=True):
        if r["stated_factor_per_year"] is not None or r["stated_low"] is not None:
            told.append((r["publisher"], r["n"], r["stated_factor_per_year"], r["stated_low"], r["stated_high"]))
            continue
        what = r["publisher"] + (f" ({r['scale']} {r['threshold']:g})" if r["scale"] and r["threshold"] else "")
        if r["by_text_per_year"] is not None:
            told.append((f"{what}, by its text", r["n"], r["by_text_per_year"], None, None))
        if r["by_dates_per_year"] is not None:
            told.append((f"{what}, by its dates", r["n"], r["by_dates_per_year"], r["by_dates_low"], r["by_dates_high"]))
    frame = pl.DataFrame(
        told,
        orient="row",
        schema={"label": pl.String, "n": pl.Int64, "factor_per_year": pl.Float64, "low": pl.Float64, "high": pl.Float64},
    )
    middle = pl.coalesce("factor_per_year", (pl.col("low") * pl.col("high")).sqrt())
    return frame.with_columns(
        kind=pl.lit("published"), first_on=pl.lit(None, pl.Date), last_on=pl.lit(None, pl.Date), factor_per_year=middle
    ).select("label", "kind", "n", "first_on", "last_on", "factor_per_year", "low", "high")


def _prices(axes: Axes, lines: pl.DataFrame) -> None:
    for (_, line), (colour, marker, dashes) in zip(lines.group_by("series", maintain_order=True), SERIES, strict=False):
        first = line.row(0, named=True)
        name = f"{first['threshold']:.0f}" + (f", {first['model']}" if first["model"] else "")
        axes.step(
            line["as_of"].to_numpy(),
            line["value"],
            where="post",
            color=colour,
            linestyle=dashes,
            marker=marker,
            markevery=(0.0, 0.25),
            label=name,
        )
    low, high = span(lines["value"])
    log_axis(axes, "y", decades(low / 1.5, high * 1.5, (1, 3)), "${:g}")
    axes.set_ylim(low / 1.6, high * 14)  # room for the legend
    axes.xaxis.set_major_locator(YearLocator())  # type: ignore[no-untyped-call]
    axes.set_ylabel("cheapest price, $ per M tokens")
    axes.set_title("Price of a fixed score on Epoch's index")
    axes.legend(loc="upper right", title="score, as of", title_fontsize=8.5)


def _slopes(axes: Axes, slopes: pl.DataFrame) -> None:
    for kind, (colour, marker, label) in KINDS.items():
        part = slopes.with_row_index("place").filter(kind=kind)
        if part.is_empty():
            continue
        value = part["factor_per_year"]
        low, high = (part[name].fill_null(value).clip(LEAST / 2, MOST * 2) for name in ("low", "high"))
        axes.errorbar(
            value,
            part["place"],
            xerr=[(value - low).clip(0), (high - value).clip(0)],
            fmt=marker,
            color=colour,
            elinewidth=1,
            label=label,
        )
    axes.axvline(1, color=INK, linewidth=1)
    names = [f"{name} (n={n})" if n else name for name, n in slopes.select("label", "n").iter_rows()]
    axes.set_yticks(range(slopes.height), names)
    axes.set_ylim(slopes.height - 0.4, -0.6)
    log_axis(axes, "x", (1, 3, 10, 30, 100, 300, 1000))
    axes.set_xlim(LEAST, MOST)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("times cheaper per year")
    axes.set_title("Slopes")
    axes.tick_params(axis="y", color=GREY, labelsize=8)


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
