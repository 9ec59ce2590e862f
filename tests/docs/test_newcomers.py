"""Ten questions as a newcomer asks them, of the table whose name suggests it, in plain SQL: one row per thing asked for."""

import duckdb
import pytest

QUESTIONS = {
    "what does gpt-4o cost": (
        "SELECT input_usd_per_mtok, output_usd_per_mtok FROM marts.model_price_today WHERE model = 'gpt-4o'",
        lambda rows: rows == [(2.5, 10.0)],
    ),
    "what does an H100 cost": (
        "SELECT on_demand_usd_per_gpu_hour, spot_usd_per_gpu_hour FROM marts.gpu_price_today WHERE gpu = 'h100-sxm'",
        lambda rows: len(rows) == 1 and rows[0][1] < rows[0][0],
    ),
    "which are the cheapest models": (
        "SELECT model, input_usd_per_mtok FROM marts.model_price_today ORDER BY input_usd_per_mtok LIMIT 10",
        lambda rows: len({model for model, _ in rows}) == 10,
    ),
    "what did o1 cost on a day": (
        "SELECT usd_per_mtok FROM core.llm_price_on(DATE '2025-01-01') "
        "WHERE model = 'o1' AND leg = 'output' AND provider = 'openai' AND variant = 'standard'",
        lambda rows: rows == [(60.0,)],
    ),
    "when did the price of gpt-4o change": (
        "SELECT changed_on, old_usd_per_mtok, new_usd_per_mtok FROM core.llm_price_change "
        "WHERE model = 'gpt-4o' AND provider = 'openai' AND leg = 'input' AND variant = 'standard'",
        lambda rows: any(new < old for _, old, new in rows),
    ),
    "who sells llama-3.1-70b": (
        "SELECT provider FROM core.llm_price_wide WHERE model = 'llama-3.1-70b'",
        lambda rows: len(rows) >= 3 and len(rows) == len(set(rows)),
    ),
    "which models does no other beat": (
        "SELECT model FROM marts.price_frontier WHERE on_frontier AND scale = 'eci'",
        lambda rows: 3 <= len(rows) == len(set(rows)),
    ),
    "what does a correct answer cost": (
        "SELECT system, corrected_usd_per_correct FROM marts.cost_per_correct "
        "WHERE benchmark = 'aider_polyglot' AND corrected_usd_per_correct IS NOT NULL ORDER BY 2 LIMIT 5",
        lambda rows: len(rows) == 5 and all(usd > 0 for _, usd in rows),
    ),
    "how old is the evidence": (
        "SELECT source, age_days FROM meta.source_age ORDER BY age_days DESC LIMIT 3",
        lambda rows: len(rows) == 3 and all(days >= 0 for _, days in rows),
    ),
    "which unit has a column": (
        "SELECT unit FROM meta.columns WHERE table_name = 'marts.gpu_price_today' AND column_name LIKE '%usd_per_gpu_hour'",
        lambda rows: len(rows) == 6 and set(rows) == {("usd_per_gpu_hour",)},
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_question_has_its_answer(warehouse: duckdb.DuckDBPyConnection, question: str) -> None:
    sql, holds = QUESTIONS[question]
    rows = warehouse.execute(sql).fetchall()
    assert holds(rows), rows


@pytest.mark.parametrize(("view", "key"), [("marts.gpu_price_today", "gpu"), ("marts.model_price_today", "model")])
def test_views_of_today_have_one_row_per_name(warehouse: duckdb.DuckDBPyConnection, view: str, key: str) -> None:
    rows, names = warehouse.execute(f"SELECT count(*), count(DISTINCT {key}) FROM {view}").fetchall()[0]
    assert rows == names > 10


def test_an_enum_sorts_in_the_order_that_its_type_states(warehouse: duckdb.DuckDBPyConnection) -> None:
    (stated,) = warehouse.execute(
        "SELECT data_type FROM meta.columns WHERE table_name = 'meta.claims' AND column_name = 'verdict'"
    ).fetchall()[0]
    found = [word for (word,) in warehouse.execute("SELECT DISTINCT verdict FROM meta.claims ORDER BY verdict").fetchall()]
    assert found == [word for word in stated.removeprefix("ENUM(").rstrip(")").replace("'", "").split(", ") if word in found]
