"""Per-item outcomes of a strong and a weak model, summed once so that any weighting of the items is a matrix product.

Items are dealt at random into at most `_MOST_GROUPS` groups (an item each, where there are no more items than that).
Splits and bootstrap replicates are weights on groups; sums per group and score bin answer for every threshold, sums per
group and price for the oracle. Ten million items cost one pass over them.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from economics.units import require_positive

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_MOST_GROUPS = 2_000
_ORACLE_PRICES = 128
_BLOCK_ITEMS = 1 << 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Items:
    """Outcomes per item; vectors of one length."""

    strong_correct: Flags
    weak_correct: Flags
    strong_cost: Array
    """Of the strong model on the item, in $ or any unit of cost. Above 0: a cost that is not known is not 0."""
    weak_cost: Array
    score: Array
    """An item goes to the strong model when its score reaches the threshold."""

    def __post_init__(self) -> None:
        shapes = {np.shape(getattr(self, field.name)) for field in fields(self)}
        if len(shapes) != 1 or len(next(iter(shapes))) != 1:
            raise ValueError("the columns of Items must be vectors of one length")
        for name in ("strong_correct", "weak_correct"):
            if getattr(self, name).dtype != np.bool_:
                raise ValueError(f"{name} must be boolean")
        require_positive(strong_cost=self.strong_cost, weak_cost=self.weak_cost)
        if not np.isfinite(np.sum(self.score)):
            raise ValueError("score must be finite; leave out items without one")

    def kept(self, keep: Flags) -> "Items":
        """The items in `keep`."""
        return Items(**{field.name: getattr(self, field.name)[keep] for field in fields(self)})


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums per group, or means per item of each weighting of the groups, along the first axis."""

    routed: Array
    """(..., policy, [share of strong answers, gain in correct answers, extra cost]); policy 0 is the strong model for
    all, policy t sends scores of edge t - 1 and above, the last one is the weak model for all."""
    oracle: Array
    """(..., price, [gain, extra cost]) where the strong model is taken if the gain is worth its extra cost at a price."""
    base: Array
    """(..., [items, weak correct, weak cost, items only the strong model solves, items only the weak one solves])"""

    def weighted(self, weights: Array) -> "Sums":
        """Means per item for each row of group weights."""
        groups = weights.shape[1]
        base = weights @ self.base
        items = base[:, :1]
        routed, oracle = (weights @ part.reshape(groups, -1) / items for part in (self.routed, self.oracle))
        return Sums(routed.reshape(-1, *self.routed.shape[1:]), oracle.reshape(-1, *self.oracle.shape[1:]), base / items)


def threshold_edges(*, score: Array, thresholds: int) -> Array:
    """Candidate thresholds in rising order: every distinct score, or as many quantiles of the scores."""
    require_positive(thresholds=thresholds)
    ordered = np.sort(score)
    if ordered.size > thresholds:
        distinct = np.unique(ordered[np.linspace(0, ordered.size - 1, thresholds).astype(np.int64)])
        # Quantiles of a score with few values may miss some of them.
        full = np.unique(ordered)
        return full if full.size <= thresholds else distinct
    return np.unique(ordered)


def summed_items(items: Items, *, edges: Array, rng: np.random.Generator) -> Sums:
    """Sums of the items per group, in one pass over them in blocks.

    `edges` as from `threshold_edges`. The oracle's prices are quantiles of the extra costs it may have to pay.
    """
    count = len(items.score)
    groups = min(count, _MOST_GROUPS)
    prices = _prices(items)
    bins, steps = edges.size + 1, prices.size + 1
    routed, oracle = np.zeros((3, groups * bins)), np.zeros((2, groups * steps))
    base = np.zeros((5, groups))
    for start in range(0, count, _BLOCK_ITEMS):
        block = slice(start, min(start + _BLOCK_ITEMS, count))
        size = block.stop - block.start
        group = np.arange(size) if count == groups else rng.integers(groups, size=size)
        weak = items.weak_correct[block].astype(np.float64)
        gain = items.strong_correct[block] - weak
        extra = items.strong_cost[block] - items.weak_cost[block]
        better, worse = (gain > 0.0).astype(np.float64), (gain < 0.0).astype(np.float64)
        key = group * bins + np.searchsorted(edges, items.score[block], side="right")
        for row, weight in enumerate((None, gain, extra)):
            routed[row] += np.bincount(key, weights=weight, minlength=groups * bins)
        # Strong where gain x price > extra: a gain enters above its extra cost, a loss that saves leaves at its saving.
        moves = better * (extra > 0.0) - worse * (extra < 0.0)
        always = ((extra < 0.0) | (better > 0.0)) & (moves <= 0.0)
        step = np.where(moves != 0.0, np.searchsorted(prices, np.abs(extra)) + 1, 0)
        for row, value in enumerate((gain, extra)):
            oracle[row] += np.bincount(group * steps, weights=always * value, minlength=groups * steps)
            oracle[row] += np.bincount(group * steps + step, weights=moves * value, minlength=groups * steps)
        for row, column in enumerate((None, weak, items.weak_cost[block], better, worse)):
            base[row] += np.bincount(group, weights=column, minlength=groups)
    by_bin = routed.reshape(3, groups, bins)
    from_bin = np.cumsum(by_bin[:, :, ::-1], axis=2)[:, :, ::-1]
    to_price = np.cumsum(oracle.reshape(2, groups, steps), axis=2)
    return Sums(
        np.moveaxis(np.concatenate([from_bin, np.zeros((3, groups, 1))], axis=2), 0, 2).copy(),
        np.moveaxis(to_price, 0, 2).copy(),
        base.T.copy(),
    )


def best_gain(*, strong_share: Array, only_strong: Array, only_weak: Array) -> Array:
    """Gain over the weak model when the best share of the items to choose goes to the strong one.

    Shares broadcast: sent to the strong model, solved by it alone, solved by the weak model alone.
    """
    return np.minimum(strong_share, only_strong) - np.maximum(strong_share - (1.0 - only_weak), 0.0)


def oracle_extra_cost(*, oracle: Array, gain: Array) -> Array:
    """Least extra cost per item over the weak model at a gain, for each row of `Sums.oracle`.

    Straight lines between the prices: exact where extra costs are equal, else never below the least cost.
    """
    reached, spent = oracle[:, :, 0], oracle[:, :, 1]
    rows, prices = np.arange(gain.size), reached.shape[1]
    above = np.clip((reached < gain[:, None]).sum(axis=1), min(1, prices - 1), prices - 1)
    below = np.maximum(above - 1, 0)
    low, high = reached[rows, below], reached[rows, above]
    way = np.where(high > low, np.clip((gain - low) / np.where(high > low, high - low, 1.0), 0.0, 1.0), 0.0)
    extra: Array = spent[rows, below] + way * (spent[rows, above] - spent[rows, below])
    return extra


def _prices(items: Items) -> Array:
    decided = items.strong_correct != items.weak_correct
    price = np.abs(items.strong_cost[decided] - items.weak_cost[decided])
    price = price[price > 0.0]
    return np.unique(np.quantile(price, np.linspace(0.0, 1.0, _ORACLE_PRICES))) if price.size else np.empty(0)
