"""Ways to spend whose dollars were measured: runs with a bill on the same benchmark, public ones and the user's own."""

from functools import partial

import duckdb
import numpy as np
import polars as pl

from answers.allocate.options import Choice, Row, option_of, share_moved
from answers.allocate.record import BudgetQuestion
from economics.numeric.statistics import wilson_interval
from economics.test_time.allocation import share_upgraded
from economics.units import Array

BY_RULE = ("feedback", "coverage")
"""Attempts that the benchmark's own rule grants."""
SEVERAL_ATTEMPTS = ("arc_agi_1_semi_private", "arc_agi_2_semi_private", "arc_agi_1_public")
"""Benchmarks whose own rule counts an item as right if any of two attempts is: there coverage is the answer."""


def measured_runs(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Runs with a bill that answer by themselves: coverage only where the benchmark's own rule takes several attempts."""
    runs: pl.DataFrame = connection.sql(
        """
        SELECT basis, benchmark, system, model, configuration, paper, version, locator, as_of, selection, samples, n, accuracy,
            accuracy_low, accuracy_high, usd_per_task, output_tokens_per_question
        FROM marts.cost_per_correct WHERE NOT superseded
        """
    ).pl()
    return runs.filter((pl.col("selection") != "coverage") | pl.col("benchmark").is_in(SEVERAL_ATTEMPTS))


def base_run(base: Row, runs: pl.DataFrame) -> Row | None:
    """The base's own run with a bill, the user's before a public one, and of those the newest; None where it has none."""
    same = pl.col("system") == base["system"]
    if base.get("model"):
        same = same | (pl.col("model") == base["model"])
    found = runs.filter(pl.col("benchmark") == base["benchmark"], same, pl.col("samples").fill_null(1) <= 2)
    ordered = found.sort(pl.col("basis") == "own", pl.col("system") == base["system"], "as_of", descending=True)
    return ordered.row(0, named=True) if ordered.height else None


def measured_options(question: BudgetQuestion, base: Row, runs: pl.DataFrame, each: float) -> list[Choice]:
    """Each better run with a bill of its own on the benchmark, for as many questions as the budget moves."""
    start = base["value"] / 100.0
    better = runs.filter(pl.col("benchmark") == base["benchmark"], pl.col("accuracy") > start).sort(
        pl.col("basis") == "own", "accuracy", descending=True
    )
    best_of = better.unique(["system", "configuration"], keep="first", maintain_order=True)
    choices = []
    for row in best_of.to_dicts():
        ratio = row["usd_per_task"] / each
        moved = partial(share_moved, ratio=ratio)
        part = float(moved(np.asarray(question.budget_usd), np.asarray(question.queries), np.asarray(each)))
        low, high = (float(end) for end in wilson_interval(successes=row["accuracy"] * row["n"], trials=row["n"]))
        reached, worst, most = (start + part * (end - start) for end in (row["accuracy"], low, high))
        is_same = row["system"] == base["system"] or (row["model"] is not None and row["model"] == base.get("model"))
        whose = "your own run" if row["basis"] == "own" else f"{row['paper']}, {row['as_of']:%B %Y}"
        option = option_of(
            question,
            base,
            each,
            spend=part * question.queries * (ratio - 1.0) * each,
            n=row["n"],
            channel="sample" if is_same and (row["samples"] or 1) > 1 else "buy",
            borrowed=False,
            borrows=(),
            reached=(reached, worst, most),
            what=f"{row['system']} for {part:.0%} of questions{_chosen(row)}",
            evidence=f"measured: {100 * row['accuracy']:.1f} % ({100 * low:.0f} to {100 * high:.0f}), n {row['n']}, "
            f"${row['usd_per_task']:.3g} a question ({whose})",
        )
        gain = row["accuracy"] - start
        choices.append(Choice(option=option, extra=partial(_fixed, gain=gain, bill=row["usd_per_task"])))
    return choices


def _chosen(row: Row) -> str:
    """How the answer is chosen from samples, where that is not the benchmark's own rule."""
    several = (row["samples"] or 1) > 1 and row["selection"] not in BY_RULE
    return f", {row['samples']} samples by {row['selection']}" if several else ""


def _fixed(budget: Array, queries: Array, price: Array, *, gain: float, bill: float) -> Array:
    """Correct answers added where the other's bill stays what was measured, whatever the base's costs."""
    extra_bill = bill - np.asarray(price)
    share = share_upgraded(budget_usd=budget, queries=queries, extra_usd_per_query=extra_bill)
    return np.asarray(np.asarray(queries) * share * gain)
