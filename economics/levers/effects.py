"""Levers: each a pure function from one operating point to another, on the symbols of serving cost.

A lever changes symbols, never a result, so levers compose, and what two do together can be held against the product of
what each does alone (`interaction`).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce

import numpy as np

from economics.levers.energy import ClockResponse
from economics.levers.operating_point import Power, ServedPoint
from economics.serving.symbols import Efficiency, Hardware
from economics.test_time.harvested_slack import rollout_usd_per_gpu_hour
from economics.units import Real, require_fraction, require_non_negative, require_positive, require_share

Lever = Callable[[ServedPoint], ServedPoint]


def composed(levers: Iterable[Lever]) -> Lever:
    """One lever that applies the given ones in turn; no lever at all changes nothing."""
    chain = tuple(levers)
    return lambda point: reduce(lambda at, lever: lever(at), chain, point)


def interaction(*, joint_ratio: Real, single_ratios: Iterable[Real]) -> Real:
    """Effect of levers together over the product of their single effects, ratios of after to before.

    1: they do not meet. Below 1: together they save more than the product says; above 1: less, because they save the same
    cost twice or one takes away what the other needs. ValueError where a ratio is not positive.
    Source: formula L1.
    """
    singles = tuple(single_ratios)
    require_positive(joint_ratio=joint_ratio, **{f"single_ratio_{i}": ratio for i, ratio in enumerate(singles)})
    product: Real = 1.0
    for ratio in singles:
        product = product * ratio
    return joint_ratio / product


def awq(point: ServedPoint, *, byte_ratio: Real, dequantisation_share: Real, correct_ratio: Real = 1.0) -> ServedPoint:
    """Weights at 4 bits, arithmetic still at 16: fewer bytes to read and to keep, and every weight is unpacked before use.

    Bytes after over before (scales and layers kept at 16 bits included), extra compute time over compute time, correct
    answers after over before. A memory lever: weight reads fall to `byte_ratio` and B_max rises; where a step is
    compute-bound nothing falls and the time is 1 + `dequantisation_share` of what it was. KV is untouched.
    Source: formula L2; Lin et al. 2306.00978; the compute term is derived.
    """
    require_fraction(byte_ratio=byte_ratio)
    require_non_negative(dequantisation_share=dequantisation_share)
    slower = 1.0 / (1.0 + np.asarray(dequantisation_share))[()]
    prefill = point.scenario.refinements.prefill_efficiency
    return _with(
        _weights(point, byte_ratio),
        efficiency=_at_mfu(point.scenario.efficiency, slower),
        prefill_efficiency=None if prefill is None else _at_mfu(prefill, slower),
        correct_ratio=correct_ratio,
    )


def low_precision(
    point: ServedPoint, *, byte_ratio: Real, flop_ratio: Real, kv_byte_ratio: Real = 1.0, correct_ratio: Real = 1.0
) -> ServedPoint:
    """FP8 or FP4: weights *and* arithmetic at fewer bits, so that prefill gains as decode does.

    Bytes after over before, dense peak after over before (1 or above), KV bytes after over before, correct answers after
    over before. Source: derived (formula L3: FP8 moves bytes; the peak from the GPU's specification).
    """
    require_fraction(byte_ratio=byte_ratio, kv_byte_ratio=kv_byte_ratio)
    if not np.all(np.greater_equal(flop_ratio, 1.0)):
        raise ValueError(f"flop_ratio must be 1 or above, got {flop_ratio}")
    light, prefill = _weights(point, byte_ratio), point.scenario.refinements.prefill_hardware
    model = replace(
        light.scenario.model, kv_bytes_per_token=light.scenario.model.kv_bytes_per_token * np.asarray(kv_byte_ratio)[()]
    )
    return _with(
        replace(light, scenario=replace(light.scenario, model=model)),
        hardware=_at_flops(point.scenario.hardware, flop_ratio),
        prefill_hardware=None if prefill is None else _at_flops(prefill, flop_ratio),
        correct_ratio=correct_ratio,
    )


def speculative_decoding(point: ServedPoint, *, acceptance: Real, draft_length: Real, draft_cost_ratio: Real) -> ServedPoint:
    """Draft k tokens, verify them in one step: E tokens a step for k draft steps, until verification is compute-bound.

    Chance that a drafted token is accepted, whole tokens, draft step over memory time of a target step. Answers are those
    of the target model. Source: formula R5.
    """
    switched = replace(
        point.scenario.refinements,
        draft_tokens=draft_length,
        draft_acceptance=acceptance,
        draft_cost_ratio=draft_cost_ratio,
    )
    return replace(point, scenario=replace(point.scenario, refinements=switched))


def ssm_hybrid(
    point: ServedPoint, *, attention_share: Real, state_bytes_per_sequence: Real = 0.0, correct_ratio: Real = 1.0
) -> ServedPoint:
    """State-space layers instead of most attention layers: KV of the attention layers only, and a state that does not grow.

    Share of layers that keep attention (0: a pure state-space model, which then needs a state), bytes of state of a
    sequence, correct answers after over before. Attention FLOP of prefill fall with the layers.
    Source: formula L4; Lieber et al. 2403.19887; Gu and Dao 2312.00752.
    """
    require_share(attention_share=attention_share)
    require_non_negative(state_bytes_per_sequence=state_bytes_per_sequence)
    model = point.scenario.model
    kept = np.asarray(attention_share)[()]
    # Query width times layers is what attention FLOP scale with; fewer attention layers are as good as fewer heads.
    heads = None if model.query_heads is None else model.query_heads * np.maximum(kept, 1e-12)
    hybrid = replace(
        model,
        kv_bytes_per_token=model.kv_bytes_per_token * kept,
        state_bytes_per_sequence=model.state_bytes_per_sequence + state_bytes_per_sequence,
        query_heads=heads,
    )
    return _with(replace(point, scenario=replace(point.scenario, model=hybrid)), correct_ratio=correct_ratio)


def clock_lock(point: ServedPoint, *, clock_ratio: Real, response: ClockResponse) -> ServedPoint:
    """SM clock held below its peak: arithmetic slows with it, memory does not, and the draw falls faster than either.

    Clock after over before, and how the draw answers. Only the decode pool of a disaggregated deployment is locked;
    a colocated replica also computes its prefill at the lower clock. The rent stays.
    Source: formula L5; Ma et al. 2605.11999; the form of the draw is derived.
    """
    require_fraction(clock_ratio=clock_ratio)
    factor = response.draw_factor(clock_ratio=clock_ratio)
    scenario, power = point.scenario, point.power
    separate = point.architecture == "disaggregated"
    slower = _at_flops(scenario.hardware, clock_ratio)
    prefill_hardware = scenario.refinements.prefill_hardware
    if separate and prefill_hardware is None:
        prefill_hardware = scenario.hardware
    locked = Power(
        memory_w=power.memory_w * factor,
        compute_w=power.compute_w * factor,
        prefill_w=power.prefill_w if separate else power.prefill_w * factor,
        limit_w=power.limit_w,
        idle_w=power.idle_w,
    )
    return replace(_with(point, hardware=slower, prefill_hardware=prefill_hardware), power=locked)


def harvested_slack(point: ServedPoint, *, idle_share: Real, idle_usd_per_gpu_hour: Real) -> ServedPoint:
    """Work that can wait runs on idle serving GPUs for a share of its GPU-hours: c = phi p_idle + (1 - phi) p_dedicated.

    Share of GPU-hours, $ per idle GPU-hour (above 0: energy and SLO risk). Nothing but the price changes.
    Source: formula T8 (ROSE 2605.06534).
    """

    def cheaper(hardware: Hardware) -> Hardware:
        blended = rollout_usd_per_gpu_hour(
            idle_share=idle_share,
            idle_usd_per_gpu_hour=idle_usd_per_gpu_hour,
            dedicated_usd_per_gpu_hour=hardware.usd_per_gpu_hour,
        )
        return replace(hardware, usd_per_gpu_hour=blended)

    prefill = point.scenario.refinements.prefill_hardware
    return _with(
        point,
        hardware=cheaper(point.scenario.hardware),
        prefill_hardware=None if prefill is None else cheaper(prefill),
    )


def prefix_caching(point: ServedPoint, *, hit_share: Real) -> ServedPoint:
    """A share h of the prompt's KV is found in cache: n_in (1 - h) tokens to compute. Hits of two caches do not add.

    Share of prompt tokens. Source: formula L7 (stated): replace n_in by n_in (1 - h).
    """
    require_share(hit_share=hit_share)
    missed = (1.0 - point.scenario.refinements.prefix_hit_share) * (1.0 - np.asarray(hit_share))
    switched = replace(point.scenario.refinements, prefix_hit_share=(1.0 - missed)[()])
    return replace(point, scenario=replace(point.scenario, refinements=switched))


def batching(point: ServedPoint, *, factor: Real) -> ServedPoint:
    """So many times more sequences to decode together, as far as memory and contract let them.

    Times; nothing changes where memory or contract already bind. Source: formula L6: t_w / B.
    """
    require_positive(factor=factor)
    return replace(point, batch_limit=np.multiply(point.batch_limit, factor))


def edge_silicon(point: ServedPoint, *, hardware: Hardware, power: Power, batch_limit: Real = np.inf) -> ServedPoint:
    """The same model and workload on another device: its owner's cost per hour, its memory, its draw.

    `hardware.usd_per_gpu_hour` is `edge.device_usd_per_hour`; `batch_limit` how many sequences its users bring.
    Source: formula L8.
    """
    refinements = replace(point.scenario.refinements, prefill_hardware=None, prefill_efficiency=None)
    scenario = replace(point.scenario, hardware=hardware, refinements=refinements)
    return replace(point, scenario=scenario, power=power, batch_limit=np.minimum(point.batch_limit, batch_limit))


def _weights(point: ServedPoint, byte_ratio: Real) -> ServedPoint:
    model, ratio = point.scenario.model, np.asarray(byte_ratio)[()]
    experts = None if model.expert_weight_bytes is None else model.expert_weight_bytes * ratio
    light = replace(model, weight_bytes=model.weight_bytes * ratio, expert_weight_bytes=experts)
    return replace(point, scenario=replace(point.scenario, model=light))


def _with(
    point: ServedPoint,
    *,
    hardware: Hardware | None = None,
    efficiency: Efficiency | None = None,
    prefill_hardware: Hardware | None = None,
    prefill_efficiency: Efficiency | None = None,
    correct_ratio: Real = 1.0,
) -> ServedPoint:
    """The point with what is given replaced, for the prefill pool too where it has hardware of its own."""
    require_non_negative(correct_ratio=np.nan_to_num(np.asarray(correct_ratio, dtype=np.float64)))
    scenario = point.scenario
    refinements = replace(
        scenario.refinements,
        prefill_hardware=prefill_hardware or scenario.refinements.prefill_hardware,
        prefill_efficiency=prefill_efficiency or scenario.refinements.prefill_efficiency,
    )
    changed = replace(
        scenario,
        hardware=hardware or scenario.hardware,
        efficiency=efficiency or scenario.efficiency,
        refinements=refinements,
    )
    return replace(point, scenario=changed, correct_share=np.multiply(point.correct_share, correct_ratio)[()])


def _at_mfu(efficiency: Efficiency, ratio: Real) -> Efficiency:
    return replace(efficiency, mfu=efficiency.mfu * ratio)


def _at_flops(hardware: Hardware, ratio: Real) -> Hardware:
    return replace(hardware, flops_per_s=hardware.flops_per_s * np.asarray(ratio)[()])
