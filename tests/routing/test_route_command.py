"""`iecon route`: the decision on a user's own table, as words and JSON; the cases met in public tables."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import iecon as iecon_package
from answers.route.answer import Options, decide, read_table
from answers.route.copies import groups_of
from answers.route.files import BadUsageError
from answers.route.judge import decide_routing
from answers.route.reading import NO_ROUTERS, Table
from answers.route.record import Asked, Decision
from answers.route.text import as_json, policy_file, words
from tests.refreshed import iecon
from tests.routing.outcomes_made_up import long_table, two_models, written

CASES = Path(__file__).parents[3] / "shared" / "data" / "cases" / "routing"
ROUTELLM = CASES.parents[1] / "routing" / "routellm" / "routellm_pairwise_correctness.csv"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="the collected tables of other people's are not here")


def outcomes(*, items: int = 600, seed: int = 7, hard: float = 0.3, **columns: object) -> pl.DataFrame:
    """The strong model solves 9 of 10; the weak one what is not hard, and costs a twentieth; the score knows which."""
    rng = np.random.default_rng(seed)
    is_hard = rng.random(items) < hard
    strong = rng.random(items) < 0.9
    quality = np.column_stack([strong, strong & ~is_hard]).astype(float)
    cost = np.tile([1.0, 0.05], (items, 1))
    return long_table(is_hard + 0.2 * rng.random(items), quality, cost, **columns)


def decided(rows: pl.DataFrame, folder: Path, asked: Asked | None = None, **options: object) -> Decision:
    return decide([written(rows, folder)], asked=asked, options=Options(**options))  # type: ignore[arg-type]


class TestDecision:
    def test_a_score_that_knows_the_hard_items_pays(self, tmp_path: Path) -> None:
        decision = decided(outcomes(), tmp_path)
        best = decision.best
        assert (best.pays, best.policy.kind, best.policy.models) == ("yes", "by threshold", ("S", "W"))
        assert 0.1 < (best.policy.threshold or 0.0) <= 1.2  # easy items score below .2, hard ones from 1 to 1.2
        assert best.of_policy["saving_against_strong"].value > 0.5
        assert best.floor.promised
        assert best.floor.held_in_redraws is not None
        assert best.floor.held_in_redraws >= 0.92

    def test_noise_is_not_shown_or_no(self, tmp_path: Path) -> None:
        found = []
        for seed in range(12):
            made = long_table(*two_models(items=400, seed=seed, weak_at=(0.55, 0.0)))
            found.append(decided(made, tmp_path).best.pays)
        assert found.count("yes") <= 1

    def test_the_controller_may_eat_the_saving(self, tmp_path: Path) -> None:
        best = decided(outcomes(controller_cost_usd=0.9), tmp_path).best
        assert (best.pays, best.policy.kind, best.policy.models) == ("no", "one model", ("S",))
        assert best.of_policy["cost"].value == pytest.approx(1.0)  # without the controller
        assert best.terms["gamma"] == pytest.approx(0.9, abs=0.1)

    def test_costs_and_policy_of_words_json_and_file_are_one(self, tmp_path: Path) -> None:
        decision = decided(outcomes(), tmp_path)
        plain, file = as_json(decision), policy_file(decision)
        assert plain["threshold"] == file["threshold"] == decision.best.policy.threshold
        assert plain["usd_per_item"]["value"] == file["expected"]["cost"]["value"]
        assert f"{plain['threshold']:.6g}" in " ".join(words(decision))
        assert file["rule"] == f"score >= {plain['threshold']!r}"
        json.dumps(plain, allow_nan=False)

    def test_every_line_reads_at_80_columns(self, tmp_path: Path) -> None:
        made = outcomes(category=["a", "b"] * 300)
        assert max(map(len, words(decided(made, tmp_path)))) < 80

    def test_one_table_has_one_answer_in_any_order_of_rows(self, tmp_path: Path) -> None:
        made = outcomes()
        first, other = (decided(rows, tmp_path).best for rows in (made, made.sample(fraction=1.0, shuffle=True, seed=1)))
        assert first.policy == other.policy
        assert first.of_policy["cost"].value == pytest.approx(other.of_policy["cost"].value)

    def test_a_weak_model_that_is_as_good_is_used_for_all(self, tmp_path: Path) -> None:
        best = decided(long_table(*two_models(items=600, seed=1, strong_at=(0.7, 0.0), weak_at=(0.8, 0.0))), tmp_path).best
        assert (best.pays, best.policy.models, best.policy.kind) == ("no", ("W",), "one model")

    def test_after_the_answer_the_weak_model_is_paid_for(self, tmp_path: Path) -> None:
        before, after = (decided(outcomes(), tmp_path, Asked(after_answer=flag)).best for flag in (False, True))
        sent = after.of_policy["strong_share"].value
        assert after.of_policy["cost"].value - before.of_policy["cost"].value == pytest.approx(0.05 * sent, abs=0.01)
        assert after.policy.after_answer

    def test_items_the_router_saw_are_left_out(self, tmp_path: Path) -> None:
        decision = decided(outcomes(seen_by_router=[1] * 500 + [0] * 100), tmp_path)
        assert (decision.items, decision.items_left_out) == (100, 500)
        with pytest.raises(BadUsageError, match="seen every item"):
            decided(outcomes(seen_by_router=1), tmp_path)

    def test_few_items_are_not_judged(self, tmp_path: Path) -> None:
        best = decided(outcomes(items=20), tmp_path).best
        assert best.pays == "not shown"
        assert "60 are needed" in best.why

    def test_without_a_score_models_and_cascades_are_compared(self, tmp_path: Path) -> None:
        decision = decided(outcomes().drop("score"), tmp_path)
        assert (decision.best.pays, decision.best.policy.models) == ("not shown", ("S",))
        cascade = next(one for one in decision.compared if one.name == "verified cascade W then S")
        # What W fails, .37 of the items, is asked again: .05 + .37.
        assert cascade.estimates["cost"].value == pytest.approx(0.42, abs=0.05)


class TestAsked:
    def test_drop_gap_quality_and_budget_each_set_the_floor(self, tmp_path: Path) -> None:
        made = long_table(*two_models(items=2_000, seed=1))
        by = {
            "drop": decided(made, tmp_path, Asked(max_drop=0.1)).best,
            "gap": decided(made, tmp_path, Asked(quality=0.6)).best,
            "quality": decided(made, tmp_path, Asked(min_quality=0.6)).best,
            "budget": decided(made, tmp_path, Asked(budget_per_item=0.6)).best,
        }
        assert {best.pays for best in by.values()} == {"yes"}
        assert by["drop"].of_policy["quality_less_strong"].value > -0.1
        assert by["quality"].of_policy["quality"].value > 0.6
        assert by["budget"].of_policy["cost"].value < 0.6
        assert by["budget"].of_policy["quality"].value > by["quality"].of_policy["quality"].value

    def test_only_one_floor_can_be_asked_for(self, tmp_path: Path) -> None:
        with pytest.raises(BadUsageError, match="say one of"):
            decided(outcomes(), tmp_path, Asked(quality=0.5, max_drop=0.1))

    def test_more_certainty_costs_more(self, tmp_path: Path) -> None:
        made = long_table(*two_models(items=2_000, seed=1))
        costs = [
            decided(made, tmp_path, Asked(quality=0.8, confidence=level)).best.of_policy["cost"].value for level in (0.6, 0.99)
        ]
        assert costs[0] < costs[1]

    def test_the_threshold_that_is_run_is_judged(self, tmp_path: Path) -> None:
        made = outcomes()
        best = decided(made, tmp_path, Asked(threshold=0.5)).best
        assert (best.pays, best.policy.threshold) == ("yes", 0.5)
        assert best.of_policy["strong_share"].value == pytest.approx(0.3, abs=0.05)
        poor = decided(made, tmp_path, Asked(threshold=1.19)).best
        assert poor.pays != "yes"
        assert "floor is not sure" in poor.why

    def test_a_floor_no_model_reaches_ends_with_3(self, tmp_path: Path) -> None:
        file = written(outcomes(), tmp_path)
        done = iecon(tmp_path, "route", str(file), "--min-quality", "0.99")
        assert done.returncode == 3
        assert "no policy is sure to keep it" in done.stdout

    def test_a_random_mix_is_advised_only_for_a_floor_that_was_asked_for(self, tmp_path: Path) -> None:
        noise = long_table(*two_models(items=600, seed=1, weak_at=(0.5, 0.0)))
        assert decided(noise, tmp_path).best.policy.kind == "one model"
        mix = decided(noise, tmp_path, Asked(quality=0.5)).best.policy
        assert mix.kind == "random mix"
        assert 0.5 <= (mix.share or 0.0) < 0.7


class TestScores:
    def test_several_scores_are_judged_and_the_best_is_followed(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(0)
        made = outcomes(score_noise=rng.random(600))
        decision = decided(made, tmp_path)
        assert [one.score for one in decision.judgements] == ["score", "score_noise"]
        assert "Scores:" in words(decision)

    def test_a_reversed_score_is_said_to_be_reversed_and_can_be_turned(self, tmp_path: Path) -> None:
        made = outcomes().with_columns(pl.col("score") * -1)
        assert decided(made, tmp_path).best.reversed
        assert "the score is reversed: low means hard" in " ".join(words(decided(made, tmp_path)))
        turned = decided(made, tmp_path, low_is_hard=True).best
        assert turned.pays == "yes"
        assert turned.policy.threshold is not None
        assert turned.policy.threshold < 0.0
        assert "or below" in " ".join(words(decided(made, tmp_path, low_is_hard=True)))

    def test_categories_are_shown_one_by_one(self, tmp_path: Path) -> None:
        slices = decided(outcomes(category=["a"] * 400 + ["b"] * 200), tmp_path).best.slices
        assert [(one.category, one.items) for one in slices] == [("a", 400), ("b", 200)]

    def test_many_models_and_those_never_worth_calling(self, tmp_path: Path) -> None:
        made = outcomes()
        middle = made.filter(pl.col("model") == "W").with_columns(model=pl.lit("M"), cost_usd=pl.lit(0.9))
        decision = decided(pl.concat([made, middle]), tmp_path)
        assert {one.model: one.worth_calling for one in decision.models} == {"W": True, "M": False, "S": True}
        assert decision.best.pays == "yes"
        assert decision.best.policy.models == ("S", "W")


class TestTogether:
    def test_ten_copies_are_one_item(self, tmp_path: Path) -> None:
        made = outcomes(items=80)
        copies = [made.with_columns(pl.col("item") + f"_{at}", score=pl.col("score") + at * 1e-10) for at in range(10)]
        one, ten = decided(made, tmp_path), decided(pl.concat(copies), tmp_path)
        assert ten.groups == 80
        assert ten.copies == 800
        assert "q0_0" in " ".join(ten.copies_example)
        width = [found.models[0].quality.high - found.models[0].quality.low for found in (one, ten)]
        assert width[0] == pytest.approx(width[1], rel=0.15)

    @pytest.mark.parametrize("jitter", [0.0, 1e-6])
    def test_repeats_of_a_question_are_found_by_their_score(self, tmp_path: Path, jitter: float) -> None:
        rng = np.random.default_rng(5)
        score = np.repeat(rng.random(80), 10) + jitter * rng.random(800)
        chance = np.repeat(rng.random((80, 2)), 10, axis=0)
        quality = (rng.random((800, 2)) < chance).astype(float)
        decision = decided(long_table(score, quality, np.tile([1.0, 0.1], (800, 1))), tmp_path)
        assert (decision.groups, decision.copies) == (80, 800)

    @pytest.mark.parametrize("parts", [30, 200])
    def test_shares_of_neighbours_are_no_copies(self, tmp_path: Path, parts: int) -> None:
        score, quality, cost = two_models(items=900, seed=4)
        assert decided(long_table(np.round(score * parts) / parts, quality, cost), tmp_path).copies == 0

    def test_items_of_one_prompt_are_one_unit(self, tmp_path: Path) -> None:
        made = outcomes(items=200, prompt=[f"question {at // 2}" for at in range(200)])
        assert decided(made, tmp_path).groups == 100

    def test_stated_groups_are_the_units(self, tmp_path: Path) -> None:
        decision = decided(outcomes(group=[at // 3 for at in range(600)]), tmp_path)
        assert (decision.groups, decision.items) == (200, 600)

    def test_a_coarse_score_makes_no_copies(self, tmp_path: Path) -> None:
        made = outcomes().with_columns(pl.col("score").round(1))
        assert decided(made, tmp_path).copies == 0

    def test_a_switch_within_a_conversation_costs_the_cache(self, tmp_path: Path) -> None:
        made = outcomes(group=[at // 3 for at in range(600)], input_tokens=1_000_000, output_tokens=0)
        file = written(made, tmp_path)
        asked = Asked(shared_prefix=0.5)
        with pytest.raises(BadUsageError, match="no cache-read price"):
            decide([file], asked=asked, options=Options(price=["S=1/1", "W=.05/.05"]))
        prices = ["S=1/1/.1", "W=.05/.05/.005"]
        stays, moves = (
            decide([file], asked=Asked(threshold=0.5, shared_prefix=prefix), options=Options(price=prices)).best
            for prefix in (0.0, 0.5)
        )
        # Half of a prompt of a dollar at .9 of its price; within threes two of three items follow one, .42 of them change.
        to_strong, to_weak = 0.45, 0.0225
        dearer = (to_strong + to_weak) / 2 * 2 / 3 * 0.42
        paid = moves.router_saving_at_equal_quality, stays.router_saving_at_equal_quality
        assert paid[0] is not None
        assert paid[1] is not None
        assert paid[0].value < paid[1].value
        assert moves.at_the_quality_asked["cost"].value - stays.at_the_quality_asked["cost"].value == pytest.approx(
            dearer, rel=0.15
        )

    def test_latency_of_the_policy_and_of_its_switches(self, tmp_path: Path) -> None:
        made = outcomes(group=[at // 3 for at in range(600)], latency_ms=1_000.0)
        quick = made.with_columns(latency_ms=pl.when(pl.col("model") == "S").then(4_000.0).otherwise(1_000.0))
        plain, switched = (decided(quick, tmp_path, Asked(threshold=0.5, switch_latency_s=more)).best for more in (0.0, 1.0))
        share = plain.of_policy["strong_share"].value
        assert plain.latency_s == pytest.approx(4 * share + 1 - share)
        assert switched.latency_s is not None
        assert switched.latency_s - (plain.latency_s or 0.0) == pytest.approx(2 / 3 * 0.42, rel=0.15)

    def test_a_large_table_of_a_fine_score_is_not_full_of_copies(self) -> None:
        score, quality, cost = two_models(items=250_000, seed=1)
        items = pl.DataFrame({"item": np.arange(250_000)})
        made = Table(
            models=("S", "W"),
            items=items,
            quality=quality,
            cost=cost,
            input_tokens=None,
            latency_s=None,
            scores={"score": score},
            routers=NO_ROUTERS,
            samples=items.clear(),
            missing={},
            cost_basis="",
            notes=(),
        )
        assert groups_of(made).copies == 0
        twice = np.tile(score[:125_000], 2) + np.repeat([0.0, 1e-12], 125_000)
        assert groups_of(replace(made, scores={"score": twice}, quality=np.tile(quality[:125_000], (2, 1)))).copies == 250_000


class TestRouters:
    def test_a_router_that_ran_stands_beside_random_and_oracle_at_its_share(self, tmp_path: Path) -> None:
        made = outcomes()
        wide = made.pivot(on="model", index=["item", "score"], values=["correct", "cost_usd"])
        sent = pl.col("score") > 0.5
        chosen = wide.select(
            "item",
            model=pl.when(sent).then(pl.lit("S")).otherwise(pl.lit("W")),
            correct=pl.when(sent).then("correct_S").otherwise("correct_W"),
            cost_usd=pl.when(sent).then("cost_usd_S").otherwise("cost_usd_W"),
            strategy=pl.lit("mine"),
            score="score",
        )
        alone = made.select("item", "model", "correct", "cost_usd", pl.format("always {}", "model").alias("strategy"))
        decision = decided(pl.concat([alone, chosen], how="diagonal"), tmp_path)
        ran = next(one for one in decision.compared if one.name == "mine")
        assert ran.estimates["strong_share"].value == pytest.approx(0.3, abs=0.05)
        assert ran.oracle_quality == pytest.approx(ran.estimates["quality"].value, abs=0.01)
        assert ran.estimates["saving_at_equal_quality"].low > 0.4
        assert decision.judgements[0].score == "mine"

    def test_adaptive_sampling_is_judged_against_the_majority_of_all(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(0)
        rows = []
        for item in range(80):
            sure = 0.95 if item % 2 else 0.6
            for sample in range(15):
                right = rng.random() < sure
                rows.append((f"q{item}", "S", f"{item}" if right else f"no{sample % 3}", int(right), 0.01))
            rows.append((f"q{item}", "W", "x", 0, 0.001))
        made = pl.DataFrame(rows, schema=["item", "model", "answer", "correct", "cost_usd"], orient="row")
        found = next(one for one in decided(made, tmp_path).compared if one.name.startswith("adaptive"))
        assert 5 < found.estimates["samples_used"].value < 12
        assert found.estimates["quality"].value >= 0.9
        saved = 1 - found.estimates["samples_used"].value / 15
        assert found.estimates["saving_against_all_samples"].value == pytest.approx(saved)


@needs_cases
class TestCases:
    @pytest.mark.published
    @pytest.mark.parametrize(
        ("name", "pays", "does"),
        [
            ("controller_vdear", "no", "use S for all; no router"),
            ("const_score_controller", "no", "use S for all; no router"),
            ("n60", "not shown", "use S for all; no router"),
            ("dup10", "not shown", "use S for all; no router"),
            ("threshold_unknown", "not shown", "use S for all; no router"),
            ("all_strong_but_number", "not shown", "use S for all; no router"),
            ("inverted", "no", "use S for all; no router"),
            ("category", "yes", "send an item to S when its score is"),
            ("missing", "yes", "send an item to S when its score is"),
            ("repeats", "not shown", "use sonnet for all; no router"),
            ("routerbench_wide", "not shown", "use gpt-4 for all; no router"),
        ],
    )
    def test_verdict_and_advice(self, name: str, pays: str, does: str) -> None:
        plain = as_json(decide([CASES / f"{name}.csv"]))
        assert plain["pays"] == pays
        assert plain["what_to_do"].startswith(does)
        assert (plain["threshold"] is None) == (pays != "yes")

    @pytest.mark.published
    def test_what_each_case_shows(self) -> None:
        assert decide([CASES / "inverted.csv"]).best.reversed
        assert decide([CASES / "dup10.csv"]).copies == 600
        assert decide([CASES / "missing.csv"]).missing == {"W": 3}
        assert [one.category for one in decide([CASES / "category.csv"]).best.slices] == ["a", "b"]
        assert decide([CASES / "free_weak.csv"], options=Options(free=["W"])).best.pays == "yes"

    @pytest.mark.published
    def test_cost_goes_with_the_item(self) -> None:
        table = read_table([CASES / "mmlu3000_cost_per_item.csv"])
        best = decide_routing(table, Asked(quality=0.5)).best
        assert best.pays == "no"
        assert best.at_the_quality_asked["saving_at_equal_quality"].value == pytest.approx(-0.367, abs=0.04)

    @pytest.mark.published
    @pytest.mark.parametrize(
        ("benchmark", "quality", "pays", "saving"),
        [("mmlu", 0.5, "no", -0.35), ("mmlu", 0.8, "no", -0.13), ("gsm8k", 0.5, "not shown", None)],
    )
    def test_routellm(self, benchmark: str, quality: float, pays: str, saving: float | None) -> None:
        options = Options(where=[f"benchmark={benchmark}"], price=["mixtral_8x7b=0.24", "gpt4_1106=24.7"])
        best = decide([ROUTELLM], asked=Asked(quality=quality), options=options).best
        assert best.pays == pays
        if saving is not None:
            assert best.at_the_quality_asked["saving_at_equal_quality"].value == pytest.approx(saving, abs=0.02)


def test_by_function_of_the_public_package(tmp_path: Path) -> None:
    file = written(outcomes(), tmp_path)
    found = iecon_package.route(file, quality=0.9, data=tmp_path)
    assert found == decide([file], asked=Asked(quality=0.9), options=Options())


class TestCommand:
    def test_words_json_policy_and_curve(self, tmp_path: Path) -> None:
        file = written(outcomes(), tmp_path)
        said = iecon(tmp_path, "route", str(file))
        assert said.returncode == 0, said.stderr
        assert said.stdout.startswith("Routing pays: yes (600 items)")
        policy, curve, picture = (tmp_path / name for name in ("policy.json", "curve.csv", "curve.svg"))
        told = iecon(
            tmp_path,
            "route",
            str(file),
            "--json",
            "--quality",
            "0.9",
            "--policy",
            str(policy),
            "--curve",
            str(curve),
            "--curve",
            str(picture),
        )
        assert told.returncode == 0, told.stderr
        plain = json.loads(told.stdout)
        assert plain["quality_floor"]["rule"] == "90 % of the way from W to S"
        assert json.loads(policy.read_text())["threshold"] == plain["threshold"]
        drawn = pl.read_csv(curve)
        assert set(drawn["policy"]) == {"score", "random", "oracle", "hull of models", "model S", "model W"}
        assert picture.read_text().startswith("<svg")

    def test_exit_codes(self, tmp_path: Path) -> None:
        file = written(outcomes().with_columns(correct=pl.lit(2)), tmp_path)
        refused = iecon(tmp_path, "route", str(file))
        assert refused.returncode == 1
        assert "row 2, column correct" in refused.stderr
        good = written(outcomes(), tmp_path, "good.csv")
        for bad in (
            ["--strong", "huge"],
            ["--quality", "3"],
            ["--max-drop", ".1", "--min-quality", ".5"],
            ["--curve", "x.png"],
        ):
            assert iecon(tmp_path, "route", str(good), *bad).returncode == 2, bad
        assert iecon(tmp_path, "route", str(tmp_path / "none.csv")).returncode == 2
