"""Price and capability: every priced model, the ones that no other beats, and where the frontier stood in earlier years."""

from datetime import date

import polars as pl
from matplotlib.axes import Axes

from figures.exhibit import Exhibit, days, in_words, rows, span
from figures.style import BLUE, GREEN, GREY, ORANGE, VERMILLION, decades, house_style, label_points, log_axis, sheet

SCALE, SCALE_IN_WORDS = "eci_linked", "Epoch Capabilities Index"
EARLIER = ((1, VERMILLION, "s", "--"), (2, GREEN, "^", "-."), (3, ORANGE, "D", ":"))
"""Years back, with the look of that frontier."""


def draw(*, price_frontier: pl.DataFrame, price_frontier_history: pl.DataFrame) -> Exhibit:
    """The field of today with its frontier, and the frontiers of one, two and three years before."""
    today = rows(price_frontier.filter(scale=SCALE), of=f"priced model with a score on the {SCALE_IN_WORDS}")
    frontier = rows(today.filter("on_frontier").sort("cpm_usd_per_mtok"), of="model on the frontier")
    past = frontiers_before(price_frontier_history.filter(scale=SCALE), today["as_of"].max())
    with house_style():
        picture = sheet(5.0)
        axes = picture.subplots()
        _field(axes, today, frontier, past)
    cheapest, best = frontier.row(0, named=True), frontier.row(-1, named=True)
    linked = today.filter(pl.col("score_basis") == "linked").height
    bounded = today.filter(pl.col("score_low").is_not_null()).height
    return Exhibit(
        finding=(
            f"Of {in_words(today.height, 'priced model')}, {frontier.height} are beaten by no other in price and capability, "
            f"from {cheapest['model']} at ${cheapest['cpm_usd_per_mtok']:.2g} to {best['model']} at "
            f"${best['cpm_usd_per_mtok']:.3g} per million tokens.{_since(frontier, past)}"
        ),
        alt=(
            f"Blended price on a logarithmic axis against the {SCALE_IN_WORDS} for {today.height} models. The frontier of "
            f"today is a staircase with intervals of the score; {len(past)} frontiers of earlier years lie above it."
        ),
        as_of=f"Prices of {days(today['as_of'])}; scores of {days(today['capability_as_of'])}.",
        uncertainty=(
            f"Horizontal bars: the 95 % interval of the score, the publisher's or, for {linked} models that Epoch has not "
            f"rated, that of the chain from another scale; known for {bounded} of {today.height} models. Prices "
            "are list prices, mean of input and output; a model without a price of its developer has the median of its "
            "hosts. Earlier frontiers use the prices of their day and today's scores."
        ),
        numbers=today.select(
            "model",
            "developer",
            "score",
            "score_low",
            "score_high",
            "score_basis",
            "cpm_usd_per_mtok",
            "input_usd_per_mtok",
            "output_usd_per_mtok",
            "price_basis",
            "on_frontier",
        ),
        picture=picture,
    )


def frontiers_before(history: pl.DataFrame, today: object) -> list[tuple[int, date, pl.DataFrame]]:
    """The frontier of the last month end at least one, two and three years ago: years, day, models by score."""
    assert isinstance(today, date)
    found = []
    for years, *_ in EARLIER:
        until = history.filter(pl.col("as_of") <= today.replace(year=today.year - years, day=min(today.day, 28)))
        if not until.is_empty():
            then = until.filter(pl.col("as_of") == pl.col("as_of").max()).sort("cpm_usd_per_mtok")
            found.append((years, then["as_of"][0], then))
    return found


def _field(axes: Axes, today: pl.DataFrame, frontier: pl.DataFrame, past: list[tuple[int, date, pl.DataFrame]]) -> None:
    other = today.filter(~pl.col("on_frontier"))
    axes.scatter(
        other["score"],
        other["cpm_usd_per_mtok"],
        s=14,
        facecolor="none",
        edgecolor=GREY,
        linewidth=0.8,
        label=f"other priced models ({other.height})",
    )
    looks = {years: look for years, *look in EARLIER}
    for years, on, then in past[::-1]:
        colour, marker, dashes = looks[years]
        axes.step(
            then["score"],
            then["cpm_usd_per_mtok"],
            where="pre",
            color=colour,
            marker=marker,
            linestyle=dashes,
            linewidth=1.2,
            markersize=4,
            label=f"frontier of {on:%B %Y} ({then.height})",
        )
    known = frontier.drop_nulls(["score_low", "score_high"])
    axes.errorbar(
        known["score"],
        known["cpm_usd_per_mtok"],
        xerr=[(known["score"] - known["score_low"]).clip(0), (known["score_high"] - known["score"]).clip(0)],
        fmt="none",
        ecolor=BLUE,
        elinewidth=1,
        capsize=2,
    )
    axes.step(
        frontier["score"],
        frontier["cpm_usd_per_mtok"],
        where="pre",
        color=BLUE,
        marker="o",
        linewidth=2,
        label=f"frontier today ({frontier.height})",
    )
    low, high = span(pl.concat([today["cpm_usd_per_mtok"], *(then["cpm_usd_per_mtok"] for _, _, then in past)]))
    axes.set_ylim(low / 2.2, high * 1.5)
    log_axis(axes, "y", decades(low / 2, high * 1.5, (1, 3)), "${:g}")
    left, right = axes.get_xlim()
    axes.set_xlim(left, right + 0.12 * (right - left))
    label_points(axes, frontier.sort("score", descending=True).select("score", "cpm_usd_per_mtok", "model").rows(), right=True)
    axes.set_xlabel(SCALE_IN_WORDS)
    axes.set_ylabel("blended price, $ per M tokens")
    axes.legend(loc="upper left")


def _since(frontier: pl.DataFrame, past: list[tuple[int, date, pl.DataFrame]]) -> str:
    """What the best score of a year ago costs today, if that can be told."""
    for years, _, then in past:
        if years == 1:
            best = then.sort("score").row(-1, named=True)
            able = frontier.filter(pl.col("score") >= best["score"])
            if not able.is_empty():
                now = able.row(0, named=True)
                return (
                    f" The best score of a year ago ({best['model']}, ${best['cpm_usd_per_mtok']:.3g}) is now had from "
                    f"{now['model']} for ${now['cpm_usd_per_mtok']:.3g}."
                )
    return ""
