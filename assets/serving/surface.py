"""Serving cost: the break-even surface over a grid, and how cleanly it divides."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.serving.measured_surface import (
    NORMAL_90,
    Measured,
    costs,
    fastest_step_s,
    measured,
    measured_race,
    question,
    replicas_of,
    turning_points,
)
from assets.serving.pairs import AXES, CONTEXT_TOKENS, INPUT_TOKENS, Pair, asked_of, facts_of, pairs, precision_of, replica_of
from economics.serving.break_even import break_even_bandwidth, break_evens
from economics.serving.deployment import pool_held
from economics.serving.engine_time import REAL
from economics.serving.partition import DECIDING
from economics.serving.partition_map import OUTCOMES, Race, cleanness, race
from economics.serving.scenarios import stacked
from economics.serving.step_time import weight_read_s
from economics.serving.symbols import Contract, Efficiency, RequestShape, Scenario, Transfer
from economics.units import Code, Real
from schemas.base import polars_schema
from schemas.serving import surface as contract
from schemas.serving.surface import SETTINGS
from warehouse.table import table

GROUP = "serving"
PAIR = ["setting", "gpu", "model"]
CODES = {"winner": OUTCOMES, "deciding_term": DECIDING} | {
    f"{axis}_verdict": contract.VERDICTS for axis in ("input_per_output", "arrival_rate", "kv", "tpot")
}
CROSSES, ALWAYS, NEVER, NEITHER, VARIES = range(5)


@table(schema=contract.BreakEvenSurface, group=GROUP)
def break_even_surface(
    gpu: pl.DataFrame,
    model_shape: pl.DataFrame,
    model_layer: pl.DataFrame,
    engine_run: pl.DataFrame,
    gpu_price: pl.DataFrame,
) -> pl.DataFrame:
    """Every GPU and model over the whole grid, by the plain forms and on fitted step times."""
    every = list(pairs(gpu, model_shape, gpu_price))
    known = measured(model_shape=model_shape, model_layer=model_layer, gpu=gpu, engine_run=engine_run)
    columns = list(polars_schema(contract.BreakEvenSurface))
    parts = [surface_of(every, AXES), measured_surface(every, known, AXES)]
    return pl.concat(in_code_words(part).select(columns) for part in parts)


@table(schema=contract.PartitionSummary, group=GROUP)
def partition_summary(
    break_even_surface: pl.LazyFrame,
    gpu: pl.DataFrame,
    model_shape: pl.DataFrame,
    model_layer: pl.DataFrame,
    engine_run: pl.DataFrame,
    gpu_price: pl.DataFrame,
) -> pl.DataFrame:
    """Shares, boundaries and median crossovers of each GPU, model and setting."""
    every = list(pairs(gpu, model_shape, gpu_price))
    known = measured(model_shape=model_shape, model_layer=model_layer, gpu=gpu, engine_run=engine_run)
    facts = pl.DataFrame([*plain_facts(every), *measured_facts(every, known)], infer_schema_length=None)
    counted = pl.concat([shares(break_even_surface.filter(setting=setting)).collect() for setting in SETTINGS])
    grid = [len(values) for values in AXES.values()]
    clean = cleanness(counted["winners"].explode().to_numpy().reshape(counted.height, *grid))
    summary = counted.with_columns(
        isolated_share=pl.Series(clean.isolated_share), boundary_share=pl.Series(clean.boundary_share)
    ).join(facts, on=PAIR)
    return summary.select(list(polars_schema(contract.PartitionSummary))).sort(PAIR)


def grid_scenario(
    of: Sequence[Pair],
    axes: dict[str, NDArray[np.float64]],
    *,
    input_tokens: float = INPUT_TOKENS,
    context_tokens: float = CONTEXT_TOKENS,
) -> Scenario:
    """The question over the grid: pairs on the first axis, then the axes in the order of AXES."""
    replicas = [replica_of(pair, context_tokens=context_tokens) for pair in of]
    hardware = stacked([one for one, _ in replicas], axes=len(axes))
    on = dict(zip(axes, np.ix_(*axes.values()), strict=True))
    return Scenario(
        hardware=hardware,
        model=stacked([model for _, model in replicas], axes=len(axes)),
        workload=RequestShape(
            input_tokens=input_tokens,
            input_per_output=on["input_per_output"],
            context_tokens=context_tokens,
            arrival_rate_per_s=on["arrival_rate_per_s"],
        ),
        contract=Contract(ttft_s=on["ttft_s"], tpot_s=on["tpot_s"]),
        transfer=Transfer(bandwidth_bytes_per_s=on["kv_bytes_per_s_per_gpu"] * hardware.gpus),
    )


def surface_of(of: Sequence[Pair], axes: dict[str, NDArray[np.float64]] = AXES) -> pl.DataFrame:
    """The plain surface of GPUs and models; words are still codes. Source: formula S9."""
    scenario = grid_scenario(of, axes)
    turning, hardware = break_evens(scenario), scenario.hardware
    bandwidth = break_even_bandwidth(pool_held(scenario))
    weights_s = weight_read_s(hardware=hardware, model=scenario.model, efficiency=scenario.efficiency)
    return _cells(
        of,
        axes,
        "plain",
        race(scenario),
        slack=scenario.contract.tpot_s / weights_s - 1.0,
        turning={
            "input_per_output": turning.input_per_output,
            "arrival_rate_per_s": turning.arrival_rate_per_s,
            "kv_bytes_per_s_per_gpu": bandwidth / hardware.gpus,
            "tpot_s": turning.tpot_s,
        },
    )


def measured_surface(of: Sequence[Pair], known: Measured, axes: dict[str, NDArray[np.float64]] = AXES) -> pl.DataFrame:
    """The surface on fitted step times; words are still codes. Source: formula S9 with the steps of S17."""
    replicas, asked = replicas_of(asked_of(of), known, axes=len(axes)), question(axes)
    found = costs(replicas, asked)
    return _cells(
        of,
        axes,
        "measured",
        measured_race(found, asked),
        slack=asked.tpot_s[..., 0] / fastest_step_s(replicas) - 1.0,
        turning=turning_points(replicas, found, asked),
    )


def _cells(
    of: Sequence[Pair],
    axes: dict[str, NDArray[np.float64]],
    setting: str,
    found: Race,
    *,
    slack: Real,
    turning: dict[str, Any],
) -> pl.DataFrame:
    columns: dict[str, Real | Code] = {
        **dict(zip(axes, np.ix_(*axes.values()), strict=True)),
        "tpot_slack": slack,
        "winner": found.winner,
        **{f"{name}_usd_per_mtok": usd for name, usd in found.usd_per_mtok.items()},
        "margin": found.margin,
        "deciding_term": found.deciding_term,
        **_axis("break_even_input_per_output", "input_per_output", turning["input_per_output"]),
        **_axis("break_even_arrival_rate_per_s", "arrival_rate", turning["arrival_rate_per_s"]),
        **_axis("break_even_kv_bytes_per_s_per_gpu", "kv", turning["kv_bytes_per_s_per_gpu"]),
        **_axis("break_even_tpot_s", "tpot", turning["tpot_s"], wins_below=True),
    }
    grid = tuple(len(values) for values in axes.values())
    frame = pl.DataFrame({name: np.broadcast_to(value, (len(of), *grid)).ravel() for name, value in columns.items()})
    numbers = [name for name, kind in frame.schema.items() if kind == pl.Float64]
    known = (pl.when(pl.col(name).is_finite()).then(name) for name in numbers)
    facts = pl.DataFrame([facts_of(pair) for pair in of])[np.repeat(np.arange(len(of)), np.prod(grid))]
    return frame.with_columns(*known, *facts, setting=pl.lit(setting), calibration=pl.lit(CALIBRATION[setting]))


CALIBRATION = {"plain": "default", "measured": "fitted"}


def in_code_words(surface: pl.DataFrame) -> pl.DataFrame:
    """Words for the codes of `surface_of`."""
    return surface.with_columns(pl.Series(words).gather(surface[name]).alias(name) for name, words in CODES.items())


def plain_facts(of: Sequence[Pair]) -> Iterator[dict[str, Any]]:
    """What holds for every cell of a GPU and model in the plain forms."""
    for pair in of:
        yield {
            **_known_of(pair, "plain"),
            "refinements": "none",
            "mfu": Efficiency().mfu,
            "mbu": Efficiency().mbu,
        }


def measured_facts(of: Sequence[Pair], known: Measured) -> Iterator[dict[str, Any]]:
    """What holds for every cell on fitted step times, and the share of winners that alpha does not turn."""
    asked = question(AXES)
    middle, low, high = (
        np.asarray(
            measured_race(costs(replicas_of(asked_of(of), known, axes=len(AXES), layer_shift=shift), asked), asked).winner
        )
        for shift in (0.0, -NORMAL_90, NORMAL_90)
    )
    cells = tuple(range(1, middle.ndim))
    unchanged = ((low == middle) & (high == middle)).mean(axis=cells)
    for pair, share in zip(of, unchanged, strict=True):
        engine = known.engines[pair[0]["gpu"]]
        yield {
            **_known_of(pair, "measured"),
            "refinements": MEASURED_SWITCHES,
            "mfu": REAL.flop,
            "mbu": REAL.memory,
            "engine": engine["engine"],
            "engine_runs": engine["runs"],
            "engine_evidence": engine["evidence"],
            **{name: engine[name] for name in FROM_ENGINE},
            "unchanged_share": float(share),
        }


FROM_ENGINE = ("layer_s", "layer_log_sd", "colocated_reached", "pools_reached", "pools_evidence")
MEASURED_SWITCHES = (
    "fixed time per layer, links, experts touched, attention apart, compute bounds, TTFT coupling, rates reached, "
    "spread searched"
)


def _known_of(pair: Pair, setting: str) -> dict[str, Any]:
    return {
        **facts_of(pair),
        "setting": setting,
        "precision": precision_of(pair[1]),
        "calibration": CALIBRATION[setting],
        "gpu_status": pair[0]["status"],
        "shape_status": pair[1]["status"],
    }


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
    cases = [np.isnan(at), np.isneginf(at), np.isposinf(at), np.equal(at, 0.0)]
    verdict = np.select(cases, [NEITHER, VARIES, missed, reached], CROSSES)
    return {value: np.where(verdict == CROSSES, at, np.nan), f"{axis}_verdict": verdict.astype(np.int8)}
