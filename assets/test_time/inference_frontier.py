"""Where the next dollar goes: elasticities of every calibration curve, and three forms of the condition side by side."""

from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.documents import parse_all, source_asset
from assets.frames import floats, nullable, under_contract, where_known
from assets.prices.frontier import priced_models
from assets.test_time.cost_per_correct import GROUP
from economics.numeric.statistics import wilson_interval
from economics.test_time.coverage import arc_elasticity, arc_elasticity_interval
from economics.test_time.inference_frontier import conditions, lagrangian_condition, samples_lower_cost
from schemas.quarantine import Parsed
from schemas.test_time import inference_frontier as contract
from sources.source import Snapshot
from sources.test_time.figures import parse_surface
from warehouse.table import table

DOLLAR_RATIOS = (0.001, 0.01, 0.1, 1.0, 10.0)
"""Scenarios of lifetime inference dollars over training dollars: no source tells them for a model."""
VARIABLE_SHARE = 0.5
"""Scenario of the shared-cost form: half of a question's bill grows with its samples."""
SEEN_COVERAGE = 1e-3
"""Arcs of the surface that start below this have too few digits, and too few solved problems, to tell anything."""

pythia_surface = source_asset("pythia_surface", accept=parse_surface, group=GROUP)


@table(schema=contract.PythiaSurfaceFigure, group=GROUP)
def pythia_surface_figure(pythia_surface: list[Snapshot]) -> Parsed:
    """The surface of Pythia checkpoints."""
    return parse_all(pythia_surface, parse_surface, contract.PythiaSurfaceFigure)


@table(schema=contract.CoveragePoint, group=GROUP)
def coverage_point(pythia_surface_figure: pl.DataFrame) -> pl.DataFrame:
    """The surface with its intervals; elasticities are those computed before coverage was rounded."""
    grid = pythia_surface_figure.sort("benchmark", "system", "train_tokens", "samples")
    n = floats(grid, "n")
    low, high = wilson_interval(successes=floats(grid, "coverage") * n, trials=n)
    named = grid.rename({"eta_samples_printed": "eta_samples", "eta_training_printed": "eta_training"})
    return under_contract(
        contract.CoveragePoint, named.with_columns(coverage_low=pl.Series(low), coverage_high=pl.Series(high))
    )


@table(schema=contract.AlphaSurface, group=GROUP)
def alpha_surface(coverage_point: pl.DataFrame) -> pl.DataFrame:
    """Where each arc of the surface starts, and the intervals of its elasticities."""
    curve, ladder = ["benchmark", "system", "train_tokens"], ["benchmark", "system", "samples"]
    arcs = coverage_point.sort("benchmark", "system", "train_tokens", "samples").with_columns(
        samples_from=pl.col("samples").shift(1).over(curve),
        coverage_from=pl.col("coverage").shift(1).over(curve),
        train_tokens_from=pl.col("train_tokens").shift(1).over(ladder),
        coverage_from_training=pl.col("coverage").shift(1).over(ladder),
        n_from_training=pl.col("n").shift(1).over(ladder),
    )
    along_samples = _interval(arcs, "coverage_from", "n", "samples_from", "samples")
    along_training = _interval(arcs, "coverage_from_training", "n_from_training", "train_tokens_from", "train_tokens")
    paired, eta = pl.col("eta_samples_low").is_not_null(), pl.col("eta_samples")
    return under_contract(
        contract.AlphaSurface,
        arcs.with_columns(
            eta_samples_interval=pl.when(paired)
            .then(pl.lit("paired"))
            .when(eta.is_not_null() & along_samples[0].is_not_null())
            .then(pl.lit("independent")),
            # Independent samples behind a perfect verifier have an elasticity from 0 to 1.
            eta_samples_low=pl.coalesce("eta_samples_low", pl.max_horizontal(along_samples[0], pl.lit(0.0))),
            eta_samples_high=pl.coalesce("eta_samples_high", pl.min_horizontal(along_samples[1], pl.max_horizontal(eta, 1.0))),
            eta_training_low=pl.coalesce("eta_training_low", along_training[0]),
            eta_training_high=pl.coalesce("eta_training_high", along_training[1]),
        ),
    )


@table(schema=contract.InferenceFrontier, group=GROUP)
def inference_frontier(
    aider_run: pl.DataFrame,
    test_time_figure: pl.DataFrame,
    alpha_surface: pl.DataFrame,
    llm_price_current: pl.DataFrame,
    now: datetime,
) -> pl.DataFrame:
    """Every arc with its elasticities, and the three conditions where a training arc goes with it."""
    measured = pl.concat([aider_arcs(aider_run), published_arcs(test_time_figure)], how="diagonal_relaxed")
    steps = with_elasticities(measured).join(training_step(test_time_figure), on="benchmark", how="left")
    own = pl.col("system").str.starts_with("DeepSeek-R1")
    step_known = pl.col("eta_training").is_not_null()
    paired = steps.with_columns(
        training_pairing=pl.when(step_known & own).then(pl.lit("same_lineage")).when(step_known).then(pl.lit("another_system")),
        training_usd=pl.when(own).then("training_usd"),
    )
    arcs = pl.concat([paired, surface_arcs(alpha_surface)], how="diagonal_relaxed")
    decided = with_conditions(arcs)
    prices = priced_models(llm_price_current).filter(pl.col("model") == "deepseek-r1")
    price = prices["output_usd_per_mtok"].first() if prices.height else None
    priced = decided.with_columns(
        output_usd_per_mtok=pl.when(pl.col("training_usd").is_not_null()).then(pl.lit(price, pl.Float64)),
        as_of=pl.lit(now.date()),
    ).with_columns(
        flipping_output_mtok=pl.col("lagrangian_flipping_dollar_ratio") * pl.col("training_usd") / pl.col("output_usd_per_mtok")
    )
    return under_contract(contract.InferenceFrontier, priced).sort(
        "benchmark", "paper", "system", "samples_from", "dollar_ratio"
    )


def aider_arcs(aider_run: pl.DataFrame) -> pl.DataFrame:
    """From the first to the second try of each run, which sees the output of the tests and runs only where the first failed."""
    # A run that solves all at once has no second try.
    return aider_run.filter(pl.col("pass_num_1").is_between(1, pl.col("total_tests") - 1)).select(
        paper=pl.lit("aider_polyglot"),
        benchmark=pl.lit("aider_polyglot"),
        system="model",
        curve="dirname",
        status=pl.lit("printed"),
        n="total_tests",
        samples_from=pl.lit(1, pl.Int64),
        samples_to=pl.lit(2, pl.Int64),
        attempts_to=2.0 - pl.col("pass_num_1") / pl.col("total_tests"),
        accuracy_from=pl.col("pass_num_1") / pl.col("total_tests"),
        accuracy_to=pl.col("pass_num_2") / pl.col("total_tests"),
    )


def published_arcs(figures: pl.DataFrame) -> pl.DataFrame:
    """Neighbouring points of each transcribed curve; curves whose questions are not counted are left out."""
    points = figures.filter(pl.col("curve").is_not_null(), pl.col("metric") == "accuracy", pl.col("n").is_not_null()).sort(
        "paper", "benchmark", "system", "curve", "samples"
    )
    curve = ["paper", "benchmark", "system", "curve"]
    return points.select(
        *curve,
        "status",
        "n",
        samples_from=pl.col("samples").shift(1).over(curve),
        samples_to="samples",
        accuracy_from=(pl.col("value") / 100.0).shift(1).over(curve),
        accuracy_to=pl.col("value") / 100.0,
    ).filter(pl.col("accuracy_from") > 0.0)


def surface_arcs(alpha_surface: pl.DataFrame) -> pl.DataFrame:
    """Arcs in samples of the Pythia surface at checkpoints with a training arc of their own."""
    seen = alpha_surface.filter(pl.col("coverage_from") >= SEEN_COVERAGE, pl.col("eta_training").is_not_null())
    arcs = seen.select(
        "benchmark",
        "n",
        "samples_from",
        "eta_training",
        "eta_training_low",
        "eta_training_high",
        paper=pl.lit("pythia_surface"),
        curve=pl.lit("coverage"),
        status=pl.lit("derived"),
        samples_to="samples",
        system=pl.format("{} at {} M tokens", "system", pl.col("train_tokens") // 1_000_000),
        training_pairing=pl.lit("own_checkpoints"),
        accuracy_from="coverage_from",
        accuracy_to="coverage",
    )
    exact = seen.select("eta_samples", "eta_samples_low", "eta_samples_high", eta_by_nominal_samples="eta_samples")
    return with_elasticities(arcs).with_columns(exact.get_columns())


def with_elasticities(arcs: pl.DataFrame) -> pl.DataFrame:
    """The elasticity of each arc with its interval, and the interval of the accuracy it ends at."""
    if "attempts_to" not in arcs.columns:
        arcs = arcs.with_columns(attempts_to=pl.lit(None, pl.Float64))
    arcs = arcs.with_columns(pl.col("attempts_to").fill_null(pl.col("samples_to").cast(pl.Float64)))
    n, before, after = (floats(arcs, name) for name in ("n", "accuracy_from", "accuracy_to"))
    few, many, nominal = (floats(arcs, name) for name in ("samples_from", "attempts_to", "samples_to"))
    by_nominal = arc_elasticity(accept_rate_from=before, accept_rate_to=after, samples_from=few, samples_to=nominal)
    eta = arc_elasticity(accept_rate_from=before, accept_rate_to=after, samples_from=few, samples_to=many)
    low, high = arc_elasticity_interval(
        successes_from=before * n, trials_from=n, successes_to=after * n, trials_to=n, samples_from=few, samples_to=many
    )
    share_low, share_high = wilson_interval(successes=after * n, trials=n)
    return arcs.with_columns(
        eta_samples=pl.Series(eta),
        eta_by_nominal_samples=pl.Series(by_nominal),
        eta_samples_low=pl.Series(low),
        eta_samples_high=pl.Series(high),
        accuracy_to_low=pl.Series(share_low),
        accuracy_to_high=pl.Series(share_high),
    )


def training_step(figures: pl.DataFrame) -> pl.DataFrame:
    """The step from DeepSeek-V3 to R1 as one training arc per benchmark, with its interval and what both cost.

    It is a post-training step, not a smooth law of training compute. Columns: benchmark, eta_training, _low, _high and
    training_usd (V3 and R1 as printed).
    """
    paper = figures.filter(pl.col("paper") == "deepseek_r1")
    totals = {
        (row["system"], row["metric"]): row["value"] for row in paper.filter(pl.col("system").str.ends_with("total")).to_dicts()
    }
    before = totals["V3 total", "training_gpu_hours"]
    after = before + totals["R1 total", "training_gpu_hours"]
    single = paper.filter(pl.col("metric") == "accuracy", pl.col("selection") == "single", pl.col("n").is_not_null())
    base, step = (
        single.filter(pl.col("system") == name).select("benchmark", "n", share=pl.col("value") / 100.0)
        for name in ("DeepSeek-V3", "DeepSeek-R1")
    )
    both = base.join(step, on=["benchmark", "n"], suffix="_to")
    n, low_share, high_share = (floats(both, name) for name in ("n", "share", "share_to"))
    eta = arc_elasticity(accept_rate_from=low_share, accept_rate_to=high_share, samples_from=before, samples_to=after)
    low, high = arc_elasticity_interval(
        successes_from=low_share * n,
        trials_from=n,
        successes_to=high_share * n,
        trials_to=n,
        samples_from=before,
        samples_to=after,
    )
    return both.select(
        "benchmark",
        eta_training=pl.Series(eta),
        eta_training_low=pl.Series(low),
        eta_training_high=pl.Series(high),
        training_usd=pl.lit(totals["V3 total", "training_usd"] + totals["R1 total", "training_usd"]),
    )


def with_conditions(arcs: pl.DataFrame) -> pl.DataFrame:
    """Every arc at every dollar ratio with the three verdicts; an arc without a training arc once, without verdicts."""
    lower = samples_lower_cost(eta_samples=floats(arcs, "eta_samples"))
    arcs = arcs.with_columns(more_samples_lower_cost=pl.Series(lower))
    alone = arcs.filter(pl.col("eta_training").is_null())
    paired = arcs.filter(pl.col("eta_training").is_not_null()).join(pl.DataFrame({"dollar_ratio": DOLLAR_RATIOS}), how="cross")
    eta, train, ratio = (floats(paired, name) for name in ("eta_samples", "eta_training", "dollar_ratio"))
    found = conditions(
        eta_samples=eta, eta_training=train, inference_usd=ratio, training_usd=1.0, variable_share=VARIABLE_SHARE
    )
    ends = [floats(paired, f"eta_{name}") for name in ("samples_low", "training_high", "samples_high", "training_low")]
    worst, best = (
        lagrangian_condition(eta_samples=s, eta_training=t, inference_usd=ratio, training_usd=1.0).favours_inference
        for s, t in ((ends[0], ends[1]), (ends[2], ends[3]))
    )
    known = np.isfinite(np.stack(ends)).all(axis=0)
    helps = train > 0.0
    turning = np.divide(eta, train, out=np.full(eta.shape, np.nan), where=helps)
    decided = paired.with_columns(
        variable_share=pl.lit(VARIABLE_SHARE),
        published_verdict=_verdict(found.published.favours_inference),
        published_margin=nullable(found.published.margin),
        published_flipping_eta_samples=nullable(found.published.flipping_eta_samples),
        lagrangian_verdict=_verdict(found.lagrangian.favours_inference),
        lagrangian_margin=nullable(found.lagrangian.margin),
        lagrangian_flipping_dollar_ratio=nullable(turning),
        lagrangian_certain=pl.when(pl.Series(known)).then(pl.Series(worst == best)),
        shared_cost_verdict=_verdict(found.shared_cost.favours_inference),
        shared_cost_margin=nullable(found.shared_cost.margin),
        # eta > s (1 + eta_T ratio), from the definition of the form.
        shared_cost_flipping_variable_share=nullable(np.where(helps, eta / (1.0 + train * ratio), np.nan)),
    )
    return pl.concat([decided, alone], how="diagonal_relaxed")


def _verdict(favours_inference: NDArray[np.bool_]) -> pl.Expr:
    return pl.when(pl.Series(favours_inference)).then(pl.lit("inference")).otherwise(pl.lit("training"))


def _interval(arcs: pl.DataFrame, share_from: str, n_from: str, from_: str, to: str) -> tuple[pl.Series, pl.Series]:
    """Interval of each arc elasticity of coverage; NULL where there is no point before or nothing was solved."""
    before, n_before, n, after = (floats(arcs, name) for name in (share_from, n_from, "n", "coverage"))
    start, end = floats(arcs, from_), floats(arcs, to)
    ends = where_known(
        arc_elasticity_interval,
        successes_from=before * n_before,
        trials_from=n_before,
        successes_to=after * n,
        trials_to=n,
        samples_from=start,
        samples_to=end,
    )
    return nullable(ends[0]), nullable(ends[1])
