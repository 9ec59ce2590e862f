"""Which policy to take: the cheapest that keeps a bound on average, or the cheapest that is sure to keep it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded when first used
from numpy.typing import NDArray

from economics.routing.policies import COST, QUALITY, Policies, Whole
from economics.units import Array, require_fraction, require_share

_ALONE = 0.2
"""Part of the risk that the test of one model for all spends; the thresholds share the rest."""


@dataclass(frozen=True, kw_only=True)
class Bound:
    """What a policy must keep, as a combination of means per item that must not be negative.

    policy . (quality, cost) - strong . (quality, cost) - weak . (quality, cost) - constant >= 0.
    """

    policy: tuple[float, float]
    strong: tuple[float, float] = (0.0, 0.0)
    weak: tuple[float, float] = (0.0, 0.0)
    constant: float = 0.0

    def margin(self, policies: Policies, *, weak: int) -> Array:
        """(units, policies) how far above its bound each policy is, summed; `weak` is the reference for the weak side."""
        routed = policies.routed[:, :, QUALITY] * self.policy[0] + policies.routed[:, :, COST] * self.policy[1]
        wanted = (
            policies.models[:, policies.strong] @ np.array(self.strong)
            + policies.models[:, weak] @ np.array(self.weak)
            + policies.items * self.constant
        )
        margin: Array = routed - wanted[:, None]
        return margin

    def doubt(self, policies: Policies) -> Array:
        """(policies) 0 for the strong model for all where the bound is on the difference from it, which is 0 by definition."""
        doubt = np.ones(policies.weak.size)
        if self.policy == self.strong and self.weak == (0.0, 0.0):
            doubt[0] = 0.0
        return doubt


def quality_of_the_gap(share: float) -> Bound:
    """At least this share of the way from the weak model's quality to the strong one's."""
    require_share(share=share)
    return Bound(policy=(1.0, 0.0), strong=(share, 0.0), weak=(1.0 - share, 0.0))


def quality_drop(drop: float) -> Bound:
    """At most this much below the strong model's quality."""
    return Bound(policy=(1.0, 0.0), strong=(1.0, 0.0), constant=-drop)


def quality_at_least(quality: float) -> Bound:
    """At least this quality."""
    return Bound(policy=(1.0, 0.0), constant=quality)


def cost_at_most(cost: float) -> Bound:
    """At most this cost per item."""
    return Bound(policy=(0.0, -1.0), constant=-cost)


@dataclass(frozen=True, eq=False)
class Weighed:
    """Mean margin per item, its standard error and the mean objective, for each row of unit weights and each policy."""

    margin: Array
    error: Array
    objective: Array
    units: Array
    """(rows) units with a weight."""


def weighed(weights: Array, *, margin: Array, objective: Array, items: Array, doubt: Array | None = None) -> Weighed:
    """Means of margins and objectives (units, policies) under rows of unit weights (rows, units).

    `doubt` (policies), 1 unless given: by how many units more that fail the standard error is widened.
    """
    return _weighed(
        doubt=doubt,
        count=weights @ items,
        squared_count=weights @ np.square(items),
        used=(weights > 0.0).sum(axis=1),
        margin=weights @ margin,
        squared=weights @ np.square(margin),
        crossed=weights @ (margin * items[:, None]),
        objective=weights @ objective,
    )


def weighed_without_each(*, margin: Array, objective: Array, items: Array, doubt: Array | None = None) -> Weighed:
    """The same with one unit left out; a row per unit."""

    def rest(values: Array) -> Array:
        left: Array = values.sum(axis=0, keepdims=True) - values
        return left

    return _weighed(
        doubt=doubt,
        count=rest(items),
        squared_count=rest(np.square(items)),
        used=np.full(items.size, items.size - 1),
        margin=rest(margin),
        squared=rest(np.square(margin)),
        crossed=rest(margin * items[:, None]),
        objective=rest(objective),
    )


def _weighed(
    *,
    doubt: Array | None,
    count: Array,
    squared_count: Array,
    used: Whole,
    margin: Array,
    squared: Array,
    crossed: Array,
    objective: Array,
) -> Weighed:
    """From sums over units.

    The standard error is that of a ratio of sums over units (the units are what was sampled), with one unit more that
    fails: no loss among n units does not show that there is none.
    Source: Cochran 1977, Sampling Techniques, section 2.11 (ratio of sums over clusters).
    """
    mean = margin / count[:, None]
    spread = squared - 2.0 * mean * crossed + np.square(mean) * squared_count[:, None]
    many = np.maximum(used, 2).astype(np.float64)
    spread = np.maximum(spread, 0.0) * (many / (many - 1.0))[:, None]
    one_more = (squared_count / many)[:, None] * (1.0 if doubt is None else np.square(doubt)[None, :])
    return Weighed(
        margin=mean, error=np.sqrt(spread + one_more) / count[:, None], objective=objective / count[:, None], units=many
    )


def on_average(known: Weighed, *, allowed: NDArray[np.bool_], otherwise: int = 0) -> Whole:
    """The policy with the least objective among the allowed ones whose mean margin is not negative; one per row."""
    keeps = (known.margin >= -1e-12) & allowed
    best = np.argmin(np.where(keeps, known.objective, np.inf), axis=1)
    chosen: Whole = np.where(keeps.any(axis=1), best, otherwise)
    return chosen


def promised(known: Weighed, *, chains: Sequence[Whole], confidence: float) -> tuple[Whole, NDArray[np.bool_]]:
    """The policy with the least objective among those that are sure to keep the bound, one per row; and whether any is.

    Each policy is tested against "its true margin is negative" by a one-sided bound. `chains` order the policies from
    where the bound is easiest to keep; the tests of a chain stop at the first that fails, so that a chain errs with
    its own share of 1 - confidence only, however many thresholds it has. The last policy of a chain, one model for all,
    has a test of its own as well. Without any sure policy the first of the first chain is returned.
    Source: Angelopoulos et al. 2110.01052 (Learn then Test), fixed-sequence testing; t bound of the mean over units.
    """
    require_fraction(confidence=confidence)
    risk = (1.0 - confidence) / len(chains)
    passed = np.zeros(known.margin.shape, dtype=np.bool_)

    def sure(spent: float, policies: Whole) -> NDArray[np.bool_]:
        least = scipy.special.stdtrit(known.units - 1.0, 1.0 - spent)[:, None]
        enough: NDArray[np.bool_] = known.margin[:, policies] >= least * known.error[:, policies]
        return enough

    for chain in chains:
        in_turn = np.logical_and.accumulate(sure(risk * (1.0 - _ALONE), chain), axis=1)
        passed[:, chain] |= in_turn
        passed[:, chain[-1:]] |= sure(risk * _ALONE, chain[-1:])
    best = np.argmin(np.where(passed, known.objective, np.inf), axis=1)
    found: NDArray[np.bool_] = np.asarray(passed.any(axis=1))
    chosen: Whole = np.where(found, best, chains[0][0])
    return chosen, found
