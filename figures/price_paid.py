"""Price paid against list price: what the cache and what discounts take off."""

import polars as pl
from matplotlib.axes import Axes

from figures.exhibit import Exhibit, days, in_words, rows, span
from figures.market_volume import SAMPLE
from figures.style import BLUE, GREY, INK, ORANGE, VERMILLION, decades, house_style, log_axis, sheet

SELLERS = 14
LEAST_TOKENS = 1e7
"""Tokens from which a mean price is drawn."""


def draw(*, price_paid: pl.DataFrame) -> Exhibit:
    """Left paid against list price of input for every model and seller, right the two factors of the largest."""
    known = price_paid.filter(pl.col("input_paid_over_list").is_not_null(), pl.col("tokens") >= LEAST_TOKENS)
    newest = rows(known.filter(pl.col("as_of") == pl.col("as_of").max()), of="price paid beside a list price")
    largest = newest.sort("tokens", descending=True).head(SELLERS)
    with house_style():
        picture = sheet(4.4)
        left, right = picture.subplots(1, 2, width_ratios=(1, 1.1))
        _scatter(left, newest)
        _factors(right, largest)
        picture.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    listed = pl.col("tokens") * pl.col("list_input_usd_per_mtok")
    paid, cache = newest.select(
        paid=(pl.col("tokens") * pl.col("input_usd_per_mtok")).sum() / listed.sum(),
        cache=(listed * pl.col("cache_factor")).sum() / listed.sum(),
    ).row(0)
    below = newest.filter(pl.col("input_rest_factor") < 0.9).height
    return Exhibit(
        finding=(
            f"Input cost {paid:.0%} of its list price, weighted by tokens; cache hits alone take it to {cache:.0%}. "
            f"{below} of {in_words(newest.height, 'seller')} of a model also charge a tenth or more below their list "
            "price."
        ),
        alt=(
            "Left: a mark for each model and seller, list price of input across and price paid up, both logarithmic, "
            "with the line where they are equal; nearly all lie below it. Right: for the sellers with most tokens, the "
            "factor of the cache, the factor of all else, and the price paid over list."
        ),
        as_of=f"Prices of {days(newest['as_of'])}.",
        uncertainty=(
            f"A sample: {SAMPLE}. Prices paid are means over a window that the publisher does not state; list prices are "
            "of the day. The rest factor holds discounts, long-context tiers, cache writes and prices that moved within "
            "the window."
        ),
        numbers=largest.select(
            "source_model",
            "provider",
            "tokens",
            "list_input_usd_per_mtok",
            "input_usd_per_mtok",
            "cache_hit_rate",
            "cache_factor",
            "input_rest_factor",
            "stated_discount",
            "output_paid_over_list",
        ).with_columns(pl.selectors.float().round_sig_figs(4)),
        picture=picture,
    )


def _scatter(axes: Axes, newest: pl.DataFrame) -> None:
    x, y = newest["list_input_usd_per_mtok"], newest["input_usd_per_mtok"]
    ends = span(pl.concat([x, y]))
    axes.plot(ends, ends, color=GREY, linewidth=1.0, linestyle="--")
    size = 4.0 + 60.0 * (newest["tokens"] / newest["tokens"].max()).sqrt()
    axes.scatter(x.to_numpy(), y.to_numpy(), s=size.to_numpy(), facecolor=BLUE, alpha=0.45, edgecolor="white", linewidth=0.4)
    log_axis(axes, "x", decades(*span(x)))
    log_axis(axes, "y", decades(*span(y)))
    axes.set_xlabel("list price of input, $ per million tokens")
    axes.set_ylabel("price paid for input, $ per million tokens")
    axes.set_title("Every model and seller")


def _factors(axes: Axes, largest: pl.DataFrame) -> None:
    looks = {
        "cache_factor": (ORANGE, "s", "what the cache leaves"),
        "input_rest_factor": (VERMILLION, "D", "what discounts and the rest leave"),
        "input_paid_over_list": (INK, "o", "paid over list"),
    }
    at = range(largest.height)
    for name, (colour, marker, label) in looks.items():
        axes.plot(largest[name].to_list(), list(at), marker, color=colour, label=label)
    axes.axvline(1.0, color=GREY, linewidth=0.8)
    names = largest.select(pl.format("{}, {}", pl.col("source_model").str.split("/").list.last(), "provider")).to_series()
    axes.set_yticks(list(at), names.to_list())
    axes.invert_yaxis()
    axes.set_xlim(left=0.0)
    axes.set_xlabel("share of the list price of input")
    axes.set_title("Sellers with most tokens")
