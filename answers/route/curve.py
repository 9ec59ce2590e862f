"""The curve of quality over cost as rows and as a picture: the score's thresholds, random choice, oracle, hull of models."""

from pathlib import Path

import numpy as np
import polars as pl

from answers.route.prices import Prices
from answers.route.record import Asked, Decision
from answers.route.sides import sides_of
from answers.route.switching import handover_of
from answers.route.table import Table
from economics.routing.curve import curve_of, on_hull, oracle_frontier
from economics.routing.policies import Outcomes, summed_policies
from economics.units import Array

HIGH = 380
"""Pixels of the picture's height."""
MODELS, ADVICE = "one model for all", "what to do"


def curve_rows(table: Table, asked: Asked) -> pl.DataFrame:
    """One row per point: the policy, its threshold, its share of strong answers, its quality and what it costs per item."""
    sides = sides_of(table, asked)
    count = len(table.quality)
    controller = (
        table.items["controller_cost_usd"].to_numpy() if "controller_cost_usd" in table.items.columns else np.zeros(count)
    )
    outcomes = Outcomes(
        quality=table.quality, cost=table.cost, controller_cost=np.nan_to_num(controller), group=np.arange(count)
    )
    parts = []
    unit = np.zeros(count, dtype=np.int64)
    for name, score in table.scores.items():
        handover = handover_of(table, Asked(after_answer=asked.after_answer), sides.strong, sides.weak, prices=Prices())
        policies = summed_policies(outcomes, score=score, strong=sides.strong, weak=[sides.weak], unit=unit, handover=handover)
        curve = curve_of(policies, weak=sides.weak)
        parts.append(_points(name, curve.threshold, curve.strong_share, curve.quality, curve.cost))
        if len(parts) == 1:
            parts.append(_points("random", None, curve.strong_share, curve.random_quality, curve.random_cost))
    reached, least = oracle_frontier(quality=table.quality, cost=table.cost)
    parts.append(_points("oracle", None, None, reached, least))
    quality, cost = table.quality.mean(axis=0), table.cost.mean(axis=0)
    hull = on_hull(quality=quality, cost=cost)
    parts.append(_points("hull of models", None, None, quality[hull], cost[hull]))
    for at, model in enumerate(table.models):
        parts.append(_points(f"model {model}", None, None, quality[[at]], cost[[at]]))
    return pl.concat(parts)


def write_curve(rows: pl.DataFrame, file: Path, *, decision: Decision) -> None:
    """The rows as CSV, or as a picture in SVG."""
    if file.suffix.lower() == ".csv":
        rows.write_csv(file)
        return
    file.write_bytes(curve_svg(rows, decision=decision))


def curve_svg(rows: pl.DataFrame, *, decision: Decision) -> bytes:
    """The curves, every model alone, and what to do, as a picture."""
    from figures.chart import svg_of  # noqa: PLC0415  (few ask for a picture)
    from figures.style import any_looks, names, number  # noqa: PLC0415

    known = decision.best.of_policy
    advice = pl.DataFrame({"policy": [ADVICE], "usd_per_item": [known["cost"].value], "quality": [known["quality"].value]})
    alone = pl.col("policy").str.starts_with("model ")
    drawn = pl.concat([rows.sort("policy", "usd_per_item", maintain_order=True), advice], how="diagonal").with_columns(
        model=pl.when(alone).then(pl.col("policy").str.strip_prefix("model ")),
        policy=pl.when(alone).then(pl.lit(MODELS)).otherwise("policy"),
    )
    lines = drawn.filter(~pl.col("policy").is_in([MODELS, ADVICE]))["policy"].unique(maintain_order=True).to_list()
    chart = {
        "height": HIGH,
        "encoding": {
            "x": number("usd_per_item", "$ per item", dollars=True),
            "y": number("quality", "correct", share=True),
            **any_looks("policy"),
        },
        "layer": [
            {"transform": [{"filter": {"field": "policy", "oneOf": lines}}], "mark": {"type": "line"}},
            {
                "transform": [{"filter": {"field": "policy", "oneOf": [MODELS, ADVICE]}}],
                "mark": {"type": "point", "size": 90},
                "encoding": {"strokeDash": None},
            },
            names("model", color=None, strokeDash=None),
        ],
    }
    return svg_of(chart, drawn).encode()


def _points(policy: str, threshold: Array | None, share: Array | None, quality: Array, cost: Array) -> pl.DataFrame:
    count = len(quality)
    none = pl.Series([None] * count, dtype=pl.Float64)
    return pl.DataFrame(
        {
            "policy": [policy] * count,
            "threshold": none if threshold is None else threshold,
            "strong_share": none if share is None else share,
            "quality": quality,
            "usd_per_item": cost,
        }
    ).with_columns(threshold=pl.when(pl.col("threshold").is_finite()).then(pl.col("threshold")))
