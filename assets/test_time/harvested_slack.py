"""Harvested serving slack: what work on idle GPUs costs, and which channel that favours.

A gain in throughput is one of whole training steps, a gain in rollout time one of rollouts alone: their hours are not the same,
and at test time there are only rollouts.
"""

from datetime import datetime

import numpy as np
import polars as pl

from assets.frames import floats, nullable, under_contract
from assets.test_time.cost_per_correct import GROUP
from economics.test_time.harvested_slack import (
    dollars_after_harvest,
    idle_floor_usd_per_gpu_hour,
    idle_share_of_gain,
    rollout_usd_per_gpu_hour,
    step_cost_factor,
    threshold_after_harvest,
)
from economics.test_time.inference_frontier import published_condition
from schemas.test_time import inference_frontier as contract
from warehouse.table import table

GAINS = {"throughput_gain": "whole_step", "rollout_time_gain": "rollouts"}
"""Printed gains, and whose hours they shorten."""
TRAINED_ON = "h800-sxm"
"""The GPU whose hours the calibrated lineage prints."""
POWERED_AS = "h100-sxm"
"""Whose board power stands for it: no document that was read prints the H800's, which is an H100 with slower links."""
USD_PER_KWH, POWER_USAGE_EFFECTIVENESS = 0.08, 1.3
BREACHES_PER_GPU_HOUR, GPU_HOURS_PER_BREACH = 0.001, 8.0
"""Scenario of the SLO risk: no source prices a breach."""


@table(schema=contract.HarvestedSlack, group=GROUP)
def harvested_slack(
    test_time_figure: pl.DataFrame,
    inference_frontier: pl.DataFrame,
    gpu_price: pl.DataFrame,
    gpu: pl.DataFrame,
    now: datetime,
) -> pl.DataFrame:
    """Every printed gain in both channels, on the lineage whose training dollars are printed."""
    gains = test_time_figure.filter(pl.col("metric").is_in(list(GAINS))).select(
        "figure",
        "version",
        "status",
        against="note",
        gain_of=pl.col("metric").replace_strict(GAINS),
        throughput_gain="value",
    )
    power = gpu.filter(pl.col("gpu") == POWERED_AS, pl.col("tdp_w").is_not_null()).select("tdp_w")
    rented = gpu_price.filter(pl.col("gpu") == TRAINED_ON)
    prices = rented.select("gpu", dedicated_usd_per_gpu_hour="usd_per_gpu_hour").join(power, how="cross")
    rows = gains.join(with_floor(prices), how="cross").join(channels(test_time_figure), how="cross")
    rows = rows.filter((pl.col("channel") == "training") | (pl.col("gain_of") == "rollouts"))
    arcs = inference_frontier.filter(pl.col("training_pairing") == "same_lineage").unique(["benchmark", "system", "curve"])
    after = with_thresholds(with_prices(rows).join(arcs, how="cross"))
    return under_contract(contract.HarvestedSlack, after.with_columns(as_of=pl.lit(now.date()))).sort(
        "figure", "channel", "rollout_share_basis"
    )


def channels(figures: pl.DataFrame) -> pl.DataFrame:
    """Channel, and the share of its dollars that are rollouts. `figures`: contract `TestTimeFigure`."""
    usd = dict(figures.filter(pl.col("metric") == "training_usd").select("system", "value").rows())
    printed = usd["R1 total"] / (usd["V3 total"] + usd["R1 total"])
    return pl.DataFrame(
        [("training", printed, "printed"), ("training", 1.0, "scenario"), ("test_time", 1.0, "scenario")],
        schema=["channel", "rollout_share", "rollout_share_basis"],
        orient="row",
    )


def with_floor(prices: pl.DataFrame) -> pl.DataFrame:
    """The least an idle GPU-hour costs, beside its rent. `prices`: gpu, tdp_w and dedicated_usd_per_gpu_hour."""
    rent = floats(prices, "dedicated_usd_per_gpu_hour")
    energy, floor = (
        idle_floor_usd_per_gpu_hour(
            added_watts=floats(prices, "tdp_w"),
            usd_per_kwh=USD_PER_KWH,
            power_usage_effectiveness=POWER_USAGE_EFFECTIVENESS,
            breaches_per_hour=breaches,
            breach_usd=GPU_HOURS_PER_BREACH * rent,
        )
        for breaches in (0.0, BREACHES_PER_GPU_HOUR)
    )
    return prices.with_columns(
        energy_usd_per_gpu_hour=nullable(energy),
        slo_risk_usd_per_gpu_hour=nullable(np.subtract(floor, energy)),
        idle_usd_per_gpu_hour=nullable(floor),
        flipping_slo_risk_usd_per_gpu_hour=nullable(np.subtract(rent, energy)),
    )


def with_prices(rows: pl.DataFrame) -> pl.DataFrame:
    """What rollouts cost at each gain, and each channel's dollars after over before."""
    gain, rent = floats(rows, "throughput_gain"), floats(rows, "dedicated_usd_per_gpu_hour")
    share = np.asarray(idle_share_of_gain(throughput_gain=gain))
    price = rollout_usd_per_gpu_hour(
        idle_share=share, idle_usd_per_gpu_hour=floats(rows, "idle_usd_per_gpu_hour"), dedicated_usd_per_gpu_hour=rent
    )
    factor = np.asarray(price) / rent
    of_channel = dollars_after_harvest(usd=1.0, rollout_share=floats(rows, "rollout_share"), rollout_cost_factor=factor)
    in_training = (rows["channel"] == "training").to_numpy()
    return rows.with_columns(
        idle_share=pl.Series(share),
        rollout_usd_per_gpu_hour=pl.Series(np.asarray(price)),
        rollout_cost_factor=pl.Series(factor),
        free_rollout_cost_factor=pl.Series(np.asarray(step_cost_factor(throughput_gain=gain))),
        training_factor=pl.Series(np.where(in_training, of_channel, 1.0)),
        inference_factor=pl.Series(np.where(in_training, 1.0, of_channel)),
    )


def with_thresholds(rows: pl.DataFrame) -> pl.DataFrame:
    """The dollar ratio at which the verdict of an arc turns, before and after. `rows` with an arc of `InferenceFrontier`."""
    factors = {name: floats(rows, name) for name in ("training_factor", "inference_factor")}
    before, usd = floats(rows, "lagrangian_flipping_dollar_ratio"), floats(rows, "training_usd")
    published = np.asarray(
        published_condition(
            eta_samples=floats(rows, "eta_samples"),
            eta_training=floats(rows, "eta_training"),
            inference_usd=0.0,
            training_usd=1.0,
        ).left
    )
    after, published_after = (
        np.asarray(threshold_after_harvest(dollar_ratio=ratio, **factors)) for ratio in (before, published)
    )
    ends = np.stack(
        [floats(rows, f"eta_samples_{s}") / floats(rows, f"eta_training_{t}") for s in ("low", "high") for t in ("low", "high")]
    )
    return rows.with_columns(
        threshold=pl.Series(before),
        threshold_low=nullable(ends.min(axis=0)),
        threshold_high=nullable(ends.max(axis=0)),
        threshold_after=pl.Series(after),
        published_threshold=pl.Series(published),
        published_threshold_after=pl.Series(published_after),
        training_usd_after=pl.Series(usd * factors["training_factor"]),
        inference_usd_at_threshold=pl.Series(before * usd),
        inference_usd_at_threshold_after=pl.Series(after * usd),
        favours=pl.when(pl.Series(after > before)).then(pl.lit("inference")).otherwise(pl.lit("training")),
    )
