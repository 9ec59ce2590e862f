"""The decision: which policy to follow, whether a router pays for itself, and what is promised. Computed once."""

import numpy as np

from answers.route.copies import Groups, groups_of
from answers.route.files import BadUsageError
from answers.route.floor import estimates_of, floor_of, without_router
from answers.route.one_score import SEED, judge_score
from answers.route.others import compared_policies, single_models
from answers.route.prices import Prices
from answers.route.record import Asked, Decision, Floor, Judgement
from answers.route.sides import Items, column_of, items_of, sides_of
from answers.route.switching import handover_of
from answers.route.table import Table
from economics.routing.policies import summed_policies

_ORDER = {"yes": 0, "not shown": 1, "no": 2}


def decide_routing(table: Table, asked: Asked, *, prices: Prices | None = None, low_is_hard: bool = False) -> Decision:
    """Judge a table. Raises BadUsageError where options do not fit it."""
    sides = sides_of(table, asked)
    groups = groups_of(table)
    seen = column_of(table, "seen_by_router")
    keep = np.ones(len(table.quality), dtype=np.bool_) if seen is None else ~(np.nan_to_num(seen) > 0.5)
    if not keep.any():
        raise BadUsageError("column seen_by_router: the router has seen every item, so none is left to judge it on")
    handover = handover_of(table, asked, sides.strong, sides.weak, prices=prices or Prices())
    items = items_of(table, sides, groups.group, keep=keep, handover=handover, rng=np.random.default_rng(SEED))
    judgements = [
        judge_score(items, score=score[keep], name=name, asked=asked, low_is_hard=low_is_hard)
        for name, score in table.scores.items()
    ]
    judgements.sort(key=lambda found: (_ORDER[found.pays], -found.at_the_quality_asked["saving_usd_per_item"].value))
    controller = column_of(table, "controller_cost_usd")
    return Decision(
        strong=table.models[sides.strong],
        weak=table.models[sides.weak],
        items=int(keep.sum()),
        groups=int(items.outcomes.group.max()) + 1,
        items_left_out=int((~keep).sum()),
        missing=table.missing,
        copies=groups.copies,
        copies_example=groups.example,
        cost_basis=table.cost_basis,
        controller_cost_usd_per_item=None if controller is None else float(items.outcomes.controller_cost.mean()),
        models=single_models(items),
        judgements=judgements or [_without_score(items, asked)],
        compared=compared_policies(items, routers=table.routers, samples=table.samples, verifier_cost=asked.verifier_cost),
        notes=_notes(table, groups),
    )


def _without_score(items: Items, asked: Asked) -> Judgement:
    """A table without any score: nothing decides before the answer is known."""
    sides = items.sides
    flat = np.zeros(len(items.outcomes.quality))
    policies = summed_policies(items.outcomes, score=flat, strong=sides.strong, weak=[sides.weak], unit=items.unit)
    bound, rule = floor_of(asked, items.models, sides)
    policy, promised = without_router(items.models, policies, sides, asked, bound)
    known = estimates_of(policy, items.models, policies, sides, rng=np.random.default_rng(SEED))
    return Judgement(
        score="none",
        pays="not shown",
        why="no score: nothing decides before the answer is known, so no saving of a router can be shown",
        policy=policy,
        floor=Floor(rule=rule, value=None, confidence=asked.confidence, promised=promised, held_in_redraws=None),
        of_policy=known,
        at_the_quality_asked=known,
    )


def _notes(table: Table, groups: Groups) -> tuple[str, ...]:
    notes = list(table.notes)
    if groups.copies:
        near = ", ".join(groups.example)
        notes.append(f"{groups.copies:,} items are near-equal to others (such as {near}): they count as one item")
    return tuple(notes)
