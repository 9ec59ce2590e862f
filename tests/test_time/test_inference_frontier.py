import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from economics.test_time.coverage import arc_elasticity, beta_coverage
from economics.test_time.inference_frontier import (
    Optimum,
    best_samples,
    conditions,
    cost_multiplier,
    cost_multiplier_of_elasticity,
    lagrangian_condition,
    net_value,
    published_condition,
    samples_lower_cost,
    selection_reward,
    shared_cost_condition,
    variable_share,
)
from economics.test_time.verifier import best_of_samples

TABLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "test_time" / "paper_tables"
needs_tables = pytest.mark.skipif(not TABLES.is_dir(), reason="transcribed tables of the papers are not on this machine")

elasticities = st.floats(-0.5, 2.0)
dollars = st.floats(1e2, 1e8)


def read_table(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open() as file:
        return list(csv.DictReader(file))


def slope_of_log_cost(cost: object, at: np.ndarray) -> np.ndarray:
    """d ln cost / d dollar, for a dollar spent on training and for one spent on samples."""
    steps = np.diag(at) * 1e-6
    return np.array([np.log(cost(*(at + s)) / cost(*(at - s))) / (2 * s.sum()) for s in steps])


@given(st.floats(0.01, 1.5), st.floats(0.01, 1.5), dollars, dollars)
def test_lagrangian_form_is_where_a_dollar_lowers_the_whole_cost_per_correct_answer_most(
    eta_samples: float, eta_training: float, training_usd: float, inference_usd: float
) -> None:
    def cost(trained: float, spent: float) -> float:
        return (trained + spent) / (trained**eta_training * spent**eta_samples)

    training, inference = slope_of_log_cost(cost, np.array([training_usd, inference_usd]))
    condition = lagrangian_condition(
        eta_samples=eta_samples, eta_training=eta_training, inference_usd=inference_usd, training_usd=training_usd
    )

    if abs(condition.margin) > 1e-3 * condition.dollar_ratio:
        assert condition.favours_inference == (inference < training)


@given(elasticities, st.floats(0.01, 1.5), dollars, dollars, st.floats(0.0, 10.0))
def test_published_and_shared_forms_are_where_a_dollar_lowers_cost_correct_most_when_training_is_not_billed(
    eta_samples: float, eta_training: float, training_usd: float, inference_usd: float, fixed_per_variable: float
) -> None:
    fixed = fixed_per_variable * inference_usd

    def cost(trained: float, spent: float) -> float:
        return (fixed + spent) / (trained**eta_training * spent**eta_samples)

    training, inference = slope_of_log_cost(cost, np.array([training_usd, inference_usd]))
    share = inference_usd / (fixed + inference_usd)
    condition = shared_cost_condition(
        eta_samples=eta_samples,
        eta_training=eta_training,
        inference_usd=fixed + inference_usd,
        training_usd=training_usd,
        variable_share=share,
    )

    if abs(condition.margin) > 1e-3 * max(condition.dollar_ratio, 1e-3):
        assert condition.favours_inference == (inference < training)


@given(elasticities, elasticities, dollars, dollars)
def test_without_a_shared_cost_the_third_form_is_the_published_one(
    eta_samples: float, eta_training: float, inference_usd: float, training_usd: float
) -> None:
    three = conditions(
        eta_samples=eta_samples,
        eta_training=eta_training,
        inference_usd=inference_usd,
        training_usd=training_usd,
        variable_share=1.0,
    )

    assert three.shared_cost.margin == pytest.approx(three.published.margin, nan_ok=True)
    assert three.shared_cost.favours_inference == three.published.favours_inference


@given(st.floats(-0.5, 1.0), st.floats(1e-3, 20.0), dollars, dollars)
def test_published_form_never_holds_for_independent_samples_while_training_helps(
    eta_samples: float, eta_training: float, inference_usd: float, training_usd: float
) -> None:
    condition = published_condition(
        eta_samples=eta_samples, eta_training=eta_training, inference_usd=inference_usd, training_usd=training_usd
    )

    assert not condition.favours_inference
    assert condition.margin < 0.0


def test_published_form_can_hold_for_tries_with_feedback() -> None:
    # Mean second-try elasticity of Aider's runs, 1.31.
    assert published_condition(eta_samples=1.31, eta_training=0.27, inference_usd=1.0, training_usd=1.0).favours_inference


@given(elasticities, st.floats(0.01, 5.0), dollars, dollars, st.floats(0.0, 1.0))
def test_verdict_turns_at_the_flipping_elasticity(
    eta_samples: float, eta_training: float, inference_usd: float, training_usd: float, share: float
) -> None:
    point = {"eta_training": eta_training, "inference_usd": inference_usd, "training_usd": training_usd}
    for form, extra in (
        (published_condition, {}),
        (lagrangian_condition, {}),
        (shared_cost_condition, {"variable_share": share}),
    ):
        flip = form(eta_samples=eta_samples, **point, **extra).flipping_eta_samples
        assert form(eta_samples=flip + 1e-6 * (1 + abs(flip)), **point, **extra).favours_inference
        assert not form(eta_samples=flip - 1e-6 * (1 + abs(flip)), **point, **extra).favours_inference


def test_where_training_does_not_help_there_is_a_verdict_but_no_ratio() -> None:
    # Dividing by a negative eta_T would turn the inequality round.
    condition = lagrangian_condition(eta_samples=0.5, eta_training=-0.08, inference_usd=1e9, training_usd=1.0)

    assert np.isnan(condition.left)
    assert condition.favours_inference


def test_arrays_give_what_single_points_give() -> None:
    eta = np.array([0.048, 0.93, 1.31])
    three = conditions(
        eta_samples=eta, eta_training=0.27, inference_usd=2.0, training_usd=1.0, variable_share=np.array([[0.2], [0.9]])
    )

    assert three.published.left.shape == (3,)
    assert three.shared_cost.left.shape == (2, 3)
    assert three.published.left[2] == pytest.approx(0.31 / 0.27)
    assert three.lagrangian.margin[1] == pytest.approx(0.93 / 0.27 - 2.0)


def test_training_bill_of_zero_is_not_an_operating_point() -> None:
    with pytest.raises(ValueError, match="training_usd"):
        published_condition(eta_samples=0.5, eta_training=0.5, inference_usd=1.0, training_usd=0.0)


def test_r1_favours_inference_only_below_a_dollar_ratio_of_0_0035() -> None:
    eta_samples = arc_elasticity(accept_rate_from=0.71, accept_rate_to=0.867, samples_from=1, samples_to=64)
    eta_training = arc_elasticity(accept_rate_from=0.392, accept_rate_to=0.798, samples_from=2788, samples_to=2935)
    point = {"eta_samples": eta_samples, "eta_training": eta_training, "training_usd": 1.0}

    assert lagrangian_condition(**point, inference_usd=0.0034).favours_inference
    assert not lagrangian_condition(**point, inference_usd=0.0036).favours_inference
    assert f"{lagrangian_condition(**point, inference_usd=1.0).left:.4f}" == "0.0035"


@pytest.mark.published
@needs_tables
def test_late_pythia_checkpoints_favour_inference_almost_everywhere_while_inference_costs_no_more_than_training() -> None:
    # "Almost everywhere" has a condition: 98 % of the points at S_I/S_T = .1 and 91 % at 1, but 65 % at 2.
    rows = [
        row
        for row in read_table("pythia_alpha_surface_derived.csv")
        if row["benchmark"] == "GSM8K" and row["tokens_label"] in {"60B", "200B", "300B"} and row["eta_T_arc_from_prev_tokens"]
    ]
    rows = [row for row in rows if row["eta_rho_arc_from_prev_k"]]
    condition = lagrangian_condition(
        eta_samples=np.array([float(row["eta_rho_arc_from_prev_k"]) for row in rows]),
        eta_training=np.array([float(row["eta_T_arc_from_prev_tokens"]) for row in rows]),
        inference_usd=np.array([[0.1], [1.0], [2.0]]),
        training_usd=1.0,
    )

    assert list(np.round(condition.favours_inference.mean(axis=1), 2)) == [0.98, 0.91, 0.65]


def test_samples_lower_cost_only_past_the_share_of_the_bill_they_make() -> None:
    share = variable_share(fixed_usd_per_question=3.0, usd_per_sample=1.0, samples=np.array([1.0, 9.0]))

    assert list(share) == [0.25, 0.75]
    assert list(samples_lower_cost(eta_samples=0.5, variable_share=share)) == [True, False]
    assert not samples_lower_cost(eta_samples=1.0)
    # In rho: an elasticity above rho / (1 + rho), here 15/16 of eta_N at 16 samples.
    assert samples_lower_cost(eta_samples=1.0 + 1e-9)


@pytest.mark.parametrize(
    ("ratio", "shares", "stated"),
    [
        (250, (0.159, 0.56), 71),  # Brown, SWE-bench Lite
        (10_000, (0.0002, 0.071), 28),  # Brown, CodeContests
        (64, (0.588, 0.90), 42),  # rStar-Math, base model to 64 trajectories
        (64, (0.71, 0.867), 52),  # R1-Zero, AIME
    ],
)
def test_published_points_multiply_the_cost_as_stated(ratio: float, shares: tuple[float, float], stated: int) -> None:
    factor = cost_multiplier(samples_ratio=ratio, accept_rate_from=shares[0], accept_rate_to=shares[1])

    assert round(float(factor)) == stated


@pytest.mark.parametrize(
    ("ratio", "eta", "factor"),
    [
        (64.0, 0.0, 64.0),  # samples that add nothing only cost
        (64.0, 1.0, 1.0),  # in proportion: no change
        (2.0, 2.0, 0.5),
        (64.0, 0.048, 52.4),  # R1-Zero, AIME: formula T2
        (1.0, 0.3, 1.0),
    ],
)
def test_cost_multiplier_of_an_elasticity(ratio: float, eta: float, factor: float) -> None:
    assert cost_multiplier_of_elasticity(samples_ratio=ratio, eta_samples=eta) == pytest.approx(factor, rel=1e-3)


@given(st.floats(1.1, 1e4), st.floats(0.01, 1.0), st.floats(0.01, 1.0), elasticities)
def test_elasticity_gives_the_multiplier_of_its_arc_and_falls_as_it_grows(
    ratio: float, before: float, after: float, eta: float
) -> None:
    arc = arc_elasticity(accept_rate_from=before, accept_rate_to=after, samples_from=1.0, samples_to=ratio)
    of_arc = cost_multiplier_of_elasticity(samples_ratio=ratio, eta_samples=arc)
    assert of_arc == pytest.approx(cost_multiplier(samples_ratio=ratio, accept_rate_from=before, accept_rate_to=after))

    factor = cost_multiplier_of_elasticity(samples_ratio=ratio, eta_samples=eta)
    assert cost_multiplier_of_elasticity(samples_ratio=ratio, eta_samples=eta + 0.1) < factor
    assert (factor < 1.0) == samples_lower_cost(eta_samples=eta) or abs(eta - 1.0) < 1e-9
    # Two arcs of one elasticity, one after the other, are the long arc.
    halves = cost_multiplier_of_elasticity(samples_ratio=np.sqrt(ratio), eta_samples=eta)
    assert halves**2 == pytest.approx(factor)


def test_cost_multiplier_of_no_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="samples_ratio"):
        cost_multiplier_of_elasticity(samples_ratio=0.0, eta_samples=0.5)


def test_net_value_can_favour_samples_that_cost_per_correct_answer_does_not() -> None:
    n = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    alpha = beta_coverage(success_shape=0.5, failure_shape=3.0, samples=n)
    value = net_value(value=5.0, reward=alpha, cost=0.02 * n)

    assert np.argmin(0.02 * n / alpha) == 0
    assert best_samples(samples=n, value=value).samples == 16.0


def test_best_samples_takes_the_smallest_of_equals() -> None:
    found = best_samples(
        samples=np.array([0.0, 1.0, 2.0, 3.0]), value=np.array([[0.0, 0.7, 0.7 + 1e-15, 0.7], [0.0, -0.1, -0.2, -0.3]])
    )

    assert isinstance(found, Optimum)
    assert list(found.samples) == [1.0, 0.0]
    assert list(found.value) == [0.7, 0.0]


# Resampling with a fallible verifier: Stroebl et al. 2411.17501, HumanEval tests as the verifier of HumanEval+.
# The per-task outcomes are not public here, so each row is checked with a population of tasks (accept rate per sample,
# precision, share of tasks) that our form turns into the published rewards and optima; linear programming found it.
LLAMA_70B = np.array(
    [
        (0.0, 0.0, 0.028275),
        (0.003, 0.4, 0.003005),
        (0.01, 0.2, 0.031786),
        (0.03, 0.6, 0.002855),
        (0.08, 0.4, 0.032567),
        (0.12, 1.0, 0.04003),
        (0.3, 1.0, 0.005452),
        (0.4, 0.2, 0.033544),
        (0.7, 0.2, 0.045806),
        (0.7, 1.0, 0.33563),
        (0.9, 1.0, 0.323968),
        (1.0, 0.8, 0.117082),
    ]
)
LLAMA_8B = np.array(
    [
        (0.003, 0.4, 0.030212),
        (0.005, 0.8, 0.038787),
        (0.05, 0.0, 0.038282),
        (0.08, 0.4, 0.046594),
        (0.12, 1.0, 0.235593),
        (0.25, 0.4, 0.041706),
        (0.7, 1.0, 0.241623),
        (1.0, 0.8, 0.327204),
    ]
)
PENALTIES = np.array([0.0, 1.0, 2.0, 4.0, 8.0])


def rewards(tasks: np.ndarray) -> np.ndarray:
    """Mean reward by penalty and number of samples, 0 to 200."""
    accepted, right, weight = tasks.T[:, :, None]
    # Accept rate a and precision pi of a task as base rate, true positives and false positives: q = a pi, t = 1.
    correct = accepted * right
    got = best_of_samples(
        base_correct_rate=correct,
        true_positive_rate=1.0,
        false_positive_rate=np.divide(accepted - correct, 1.0 - correct, where=correct < 1.0, out=np.zeros_like(correct)),
        samples=np.arange(201.0),
    )
    share = weight / weight.sum()
    mean_correct, mean_wrong = (share * got.correct).sum(axis=0), (share * got.wrong).sum(axis=0)
    return selection_reward(correct=mean_correct, wrong=mean_wrong, false_positive_penalty=PENALTIES[:, None])


def test_optimal_samples_fall_to_25_9_2_and_1_as_the_penalty_for_a_wrong_answer_grows() -> None:
    found = best_samples(samples=np.arange(201.0), value=rewards(LLAMA_70B))

    assert list(found.samples[1:]) == [25.0, 9.0, 2.0, 1.0]
    assert found.value == pytest.approx([0.835, 0.716, 0.611, 0.436, 0.144], abs=6e-4)


def test_without_a_penalty_more_samples_never_hurt_so_the_published_optimum_of_143_can_only_begin_a_plateau() -> None:
    # The authors replay stored samples without replacement (scaling_curves.ipynb of their repository): a task with c
    # accepted ones of n is settled after n - c + 1 draws at the latest, so the largest reward is reached before the cap.
    free = rewards(LLAMA_70B)[0]
    assert (np.diff(free) >= 0.0).all()
    assert best_samples(samples=np.arange(201.0), value=free).samples == 200.0


def test_a_published_best_reward_below_zero_is_not_a_best_reward() -> None:
    # Llama 3.1 8B and Phi-3 Mini at penalty 8 are published as -.142 and -.050 "at 0 samples". No sample at all is worth
    # 0; -.142 is what one sample gives.
    reward = rewards(LLAMA_8B)
    found = best_samples(samples=np.arange(201.0), value=reward)

    assert list(found.samples) == [200.0, 200.0, 22.0, 4.0, 0.0]
    assert found.value == pytest.approx([0.799, 0.630, 0.478, 0.221, 0.0], abs=6e-4)
    assert reward[4].argmax() == 0
    assert reward[4, 1] == pytest.approx(-0.142, abs=6e-4)


@pytest.mark.published
@needs_tables
def test_populations_above_stand_for_the_published_table() -> None:
    published = read_table("stroebl_optimal_k.csv")
    for name, tasks in (("Llama 3.1 70B", LLAMA_70B), ("Llama 3.1 8B", LLAMA_8B)):
        rows = [row for row in published if row["model"] == name]
        assert [-float(row["false_positive_reward"]) for row in rows] == list(PENALTIES)
        curves = rewards(tasks)
        for row, curve in zip(rows, curves, strict=True):
            at = max(int(row["optimal_k_max200"]), 1)
            assert curve[at] == pytest.approx(float(row["max_expected_reward"]), abs=1.1e-3)


@pytest.mark.published
@needs_tables
def test_published_rewards_fall_with_the_penalty_as_any_maximum_must() -> None:
    # max over N of correct(N) - penalty x wrong(N) is convex in the penalty.
    for name in ("Llama 3.1 70B", "Llama 3.1 8B", "Phi-3 Mini"):
        rows = [row for row in read_table("stroebl_optimal_k.csv") if row["model"] == name]
        reward = np.array([float(row["max_expected_reward"]) for row in rows])
        slopes = np.diff(reward) / np.diff(PENALTIES)
        assert (slopes < 0.0).all()
        assert (np.diff(slopes) >= -1e-3).all()


def test_a_verifier_that_errs_alike_on_all_tasks_has_no_best_number_of_samples_in_between() -> None:
    # It is the difference between tasks that makes a finite optimum: easy ones are settled first.
    got = best_of_samples(base_correct_rate=0.3, true_positive_rate=0.9, false_positive_rate=0.1, samples=np.arange(201.0))
    reward = selection_reward(correct=got.correct, wrong=got.wrong, false_positive_penalty=np.array([[1.0], [8.0]]))

    assert (np.diff(reward[0]) >= -1e-12).all()
    assert (np.diff(reward[1]) <= 1e-12).all()
    assert best_samples(samples=np.arange(201.0), value=reward[1]).samples == 0.0
