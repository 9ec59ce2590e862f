"""Chunked colocation: prefill runs in chunks inside the decode steps of the same replica.

Kept apart from its scenario so that a root finder can move one symbol and leave everything else computed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np

from economics.serving.batch_limits import StepTime, largest_batch, memory_s_per_sequence
from economics.serving.prefill_pool import Prefill
from economics.serving.step_time import Step, memory_batch
from economics.serving.symbols import Scenario
from economics.units import Real, is_on, kept


@dataclass(frozen=True, eq=False)
class Chunked:
    """All that chunked colocation depends on, but the ratio of input to output tokens and the TPOT bound."""

    step: Step
    prefill_s_per_input_token: Real
    """1 / mu_p, spread over all input tokens: cached ones take no time."""
    computed_share: Real
    """1 - h."""
    memory_batch: Real
    chunk_utilisation: Real
    overlap: Real
    service_share: Real
    """s / S_ttft where TTFT is coupled, else 0: the share of each step that prefill needs."""


def chunked_colocation(scenario: Scenario, step: Step, prefill: Prefill) -> Chunked:
    """Chunked colocation of a scenario."""
    coupled = scenario.refinements.ttft_coupling
    return Chunked(
        step=step,
        prefill_s_per_input_token=prefill.chunked_service_s / scenario.workload.input_tokens,
        computed_share=1.0 - scenario.refinements.prefix_hit_share,
        memory_batch=memory_batch(scenario),
        chunk_utilisation=scenario.efficiency.chunk_utilisation,
        overlap=scenario.refinements.overlap,
        service_share=prefill.chunked_service_s / scenario.contract.ttft_s if coupled else 0.0,
    )


def chunked_batch(chunked: Chunked, *, input_per_output: Real, tpot_s: Real) -> Real:
    """Largest batch within the bounds: B_c = min(B_max, (S_tpot - t_w) / (tau + r / (u_c mu_p))).

    With TTFT coupling also B_c <= (S_tpot (1 - s/S_ttft) - t_w) / tau: while a prompt is computed, decode leaves prefill
    the share of each step it needs to be in time. Overlap replaces the sum of memory and compute time by the pieces of
    `_mixed_pieces`. Returns sequences (not an integer), 0 where no batch will do.
    Source: formula S7; overlap pieces derived.
    """
    step, coupled = chunked.step, is_on(chunked.service_share)
    limit_s = tpot_s * step.tokens
    prefill_s = _prefill_s_per_sequence(chunked, input_per_output)
    prompt_tokens = _chunk_tokens(chunked, input_per_output)
    batch, least = chunked.memory_batch, chunked.memory_batch
    for memory_share, prefill_share, compute_share in _mixed_pieces(chunked):
        compute_s = compute_share * step.compute_s
        balanced = largest_batch(
            step,
            limit_s=limit_s,
            memory_share=memory_share,
            sequence_s=prefill_share * prefill_s + compute_s,
            chunk_tokens_per_sequence=prompt_tokens,
        )
        batch = np.fmin(batch, balanced)
        if coupled:
            beside = largest_batch(
                step,
                limit_s=limit_s * (1.0 - prefill_share * chunked.service_share),
                memory_share=memory_share,
                sequence_s=compute_s,
                chunk_tokens_per_sequence=prompt_tokens,
            )
            least = np.fmin(least, beside)
    if coupled:
        # At least one whole sequence has to decode beside the prompt.
        batch = kept(np.minimum(batch, least), np.greater_equal(least, 1.0), otherwise=0.0)
    return np.maximum(batch, 0.0)


def chunked_time(chunked: Chunked, *, input_per_output: Real, batch: Real) -> StepTime:
    """Time per output token at a batch: the plain sum r / mu_p + t_w / B + tau, less what overlap saves.

    Source: formula S10, plain sum and roofline overlap.
    """
    step = chunked.step
    memory = memory_s_per_sequence(step, batch=batch, chunk_tokens_per_sequence=_chunk_tokens(chunked, input_per_output))
    prefill_s = input_per_output * chunked.prefill_s_per_input_token
    busy = np.maximum(memory, step.compute_s) if is_on(step.compute_s) else memory
    drafted = busy + step.draft_ratio * memory if is_on(step.draft_ratio) else busy
    saved_s: Real = 0.0
    if is_on(chunked.overlap):
        compute = prefill_s * step.tokens
        side_by_side = np.maximum(memory, compute + step.compute_s)
        saved_s = chunked.overlap * (busy + compute - side_by_side) / step.tokens
    return StepTime(prefill_s=prefill_s, decode_s=drafted / step.tokens, overlap_s=-saved_s)


def chunked_lines(chunked: Chunked, *, tpot_s: Real) -> Iterator[tuple[Real, Real]]:
    """Lines (start, slope) in r whose largest is the time per output token of a dense model, seconds.

    The inverse batch is the largest of lines in r, and the time per token the largest of rising lines in the inverse
    batch. An infeasible bound yields (inf, inf). Source: derived from `chunked_batch` and `chunked_time`.
    """
    step, pieces = chunked.step, _mixed_pieces(chunked)
    # All times per output token, so that the bound of a step is the TPOT bound itself.
    weight_s, sequence_s = step.weight_s / step.tokens, step.sequence_s / step.tokens
    compute_s, prefill_s = step.compute_s / step.tokens, chunked.prefill_s_per_input_token
    capacity = chunked_batch(replace(chunked, prefill_s_per_input_token=0.0), input_per_output=0.0, tpot_s=tpot_s)
    inverses: list[tuple[Real, Real]] = [(np.divide(1.0, capacity), 0.0)]
    for memory_share, prefill_share, compute_share in pieces:
        inverse_room = np.divide(1.0, np.fmax(tpot_s - memory_share * weight_s, 0.0))
        own_s = memory_share * sequence_s + compute_share * compute_s
        inverses.append((own_s * inverse_room, prefill_share * prefill_s / chunked.chunk_utilisation * inverse_room))
    for inverse_start, inverse_slope in inverses:
        missed = 1.0 / np.isfinite(inverse_start) - 1.0  # 0, or inf where no batch will do
        for memory_share, prefill_share, compute_share in pieces:
            own_s = memory_share * sequence_s + compute_share * compute_s
            slope = memory_share * weight_s * inverse_slope + prefill_share * prefill_s
            yield memory_share * weight_s * inverse_start + own_s, np.fmax(slope, missed)


def tightest_tpot_s(chunked: Chunked, *, input_per_output: Real, batch: Real) -> Real:
    """Tightest TPOT bound that a batch meets, seconds: the inverse of `chunked_batch`. inf where TTFT is out of reach.

    Source: derived, the pieces of `chunked_batch` at a batch.
    """
    step, coupled = chunked.step, is_on(chunked.service_share)
    memory_s = memory_s_per_sequence(step, batch=batch, chunk_tokens_per_sequence=_chunk_tokens(chunked, input_per_output))
    prefill_s = _prefill_s_per_sequence(chunked, input_per_output)
    bound_s: Real = 0.0
    for memory_share, prefill_share, compute_share in _mixed_pieces(chunked):
        own_s = memory_share * memory_s + compute_share * step.compute_s
        bound_s = np.maximum(bound_s, own_s + prefill_share * prefill_s)
        if coupled:
            left_share = np.maximum(1.0 - prefill_share * chunked.service_share, 0.0)
            with np.errstate(divide="ignore"):
                bound_s = np.maximum(bound_s, own_s / left_share)
    return bound_s * (batch / step.tokens)


def coupled_tpot_s(chunked: Chunked, *, input_per_output: Real) -> Real:
    """Tightest TPOT bound at which one sequence leaves a coupled prompt its share, seconds; inf if there is none.

    Source: derived, the coupling of `chunked_batch` at one sequence.
    """
    bound_s: Real = 0.0
    for own_s, prefill_share in _alone_s(chunked, input_per_output):
        left_share = np.maximum(1.0 - prefill_share * chunked.service_share, 0.0)
        with np.errstate(divide="ignore"):
            bound_s = np.maximum(bound_s, own_s / (left_share * chunked.step.tokens))
    return bound_s


def _alone_s(chunked: Chunked, input_per_output: Real) -> list[tuple[Real, Real]]:
    """Pieces of the step of one sequence beside a prompt: its own time, and the share of prefill time in the piece."""
    step = chunked.step
    memory_s = memory_s_per_sequence(step, batch=1.0, chunk_tokens_per_sequence=_chunk_tokens(chunked, input_per_output))
    return [
        (memory_share * memory_s + compute_share * step.compute_s, prefill_share)
        for memory_share, prefill_share, compute_share in _mixed_pieces(chunked)
    ]


def _prefill_s_per_sequence(chunked: Chunked, input_per_output: Real) -> Real:
    """Prefill time that each decoding sequence adds to a step, at the chunk utilisation."""
    return input_per_output * (chunked.prefill_s_per_input_token * chunked.step.tokens / chunked.chunk_utilisation)


def _chunk_tokens(chunked: Chunked, input_per_output: Real) -> Real:
    """Prompt tokens that pass beside each decoding sequence in a step; they matter to the experts touched only."""
    if not is_on(chunked.step.expert_s):
        return 0.0
    return input_per_output * (chunked.computed_share * chunked.step.tokens)


def mixed_pieces(overlap: Real, drafts: Real) -> tuple[tuple[Real, Real, Real], ...]:
    """Weights of (memory, prefill, decode compute) in the linear pieces whose largest is the mixed step.

    (1-o) (max(M, K) + P) + o max(M, P + K) + d M, with decode compute K and drafts d, is the largest of four sums.
    Arguments are shares and broadcast; compiled too. Source: derived.
    """
    return (
        (1.0 + drafts, 1.0 - overlap, 0.0),
        (1.0 - overlap + drafts, 1.0, overlap),
        (drafts, 1.0, 1.0),
        (overlap + drafts, 1.0 - overlap, 1.0 - overlap),
    )


def _mixed_pieces(chunked: Chunked) -> list[tuple[Real, Real, Real]]:
    """The pieces of a mixed step but those that cannot be the largest."""
    overlaps, computes = is_on(chunked.overlap), is_on(chunked.step.compute_s)
    needed = (True, overlaps, computes, overlaps and computes)
    return list(compress(mixed_pieces(chunked.overlap, chunked.step.draft_ratio), needed))
