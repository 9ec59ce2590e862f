"""Predicted channel against observed tier, tiers over time, and which model a run is of."""

from datetime import date
from typing import Any

import duckdb
import polars as pl
import pytest

from assets.prices.run_models import reasons, with_model
from assets.test_time.market_split_evidence import at_the_limit, by_model, by_tier, confusion

Warehouse = duckdb.DuckDBPyConnection


def rows(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in warehouse.execute(query).fetchall()]


@pytest.mark.parametrize(
    ("name", "model", "thinks"),
    [
        ("gpt-5 (high)", "gpt-5", True),
        ("claude-opus-4-20250514 (no think)", "claude-opus-4", False),
        ("claude-3-7-sonnet-20250219 (32k thinking tokens)", "claude-3.7-sonnet", True),
        ("DeepSeek V3 (0324)", "deepseek-v3-0324", True),
        ("DeepSeek-V3.2-Exp (Chat)", "deepseek-v3.2-exp", False),
        ("Gemini 3.1 Pro (Preview)", "gemini-3.1-pro", True),
        ("o3 (high) + gpt-4.1", None, True),
        ("somebody's fine-tune", None, True),
    ],
)
def test_a_run_is_of_the_model_without_its_setting(name: str, model: str | None, thinks: bool) -> None:
    runs = pl.DataFrame({"paper": ["aider_polyglot"], "system": [name]})
    found = with_model(runs, source="paper", name="system").with_columns(thinks=reasons("system", pl.lit(True)))
    assert found.select("model", "thinks").rows() == [(model, thinks)]


def arcs(*etas: float) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "model": ["m"] * len(etas),
            "paper": "p",
            "benchmark": "b",
            "system": "s",
            "curve": [str(i) for i in range(len(etas))],
            "samples_from": 1,
            "samples_to": 2,
            "n": 30,
            "eta_samples": list(etas),
            "eta_samples_low": [eta - 0.1 for eta in etas],
            "eta_samples_high": [eta + 0.1 for eta in etas],
        }
    )


def test_more_than_half_of_the_arcs_decide() -> None:
    channels = by_model(at_the_limit(arcs(1.2, 1.3, 0.7))).sort("form")
    found = {row["form"]: (row["arcs_for_inference"], row["predicted_channel"]) for row in channels.to_dicts()}
    assert found == {"published": (2, "inference"), "lagrangian": (3, "inference"), "shared_cost": (3, "inference")}
    (tie,) = by_model(at_the_limit(arcs(1.2, 0.7))).filter(form="published").to_dicts()
    assert tie["predicted_channel"] == "training"


def channels(*cells: tuple[str, str, int]) -> pl.DataFrame:
    made = []
    for predicted, tier, models in cells:
        fits = None if tier == "unclassified" else (predicted == "inference") == (tier == "frontier_reasoning")
        made += [
            {
                "as_of": date(2026, 1, 1),
                "form": "published",
                "predicted_channel": predicted,
                "tier": tier,
                "agrees": fits,
            }
        ] * models
    return pl.DataFrame(made)


def test_confusion_counts_every_cell_and_leaves_out_what_is_not_classified() -> None:
    table = confusion(
        channels(
            ("inference", "frontier_reasoning", 6),
            ("training", "commodity", 3),
            ("inference", "commodity", 1),
            ("training", "unclassified", 5),
        )
    )
    assert dict(table.select(pl.format("{}/{}", "predicted_channel", "observed_tier"), "models").rows()) == {
        "inference/frontier_reasoning": 6,
        "inference/commodity": 1,
        "training/frontier_reasoning": 0,
        "training/commodity": 3,
    }
    row = table.row(0, named=True)
    assert (row["n"], row["agreement"]) == (10, 0.9)
    assert row["chance_agreement"] == pytest.approx(0.7 * 0.6 + 0.3 * 0.4)
    assert row["agreement_low"] < 0.9 < row["agreement_high"] < 1.0


def test_tiers_use_runs_up_to_the_day() -> None:
    split = pl.DataFrame(
        {
            "as_of": [date(2025, 1, 31), date(2025, 6, 30)],
            "basis": "rebuilt",
            "model": "m",
            "tier": "commodity",
            "cpm_usd_per_mtok": 1.0,
            "score": 100.0,
        }
    )
    tasks = pl.DataFrame({"model": ["m", "m"], "as_of": [date(2025, 1, 1), date(2025, 5, 1)], "usd_per_task": [0.1, 0.3]})
    found = by_tier(split, tasks).sort("as_of").select("runs", "usd_per_task").rows()
    assert found == [(1, 0.1), (2, pytest.approx(0.2))]


def test_published_threshold_does_not_find_the_split(warehouse: Warehouse) -> None:
    ((n, agreement, low, high, chance),) = rows(
        warehouse,
        "SELECT DISTINCT n, agreement, agreement_low, agreement_high, chance_agreement FROM marts.market_split_confusion "
        "WHERE form = 'published'",
    )
    assert n >= 25
    assert agreement < 0.5
    assert low < chance < high  # no better than guessing at the same shares


def test_cells_add_up_to_the_models_compared(warehouse: Warehouse) -> None:
    found = rows(
        warehouse,
        "SELECT form, sum(models) = any_value(n), count(*) FROM marts.market_split_confusion GROUP BY as_of, form",
    )
    assert {(whole, cells) for _, whole, cells in found} == {(True, 4)}
    assert {form for form, *_ in found} == {"published", "lagrangian", "shared_cost"}


def test_both_tiers_are_seen_over_time_and_the_last_day_is_observed(warehouse: Warehouse) -> None:
    days, tiers, last = rows(
        warehouse,
        "SELECT count(DISTINCT as_of), count(DISTINCT tier), arg_max(basis, as_of)::VARCHAR FROM marts.market_split_by_tier",
    )[0]
    assert days > 8
    assert tiers == 3
    assert last == "observed"


def test_a_correct_answer_of_a_frontier_model_costs_more_in_price_and_per_task(warehouse: Warehouse) -> None:
    found = rows(
        warehouse,
        "SELECT f.cpm_usd_per_mtok > c.cpm_usd_per_mtok, f.usd_per_task > c.usd_per_task, f.score > c.score "
        "FROM marts.market_split_by_tier f JOIN marts.market_split_by_tier c USING (as_of) "
        "WHERE f.tier = 'frontier_reasoning' AND c.tier = 'commodity' AND f.basis = 'observed'",
    )
    assert found == [(True, True, True)]


def test_yesterdays_prediction_is_kept() -> None:
    yesterday = channels(("inference", "commodity", 1)).with_columns(as_of=pl.lit(date(2025, 12, 31)))
    both = confusion(pl.concat([yesterday, channels(("training", "commodity", 1))]))
    assert both.group_by("as_of").agg(pl.col("agreement").first()).sort("as_of")["agreement"].to_list() == [0.0, 1.0]
