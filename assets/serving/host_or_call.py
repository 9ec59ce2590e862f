"""Hosting against calling as tables: every open model with a seller, on every GPU with a rent, by workload and volume."""

from datetime import date, datetime

import numpy as np
import polars as pl

from assets.evidence.published import gpu_prices
from assets.serving.engine_answers import Fit, fit_of
from assets.serving.engine_contract import tails_of
from assets.serving.engine_parts import FORMATS
from assets.serving.hosting_options import instances_of, with_capacity
from economics.prices.api_bill import Legs, request_usd
from economics.serving.hosting import Hosting, break_even, hosted_usd_per_month, instances_at
from economics.units import Array
from schemas.base import polars_schema
from schemas.serving import host_or_call as contract
from warehouse.table import table

GROUP = "serving"
TTFT_S = {"chat": 2.0, "agent": 5.0, "long_context": 10.0}
TPOT_S = 0.05
DAY_S = 86_400.0
MONTH_DAYS = 730.5 / 24.0
ENGINES, SIZES = 1, 2
"""Engines (those measured most) and numbers of GPUs asked on each GPU: the command asks more."""
NOT_RENTED = ("stated",)
"""Terms that say nothing of what is bought."""
MONTHS = 24
KEY = ["model", "workload", "gpu"]


@table(schema=contract.HostOrCall, group=GROUP, may_be_empty=True)
def host_or_call(
    llm_price_wide: pl.DataFrame,
    llm_price_current: pl.DataFrame,
    gpu_price: pl.DataFrame,
    workload_in_use: pl.DataFrame,
    model_shape: pl.DataFrame,
    model_layer: pl.DataFrame,
    gpu: pl.DataFrame,
    engine_run: pl.DataFrame,
    prediction_interval: pl.DataFrame,
    operating_point: pl.DataFrame,
) -> pl.DataFrame:
    """Each open model against its cheapest seller, on each GPU, by workload and volume."""
    fit = fit_of(
        engine_run=engine_run,
        prediction_interval=prediction_interval,
        model_shape=model_shape,
        model_layer=model_layer,
        gpu=gpu,
    )
    workloads = workload_in_use.filter(pl.col("workload").is_in(contract.WORKLOADS))
    calls = cheapest_calls(sellable(llm_price_wide, llm_price_current), workloads)
    asked = asked_of(calls, gpu_price, workloads, stored=model_shape)
    hosts = of_twins(asked, fit, tails=tails_of(engine_run, operating_point))
    return compared(hosts.join(calls, on=["model", "workload"]))


@table(schema=contract.HostOrCallByMonth, group=GROUP, may_be_empty=True)
def host_or_call_by_month(
    host_or_call: pl.DataFrame,
    monthly_price: pl.DataFrame,
    gpu_rent: pl.DataFrame,
    workload_in_use: pl.DataFrame,
    now: datetime,
) -> pl.DataFrame:
    """The break-even of each model and workload on the last days of past months."""
    capacities = host_or_call.select(*KEY, "gpus_per_instance", "capacity_per_s").unique()
    return by_month(capacities, monthly_price, gpu_rent, workload_in_use, until=now.date())


def sellable(wide: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    """Prices that may lead an answer: not old, and of the order of their peers'. Contracts LlmPriceWide, LlmPriceCurrent."""
    doubted = current.filter("is_far_from_peers").select("provider", "model").unique()
    priced = wide.drop_nulls(["input_usd_per_mtok", "output_usd_per_mtok"]).filter(~pl.col("is_stale"))
    return priced.join(doubted, on=["provider", "model"], how="anti")


def cheapest_calls(prices: pl.DataFrame, workloads: pl.DataFrame) -> pl.DataFrame:
    """The cheapest seller of each model for each workload: model, workload, seller, usd_per_request, price_evidence_on."""
    both = prices.join(workloads.select("workload", "input_tokens", "output_tokens", "cached_share"), how="cross")
    legs = {name: both[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in Legs.__dataclass_fields__}
    usd = request_usd(
        legs=Legs(**legs),
        input_tokens=both["input_tokens"].to_numpy(),
        output_tokens=both["output_tokens"].to_numpy(),
        cached_share=both["cached_share"].to_numpy(),
        written_share=both["cache_write_usd_per_mtok"].is_not_null().cast(pl.Float64).to_numpy(),
    )
    return (
        both.with_columns(usd_per_request=pl.Series(usd))
        .sort("usd_per_request", "provider")
        .unique(["model", "workload"], keep="first", maintain_order=True)
        .select("model", "workload", "usd_per_request", seller="provider", price_evidence_on="evidence_on")
    )


def asked_of(calls: pl.DataFrame, rents: pl.DataFrame, workloads: pl.DataFrame, *, stored: pl.DataFrame) -> pl.DataFrame:
    """What to host: each model that is sold and has a shape, on each GPU with a rent, for each workload with its contract."""
    stored_as = pl.col("stored_as").cast(pl.String)
    precision = pl.when(stored_as.is_in(FORMATS)).then(stored_as).otherwise(pl.lit("bf16"))
    models = stored.select("model", precision=precision).join(calls.select("model").unique(), on="model")
    lengths = workloads.select(
        pl.col("workload").cast(pl.String),
        "input_tokens",
        "output_tokens",
        prefix_hit_share="cached_share",
        ttft_s=pl.col("workload").cast(pl.String).replace_strict(TTFT_S, return_dtype=pl.Float64),
        tpot_s=pl.lit(TPOT_S),
    )
    rented = rents.filter(~pl.col("term").cast(pl.String).is_in(NOT_RENTED))
    priced = rented.select("gpu", "usd_per_gpu_hour", pl.col("term").cast(pl.String))
    return models.join(priced, how="cross").join(lengths, how="cross")


def of_twins(asked: pl.DataFrame, fit: Fit, *, tails: pl.DataFrame) -> pl.DataFrame:
    """The best instance for each KEY; models of the same layers and sizes are asked once."""
    named = asked.join(fit.models.select("model", "precision", "architecture"), on=["model", "precision"])
    alike = ["architecture", "precision", "gpu", "workload"]
    found = best_instances(named.unique(alike, keep="first", maintain_order=True), fit, tails=tails)
    figures = ["engine", "gpus_per_instance", "capacity_per_s", "capacity_low_per_s", "capacity_high_per_s", "limit", "basis"]
    return named.join(found.select(*alike, *figures), on=alike)


def best_instances(asked: pl.DataFrame, fit: Fit, *, tails: pl.DataFrame) -> pl.DataFrame:
    """The instance that serves most per GPU within the contract, of those with the nearest evidence, for each KEY."""
    options = with_capacity(instances_of(asked, fit, engines=ENGINES, sizes=SIZES), fit, tails=tails)
    able = options.filter("feasible", pl.col("requests_per_s") > 0)
    rank = pl.col("basis").replace_strict({"own": 0, "group": 0, "family": 1}, default=2, return_dtype=pl.Int64)
    return (
        able.sort(rank, pl.col("requests_per_s") / pl.col("gpus"), "gpus", descending=[False, True, False])
        .unique(KEY, keep="first", maintain_order=True)
        .rename({"gpus": "gpus_per_instance", "requests_per_s": "capacity_per_s"})
        .rename({f"requests_per_s_{end}": f"capacity_{end}_per_s" for end in ("low", "high")})
    )


def compared(found: pl.DataFrame) -> pl.DataFrame:
    """Rows of `HostOrCall` from instances beside the calls they are held against."""
    even = {end: _even(found, f"capacity{end}_per_s") for end in ("", "_low", "_high")}
    every = found.with_columns(
        break_even_per_day=even[""][0],
        break_even_low_per_day=even["_high"][0],
        break_even_high_per_day=even["_low"][0],
        least_utilisation=even[""][1],
    ).join(pl.DataFrame({"requests_per_day": contract.VOLUMES}), how="cross")
    rate = every["requests_per_day"].to_numpy() / DAY_S
    count = instances_at(rate_per_s=rate, peak_factor=contract.PEAK_FACTOR, capacity_per_s=every["capacity_per_s"].to_numpy())
    usd = (every["gpus_per_instance"] * every["usd_per_gpu_hour"]).to_numpy()
    hosted = hosted_usd_per_month(instances=count, usd_per_instance_hour=usd)
    called = every["usd_per_request"] * every["requests_per_day"] * MONTH_DAYS
    rows = every.with_columns(
        instances=pl.Series(np.asarray(count)),
        hosted_usd_per_month=pl.Series(np.asarray(hosted)),
        called_usd_per_month=called,
        cheaper=pl.when(pl.Series(np.asarray(hosted)) < called).then(pl.lit("host")).otherwise(pl.lit("call")),
    )
    return rows.select(list(polars_schema(contract.HostOrCall))).sort([*KEY, "requests_per_day"])


def _even(found: pl.DataFrame, capacity: str) -> tuple[pl.Series, pl.Series]:
    """Break-even in requests a day, NULL where none or not known, and the least utilisation."""
    known = found[capacity].fill_null(0.0).to_numpy()
    held = known > 0.0
    result = break_even(
        Hosting(
            usd_per_instance_hour=(found["gpus_per_instance"] * found["usd_per_gpu_hour"]).to_numpy(),
            capacity_per_s=np.where(held, known, 1.0),
            peak_factor=contract.PEAK_FACTOR,
            usd_per_request=found["usd_per_request"].to_numpy(),
        )
    )
    day: Array = np.where(held & np.isfinite(result.for_good_per_s), result.for_good_per_s * DAY_S, np.nan)
    return pl.Series(day).fill_nan(None), pl.Series(np.asarray(result.least_utilisation, dtype=np.float64))


def by_month(
    capacities: pl.DataFrame, monthly: pl.DataFrame, rents: pl.DataFrame, workloads: pl.DataFrame, *, until: date
) -> pl.DataFrame:
    """Rows of `HostOrCallByMonth`. `capacities`: KEY, gpus_per_instance, capacity_per_s; `monthly`: contract MonthlyPrice."""
    days = monthly["as_of"].unique().sort().tail(MONTHS)
    rented_on = rents.filter(~pl.col("term").cast(pl.String).is_in(NOT_RENTED))
    rented = [
        gpu_prices(rented_on, day)
        .select("gpu", usd_per_gpu_hour="gpu_usd_per_hour", term="gpu_price_term")
        .with_columns(as_of=day)
        for day in days
        if day <= until
    ]
    nothing = pl.DataFrame(schema=polars_schema(contract.HostOrCallByMonth))
    if not rented or capacities.is_empty():
        return nothing
    lengths = workloads.with_columns(pl.col("workload").cast(pl.String)).select("workload", "input_tokens", "output_tokens")
    usd = pl.col("input_tokens") * pl.col("input_usd_per_mtok") + pl.col("output_tokens") * pl.col("output_usd_per_mtok")
    calls = (
        monthly.filter(pl.col("as_of").is_in(days.implode()), ~pl.col("is_stale"))
        .join(lengths, how="cross")
        .with_columns(usd_per_request=usd / 1e6)
        .sort("usd_per_request", "provider")
        .unique(["model", "workload", "as_of"], keep="first", maintain_order=True)
        .select("model", "workload", "as_of", "usd_per_request", seller="provider")
    )
    both = capacities.with_columns(pl.col("workload").cast(pl.String)).join(calls, on=["model", "workload"])
    pairs = both.join(pl.concat(rented), on=["gpu", "as_of"])
    if pairs.is_empty():
        return nothing
    day, least = _even(pairs, "capacity_per_s")
    each = pairs.with_columns(
        break_even_per_day=day,
        least_utilisation=least,
        gpus_with_a_rent=pl.len().over("model", "workload", "as_of").cast(pl.Int64),
    )
    first = each.sort("break_even_per_day", "least_utilisation", "gpu", nulls_last=True).unique(
        ["model", "workload", "as_of"], keep="first", maintain_order=True
    )
    rows = first.with_columns(pays=pl.col("break_even_per_day").is_not_null())
    return rows.select(list(polars_schema(contract.HostOrCallByMonth))).sort("model", "workload", "as_of")
