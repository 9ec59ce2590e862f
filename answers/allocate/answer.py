"""A practitioner's question: a budget for one benchmark; is training, sampling, a verifier or another model next?

Light on purpose: the closed forms, and a few rows of the published warehouse.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from answers.allocate.benchmarks import GROWING, ITEMS, did_you_mean
from answers.allocate.measured import base_run, measured_options, measured_runs
from answers.allocate.options import (
    Choice,
    Row,
    buying_options,
    curve_of,
    lengths_in_use,
    sampling_options,
    spread_of_length,
    step_of,
    training_options,
    verifying_options,
)
from answers.allocate.record import Allocation, AllocationError, BudgetQuestion, Option
from answers.query import connect
from assets.prices.run_models import with_model
from economics.numeric.statistics import wilson_interval
from economics.test_time.allocation import flipping_eta_samples
from economics.test_time.coverage import arc_elasticity
from economics.test_time.inference_frontier import conditions
from economics.units import TOKENS_PER_MTOK

TRAINED = "deepseek-r1"
"""The model at the end of the one measured post-training step."""
REACH = np.geomspace(1e-6, 1e6, 2401)
"""Factors on budget, questions and price over which the answer is asked again."""


USE = """SELECT model, month, billed_tokens_per_answer AS tokens, billed_tokens_per_answer_low AS low,
    billed_tokens_per_answer_high AS high FROM marts.reasoning_factor
    QUALIFY row_number() OVER (PARTITION BY model ORDER BY requests DESC) = 1"""
"""Billed output of a request by model, from the month of use with most requests."""


def allocate(question: BudgetQuestion, *, warehouse: Path) -> Allocation:
    """Where the next dollar goes, from the published warehouse.

    Measured dollars come before assumed ones: the base's own run with a bill before price times tokens. Raises
    AllocationError for a benchmark or base that is not known or has no cost, naming those that are.
    """
    _check(question)
    with connect(warehouse) as connection:
        figures = connection.sql("SELECT * FROM raw.test_time_figure WHERE n IS NOT NULL").pl()
        tokens = connection.sql("FROM raw.test_time_figure WHERE metric = 'tokens_per_sample'").pl()
        spent = connection.sql("FROM raw.test_time_figure WHERE metric = 'training_usd'").pl()
        arcs = connection.sql("FROM marts.inference_frontier WHERE eta_training IS NOT NULL").pl()
        prices = _prices(connection)
        use = connection.sql(USE).pl()
        runs = measured_runs(connection)
        reasoning = dict(connection.sql("SELECT model, coalesce(reasoning, false) FROM core.model").fetchall())
    accuracy = figures.filter(pl.col("metric") == "accuracy", pl.col("benchmark").is_not_null())
    priced = with_model(accuracy, source="paper", name="system").join(prices, on="model", how="left")
    base = _base(question, priced.filter(pl.col("selection") == "single", pl.col("value") > 0), runs, prices)
    benchmark = base["benchmark"]
    here, steps = priced.filter(pl.col("benchmark") == benchmark), arcs.filter(pl.col("benchmark") == benchmark)
    cost = _cost(question, base, base_run(base, runs), tokens, use)
    each = cost.usd
    lengths, spread = lengths_in_use(base["model"], cost.tokens or 0.0, use), spread_of_length(base["model"], use, reasoning)
    measured = measured_options(question, base, runs, each)
    has_bill = {run["model"] for run in runs.filter(pl.col("benchmark") == benchmark).iter_rows(named=True)}
    assumed = buying_options(question, base, here, each, lengths, spread) if cost.tokens is not None else []
    choices = [
        *sampling_options(question, base, here, each),
        *training_options(question, base, here, steps, spent, each, _longer(base["model"], lengths, spread)),
        *measured,
        *(choice for choice in assumed if choice.option.what.split(" for ")[0] not in has_bill),
    ]
    ranked = sorted(choices, key=lambda choice: (-_gain(choice.option), choice.option.spend_usd or 0.0))
    best = ranked[0].option if ranked and _gain(ranked[0].option) > 0 else None
    rest = [choice.option for choice in ranked[1:]]
    low, high = (float(end) for end in wilson_interval(successes=base["value"] / 100 * base["n"], trials=base["n"]))
    borrowed = (*cost.borrows, *(best.borrows if best is not None else ()))
    return Allocation(
        benchmark=benchmark,
        base=base["system"],
        base_model=base["model"],
        n=base["n"],
        accuracy=base["value"] / 100.0,
        accuracy_low=low,
        accuracy_high=high,
        budget_usd=question.budget_usd,
        queries=question.queries,
        usd_per_query=each,
        tokens_per_answer=cost.tokens,
        tokens_basis=cost.tokens_basis,
        usd_per_mtok=cost.usd_per_mtok,
        price_basis=cost.price_basis,
        cost_basis=cost.basis,
        borrowed=borrowed,
        options=(
            *(choice.option for choice in ranked),
            *verifying_options(question, base, figures.filter(pl.col("benchmark") == benchmark), each, best),
        ),
        answer=None if best is None else best.channel,
        certain=best is not None
        and not borrowed
        and not best.borrowed
        and best.accuracy_low > high  # what is run now is an option too, also where it is the only other
        and all(best.accuracy_low > other.accuracy_high for other in rest),
        verdicts=_verdicts(question, base, here, steps, spent, each),
        flips=_flips(question, base, ranked, each),
        notes=_notes(question, base, best, ranked, here),
    )


@dataclass(frozen=True, kw_only=True)
class _Cost:
    """What one question costs with the base, and how that is known."""

    usd: float
    basis: str
    tokens: float | None = None
    tokens_basis: str = "not needed"
    usd_per_mtok: float | None = None
    price_basis: str = "not needed"
    borrows: tuple[str, ...] = ()


def _longer(
    base_model: str | None, lengths: Callable[[str], tuple[float, str]], spread: Callable[[str], tuple[float, float]]
) -> tuple[float, float, float]:
    """How many times as long as the base's the answers of a model trained like R1 are, from and to: as R1's are in use."""
    unit = lengths(base_model or "")[0] or 1.0
    ratio = lengths(TRAINED)[0] / unit if lengths(TRAINED)[0] else 1.0
    low, high = spread(TRAINED)
    if low > 1.0:
        ratio, low, high = math.sqrt(low * high), 1.0 / math.sqrt(high / low), math.sqrt(high / low)
    return ratio, ratio * low, ratio * high


def _check(question: BudgetQuestion) -> None:
    if question.budget_usd <= 0 or question.queries <= 0:
        raise AllocationError("--budget and --queries must be above 0")
    for name, value in (
        ("--tokens-out", question.tokens_per_answer),
        ("--price", question.usd_per_mtok),
        ("--cost-per-sample", question.usd_per_sample),
        ("--value", question.value_usd),
    ):
        if value is not None and not value > 0:
            raise AllocationError(f"{name} must be above 0")
    if question.accuracy is not None and not 0.0 < question.accuracy < 1.0:
        raise AllocationError("--accuracy must lie between 0 and 1")


def _gain(option: Option) -> float:
    """What an option adds: net worth in dollars where the user names a worth, else correct answers; to six digits."""
    return _alike(option.extra_correct if option.net_usd is None else option.net_usd)


def _cost(question: BudgetQuestion, base: Row, run: Row | None, tokens: pl.DataFrame, use: pl.DataFrame) -> _Cost:
    """The user's own figure, else the base's measured bill, else price times tokens."""
    if question.usd_per_sample is not None:
        return _Cost(usd=question.usd_per_sample, basis="given")
    if run is not None and question.usd_per_mtok is None and question.tokens_per_answer is None:
        whose = "your own run" if run["basis"] == "own" else f"{run['paper']}, {run['as_of']:%B %Y}"
        return _Cost(usd=run["usd_per_task"], basis=f"measured: {run['system']} ({whose})")
    price, price_basis = _price(question, base)
    length, tokens_basis = _tokens(question, base, tokens, use)
    usd = price * length / TOKENS_PER_MTOK
    if question.tokens_in is not None:
        if base.get("input_usd_per_mtok") is None:
            raise AllocationError(f"no input price is known for {base['system']}: give --cost-per-sample")
        usd += base["input_usd_per_mtok"] * question.tokens_in / TOKENS_PER_MTOK
    borrows = () if question.tokens_per_answer is not None else (f"tokens per answer ({tokens_basis.split(',')[0]})",)
    return _Cost(
        usd=usd,
        basis="price x tokens",
        tokens=length,
        tokens_basis=tokens_basis,
        usd_per_mtok=price,
        price_basis=price_basis,
        borrows=borrows,
    )


def _alike(extra_correct: float) -> float:
    """Six digits of it: options that reach the same printed accuracy are equal, and the cheaper one goes first."""
    return float(f"{extra_correct:.6g}")


def _prices(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Output and input price of each model today: the developer's own, else the median of hosts."""
    prices: pl.DataFrame = connection.sql(
        """
        SELECT model,
            coalesce(median(usd_per_mtok) FILTER (leg = 'output' AND first_party),
                     median(usd_per_mtok) FILTER (leg = 'output')) AS output_usd_per_mtok,
            coalesce(median(usd_per_mtok) FILTER (leg = 'input' AND first_party),
                     median(usd_per_mtok) FILTER (leg = 'input')) AS input_usd_per_mtok,
            if(bool_or(first_party), 'first party', 'median of hosts') AS price_basis
        FROM core.llm_price_current
        WHERE is_canonical AND leg IN ('output', 'input') AND tier_min_tokens = 0 AND variant = 'standard'
            AND price_window IN ('always', 'peak')
        GROUP BY model
        """
    ).pl()
    return prices


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-")


def _base(question: BudgetQuestion, singles: pl.DataFrame, runs: pl.DataFrame, prices: pl.DataFrame) -> Row:
    """The base with one answer per question: as the user measured it, by its own run with a bill, else as published.

    Names are taken as written, never by their beginning; near ones are named where none is met.
    """
    name = question.benchmark
    known = sorted({*singles["benchmark"], *runs["benchmark"], *ITEMS, *GROWING})
    if name not in known:
        raise AllocationError(f"unknown benchmark {name}{did_you_mean(name, known)}; known are {', '.join(known)}")
    if question.accuracy is not None:
        return _own_base(question, prices)
    asked = _slug(question.base)
    billed = runs.filter(pl.col("benchmark") == name, pl.col("accuracy") > 0).sort(
        pl.col("basis") == "own", "as_of", descending=True
    )
    for row in billed.to_dicts():
        if asked in (_slug(row["system"]), row["model"]):
            cost = prices.filter(pl.col("model") == (row["model"] or "")).to_dicts()
            return _priced(row | {"value": 100.0 * row["accuracy"]}, cost)
    here = singles.filter(pl.col("benchmark") == name).unique(["benchmark", "system"], maintain_order=True)
    rows = [row for row in here.to_dicts() if asked in (_slug(row["system"]), row["model"])]
    if rows:
        return rows[0]
    bases = sorted({_slug(system) for system in [*here["system"], *billed["system"]]})
    elsewhere = sorted(
        {row["benchmark"] for row in singles.to_dicts() if asked == _slug(row["system"]) or asked == row["model"]}
    )
    hint = f"; it is on {', '.join(elsewhere)}" if elsewhere else did_you_mean(asked, bases)
    there = f"bases there are {', '.join(bases)}" if bases else "no run there is known"
    raise AllocationError(f"{question.base} is not measured on {name}{hint}; {there}; or give --accuracy")


def _own_base(question: BudgetQuestion, prices: pl.DataFrame) -> Row:
    """A base whose accuracy the user measured; its items are the benchmark's where that fixes them."""
    items = question.items or ITEMS.get(question.benchmark)
    if items is None:
        raise AllocationError(f"how many items {question.benchmark} has is not known: give --items")
    named = with_model(pl.DataFrame({"system": [question.base], "paper": ["own"]}), source="paper", name="system")
    model = named["model"][0]
    row = {
        "benchmark": question.benchmark,
        "system": question.base,
        "model": model,
        "n": items,
        "value": 100.0 * (question.accuracy or 0.0),
        "paper": "own",
        "locator": "given",
    }
    return _priced(row, prices.filter(pl.col("model") == (model or "")).to_dicts())


def _priced(row: Row, prices: list[Row]) -> Row:
    unknown = {"output_usd_per_mtok": None, "input_usd_per_mtok": None, "price_basis": None}
    return row | unknown | (prices[0] if prices else {})


def _price(question: BudgetQuestion, base: Row) -> tuple[float, str]:
    if question.usd_per_mtok is not None:
        return question.usd_per_mtok, "given"
    if base["output_usd_per_mtok"] is None:
        raise AllocationError(f"no price is known for {base['system']}: give --price, USD per million output tokens")
    return base["output_usd_per_mtok"], f"{base['model']} today, {base['price_basis']}"


def _tokens(question: BudgetQuestion, base: Row, tokens: pl.DataFrame, use: pl.DataFrame) -> tuple[float, str]:
    """Answer length and whose it is: given, published for the benchmark, else the base's own over all requests of a router."""
    benchmark = base["benchmark"]
    if question.tokens_per_answer is not None:
        return question.tokens_per_answer, "given"
    found = tokens.filter(pl.col("benchmark") == benchmark)
    own = use.filter(pl.col("model") == (base["model"] or ""))
    if found.is_empty() and own.height:
        row = own.row(0, named=True)
        spread = f"{row['low']:,.0f} to {row['high']:,.0f} over months and snapshots"
        return row["tokens"], (
            f"mean request to {base['model']} at one router in {row['month']:%B %Y}, {spread}; of no benchmark, so answers on "
            f"{benchmark} may be far longer"
        )
    if found.is_empty():
        known = ", ".join(sorted(tokens["benchmark"].unique()))
        raise AllocationError(f"no answer length is known on {benchmark} (known on {known}): give --tokens-out")
    row = found.row(0, named=True)
    return row["value"], f"borrowed: {row['system']}, {row['locator']}"


def _verdicts(
    question: BudgetQuestion, base: Row, here: pl.DataFrame, arcs: pl.DataFrame, training: pl.DataFrame, each: float
) -> dict[str, str | float | None]:
    """The three forms at the question's own dollars: what the base's training cost, and its bill over all questions."""
    step = step_of(question, base, here, arcs.filter(pl.col("training_pairing") != "own_checkpoints"), training)
    found = curve_of(base, here)
    if step is None or found is None:
        return {}
    curve, _ = found
    eta = float(
        arc_elasticity(
            accept_rate_from=curve["value"][0] / 100,
            accept_rate_to=curve["value"][1] / 100,
            samples_from=float(curve["samples"][0]),
            samples_to=float(curve["samples"][1]),
        )
    )
    forms = conditions(
        eta_samples=eta,
        eta_training=step["eta_training"],
        inference_usd=question.queries * each,
        training_usd=step["spent"],
        variable_share=step["variable_share"],
    )
    said: dict[str, str | float | None] = {
        "eta_samples": eta,
        "eta_training": step["eta_training"],
        "dollar_ratio": question.queries * each / step["spent"],
        "lagrangian_flipping_dollar_ratio": eta / step["eta_training"] if step["eta_training"] > 0 else None,
    }
    return said | {
        name: "inference" if bool(getattr(forms, name).favours_inference) else "training"
        for name in ("published", "lagrangian", "shared_cost")
    }


def _flips(question: BudgetQuestion, base: Row, ranked: list[Choice], each: float) -> tuple[str, ...]:
    """Where along each axis another option takes over, and the elasticity from which samples would."""
    if len(ranked) < 2:
        return ()
    lines = []
    ones = np.ones(REACH.size)
    axes = {
        "budget": (question.budget_usd, (REACH, ones, ones), "${:,.3g}"),
        "questions": (question.queries, (ones, REACH, ones), "{:,.3g}"),
        "cost of a question": (each, (ones, ones, REACH), "${:,.3g}"),
    }
    for name, (now, (b, q, p), shown) in axes.items():
        extra = np.stack([choice.extra(question.budget_usd * b, question.queries * q, each * p) for choice in ranked])
        most = extra.max(axis=0)
        winner = np.where(most > 0.0, np.argmax(extra >= most * (1.0 - 1e-6), axis=0), 0)
        here_at = int(np.searchsorted(REACH, 1.0))
        for side, steps in (("below", range(here_at, -1, -1)), ("above", range(here_at, REACH.size))):
            at = next((i for i in steps if winner[i] != winner[here_at]), None)
            if at is not None:
                other = ranked[int(winner[at])].option
                lines.append(f"{name} {side} {shown.format(now * REACH[at])}: {other.channel} ({_model(other)})")
    best = ranked[0].option
    if (longer := ranked[0].extra_if_longer) is not None:
        second = max(float(ranked[1].option.extra_correct), 0.0)
        at = next((times for times in REACH[REACH >= 1.0] if float(longer(np.asarray(times))) < second), None)
        if at is not None:
            other = ranked[1].option
            lines.append(f"answers of {_model(best)} {at:.2g} times as long as assumed: {other.channel} ({_model(other)})")
    sampled = next((choice.option for choice in ranked if choice.option.channel == "sample"), None)
    if sampled is not None and sampled is not best and sampled.spend_usd is not None:
        bought = 1.0 + sampled.spend_usd / (question.queries * each)
        eta = float(
            flipping_eta_samples(accuracy=base["value"] / 100, accuracy_to_beat=best.accuracy, samples=max(bought, 1.0))
        )
        if math.isfinite(eta):
            lines.append(f"eta of samples above {eta:.2f} at {bought:.3g} samples: sample")
    return tuple(lines)


def _model(option: Option) -> str:
    return option.what.split(" for ")[0] if option.channel == "buy" else option.what


def _notes(
    question: BudgetQuestion, base: Row, best: Option | None, ranked: list[Choice], here: pl.DataFrame
) -> tuple[str, ...]:
    notes = [f"{base['n']} questions: one of them is {100 / base['n']:.1f} points of accuracy"]
    channels = {choice.option.channel for choice in ranked}
    if "train" not in channels:
        notes.append(
            "train: no step is measured on this benchmark with this base's dollars; --training-usd borrows one where it is"
        )
    covered = here.filter(pl.col("selection") == "coverage", pl.col("samples") > 1).sort("value")
    if covered.height:
        top = covered.row(-1, named=True)
        notes.append(
            f"sample: with a check that never errs {top['samples']} samples of {top['system']} reach {top['value']:.1f} % "
            "(coverage); without a selector to find the right one that is no answer, so it is not offered"
        )
    elif "sample" not in channels:
        notes.append("sample: no curve on this benchmark starts at one sample and chooses an answer")
    if "buy" not in channels:
        notes.append("buy: no better model on this benchmark has a bill or a price today")
    if best is None:
        worth = "" if question.value_usd is None else f" at ${question.value_usd:,.4g} per correct answer"
        notes.append(f"nothing that is measured here adds a correct answer that is worth its cost{worth}")
    return tuple(notes)
