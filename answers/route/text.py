"""The decision in words and as JSON."""

import math
import textwrap
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from answers.route.record import Compared, Decision, Judgement, Policy
from economics.routing.judged import JudgedEstimate

WIDTH = 79
WORST_SLICES = 3


def words(decision: Decision) -> list[str]:
    """What the decision says, in lines that read at 80 columns."""
    best = decision.best
    score = f", score {best.score}" if len(decision.judgements) > 1 else ""
    lines = [
        f"Routing pays: {best.pays} ({_counted(decision.items, 'item')}{_units(decision)}{score}): {best.why}",
        f"What to do: {followed(best.policy)}",
    ]
    lines += _promise(best)
    lines += _costs(decision, best)
    if best.latency_s is not None and best.pays == "yes":
        alone = {model.model: model.latency_s for model in decision.models}
        lines.append(f"Latency: {best.latency_s:.3g} s per item; {decision.strong} {alone[decision.strong]:.3g} s")
    if best.score != "none":
        lines += _score(best)
    lines += [
        "Controller: not stated, counted as free"
        if decision.controller_cost_usd_per_item is None
        else f"Controller: {decision.controller_cost_usd_per_item:.3g} USD per item that it decides"
    ]
    lines += _models(decision)
    lines += ["Compared with:", *(f"  {_compared(one)}" for one in decision.compared)]
    if len(decision.judgements) > 1:
        lines += ["Scores:", *(f"  {_one_score(judgement)}" for judgement in decision.judgements)]
    lines += _slices(best)
    lines += _left_out(decision)
    return [part for line in lines for part in _wrapped(line)]


def followed(policy: Policy) -> str:
    """A policy as an instruction."""
    if policy.kind == "by threshold":
        side = "below" if policy.low_is_hard else "above"
        first = (
            f"ask {policy.models[1]} first; send an item on to {policy.models[0]}"
            if policy.after_answer
            else f"send an item to {policy.models[0]}"
        )
        other = "" if policy.after_answer else f", else to {policy.models[1]}"
        return f"{first} when its {policy.score} is {policy.threshold:.6g} or {side}{other}"
    if policy.kind == "random mix":
        return (
            f"no router: send each item to {policy.models[0]} with probability {policy.share:.2f}, else to {policy.models[1]} "
            "(the random mix that is sure to keep the floor)"
        )
    return f"use {policy.models[0]} for all; no router"


def as_json(decision: Decision) -> dict[str, Any]:
    """The decision as plain values; what is not known is null. The best judgement stands at the top as well."""
    best = decision.best
    plain: dict[str, Any] = _plain(asdict(decision))
    return {
        "pays": best.pays,
        "why": best.why,
        "what_to_do": followed(best.policy),
        "policy": _plain(asdict(best.policy)),
        "threshold": best.policy.threshold,
        "router_threshold": best.router_threshold,
        "saving_at_equal_quality": _plain(asdict(best.at_the_quality_asked["saving_at_equal_quality"])),
        "saving_of_the_policy": _plain(asdict(best.of_policy["saving_at_equal_quality"])),
        "saving_against_strong": _plain(asdict(best.of_policy["saving_against_strong"])),
        "quality": _plain(asdict(best.of_policy["quality"])),
        "usd_per_item": _plain(asdict(best.of_policy["cost"])),
        "usd_per_correct": _plain(asdict(best.of_policy["cost_per_correct"])),
        "quality_floor": _plain(asdict(best.floor)),
        **plain,
    }


def policy_file(decision: Decision) -> dict[str, Any]:
    """What a router needs to follow the policy, and what is promised of it."""
    best = decision.best
    return {
        "what_to_do": followed(best.policy),
        **_plain(asdict(best.policy)),
        "strong": best.policy.models[0],
        "weak": best.policy.models[-1],
        "rule": None
        if best.policy.threshold is None
        else f"{best.policy.score} {'<=' if best.policy.low_is_hard else '>='} {best.policy.threshold!r}",
        "floor": _plain(asdict(best.floor)),
        "expected": {name: _plain(asdict(best.of_policy[name])) for name in ("quality", "cost", "strong_share")},
        "items": decision.items,
        "cost_basis": decision.cost_basis,
    }


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _units(decision: Decision) -> str:
    return f" in {decision.groups:,} groups" if decision.groups < decision.items else ""


def _promise(best: Judgement) -> list[str]:
    floor, known = best.floor, best.of_policy
    held = "" if floor.held_in_redraws is None else f"; it held in {floor.held_in_redraws:.0%} of redraws of the table"
    if not floor.promised:
        return [f"Floor: {floor.rule}: no policy is sure to keep it at {floor.confidence:.0%}"]
    lines = [f"Floor: {floor.rule}, kept with {floor.confidence:.0%} confidence{held}"]
    if best.price_of_certainty_usd_per_item is not None:
        lines.append(
            f"  to be sure costs {best.price_of_certainty_usd_per_item:.3g} USD per item over the threshold that keeps "
            f"the quality asked on average ({_usd(best.at_the_quality_asked['cost'])} USD)"
        )
    lines.append(f"Correct: {_share(known['quality'])}; {_points(known['quality_less_strong'])} against the strong model")
    return lines


def _costs(decision: Decision, best: Judgement) -> list[str]:
    known = best.of_policy
    return [
        f"Cost: {_usd(known['cost'])} USD per item; {_share(known['saving_against_strong'])} less than {decision.strong} for "
        f"all; {_usd(known['cost_per_correct'])} USD per correct answer",
    ]


def _score(best: Judgement) -> list[str]:
    known, policy = best.at_the_quality_asked, best.of_policy
    lines = []
    if best.policy.kind == "by threshold":
        lines.append(
            f"Saving of this policy at equal quality: {_share(policy['saving_at_equal_quality'])}, against the cheapest random "
            "mix of the models that is correct as often"
        )
    if best.router_threshold is not None:
        lines.append(
            f"The score at the quality asked, on average: saves {_share(known['saving_at_equal_quality'])} at equal quality; "
            f"correct {_share(known['quality'])}, a random choice of as many strong answers "
            f"{_share(known['random_quality'])}"
        )
    if best.terms and best.router_threshold is not None:
        terms = {name: "unknown" if value is None else f"{value:.3f}" for name, value in best.terms.items()}
        lines.append(f"  kappa {terms['kappa']}, Delta {terms['delta']}, gamma {terms['gamma']}")
    if best.apgr is not None:
        calls = ", ".join(
            f"CPT({share} %) {value:.1%}" for share, value in ((50, best.cpt_50), (80, best.cpt_80)) if value is not None
        )
        lines.append(f"  APGR {best.apgr:.3f} (a random choice .5), {calls} of calls to the strong model")
    if best.reversed:
        lines.append("  the score is reversed: low means hard")
    return lines


def _models(decision: Decision) -> list[str]:
    lines = ["Models alone:"]
    for model in decision.models:
        worth = "" if model.worth_calling else "; never worth calling: a mix of others is as good and cheaper"
        lines.append(
            f"  {model.model}: correct {_share(model.quality)}, {_usd(model.cost)} USD per item, "
            f"{_usd(model.cost_per_correct)} per correct{worth}"
        )
    return lines


def _compared(one: Compared) -> str:
    known = one.estimates
    if "samples_used" in known:
        return (
            f"{one.name}: {_ranged(known['samples_used'], lambda value: f'{value:.2f}')} samples, correct "
            f"{_share(known['quality'])}, majority of all {_share(known['majority_quality'])}, saves "
            f"{_share(known['saving_against_all_samples'])} ({one.basis})"
        )
    at_share = ""
    if one.oracle_quality is not None:
        at_share = (
            f"; with the same share of strong answers ({known['strong_share'].value:.1%}): random "
            f"{known['random_quality'].value:.2%}, oracle {one.oracle_quality:.2%}"
        )
    return (
        f"{one.name}: correct {_share(known['quality'])}, {_usd(known['cost'])} USD per item, "
        f"{_usd(known['cost_per_correct'])} per correct, saves {_share(known['saving_at_equal_quality'])} at equal "
        f"quality{at_share} ({one.basis})"
    )


def _one_score(one: Judgement) -> str:
    saving = one.at_the_quality_asked["saving_at_equal_quality"]
    apgr = "" if one.apgr is None else f", APGR {one.apgr:.3f}"
    return f"{one.score}: {one.pays}, saves {_share(saving)} at the quality asked{apgr}"


def _slices(best: Judgement) -> list[str]:
    if not best.slices:
        return []
    worst = sorted(best.slices, key=lambda one: one.estimates["quality_less_strong"].value)[:WORST_SLICES]
    lines = ["By category, under the judged threshold:"]
    for one in best.slices:
        known = one.estimates
        mark = " (among the worst)" if one in worst and known["quality_less_strong"].value < 0 and len(best.slices) > 1 else ""
        lines.append(
            f"  {one.category}: {one.items:,} items, {one.strong_share:.0%} strong, correct {_share(known['quality'])}, "
            f"{_points(known['quality_less_strong'])} against the strong model, saves "
            f"{_share(known['saving_at_equal_quality'])} at equal quality{mark}"
        )
    return lines


def _left_out(decision: Decision) -> list[str]:
    lines = [f"Cost: {decision.cost_basis}"] if decision.cost_basis != "cost as stated" else []
    if decision.items_left_out:
        lines.append(f"Left out: {decision.items_left_out:,} items the router was trained on")
    lines += [f"Left out: {count:,} items without an outcome of {name}" for name, count in decision.missing.items()]
    return lines + [f"Note: {note}" for note in decision.notes]


def _wrapped(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line, WIDTH, subsequent_indent=f"{indent}    ", break_long_words=False, break_on_hyphens=False)


def _share(part: JudgedEstimate) -> str:
    return _ranged(part, lambda value: f"{100 * value:.1f} %")


def _points(part: JudgedEstimate) -> str:
    return _ranged(part, lambda value: f"{100 * value:+.1f}") + " points"


def _usd(part: JudgedEstimate) -> str:
    return _ranged(part, lambda value: f"{value:.3g}")


def _ranged(part: JudgedEstimate, shown: Callable[[float], str]) -> str:
    if not math.isfinite(part.value):
        return "unknown"
    if not math.isfinite(part.low) or not math.isfinite(part.high):
        return shown(part.value)
    return f"{shown(part.value)} ({shown(part.low)} to {shown(part.high)})"


def _plain(value: Any) -> Any:
    """As JSON holds it: what is not a finite number is null."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
