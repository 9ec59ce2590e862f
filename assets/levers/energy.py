"""Energy of a decoded token by GPU, model, batch and clock, beside the rent and for sites that are short of power."""

from dataclasses import replace

import numpy as np
import polars as pl

from assets.levers.catalogue import PUE, USD_PER_KWH, Evidence, Facts, evidence
from assets.levers.effects import GROUP
from assets.levers.steps import Bench, bench, measured_scenario
from economics.levers.edge import usd_per_mtok
from economics.levers.effects import clock_lock
from economics.levers.energy import electricity_usd_per_mtok, gpus_per_megawatt, share_of_rent, site_tokens_per_s
from economics.levers.operating_point import ServedPoint, decode_joules_per_token
from economics.serving.batch_limits import decode_time, memory_s_per_sequence
from economics.serving.scenarios import model_symbols, smallest_replica
from economics.serving.step_time import decode_step, memory_batch
from economics.serving.symbols import Contract, RequestShape
from economics.units import Real
from schemas.base import polars_schema
from schemas.levers import effects as contract
from warehouse.table import table

GPUS = ("a100-80gb-sxm", "h100-sxm", "h200-sxm", "b200-sxm")
MODELS = ("llama-3.1-8b", "qwen3-32b", "llama-3.1-70b")
BATCHES = np.array([1.0, 8.0, 32.0, 128.0, 512.0])
CLOCK_RATIOS = np.array([1.0, 0.9, 0.8, 0.7, 0.6])
CONTEXT_TOKENS = 1024.0
MEGAWATT = 1e6
ENDS = ("low", "high")
"""The lower end of what is published of decode, and what was measured."""


@table(schema=contract.EnergyPerToken, group=GROUP)
def energy_per_token(
    cited_figure: pl.DataFrame,
    gpu: pl.DataFrame,
    model_shape: pl.DataFrame,
    gpu_price: pl.DataFrame,
    engine_run: pl.DataFrame,
    measured_step: pl.DataFrame,
) -> pl.DataFrame:
    """Every GPU, model, batch that fits, and clock; measured energy beside it where there is one."""
    found = evidence(cited_figure)
    base = bench(gpu=gpu, engine_run=engine_run, measured_step=measured_step)
    gpus, shapes, rents = (
        {row[key]: row for row in frame.iter_rows(named=True)}
        for frame, key in ((gpu, "gpu"), (model_shape, "model"), (gpu_price, "gpu"))
    )
    steps = pl.concat(
        steps_of(gpus[name], shapes[model], rents[name]["usd_per_gpu_hour"], found, base)
        for name in GPUS
        if name in rents
        for model in MODELS
    )
    key = ["gpu", "model", "batch", "clock_ratio"]
    priced = against_rent(steps).join(measured(cited_figure), on=key, how="left")
    priced = priced.join(measured_steps(measured_step), on=[*key, "context_tokens", "replica_gpus"], how="left").with_columns(
        step_error=pl.col("high_joules_per_token") / pl.col("step_joules_per_token") - 1.0
    )
    published = pl.col("published_joules_per_token")
    return priced.with_columns(
        *((pl.col(f"{end}_joules_per_token") / published - 1.0).alias(f"{end}_error") for end in ENDS),
        implied_memory_w=(published / pl.col("replica_gpus") - pl.col("limit_w") * pl.col("compute_s")) / pl.col("memory_s"),
    ).select(pl.col(name).cast(kind) for name, kind in polars_schema(contract.EnergyPerToken).items())


def steps_of(gpu: Facts, shape: Facts, usd_per_gpu_hour: float, found: Evidence, base: Bench) -> pl.DataFrame:
    """Decode steps of one GPU and model, batch by clock: seconds per token, tokens per second, energy at both draws."""
    model = model_symbols(shape)
    gpus = smallest_replica(gpu=gpu, model=model, context_tokens=CONTEXT_TOKENS)
    scenario = measured_scenario(
        gpu,
        shape,
        base,
        gpus=gpus,
        usd_per_gpu_hour=usd_per_gpu_hour,
        workload=RequestShape(
            input_tokens=CONTEXT_TOKENS, input_per_output=1.0, context_tokens=CONTEXT_TOKENS, prefill_replicas=1.0
        ),
        contract=Contract(ttft_s=1.0, tpot_s=1.0),
    )
    batch, clock = np.ix_(BATCHES[memory_batch(scenario) >= BATCHES], CLOCK_RATIOS)
    measured_draw = base.power(gpu)
    limit_w = float(measured_draw.limit_w)
    draws = (replace(measured_draw, memory_w=found.draw_shares[0] * limit_w), measured_draw)
    columns: dict[str, Real] = {"batch": batch, "clock_ratio": clock}
    for end, power in zip(ENDS, draws, strict=True):
        point = ServedPoint(scenario=scenario, architecture="disaggregated", power=power)
        locked = clock_lock(point, clock_ratio=clock, response=found.clock.response)
        step = decode_step(locked.scenario)
        columns |= {
            f"{end}_joules_per_token": decode_joules_per_token(locked.scenario, locked.power, batch=batch),
            "tokens_per_s": 1.0 / decode_time(step, batch=batch).decode_s,
            "memory_s": memory_s_per_sequence(step, batch=batch),
            "compute_s": step.compute_s,
        }
    shape_of_grid = np.broadcast_shapes(batch.shape, clock.shape)
    flat = pl.DataFrame({name: np.broadcast_to(value, shape_of_grid).ravel() for name, value in columns.items()})
    return flat.with_columns(
        pl.col("batch").cast(pl.Int64),
        gpu=pl.lit(gpu["gpu"]),
        model=pl.lit(shape["model"]),
        replica_gpus=pl.lit(int(gpus)),
        context_tokens=pl.lit(CONTEXT_TOKENS),
        limit_w=pl.lit(limit_w),
        gpu_usd_per_hour=pl.lit(usd_per_gpu_hour),
        compute_bound=pl.col("compute_s") > pl.col("memory_s"),
    )


def against_rent(steps: pl.DataFrame) -> pl.DataFrame:
    """Draw, electricity and rent of each step, and what a megawatt feeds; ratios are to the same step at peak clock."""
    draws = steps.with_columns(
        (pl.col(f"{end}_joules_per_token") * pl.col("tokens_per_s") / pl.col("replica_gpus")).alias(f"{end}_w") for end in ENDS
    )
    at = {
        name: draws[name].cast(pl.Float64).to_numpy()
        for name in ("high_joules_per_token", "low_w", "high_w", "limit_w", "gpu_usd_per_hour", "replica_gpus", "tokens_per_s")
    }
    computed: dict[str, Real] = {
        "high_electricity_usd_per_mtok": electricity_usd_per_mtok(
            joules_per_token=at["high_joules_per_token"], usd_per_kwh=USD_PER_KWH, power_usage_effectiveness=PUE
        ),
        "rent_usd_per_mtok": usd_per_mtok(
            usd_per_hour=at["gpu_usd_per_hour"] * at["replica_gpus"], tokens_per_s=at["tokens_per_s"]
        ),
        "site_tokens_per_s_per_mw": site_tokens_per_s(
            site_watts=MEGAWATT, joules_per_token=at["high_joules_per_token"], power_usage_effectiveness=PUE
        ),
        **{
            f"{end}_share_of_rent": share_of_rent(
                watts=at[f"{end}_w"],
                usd_per_kwh=USD_PER_KWH,
                power_usage_effectiveness=PUE,
                usd_per_gpu_hour=at["gpu_usd_per_hour"],
            )
            for end in ENDS
        },
        "gpus_per_mw_at_limit": gpus_per_megawatt(watts=at["limit_w"], power_usage_effectiveness=PUE),
        "gpus_per_mw_at_draw": gpus_per_megawatt(watts=at["high_w"], power_usage_effectiveness=PUE),
    }
    electricity, rent, joules = (
        pl.col(name) for name in ("high_electricity_usd_per_mtok", "rent_usd_per_mtok", "high_joules_per_token")
    )

    def at_peak(value: pl.Expr) -> pl.Expr:
        return value.filter(pl.col("clock_ratio") == 1.0).first().over("gpu", "model", "batch")

    return draws.with_columns(pl.Series(name, np.asarray(value)) for name, value in computed.items()).with_columns(
        throughput_ratio=pl.col("tokens_per_s") / at_peak(pl.col("tokens_per_s")),
        joules_ratio=joules / at_peak(joules),
        site_tokens_ratio=at_peak(joules) / joules,
        saved_share_of_rent=(at_peak(electricity) - electricity) / at_peak(rent),
    )


def measured(cited_figure: pl.DataFrame) -> pl.DataFrame:
    """Measured energy per token by GPU, model and batch, at peak clock."""
    rows = cited_figure.filter(
        pl.col("paper") == "levers_energy",
        pl.col("metric") == "joules_per_token",
        pl.col("value").is_not_null(),
        pl.col("condition").str.contains(r"^batch \d+$"),
    )
    return rows.select(
        "gpu",
        "model",
        batch=pl.col("condition").str.extract(r"(\d+)").cast(pl.Int64),
        clock_ratio=pl.lit(1.0),
        published_joules_per_token="value",
    )


def measured_steps(measured_step: pl.DataFrame) -> pl.DataFrame:
    """Draw and energy per token of decode steps measured on one GPU at whatever clock it chose: the median of several."""
    decode = measured_step.filter(pl.col("phase") == "decode", pl.col("energy_j").is_not_null(), pl.col("gpu").is_not_null())
    return (
        decode.group_by("gpu", "batch", model="model_canonical", context_tokens=pl.col("context_tokens").cast(pl.Float64))
        .agg(step_w=pl.col("power_w").median(), step_joules_per_token=(pl.col("energy_j") / pl.col("batch")).median())
        .with_columns(clock_ratio=pl.lit(1.0), replica_gpus=pl.lit(1, pl.Int64))
    )
