"""Samples or training: where the next dollar goes, arc by arc, at the ratio of inference to training dollars that is picked."""

import polars as pl

from figures.exhibit import Control, Exhibit, Told, day, in_words, rounded, rows
from figures.style import BLUE, GREY, VERMILLION, at, interval, looks, number

ARC = ["paper", "benchmark", "system", "curve", "samples_from", "samples_to"]
FORMS = {
    "published": "as published: (eta N - 1) / eta T",
    "lagrangian": "Lagrangian: eta N / eta T",
    "shared_cost": "shared fixed cost: (eta N - s) / eta T",
}
VERDICTS = {"inference": BLUE, "training": VERMILLION, "neither": GREY}
LEAST_ETA = 0.002


def draw(*, inference_frontier: pl.DataFrame) -> Exhibit:
    """Elasticity of accuracy in samples against that in training; above the line the next dollar buys samples."""
    paired = inference_frontier.drop_nulls(["eta_training", "dollar_ratio"]).sort("dollar_ratio", *ARC)
    arcs = rows(paired.unique(ARC, keep="first", maintain_order=True), of="arc with both elasticities")
    above = arcs.filter(pl.col("eta_samples") > 1 + 1e-6).height
    shares = {form: pl.col(f"{form}_verdict").eq("inference").mean() for form in FORMS}
    equal = paired.filter(pl.col("dollar_ratio") == 1.0).select(**shares).row(0, named=True)
    told = (
        f" At equal dollars the published form sends {equal['published']:.0%} of them to inference, the Lagrangian "
        f"{equal['lagrangian']:.0%}, the shared-cost form {equal['shared_cost']:.0%}."
        if None not in equal.values()
        else ""
    )
    helped = arcs.filter(pl.col("eta_training") > 0).height
    drawn = rows(
        paired.filter(pl.col("eta_training") > 0, pl.col("eta_samples") > LEAST_ETA / 2), of="arc on which training helps"
    )
    seen = looks("lagrangian", VERDICTS)
    x = number("eta_training", "elasticity of accuracy in training", log=True)
    y = number("eta_samples", "elasticity of accuracy in samples", log=True)
    return Exhibit(
        finding=(
            f"Of {in_words(arcs.height, 'measured arc')} with both elasticities, {above} have an elasticity in samples above "
            "1, which the published condition needs wherever training helps at all." + told
        ),
        as_of=f"Prices of {day(arcs['as_of'].max())}; arcs as measured by their documents.",
        uncertainty=(
            "Colours: the Lagrangian verdict at the picked ratio; the slanted line is where it turns, the level one where the "
            "published form begins. In a mark's words: 95 % intervals of both elasticities, the shares taken as independent. "
            f"{arcs.height - helped} arcs where training did not help have no place on the map. The dollar ratio is a "
            "scenario: no source tells a model's lifetime inference dollars."
        ),
        rows=rounded(_told(drawn)),
        chart={
            "height": 380,
            "encoding": {"x": x},
            "layer": [
                at(1, along="y"),
                {
                    "mark": {"type": "line", "strokeDash": [5, 3], "color": "#808080", "clip": True},
                    "encoding": {"y": {"field": "turns_at", "type": "quantitative"}},
                },
                {
                    "transform": [{"filter": {"field": "training_pairing", "oneOf": ["another_system", "same_lineage"]}}],
                    **interval("eta_samples_drawn_low", "eta_samples_high", along="y", color=seen["color"]),
                },
                {
                    "mark": {"type": "point", "size": 28, "opacity": 0.6},
                    "encoding": {"y": y | {"scale": {"type": "log", "domain": [LEAST_ETA, 3]}}, **seen},
                },
            ],
        },
        told=Told(
            name=("system", "benchmark", "curve"),
            value="eta_samples",
            source="paper",
            on="as_of",
            low="eta_samples_low",
            high="eta_samples_high",
            more=(
                "eta_training",
                "eta_training_low",
                "eta_training_high",
                "samples_from",
                "samples_to",
                "lagrangian",
                "published",
                "shared_cost",
                "lagrangian_flipping_dollar_ratio",
                "training_pairing",
            ),
        ),
        sql=(
            "SELECT * FROM marts.inference_frontier WHERE dollar_ratio IS NOT NULL AND eta_training > 0 "
            f"AND eta_samples > {LEAST_ETA / 2:g}"
        ),
        rests_on=tuple(arcs["paper"].unique().sort()),
        controls=(
            Control(column="dollar_ratio", label="Inference dollars per training dollar", start=1.0, slider=True),
            Control(column="training_pairing", label="Training measured on", every="all pairings"),
            Control(column="benchmark", label="Benchmark", every="all benchmarks"),
        ),
        log=("x", "y"),
    )


def _told(arcs: pl.DataFrame) -> pl.DataFrame:
    ends = [f"eta_{of}{end}" for of in ("samples", "training") for end in ("", "_low", "_high")]
    return arcs.select(
        *ARC,
        *ends,
        "training_pairing",
        "dollar_ratio",
        "lagrangian_flipping_dollar_ratio",
        "as_of",
        eta_samples_drawn_low=pl.col("eta_samples_low").clip(LEAST_ETA),
        turns_at=(pl.col("dollar_ratio") * pl.col("eta_training")).clip(LEAST_ETA, 3.0),
        **{form: pl.col(f"{form}_verdict") for form in FORMS},
    )
