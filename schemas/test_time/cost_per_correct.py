"""Contracts of what a correct answer costs: transcribed figures, leaderboard runs, measured runs and their frontier."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, carried_from, column
from schemas.status import BELIEVED, STATUS_MEANING

SELECTIONS = ("single", "vote", "search", "revisions", "vote_or_reward_model", "coverage", "selected", "feedback")
SELECTION_MEANING = (
    "how the counted answer was chosen: single: one sample; vote: most frequent; search: guided by a reward model; revisions: "
    "a model corrects itself; vote_or_reward_model; coverage: any sample is right, as the tests know; selected: the system's "
    "own choice; feedback: a second try that sees the test output; penalty_<p>: wrong answers cost p right ones"
)
DAY_BASES = ("run", "document_month", "model_release", "board_day", "kept_day")
DAY_BASIS_MEANING = (
    "what the day is; model_release: that of the model, as the leaderboard does not date its runs, so the run is no older; "
    "board_day: on which the leaderboard was made; kept_day: on which a user kept an own run whose log has no day"
)
MULTIPLIER_BASES = ("by_definition", "against_runs_without_reasoning", "in_use")
COST_BASES = ("stated_total", "stated_per_task", "own_stated", "own_price")
COST_BASIS_MEANING = (
    "stated_total: the cost of the run is stated; stated_per_task: computed from a stated cost per question; own_stated: as a "
    "user's own log states it; own_price: tokens of a user's own log by their dated price, in part or in whole"
)
BASES = ("published", "own")
BASIS_MEANING = "published: from a leaderboard or document; own: from a user's own evaluation logs"


class TestTimeFigure(Table):
    """Every transcribed figure on inference-time compute, one row per figure and version of its document."""

    __test__ = False
    paper: str = column("document the figure is from")
    figure: str = column("name of the figure within the document", str_matches=r"^[a-z0-9_]+$")
    version: str = column("version of the document; where versions disagree each is its own row")
    locator: str = column("table, figure or section", str_length={"min_value": 1})
    status: str = column(STATUS_MEANING, isin=BELIEVED)
    as_of: pl.Date = column("month of the document, as its first day")
    benchmark: str = column("benchmark, in small letters", nullable=True)
    n: pl.Int64 = column("questions of the benchmark; NULL where not known", unit="questions", nullable=True, ge=1)
    system: str = column("system that was measured")
    curve: str = column("figures of one curve differ in samples only; NULL for single points", nullable=True)
    selection: str = column(SELECTION_MEANING, nullable=True)
    samples: pl.Int64 = column("samples per question", unit="samples", nullable=True, ge=1)
    metric: str = column("what was measured", str_matches=r"^[a-z0-9_]+$")
    value: float = column("the figure as printed")
    unit: str = column("unit of the figure")
    note: str = column("what to know first", nullable=True)
    source: str = column("source of the transcription")

    class Config:
        name = "raw.test_time_figure"
        unique = ["paper", "figure"]


class AiderRun(Table):
    """Runs of the Aider polyglot benchmark: 225 coding exercises, two tries each, the second sees the test output."""

    dirname: str = column("name of the run, unique")
    model: str = column("model and setting, as Aider names them")
    edit_format: str = column("how the model hands in its edits", nullable=True)
    reasoning_effort: str = column("reasoning effort asked for", nullable=True)
    editor_model: str = column("second model that writes the edits", nullable=True)
    commit_hash: str = column("version of Aider", nullable=True)
    versions: str = column("release of Aider", nullable=True)
    total_tests: pl.Int64 = column("exercises of the benchmark; the printed rates divide by it", unit="questions", ge=1)
    test_cases: pl.Int64 = column("exercises that ran", unit="questions", nullable=True, ge=1)
    pass_num_1: pl.Int64 = column("exercises solved in the first try", unit="questions", ge=0)
    pass_num_2: pl.Int64 = column("exercises solved in one or two tries", unit="questions", ge=0)
    thinking_tokens: pl.Int64 = column("budget of reasoning tokens", unit="tokens", nullable=True, ge=0)
    prompt_tokens: pl.Int64 = column("input tokens of the run", unit="tokens", nullable=True, ge=1)
    completion_tokens: pl.Int64 = column("output tokens of the run, reasoning included", unit="tokens", nullable=True, ge=1)
    run_on: pl.Date = column("day of the run")
    total_cost_usd: float = column(
        "cost of the run; NULL where unknown, which the document writes as 0", unit="usd", nullable=True, gt=0
    )
    seconds_per_case: float = column("mean time of an exercise", unit="s", nullable=True, gt=0)
    source: str = column("source of the runs")

    @pa.dataframe_check(description="a second try never loses a solved exercise, and none is solved that is not there")
    def passes_are_ordered(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(
            (pl.col("pass_num_1") <= pl.col("pass_num_2")) & (pl.col("pass_num_2") <= pl.col("total_tests"))
        )

    class Config:
        name = "raw.aider_run"
        unique = ["dirname"]


class ArcEvaluation(Table):
    """Rows of ARC Prize's leaderboard, one board per version of ARC-AGI, those it does not show included."""

    board: str = column("v1, v2 or v3: the version of ARC-AGI")
    dataset: str = column("set of tasks; boards show the semi-private one")
    model_id: str = column("row of the board, unique in its set: model, date and effort")
    model_name: str = column("model and setting, as the board shows them")
    model_type: str = column("CoT, Base LLM, Custom, Refinement, ...", nullable=True)
    provider: str = column("who made it; Human for the panel", nullable=True)
    model_released_on: pl.Date = column(
        "release of the model; NULL where not told, or where a contest entry is dated outside its contest",
        nullable=True,
    )
    score: float = column("share of tasks solved in two attempts (v1, v2); efficiency at games (v3)", ge=0, le=1)
    usd_per_task: float = column(
        "cost per task; NULL where unknown, which the document writes as 0", unit="usd", nullable=True, gt=0
    )
    total_cost_usd: float = column("cost of the run (v3)", unit="usd", nullable=True, gt=0)
    is_shown: bool = column("the board shows the row")
    generated_on: pl.Date = column("day on which the board was made")
    source: str = column("source of the rows")

    class Config:
        name = "raw.arc_evaluation"
        unique = ["dataset", "model_id"]


class MeasuredRun(Table):
    """Every measured system with an accuracy, a number of questions and a cost: leaderboards, documents, your own runs."""

    basis: str = column(BASIS_MEANING, isin=BASES)
    benchmark: str = column(
        "benchmark that was answered", derived_from=("test_time_figure.benchmark", "own_evaluation.benchmark")
    )
    system: str = column(
        "system that answered",
        derived_from=("aider_run.model", "test_time_figure.system", "arc_evaluation.model_name", "own_evaluation.model"),
    )
    configuration: str = column(
        "run, or selection and samples, that tells two measurements of a system apart",
        derived_from=(
            "aider_run.dirname",
            "test_time_figure.selection",
            "test_time_figure.samples",
            "arc_evaluation.model_id",
            "own_evaluation.evaluation_id",
        ),
    )
    paper: str = column("document or leaderboard", derived_from=("aider_run.source", "test_time_figure.paper"))
    version: str = column("version of the document", derived_from=("aider_run.versions", "test_time_figure.version"))
    locator: str = column("place in the document")
    status: str = column(STATUS_MEANING, isin=BELIEVED)
    as_of: pl.Date = column(
        "day of the run, else what `as_of_basis` says",
        derived_from=(
            "aider_run.run_on",
            "test_time_figure.as_of",
            "arc_evaluation.model_released_on",
            "own_evaluation.run_on",
            "own_evaluation.kept_on",
        ),
    )
    as_of_basis: str = column(DAY_BASIS_MEANING, isin=DAY_BASES)
    selection: str = column(SELECTION_MEANING, isin=SELECTIONS)
    samples: pl.Int64 = column("samples or tries per question, at most; NULL where not told", unit="samples", nullable=True)
    n: pl.Int64 = column(
        "questions",
        unit="questions",
        ge=1,
        derived_from=("aider_run.total_tests", "test_time_figure.n", "own_evaluation.items"),
    )
    accuracy: float = column(
        "share of questions answered correctly, as the benchmark's grader counts",
        ge=0,
        le=1,
        derived_from=("aider_run.pass_num_2", "test_time_figure.value", "arc_evaluation.score", "own_evaluation.accuracy"),
    )
    total_cost_usd: float = column(
        "cost of the run",
        unit="usd",
        gt=0,
        derived_from=(
            "aider_run.total_cost_usd",
            "test_time_figure.value",
            "arc_evaluation.usd_per_task",
            "own_evaluation.usd_per_item",
        ),
    )
    cost_basis: str = column(COST_BASIS_MEANING, isin=COST_BASES)
    output_tokens_per_question: float = column(
        "billed output tokens per question, reasoning included; NULL where not told",
        unit="tokens",
        nullable=True,
        gt=0,
        derived_from=("aider_run.completion_tokens", "aider_run.test_cases"),
    )
    stated_usd_per_correct: float = column(
        "cost per correct answer as the document prints it",
        unit="usd",
        nullable=True,
        gt=0,
        derived_from=("test_time_figure.value",),
    )
    corrected_usd_per_correct_low: float = column(
        "lower end of the 95 % interval of an own run, over its items; NULL where that is 0",
        unit="usd",
        nullable=True,
        gt=0,
        derived_from=("own_evaluation.usd_per_correct_low",),
    )
    corrected_usd_per_correct_high: float = column(
        "upper end of the 95 % interval of an own run, over its items; NULL where it has none",
        unit="usd",
        nullable=True,
        gt=0,
        derived_from=("own_evaluation.usd_per_correct_high",),
    )
    superseded: bool = column("a later version of the same document restates the cost")

    class Config:
        name = "core.measured_run"
        metadata = carried_from("test_time_figure")
        unique = ["benchmark", "system", "configuration", "paper", "version"]


class _Measured(Table):
    """What every measured system with a cost shares."""

    basis: str = column(BASIS_MEANING, isin=BASES)
    benchmark: str = column("benchmark that was answered")
    system: str = column("system that answered")
    configuration: str = column("run, or selection and samples, that tells two measurements of a system apart")
    paper: str = column("document or leaderboard")
    version: str = column("version of the document")
    as_of: pl.Date = column("day of the run; for a document the first day of its month")
    n: pl.Int64 = column("questions", unit="questions", ge=1)
    accuracy: float = column("share of questions answered correctly, as the benchmark's grader counts", ge=0, le=1)
    accuracy_low: float = column("lower end of the 95 % Wilson interval over questions", ge=0, le=1)
    accuracy_high: float = column("upper end of the 95 % Wilson interval", ge=0, le=1)
    usd_per_task: float = column(
        "cost of the run per question, answered or not",
        unit="usd",
        gt=0,
        derived_from=("measured_run.total_cost_usd", "cost_per_correct.usd_per_task"),
    )
    corrected_usd_per_correct: float = column(
        "cost per correct answer, correct by the benchmark's own grader: bill / (questions x accuracy); NULL where nothing is",
        unit="usd",
        nullable=True,
        gt=0,
    )


class CostPerCorrect(_Measured):
    """Every system with a measured accuracy, a number of questions and a cost: what a correct answer cost."""

    as_of_basis: str = column(DAY_BASIS_MEANING, isin=DAY_BASES)
    model: str = column(
        "canonical model; NULL for pairs and for what is not known",
        nullable=True,
        derived_from=("measured_run.system", "model.model"),
    )
    locator: str = column("place in the document")
    status: str = column(STATUS_MEANING, isin=BELIEVED)
    selection: str = column(SELECTION_MEANING, isin=SELECTIONS)
    samples: pl.Int64 = column("samples or tries per question, at most; NULL where not told", unit="samples", nullable=True)
    total_cost_usd: float = column("cost of the run", unit="usd", gt=0)
    cost_basis: str = column(COST_BASIS_MEANING, isin=COST_BASES)
    output_tokens_per_question: float = column(
        "billed output tokens per question, reasoning included; NULL where not told", unit="tokens", nullable=True, gt=0
    )
    stated_usd_per_correct: float = column("cost per correct answer as the document prints it", unit="usd", nullable=True, gt=0)
    reasoning_multiplier: float = column(
        "R: billed output tokens over answer tokens; 1 by definition without reasoning, else against the median of such runs "
        "on the benchmark, whose output is answer alone; in_use: where neither is known, that of the model over all "
        "requests of one router, which are other questions; NULL where that is not known either",
        nullable=True,
        ge=1,
        derived_from=("measured_run.output_tokens_per_question", "model.reasoning", "reasoning_factor.reasoning_factor"),
    )
    reasoning_multiplier_low: float = column(
        "against the longest of those answers; in_use: the least over months and snapshots", nullable=True, gt=0
    )
    reasoning_multiplier_high: float = column("against the shortest of them; in_use: the greatest", nullable=True, gt=0)
    reasoning_multiplier_n: pl.Int64 = column(
        "runs whose answers it is measured against; in_use: months and snapshots", unit="runs", nullable=True, ge=1
    )
    reasoning_multiplier_basis: str = column("how R is known", nullable=True, isin=MULTIPLIER_BASES)
    corrected_usd_per_correct_low: float = column(
        "at the upper end of the accuracy's interval", unit="usd", nullable=True, gt=0
    )
    corrected_usd_per_correct_high: float = column(
        "at the lower end of the accuracy's interval; NULL where that is 0", unit="usd", nullable=True, gt=0
    )
    superseded: bool = column("a later version of the same document restates the cost")

    class Config:
        name = "marts.cost_per_correct"
        metadata = carried_from("measured_run")
        unique = ["benchmark", "system", "configuration", "paper", "version"]


class CostPerCorrectFrontier(_Measured):
    """Systems that no other beats in accuracy and $ per task on their benchmark, as the field stood on each day of a run."""

    frontier_on: pl.Date = column("day of the frontier: only systems up to it count")

    class Config:
        name = "marts.cost_per_correct_frontier"
        metadata = carried_from("cost_per_correct")
        unique = ["frontier_on", "benchmark", "system", "configuration", "paper", "version"]
