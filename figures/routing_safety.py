"""How far routing and adaptive compute are from failing: what is saved over what the controller costs."""

import polars as pl

from figures.exhibit import Control, Exhibit, Told, in_words, rounded, rows
from figures.routing_premium import named
from figures.style import at, looks, named_rows, number


def draw(*, routing_premium: pl.DataFrame) -> Exhibit:
    """A row per operating point whose controller's cost is known, with a line at 1, below which it fails."""
    known = routing_premium.filter(pl.col("safety_factor") > 0, pl.col("premium").is_not_null())
    points = named(rows(known, of="safety factor of an operating point")).sort("safety_factor")
    middle = points.select(pl.col("safety_factor").median()).item()
    fails = points.filter(pl.col("safety_factor") < 1).height
    patterns = points["pattern"].unique(maintain_order=True).sort().to_list()
    return Exhibit(
        finding=(
            f"Of {in_words(points.height, 'operating point')} whose controller's cost is known, {fails} cost more to decide "
            f"than they save; half have a safety factor above {middle:.2g}."
        ),
        as_of="Figures as printed by their documents; each row names its version.",
        uncertainty="A safety factor has no interval of its own: documents print the controller's cost without one.",
        rows=rounded(points),
        chart={
            "height": {"step": 16},
            "encoding": {"y": named_rows("row")},
            "layer": [
                at(1),
                {
                    "mark": {"type": "point", "size": 50},
                    "encoding": {"x": number("safety_factor", "safety factor", log=True), **looks("pattern", patterns)},
                },
            ],
        },
        told=Told(
            name=("row",),
            value="safety_factor",
            source="source",
            on="version",
            more=("setting", "saved_unit", "pattern", "premium", "gross_saving", "gamma"),
        ),
        sql="SELECT * FROM marts.routing_premium WHERE premium IS NOT NULL AND safety_factor > 0",
        rests_on=("routing_operating_points",),
        controls=(Control(column="pattern", label="Pattern", every="all patterns"),),
        log=("x",),
    )
