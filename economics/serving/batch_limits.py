"""Largest decode batch that meets a TPOT bound, for replicas that only decode and for those that prefills stall.

Every bound on a step is linear in the batch but for two terms: weights of experts that a larger batch touches, and the
random number of stalls a request meets. Dense models invert in closed form; touched experts take a few Newton steps.
"""

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded when first used

from economics.serving.step_time import Step
from economics.units import Real, is_on

_NEWTON_STEPS = 60


@dataclass(frozen=True, eq=False)
class StepTime:
    """Time per output token of one sequence in a batch, seconds. The sum is the token's share of the step."""

    prefill_s: Real
    decode_s: Real
    overlap_s: Real
    """Zero or below: what running compute and memory side by side saves."""

    @property
    def total_s(self) -> Real:
        """Sum of the parts."""
        return self.prefill_s + self.decode_s + self.overlap_s


def memory_s_per_sequence(step: Step, *, batch: Real, chunk_tokens_per_sequence: Real = 0.0) -> Real:
    """Memory time of a step over its batch, seconds: M(B) / B."""
    weights = step.weight_s
    if is_on(step.expert_s):
        routed = (step.positions + chunk_tokens_per_sequence) * batch
        weights = weights + step.expert_s * (1.0 - step.expert_missed**routed)
    return weights / batch + step.sequence_s


def decode_time(step: Step, *, batch: Real) -> StepTime:
    """Time per output token of steps that only decode. Source: formula S6: t_w / B + tau."""
    memory = memory_s_per_sequence(step, batch=batch)
    busy = np.maximum(memory, step.compute_s) if is_on(step.compute_s) else memory
    if is_on(step.draft_ratio):
        busy = busy + step.draft_ratio * memory
    return StepTime(prefill_s=0.0, decode_s=busy / step.tokens, overlap_s=0.0)


def decode_batch(step: Step, *, tpot_s: Real, stall_s: Real = 0.0, stalls_s: Real = 0.0, spread_s: Real = 0.0) -> Real:
    """Largest batch of steps that only decode: B_d = (S_tpot - t_w) / tau.

    `stall_s` is added to every step, `stalls_s` once per sequence of the batch, `spread_s` per root of the batch;
    all in seconds per step. Returns sequences, 0 where the bound is below the weight read.
    Source: formula S6.
    """
    limit = tpot_s * step.tokens - stall_s
    batch = largest_batch(step, limit_s=limit, memory_share=1.0 + step.draft_ratio, sequence_s=stalls_s, root_s=spread_s)
    if is_on(step.compute_s):
        compute_bound = largest_batch(
            step, limit_s=limit, memory_share=step.draft_ratio, sequence_s=step.compute_s + stalls_s, root_s=spread_s
        )
        batch = np.fmin(batch, compute_bound)
    return np.maximum(batch, 0.0)


def unchunked_batch(
    step: Step, *, tpot_s: Real, tpot_definition: str, percentile: Real, service_s: Real, output_tokens: Real
) -> Real:
    """Largest batch when a whole prefill stalls every running decode, under the TPOT definition in use.

    While an answer of n tokens decodes in a batch of B, about B others end and B prefills of `service_s` stall it, so
    a share B E / n of the steps is stalled.
    per_request_mean: the stalls of a request are Poisson with mean B; the bound holds at the percentile of requests.
    per_token_p99: stalled steps count unless their share is below 1 - percentile.
    per_token_max: every stalled step counts.
    worst_tenth_mean: stalled steps are averaged over the slowest tenth of the steps.
    Returns sequences; below 1 the bound cannot be met.
    Source: derived; definitions as DistServe, Sarathi-Serve and Mooncake use them.
    """
    stalls_s = step.tokens * service_s / output_tokens
    if tpot_definition == "per_request_mean":
        spread_s = _deviations(percentile) * stalls_s
        return decode_batch(step, tpot_s=tpot_s, stalls_s=stalls_s, spread_s=spread_s)
    # A stalled step holds one prefill, or their mean where more than one has to go into every step.
    stalled = np.minimum(
        decode_batch(step, tpot_s=tpot_s, stall_s=service_s), decode_batch(step, tpot_s=tpot_s, stalls_s=stalls_s)
    )
    if tpot_definition == "per_token_p99":
        rare = (1.0 - percentile) * output_tokens / step.tokens
        return np.maximum(stalled, np.minimum(decode_batch(step, tpot_s=tpot_s), rare))
    if tpot_definition == "worst_tenth_mean":
        diluted = decode_batch(step, tpot_s=tpot_s, stalls_s=10.0 * stalls_s)
        return np.maximum(stalled, np.minimum(diluted, 0.1 * output_tokens / step.tokens))
    return stalled


def _deviations(percentile: Real) -> Real:
    """Standard deviations above the mean. Below the median a percentile would credit luck: the mean is the least."""
    return scipy.special.ndtri(np.maximum(percentile, 0.5))


def largest_batch(
    step: Step,
    *,
    limit_s: Real,
    memory_share: Real,
    sequence_s: Real,
    root_s: Real = 0.0,
    chunk_tokens_per_sequence: Real = 0.0,
) -> Real:
    """Largest B with memory_share M(B) + sequence_s B + root_s sqrt(B) <= limit_s.

    Arguments broadcast; seconds per step, and a share of the step's memory time. `chunk_tokens_per_sequence` are tokens
    of a prefill chunk that touch experts beside each decoding sequence. Returns sequences, zero or below where
    no batch will do. Source: derived (linear, quadratic in sqrt(B), or Newton steps where experts are touched).
    """
    slope = memory_share * step.sequence_s + sequence_s
    with np.errstate(divide="ignore", invalid="ignore"):
        batch = _largest_dense(limit_s - memory_share * (step.weight_s + step.expert_s), slope, root_s)
        if not is_on(step.expert_s):
            return batch
        # The left side is concave in B, and with all experts touched it is too large: that root is a lower bound, from
        # which Newton steps rise to the root without passing it.
        room = limit_s - memory_share * step.weight_s
        experts = memory_share * step.expert_s
        kept = np.log(np.maximum(step.expert_missed, 1e-300)) * (step.positions + chunk_tokens_per_sequence)
        batch = np.maximum(batch, 1e-9)
        for _ in range(_NEWTON_STEPS):
            untouched = np.exp(kept * batch)
            root = np.sqrt(batch)
            excess = experts * (1.0 - untouched) + slope * batch + root_s * root - room
            change = excess / (slope - experts * kept * untouched + 0.5 * root_s / root)
            batch = np.fmax(batch - change, 1e-9)
            if np.all(np.abs(change) <= 1e-12 * batch):
                break
        return np.where(room > 0.0, batch, 0.0)[()]


def _largest_dense(room_s: Real, slope_s: Real, root_s: Real) -> Real:
    """Largest B with slope_s B + root_s sqrt(B) <= room_s; 0 where the room is negative, inf where nothing binds."""
    if not is_on(root_s):
        return np.divide(room_s, slope_s)
    discriminant = np.sqrt(root_s**2 + 4.0 * slope_s * np.maximum(room_s, 0.0))
    return (2.0 * np.maximum(room_s, 0.0) / (root_s + discriminant)) ** 2
