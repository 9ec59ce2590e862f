"""The contract as aiconfigurator states it, answered by our step times: who wins in its grid, and by how much.

The tool (0.12.0, Apache-2.0) searches whole batches over the replica sizes and takes no queue and no percentile. What it
states of itself is taken over; nothing is fitted to its results:

aggregated       prompts are not cut: m of them go into a mixed step, so a batch b needs S = b / m mixed steps. TTFT is the
                 mixed step times 2 + (S - 3) / 20, at most 4; TPOT the mean over the steps of an answer, of which three
                 mixed ones are not counted; a request holds its full length in memory
disaggregated    one prompt at a time; TTFT 1.8 times the prompt; prompts and steps take 1.1 and 1.08 times as long as alone;
                 .9 and .92 of the pools are used; no time for the transfer

Steps are the plain sum of `economics.serving.step_time`: memory and compute one after the other.
"""

from dataclasses import dataclass

import numpy as np

from economics.serving.prefill_pool import prefill_times
from economics.serving.step_time import Step, decode_step
from economics.serving.symbols import Scenario
from economics.units import Array, Real

AGGREGATED_BATCHES = np.concatenate(
    [
        np.arange(1, 16),
        np.arange(16, 32, 4),
        np.arange(32, 64, 8),
        np.arange(64, 256, 16),
        np.arange(256, 513, 32),
    ]
).astype(np.float64)
DECODE_BATCHES = np.concatenate([np.arange(1, 16), np.arange(16, 513, 4)]).astype(np.float64)
PROMPTS_IN_A_STEP = np.arange(1.0, 9.0)
MOST_PROMPT_TOKENS, MOST_PROMPTS = 8192.0, 4.0
"""A mixed step holds at most the larger of so many tokens and so many prompts."""
UNCOUNTED_STEPS = 3.0
TTFT_FACTOR, MOST_TTFT_FACTOR, TTFT_STEPS = 2.0, 4.0, 20.0
PREFILL_TTFT_FACTOR, PREFILL_TIME_FACTOR, DECODE_TIME_FACTOR = 1.8, 1.1, 1.08
PREFILL_POOL_SHARE, DECODE_POOL_SHARE = 0.9, 0.92
CLEAR_MARGIN = 1.05
"""A winner by less is a tie."""


@dataclass(frozen=True)
class Agreement:
    """How far two judges of the same contracts agree."""

    contracts: int
    clear: int
    """Contracts in which the other judge's margin is above CLEAR_MARGIN."""
    winner_share: float
    """Of those, the share with the same winner."""
    median_log_error: float


def aggregated_tokens_per_s_per_gpu(scenario: Scenario) -> Array:
    """Most output tokens per second and GPU of an aggregated replica.

    Scenario: replica sizes on the first axis, contracts on the last. Returns (contracts,); 0 where no batch meets them.
    Source: derived; contract as the tool states it (run_agg, find_best_agg_result_under_constraints).
    """
    step, prefill = decode_step(scenario), prefill_times(scenario)
    batch, prompts = AGGREGATED_BATCHES[:, None, None, None], PROMPTS_IN_A_STEP[:, None, None]
    input_tokens, output_tokens = scenario.workload.input_tokens, np.asarray(scenario.workload.output_tokens)
    mixed = np.ceil(batch / prompts)
    # Where prompts fill every step of an answer, fewer sequences than the batch decode at a time.
    decoding = np.where(mixed >= output_tokens, np.maximum(batch * output_tokens / mixed, 1.0), batch - prompts)
    mixed_s = _decode_s(step, np.maximum(decoding, 0.0)) + prompts * prefill.colocated_service_s
    alone_s = _decode_s(step, batch)
    rest = np.maximum(output_tokens - mixed, 0.0)
    counted = np.where(mixed >= output_tokens, mixed, np.maximum(mixed - UNCOUNTED_STEPS, 1.0)) * (batch > 1)
    tpot_s = (mixed_s * counted + alone_s * rest) / (counted + rest)
    ttft_s = mixed_s * np.minimum(TTFT_FACTOR + (mixed - 3.0) / TTFT_STEPS, MOST_TTFT_FACTOR)
    possible = (
        ((batch > prompts) | ((batch == 1) & (prompts == 1)))
        & (prompts * input_tokens <= np.maximum(MOST_PROMPT_TOKENS, MOST_PROMPTS * input_tokens))
        & (batch <= _sequences(scenario))
        & (ttft_s <= scenario.contract.ttft_s)
        & (tpot_s <= scenario.contract.tpot_s)
    )
    tokens_per_s = batch * (output_tokens - 1.0) / (mixed * mixed_s + rest * alone_s)
    best: Array = np.where(possible, tokens_per_s / scenario.hardware.gpus, 0.0).max(axis=(0, 1, 2))
    return best


def disaggregated_tokens_per_s_per_gpu(scenario: Scenario) -> Array:
    """Most output tokens per second and GPU of two pools of divisible size, each of its best replica size.

    Scenario and result as in `aggregated_tokens_per_s_per_gpu`. Source: derived; contract as the tool states it.
    """
    step, prefill = decode_step(scenario), prefill_times(scenario)
    gpus, output_tokens = np.asarray(scenario.hardware.gpus), np.asarray(scenario.workload.output_tokens)
    prompt_s = prefill.service_s * PREFILL_TIME_FACTOR
    in_time = prompt_s * PREFILL_TTFT_FACTOR <= scenario.contract.ttft_s
    prompts = np.where(in_time, PREFILL_POOL_SHARE / (prompt_s * gpus), 0.0).max(axis=0)
    batch = DECODE_BATCHES[:, None, None]
    step_s = DECODE_TIME_FACTOR * _decode_s(step, batch)
    fits = (step_s <= scenario.contract.tpot_s) & (batch <= _sequences(scenario))
    answers = np.where(fits, DECODE_POOL_SHARE * batch / (step_s * output_tokens * gpus), 0.0).max(axis=(0, 1))
    with np.errstate(divide="ignore"):
        return np.asarray(output_tokens / (1.0 / prompts + 1.0 / answers))


def agreement(ratio: Array, other: Array) -> Agreement:
    """Agreement of two ratios of disaggregated to aggregated throughput; (contracts,), both positive."""
    clear = np.abs(np.log(other)) > np.log(CLEAR_MARGIN)
    same = (ratio > 1.0) == (other > 1.0)
    return Agreement(
        contracts=len(other),
        clear=int(clear.sum()),
        winner_share=float(same[clear].mean()),
        median_log_error=float(np.median(np.abs(np.log(ratio / other)))),
    )


def _decode_s(step: Step, batch: Real) -> Real:
    return np.maximum(step.weight_s + batch * step.sequence_s, batch * step.compute_s)


def _sequences(scenario: Scenario) -> Real:
    """Requests of full length that fit into memory beside the weights."""
    hardware, workload = scenario.hardware, scenario.workload
    free = scenario.efficiency.memory_share * hardware.hbm_bytes * hardware.gpus - scenario.model.weight_bytes
    return free / (scenario.model.kv_bytes_per_token * (workload.input_tokens + workload.output_tokens))
