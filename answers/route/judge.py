"""The decision: which policy to follow, whether the router pays for itself, and what is promised. Computed once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from answers.route.copies import Groups, groups_of
from answers.route.files import BadUsageError
from answers.route.others import compared_policies, single_models
from answers.route.prices import Prices
from answers.route.record import Asked, Decision, Floor, Judgement, Policy, Verdict
from answers.route.slices import slices_of
from answers.route.switching import handover_of
from answers.route.table import Table
from economics.routing.choice import (
    Bound,
    Weighed,
    cost_at_most,
    on_average,
    promised,
    quality_at_least,
    quality_drop,
    quality_of_the_gap,
    weighed,
)
from economics.routing.curve import (
    area_above_random,
    average_gap_recovered,
    curve_of,
    oracle_frontier,
    strong_calls_needed,
)
from economics.routing.judged import Estimate, Judged, estimates, held_share, judge_choice, judge_policy
from economics.routing.policies import (
    COST,
    QUALITY,
    Handover,
    Outcomes,
    Policies,
    Whole,
    summed_policies,
    units_of,
)
from economics.routing.premium import terms_from_saving

SEED = 20_260_515
"""Replicates are drawn alike in every run, so that one table has one answer."""
FEWEST_UNITS = 60
"""Below it a share of correct answers has an interval wider than most premiums."""
TOLERANCE = 0.01
"""Without other options the floor is this far below the strong model: that nothing at all is lost no sample can show."""
_THRESHOLDS = 200
_MOST_POLICIES = 600
_HELD_SLACK = 0.03
"""Sampling error of the share of redraws."""

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sides:
    """Columns of the reference models."""

    strong: int
    weak: int
    others: tuple[int, ...]
    """Cheaper models that thresholds may send easy items to; the weak one among them."""


def decide_routing(table: Table, asked: Asked, *, prices: Prices | None = None, low_is_hard: bool = False) -> Decision:
    """Judge a table. Raises BadUsageError where options do not fit it."""
    sides = _sides(table, asked)
    groups = groups_of(table)
    seen = _column(table, "seen_by_router")
    keep = np.ones(len(table.quality), dtype=np.bool_) if seen is None else ~(np.nan_to_num(seen) > 0.5)
    controller = _column(table, "controller_cost_usd")
    outcomes = Outcomes(
        quality=table.quality,
        cost=table.cost,
        controller_cost=np.zeros(len(table.quality)) if controller is None else np.nan_to_num(controller),
        group=groups.group,
    )
    handover = handover_of(table, asked, sides.strong, sides.weak, prices=prices or Prices())
    rng = np.random.default_rng(SEED)
    if not keep.any():
        raise BadUsageError("column seen_by_router: the router has seen every item, so none is left to judge it on")
    if not keep.all():
        outcomes = outcomes.kept(keep)
        handover = Handover(weak_answer_first=handover.weak_answer_first)
    unit = units_of(np.unique(outcomes.group, return_inverse=True)[1].astype(np.int64), rng=rng)
    judgements = [
        _judged(table, outcomes, score[keep], name, sides, unit, asked, handover, keep, low_is_hard=low_is_hard)
        for name, score in table.scores.items()
    ]
    order = {"yes": 0, "not shown": 1, "no": 2}
    judgements.sort(key=lambda found: (order[found.pays], -found.at_the_quality_asked["saving_usd_per_item"].value))
    if not judgements:
        judgements = [_without_score(table, outcomes, sides, unit, asked)]
    return Decision(
        strong=table.models[sides.strong],
        weak=table.models[sides.weak],
        items=int(keep.sum()),
        units=int(unit.max()) + 1 if len(np.unique(groups.group)) <= int(unit.max()) + 1 else len(np.unique(groups.group[keep])),
        items_left_out=int((~keep).sum()),
        missing=table.missing,
        copies=groups.copies,
        copies_example=groups.example,
        cost_basis=table.cost_basis,
        controller_cost_usd_per_item=None if controller is None else float(outcomes.controller_cost.mean()),
        models=single_models(table, outcomes, unit, sides.weak, keep),
        judgements=judgements,
        compared=compared_policies(table, outcomes, unit, sides.strong, sides.weak, keep, verifier_cost=asked.verifier_cost),
        notes=_notes(table, groups),
    )


def _judged(
    table: Table,
    outcomes: Outcomes,
    score: Array,
    name: str,
    sides: Sides,
    unit: Whole,
    asked: Asked,
    handover: Handover,
    keep: NDArray[np.bool_],
    *,
    low_is_hard: bool,
) -> Judgement:
    """One score: the promised policy, the threshold at the quality asked, and what both do on items they have not seen."""
    rng = np.random.default_rng(SEED)
    weak = [sides.weak] if asked.threshold is not None else list(sides.others)
    thresholds = min(_THRESHOLDS, max(_MOST_POLICIES // len(weak), 20))
    sign = -1.0 if low_is_hard else 1.0
    fixed = None if asked.threshold is None else np.array([-np.inf, sign * asked.threshold])
    policies = summed_policies(
        outcomes, score=score, strong=sides.strong, weak=weak, unit=unit, thresholds=thresholds, edges=fixed, handover=handover
    )
    floor_bound, rule = _floor(asked, table, sides)
    asked_bound = _asked_bound(asked) or floor_bound
    floor_margin = floor_bound.margin(policies, weak=sides.weak)
    asked_margin = asked_bound.margin(policies, weak=sides.weak)
    objective = policies.routed[:, :, QUALITY] * -1.0 if asked.budget_per_item is not None else policies.routed[:, :, COST]
    chains = [policies.chain(column) for column in weak]
    if asked.budget_per_item is not None:
        chains = [chain[::-1] for chain in chains]
    proper = policies.edge >= 0
    if fixed is not None:
        chains = [np.flatnonzero(proper)]

    def sure(known: Weighed) -> Whole:
        return promised(known, chains=chains, confidence=asked.confidence)[0]

    def fair(known: Weighed) -> Whole:
        return on_average(known, allowed=proper, otherwise=int(chains[0][0]))

    doubt = floor_bound.doubt(policies)
    ones = np.ones((1, policies.items.size))
    whole = weighed(ones, margin=floor_margin, objective=objective, items=policies.items, doubt=doubt)
    chosen, found = (part[0] for part in promised(whole, chains=chains, confidence=asked.confidence))
    at_asked = weighed(ones, margin=asked_margin, objective=objective, items=policies.items)
    few = policies.items.size < FEWEST_UNITS
    if fixed is not None:
        router = int(np.flatnonzero(proper)[0])
        of_sure = of_fair = judge_policy(policies, router)
    else:
        router = int(chosen) if proper[chosen] else int(fair(at_asked)[0])
        of_sure = of_fair = judge_policy(policies, router)
    if fixed is None and not few:
        of_sure = judge_choice(policies, sure, margin=floor_margin, objective=objective, doubt=doubt)
        of_fair = judge_choice(policies, fair, margin=asked_margin, objective=objective)
    sure_known = estimates(of_sure, strong=sides.strong, weak=sides.weak, rng=rng)
    fair_known = estimates(of_fair, strong=sides.strong, weak=sides.weak, rng=rng)
    held = None
    if fixed is None and found and not few:
        held = held_share(policies, sure, margin=floor_margin, objective=objective, doubt=doubt, rng=rng)
    turned = _is_reversed(policies, sides.weak, rng) if proper.any() and fixed is None else False
    pays, why = _verdict(
        policies, int(chosen), router, bool(found), held, sure_known, fair_known, of_fair, proper, turned, asked
    )
    followed = int(chosen) if pays == "yes" else -1
    if fixed is not None:
        followed = router if pays == "yes" else -1
    policy = (
        Policy(
            kind="by threshold",
            models=(table.models[sides.strong], table.models[int(policies.weak[followed])]),
            score=name,
            threshold=sign * float(policies.edges[policies.edge[followed]]),
            low_is_hard=low_is_hard,
            after_answer=asked.after_answer,
        )
        if followed >= 0
        else _without_router(table, policies, sides, asked, floor_bound)
    )
    if policy.kind != "by threshold":
        sure_known = _of_policy(policy, table, policies, sides, rng)
    judged = of_sure if proper[chosen] else of_fair
    curve = curve_of(policies, weak=sides.weak) if fixed is None and proper.any() and not few else None
    floor_value = float((policies.routed[:, chosen, QUALITY].sum() - floor_margin[:, chosen].sum()) / policies.items.sum())
    return Judgement(
        score=name,
        pays=pays,
        why=why,
        policy=policy,
        floor=Floor(
            rule=rule,
            value=None if asked.budget_per_item is not None else floor_value,
            confidence=asked.confidence,
            promised=bool(found) or policy.kind == "random mix",
            held_in_redraws=held,
        ),
        of_policy=sure_known,
        at_the_quality_asked=fair_known,
        router_threshold=sign * float(policies.edges[policies.edge[router]]) if proper[router] else None,
        price_of_certainty_usd_per_item=(
            sure_known["cost"].value - fair_known["cost"].value if policy.kind == "by threshold" and fixed is None else None
        ),
        terms=_terms(outcomes, of_fair, policies, sides, fair_known),
        reversed=turned,
        apgr=_known(average_gap_recovered(curve)) if curve else None,
        cpt_50=_known(strong_calls_needed(curve, recovered=0.5)) if curve else None,
        cpt_80=_known(strong_calls_needed(curve, recovered=0.8)) if curve else None,
        slices=slices_of(table, outcomes, score, judged, policies, sides.strong, sides.weak, keep, handover, rng=rng),
    )


def _verdict(
    policies: Policies,
    chosen: int,
    router: int,
    found: bool,
    held: float | None,
    sure: dict[str, Estimate],
    fair: dict[str, Estimate],
    of_fair: Judged,
    proper: NDArray[np.bool_],
    turned: bool,
    asked: Asked,
) -> tuple[Verdict, str]:
    """Whether the router saves at equal quality, and why not."""
    if policies.items.size < FEWEST_UNITS:
        return "not shown", f"{policies.items.size} items or groups; {FEWEST_UNITS} are needed to judge on unseen ones"
    if not proper.any():
        return "no", "the score is one value for all items, so it cannot tell them apart"
    if turned:
        return "no", "the score is reversed: low means hard; say --low-is-hard"
    saving, on_mean = sure["saving_at_equal_quality"], fair["saving_at_equal_quality"]
    if asked.threshold is not None:
        verdict: Verdict = "yes" if saving.low > 0.0 else "no" if saving.high <= 0.0 else "not shown"
        kept = "" if found else f"; its floor is not sure at {asked.confidence:.0%}"
        return verdict, f"of the threshold you run{kept}"
    if found and proper[chosen]:
        if held is not None and held < asked.confidence - _HELD_SLACK:
            return "not shown", f"the floor held in only {held:.0%} of redraws"
        if saving.low > 0.0:
            return "yes", "at equal quality the whole interval of the saving is above 0"
        if saving.high <= 0.0:
            return "no", "a random mix of the models that is correct as often costs no more"
        return "not shown", "the interval of the saving holds 0"
    routed = float((of_fair.chosen * proper).sum(axis=1).mean())
    if routed > 0.5 and on_mean.high <= 0.0:
        return "no", "with what the router costs no threshold is cheaper than doing without it"
    if found and chosen != 0 and not proper[chosen]:
        return "no", "one model for all keeps the floor and costs less"
    if not found:
        return "not shown", "no policy is sure to keep the floor"
    return "not shown", "no threshold is sure to keep the floor and costs less"


def _without_router(table: Table, policies: Policies, sides: Sides, asked: Asked, bound: Bound) -> Policy:
    """The best policy that needs no controller: one model for all, or a random mix that is sure to keep a stated floor."""
    total = policies.items.sum()
    per_item = policies.models.sum(axis=0) / total
    routed = np.concatenate([np.repeat(policies.items[:, None, None], policies.models.shape[1], axis=1), policies.models], axis=2)
    alone = Policies(
        items=policies.items, models=policies.models, routed=routed, edges=policies.edges,
        weak=np.arange(len(table.models)), edge=np.full(len(table.models), -1), strong=policies.strong, unit=policies.unit,
    )  # fmt: skip
    margin = bound.margin(alone, weak=sides.weak)
    budget = asked.budget_per_item is not None
    # The strong model first; every model has a test of its own, the cheaper ones share the risk.
    strong = np.array([sides.strong])
    others = [np.array([column]) for column in range(len(table.models)) if column != sides.strong]
    # Of the strong model a bound on the difference from it is kept by definition.
    doubt = np.where(np.arange(len(table.models)) == sides.strong, bound.doubt(policies)[0], 1.0)
    known = weighed(
        np.ones((1, policies.items.size)), doubt=doubt, margin=margin, objective=-routed[:, :, QUALITY] if budget else routed[:, :, COST],
        items=policies.items,
    )  # fmt: skip
    chosen, found = promised(known, chains=[strong, *others], confidence=asked.confidence)
    best = int(chosen[0]) if found[0] else (sides.weak if budget else int(np.argmax(per_item[:, 0])))
    stated = asked.quality < 1.0 or asked.min_quality is not None or asked.max_drop is not None
    if stated and not budget and best == sides.strong and found[0]:
        mix = _sure_mix(policies, margin, sides, asked)
        if mix < 1.0:
            return Policy(kind="random mix", models=(table.models[sides.strong], table.models[sides.weak]), share=mix)
    return Policy(kind="one model", models=(table.models[best],))


def _sure_mix(policies: Policies, margin: Array, sides: Sides, asked: Asked) -> float:
    """Least share of the strong model in a random mix that is sure to keep the floor."""
    shares = np.linspace(1.0, 0.0, 101)
    mixed = margin[:, [sides.strong]] * shares + margin[:, [sides.weak]] * (1.0 - shares)
    known = weighed(np.ones((1, policies.items.size)), margin=mixed, objective=np.broadcast_to(shares, mixed.shape), items=policies.items)
    chosen, found = promised(known, chains=[np.arange(101)], confidence=asked.confidence)
    return float(shares[chosen[0]]) if found[0] else 1.0


def _of_policy(policy: Policy, table: Table, policies: Policies, sides: Sides, rng: np.random.Generator) -> dict[str, Estimate]:
    strong = table.models.index(policy.models[0])
    share = 1.0 if policy.share is None else policy.share
    weak = table.models.index(policy.models[-1])
    routed = policies.models[:, strong] * share + policies.models[:, weak] * (1.0 - share)
    sent = policies.items * (share if policy.kind == "random mix" else float(strong == sides.strong))
    judged = Judged(
        items=policies.items, models=policies.models, routed=np.column_stack([sent, routed]), chosen=np.zeros((0, 0))
    )
    return estimates(judged, strong=sides.strong, weak=sides.weak, rng=rng)


def _without_score(table: Table, outcomes: Outcomes, sides: Sides, unit: Whole, asked: Asked) -> Judgement:
    """A table without any score: nothing decides before the answer is known."""
    flat = np.zeros(len(outcomes.quality))
    policies = summed_policies(outcomes, score=flat, strong=sides.strong, weak=[sides.weak], unit=unit)
    bound, rule = _floor(asked, table, sides)
    rng = np.random.default_rng(SEED)
    policy = _without_router(table, policies, sides, asked, bound)
    known = _of_policy(policy, table, policies, sides, rng)
    return Judgement(
        score="none",
        pays="not shown",
        why="no score: nothing decides before the answer is known, so no saving of a router can be shown",
        policy=policy,
        floor=Floor(rule=rule, value=None, confidence=asked.confidence, promised=True, held_in_redraws=None),
        of_policy=known,
        at_the_quality_asked=known,
        router_threshold=None,
        price_of_certainty_usd_per_item=None,
        terms={"kappa": None, "delta": None, "gamma": None},
        reversed=False,
        apgr=None,
        cpt_50=None,
        cpt_80=None,
    )


def _floor(asked: Asked, table: Table, sides: Sides) -> tuple[Bound, str]:
    strong = table.models[sides.strong]
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
    return quality_of_the_gap(asked.quality), f"{100 * asked.quality:g} % of the way from {table.models[sides.weak]} to {strong}"


def _asked_bound(asked: Asked) -> Bound | None:
    """The quality asked, without the tolerance that a promise needs."""
    if asked.max_drop is None and asked.min_quality is None and asked.budget_per_item is None and asked.quality >= 1.0:
        return quality_of_the_gap(1.0)
    return None


def _terms(
    outcomes: Outcomes, judged: Judged, policies: Policies, sides: Sides, known: dict[str, Estimate]
) -> dict[str, float | None]:
    """kappa, Delta and gamma of the threshold at the quality asked, in shares of the mix of equal quality."""
    columns = [sides.strong, *sides.others]
    reached, least = oracle_frontier(quality=outcomes.quality[:, columns], cost=outcomes.cost[:, columns])
    mix = known["mix_cost"].value
    decides = (judged.chosen * (policies.edge >= 0)).sum(axis=1)
    per_unit = np.bincount(policies.unit, weights=outcomes.controller_cost, minlength=policies.items.size)
    controller = float((per_unit * decides).sum() / policies.items.sum())
    if not mix > 0.0:
        return {"kappa": None, "delta": None, "gamma": None}
    delta = 1.0 - float(np.interp(known["quality"].value, reached, least)) / mix
    terms = terms_from_saving(
        saving=1.0 - (known["cost"].value - controller) / mix, delta=min(max(delta, 0.0), 1.0), gamma=controller / mix
    )
    return {name: _known(float(getattr(terms, name))) for name in ("kappa", "delta", "gamma")}


def _is_reversed(policies: Policies, weak: int, rng: np.random.Generator) -> bool:
    if policies.items.size < FEWEST_UNITS:
        return False
    area = area_above_random(policies, weak=weak, rng=rng)
    return bool(np.quantile(area[1:], 0.975) < 0.0)


def _sides(table: Table, asked: Asked) -> Sides:
    """Which model is which: as named; of two models the dearer one is the strong one, of more the best one."""
    names = list(table.models)
    for option, name in (("--strong", asked.strong), ("--weak", asked.weak)):
        if name is not None and name not in names:
            raise BadUsageError(f"{option} {name}: the table has {', '.join(names)}")
    if asked.strong is not None and asked.strong == asked.weak:
        raise BadUsageError("--strong and --weak must name two models")
    if len(names) < 2:
        raise BadUsageError(f"the table has one model, {names[0]}: routing chooses between two or more")
    cost, quality = table.cost.mean(axis=0), table.quality.mean(axis=0)
    free = [at for at in range(len(names)) if names[at] != asked.weak]
    if asked.strong is not None:
        strong = names.index(asked.strong)
    elif len(names) == 2:
        strong = max(free, key=lambda at: (cost[at], quality[at]))
    else:
        strong = max(free, key=lambda at: (quality[at], -cost[at]))
    rest = [at for at in range(len(names)) if at != strong]
    weak = names.index(asked.weak) if asked.weak is not None else min(rest, key=lambda at: cost[at])
    cheaper = tuple(at for at in rest if cost[at] < cost[strong])
    return Sides(strong=strong, weak=weak, others=(weak,) if asked.weak is not None or not cheaper else cheaper)


def _column(table: Table, name: str) -> Array | None:
    return table.items[name].to_numpy().astype(np.float64) if name in table.items.columns else None


def _notes(table: Table, groups: Groups) -> tuple[str, ...]:
    notes = list(table.notes)
    if groups.copies:
        notes.append(
            f"{groups.copies:,} items are near-equal to others ({', '.join(groups.example)}): copies count as one item"
        )
    return tuple(notes)


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
