"""R and the tokens of an answer from use: where a run or a benchmark tells none, with their own basis."""

from datetime import date

import duckdb
import polars as pl
import pytest

from answers.allocate.answer import _tokens
from answers.allocate.options import lengths_in_use
from answers.allocate.record import AllocationError, BudgetQuestion
from assets.test_time.cost_per_correct import with_multiplier_in_use

USE = pl.DataFrame(
    {
        "model": ["base", "other"],
        "month": [date(2026, 7, 1)] * 2,
        "tokens": [200.0, 500.0],
        "low": [150.0, 400.0],
        "high": [300.0, 600.0],
    }
)
NONE = pl.DataFrame(schema={"benchmark": pl.String, "system": pl.String, "value": pl.Float64, "locator": pl.String})
ASKED = BudgetQuestion(benchmark="b", base="base", budget_usd=1.0, queries=1.0)


def test_use_fills_what_a_run_does_not_tell_and_nothing_else() -> None:
    runs = pl.DataFrame(
        {
            "model": ["m", "m", "unknown"],
            "reasoning_multiplier": [None, 4.0, None],
            "reasoning_multiplier_low": [None, 3.0, None],
            "reasoning_multiplier_high": [None, 5.0, None],
            "reasoning_multiplier_n": [None, 5, None],
            "reasoning_multiplier_basis": [None, "against_runs_without_reasoning", None],
        }
    )
    factors = pl.DataFrame(
        {
            "model": ["m", "m"],
            "requests": [10, 20],
            "reasoning_factor": [9.0, 2.0],
            "reasoning_factor_low": [1.5, 1.5],
            "reasoning_factor_high": [9.0, 9.0],
            "rows_in_spread": [2, 2],
        }
    )
    filled = with_multiplier_in_use(runs, factors)
    assert filled["reasoning_multiplier"].to_list() == [2.0, 4.0, None]
    assert filled["reasoning_multiplier_high"].to_list() == [9.0, 5.0, None]
    assert filled["reasoning_multiplier_basis"].to_list() == ["in_use", "against_runs_without_reasoning", None]


def test_a_benchmark_without_an_answer_length_takes_that_of_use_and_says_so() -> None:
    length, basis = _tokens(ASKED, {"benchmark": "b", "model": "base"}, NONE, USE)
    assert length == 200.0
    assert "150 to 300" in basis
    assert "may be far longer" in basis
    with pytest.raises(AllocationError, match="give --tokens"):
        _tokens(ASKED, {"benchmark": "b", "model": "not used"}, NONE, USE)


def test_another_model_writes_as_much_more_as_in_use() -> None:
    of = lengths_in_use("base", 1_000.0, USE)
    assert of("other") == (2_500.0, "2.5 times the tokens per answer, as both differ over all requests of a router")
    assert of("not used") == (1_000.0, "as many tokens per answer")


def test_r_in_use_has_its_own_basis_and_spread(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        "SELECT reasoning_multiplier, reasoning_multiplier_low, reasoning_multiplier_high FROM marts.cost_per_correct "
        "WHERE reasoning_multiplier_basis = 'in_use'"
    ).fetchall()
    assert len(rows) > 20
    assert all(low <= value <= high for value, low, high in rows)
