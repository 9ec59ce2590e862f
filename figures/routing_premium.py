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
ROW_INCHES = 0.105
GAP_ROWS = 1.5


def draw(*, routing_premium: pl.DataFrame) -> Exhibit:
    """Left every premium in its class, right the safety factor where the cost of the controller is known."""
    points = rows(routing_premium.filter(pl.col("premium").is_not_null()), of="operating point with a premium")
    placed, bands = _placed(points)
    height = float(placed["place"].max()) + 1  # type: ignore[arg-type]
    with house_style():
        picture = sheet(1.5 + ROW_INCHES * height)
        left, right = picture.subplots(1, 2, sharey=True, width_ratios=(1.7, 1))
        _premiums(left, placed)
        _safety(right, placed)
        left.set_yticks([middle for _, middle, _ in bands], [name.replace("_", " ") for name, _, _ in bands])
        left.set_ylim(height - 0.3, -1)
        for axes in (left, right):
            axes.grid(visible=False, axis="y")
            for _, _, end in bands[:-1]:
                axes.axhline(end, color="#ECECEC", linewidth=0.8)
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
            f"Left: share of cost saved for {points.height} operating points in bands by class, with intervals and a line at "
            f"0. Right: in the same rows the safety factor on a logarithmic axis for the {known.height} points where it is "
            "known, with a line at 1."
        ),
        as_of="Figures as printed by their documents; each row names its version.",
        uncertainty=(
            "Bars: rounding of the printed figure, a printed range, or resampling, as `interval_basis` says; hardly any "
            "document discloses a sampling error. Units of what is saved differ (dollars, latency, calls), so premiums "
            f"compare within a unit only. {routing_premium.height - points.height} points have a sign and no premium: they "
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


def _placed(points: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[str, float, float]]]:
    """Points with their row from the top, and each class with the middle and the end of its band."""
    order = points.group_by("pattern").agg(pl.col("premium").median()).sort("premium", descending=True)["pattern"]
    parts, bands, place = [], [], 0.0
    for pattern in order:
        part = points.filter(pattern=pattern).sort("premium", descending=True)
        parts.append(part.with_columns(place=place + pl.int_range(pl.len()).cast(pl.Float64)))
        bands.append((pattern, place + (part.height - 1) / 2, place + part.height - 1 + (GAP_ROWS + 1) / 2))
        place += part.height + GAP_ROWS
    return pl.concat(parts), bands


def _premiums(axes: Axes, placed: pl.DataFrame) -> None:
    axes.axvline(0, color=INK, linewidth=1)
    for sign, (colour, marker, label) in SIGNS.items():
        part = placed.filter(sign=sign)
        if part.is_empty():
            continue
        low, high = (part[name].fill_null(part["premium"]) for name in ("premium_low", "premium_high"))
        axes.errorbar(
            100 * part["premium"],
            part["place"],
            xerr=[100 * (part["premium"] - low).clip(0), 100 * (high - part["premium"]).clip(0)],
            fmt=marker,
            color=colour,
            markersize=4,
            elinewidth=1,
            label=f"{label} ({part.height})",
        )
    axes.set_xlabel("saved, net, % of the unconditional cost")
    axes.set_title("Premium")
    axes.legend(loc="lower left")


def _safety(axes: Axes, placed: pl.DataFrame) -> None:
    known = placed.filter(pl.col("safety_factor") > 0)
    axes.set_title("Safety factor")
    axes.set_xlabel("gain over controller cost; fails below 1")
    if known.is_empty():
        axes.text(0.5, 0.5, "no controller cost is known", ha="center", transform=axes.transAxes, color=GREY)
        return
    axes.plot(known["safety_factor"], known["place"], linestyle="none", marker="^", color=GREEN)
    axes.axvline(1, color=INK, linewidth=1)
    low, high = span(known["safety_factor"])
    log_axis(axes, "x", decades(min(low, 1.0), high, (1, 3)))
    axes.set_xlim(min(low, 1.0) / 1.4, high * 1.6)
