"""What a correct answer costs: accuracy against cost of each measured run, with the runs that no other beats."""

import polars as pl
from matplotlib.axes import Axes

from figures.exhibit import Exhibit, days, in_words, rows, span
from figures.style import BLUE, GREY, SERIES, decades, house_style, label_points, log_axis, sheet

AXES = ["benchmark", "system", "configuration", "paper", "version"]


def draw(*, cost_per_correct: pl.DataFrame, cost_per_correct_frontier: pl.DataFrame) -> Exhibit:
    """Left the benchmark with most runs and its frontier, right the cost of a correct answer on every benchmark."""
    runs = rows(
        cost_per_correct.filter(~pl.col("superseded"), pl.col("basis") == "published"), of="run with an accuracy and a cost"
    )
    newest = cost_per_correct_frontier.filter(pl.col("basis") == "published").filter(
        pl.col("frontier_on") == pl.col("frontier_on").max().over("benchmark")
    )
    marked = runs.join(newest.select(AXES), on=AXES, how="left", nulls_equal=True, maintain_order="left").with_columns(
        on_frontier=pl.struct(AXES).is_in(newest.select(pl.struct(AXES)).to_series().implode())
    )
    priced = rows(marked.drop_nulls("corrected_usd_per_correct"), of="run with a correct answer")
    largest = priced["benchmark"].value_counts(sort=True)["benchmark"][0]
    main = marked.filter(benchmark=largest)
    with house_style():
        picture = sheet(4.3)
        left, right = picture.subplots(1, 2, width_ratios=(1.3, 1))
        _field(left, main, largest)
        _by_benchmark(right, priced)
    frontier = main.filter("on_frontier").sort("corrected_usd_per_correct")
    cheapest, best = _ends(main)
    return Exhibit(
        finding=(
            f"On {largest} ({in_words(main.height, 'run')}, {frontier.height} on the frontier) a correct answer costs from "
            f"${cheapest['corrected_usd_per_correct']:.2g} ({cheapest['system']}, {cheapest['accuracy']:.0%} right) to "
            f"${best['corrected_usd_per_correct']:.2g} for the most accurate ({best['system']}, {best['accuracy']:.0%})."
        ),
        alt=(
            f"Left: accuracy against dollars per task on {largest}, {main.height} runs with intervals and the frontier as a "
            "staircase. Right: dollars per correct answer on a logarithmic axis, a row per benchmark, a mark per run."
        ),
        as_of=f"Runs of {days(runs['as_of'])}; their own costs at the prices of their day.",
        uncertainty=(
            "Bars: 95 % Wilson interval of the accuracy over the questions of the benchmark, carried into the cost on the "
            "right. The cost of a run has no interval: runs are not repeated."
        ),
        numbers=marked.sort("benchmark", "usd_per_task")
        .select(
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
            "on_frontier",
        )
        .with_columns(pl.selectors.float().round_sig_figs(4)),
        picture=picture,
    )


def _ends(runs: pl.DataFrame) -> tuple[dict[str, object], dict[str, object]]:
    """The run whose correct answer is cheapest, and the most accurate one."""
    priced = runs.drop_nulls("corrected_usd_per_correct")
    return priced.sort("corrected_usd_per_correct").row(0, named=True), priced.sort("accuracy").row(-1, named=True)


def _field(axes: Axes, runs: pl.DataFrame, benchmark: str) -> None:
    for part, colour, face, label in (
        (runs.filter(~pl.col("on_frontier")), GREY, "white", "beaten by another run"),
        (runs.filter("on_frontier"), BLUE, BLUE, "on the frontier"),
    ):
        share = part["accuracy"]
        axes.errorbar(
            part["usd_per_task"],
            100 * share,
            yerr=[100 * (share - part["accuracy_low"]), 100 * (part["accuracy_high"] - share)],
            fmt="o",
            color=colour,
            markerfacecolor=face,
            markersize=4,
            elinewidth=0.7,
            alpha=1 if face == BLUE else 0.6,
            label=label,
        )
    frontier = runs.filter("on_frontier").sort("usd_per_task")
    axes.step(frontier["usd_per_task"], 100 * frontier["accuracy"], where="post", color=BLUE)
    low, high = span(runs["usd_per_task"])
    log_axis(axes, "x", decades(low / 2, high * 1.5, (1,)), "${:g}")
    axes.set_xlim(low / 25, high * 1.6)
    axes.set_ylim(0, 100)
    best_first = frontier.sort("accuracy", descending=True)
    label_points(axes, best_first.select("usd_per_task", 100 * pl.col("accuracy"), "system").rows(), right=False)
    axes.set_xlabel("$ per task, answered or not")
    axes.set_ylabel("right answers, %")
    axes.set_title(benchmark)
    axes.legend(loc="lower right")


def _by_benchmark(axes: Axes, priced: pl.DataFrame) -> None:
    names = (
        priced.group_by("benchmark")
        .agg(pl.col("corrected_usd_per_correct").median())
        .sort("corrected_usd_per_correct")["benchmark"]
        .to_list()
    )
    for place, (name, (colour, marker, _)) in enumerate(zip(names, SERIES, strict=False)):
        part = priced.filter(benchmark=name).sort("corrected_usd_per_correct")
        cost = part["corrected_usd_per_correct"]
        heights = [place + (0.5 if part.height < 2 else index / (part.height - 1)) * 0.6 - 0.3 for index in range(part.height)]
        low = part["corrected_usd_per_correct_low"].fill_null(cost)
        high = part["corrected_usd_per_correct_high"].fill_null(cost)
        axes.errorbar(
            cost,
            heights,
            xerr=[(cost - low).clip(0), (high - cost).clip(0)],
            fmt=marker,
            color=colour,
            markersize=4,
            elinewidth=0.7,
        )
    least, most = span(priced["corrected_usd_per_correct"])
    log_axis(axes, "x", decades(least / 2, most * 2), "${:g}")
    axes.set_xlim(least / 2, most * 2)
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("$ per correct answer")
    axes.set_title("Every benchmark")
