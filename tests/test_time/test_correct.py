"""`iecon correct`: dollars per correct answer by hand, errors as asked, prices of the day, and what the command prints."""

import csv
import json
import re
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from answers.allocate.benchmarks import GROWING, ITEMS
from answers.correct import Correct, CorrectError, RunCost, correct
from answers.correct.drawing import draw_svg
from answers.correct.overview import QUERY
from tests.refreshed import iecon
from tests.test_time.evaluation_log_files import inspect_json, swe_bench, tau_bench

TODAY = date(2026, 11, 30)


def table(folder: Path, text: str) -> Path:
    path = folder / "attempts.csv"
    path.write_text(text)
    return path


def only(answer: Correct) -> RunCost:
    (run,) = answer.runs
    return run


def test_a_correct_answer_costs_the_bill_over_the_correct_answers(tmp_path: Path) -> None:
    run = only(correct([table(tmp_path, "item,model,correct,cost_usd\na,one,1,0.2\nb,one,0,0.3\nc,one,1,0.1\n")]))
    assert run.usd_per_correct.value == pytest.approx(0.3)
    assert run.usd_per_item == pytest.approx(0.2)
    assert run.accuracy.value == pytest.approx(2 / 3)
    assert run.usd_per_correct.low is not None
    assert run.usd_per_correct.low < 0.3


BROKEN = "item,model,sample,correct,cost_usd,error\na,one,0,1,0.2,\na,one,1,,0.1,timeout\nb,one,0,0,0.3,\nb,one,1,1,0.2,\n"


@pytest.mark.parametrize(
    ("errors", "accuracy", "cost"),
    [
        ("wrong", 2 / 4, 0.8 / 2),  # 4 answers, one of them broken and so wrong
        ("left-out", 2 / 3, 0.8 / 2),  # 3 answers; what the broken one cost stays
        ("retried", 3 / 4, (0.8 + 0.7 / 3) / 3),  # asked again: as right as item a else, at the mean of the three others
    ],
)
def test_an_error_counts_as_asked(errors: str, accuracy: float, cost: float, tmp_path: Path) -> None:
    run = only(correct([table(tmp_path, BROKEN)], errors=errors))
    assert (run.errors, run.errors_counted) == (1, errors)
    assert run.accuracy.value == pytest.approx(accuracy)
    assert run.usd_per_correct.value == pytest.approx(cost)


def test_a_missing_bill_is_not_zero(tmp_path: Path) -> None:
    run = only(correct([table(tmp_path, "item,model,correct,cost_usd\na,one,1,0.2\nb,one,1,\nc,one,0,0.4\n")]))
    assert run.spend["subject"].records_without_usd == 1
    assert run.usd_per_correct.value == pytest.approx(0.9 / 2)  # the unknown one at the mean of the others, 0.3
    assert run.usd_per_correct_if_unknown_is_free == pytest.approx(0.6 / 2)
    unknown = only(correct([table(tmp_path, "item,model,correct,cost_usd\na,one,1,0.2\nb,one,1,\nc,one,0,\n")]))
    assert unknown.usd_per_correct.value is None
    assert "neither dollars nor tokens" in unknown.notes[0]


def test_judge_simulated_user_and_thrown_away_tries_are_apart(tmp_path: Path) -> None:
    run = only(correct([inspect_json(tmp_path)]))
    assert set(run.spend) == {"subject", "judge", "retry"}
    # 0.004 by two of four attempts, two at their mean, and 0.002 for tries that were thrown away.
    assert run.usd_per_correct.value == pytest.approx(0.004 + 2 * 0.002 + 0.002)
    assert run.usd_per_correct_all_roles is None  # the judge's price is not known
    simulated = only(correct([tau_bench(tmp_path)]))
    assert simulated.usd_per_correct.value is None
    assert simulated.spend["simulator"].usd == pytest.approx(0.002)


def test_one_cascade_by_hand(tmp_path: Path) -> None:
    """mini on all three is $.3, big on the two it failed $.8: $1.1 for the two that either solves."""
    text = "item,model,correct,cost_usd\na,mini,1,0.1\nb,mini,0,0.1\nc,mini,0,0.1\na,big,1,0.4\nb,big,1,0.4\nc,big,0,0.4\n"
    answer = correct([table(tmp_path, text)])
    (pair,) = answer.pairs
    assert pair.cascade_order == ("mini", "big")
    assert pair.union_accuracy == pytest.approx(2 / 3)
    assert pair.cascade_usd_per_correct.value == pytest.approx((0.3 + 0.8) / 2)
    assert pair.union_usd_per_correct == pytest.approx((0.3 + 1.2) / 2)
    assert pair.usd_per_correct_difference.value == pytest.approx(0.3 / 1 - 1.2 / 2)
    ways = {way.way: way.needs_check for way in answer.ways}
    assert ways == {"mini": False, "big": False, "mini, then big": True}


def test_curves_keep_coverage_vote_and_selector_apart(tmp_path: Path) -> None:
    rows = ["item,model,sample,correct,cost_usd,answer,verifier_score"]
    for item, right, answers in (("a", "1100", "xxyz"), ("b", "0001", "xxxy"), ("c", "1111", "xxxx")):
        rows += [f"{item},one,{at},{right[at]},0.1,{answers[at]},{0.1 * at}" for at in range(4)]
    run = only(correct([table(tmp_path, "\n".join(rows) + "\n")]))
    at_four = {point.selection: point for point in run.curve if point.samples == 4}
    assert {name: point.accuracy.value for name, point in at_four.items()} == pytest.approx(
        {"coverage": 1.0, "vote": 2 / 3, "selector": 2 / 3}
    )
    assert at_four["vote"].usd_per_correct.value == pytest.approx(3 * 0.4 / 2)
    at_one = {point.selection: point.accuracy.value for point in run.curve if point.samples == 1}
    assert at_one == pytest.approx({"coverage": 7 / 12, "vote": 7 / 12, "selector": 7 / 12})


PRICED = (
    "item,model,correct,input_tokens,cached_tokens,output_tokens,reasoning_tokens,batch,date\n"
    "a,gpt-5-mini,1,1000,400,2000,1500,0,2026-11-20\nb,gpt-5-mini,0,1000,0,1000,0,1,2026-11-20\n"
)


def test_tokens_cost_what_their_kind_costs_on_the_day(tmp_path: Path, refreshed: Path) -> None:
    """600 in at $.25, 400 from cache at $.025, 2,000 out at $2 a million; the second half price, as a batch."""
    warehouse = refreshed / "releases" / "latest.duckdb"
    run = only(correct([table(tmp_path, PRICED)], warehouse=warehouse, today=TODAY))
    first = (600 * 0.25 + 400 * 0.025 + 2000 * 2.0) / 1e6
    assert run.spend["subject"].usd == pytest.approx(first + (1000 * 0.25 + 1000 * 2.0) / 1e6 / 2)
    assert (run.usd_basis, run.canonical_model) == ("price", "gpt-5-mini")
    assert run.reasoning_multiplier == pytest.approx(3000 / 1500)


def test_a_price_date_prices_all_tokens_anew(tmp_path: Path, refreshed: Path) -> None:
    warehouse = refreshed / "releases" / "latest.duckdb"
    stated = table(tmp_path, "item,model,correct,input_tokens,output_tokens,cost_usd\na,gpt-5-mini,1,1000,1000,9.0\n")
    assert only(correct([stated], warehouse=warehouse)).usd_per_correct.value == 9.0
    anew = only(correct([stated], warehouse=warehouse, price_date=TODAY))
    assert anew.usd_per_correct.value == pytest.approx((1000 * 0.25 + 1000 * 2.0) / 1e6)
    with pytest.raises(CorrectError, match="iecon refresh"):
        correct([stated], price_date=TODAY)


def test_a_file_that_is_not_there_and_a_word_that_is_not_known_are_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(CorrectError, match="no such file") as missing:
        correct([tmp_path / "none.json"])
    assert missing.value.code == 2
    with pytest.raises(CorrectError, match="known are wrong, left-out, retried"):
        correct([swe_bench(tmp_path)], errors="ignored")


def test_the_command_prints_words_json_rows_and_a_figure(tmp_path: Path) -> None:
    log, rows, figure = swe_bench(tmp_path), tmp_path / "out.csv", tmp_path / "out.svg"
    told = iecon(tmp_path / "data", "correct", str(log), "--csv", str(rows), "--svg", str(figure), COLUMNS="80")
    assert told.returncode == 0, told.stderr
    assert "one on swe_bench_verified: $0.6 (" in told.stdout
    assert "two on swe_bench_verified: $0.05 (" in told.stdout
    found = json.loads(iecon(tmp_path / "data", "correct", str(log), "--json").stdout)
    assert [run["correct"] for run in found["runs"]] == [1.0, 2.0, 0.0]
    kinds = {row["kind"] for row in csv.DictReader(rows.open())}
    assert kinds == {"run", "way"}
    assert figure.read_bytes().startswith(b"<svg")


def test_the_command_refuses_what_it_cannot_read_in_one_line(tmp_path: Path) -> None:
    other = tmp_path / "x.txt"
    other.write_text("hello")
    told = iecon(tmp_path / "data", "correct", str(other))
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.strip() == f"rejected {other}: no known format of evaluation logs"
    assert iecon(tmp_path / "data", "correct", str(tmp_path / "none")).returncode == 2


def test_overview_names_what_is_known_of_each_benchmark_and_what_is_missing(refreshed: Path) -> None:
    rows = json.loads(iecon(refreshed, "correct", "--overview", "--json").stdout)
    known = {row["benchmark"] for row in rows if row["missing"] is None}
    missing = {row["benchmark"]: row["missing"] for row in rows if row["missing"] is not None}
    assert {"aider_polyglot", "arc_agi_2_semi_private", "swe_bench_lite"} <= known
    assert not known & set(missing)
    assert missing["humaneval"].startswith("no result")
    assert missing["gpqa_diamond"].startswith("accuracies without a bill")
    assert missing["hal_tau_bench_airline"].startswith("bills without a number of questions")
    costs = [row["usd_per_correct"] for row in rows if row["benchmark"] == "aider_polyglot"]
    assert costs == sorted(costs)
    told = iecon(refreshed, "correct", "--overview").stdout
    assert "swe_bench_lite" in told
    assert "dearer, with --json" in told


def test_overview_asks_for_every_benchmark_that_allocate_knows() -> None:
    asked = set(re.findall(r"\('([a-z0-9_]+)'\)", QUERY.read_text()))
    assert asked == {*ITEMS, *GROWING}


def test_kept_runs_enter_the_warehouse_and_can_be_listed_and_forgotten(tmp_path: Path, refreshed: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(refreshed, data)
    told = iecon(data, "correct", str(swe_bench(tmp_path)), "--keep")
    assert told.returncode == 0, told.stderr
    (entry,) = json.loads(iecon(data, "correct", "--list", "--json").stdout)
    assert entry["runs"] == ["free on swe_bench_verified", "one on swe_bench_verified", "two on swe_bench_verified"]

    def own(table: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(data / "releases" / "latest.duckdb"), read_only=True) as connection:
            return connection.sql(
                f"SELECT system, usd_per_task, corrected_usd_per_correct FROM {table} WHERE basis = 'own' ORDER BY 1"
            ).fetchall()

    # The free one has no known cost, so that it is no run of the marts.
    assert own("marts.cost_per_correct") == [
        ("one", pytest.approx(0.3), pytest.approx(0.6)),
        ("two", pytest.approx(0.05), pytest.approx(0.05)),
    ]
    assert [row[0] for row in own("marts.cost_per_correct_frontier")] == ["two"]
    assert iecon(data, "correct", "--forget", "0" * 12).returncode == 1
    assert iecon(data, "correct", "--forget", entry["id"]).returncode == 0
    assert own("marts.cost_per_correct") == []


def test_nothing_is_drawn_without_a_cost(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_svg(correct([table(tmp_path, "item,model,correct\na,one,1\nb,one,0\n")]))
