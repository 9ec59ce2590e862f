"""What a correct answer costs: every system with a measured accuracy and a cost, and those that no other beats."""

import polars as pl

from assets.documents import parse_all, source_asset
from assets.frames import floats, nullable, under_contract
from assets.prices.run_models import reasons, with_model
from economics.numeric.pareto import non_dominated
from economics.numeric.statistics import wilson_interval
from economics.test_time.cost_per_correct import cost_per_correct_from_bill_usd
from schemas.quarantine import Parsed
from schemas.test_time import cost_per_correct as contract
from schemas.test_time.own_evaluation import OwnEvaluation
from sources.source import Snapshot
from sources.test_time.aider_polyglot import parse_runs
from sources.test_time.arc_prize import TASKS, parse_board
from sources.test_time.figures import parse_figures
from sources.test_time.own_evaluations import kept_evaluations, table_of
from warehouse.resources import DataFolder
from warehouse.table import table

GROUP = "inference_frontier"

aider_polyglot = source_asset("aider_polyglot", accept=parse_runs, group=GROUP)
arc_prize = source_asset("arc_prize", accept=parse_board, group=GROUP)
test_time_documents = source_asset("test_time_documents", accept=parse_figures, group=GROUP)


@table(schema=contract.AiderRun, group=GROUP)
def aider_run(aider_polyglot: list[Snapshot]) -> Parsed:
    """The leaderboard as Aider publishes it."""
    return parse_all(aider_polyglot, parse_runs, contract.AiderRun)


@table(schema=contract.ArcEvaluation, group=GROUP)
def arc_evaluation(arc_prize: list[Snapshot]) -> Parsed:
    """The boards as ARC Prize publishes them."""
    return parse_all(arc_prize, parse_board, contract.ArcEvaluation)


@table(schema=contract.TestTimeFigure, group=GROUP)
def test_time_figure(test_time_documents: list[Snapshot]) -> Parsed:
    """Every transcribed figure with its place and status."""
    return parse_all(test_time_documents, parse_figures, contract.TestTimeFigure)


@table(schema=OwnEvaluation, group=GROUP, may_be_empty=True)
def own_evaluation(data: DataFolder) -> pl.DataFrame:
    """What `iecon correct --keep` kept; a file of it that can no longer be read is left out."""
    kept, _ = kept_evaluations(data.path)
    return table_of(kept)


@table(schema=contract.MeasuredRun, group=GROUP)
def measured_run(
    aider_run: pl.DataFrame, arc_evaluation: pl.DataFrame, test_time_figure: pl.DataFrame, own_evaluation: pl.DataFrame
) -> pl.DataFrame:
    """Every system with accuracy, number of questions and cost."""
    parts = [aider_costs(aider_run), arc_costs(arc_evaluation), published_costs(test_time_figure)]
    published = pl.concat(parts, how="diagonal_relaxed").with_columns(basis=pl.lit("published"))
    runs = pl.concat([published, own_costs(own_evaluation)], how="diagonal_relaxed")
    return under_contract(contract.MeasuredRun, runs).sort("benchmark", "system", "configuration", "version")


@table(schema=contract.CostPerCorrect, group=GROUP)
def cost_per_correct(measured_run: pl.DataFrame, model: pl.DataFrame, reasoning_factor: pl.DataFrame) -> pl.DataFrame:
    """Every measured run with its interval and the cost of a correct answer."""
    runs = with_multiplier_in_use(with_multiplier(measured_run, model), reasoning_factor)
    n, bill, right = (floats(runs, name) for name in ("n", "total_cost_usd", "accuracy"))
    low, high = wilson_interval(successes=right * n, trials=n)
    cost, cheap, dear = (
        cost_per_correct_from_bill_usd(bill_usd=bill, questions=n, correct_rate=share) for share in (right, high, low)
    )
    return under_contract(
        contract.CostPerCorrect,
        runs.with_columns(
            accuracy_low=pl.Series(low),
            accuracy_high=pl.Series(high),
            usd_per_task=pl.col("total_cost_usd") / pl.col("n"),
            corrected_usd_per_correct=nullable(cost),
            corrected_usd_per_correct_low=_own_or("corrected_usd_per_correct_low", nullable(cheap)),
            corrected_usd_per_correct_high=_own_or("corrected_usd_per_correct_high", nullable(dear)),
        ),
    ).sort("benchmark", "corrected_usd_per_correct")


@table(schema=contract.CostPerCorrectFrontier, group=GROUP)
def cost_per_correct_frontier(cost_per_correct: pl.DataFrame) -> pl.DataFrame:
    """The frontier of every benchmark on every day on which one of its systems ran."""
    standing = cost_per_correct.filter(~pl.col("superseded"))
    days = standing.select("basis", "benchmark", frontier_on="as_of").unique()
    until = days.join(standing, on=["basis", "benchmark"]).filter(pl.col("as_of") <= pl.col("frontier_on"))
    frames = until.select(pl.struct("basis", "benchmark", "frontier_on").rank("dense")).to_series().to_numpy()
    on_frontier = non_dominated(until.select("usd_per_task", -pl.col("accuracy")).to_numpy(), within=frames)
    kept = until.filter(pl.Series(on_frontier))
    return under_contract(contract.CostPerCorrectFrontier, kept).sort("benchmark", "frontier_on", "usd_per_task")


def _own_or(own: str, published: pl.Series) -> pl.Expr:
    """The measured end of an own run's interval, which may have none; else that of the accuracy's."""
    return pl.when(pl.col("basis") == "own").then(own).otherwise(published)


def own_costs(own_evaluation: pl.DataFrame) -> pl.DataFrame:
    """Own runs with a known cost and a right answer's chance. `own_evaluation`: contract `OwnEvaluation`."""
    costed = own_evaluation.filter(pl.col("usd_per_item").is_not_null())
    return costed.select(
        "benchmark",
        "accuracy",
        "samples",
        basis=pl.lit("own"),
        system="model",
        configuration=pl.format("{}, {} samples, {}", "selection", "samples", "format"),
        paper=pl.lit("own"),
        version="evaluation_id",
        locator="files",
        status=pl.lit("derived"),
        as_of=pl.coalesce("run_on", "kept_on"),
        as_of_basis=pl.when(pl.col("run_on").is_null()).then(pl.lit("kept_day")).otherwise(pl.lit("run")),
        selection=pl.col("selection").replace({"selector": "selected"}),
        n="items",
        total_cost_usd=pl.col("usd_per_item") * pl.col("items"),
        cost_basis=pl.when(pl.col("usd_basis") == "stated").then(pl.lit("own_stated")).otherwise(pl.lit("own_price")),
        output_tokens_per_question=pl.col("output_tokens_per_attempt") * pl.col("samples"),
        corrected_usd_per_correct_low=pl.when(pl.col("usd_per_correct_low") > 0.0).then("usd_per_correct_low"),
        corrected_usd_per_correct_high="usd_per_correct_high",
        superseded=pl.lit(False),
    )


def aider_costs(aider_run: pl.DataFrame) -> pl.DataFrame:
    """Runs of the leaderboard with a cost. `aider_run`: contract `AiderRun`."""
    return aider_run.filter(pl.col("total_cost_usd").is_not_null()).select(
        "total_cost_usd",
        benchmark=pl.lit("aider_polyglot"),
        system="model",
        configuration="dirname",
        paper=pl.lit("aider_polyglot"),
        version=pl.coalesce("versions", "commit_hash", pl.lit("not stated")),
        locator=pl.lit("polyglot_leaderboard.yml"),
        status=pl.lit("printed"),
        as_of="run_on",
        as_of_basis=pl.lit("run"),
        selection=pl.lit("feedback"),
        samples=pl.lit(2, pl.Int64),
        n="total_tests",
        accuracy=pl.col("pass_num_2") / pl.col("total_tests"),
        output_tokens_per_question=pl.col("completion_tokens") / pl.coalesce("test_cases", "total_tests"),
        cost_basis=pl.lit("stated_total"),
        superseded=pl.lit(False),
    )


def arc_costs(arc_evaluation: pl.DataFrame) -> pl.DataFrame:
    """Rows that the boards of ARC-AGI-1 and 2 show with a cost. `arc_evaluation`: contract `ArcEvaluation`."""
    shown = arc_evaluation.filter(
        pl.col("is_shown"),
        pl.col("usd_per_task").is_not_null(),
        pl.col("board").is_in(list(TASKS)),
        pl.col("dataset") == pl.format("{}_Semi_Private", "board"),
    )
    tasks = pl.col("board").replace_strict(TASKS, return_dtype=pl.Int64)
    return shown.select(
        benchmark=pl.format("arc_agi_{}_semi_private", pl.col("board").str.slice(1)),
        system="model_name",
        configuration="model_id",
        paper=pl.lit("arc_prize"),
        version=pl.format("board of {}", "generated_on"),
        locator=pl.format("leaderboard/{}.json", "board"),
        status=pl.lit("printed"),
        as_of=pl.coalesce("model_released_on", "generated_on"),
        as_of_basis=pl.when(pl.col("model_released_on").is_not_null())
        .then(pl.lit("model_release"))
        .otherwise(pl.lit("board_day")),
        selection=pl.lit("coverage"),
        samples=pl.lit(2, pl.Int64),
        n=tasks,
        accuracy="score",
        total_cost_usd=pl.col("usd_per_task") * tasks,
        cost_basis=pl.lit("stated_per_task"),
        superseded=pl.lit(False),
    )


def with_multiplier(runs: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """Add the canonical model of each run, and its R with what it rests on. `models`: contract `Model`.

    A run without reasoning writes its answer alone, so its R is 1. Such runs tell how long answers are on a benchmark.
    """
    known = with_model(runs, source="paper", name="system").join(
        models.select("model", "reasoning"), on="model", how="left", maintain_order="left"
    )
    tokens, thinks = pl.col("output_tokens_per_question"), reasons("system", pl.col("reasoning"))
    answers = tokens.filter(thinks.not_())
    ratio = tokens / answers.median().over("benchmark")
    estimated = thinks & (ratio >= 1.0)

    def multiplier(answer_tokens: pl.Expr) -> pl.Expr:
        return pl.when(estimated).then(tokens / answer_tokens.over("benchmark")).when(thinks.not_()).then(1.0)

    return known.with_columns(
        reasoning_multiplier=multiplier(answers.median()),
        reasoning_multiplier_low=multiplier(answers.max()),
        reasoning_multiplier_high=multiplier(answers.min()),
        reasoning_multiplier_n=pl.when(estimated).then(answers.count().over("benchmark")),
        reasoning_multiplier_basis=pl.when(estimated)
        .then(pl.lit("against_runs_without_reasoning"))
        .when(thinks.not_())
        .then(pl.lit("by_definition")),
    )


def with_multiplier_in_use(runs: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
    """Fill R where a run tells none, from the model's busiest month of use. `factors`: contract `ReasoningFactor`."""
    ends = {"": "reasoning_factor", "_low": "reasoning_factor_low", "_high": "reasoning_factor_high", "_n": "rows_in_spread"}
    newest = factors.sort("requests", descending=True).unique("model", keep="first", maintain_order=True)
    used = newest.select("model", **{f"used{end}": name for end, name in ends.items()})
    joined = runs.join(used, on="model", how="left", maintain_order="left")
    fills = pl.col("reasoning_multiplier").is_null() & pl.col("used").is_not_null()
    return joined.with_columns(
        *(
            pl.when(fills).then(f"used{end}").otherwise(f"reasoning_multiplier{end}").alias(f"reasoning_multiplier{end}")
            for end in ends
        ),
        reasoning_multiplier_basis=pl.when(fills).then(pl.lit("in_use")).otherwise("reasoning_multiplier_basis"),
    ).drop(f"used{end}" for end in ends)


def published_costs(figures: pl.DataFrame) -> pl.DataFrame:
    """Systems in documents that state accuracy, questions and a cost. `figures`: contract `TestTimeFigure`.

    Where two versions of a document state it, all but the last one in the document are superseded.
    """
    key = ["paper", "version", "benchmark", "system", "selection", "samples"]
    metrics = ["accuracy", "total_cost_usd", "usd_per_task_stated", "usd_per_correct_stated"]
    measured = figures.filter(pl.col("metric").is_in(metrics), pl.col("n").is_not_null()).with_row_index("row")
    wide = measured.group_by(key, maintain_order=True).agg(
        pl.col("row", "n", "as_of").first(),
        pl.col("locator", "status").filter(pl.col("metric") == "accuracy").first(),
        *(pl.col("value").filter(pl.col("metric") == name).first().alias(name) for name in metrics),
    )
    stated = pl.col("total_cost_usd").is_not_null()
    costed = wide.with_columns(
        total_cost_usd=pl.coalesce("total_cost_usd", pl.col("usd_per_task_stated") * pl.col("n")),
        cost_basis=pl.when(stated).then(pl.lit("stated_total")).otherwise(pl.lit("stated_per_task")),
        superseded=pl.col("row") < pl.col("row").max().over([name for name in key if name != "version"]),
    ).drop_nulls(["accuracy", "total_cost_usd"])
    return costed.with_columns(
        accuracy=pl.col("accuracy") / 100.0,
        configuration=pl.concat_str("selection", pl.format("{} samples", "samples"), separator=", ", ignore_nulls=True),
        output_tokens_per_question=pl.lit(None, pl.Float64),
        as_of_basis=pl.lit("document_month"),
    ).rename({"usd_per_correct_stated": "stated_usd_per_correct"})
