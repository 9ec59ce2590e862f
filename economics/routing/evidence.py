"""Does routing pay on items the threshold has not seen: chosen on one part, judged on the other, many times."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from economics.numeric.statistics import percentile_interval
from economics.routing.outcomes import (
    Items,
    Sums,
    best_gain,
    oracle_extra_cost,
    summed_items,
    threshold_edges,
)
from economics.routing.premium import cost_terms, quality_kappa
from economics.units import require_fraction, require_non_negative, require_positive, require_share

Array = NDArray[np.float64]

_FEWEST_ITEMS = 30
"""On each side of a split. Below it a share of correct answers has an interval wider than most premiums."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Replay:
    """Held-out results; arrays of (splits, 1 + replicates), the first column without resampling. Costs per item."""

    threshold: Array
    """Chosen on the part that is not judged. -inf: strong model for all; inf: weak model for all."""
    strong_share: Array
    quality: Array
    cost: Array
    """With the controller."""
    strong_quality: Array
    strong_cost: Array
    weak_quality: Array
    weak_cost: Array
    random_quality: Array
    """Of a random choice with the same strong share."""
    oracle_quality: Array
    """The best that the same strong share can do."""
    quality_kappa: Array
    """Share of the way from random to oracle quality at the same strong share; below 0 it is worse than random."""
    kappa: Array
    """Share of the oracle's saving at the same quality."""
    delta: Array
    gamma: Array
    """Controller; where an oracle could save nothing, also what the routing spends for nothing."""
    premium: Array
    """Saving against the random mix of the two models that has the same quality. At the strong model's own quality that
    mix is the strong model for all."""
    promised_premium: Array
    """The same on the part on which the threshold was chosen: what kappa Delta - gamma promised."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Mean over splits, and the interval over splits and replicates."""

    value: float
    low: float
    high: float


def replay_routing(
    items: Items,
    *,
    rng: np.random.Generator,
    controller_cost: float = 0.0,
    quality_target: float = 1.0,
    thresholds: int = 200,
    splits: int = 20,
    replicates: int = 25,
    test_share: float = 0.5,
    seen_by_router: NDArray[np.bool_] | None = None,
) -> Replay:
    """Choose a threshold on one part of the items and judge it on the rest, over splits and bootstrap replicates.

    `quality_target` is the share of the way from the weak to the strong model's quality that the threshold must keep on
    its own part; the cheapest such threshold is taken among `thresholds` quantiles of the score (for which no outcome is
    looked at). `seen_by_router` marks items the router was trained on, which are left out. In a replicate both parts are
    drawn anew with replacement, each from itself, so that no item is ever on both sides.
    ValueError where fewer than 30 items are left on either side: such a table holds no evidence out of sample.
    Source: economics design, section 4 (estimate on one split, test on the other).
    """
    require_non_negative(controller_cost=controller_cost, replicates=replicates)
    require_share(quality_target=quality_target)
    require_positive(splits=splits)
    if not 0.0 < test_share < 1.0:
        raise ValueError(f"test_share must lie in (0, 1), got {test_share}")
    if seen_by_router is not None:
        items = items.kept(~seen_by_router)
    count = len(items.score)
    if min(test_share, 1.0 - test_share) * count < _FEWEST_ITEMS:
        raise ValueError(
            f"no held-out evidence: {count} items that the router has not seen leave fewer than {_FEWEST_ITEMS} on one "
            "side of the split"
        )
    edges = threshold_edges(score=items.score, thresholds=thresholds)
    named = np.concatenate([[-np.inf], edges, [np.inf]])
    sums = summed_items(items, edges=edges, rng=rng)
    groups = sums.base.shape[0]
    tested = min(max(round(test_share * groups), 1), groups - 1)
    judged = []
    for _ in range(splits):
        order = rng.permutation(groups)
        chosen_on = sums.weighted(_draws(order[tested:], groups, replicates, rng))
        judged_on = sums.weighted(_draws(order[:tested], groups, replicates, rng))
        policy = _cheapest(chosen_on, quality_target)
        outcome = _outcome(judged_on, policy, controller_cost)
        outcome["threshold"] = named[policy]
        outcome["promised_premium"] = _outcome(chosen_on, policy, controller_cost)["premium"]
        judged.append(outcome)
    return Replay(**{name: np.stack([outcome[name] for outcome in judged]) for name in judged[0]})


def summarise(replay: Replay, *, confidence: float = 0.95) -> dict[str, Estimate]:
    """Estimate and interval of every field of a replay; NaN where a field was not known in any split.

    The interval covers the choice of the split, of the threshold and of the items. Each split judges on part of the
    items only, so it is wide rather than narrow. With no replicates it covers the choice of the split alone.
    """
    require_fraction(confidence=confidence)
    summary = {}
    for field in fields(Replay):
        values = getattr(replay, field.name)
        if field.name == "threshold":
            # All-strong and all-weak are thresholds too, and infinite: the middle one, not the mean.
            tail = (1.0 - confidence) / 2.0
            middle, low, high = np.quantile(values, [0.5, tail, 1.0 - tail], method="nearest")
            summary[field.name] = Estimate(value=float(middle), low=float(low), high=float(high))
            continue
        known = values[:, 0][np.isfinite(values[:, 0])]
        low, high = percentile_interval(values.ravel(), confidence=confidence)
        summary[field.name] = Estimate(
            value=float(known.mean()) if known.size else float("nan"), low=float(low), high=float(high)
        )
    return summary


def rule_agreement(replay: Replay) -> float:
    """Share of splits in which kappa Delta > gamma, promised on one part, has the sign of the premium on the other."""
    return float(np.mean((replay.promised_premium[:, 0] > 0.0) == (replay.premium[:, 0] > 0.0)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Curves:
    """Quality and cost per item by share of items that the strong model answers; arrays of one length."""

    strong_share: Array
    random_quality: Array
    oracle_quality: Array
    routed_quality: Array
    routed_cost: Array
    """Without the controller."""


def quality_curves(items: Items, *, strong_share: Array) -> Curves:
    """What a random choice, an oracle and the score reach at each strong share: a description, not evidence of a saving.

    Between whole items the routed curve is interpolated. Source: RouteLLM 2406.18665 (quality against share of strong calls).
    """
    require_share(strong_share=strong_share)
    share, count = np.asarray(strong_share, dtype=np.float64), len(items.score)
    gain = items.strong_correct.astype(np.float64) - items.weak_correct
    order = np.argsort(-items.score, kind="stable")
    at, whole = share * count, np.arange(count + 1.0)
    gained = np.concatenate([[0.0], np.cumsum(gain[order])])
    spent = np.concatenate([[0.0], np.cumsum((items.strong_cost - items.weak_cost)[order])])
    weak = items.weak_correct.mean()
    best = best_gain(strong_share=share, only_strong=np.asarray((gain > 0.0).mean()), only_weak=np.asarray((gain < 0.0).mean()))
    return Curves(
        strong_share=share,
        random_quality=weak + share * gain.mean(),
        oracle_quality=weak + best,
        routed_quality=weak + np.interp(at, whole, gained) / count,
        routed_cost=items.weak_cost.mean() + np.interp(at, whole, spent) / count,
    )


def _draws(part: NDArray[np.int64], groups: int, replicates: int, rng: np.random.Generator) -> Array:
    """Weights of the groups of one side: each once, then as drawn with replacement from that side."""
    weights = np.zeros((1 + replicates, groups))
    weights[0, part] = 1.0
    weights[1:, part] = rng.multinomial(part.size, np.full(part.size, 1.0 / part.size), size=replicates)
    return weights


def _cheapest(sums: Sums, quality_target: float) -> NDArray[np.int64]:
    """Policy with the least cost among those that keep the quality; one of all-strong and all-weak always does."""
    gain, extra = sums.routed[:, :, 1], sums.routed[:, :, 2]
    # Policy 0 is the strong model for all; its gain is the whole distance between the two models.
    keeps = gain >= quality_target * gain[:, :1] - 1e-12
    cheapest: NDArray[np.int64] = np.argmin(np.where(keeps, extra, np.inf), axis=1)
    return cheapest


def _outcome(sums: Sums, policy: NDArray[np.int64], controller_cost: float) -> dict[str, Array]:
    share, gain, extra = sums.routed[np.arange(policy.size), policy].T
    whole_gain, whole_extra = sums.routed[:, 0, 1], sums.routed[:, 0, 2]
    _, weak_quality, weak_cost, only_strong, only_weak = sums.base.T
    # Share of the strong model in the random mix of the same quality; where it is no better, the weak model does.
    mixed = np.where(whole_gain > 0.0, np.clip(gain / np.where(whole_gain > 0.0, whole_gain, 1.0), 0.0, 1.0), 0.0)
    unconditional = weak_cost + mixed * whole_extra
    best = best_gain(strong_share=share, only_strong=only_strong, only_weak=only_weak)
    quality, random_quality = weak_quality + gain, weak_quality + share * whole_gain
    kappa = quality_kappa(routed_quality=quality, random_quality=random_quality, oracle_quality=weak_quality + best)
    terms = cost_terms(
        unconditional_cost=unconditional,
        oracle_cost=weak_cost + oracle_extra_cost(oracle=sums.oracle, gain=gain),
        routed_cost=weak_cost + extra,
        controller_cost=controller_cost,
    )
    return {
        "strong_share": share,
        "quality": quality,
        "cost": weak_cost + extra + controller_cost,
        "strong_quality": weak_quality + whole_gain,
        "strong_cost": weak_cost + whole_extra,
        "weak_quality": weak_quality,
        "weak_cost": weak_cost,
        "random_quality": random_quality,
        "oracle_quality": weak_quality + best,
        "quality_kappa": np.asarray(kappa),
        "kappa": np.asarray(terms.kappa),
        "delta": np.asarray(terms.delta),
        "gamma": np.asarray(terms.gamma),
        # Straight from the costs: the same number as kappa Delta - gamma, and known also where kappa is not.
        "premium": 1.0 - (weak_cost + extra + controller_cost) / unconditional,
    }
