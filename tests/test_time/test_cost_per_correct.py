import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from economics.test_time.cost_per_correct import (
    accept_rate_of_worth,
    cost_correct_published_usd_per_mtok,
    cost_elasticities,
    cost_per_accepted_answer_usd,
    cost_per_correct_answer_usd,
    cost_per_correct_from_bill_usd,
    rollout_usd,
    saving_of_accept_points_usd,
    verified_capability_mtok_per_usd,
    verifier_leniency,
    worth_of_accept_points,
)

shares = st.floats(0.01, 1.0)
prices = st.floats(0.01, 1e3)

POINT = {
    "price_usd_per_mtok": 8.75,
    "reasoning_multiplier": 101.0,
    "answer_tokens": 500.0,
    "verifier_usd_per_rollout": 0.02,
    "extra_rollouts": 15.0,
    "accept_rate": 0.5,
    "precision": 0.9,
}


def test_published_form() -> None:
    # 50,000 tokens of reasoning and an answer of 500 are R = 101; 16 samples are rho = 15.
    cost = cost_correct_published_usd_per_mtok(
        price_usd_per_mtok=8.75, reasoning_multiplier=50_500 / 500, extra_rollouts=15.0, accept_rate=0.5
    )

    assert cost == pytest.approx(8.75 * 101 * 16 / 0.5)


def test_vcpd_is_the_published_form_without_reasoning_rollouts_and_rejections() -> None:
    price = np.array([8.75, 17.5, 0.0])
    cost = cost_correct_published_usd_per_mtok(
        price_usd_per_mtok=price, reasoning_multiplier=1.0, extra_rollouts=0.0, accept_rate=1.0
    )

    assert (cost == price).all()
    assert list(verified_capability_mtok_per_usd(price_usd_per_mtok=price)) == [1 / 8.75, 1 / 17.5, np.inf]


def test_published_unit_is_a_million_answer_tokens() -> None:
    published = {key: POINT[key] for key in ("price_usd_per_mtok", "reasoning_multiplier", "extra_rollouts", "accept_rate")}

    per_answer = cost_per_accepted_answer_usd(**published, answer_tokens=500.0)

    assert per_answer == pytest.approx(cost_correct_published_usd_per_mtok(**published) * 500 / 1e6)


@given(prices, st.floats(1.0, 200.0), st.floats(1.0, 1e5), st.floats(0.0, 63.0), shares)
def test_corrected_is_published_with_a_free_verifier_that_makes_no_mistake(
    price: float, multiplier: float, tokens: float, rollouts: float, accepted: float
) -> None:
    point = {
        "price_usd_per_mtok": price,
        "reasoning_multiplier": multiplier,
        "answer_tokens": tokens,
        "extra_rollouts": rollouts,
        "accept_rate": accepted,
    }

    corrected = cost_per_correct_answer_usd(**point, verifier_usd_per_rollout=0.0, precision=1.0)

    assert corrected == pytest.approx(cost_per_accepted_answer_usd(**point))


def test_verifier_is_paid_for_every_rollout() -> None:
    free = cost_per_correct_answer_usd(**{**POINT, "verifier_usd_per_rollout": 0.0})

    assert cost_per_correct_answer_usd(**POINT) - free == pytest.approx(0.02 * 16 / (0.5 * 0.9))


def test_nothing_accepted_costs_infinitely_much_and_is_no_error() -> None:
    cost = cost_per_correct_answer_usd(**{**POINT, "accept_rate": np.array([0.0, 0.5])})

    assert cost[0] == np.inf
    assert cost[1] == cost_per_correct_answer_usd(**POINT)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"price_usd_per_mtok": -1.0}, "price_usd_per_mtok"),
        ({"reasoning_multiplier": 0.5}, "reasoning_multiplier"),
        ({"reasoning_multiplier": np.nan}, "reasoning_multiplier"),
        ({"accept_rate": 1.1}, "accept_rate"),
        ({"precision": np.nan}, "precision"),
        ({"extra_rollouts": -1.0}, "extra_rollouts"),
        ({"answer_tokens": 0.0}, "answer_tokens"),
    ],
)
def test_value_outside_its_domain_is_named(change: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        cost_per_correct_answer_usd(**{**POINT, **change})


def test_cost_per_correct_from_the_bills_of_brown_et_al() -> None:
    # Table 1 of 2407.21787, 300 issues: DeepSeek with 5 attempts, GPT-4o, Claude 3.5 Sonnet.
    cost = cost_per_correct_from_bill_usd(
        bill_usd=np.array([10.8, 39.0, 51.0]), questions=300.0, correct_rate=np.array([0.2962, 0.24, 0.267])
    )

    assert list(np.round(cost, 2)) == [0.12, 0.54, 0.64]


def test_cost_per_correct_from_the_bill_of_codemonkeys() -> None:
    # 2501.14723: about $2,300 for the 500 issues of SWE-bench Verified, 57.4 % resolved.
    assert cost_per_correct_from_bill_usd(bill_usd=2300.0, questions=500.0, correct_rate=0.574) == pytest.approx(8.0, abs=0.05)


def test_bill_of_zero_is_not_a_price() -> None:
    with pytest.raises(ValueError, match="bill_usd"):
        cost_per_correct_from_bill_usd(bill_usd=0.0, questions=225.0, correct_rate=0.356)


@pytest.mark.parametrize(
    "symbol", ["price", "reasoning_multiplier", "verifier_usd_per_rollout", "rollouts", "accept_rate", "precision"]
)
def test_elasticities_are_the_slopes_of_the_cost(symbol: str) -> None:
    tokens = rollout_usd(price_usd_per_mtok=8.75, reasoning_multiplier=101.0, answer_tokens=500.0)
    elasticity = getattr(cost_elasticities(tokens_usd_per_rollout=tokens, verifier_usd_per_rollout=0.02), symbol)
    argument = {"price": "price_usd_per_mtok", "rollouts": "extra_rollouts"}.get(symbol, symbol)
    step = 1e-6

    def moved(factor: float) -> float:
        value = POINT[argument]
        raised = (1.0 + value) * factor - 1.0 if argument == "extra_rollouts" else value * factor
        return np.log(cost_per_correct_answer_usd(**{**POINT, argument: raised}))

    slope = (moved(1 + step) - moved(1 - step)) / (2 * step)
    assert elasticity == pytest.approx(slope, abs=1e-6)


def test_all_levers_of_the_published_form_have_elasticity_one() -> None:
    # So there is no asymmetry in proportional terms: only "one point" against "one percent" makes one.
    free = cost_elasticities(tokens_usd_per_rollout=1.0)

    assert (free.price, free.reasoning_multiplier, free.rollouts, free.accept_rate) == (1.0, 1.0, 1.0, -1.0)


def test_worth_of_a_point_of_alpha() -> None:
    worth = worth_of_accept_points(accept_rate=np.array([0.125, 0.2, 0.3, 0.33, 0.5, 0.7]))

    assert list(np.round(worth, 1)) == [7.4, 4.8, 3.2, 2.9, 2.0, 1.4]


def test_published_three_to_eight_holds_from_an_eighth_to_a_third_and_not_from_a_fifth_to_seven_tenths() -> None:
    low, high = accept_rate_of_worth(worth=np.array([8.0, 3.0]))

    assert (low, high) == (pytest.approx(0.115), pytest.approx(0.3233, abs=1e-4))
    assert worth_of_accept_points(accept_rate=0.7) < 3.0
    assert worth_of_accept_points(accept_rate=0.2) < 8.0


@given(shares.filter(lambda a: a <= 0.98), st.floats(0.001, 0.02), prices)
def test_worth_compares_two_exact_savings(alpha: float, points: float, cost: float) -> None:
    saved_by_alpha = cost - cost * alpha / (alpha + points)
    saved_by_price = cost * points

    assert saving_of_accept_points_usd(cost_usd=cost, accept_rate=alpha, points=points) == pytest.approx(saved_by_alpha)
    assert worth_of_accept_points(accept_rate=alpha, points=points) == pytest.approx(saved_by_alpha / saved_by_price)


def test_points_beyond_certainty_are_an_error() -> None:
    with pytest.raises(ValueError, match="raised_accept_rate"):
        worth_of_accept_points(accept_rate=0.995)


@given(shares, shares, st.floats(0.0, 0.5), st.floats(0.0, 0.5))
def test_lenient_verifier_lowers_the_published_cost_and_leaves_the_true_one(
    correct: float, true_positive: float, strict: float, more: float
) -> None:
    row = verifier_leniency(
        price_usd_per_mtok=10.0,
        reasoning_multiplier=5.0,
        base_correct_rate=correct,
        true_positive_rate=true_positive,
        false_positive_rate=np.array([strict, strict + more]),
    )

    assert row.published_usd_per_accepted_mtok[1] <= row.published_usd_per_accepted_mtok[0] * (1 + 1e-12)
    true = np.broadcast_to(row.corrected_usd_per_correct_mtok, 2)
    assert true[0] == true[1] == pytest.approx(50.0 / (correct * true_positive))


def test_leniency_joins_the_two_costs_by_precision() -> None:
    row = verifier_leniency(
        price_usd_per_mtok=10.0,
        reasoning_multiplier=1.0,
        base_correct_rate=0.4,
        true_positive_rate=0.9,
        false_positive_rate=0.5,
    )

    assert row.accept_rate == pytest.approx(0.66)
    assert row.precision == pytest.approx(0.36 / 0.66)
    assert row.published_usd_per_accepted_mtok / row.precision == pytest.approx(row.corrected_usd_per_correct_mtok)
