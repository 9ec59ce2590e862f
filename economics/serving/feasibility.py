"""Which bound a contract breaks, and the nearest value that would hold."""

from dataclasses import dataclass

import numpy as np

from economics.serving.batch_limits import decode_time, unchunked_least_tpot_s
from economics.serving.chunked import chunked_colocation, coupled_ttft_s
from economics.serving.cost import ARCHITECTURES
from economics.serving.prefill_pool import Prefill, prefill_replicas, prefill_times, promised_percentile, queue_slack_s
from economics.serving.queueing import idle_servers
from economics.serving.step_time import Step, decode_step, sequence_bytes
from economics.serving.symbols import Scenario
from economics.units import Flag, Real


@dataclass(frozen=True, eq=False)
class Bound:
    """One bound: what is there, and the nearest value that holds with everything else as it is."""

    available: Real
    required: Real
    holds: Flag


def feasibility(*, scenario: Scenario, architecture: str) -> dict[str, Bound]:
    """Every bound of an architecture, by name; the contract can be met where all hold.

    hbm_bytes: memory of a replica left to weights and KV, against the weights and one sequence
    tpot_s: the TPOT bound, against one sequence decoding alone (and stalled, without chunks)
    ttft_s: the TTFT bound, against prefill, transfer and, where coupled, the decodes beside it; above, not equal
    prefill_replicas: the prefill pool, against the replicas that the tail of the wait keeps idle; above, not equal
    arrival_rate_per_s: the arrival rate, which must be above zero
    Arrays broadcast. ValueError for an unknown architecture. Source: formula S6.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture must be one of {ARCHITECTURES}, got {architecture!r}")
    step, prefill, contract = decode_step(scenario), prefill_times(scenario), scenario.contract
    hardware, model = scenario.hardware, scenario.model
    memory_bytes = scenario.efficiency.memory_share * hardware.hbm_bytes * hardware.gpus
    least_bytes = model.weight_bytes + sequence_bytes(model=model, tokens=scenario.workload.context_tokens)
    bounds = {
        "hbm_bytes": _at_least(memory_bytes, least_bytes),
        "tpot_s": _at_least(contract.tpot_s, _least_tpot_s(scenario, step, prefill, architecture)),
        "ttft_s": _ttft_bound(scenario, step, prefill, architecture),
    }
    if architecture == "disaggregated":
        idle = idle_servers(
            slack_s=queue_slack_s(scenario, prefill),
            service_s=prefill.service_s,
            percentile=promised_percentile(scenario),
        )
        bounds["prefill_replicas"] = _above(prefill_replicas(scenario, prefill), idle)
    if scenario.workload.arrival_rate_per_s is not None:
        bounds["arrival_rate_per_s"] = _above(scenario.workload.arrival_rate_per_s, 0.0)
    return bounds


def _least_tpot_s(scenario: Scenario, step: Step, prefill: Prefill, architecture: str) -> Real:
    alone_s = decode_time(step, batch=1.0).decode_s
    if architecture != "unchunked":
        return alone_s
    return unchunked_least_tpot_s(
        step,
        tpot_definition=scenario.contract.tpot_definition,
        percentile=promised_percentile(scenario),
        service_s=prefill.colocated_service_s,
        output_tokens=scenario.workload.output_tokens,
    )


def _ttft_bound(scenario: Scenario, step: Step, prefill: Prefill, architecture: str) -> Bound:
    ttft_s = scenario.contract.ttft_s
    if architecture == "disaggregated":
        return _above(ttft_s, prefill.service_s + prefill.transfer_s)
    if architecture == "unchunked":
        return _above(ttft_s, prefill.colocated_service_s)
    if not scenario.refinements.ttft_coupling:
        return _above(ttft_s, prefill.chunked_service_s)
    coupled_s = coupled_ttft_s(
        chunked_colocation(scenario, step, prefill),
        service_s=prefill.chunked_service_s,
        input_per_output=scenario.workload.input_per_output,
        tpot_s=scenario.contract.tpot_s,
    )
    return _at_least(ttft_s, coupled_s)


def _at_least(available: Real, required: Real) -> Bound:
    return Bound(available=available, required=required, holds=np.greater_equal(available, required))


def _above(available: Real, required: Real) -> Bound:
    return Bound(available=available, required=required, holds=np.greater(available, required))
