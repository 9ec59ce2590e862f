"""Published effects of levers beside what our closed forms predict under the same conditions, as far as those are told.

A gain is the factor by which a quantity improves: time, bytes, energy or cost before over after, or throughput after over
before. Where the conditions are not told there is no prediction, and where a parameter is not told the one that would
explain the figure is given instead.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl

from assets.levers.anchor_steps import awq_byte_ratio, drafted_steps, stated_draft_cost, step_gain
from assets.levers.catalogue import (
    ACCEPTANCE,
    ATTENTION_SHARE,
    DRAFT_COST_RATIO,
    DRAFT_LENGTH,
    Evidence,
    Facts,
    dequantisation_shares,
    device_rows,
    one,
)
from assets.levers.steps import Bench, measured_scenario
from economics.levers.operating_point import decode_joules_per_token
from economics.routing.patterns import implied_draft_cost_ratio, speculative_decoding
from economics.serving.engine_fit import PRIOR_LAYER_S
from economics.serving.step_time import kv_bytes_per_token
from economics.serving.symbols import Contract, RequestShape

MEASURED_CONTEXT_TOKENS = 1024.0
"""Assumed where a measurement does not tell its context length."""
UNNAMED_MODEL = "llama-3-8b"
"""Model of steps whose row names none: the first of TinyChat's table."""
SYSTEM_GPUS = {"A100": "a100-80gb-sxm"}
"""GPU of systems that are named without a variant: the one that is mostly meant."""
SYSTEM_DEVICES = {"Jetson AGX Orin": "Jetson AGX Orin 64 GB", "RTX 4090": "RTX 4090"}
HYBRID_REASON = "an upper bound: weights, state and prefill take time too, and neither context nor batch is told"
CITED = ("paper", "figure", "version", "locator", "status", "note")
Row = dict[str, Any]


def anchors(
    *,
    figures: pl.DataFrame,
    routing_point: pl.DataFrame,
    model_shape: pl.DataFrame,
    gpu: pl.DataFrame,
    found: Evidence,
    measured: Bench,
) -> pl.DataFrame:
    """Every anchor, in the columns of contract `LeverAnchor` but for the error. `figures`: contract `CitedFigure`."""
    shapes = {row["model"]: row for row in model_shape.iter_rows(named=True)}
    gpus = {row["gpu"]: row for row in gpu.iter_rows(named=True)}
    rows = [
        *_awq(figures, shapes, gpus),
        *_speculative(routing_point),
        *_hybrid(figures, shapes),
        *_clock(figures, found),
        *_slack(figures, found),
        *_prefix(figures),
        *_batching(figures, shapes, gpus, measured),
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _anchor(row: Facts, *, lever: str, quantity: str, predicted_how: str, **columns: Any) -> Row:
    given: Row = {
        "lever": lever,
        **{name: row[name] for name in CITED},
        "system": row["system"],
        "baseline": row.get("baseline"),
        "model": row.get("model"),
        "gpu": row.get("gpu"),
        "condition": row.get("condition"),
        "quantity": quantity,
        "published_gain": None,
        "published_low": None,
        "published_high": None,
        "predicted_gain": None,
        "predicted_how": predicted_how,
        "in_sample": False,
        "is_bound": False,
        "is_assumed": False,
        "off_reason": None,
        "implied_parameter": None,
        "implied_value": None,
    }
    return {**given, **columns}


def _awq(figures: pl.DataFrame, shapes: Mapping[str, Facts], gpus: Mapping[str, Facts]) -> Iterator[Row]:
    steps = figures.filter(pl.col("paper") == "levers", pl.col("metric") == "decode_step_s")
    bandwidths = {name: row["memory_bytes_per_s"] for name, row in device_rows(figures).items()}
    for row in steps.filter(pl.col("condition") != "FP16").iter_rows(named=True):
        before = one(figures, "levers", row["figure"].removesuffix("_awq") + "_fp16")
        gain = before["value"] / row["value"]
        shape = shapes[row["model"] or UNNAMED_MODEL]
        card = gpus.get(row["gpu"] or SYSTEM_GPUS.get(row["system"], ""))
        bandwidth = card["hbm_bytes_per_s"] if card else bandwidths[SYSTEM_DEVICES[row["system"]]]
        predicted = step_gain(shape, bytes_per_s=bandwidth)
        yield _anchor(
            row,
            lever="awq",
            quantity="decode step of one sequence",
            published_gain=gain,
            predicted_gain=predicted,
            predicted_how=f"bytes read x {awq_byte_ratio(shape):.2f} with the head in 16 bits, and a fixed time per layer of "
            f"{PRIOR_LAYER_S * 1e6:.0f} us, the prior of engines that were not measured"
            + ("" if row["model"] else f"; model taken as {UNNAMED_MODEL}, the first of the table"),
            implied_parameter="share of the ideal memory gain reached",
            implied_value=gain * awq_byte_ratio(shape),
        )
    stated = one(figures, "levers", "awq_over_hf_fp16")
    yield _anchor(
        stated,
        lever="awq",
        quantity="decode step of one sequence",
        published_gain=stated["value"],
        predicted_gain=1.0 / awq_byte_ratio(shapes[UNNAMED_MODEL]),
        is_bound=True,
        predicted_how="weight bytes alone: nothing but the weight read takes time",
    )
    shares = dequantisation_shares(figures)
    for row in figures.filter(pl.col("metric") == "prefill_s", pl.col("condition") != "FP16").iter_rows(named=True):
        share = shares[row["system"]]
        yield _anchor(
            row,
            lever="awq",
            quantity="compute-bound prefill",
            published_gain=1.0 / (1.0 + share),
            predicted_gain=None,
            predicted_how="none: the parameter is taken from here",
            implied_parameter="dequantisation share of compute time",
            implied_value=share,
        )


def _speculative(points: pl.DataFrame) -> Iterator[Row]:
    mine = points.filter(pl.col("pattern") == "speculative_decoding", pl.col("metric").is_in(["speedup_x", "slowdown_x"]))
    steps = drafted_steps(mine)
    for row in mine.iter_rows(named=True):
        inverse = row["metric"] == "slowdown_x"
        value, low, high = (
            None if row[name] is None else (1.0 / row[name] if inverse else row[name]) for name in ("value", "low", "high")
        )
        cited = {**row, "paper": "routing_operating_points", "condition": row["setting"], "gpu": None}
        yield _anchor(
            cited,
            lever="speculative_decoding",
            quantity="time per output token",
            published_gain=value,
            published_low=low,
            published_high=high,
            **_drafted(row, value, steps),
        )


def _drafted(row: Facts, published: float | None, steps: Mapping[str, float]) -> Row:
    """Prediction for a published speed-up, from as much as the document tells. `steps`: of `drafted_steps`."""
    told = row["acceptance"] is not None and row["draft_length"] is not None
    if told and published is not None:
        implied = implied_draft_cost_ratio(
            acceptance=row["acceptance"], draft_length=float(row["draft_length"]), speedup=published
        )
        implied_value = {"implied_parameter": "draft cost ratio", "implied_value": float(implied)}
        if "below 0.05" not in (row["note"] or ""):
            return {"predicted_how": "none: the cost of the draft is not told", **implied_value}
        cost, how = stated_draft_cost(row["setting"])
        terms = speculative_decoding(
            acceptance=row["acceptance"], draft_length=float(row["draft_length"]), draft_cost_ratio=cost
        )
        return {
            "predicted_gain": _speedup(terms),
            "predicted_how": f"stated acceptance and drafts, draft cost {cost:.3f}: {how}",
            **implied_value,
        }
    if row["tokens_per_pass"] is not None:
        return _tree(row, published, steps)
    if row["figure"].startswith("vllm_") and row["figure"].endswith(("_qps1", "_high_load")):
        saturation = DRAFT_LENGTH + 1.0 if row["figure"].endswith("_high_load") else 1.0
        cost = 0.0 if "ngram" in row["figure"] else DRAFT_COST_RATIO
        terms = speculative_decoding(
            acceptance=ACCEPTANCE, draft_length=DRAFT_LENGTH, draft_cost_ratio=cost, saturation=saturation
        )
        load = "verification fully compute-bound" if saturation > 1.0 else "verification free"
        how = f"acceptance {ACCEPTANCE} and {DRAFT_LENGTH:g} drafts assumed, draft cost {cost}, {load}"
        return {
            "predicted_gain": _speedup(terms),
            "predicted_how": how,
            "is_assumed": True,
            "off_reason": "the acceptance is assumed: the document tells neither it nor the draft length",
        }
    return {"predicted_how": "none: acceptance or draft length is not told"}


def _tree(row: Facts, published: float | None, steps: Mapping[str, float]) -> Row:
    """Tokens a pass keeps over what a pass with its drafts takes; that of a system is read off the others of its kind."""
    step = steps.get(row["figure"], 1.0)
    how = (
        f"stated tokens per target pass over {step:.2f} plain passes: what drafting and verifying take in the other systems "
        "of the bench that draft with a network"
        if row["figure"] in steps
        else "stated tokens per target pass; drafts are looked up, and verified in the time of a plain pass"
    )
    gain = row["tokens_per_pass"]
    implied = None if published is None else gain / published
    return {
        "predicted_gain": gain / step,
        "predicted_how": how,
        "implied_parameter": "pass with its drafts over a plain pass",
        "implied_value": implied,
    }


def _speedup(terms: Any) -> float:
    return float(1.0 / (1.0 - (terms.kappa * terms.delta - terms.gamma)))


def _hybrid(figures: pl.DataFrame, shapes: Mapping[str, Facts]) -> Iterator[Row]:
    jamba, mixtral = (one(figures, "levers", f"{name}_kv_256k") for name in ("jamba", "mixtral"))
    shape = shapes["mixtral-8x7b"]
    layers = float(shape["layers"])
    per_token = [
        kv_bytes_per_token(layers=count, kv_heads=shape["kv_heads"], head_dim=shape["head_dim"], bytes_per_value=2.0)
        for count in (layers, layers * ATTENTION_SHARE)
    ]
    yield _anchor(
        jamba,
        lever="ssm_hybrid",
        quantity="KV bytes of a sequence of 256K tokens",
        published_gain=mixtral["value"] / jamba["value"],
        predicted_gain=float(per_token[0] / per_token[1]),
        predicted_how="KV of 4 of 32 layers, Mixtral's heads; the state is neglected",
    )
    for name, most in (
        ("jamba_throughput", 1.0 / ATTENTION_SHARE),
        ("hybrid_long_context", 1.0 / ATTENTION_SHARE),
        ("mamba_throughput", None),
    ):
        row = one(figures, "levers", name)
        yield _anchor(
            row,
            lever="ssm_hybrid",
            quantity="decode throughput at long context",
            published_gain=row["value"],
            predicted_gain=most,
            is_bound=True,
            off_reason=HYBRID_REASON if most else None,
            predicted_how="KV bytes alone, one layer in eight keeps them"
            if most
            else "none: without KV the gain grows with the context, which is not told",
        )


def _clock(figures: pl.DataFrame, found: Evidence) -> Iterator[Row]:
    energy = figures.filter(pl.col("paper") == "levers_energy")
    response = found.clock.response
    for name in ("h200_clock_lock_saving", "low_clock_energy"):
        row = one(energy, "levers_energy", name)
        saving = -row["value"] / 100.0
        yield _anchor(
            row,
            lever="clock_lock",
            quantity="decode energy per token",
            published_gain=1.0 / (1.0 - saving),
            predicted_how="none: the clock over its peak is not told",
            implied_parameter="clock over its peak, by the fitted draw",
            implied_value=float(response.clock_for_saving(saving=saving)),
        )
    for row in energy.filter(pl.col("metric") == "tokens_per_joule_change_percent").iter_rows(named=True):
        ratio = float(row["condition"].split()[0]) / found.clock.peak_clock_mhz
        bound = found.clock.compute_bound_share
        slower = 1.0 / (1.0 - bound + bound / ratio)
        yield _anchor(
            row,
            lever="clock_lock",
            quantity="decode energy per token",
            published_gain=1.0 + row["value"] / 100.0,
            predicted_gain=float(slower / response.draw_factor(clock_ratio=ratio)),
            in_sample=True,
            predicted_how=f"three parameters fitted to eight figures: peak {found.clock.peak_clock_mhz:.0f} MHz, "
            f"{bound:.0%} of the step follows the clock, {response.sm_share:.0%} of the draw its cube",
        )


def _slack(figures: pl.DataFrame, found: Evidence) -> Iterator[Row]:
    gains = figures.filter(pl.col("metric") == "rollout_throughput_gain_x")
    for row in gains.iter_rows(named=True):
        ends = np.array([row["low"], row["high"]])
        yield _anchor(
            row,
            lever="harvested_slack",
            quantity="rollout throughput",
            published_gain=float(np.sqrt(ends.prod())),
            published_low=row["low"],
            published_high=row["high"],
            predicted_gain=1.0 / (1.0 - found.idle_share),
            predicted_how=f"{found.idle_share:.0%} of the GPU-hours are idle ones (quoted, low trust); the published gain is "
            "the geometric middle of its range",
            is_assumed=True,
            off_reason="the idle share is assumed: quoted of other clusters, and the published gain depends on it alone",
            implied_parameter="idle share of GPU-hours at the middle",
            implied_value=float(1.0 - 1.0 / np.sqrt(ends.prod())),
        )


def _prefix(figures: pl.DataFrame) -> Iterator[Row]:
    for workload in ("conversation", "tool_agent", "synthetic"):
        row = one(figures, "mooncake_fast25", f"prefill_time_{workload}")
        hit = one(figures, "mooncake_fast25", f"cache_ratio_{workload}")["value"] / 100.0
        yield _anchor(
            row,
            lever="prefix_caching",
            quantity="prefill GPU time",
            condition=workload,
            published_gain=1.0 / (1.0 + row["value"] / 100.0),
            predicted_gain=1.0 / (1.0 - hit),
            predicted_how="prefill falls to 1 - h, h the printed cache ratio of the workload",
        )


def _batching(figures: pl.DataFrame, shapes: Mapping[str, Facts], gpus: Mapping[str, Facts], measured: Bench) -> Iterator[Row]:
    together = one(figures, "paged_attention", "batched_sharegpt_vllm")
    in_use = one(figures, "paged_attention", "kv_use_vllm")["value"]
    for system in ("max", "pow2", "oracle"):
        before = one(figures, "paged_attention", f"batched_sharegpt_orca_{system}")
        yield _anchor(
            {**together, "baseline": before["system"]},
            lever="batching",
            quantity="sequences decoded together",
            figure=before["figure"],
            published_gain=together["value"] / before["value"],
            predicted_gain=in_use / one(figures, "paged_attention", f"kv_use_orca_{system}")["value"],
            predicted_how="sequences in proportion to the share of KV memory that holds tokens (Fig. 2)",
        )
    first = one(figures, "levers_energy", "ml_energy_llama_8b_batch_8")
    joules = measured_joules(first, shapes, gpus, measured)
    for batch in (128, 512):
        row = one(figures, "levers_energy", f"ml_energy_llama_8b_batch_{batch}")
        yield _anchor(
            row,
            lever="batching",
            quantity=f"decode energy per token, batch 8 to {batch}",
            published_gain=first["value"] / row["value"],
            predicted_gain=joules[8] / joules[batch],
            predicted_how=f"context of {MEASURED_CONTEXT_TOKENS:.0f} tokens assumed, prefill left out",
            off_reason="prefill is left out: its lengths are not told, and its energy does not fall with the batch",
        )


def measured_joules(row: Facts, shapes: Mapping[str, Facts], gpus: Mapping[str, Facts], measured: Bench) -> dict[int, float]:
    """Decode energy per token that our step gives for the model and GPU of a measurement, by batch."""
    gpu = gpus[row["gpu"]]
    scenario = measured_scenario(
        gpu,
        shapes[row["model"]],
        measured,
        gpus=1.0,
        usd_per_gpu_hour=1.0,
        workload=RequestShape(
            input_tokens=MEASURED_CONTEXT_TOKENS,
            input_per_output=1.0,
            context_tokens=MEASURED_CONTEXT_TOKENS,
            prefill_replicas=1.0,
        ),
        contract=Contract(ttft_s=1.0, tpot_s=1.0),
    )
    power = measured.power(gpu)
    return {batch: float(decode_joules_per_token(scenario, power, batch=np.float64(batch))) for batch in (8, 128, 512)}
