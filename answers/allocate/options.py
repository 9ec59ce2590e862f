"""The ways to spend a budget on one benchmark, each with what it rests on: samples, training, another model, a verifier."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from answers.allocate.record import BudgetQuestion, Option
from economics.numeric.statistics import log_ratio_interval, wilson_interval
from economics.test_time.allocation import (
    accuracy_of_samples,
    accuracy_of_training,
    lent_accuracy,
    samples_affordable,
    share_upgraded,
)
from economics.test_time.coverage import arc_elasticity
from economics.units import TOKENS_PER_MTOK, Array

REASONING_TIMES = (2.0, 4.0)
"""Billed tokens of a reasoning model over those of one that does not reason, where neither is measured."""
ALIKE_TIMES = (0.5, 2.0)
Row = dict[str, Any]
"""The base: its row of `raw.test_time_figure`, with model, output_usd_per_mtok and price_basis."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A priced option as a function of budget, questions and the price of a question, so that it can be asked again."""

    option: Option
    extra: Callable[[Array, Array, Array], Array]
    extra_if_longer: Callable[[Array], Array] | None = None
    """Correct answers added as asked if the other model's answers were so many times as long as assumed."""


def option_of(
    question: BudgetQuestion,
    base: Row,
    each: float,
    *,
    spend: float | None,
    reached: tuple[float, float, float],
    **facts: Any,
) -> Option:
    """An option from its spend and the accuracy it reaches with both ends; `each` is what a question costs now."""
    accuracy, low, high = (min(max(part, 0.0), 1.0) for part in reached)
    extra = question.queries * (accuracy - base["value"] / 100.0)
    worth = None if question.value_usd is None or spend is None else question.value_usd * extra - spend
    bill = question.queries * each
    return Option(
        spend_usd=spend,
        accuracy=accuracy,
        accuracy_low=min(low, accuracy),
        accuracy_high=max(high, accuracy),
        extra_correct=extra,
        net_usd=worth,
        usd_per_extra_correct=spend / extra if spend is not None and spend > 0 and extra > 0 else None,
        usd_per_correct=(bill + spend) / (question.queries * accuracy) if spend is not None and accuracy > 0 else None,
        **facts,
    )


def curve_of(base: Row, here: pl.DataFrame) -> tuple[pl.DataFrame, bool] | None:
    """The base's own curve in samples, else that of the system nearest to its accuracy; and whether it is its own."""
    # That some sample is right is no answer: it takes a selector to find it, with an accuracy and a cost of its own.
    answered = pl.col("selection").ne_missing("coverage")
    curves = here.filter(pl.col("curve").is_not_null(), pl.col("samples").is_not_null(), answered)
    key = ["paper", "system", "curve"]
    whole = curves.filter((pl.col("samples").min().over(key) == 1) & (pl.col("samples").max().over(key) > 1))
    starts = whole.filter(pl.col("samples") == 1, pl.col("value") > 0)
    if starts.is_empty():
        return None
    nearest = starts.with_columns(
        other=(pl.col("system") != base["system"]) & pl.col("model").ne_missing(pl.lit(base["model"] or "")),
        distance=(pl.col("value") / base["value"]).log().abs(),
    ).sort("other", "distance", *key)
    first = nearest.row(0, named=True)
    chosen = whole.filter(*(pl.col(name) == first[name] for name in key))
    return chosen.unique("samples", keep="first", maintain_order=True).sort("samples"), not first["other"]


def sampling_options(question: BudgetQuestion, base: Row, here: pl.DataFrame, each: float) -> list[Choice]:
    """More samples per question along a measured curve; none where no curve on the benchmark starts at one sample."""
    found = curve_of(base, here)
    if found is None:
        return []
    curve, own = found
    counts, shares = curve["samples"].cast(pl.Float64).to_numpy(), (curve["value"] / 100.0).to_numpy()
    start, n = base["value"] / 100.0, int(curve["n"][0])

    def after(budget: Array, queries: Array, price: Array) -> tuple[Array, Array]:
        bought = samples_affordable(budget_usd=budget, queries=queries, usd_per_sample=price, most_samples=counts[-1])
        reached = accuracy_of_samples(accuracy=start, samples=bought, curve_samples=counts, curve_accuracy=shares)
        return np.asarray(bought), np.asarray(reached)

    bought, reached = (float(part) for part in after(*_as_arrays(question.budget_usd, question.queries, each)))
    end = int(np.searchsorted(counts, bought).clip(1, counts.size - 1))
    own_point = float(np.exp(np.interp(np.log(bought), np.log(counts), np.log(shares))))
    _, low, high = _lent(start, shares[0], own_point, n) if bought > 1.0 else (start, start, start)
    eta = float(
        arc_elasticity(accept_rate_from=shares[0], accept_rate_to=shares[end], samples_from=1.0, samples_to=counts[end])
    )
    is_guided = bool(curve.filter(pl.col("samples") > 1)["selection"].is_in(["search", "vote_or_reward_model"]).any())
    whose = "its own curve" if own else f"borrowed from {curve['system'][0]}, the nearest in accuracy"
    option = option_of(
        question,
        base,
        each,
        spend=(bought - 1.0) * question.queries * each,
        reached=(reached, low, high),
        n=n,
        borrowed=not own or is_guided,
        borrows=(
            *(() if own else (f"the curve of {curve['system'][0]}",)),
            *(("the cost of the reward model, counted as free",) if is_guided else ()),
        ),
        channel="sample",
        what=f"{bought:.3g} samples per question, {curve['curve'][0].replace('_', ' ')}",
        evidence=f"{whose}: {100 * shares[0]:.1f} % at 1, {100 * shares[end]:.1f} % at {counts[end]:.0f} samples, eta "
        f"{eta:.3f}, n {n} ({curve['paper'][0]}, {curve['locator'][-1]})",
    )
    return [Choice(option=option, extra=lambda b, q, p: q * (after(b, q, p)[1] - start))]


def step_of(question: BudgetQuestion, base: Row, here: pl.DataFrame, arcs: pl.DataFrame, training: pl.DataFrame) -> Row | None:
    """The measured training step: elasticity, its dollars and those spent before it; None where these are not known."""
    measured = here.filter(pl.col("system") == "DeepSeek-V3", pl.col("selection") == "single")
    if arcs.is_empty() or measured.is_empty():
        return None
    usd = dict(training.select("system", "value").rows())
    own = base["system"] == "DeepSeek-V3"
    spent = question.training_usd if question.training_usd is not None else usd["V3 total"] if own else None
    if spent is None:
        return None
    arc = arcs.row(0, named=True)
    scale = spent / usd["V3 total"]
    return arc | {"spent": spent, "step": usd["R1 total"] * scale, "own": own, "start": measured["value"][0] / 100.0}


def training_options(
    question: BudgetQuestion,
    base: Row,
    here: pl.DataFrame,
    arcs: pl.DataFrame,
    training: pl.DataFrame,
    each: float,
    longer: tuple[float, float, float],
) -> list[Choice]:
    """The measured post-training step or part of it; none where the dollars of the base's training are not known.

    A model trained to reason writes longer answers: `longer` is how many times as long, with its ends. What the step leaves of
    the budget pays for that, for as many questions as it reaches.
    """
    step = step_of(question, base, here, arcs.filter(pl.col("training_pairing") != "own_checkpoints"), training)
    if step is None:
        return []
    start = base["value"] / 100.0

    def trained(budget: Array | float, eta: float) -> Array:
        lender = accuracy_of_training(
            accuracy=step["start"],
            eta_training=eta,
            budget_usd=budget,
            training_usd=step["spent"],
            step_usd=step["step"],
        )
        return np.asarray(lent_accuracy(accuracy=start, lender_from=step["start"], lender_to=lender))

    def served(budget: Array, queries: Array, price: Array, times: float | Array) -> Array:
        left = np.maximum(np.asarray(budget) - step["step"], 0.0)
        return np.asarray(share_upgraded(budget_usd=left, queries=queries, extra_usd_per_query=(times - 1.0) * price))

    budget, queries, price = _as_arrays(question.budget_usd, question.queries, each)
    middle, least, most = longer
    shares = [float(served(budget, queries, price, times)) for times in (middle, most, least)]
    ends = [float(trained(question.budget_usd, step[f"eta_training{end}"])) for end in ("", "_low", "_high")]
    spend = min(question.budget_usd, step["step"]) + shares[0] * question.queries * each * (middle - 1.0)
    whose = "its own" if step["own"] else "borrowed from DeepSeek-V3"
    borrows = (
        *(() if step["own"] else ("the training step of DeepSeek-V3",)),
        "how much longer the trained model's answers are",
    )
    option = option_of(
        question,
        base,
        each,
        spend=spend,
        reached=(
            start + shares[0] * (ends[0] - start),
            start + shares[1] * (ends[1] - start),
            start + shares[2] * (ends[2] - start),
        ),
        n=step["n"],
        channel="train",
        borrowed=True,
        borrows=borrows,
        what=f"{min(question.budget_usd, step['step']) / step['step']:.0%} of a post-training step like V3 to R1, served to "
        f"{shares[0]:.0%} of questions",
        evidence=f"{whose}: eta {step['eta_training']:.1f} ({step['eta_training_low']:.1f} to {step['eta_training_high']:.1f}) "
        f"on ${step['spent']:,.0f} spent so far, n {step['n']}; one step, not a scaling law; its answers are "
        f"{middle:.2g} times as long ({least:.2g} to {most:.2g})",
    )

    def extra(budget: Array, queries: Array, price: Array) -> Array:
        gained = trained(budget, step["eta_training"]) - start
        return np.asarray(queries * served(budget, queries, price, middle) * gained)

    def if_longer(times: Array) -> Array:
        gained = trained(question.budget_usd, step["eta_training"]) - start
        return np.asarray(queries * served(budget, queries, price, middle * times) * gained)

    return [Choice(option=option, extra=extra, extra_if_longer=if_longer)]


def lengths_in_use(base_model: str | None, length: float, use: pl.DataFrame) -> Callable[[str], tuple[float, str]]:
    """Answer length of another model and its basis: that of the base, stretched as both differ in use where both are known.

    `use`: model and its billed tokens of a mean request.
    """
    tokens = dict(zip(use["model"], use["tokens"], strict=True))

    def of(model: str) -> tuple[float, str]:
        if base_model not in tokens or model not in tokens:
            return length, "as many tokens per answer"
        ratio = tokens[model] / tokens[base_model]
        return length * ratio, f"{ratio:.2g} times the tokens per answer, as both differ over all requests of a router"

    return of


def spread_of_length(
    base_model: str | None, use: pl.DataFrame, reasoning: dict[str, bool]
) -> Callable[[str], tuple[float, float]]:
    """How many times as long as assumed another model's answers may be: from and to.

    Where both are known in use, by the months and snapshots of either; else 2 to 4 times for a model that reasons beside one
    that does not, as measured pairs lie, and half to twice for two of a kind. None of these was measured on the benchmark.
    """
    known = {row["model"]: row for row in use.iter_rows(named=True)}

    def of(model: str) -> tuple[float, float]:
        if base_model in known and model in known:
            mine, other = known[base_model], known[model]
            return (
                other["low"] / other["tokens"] * mine["tokens"] / mine["high"],
                other["high"] / other["tokens"] * mine["tokens"] / mine["low"],
            )
        if reasoning.get(model, False) and not reasoning.get(base_model or "", False):
            return REASONING_TIMES
        return ALIKE_TIMES

    return of


def buying_options(
    question: BudgetQuestion,
    base: Row,
    here: pl.DataFrame,
    each: float,
    length_of: Callable[[str], tuple[float, str]],
    spread_of: Callable[[str], tuple[float, float]],
) -> list[Choice]:
    """Each better model with an accuracy on the benchmark and a price today, for as many questions as the budget moves.

    Its tokens on the benchmark are not measured: the interval holds what the spread of its length does to the share of
    questions the budget moves, and the option is uncertain for it.
    """
    others = here.filter(
        pl.col("selection") == "single",
        pl.col("output_usd_per_mtok").is_not_null(),
        pl.col("value") > base["value"],
        pl.col("model") != pl.lit(base["model"] or ""),
    ).unique("model", keep="first", maintain_order=True)
    start, choices = base["value"] / 100.0, []
    for row in others.to_dicts():
        length, told = length_of(row["model"])
        shortest, longest = spread_of(row["model"])
        if shortest > 1.0:  # nothing is known of it but that it reasons: the middle of what such models do
            middle = math.sqrt(shortest * longest)
            told = f"{middle:.2g} times the base's tokens, a guess for a model that reasons"
            length, shortest, longest = length * middle, shortest / middle, longest / middle
        better, n, ratio = row["value"] / 100.0, row["n"], row["output_usd_per_mtok"] * length / TOKENS_PER_MTOK / each
        low, high = (float(end) for end in wilson_interval(successes=better * n, trials=n))

        moved = partial(share_moved, ratio=ratio)
        share = float(moved(*_as_arrays(question.budget_usd, question.queries, each)))
        fewest, widest = (
            float(share_moved(*_as_arrays(question.budget_usd, question.queries, each), ratio=ratio * times))
            for times in (longest, shortest)
        )
        reached = start + share * (better - start)
        worst = min(start + part * (low - start) for part in (fewest, widest))
        most = max(start + part * (high - start) for part in (fewest, widest))
        option = option_of(
            question,
            base,
            each,
            spend=share * question.queries * (ratio - 1.0) * each,
            n=n,
            channel="buy",
            borrowed=True,
            borrows=(f"the tokens of {row['model']}",),
            reached=(reached, worst, most),
            what=f"{row['model']} for {share:.0%} of questions",
            evidence=f"{100 * better:.1f} % ({100 * low:.0f} to {100 * high:.0f}), n {n} ({row['paper']}, {row['locator']}); "
            f"${row['output_usd_per_mtok']:.4g} per M output tokens today ({row['price_basis']}), {told}, "
            f"{shortest:.2g} to {longest:.2g} times that",
        )
        longer = partial(_if_longer, question=question, each=each, ratio=ratio, gain=better - start)
        extra = partial(moved_correct, moved=moved, gain=better - start)
        choices.append(Choice(option=option, extra=extra, extra_if_longer=longer))
    return choices


def verifying_options(
    question: BudgetQuestion, base: Row, figures: pl.DataFrame, each: float, best: Option | None
) -> list[Option]:
    """A better verifier over a worse one at the same samples; nobody states its price, so it is given what it may cost."""
    found = figures.filter(pl.col("metric") == "accuracy_by_verifier").sort("value")
    if found.height < 2:
        return []
    worst, top = found.row(0, named=True), found.row(-1, named=True)
    start, n = base["value"] / 100.0, int(top["n"])
    reached = _lent(start, worst["value"] / 100, top["value"] / 100, n)
    option = option_of(
        question,
        base,
        each,
        spend=None,
        reached=reached,
        n=n,
        channel="verify",
        borrowed=True,
        borrows=("the price of the verifier, which nobody states",),
        what=f"{top['system']} in place of {worst['system']}",
        evidence=f"borrowed: {worst['value']:.1f} % to {top['value']:.1f} % at the same search, n {n} ({top['paper']}, "
        f"{top['locator']}); no document prices it",
    )
    if best is None or not best.usd_per_extra_correct:
        return [option]
    worth = best.usd_per_extra_correct * option.extra_correct
    return [replace(option, evidence=f"{option.evidence}; it wins if it costs less than ${worth:,.0f}")]


def _lent(start: float, before: float, after: float, n: int) -> tuple[float, float, float]:
    """Accuracy after another system's step, and its interval from n questions at either end of the step."""
    ends = log_ratio_interval(successes_from=before * n, trials_from=n, successes_to=after * n, trials_to=n)
    low, high = (min(before * math.exp(float(end)), 1.0) for end in ends)
    reached, least, most = (float(lent_accuracy(accuracy=start, lender_from=before, lender_to=to)) for to in (after, low, high))
    return reached, least, most


def _if_longer(times: Array, *, question: BudgetQuestion, each: float, ratio: float, gain: float) -> Array:
    budget, queries, price = _as_arrays(question.budget_usd, question.queries, each)
    dearer = (ratio * times - 1.0) * price
    moved = share_upgraded(budget_usd=budget, queries=queries, extra_usd_per_query=dearer)
    return np.asarray(question.queries * np.asarray(moved) * gain)


def _as_arrays(*values: float) -> tuple[Array, ...]:
    return tuple(np.asarray(value, dtype=np.float64) for value in values)


def share_moved(budget: Array, queries: Array, price: Array, *, ratio: float) -> Array:
    """Share of questions that go to a model whose answer costs `ratio` times as much."""
    return np.asarray(share_upgraded(budget_usd=budget, queries=queries, extra_usd_per_query=(ratio - 1.0) * price))


def moved_correct(budget: Array, queries: Array, price: Array, *, moved: Callable[..., Array], gain: float) -> Array:
    """Correct answers that the questions moved to another model add."""
    correct: Array = queries * moved(budget, queries, price) * gain
    return correct
