"""Stored routing curves replayed at the paper's prices and at every set of list prices since."""

from datetime import date, datetime

import numpy as np
import polars as pl

from assets.documents import parse_all, source_asset
from assets.frames import floats
from assets.prices.consensus import consensus
from assets.prices.frontier import priced_models
from assets.prices.retirement import sold_on_each
from assets.routing.premium import GROUP
from economics.numeric.statistics import wilson_interval
from economics.routing.premium import premium_from_speedup
from schemas.base import polars_schema
from schemas.quarantine import Parsed
from schemas.routing import premium as contract
from sources.routing.figures import parse_curves
from sources.source import Snapshot
from warehouse.table import table

routing_replay_curves = source_asset("routing_replay_curves", accept=parse_curves, group=GROUP)


@table(schema=contract.RoutingCurve, group=GROUP)
def routing_curve(routing_replay_curves: list[Snapshot]) -> Parsed:
    """Curves computed from stored outcomes."""
    return parse_all(routing_replay_curves, parse_curves, contract.RoutingCurve)


@table(schema=contract.RouterReplay, group=GROUP)
def router_replay(
    routing_curve: pl.DataFrame, llm_price: pl.DataFrame, model_retirement: pl.DataFrame, now: datetime
) -> pl.DataFrame:
    """The curves at the paper's prices and at each set of list prices since."""
    return priced_curves(routing_curve, dated_prices(routing_curve, llm_price, model_retirement, today=now.date()))


def dated_prices(curves: pl.DataFrame, history: pl.DataFrame, retired: pl.DataFrame, *, today: date) -> pl.DataFrame:
    """List prices of the curves' models from each day on which one of them changed, where both are known.

    Returns strong_model, weak_model, as_of, and input and output price of each.
    """
    pairs = curves.select("strong_model", "weak_model").unique()
    own = history.filter(pl.col("model").is_in(pairs.unpivot()["value"].unique().implode()))
    begun = pl.coalesce("valid_from", pl.col("observed_at").dt.date())
    days = pl.concat([own.select(day=begun), own.select(day="valid_to"), pl.DataFrame({"day": [today]})])["day"]
    held = sold_on_each(own, retired, days.drop_nulls().filter(days.drop_nulls() <= today).unique().sort())
    day = ["as_of"]
    priced = priced_models(consensus(held, each=day), each=day).select(
        *day, "model", "input_usd_per_mtok", "output_usd_per_mtok"
    )
    strong, weak = (
        priced.rename({name: f"{role}_{name}" for name in priced.columns if name not in day}) for role in ("strong", "weak")
    )
    prices = pairs.join(strong, on="strong_model").join(weak, on=["weak_model", *day])
    pair, legs = ["strong_model", "weak_model"], pl.selectors.ends_with("_usd_per_mtok")
    moved = pl.any_horizontal(legs.diff().over(pair, order_by="as_of").fill_null(1.0) != 0)
    return prices.filter(moved)


def priced_curves(curves: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Each curve point at each set of prices, the paper's own among them (contract `RouterReplay`)."""
    paper = curves.with_columns(
        *(
            pl.col(f"paper_{role}_usd_per_mtok").alias(f"{role}_{leg}_usd_per_mtok")
            for role in ("strong", "weak")
            for leg in ("input", "output")
        ),
        as_of=pl.lit(None, dtype=pl.Date),
        priced_by=pl.lit("paper"),
    )
    listed = curves.join(prices, on=["strong_model", "weak_model"]).with_columns(priced_by=pl.lit("warehouse"))
    rows = pl.concat([paper, listed], how="diagonal")

    def spent(role: str) -> pl.Expr:
        return sum(
            (
                pl.col(f"{role}_{leg}_chars").fill_null(0.0) * pl.col(f"{role}_{leg}_usd_per_mtok")
                for leg in ("input", "output")
            ),
            start=pl.lit(0.0),
        )

    series = ["benchmark", "priced_by", "as_of"]
    costed = rows.with_columns(cost=spent("strong") + spent("weak"))
    # The two ends of the random policy are the two models alone.
    alone = (
        costed.filter(pl.col("policy") == "random")
        .group_by(series)
        .agg(
            end.alias(f"{role}_{what}")
            for what in ("cost", "quality")
            for role, end in (
                ("weak", pl.col(what).filter(pl.col("strong_share") == 0).first()),
                ("strong", pl.col(what).filter(pl.col("strong_share") == 1).first()),
            )
        )
    )
    joined = costed.join(alone, on=series, nulls_equal=True).rename({"strong_quality": "all_strong_quality"})
    gap = pl.col("all_strong_quality") - pl.col("weak_quality")
    mixed = ((pl.col("quality") - pl.col("weak_quality")) / gap).clip(0.0, 1.0)
    shares = joined.with_columns(
        cost_share=pl.col("cost") / pl.col("strong_cost"),
        random_cost_share=(pl.col("weak_cost") + mixed * (pl.col("strong_cost") - pl.col("weak_cost"))) / pl.col("strong_cost"),
        priced_legs=pl.when(pl.col("strong_output_chars").is_null())
        .then(pl.lit("input"))
        .otherwise(pl.lit("input_and_output")),
    )
    saved = premium_from_speedup(speedup=floats(shares, "random_cost_share") / floats(shares, "cost_share"))
    n = floats(shares, "n")
    low, high = wilson_interval(successes=floats(shares, "quality") * n, trials=n)
    return (
        shares.with_columns(premium=pl.Series(np.asarray(saved)), quality_low=pl.Series(low), quality_high=pl.Series(high))
        .select(list(polars_schema(contract.RouterReplay)))
        .sort("benchmark", "policy", "strong_share", "as_of")
    )
