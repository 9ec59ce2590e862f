"""What is promised, as a bound on policies, and the best policy that needs no router."""

import numpy as np

from answers.route.files import BadUsageError
from answers.route.record import Asked, Policy
from answers.route.sides import Sides
from economics.routing.choice import (
    Bound,
    cost_at_most,
    promised,
    quality_at_least,
    quality_drop,
    quality_of_the_gap,
    weighed,
)
from economics.routing.judged import Judged, JudgedEstimate, estimates
from economics.routing.policies import COST, QUALITY, Policies
from economics.units import Array

TOLERANCE = 0.01
"""Without other options the floor is this far below the strong model: that nothing at all is lost no sample can show."""


def floor_of(asked: Asked, models: tuple[str, ...], sides: Sides) -> tuple[Bound, str]:
    """The bound that is promised, and in words. Raises BadUsageError where several are asked for."""
    strong = models[sides.strong]
    said = [name for name in ("min_quality", "max_drop", "budget_per_item") if getattr(asked, name) is not None]
    if len(said) + (asked.quality < 1.0) > 1:
        raise BadUsageError("say one of --quality, --min-quality, --max-drop and --budget-per-item")
    if asked.budget_per_item is not None:
        return cost_at_most(asked.budget_per_item), f"at most {asked.budget_per_item:g} USD per item"
    if asked.min_quality is not None:
        return quality_at_least(asked.min_quality), f"at least {100 * asked.min_quality:g} % correct"
    if asked.max_drop is not None or asked.quality >= 1.0:
        drop = TOLERANCE if asked.max_drop is None else asked.max_drop
        return quality_drop(drop), f"at most {100 * drop:g} {'point' if drop == 0.01 else 'points'} below {strong}"
    return quality_of_the_gap(asked.quality), f"{100 * asked.quality:g} % of the way from {models[sides.weak]} to {strong}"


def quality_asked(asked: Asked) -> Bound | None:
    """The quality asked, without the tolerance that a promise needs."""
    if asked.max_drop is None and asked.min_quality is None and asked.budget_per_item is None and asked.quality >= 1.0:
        return quality_of_the_gap(1.0)
    return None


def without_router(
    models: tuple[str, ...], policies: Policies, sides: Sides, asked: Asked, bound: Bound
) -> tuple[Policy, bool]:
    """The best policy that needs no controller, and whether it is sure to keep the bound.

    One model for all, or a random mix that is sure to keep a floor that was asked for.
    """
    total = policies.items.sum()
    per_item = policies.models.sum(axis=0) / total
    routed = np.concatenate(
        [np.repeat(policies.items[:, None, None], policies.models.shape[1], axis=1), policies.models], axis=2
    )
    alone = Policies(
        items=policies.items,
        models=policies.models,
        routed=routed,
        edges=policies.edges,
        weak=np.arange(len(models)),
        edge=np.full(len(models), -1),
        strong=policies.strong,
        unit=policies.unit,
    )
    margin = bound.margin(alone, weak=sides.weak)
    budget = asked.budget_per_item is not None
    # The strong model first; every model has a test of its own, all share the risk.
    strong = np.array([sides.strong])
    others = [np.array([column]) for column in range(len(models)) if column != sides.strong]
    # Of the strong model a bound on the difference from it is kept by definition.
    doubt = np.where(np.arange(len(models)) == sides.strong, bound.doubt(policies)[0], 1.0)
    known = weighed(
        np.ones((1, policies.items.size)),
        doubt=doubt,
        margin=margin,
        objective=-routed[:, :, QUALITY] if budget else routed[:, :, COST],
        items=policies.items,
    )
    chosen, found = promised(known, chains=[strong, *others], confidence=asked.confidence)
    best = int(chosen[0]) if found[0] else (sides.weak if budget else int(np.argmax(per_item[:, 0])))
    stated = asked.quality < 1.0 or asked.min_quality is not None or asked.max_drop is not None
    if stated and not budget and best == sides.strong and found[0]:
        mix = _sure_mix(policies, margin, sides, asked)
        if mix < 1.0:
            return Policy(kind="random mix", models=(models[sides.strong], models[sides.weak]), share=mix), True
    return Policy(kind="one model", models=(models[best],)), bool(found[0])


def _sure_mix(policies: Policies, margin: Array, sides: Sides, asked: Asked) -> float:
    """Least share of the strong model in a random mix that is sure to keep the floor."""
    shares = np.linspace(1.0, 0.0, 101)
    mixed = margin[:, [sides.strong]] * shares + margin[:, [sides.weak]] * (1.0 - shares)
    known = weighed(
        np.ones((1, policies.items.size)), margin=mixed, objective=np.broadcast_to(shares, mixed.shape), items=policies.items
    )
    chosen, found = promised(known, chains=[np.arange(101)], confidence=asked.confidence)
    return float(shares[chosen[0]]) if found[0] else 1.0


def estimates_of(
    policy: Policy, models: tuple[str, ...], policies: Policies, sides: Sides, *, rng: np.random.Generator
) -> dict[str, JudgedEstimate]:
    """What a policy without a threshold does."""
    strong = models.index(policy.models[0])
    share = 1.0 if policy.share is None else policy.share
    weak = models.index(policy.models[-1])
    routed = policies.models[:, strong] * share + policies.models[:, weak] * (1.0 - share)
    sent = policies.items * (share if policy.kind == "random mix" else float(strong == sides.strong))
    judged = Judged(
        items=policies.items, models=policies.models, routed=np.column_stack([sent, routed]), chosen=np.zeros((0, 0))
    )
    return estimates(judged, strong=sides.strong, weak=sides.weak, rng=rng)
