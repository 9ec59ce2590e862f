"""Ways to answer the same items with several models: one alone, both at once, or a second one where the first failed.

A union and a cascade rest on a check that tells right from wrong without error, such as tests. What they reach without one is
not in these figures.
"""

from dataclasses import dataclass

import numpy as np

from economics.units import Array, require_non_negative, require_share


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """Per item, or way and item: the share of right answers and the $ spent."""

    correct: Array
    cost_usd: Array


def cascades(*, correct: Array, cost_usd: Array) -> Outcome:
    """First model, then second where the first was wrong: for every ordered pair of models.

    `correct` and `cost_usd` are (models, items): mean over an item's samples, and $ per attempt. Returns (models, models,
    items): first and second. Given the item the two are independent, which is exact for one attempt each.
    Source: derived: right 1 - (1 - y1)(1 - y2), cost c1 + (1 - y1) c2.
    """
    require_share(correct=correct)
    require_non_negative(cost_usd=cost_usd)
    right, cost = np.asarray(correct, np.float64), np.asarray(cost_usd, np.float64)
    missed = 1.0 - right
    return Outcome(
        correct=1.0 - missed[:, None] * missed[None],
        cost_usd=cost[:, None] + missed[:, None] * cost[None],
    )


def unions(*, correct: Array, cost_usd: Array) -> Outcome:
    """Both models on every item, right where one of them is: shapes as in `cascades`; the cost is that of both."""
    right, cost = np.asarray(correct, np.float64), np.asarray(cost_usd, np.float64)
    missed = 1.0 - right
    return Outcome(correct=1.0 - missed[:, None] * missed[None], cost_usd=cost[:, None] + cost[None])
