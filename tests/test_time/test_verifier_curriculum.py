"""A verifier as curriculum: published gains, the setter's reward, and what one verifier costs in one use and in three."""

from typing import Any

import duckdb
import pytest

from economics.test_time.verifier import flipping_fixed_usd, verifier_usd_per_call


def rows(warehouse: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in warehouse.execute(query).fetchall()]


def test_fixed_cost_that_flips_is_where_both_costs_are_equal() -> None:
    calls = {"filter_calls": 1e6, "selection_calls": 2e6, "curriculum_calls": 0.0}
    point = {"usd_per_call": 1e-4, **calls}
    fixed = float(flipping_fixed_usd(accuracy_gain=0.6 / 0.4, rollout_usd=1e-3, **point))
    paid = verifier_usd_per_call(fixed_usd=fixed, **point)
    assert (1e-3 + paid) / 0.6 == pytest.approx(1e-3 / 0.4)


def test_calls_that_cost_more_than_the_gain_flip_below_zero() -> None:
    fixed = flipping_fixed_usd(
        accuracy_gain=1.1,
        rollout_usd=1e-3,
        usd_per_call=1e-3,
        filter_calls=0.0,
        selection_calls=1e6,
        curriculum_calls=0.0,
    )
    assert fixed < 0.0


def test_published_gains(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = dict(
        rows(
            warehouse,
            "SELECT DISTINCT benchmark, round(gain_points, 1) FROM marts.verifier_curriculum WHERE system LIKE '%VHG'",
        )
    )
    assert found == {
        "antiderivbench_qualifier": 16.9,
        "antiderivbench_competition": 16.6,
        "integration_stress_test": 21.4,
        "general_maths": 12.2,
    }


def test_without_a_verifier_an_invalid_problem_earns_most_and_the_solver_declines(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        warehouse,
        "SELECT DISTINCT verifier = 'none', invalid_problem_reward, gain_points > 0 FROM marts.verifier_curriculum ORDER BY 1",
    )
    assert found == [(False, 0.0, True), (True, 1.0, False)]


def test_reward_of_the_setter_falls_as_the_solver_learns(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        warehouse,
        "SELECT accuracy_before + setter_reward_before, setter_reward_after < setter_reward_before "
        "FROM marts.verifier_curriculum WHERE uses > 0",
    )
    assert all(total == pytest.approx(1.0) and falls for total, falls in found)


def test_verifier_that_only_trained_is_billed_once_and_not_on_answers_served(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        warehouse,
        "SELECT verifier_usd_per_call, cost_factor, accuracy_before / accuracy_after, training_verifier_usd, "
        "answers_to_pay_back, usd_per_correct_before - usd_per_correct_after, verifier "
        "FROM marts.verifier_curriculum WHERE uses = 1",
    )
    assert len(found) == 4
    for served, factor, accuracies, once, answers, saved, verifier in found:
        assert served == 0
        assert factor == pytest.approx(accuracies)
        assert factor < 1
        assert answers == pytest.approx(once / saved)
        if verifier == "hard":
            assert once == pytest.approx(1000)  # SymPy reads nothing by the token
    assert min(factor for _, factor, *_ in found) == pytest.approx(0.634, abs=5e-4)


def test_verifier_that_also_selects_is_billed_on_answers_served(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        warehouse,
        "SELECT one.cost_factor < three.cost_factor, three.verifier_usd_per_call > 0, three.answers_to_pay_back "
        "FROM marts.verifier_curriculum one JOIN marts.verifier_curriculum three USING (system, benchmark) "
        "WHERE one.uses = 1 AND three.uses = 3",
    )
    assert found == [(True, True, None)] * 4


def test_what_flips_agrees_with_the_factor(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert rows(
        warehouse,
        "SELECT count(*) FROM marts.verifier_curriculum WHERE uses = 3 AND (cost_factor < 1) <> (flipping_fixed_usd > 1000)",
    ) == [(0,)]


def test_no_set_states_its_number_of_problems(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert rows(warehouse, "SELECT count(n), count(*) FROM marts.verifier_curriculum") == [(0, 9)]
