"""Price indices over dated history: fixed quality, matched models and hosts, tasks, GPU rents; and their slopes."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from assets.prices.scale_link import latest_scores
from economics.prices.index import (
    Slope,
    blended_usd_per_mtok,
    chained_jevons,
    cheapest_at_or_above,
    log_linear_slope,
    mean_change_slope,
)
from economics.units import Array
from schemas.base import Table, polars_schema
from schemas.prices import index as contract
from warehouse.table import table

GROUP = "price_compression"
INDEX_MODELS = ("gpt-4", "gpt-4o", "claude-3.5-sonnet", "o1", "o3")
"""Models whose score on Epoch's index is a threshold, from the first of its class to the newest with two years of history."""
BLENDS = (1.0, 3.0, 31.0)
"""Input tokens per output token: cpm, the blend of price trackers, and the traffic of one router in July 2026."""
TASK_SHARES = (40.0, 50.0, 60.0, 70.0, 80.0)
"""Shares of the tasks solved, in percent, from which a run counts."""
LATE_AFTER = timedelta(days=92)
"""A first price this long after the release is the day our records begin, not the day the model was sold."""
DAYS_PER_YEAR = 365.25
SHORTEST_SPAN = timedelta(days=90)
"""A change over less time is no rate per year."""
SAME_NAME_OTHER_THING = ("reserved_3y_or_retail",)
"""Terms that mean another thing in another version of their document, so that their change is no change of price."""


@table(schema=contract.PriceIndex, group=GROUP)
def price_index(
    monthly_price: pl.DataFrame,
    capability: pl.DataFrame,
    model: pl.DataFrame,
    price_trend_figure: pl.DataFrame,
    measured_run: pl.DataFrame,
) -> pl.DataFrame:
    """Every index at the end of every month it spans."""
    scores = latest_scores(capability)
    own = monthly_price.filter("first_party")
    hosts = monthly_price.filter(~pl.col("first_party"), pl.col("seller_kind").ne_missing("router"))
    parts = [
        *fixed_quality(own, scores, model, qualities(scores, price_trend_figure)),
        *(matched(own, "matched_model", blend) for blend in BLENDS),
        *(matched(hosts, "matched_host", blend) for blend in BLENDS),
        *usd_per_task(measured_run.filter(pl.col("basis") == "published")),
    ]
    return under(contract.PriceIndex, pl.concat(parts, how="diagonal")).sort("kind", "series", "as_of")


@table(schema=contract.GpuRentIndex, group=GROUP)
def gpu_rent_index(gpu_rent: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Every GPU and term by week."""
    offers = gpu_rent.filter(
        pl.col("gpu").is_not_null(),
        ~pl.col("term").is_in(SAME_NAME_OTHER_THING),
        pl.col("withdrawn_on").is_null(),
        pl.col("valid_from") <= now.date(),
    )
    return under(contract.GpuRentIndex, rent_index(offers)).sort("series", "as_of")


@table(schema=contract.PriceSlope, group=GROUP)
def price_slope(price_index: pl.DataFrame, gpu_rent_index: pl.DataFrame) -> pl.DataFrame:
    """The slope of every index that spans a quarter or more; of rents the newest chain."""
    rents = gpu_rent_index.filter(pl.col("chain") == pl.col("chain").max().over("series")).with_columns(
        kind=pl.lit("gpu_rent"), unit=pl.lit("ratio")
    )
    both = pl.concat([price_index, rents], how="diagonal")
    rows = [
        slope_of(part.sort("as_of"))
        for _, part in both.group_by("series", maintain_order=True)
        if part["as_of"].max() - part["as_of"].min() >= SHORTEST_SPAN  # type: ignore[operator]
    ]
    return under(contract.PriceSlope, pl.DataFrame(rows, infer_schema_length=None)).sort("kind", "series")


def qualities(scores: pl.DataFrame, figures: pl.DataFrame) -> pl.DataFrame:
    """Thresholds that get an index: scores of `INDEX_MODELS`, and every published threshold whose model we know.

    `scores`: rows of `Capability`, one per model and scale; `figures`: contract `PriceTrendFigure`.
    Returns scale, threshold, model.
    """
    named = scores.filter(pl.col("scale") == "eci", pl.col("model").is_in(INDEX_MODELS))
    ours = named.select("scale", pl.col("score").alias("threshold"), "model")
    theirs = figures.drop_nulls(["scale", "threshold", "model"]).select("scale", "threshold", "model")
    return pl.concat([ours, theirs]).unique(maintain_order=True)


def fixed_quality(
    own: pl.DataFrame, scores: pl.DataFrame, models: pl.DataFrame, thresholds: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    """The price of each quality in each blend. Rules: contract `PriceIndex`.

    `own`: first-party rows of `MonthlyPrice`; `thresholds` as `qualities` gives them.
    """
    first = own.group_by("model").agg(entered=pl.col("as_of").min()).join(models, on="model")
    late = set(first.filter(pl.col("entered") - pl.col("release_date") > LATE_AFTER)["model"])
    entered = dict(first.select("model", "entered").iter_rows())
    whole = {blend: prices_by_day(own.sort("model"), blend) for blend in BLENDS}
    for quality in thresholds.iter_rows(named=True):
        rated = scores.filter(pl.col("scale") == quality["scale"])
        start, last = entered.get(quality["model"]), rated["as_of"].dt.month_end().max()
        if start is None or not isinstance(last, date):
            continue
        score = {
            name: value
            for name, value in rated.select("model", "score").iter_rows()
            if name not in late or entered.get(name) == start
        }
        for blend, (every_day, every_name, prices) in whole.items():
            known = np.flatnonzero([name in score for name in every_name])
            # Of models at one price the one that was sold first sets it.
            first_day = (~np.isnan(prices[every_day.index(start) :, known])).argmax(axis=0)
            items = known[first_day.argsort(kind="stable")]
            names, levels = [every_name[at] for at in items], np.array([score[every_name[at]] for at in items])
            asked = [at for at, day in enumerate(every_day) if start <= day <= last and not np.isnan(prices[at, items]).all()]
            days, usd = [every_day[at] for at in asked], prices[np.ix_(asked, items)]
            found = cheapest_at_or_above(usd=usd, score=levels, threshold=np.array([quality["threshold"]]))
            moves = chained_jevons(usd=usd[:, levels >= quality["threshold"]])
            yield (
                pl.DataFrame(
                    {
                        "as_of": days,
                        "value": found.usd[:, 0],
                        "set_by": [names[at] for at in found.item[:, 0]],
                        "n": found.models[:, 0],
                        "n_entered": moves.entered,
                        "n_left": moves.left,
                    }
                )
                .filter(pl.col("value").is_not_nan())
                .with_columns(
                    series=pl.lit(f"{quality['scale']} {quality['threshold']:g} {quality['model']} {blend:g}:1"),
                    kind=pl.lit("fixed_quality"),
                    unit=pl.lit("usd_per_mtok"),
                    input_per_output=pl.lit(blend),
                    **{name: pl.lit(value) for name, value in quality.items()},
                )
            )


def matched(sold: pl.DataFrame, index: str, blend: float) -> pl.DataFrame:
    """Chained change of the price of the same model at the same seller. `sold`: rows of `MonthlyPrice`."""
    days, _, usd = prices_by_day(sold, blend, by=("model", "provider"))
    chain = chained_jevons(usd=usd)
    newest = chain.number == chain.number.max()
    return (
        pl.DataFrame(
            {
                "as_of": days,
                "value": chain.value,
                "n": (~np.isnan(usd)).sum(axis=1),
                "n_matched": chain.matched,
                "n_entered": chain.entered,
                "n_left": chain.left,
            }
        )
        .filter(newest)
        .with_columns(
            series=pl.lit(f"{index} {blend:g}:1"), kind=pl.lit(index), unit=pl.lit("ratio"), input_per_output=pl.lit(blend)
        )
    )


def usd_per_task(runs: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The cheapest run so far of each benchmark with runs on several days, from each share of solved tasks on.

    `runs`: contract `MeasuredRun`. A run holds its price from its day on: it was paid once and is not priced again.
    """
    priced = runs.filter(pl.col("total_cost_usd") > 0, ~pl.col("superseded"))
    for (benchmark,), part in priced.group_by("benchmark", maintain_order=True):
        if part["as_of"].n_unique() < 2:
            continue
        days = sorted(set(part["as_of"].dt.month_end()))
        usd = (part["total_cost_usd"] / part["n"]).to_numpy()
        bought = part["as_of"].to_numpy()[None, :] <= np.array(days, dtype="datetime64[D]")[:, None]
        found = cheapest_at_or_above(
            usd=np.where(bought, usd, np.nan),
            score=100.0 * part["accuracy"].to_numpy(),
            threshold=np.array(TASK_SHARES),
        )
        for at, share in enumerate(TASK_SHARES):
            yield (
                pl.DataFrame(
                    {
                        "as_of": days,
                        "value": found.usd[:, at],
                        "n": found.models[:, at],
                        "set_by": [part["configuration"][int(run)] for run in found.item[:, at]],
                    }
                )
                .filter(pl.col("value").is_not_nan())
                .with_columns(
                    series=pl.lit(f"{benchmark} {share:g} %"),
                    kind=pl.lit("usd_per_task"),
                    unit=pl.lit("usd_per_task"),
                    scale=pl.lit(benchmark),
                    threshold=pl.lit(share),
                )
            )


def rent_index(offers: pl.DataFrame) -> pl.DataFrame:
    """Matched index and level of each GPU, term and statistic. `offers`: rows of `GpuRent`, none withdrawn."""
    index, offer = (
        ["gpu", "term", "statistic"],
        ["source", "provider", "instance_type", "source_gpu", "gpu_count", "region"],
    )
    weeks = offers.group_by(*index, pl.col("valid_from").dt.truncate("1w")).agg(as_of=pl.col("valid_from").max())
    held = (
        weeks.select(*index, "as_of")
        .join(offers, on=index)
        .filter(
            pl.col("valid_from") <= pl.col("as_of"),
            pl.col("valid_to").is_null() | (pl.col("valid_to") > pl.col("as_of")),
        )
    )
    asked = held.group_by(*index, "as_of", *offer).agg(pl.col("usd_per_gpu_hour").median())
    numbered = asked.with_columns(
        day=pl.col("as_of").rank("dense").over(index) - 1, item=pl.struct(offer).rank("dense").over(index) - 1
    )
    level = (
        held.group_by(*index, "as_of", "provider")
        .agg(pl.col("usd_per_gpu_hour").median(), n_offers=pl.len())
        .group_by(*index, "as_of")
        .agg(pl.col("usd_per_gpu_hour").median(), pl.col("n_offers").sum(), n_sellers=pl.len())
    )
    chains = pl.concat(_chain_of(part, index) for part in numbered.partition_by(index))
    return chains.join(level, on=[*index, "as_of"], how="left").with_columns(series=pl.concat_str(index, separator=" "))


def _chain_of(asked: pl.DataFrame, index: list[str]) -> pl.DataFrame:
    """The chain of one index. `asked`: price of each item on each day it is held, both numbered from 0."""
    days, sellers = asked.unique("day").sort("day"), asked.unique("item").sort("item")["provider"]
    usd = np.full((days.height, sellers.len()), np.nan)
    usd[asked["day"].to_numpy(), asked["item"].to_numpy()] = asked["usd_per_gpu_hour"].to_numpy()
    chain = chained_jevons(usd=usd, seller=sellers.to_list())
    return days.select(*index, "as_of").with_columns(
        value=chain.value, chain=chain.number, n_matched=chain.matched, n_matched_sellers=chain.matched_sellers
    )


def slope_of(series: pl.DataFrame) -> dict[str, Any]:
    """Slope of one index, rows by date: a line through its changes, or the mean change where it is a chain."""
    values, years = series["value"].to_numpy(), series["as_of"].dt.epoch("d").to_numpy() / DAYS_PER_YEAR
    chained = series["unit"][0] == "ratio"
    if chained:
        slope = mean_change_slope(log_change=np.diff(np.log(values)), years=np.diff(years))
    else:
        slope = levels_slope(years, values)
    first, last = series.row(0, named=True), series.row(-1, named=True)
    what = ("series", "kind", "scale", "threshold", "model", "input_per_output", "unit")
    return {
        **{name: first[name] for name in what},
        "first_on": first["as_of"],
        "last_on": last["as_of"],
        "first_value": values[0],
        "last_value": values[-1],
        "fall": values[0] / values[-1],
        "method": contract.METHODS[int(chained)],
        "n": slope.n,
        "factor_per_year": slope.factor_per_year,
        "factor_per_year_low": _known(slope.low),
        "factor_per_year_high": _known(slope.high),
        "r_squared": _known(slope.r_squared),
    }


def levels_slope(years: Array, values: Array) -> Slope:
    """Line through the levels a price took, each on its first day, and through its last day."""
    new = np.ones(len(values), dtype=bool)
    new[1:-1] = values[1:-1] != values[:-2]
    return log_linear_slope(years=years[new], usd=values[new])


def prices_by_day(sold: pl.DataFrame, blend: float, by: tuple[str, ...] = ("model",)) -> tuple[list[date], list[str], Array]:
    """Blended prices as (days, items), NaN where not sold; `by` names the item. `sold`: rows of `MonthlyPrice`."""
    blended = sold.with_columns(
        usd=pl.Series(
            blended_usd_per_mtok(
                input_usd_per_mtok=sold["input_usd_per_mtok"].to_numpy(),
                output_usd_per_mtok=sold["output_usd_per_mtok"].to_numpy(),
                input_per_output=blend,
            )
        )
    )
    wide = blended.pivot("as_of", index=list(by), values="usd", aggregate_function="median", sort_columns=False)
    days = sorted(sold["as_of"].unique())
    return days, wide[by[0]].to_list(), wide.select(str(day) for day in days).transpose().to_numpy().astype(np.float64)


def under(schema: type[Table], frame: pl.DataFrame) -> pl.DataFrame:
    """Columns of the contract in its order and types."""
    return frame.select(pl.col(name).cast(dtype) for name, dtype in polars_schema(schema).items())


def _known(number: float) -> float | None:
    return None if np.isnan(number) else number
