import csv
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from economics.routing.evidence import Replay, quality_curves, replay_routing, rule_agreement, summarise
from economics.routing.outcomes import Items
from economics.routing.premium import cost_terms, premium, quality_kappa

OUTCOMES = (
    Path(__file__).resolve().parents[3] / "shared" / "data" / "routing" / "routellm" / "routellm_pairwise_correctness.csv"
)


def some_items(count: int, *, signal: float, seed: int, same_costs: bool = False) -> Items:
    """Two models on items of varying difficulty, and a score that knows the difficulty to a degree."""
    rng = np.random.default_rng(seed)
    difficulty = rng.normal(size=count)
    return Items(
        strong_correct=rng.random(count) < 1 / (1 + np.exp(1.2 * difficulty - 1.8)),
        weak_correct=rng.random(count) < 1 / (1 + np.exp(1.5 * difficulty - 0.6)),
        strong_cost=np.full(count, 0.02) if same_costs else rng.gamma(4.0, 0.005, count),
        weak_cost=np.full(count, 0.002) if same_costs else rng.gamma(4.0, 0.0005, count),
        score=signal * difficulty + np.sqrt(1 - signal**2) * rng.normal(size=count),
    )


def plain(items: Items, strong: np.ndarray) -> tuple[float, float]:
    """Quality and cost of a choice, item by item."""
    quality = [s if chosen else w for s, w, chosen in zip(items.strong_correct, items.weak_correct, strong, strict=True)]
    cost = [s if chosen else w for s, w, chosen in zip(items.strong_cost, items.weak_cost, strong, strict=True)]
    return float(np.mean(quality)), float(np.mean(cost))


def random_mix_cost(items: Items, quality: float) -> float:
    low, high = items.weak_correct.mean(), items.strong_correct.mean()
    share = min(max((quality - low) / (high - low), 0.0), 1.0) if high > low else 0.0
    return float(items.weak_cost.mean() + share * (items.strong_cost.mean() - items.weak_cost.mean()))


@pytest.mark.parametrize("target", [0.7, 0.9, 1.0])
def test_one_split_against_a_plain_loop(target: float) -> None:
    items = some_items(160, signal=0.7, seed=1)
    order = np.random.default_rng(5).permutation(160)
    train, test = items.kept(order[80:]), items.kept(order[:80])

    replay = replay_routing(
        items,
        rng=np.random.default_rng(5),
        splits=1,
        replicates=0,
        quality_target=target,
        controller_cost=1e-4,
        thresholds=1_000,
    )

    asked = train.weak_correct.mean() + target * (train.strong_correct.mean() - train.weak_correct.mean())
    keeping = []
    for threshold in [-np.inf, *np.unique(items.score), np.inf]:
        quality, cost = plain(train, train.score >= threshold)
        if quality >= asked - 1e-12:
            keeping.append((cost, threshold))
    threshold = min(keeping)[1]
    strong = test.score >= threshold
    quality, cost = plain(test, strong)
    fixed = random_mix_cost(test, quality)

    # Thresholds between the same train scores are one policy there: compare what they do.
    assert ((train.score >= replay.threshold[0, 0]) == (train.score >= threshold)).all()
    if replay.threshold[0, 0] == threshold:
        assert replay.strong_share[0, 0] == pytest.approx(strong.mean())
        assert replay.quality[0, 0] == pytest.approx(quality)
        assert replay.cost[0, 0] == pytest.approx(cost + 1e-4)
        assert replay.premium[0, 0] == pytest.approx(1 - (cost + 1e-4) / fixed)
        assert replay.gamma[0, 0] == pytest.approx(1e-4 / fixed)
    assert replay.strong_quality[0, 0] == pytest.approx(test.strong_correct.mean())
    assert replay.weak_cost[0, 0] == pytest.approx(test.weak_cost.mean())


def test_in_sample_the_rule_is_an_identity_and_with_the_quality_kappa_it_is_not() -> None:
    # Terms and saving of one and the same sample: whatever the router, kappa Delta - gamma is the saving.
    missed = []
    for seed in range(5):
        items = some_items(500, signal=0.6, seed=seed, same_costs=True)
        strong = items.score >= np.median(items.score)
        quality, cost = plain(items, strong)
        gain = items.strong_correct.astype(float) - items.weak_correct
        needed = max(round((quality - items.weak_correct.mean()) * 500), 0)
        oracle = np.zeros(500, dtype=bool)
        oracle[np.flatnonzero(gain > 0)[:needed]] = True
        fixed = random_mix_cost(items, quality)
        terms = cost_terms(
            unconditional_cost=fixed, oracle_cost=plain(items, oracle)[1], routed_cost=cost, controller_cost=1e-4
        )

        assert plain(items, oracle)[0] == pytest.approx(quality)
        assert premium(terms) == pytest.approx(1 - (cost + 1e-4) / fixed, abs=1e-12)

        share = strong.mean()
        only_strong = (gain > 0).mean()
        by_quality = quality_kappa(
            routed_quality=quality,
            random_quality=items.weak_correct.mean() + share * gain.mean(),
            oracle_quality=items.weak_correct.mean() + min(share, only_strong),
        )
        missed.append(abs(by_quality * terms.delta - terms.gamma - premium(terms)))
    assert max(missed) > 0.02


def test_what_is_reported_comes_from_the_held_out_part_alone() -> None:
    items = some_items(400, signal=0.6, seed=2)
    order = np.random.default_rng(7).permutation(400)
    tested, trained = order[:200], order[200:]

    def run(changed: Items) -> Replay:
        return replay_routing(changed, rng=np.random.default_rng(7), splits=1, replicates=0, quality_target=0.9)

    def scaled(part: np.ndarray, factor: float) -> Items:
        strong, weak = items.strong_cost.copy(), items.weak_cost.copy()
        strong[part] *= factor
        weak[part] *= factor
        return replace(items, strong_cost=strong, weak_cost=weak)

    before, other_training, other_test = run(items), run(scaled(trained, 3.0)), run(scaled(tested, 3.0))

    # Costs of the training part, all times 3, leave the threshold where it is, and then nothing that is reported moves.
    assert other_training.threshold == before.threshold
    for field in fields(Replay):
        if field.name not in {"delta", "kappa"}:
            assert getattr(other_training, field.name) == pytest.approx(getattr(before, field.name)), field.name
    assert other_training.delta == pytest.approx(before.delta, abs=0.01)  # Prices of the oracle's table are shared.
    # Costs of the held-out part move the report and never the choice.
    assert other_test.threshold == before.threshold
    assert other_test.cost == pytest.approx(3 * before.cost)
    # Outcomes of the held-out part: the same choice, another verdict (a weak model that is always right needs no router).
    correct = items.weak_correct.copy()
    correct[tested] = True
    other_outcomes = run(replace(items, weak_correct=correct))
    assert other_outcomes.threshold == before.threshold
    assert other_outcomes.promised_premium == before.promised_premium
    assert other_outcomes.premium < before.premium - 0.3


def test_score_that_knows_nothing_promises_a_saving_and_keeps_none() -> None:
    promised, kept = [], []
    for seed in range(30):
        items = some_items(120, signal=0.0, seed=seed, same_costs=True)
        replay = replay_routing(
            items, rng=np.random.default_rng(seed), splits=20, replicates=0, quality_target=0.9, thresholds=120
        )
        promised.append(replay.promised_premium.mean())
        kept.append(replay.premium.mean())

    # The threshold is picked because it looks good on its own part.
    assert np.mean(promised) > 0.02
    assert np.mean(kept) < 0.5 * np.mean(promised)
    assert abs(np.mean(kept)) < 3 * np.std(kept) / np.sqrt(30) + 0.02


def test_no_item_is_ever_on_both_sides() -> None:
    # A score that is the answer itself, on items that are each their own kind: only leakage could find the threshold.
    items = some_items(200, signal=0.5, seed=3)
    replay = replay_routing(items, rng=np.random.default_rng(1), splits=5, replicates=30, test_share=0.3)

    assert replay.premium.shape == (5, 31)
    assert np.isfinite(replay.premium).all()
    assert np.ptp(replay.premium[0]) > 0.0


def test_better_scores_save_more() -> None:
    estimates = [
        summarise(
            replay_routing(
                some_items(1_500, signal=signal, seed=4),
                rng=np.random.default_rng(2),
                splits=6,
                replicates=15,
                quality_target=0.9,
            )
        )
        for signal in (0.0, 0.5, 0.9)
    ]

    saved = [estimate["premium"].value for estimate in estimates]
    assert saved[0] < saved[1] < saved[2]
    assert estimates[0]["premium"].low < 0.0 < estimates[0]["premium"].high
    assert estimates[2]["premium"].low > 0.0
    assert [e["quality_kappa"].value > 0.05 for e in estimates] == [False, True, True]


def test_score_of_the_wrong_sign_costs_more_than_it_saves() -> None:
    items = some_items(1_500, signal=0.9, seed=5)
    backwards = replace(items, score=-items.score)

    found = summarise(
        replay_routing(backwards, rng=np.random.default_rng(3), splits=6, quality_target=0.8, controller_cost=1e-4)
    )

    assert found["quality_kappa"].high < 0.0
    assert found["premium"].high < 0.0


def test_controller_is_paid() -> None:
    items = some_items(2_000, signal=0.9, seed=6)
    free, paid = (
        replay_routing(items, rng=np.random.default_rng(4), splits=3, replicates=2, controller_cost=cost)
        for cost in (0.0, 0.001)
    )

    assert paid.cost == pytest.approx(free.cost + 0.001)
    assert paid.premium == pytest.approx(free.premium - paid.gamma)
    finite = np.isfinite(paid.kappa) & (paid.delta > 0)
    assert (paid.kappa * paid.delta - paid.gamma)[finite] == pytest.approx(paid.premium[finite])


@pytest.mark.slow
def test_interval_covers_the_premium_at_least_as_often_as_it_says() -> None:
    estimates = [
        summarise(
            replay_routing(
                some_items(400, signal=0.6, seed=seed),
                rng=np.random.default_rng(seed),
                splits=8,
                replicates=15,
                quality_target=0.9,
                thresholds=50,
            )
        )["premium"]
        for seed in range(40)
    ]
    truth = np.mean([estimate.value for estimate in estimates])

    covered = np.mean([estimate.low <= truth <= estimate.high for estimate in estimates])
    assert covered >= 0.93
    assert np.mean([estimate.high - estimate.low for estimate in estimates]) < 0.5


def test_rule_agrees_with_the_outcome_when_the_signal_is_clear() -> None:
    clear = replay_routing(
        some_items(3_000, signal=0.9, seed=7), rng=np.random.default_rng(5), replicates=0, quality_target=0.9
    )
    empty = replay_routing(some_items(300, signal=0.0, seed=7), rng=np.random.default_rng(5), replicates=0, quality_target=0.9)

    assert rule_agreement(clear) == 1.0
    assert rule_agreement(empty) < 1.0


def test_table_without_held_out_evidence_is_refused() -> None:
    items = some_items(100, signal=0.5, seed=8)

    with pytest.raises(ValueError, match="no held-out evidence: 50 items"):
        replay_routing(items, rng=np.random.default_rng(0), seen_by_router=np.arange(100) < 50)
    with pytest.raises(ValueError, match="no held-out evidence: 0 items"):
        replay_routing(items, rng=np.random.default_rng(0), seen_by_router=np.ones(100, dtype=bool))
    with pytest.raises(ValueError, match="test_share"):
        replay_routing(items, rng=np.random.default_rng(0), test_share=1.0)


def test_items_the_router_has_seen_are_left_out() -> None:
    items = some_items(400, signal=0.5, seed=9)
    seen = np.arange(400) % 2 == 0

    without = replay_routing(items, rng=np.random.default_rng(1), seen_by_router=seen)
    among_others = replay_routing(items.kept(~seen), rng=np.random.default_rng(1))

    assert (without.premium == among_others.premium).all()


def test_threshold_summary_is_a_threshold() -> None:
    found = summarise(replay_routing(some_items(300, signal=0.1, seed=10), rng=np.random.default_rng(1)))

    assert found["threshold"].low <= found["threshold"].value <= found["threshold"].high
    assert not np.isnan(found["threshold"].value)


def test_grouped_items_give_what_single_items_give(monkeypatch: pytest.MonkeyPatch) -> None:
    items = some_items(1_500, signal=0.6, seed=11)
    run = {"splits": 20, "replicates": 15, "quality_target": 0.9, "thresholds": 60}
    single = summarise(replay_routing(items, rng=np.random.default_rng(1), **run))["premium"]
    monkeypatch.setattr("economics.routing.outcomes._MOST_GROUPS", 300)
    monkeypatch.setattr("economics.routing.outcomes._BLOCK_ITEMS", 400)
    grouped = summarise(replay_routing(items, rng=np.random.default_rng(1), **run))["premium"]

    assert grouped.value == pytest.approx(single.value, abs=0.01)
    assert grouped.high - grouped.low == pytest.approx(single.high - single.low, rel=0.25)


def test_curves_meet_both_models_and_stay_below_the_oracle() -> None:
    items = some_items(1_000, signal=0.6, seed=12)
    curves = quality_curves(items, strong_share=np.linspace(0.0, 1.0, 21))

    for curve in (curves.random_quality, curves.oracle_quality, curves.routed_quality):
        assert curve[0] == pytest.approx(items.weak_correct.mean())
        assert curve[-1] == pytest.approx(items.strong_correct.mean())
    assert (curves.routed_quality <= curves.oracle_quality + 1e-12).all()
    assert curves.routed_cost[[0, -1]] == pytest.approx([items.weak_cost.mean(), items.strong_cost.mean()])


@pytest.fixture(scope="module")
def routellm() -> dict[str, Items]:
    """Per-question outcomes of RouteLLM, with its prices per M tokens as costs and the prompt's length as the score."""
    if not OUTCOMES.exists():
        pytest.skip("per-question outcomes of RouteLLM are not on this machine")
    with OUTCOMES.open() as file:
        rows = list(csv.DictReader(file))
    return {
        name: Items(
            strong_correct=np.array([r["gpt4_1106_correct"] == "1" for r in part]),
            weak_correct=np.array([r["mixtral_8x7b_correct"] == "1" for r in part]),
            strong_cost=np.full(len(part), 24.7),
            weak_cost=np.full(len(part), 0.24),
            score=np.array([float(r["prompt_chars"]) for r in part]),
        )
        for name in ("gsm8k", "mmlu")
        for part in [[r for r in rows if r["benchmark"] == name]]
    }


@pytest.mark.parametrize(
    ("name", "count", "stated"),
    [("gsm8k", 1_319, (0.638, 0.857, 0.290, 0.072, 0.566)), ("mmlu", 14_042, (0.681, 0.806, 0.178, 0.053, 0.628))],
)
def test_routellm_outcomes_are_the_stated_ones(
    routellm: dict[str, Items], name: str, count: int, stated: tuple[float, ...]
) -> None:
    items = routellm[name]
    strong, weak = items.strong_correct, items.weak_correct

    shares = [weak.mean(), strong.mean(), (strong & ~weak).mean(), (weak & ~strong).mean(), (strong & weak).mean()]
    assert len(strong) == count
    assert [round(float(s), 3) for s in shares] == list(stated)


def test_oracle_needs_the_strong_model_on_29_percent_to_be_best_and_on_22_to_be_as_good(
    routellm: dict[str, Items],
) -> None:
    # The stated 29 % (GSM8K) and 17.8 % (MMLU) buy more quality than the strong model has. At equal quality, which is
    # what Delta asks for, the oracle needs it on 21.8 % and 12.5 %.
    for name, best, equal in (("gsm8k", 0.290, 0.218), ("mmlu", 0.178, 0.125)):
        items = routellm[name]
        share = np.linspace(0.0, 1.0, 10_001)
        curve = quality_curves(items, strong_share=share).oracle_quality
        assert share[np.argmax(curve >= curve.max() - 1e-9)] == pytest.approx(best, abs=1e-3)
        assert share[np.argmax(curve >= items.strong_correct.mean() - 1e-9)] == pytest.approx(equal, abs=1e-3)


def test_prompt_length_alone_routes_a_little_at_lower_quality_and_not_at_all_at_the_strong_models(
    routellm: dict[str, Items],
) -> None:
    # A free score that knows nothing of the answer, as a bar for learned routers.
    half, full = (
        summarise(replay_routing(routellm["mmlu"], rng=np.random.default_rng(1), quality_target=target))
        for target in (0.5, 1.0)
    )

    assert half["premium"].low > 0.1
    assert half["premium"].value == pytest.approx(0.27, abs=0.03)
    assert full["premium"].low < 0.0 < full["premium"].high
    # An oracle would save 86 %: Delta is large where the score is blind.
    assert full["delta"].value == pytest.approx(0.867, abs=0.01)
    assert full["delta"].low < 1 - (0.24 + 0.125 * 24.46) / 24.7 < full["delta"].high
