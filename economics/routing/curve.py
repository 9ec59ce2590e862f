"""Quality against cost of routing: random choice, the score, an oracle, the hull of the models; APGR and CPT."""

from dataclasses import dataclass

import numpy as np

from economics.routing.policies import COST, QUALITY, SHARE, Policies, Whole
from economics.units import Array

_ORACLE_POINTS = 24


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """Per policy of one chain, from the strong model for all to the weak one: means per item. A description, no evidence."""

    threshold: Array
    """-inf: strong model for all; inf: weak model for all."""
    strong_share: Array
    quality: Array
    cost: Array
    random_quality: Array
    """Of a random choice with the same share of strong answers."""
    random_cost: Array


def curve_of(policies: Policies, *, weak: int) -> Curve:
    """The chain of one weak model. Source: RouteLLM 2406.18665 (quality against share of strong calls)."""
    chain = policies.chain(weak)
    count = policies.items.sum()
    routed = policies.routed[:, chain].sum(axis=0) / count
    strong, one = (policies.models[:, model].sum(axis=0) / count for model in (policies.strong, weak))
    share = routed[:, SHARE]
    threshold = policies.edges[np.maximum(policies.edge[chain], 0)]
    threshold[0], threshold[-1] = -np.inf, np.inf
    return Curve(
        threshold=threshold,
        strong_share=share,
        quality=routed[:, QUALITY],
        cost=routed[:, COST],
        random_quality=one[0] + share * (strong[0] - one[0]),
        random_cost=one[1] + share * (strong[1] - one[1]),
    )


def average_gap_recovered(curve: Curve) -> float:
    """APGR: mean share of the quality gap recovered over the shares of strong calls; .5 is a random choice.

    NaN where the strong model is no better. Source: RouteLLM 2406.18665, equation 7.
    """
    gap = curve.quality[0] - curve.quality[-1]
    if gap <= 0.0:
        return float("nan")
    order = np.argsort(curve.strong_share)
    return float(np.trapezoid((curve.quality[order] - curve.quality[-1]) / gap, curve.strong_share[order]))


def strong_calls_needed(curve: Curve, *, recovered: float) -> float:
    """CPT: least share of strong calls that recovers a share of the quality gap; NaN where the strong model is no better.

    Source: RouteLLM 2406.18665, call-performance threshold.
    """
    gap = curve.quality[0] - curve.quality[-1]
    if gap <= 0.0:
        return float("nan")
    share, reached = curve.strong_share[::-1], (curve.quality[::-1] - curve.quality[-1]) / gap
    first = int(np.argmax(reached >= recovered - 1e-12))
    if first == 0:
        return float(share[0])
    step = reached[first] - reached[first - 1]
    way = (recovered - reached[first - 1]) / step if step > 0.0 else 1.0
    return float(share[first - 1] + way * (share[first] - share[first - 1]))


def area_above_random(policies: Policies, *, weak: int, rng: np.random.Generator, replicates: int = 400) -> Array:
    """Mean over shares of strong calls of quality less that of a random choice; the table first, then redraws of it.

    Wholly below 0 the score is reversed: it sends to the strong model what the weak one does better.
    """
    chain = policies.chain(weak)
    units = policies.items.size
    drawn = rng.multinomial(units, np.full(units, 1.0 / units), size=replicates).astype(np.float64)
    weights = np.concatenate([np.ones((1, units)), drawn])
    count = (weights @ policies.items)[:, None]
    share = weights @ policies.routed[:, chain, SHARE] / count
    quality = weights @ policies.routed[:, chain, QUALITY] / count
    random = quality[:, -1:] + share * (quality[:, :1] - quality[:, -1:])
    over = quality - random
    steps = share[:, :-1] - share[:, 1:]
    area: Array = ((over[:, :-1] + over[:, 1:]) / 2.0 * steps).sum(axis=1)
    return area


def best_quality_at(*, gain: Array, weak_quality: float, share: float) -> float:
    """Quality when the items that gain most go to the strong model, as many as the share says."""
    ordered = np.sort(gain)[::-1]
    at = share * ordered.size
    whole = int(at)
    sent = ordered[:whole].sum() + (at - whole) * (ordered[whole] if whole < ordered.size else 0.0)
    return float(weak_quality + sent / ordered.size)


def oracle_frontier(*, quality: Array, cost: Array) -> tuple[Array, Array]:
    """Quality and cost of an oracle that knows every answer, (points) each in rising order.

    `quality` and `cost` are (items, models). At each price of quality it takes the model that is worth most; between its
    points lies a mix of two.
    """
    reach = float(np.ptp(quality)) or 1.0
    top = float(cost.max()) / reach * 50.0 + 1e-300
    prices = np.concatenate([[0.0], np.geomspace(top * 1e-7, top, _ORACLE_POINTS)])
    found = []
    rows = np.arange(len(quality))
    for price in prices:
        worth = price * quality - cost
        # Where nothing is gained the cheapest model answers, and of models that cost alike the better one.
        best = np.argmax(worth + (1e-9 * quality if price == 0.0 else 0.0), axis=1)
        found.append((float(quality[rows, best].mean()), float(cost[rows, best].mean())))
    ordered = np.array(sorted(set(found)))
    return ordered[:, 0], ordered[:, 1]


def on_hull(*, quality: Array, cost: Array) -> Whole:
    """Models of the non-decreasing convex hull of quality over cost, the cheapest first; the others are never worth a call.

    Source: Hu et al. 2403.12031 (RouterBench).
    """
    order = sorted(range(quality.size), key=lambda at: (cost[at], -quality[at]))
    hull: list[int] = []
    for at in order:
        if hull and quality[at] <= quality[hull[-1]]:
            continue
        while len(hull) > 1:
            before, last = hull[-2], hull[-1]
            rise = (quality[last] - quality[before]) * (cost[at] - cost[before])
            if rise > (quality[at] - quality[before]) * (cost[last] - cost[before]):
                break
            hull.pop()
        hull.append(at)
    return np.array(hull, dtype=np.int64)
