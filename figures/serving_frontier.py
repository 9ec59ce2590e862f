"""The serving frontier: what an output token costs within its latencies, frame by frame, and which points nothing beats."""

import polars as pl

from figures.exhibit import Control, Exhibit, Told, days, in_words, rounded, rows
from figures.partition_map import MODEL
from figures.style import BLUE, GREEN, ORANGE, PURPLE, VERMILLION, interval, looks, named_rows, number, stale_marks
from schemas.prices.llm_prices import STALE_AFTER_DAYS

BASES = {"published": VERMILLION, "measured": GREEN, "peer_reviewed": PURPLE, "simulated": ORANGE, "predicted": BLUE}
FEW, MANY = 8, 40
"""Points of the frame that is shown first: enough to compare, and a picture that fits a screen."""
FRAME = ("model", "workload", "percentile", "gpu_price_term", "frame")


def draw(*, serving_frontier: pl.DataFrame) -> Exhibit:
    """A row per operating point of one frame at a time: cost of an output token with its interval, and its latencies."""
    points = rows(serving_frontier, of="priced operating point")
    first = first_frame(points)
    evidence = points.filter(pl.col("basis") != "predicted")
    sure = points.filter("on_frontier").filter(pl.col("frontier_probability") >= 0.95).height
    colour = looks("basis", BASES)["color"]
    place = {"y": named_rows("point", sort={"field": "usd_per_mtok"})}
    return Exhibit(
        finding=(
            f"{in_words(points.height, 'operating point')} in {in_words(points['frame'].n_unique(), 'frame')}, "
            f"{evidence.height} of them published or measured: {points.filter('on_frontier').height} are on the frontier of "
            f"their frame in cost, TTFT and TPOT, {sure} of these with a probability of 95 % or more."
        ),
        as_of=f"Rents of {days(points['gpu_price_on'].drop_nulls())}.",
        uncertainty=(
            "Filled marks are on the frontier. Bars: 5th to 95th percentile over draws of the rent (range of sellers) and of "
            "the rate (reading error, spread of submissions, or MFU, MBU and links of a prediction). `frontier_probability`: "
            "share of the draws in which the point is on its frontier. Only points of one frame can be compared: same model, "
            "tokens, percentile, arrivals and term."
        ),
        rows=rounded(_named(points)),
        chart={
            "height": {"step": 15},
            "encoding": place,
            "layer": [
                interval("low_usd_per_mtok", "high_usd_per_mtok", color=colour | {"legend": None}),
                {
                    "mark": {"type": "point", "size": 60, "filled": False},
                    "encoding": {
                        "x": number("usd_per_mtok", "$ per million output tokens", log=True, dollars=True),
                        "stroke": colour,
                        "fill": colour,
                        "shape": looks("basis", BASES)["shape"],
                        "fillOpacity": {"condition": {"test": {"field": "on_frontier", "equal": True}, "value": 1}, "value": 0},
                    },
                },
                stale_marks(x={"field": "usd_per_mtok", "type": "quantitative"}),
            ],
        },
        told=Told(
            name=("point",),
            value="usd_per_mtok",
            source="source",
            on="evidence_on",
            low="low_usd_per_mtok",
            high="high_usd_per_mtok",
            more=("ttft_s", "tpot_s", "on_frontier", "frontier_probability", "gpu_usd_per_hour", "gpu_price_on"),
        ),
        sql=f"SELECT {', '.join(COLUMNS)} FROM marts.serving_frontier",
        rests_on=tuple(points["source"].unique().sort()),
        controls=(
            Control(column="model", label="Model", start=first["model"]),
            Control(column="workload", label="Workload", start=first["workload"]),
            Control(column="percentile", label="Percentile", start=first["percentile"]),
            Control(column="gpu_price_term", label="Rent term", start=first["gpu_price_term"]),
            Control(column="frame", label="Frame", start=first["frame"]),
            Control(column="gpu", label="GPU", every="all GPUs"),
        ),
        log=("x",),
    )


def first_frame(points: pl.DataFrame) -> dict[str, object]:
    """The frame shown first: with evidence beside predictions if there is one, of the maps' model if it can, of fair size."""
    sizes = points.group_by(FRAME).agg(pl.len(), evidence=(pl.col("basis") != "predicted").sum())
    order = sizes.with_columns(
        fits=pl.col("len").is_between(FEW, MANY),
        mixed=(pl.col("evidence") > 0) & (pl.col("evidence") < pl.col("len")),
        is_ours=pl.col("model") == MODEL,
    ).sort("fits", "mixed", "is_ours", "evidence", "frame", descending=[True, True, True, True, False])
    return order.row(0, named=True)


COLUMNS = (
    "frame",
    "model",
    "workload",
    "percentile",
    "gpu_price_term",
    "gpu",
    "gpus",
    "basis",
    "system",
    "design",
    "precision",
    "ttft_s",
    "tpot_s",
    "usd_per_mtok",
    "low_usd_per_mtok",
    "high_usd_per_mtok",
    "on_frontier",
    "frontier_probability",
    "gpu_usd_per_hour",
    "gpu_price_on",
    "measured_on",
    "source",
)


def _named(points: pl.DataFrame) -> pl.DataFrame:
    """The points, cheapest first, each with a name of its own within its frame."""
    who = pl.when(pl.col("basis") == "predicted").then(pl.col("design")).otherwise(pl.coalesce("system", "design"))
    name = pl.format(
        "{} on {}{}, {} s, {} ms",
        pl.coalesce(who, pl.lit("system not stated")),
        pl.when(pl.col("gpus").is_null()).then(pl.lit("")).otherwise(pl.format("{} x ", "gpus")),
        pl.coalesce("gpu", pl.lit("own GPUs")),
        pl.col("ttft_s").round_sig_figs(2),
        (1000 * pl.col("tpot_s")).round_sig_figs(3),
    )
    again = pl.int_range(pl.len()).over("frame", "point") + 1
    return (
        points.sort("usd_per_mtok")
        .select(*COLUMNS, "as_of", point=name)
        .with_columns(
            point=pl.when(pl.len().over("frame", "point") > 1).then(pl.format("{} ({})", "point", again)).otherwise("point"),
            evidence_on=pl.coalesce("measured_on", "gpu_price_on"),
            is_stale=(pl.col("as_of") - pl.col("gpu_price_on")).dt.total_days() > STALE_AFTER_DAYS,
        )
        .drop("as_of")
    )
