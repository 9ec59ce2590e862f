"""A practitioner's question: a budget for one benchmark; is training, sampling, a verifier or another model next?

Light on purpose: the closed forms, and a few rows of the published warehouse.
"""

import math
import re
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from answers.allocate.options import (
    Choice,
    Row,
    buying_options,
    curve_of,
    lengths_in_use,
    sampling_options,
    step_of,
    training_options,
    verifying_options,
)
from answers.allocate.record import Allocation, AllocationError, Option, Question
from answers.query import connect
from assets.prices.run_models import with_model
from economics.numeric.statistics import wilson_interval
from economics.test_time.allocation import flipping_eta_samples
from economics.test_time.coverage import arc_elasticity
from economics.test_time.inference_frontier import conditions
from economics.units import TOKENS_PER_MTOK

REACH = np.geomspace(1e-6, 1e6, 2401)
"""Factors on budget, questions and price over which the answer is asked again."""


USE = """SELECT model, month, billed_tokens_per_answer AS tokens, billed_tokens_per_answer_low AS low,
    billed_tokens_per_answer_high AS high FROM marts.reasoning_factor
    QUALIFY row_number() OVER (PARTITION BY model ORDER BY requests DESC) = 1"""
"""Billed output of a request by model, from the month of use with most requests."""


def allocate(question: Question, *, warehouse: Path) -> Allocation:
    """Where the next dollar goes, from the published warehouse.

    Raises AllocationError for a benchmark or base that does not exist or has no price, naming those that do.
    """
    if question.budget_usd <= 0 or question.queries <= 0:
        raise AllocationError("--budget and --queries must be above 0")
    with connect(warehouse) as connection:
        figures = connection.sql("SELECT * FROM raw.test_time_figure WHERE n IS NOT NULL").pl()
        tokens = connection.sql("FROM raw.test_time_figure WHERE metric = 'tokens_per_sample'").pl()
        spent = connection.sql("FROM raw.test_time_figure WHERE metric = 'training_usd'").pl()
        arcs = connection.sql("FROM marts.inference_frontier WHERE eta_training IS NOT NULL").pl()
        prices = _prices(connection)
        use = connection.sql(USE).pl()
    accuracy = figures.filter(pl.col("metric") == "accuracy")
    priced = with_model(accuracy.filter(pl.col("benchmark").is_not_null()), source="paper", name="system").join(
        prices, on="model", how="left"
    )
    base = _base(question, priced.filter(pl.col("selection") == "single", pl.col("value") > 0))
    benchmark = base["benchmark"]
    here = priced.filter(pl.col("benchmark") == benchmark)
    price, price_basis = _price(question, base)
    length, tokens_basis = _tokens(question, base, tokens, use)
    each = price * length / TOKENS_PER_MTOK
    choices = [
        *sampling_options(question, base, here, each),
        *training_options(question, base, here, arcs.filter(pl.col("benchmark") == benchmark), spent, each),
        *buying_options(question, base, here, each, lengths_in_use(base["model"], length, use)),
    ]
    ranked = sorted(choices, key=lambda choice: (-_alike(choice.option.extra_correct), choice.option.spend_usd or 0.0))
    best = ranked[0].option if ranked and ranked[0].option.extra_correct > 0 else None
    rest = [choice.option for choice in ranked[1:]]
    low, high = (float(end) for end in wilson_interval(successes=base["value"] / 100 * base["n"], trials=base["n"]))
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
        tokens_per_answer=length,
        tokens_basis=tokens_basis,
        usd_per_mtok=price,
        price_basis=price_basis,
        options=(
            *(choice.option for choice in ranked),
            *verifying_options(question, base, figures.filter(pl.col("benchmark") == benchmark), each, best),
        ),
        answer=None if best is None else best.channel,
        certain=best is not None and not best.borrowed and all(best.accuracy_low > other.accuracy_high for other in rest),
        verdicts=_verdicts(question, base, here, arcs.filter(pl.col("benchmark") == benchmark), spent, each),
        flips=_flips(question, base, ranked, each),
        notes=_notes(base, best, ranked),
    )


def _alike(extra_correct: float) -> float:
    """Six digits of it: options that reach the same printed accuracy are equal, and the cheaper one goes first."""
    return float(f"{extra_correct:.6g}")


def _prices(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Output price of each model today: the developer's own, else the median of hosts."""
    prices: pl.DataFrame = connection.sql(
        """
        SELECT model,
            coalesce(median(usd_per_mtok) FILTER (first_party), median(usd_per_mtok)) AS output_usd_per_mtok,
            if(bool_or(first_party), 'first party', 'median of hosts') AS price_basis
        FROM core.llm_price_current
        WHERE is_canonical AND leg = 'output' AND tier_min_tokens = 0 AND variant = 'standard'
            AND price_window IN ('always', 'peak')
        GROUP BY model
        """
    ).pl()
    return prices


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-")


def _base(question: Question, singles: pl.DataFrame) -> Row:
    """The base's accuracy with one sample. "aime" finds the AIME on which the base was measured."""
    known = sorted(singles["benchmark"].unique())
    fits = [name for name in known if name.startswith(question.benchmark)]
    if not fits:
        raise AllocationError(f"unknown benchmark {question.benchmark}; known are {', '.join(known)}")
    here = singles.filter(pl.col("benchmark").is_in(fits)).unique(["benchmark", "system"], maintain_order=True)
    rows = [row for row in here.to_dicts() if _slug(question.base) in (_slug(row["system"]), row["model"])]
    rows = [row for row in rows if row["benchmark"] == question.benchmark] or rows
    if not rows:
        bases = ", ".join(sorted({_slug(system) for system in here["system"]}))
        raise AllocationError(f"{question.base} is not measured on {', '.join(fits)}; bases there are {bases}")
    if len({row["benchmark"] for row in rows}) > 1:
        raise AllocationError(f"{question.benchmark} could be any of {', '.join(sorted({r['benchmark'] for r in rows}))}")
    return rows[0]


def _price(question: Question, base: Row) -> tuple[float, str]:
    if question.usd_per_mtok is not None:
        return question.usd_per_mtok, "given"
    if base["output_usd_per_mtok"] is None:
        raise AllocationError(f"no price is known for {base['system']}: give --price, USD per million output tokens")
    return base["output_usd_per_mtok"], f"{base['model']} today, {base['price_basis']}"


def _tokens(question: Question, base: Row, tokens: pl.DataFrame, use: pl.DataFrame) -> tuple[float, str]:
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
        raise AllocationError(f"no answer length is known on {benchmark} (known on {known}): give --tokens")
    row = found.row(0, named=True)
    return row["value"], f"borrowed: {row['system']}, {row['locator']}"


def _verdicts(
    question: Question, base: Row, here: pl.DataFrame, arcs: pl.DataFrame, training: pl.DataFrame, each: float
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


def _flips(question: Question, base: Row, ranked: list[Choice], each: float) -> tuple[str, ...]:
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
    sampled = next((choice.option for choice in ranked if choice.option.channel == "sample"), None)
    best = ranked[0].option
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


def _notes(base: Row, best: Option | None, ranked: list[Choice]) -> tuple[str, ...]:
    notes = [f"{base['n']} questions: one of them is {100 / base['n']:.1f} points of accuracy"]
    channels = {choice.option.channel for choice in ranked}
    if "train" not in channels:
        notes.append(
            "train: no step is measured on this benchmark with this base's dollars; --training-usd borrows one where it is"
        )
    if "sample" not in channels:
        notes.append("sample: no curve on this benchmark starts at one sample")
    if "buy" not in channels:
        notes.append("buy: no better model on this benchmark has a price today")
    if best is None:
        notes.append("nothing that is measured here adds a correct answer")
    return tuple(notes)
