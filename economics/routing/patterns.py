"""Five patterns of conditional compute as (kappa, Delta, gamma): one adapter each.

Cost is counted in the unit the pattern saves: passes of the target model, layers, dollars, samples.
"""

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded when first used
from numpy.typing import NDArray

from economics.routing.premium import RoutingTerms, terms_from_saving
from economics.units import Array, Real, require_fraction, require_non_negative, require_positive, require_share

# Speculative decoding


def expected_tokens(*, acceptance: Real, draft_length: Real, decay: Real = 1.0) -> Array:
    """Tokens per target pass, the free one included: E = sum of a^j d^(j(j-1)/2) for j = 0..k.

    Arguments broadcast; probability that a drafted token is accepted after those before it, whole tokens drafted, factor
    by which acceptance falls with each position (1: as for independent acceptances, (1 - a^(k+1)) / (1 - a)).
    Source: Leviathan et al. 2211.17192 (expected tokens); the decay is derived.
    """
    require_share(acceptance=acceptance, decay=decay)
    require_non_negative(draft_length=draft_length)
    if np.any(np.not_equal(np.floor(draft_length), draft_length)):
        raise ValueError("draft_length must be whole tokens")
    a, k, d = (np.asarray(v, dtype=np.float64)[..., None] for v in np.broadcast_arrays(acceptance, draft_length, decay))
    j = np.arange(int(np.max(draft_length, initial=0)) + 1.0)
    reached = np.power(a, j) * np.power(d, j * (j - 1.0) / 2.0)
    tokens: Array = np.where(j <= k, reached, 0.0).sum(axis=-1)
    return tokens


def lockstep_acceptance(*, acceptance: Real, batch: Real) -> Real:
    """Chance that all sequences of a batch accept a token, when they must advance together: a^B.

    Arguments broadcast. Source: Qian et al. (BASS, 2404.15778).
    """
    require_share(acceptance=acceptance)
    require_positive(batch=batch)
    return np.power(acceptance, batch)


def verification_saturation(*, batch: Real, draft_length: Real, saturation_batch: Real) -> Real:
    """v(B, k): time of a pass that verifies k + 1 tokens a sequence over one that decodes 1; 1 while memory binds.

    Arguments broadcast; sequences, tokens, and the batch of single tokens at which compute takes as long as the memory
    reads. v = max(1, B (k+1) / B_sat) / max(1, B / B_sat), which ends at k + 1.
    Source: derived (roofline of a decode step; formula L11).
    """
    require_positive(batch=batch, saturation_batch=saturation_batch)
    require_non_negative(draft_length=draft_length)
    load = np.divide(batch, saturation_batch)
    time: Array = np.maximum(1.0, load * np.add(draft_length, 1.0)) / np.maximum(1.0, load)
    return time


def speculative_decoding(
    *, acceptance: Real, draft_length: Real, draft_cost_ratio: Real, saturation: Real = 1.0, decay: Real = 1.0
) -> RoutingTerms:
    """Speculative decoding against one target pass per token: kappa Delta = 1 - 1/E, gamma = (k c + v - 1) / E.

    Arguments broadcast; `draft_cost_ratio` is one draft pass over one target pass. Delta = k / (k + 1) is what a draft
    that is always accepted saves, kappa the share of it realised. The controller is the draft, and the part of the
    verification that is no longer free. The premium is 1 - (v + k c) / E, one over the speed-up being the rest.
    Source: formula R5; Leviathan et al. 2211.17192 (speed-up).
    """
    require_non_negative(draft_cost_ratio=draft_cost_ratio)
    require_positive(draft_length=draft_length)
    if not np.all(np.greater_equal(saturation, 1.0)):
        raise ValueError(f"saturation must be 1 or above, got {saturation}")
    tokens = expected_tokens(acceptance=acceptance, draft_length=draft_length, decay=decay)
    delta = np.divide(draft_length, np.add(draft_length, 1.0))
    overhead = np.multiply(draft_length, draft_cost_ratio) + saturation - 1.0
    return RoutingTerms(kappa=((1.0 - 1.0 / tokens) / delta)[()], delta=delta, gamma=(overhead / tokens)[()])


def implied_draft_cost_ratio(*, acceptance: Real, draft_length: Real, speedup: Real) -> Array:
    """The c at which the formula gives a reported speed-up: (E / speed-up - 1) / k.

    Arguments broadcast. Negative where the report is faster than a free draft would be: acceptances that are not
    independent, or a baseline that is not one target pass per token. Such a row does not measure c.
    Source: Leviathan et al. 2211.17192 (speed-up), solved for c.
    """
    require_positive(draft_length=draft_length, speedup=speedup)
    tokens = expected_tokens(acceptance=acceptance, draft_length=draft_length)
    return (tokens / speedup - 1.0) / draft_length


# Early exit


def deepest_exit(*, exit_shares: Array, batch: Real) -> Array:
    """Mean number of layers run when a batch of B tokens leaves together, at the deepest exit among them.

    `exit_shares` is (..., layers): share of tokens that leave after layer 1, 2, ...; it sums to 1. `batch` broadcasts
    with what is in front. B = 1 is the mean exit. Source: derived: sum over layers of 1 - F(l - 1)^B.
    """
    shares = _shares(exit_shares=exit_shares)
    require_positive(batch=batch)
    left_before = np.cumsum(shares, axis=-1) - shares
    still_in = 1.0 - np.power(np.clip(left_before, 0.0, 1.0), np.asarray(batch, dtype=np.float64)[..., None])
    layers: Array = still_in.sum(axis=-1)
    return layers


def early_exit(*, exit_shares: Array, needed_shares: Array, check_cost_ratio: Real, batch: Real = 1.0) -> RoutingTerms:
    """Early exit against running every layer: what is saved when tokens of a batch leave at the deepest exit chosen.

    `exit_shares` and `needed_shares` are (..., layers): share of tokens that leave after each layer, and share for which
    that layer already gives the final answer. `check_cost_ratio` is one confidence check over one layer, `batch` the
    tokens that leave together. Delta is the saving when each token runs the layers it needs and no more; kappa the part
    realised, which a batch erodes; every layer that is run is checked.
    Source: formula R6; the batch effect as stated there.
    """
    require_non_negative(check_cost_ratio=check_cost_ratio)
    needed = _shares(needed_shares=needed_shares)
    layers = np.shape(needed)[-1]
    run = deepest_exit(exit_shares=exit_shares, batch=batch)
    delta = 1.0 - deepest_exit(exit_shares=needed, batch=1.0) / layers
    gamma = np.multiply(check_cost_ratio, run) / layers
    return terms_from_saving(saving=1.0 - run / layers, delta=delta, gamma=gamma)


# Cascades


def cascade(
    *,
    costs: Array,
    accept_shares: Array,
    needed_shares: Array,
    unconditional_cost: Real,
    controller_cost: Real = 0.0,
) -> RoutingTerms:
    """A cascade that asks cheap models first and passes on what a scorer rejects, against one model for all.

    `costs`, `accept_shares` and `needed_shares` are (..., stages): cost of a call, share of the queries *that reach the
    stage* whose answer is kept (the last stage keeps all), and share of all queries for which that model is the
    cheapest that answers as well as the unconditional policy. `controller_cost` is one scoring; the last stage is not
    scored. Delta belongs to an oracle that asks the needed model at once.
    Source: formula R7; Chen et al. 2305.05176 (pattern).
    """
    require_non_negative(costs=costs, controller_cost=controller_cost)
    require_positive(unconditional_cost=unconditional_cost)
    require_share(accept_shares=accept_shares)
    needed, kept, calls = np.broadcast_arrays(_shares(needed_shares=needed_shares), accept_shares, costs)
    if not np.all(kept[..., -1] == 1.0):
        raise ValueError("accept_shares must be 1 at the last stage, which has nothing to pass queries on to")
    passed_on = np.cumprod(1.0 - kept, axis=-1)
    reached = np.concatenate([np.ones_like(passed_on[..., :1]), passed_on[..., :-1]], axis=-1)
    spent = (reached * calls).sum(axis=-1)
    scored = np.multiply(controller_cost, reached[..., :-1].sum(axis=-1))
    return terms_from_saving(
        saving=1.0 - spent / unconditional_cost,
        delta=1.0 - (needed * calls).sum(axis=-1) / unconditional_cost,
        gamma=scored / unconditional_cost,
    )


# Adaptive self-consistency


def majority_confidence(*, first_votes: Real, second_votes: Real) -> Real:
    """Chance that the leading answer is the more frequent of the two leading ones, given their votes.

    Arguments broadcast; counts. Source: Aggarwal et al. 2305.11860, the Beta stopping rule: P(p > 1/2) under
    Beta(v1 + 1, v2 + 1).
    """
    require_non_negative(first_votes=first_votes, second_votes=second_votes)
    return np.asarray(scipy.special.betainc(np.add(second_votes, 1.0), np.add(first_votes, 1.0), 0.5), dtype=np.float64)[()]


@dataclass(frozen=True, kw_only=True, eq=False)
class Voting:
    """A replay of voting with early stopping; one entry per question."""

    samples_used: NDArray[np.int64]
    answer: NDArray[np.int64]
    """The majority among the samples used; the answer seen first among equals."""
    full_answer: NDArray[np.int64]
    """The majority among all samples."""
    samples_needed: NDArray[np.int64]
    """Fewest samples from which on the leader is the full majority and stays it: when an oracle would stop."""


def replay_voting(*, answers: NDArray[np.int64], confidence: float = 0.95) -> Voting:
    """Vote on stored samples, and stop each question when its majority is confident enough.

    `answers` is (questions, samples), answers as small whole numbers from 0, in the order they were drawn.
    Source: Aggarwal et al. 2305.11860.
    """
    require_fraction(confidence=confidence)
    drawn = np.asarray(answers, dtype=np.int64)
    if drawn.ndim != 2 or drawn.size == 0 or drawn.min() < 0:
        raise ValueError("answers must be (questions, samples) of whole numbers from 0")
    questions, samples = drawn.shape
    votes = np.zeros((questions, int(drawn.max()) + 2))
    rows = np.arange(questions)
    leaders = np.empty((samples, questions), dtype=np.int64)
    sure = np.empty((samples, questions), dtype=bool)
    leader = drawn[:, 0].copy()
    for sample in range(samples):
        seen = drawn[:, sample]
        votes[rows, seen] += 1.0
        # Ties stay with the leader; only the answer just seen can overtake it.
        leader = np.where(votes[rows, seen] > votes[rows, leader], seen, leader)
        leaders[sample] = leader
        first, second = np.partition(votes, -2, axis=1)[:, [-1, -2]].T
        sure[sample] = np.asarray(majority_confidence(first_votes=first, second_votes=second)) >= confidence
    sure[-1] = True
    used = np.argmax(sure, axis=0)
    differs = leaders != leaders[-1]
    needed = np.where(differs.any(axis=0), samples - np.argmax(differs[::-1], axis=0), 0)
    return Voting(samples_used=used + 1, answer=leaders[used, rows], full_answer=leaders[-1], samples_needed=needed + 1)


def adaptive_voting(*, voting: Voting, samples: int, check_cost_ratio: float = 0.0) -> RoutingTerms:
    """Adaptive self-consistency against always drawing `samples`: kappa, Delta and gamma in samples.

    `check_cost_ratio` is one stopping check over one sample; the rule is a formula, so near 0. Quality is equal only as
    far as `voting.answer` agrees with `voting.full_answer`: report their agreement beside the triple.
    Source: formula R8.
    """
    require_positive(samples=samples)
    used = float(voting.samples_used.mean())
    return terms_from_saving(
        saving=np.asarray(1.0 - used / samples),
        delta=np.asarray(1.0 - float(voting.samples_needed.mean()) / samples),
        gamma=np.asarray(check_cost_ratio * used / samples),
    )


# Complexity-aware exploration


def complexity_aware(
    *, best_compute: Array, predicted_compute: Array, curvature: Real, fixed_cost: Real, controller_cost: Real = 0.0
) -> RoutingTerms:
    """Compute chosen by predicted difficulty, against one amount for all, when cost is quadratic around each optimum.

    `best_compute` and `predicted_compute` are (..., queries): the amount best for each query and the one chosen;
    `curvature` is c'', cost per squared compute; `fixed_cost` the mean cost of a query at one amount for all.
    Delta = c'' Var(x*) / 2 over it; kappa = 1 - mean squared error / Var(x*), the R^2 of the prediction, negative when
    the prediction is worse than the mean. Source: formula R9.
    """
    require_positive(fixed_cost=fixed_cost)
    require_non_negative(curvature=curvature, controller_cost=controller_cost)
    best = np.asarray(best_compute, dtype=np.float64)
    error = np.square(best - predicted_compute).mean(axis=-1)
    spread = best.var(axis=-1)
    half = np.divide(curvature, 2.0)
    return terms_from_saving(
        saving=half * (spread - error) / fixed_cost,
        delta=half * spread / fixed_cost,
        gamma=np.divide(controller_cost, fixed_cost) + np.zeros_like(spread),
    )


def _shares(**shares: Array) -> Array:
    ((name, value),) = shares.items()
    require_share(**shares)
    array = np.asarray(value, dtype=np.float64)
    if not np.allclose(array.sum(axis=-1), 1.0):
        raise ValueError(f"{name} must sum to 1 along the last axis")
    return array
