"""`iecon allocate`: answers a person can check by eye, with their evidence, and errors that list what exists."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from answers.allocate.answer import allocate
from answers.allocate.record import Allocation, AllocationError, BudgetQuestion, Option
from tests.refreshed import iecon

ASKED = BudgetQuestion(benchmark="aime24", base="deepseek-v3", budget_usd=1e6, queries=1e7)


@pytest.fixture
def latest(refreshed: Path) -> Path:
    return refreshed / "releases" / "latest.duckdb"


def by_channel(found: Allocation) -> dict[str, Option]:
    """The first option of each channel."""
    return {option.channel: option for option in reversed(found.options)}


def test_aime_with_deepseek_v3(latest: Path) -> None:
    found = allocate(ASKED, warehouse=latest)
    assert (found.base, found.benchmark, found.n, found.accuracy) == ("DeepSeek-V3", "aime24", 30, 0.392)
    assert found.accuracy_low < found.accuracy < found.accuracy_high
    options = by_channel(found)
    assert set(options) == {"train", "sample", "verify", "buy"}
    # $294,000 are the step; the rest of the million pays for answers as much longer as R1's are in use.
    assert options["train"].spend_usd == pytest.approx(1e6)
    assert 0.392 < options["train"].accuracy < 0.798
    assert found.answer in ("train", "buy")
    assert not found.certain  # 30 questions, and tokens that are borrowed
    assert any("tokens per answer" in each for each in found.borrowed)


def test_a_budget_that_pays_for_all_reaches_the_measured_step(latest: Path) -> None:
    found = allocate(replace(ASKED, budget_usd=1e8), warehouse=latest)
    assert by_channel(found)["train"].accuracy == pytest.approx(0.798, abs=1e-3)


@pytest.mark.parametrize(("base", "certain"), [("gpt-5 (medium)", False), ("gpt-4o-mini-2024-07-18", True)])
def test_certain_beats_what_is_run_now_also_where_nothing_else_is_offered(latest: Path, base: str, certain: bool) -> None:
    """gpt-5 (high) solves three of 225 more than medium: no interval tells them apart, however few options there are."""
    question = BudgetQuestion(benchmark="aider_polyglot", base=base, budget_usd=1e2, queries=1e5)
    found = allocate(question, warehouse=latest)
    assert found.certain is certain
    assert (found.options[0].accuracy_low > found.accuracy_high) is certain
    assert not (found.certain and found.borrowed)


def test_the_interval_of_samples_is_that_of_their_own_number(latest: Path) -> None:
    """Hardly any money buys hardly more than one sample: the interval shrinks onto the base, far from that of the next knot."""
    little = by_channel(allocate(replace(ASKED, budget_usd=5e3), warehouse=latest))["sample"]
    much = by_channel(allocate(replace(ASKED, budget_usd=1e8), warehouse=latest))["sample"]
    assert little.accuracy_low < little.accuracy < little.accuracy_high
    assert little.accuracy == pytest.approx(0.392, abs=0.01)
    assert little.accuracy_low < much.accuracy_low


def test_a_model_whose_tokens_are_not_known_is_borrowed_with_an_interval(latest: Path) -> None:
    bought = [option for option in allocate(ASKED, warehouse=latest).options if option.channel == "buy"]
    assert bought
    assert all(option.borrowed and option.borrows for option in bought)
    assert all(" times that" in option.evidence for option in bought)


def test_measured_dollars_come_before_assumed_ones(latest: Path) -> None:
    """Aider's leaderboard bills both the base and what would replace it: nothing is borrowed."""
    found = allocate(replace(ASKED, benchmark="aider_polyglot", base="gpt-4o", budget_usd=1e4, queries=1e6), warehouse=latest)
    assert found.cost_basis.startswith("measured: gpt-4o")
    assert found.borrowed == ()
    assert len(found.options) > 20
    assert all(option.evidence.startswith("measured") for option in found.options)


def test_a_cost_of_ones_own_and_a_worth_rank_by_what_is_left(latest: Path) -> None:
    asked = replace(
        ASKED, benchmark="aider_polyglot", base="gpt-4o", budget_usd=1e5, queries=1e6, usd_per_sample=0.03, value_usd=0.02
    )
    found = allocate(asked, warehouse=latest)
    assert found.cost_basis == "given"
    best = found.options[0]
    assert best.net_usd == pytest.approx(0.02 * best.extra_correct - (best.spend_usd or 0.0))
    assert best.net_usd == max(option.net_usd for option in found.options if option.net_usd is not None)
    worthless = allocate(replace(asked, base="gpt-5 (high)", usd_per_sample=None, value_usd=1e-9), warehouse=latest)
    assert worthless.answer is None or (worthless.options[0].net_usd or 0.0) > 0


def test_an_accuracy_of_ones_own_stands_on_the_items_of_the_benchmark(latest: Path) -> None:
    asked = replace(ASKED, benchmark="gpqa_diamond", base="gpt-5-mini", accuracy=0.8, tokens_per_answer=5_000, tokens_in=400)
    found = allocate(asked, warehouse=latest)
    assert (found.n, found.accuracy, found.base_model) == (198, 0.8, "gpt-5-mini")
    assert found.usd_per_query == pytest.approx((5_000 * 2.0 + 400 * 0.25) / 1e6)
    with pytest.raises(AllocationError, match="livecodebench has is not known: give --items"):
        allocate(replace(asked, benchmark="livecodebench"), warehouse=latest)


def test_every_option_has_n_interval_and_evidence(latest: Path) -> None:
    for option in allocate(ASKED, warehouse=latest).options:
        assert option.n == 30
        assert option.accuracy_low <= option.accuracy <= option.accuracy_high
        assert "n 30" in option.evidence
        assert option.spend_usd is None or option.spend_usd <= ASKED.budget_usd * (1 + 1e-9)


def test_the_one_that_adds_most_goes_first_and_the_cheaper_of_equals(latest: Path) -> None:
    priced = [option for option in allocate(ASKED, warehouse=latest).options if option.spend_usd is not None]
    order = [(-float(f"{option.extra_correct:.6g}"), option.spend_usd) for option in priced]
    assert order == sorted(order)


def test_what_is_borrowed_says_so(latest: Path) -> None:
    options = by_channel(allocate(ASKED, warehouse=latest))
    assert "borrowed from QwQ-32B-preview" in options["sample"].evidence
    assert "its own" in options["train"].evidence
    assert "no document prices it" in options["verify"].evidence


def test_a_base_with_its_own_curve_uses_it(latest: Path) -> None:
    found = allocate(replace(ASKED, base="o1-mini", usd_per_mtok=4.4), warehouse=latest)  # no longer sold
    assert "its own curve" in by_channel(found)["sample"].evidence
    assert "train" not in by_channel(found)
    assert any("--training-usd" in note for note in found.notes)


def test_stated_training_dollars_borrow_the_step(latest: Path) -> None:
    found = allocate(replace(ASKED, base="o1-mini", training_usd=1e7, usd_per_mtok=4.4), warehouse=latest)
    assert "borrowed from DeepSeek-V3" in by_channel(found)["train"].evidence


def test_conditions_are_those_of_the_frontier_at_the_questions_own_dollars(latest: Path) -> None:
    verdicts = allocate(ASKED, warehouse=latest).verdicts
    found = allocate(ASKED, warehouse=latest)
    assert verdicts["dollar_ratio"] == pytest.approx(found.usd_per_query * ASKED.queries / 5_576_000)
    assert verdicts["published"] == "training"
    few = allocate(replace(ASKED, queries=1e5), warehouse=latest).verdicts
    assert (few["published"], few["lagrangian"]) == ("training", "inference")


def test_a_flip_is_where_the_answer_turns(latest: Path) -> None:
    found = allocate(replace(ASKED, budget_usd=1e4), warehouse=latest)
    below = allocate(replace(ASKED, budget_usd=1e4, usd_per_mtok=found.usd_per_mtok, queries=1e3), warehouse=latest)
    assert found.flips
    assert all(flip.split(":")[-1].strip() for flip in found.flips)
    assert below.options[0].extra_correct <= 1e3


def test_dearer_answers_buy_fewer_samples(latest: Path) -> None:
    cheap, dear = (
        by_channel(allocate(replace(ASKED, usd_per_mtok=price), warehouse=latest))["sample"].accuracy for price in (1.0, 10.0)
    )
    assert dear < cheap


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"benchmark": "mmlu"}, "unknown benchmark mmlu; known are aider_polyglot, aime, aime24"),
        ({"benchmark": "gpqa_diamnd"}, "did you mean gpqa_diamond"),
        ({"benchmark": "aime"}, "deepseek-v3 is not measured on aime; it is on aime24"),
        ({"accuracy": 1.5}, "--accuracy must lie between 0 and 1"),
        ({"base": "gpt-9"}, "gpt-9 is not measured on aime24.*bases there are"),
        ({"budget_usd": 0.0}, "--budget and --queries must be above 0"),
        ({"base": "r1-distill-qwen-1.5b", "benchmark": "swe_bench_lite"}, "bases there are claude-3.5-sonnet"),
    ],
)
def test_a_question_that_cannot_be_answered_says_what_exists(latest: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(AllocationError, match=message):
        allocate(replace(ASKED, **change), warehouse=latest)


def test_no_answer_length_is_asked_for(latest: Path) -> None:
    question = replace(ASKED, benchmark="humaneval", base="my-model", accuracy=0.6, usd_per_mtok=2.0)
    with pytest.raises(AllocationError, match=r"no answer length is known on humaneval .*give --tokens-out"):
        allocate(question, warehouse=latest)
    found = allocate(replace(question, tokens_per_answer=20_000), warehouse=latest)
    assert found.tokens_basis == "given"
    with pytest.raises(AllocationError, match="no price is known for my-model: give --price"):
        allocate(replace(question, usd_per_mtok=None), warehouse=latest)


def test_a_run_with_a_bill_needs_no_answer_length(latest: Path) -> None:
    found = allocate(replace(ASKED, benchmark="swe_bench_lite", base="claude-3.5-sonnet"), warehouse=latest)
    assert found.cost_basis.startswith("measured")
    assert found.tokens_per_answer is None


def test_command_prints_the_answer_and_json(refreshed: Path) -> None:
    asked = ("allocate", "--benchmark", "aime24", "--base", "deepseek-v3", "--budget", "1e6", "--queries", "1e7")
    said = iecon(refreshed, *asked)
    assert said.returncode == 0, said.stderr
    assert "The next dollar goes to" in said.stdout
    assert "What would flip it:" in said.stdout
    record = json.loads(iecon(refreshed, *asked, "--json").stdout)
    assert record["options"][0]["channel"] == record["answer"]


def test_command_exits_with_two_and_one_line_for_an_unknown_base(refreshed: Path) -> None:
    done = iecon(refreshed, "allocate", "--benchmark", "aime24", "--base", "gpt-9", "--budget", "1e6", "--queries", "1e7")
    assert done.returncode == 2
    assert done.stderr.startswith("error: gpt-9 is not measured on")
    assert len(done.stderr.strip().splitlines()) == 1
