"""An operating point: a serving scenario with its power draw and its answers, and what it costs in dollars and joules.

Levers (`economics.levers.effects`) turn one operating point into another; this module says what each is worth.
"""

from dataclasses import dataclass, replace

import numpy as np

from economics.serving.batch_limits import memory_s_per_sequence
from economics.serving.cost import ARCHITECTURES, Cost, cost
from economics.serving.prefill_pool import prefill_times
from economics.serving.step_time import decode_step, fixed_s, memory_batch, sequence_bytes
from economics.serving.symbols import Efficiency, Scenario
from economics.units import Flag, Real, require_positive, require_share


@dataclass(frozen=True, kw_only=True, eq=False)
class Power:
    """Draw of one GPU, W, by what it does. Energy follows the work: seconds of memory traffic and of arithmetic."""

    memory_w: Real
    """While decode waits for memory."""
    compute_w: Real
    """While decode computes."""
    prefill_w: Real
    """While prefill computes."""
    limit_w: Real
    """The most one GPU draws: where memory and arithmetic overlap, the draw is no higher."""
    idle_w: Real | None = None
    """In the fixed time of a step, in which a GPU waits for its next layer; None: as in memory traffic."""

    def __post_init__(self) -> None:
        require_positive(memory_w=self.memory_w, compute_w=self.compute_w, prefill_w=self.prefill_w, limit_w=self.limit_w)
        require_positive(idle_w=self.idle_w)


@dataclass(frozen=True, kw_only=True, eq=False)
class ServedPoint:
    """One way to serve one workload."""

    scenario: Scenario
    architecture: str
    """One of `economics.serving.cost.ARCHITECTURES`."""
    power: Power
    correct_share: Real = np.nan
    """alpha pi: answers that are accepted and correct. NaN where nobody measured it."""
    batch_limit: Real = np.inf
    """Sequences there are to decode together: light load. Memory and contract may allow fewer."""

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise ValueError(f"architecture must be one of {ARCHITECTURES}, got {self.architecture!r}")
        known = np.asarray(self.correct_share, dtype=np.float64)
        require_share(correct_share=np.where(np.isnan(known), 1.0, known))
        if not np.all(np.greater(self.batch_limit, 0.0)):
            raise ValueError(f"batch_limit must be positive, got {self.batch_limit}")


@dataclass(frozen=True, eq=False)
class Outcome:
    """What an operating point is worth."""

    cost: Cost
    """In $ per SLO-compliant output token, by term."""
    usd_per_correct: Real
    """Of an answer of n_out tokens; NaN where the correct share is unknown."""
    joules_per_token: Real
    """GPU energy of an SLO-compliant output token with its share of prefill; NaN where the contract cannot be met."""

    @property
    def feasible(self) -> Flag:
        """Whether the contract can be met."""
        return self.cost.feasible


def outcome(point: ServedPoint) -> Outcome:
    """Cost, cost of a correct answer and energy of an operating point.

    Source: formula L9; energy derived.
    """
    scenario = at_load(point)
    spent = cost(scenario=scenario, architecture=point.architecture)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_answer = spent.usd_per_token * scenario.workload.output_tokens
        usd_per_correct = np.divide(per_answer, point.correct_share)
    return Outcome(
        cost=spent,
        usd_per_correct=usd_per_correct,
        joules_per_token=_joules_per_token(point, scenario, spent),
    )


def at_load(point: ServedPoint) -> Scenario:
    """The scenario with no more sequences in memory than there are to decode.

    The memory that is left over belongs to nobody, which the symbols express as a smaller share of HBM for weights and KV.
    Levers that free memory therefore do not fill it: only `levers.batching` brings more sequences.
    """
    scenario = point.scenario
    in_memory = memory_batch(scenario)
    if np.all(np.greater_equal(point.batch_limit, in_memory)):
        return scenario
    batch = np.minimum(point.batch_limit, in_memory)
    return replace(scenario, efficiency=replace(scenario.efficiency, memory_share=memory_share(scenario, batch=batch)))


def memory_share(scenario: Scenario, *, batch: Real) -> Real:
    """Share of HBM that the weights and so many sequences take. Source: formula S4, B_max inverted."""
    hardware, model = scenario.hardware, scenario.model
    kv_bytes = np.multiply(batch, sequence_bytes(model=model, tokens=scenario.workload.context_tokens))
    # A hair more, so that after rounding the batch that comes back is not below the one that was asked for.
    return (model.weight_bytes + kv_bytes) * (1.0 + 1e-15) / (hardware.hbm_bytes * hardware.gpus)


def _joules_per_token(point: ServedPoint, scenario: Scenario, spent: Cost) -> Real:
    """Prefill arithmetic, decode memory traffic and decode arithmetic, each at its draw, per token that counts."""
    hardware, power = scenario.hardware, point.power
    prefill_gpus = hardware.gpus
    service_s = prefill_times(scenario).colocated_service_s
    if point.architecture == "disaggregated":
        service_s = prefill_times(scenario).service_s
        prefill_hardware = scenario.refinements.prefill_hardware
        prefill_gpus = hardware.gpus if prefill_hardware is None else prefill_hardware.gpus
    prefill_j = power.prefill_w * prefill_gpus * service_s / scenario.workload.output_tokens
    counted = counted_share(scenario.efficiency, architecture=point.architecture)
    batch = np.where(spent.feasible, spent.batch, np.nan)
    decode_j = decode_joules_per_token(scenario, power, batch=batch)
    return (prefill_j + decode_j) / counted


def decode_joules_per_token(scenario: Scenario, power: Power, *, batch: Real) -> Real:
    """GPU energy of an output token in decode at a batch: memory seconds at one draw, arithmetic at another, capped.

    The arithmetic is done whether or not it is what the step waits for. Drafts are priced as memory
    traffic, the fixed time of a step as idling.
    Returns J per token. Source: derived.
    """
    step = decode_step(scenario)
    flop_s = scenario.efficiency.mfu * scenario.hardware.flops_per_s * scenario.hardware.gpus
    compute_s = 2.0 * scenario.model.active_parameters * step.positions / flop_s
    waiting_s = fixed_s(hardware=scenario.hardware, model=scenario.model) / batch
    memory_s = memory_s_per_sequence(step, batch=batch) - waiting_s
    # Arithmetic that takes longer than the reads runs while the next layer is waited for.
    idle_s = np.maximum(memory_s + waiting_s - np.maximum(memory_s, compute_s), 0.0)
    waits = (power.memory_w if power.idle_w is None else power.idle_w) * idle_s
    separate = power.memory_w * memory_s + power.compute_w * compute_s
    capped = np.minimum(separate, power.limit_w * np.maximum(memory_s, compute_s))
    drafts = power.memory_w * step.draft_ratio * memory_s
    return scenario.hardware.gpus * (waits + capped + drafts) / step.tokens


def counted_share(efficiency: Efficiency, *, architecture: str) -> Real:
    """A: share of output tokens in requests that meet both bounds."""
    return efficiency.disaggregated_attainment if architecture == "disaggregated" else efficiency.colocated_attainment
