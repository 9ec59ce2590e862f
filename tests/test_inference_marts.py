"""The facts of the inference frontier, read from the published marts; the tables' functions on rows one can check by eye."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from assets.cost_per_correct import published_costs
from assets.inference_frontier import DOLLAR_RATIOS, with_conditions, with_elasticities
from assets.market_split import with_tiers
from schemas import cost_per_correct, inference_frontier, verifier_value
from schemas.base import Table, polars_schema
from schemas.cost_per_correct import TestTimeFigure
from schemas.inference_frontier import PythiaSurfaceFigure
from schemas.models import Model
from sources.source import Seed, Snapshot, Source, content_hash
from sources.test_time_figures import PUBLISHED, SOURCES, SURFACE, parse_figures, parse_surface

TABLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "test_time" / "paper_tables"
needs_shared = pytest.mark.skipif(not TABLES.exists(), reason="reference data is not beside this checkout")

Warehouse = duckdb.DuckDBPyConnection


def one(warehouse: Warehouse, query: str) -> tuple[Any, ...]:
    (row,) = warehouse.execute(query).fetchall()
    return tuple(row)


def seed(name: str) -> Snapshot:
    (source,) = [source for source in [*SOURCES, SURFACE] if source.name == f"test_time_{name}"]
    floor = source.floor[0]
    assert isinstance(floor, Seed)
    body = floor.path.read_bytes()
    return Snapshot(source.name, body, content_hash(body), "seed", "file", datetime(2026, 1, 1, tzinfo=UTC))


# --- seeds


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_every_document_satisfies_the_contract_and_says_where_it_is_from(source: Source) -> None:
    name = source.name.removeprefix("test_time_")
    TestTimeFigure.validate(parse_figures(seed(name)).accepted)
    assert "transcribed:" in (PUBLISHED / f"test_time_{name}.source.yaml").read_text()


@needs_shared
def test_surface_says_what_the_derived_table_says() -> None:
    ours = parse_surface(seed("pythia_surface")).accepted
    PythiaSurfaceFigure.validate(ours)
    theirs = pl.read_csv(TABLES / "pythia_alpha_surface_derived.csv")
    assert ours.height == theirs.height == 1966
    assert ours["coverage"].to_list() == theirs["coverage"].to_list()
    assert ours["eta_samples_printed"].to_list() == theirs["eta_rho_arc_from_prev_k"].to_list()
    assert ours["eta_training_printed"].to_list() == theirs["eta_T_arc_from_prev_tokens"].to_list()


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
        "AND output_tokens_per_question IS NOT NULL AND reasoning_multiplier_basis IS NOT NULL GROUP BY 1 ORDER BY 2"
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
            if not (
                isinstance(contract, type) and issubclass(contract, Table) and contract.__module__ == module.__name__
            ):
                continue
            for name in contract.to_schema().columns:
                if "per_correct" in name or "per_accepted" in name:
                    whose = name.removeprefix("lenient_").split("_usd_")[0]
                    assert (
                        whose in ("published", "corrected", "stated") or contract is verifier_value.VerifierCurriculum
                    ), name


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


# --- where the next dollar goes


def test_no_arc_of_the_surface_exceeds_one(warehouse: Warehouse) -> None:
    points, most = one(warehouse, "SELECT count(*), max(eta_samples) FROM marts.alpha_surface")
    assert points == 1966
    assert f"{most:.6f}" == "1.000000"


@pytest.mark.parametrize(("few", "many", "eta"), [(4, 8, 0.926), (32, 64, 0.594), (256, 512, 0.212)])
def test_pythia_1_4b_arcs(warehouse: Warehouse, few: int, many: int, eta: float) -> None:
    found, low, high = one(
        warehouse,
        "SELECT eta_samples, eta_samples_low, eta_samples_high FROM marts.alpha_surface WHERE benchmark = 'gsm8k' AND "
        f"system = 'pythia-1.4b' AND train_tokens = 300e9 AND samples_from = {few} AND samples = {many}",
    )
    assert f"{found:.3f}" == f"{eta:.3f}"
    assert low < found < high


@pytest.mark.parametrize(("tokens", "eta"), [(60e9, 0.17), (200e9, -0.08), (300e9, 0.27)])
def test_pythia_1_4b_training_arcs(warehouse: Warehouse, tokens: float, eta: float) -> None:
    (found,) = one(
        warehouse,
        "SELECT eta_training FROM marts.alpha_surface WHERE benchmark = 'gsm8k' AND system = 'pythia-1.4b' "
        f"AND train_tokens = {tokens} AND samples = 1",
    )
    assert f"{found:.2f}" == f"{eta:.2f}"


def test_printed_training_arcs_follow_from_the_coverage(warehouse: Warehouse) -> None:
    (worst,) = one(
        warehouse,
        "SELECT max(abs(eta_training - ln(coverage / coverage_from_training) / ln(train_tokens / train_tokens_from))) "
        "FROM marts.alpha_surface WHERE eta_training IS NOT NULL AND coverage_from_training > 0.01 AND coverage > 0.01",
    )
    assert worst < 1e-3


@pytest.mark.parametrize(
    ("benchmark", "system", "few", "eta", "digits"),
    [
        ("aime24", "DeepSeek-R1-Zero", 1, "0.048", 3),
        ("math500", "Qwen2.5-Math-7B + rStar-Math", 1, "0.063", 3),
        ("math500", "Qwen2.5-Math-7B + rStar-Math", 8, "0.0032", 4),
        ("aime24", "Qwen2.5-Math-7B + rStar-Math", 1, "0.30", 2),
        ("aime24", "Qwen2.5-Math-7B + rStar-Math", 8, "0.031", 3),
        ("swe_bench_lite", "DeepSeek-Coder-V2-Instruct", 1, "0.387", 3),
        ("swe_bench_lite", "DeepSeek-Coder-V2-Instruct", 5, "0.163", 3),
    ],
)
def test_calibration_points(warehouse: Warehouse, benchmark: str, system: str, few: int, eta: str, digits: int) -> None:
    rows = warehouse.execute(
        "SELECT DISTINCT eta_samples, n, eta_samples_low, eta_samples_high FROM marts.inference_frontier "
        f"WHERE benchmark = '{benchmark}' AND system = '{system}' AND samples_from = {few}"
    ).fetchall()
    ((found, n, low, high),) = rows
    assert f"{found:.{digits}f}" == eta
    assert n in (30, 300, 500)
    assert low < found < high


def test_aime_has_30_questions_and_shows_it(warehouse: Warehouse) -> None:
    n, low, high = one(
        warehouse,
        "SELECT DISTINCT n, accuracy_to_low, accuracy_to_high FROM marts.inference_frontier "
        "WHERE benchmark = 'aime24' AND system LIKE 'Qwen2.5-Math-7B%' AND samples_to = 64",
    )
    assert (n, f"{low:.0%}", f"{high:.0%}") == (30, "36%", "70%")


def test_second_tries_with_feedback_exceed_one(warehouse: Warehouse) -> None:
    runs, above, mean, median, least, most = one(
        warehouse,
        "SELECT count(*), count_if(more_samples_lower_cost), avg(eta_samples), median(eta_samples), min(eta_samples), "
        "max(eta_samples) FROM marts.inference_frontier WHERE benchmark = 'aider_polyglot'",
    )
    assert (runs, above) == (69, 52)
    # From the counts, 13 and 74 of 225; the rates rounded to a decimal, 5.8 and 32.9, give 2.50 for the greatest.
    assert (f"{mean:.2f}", f"{median:.2f}", f"{least:.2f}", f"{most:.2f}") == ("1.31", "1.25", "0.76", "2.51")


def test_published_condition_never_holds_for_independent_samples_while_training_helps(warehouse: Warehouse) -> None:
    rows = warehouse.execute(
        "SELECT DISTINCT published_verdict FROM marts.inference_frontier "
        "WHERE eta_training > 0 AND curve = 'coverage' AND training_pairing = 'own_checkpoints'"
    ).fetchall()
    assert rows == [("training",)]


def test_r1_favours_inference_only_below_a_dollar_ratio_of_0_0035(warehouse: Warehouse) -> None:
    rows = warehouse.execute(
        "SELECT dollar_ratio, lagrangian_verdict, lagrangian_flipping_dollar_ratio FROM marts.inference_frontier "
        "WHERE system = 'DeepSeek-R1-Zero' ORDER BY dollar_ratio"
    ).fetchall()
    assert [verdict for _, verdict, _ in rows] == ["inference", *["training"] * (len(DOLLAR_RATIOS) - 1)]
    assert {f"{flip:.4f}" for *_, flip in rows} == {"0.0035"}


def test_r1_step_has_an_elasticity_of_about_13_9_and_a_wide_interval(warehouse: Warehouse) -> None:
    eta, low, high, usd = one(
        warehouse,
        "SELECT DISTINCT eta_training, eta_training_low, eta_training_high, training_usd FROM marts.inference_frontier "
        "WHERE system = 'DeepSeek-R1-Zero'",
    )
    assert eta == pytest.approx(13.9, rel=0.006)
    assert (f"{low:.0f}", f"{high:.0f}") == ("5", "24")
    assert usd == 5_576_000 + 294_000


def test_r1_volume_that_flips_is_the_ratio_in_todays_tokens(warehouse: Warehouse) -> None:
    volume, ratio, usd, price = one(
        warehouse,
        "SELECT DISTINCT flipping_output_mtok, lagrangian_flipping_dollar_ratio, training_usd, output_usd_per_mtok "
        "FROM marts.inference_frontier WHERE system = 'DeepSeek-R1-Zero'",
    )
    assert volume == pytest.approx(ratio * usd / price)


def test_the_sign_depends_on_the_regime(warehouse: Warehouse) -> None:
    inference, points = one(
        warehouse,
        "SELECT count_if(lagrangian_verdict = 'inference'), count(*) FROM marts.inference_frontier WHERE dollar_ratio = 0.1 "
        "AND benchmark = 'gsm8k' AND system IN ('pythia-1.4b at 60000 M tokens', 'pythia-1.4b at 300000 M tokens')",
    )
    assert inference / points > 0.8
    (r1,) = one(
        warehouse,
        "SELECT lagrangian_verdict FROM marts.inference_frontier WHERE system = 'DeepSeek-R1-Zero' AND dollar_ratio = 0.1",
    )
    assert r1 == "training"


def test_a_curve_without_a_training_arc_has_no_verdict(warehouse: Warehouse) -> None:
    verdicts = warehouse.execute(
        "SELECT DISTINCT published_verdict, lagrangian_verdict, shared_cost_verdict, dollar_ratio "
        "FROM marts.inference_frontier WHERE benchmark = 'swe_bench_lite'"
    ).fetchall()
    assert verdicts == [(None, None, None, None)]


def test_verdicts_turn_at_what_is_said_to_flip_them() -> None:
    arcs = pl.DataFrame(
        {
            "n": [10_000], "samples_from": [1], "samples_to": [4], "accuracy_from": [0.2], "accuracy_to": [0.6],
            "eta_training": [0.5], "eta_training_low": [0.4], "eta_training_high": [0.6],
        }
    )  # fmt: skip
    rows = with_conditions(with_elasticities(arcs)).sort("dollar_ratio").to_dicts()
    assert [row["lagrangian_verdict"] for row in rows] == ["inference"] * 4 + ["training"]
    for row in rows:
        assert (row["lagrangian_verdict"] == "inference") == (
            row["dollar_ratio"] < row["lagrangian_flipping_dollar_ratio"]
        )
        assert (row["shared_cost_verdict"] == "inference") == (
            row["variable_share"] < row["shared_cost_flipping_variable_share"]
        )
        assert (row["published_verdict"] == "inference") == (row["eta_samples"] > row["published_flipping_eta_samples"])
    assert all(row["lagrangian_certain"] for row in rows)


# --- verifiers


def test_a_lenient_verifier_flatters_the_published_cost_only(warehouse: Warehouse) -> None:
    rows = warehouse.execute(
        "SELECT published_usd_per_accepted_mtok, lenient_published_usd_per_accepted_mtok, corrected_usd_per_correct_mtok, "
        "lenient_corrected_usd_per_correct_mtok FROM marts.verifier_value WHERE cpm_usd_per_mtok IS NOT NULL"
    ).fetchall()
    assert rows
    for published, lenient, corrected, still in rows:
        assert lenient < published < corrected
        assert still == corrected


def test_a_point_of_acceptance_is_worth_more_the_lower_it_is(warehouse: Warehouse) -> None:
    wrong = one(
        warehouse,
        "SELECT count(*) FROM marts.verifier_value WHERE abs(accept_point_worth - 1 / (accept_rate + 0.01)) > 1e-12",
    )
    assert wrong == (0,)
    saving, cost, alpha = one(
        warehouse,
        "SELECT accept_point_saving_usd, corrected_usd_per_correct, accept_rate FROM marts.verifier_value "
        "WHERE system = 'gpt-5 (high)'",
    )
    assert saving == pytest.approx(cost - cost * alpha / (alpha + 0.01))


def test_two_verifiers_that_accept_two_thirds_span_twice_the_cost(warehouse: Warehouse) -> None:
    alpha, low, high, spread = one(
        warehouse,
        "SELECT accept_rate, both_accept_low, both_accept_high, composition_spread FROM marts.verifier_value "
        "WHERE system = 'Llama 3.1 8B'",
    )
    assert low == pytest.approx(2 * alpha - 1)
    assert high == alpha
    assert spread == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(("penalty", "best"), [(0, 143), (1, 25), (2, 9), (4, 2), (8, 1)])
def test_best_number_of_samples_falls_as_wrong_answers_cost_more(warehouse: Warehouse, penalty: int, best: int) -> None:
    found = one(
        warehouse,
        "SELECT value FROM raw.test_time_figure WHERE paper = 'stroebl' AND metric = 'best_samples' "
        f"AND system = 'Llama 3.1 70B' AND selection = 'penalty_{penalty}'",
    )
    assert found == (best,)


# --- the market split


def tiers(*rows: dict[str, object]) -> dict[str, str]:
    """Tiers of some models beside three ordinary ones."""
    crowd = [
        {"model": f"crowd-{i}", "price": 1.0, "sellers": 9, "score": 100.0 + i, "reasoning": False, "open": True}
        for i in range(3)
    ]
    everyone = pl.DataFrame([*crowd, *rows])
    priced = everyone.select(
        "model", input_usd_per_mtok="price", output_usd_per_mtok="price", n_providers="sellers",
        price_basis=pl.lit("first_party"),
    )  # fmt: skip
    scores = everyone.select("model", "score", as_of=pl.lit(date(2026, 1, 1))).drop_nulls("score")
    models = pl.DataFrame(
        everyone.select("model", "reasoning", open_weights="open").to_dicts(), schema=polars_schema(Model)
    )
    found = with_tiers(priced, scores, models).select("model", "tier").rows()
    return dict(found)


STRONG = {"model": "strong", "price": 9.0, "sellers": 2, "score": 150.0, "reasoning": True, "open": False}


def test_a_dear_scarce_capable_reasoner_is_frontier() -> None:
    assert tiers(STRONG)["strong"] == "frontier_reasoning"
    assert tiers(STRONG)["crowd-0"] == "commodity"


@pytest.mark.parametrize(
    "change",
    [{"reasoning": False}, {"score": 50.0}, {"sellers": 9, "open": True}, {"reasoning": False, "score": None}],
    ids=["does not reason", "is weak", "is open with many hosts", "does not reason and is not rated"],
)
def test_one_part_that_fails_makes_a_commodity(change: dict[str, object]) -> None:
    assert tiers(STRONG | change)["strong"] == "commodity"


@pytest.mark.parametrize("change", [{"reasoning": None}, {"score": None}, {"open": None, "sellers": 9}])
def test_what_is_not_known_is_not_classified(change: dict[str, object]) -> None:
    assert tiers(STRONG | change)["strong"] == "unclassified"


def test_every_priced_model_is_in_the_split_once(warehouse: Warehouse) -> None:
    models, distinct, versions = one(
        warehouse,
        "SELECT count(*), count(DISTINCT model), max(rule_version) FROM marts.market_split "
        "WHERE as_of = (SELECT max(as_of) FROM marts.market_split)",
    )
    assert models == distinct
    assert versions == 1


def test_frontier_reasoning_is_dearer_and_more_capable(warehouse: Warehouse) -> None:
    rows = {
        tier: (price, score)
        for tier, price, score in warehouse.execute(
            "SELECT tier, median(cpm_usd_per_mtok), median(score) FROM marts.market_split GROUP BY tier"
        ).fetchall()
    }
    assert rows["frontier_reasoning"][0] > rows["commodity"][0]
    assert rows["frontier_reasoning"][1] > rows["commodity"][1]
