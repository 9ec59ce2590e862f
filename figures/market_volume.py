"""Where tokens and dollars go: requests, tokens and dollars by tier of the market split, and by who trained the model."""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from figures.exhibit import Exhibit, days, rows
from figures.style import BLUE, GREY, ORANGE, PALE, SKY, VERMILLION, house_style, sheet

TIERS = {
    "frontier_reasoning": (BLUE, "", "frontier reasoning"),
    "commodity": (ORANGE, "///", "commodity"),
    "unclassified": (PALE, "...", "not rated, so unclassified"),
    "free": (SKY, "xxx", "free variants"),
}
MEASURES = {"request_share": "requests", "token_share": "tokens", "usd_share": "dollars"}
AUTHORS = 10
SAMPLE = "one router's traffic, much of it agents and coding, tokens of each seller's own tokenizer"


def draw(*, market_volume_by_tier: pl.DataFrame, market_volume: pl.DataFrame) -> Exhibit:
    """Left a stacked bar per month and measure, right each author's share of tokens and of dollars."""
    shares = rows(market_volume_by_tier, of="use of models by month")
    month = last_month(market_volume)
    authors = by_author(market_volume.filter(pl.col("month") == month))
    with house_style():
        picture = sheet(4.0)
        left, right = picture.subplots(1, 2, width_ratios=(1, 1))
        _tiers(left, shares)
        _authors(right, authors.head(AUTHORS))
        handles = [Patch(facecolor=c, hatch=h, edgecolor=GREY, label=label) for c, h, label in TIERS.values()]
        picture.legend(handles=handles, loc="outside lower center", ncols=4)
    top = authors.row(0, named=True)
    usd = float(market_volume.filter(pl.col("month") == month)["usd"].sum())
    unrated = shares.filter(month=month, tier="unclassified")["usd_share"].sum()
    return Exhibit(
        finding=(
            f"In {month:%B %Y} the router's traffic was worth ${usd / 1e6:,.0f} million. {top['author'].capitalize()} "
            f"took {top['usd_share']:.0%} of the dollars with {top['token_share']:.0%} of the paid tokens, and "
            f"{unrated:.0%} of the dollars went to models that the capability index has not rated."
        ),
        alt=(
            "Left: three stacked bars for each month, of requests, tokens and dollars, divided by tier. Right: for each "
            f"of {min(AUTHORS, authors.height)} developers two bars, its share of paid tokens and its share of dollars."
        ),
        as_of=f"Use in months that began on {days(shares['month'])}; first and last month are partial.",
        uncertainty=(
            f"A sample: {SAMPLE}. Dollars are price paid times tokens; prices paid are known for 8 August 2026 and moved "
            "by list prices for the months before. There is no interval: the counts are whole, what they are a sample "
            "of is not known."
        ),
        numbers=shares.with_columns(pl.selectors.float().round_sig_figs(4)),
        picture=picture,
    )


def last_month(volumes: pl.DataFrame) -> object:
    """The month with most days counted; of equals the newest."""
    return volumes.group_by("month").agg(pl.col("days").max()).sort("days", "month")["month"][-1]


def by_author(month: pl.DataFrame) -> pl.DataFrame:
    """Share of paid tokens and of dollars of each author, by dollars. `month`: rows of `MarketVolume` of one month."""
    paid = month.filter(~pl.col("is_free"))
    sums = paid.group_by("author").agg(pl.col("tokens", "usd").sum()).sort("usd", descending=True)
    return sums.with_columns(
        token_share=pl.col("tokens") / pl.col("tokens").sum(), usd_share=pl.col("usd") / pl.col("usd").sum()
    )


def _tiers(axes: Axes, shares: pl.DataFrame) -> None:
    bars = [(month, of) for month in sorted(shares["month"].unique()) for of in MEASURES]
    for at, (month, of) in enumerate(bars):
        start = 0.0
        for tier, (colour, hatch, _) in TIERS.items():
            width = float(shares.filter(month=month, tier=tier)[of].sum())
            axes.barh(at, width, left=start, color=colour, hatch=hatch, edgecolor=GREY, linewidth=0.5, height=0.75)
            start += width
    axes.set_yticks(range(len(bars)), [f"{month:%B}: {MEASURES[of]}" for month, of in bars])
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.0)
    axes.set_xlabel("share of the month")
    axes.set_title("Tiers of the market split")


def _authors(axes: Axes, authors: pl.DataFrame) -> None:
    for at, row in enumerate(authors.iter_rows(named=True)):
        axes.barh(at - 0.2, row["token_share"], height=0.38, color=GREY, label="paid tokens" if not at else None)
        axes.barh(
            at + 0.2,
            row["usd_share"],
            height=0.38,
            color=VERMILLION,
            hatch="//",
            edgecolor="white",
            label="dollars" if not at else None,
        )
    axes.set_yticks(range(authors.height), authors["author"].to_list())
    axes.invert_yaxis()
    axes.set_xlabel("share of the month")
    axes.set_title("Who earns what")
    axes.legend(loc="lower right")
