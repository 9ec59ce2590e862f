"""What users see of a serving engine under load: TTFT, TPOT and output rate, from the passes of `engine_time`.

A closed loop keeps a fixed number of requests in flight; arrivals come on their own clock. Prefill and decode share the GPUs
of an instance, or have pools of their own. Arrays broadcast. Seconds, tokens, requests per second.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from economics.serving.engine_time import Instance, decode_s, fixed_s, prefill_s
from economics.serving.queueing import wait_s
from economics.units import Real

BISECTIONS = 40
"""Halvings of the bracket of a batch: 1e-12 of it."""
PREFILL_BATCH_TOKENS = 8192.0
"""Prompt tokens that a busy prefill worker takes at once."""
START_SHARE = 0.9
"""The p99 of TTFT lies at this share of the opening burst where ten requests are sent for each client, as is usual."""

BUSIEST = 0.8
"""Utilisation that waits are read at beyond it: capacity is known to a fifth, and systems that keep a contract stay below."""
OVERLOADED, OVERLOAD = 3.0, 0.98
"""Arrivals over capacity beyond which a queue grows in any case, and the utilisation it is read at: it has no steady state."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """What a request asks for, and what spares work."""

    input_tokens: Real
    output_tokens: Real
    cached_share: Real = 0.0
    """Share of the prompt that is found in the prefix cache."""
    tokens_per_step: Real = 1.0
    """Tokens of a sequence that a decode step keeps."""
    tokens_each: Real = 1.0
    """Tokens of a sequence that a step verifies: its drafts and one more."""
    draft_share: Real = 0.0
    """What drafting them takes, as a share of a plain step."""
    first_token_steps: Real = 1.0
    """w: decode steps that a first token waits."""

    @property
    def context_tokens(self) -> Real:
        """c: mean length of a running sequence."""
        return self.input_tokens + self.output_tokens / 2.0


@dataclass(frozen=True, eq=False)
class Served:
    """What users see of one system."""

    ttft_p50_s: Real
    ttft_p99_s: Real
    tpot_p50_s: Real
    output_tokens_per_s: Real
    """Of the whole system."""
    running: Real
    """Sequences that decode at once on one instance."""
    fixed_share: Real
    """Share of a decode step that is fixed per layer: how far an error of alpha moves TPOT."""


def token_s(instance: Instance, work: Work, *, running: Real) -> Real:
    """Time per output token of a step without prompts; with drafts a step keeps several tokens and costs their drafting.

    Source: formula S18 (TPOT).
    """
    plain_s = decode_s(instance, sequences=running, context_tokens=work.context_tokens)
    if np.all(np.equal(work.tokens_each, 1.0)):
        return plain_s / work.tokens_per_step
    step_s = decode_s(instance, sequences=running, context_tokens=work.context_tokens, tokens_each=work.tokens_each)
    return (step_s + work.draft_share * plain_s) / work.tokens_per_step


def mixed_step_s(instance: Instance, work: Work, *, running: Real, joining: Real) -> Real:
    """Time per output token while `running` sequences decode and `joining` prompts a token join them.

    Source: formula S18 (TPOT).
    """
    prompts_s = _prompts_s(instance, work, prompts=np.maximum(joining, 1.0))
    return token_s(instance, work, running=running) + np.minimum(joining, 1.0) * prompts_s


def closed_loop(instance: Instance, work: Work, *, concurrency: Real, running_most: Real, instances: Real = 1.0) -> Served:
    """`concurrency` requests in flight over equal `instances` that prefill and decode.

    As each answer ends the next prompt joins: (B-1)/o prompts a token. Requests beyond `running_most` of an instance wait.
    Source: formula S18 (TPOT, TTFT at low load, closed loop).
    """
    each = np.maximum(concurrency / instances, 1.0)
    running = np.maximum(np.minimum(each, running_most), np.minimum(each, 1.0))
    tpot_s = mixed_step_s(instance, work, running=running, joining=(running - 1.0) / work.output_tokens)
    first_s = _first_token_s(instance, work, tpot_s=tpot_s)
    request_s = first_s + work.output_tokens * tpot_s
    active = np.minimum(concurrency / instances, running)
    waiting_s = np.maximum(each / running - 1.0, 0.0) * request_s
    burst_s = _prompts_s(instance, work, prompts=np.maximum(START_SHARE * each, 1.0))
    return Served(
        ttft_p50_s=first_s + waiting_s,
        ttft_p99_s=np.maximum(instance.constants.first_token_s + burst_s, first_s) + waiting_s,
        tpot_p50_s=tpot_s,
        output_tokens_per_s=instances * active * work.output_tokens / request_s,
        running=running,
        fixed_share=_fixed_share(instance, work, tpot_s),
    )


def arrivals(instance: Instance, work: Work, *, requests_per_s: Real, running_most: Real, instances: Real = 1.0) -> Served:
    """Requests that come on their own clock; what comes beyond capacity is not served.

    The batch is the one at which as many answers end as prompts come: B = lambda o TPOT(B).
    Source: formula S18 (arrivals).
    """
    rate = requests_per_s / instances
    most = np.maximum(running_most, 1.0)

    def step_s(running: Real) -> Real:
        return mixed_step_s(instance, work, running=np.maximum(running, 1.0), joining=running / work.output_tokens)

    running = _balance(lambda batch: batch / (work.output_tokens * step_s(batch)) - rate, most=most)
    tpot_s = step_s(running)
    first_s = _first_token_s(instance, work, tpot_s=tpot_s)
    served = np.minimum(rate, running / (work.output_tokens * tpot_s))

    def late_s(percentile: float) -> Real:
        return first_s + _arrivals_wait_s(
            instance, work, rate=rate, served=served, running=running, most=most, percentile=percentile
        )

    return Served(
        ttft_p50_s=late_s(0.5),
        ttft_p99_s=late_s(0.99),
        tpot_p50_s=tpot_s,
        output_tokens_per_s=instances * served * work.output_tokens,
        running=running,
        fixed_share=_fixed_share(instance, work, tpot_s),
    )


def disaggregated(
    prefill: Instance,
    decode: Instance,
    work: Work,
    *,
    concurrency: Real,
    running_most: Real,
    prefill_workers: Real,
    decode_workers: Real,
) -> Served:
    """A closed loop over a pool of prefill workers and a pool of decode workers.

    Where both pools are in balance, as many prompts leave prefill as answers end: n_d B/(o T_dec(B)) =
    min(n_p/T_pre, (C - n_d B)/(t0 + T_pre)). What is not decoding waits for its first token (Little's law). Infinitely many
    prefill workers leave the decode pool alone: every request in flight decodes.
    Source: derived from formula S18.
    """
    at_once = np.maximum(PREFILL_BATCH_TOKENS / work.input_tokens, 1.0)
    busy_s = _prompts_s(prefill, work, prompts=at_once) / at_once
    alone_s = prefill.constants.first_token_s + _prompts_s(prefill, work, prompts=1.0)
    alone_s = np.where(np.isfinite(prefill_workers), alone_s, 1e-9)
    most = np.maximum(np.minimum(running_most, concurrency / decode_workers), 1e-9)

    def step_s(batch: Real) -> Real:
        return token_s(decode, work, running=np.maximum(batch, 1.0))

    def excess(batch: Real) -> Real:
        decoded = decode_workers * batch / (work.output_tokens * step_s(batch))
        prefilled = np.minimum(prefill_workers / busy_s, (concurrency - decode_workers * batch) / alone_s)
        return decoded - prefilled

    running = _balance(excess, most=most)
    tpot_s = step_s(running)
    rate = decode_workers * running / (work.output_tokens * tpot_s)
    first_s = np.maximum((concurrency - decode_workers * running) / rate, alone_s) + (work.first_token_steps - 1.0) * tpot_s
    burst_s = _prompts_s(prefill, work, prompts=np.maximum(START_SHARE * concurrency / prefill_workers, 1.0))
    return Served(
        ttft_p50_s=first_s,
        ttft_p99_s=np.maximum(first_s, burst_s),
        tpot_p50_s=tpot_s,
        output_tokens_per_s=rate * work.output_tokens,
        running=running,
        fixed_share=_fixed_share(decode, work, tpot_s),
    )


def _prompts_s(instance: Instance, work: Work, *, prompts: Real) -> Real:
    return prefill_s(instance, prompts=prompts, input_tokens=work.input_tokens, cached_share=work.cached_share)


def _arrivals_wait_s(
    instance: Instance, work: Work, *, rate: Real, served: Real, running: Real, most: Real, percentile: float
) -> Real:
    """What arrivals wait at the percentile: for prompts before theirs, and for a place among the sequences that run.

    A busy instance computes prompts together, so that it is less busy than prompts one by one would make it; a prompt that
    finds another waits for whole passes. Source: formula S18 (arrivals), held against the simulation of S14.
    """
    at_once = np.maximum(PREFILL_BATCH_TOKENS / work.input_tokens, 1.0)
    step_s = token_s(instance, work, running=np.maximum(running, 1.0))
    together_s = (_prompts_s(instance, work, prompts=at_once) + step_s) / at_once
    alone_s = np.maximum(_prompts_s(instance, work, prompts=1.0) + step_s, together_s)
    busiest = np.where(rate > OVERLOADED * served, OVERLOAD, BUSIEST)
    busy, places = (np.where(rate > OVERLOADED * served, OVERLOAD, share) for share in (served * together_s, running / most))
    before_s = wait_s(service_s=alone_s, servers=1.0, utilisation=np.minimum(busy, busiest), percentile=percentile)
    places_s = wait_s(
        service_s=running / served,
        servers=most,
        utilisation=np.minimum(places, busiest),
        percentile=percentile,
    )
    return before_s + places_s


def _first_token_s(instance: Instance, work: Work, *, tpot_s: Real) -> Real:
    return instance.constants.first_token_s + work.first_token_steps * tpot_s + _prompts_s(instance, work, prompts=1.0)


def _fixed_share(instance: Instance, work: Work, tpot_s: Real) -> Real:
    return np.minimum(fixed_s(instance) / work.tokens_per_step / tpot_s, 1.0)


def _balance(excess: Callable[[Real], Real], *, most: Real) -> Real:
    """The batch between 0 and `most` at which a rising `excess` is 0; `most` where it stays below."""
    low, high = np.zeros_like(np.asarray(most, dtype=np.float64)), np.asarray(most, dtype=np.float64)
    full = np.less_equal(excess(high), 0.0)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        above = np.greater(excess(middle), 0.0)
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.where(full, most, 0.5 * (low + high))
