"""Operating points that stand for common ways to serve, and the levers with their parameters and where those come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from assets.levers.anchor_steps import awq_byte_ratio
from assets.levers.steps import Bench, measured_scenario
from economics.levers import effects as levers
from economics.levers.edge import device_usd_per_hour
from economics.levers.energy import ClockFit, fit_clock_sweep
from economics.levers.operating_point import Power, ServedPoint
from economics.serving.engine_fit import PRIOR_LAYER_S
from economics.serving.scenarios import model_symbols, smallest_replica
from economics.serving.symbols import Contract, Hardware, RequestShape
from economics.test_time.harvested_slack import idle_floor_usd_per_gpu_hour

Facts = Mapping[str, Any]

USD_PER_KWH, PUE = 0.08, 1.3
"""Industrial electricity and facility over IT power, as the design's golden figure assumes them."""
HOME_USD_PER_KWH = 0.15
"""Assumed for a device outside a data centre."""
LIFE_HOURS = 3 * 8760.0
"""Assumed life of a device: three years."""
EDGE_DEVICE, EDGE_UTILISATION = "RTX 5090", 0.3
AWQ_BYTE_RATIO = 0.28
ACCEPTANCE, DRAFT_LENGTH, DRAFT_COST_RATIO = 0.8, 4.0, 0.05
ATTENTION_SHARE = 1.0 / 8.0
CLOCK_RATIO = 0.8
BATCH_FACTOR = 4.0
EXCLUSIVE = (
    {"awq", "fp8"},
    {"awq", "fp4"},
    {"fp8", "fp4"},
    {"edge_silicon", "fp8"},
    {"edge_silicon", "fp4"},
    {"edge_silicon", "clock_lock"},
    {"edge_silicon", "harvested_slack"},
)
"""Pairs that set the same symbol: never applied together."""
STACKS = (
    ("speculative_decoding", "prefix_caching", "awq"),
    ("speculative_decoding", "prefix_caching", "fp8"),
    ("speculative_decoding", "prefix_caching", "fp8", "batching", "clock_lock"),
    ("speculative_decoding", "fp8", "clock_lock", "harvested_slack"),
)
"""What is put together beyond pairs."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """An operating point in words and numbers."""

    name: str
    meaning: str
    gpu: str
    model: str
    architecture: str
    input_tokens: float
    output_tokens: float
    ttft_s: float
    tpot_s: float
    batch_limit: float = np.inf
    can_wait: bool = False
    """Whether the work may be interrupted and moved, as rollouts and batch jobs may."""
    questions: str | None = None
    """RequestShape whose share of correct answers is known for the model."""


POINTS = (
    Point(
        name="chat_light_load",
        meaning="a chat assistant with 8 users at a time",
        gpu="h100-sxm",
        model="llama-3.1-8b",
        architecture="chunked",
        input_tokens=1000,
        output_tokens=250,
        ttft_s=0.5,
        tpot_s=0.025,
        batch_limit=8.0,
    ),
    Point(
        name="short_answers",
        meaning="short prompts and answers at full load: decode is compute-bound",
        gpu="a100-80gb-sxm",
        model="llama-3.1-8b",
        architecture="chunked",
        input_tokens=200,
        output_tokens=200,
        ttft_s=1.0,
        tpot_s=0.1,
    ),
    Point(
        name="chat_full_load",
        meaning="chat over documents at full load",
        gpu="h100-sxm",
        model="llama-3.1-70b",
        architecture="disaggregated",
        input_tokens=3500,
        output_tokens=350,
        ttft_s=2.0,
        tpot_s=0.05,
    ),
    Point(
        name="agent_turns",
        meaning="long shared prompts, lengths of the Mooncake conversation trace",
        gpu="h200-sxm",
        model="llama-3.1-70b",
        architecture="disaggregated",
        input_tokens=12_035,
        output_tokens=343,
        ttft_s=30.0,
        tpot_s=0.1,
    ),
    Point(
        name="long_context",
        meaning="one book a prompt: KV fills the memory",
        gpu="h200-sxm",
        model="llama-3.1-8b",
        architecture="disaggregated",
        input_tokens=100_000,
        output_tokens=1000,
        ttft_s=60.0,
        tpot_s=0.05,
        can_wait=True,
    ),
    Point(
        name="reasoning",
        meaning="short questions, long chains of thought: rollouts",
        gpu="h100-sxm",
        model="qwen3-32b",
        architecture="chunked",
        input_tokens=500,
        output_tokens=8000,
        ttft_s=5.0,
        tpot_s=0.05,
        can_wait=True,
    ),
    Point(
        name="questions_moe",
        meaning="school mathematics on a sparse model",
        gpu="h100-sxm",
        model="mixtral-8x7b",
        architecture="chunked",
        input_tokens=512,
        output_tokens=128,
        ttft_s=1.0,
        tpot_s=0.05,
        questions="gsm8k",
        can_wait=True,
    ),
    Point(
        name="chat_blackwell",
        meaning="chat over documents on hardware with FP4",
        gpu="b200-sxm",
        model="llama-3.1-70b",
        architecture="chunked",
        input_tokens=3500,
        output_tokens=350,
        ttft_s=2.0,
        tpot_s=0.05,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Parameters of levers that published figures give."""

    dequantisation_share: float
    awq_correct_ratio: float
    hit_share: float
    idle_share: float
    clock: ClockFit
    draw_shares: tuple[float, float]
    """Draw of memory-bound decode over the power limit: both ends of what is published."""
    device: Facts
    correct_shares: Mapping[tuple[str, str], float]
    """By model and workload."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A lever at its parameters, for one operating point."""

    lever: levers.Lever
    parameters: str
    basis: str
    correct_ratio: float | None = 1.0
    """Correct answers after over before: 1 by construction, or measured; None where nobody measured it."""
    obstacle: str | None = None
    """Why it cannot be applied there."""


def evidence(figures: pl.DataFrame) -> Evidence:
    """Read the parameters off the published figures (contract `CitedFigure`)."""
    draw, limit_w = (
        one(figures, "levers_energy", "h200_decode_draw"),
        one(figures, "levers_energy", "h200_power_limit")["value"],
    )
    idle = one(figures, "levers", "rose_idle_compute")
    accuracy = figures.filter(pl.col("paper") == "levers", pl.col("metric") == "accuracy_percent")
    known = accuracy.filter(pl.col("condition").is_null())
    return Evidence(
        dequantisation_share=max(dequantisation_shares(figures).values()),
        awq_correct_ratio=float(accuracy_ratios(accuracy)["ratio"].to_numpy().mean()),
        hit_share=one(figures, "mooncake_fast25", "cache_ratio_conversation")["value"] / 100.0,
        idle_share=(idle["low"] + idle["high"]) / 200.0,
        clock=clock_fit(figures),
        draw_shares=(draw["low"] / limit_w, draw["high"] / limit_w),
        device=device_rows(figures)[EDGE_DEVICE],
        correct_shares={(row["model"], row["workload"]): row["value"] / 100.0 for row in known.iter_rows(named=True)},
    )


def one(figures: pl.DataFrame, paper: str, figure: str) -> Facts:
    """The row of one published figure."""
    row: Facts = figures.filter(pl.col("paper") == paper, pl.col("figure") == figure).row(0, named=True)
    return row


def dequantisation_shares(figures: pl.DataFrame) -> dict[str, float]:
    """Extra time of a compute-bound prefill with 4-bit weights over 16-bit ones, by device."""
    rows = figures.filter(pl.col("paper") == "levers", pl.col("metric") == "prefill_s")
    seconds = {(row["system"], row["condition"] == "FP16"): row["value"] for row in rows.iter_rows(named=True)}
    return {device: seconds[device, False] / seconds[device, True] - 1.0 for device in rows["system"].unique().sort()}


def accuracy_ratios(accuracy: pl.DataFrame) -> pl.DataFrame:
    """Accuracy with AWQ over accuracy at 16 bits, by model and benchmark: model, workload, ratio."""
    wide = accuracy.drop_nulls("condition").pivot("condition", index=["model", "workload"], values="value")
    return wide.select("model", "workload", ratio=pl.col("INT4 AWQ") / pl.col("FP16"))


def clock_fit(figures: pl.DataFrame) -> ClockFit:
    """The published clock sweep, explained."""
    rows = figures.filter(
        pl.col("paper") == "levers_energy",
        pl.col("metric").is_in(["throughput_change_percent", "tokens_per_joule_change_percent"]),
        pl.col("model").is_not_null(),
    )
    sweep = rows.pivot("metric", index="condition", values="value").sort("condition")
    return fit_clock_sweep(
        clock_mhz=sweep["condition"].str.extract(r"(\d+)").cast(pl.Float64).to_numpy(),
        throughput_ratio=1.0 + sweep["throughput_change_percent"].to_numpy() / 100.0,
        tokens_per_joule_ratio=1.0 + sweep["tokens_per_joule_change_percent"].to_numpy() / 100.0,
    )


def device_rows(figures: pl.DataFrame) -> Mapping[str, Facts]:
    """Specification of each edge device by column; what is not known is None."""
    claims = figures.filter(pl.col("paper") == "levers_edge", pl.col("version") == "device specifications")
    first = claims.unique(["system", "metric"], keep="first", maintain_order=True)
    columns = ("device_usd", "memory_bytes_per_s", "memory_bytes", "power_w", "fp16_flop_per_s", "peak_op_per_s")
    devices: dict[str, dict[str, Any]] = {}
    for row in first.iter_rows(named=True):
        facts = devices.setdefault(row["system"], {"device": row["system"], **dict.fromkeys(columns), "low_power_w": None})
        facts[row["metric"]] = row["value"]
        if row["metric"] == "power_w":
            facts["low_power_w"] = row["low"]
    places = claims.group_by("system").agg(pl.format("{}: {}", "metric", "locator").unique().sort().str.join("; "))
    for system, locator in places.iter_rows():
        devices[system]["locator"] = locator
    return devices


def operating_point(
    point: Point, *, gpu: Facts, shape: Facts, usd_per_gpu_hour: float, found: Evidence, measured: Bench
) -> ServedPoint:
    """The symbols of an operating point, on step times and draws as measured."""
    model = model_symbols(shape)
    context_tokens = point.input_tokens + point.output_tokens / 2.0
    sequences = min(32.0, point.batch_limit, 8.0 if context_tokens > 50_000 else 32.0)
    gpus = smallest_replica(gpu=gpu, model=model, context_tokens=context_tokens, sequences=sequences)
    scenario = measured_scenario(
        gpu,
        shape,
        measured,
        gpus=gpus,
        usd_per_gpu_hour=usd_per_gpu_hour,
        workload=RequestShape(
            input_tokens=point.input_tokens,
            input_per_output=point.input_tokens / point.output_tokens,
            context_tokens=context_tokens,
            prefill_replicas=8.0,
        ),
        contract=Contract(ttft_s=point.ttft_s, tpot_s=point.tpot_s),
    )
    correct = found.correct_shares.get((point.model, point.questions or ""))
    return ServedPoint(
        scenario=scenario,
        architecture=point.architecture,
        power=measured.power(gpu),
        correct_share=np.nan if correct is None else correct,
        batch_limit=point.batch_limit,
    )


def cases(point: ServedPoint, *, gpu: Facts, shape: Facts, found: Evidence, can_wait: bool) -> dict[str, Case]:
    """Every lever at its parameters, in the order in which they are applied together."""
    byte_ratio = awq_byte_ratio(shape)
    idle_usd = float(
        idle_floor_usd_per_gpu_hour(
            added_watts=point.power.limit_w,
            usd_per_kwh=USD_PER_KWH,
            power_usage_effectiveness=PUE,
            breaches_per_hour=0.0,
            breach_usd=0.0,
        )
    )
    return {
        "edge_silicon": _edge(point, found.device),
        "batching": Case(
            lever=partial(levers.batching, factor=BATCH_FACTOR),
            parameters=f"{BATCH_FACTOR:g} times the sequences",
            basis="assumed",
            obstacle=None if np.isfinite(point.batch_limit) else "already at the batch that memory or contract allow",
        ),
        "prefix_caching": Case(
            lever=partial(levers.prefix_caching, hit_share=found.hit_share),
            parameters=f"hit share {found.hit_share:.2f}",
            basis="printed: Mooncake (FAST'25), Table 2, conversation",
        ),
        "awq": Case(
            lever=partial(
                levers.awq,
                byte_ratio=byte_ratio,
                dequantisation_share=found.dequantisation_share,
                correct_ratio=found.awq_correct_ratio,
            ),
            parameters=f"bytes x {byte_ratio:.2f}, dequantisation {found.dequantisation_share:.3f} of compute time, "
            f"correct answers x {found.awq_correct_ratio:.4f}",
            basis="bytes: the shape, head in 16 bits; dequantisation: the dearer of two printed prefill ratios; answers: mean "
            "of 36 printed accuracy ratios of other models",
            correct_ratio=found.awq_correct_ratio,
        ),
        "fp8": _low_precision(gpu, "fp8", 0.5),
        "fp4": _low_precision(gpu, "fp4", 0.25),
        "ssm_hybrid": Case(
            lever=partial(levers.ssm_hybrid, attention_share=ATTENTION_SHARE),
            parameters="1 attention layer in 8, state neglected",
            basis="quoted: Jamba (2403.19887)",
            correct_ratio=None,
        ),
        "speculative_decoding": Case(
            lever=partial(
                levers.speculative_decoding,
                acceptance=ACCEPTANCE,
                draft_length=DRAFT_LENGTH,
                draft_cost_ratio=DRAFT_COST_RATIO,
            ),
            parameters=f"acceptance {ACCEPTANCE}, {DRAFT_LENGTH:g} drafts, draft cost {DRAFT_COST_RATIO}",
            basis="assumed, within the published range",
        ),
        "clock_lock": Case(
            lever=partial(levers.clock_lock, clock_ratio=CLOCK_RATIO, response=found.clock.response),
            parameters=f"clock x {CLOCK_RATIO}, {found.clock.response.sm_share:.2f} of the draw follows its cube",
            basis=f"clock: assumed; draw: fitted to a published sweep of {found.clock.n} clocks on another card",
        ),
        "harvested_slack": Case(
            lever=partial(levers.harvested_slack, idle_share=found.idle_share, idle_usd_per_gpu_hour=idle_usd),
            parameters=f"{found.idle_share:.0%} of the GPU-hours idle ones at ${idle_usd:.3f}",
            basis="share: middle of a quoted range, low trust; price: electricity at the power limit, no SLO risk",
            obstacle=None if can_wait else "the work cannot wait for idle GPUs",
        ),
    }


def compatible(names: tuple[str, ...]) -> bool:
    """Whether levers may be applied together."""
    return not any(pair <= set(names) for pair in EXCLUSIVE)


def _low_precision(gpu: Facts, precision: str, byte_ratio: float) -> Case:
    peak = gpu[f"{precision}_flop_per_s"]
    ratio = 1.0 if peak is None else peak / gpu["bf16_flop_per_s"]
    return Case(
        lever=partial(levers.low_precision, byte_ratio=byte_ratio, flop_ratio=ratio),
        parameters=f"bytes x {byte_ratio}, peak x {ratio:.2f}, KV as before",
        basis="peak: specification of the GPU; that answers stay as they are is not shown",
        correct_ratio=None,
        obstacle=f"{gpu['gpu']} computes no {precision.upper()}" if peak is None else None,
    )


def _edge(point: ServedPoint, device: Facts) -> Case:
    fits = point.scenario.model.weight_bytes < 0.9 * device["memory_bytes"]
    usd = float(
        device_usd_per_hour(
            device_usd=device["device_usd"],
            life_hours=LIFE_HOURS,
            utilisation=EDGE_UTILISATION,
            watts=device["power_w"],
            usd_per_kwh=HOME_USD_PER_KWH,
        )
    )
    hardware = Hardware(
        usd_per_gpu_hour=usd,
        flops_per_s=device["fp16_flop_per_s"],
        hbm_bytes_per_s=device["memory_bytes_per_s"],
        hbm_bytes=device["memory_bytes"],
        layer_s=PRIOR_LAYER_S,
    )
    watts = float(device["power_w"])
    power = Power(memory_w=watts, compute_w=watts, prefill_w=watts, limit_w=watts)
    single = not np.any(np.greater(point.scenario.hardware.gpus, 1.0))
    return Case(
        lever=partial(levers.edge_silicon, hardware=hardware, power=power),
        parameters=f"{device['device']} at ${usd:.3f} an hour, {EDGE_UTILISATION:.0%} in use, {LIFE_HOURS / 8760:g} years",
        basis="device: quoted; life, use and electricity price: assumed",
        obstacle=None if fits and single else "the weights do not fit the device",
    )
