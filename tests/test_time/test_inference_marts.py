"""The facts of the inference frontier, read from the published marts; the tables' functions on rows one can check by eye."""

from datetime import date

import polars as pl
import pytest

from assets.frames import under_contract
from assets.prices.market_split import with_tiers
from assets.test_time.inference_frontier import DOLLAR_RATIOS, with_conditions, with_elasticities
from schemas.base import polars_schema
from schemas.prices.capability import Capability
from schemas.prices.models import Model
from tests.evidence.cited_figures import Warehouse, one

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
    # The second try runs only where the first failed: 2 - accuracy_from attempts a question.
    assert (runs, above) == (69, 67)
    assert (f"{mean:.2f}", f"{median:.2f}", f"{least:.2f}", f"{most:.2f}") == ("1.56", "1.52", "0.88", "2.62")
    nominal = one(
        warehouse,
        "SELECT count_if(eta_by_nominal_samples > 1), avg(eta_by_nominal_samples), max(eta_by_nominal_samples), "
        "bool_and(abs(attempts_to - (2 - accuracy_from)) < 1e-9) FROM marts.inference_frontier "
        "WHERE benchmark = 'aider_polyglot'",
    )
    # As published, two samples for every question. From the counts, 13 and 74 of 225; the rates rounded to a decimal, 5.8 and
    # 32.9, give 2.50 for the greatest.
    assert (nominal[0], f"{nominal[1]:.2f}", f"{nominal[2]:.2f}", nominal[3]) == (52, "1.31", "2.51", True)


def test_intervals_of_the_surface_hold_their_value_and_nothing_impossible(warehouse: Warehouse) -> None:
    arcs, outside, paired, narrower = one(
        warehouse,
        "SELECT count(*), count_if(eta_samples_low < 0 OR eta_samples_high > 1 + 1e-6 OR "
        "eta_samples < eta_samples_low - 1e-6 OR eta_samples > eta_samples_high + 1e-6), "
        "count_if(eta_samples_interval = 'paired'), "
        "median(eta_samples_high - eta_samples_low) FILTER (eta_samples_interval = 'paired') "
        "< median(eta_samples_high - eta_samples_low) FILTER (eta_samples_interval = 'independent') "
        "FROM marts.alpha_surface WHERE eta_samples IS NOT NULL AND eta_samples_low IS NOT NULL",
    )
    assert outside == 0
    assert 0 < paired < arcs
    assert narrower


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
            "n": [10_000],
            "samples_from": [1],
            "samples_to": [4],
            "accuracy_from": [0.2],
            "accuracy_to": [0.6],
            "eta_training": [0.5],
            "eta_training_low": [0.4],
            "eta_training_high": [0.6],
        }
    )
    rows = with_conditions(with_elasticities(arcs)).sort("dollar_ratio").to_dicts()
    assert [row["lagrangian_verdict"] for row in rows] == ["inference"] * 4 + ["training"]
    for row in rows:
        assert (row["lagrangian_verdict"] == "inference") == (row["dollar_ratio"] < row["lagrangian_flipping_dollar_ratio"])
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


def split(*rows: dict[str, object]) -> pl.DataFrame:
    """The split of some models beside three ordinary ones."""
    crowd = [
        {"model": f"crowd-{i}", "price": 1.0, "sellers": 9, "score": 100.0 + i, "reasoning": False, "open": True}
        for i in range(3)
    ]
    everyone = pl.DataFrame([*crowd, *rows])
    priced = everyone.select(
        "model",
        input_usd_per_mtok="price",
        output_usd_per_mtok="price",
        n_providers="sellers",
        price_basis=pl.lit("first_party"),
        as_of=pl.lit(date(2026, 6, 1)),
    )
    rated = everyone.drop("price", "sellers", "reasoning", "open").with_columns(as_of=pl.lit(date(2026, 1, 1)))
    scores = under_contract(Capability, rated.drop_nulls("score"))
    models = pl.DataFrame(everyone.select("model", "reasoning", open_weights="open").to_dicts(), schema=polars_schema(Model))
    return with_tiers(priced, scores, models)


def tiers(*rows: dict[str, object]) -> dict[str, str]:
    """Tier by model."""
    return dict(split(*rows).select("model", "tier").rows())


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


def test_a_tier_that_another_score_within_the_interval_would_change_is_marked() -> None:
    wide = {"score_low": 60.0, "score_high": 160.0}
    sure, close, cheap = (
        STRONG,
        STRONG | wide | {"model": "close", "score": 149.0},
        STRONG | wide | {"model": "plain", "reasoning": False},
    )
    holds = dict(
        split(sure | {"score_low": 150.0, "score_high": 151.0}, close, cheap).select("model", "holds_over_interval").rows()
    )
    assert (holds["strong"], holds["close"], holds["plain"], holds["crowd-0"]) == (True, False, True, True)


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
    assert versions == 2


def test_frontier_reasoning_is_dearer_and_more_capable(warehouse: Warehouse) -> None:
    rows = {
        tier: (price, score)
        for tier, price, score in warehouse.execute(
            "SELECT tier, median(cpm_usd_per_mtok), median(score) FROM marts.market_split GROUP BY tier"
        ).fetchall()
    }
    assert rows["frontier_reasoning"][0] > rows["commodity"][0]
    assert rows["frontier_reasoning"][1] > rows["commodity"][1]
