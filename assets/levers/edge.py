"""Edge devices: what a model decodes on them, and what a million tokens cost there and at the cheapest API."""

from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from assets.levers.catalogue import AWQ_BYTE_RATIO, LIFE_HOURS, device_rows
from assets.levers.effects import GROUP
from economics.levers.edge import amortised_usd_per_hour, break_even_utilisation, ceiling_tokens_per_s, usd_per_mtok
from economics.levers.energy import electricity_usd_per_mtok
from economics.serving.symbols import Efficiency
from schemas.base import polars_schema
from schemas.levers import effects as contract
from warehouse.table import table

MODELS = ("llama-3.1-8b", "qwen3-32b", "llama-3.1-70b", "mixtral-8x7b")
CONTEXT_TOKENS = 1024.0
UTILISATIONS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
USD_PER_KWH = (0.05, 0.10, 0.15, 0.30, 0.40)
SEQUENCES = (1, 8)
INPUT_PER_OUTPUT = 3.0
"""Input tokens an API bills with each output token: the common 3:1 blend."""


@table(schema=contract.EdgeDevice, group=GROUP)
def edge_device(cited_figure: pl.DataFrame, model_shape: pl.DataFrame) -> pl.DataFrame:
    """Every device with a recorded bandwidth or a measured rate, and every model."""
    devices = pl.DataFrame(list(device_rows(cited_figure).values()), infer_schema_length=None)
    shapes = model_shape.filter(pl.col("model").is_in(MODELS)).select(
        "model",
        weight_bytes=pl.col("parameters") * 2.0 * AWQ_BYTE_RATIO,
        read_bytes=pl.col("active_parameters") * 2.0 * AWQ_BYTE_RATIO,
        kv_bytes=pl.col("kv_bytes_per_token") * CONTEXT_TOKENS,
    )
    rates = cited_figure.filter(pl.col("paper") == "levers_edge", pl.col("metric") == "decode_tokens_per_s").select(
        "model",
        device="system",
        measured_low_tokens_per_s=pl.coalesce("low", "value"),
        measured_high_tokens_per_s=pl.coalesce("high", "value"),
    )
    both = devices.join(shapes, how="cross").join(rates, on=["device", "model"], how="left")
    known = both.filter(pl.col("memory_bytes_per_s").is_not_null())
    ceiling = ceiling_tokens_per_s(
        memory_bytes_per_s=known["memory_bytes_per_s"].to_numpy(),
        weight_bytes=known["read_bytes"].to_numpy(),
        kv_bytes=known["kv_bytes"].to_numpy(),
    )
    found = known.with_columns(ceiling_tokens_per_s=pl.Series(np.asarray(ceiling))).with_columns(
        fits=pl.col("weight_bytes") + pl.col("kv_bytes") < 0.9 * pl.col("memory_bytes"),
        measured_share_of_ceiling=pl.col("measured_high_tokens_per_s") / pl.col("ceiling_tokens_per_s"),
        plausible=pl.col("measured_high_tokens_per_s") <= pl.col("ceiling_tokens_per_s"),
        ceiling_joules_per_token=pl.col("power_w") / pl.col("ceiling_tokens_per_s"),
        status=pl.lit("quoted"),
    )
    return found.select(pl.col(name).cast(kind) for name, kind in polars_schema(contract.EdgeDevice).items()).sort(
        "device", "model"
    )


@table(schema=contract.EdgeEconomics, group=GROUP)
def edge_economics(
    edge_device: pl.DataFrame, model_shape: pl.DataFrame, llm_price_current: pl.DataFrame, now: datetime
) -> pl.DataFrame:
    """Every device with a price and a power, by use, electricity price and sequences, against two API prices."""
    return (
        against_api(edge_device, model_shape, api_prices(llm_price_current))
        .with_columns(as_of=pl.lit(now.date()))
        .select(pl.col(name).cast(kind) for name, kind in polars_schema(contract.EdgeEconomics).items())
    )


def against_api(devices: pl.DataFrame, model_shape: pl.DataFrame, api: pl.DataFrame) -> pl.DataFrame:
    """Cost per million tokens on each device beside each API price, and the use at which they are equal."""
    usable = devices.filter(
        pl.col("device_usd").is_not_null(), pl.col("power_w").is_not_null(), pl.col("fits").fill_null(True)
    ).join(model_shape.select("model", "active_parameters"), on="model")
    grid = usable
    for name, values in (("utilisation", UTILISATIONS), ("usd_per_kwh", USD_PER_KWH), ("sequences", SEQUENCES)):
        grid = grid.join(pl.DataFrame({name: values}), how="cross")
    grid = (
        grid.filter(
            (pl.col("weight_bytes") + pl.col("sequences") * pl.col("kv_bytes") < 0.9 * pl.col("memory_bytes")).fill_null(True)
        )
        .join(api, on="model", how="left")
        .filter(pl.col("api_basis").is_not_null())
    )
    at = {
        name: grid[name].cast(pl.Float64).to_numpy()
        for name in (
            "memory_bytes_per_s",
            "kv_bytes",
            "weight_bytes",
            "active_parameters",
            "device_usd",
            "power_w",
            "utilisation",
            "usd_per_kwh",
            "sequences",
            "api_usd_per_mtok",
        )
    }
    # A sparse model reads the experts of every sequence, at most all of them.
    read_bytes = np.minimum(at["weight_bytes"], at["sequences"] * at["active_parameters"] * 2.0 * AWQ_BYTE_RATIO)
    steps_per_s = ceiling_tokens_per_s(
        memory_bytes_per_s=Efficiency().mbu * at["memory_bytes_per_s"],
        weight_bytes=read_bytes,
        kv_bytes=at["sequences"] * at["kv_bytes"],
    )
    rate = at["sequences"] * steps_per_s
    hourly = amortised_usd_per_hour(device_usd=at["device_usd"], life_hours=LIFE_HOURS, utilisation=at["utilisation"])
    bought = usd_per_mtok(usd_per_hour=hourly, tokens_per_s=rate)
    powered = electricity_usd_per_mtok(
        joules_per_token=at["power_w"] / rate, usd_per_kwh=at["usd_per_kwh"], power_usage_effectiveness=1.0
    )
    needed = break_even_utilisation(
        device_usd=at["device_usd"],
        life_hours=LIFE_HOURS,
        watts=at["power_w"],
        usd_per_kwh=at["usd_per_kwh"],
        tokens_per_s=rate,
        api_usd_per_mtok=at["api_usd_per_mtok"],
    )
    found: dict[str, Any] = {
        "tokens_per_s": rate,
        "amortised_usd_per_mtok": bought,
        "electricity_usd_per_mtok": powered,
        "usd_per_mtok": bought + powered,
        "usd_over_api": (bought + powered) / at["api_usd_per_mtok"],
        "break_even_utilisation": needed,
        "never": np.isnan(needed),
    }
    return grid.with_columns(*(pl.Series(name, value) for name, value in found.items())).with_columns(
        pl.col("break_even_utilisation").fill_nan(None)
    )


def api_prices(llm_price_current: pl.DataFrame) -> pl.DataFrame:
    """Output price and output with three input tokens, of the cheapest host and the median host: by model and basis."""
    base = llm_price_current.filter(
        pl.col("model").is_in(MODELS),
        pl.col("variant") == "standard",
        pl.col("tier_min_tokens") == 0,
        pl.col("leg").is_in(["input", "output"]),
        pl.col("price_window") == "always",
    )
    hosts = base.pivot("leg", index=["model", "provider"], values="usd_per_mtok").drop_nulls(["input", "output"])
    bundled = hosts.with_columns(api_usd_per_mtok=pl.col("output") + INPUT_PER_OUTPUT * pl.col("input"))
    counted = bundled.with_columns(api_hosts=pl.len().over("model").cast(pl.Int64))
    cheapest = counted.sort("api_usd_per_mtok").unique("model", keep="first", maintain_order=True)
    median = counted.group_by("model").agg(pl.col("output", "api_usd_per_mtok").median(), pl.col("api_hosts").first())
    columns = ("model", "api_usd_per_mtok", "api_hosts")
    return pl.concat(
        part.select(*columns, api_output_usd_per_mtok="output", api_basis=pl.lit(basis))
        for part, basis in ((cheapest, "cheapest_host"), (median, "median_of_hosts"))
    )
