"""The judged threshold category by category, each item under the policy it had no part in choosing."""

import numpy as np
from numpy.typing import NDArray

from answers.route.record import Slice
from answers.route.sides import Items
from economics.routing.judged import Judged, estimates, judge_items
from economics.routing.policies import Policies

FEWEST_ITEMS = 20
_REPLICATES = 400


def by_item(
    *, score: NDArray[np.float64], judged: Judged, policies: Policies
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]:
    """Per item: whether the strong model answered, whether the score decided, and the column of the weak model."""
    policy = np.argmax(judged.chosen, axis=1)[policies.unit]
    edge = policies.edge[policy]
    decided = edge >= 0
    sent = np.where(decided, score >= policies.edges[np.maximum(edge, 0)], policy == 0)
    return sent, decided, policies.weak[policy]


def latency_of(
    items: Items, *, score: NDArray[np.float64], judged: Judged, policies: Policies, switch_latency_s: float
) -> float | None:
    """Mean seconds per item; None where the table has no latencies. Each change of the model in a conversation adds its own."""
    if items.latency_s is None:
        return None
    sent, decided, other = by_item(score=score, judged=judged, policies=policies)
    rows = np.arange(len(score))
    seconds = np.where(sent, items.latency_s[:, items.sides.strong], items.latency_s[rows, other])
    if items.handover.weak_answer_first:
        seconds = seconds + np.where(decided & sent, items.latency_s[rows, other], 0.0)
    if items.previous is not None:
        before = items.previous
        switched = (before >= 0) & (sent != sent[np.maximum(before, 0)])
        seconds = seconds + np.where(switched, switch_latency_s, 0.0)
    return float(seconds.mean())


def slices_of(
    items: Items, *, score: NDArray[np.float64], judged: Judged, policies: Policies, rng: np.random.Generator
) -> list[Slice]:
    """Per category with enough items, the largest first; empty where the table has no categories.

    The cost of switches is not part of a slice: it belongs to pairs of items.
    """
    if "category" not in items.facts.columns:
        return []
    outcomes, strong, weak = items.outcomes, items.sides.strong, items.sides.weak
    category = items.facts["category"].fill_null("").to_numpy()
    names, place, counts = np.unique(category, return_inverse=True, return_counts=True)
    sent, decided, other = by_item(score=score, judged=judged, policies=policies)
    rows = np.arange(len(score))
    quality = np.where(sent, outcomes.quality[:, strong], outcomes.quality[rows, other])
    cost = np.where(sent, outcomes.cost[:, strong], outcomes.cost[rows, other])
    cost = cost + np.where(decided, outcomes.controller_cost, 0.0)
    if items.handover.weak_answer_first:
        cost = cost + np.where(decided & sent, outcomes.cost[rows, other], 0.0)
    found = []
    for at in np.argsort(-counts, kind="stable"):
        if counts[at] < FEWEST_ITEMS or not names[at]:
            continue
        inside = place == at
        _, unit = np.unique(policies.unit[inside], return_inverse=True)
        part = judge_items(
            outcomes.kept(inside),
            unit=unit,
            sent=sent[inside].astype(np.float64),
            quality=quality[inside],
            cost=cost[inside],
        )
        known = estimates(part, strong=strong, weak=weak, rng=rng, replicates=_REPLICATES)
        found.append(
            Slice(category=str(names[at]), items=int(counts[at]), strong_share=known["strong_share"].value, estimates=known)
        )
    return found
