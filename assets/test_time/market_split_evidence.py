"""Does the threshold explain the market split? Predicted channel against observed tier, and both tiers over time."""

from collections.abc import Iterable
from datetime import date, datetime

import numpy as np
import polars as pl

from assets.frames import floats, under_contract
from assets.prices.consensus import consensus
from assets.prices.frontier import priced_models
from assets.prices.market_split import scores_of_split, with_tiers
from assets.prices.retirement import sold_on_each
from assets.prices.run_models import with_model
from assets.test_time.cost_per_correct import GROUP
from assets.test_time.inference_frontier import VARIABLE_SHARE
from economics.numeric.statistics import wilson_interval
from economics.test_time.inference_frontier import conditions
from schemas.prices import market_split as contract
from warehouse.table import table

TASK_BENCHMARK = "aider_polyglot"
FIRST_QUARTER = date(2023, 3, 1)
_OF_AN_ARC = ("model", "n", "eta_samples", "eta_samples_low", "eta_samples_high")


@table(schema=contract.MarketSplitChannel, group=GROUP)
def market_split_channel(
    market_split: pl.DataFrame, inference_frontier: pl.DataFrame, previous: pl.DataFrame, now: datetime
) -> pl.DataFrame:
    """Every model with a calibration arc and a price today, after those of earlier days."""
    points = with_model(inference_frontier, source="paper", name="system").filter(pl.col("model").is_not_null())
    predicted = by_model(at_the_limit(points))
    split = market_split.filter(pl.col("as_of") == now.date()).select("as_of", "model", "tier", "refreshed_at")
    fits = pl.when(pl.col("tier") != "unclassified").then(
        (pl.col("predicted_channel") == "inference") == (pl.col("tier") == "frontier_reasoning")
    )
    today = under_contract(contract.MarketSplitChannel, predicted.join(split, on="model").with_columns(agrees=fits))
    return pl.concat([previous.filter(pl.col("as_of") != now.date()), today]).sort("as_of", "form", "model")


@table(schema=contract.MarketSplitConfusion, group=GROUP)
def market_split_confusion(market_split_channel: pl.DataFrame) -> pl.DataFrame:
    """All four cells of every form on every day."""
    return confusion(market_split_channel)


@table(schema=contract.MarketSplitByTier, group=GROUP)
def market_split_by_tier(
    market_split: pl.DataFrame,
    cost_per_correct: pl.DataFrame,
    llm_price: pl.DataFrame,
    model_retirement: pl.DataFrame,
    capability: pl.DataFrame,
    model: pl.DataFrame,
    now: datetime,
) -> pl.DataFrame:
    """Every day of the split, and the quarters before the first of them."""
    first = market_split["as_of"].min()
    assert isinstance(first, date)
    quarters = pl.date_range(FIRST_QUARTER, first, "3mo", eager=True).dt.month_end()
    scores = scores_of_split(capability)
    rebuilt = rebuilt_split(llm_price, model_retirement, scores, model, quarters.filter(quarters < first))
    observed = market_split.select("as_of", "model", "tier", "cpm_usd_per_mtok", "score", basis=pl.lit("observed"))
    tasks = with_model(
        cost_per_correct.filter(pl.col("basis") == "published", pl.col("benchmark") == TASK_BENCHMARK, ~pl.col("superseded")),
        source="paper",
        name="system",
    )
    tiers = by_tier(pl.concat([rebuilt, observed]), tasks)
    return under_contract(contract.MarketSplitByTier, tiers.with_columns(refreshed_at=pl.lit(now))).sort("as_of", "tier")


def at_the_limit(points: pl.DataFrame) -> pl.DataFrame:
    """Verdicts of each arc as the dollar ratio goes to 0: model, form, favours and the arc's own figures."""
    arcs = points.unique(["paper", "benchmark", "system", "curve", "samples_from", "samples_to"], maintain_order=True)
    # Any positive training elasticity gives the same verdict where no inference dollar is weighed against training.
    found = conditions(
        eta_samples=floats(arcs, "eta_samples"),
        eta_training=1.0,
        inference_usd=0.0,
        training_usd=1.0,
        variable_share=VARIABLE_SHARE,
    )
    verdicts = [
        arcs.with_columns(form=pl.lit(form), favours=pl.Series(getattr(found, form).favours_inference))
        for form in contract.FORMS
    ]
    return pl.concat(verdicts).select(*_OF_AN_ARC, "form", "favours")


def by_model(verdicts: pl.DataFrame) -> pl.DataFrame:
    """One channel per model and form: that of more than half of its arcs."""
    joined = verdicts.group_by("model", "form").agg(
        arcs=pl.len().cast(pl.Int64),
        arcs_for_inference=pl.col("favours").sum().cast(pl.Int64),
        n=pl.col("n").min(),
        **{name: pl.col(name).median() for name in _OF_AN_ARC[2:]},
    )
    most = 2 * pl.col("arcs_for_inference") > pl.col("arcs")
    return joined.with_columns(predicted_channel=pl.when(most).then(pl.lit("inference")).otherwise(pl.lit("training")))


def confusion(channels: pl.DataFrame) -> pl.DataFrame:
    """The confusion table of each day and form (contract `MarketSplitConfusion`), cells without models too.

    `channels`: contract `MarketSplitChannel`. Models of unknown tier are left out.
    """
    frame, cell = ["as_of", "form"], ["predicted_channel", "observed_tier"]
    known = channels.filter(pl.col("agrees").is_not_null()).rename({"tier": "observed_tier"})
    counted = known.group_by(*frame, *cell).agg(models=pl.len().cast(pl.Int64))
    cells = pl.DataFrame({"predicted_channel": contract.CHANNELS}).join(
        pl.DataFrame({"observed_tier": contract.TIERS[:2]}), how="cross"
    )
    whole = (known.select(frame).unique().join(cells, how="cross").join(counted, on=[*frame, *cell], how="left")).with_columns(
        pl.col("models").fill_null(0)
    )
    fits = (pl.col("predicted_channel") == "inference") == (pl.col("observed_tier") == "frontier_reasoning")
    n = pl.col("models").sum().over(frame)
    predicted = pl.col("models").filter(pl.col("predicted_channel") == "inference").sum().over(frame) / n
    observed = pl.col("models").filter(pl.col("observed_tier") == "frontier_reasoning").sum().over(frame) / n
    measured = whole.with_columns(
        n=n,
        agreement=pl.col("models").filter(fits).sum().over(frame) / n,
        chance_agreement=predicted * observed + (1 - predicted) * (1 - observed),
    )
    low, high = wilson_interval(
        successes=np.round(floats(measured, "agreement") * floats(measured, "n")), trials=floats(measured, "n")
    )
    interval = measured.with_columns(agreement_low=pl.Series(low), agreement_high=pl.Series(high))
    return under_contract(contract.MarketSplitConfusion, interval).sort(*frame, *cell)


def rebuilt_split(
    history: pl.DataFrame, retired: pl.DataFrame, scores: pl.DataFrame, models: pl.DataFrame, days: Iterable[date]
) -> pl.DataFrame:
    """The split on past days by today's rule, from the prices known to have held: as_of, model, tier, price, score, basis."""
    each = ["as_of"]
    priced = priced_models(consensus(sold_on_each(history, retired, days), each=each), each=each)
    released = (
        priced.join(models.select("model", "release_date"), on="model")
        .filter(pl.col("release_date").is_null() | (pl.col("release_date") <= pl.col("as_of")))
        .drop("release_date")
    )
    return with_tiers(released, scores, models).select(
        "as_of", "model", "tier", "cpm_usd_per_mtok", "score", basis=pl.lit("rebuilt")
    )


def by_tier(split: pl.DataFrame, tasks: pl.DataFrame) -> pl.DataFrame:
    """Medians and quartiles of price, score and $ per task of each tier and day.

    `split`: as_of, basis, model, tier, price and score; `tasks`: model, as_of and usd_per_task of runs.
    """

    def spread(name: str) -> dict[str, pl.Expr]:
        middle = {name: pl.col(name).median()}
        return middle | {f"{name}_{end}": pl.col(name).quantile(at, "linear") for end, at in (("low", 0.25), ("high", 0.75))}

    priced = split.group_by("as_of", "basis", "tier").agg(
        models=pl.len().cast(pl.Int64), **spread("cpm_usd_per_mtok"), **spread("score")
    )
    done = split.join(tasks.select("model", "usd_per_task", run_on="as_of"), on="model").filter(
        pl.col("run_on") <= pl.col("as_of")
    )
    costed = done.group_by("as_of", "tier").agg(runs=pl.len().cast(pl.Int64), **spread("usd_per_task"))
    return priced.join(costed, on=["as_of", "tier"], how="left").with_columns(
        pl.col("runs").fill_null(0),
        task_benchmark=pl.when(pl.col("runs").is_not_null()).then(pl.lit(TASK_BENCHMARK)),
    )
