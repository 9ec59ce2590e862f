"""The prefill side of a deployment: how long a prompt takes, how it travels, and how busy its pool may be."""

from dataclasses import dataclass

from economics.serving import queueing
from economics.serving.step_time import chunk_reread_s_per_token, fixed_s, prefill_tokens_per_s, sequence_bytes, stated
from economics.serving.symbols import Scenario
from economics.units import Real


@dataclass(frozen=True, eq=False)
class Prefill:
    """Times and prices of prefill: in a pool of its own, and in chunks beside decode."""

    usd_per_s: Real
    """Price of one replica of the prefill pool."""
    service_s: Real
    """s: computing one prompt in the prefill pool."""
    colocated_service_s: Real
    """The same on a colocated replica, in one piece."""
    chunked_service_s: Real
    """The same in chunks."""
    transfer_s: Real
    """Exposed part of the KV transfer of one prompt."""


def prefill_times(scenario: Scenario) -> Prefill:
    """Prefill times of the scenario. Source: formula S5: s = n_in (1-h) / mu_p, and the fixed time of a pass."""
    workload, refinements = scenario.workload, scenario.refinements
    computed_tokens = workload.input_tokens * (1.0 - refinements.prefix_hit_share)
    colocated_tokens_per_s = prefill_tokens_per_s(
        hardware=scenario.hardware,
        model=scenario.model,
        workload=workload,
        efficiency=scenario.efficiency,
        refinements=refinements,
    )
    tokens_per_s, hardware = colocated_tokens_per_s, scenario.hardware
    if refinements.prefill_hardware is not None:
        hardware = refinements.prefill_hardware
        tokens_per_s = prefill_tokens_per_s(
            hardware=hardware,
            model=scenario.model,
            workload=workload,
            efficiency=refinements.prefill_efficiency or scenario.efficiency,
            refinements=refinements,
        )
    colocated_service_s = computed_tokens / colocated_tokens_per_s + fixed_s(hardware=scenario.hardware, model=scenario.model)
    return Prefill(
        usd_per_s=hardware.usd_per_s,
        service_s=computed_tokens / tokens_per_s + fixed_s(hardware=hardware, model=scenario.model),
        colocated_service_s=colocated_service_s,
        chunked_service_s=colocated_service_s + computed_tokens * chunk_reread_s_per_token(scenario=scenario),
        transfer_s=exposed_transfer_bytes(scenario) / scenario.transfer.bandwidth_bytes_per_s,
    )


def exposed_transfer_bytes(scenario: Scenario) -> Real:
    """Bytes of one prompt whose transfer is not hidden, at the nominal bandwidth that takes as long."""
    prompt_bytes = sequence_bytes(model=scenario.model, tokens=scenario.workload.input_tokens)
    exposed_share = (1.0 - scenario.transfer.overlap_share) / scenario.refinements.achieved_link_share
    return prompt_bytes * exposed_share


def promised_percentile(scenario: Scenario) -> Real:
    """Percentile that batches and queues are sized for: the contract's, or that of the goodput refinement."""
    goodput = scenario.refinements.goodput_percentile
    return scenario.contract.percentile if goodput is None else goodput


def queue_slack_s(scenario: Scenario, prefill: Prefill) -> Real:
    """Time a prompt may wait for prefill and still meet the TTFT bound: x, zero or below where it cannot."""
    return scenario.contract.ttft_s - prefill.service_s - prefill.transfer_s


def prefill_replicas(scenario: Scenario, prefill: Prefill) -> Real:
    """k of the prefill pool: stated, or what the arrival rate needs."""
    if scenario.workload.prefill_replicas is not None:
        return scenario.workload.prefill_replicas
    return queueing.replicas(
        arrival_rate_per_s=stated("arrival_rate_per_s", scenario.workload.arrival_rate_per_s),
        slack_s=queue_slack_s(scenario, prefill),
        service_s=prefill.service_s,
        percentile=promised_percentile(scenario),
    )


def utilisation_limit(scenario: Scenario, prefill: Prefill) -> Real:
    """u_p: the highest utilisation of the prefill pool that the TTFT bound allows; 0 where none will do."""
    return queueing.utilisation_cap(
        slack_s=queue_slack_s(scenario, prefill),
        service_s=prefill.service_s,
        servers=prefill_replicas(scenario, prefill),
        percentile=promised_percentile(scenario),
    )
