"""`iecon route`: does sending hard items to the strong model pay, on items the threshold has not seen."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from answers.route.table import RefusedTableError, Table, read_outcomes
from economics.numeric.statistics import percentile_interval
from economics.routing.evidence import replay_routing, rule_agreement, summarise

SEED = 20_260_515
"""Splits and replicates are drawn alike in every run, so that one table has one answer."""


def show_route(
    file: Path, *, strong: str | None, weak: str | None, quality: float, as_json: bool, out: Console, err: Console
) -> bool:
    """Judge the table of a file and print the verdict; returns whether it could be judged."""
    try:
        verdict = judge(read_outcomes(file, strong=strong, weak=weak), quality=quality)
    except RefusedTableError as refused:
        for line in str(refused).splitlines():
            err.print(f"[red]rejected[/red] {file}: {line}", highlight=False, soft_wrap=True)
        return False
    if as_json:
        out.print(json.dumps(verdict, indent=2), highlight=False, soft_wrap=True, markup=False)
    else:
        for line in _words(verdict):
            out.print(line, highlight=False, soft_wrap=True, markup=False)
    return True


def judge(table: Table, *, quality: float = 1.0) -> dict[str, Any]:
    """Verdict of a table: threshold, saving, cost per correct answer and quality, all on items the threshold has not seen.

    `quality` is the share of the way from the weak to the strong model that must be kept. Dollars are per item, savings
    are shares; each estimate has value, low and high (95 %). Raises RefusedTableError where too few items can be held out.
    """
    if not table.has_score:
        raise RefusedTableError(
            "column score: no held-out evidence: without a score nothing decides before the answer is known, and any saving "
            "would be read off the answers themselves"
        )
    try:
        replay = replay_routing(
            table.items,
            rng=np.random.default_rng(SEED),
            controller_cost=table.controller_cost_usd,
            quality_target=quality,
            seen_by_router=table.seen,
        )
    except ValueError as refused:
        raise RefusedTableError(f"column item: {refused}") from None
    known = {name: _plain(part.value, part.low, part.high) for name, part in summarise(replay).items()}
    threshold = known.pop("threshold")["value"]
    middle = float(np.quantile(replay.threshold[:, 0], 0.5, method="nearest"))
    low, high = known["premium"]["low"], known["premium"]["high"]
    pays = "not shown" if low is None or high is None else "yes" if low > 0 else "no" if high <= 0 else "not shown"
    floor = replay.weak_quality + quality * (replay.strong_quality - replay.weak_quality)
    random_cost = replay.weak_cost + replay.strong_share * (replay.strong_cost - replay.weak_cost)
    return {
        "pays": pays,
        "strong_model": table.strong,
        "weak_model": table.weak,
        "items": int((~table.seen).sum()),
        "items_left_out": int(table.seen.sum()),
        "splits": int(replay.premium.shape[0]),
        "policy": "all strong" if middle == -math.inf else "all weak" if middle == math.inf else "by threshold",
        "threshold": threshold,
        "quality_kept_of_the_gap": quality,
        "saving_at_equal_quality": known["premium"],
        "saving_promised_in_sample": known["promised_premium"],
        "saving_against_strong_for_all": _estimate(1.0 - replay.cost / replay.strong_cost),
        "kappa": known["kappa"],
        "delta": known["delta"],
        "gamma": known["gamma"],
        "controller_cost_usd_per_item": table.controller_cost_usd if table.controller_is_known else None,
        "rule_agreement": rule_agreement(replay),
        "strong_share": known["strong_share"],
        "quality": known["quality"],
        "quality_floor": _estimate(floor),
        "splits_that_kept_the_floor": float(np.mean(replay.quality >= floor - 1e-12)),
        "quality_of": {
            "strong": known["strong_quality"],
            "weak": known["weak_quality"],
            "random_at_the_same_share": known["random_quality"],
            "oracle_at_the_same_share": known["oracle_quality"],
        },
        "quality_kappa": known["quality_kappa"],
        "usd_per_item": known["cost"],
        "usd_per_correct": _per_correct(replay.cost, replay.quality),
        "usd_per_correct_of": {
            "strong": _per_correct(replay.strong_cost, replay.strong_quality),
            "weak": _per_correct(replay.weak_cost, replay.weak_quality),
            "random_at_the_same_share": _per_correct(random_cost, replay.random_quality),
        },
    }


def _per_correct(cost: NDArray[np.float64], quality: NDArray[np.float64]) -> dict[str, float | None]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return _estimate(np.where(quality > 0, cost / quality, np.nan))


def _estimate(values: NDArray[np.float64]) -> dict[str, float | None]:
    first = values[:, 0][np.isfinite(values[:, 0])]
    low, high = percentile_interval(values.ravel())
    return _plain(float(first.mean()) if first.size else math.nan, float(low), float(high))


def _plain(value: float, low: float, high: float) -> dict[str, float | None]:
    """As JSON holds it: what is not a finite number is null."""
    return {name: part if math.isfinite(part) else None for name, part in (("value", value), ("low", low), ("high", high))}


def _words(verdict: dict[str, Any]) -> list[str]:
    of, correct = verdict["quality_of"], verdict["usd_per_correct_of"]
    policy = {
        "by threshold": f"send an item to {verdict['strong_model']} when its score is {_number(verdict['threshold'])} or above",
        "all strong": f"use {verdict['strong_model']} for all: no threshold kept the quality for less",
        "all weak": f"use {verdict['weak_model']} for all: it keeps the quality",
    }[verdict["policy"]]
    unknown = verdict["controller_cost_usd_per_item"] is None
    return [
        f"Routing pays: {verdict['pays']} ({verdict['items']:,} items, {verdict['splits']} splits, judged on items the "
        "threshold has not seen)",
        f"What to do: {policy}",
        f"Saving at equal quality: {_share(verdict['saving_at_equal_quality'])}; in sample it looked like "
        f"{_share(verdict['saving_promised_in_sample'])}",
        f"Saving against {verdict['strong_model']} for all: {_share(verdict['saving_against_strong_for_all'])}",
        f"Correct: {_share(verdict['quality'])}; floor {_share(verdict['quality_floor'])}, kept in "
        f"{verdict['splits_that_kept_the_floor']:.0%} of held-out draws",
        f"  {verdict['strong_model']} {_share(of['strong'])}; {verdict['weak_model']} {_share(of['weak'])}",
        f"  with the same share of {verdict['strong_model']} ({_share(verdict['strong_share'])}): random "
        f"{_share(of['random_at_the_same_share'])}, oracle {_share(of['oracle_at_the_same_share'])}",
        f"USD per correct answer: {_usd(verdict['usd_per_correct'])}; {verdict['strong_model']} {_usd(correct['strong'])}; "
        f"{verdict['weak_model']} {_usd(correct['weak'])}; random {_usd(correct['random_at_the_same_share'])}",
        "Controller: not stated, counted as free"
        if unknown
        else f"Controller: {verdict['controller_cost_usd_per_item']:.3g} USD per item",
    ]


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _share(part: dict[str, float | None]) -> str:
    return _ranged(part, lambda value: f"{100 * value:.1f} %")


def _usd(part: dict[str, float | None]) -> str:
    return _ranged(part, lambda value: f"{value:.3g}")


def _ranged(part: dict[str, float | None], shown: Callable[[float], str]) -> str:
    value, low, high = part["value"], part["low"], part["high"]
    if value is None:
        return "unknown"
    return shown(value) + (f" ({shown(low)} to {shown(high)})" if low is not None and high is not None else "")
