"""Serving cost: the rent of each GPU, the break-even surface over a grid, and how cleanly it divides."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.evidence.published import gpu_prices, last_known
from economics.serving.break_even import break_even_bandwidth, break_evens
from economics.serving.deployment import pool_held
from economics.serving.partition import DECIDING
from economics.serving.partition_map import OUTCOMES, cleanness, race
from economics.serving.scenarios import (
    CALIBRATION,
    SETTINGS,
    Facts,
    hardware_symbols,
    in_words,
    model_symbols,
    refinements_of,
    smallest_replica,
    stacked,
    stacked_switches,
)
from economics.serving.step_time import weight_read_s
from economics.serving.symbols import Contract, Efficiency, Hardware, Model, RequestShape, Scenario, Transfer
from economics.units import Code, Real
from schemas.base import polars_schema
from schemas.serving import surface as contract
from warehouse.table import table

GROUP = "serving"
GPUS = ("a100-80gb-sxm", "h100-sxm", "h200-sxm", "b200-sxm", "mi300x")
MODELS = (
    "llama-3.1-8b",
    "llama-2-13b",
    "qwen3-32b",
    "yi-34b",
    "mixtral-8x7b",
    "llama-3.1-70b",
    "llama-3.1-405b",
    "deepseek-v3",
)
"""Shapes that differ: dense and sparse, few and many KV heads, one that keeps a latent."""

INPUT_TOKENS, CONTEXT_TOKENS = 3500.0, 4096.0
"""Prompt and mean running sequence of the golden values."""
AXES: dict[str, NDArray[np.float64]] = {
    "input_per_output": np.array([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]),
    "arrival_rate_per_s": np.array([1.0, 4.0, 16.0, 64.0]),
    "kv_bytes_per_s_per_gpu": np.array([3.125e9, 12.5e9, 25e9, 50e9, 100e9, 300e9]),
    "tpot_s": np.array([0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.075, 0.1, 0.2]),
    "ttft_s": np.array([1.0, 5.0]),
}
PAIR = ["setting", "gpu", "model"]
CODES = {"winner": OUTCOMES, "deciding_term": DECIDING} | {
    f"{axis}_verdict": contract.VERDICTS for axis in ("input_per_output", "arrival_rate", "kv", "tpot")
}
CROSSES, ALWAYS, NEVER, NEITHER = range(4)


@table(schema=contract.GpuPrice, group=GROUP)
def gpu_price(gpu_rent: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """One rent per GPU with the range of sellers."""
    return rents(gpu_rent, now.date()).select(list(polars_schema(contract.GpuPrice)))


@table(schema=contract.BreakEvenSurface, group=GROUP)
def break_even_surface(gpu: pl.DataFrame, model_shape: pl.DataFrame, gpu_price: pl.DataFrame) -> pl.DataFrame:
    """Every GPU, model and setting over the whole grid."""
    every = list(pairs(gpu, model_shape, gpu_price))
    columns = list(polars_schema(contract.BreakEvenSurface))
    return pl.concat(in_code_words(surface_of(every, setting)).select(columns) for setting in SETTINGS)


@table(schema=contract.PartitionSummary, group=GROUP)
def partition_summary(
    break_even_surface: pl.LazyFrame, gpu: pl.DataFrame, model_shape: pl.DataFrame, gpu_price: pl.DataFrame
) -> pl.DataFrame:
    """Shares, boundaries and median crossovers of each GPU, model and setting."""
    facts = pl.DataFrame([fact for pair in pairs(gpu, model_shape, gpu_price) for fact in facts_of(pair)])
    counted = pl.concat([shares(break_even_surface.filter(setting=setting)).collect() for setting in SETTINGS])
    grid = [len(values) for values in AXES.values()]
    clean = cleanness(counted["winners"].explode().to_numpy().reshape(counted.height, *grid))
    summary = counted.with_columns(
        isolated_share=pl.Series(clean.isolated_share), boundary_share=pl.Series(clean.boundary_share)
    ).join(facts, on=PAIR)
    return summary.select(list(polars_schema(contract.PartitionSummary))).sort(PAIR)


def rents(gpu_rent: pl.DataFrame, day: date) -> pl.DataFrame:
    """The rent of each GPU as `assets.evidence.published` prices it, and the cheapest and dearest seller of the same term."""
    prices = gpu_prices(gpu_rent, day).rename(
        {"gpu_usd_per_hour": "usd_per_gpu_hour"}
        | {f"gpu_price_{name}": name for name in ("term", "sellers", "sources")}
        | {"gpu_price_on": "valid_from"}
    )
    sellers = (
        last_known(gpu_rent, day)
        .filter(pl.col("statistic") == "price")
        .group_by("gpu", "term", "provider")
        .agg(pl.col("usd_per_gpu_hour").median())
        .group_by("gpu", "term")
        .agg(
            low_usd_per_gpu_hour=pl.col("usd_per_gpu_hour").min(),
            high_usd_per_gpu_hour=pl.col("usd_per_gpu_hour").max(),
        )
    )
    return prices.join(sellers, on=["gpu", "term"]).with_columns(as_of=pl.lit(day)).sort("gpu")


Pair = tuple[Facts, Facts, Facts]
"""Rows of core.gpu, core.model_shape and core.gpu_price."""


def pairs(gpu: pl.DataFrame, model_shape: pl.DataFrame, gpu_price: pl.DataFrame) -> Iterator[Pair]:
    """GPUs of interest that somebody rents out, each with every model of interest."""
    hardware, shapes, prices = (
        {row[key]: row for row in frame.iter_rows(named=True)}
        for frame, key in ((gpu, "gpu"), (model_shape, "model"), (gpu_price, "gpu"))
    )
    for name in GPUS:
        for model in MODELS:
            if name in hardware and name in prices and model in shapes:
                yield hardware[name], shapes[model], prices[name]


def replica_of(pair: Pair) -> tuple[Hardware, Model]:
    """The model on the smallest replica of that GPU, at its rent."""
    gpu, shape, price = pair
    model = model_symbols(shape)
    gpus = smallest_replica(gpu=gpu, model=model, context_tokens=CONTEXT_TOKENS)
    return hardware_symbols(gpu, gpus=gpus, usd_per_gpu_hour=price["usd_per_gpu_hour"]), model


def grid_scenario(of: Sequence[Pair], setting: str, axes: dict[str, NDArray[np.float64]]) -> Scenario:
    """The question over the grid: pairs on the first axis, then the axes in the order of AXES."""
    replicas = [replica_of(pair) for pair in of]
    hardware = stacked([one for one, _ in replicas], axes=len(axes))
    on = dict(zip(axes, np.ix_(*axes.values()), strict=True))
    return Scenario(
        hardware=hardware,
        model=stacked([model for _, model in replicas], axes=len(axes)),
        workload=RequestShape(
            input_tokens=INPUT_TOKENS,
            input_per_output=on["input_per_output"],
            context_tokens=CONTEXT_TOKENS,
            arrival_rate_per_s=on["arrival_rate_per_s"],
        ),
        contract=Contract(ttft_s=on["ttft_s"], tpot_s=on["tpot_s"]),
        transfer=Transfer(bandwidth_bytes_per_s=on["kv_bytes_per_s_per_gpu"] * hardware.gpus),
        refinements=stacked_switches(setting, replicas, axes=len(axes)),
    )


def surface_of(of: Sequence[Pair], setting: str, axes: dict[str, NDArray[np.float64]] = AXES) -> pl.DataFrame:
    """The surface of GPUs and models in one setting; words are still codes. Source: formula S9."""
    scenario = grid_scenario(of, setting, axes)
    found, turning, hardware = race(scenario), break_evens(scenario), scenario.hardware
    bandwidth = break_even_bandwidth(pool_held(scenario))
    weights_s = weight_read_s(hardware=hardware, model=scenario.model, efficiency=scenario.efficiency)
    columns: dict[str, Real | Code] = {
        **dict(zip(axes, np.ix_(*axes.values()), strict=True)),
        "tpot_slack": scenario.contract.tpot_s / weights_s - 1.0,
        "winner": found.winner,
        **{f"{name}_usd_per_mtok": usd for name, usd in found.usd_per_mtok.items()},
        "margin": found.margin,
        "deciding_term": found.deciding_term,
        **_axis("break_even_input_per_output", "input_per_output", turning.input_per_output),
        **_axis("break_even_arrival_rate_per_s", "arrival_rate", turning.arrival_rate_per_s),
        **_axis("break_even_kv_bytes_per_s_per_gpu", "kv", bandwidth / hardware.gpus),
        **_axis("break_even_tpot_s", "tpot", turning.tpot_s, wins_below=True),
    }
    grid = tuple(len(values) for values in axes.values())
    frame = pl.DataFrame({name: np.broadcast_to(value, (len(of), *grid)).ravel() for name, value in columns.items()})
    numbers = [name for name, kind in frame.schema.items() if kind == pl.Float64]
    known = (pl.when(pl.col(name).is_finite()).then(name) for name in numbers)
    facts = pl.DataFrame([_facts(pair) for pair in of])[np.repeat(np.arange(len(of)), np.prod(grid))]
    return frame.with_columns(*known, *facts, setting=pl.lit(setting), calibration=pl.lit(CALIBRATION))


def in_code_words(surface: pl.DataFrame) -> pl.DataFrame:
    """Words for the codes of `surface_of`."""
    return surface.with_columns(pl.Series(words).gather(surface[name]).alias(name) for name, words in CODES.items())


def facts_of(pair: Pair) -> list[dict[str, Any]]:
    """What holds for every cell of a GPU and model, by setting."""
    hardware, model = replica_of(pair)
    efficiency = Efficiency()
    return [
        {
            **_facts(pair),
            "setting": setting,
            "calibration": CALIBRATION,
            "refinements": in_words(refinements_of(setting, hardware=hardware, model=model, efficiency=efficiency)),
            "mfu": efficiency.mfu,
            "mbu": efficiency.mbu,
            "gpu_status": pair[0]["status"],
            "shape_status": pair[1]["status"],
        }
        for setting in SETTINGS
    ]


def shares(surface: pl.LazyFrame) -> pl.LazyFrame:
    """Share of cells each design wins, the median crossover along each axis, and codes of the winners in the grid's order."""
    won = {
        name: (pl.col("winner") == word).mean()
        for name, word in (
            *((f"{word}_share", word) for word in OUTCOMES[1:]),
            ("infeasible_share", "none"),
        )
    }
    crossed = {
        f"crosses_{axis}_share": (pl.col(f"{axis}_verdict") == "crosses").mean()
        for axis in ("kv", "tpot", "input_per_output", "arrival_rate")
    }
    middle = {
        f"crossover_{axis}": pl.col(f"break_even_{axis}").median()
        for axis in ("kv_bytes_per_s_per_gpu", "tpot_s", "input_per_output", "arrival_rate_per_s")
    }
    return surface.group_by(PAIR, maintain_order=True).agg(
        cells=pl.len().cast(pl.Int64),
        median_margin=pl.col("margin").median(),
        **won,
        **crossed,
        **middle,
        winners=pl.col("winner").cast(pl.Enum(OUTCOMES)).to_physical().sort_by(*AXES),
    )


def _axis(value: str, axis: str, at: Real, *, wins_below: bool = False) -> dict[str, Real | Code]:
    """A break-even value where it is one, and the verdict of its axis."""
    reached, missed = (NEVER, ALWAYS) if wins_below else (ALWAYS, NEVER)
    verdict = np.select([np.isnan(at), np.isposinf(at), np.equal(at, 0.0)], [NEITHER, missed, reached], CROSSES)
    return {value: np.where(verdict == CROSSES, at, np.nan), f"{axis}_verdict": verdict.astype(np.int8)}


def _facts(pair: Pair) -> dict[str, Any]:
    gpu, shape, price = pair
    return {
        "gpu": gpu["gpu"],
        "model": shape["model"],
        "replica_gpus": int(replica_of(pair)[0].gpus),
        "gpu_usd_per_hour": price["usd_per_gpu_hour"],
        "gpu_price_term": price["term"],
        "gpu_price_on": price["valid_from"],
    }
