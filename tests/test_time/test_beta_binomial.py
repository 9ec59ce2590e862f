from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize
from scipy.special import gammaln
from scipy.stats import betabinom

from economics.test_time.beta_binomial import fit_beta_binomial
from economics.test_time.coverage import arc_elasticity, beta_coverage, pass_at_k

OUTCOMES = Path(__file__).resolve().parents[3] / "shared" / "data" / "test_time" / "monkeys" / "gsm8k_pass_at_k.parquet"


def log_likelihood(log_shapes: np.ndarray, successes: np.ndarray, samples: np.ndarray) -> float:
    a, b = np.exp(log_shapes)
    terms = gammaln(successes + a) - gammaln(a) + gammaln(samples - successes + b) - gammaln(b)
    return float(np.sum(terms - gammaln(samples + a + b) + gammaln(a + b)))


def curves(rng: np.random.Generator, *, count: int, problems: int, samples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shapes = np.exp(rng.uniform([-2.0, 0.0], [1.0, 4.0], size=(count, 2)))
    rates = rng.beta(shapes[:, :1], shapes[:, 1:], size=(count, problems))
    return shapes, rng.binomial(samples, rates), np.full((count, problems), samples)


def test_fit_finds_the_shapes_the_data_came_from() -> None:
    shapes, successes, samples = curves(np.random.default_rng(0), count=6, problems=20_000, samples=200)

    fit = fit_beta_binomial(successes=successes, samples=samples)

    assert fit.converged.all()
    assert fit.success_shape == pytest.approx(shapes[:, 0], rel=0.08)
    assert fit.failure_shape == pytest.approx(shapes[:, 1], rel=0.08)


def test_fit_reaches_the_maximum_that_scipy_finds_one_curve_at_a_time() -> None:
    rng = np.random.default_rng(1)
    _, successes, _ = curves(rng, count=25, problems=100, samples=60)
    samples = np.maximum(successes, rng.integers(40, 500, successes.shape))

    fit = fit_beta_binomial(successes=successes, samples=samples)

    for row in range(25):
        found = minimize(
            lambda x, row=row: -log_likelihood(x, successes[row], samples[row]),
            x0=np.log([fit.success_shape[row] * 1.5, fit.failure_shape[row] / 1.5]),
            method="Nelder-Mead",
            options={"xatol": 1e-10, "fatol": 1e-10, "maxiter": 2000},
        )
        assert fit.log_likelihood[row] == pytest.approx(-found.fun, abs=1e-6)
        assert np.log([fit.success_shape[row], fit.failure_shape[row]]) == pytest.approx(found.x, abs=1e-3)


def test_log_likelihood_is_that_of_scipy_up_to_the_binomial_coefficients() -> None:
    successes, samples = np.array([0.0, 3.0, 9.0, 1.0]), np.array([10.0, 10.0, 12.0, 40.0])
    fit = fit_beta_binomial(successes=successes, samples=samples)

    coefficients = gammaln(samples + 1) - gammaln(successes + 1) - gammaln(samples - successes + 1)
    expected = betabinom(samples, fit.success_shape, fit.failure_shape).logpmf(successes).sum()
    assert fit.log_likelihood + coefficients.sum() == pytest.approx(expected)


def test_one_curve_is_fitted_as_among_others_and_any_shape_is_kept() -> None:
    _, successes, samples = curves(np.random.default_rng(2), count=6, problems=50, samples=30)

    one = fit_beta_binomial(successes=successes[4], samples=samples[4])
    grid = fit_beta_binomial(successes=successes.reshape(2, 3, 50), samples=samples.reshape(2, 3, 50))

    assert one.success_shape.shape == ()
    assert grid.success_shape.shape == (2, 3)
    assert grid.success_shape[1, 1] == pytest.approx(float(one.success_shape), rel=1e-6)


def test_weights_count_a_problem_several_times() -> None:
    _, successes, samples = curves(np.random.default_rng(3), count=1, problems=40, samples=30)
    weights = np.random.default_rng(4).multinomial(40, np.full(40, 1 / 40), size=1)

    weighted = fit_beta_binomial(successes=successes, samples=samples, weights=weights)
    repeated = fit_beta_binomial(
        successes=np.repeat(successes, weights[0], axis=1), samples=np.repeat(samples, weights[0], axis=1)
    )

    assert weighted.success_shape == pytest.approx(repeated.success_shape, rel=1e-6)
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood)
    assert weighted.problems == 40


def test_problem_without_samples_is_left_out() -> None:
    _, successes, samples = curves(np.random.default_rng(5), count=1, problems=40, samples=30)
    padded = fit_beta_binomial(successes=np.pad(successes, ((0, 0), (0, 9))), samples=np.pad(samples, ((0, 0), (0, 9))))

    assert padded.success_shape == pytest.approx(fit_beta_binomial(successes=successes, samples=samples).success_shape)
    assert padded.problems == 40


def test_curve_without_any_success_has_no_shapes_and_no_coverage() -> None:
    fit = fit_beta_binomial(successes=np.array([[0.0, 0.0], [5.0, 5.0], [1.0, 4.0]]), samples=np.full((3, 2), 5.0))

    assert list(fit.identified) == [False, False, True]
    assert list(fit.mean[:2]) == [0.0, 1.0]
    assert np.isnan(fit.success_shape[:2]).all()
    assert fit.converged.all()


def test_problems_that_do_not_differ_are_said_so() -> None:
    # Counts closer together than chance: any finite a + b is too small.
    fit = fit_beta_binomial(successes=np.full(60, 3.0), samples=np.full(60, 30.0))

    assert fit.at_bound
    assert fit.converged
    assert fit.mean == pytest.approx(0.1, rel=1e-3)
    assert np.isnan(fit.log_concentration_error)


def test_problems_always_or_never_solved_reach_the_other_bound() -> None:
    fit = fit_beta_binomial(successes=np.repeat([0.0, 20.0], [60, 40]), samples=np.full(100, 20.0))

    assert fit.at_bound
    assert fit.mean == pytest.approx(0.4, abs=1e-4)
    assert beta_coverage(success_shape=fit.success_shape, failure_shape=fit.failure_shape, samples=1000.0) == pytest.approx(
        0.4, abs=1e-3
    )


def test_standard_errors_are_the_spread_of_repeated_fits() -> None:
    rng = np.random.default_rng(6)
    rates = rng.beta(0.5, 5.0, size=(400, 128))
    fit = fit_beta_binomial(successes=rng.binomial(100, rates), samples=np.full((400, 128), 100))

    assert np.median(fit.logit_mean_error) == pytest.approx(np.log(fit.mean / (1 - fit.mean)).std(), rel=0.15)
    assert np.median(fit.log_concentration_error) == pytest.approx(np.log(fit.concentration).std(), rel=0.15)


def test_counts_that_do_not_fit_are_errors() -> None:
    with pytest.raises(ValueError, match="successes must not exceed samples"):
        fit_beta_binomial(successes=np.array([3.0]), samples=np.array([2.0]))
    with pytest.raises(ValueError, match="weighted_samples"):
        fit_beta_binomial(successes=np.array([0.0]), samples=np.array([0.0]))


@pytest.fixture(scope="module")
def checkpoints() -> tuple[list[str], np.ndarray, np.ndarray]:
    if not OUTCOMES.exists():
        pytest.skip("per-problem outcomes of the Pythia checkpoints are not on this machine")
    rows = (
        pl.read_parquet(OUTCOMES)
        .filter(pl.col("k") == 1)
        .group_by("Model Nickname", maintain_order=True)
        .agg("Num. Samples", "Num. Samples Correct")
    )
    width = rows["Num. Samples"].list.len().max()
    samples, successes = np.zeros((2, len(rows), width))
    for row, (n, c) in enumerate(rows.select("Num. Samples", "Num. Samples Correct").iter_rows()):
        samples[row, : len(n)], successes[row, : len(c)] = n, c
    return rows["Model Nickname"].to_list(), successes, samples


@pytest.mark.published
def test_all_checkpoints_of_pythia_on_gsm8k_are_fitted(checkpoints: tuple[list[str], np.ndarray, np.ndarray]) -> None:
    names, successes, samples = checkpoints

    fit = fit_beta_binomial(successes=successes, samples=samples)

    assert len(names) == 81
    assert fit.converged.all()
    # Two checkpoints solved nothing in all their samples; their shapes are not known.
    assert sorted(np.array(names)[~fit.identified]) == ["Pythia_12B_2M", "Pythia_410M_64M"]
    assert (fit.mean[~fit.identified] == 0.0).all()


@pytest.mark.published
def test_fitted_curve_follows_the_unbiased_one(checkpoints: tuple[list[str], np.ndarray, np.ndarray]) -> None:
    names, successes, samples = checkpoints
    row = names.index("Pythia_1.4B_300B")
    fit = fit_beta_binomial(successes=successes[row], samples=samples[row])
    k = np.array([1.0, 4.0, 16.0, 64.0, 256.0, 512.0])
    measured = samples[row] > 0

    unbiased = pass_at_k(successes=successes[row][measured, None], samples=samples[row][measured, None], k=k).mean(axis=0)
    fitted = beta_coverage(success_shape=fit.success_shape, failure_shape=fit.failure_shape, samples=k)

    assert unbiased == pytest.approx([0.011993, 0.046091, 0.158914, 0.403370, 0.667887, 0.773438], abs=1e-6)
    assert fitted == pytest.approx(unbiased, abs=0.05)


@pytest.mark.published
def test_no_checkpoint_has_an_elasticity_above_one(checkpoints: tuple[list[str], np.ndarray, np.ndarray]) -> None:
    largest = []
    for successes, samples in zip(checkpoints[1], checkpoints[2], strict=True):
        measured = samples > 0
        k = 2.0 ** np.arange(np.floor(np.log2(samples[measured].min())) + 1)
        curve = pass_at_k(successes=successes[measured, None], samples=samples[measured, None], k=k).mean(axis=0)
        arcs = arc_elasticity(accept_rate_from=curve[:-1], accept_rate_to=curve[1:], samples_from=k[:-1], samples_to=k[1:])
        largest.append(arcs.max() if curve[0] > 0.0 else 0.0)

    assert max(largest) <= 1.0 + 1e-12
    assert f"{max(largest):.6f}" == "1.000000"
