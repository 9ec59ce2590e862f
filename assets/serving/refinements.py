"""What each refinement of the closed forms does by itself: to the cost of each design, and to who wins."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.serving.engine_parts import EXPERT_BYTES
from assets.serving.measured_refinements import measured_sides
from assets.serving.measured_surface import measured
from assets.serving.pairs import CONTEXT_TOKENS, INPUT_TOKENS, Pair, pairs, precision_of, replica_of
from economics.serving.deployment import shared_read_overlap
from economics.serving.partition_map import OUTCOMES, Race, race
from economics.serving.scenarios import (
    ACHIEVED_LINK_SHARES,
    DECODE_POOL_EFFICIENCY,
    MEASURED_OVERLAP,
    PREFILL_POOL_EFFICIENCY,
    hardware_symbols,
    stacked,
)
from economics.serving.symbols import PLAIN, Contract, Model, RequestShape, Scenario, Transfer
from economics.units import Real
from schemas.base import polars_schema
from schemas.serving import surface as contract
from warehouse.table import table

GROUP = "serving"
ARRIVAL_RATE_PER_S = 16.0
POINTS = [(ratio, ttft_s, tpot_s) for ratio in (1.0, 4.0, 16.0) for ttft_s, tpot_s in ((1.0, 0.025), (1.0, 0.05), (5.0, 0.05))]
"""Input tokens per output token, TTFT and TPOT bound."""
PREFILL_GPU = "h100-sxm"


@dataclass(frozen=True)
class Switch:
    """One refinement and the value it is tried at."""

    name: str
    symbols: dict[str, Any]
    basis: str
    source: str
    sparse: bool = False
    """Whether it is for mixtures of experts only."""


def _flag(name: str, source: str, *, sparse: bool = False) -> Switch:
    return Switch(name=name, symbols={name: True}, basis="derived", source=source, sparse=sparse)


def _at(name: str, value: float, basis: str, source: str) -> Switch:
    return Switch(name=name, symbols={name: value}, basis=basis, source=source)


SWITCHES = (
    Switch("overlap", {"overlap": None}, "derived", "weights read once for prefill and decode: their share of a full memory"),
    Switch(
        "overlap_measured",
        {"overlap": MEASURED_OVERLAP},
        "primary",
        "Sarathi-Serve artifact, osdi_table-2_results.csv: 4 decodes beside a chunk",
    ),
    _flag("ttft_coupling", "prompts get the share of each step that decodes leave"),
    _at("prefill_pool_efficiency", PREFILL_POOL_EFFICIENCY, "stated", "aiconfigurator 0.11, of itself"),
    _at("decode_pool_efficiency", DECODE_POOL_EFFICIENCY, "stated", "aiconfigurator 0.11, of itself"),
    _flag("integer_pools", "replicas are whole"),
    _flag("place_queue", "square-root staffing (Halfin and Whitt 1981) of the places of colocated replicas"),
    _flag("prefill_attention", "FLOP count, causal mean"),
    _flag("decode_compute_bound", "FLOP count"),
    _at("prefix_hit_share", 0.4, "primary", "Mooncake (FAST'25), Table 2: conversation trace, endless cache"),
    _at("chunk_tokens", 512.0, "primary", "Sarathi-Serve (OSDI'24), section 5.4.1: the smaller chunk it measures"),
    _flag("tensor_parallel_communication", "volume of the all-reduces over the nominal link"),
    _flag("expert_parallel_communication", "volume of dispatch and combine over the nominal link", sparse=True),
    _flag("experts_touched", "experts that a batch leaves untouched are not read", sparse=True),
    Switch("prefill_hardware", {"prefill_hardware": None}, "assumed", f"prefill pool on {PREFILL_GPU} at its own rent"),
    _at("goodput_percentile", 0.9, "primary", "DistServe (OSDI'24): 90 % of requests; only they count"),
    _at("achieved_link_share", sum(ACHIEVED_LINK_SHARES) / 2.0, "primary", "Mooncake (FAST'25), Fig. 12: middle of two links"),
    Switch(
        "draft_tokens",
        {"draft_tokens": 7.0, "draft_acceptance": 0.75, "draft_cost_ratio": 0.05},
        "primary",
        "Leviathan et al. 2023, Table 2: T5-small drafts seven tokens, three of four accepted, at most .05 each",
    ),
)


@table(schema=contract.ServingRefinements, group=GROUP)
def serving_refinements(
    gpu: pl.DataFrame,
    model_shape: pl.DataFrame,
    model_layer: pl.DataFrame,
    engine_run: pl.DataFrame,
    gpu_price: pl.DataFrame,
) -> pl.DataFrame:
    """Each refinement of the plain forms, and each term of the measured ones, with and without at reference contracts."""
    every = list(pairs(gpu, model_shape, gpu_price))
    known = measured(model_shape=model_shape, model_layer=model_layer, gpu=gpu, engine_run=engine_run)
    asked = {
        is_sparse: (of, reference(of))
        for is_sparse, of in ((False, every), (True, [p for p in every if is_sparse_pair(p)]))
        if of
    }
    plain = [changes(switch, *asked[switch.sparse]) for switch in SWITCHES if switch.sparse in asked]
    fitted = [
        compared(every, "measured", without, having, name=name, value=value, basis=basis, source=source)
        for name, value, basis, source, without, having in measured_sides(every, known, POINTS, ARRIVAL_RATE_PER_S)
    ]
    return pl.concat([*plain, *fitted]).select(list(polars_schema(contract.ServingRefinements)))


def is_sparse_pair(pair: Pair) -> bool:
    """Whether the model has experts."""
    return bool(pair[1]["expert_parameters"])


def changes(switch: Switch, of: Sequence[Pair], scenario: Scenario) -> pl.DataFrame:
    """Rows of one refinement of the plain forms. `scenario`: the `reference` of the same pairs. Source: formula S12."""
    symbols = symbols_of(switch, scenario, of)
    default = {name: getattr(PLAIN, name) for name in symbols}
    without, having = (
        race(replace(scenario, refinements=replace(scenario.refinements, **values))) for values in (default, symbols)
    )
    return compared(
        of, "plain", without, having, name=switch.name, value=_number(symbols), basis=switch.basis, source=switch.source
    )


def compared(
    of: Sequence[Pair], setting: str, without: Race, having: Race, *, name: str, value: Real, basis: str, source: str
) -> pl.DataFrame:
    """Rows of one refinement over pairs and POINTS from who wins without and with it."""
    ratio, ttft_s, tpot_s = (np.array(axis) for axis in zip(*POINTS, strict=True))
    columns: dict[str, Any] = {
        "gpu": _names(of, 0, "gpu"),
        "model": _names(of, 1, "model"),
        "replica_gpus": np.array([[int(replica_of(pair)[0].gpus)] for pair in of]),
        "input_per_output": ratio,
        "ttft_s": ttft_s,
        "tpot_s": tpot_s,
        "value": value,
        **dict(_sides("without", without)),
        **dict(_sides("with", having)),
    }
    shape = (len(of), len(POINTS))
    frame = pl.DataFrame({key: np.broadcast_to(column, shape).ravel() for key, column in columns.items()})
    numbers = [key for key, kind in frame.schema.items() if kind == pl.Float64]
    frame = frame.with_columns(pl.when(pl.col(key).is_finite()).then(key) for key in numbers)
    return frame.with_columns(
        refinement=pl.lit(name),
        setting=pl.lit(setting),
        basis=pl.lit(basis),
        source=pl.lit(source),
        arrival_rate_per_s=pl.lit(ARRIVAL_RATE_PER_S),
        turns_winner=pl.col("with_winner") != pl.col("without_winner"),
        **{
            f"{design}_change": pl.col(f"with_{design}_usd_per_mtok") / pl.col(f"without_{design}_usd_per_mtok") - 1.0
            for design in OUTCOMES[1:]
        },
    )


def symbols_of(switch: Switch, scenario: Scenario, of: Sequence[Pair]) -> dict[str, Any]:
    """Symbols of a refinement; those that depend on GPU and model are filled in."""
    if switch.name == "overlap":
        hardware = scenario.hardware
        share = shared_read_overlap(
            weight_bytes=scenario.model.weight_bytes,
            hbm_bytes=hardware.hbm_bytes * hardware.gpus,
            memory_share=scenario.efficiency.memory_share,
        )
        return {"overlap": share}
    if switch.name == "prefill_hardware":
        other = {pair[0]["gpu"]: pair for pair in of}.get(PREFILL_GPU)
        if other is None:
            return {"prefill_hardware": None}
        own = hardware_symbols(other[0], gpus=1.0, usd_per_gpu_hour=other[2]["usd_per_gpu_hour"])
        return {"prefill_hardware": replace(own, gpus=scenario.hardware.gpus)}
    return switch.symbols


def reference(of: Sequence[Pair]) -> Scenario:
    """The reference contracts on every pair: pairs on the first axis, contracts on the last."""
    replicas = [replica_of(pair) for pair in of]
    models = [_with_experts(model, pair) for (_, model), pair in zip(replicas, of, strict=True)]
    ratio, ttft_s, tpot_s = (np.array(axis) for axis in zip(*POINTS, strict=True))
    hardware = stacked([one for one, _ in replicas], axes=1)
    return Scenario(
        hardware=hardware,
        model=stacked(models, axes=1),
        workload=RequestShape(
            input_tokens=INPUT_TOKENS,
            input_per_output=ratio,
            context_tokens=CONTEXT_TOKENS,
            arrival_rate_per_s=ARRIVAL_RATE_PER_S,
        ),
        contract=Contract(ttft_s=ttft_s, tpot_s=tpot_s),
        transfer=Transfer(bandwidth_bytes_per_s=np.array([[pair[0]["nic_bytes_per_s"]] for pair in of]) * hardware.gpus),
    )


def _with_experts(model: Model, pair: Pair) -> Model:
    """With the weights of the routed experts."""
    shape = pair[1]
    if not is_sparse_pair(pair):
        return model
    return replace(
        model,
        experts=float(shape["experts"]),
        experts_per_token=float(shape["experts_per_token"]),
        expert_weight_bytes=EXPERT_BYTES[precision_of(shape)] * shape["expert_parameters"],
    )


def _names(of: Sequence[Pair], part: int, key: str) -> NDArray[np.str_]:
    return np.array([[pair[part][key]] for pair in of])


def _number(symbols: dict[str, Any]) -> Real:
    """The first symbol where it is a number."""
    first = next(iter(symbols.values()))
    return first if isinstance(first, (float, np.ndarray)) else np.nan


def _sides(side: str, found: Race) -> Iterator[tuple[str, Any]]:
    yield f"{side}_winner", np.array(OUTCOMES)[np.asarray(found.winner)]
    for name, usd in found.usd_per_mtok.items():
        yield f"{side}_{name}_usd_per_mtok", usd
