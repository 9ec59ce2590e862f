"""Cost of an output token that meets its contract, for three ways to share GPUs between prefill and decode.

unchunked: one replica does both, and a prefill stalls the decodes;
chunked: one replica does both, prefill in chunks inside the decode steps;
disaggregated: a prefill pool sends the KV cache to a decode pool.

    C = (1/A) [ prefill + decode + 1{disaggregated} kv_tax ]          $ per SLO-compliant output token
"""

from dataclasses import dataclass, replace

import numpy as np

from economics.serving import queueing
from economics.serving.batch_limits import StepTime, decode_batch, decode_time, unchunked_batch
from economics.serving.chunked import chunked_batch, chunked_colocation, chunked_time
from economics.serving.prefill_pool import Prefill, prefill_replicas, prefill_times, promised_percentile, utilisation_limit
from economics.serving.step_time import Step, decode_step, memory_batch, stated
from economics.serving.symbols import Scenario
from economics.units import TOKENS_PER_MTOK, Flag, Real, is_on

ARCHITECTURES = ("unchunked", "chunked", "disaggregated")
TERMS = ("prefill", "decode", "kv_tax", "overlap", "attainment")
"""Terms of a cost, in the order of `Cost.terms`. overlap is zero or below; attainment is what missed tokens add."""


@dataclass(frozen=True, eq=False)
class Cost:
    """Cost of an architecture, split into terms that add up, in $ per SLO-compliant output token.

    Where the contract cannot be met every term is NaN (there is none) and the cost is inf.
    """

    prefill_usd_per_token: Real
    decode_usd_per_token: Real
    kv_tax_usd_per_token: Real
    overlap_usd_per_token: Real
    attainment_usd_per_token: Real
    batch: Real
    """Sequences that decode together; 0 where infeasible."""
    feasible: Flag
    """Whether the contract can be met."""

    @property
    def terms(self) -> tuple[Real, ...]:
        """The terms in the order of TERMS."""
        return (
            self.prefill_usd_per_token,
            self.decode_usd_per_token,
            self.kv_tax_usd_per_token,
            self.overlap_usd_per_token,
            self.attainment_usd_per_token,
        )

    @property
    def usd_per_token(self) -> Real:
        """The cost: $ per SLO-compliant output token; inf where the contract cannot be met."""
        return np.where(self.feasible, sum(self.terms), np.inf)[()]

    @property
    def usd_per_mtok(self) -> Real:
        """The cost: $ per million SLO-compliant output tokens."""
        return self.usd_per_token * TOKENS_PER_MTOK


def cost(*, scenario: Scenario, architecture: str) -> Cost:
    """Cost per SLO-compliant output token of one architecture, split into terms.

    Fields of the scenario broadcast; the result has their common shape. ValueError for an unknown architecture.
    Source: formula S1.
    """
    compute = {"unchunked": _unchunked, "chunked": _chunked, "disaggregated": _disaggregated}.get(architecture)
    if compute is None:
        raise ValueError(f"architecture must be one of {ARCHITECTURES}, got {architecture!r}")
    # An infeasible point divides by a batch or a utilisation of zero; it is masked below.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        terms = compute(scenario)
    prefill, decode, kv_tax, overlap, attainment = (np.where(terms.feasible, term, np.nan)[()] for term in terms.terms)
    return Cost(
        prefill_usd_per_token=prefill,
        decode_usd_per_token=decode,
        kv_tax_usd_per_token=kv_tax,
        overlap_usd_per_token=overlap,
        attainment_usd_per_token=attainment,
        batch=np.where(terms.feasible, terms.batch, 0.0)[()],
        feasible=terms.feasible,
    )


def _disaggregated(scenario: Scenario) -> Cost:
    step, prefill, refinements = decode_step(scenario), prefill_times(scenario), scenario.refinements
    output_tokens = scenario.workload.output_tokens
    batch = np.minimum(memory_batch(scenario), decode_batch(step, tpot_s=scenario.contract.tpot_s))
    decode_s = decode_time(step, batch=batch).decode_s
    utilisation = _utilisation(scenario, prefill)
    prefill_pool_s = prefill.service_s / (output_tokens * utilisation * refinements.prefill_pool_efficiency)
    decode_pool_s = decode_s * _whole(scenario, decode_s) / refinements.decode_pool_efficiency
    held_usd_per_s = scenario.transfer.held_cost_ratio * prefill.usd_per_s
    return _with_attainment(
        scenario,
        attainment=scenario.efficiency.disaggregated_attainment,
        prefill=prefill.usd_per_s * prefill_pool_s,
        decode=scenario.hardware.usd_per_s * decode_pool_s,
        kv_tax=held_usd_per_s * prefill.transfer_s / output_tokens,
        overlap=0.0,
        batch=batch,
        feasible=_common_bounds(scenario, step, prefill.service_s + prefill.transfer_s) & np.greater(utilisation, 0.0),
    )


def _chunked(scenario: Scenario) -> Cost:
    step, prefill = decode_step(scenario), prefill_times(scenario)
    chunked, input_per_output = chunked_colocation(scenario, step, prefill), scenario.workload.input_per_output
    batch = chunked_batch(chunked, input_per_output=input_per_output, tpot_s=scenario.contract.tpot_s)
    time = chunked_time(chunked, input_per_output=input_per_output, batch=batch)
    feasible = _common_bounds(scenario, step, prefill.chunked_service_s) & np.greater(batch, 0.0)
    # A prompt is computed in the share of each step that the sequences beside it leave.
    left_share = 1.0 - batch * time.decode_s / scenario.contract.tpot_s
    return _colocated(scenario, time=time, batch=batch, prompt_s=prefill.chunked_service_s / left_share, feasible=feasible)


def _unchunked(scenario: Scenario) -> Cost:
    step, prefill = decode_step(scenario), prefill_times(scenario)
    service_s, output_tokens = prefill.colocated_service_s, scenario.workload.output_tokens
    limit = unchunked_batch(
        step,
        tpot_s=scenario.contract.tpot_s,
        tpot_definition=scenario.contract.tpot_definition,
        percentile=promised_percentile(scenario),
        service_s=service_s,
        output_tokens=output_tokens,
    )
    batch = np.minimum(memory_batch(scenario), limit)
    time = replace(decode_time(step, batch=batch), prefill_s=service_s / output_tokens)
    feasible = _common_bounds(scenario, step, service_s) & np.greater_equal(batch, 1.0)
    return _colocated(scenario, time=time, batch=batch, prompt_s=service_s, feasible=feasible)


def _colocated(scenario: Scenario, *, time: StepTime, batch: Real, prompt_s: Real, feasible: Flag) -> Cost:
    paid_s = time.total_s / _places_taken(scenario, time=time, batch=batch, prompt_s=prompt_s)
    usd_per_s = scenario.hardware.usd_per_s * (paid_s / time.total_s) * _whole(scenario, paid_s)
    return _with_attainment(
        scenario,
        attainment=scenario.efficiency.colocated_attainment,
        prefill=usd_per_s * time.prefill_s,
        decode=usd_per_s * time.decode_s,
        kv_tax=0.0,
        overlap=usd_per_s * time.overlap_s,
        batch=batch,
        feasible=feasible,
    )


def _with_attainment(
    scenario: Scenario,
    *,
    attainment: Real,
    prefill: Real,
    decode: Real,
    kv_tax: Real,
    overlap: Real,
    batch: Real,
    feasible: Flag,
) -> Cost:
    goodput = scenario.refinements.goodput_percentile
    counted = attainment if goodput is None else attainment * goodput
    missed: Real = 0.0
    if is_on(1.0 - counted):
        missed = (prefill + decode + kv_tax + overlap) * (1.0 / counted - 1.0)
    return Cost(
        prefill_usd_per_token=prefill,
        decode_usd_per_token=decode,
        kv_tax_usd_per_token=kv_tax,
        overlap_usd_per_token=overlap,
        attainment_usd_per_token=missed,
        batch=batch,
        feasible=feasible,
    )


def _common_bounds(scenario: Scenario, step: Step, first_token_s: Real) -> Flag:
    """Bounds every architecture shares: one sequence fits, one sequence is fast enough, a prompt alone is in time."""
    feasible = (
        np.greater_equal(memory_batch(scenario), 1.0)
        & np.greater_equal(scenario.contract.tpot_s, decode_time(step, batch=1.0).decode_s)
        & np.greater(scenario.contract.ttft_s, first_token_s)
    )
    rate = scenario.workload.arrival_rate_per_s
    return feasible if rate is None else feasible & np.greater(rate, 0.0)


def _utilisation(scenario: Scenario, prefill: Prefill) -> Real:
    """Utilisation the prefill pool is paid at: the limit, or with integer pools the load over the whole replicas."""
    limit = utilisation_limit(scenario, prefill)
    if not scenario.refinements.integer_pools:
        return limit
    load = stated("arrival_rate_per_s", scenario.workload.arrival_rate_per_s) * prefill.service_s
    return np.where(np.greater(limit, 0.0), load / prefill_replicas(scenario, prefill), 0.0)


def _places_taken(scenario: Scenario, *, time: StepTime, batch: Real, prompt_s: Real) -> Real:
    """Share of a colocated replica's places that may be taken, `prompt_s` being the time of a prompt that does not wait."""
    if not scenario.refinements.place_queue:
        return 1.0
    rate = stated("arrival_rate_per_s", scenario.workload.arrival_rate_per_s)
    residence_s = scenario.workload.output_tokens * time.total_s * batch
    known = np.isfinite(residence_s) & np.greater(residence_s, 0.0) & np.greater(rate, 0.0)
    return queueing.place_utilisation(
        sequences=np.where(known, rate * residence_s, 1.0),
        slack_s=np.where(known, scenario.contract.ttft_s - prompt_s, 0.0),
        residence_s=np.where(known, residence_s, 1.0),
        percentile=promised_percentile(scenario),
    )


def _whole(scenario: Scenario, token_s: Real) -> Real:
    """Factor by which whole replicas exceed the `token_s` of replica time that each output token needs. Source: formula S11."""
    if not scenario.refinements.integer_pools:
        return 1.0
    arrival_rate_per_s = stated("arrival_rate_per_s", scenario.workload.arrival_rate_per_s)
    needed = arrival_rate_per_s * scenario.workload.output_tokens * token_s
    return np.ceil(needed) / needed
