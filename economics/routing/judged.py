"""What a policy saves on items it was not chosen on: cross-fitted choices, and intervals over units."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from economics.numeric.statistics import percentile_interval
from economics.routing.choice import Weighed, weighed, weighed_without_each
from economics.routing.policies import COST, QUALITY, SHARE, Outcomes, Policies, Whole
from economics.units import Array, require_fraction, require_positive

REPLICATES = 1_000
_UNITS_MORE = 2.0
"""Pseudo-observations that differ: with few units that differ a bootstrap is too narrow. Source: Agresti and Min 2005, on
differences of paired shares."""
FEWEST_FOR_AN_INTERVAL = 30
"""A bootstrap over fewer units is too narrow."""


@dataclass(frozen=True, kw_only=True)
class JudgedEstimate:
    """A value and its interval; NaN where it is not known."""

    value: float
    low: float
    high: float


Choose = Callable[[Weighed], Whole]
"""From what is known on some units to one policy per row."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What a way to choose does on units it has not seen; sums per unit."""

    items: Array
    models: Array
    """(units, models, [quality, cost])"""
    routed: Array
    """(units, [items sent to the strong model, quality, cost])"""
    chosen: Array
    """(units, policies) the policy that judged the unit, 0 or 1."""


def judge_choice(policies: Policies, choose: Choose, *, margin: Array, objective: Array, doubt: Array | None = None) -> Judged:
    """Choose on all units but one and judge on that one, for every unit; margin and objective are (units, policies).

    Each unit is judged by a policy it had no part in; nothing is drawn, so that one table has one answer. What is estimated
    is the mean over those policies; the mean over units is normal about it when one unit hardly moves the choice.
    Source: formula R11; Bayle et al. 2020, Cross-validation Confidence Intervals for Test Error (2007.12671).
    """
    units = policies.items.size
    chosen = np.zeros((units, policies.weak.size))
    policy = choose(weighed_without_each(margin=margin, objective=objective, items=policies.items, doubt=doubt))
    chosen[np.arange(units), policy] = 1.0
    return judged_by(policies, chosen)


def judge_policy(policies: Policies, policy: int) -> Judged:
    """One policy that was fixed beforehand."""
    chosen = np.zeros((policies.items.size, policies.weak.size))
    chosen[:, policy] = 1.0
    return judged_by(policies, chosen)


def judged_by(policies: Policies, chosen: Array) -> Judged:
    """What the units' own mixes of policies (units, policies) do."""
    return Judged(
        items=policies.items,
        models=policies.models,
        routed=np.einsum("up,upk->uk", chosen, policies.routed),
        chosen=chosen,
    )


def judge_items(outcomes: Outcomes, *, unit: Whole, sent: Array, quality: Array, cost: Array) -> Judged:
    """A policy known item by item: whether the strong model answered, how well, and at what cost; vectors (items)."""
    units = int(unit.max()) + 1

    def summed(values: Array) -> Array:
        return np.bincount(unit, weights=values, minlength=units).astype(np.float64)

    models = [
        np.stack([summed(outcomes.quality[:, at]), summed(outcomes.cost[:, at])], axis=1)
        for at in range(outcomes.quality.shape[1])
    ]
    return Judged(
        items=np.bincount(unit, minlength=units).astype(np.float64),
        models=np.stack(models, axis=1),
        routed=np.column_stack([summed(sent), summed(quality), summed(cost)]),
        chosen=np.zeros((units, 0)),
    )


def cheapest_mix(*, quality: Array, cost: Array, at: Array) -> Array:
    """Least cost at a quality of mixing models at random, one model for all among them: their lower convex hull.

    `quality` and `cost` are (rows, models), `at` (rows). Where no model reaches the quality: the cost of the best one.
    Source: Hu et al. 2403.12031 (RouterBench), non-decreasing convex hull.
    """
    enough = quality >= at[:, None] - 1e-12
    least = np.where(enough, cost, np.inf).min(axis=1)
    for one in range(quality.shape[1]):
        for other in range(quality.shape[1]):
            below, above = quality[:, one], quality[:, other]
            between = (below < at) & (above > at)
            way = np.divide(at - below, above - below, out=np.zeros_like(at), where=between)
            mixed = cost[:, one] + way * (cost[:, other] - cost[:, one])
            least = np.where(between, np.minimum(least, mixed), least)
    best = np.argmax(quality, axis=1)
    found: Array = np.where(np.isfinite(least), least, cost[np.arange(at.size), best])
    return found


def beyond_the_best(*, quality: Array, cost: Array, at: Array, mixed: Array, weak: int) -> Array:
    """`mixed`, with the line from the weak to the best model drawn on where `at` lies above the best model's quality."""
    rows = np.arange(at.size)
    best = np.argmax(quality, axis=1)
    rise = quality[rows, best] - quality[:, weak]
    climb = cost[rows, best] - cost[:, weak]
    slope = np.divide(climb, rise, out=np.zeros_like(at), where=(rise > 0.0) & (climb > 0.0))
    drawn_on: Array = mixed + slope * np.maximum(at - quality[rows, best], 0.0)
    return drawn_on


def estimates(
    judged: Judged,
    *,
    strong: int,
    weak: int,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    confidence: float = 0.95,
) -> dict[str, JudgedEstimate]:
    """Savings, quality and cost, as ratios of sums over units, with bootstrap intervals over units.

    `saving_at_equal_quality` is against the cheapest random mix of the models that is correct as often; at the strong model's
    quality and above that mix is the strong model for all. There the mix has a corner, and a bootstrap over a corner is
    biased: the saving is the lesser of two, against the mix drawn on beyond the corner and against the best model, and each
    end of its interval is the lesser of theirs. Quality has the
    sampling error of two units more that differ.
    `against_random_quality` is quality less that of a random mix of strong
    and weak with the same share of strong answers.
    """
    require_fraction(confidence=confidence)
    require_positive(replicates=replicates)
    units = judged.items.size
    columns = np.column_stack([judged.items, judged.routed, judged.models.reshape(units, -1)])
    drawn = rng.multinomial(units, np.full(units, 1.0 / units), size=replicates).astype(np.float64)
    sums = np.concatenate([columns.sum(axis=0, keepdims=True), drawn @ columns])
    per_item = sums[:, 1:] / sums[:, :1]
    models = per_item[:, 3:].reshape(len(sums), -1, 2)
    # What one model alone does is known as that model is; only what a router does is in doubt by two units more.
    routes = not any(np.array_equal(judged.routed[:, QUALITY], judged.models[:, at, 0]) for at in range(models.shape[1]))
    typical = float(np.sqrt(_UNITS_MORE * np.square(judged.items).mean()))
    doubt = typical * np.concatenate([[0.0], rng.standard_normal(replicates)])
    share, quality, cost = per_item[:, SHARE], per_item[:, QUALITY], per_item[:, COST]
    quality_of, cost_of = models[:, :, 0], models[:, :, 1]
    quality = np.clip(quality + doubt / sums[:, 0], 0.0, 1.0) if routes else quality
    mixed = cheapest_mix(quality=quality_of, cost=cost_of, at=quality)
    drawn_on = beyond_the_best(quality=quality_of, cost=cost_of, at=quality, mixed=mixed, weak=weak)
    best_cost = cost_of[np.arange(len(sums)), np.argmax(quality_of, axis=1)]
    random = quality_of[:, weak] + share * (quality_of[:, strong] - quality_of[:, weak])
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {
            "saving_against_strong": 1.0 - cost / cost_of[:, strong],
            "saving_usd_per_item": cost_of[:, strong] - cost,
            "quality": quality,
            "quality_less_strong": quality - quality_of[:, strong],
            "cost": cost,
            "cost_per_correct": cost / quality,
            "strong_share": share,
            "strong_quality": quality_of[:, strong],
            "weak_quality": quality_of[:, weak],
            "strong_cost": cost_of[:, strong],
            "weak_cost": cost_of[:, weak],
            "strong_cost_per_correct": cost_of[:, strong] / quality_of[:, strong],
            "weak_cost_per_correct": cost_of[:, weak] / quality_of[:, weak],
            "random_quality": random,
            "against_random_quality": quality - random,
            "mix_cost": mixed,
        }
        savings = 1.0 - cost / drawn_on, 1.0 - cost / best_cost
    known = {name: summarised(value, confidence=confidence) for name, value in values.items()}
    known["saving_at_equal_quality"] = _lesser(*savings, confidence=confidence)
    if units < FEWEST_FOR_AN_INTERVAL:
        return {name: JudgedEstimate(value=part.value, low=float("nan"), high=float("nan")) for name, part in known.items()}
    return known


def _lesser(one: Array, other: Array, *, confidence: float) -> JudgedEstimate:
    """The lesser of two values, the first of each array; the rest are replicates.

    It lies above the lesser of two upper ends if it lies above either, so each of them takes half of that side's risk.
    """
    ends = [summarised(values, confidence=confidence) for values in (one, other)]
    upper = [summarised(values, confidence=(1.0 + confidence) / 2.0).high for values in (one, other)]
    return JudgedEstimate(value=min(end.value for end in ends), low=min(end.low for end in ends), high=min(upper))


def summarised(values: Array, *, confidence: float = 0.95) -> JudgedEstimate:
    """First value with the percentile interval of the rest; NaN where nothing is finite."""
    rest = values[1:]
    if not np.isfinite(rest).any():
        return JudgedEstimate(value=_finite(values[0]), low=float("nan"), high=float("nan"))
    low, high = percentile_interval(rest, confidence=confidence)
    return JudgedEstimate(value=_finite(values[0]), low=float(low), high=float(high))


def held_share(
    policies: Policies,
    choose: Choose,
    *,
    margin: Array,
    objective: Array,
    doubt: Array | None = None,
    rng: np.random.Generator,
    draws: int = 400,
    block: int = 100,
) -> float:
    """Share of redraws of the units in which the policy chosen on the redraw keeps its bound on all units.

    The table stands for what it was drawn from: a redraw is to the table as the table is to the next items. Source: Efron 1979.
    """
    units = policies.items.size
    truth = margin.sum(axis=0) >= -1e-9
    kept: list[NDArray[np.bool_]] = []
    for start in range(0, draws, block):
        weights = rng.multinomial(units, np.full(units, 1.0 / units), size=min(block, draws - start)).astype(np.float64)
        policy = choose(weighed(weights, margin=margin, objective=objective, items=policies.items, doubt=doubt))
        kept.append(truth[policy])
    return float(np.concatenate(kept).mean())


def _finite(value: float) -> float:
    return float(value) if np.isfinite(value) else float("nan")
