"""What routing and adaptive compute save, net of their controller: one unit of what is saved at a time."""

import polars as pl

from figures.exhibit import Control, Exhibit, Told, in_words, rounded, rows
from figures.style import BLUE, GREY, VERMILLION, at, interval, looks, named_rows, number

SIGNS = {"positive": BLUE, "not_shown": GREY, "negative": VERMILLION}


def draw(*, routing_premium: pl.DataFrame) -> Exhibit:
    """A row per operating point of one unit, named with its document, with its interval and a line at 0."""
    points = named(rows(routing_premium.filter(pl.col("premium").is_not_null()), of="operating point with a premium"))
    units = points["saved_unit"].value_counts().sort("count", "saved_unit", descending=[True, False])
    signs = dict(routing_premium["sign"].value_counts().iter_rows())
    known = points.drop_nulls("safety_factor").sort("safety_factor").head(1)
    told = "".join(
        f" The controller's cost is known for {points['safety_factor'].count()}; the thinnest safety factor is "
        f"{r['safety_factor']:.1f} ({r['system']})."
        for r in known.iter_rows(named=True)
    )
    return Exhibit(
        finding=(
            f"Of {in_words(routing_premium.height, 'published operating point')} {signs.get('positive', 0)} save, "
            f"{signs.get('negative', 0)} lose and {signs.get('not_shown', 0)} show neither." + told
        ),
        as_of="Figures as printed by their documents; each row names its version.",
        uncertainty=(
            "Bars: rounding of the printed figure, a printed range, or resampling, as `interval_basis` says; hardly any "
            "document discloses a sampling error. Units of what is saved differ (dollars, latency, calls), so one is shown at "
            f"a time. {routing_premium.height - points.height} points have a sign and no premium: they stand in "
            "marts.routing_premium."
        ),
        rows=rounded(points),
        chart={
            "height": {"step": 16},
            "encoding": {"y": named_rows("row")},
            "layer": [
                at(0),
                interval("premium_low", "premium_high", color=looks("sign", SIGNS)["color"]),
                {
                    "mark": {"type": "point", "size": 50},
                    "encoding": {
                        "x": number("premium", "premium, share of the unconditional cost", share=True),
                        **looks("sign", SIGNS),
                    },
                },
            ],
        },
        told=Told(
            name=("row",),
            value="premium",
            source="source",
            on="version",
            low="premium_low",
            high="premium_high",
            more=("setting", "saved_unit", "pattern", "sign", "safety_factor", "gamma", "interval_basis", "evidence", "note"),
        ),
        sql="SELECT * FROM marts.routing_premium WHERE premium IS NOT NULL",
        rests_on=("routing_operating_points",),
        controls=(
            Control(column="saved_unit", label="What is saved", start=units["saved_unit"][0]),
            Control(column="pattern", label="Pattern", every="all patterns"),
        ),
    )


def named(points: pl.DataFrame) -> pl.DataFrame:
    """Operating points by pattern, largest premium first, with a name of their own and the paper."""
    row = pl.format("{}: {}", pl.col("system").str.slice(0, 26), pl.col("setting").fill_null("").str.slice(0, 34))
    return (
        points.sort("saved_unit", "pattern", "premium", descending=[False, False, True])
        .with_columns(row=row, source=pl.format("{}, {}", "version", "locator"))
        .with_columns(
            row=pl.when(pl.len().over("saved_unit", "row") > 1)
            .then(pl.format("{} ({})", "row", pl.int_range(pl.len()).over("saved_unit", "row") + 1))
            .otherwise("row")
        )
        .select(
            "row",
            "system",
            "setting",
            "pattern",
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
            "source",
            "note",
        )
    )
