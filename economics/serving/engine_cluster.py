"""Replicas of real engines for the simulation: the passes of `engine_time` as curves over what is in a step."""

from dataclasses import dataclass

import numpy as np

from economics.serving.engine_load import PREFILL_BATCH_TOKENS, Work, token_s
from economics.serving.engine_time import Instance, pass_s, prompt_attention_s
from economics.serving.simulation import Cluster
from economics.serving.step_curves import Curve, through
from economics.units import Real, require_positive

MOST_KNOTS = 4096
"""Knots of a decode curve: every batch where a scheduler runs no more sequences."""
PROMPT_KNOT_TOKENS, PROMPT_KNOTS = 64, 512
"""Knots of a pass: up to 32,768 tokens, from where it is a straight line."""
ATTENTION_KNOT_TOKENS, ATTENTION_KNOTS = 256, 1024
"""Knots of the attention of a prompt: up to 262,144 tokens."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Replicas:
    """One engine many times over, and its load in the mean."""

    instance: Instance
    """All numbers, or arrays of one."""
    count: int
    most_sequences: int
    """Of one instance."""
    work: Work
    """Its mean context, what the prefix cache holds of a prompt, and drafts."""
    paced: float = 1.0
    """Factor on every pass: what measured runs say beside the closed form."""

    def __post_init__(self) -> None:
        require_positive(count=self.count, most_sequences=self.most_sequences, paced=self.paced)


def colocated_cluster(replicas: Replicas, *, chunked: bool, first_token_s: float) -> Cluster:
    """Replicas that prefill and decode: prompts ride along in steps of 8,192 tokens, or are computed before decode goes on.

    Source: formulas S17 and S14.
    """
    tokens = int(PREFILL_BATCH_TOKENS)
    return Cluster(
        architecture="chunked" if chunked else "unchunked",
        replicas=replicas.count,
        decode_s=decode_curve(replicas),
        prompt_s=prompt_curve(replicas),
        attention_s=attention_curve(replicas),
        max_sequences=replicas.most_sequences,
        step_tokens=max(tokens, 2 * replicas.most_sequences) if chunked else None,
        prompt_batch_tokens=0 if chunked else tokens,
        first_token_s=first_token_s,
    )


def disaggregated_cluster(
    prefill: Replicas, decode: Replicas, *, first_token_s: float, transfer_s_per_token: float = 0.0
) -> Cluster:
    """A prefill pool and a decode pool, each of its own instances. Source: formulas S17 and S14."""
    return Cluster(
        architecture="disaggregated",
        replicas=decode.count,
        prefill_replicas=prefill.count,
        decode_s=decode_curve(decode),
        prompt_s=prompt_curve(prefill),
        attention_s=attention_curve(prefill),
        max_sequences=decode.most_sequences,
        prompt_batch_tokens=int(PREFILL_BATCH_TOKENS),
        transfer_s_per_token=transfer_s_per_token,
        first_token_s=first_token_s,
    )


def decode_curve(replicas: Replicas) -> Curve:
    """Time per token of a decode step, by its sequences."""
    every = int(np.ceil(replicas.most_sequences / MOST_KNOTS))
    batch = np.arange(0, replicas.most_sequences + every + 1, every, dtype=np.float64)
    return _curve(replicas, token_s(replicas.instance, replicas.work, running=batch), every=every)


def prompt_curve(replicas: Replicas) -> Curve:
    """A pass over prompts by their tokens, cached ones included, without their attention."""
    tokens = PROMPT_KNOT_TOKENS * np.arange(PROMPT_KNOTS + 1, dtype=np.float64)
    computed = tokens * (1.0 - replicas.work.cached_share)
    return _curve(replicas, pass_s(replicas.instance, tokens=computed), every=PROMPT_KNOT_TOKENS)


def attention_curve(replicas: Replicas) -> Curve:
    """Attention of the first tokens of a prompt, in all, by their number."""
    tokens = ATTENTION_KNOT_TOKENS * np.arange(ATTENTION_KNOTS + 1, dtype=np.float64)
    seconds = prompt_attention_s(replicas.instance, input_tokens=tokens, cached_share=replicas.work.cached_share)
    return _curve(replicas, seconds, every=ATTENTION_KNOT_TOKENS)


def _curve(replicas: Replicas, seconds: Real, *, every: int) -> Curve:
    return through(replicas.paced * np.atleast_1d(seconds), every=every)
