"""Resampling behind a fallible verifier: closed forms against simulation and per-problem forms, and the published optima."""

from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.test_time.best_samples import chosen, published_optima, verified
from economics.test_time.best_samples import beta_coverage_curve, beta_through, break_even_penalty, least_mean, resampled
from economics.test_time.coverage import beta_coverage
from economics.test_time.verifier import best_of_samples

Warehouse = duckdb.DuckDBPyConnection
rates = st.floats(0.0, 1.0)


class TestResampled:
    @given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6), rates)
    def test_coverage_alone_gives_what_every_problem_by_itself_gives(self, success: list[float], f: float) -> None:
        p, n = np.array(success)[:, None], np.arange(30.0)
        each = best_of_samples(base_correct_rate=p, true_positive_rate=1.0, false_positive_rate=f, samples=n)

        got = resampled(coverage=(1.0 - (1.0 - p) ** n).mean(axis=0), false_positive_rate=f)

        assert got.correct == pytest.approx(np.mean(each.correct, axis=0), abs=1e-9)
        assert got.wrong == pytest.approx(np.mean(each.wrong, axis=0), abs=1e-9)
        assert got.unanswered == pytest.approx(np.mean(each.unanswered, axis=0), abs=1e-9)

    def test_against_sampling(self) -> None:
        rng = np.random.default_rng(8)
        right = rng.random((40_000, 5)) < rng.beta(0.5, 2.0, (40_000, 1))
        passed = right | (rng.random(right.shape) < 0.1)
        first = right[np.arange(len(right)), passed.argmax(axis=1)]
        curve = beta_coverage_curve(success_shape=0.5, failure_shape=2.0, most_samples=5)

        got = resampled(coverage=curve, false_positive_rate=0.1)

        assert np.asarray(got.correct)[-1] == pytest.approx((passed.any(axis=1) & first).mean(), abs=0.01)
        assert np.asarray(got.wrong)[-1] == pytest.approx((passed.any(axis=1) & ~first).mean(), abs=0.01)

    def test_perfect_verifier_gives_coverage_and_one_that_accepts_all_gives_the_first_sample(self) -> None:
        curve = np.array([0.0, 0.3, 0.45, 0.5])

        assert list(resampled(coverage=curve, false_positive_rate=0.0).correct) == pytest.approx(list(curve))
        assert list(resampled(coverage=curve, false_positive_rate=1.0).correct) == pytest.approx([0.0, 0.3, 0.3, 0.3])

    @pytest.mark.parametrize("curve", [[0.1, 0.2], [0.0, 0.3, 0.2]])
    def test_curve_starts_at_nothing_and_does_not_fall(self, curve: list[float]) -> None:
        with pytest.raises(ValueError, match="coverage must start at 0 and not fall"):
            resampled(coverage=np.array(curve), false_positive_rate=0.1)


class TestBeta:
    @given(st.floats(0.01, 20.0), st.floats(0.01, 200.0))
    def test_curve_is_the_closed_form(self, a: float, b: float) -> None:
        curve = beta_coverage_curve(success_shape=a, failure_shape=b, most_samples=300)

        assert curve == pytest.approx(beta_coverage(success_shape=a, failure_shape=b, samples=np.arange(301.0)), abs=1e-12)

    @given(st.floats(0.05, 0.7), st.floats(0.05, 20.0), st.floats(0.0, 0.3))
    def test_finds_the_shapes_a_share_came_from(self, mean: float, concentration: float, f: float) -> None:
        shapes = {"success_shape": mean * concentration, "failure_shape": (1.0 - mean) * concentration}
        share = resampled(coverage=beta_coverage_curve(**shapes, most_samples=20), false_positive_rate=f).correct

        a, b = beta_through(mean=mean, samples=20, correct=np.asarray(share)[-1], false_positive_rate=f)

        again = resampled(
            coverage=beta_coverage_curve(success_shape=a, failure_shape=b, most_samples=20), false_positive_rate=f
        )
        assert again.correct == pytest.approx(np.asarray(share), abs=1e-5)

    def test_no_beta_lies_below_its_mean_or_above_problems_alike(self) -> None:
        a, _ = beta_through(mean=np.full(3, 0.2), samples=10, correct=np.array([0.19, 0.5, 0.9]))

        assert list(np.isnan(a)) == [True, False, True]
        assert least_mean(samples=10, coverage=1.0 - 0.8**10) == pytest.approx(0.2)


def test_penalty_from_which_one_sample_is_worth_nothing() -> None:
    assert break_even_penalty(correct=0.6, wrong=0.1, cost=0.1) == pytest.approx(5.0)
    assert break_even_penalty(correct=0.1, wrong=0.1, cost=0.2) == pytest.approx(-1.0)
    assert np.isnan(break_even_penalty(correct=0.6, wrong=0.0, cost=0.1))


CURVE = {"paper": "p", "benchmark": "b", "system": "s", "curve": "c", "status": "printed"}


def test_vote_is_worth_most_at_a_measured_number_and_else_not_at_all() -> None:
    found = chosen(CURVE | {"n": None, "samples": [1, 64], "shares": [0.6, 0.8]})

    best = {(row["false_positive_penalty"], row["value_in_samples"]): row["best_samples"] for row in found}
    # 0.6 - 1/100 against 0.8 - 64/100; a wrong answer that costs four leaves 0.8 - 4 x 0.2 = 0.
    assert best == {(0.0, 100.0): 1, (0.0, 1e4): 64, (1.0, 100.0): 1, (1.0, 1e4): 64, (4.0, 100.0): 0, (4.0, 1e4): 0}
    assert found[0]["break_even_penalty"] == pytest.approx((0.6 - 0.01) / 0.4)
    assert {row["why_no_interval"] for row in found} == {"the document does not state its questions"}


def test_coverage_that_independent_samples_cannot_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="p, s on b: not a curve of independent samples"):
        verified(CURVE | {"n": None, "samples": [1, 10], "shares": [0.01, 0.5]})


def test_without_the_document_there_are_no_optima(warehouse: Warehouse) -> None:
    columns = [row[0] for row in warehouse.execute("DESCRIBE raw.test_time_figure").fetchall()]
    text = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))

    assert published_optima(text.with_columns(pl.col("value", "n", "samples").cast(pl.Float64))) == []


# --- the mart


def rows(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    return warehouse.execute(query).fetchall()


def test_every_curve_stands_in_every_scenario(warehouse: Warehouse) -> None:
    found = rows(
        warehouse,
        "SELECT answer::VARCHAR, paper, count(DISTINCT (benchmark, system, curve)), count(*) FROM marts.best_samples "
        "WHERE paper IN ('brown', 'stroebl', 'pythia_surface') GROUP BY ALL ORDER BY 1, 2",
    )
    assert found == [
        ("chosen_of_n", "brown", 1, 6),
        ("first_accepted", "brown", 2, 28),
        ("first_accepted", "pythia_surface", 2, 28),
        ("first_accepted", "stroebl", 3, 30),
    ]


def test_swe_bench_samples_fall_with_penalty_and_false_positives(warehouse: Warehouse) -> None:
    found = rows(
        warehouse,
        "SELECT false_positive_rate, false_positive_penalty, best_samples FROM marts.best_samples "
        "WHERE system = 'DeepSeek-Coder-V2-Instruct' AND value_in_samples = 10000 ORDER BY ALL",
    )
    assert found == [(0, 0, 250), (0.01, 0, 141), (0.01, 1, 12), (0.01, 4, 3), (0.1, 0, 30), (0.1, 1, 1), (0.1, 4, 0)]
    # $10.80 for five samples of each of 300 issues.
    ((usd, off),) = rows(
        warehouse,
        "SELECT DISTINCT sample_usd, curve_error FROM marts.best_samples WHERE system = 'DeepSeek-Coder-V2-Instruct'",
    )
    assert usd == pytest.approx(10.8 / 300 / 5)
    assert off < 0.002


def test_intervals_hold_the_point_and_a_missing_one_has_a_reason(warehouse: Warehouse) -> None:
    ((wrong,),) = rows(
        warehouse,
        "SELECT count(*) FROM marts.best_samples WHERE (n IS NULL) <> (why_no_interval IS NOT NULL) "
        "OR (n IS NULL) <> (net_value_low IS NULL) OR (break_even_penalty IS NULL) <> (why_no_break_even IS NOT NULL) "
        "OR NOT best_samples BETWEEN coalesce(best_samples_low, 0) AND coalesce(best_samples_high, most_samples) "
        "OR net_value < coalesce(net_value_low, 0) OR net_value > coalesce(net_value_high, 1)",
    )
    assert wrong == 0


def test_no_published_optimum_that_is_predicted_holds(warehouse: Warehouse) -> None:
    # Verifiers that err alike on all problems do not give the published optima; only what the curve was put through holds.
    found = rows(
        warehouse,
        "SELECT false_positive_basis::VARCHAR, is_fitted, count(*), count(*) FILTER (published_holds) "
        "FROM marts.best_samples WHERE paper = 'stroebl' GROUP BY ALL ORDER BY ALL",
    )
    assert found == [
        ("printed_precision", False, 12, 0),
        ("printed_precision", True, 3, 3),
        ("printed_reward", False, 9, 0),
        ("printed_reward", True, 6, 4),
    ]


def test_published_reward_below_zero_is_no_maximum(warehouse: Warehouse) -> None:
    found = rows(
        warehouse,
        "SELECT system, published_best_samples, published_net_value, net_value, best_samples, published_holds "
        "FROM marts.best_samples WHERE published_net_value < 0 AND false_positive_basis = 'printed_reward' ORDER BY 1",
    )
    assert found == [("Llama 3.1 8B", 0, -0.142, 0.0, 0, False), ("Phi-3 Mini", 0, -0.05, 0.0, 0, False)]


def test_printed_precision_and_printed_rewards_give_two_rates(warehouse: Warehouse) -> None:
    found = rows(
        warehouse,
        "SELECT round(max(false_positive_rate), 2), round(min(false_positive_rate), 2) "
        "FROM marts.best_samples WHERE system = 'Llama 3.1 70B'",
    )
    assert found == [(0.37, 0.25)]


def test_two_verifiers_and_what_a_dollar_buys(warehouse: Warehouse) -> None:
    ((wrong, priced),) = rows(
        warehouse,
        "SELECT count(*) FILTER (abs(both_accept_independent + either_accept_independent - 2 * accept_rate) > 1e-12 "
        "OR both_accept_independent NOT BETWEEN both_accept_low AND both_accept_high "
        "OR either_accept_independent NOT BETWEEN either_accept_low AND either_accept_high "
        "OR abs(verified_capability_mtok_per_usd * cpm_usd_per_mtok - 1) > 1e-12), count(verified_capability_mtok_per_usd) "
        "FROM marts.verifier_value",
    )
    assert wrong == 0
    assert priced > 0


def test_price_and_verifier_share_one_percent(warehouse: Warehouse) -> None:
    ((wrong, seen),) = rows(
        warehouse,
        "SELECT count(*) FILTER (abs(price_elasticity + verifier_elasticity - 1) > 1e-12 "
        "OR (uses = 3) <> (verifier_elasticity > 0)), count(price_elasticity) FROM marts.verifier_curriculum",
    )
    assert wrong == 0
    assert seen == 9
