"""How rents moved over the days that are known, with their sign."""

from datetime import date

import numpy as np
import polars as pl

from assets.frames import floats, under_contract
from assets.prices.compression import DESIGNS, SETTING, SPREAD
from assets.prices.index import DAYS_PER_YEAR
from economics.prices.index import mean_change_slope
from schemas.prices import market_answers as contract
from warehouse.table import table

GROUP = "market"
LEAST_DAYS = 10
CELL = ["model", "input_per_output", "arrival_rate_per_s", "kv_bytes_per_s_per_gpu", "tpot_s", "ttft_s"]
"""What stays the same in a cell of the serving grid while the GPU and its rent change."""


@table(schema=contract.GpuRentChange, group=GROUP)
def gpu_rent_change(gpu_rent_daily: pl.DataFrame) -> pl.DataFrame:
    """Every market, GPU, term and statistic with ten days and more."""
    series = ["provider", "gpu", "term", "statistic"]
    single = gpu_rent_daily.filter(pl.col("instance_type").is_null(), pl.col("gpu_family").is_not_null())
    named = single.with_columns(gpu=pl.coalesce("gpu", "source_gpu"))
    daily = named.group_by(*series, "as_of").agg(pl.col("usd_per_gpu_hour").median()).sort(*series, "as_of")
    rows = [
        dict(zip(series, key, strict=True)) | change_of(part)
        for key, part in daily.group_by(series, maintain_order=True)
        if part.height >= LEAST_DAYS
    ]
    return under_contract(contract.GpuRentChange, pl.DataFrame(rows, infer_schema_length=None)).sort(series)


@table(schema=contract.HardwareFactorByDay, group=GROUP)
def hardware_factor_by_day(gpu_rent_daily: pl.DataFrame, break_even_surface: pl.LazyFrame) -> pl.DataFrame:
    """The end of every month of the rental index, and its last day, against its first."""
    index = gpu_rent_daily.filter(pl.col("term") == "rental_index", pl.col("gpu").is_not_null())
    hours = pl.min_horizontal(DESIGNS) / pl.col("gpu_usd_per_hour")
    asked = break_even_surface.filter(pl.col("setting") == SETTING, pl.col("gpu").is_in(index["gpu"].unique().implode()))
    work = asked.select(*CELL, "gpu", hours_per_mtok=hours).collect()
    days = common_days(index.filter(pl.col("gpu").is_in(work["gpu"].unique().implode())))
    first, ends = days[0], [day for day in days[1:] if day == days[-1] or day.month != days[days.index(day) + 1].month]
    cost = {day: cheapest_of(work, index, day) for day in (first, *ends)}
    rows = [factor_of(cost[first], cost[day]) | {"first_on": first, "last_on": day} for day in ends]
    names = ", ".join(sorted(work["gpu"].unique()))
    return under_contract(contract.HardwareFactorByDay, pl.DataFrame(rows).with_columns(gpus=pl.lit(names)))


def common_days(index: pl.DataFrame) -> list[date]:
    """Days on which every GPU of the index has a value."""
    counted = index.group_by("as_of").agg(gpus=pl.col("gpu").n_unique())
    return counted.filter(pl.col("gpus") == index["gpu"].n_unique())["as_of"].sort().to_list()


def cheapest_of(work: pl.DataFrame, index: pl.DataFrame, day: date) -> pl.DataFrame:
    """Cheapest cost of each cell at the index of a day. `work`: GPU-hours per million tokens by cell and GPU."""
    prices = index.filter(pl.col("as_of") == day).select("gpu", "usd_per_gpu_hour")
    usd = pl.col("hours_per_mtok") * pl.col("usd_per_gpu_hour")
    return work.join(prices, on="gpu").group_by(CELL).agg(usd=usd.min()).filter(pl.col("usd").is_finite())


def factor_of(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, object]:
    """Times cheaper over cells that are served on both days."""
    both = before.join(after, on=CELL, suffix="_after").drop_nulls()
    low, middle, high = np.quantile(floats(both, "usd") / floats(both, "usd_after"), [SPREAD[0], 0.5, SPREAD[1]])
    return {
        "cells": both.height,
        "factor": middle,
        "factor_low": low,
        "factor_high": high,
        "direction": direction_of(float(middle)),
    }


def direction_of(fall: float) -> str:
    """What a fall (first over last) means."""
    return "dearer" if fall < 1.0 else "cheaper" if fall > 1.0 else "unchanged"


def change_of(days: pl.DataFrame) -> dict[str, object]:
    """Change of one series over its days, in their order: as_of, usd_per_gpu_hour."""
    prices, years = floats(days, "usd_per_gpu_hour"), days["as_of"].dt.epoch("d").to_numpy() / DAYS_PER_YEAR
    slope = mean_change_slope(log_change=np.diff(np.log(prices)), years=np.diff(years))
    return {
        "first_on": days["as_of"][0],
        "last_on": days["as_of"][-1],
        "days": days.height,
        "first_usd_per_gpu_hour": prices[0],
        "last_usd_per_gpu_hour": prices[-1],
        "fall": prices[0] / prices[-1],
        "factor_per_year": slope.factor_per_year,
        "factor_per_year_low": slope.low,
        "factor_per_year_high": slope.high,
        "direction": direction_of(prices[0] / prices[-1]),
        "pace_is_sure": not slope.low <= 1.0 <= slope.high,
    }
