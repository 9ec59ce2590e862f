"""How many arcs each of three forms of the condition sends to inference, along the ratio of the dollars."""

import polars as pl

from figures.exhibit import Exhibit, Told, day, in_words, rounded, rows, span
from figures.inference_frontier import FORMS
from figures.style import looks, number


def draw(*, inference_frontier: pl.DataFrame) -> Exhibit:
    """A line per form: share of arcs where the next dollar buys samples."""
    paired = rows(inference_frontier.drop_nulls(["eta_training", "dollar_ratio"]), of="arc with both elasticities")
    shares = pl.concat(
        paired.group_by("dollar_ratio").agg(
            share=pl.col(f"{form}_verdict").eq("inference").mean(),
            arcs=pl.col(f"{form}_verdict").count(),
            as_of=pl.col("as_of").max(),
            form=pl.lit(words).first(),
            source=pl.lit("marts.inference_frontier").first(),
        )
        for form, words in FORMS.items()
    ).drop_nulls("share")
    known = rows(shares.sort("form", "dollar_ratio"), of="verdict on an arc")
    most = {form: span(known.filter(form=words)["share"])[1] for form, words in FORMS.items()}
    y = number("share", "arcs where the next dollar buys samples", share=True, zero=True)
    order = list(FORMS.values())
    return Exhibit(
        finding=(
            f"Over {in_words(int(known['arcs'].max()), 'arc')} the published form never sends more than "  # type: ignore[arg-type]
            f"{most['published']:.0%} of them to inference, the Lagrangian up to "
            f"{most['lagrangian']:.0%}."
        ),
        as_of=f"Prices of {day(paired['as_of'].max())}; arcs as measured by their documents.",
        uncertainty="Shares of the arcs that are known, not of tasks; the ratio of the dollars is a scenario. No interval.",
        rows=rounded(known),
        chart={
            "height": 280,
            "encoding": {
                "x": number("dollar_ratio", "inference dollars per training dollar, scenario", log=True),
                "y": y,
                **looks("form", order, of="line"),
            },
            "layer": [
                {"mark": {"type": "line"}},
                {"mark": {"type": "point"}, "encoding": {"shape": looks("form", order)["shape"]}},
            ],
        },
        told=Told(name=("form", "dollar_ratio"), value="share", source="source", on="as_of", more=("arcs",)),
        sql=(
            "SELECT dollar_ratio, avg((published_verdict = 'inference')::INT) AS published, avg((lagrangian_verdict = "
            "'inference')::INT) AS lagrangian, avg((shared_cost_verdict = 'inference')::INT) AS shared_cost, count(*) AS arcs "
            "FROM marts.inference_frontier WHERE dollar_ratio IS NOT NULL AND eta_training IS NOT NULL GROUP BY dollar_ratio"
        ),
        rests_on=tuple(paired["paper"].unique().sort()),
        log=("x",),
    )
