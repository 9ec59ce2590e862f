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

HIGH = 5.0
"""Inches."""


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
    from figures.style import BLUE, GREEN, GREY, ORANGE, house_style, sheet  # noqa: PLC0415  (few ask for a picture)

    with house_style():
        picture = sheet(HIGH)
        axes = picture.subplots()
        for policy, colour in (("random", GREY), ("oracle", GREEN), ("hull of models", ORANGE)):
            part = rows.filter(pl.col("policy") == policy).sort("usd_per_item")
            if part.height:
                axes.plot(part["usd_per_item"], 100 * part["quality"], color=colour, label=policy)
        scores = [judgement.score for judgement in decision.judgements]
        for at, score in enumerate(scores):
            part = rows.filter(pl.col("policy") == score)
            axes.plot(part["usd_per_item"], 100 * part["quality"], color=BLUE, alpha=1.0 / (1 + at), label=score)
        alone = rows.filter(pl.col("policy").str.starts_with("model "))
        for model, cost, right in alone.select("policy", "usd_per_item", "quality").rows():
            axes.plot([cost], [100 * right], marker="o", color=GREY)
            axes.annotate(model.removeprefix("model "), (cost, 100 * right), textcoords="offset points", xytext=(4, 4))
        known = decision.best.of_policy
        at_cost, at_quality = known["cost"].value, 100 * known["quality"].value
        axes.plot([at_cost], [at_quality], marker="*", color=BLUE, linestyle="none", label="what to do")
        axes.set_xlabel("USD per item")
        axes.set_ylabel("correct, %")
        axes.legend(loc="lower right")
        picture.savefig(file, format="svg")


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
