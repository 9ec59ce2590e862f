import csv
from collections import defaultdict
from fractions import Fraction
from math import comb
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from economics.test_time.coverage import (
    arc_elasticities_by_item,
    arc_elasticity,
    arc_elasticity_interval,
    beta_coverage,
    beta_coverage_elasticity,
    fit_power_law,
    pass_at_k,
    power_law_coverage,
    power_law_elasticity,
)

TABLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "test_time" / "paper_tables"
needs_tables = pytest.mark.skipif(not TABLES.is_dir(), reason="transcribed tables of the papers are not on this machine")


def read_table(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open() as file:
        return list(csv.DictReader(file))


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(0, n))))
def test_pass_at_k_is_exact(counts: tuple[int, int, int]) -> None:
    n, c, k = counts
    exact = 1 - Fraction(comb(n - c, k), comb(n, k))

    assert pass_at_k(successes=c, samples=n, k=k) == pytest.approx(float(exact), rel=1e-13)


def test_pass_at_k_keeps_its_digits_for_rare_successes() -> None:
    # One success in a million samples: differences of factorials would leave five digits.
    assert pass_at_k(successes=1.0, samples=1e6, k=3.0) == pytest.approx(3e-6, rel=1e-14)
    assert pass_at_k(successes=5.0, samples=1e6, k=1.0) == pytest.approx(5e-6, rel=1e-14)


def test_pass_at_k_knows_no_more_than_its_samples() -> None:
    with pytest.raises(ValueError, match="k must not exceed samples"):
        pass_at_k(successes=np.array([1.0, 1.0]), samples=np.array([128.0, 512.0]), k=256.0)
    with pytest.raises(ValueError, match="successes must not exceed samples"):
        pass_at_k(successes=3.0, samples=2.0, k=1.0)


def test_pass_at_k_is_unbiased() -> None:
    rng = np.random.default_rng(0)
    estimates = pass_at_k(successes=rng.binomial(20, 0.1, 200_000), samples=20.0, k=7.0)

    assert estimates.mean() == pytest.approx(1 - 0.9**7, abs=0.002)


@given(st.floats(0.01, 30.0), st.floats(0.01, 1e5), st.integers(0, 200))
def test_beta_coverage_is_one_minus_the_chance_of_all_failing(a: float, b: float, samples: int) -> None:
    missed = np.prod([(b + j) / (a + b + j) for j in range(samples)])

    assert beta_coverage(success_shape=a, failure_shape=b, samples=samples) == pytest.approx(1 - missed, rel=1e-9, abs=1e-13)


def test_beta_coverage_of_a_uniform_rate() -> None:
    n = np.array([1.0, 2.0, 9.0, 1e9])

    assert beta_coverage(success_shape=1.0, failure_shape=1.0, samples=n) == pytest.approx(n / (n + 1))
    assert beta_coverage(success_shape=1.0, failure_shape=1.0, samples=0.0) == 0.0


@given(st.floats(1e-4, 50.0), st.floats(1e-2, 1e6), st.floats(0.5, 1e6))
def test_elasticity_of_independent_samples_is_at_most_one(a: float, b: float, samples: float) -> None:
    eta = beta_coverage_elasticity(success_shape=a, failure_shape=b, samples=samples)
    # One sample is not enough to see it: below N = 1 the curve is a continuation.
    assert 0.0 <= eta <= 1.0 + 1e-9


@given(st.floats(0.05, 5.0), st.floats(0.1, 1e4), st.floats(1.0, 1e4))
def test_elasticity_is_the_slope_of_the_curve(a: float, b: float, samples: float) -> None:
    step = 1e-4
    shapes = {"success_shape": a, "failure_shape": b}
    ends = beta_coverage(**shapes, samples=samples * np.exp([-step, step]))

    slope = np.diff(np.log(ends))[0] / (2 * step)
    assert beta_coverage_elasticity(**shapes, samples=samples) == pytest.approx(slope, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "shares", "samples", "stated"),
    [
        ("R1-Zero, AIME 2024, majority of 64", (71.0, 86.7), (1, 64), "0.048"),
        ("rStar 7B, MATH, 1 to 8", (78.4, 89.4), (1, 8), "0.063"),
        ("rStar 7B, MATH, 8 to 64", (89.4, 90.0), (8, 64), "0.0032"),
        ("rStar 7B, AIME, 1 to 8", (26.7, 50.0), (1, 8), "0.30"),
        ("rStar 7B, AIME, 8 to 64", (50.0, 53.3), (8, 64), "0.031"),
        ("rStar 7B, MATH, base model to 64 (with training: an upper bound)", (58.8, 90.0), (1, 64), "0.102"),
        ("Brown, SWE-bench Lite, 1 to 5", (15.9, 29.62), (1, 5), "0.387"),
        ("Brown, SWE-bench Lite, 5 to 250", (29.62, 56.0), (5, 250), "0.163"),
        ("Brown, SWE-bench Lite, 1 to 250", (15.9, 56.0), (1, 250), "0.228"),
        ("Brown, CodeContests, Gemma-2B", (0.02, 7.1), (1, 10_000), "0.638"),
        ("R1-Distill-Qwen-1.5B", (28.9, 52.7), (1, 64), "0.144"),
        ("R1-Distill-Qwen-7B", (55.5, 83.3), (1, 64), "0.098"),
        ("R1-Distill-Qwen-14B", (69.7, 80.0), (1, 64), "0.033"),
        ("R1-Distill-Qwen-32B", (72.6, 83.3), (1, 64), "0.033"),
        ("R1-Distill-Llama-8B", (50.4, 80.0), (1, 64), "0.111"),
        ("R1-Distill-Llama-70B", (70.0, 86.7), (1, 64), "0.051"),
    ],
)
def test_published_points_have_the_stated_elasticity(
    name: str, shares: tuple[float, float], samples: tuple[int, int], stated: str
) -> None:
    eta = arc_elasticity(
        accept_rate_from=shares[0] / 100, accept_rate_to=shares[1] / 100, samples_from=samples[0], samples_to=samples[1]
    )

    decimals = len(stated.split(".")[1])
    assert f"{eta:.{decimals}f}" == stated, name


def test_training_elasticity_of_the_r1_step_is_13_8_where_the_reference_says_about_13_9() -> None:
    # AIME 39.2 -> 79.8 for 147 thousand GPU-hours on 2,788 thousand. ln(79.8/39.2) / ln(2935/2788) = 13.83: the stated
    # 13.9 does not follow from the stated hours to its last digit. What is concluded from it does not change.
    eta = arc_elasticity(accept_rate_from=0.392, accept_rate_to=0.798, samples_from=2788.0, samples_to=2788.0 + 147.0)

    assert eta == pytest.approx(13.83, abs=0.005)
    assert eta == pytest.approx(13.9, rel=0.006)


def test_arc_from_nothing_or_over_no_distance_is_not_known() -> None:
    arcs = arc_elasticity(
        accept_rate_from=np.array([0.0, 0.2, 0.2]),
        accept_rate_to=np.array([0.3, 0.0, 0.3]),
        samples_from=np.array([1.0, 1.0, 8.0]),
        samples_to=np.array([8.0, 8.0, 8.0]),
    )

    assert np.isnan(arcs).all()


def test_thirty_questions_do_not_tell_8_samples_from_64() -> None:
    # rStar 7B on AIME: 15 and 16 of 30 questions. One question is the whole difference.
    low, high = arc_elasticity_interval(
        successes_from=15.0, trials_from=30.0, successes_to=16.0, trials_to=30.0, samples_from=8.0, samples_to=64.0
    )

    assert low < 0.0 < high
    assert low < arc_elasticity(accept_rate_from=0.5, accept_rate_to=16 / 30, samples_from=8.0, samples_to=64.0) < high


def test_interval_of_a_falling_axis_keeps_its_order() -> None:
    rising = arc_elasticity_interval(
        successes_from=15.0, trials_from=30.0, successes_to=24.0, trials_to=30.0, samples_from=1.0, samples_to=8.0
    )
    falling = arc_elasticity_interval(
        successes_from=24.0, trials_from=30.0, successes_to=15.0, trials_to=30.0, samples_from=8.0, samples_to=1.0
    )

    assert rising == pytest.approx(falling)


def test_bootstrap_by_item_is_narrower_than_wilson_when_items_are_the_same() -> None:
    rng = np.random.default_rng(7)
    rate = rng.beta(0.4, 4.0, 128)
    items = 1.0 - (1.0 - rate[:, None]) ** np.array([1.0, 8.0, 64.0])

    arcs, low, high = arc_elasticities_by_item(item_coverage=items, samples=np.array([1.0, 8.0, 64.0]), replicates=500, rng=rng)

    assert ((low < arcs) & (arcs < high)).all()
    assert (high <= 1.0).all()
    share = items.mean(axis=0)
    wide = arc_elasticity_interval(
        successes_from=128 * share[0],
        trials_from=128.0,
        successes_to=128 * share[1],
        trials_to=128.0,
        samples_from=1.0,
        samples_to=8.0,
    )
    assert high[0] - low[0] < wide[1] - wide[0]


def test_power_law_fit_finds_the_law_it_came_from() -> None:
    k = np.unique(np.round(np.geomspace(1, 10_000, 40)))
    scale, exponent = fit_power_law(samples=k, coverage=power_law_coverage(scale=-4.1, exponent=-0.35, samples=k))

    assert (scale, exponent) == (pytest.approx(-4.1), pytest.approx(-0.35))
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        fit_power_law(samples=np.array([1.0, 2.0]), coverage=np.array([0.5, 1.0]))


def test_power_law_fit_breaks_the_bound_that_its_own_data_keep() -> None:
    # Coverage of independent samples on problems of very different difficulty, near one sample.
    k = np.unique(np.round(np.geomspace(1, 10_000, 40)))
    coverage = beta_coverage(success_shape=0.25, failure_shape=20.0, samples=k)

    scale, exponent = fit_power_law(samples=k, coverage=coverage)

    assert power_law_elasticity(scale=scale, exponent=exponent, samples=1.0) > 1.0
    arcs = arc_elasticity(accept_rate_from=coverage[:-1], accept_rate_to=coverage[1:], samples_from=k[:-1], samples_to=k[1:])
    assert (arcs <= 1.0).all()
    assert beta_coverage_elasticity(success_shape=0.25, failure_shape=20.0, samples=1.0) <= 1.0


@pytest.mark.published
@needs_tables
def test_published_power_law_fits_break_the_bound_by_1_38_to_1_84() -> None:
    rows = read_table("brown_pythia_math_powerlaw_fit_derived.csv")
    eta = [power_law_elasticity(scale=float(r["a"]), exponent=float(r["b"]), samples=1.0) for r in rows]

    assert eta == pytest.approx([float(r["eta_at_k1_fit"]) for r in rows], abs=1e-5)
    assert (round(min(eta), 2), round(max(eta), 2)) == (1.38, 1.84)


def pythia_surface() -> dict[tuple[str, str, str], list[dict[str, str]]]:
    curves = defaultdict(list)
    for row in read_table("pythia_alpha_surface_derived.csv"):
        curves[row["benchmark"], row["size"], row["tokens_label"]].append(row)
    return curves


@pytest.mark.published
@needs_tables
def test_no_arc_of_the_pythia_surface_exceeds_one() -> None:
    curves = pythia_surface()
    arcs, stated, exact = [], [], []
    for curve in curves.values():
        k, coverage = (np.array([float(row[name]) for row in curve]) for name in ("k", "coverage"))
        arc = np.array([float(row["eta_rho_arc_from_prev_k"] or "nan") for row in curve])[1:]
        exact.append(arc)
        # The table rounds coverage to six decimals, which moves the arcs of tiny coverages: those are not recomputed.
        seen = coverage[:-1] >= 0.001
        ends = {"samples_from": k[:-1][seen], "samples_to": k[1:][seen]}
        arcs.append(arc_elasticity(accept_rate_from=coverage[:-1][seen], accept_rate_to=coverage[1:][seen], **ends))
        stated.append(arc[seen])

    assert sum(map(len, curves.values())) == 1966
    assert np.concatenate(arcs) == pytest.approx(np.concatenate(stated), abs=2e-3)
    assert f"{np.nanmax(np.concatenate(exact)):.6f}" == "1.000000"


@pytest.mark.published
@needs_tables
def test_pythia_1_4b_on_gsm8k_has_the_stated_elasticities() -> None:
    curve = {int(row["k"]): float(row["coverage"]) for row in pythia_surface()["GSM8K", "1.4B", "300B"]}
    stated = {(4, 8): "0.926", (32, 64): "0.594", (256, 512): "0.212"}

    for (few, many), eta in stated.items():
        arc = arc_elasticity(accept_rate_from=curve[few], accept_rate_to=curve[many], samples_from=few, samples_to=many)
        assert f"{arc:.3f}" == eta

    points = [pythia_surface()["GSM8K", "1.4B", tokens][0] for tokens in ("20B", "60B", "200B", "300B")]
    coverage, tokens = (np.array([float(p[name]) for p in points]) for name in ("coverage", "train_tokens"))
    arcs = arc_elasticity(
        accept_rate_from=coverage[:-1], accept_rate_to=coverage[1:], samples_from=tokens[:-1], samples_to=tokens[1:]
    )
    assert [f"{arc:.2f}" for arc in arcs] == ["0.17", "-0.08", "0.27"]


@pytest.mark.published
@needs_tables
def test_second_tries_with_feedback_exceed_the_bound_of_independent_samples() -> None:
    rows = [row for row in read_table("aider_cost_per_correct_derived.csv") if row["second_try_elasticity"]]
    first, second = (np.array([float(row[name]) / 100 for row in rows]) for name in ("pass_rate_1", "pass_rate_2"))
    eta = arc_elasticity(accept_rate_from=first, accept_rate_to=second, samples_from=1.0, samples_to=2.0)

    assert len(eta) == 69
    assert (f"{eta.mean():.2f}", f"{np.median(eta):.2f}") == ("1.31", "1.25")
    assert (f"{eta.min():.2f}", f"{eta.max():.2f}") == ("0.76", "2.50")
    assert (eta > 1.0).sum() == 52
