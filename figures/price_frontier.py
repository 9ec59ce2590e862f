"""Price and capability: every priced model, the ones that no other beats, and how the frontier moved."""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.dates import YearLocator
from matplotlib.ticker import MaxNLocator

from figures.exhibit import Exhibit, days, in_words, rows, span
from figures.style import BLUE, GREY, SERIES, decades, house_style, label_points, log_axis, sheet

SCALE = "eci"
SCALE_IN_WORDS = "Epoch Capabilities Index"
LEVELS = 4
"""At most so many fixed capabilities have their cheapest price followed over time."""


def draw(*, price_frontier: pl.DataFrame, price_frontier_history: pl.DataFrame) -> Exhibit:
    """Left the field of today, right the cheapest price of fixed capabilities at each month's end."""
    today = rows(price_frontier.filter(scale=SCALE), of=f"priced model with a score on the {SCALE_IN_WORDS}")
    past = price_frontier_history.filter(scale=SCALE)
    frontier = rows(today.filter("on_frontier").sort("cpm_usd_per_mtok"), of="model on the frontier")
    with house_style():
        picture = sheet(4.3)
        field, time = picture.subplots(1, 2, width_ratios=(1.15, 1))
        _field(field, today, frontier)
        falls = _time(time, past)
    cheapest, best = frontier.row(0, named=True), frontier.row(-1, named=True)
    bounded = today.filter(pl.col("score_low").is_not_null()).height
    return Exhibit(
        finding=(
            f"Of {in_words(today.height, 'priced model')}, {frontier.height} are beaten by no other in price and capability, "
            f"from {cheapest['model']} at ${cheapest['cpm_usd_per_mtok']:.2g} to {best['model']} at "
            f"${best['cpm_usd_per_mtok']:.3g} per million tokens.{falls}"
        ),
        alt=(
            f"Left: blended price on a logarithmic axis against the {SCALE_IN_WORDS} for {today.height} models, with the "
            "frontier as a staircase. Right: month by month, the cheapest price of any model at or above each of a few fixed "
            "scores; all lines fall."
        ),
        as_of=f"Prices of {days(today['as_of'])}; scores of {days(today['capability_as_of'])}.",
        uncertainty=(
            f"Horizontal bars: the publisher's interval of the score, known for {bounded} of {today.height} models. Prices "
            "are list prices, mean of input and output; a model without a price of its developer has the median of its "
            "hosts. A model enters on its release; earlier prices of today's scores are not corrected for rescoring."
        ),
        numbers=today.select(
            "model", "developer", "score", "score_low", "score_high", "cpm_usd_per_mtok", "input_usd_per_mtok",
            "output_usd_per_mtok", "price_basis", "on_frontier",
        ),
        picture=picture,
    )  # fmt: skip


def _field(axes: Axes, today: pl.DataFrame, frontier: pl.DataFrame) -> None:
    other = today.filter(~pl.col("on_frontier"))
    axes.scatter(other["score"], other["cpm_usd_per_mtok"], s=14, facecolor="none", edgecolor=GREY, linewidth=0.8,
                 label=f"other priced models ({other.height})")  # fmt: skip
    known = frontier.filter(pl.col("score_low").is_not_null() & pl.col("score_high").is_not_null())
    axes.errorbar(
        known["score"], known["cpm_usd_per_mtok"],
        xerr=[(known["score"] - known["score_low"]).clip(0), (known["score_high"] - known["score"]).clip(0)],
        fmt="none", ecolor=BLUE, elinewidth=1, capsize=2,
    )  # fmt: skip
    axes.step(frontier["score"], frontier["cpm_usd_per_mtok"], where="pre", color=BLUE, marker="o",
              label=f"frontier ({frontier.height})")  # fmt: skip
    low, high = span(today["cpm_usd_per_mtok"])
    axes.set_ylim(low / 2.2, high * 1.5)
    log_axis(axes, "y", decades(low / 2, high * 1.5, (1, 3)), "${:g}")
    left, right = axes.get_xlim()
    axes.set_xlim(left, right + 0.22 * (right - left))
    label_points(
        axes, frontier.sort("score", descending=True).select("score", "cpm_usd_per_mtok", "model").rows(), right=True
    )
    axes.set_xlabel(SCALE_IN_WORDS)
    axes.set_ylabel("blended price, $ per M tokens")
    axes.set_title("Today")
    axes.legend(loc="upper left")


def _time(axes: Axes, past: pl.DataFrame) -> str:
    """Draw the price of fixed scores over time; returns the sentence on the longest fall, if any."""
    axes.set_title("Cheapest price at or above a score")
    axes.set_ylabel("$ per M tokens")
    lines = [line for level in levels(past) if (line := cheapest_at(past, level)).height > 1]
    if not lines:
        axes.text(0.5, 0.5, "fewer than two months with prices", ha="center", transform=axes.transAxes, color=GREY)
        axes.set_axis_off()
        return ""
    for line, (colour, marker, dashes) in zip(lines, SERIES, strict=False):
        axes.step(line["as_of"].to_numpy(), line["usd"], where="post", color=colour, linestyle=dashes, marker=marker,
                  markevery=(0.0, 0.2), label=f"score {line['level'][0]:.0f}")  # fmt: skip
    prices = pl.concat(lines)["usd"]
    low, high = span(prices)
    log_axis(axes, "y", decades(low / 1.5, high * 1.5, (1, 3)), "${:g}")
    axes.set_ylim(low / 1.5, high * 1.8)
    axes.xaxis.set_major_locator(YearLocator())  # type: ignore[no-untyped-call]
    axes.legend(loc="upper right")
    longest = max(lines, key=lambda line: line.height)
    first, last = longest.row(0, named=True), longest.row(-1, named=True)
    years = (last["as_of"] - first["as_of"]).days / 365.25
    return (
        f" The cheapest model scoring {first['level']:.0f} or more went from ${first['usd']:.3g} to ${last['usd']:.2g} in "
        f"{years:.1f} years, {first['usd'] / last['usd']:.0f} times."
    )


def levels(past: pl.DataFrame) -> list[float]:
    """Fixed scores to follow: round numbers up to the best model, the highest ones."""
    if past.is_empty():
        return []
    low, high = span(past["score"])
    round_numbers = MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(level) for level in round_numbers if low <= level <= high][-LEVELS:]


def cheapest_at(past: pl.DataFrame, level: float) -> pl.DataFrame:
    """Cheapest price per month among models scoring at least `level`."""
    able = past.filter(pl.col("score") >= level).group_by("as_of").agg(usd=pl.col("cpm_usd_per_mtok").min())
    return able.sort("as_of").with_columns(level=pl.lit(level))
