"""What a correct answer costs: the seeds it is made from, and the tables from a real refresh."""

import polars as pl
import pytest

from assets.test_time.cost_per_correct import published_costs
from schemas.base import Table
from schemas.test_time import cost_per_correct, inference_frontier, verifier_value
from schemas.test_time.cost_per_correct import TestTimeFigure
from schemas.test_time.inference_frontier import PythiaSurfaceFigure
from sources.document import TRANSCRIBED
from sources.source import Source
from sources.test_time.figures import SOURCES, parse_figures, parse_surface
from tests.evidence.cited_figures import TABLES, Warehouse, needs_shared, one, seed

# --- seeds


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_every_document_satisfies_the_contract_and_says_where_it_is_from(source: Source) -> None:
    name = source.name.removeprefix("test_time_")
    TestTimeFigure.validate(parse_figures(seed(name)).accepted)
    assert "transcribed:" in (TRANSCRIBED / f"test_time_{name}.source.yaml").read_text()


@pytest.mark.published
@needs_shared
def test_surface_says_what_the_derived_table_says() -> None:
    ours = parse_surface(seed("pythia_surface")).accepted
    PythiaSurfaceFigure.validate(ours)
    theirs = pl.read_csv(TABLES / "pythia_alpha_surface_derived.csv")
    assert ours.height == theirs.height == 1966
    assert ours["coverage"].to_list() == theirs["coverage"].to_list()
    assert ours["eta_samples_printed"].to_list() == theirs["eta_rho_arc_from_prev_k"].to_list()
    assert ours["eta_training_printed"].to_list() == theirs["eta_T_arc_from_prev_tokens"].to_list()


@pytest.mark.published
@needs_shared
def test_deepseek_figures_are_those_of_the_tables() -> None:
    ours = parse_figures(seed("deepseek_r1")).accepted.filter(benchmark="aime24")
    theirs = pl.read_csv(TABLES / "deepseek_r1_tables.csv")
    for selection, printed in (("single", "aime24_pass1"), ("vote", "aime24_cons64")):
        stated = theirs.select("model", printed).drop_nulls().rows()
        assert sorted(ours.filter(selection=selection).select("system", "value").rows()) == sorted(stated)


# --- what a correct answer costs


def test_aider_costs_range_over_590_times(warehouse: Warehouse) -> None:
    least, most, median, runs = one(
        warehouse,
        "SELECT min(corrected_usd_per_correct), max(corrected_usd_per_correct), median(corrected_usd_per_correct), "
        "count(*) FROM marts.cost_per_correct WHERE benchmark = 'aider_polyglot'",
    )
    assert runs == 51
    assert least == pytest.approx(0.0031, abs=5e-5)
    assert median == pytest.approx(0.092, abs=5e-4)
    # Over all 225 exercises, of which gpt-4.5 ran 224: a little below the 1.82 per exercise that ran.
    assert most == pytest.approx(1.82, rel=0.005)


@pytest.mark.parametrize(
    ("system", "usd"),
    [("DeepSeek-Coder-V2-Instruct", 0.12), ("GPT-4o", 0.54), ("Claude 3.5 Sonnet", 0.64), ("CodeMonkeys", 8.0)],
)
def test_cost_per_correct_is_what_the_paper_prints(warehouse: Warehouse, system: str, usd: float) -> None:
    stated, computed = one(
        warehouse,
        "SELECT stated_usd_per_correct, corrected_usd_per_correct FROM marts.cost_per_correct "
        f"WHERE system = '{system}' AND stated_usd_per_correct IS NOT NULL",
    )
    assert stated == usd
    assert computed == pytest.approx(usd, rel=0.015)


def test_no_cost_stands_without_its_questions_and_interval(warehouse: Warehouse) -> None:
    bad = warehouse.execute(
        "SELECT system FROM marts.cost_per_correct WHERE n IS NULL OR NOT accuracy_low <= accuracy "
        "OR NOT accuracy <= accuracy_high OR NOT corrected_usd_per_correct_low <= corrected_usd_per_correct "
        "OR NOT corrected_usd_per_correct <= corrected_usd_per_correct_high"
    ).fetchall()
    assert bad == []


def test_a_restated_cost_supersedes_the_announced_one_and_leaves_the_frontier(warehouse: Warehouse) -> None:
    rows = warehouse.execute(
        "SELECT round(usd_per_task), superseded FROM marts.cost_per_correct "
        "WHERE paper = 'arc_o3_preview' AND benchmark = 'arc_agi_1_semi_private' ORDER BY 1"
    ).fetchall()
    assert rows == [(20.0, True), (200.0, False)]
    on_it = warehouse.execute(
        "SELECT DISTINCT usd_per_task FROM marts.cost_per_correct_frontier WHERE paper = 'arc_o3_preview' "
        "AND benchmark = 'arc_agi_1_semi_private'"
    ).fetchall()
    assert on_it == [(200.0,)]


def test_later_systems_only_count_from_their_day_on(warehouse: Warehouse) -> None:
    early, late = one(
        warehouse,
        "SELECT count(*) FILTER (frontier_on < as_of), count(*) FILTER (frontier_on > as_of) "
        "FROM marts.cost_per_correct_frontier",
    )
    assert early == 0
    assert late


def test_nobody_on_the_frontier_is_beaten(warehouse: Warehouse) -> None:
    beaten = warehouse.execute(
        "SELECT f.system FROM marts.cost_per_correct_frontier f JOIN marts.cost_per_correct o USING (benchmark) "
        "WHERE NOT o.superseded AND o.as_of <= f.frontier_on AND o.accuracy >= f.accuracy "
        "AND o.usd_per_task <= f.usd_per_task AND (o.accuracy > f.accuracy OR o.usd_per_task < f.usd_per_task)"
    ).fetchall()
    assert beaten == []


def test_a_benchmark_without_a_number_of_questions_has_no_cost_per_correct(warehouse: Warehouse) -> None:
    transcribed, costed = one(
        warehouse,
        "SELECT (SELECT count(*) FROM raw.test_time_figure WHERE paper = 'hal'), "
        "(SELECT count(*) FROM marts.cost_per_correct WHERE paper = 'hal')",
    )
    assert (transcribed, costed) == (36, 0)


def test_cost_per_task_gives_the_bill_where_only_that_is_stated() -> None:
    figures = parse_figures(seed("arc_o3_preview")).accepted
    bills = published_costs(figures).filter(benchmark="arc_agi_1_semi_private").sort("total_cost_usd")
    assert bills.select("total_cost_usd", "cost_basis").rows() == [
        (2012.0, "stated_total"),
        (20000.0, "stated_per_task"),
    ]


@pytest.mark.parametrize(
    ("benchmark", "system", "usd_per_task", "percent"),
    [
        ("arc_agi_1_semi_private", "GPT-5.5 (Low)", 0.20, 76.2),
        ("arc_agi_1_semi_private", "Gemini 3.1 Pro (Preview)", 0.52, 98.0),
        ("arc_agi_2_semi_private", "GPT-5.5 (xHigh)", 1.87, 85.0),
        ("arc_agi_2_semi_private", "Gemini 3 Deep Think (2/26)", 13.62, 84.6),
        ("arc_agi_2_semi_private", "GPT-5.4 Pro (xHigh)", 16.41, 83.3),
        ("arc_agi_2_semi_private", "NVARC", 0.20, 27.6),
        ("arc_agi_2_semi_private", "Human Panel", 17.0, 100.0),
    ],
)
def test_arc_prize_rows_have_their_cost_and_interval(
    warehouse: Warehouse, benchmark: str, system: str, usd_per_task: float, percent: float
) -> None:
    cost, share, low, high, n, per_correct = one(
        warehouse,
        "SELECT usd_per_task, accuracy, accuracy_low, accuracy_high, n, corrected_usd_per_correct FROM marts.cost_per_correct "
        f"WHERE paper = 'arc_prize' AND benchmark = '{benchmark}' AND system = '{system}'",
    )
    assert (round(cost, 2), round(100 * share, 1)) == (usd_per_task, percent)
    assert low <= share <= high
    assert n == {"1": 100, "2": 120}[benchmark[8]]
    assert per_correct == pytest.approx(cost / share)


def test_hidden_rows_and_games_have_no_cost_per_correct(warehouse: Warehouse) -> None:
    hidden, games = one(
        warehouse,
        "SELECT count_if(c.system IS NOT NULL AND NOT is_shown), count_if(c.system IS NOT NULL AND board = 'v3') "
        "FROM raw.arc_evaluation LEFT JOIN marts.cost_per_correct c ON c.paper = 'arc_prize' AND c.configuration = model_id "
        "AND starts_with(c.benchmark, 'arc_agi_' || board[2])",
    )
    assert (hidden, games) == (0, 0)


def test_reasoning_multiplier_is_one_without_reasoning_and_stands_with_its_n(warehouse: Warehouse) -> None:
    rows = warehouse.execute(
        "SELECT reasoning_multiplier_basis, count(*), min(reasoning_multiplier), max(reasoning_multiplier), "
        "bool_and(reasoning_multiplier BETWEEN reasoning_multiplier_low AND reasoning_multiplier_high), "
        "min(reasoning_multiplier_n) FROM marts.cost_per_correct WHERE benchmark = 'aider_polyglot' "
        "AND output_tokens_per_question IS NOT NULL AND reasoning_multiplier_basis <> 'in_use' GROUP BY 1 ORDER BY 2"
    ).fetchall()
    plain, estimated = rows
    assert plain == ("by_definition", 5, 1.0, 1.0, True, None)
    assert estimated[1:2] == (14,)
    assert estimated[4:] == (True, 5)
    assert 1.0 < estimated[2] < estimated[3] < 12.0


def test_reasoning_multiplier_is_billed_tokens_over_those_of_plain_answers(warehouse: Warehouse) -> None:
    found, tokens, plain = one(
        warehouse,
        "SELECT any_value(reasoning_multiplier) FILTER (system = 'gpt-5 (high)'), "
        "any_value(output_tokens_per_question) FILTER (system = 'gpt-5 (high)'), "
        "median(output_tokens_per_question) FILTER (reasoning_multiplier_basis = 'by_definition') "
        "FROM marts.cost_per_correct WHERE benchmark = 'aider_polyglot'",
    )
    assert found == pytest.approx(tokens / plain)


def test_published_corrected_and_printed_costs_are_never_one_column() -> None:
    """Each column of dollars per answer says whose figure it is, in every table of test-time compute."""
    for module in (cost_per_correct, inference_frontier, verifier_value):
        for contract in vars(module).values():
            if not (isinstance(contract, type) and issubclass(contract, Table) and contract.__module__ == module.__name__):
                continue
            for name in contract.to_schema().columns:
                if "per_correct" in name or "per_accepted" in name:
                    whose = name.removeprefix("lenient_").split("_usd_")[0]
                    assert whose in ("published", "corrected", "stated") or contract is verifier_value.VerifierCurriculum, name


@pytest.mark.parametrize(
    ("mart", "interval", "unless"),
    [
        ("cost_per_correct", "accuracy_low", "false"),
        ("cost_per_correct_frontier", "accuracy_low", "false"),
        ("alpha_surface", "coverage_low", "false"),
        ("inference_frontier", "accuracy_to_low", "false"),
        ("verifier_value", "accept_rate_low", "why_no_interval IS NOT NULL"),
        ("harvested_slack", "threshold_low", "false"),
        ("market_split_channel", "eta_samples_low", "false"),
        ("market_split_confusion", "agreement_low", "false"),
    ],
)
def test_no_result_without_n_and_interval(warehouse: Warehouse, mart: str, interval: str, unless: str) -> None:
    bad, rows = one(
        warehouse, f"SELECT count_if((n IS NULL OR {interval} IS NULL) AND NOT ({unless})), count(*) FROM marts.{mart}"
    )
    assert bad == 0
    assert rows > 0
