"""Tables as people have them: long or wide, any separator, JSON, logs of router benchmarks; and why one is refused."""

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from answers.route.answer import Options, read_table
from answers.route.columns import parsed_map
from answers.route.files import BadUsageError, RefusedTableError
from answers.route.prices import Price, parsed_prices
from answers.route.table import Reading, Table, read_outcomes
from tests.routing.outcomes_made_up import long_table, two_models, written

ITEMS = 40


def rows(**columns: object) -> pl.DataFrame:
    return long_table(*two_models(items=ITEMS, seed=2), **columns)


def read(file: Path, **options: object) -> Table:
    return read_table([file], Options(**options))  # type: ignore[arg-type]


class TestFormats:
    @pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
    def test_any_separator(self, tmp_path: Path, separator: str) -> None:
        rows().write_csv(tmp_path / "mine.csv", separator=separator)
        table = read(tmp_path / "mine.csv")
        assert table.models == ("S", "W")
        assert table.quality.shape == (ITEMS, 2)

    def test_decimal_commas(self, tmp_path: Path) -> None:
        (tmp_path / "mine.csv").write_text("item;model;correct;cost_usd;score\na;S;1;0,25;0,5\na;W;0;0,05;0,5\n")
        assert read(tmp_path / "mine.csv").cost.tolist() == [[0.25, 0.05]]

    def test_json_jsonl_and_parquet_are_the_same_table(self, tmp_path: Path) -> None:
        made = rows()
        made.write_parquet(tmp_path / "mine.parquet")
        (tmp_path / "rows.json").write_text(json.dumps(made.to_dicts()))
        (tmp_path / "columns.json").write_text(json.dumps(made.to_dict(as_series=False)))
        made.write_ndjson(tmp_path / "mine.jsonl")
        wanted = read(written(made, tmp_path))
        for name in ("mine.parquet", "rows.json", "columns.json", "mine.jsonl"):
            found = read(tmp_path / name)
            assert np.array_equal(found.quality, wanted.quality), name
            assert np.array_equal(found.scores["score"], wanted.scores["score"]), name

    def test_several_files_are_one_table(self, tmp_path: Path) -> None:
        made = rows()
        first = written(made.filter(pl.col("model") == "S"), tmp_path, "s.csv")
        second = written(made.filter(pl.col("model") == "W"), tmp_path, "w.csv")
        assert read_table([first, second]).quality.shape == (ITEMS, 2)

    def test_routerbench(self, tmp_path: Path) -> None:
        head = "sample_id,prompt,eval_name,gpt-4,mixtral,gpt-4|model_response,gpt-4|total_cost,mixtral|total_cost,oracle_model"
        (tmp_path / "wide.csv").write_text(
            f"{head}\nm.1,p,mmlu,1.0,0.5,x,0.001,0.0001,gpt-4\nm.2,pp,mmlu,0,1,x,0.002,0.0002,mixtral\n"
        )
        table = read(tmp_path / "wide.csv")
        assert table.models == ("gpt-4", "mixtral")
        assert table.quality.tolist() == [[1.0, 0.5], [0.0, 1.0]]
        assert table.cost.tolist() == [[0.001, 0.0001], [0.002, 0.0002]]
        assert table.items["category"].to_list() == ["mmlu", "mmlu"]

    def test_routellm_pays_by_the_length_of_prompts_and_answers(self, tmp_path: Path) -> None:
        (tmp_path / "mmlu_x.csv").write_text(
            "prompt,gpt-4-1106-preview,mistralai/Mixtral-8x7B,mistralai/Mixtral-8x7B_response\nabcdefgh,True,False,yes!\n"
        )
        table = read(tmp_path / "mmlu_x.csv", price=["gpt-4-1106-preview=10", "mistralai/Mixtral-8x7B=1/2"])
        assert table.models == ("gpt-4-1106-preview", "mistralai/Mixtral-8x7B")
        assert table.quality.tolist() == [[1.0, 0.0]]
        assert table.cost[0] == pytest.approx([2 * 10 / 1e6, (2 * 1 + 1 * 2) / 1e6])
        assert list(table.scores) == ["prompt_length"]

    def test_llmrouterbench_log(self, tmp_path: Path) -> None:
        for model, score in (("a", 1.0), ("b", 0.0)):
            log = {
                "model_name": model,
                "dataset_name": "aime",
                "records": [{"index": 1, "prompt_tokens": 9, "completion_tokens": 5, "cost": 0.01, "score": score}],
            }
            (tmp_path / f"{model}.json").write_text(json.dumps(log))
        table = read_table([tmp_path / "a.json", tmp_path / "b.json"])
        assert (table.models, table.quality.tolist()) == (("a", "b"), [[1.0, 0.0]])
        assert table.items["category"].to_list() == ["aime"]

    def test_routerarena_routers_and_models(self, tmp_path: Path) -> None:
        def said(model: str, accuracy: float, item: str) -> dict[str, object]:
            return {"global index": item, "prediction": model, "accuracy": accuracy, "cost": 0.1 if model == "a" else 0.01}

        (tmp_path / "all_a.json").write_text(json.dumps([said("a", 1.0, "x"), said("a", 1.0, "y")]))
        (tmp_path / "all_b.json").write_text(json.dumps([said("b", 1.0, "x"), said("b", 0.0, "y")]))
        (tmp_path / "mine.json").write_text(json.dumps([said("b", 1.0, "x"), said("a", 1.0, "y")]))
        table = read_table([tmp_path / name for name in ("all_a.json", "all_b.json", "mine.json")])
        assert table.models == ("a", "b")
        assert table.routers["strategy"].unique().to_list() == ["mine"]
        (tmp_path / "cached.jsonl").write_text(
            json.dumps({"global_index": "x", "llm_selected": "c", "evaluation_result": {"score": 1, "inference_cost": 0.2}})
        )
        assert read_table([tmp_path / "all_a.json", tmp_path / "cached.jsonl"]).models == ("a", "c")

    def test_llmrouter_rows(self, tmp_path: Path) -> None:
        row = {"task_name": "gsm8k", "query": "How many?", "input_tokens": 10, "output_tokens": 20}
        lines = [{**row, "model_name": name, "performance": good} for name, good in (("a", 1.0), ("b", 0.25))]
        (tmp_path / "routing_data.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
        table = read(tmp_path / "routing_data.jsonl", price=["a=1/2", "b=.1/.2"])
        assert table.quality.tolist() == [[1.0, 0.25]]
        assert table.cost[0] == pytest.approx([5e-5, 5e-6])

    def test_logs_that_correct_reads_are_read_too(self, tmp_path: Path) -> None:
        log = {
            name: {f"x-{at}": {"resolved": at % 2 == 0, "cost": cost, "api_calls": 3} for at in range(4)}
            for name, cost in (("big", 0.5), ("small", 0.05))
        }
        (tmp_path / "info_for_leaderboard.json").write_text(json.dumps(log))
        for where in (tmp_path / "info_for_leaderboard.json", tmp_path):
            table = read(where)
            assert (table.models, table.quality[:, 0].tolist()) == (("big", "small"), [1.0, 0.0, 1.0, 0.0])
            assert table.cost[0].tolist() == [0.5, 0.05]
        (tmp_path / "odd.yml").write_text("a: 1\n")
        with pytest.raises(BadUsageError, match="evaluation logs with outcomes"):
            read(tmp_path / "odd.yml")


class TestShapes:
    def test_names_of_columns_can_be_said(self, tmp_path: Path) -> None:
        named = rows().rename({"item": "which", "correct": "graded", "cost_usd": "money", "score": "hardness"})
        said = ["item=which,correct=graded", "cost_usd=money", "score=hardness"]
        assert read(written(named, tmp_path), mapping=said).quality.shape == (ITEMS, 2)

    def test_a_name_that_is_not_there_is_answered_with_the_nearest(self, tmp_path: Path) -> None:
        file = written(rows(), tmp_path)
        with pytest.raises(BadUsageError, match="did you mean correct"):
            parsed_map(["corect=x"])
        with pytest.raises(BadUsageError, match="did you mean score"):
            read(file, mapping=["score=scor"])
        with pytest.raises(BadUsageError, match="did you mean item"):
            read(file, where=["itm=3"])
        with pytest.raises(BadUsageError, match="there are S, W"):
            read(file, free=["gpt-9"])

    def test_samples_are_averaged_by_item(self, tmp_path: Path) -> None:
        text = "item,model,correct,cost_usd,score\nr,haiku,True,0.04,1\nr,haiku,False,0.10,1\nr,sonnet,True,0.285,1\n"
        (tmp_path / "mine.csv").write_text(text)
        table = read(tmp_path / "mine.csv")
        assert table.quality.tolist() == [[0.5, 1.0]]
        assert table.cost[0] == pytest.approx([0.07, 0.285])
        assert table.notes == ("haiku: 2 samples of 1 items, their mean per item",)

    def test_a_missing_outcome_leaves_its_item_out_and_is_counted(self, tmp_path: Path) -> None:
        made = rows().with_columns(pl.when(pl.int_range(pl.len()) == 3).then(None).otherwise("cost_usd").alias("cost_usd"))
        table = read(written(made[:-2], tmp_path))
        assert table.missing == {"S": 1, "W": 2}
        assert len(table.quality) == ITEMS - 3

    def test_rows_can_be_picked(self, tmp_path: Path) -> None:
        made = rows(split=["test" if at % 2 else "dev" for at in range(ITEMS)])
        assert len(read(written(made, tmp_path), where=["split=test"]).quality) == ITEMS // 2

    def test_words_and_grades_count_as_correct(self, tmp_path: Path) -> None:
        text = "item,model,correct,cost_usd\na,S,yes,1\na,W,false,.1\nb,S,0.75,1\nb,W,0,.1\n"
        (tmp_path / "mine.csv").write_text(text)
        assert read(tmp_path / "mine.csv").quality.tolist() == [[1.0, 0.0], [0.75, 0.0]]

    def test_scores_that_are_asked_for(self, tmp_path: Path) -> None:
        file = written(rows(mine=np.arange(ITEMS).astype(float)), tmp_path)
        assert list(read(file).scores) == ["score"]
        assert list(read(file, scores=["mine", "score"]).scores) == ["mine", "score"]
        assert read(file, scores=["mine"], low_is_hard=True).scores["mine"][3] == -3.0


class TestPrices:
    def test_said_prices_replace_what_the_table_states(self, tmp_path: Path) -> None:
        file = written(rows(input_tokens=1_000, output_tokens=100), tmp_path)
        assert read(file).cost.mean(axis=0).tolist() == [1.0, pytest.approx(0.1)]
        cost = read(file, price=["S=2.5/10"]).cost
        assert cost.mean(axis=0) == pytest.approx([0.0035, 0.1])

    def test_one_number_is_both_and_nonsense_is_refused(self) -> None:
        assert parsed_prices(["a/b=c=3"])["a/b=c"] == Price(input_usd_per_mtok=3.0, output_usd_per_mtok=3.0, basis="as you say")
        for bad in ("x", "x=", "x=-1", "x=1/2/3/4", "x=a"):
            with pytest.raises(BadUsageError, match="MODEL=INPUT/OUTPUT"):
                parsed_prices([bad])

    def test_without_a_warehouse_the_way_out_is_named(self, tmp_path: Path) -> None:
        file = written(rows(input_tokens=1, output_tokens=1).drop("cost_usd"), tmp_path)
        with pytest.raises(BadUsageError, match="--price S=INPUT/OUTPUT"):
            read(file)


class TestRefused:
    @pytest.mark.parametrize(
        ("row", "column", "value", "says"),
        [
            (0, "correct", "2", "row 2, column correct: must be a number from 0 to 1, is 2"),
            (0, "correct", "maybe", "row 2, column correct: must be a number from 0 to 1, is maybe"),
            (3, "cost_usd", "0", "row 5, column cost_usd: must be above 0"),
            (3, "cost_usd", "-1", "row 5, column cost_usd: must be a number, 0 or above, is -1"),
            (3, "cost_usd", "free", "row 5, column cost_usd: must be a number, 0 or above, is free"),
            (4, "score", "nan", "row 6, column score: must be a number, finite, is nan"),
            (4, "score", "7", "column score: must be one value per item"),
            (1, "model", None, "row 3, column model: must name a model, is empty"),
            (1, "item", None, "row 3, column item: must name an item, is empty"),
        ],
    )
    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    def test_bad_cell_is_named(self, tmp_path: Path, row: int, column: str, value: str | None, says: str, kind: str) -> None:
        made = rows().with_columns(pl.all().cast(pl.String))
        made[row, column] = value
        file = tmp_path / f"mine.{kind}"
        getattr(made, f"write_{kind}")(file)
        with pytest.raises(RefusedTableError) as refused:
            read(file)
        assert says in str(refused.value)

    def test_many_bad_cells_are_five_and_a_count(self, tmp_path: Path) -> None:
        file = written(rows().with_columns(correct=pl.lit(3)), tmp_path)
        with pytest.raises(RefusedTableError) as refused:
            read(file)
        assert str(refused.value).splitlines()[-1] == "and 75 more in column correct"

    def test_an_empty_table_is_said_to_be_empty(self, tmp_path: Path) -> None:
        (tmp_path / "head.csv").write_text("item,model,correct,cost_usd,score\n")
        (tmp_path / "none.csv").write_text("")
        for name, says in (("head.csv", "the table is empty: it has a header and no rows"), ("none.csv", "none.csv is empty")):
            with pytest.raises(RefusedTableError, match=re.escape(says)):
                read(tmp_path / name)

    def test_a_table_of_something_else_says_what_it_has(self, tmp_path: Path) -> None:
        (tmp_path / "odd.csv").write_text("a,b\nx,y\n")
        with pytest.raises(RefusedTableError, match="it has a, b"):
            read(tmp_path / "odd.csv")

    def test_files_that_are_not_there_or_no_tables(self, tmp_path: Path) -> None:
        for name in ("none.csv", "none.xlsx"):
            with pytest.raises(BadUsageError, match=name):
                read(tmp_path / name)
        (tmp_path / "broken.json").write_text("{")
        with pytest.raises(RefusedTableError, match=r"broken\.json cannot be read"):
            read(tmp_path / "broken.json")

    def test_one_item_twice_in_a_wide_table(self, tmp_path: Path) -> None:
        (tmp_path / "wide.csv").write_text("item,a_correct,b_correct,a_cost,b_cost\nx,1,0,1,1\nx,0,0,1,1\n")
        with pytest.raises(RefusedTableError, match="row 3, column item: must be one row per item"):
            read(tmp_path / "wide.csv")


def test_the_reading_is_the_same_by_function(tmp_path: Path) -> None:
    file = written(rows(), tmp_path)
    assert np.array_equal(read_outcomes([file], reading=Reading()).cost, read(file).cost)
