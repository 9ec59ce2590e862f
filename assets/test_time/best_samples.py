"""How far to resample: the best number of samples when a wrong answer costs something, and published optima beside ours."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from assets.frames import floats
from assets.test_time.cost_per_correct import GROUP
from economics.numeric.statistics import wilson_interval
from economics.test_time.best_samples import beta_coverage_curve, beta_through, break_even_penalty, least_mean, resampled
from economics.test_time.inference_frontier import best_samples as best_on
from economics.test_time.inference_frontier import net_value, selection_reward
from economics.test_time.verifier import Selected, best_of_samples
from economics.units import Array
from schemas.base import polars_schema
from schemas.test_time import best_samples as contract
from warehouse.table import table

FALSE_POSITIVE_RATES = (0.0, 0.01, 0.1)
"""Scenarios of the verifier on coverage curves, which know which samples are right but sell no verifier."""
PENALTIES = (0.0, 1.0, 4.0)
VALUES_IN_SAMPLES = (100.0, 10_000.0)
"""Scenarios of what a right answer is worth, in samples: an answer that hardly pays a search, and one that pays it well."""
LARGEST_CHECKPOINT = "pythia-12b"
REPLAYED = 200
"""Samples at most in the document on fallible verifiers, as the notes of its figures say."""
ALIKE = 1.001
"""Just above problems that are all alike, where the Beta ends."""
LOW, POINT, HIGH = range(3)
NO_N = "the document does not state its questions"
ROUNDING = 0.5e-3
"""Half a unit of the last printed digit of a reward."""
CURVE = ["paper", "benchmark", "system", "curve"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ends:
    """Shares of a question's ends on the low, measured and high curve (3, numbers of samples), and what is drawn."""

    samples: Array
    ends: Selected


@table(schema=contract.BestSamples, group=GROUP)
def best_samples(test_time_figure: pl.DataFrame, coverage_point: pl.DataFrame) -> pl.DataFrame:
    """Coverage behind a fallible verifier, votes and searches at their measured numbers, and the published optima."""
    rows = [
        *(row for curve in coverage_curves(test_time_figure, coverage_point) for row in verified(curve)),
        *(row for curve in chosen_curves(test_time_figure) for row in chosen(curve)),
        *published_optima(test_time_figure),
    ]
    return pl.DataFrame(rows, schema=polars_schema(contract.BestSamples)).sort(
        *CURVE, "false_positive_basis", "false_positive_rate", "false_positive_penalty", "value_in_samples"
    )


def coverage_curves(figures: pl.DataFrame, points: pl.DataFrame) -> list[dict[str, Any]]:
    """Curves that begin at one sample, with the price of a sample where a run was billed, and two of the Pythia surface."""
    usd = figures.filter(pl.col("metric") == "total_cost_usd", pl.col("selection") == "coverage").select(
        "paper", "benchmark", "system", sample_usd=pl.col("value") / pl.col("n") / pl.col("samples")
    )
    printed = curves(figures.filter(pl.col("curve") == "coverage")).filter(pl.col("samples").list.first() == 1)
    last = points.filter((pl.col("system") == LARGEST_CHECKPOINT) & (pl.col("train_tokens") == pl.col("train_tokens").max()))
    surface = last.group_by("benchmark", "system", "train_tokens").agg(
        pl.col("n").first(), pl.col("samples").sort(), shares=pl.col("coverage").sort_by("samples")
    )
    checkpoint = surface.select(
        "benchmark",
        "n",
        "samples",
        "shares",
        paper=pl.lit("pythia_surface"),
        curve=pl.lit("coverage"),
        status=pl.lit("derived"),
        system=pl.format("{} at {} M tokens", "system", pl.col("train_tokens") // 1_000_000),
    )
    priced = printed.join(usd, on=["paper", "benchmark", "system"], how="left")
    return pl.concat([priced, checkpoint], how="diagonal_relaxed").to_dicts()


def chosen_curves(figures: pl.DataFrame) -> list[dict[str, Any]]:
    """Votes and searches whose questions are counted."""
    return curves(figures.filter(pl.col("curve") != "coverage", pl.col("n").is_not_null())).to_dicts()


def curves(figures: pl.DataFrame) -> pl.DataFrame:
    """Each curve of accuracy with two or more points as one row: `samples` and `shares` are lists."""
    points = figures.filter(pl.col("metric") == "accuracy", pl.col("curve").is_not_null(), pl.col("samples").is_not_null())
    return (
        points.sort("samples")
        .group_by(*CURVE, "n", "status", maintain_order=True)
        .agg("samples", shares=pl.col("value") / 100.0)
        .filter(pl.col("samples").list.len() > 1)
    )


def verified(curve: dict[str, Any]) -> list[dict[str, Any]]:
    """A coverage curve behind verifiers of each scenario. The Beta goes through its first and last point."""
    samples, shares = with_limits(curve)
    most = int(samples[-1])
    mean = shares[:, 0].copy()
    # Wilson's lower end at one sample can lie below what independent samples need for the last point: no curve is there.
    mean[LOW] = max(mean[LOW], ALIKE * float(least_mean(samples=most, coverage=shares[LOW, -1])))
    a, b = beta_through(mean=mean, samples=most, correct=shares[:, -1])
    if np.isnan(a).any():
        raise ValueError(f"{curve['paper']}, {curve['system']} on {curve['benchmark']}: not a curve of independent samples")
    coverage = beta_coverage_curve(success_shape=a, failure_shape=b, most_samples=most)
    between = np.abs(coverage[POINT, samples[1:-1].astype(int)] - shares[POINT, 1:-1])
    rows = []
    for rate in FALSE_POSITIVE_RATES:
        ends = Ends(samples=np.arange(most + 1.0), ends=resampled(coverage=coverage, false_positive_rate=rate))
        fixed = {
            "answer": "first_accepted",
            "false_positive_rate": rate,
            "false_positive_basis": "scenario",
            "curve_error": between.max() if between.size else None,
        }
        rows += scenarios(curve | fixed, ends, penalties=PENALTIES if rate else PENALTIES[:1])
    return rows


def chosen(curve: dict[str, Any]) -> list[dict[str, Any]]:
    """A curve on which every question is answered: what is not right is wrong. No answer stands at 0 samples."""
    samples, shares = with_limits(curve)
    correct = np.pad(shares, [(0, 0), (1, 0)])
    wrong = np.pad(1.0 - shares, [(0, 0), (1, 0)])
    ends = Ends(
        samples=np.concatenate([[0.0], samples]),
        ends=Selected(correct=correct, wrong=wrong, unanswered=1.0 - correct - wrong),
    )
    return scenarios(curve | {"answer": "chosen_of_n"}, ends, penalties=PENALTIES)


def with_limits(curve: dict[str, Any]) -> tuple[Array, Array]:
    """Samples, and shares on the low, measured and high curve; all three the measured one where n is not known."""
    samples, shares = (np.asarray(curve[name], dtype=np.float64) for name in ("samples", "shares"))
    if curve["n"] is None:
        return samples, np.stack([shares] * 3)
    low, high = wilson_interval(successes=shares * curve["n"], trials=curve["n"])
    return samples, np.stack([low, shares, high])


def scenarios(fixed: dict[str, Any], at: Ends, *, penalties: tuple[float, ...]) -> list[dict[str, Any]]:
    """One row per penalty and worth of a right answer."""
    return [
        answered(fixed | {"false_positive_penalty": penalty, "penalty_basis": "assumed", "value_in_samples": value}, at)
        for penalty in penalties
        for value in VALUES_IN_SAMPLES
    ]


def answered(scenario: dict[str, Any], at: Ends) -> dict[str, Any]:
    """The row of one scenario, without what a document says."""
    penalty, value = scenario["false_positive_penalty"], scenario["value_in_samples"]
    worth = worth_of(at, penalty=penalty, value_in_samples=value)
    best = best_on(samples=at.samples, value=worth)
    row = {name: scenario.get(name) for name in (*CURVE, "status", "n", "sample_usd", "curve_error")} | {
        name: scenario.get(name) for name in ("answer", "false_positive_rate", "false_positive_basis", "penalty_basis")
    }
    row |= {
        "false_positive_penalty": penalty,
        "value_in_samples": value,
        "most_samples": int(at.samples[-1]),
        "best_samples": int(best.samples[POINT]),
        "net_value": best.value[POINT],
        "loss_at_most_samples": max(best.value[POINT] - worth[POINT, -1], 0.0),
    }
    if row["sample_usd"] is not None:
        row["net_value_usd"] = best.value[POINT] * value * row["sample_usd"]
    known = row["n"] is not None
    if known:
        row |= {
            "best_samples_low": int(best.samples.min()),
            "best_samples_high": int(best.samples.max()),
            "net_value_low": best.value[LOW],
            "net_value_high": best.value[HIGH],
        }
    else:
        row["why_no_interval"] = NO_N
    return row | even(at, cost=0.0 if value is None else 1.0 / value, known=known)


def even(at: Ends, *, cost: float, known: bool) -> dict[str, Any]:
    """The penalty at which one sample is worth nothing, or why there is none."""
    if 1.0 not in at.samples:
        return {"why_no_break_even": "the curve has no point at one sample"}
    one = int(np.flatnonzero(at.samples == 1.0)[0])
    correct, wrong = (np.asarray(share)[:, one] for share in (at.ends.correct, at.ends.wrong))
    found = np.asarray(break_even_penalty(correct=correct, wrong=wrong, cost=cost))
    if np.isnan(found[POINT]):
        return {"why_no_break_even": "the verifier accepts no wrong answer"}
    ends = {"break_even_penalty_low": found[LOW], "break_even_penalty_high": found[HIGH]} if known else {}
    return {"break_even_penalty": found[POINT]} | ends


def worth_of(at: Ends, *, penalty: float, value_in_samples: float | None) -> Array:
    """Right answers a question is worth at each number of samples, on all three curves."""
    reward = selection_reward(correct=at.ends.correct, wrong=at.ends.wrong, false_positive_penalty=penalty)
    each = 0.0 if value_in_samples is None else 1.0 / value_in_samples
    return np.asarray(net_value(value=1.0, reward=reward, cost=each * at.samples))


def published_optima(figures: pl.DataFrame) -> list[dict[str, Any]]:
    """Optima of Stroebl et al. beside ours, for the rate of false positives that precision gives and that rewards give.

    Accuracy of one sample is printed. The Beta's second number comes from the printed reward without a penalty, which is
    the share answered correctly, so the optima at other penalties are predictions.
    """
    paper = figures.filter(pl.col("paper") == "stroebl")
    once = paper.filter(pl.col("samples") == 1).group_by(CURVE[:3]).agg(metric("true_accuracy"), metric("verifier_precision"))
    optima = (
        paper.with_columns(penalty=pl.col("selection").str.extract(r"^penalty_(\d+)$").cast(pl.Float64))
        .drop_nulls("penalty")
        .group_by(*CURVE[:3], "status", "n", "penalty")
        .agg(metric("best_samples"), metric("best_reward"))
        .join(once, on=CURVE[:3])
        .drop_nulls(["best_samples", "best_reward", "true_accuracy", "verifier_precision"])
        .filter((pl.col("penalty").min() == 0.0).over(CURVE[:3]), (pl.len() > 1).over(CURVE[:3]))
        .sort("system", "penalty")
    )
    rows = []
    for _, of_system in optima.group_by("system", maintain_order=True):
        first, last = of_system.row(0, named=True), of_system.row(-1, named=True)
        base = first["true_accuracy"] / 100.0
        wrong = {
            "printed_precision": base * (100.0 / first["verifier_precision"] - 1.0),
            "printed_reward": (base - last["best_reward"]) / last["penalty"],
        }
        for basis, accepted_wrong in wrong.items():
            rows += compared(of_system, base=base, rate=accepted_wrong / (1.0 - base), basis=basis)
    return rows


def metric(name: str) -> pl.Expr:
    """The figure of that metric in a group."""
    return pl.col("value").filter(pl.col("metric") == name).first().alias(name)


def compared(optima: pl.DataFrame, *, base: float, rate: float, basis: str) -> list[dict[str, Any]]:
    """Our optimum at each of a system's penalties (ascending) beside the published one."""
    free = optima.row(0, named=True)
    a, b = beta_through(
        mean=np.full(3, base), samples=int(free["best_samples"]), correct=free["best_reward"], false_positive_rate=rate
    )
    coverage = beta_coverage_curve(success_shape=a, failure_shape=b, most_samples=REPLAYED)
    drawn = np.arange(REPLAYED + 1.0)
    at = Ends(samples=drawn, ends=resampled(coverage=coverage, false_positive_rate=rate))
    alike = best_of_samples(base_correct_rate=base, true_positive_rate=1.0, false_positive_rate=rate, samples=drawn)
    fitted = {0.0} | ({floats(optima, "penalty")[-1]} if basis == "printed_reward" else set())
    rows = []
    for line in optima.to_dicts():
        penalty, stated = line["penalty"], int(line["best_samples"])
        row = answered(
            line
            | {
                "curve": "resampling",
                "answer": "first_accepted",
                "false_positive_rate": rate,
                "false_positive_basis": basis,
                "false_positive_penalty": penalty,
                "penalty_basis": "stated",
                "value_in_samples": None,
            },
            at,
        )
        same = selection_reward(correct=alike.correct, wrong=alike.wrong, false_positive_penalty=penalty)
        there = worth_of(at, penalty=penalty, value_in_samples=None)[POINT, stated]
        lost, off = max(row["net_value"] - there, 0.0), row["net_value"] - line["best_reward"]
        rows.append(
            row
            | {
                "best_samples_if_alike": int(best_on(samples=drawn, value=np.asarray(same)).samples),
                "published_best_samples": stated,
                "samples_error": row["best_samples"] - stated,
                "published_net_value": line["best_reward"],
                "net_value_error": off,
                "loss_at_published": lost,
                "is_fitted": penalty in fitted,
                "published_holds": lost <= ROUNDING and abs(off) <= ROUNDING,
            }
        )
    return rows
