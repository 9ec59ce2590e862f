"""Price and capability: every priced model, the ones that no other beats, and where the frontier stood on earlier days."""

from calendar import monthrange
from datetime import date

import polars as pl

from figures.exhibit import Control, Exhibit, Told, days, in_words, rounded, rows
from figures.labels import spread
from figures.style import BLUE, GREEN, ORANGE, PALE, VERMILLION, interval, looks, names, number, stale_marks

SCALE, SCALE_IN_WORDS = "eci_linked", "Epoch Capabilities Index"
TODAY, OTHER = "on the frontier that day", "beaten by another"
EARLIER = {1: "frontier a year ago", 2: "frontier two years ago", 3: "frontier three years ago"}
LINES = {TODAY: BLUE, OTHER: PALE, EARLIER[1]: VERMILLION, EARLIER[2]: GREEN, EARLIER[3]: ORANGE}
SHOWN = (
    "model",
    "developer",
    "scale",
    "score",
    "score_low",
    "score_high",
    "score_basis",
    "cpm_usd_per_mtok",
    "input_usd_per_mtok",
    "output_usd_per_mtok",
    "price_basis",
    "on_frontier",
    "is_stale",
    "newest_evidence_on",
    "as_of",
)


def draw(
    *,
    price_frontier: pl.DataFrame,
    price_frontier_history: pl.DataFrame,
    llm_price_current: pl.DataFrame,
    capability: pl.DataFrame,
) -> Exhibit:
    """The field of today with its frontier, the frontiers of one, two and three years before, and those of any month."""
    every = rows(price_frontier, of="priced model with a score")
    today = rows(every.filter(scale=SCALE), of=f"priced model with a score on the {SCALE_IN_WORDS}")
    frontier = rows(today.filter("on_frontier").sort("cpm_usd_per_mtok"), of="model on the frontier")
    on = every["as_of"].max()
    assert isinstance(on, date)
    cheapest, best = frontier.row(0, named=True), frontier.row(-1, named=True)
    linked = today.filter(pl.col("score_basis") == "linked").height
    bounded = today.filter(pl.col("score_low").is_not_null()).height
    y = number("cpm_usd_per_mtok", "blended price, $ per million tokens", log=True, dollars=True)
    x = number("score", "score on the picked scale")
    x["scale"] |= {"padding": 45}  # pixels, for the names of the best
    drawn = every_day(every, price_frontier_history, on).join(
        sources_of(llm_price_current, capability), on=["model", "scale"], how="left", maintain_order="left"
    )
    return Exhibit(
        finding=(
            f"Of {in_words(today.height, 'priced model')}, {frontier.height} are beaten by no other in price and capability, "
            f"from {cheapest['model']} at ${cheapest['cpm_usd_per_mtok']:.2g} to {best['model']} at "
            f"${best['cpm_usd_per_mtok']:.3g} per million tokens."
            f"{_since(frontier, price_frontier_history.filter(scale=SCALE), on)}"
        ),
        as_of=f"Prices of {days(today['as_of'])}; scores of {days(today['capability_as_of'])}.",
        uncertainty=(
            f"Horizontal bars: the 95 % interval of the score, the publisher's or, for {linked} models that Epoch has not "
            f"rated, that of the chain from another scale; known for {bounded} of {today.height} models. Prices "
            "are list prices, mean of input and output; a model without a price of its developer has the median of its "
            "hosts. Of earlier days only the frontier is kept, at the prices of that day and today's scores."
        ),
        rows=rounded(drawn),
        chart={
            "height": 420,
            "encoding": {"y": y},
            "layer": [
                interval("score_low", "score_high", color={"value": PALE}),
                {
                    "transform": [{"filter": {"field": "line", "oneOf": [TODAY, *EARLIER.values()]}}],
                    "mark": {"type": "line", "interpolate": "step-before"},
                    "encoding": {"x": x, **looks("line", LINES, of="line"), "order": {"field": "score"}},
                },
                {"mark": {"type": "point"}, "encoding": {"x": x, **looks("line", LINES)}},
                names("label", x=x),
                stale_marks(x=x),
            ],
        },
        told=Told(
            name=("model",),
            value="cpm_usd_per_mtok",
            source="source",
            on="newest_evidence_on",
            more=(
                "score",
                "score_low",
                "score_high",
                "score_basis",
                "input_usd_per_mtok",
                "output_usd_per_mtok",
                "price_basis",
                "line",
            ),
        ),
        sql=(
            "SELECT *, as_of AS picked FROM marts.price_frontier UNION ALL BY NAME SELECT *, as_of AS picked "
            "FROM marts.price_frontier_history"
        ),
        rests_on=tuple(sorted({name for told in drawn["source"].drop_nulls().unique() for name in told.split(", ")})),
        controls=(
            Control(column="scale", label="Scale", start=SCALE),
            Control(column="picked", label="As of", start=on, slider=True),
        ),
        log=("y",),
    )


def every_day(today: pl.DataFrame, history: pl.DataFrame, on: date) -> pl.DataFrame:
    """Today's models, the frontier of each earlier day, and those of one to three years ago beside every day.

    `picked` is the day under which a row is drawn; NULL: under every day.
    """
    models = today.select(*SHOWN, picked="as_of", line=pl.when("on_frontier").then(pl.lit(TODAY)).otherwise(pl.lit(OTHER)))
    before = history.filter(pl.col("as_of") < on).select(*SHOWN, picked="as_of", line=pl.lit(TODAY))
    compared = [
        then.select(*SHOWN, picked=pl.lit(None, pl.Date), line=pl.lit(EARLIER[years]))
        for years in EARLIER
        if not (then := frontier_before(history, on, years)).is_empty()
    ]
    placed = pl.concat([models, before, *compared]).sort("picked", "scale", "score", nulls_last=True)
    first = pl.col("line") == TODAY
    return spread(placed, x="score", y="cpm_usd_per_mtok", name="model", within=("scale", "picked"), only=first, log_y=True)


def frontier_before(history: pl.DataFrame, on: date, years: int) -> pl.DataFrame:
    """The frontier, on each scale, of the last kept day that is at least some years before a day."""
    return history.filter(pl.col("as_of") <= years_before(on, years)).filter(
        pl.col("as_of") == pl.col("as_of").max().over("scale")
    )


def years_before(on: date, years: int) -> date:
    """The same day of an earlier year; of 29 February, the 28th."""
    return on.replace(year=on.year - years, day=min(on.day, monthrange(on.year - years, on.month)[1]))


def sources_of(prices: pl.DataFrame, capability: pl.DataFrame) -> pl.DataFrame:
    """By model and scale, the documents that today's price and the score were read from."""
    stated = prices.filter(pl.col("leg").is_in(["input", "output"]), variant="standard")
    priced = stated.group_by("model").agg(priced=pl.col("price_source").unique().sort())
    scored = capability.group_by("model", "scale").agg(scored=pl.col("source").unique().sort())
    both = scored.join(priced, on="model", how="left")
    return both.select(
        "model",
        "scale",
        source=pl.concat_list(pl.col("priced").fill_null([]), "scored").list.unique().list.sort().list.join(", "),
    )


def _since(frontier: pl.DataFrame, history: pl.DataFrame, on: date) -> str:
    """What the best score of a year ago costs today, if that can be told."""
    then = frontier_before(history, on, 1)
    if then.is_empty():
        return ""
    best = then.sort("score").row(-1, named=True)
    able = frontier.filter(pl.col("score") >= best["score"])
    if able.is_empty():
        return ""
    now = able.row(0, named=True)
    return (
        f" The best score of a year ago ({best['model']}, ${best['cpm_usd_per_mtok']:.3g}) is now had from "
        f"{now['model']} for ${now['cpm_usd_per_mtok']:.3g}."
    )
