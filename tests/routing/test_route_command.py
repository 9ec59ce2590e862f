"""`iecon route`: the verdict on a user's own table, and why a table is refused."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from answers.route.answer import judge
from answers.route.table import BadUsageError, RefusedTableError, read_outcomes
from tests.refreshed import iecon

ITEMS = 600


def outcomes(*, informative: bool, items: int = ITEMS, seed: int = 7) -> pl.DataFrame:
    """The strong model solves 9 of 10; the weak one what is not hard, and costs a twentieth."""
    rng = np.random.default_rng(seed)
    hard = rng.random(items) < 0.3
    score = hard + 0.2 * rng.random(items) if informative else rng.random(items)
    strong = rng.random(items) < 0.9
    sides = (("big", strong, 1.0), ("small", strong & ~hard, 0.05))
    return pl.concat(
        pl.DataFrame(
            {
                "item": np.arange(items),
                "model": [name] * items,
                "correct": correct.astype(np.int64),
                "cost_usd": cost,
                "score": score,
            }
        )
        for name, correct, cost in sides
    )


def table(tmp_path: Path, rows: pl.DataFrame) -> Path:
    rows.write_csv(tmp_path / "mine.csv")
    return tmp_path / "mine.csv"


class TestVerdict:
    def test_score_that_knows_the_hard_items_pays(self, tmp_path: Path) -> None:
        verdict = judge(read_outcomes(table(tmp_path, outcomes(informative=True))))
        assert (verdict["pays"], verdict["policy"], verdict["strong_model"]) == ("yes", "by threshold", "big")
        assert 0.19 < verdict["threshold"] <= 1.2  # easy items score below .2, hard ones from 1 to 1.2
        # 30 % of the items need the strong model, so at best 1 - (.05 + .3 x .95) = 66.5 % is saved.
        assert verdict["saving_against_strong_for_all"]["value"] == pytest.approx(0.665, abs=0.06)
        assert verdict["usd_per_correct"]["high"] < verdict["usd_per_correct_of"]["strong"]["low"]
        assert verdict["quality_of"]["random_at_the_same_share"]["value"] < verdict["quality"]["value"]
        assert verdict["quality"]["value"] <= verdict["quality_of"]["oracle_at_the_same_share"]["value"] + 1e-9

    def test_score_that_knows_nothing_does_not_pay(self, tmp_path: Path) -> None:
        verdict = judge(read_outcomes(table(tmp_path, outcomes(informative=False))), quality=0.8)
        assert verdict["pays"] != "yes"
        assert verdict["quality_kappa"]["low"] < 0 < verdict["quality_kappa"]["high"]

    def test_controller_may_eat_the_saving(self, tmp_path: Path) -> None:
        dear = outcomes(informative=True).with_columns(controller_cost_usd=0.9)
        verdict = judge(read_outcomes(table(tmp_path, dear)))
        assert verdict["pays"] == "no"
        assert verdict["gamma"]["value"] == pytest.approx(0.9, abs=0.05)

    def test_csv_and_parquet_and_any_order_of_rows_agree_on_the_items(self, tmp_path: Path) -> None:
        rows = outcomes(informative=True)
        rows.write_parquet(tmp_path / "mine.parquet")
        one, other = read_outcomes(table(tmp_path, rows)), read_outcomes(tmp_path / "mine.parquet")
        assert np.array_equal(one.items.score, other.items.score)
        assert (one.strong, one.weak) == (other.strong, other.weak) == ("big", "small")

    def test_truths_may_be_numbers_words_or_truth_values(self, tmp_path: Path) -> None:
        rows = outcomes(informative=True)
        read = []
        for kind in (pl.Int64, pl.Float64, pl.Boolean):
            rows.with_columns(pl.col("correct").cast(kind)).write_parquet(tmp_path / "mine.parquet")
            read.append(read_outcomes(tmp_path / "mine.parquet").items.strong_correct)
        words = rows.with_columns(pl.col("correct").cast(pl.Boolean).cast(pl.String))
        read.append(read_outcomes(table(tmp_path, words)).items.strong_correct)
        assert all(np.array_equal(read[0], other) for other in read)

    def test_a_typed_table_with_a_bad_row_names_it_too(self, tmp_path: Path) -> None:
        rows = outcomes(informative=True).with_columns(
            correct=pl.when(pl.int_range(pl.len()) == 2).then(2).otherwise("correct")
        )
        rows.write_parquet(tmp_path / "mine.parquet")
        with pytest.raises(RefusedTableError, match="row 4, column correct: must be 0 or 1, is 2"):
            read_outcomes(tmp_path / "mine.parquet")

    def test_items_the_router_saw_are_left_out(self, tmp_path: Path) -> None:
        rows = outcomes(informative=True).with_columns(seen_by_router=(pl.col("item") < 500).cast(pl.Int64))
        assert judge(read_outcomes(table(tmp_path, rows)))["items"] == 100


class TestRefused:
    @pytest.mark.parametrize(
        ("row", "column", "value", "says"),
        [
            (0, "correct", "2", "row 2, column correct: must be 0 or 1, is 2"),
            (3, "cost_usd", "0", "row 5, column cost_usd: must be a number, above 0, is 0"),
            (3, "cost_usd", "free", "row 5, column cost_usd: must be a number, above 0, is free"),
            (4, "score", "nan", "row 6, column score: must be a number, finite, is nan"),
            (4, "score", "7", "row 6, column score: must be one value per item, is 7"),
            (1, "item", "0", "row 3, column item: must have one row per model, is 0"),
            (1, "item", "x", "row 3, column item: must have a row of small too, is x"),
            (1, "model", None, "row 3, column model: must name a model, is empty"),
        ],
    )
    def test_bad_row_is_named(self, tmp_path: Path, row: int, column: str, value: str | None, says: str) -> None:
        rows = outcomes(informative=True).with_columns(pl.all().cast(pl.String))
        rows[row, column] = value
        with pytest.raises(RefusedTableError) as refused:
            read_outcomes(table(tmp_path, rows))
        assert says in str(refused.value)

    def test_without_held_out_evidence(self, tmp_path: Path) -> None:
        rows = outcomes(informative=True)
        seen = rows.with_columns(seen_by_router=1)
        for bad in (rows.drop("score"), seen, outcomes(informative=True, items=50)):
            with pytest.raises(RefusedTableError, match="no held-out evidence"):
                judge(read_outcomes(table(tmp_path, bad)))

    def test_missing_column(self, tmp_path: Path) -> None:
        with pytest.raises(RefusedTableError, match="column cost_usd"):
            read_outcomes(table(tmp_path, outcomes(informative=True).drop("cost_usd")))

    def test_models_that_are_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(BadUsageError, match="big, small"):
            read_outcomes(table(tmp_path, outcomes(informative=True)), strong="huge")


class TestCommand:
    def test_words_and_json(self, tmp_path: Path) -> None:
        file = table(tmp_path, outcomes(informative=True))
        words = iecon(tmp_path, "route", str(file))
        assert words.returncode == 0, words.stderr
        assert words.stdout.startswith("Routing pays: yes (600 items")
        told = iecon(tmp_path, "route", str(file), "--json", "--strong", "big", "--weak", "small", "--quality", "0.9")
        assert json.loads(told.stdout)["quality_kept_of_the_gap"] == 0.9

    def test_exit_codes(self, tmp_path: Path) -> None:
        file = table(tmp_path, outcomes(informative=True).drop("score"))
        refused = iecon(tmp_path, "route", str(file))
        assert refused.returncode == 1
        assert "mine.csv: column score: no held-out evidence" in refused.stderr
        assert iecon(tmp_path, "route", str(file), "--strong", "huge").returncode == 2
        assert iecon(tmp_path, "route", str(tmp_path / "none.csv")).returncode == 2
        assert iecon(tmp_path, "route", str(file), "--quality", "3").returncode == 2
