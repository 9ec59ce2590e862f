"""The judged threshold category by category, each item under the policy it had no part in choosing."""

import numpy as np
from numpy.typing import NDArray

from answers.route.record import Slice
from answers.route.table import Table
from economics.routing.judged import Judged, estimates
from economics.routing.policies import Handover, Outcomes, Policies

FEWEST_ITEMS = 20
_REPLICATES = 400


def slices_of(
    table: Table,
    outcomes: Outcomes,
    score: NDArray[np.float64],
    judged: Judged,
    policies: Policies,
    strong: int,
    weak: int,
    keep: NDArray[np.bool_],
    handover: Handover,
    *,
    rng: np.random.Generator,
) -> list[Slice]:
    """Per category with enough items, the largest first; empty where the table has no categories.

    The cost of switches is not part of a slice: it belongs to pairs of items.
    """
    if "category" not in table.items.columns:
        return []
    category = table.items["category"].fill_null("").to_numpy()[keep]
    names, place, counts = np.unique(category, return_inverse=True, return_counts=True)
    policy = np.argmax(judged.chosen, axis=1)[policies.unit]
    edge = policies.edge[policy]
    decided = edge >= 0
    sent = np.where(decided, score >= policies.edges[np.maximum(edge, 0)], policy == 0)
    other = policies.weak[policy]
    rows = np.arange(len(score))
    quality = np.where(sent, outcomes.quality[:, strong], outcomes.quality[rows, other])
    cost = np.where(sent, outcomes.cost[:, strong], outcomes.cost[rows, other])
    cost = cost + np.where(decided, outcomes.controller_cost, 0.0)
    if handover.weak_answer_first:
        cost = cost + np.where(decided & sent, outcomes.cost[rows, other], 0.0)
    found = []
    for at in np.argsort(-counts, kind="stable"):
        if counts[at] < FEWEST_ITEMS or not names[at]:
            continue
        inside = place == at
        _, unit = np.unique(policies.unit[inside], return_inverse=True)
        units = int(unit.max()) + 1

        def summed(values: NDArray[np.float64], inside: NDArray[np.bool_] = inside, unit: NDArray[np.int64] = unit, units: int = units) -> NDArray[np.float64]:  # fmt: skip
            return np.bincount(unit, weights=values[inside], minlength=units)

        models = np.stack(
            [
                np.stack([summed(outcomes.quality[:, m]), summed(outcomes.cost[:, m])], axis=1)
                for m in range(outcomes.quality.shape[1])
            ],
            axis=1,
        )
        part = Judged(
            items=np.bincount(unit, minlength=units).astype(np.float64),
            models=models,
            routed=np.column_stack([summed(sent.astype(np.float64)), summed(quality), summed(cost)]),
            chosen=np.zeros((0, 0)),
        )
        known = estimates(part, strong=strong, weak=weak, rng=rng, replicates=_REPLICATES)
        found.append(
            Slice(category=str(names[at]), items=int(counts[at]), strong_share=known["strong_share"].value, estimates=known)
        )
    return found
