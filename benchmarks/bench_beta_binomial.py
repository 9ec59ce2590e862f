"""Beta-binomial fits of many curves: ours, all at once, against scipy.optimize.minimize curve by curve.

    OPENBLAS_NUM_THREADS=1 python benchmarks/bench_beta_binomial.py [PATH_OF_A_PARQUET] [ROUNDS]

The Parquet file holds one row per model, problem and k, as the authors of "How Do Large Language Monkeys Get Their Power"
publish it (columns Model Nickname, Num. Samples, Num. Samples Correct, k). Without a path 81 curves of 128 problems of
that kind are made up. All sides get the same arrays and start from the same moments. Times are CPU seconds of one thread, the
median of the rounds: other work on the machine does not enter. Peers may search log shapes between -20 and 25.

The bar: all curves in less than 2 s, at least 10 times as fast as the fastest peer, and no peer finds a likelihood that is
better by more than 1e-3 on a curve whose concentration is not at its bound.
"""

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import digamma, gammaln

from economics.test_time.beta_binomial import BetaBinomialFit, fit_beta_binomial

Array = NDArray[np.float64]

MOST_SECONDS = 2.0
LEAST_RATIO = 10.0
LIKELIHOOD_SLACK = 1e-3
BOUNDS = (-20.0, 25.0)


def made_up(rng: np.random.Generator) -> tuple[Array, Array]:
    """81 curves of 128 problems: weak models are sampled often and succeed rarely, strong ones the other way round."""
    samples = np.repeat(rng.choice([128, 512, 2_048, 10_112, 50_048], 81)[:, None], 128, axis=1).astype(float)
    shapes = np.stack([np.exp(rng.uniform(-2, 0.5, 81)), samples[:, 0] * np.exp(rng.uniform(-3, 2, 81))])
    return rng.binomial(samples.astype(int), rng.beta(*shapes[:, :, None], size=samples.shape)).astype(float), samples


def measured(path: str) -> tuple[Array, Array]:
    """Counts of successes and samples, (models, problems); problems that a model was not asked have no samples."""
    rows = (
        pl.read_parquet(path)
        .filter(pl.col("k") == 1)
        .group_by("Model Nickname", maintain_order=True)
        .agg(n="Num. Samples", c="Num. Samples Correct")
    )
    samples, successes = np.zeros((2, len(rows), rows["n"].list.len().max()))
    for row, (n, c) in enumerate(rows.select("n", "c").iter_rows()):
        samples[row, : len(n)], successes[row, : len(c)] = n, c
    return successes, samples


def loss(log_shapes: Array, c: Array, n: Array) -> float:
    """Minus the log-likelihood of one curve."""
    a, b = np.exp(log_shapes)
    return -float(np.sum(gammaln(c + a) - gammaln(a) + gammaln(n - c + b) - gammaln(b) - gammaln(n + a + b) + gammaln(a + b)))


def loss_and_gradient(log_shapes: Array, c: Array, n: Array) -> tuple[float, Array]:
    """The same with its gradient."""
    a, b = np.exp(log_shapes)
    shared = digamma(a + b) - digamma(n + a + b)
    slope = np.array([a * np.sum(digamma(c + a) - digamma(a) + shared), b * np.sum(digamma(n - c + b) - digamma(b) + shared)])
    return loss(log_shapes, c, n), -slope


def start(c: Array, n: Array) -> Array:
    """Log shapes from moments."""
    rate = c / n
    mean, variance, noise = rate.mean(), rate.var(), np.mean(1 / n)
    likeness = np.clip((variance / (mean * (1 - mean)) - noise) / (1 - noise), 1e-6, 0.99)
    whole = 1 / likeness - 1
    return np.log([whole * mean, whole * (1 - mean)])


def one_by_one(successes: Array, samples: Array, method: str) -> Array:
    """Log-likelihood of each curve, found by scipy; 0 for a curve without a success or without a failure."""
    found = np.zeros(len(samples))
    gradient = method == "L-BFGS-B, gradient given"
    for row in range(len(samples)):
        asked = samples[row] > 0
        c, n = successes[row][asked], samples[row][asked]
        if 0 < c.sum() < n.sum():
            result = minimize(
                loss_and_gradient if gradient else loss,
                start(c, n),
                args=(c, n),
                method=method.split(",", maxsplit=1)[0],
                jac=gradient or None,
                bounds=[BOUNDS, BOUNDS],
            )
            found[row] = -result.fun
    return found


def timed(run: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        began = time.thread_time()
        run()
        seconds.append(time.thread_time() - began)
    return statistics.median(seconds)


def main() -> int:
    path, rounds = (sys.argv[1] if len(sys.argv) > 1 else ""), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    successes, samples = measured(path) if path else made_up(np.random.default_rng(0))
    fit: BetaBinomialFit = fit_beta_binomial(successes=successes, samples=samples)
    sure = fit.identified & ~fit.at_bound
    ours = timed(lambda: fit_beta_binomial(successes=successes, samples=samples), rounds)
    print(f"{len(samples)} curves, {int((samples > 0).sum())} problems, {path or 'made up'}; median of {rounds} rounds")
    print(f"{'side':32}{'ms':>10}{'ratio':>8}{'curves behind ours':>20}{'best gain on ours':>20}")
    print(f"{'ours':32}{ours * 1e3:10.1f}{1:8.1f}{'-':>20}{'-':>20}   converged {int(fit.converged.sum())}/{len(samples)}")
    fastest, gained = np.inf, 0.0
    for method in ("Nelder-Mead", "L-BFGS-B", "L-BFGS-B, gradient given"):
        theirs = one_by_one(successes, samples, method)
        seconds = timed(lambda method=method: one_by_one(successes, samples, method), rounds)
        ahead = (theirs - fit.log_likelihood)[sure]
        fastest, gained = min(fastest, seconds), max(gained, ahead.max())
        behind = int((ahead < -LIKELIHOOD_SLACK).sum())
        print(f"{method:32}{seconds * 1e3:10.1f}{seconds / ours:8.1f}{behind:20}{ahead.max():20.1e}")
    met = ours < MOST_SECONDS and fastest / ours >= LEAST_RATIO and gained <= LIKELIHOOD_SLACK and fit.converged.all()
    print("bar met" if met else "BAR NOT MET")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
