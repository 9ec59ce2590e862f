"""Levers at operating points: what each changes, what they do together, and how published effects compare."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from assets.levers.anchors import anchors
from assets.levers.catalogue import POINTS, STACKS, Case, Facts, Point, cases, compatible, evidence, operating_point
from assets.levers.steps import bench
from economics.levers.effects import composed, interaction
from economics.levers.operating_point import Outcome, ServedPoint, outcome
from economics.serving.cost import TERMS
from economics.units import TOKENS_PER_MTOK
from schemas.base import polars_schema
from schemas.levers import effects as contract
from warehouse.table import table

GROUP = "levers"
CHANGED = ("prefill", "decode", "kv_tax", "attainment")
Row = dict[str, Any]


@table(schema=contract.LeverAnchor, group=GROUP)
def lever_anchor(
    cited_figure: pl.DataFrame,
    routing_point: pl.DataFrame,
    model_shape: pl.DataFrame,
    gpu: pl.DataFrame,
    engine_run: pl.DataFrame,
    measured_step: pl.DataFrame,
) -> pl.DataFrame:
    """Every published effect beside its prediction."""
    rows = anchors(
        figures=cited_figure,
        routing_point=routing_point,
        model_shape=model_shape,
        gpu=gpu,
        found=evidence(cited_figure),
        measured=bench(gpu=gpu, engine_run=engine_run, measured_step=measured_step),
    )
    bounded = (
        pl.when("is_assumed").then(pl.lit("assumed")).when("is_bound").then(pl.lit("upper_bound")).otherwise(pl.lit("point"))
    )
    with_error = rows.with_columns(
        error=pl.col("predicted_gain") / pl.col("published_gain") - 1.0,
        prediction=pl.when(pl.col("predicted_gain").is_null()).then(pl.lit("none")).otherwise(bounded),
    ).with_columns(off_reason=pl.when(pl.col("error").abs() > contract.OFF).then("off_reason"))
    return with_error.select(pl.col(name).cast(kind) for name, kind in polars_schema(contract.LeverAnchor).items()).sort(
        "lever", "paper", "figure"
    )


@table(schema=contract.LeverEffect, group=GROUP)
def lever_effects(
    cited_figure: pl.DataFrame,
    gpu: pl.DataFrame,
    model_shape: pl.DataFrame,
    gpu_price: pl.DataFrame,
    engine_run: pl.DataFrame,
    measured_step: pl.DataFrame,
    lever_anchor: pl.DataFrame,
    now: datetime,
) -> pl.DataFrame:
    """Every point with no lever, each lever, every pair that goes together, and some stacks."""
    found = evidence(cited_figure)
    measured = bench(gpu=gpu, engine_run=engine_run, measured_step=measured_step)
    gpus, shapes, rents = (
        {row[key]: row for row in frame.iter_rows(named=True)}
        for frame, key in ((gpu, "gpu"), (model_shape, "model"), (gpu_price, "gpu"))
    )
    rows: list[Row] = []
    for point in POINTS:
        if point.gpu not in rents:
            continue
        usd = rents[point.gpu]["usd_per_gpu_hour"]
        facts, shape = gpus[point.gpu], shapes[point.model]
        base = operating_point(point, gpu=facts, shape=shape, usd_per_gpu_hour=usd, found=found, measured=measured)
        named = _facts(point, base)
        tried = cases(base, gpu=facts, shape=shape, found=found, can_wait=point.can_wait)
        rows += [{**named, **row} for row in effects(base, tried)]
    effect = pl.DataFrame(rows, infer_schema_length=None).join(anchored(lever_anchor), on="levers", how="left")
    complete = effect.with_columns(as_of=pl.lit(now.date()))
    numbers = pl.selectors.float()
    return complete.with_columns(pl.when(numbers.is_finite()).then(numbers)).select(
        pl.col(name).cast(kind) for name, kind in polars_schema(contract.LeverEffect).items()
    )


def effects(base: ServedPoint, case_of: Mapping[str, Case]) -> Iterator[Row]:
    """Rows of one operating point: none, singles, pairs, stacks."""
    before = outcome(base)
    yield _row("none", 0, before, before)
    names = [name for name, case in case_of.items() if case.obstacle is None]
    single = {name: outcome(settled(base, case_of[name])) for name in names}
    for name, case in case_of.items():
        told = {"parameters": case.parameters, "parameter_basis": case.basis}
        if name not in single:
            yield {"levers": name, "n_levers": 1, "obstacle": case.obstacle, **told}
            continue
        yield {**_row(name, 1, single[name], before, [case]), **told}
    together = [*combinations(case_of, 2), *({name for name in case_of if name in stack} for stack in STACKS)]
    for group in together:
        ordered = tuple(name for name in case_of if name in group and name in single)
        if len(ordered) < len(group) or not compatible(ordered):
            continue
        chosen = [case_of[name] for name in ordered]
        joint = outcome(settled(base, *chosen))
        row = _row(" + ".join(ordered), len(ordered), joint, before, chosen)
        yield {**row, **_interaction(joint, [single[name] for name in ordered], before)}


def settled(base: ServedPoint, *chosen: Case) -> ServedPoint:
    """The point with levers applied."""
    return composed(case.lever for case in chosen)(base)


def anchored(lever_anchor: pl.DataFrame) -> pl.DataFrame:
    """Published gains and the median error of their predictions, by lever.

    Figures that set the parameters, and predictions that rest on an assumed one, are no test and left out.
    """
    tested = lever_anchor.filter(pl.col("error").is_not_null(), ~pl.col("in_sample"), pl.col("prediction") != "assumed")
    return tested.group_by(levers="lever").agg(
        anchors=pl.len().cast(pl.Int64),
        anchor_gain_low=pl.min_horizontal("published_gain", "published_low").min(),
        anchor_gain_high=pl.max_horizontal("published_gain", "published_high").max(),
        anchor_median_error=pl.col("error").median(),
        anchor_median_absolute_error=pl.col("error").abs().median(),
    )


def _facts(point: Point, base: ServedPoint) -> Facts:
    named = ("meaning", "gpu", "model", "architecture", "input_tokens", "output_tokens", "ttft_s", "tpot_s")
    hardware = base.scenario.hardware
    return {
        "operating_point": point.name,
        **{name: getattr(point, name) for name in named},
        "replica_gpus": int(hardware.gpus),
        "gpu_usd_per_hour": hardware.usd_per_gpu_hour,
    }


def _row(levers: str, n_levers: int, after: Outcome, before: Outcome, chosen: Sequence[Case] = ()) -> Row:
    """Terms, changes and ratios of an outcome; NaN and inf become NULL later."""
    known = all(case.correct_ratio is not None for case in chosen)
    usd = {name: float(term) * TOKENS_PER_MTOK for name, term in zip(TERMS, after.cost.terms, strict=True)}
    was = {name: float(term) * TOKENS_PER_MTOK for name, term in zip(TERMS, before.cost.terms, strict=True)}
    ratio = _ratio(after.cost.usd_per_token, before.cost.usd_per_token)
    kept = float(np.prod([case.correct_ratio or 1.0 for case in chosen]))
    return {
        "levers": levers,
        "n_levers": n_levers,
        "obstacle": None if after.feasible else "the contract cannot be met",
        "feasible": bool(after.feasible),
        "batch": float(after.cost.batch) if after.feasible else None,
        **{f"{name}_usd_per_mtok": value for name, value in usd.items()},
        "usd_per_mtok": float(after.cost.usd_per_mtok),
        **{f"{name}_change_usd_per_mtok": usd[name] - was[name] for name in CHANGED},
        "usd_ratio": ratio,
        "usd_per_correct": float(after.usd_per_correct) if known else None,
        "usd_per_correct_ratio": ratio / kept if known else None,
        "joules_per_token": float(after.joules_per_token),
        "joules_ratio": _ratio(after.joules_per_token, before.joules_per_token),
    }


def _interaction(joint: Outcome, singles: list[Outcome], before: Outcome) -> Row:
    if not (joint.feasible and before.feasible and all(single.feasible for single in singles)):
        return {}
    usd = [_ratio(single.cost.usd_per_token, before.cost.usd_per_token) for single in singles]
    joules = [_ratio(single.joules_per_token, before.joules_per_token) for single in singles]
    joint_usd = _ratio(joint.cost.usd_per_token, before.cost.usd_per_token)
    joint_joules = _ratio(joint.joules_per_token, before.joules_per_token)
    return {
        "product_usd_ratio": float(np.prod(usd)),
        "usd_interaction": float(interaction(joint_ratio=joint_usd, single_ratios=usd)),
        "joules_interaction": float(interaction(joint_ratio=joint_joules, single_ratios=joules)),
    }


def _ratio(after: Any, before: Any) -> float:
    return float(np.divide(after, before))
