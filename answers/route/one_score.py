"""One score: the policy that is promised, the threshold at the quality asked, and what both do on unseen items."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from answers.route.floor import estimates_of, floor_of, quality_asked, without_router
from answers.route.record import Asked, Floor, Judgement, Policy
from answers.route.sides import Items
from answers.route.slices import latency_of, slices_of
from answers.route.verdict import FEWEST_UNITS, Evidence, verdict_of
from economics.routing.choice import Bound, Weighed, on_average, promised, weighed
from economics.routing.curve import (
    Curve,
    area_above_random,
    average_gap_recovered,
    curve_of,
    oracle_frontier,
    strong_calls_needed,
)
from economics.routing.judged import Judged, JudgedEstimate, estimates, held_share, judge_choice, judge_policy
from economics.routing.policies import COST, QUALITY, Policies, Whole, summed_policies
from economics.routing.premium import terms_from_saving
from economics.units import Array

SEED = 20_260_515
"""Replicates are drawn alike in every run, so that one table has one answer."""
_THRESHOLDS = 200
_MOST_POLICIES = 600
_ORACLE_ITEMS = 200_000
"""Of a larger table as many items, evenly spaced, stand for what an oracle would do."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice:
    """Policies with what they must keep and what is sought."""

    policies: Policies
    chains: list[Whole]
    confidence: float
    bound: Bound
    margin: Array
    asked_margin: Array
    objective: Array
    proper: NDArray[np.bool_]
    """Policies in which the score decides."""
    fixed: bool
    """The one threshold that the user runs."""

    def sure(self, known: Weighed) -> Whole:
        """The promised policy."""
        return promised(known, chains=self.chains, confidence=self.confidence)[0]

    def fair(self, known: Weighed) -> Whole:
        """The threshold that keeps what is asked on average."""
        return on_average(known, allowed=self.proper, otherwise=int(self.chains[0][0]))

    def on_all(self, margin: Array) -> Weighed:
        """What the whole table knows."""
        ones = np.ones((1, self.policies.items.size))
        doubt = self.bound.doubt(self.policies)
        return weighed(ones, margin=margin, objective=self.objective, items=self.policies.items, doubt=doubt)


def judge_score(items: Items, *, score: Array, name: str, asked: Asked, low_is_hard: bool) -> Judgement:
    """The decision by one score; high goes to the strong model (a score where low is hard comes with its sign turned)."""
    rng = np.random.default_rng(SEED)
    sides, sign = items.sides, -1.0 if low_is_hard else 1.0
    choice, rule = _choice(items, score, asked, sign)
    policies, proper = choice.policies, choice.proper
    few = policies.items.size < FEWEST_UNITS
    (chosen,), (found,) = promised(choice.on_all(choice.margin), chains=choice.chains, confidence=asked.confidence)
    router = int(chosen) if proper[chosen] else int(choice.fair(choice.on_all(choice.asked_margin))[0])
    of_sure = of_fair = judge_policy(policies, router)
    held = None
    if not choice.fixed and not few:
        doubt, sought = choice.bound.doubt(policies), choice.objective
        of_sure = judge_choice(policies, choice.sure, margin=choice.margin, objective=sought, doubt=doubt)
        of_fair = judge_choice(policies, choice.fair, margin=choice.asked_margin, objective=sought)
        if found:
            held = held_share(policies, choice.sure, margin=choice.margin, objective=sought, doubt=doubt, rng=rng)
    known = {
        name: estimates(judged, strong=sides.strong, weak=sides.weak, rng=rng)
        for name, judged in (("sure", of_sure), ("fair", of_fair))
    }
    turned = proper.any() and not choice.fixed and not few and _is_reversed(policies, sides.weak, rng)
    pays, why = verdict_of(
        Evidence(
            units=policies.items.size,
            any_threshold=bool(proper.any()),
            reversed=bool(turned),
            fixed=choice.fixed,
            promised=bool(found),
            by_threshold=bool(proper[chosen]),
            is_strong=int(chosen) == 0,
            held=held,
            confidence=asked.confidence,
            saving=known["sure"]["saving_at_equal_quality"],
            saving_at_the_quality_asked=known["fair"]["saving_at_equal_quality"],
            threshold_share=float((of_fair.chosen * proper).sum(axis=1).mean()),
        )
    )
    if pays == "yes":
        policy, sure = _by_threshold(items, policies, router, name=name, sign=sign, asked=asked), bool(found)
    else:
        policy, sure = without_router(items.models, policies, sides, asked, choice.bound)
    of_policy = known["sure"] if pays == "yes" else estimates_of(policy, items.models, policies, sides, rng=rng)
    curve = curve_of(policies, weak=sides.weak) if proper.any() and not choice.fixed and not few else None
    wanted = (policies.routed[:, 0, QUALITY].sum() - choice.margin[:, 0].sum()) / policies.items.sum()
    certainty = of_policy["cost"].value - known["fair"]["cost"].value
    return Judgement(
        score=name,
        pays=pays,
        why=why,
        policy=policy,
        floor=Floor(
            rule=rule,
            value=None if asked.budget_per_item is not None else float(wanted),
            confidence=asked.confidence,
            promised=sure,
            held_in_redraws=held if pays == "yes" else None,
        ),
        of_policy=of_policy,
        at_the_quality_asked=known["fair"],
        router_threshold=sign * float(policies.edges[policies.edge[router]]) if proper[router] else None,
        router_saving_at_equal_quality=known["sure" if proper[chosen] else "fair"]["saving_at_equal_quality"],
        price_of_certainty_usd_per_item=certainty if pays == "yes" and not choice.fixed else None,
        terms=_terms(items, of_fair, policies, known["fair"]),
        reversed=bool(turned),
        **_printed(curve),
        latency_s=latency_of(
            items,
            score=score,
            judged=of_sure if pays == "yes" else judge_policy(policies, 0),
            policies=policies,
            switch_latency_s=asked.switch_latency_s,
        ),
        slices=slices_of(items, score=score, judged=of_sure if proper[chosen] else of_fair, policies=policies, rng=rng),
    )


def _choice(items: Items, score: Array, asked: Asked, sign: float) -> tuple[Choice, str]:
    sides = items.sides
    weak = [sides.weak] if asked.threshold is not None else list(sides.others)
    policies = summed_policies(
        items.outcomes,
        score=score,
        strong=sides.strong,
        weak=weak,
        unit=items.unit,
        thresholds=min(_THRESHOLDS, max(_MOST_POLICIES // len(weak), 20)),
        edges=None if asked.threshold is None else np.array([-np.inf, sign * asked.threshold]),
        handover=items.handover,
    )
    bound, rule = floor_of(asked, items.models, sides)
    chains = [policies.chain(column) for column in weak]
    objective = policies.routed[:, :, COST]
    if asked.budget_per_item is not None:
        # The best quality for the money; the bound is easiest to keep with the weak model for all.
        chains, objective = [chain[::-1] for chain in chains], -policies.routed[:, :, QUALITY]
    proper = policies.edge >= 0
    choice = Choice(
        policies=policies,
        chains=chains if asked.threshold is None else [np.flatnonzero(proper)],
        confidence=asked.confidence,
        bound=bound,
        margin=bound.margin(policies, weak=sides.weak),
        asked_margin=(quality_asked(asked) or bound).margin(policies, weak=sides.weak),
        objective=objective,
        proper=proper,
        fixed=asked.threshold is not None,
    )
    return choice, rule


def _by_threshold(items: Items, policies: Policies, at: int, *, name: str, sign: float, asked: Asked) -> Policy:
    return Policy(
        kind="by threshold",
        models=(items.models[items.sides.strong], items.models[int(policies.weak[at])]),
        score=name,
        threshold=sign * float(policies.edges[policies.edge[at]]),
        low_is_hard=sign < 0.0,
        after_answer=asked.after_answer,
    )


def _terms(items: Items, judged: Judged, policies: Policies, known: dict[str, JudgedEstimate]) -> dict[str, float | None]:
    """kappa, Delta and gamma of the threshold at the quality asked, in shares of the mix of equal quality."""
    sides, outcomes = items.sides, items.outcomes
    mix = known["mix_cost"].value
    if not mix > 0.0:
        return {}
    columns = [sides.strong, *sides.others]
    some = slice(None, None, max(1, len(outcomes.quality) // _ORACLE_ITEMS))
    reached, least = oracle_frontier(quality=outcomes.quality[some][:, columns], cost=outcomes.cost[some][:, columns])
    decides = (judged.chosen * (policies.edge >= 0)).sum(axis=1)
    per_unit = np.bincount(policies.unit, weights=outcomes.controller_cost, minlength=policies.items.size)
    controller = float((per_unit * decides).sum() / policies.items.sum())
    delta = 1.0 - float(np.interp(known["quality"].value, reached, least)) / mix
    terms = terms_from_saving(
        saving=1.0 - (known["cost"].value - controller) / mix, delta=min(max(delta, 0.0), 1.0), gamma=controller / mix
    )
    return {name: _known(float(getattr(terms, name))) for name in ("kappa", "delta", "gamma")}


def _printed(curve: Curve | None) -> dict[str, float | None]:
    """APGR and CPT, as RouteLLM prints them."""
    if curve is None:
        return {}
    return {
        "apgr": _known(average_gap_recovered(curve)),
        "cpt_50": _known(strong_calls_needed(curve, recovered=0.5)),
        "cpt_80": _known(strong_calls_needed(curve, recovered=0.8)),
    }


def _is_reversed(policies: Policies, weak: int, rng: np.random.Generator) -> bool:
    area = area_above_random(policies, weak=weak, rng=rng)
    return bool(np.quantile(area[1:], 0.975) < 0.0)


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
