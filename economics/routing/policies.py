"""Outcomes of models per item, summed once so that any weighting of the items answers for every routing policy.

Units that belong together (an item, or all items of one conversation or source question) are dealt at random into at most
`MOST_UNITS` units. Folds and bootstrap replicates are weights on units; the sums per unit and policy answer for every
threshold. Ten million items cost one pass over them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from economics.units import Array, require_non_negative, require_positive, require_share

Whole = NDArray[np.int64]

MOST_UNITS = 2_000
_BLOCK_ITEMS = 1 << 20

SHARE, QUALITY, COST = 0, 1, 2
"""Last axis of `Policies.routed`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcomes:
    """What each model does on each item."""

    quality: Array
    """(items, models): 0 to 1; 0 or 1 where an answer is right or wrong, the mean where it was sampled or is graded."""
    cost: Array
    """(items, models), in $ or any unit of cost; 0 only for a model that is free."""
    controller_cost: Array
    """(items): of computing the score."""
    group: Whole
    """(items): items with one number belong together."""

    def __post_init__(self) -> None:
        if self.quality.ndim != 2 or self.quality.shape != self.cost.shape:
            raise ValueError("quality and cost must be (items, models), alike")
        if {len(self.quality)} != {len(self.controller_cost), len(self.group)}:
            raise ValueError("controller_cost and group must have one entry per item")
        require_share(quality=self.quality)
        require_non_negative(cost=self.cost, controller_cost=self.controller_cost)

    def kept(self, keep: NDArray[np.bool_]) -> "Outcomes":
        """The items in `keep`."""
        return Outcomes(
            quality=self.quality[keep],
            cost=self.cost[keep],
            controller_cost=self.controller_cost[keep],
            group=self.group[keep],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Handover:
    """What sending an item to the strong model costs on top of its answer; vectors, one entry per item."""

    weak_answer_first: bool = False
    """The score needs the weak model's answer, so every item pays for it."""
    previous: Whole | None = None
    """The item before it in its conversation, -1 for the first one."""
    switch_to_strong: Array | None = None
    """Cost when the previous item went to the weak model and this one does not: the strong model's cache is cold."""
    switch_to_weak: Array | None = None

    def kept(self, keep: NDArray[np.bool_]) -> "Handover":
        """Of the items in `keep`; an item whose previous one is left out has none."""
        if self.previous is None or self.switch_to_strong is None or self.switch_to_weak is None:
            return self
        return Handover(
            weak_answer_first=self.weak_answer_first,
            previous=previous_kept(self.previous, keep),
            switch_to_strong=self.switch_to_strong[keep],
            switch_to_weak=self.switch_to_weak[keep],
        )


def previous_kept(previous: Whole, keep: NDArray[np.bool_]) -> Whole:
    """The item before each kept one, counted among the kept; -1 where it is not kept."""
    place = np.where(keep, np.cumsum(keep) - 1, -1)
    before: Whole = np.where(previous >= 0, place[np.maximum(previous, 0)], -1)[keep]
    return before


@dataclass(frozen=True, kw_only=True, eq=False)
class Policies:
    """Sums per unit. Policy 0 is the strong model for all; then per weak model its thresholds rising, then it for all."""

    items: Array
    """(units)"""
    models: Array
    """(units, models, [quality, cost])"""
    routed: Array
    """(units, policies, [items sent to the strong model, quality, cost]); the controller is paid where it decides."""
    edges: Array
    """Thresholds in rising order: an item goes to the strong model when its score reaches it."""
    weak: Whole
    """(policies) column of the weak model; of policy 0 the strong model's."""
    edge: Whole
    """(policies) place in `edges`; -1 where no score decides."""
    strong: int
    unit: Whole
    """(items) the unit of each item."""

    def chain(self, weak: int) -> Whole:
        """Policies from the strong model for all to one weak model for all, ever fewer items going to the strong one."""
        return np.concatenate([[0], np.flatnonzero((self.weak == weak) & (np.arange(self.weak.size) > 0))])


def threshold_edges(*, score: Array, thresholds: int) -> Array:
    """Candidate thresholds in rising order: every distinct score, or as many quantiles of the scores."""
    require_positive(thresholds=thresholds)
    ordered = np.sort(np.asarray(score, dtype=np.float64))
    if ordered.size > thresholds:
        distinct = np.unique(ordered[np.linspace(0, ordered.size - 1, thresholds).astype(np.int64)])
        # Quantiles of a score with few values may miss some of them.
        full = np.unique(ordered)
        return full if full.size <= thresholds else distinct
    return np.unique(ordered)


def units_of(group: Whole, *, rng: np.random.Generator) -> Whole:
    """A unit for each item: that of its group; groups beyond `MOST_UNITS` share units at random."""
    count = int(group.max()) + 1 if group.size else 0
    if count <= MOST_UNITS:
        return group
    # Dealt like cards, so that units hold alike many groups.
    dealt = rng.permutation(count) % MOST_UNITS
    return dealt[group]


def summed_policies(
    outcomes: Outcomes,
    *,
    score: Array,
    strong: int,
    weak: Sequence[int],
    unit: Whole,
    thresholds: int = 200,
    edges: Array | None = None,
    handover: Handover | None = None,
) -> Policies:
    """Sums of every threshold policy between the strong model and each weak one, in one pass over the items in blocks.

    `score` is finite; an item goes to the strong model when its score reaches the threshold. `weak` are columns. `edges`
    are the thresholds to know of, in place of quantiles of the score; the first of them must not lie above any score.
    """
    if not np.isfinite(np.sum(score)):
        raise ValueError("score must be finite; leave out items without one")
    handover = handover or Handover()
    edges = threshold_edges(score=score, thresholds=thresholds) if edges is None else edges
    units, bins = int(unit.max()) + 1, edges.size + 1
    proper = edges.size - 1
    models = np.zeros((outcomes.quality.shape[1], 2, units))
    items = np.zeros(units)
    moved = np.zeros((len(weak), 3, units * bins))
    switched = np.zeros((len(weak), units, bins + 1)) if handover.previous is not None else None
    controller = np.zeros(units)
    places = np.searchsorted(edges, score, side="right")
    for start in range(0, len(score), _BLOCK_ITEMS):
        block = slice(start, min(start + _BLOCK_ITEMS, len(score)))
        inside = unit[block]
        items += np.bincount(inside, minlength=units)
        controller += np.bincount(inside, weights=outcomes.controller_cost[block], minlength=units)
        for model in range(models.shape[0]):
            models[model, 0] += np.bincount(inside, weights=outcomes.quality[block, model], minlength=units)
            models[model, 1] += np.bincount(inside, weights=outcomes.cost[block, model], minlength=units)
        key = inside * bins + places[block]
        counted = np.bincount(key, minlength=units * bins)
        for at, column in enumerate(weak):
            gain = outcomes.quality[block, strong] - outcomes.quality[block, column]
            extra = outcomes.cost[block, strong] - (0.0 if handover.weak_answer_first else outcomes.cost[block, column])
            moved[at, SHARE] += counted
            moved[at, QUALITY] += np.bincount(key, weights=gain, minlength=units * bins)
            moved[at, COST] += np.bincount(key, weights=extra, minlength=units * bins)
        if switched is not None:
            for at in range(len(weak)):
                _add_switches(switched[at], handover, block=block, places=places, unit=unit)
    per_weak, weak_of, edge_of = [], [], []
    for at, column in enumerate(weak):
        by_bin = moved[at].reshape(3, units, bins)
        # From edge t on: bins t + 1 and above. The lowest edge sends everything to the strong model, which is policy 0.
        reached = np.cumsum(by_bin[:, :, ::-1], axis=2)[:, :, ::-1][:, :, 2:]
        reached[QUALITY] += models[column, 0][:, None]
        reached[COST] += models[column, 1][:, None] + controller[:, None]
        if switched is not None:
            reached[COST] += np.cumsum(switched[at], axis=1)[:, 2:bins]
        alone = np.stack([np.zeros(units), models[column, 0], models[column, 1]])[:, :, None]
        per_weak.append(np.concatenate([reached, alone], axis=2))
        weak_of.append(np.full(proper + 1, column))
        edge_of.append(np.append(np.arange(1, edges.size), -1))
    for_all = np.stack([items, models[strong, 0], models[strong, 1]])[:, :, None]
    return Policies(
        items=items,
        models=np.moveaxis(models, 2, 0).copy(),
        routed=np.moveaxis(np.concatenate([for_all, *per_weak], axis=2), 0, 2).copy(),
        edges=edges,
        weak=np.concatenate([[strong], *weak_of]).astype(np.int64),
        edge=np.concatenate([[-1], *edge_of]).astype(np.int64),
        strong=strong,
        unit=unit,
    )


def _add_switches(into: Array, handover: Handover, *, block: slice, places: Whole, unit: Whole) -> None:
    """Cost of the items whose model differs from that of the item before, as steps along the thresholds.

    The threshold of edge e sends places above e to the strong model, so the two differ at edges from the lower place on and
    below the higher one.
    """
    if handover.previous is None or handover.switch_to_strong is None or handover.switch_to_weak is None:
        raise ValueError("a previous item needs the cost of a switch to either side")
    before = handover.previous[block]
    follows = np.flatnonzero(before >= 0)
    here, there = places[block][follows], places[before[follows]]
    rises = here > there
    cost = np.where(rises, handover.switch_to_strong[block][follows], handover.switch_to_weak[block][follows])
    inside = unit[block][follows]
    # Column e + 1 of the cumulative sum belongs to edge e, as in the sums per bin.
    np.add.at(into, (inside, np.minimum(here, there) + 1), cost)
    np.add.at(into, (inside, np.maximum(here, there) + 1), -cost)
