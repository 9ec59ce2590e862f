"""Dollars per correct answer on every benchmark, run by run."""

import polars as pl

from figures.cost_per_correct import LINES, marked
from figures.exhibit import Control, Exhibit, Told, days, in_words, rounded, rows
from figures.style import looks, named_rows, number


def draw(*, cost_per_correct: pl.DataFrame, cost_per_correct_frontier: pl.DataFrame) -> Exhibit:
    """A row per benchmark, cheapest in the median first, and a mark per run."""
    runs = marked(cost_per_correct, cost_per_correct_frontier).drop_nulls("corrected_usd_per_correct")
    priced = rows(runs, of="run with a correct answer")
    middle = priced.with_columns(middle=pl.col("corrected_usd_per_correct").median().over("benchmark")).sort(
        "middle", "benchmark", "corrected_usd_per_correct"
    )
    ends = middle.group_by("benchmark", maintain_order=True).agg(pl.col("middle").first())
    x = number("corrected_usd_per_correct", "$ per correct answer", log=True, dollars=True)
    return Exhibit(
        finding=(
            f"A correct answer costs ${ends['middle'][0]:.2g} in the median run on {ends['benchmark'][0]} and "
            f"${ends['middle'][-1]:.2g} on {ends['benchmark'][-1]}, over {in_words(priced.height, 'run')}."
        ),
        as_of=f"Runs of {days(priced['as_of'])}; their own costs at the prices of their day.",
        uncertainty="The interval in a mark's words is that of the accuracy, carried into the cost; runs are not repeated.",
        rows=rounded(middle.drop("middle", "label")),
        chart={
            "height": {"step": 34},
            "mark": {"type": "point", "opacity": 0.7},
            "encoding": {"y": named_rows("benchmark"), "x": x, **looks("line", LINES)},
        },
        told=Told(
            name=("system", "benchmark"),
            value="corrected_usd_per_correct",
            source="paper",
            on="as_of",
            low="corrected_usd_per_correct_low",
            high="corrected_usd_per_correct_high",
            more=("configuration", "accuracy", "usd_per_task", "n", "version"),
        ),
        sql=(
            "SELECT benchmark, system, configuration, as_of, accuracy, usd_per_task, corrected_usd_per_correct, "
            "corrected_usd_per_correct_low, corrected_usd_per_correct_high, paper, version FROM marts.cost_per_correct "
            "WHERE NOT superseded AND basis = 'published' AND corrected_usd_per_correct IS NOT NULL AND usd_per_task > 0"
        ),
        rests_on=tuple(priced["paper"].unique().sort()),
        controls=(Control(column="benchmark", label="Benchmark", every="all benchmarks"),),
        log=("x",),
    )
