"""What routing and adaptive compute save, net of their controller, and how far from failing they are."""

import polars as pl
from matplotlib.axes import Axes

from figures.exhibit import Exhibit, in_words, rows, span
from figures.style import BLUE, GREEN, GREY, INK, VERMILLION, decades, house_style, log_axis, sheet

SIGNS = {
    "positive": (BLUE, "o", "above 0"),
    "not_shown": (GREY, "D", "sign not shown"),
    "negative": (VERMILLION, "X", "below 0"),
}
ROW_INCHES = 0.135
HEAD_INCHES = 0.42
LABEL_SIZE = 5.5


def draw(*, routing_premium: pl.DataFrame) -> Exhibit:
    """An axis of its own for each unit of what is saved; beside it the safety factor where the controller's cost is known."""
    points = rows(routing_premium.filter(pl.col("premium").is_not_null()), of="operating point with a premium")
    units = points.group_by("saved_unit").len().sort("len", "saved_unit", descending=[True, False])
    counts = units["len"].to_list()
    with house_style():
        picture = sheet(1.0 + ROW_INCHES * points.height + HEAD_INCHES * units.height)
        heights = [ROW_INCHES * count + HEAD_INCHES for count in counts]
        panels = picture.subplots(units.height, 2, sharey="row", width_ratios=(1.7, 1), height_ratios=heights, squeeze=False)
        for unit, (left, right) in zip(units["saved_unit"], panels, strict=True):
            part = points.filter(saved_unit=unit).sort("pattern", "premium", descending=[False, True]).with_row_index("place")
            _premiums(left, part, unit=unit)
            _safety(right, part)
            names = part.select(pl.format("{} ({})", "system", "version").str.slice(0, 64)).to_series()
            left.set_yticks(part["place"], names, fontsize=LABEL_SIZE)
            left.set_ylim(part.height - 0.4, -0.6)
            for axes in (left, right):
                axes.grid(visible=False, axis="y")
        panels[0][0].legend(loc="upper left", fontsize=LABEL_SIZE)
    known = points.drop_nulls("safety_factor")
    signs = dict(routing_premium["sign"].value_counts().iter_rows())
    least = known.sort("safety_factor").head(1)
    told = "".join(
        f" The controller's cost is known for {known.height}; the thinnest safety factor is {r['safety_factor']:.1f} "
        f"({r['system']})."
        for r in least.iter_rows(named=True)
    )
    return Exhibit(
        finding=(
            f"Of {in_words(routing_premium.height, 'published operating point')} {signs.get('positive', 0)} save, "
            f"{signs.get('negative', 0)} lose and {signs.get('not_shown', 0)} show neither." + told
        ),
        alt=(
            f"Left: share saved for {points.height} operating points, each named with its document, one axis per unit, with "
            "intervals and a line at 0. Right: in the same rows the safety factor on a logarithmic axis for the "
            f"{known.height} points where it is known, with a line at 1."
        ),
        as_of="Figures as printed by their documents; each row names its version.",
        uncertainty=(
            "Bars: rounding of the printed figure, a printed range, or resampling, as `interval_basis` says; hardly any "
            "document discloses a sampling error. Units of what is saved differ (dollars, latency, calls), so each has its own "
            f"axis. {routing_premium.height - points.height} points have a sign and no premium: they "
            "stand in the table."
        ),
        numbers=routing_premium.sort("pattern", "premium", nulls_last=True)
        .select(
            "pattern",
            "system",
            "figure",
            "saved_unit",
            "premium",
            "premium_low",
            "premium_high",
            "interval_basis",
            "bound",
            "sign",
            "gross_saving",
            "gamma",
            "safety_factor",
            "evidence",
            "is_control",
            "version",
        )
        .with_columns(pl.selectors.float().round_sig_figs(4)),
        picture=picture,
    )


def _premiums(axes: Axes, part: pl.DataFrame, *, unit: str) -> None:
    axes.axvline(0, color=INK, linewidth=1)
    for sign, (colour, marker, label) in SIGNS.items():
        some = part.filter(sign=sign)
        low, high = (some[name].fill_null(some["premium"]) for name in ("premium_low", "premium_high"))
        axes.errorbar(
            100 * some["premium"],
            some["place"],
            xerr=[100 * (some["premium"] - low).clip(0), 100 * (high - some["premium"]).clip(0)],
            fmt=marker,
            color=colour,
            markersize=3,
            elinewidth=1,
            label=label,
        )
    axes.set_title(f"Premium, % of the unconditional {unit.replace('_', ' ')}", fontsize=7)


def _safety(axes: Axes, part: pl.DataFrame) -> None:
    known = part.filter(pl.col("safety_factor") > 0)
    axes.axvline(1, color=INK, linewidth=1)
    axes.set_title("Safety factor; fails below 1", fontsize=7)
    if known.is_empty():
        axes.text(0.5, 0.5, "no controller cost", ha="center", va="center", transform=axes.transAxes, color=GREY, fontsize=6)
        axes.set_xticks([])
        return
    axes.plot(known["safety_factor"], known["place"], linestyle="none", marker="^", color=GREEN, markersize=3)
    low, high = span(known["safety_factor"])
    log_axis(axes, "x", decades(min(low, 1.0), high, (1, 3)))
    axes.set_xlim(min(low, 1.0) / 1.4, high * 1.6)
