"""What a correct answer costs: accuracy against cost of each measured run, with the runs that no other beats."""

import polars as pl

from figures.exhibit import Control, Exhibit, Told, days, in_words, rounded, rows
from figures.labels import spread
from figures.style import BLUE, PALE, interval, looks, names, number

AXES = ["benchmark", "system", "configuration", "paper", "version"]
ON, BEATEN = "on the frontier", "beaten by another run"
LINES = {ON: BLUE, BEATEN: PALE}


def draw(*, cost_per_correct: pl.DataFrame, cost_per_correct_frontier: pl.DataFrame) -> Exhibit:
    """Dollars per task across, right answers upwards, one benchmark at a time, with the frontier as a staircase."""
    runs = marked(cost_per_correct, cost_per_correct_frontier)
    priced = rows(runs.drop_nulls("corrected_usd_per_correct"), of="run with a correct answer")
    largest = priced["benchmark"].value_counts(sort=True).sort("count", "benchmark", descending=[True, False])["benchmark"][0]
    main = runs.filter(benchmark=largest)
    ends = priced.filter(benchmark=largest)
    cheapest = ends.sort("corrected_usd_per_correct").row(0, named=True)
    best = ends.sort("accuracy").row(-1, named=True)
    x = number("usd_per_task", "$ per task, answered or not", log=True, dollars=True)
    x["scale"] |= {"padding": 45}  # pixels, for the names of the dearest
    y = number("accuracy", "right answers", share=True, zero=True)
    return Exhibit(
        finding=(
            f"On {largest} ({in_words(main.height, 'run')}, {main.filter(line=ON).height} on the frontier) a correct "
            f"answer costs from ${cheapest['corrected_usd_per_correct']:.2g} ({cheapest['system']}, "
            f"{cheapest['accuracy']:.0%} right) to "
            f"${best['corrected_usd_per_correct']:.2g} for the most accurate ({best['system']}, {best['accuracy']:.0%})."
        ),
        as_of=f"Runs of {days(runs['as_of'])}; their own costs at the prices of their day.",
        uncertainty=(
            "Bars: 95 % Wilson interval of the accuracy over the questions of the benchmark. The cost of a run has no "
            "interval: runs are not repeated."
        ),
        rows=rounded(runs),
        chart={
            "height": 400,
            "encoding": {"x": x},
            "layer": [
                interval("accuracy_low", "accuracy_high", along="y", color=looks("line", LINES)["color"]),
                {
                    "transform": [{"filter": {"field": "line", "equal": ON}}],
                    "mark": {"type": "line", "interpolate": "step-after", "color": BLUE},
                    "encoding": {"y": y},
                },
                {"mark": {"type": "point"}, "encoding": {"y": y, **looks("line", LINES)}},
                names("label", y=y),
            ],
        },
        told=Told(
            name=("system", "configuration"),
            value="accuracy",
            source="paper",
            on="as_of",
            low="accuracy_low",
            high="accuracy_high",
            more=("usd_per_task", "corrected_usd_per_correct", "n", "line", "version"),
        ),
        sql=(
            f"SELECT {', '.join(COLUMNS)} FROM marts.cost_per_correct WHERE NOT superseded AND basis = 'published' "
            "AND usd_per_task > 0"
        ),
        rests_on=tuple(runs["paper"].unique().sort()),
        controls=(Control(column="benchmark", label="Benchmark", start=largest),),
        log=("x",),
    )


COLUMNS = (
    "benchmark",
    "system",
    "configuration",
    "as_of",
    "n",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "usd_per_task",
    "corrected_usd_per_correct",
    "corrected_usd_per_correct_low",
    "corrected_usd_per_correct_high",
    "paper",
    "version",
)


def marked(runs: pl.DataFrame, frontier: pl.DataFrame) -> pl.DataFrame:
    """Published runs that stand, with `line` that says whether each is on the newest frontier of its benchmark."""
    known = rows(
        runs.filter(~pl.col("superseded"), pl.col("basis") == "published", pl.col("usd_per_task") > 0),
        of="run with an accuracy and a cost",
    )
    newest = frontier.filter(pl.col("basis") == "published").filter(
        pl.col("frontier_on") == pl.col("frontier_on").max().over("benchmark")
    )
    placed = (
        known.join(newest.select(*AXES, is_on=pl.lit(True)), on=AXES, how="left", nulls_equal=True, maintain_order="left")
        .with_columns(line=pl.when("is_on").then(pl.lit(ON)).otherwise(pl.lit(BEATEN)))
        .sort("benchmark", "usd_per_task")
        .select(*COLUMNS, "line", logged=pl.col("usd_per_task").log())
    )
    return spread(placed, x="logged", y="accuracy", name="system", within=("benchmark",), only=pl.col("line") == ON).drop(
        "logged"
    )
