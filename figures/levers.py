"""Levers as a waterfall: what each does alone to the cost of a token, and what they do together."""

import polars as pl

from figures.exhibit import Control, Exhibit, Told, day, in_words, rounded, rows
from figures.style import GREEN, GREY, ORANGE, VERMILLION

KINDS = {"cost": GREY, "saves": GREEN, "costs": VERMILLION, "interaction": ORANGE}
WORDS = {
    "cost": "cost of a token",
    "saves": "lever alone, saves",
    "costs": "lever alone, costs",
    "interaction": "together against the product of each alone",
}


def draw(*, lever_effects: pl.DataFrame) -> Exhibit:
    """For one operating point: its cost, each lever of its largest stack alone, the interaction, the cost with all."""
    stacks = rows(largest_stacks(lever_effects), of="stack of levers that meets its contract")
    steps = pl.concat([steps_of(stack, lever_effects) for stack in stacks.iter_rows(named=True)])
    best = stacks.sort("usd_ratio").row(0, named=True)
    twice = stacks.filter(pl.col("usd_interaction") > 1.02).height
    drawn = steps.with_columns(
        start=pl.col("start").fill_null(0.0),
        kind=pl.col("kind").replace(WORDS),
        label=pl.coalesce(
            pl.format("x{}", pl.col("factor").round(2)), pl.format("${}", pl.col("usd_per_mtok_after").round_sig_figs(2))
        ),
        source=pl.lit("closed forms"),
        as_of=pl.lit(lever_effects["as_of"].max()),
        highest=pl.max_horizontal("start", "end"),
    )
    x = {"field": "step", "type": "nominal", "title": None, "sort": None, "axis": {"labelAngle": -30}}
    y = {"field": "start", "type": "quantitative", "title": "$ per million tokens", "axis": {"format": "$,~r"}}
    return Exhibit(
        finding=(
            f"Together levers take the cost of a token down to {best['usd_ratio']:.0%} at best ({best['operating_point']}: "
            f"{best['levers']}). In {twice} of {in_words(stacks.height, 'stack')} they save the same cost twice, so that the "
            "product of their single effects promises too much."
        ),
        as_of=f"Rents of {day(lever_effects['as_of'].max())}.",
        uncertainty=(
            "Bars are predictions of the closed forms at stated parameters, without an interval of their own. Where the "
            "lever's published gains could be predicted, `anchor_median_error` gives the median error of these predictions: "
            "above 0 the closed forms promise too much."
        ),
        rows=rounded(drawn),
        chart={
            "height": 300,
            "encoding": {"x": x},
            "layer": [
                {
                    "mark": {"type": "bar"},
                    "encoding": {
                        "y": y,
                        "y2": {"field": "end"},
                        "color": {
                            "field": "kind",
                            "type": "nominal",
                            "title": None,
                            "scale": {"domain": list(WORDS.values()), "range": list(KINDS.values())},
                        },
                    },
                },
                {
                    "mark": {"type": "text", "dy": -6},
                    "encoding": {
                        "y": {"field": "highest", "type": "quantitative"},
                        "text": {"field": "label", "type": "nominal"},
                    },
                },
            ],
        },
        told=Told(
            name=("step", "operating_point"),
            value="usd_per_mtok_after",
            source="source",
            on="as_of",
            more=("factor", "kind", "anchor_median_error", "setup"),
        ),
        sql=(
            "SELECT operating_point, levers, n_levers, usd_per_mtok, usd_ratio, usd_interaction, anchor_median_error "
            "FROM marts.lever_effects WHERE feasible"
        ),
        rests_on=("published_hardware", "published_model_shape", "published_levers", "routing_operating_points"),
        controls=(Control(column="operating_point", label="Operating point", start=best["operating_point"]),),
    )


def largest_stacks(effects: pl.DataFrame) -> pl.DataFrame:
    """Of each operating point the stack of most levers that meets the contract; of several the cheapest."""
    known = effects.filter(pl.col("n_levers") > 1, pl.col("feasible"), pl.col("product_usd_ratio").is_not_null())
    order = known.sort("n_levers", "usd_ratio", descending=[True, False])
    return order.unique("operating_point", keep="first", maintain_order=True).drop_nulls(["usd_per_mtok", "usd_interaction"])


def steps_of(stack: dict[str, object], effects: pl.DataFrame) -> pl.DataFrame:
    """The bars of one waterfall: step, kind, factor on the cost, where it starts and ends, and the error of its anchors."""
    alone = effects.filter(pl.col("operating_point") == stack["operating_point"], pl.col("n_levers") == 1)
    single = {row["levers"]: row for row in alone.iter_rows(named=True)}
    end, ratio, interaction = (stack[name] for name in ("usd_per_mtok", "usd_ratio", "usd_interaction"))
    assert isinstance(end, float)
    assert isinstance(ratio, float)
    assert isinstance(interaction, float)
    at = end / ratio
    bars: list[tuple[str, str, float | None, float | None, float, float | None]] = [
        ("as it stands", "cost", None, None, at, None)
    ]
    for lever in str(stack["levers"]).split(" + "):
        factor = single[lever]["usd_ratio"] if lever in single else None
        if factor is not None:
            kind = "saves" if factor <= 1 else "costs"
            bars.append((lever.replace("_", " "), kind, factor, at, at * factor, single[lever]["anchor_median_error"]))
            at *= factor
    bars += [("interaction", "interaction", interaction, at, end, None), ("together", "cost", ratio, None, end, None)]
    frame = pl.DataFrame(
        bars,
        orient="row",
        schema={
            "step": pl.String,
            "kind": pl.String,
            "factor": pl.Float64,
            "start": pl.Float64,
            "end": pl.Float64,
            "anchor_median_error": pl.Float64,
        },
    )
    return frame.select(
        operating_point=pl.lit(stack["operating_point"]),
        setup=pl.lit(f"{stack['model']} on {stack['gpu']}"),
        step="step",
        kind="kind",
        factor="factor",
        usd_per_mtok_after="end",
        anchor_median_error="anchor_median_error",
        start="start",
        end="end",
    )
