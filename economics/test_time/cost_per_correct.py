"""Cost-correct, the common unit: what a correct answer costs.

The published form and the corrected one are separate functions with separate names, so that their figures cannot be
mixed. The published form prices a million accepted answer tokens. The corrected form pays for the verifier and divides by
the answers that are accepted *and* correct.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from economics.test_time import verifier as verification
from economics.units import (
    TOKENS_PER_MTOK,
    Real,
    require_fraction,
    require_non_negative,
    require_positive,
    require_share,
)


def cost_correct_published_usd_per_mtok(
    *, price_usd_per_mtok: Real, reasoning_multiplier: Real, extra_rollouts: Real, accept_rate: Real
) -> Real:
    """Cost-correct as published: cpm R (1 + rho) / alpha, $ per million accepted answer tokens.

    Arguments broadcast; blended price in $ per M tokens, billed output tokens per answer token (1 or above), mean extra
    rollouts per answer, share of *questions* the verifier accepts an answer to. With a share per sample the retries
    would be counted twice. Returns inf where nothing is accepted.
    Source: formula C1.
    """
    require_non_negative(price_usd_per_mtok=price_usd_per_mtok, extra_rollouts=extra_rollouts)
    _require_multiplier(reasoning_multiplier)
    require_share(accept_rate=accept_rate)
    return _per(price_usd_per_mtok * reasoning_multiplier * (1.0 + extra_rollouts), accept_rate)


def verified_capability_mtok_per_usd(*, price_usd_per_mtok: Real) -> Real:
    """VCpD at a fixed quality bin: M tokens of that quality a dollar buys; Cost-correct at R = 1, rho = 0, alpha = 1.

    $ per M tokens in, M tokens per $ out; inf where the price is 0.
    Source: formula C2.
    """
    cost = cost_correct_published_usd_per_mtok(
        price_usd_per_mtok=price_usd_per_mtok, reasoning_multiplier=1.0, extra_rollouts=0.0, accept_rate=1.0
    )
    return _per(1.0, cost)


def cost_per_accepted_answer_usd(
    *,
    price_usd_per_mtok: Real,
    reasoning_multiplier: Real,
    answer_tokens: Real,
    extra_rollouts: Real,
    accept_rate: Real,
) -> Real:
    """The published form in $ per accepted answer: times answer tokens / 1e6. An accepted answer may be wrong.

    Arguments broadcast, as in `cost_correct_published_usd_per_mtok`; answer_tokens are those of the final answer.
    Source: formula C3 (derived).
    """
    require_positive(answer_tokens=answer_tokens)
    return (
        cost_correct_published_usd_per_mtok(
            price_usd_per_mtok=price_usd_per_mtok,
            reasoning_multiplier=reasoning_multiplier,
            extra_rollouts=extra_rollouts,
            accept_rate=accept_rate,
        )
        * answer_tokens
        / TOKENS_PER_MTOK
    )


def rollout_usd(
    *, price_usd_per_mtok: Real, reasoning_multiplier: Real, answer_tokens: Real, verifier_usd_per_rollout: Real = 0.0
) -> Real:
    """What one rollout costs with its verification: cpm R n_answer / 1e6 + c_v, $.

    Arguments broadcast. Source: formula C4 (derived).
    """
    require_non_negative(price_usd_per_mtok=price_usd_per_mtok, verifier_usd_per_rollout=verifier_usd_per_rollout)
    require_positive(answer_tokens=answer_tokens)
    _require_multiplier(reasoning_multiplier)
    return price_usd_per_mtok * reasoning_multiplier * answer_tokens / TOKENS_PER_MTOK + verifier_usd_per_rollout


def cost_per_correct_answer_usd(
    *,
    price_usd_per_mtok: Real,
    reasoning_multiplier: Real,
    answer_tokens: Real,
    verifier_usd_per_rollout: Real,
    extra_rollouts: Real,
    accept_rate: Real,
    precision: Real,
) -> Real:
    """$ per correct answer: (cpm R n_answer / 1e6 + c_v)(1 + rho) / (alpha pi).

    Arguments broadcast; `precision` is the share of accepted answers that are correct, so alpha pi is the share of
    questions with an accepted and correct answer. Returns inf where that share is 0.
    Source: formula C4 (derived).
    """
    require_non_negative(extra_rollouts=extra_rollouts)
    require_share(accept_rate=accept_rate, precision=precision)
    each = rollout_usd(
        price_usd_per_mtok=price_usd_per_mtok,
        reasoning_multiplier=reasoning_multiplier,
        answer_tokens=answer_tokens,
        verifier_usd_per_rollout=verifier_usd_per_rollout,
    )
    return _per(each * (1.0 + extra_rollouts), accept_rate * precision)


def cost_per_correct_from_bill_usd(*, bill_usd: Real, questions: Real, correct_rate: Real) -> Real:
    """$ per correct answer of a measured run: bill / (questions x share answered correctly).

    Arguments broadcast; $ of the whole run (0 is not a price: a run without one is not known), count, share of questions
    with a correct answer, which is alpha pi. Returns inf where none is correct. A limit of the share gives the limit of
    the cost. Source: formula C4, from totals (derived).
    """
    require_positive(bill_usd=bill_usd, questions=questions)
    require_share(correct_rate=correct_rate)
    return _per(np.divide(bill_usd, questions), correct_rate)


@dataclass(frozen=True, kw_only=True, eq=False)
class CostElasticities:
    """d ln cost / d ln symbol of the corrected cost: the percent it moves when the symbol moves one percent."""

    price: Real
    reasoning_multiplier: Real
    verifier_usd_per_rollout: Real
    rollouts: Real
    """In N = 1 + rho; in rho itself it is rho / (1 + rho)."""
    accept_rate: Real
    precision: Real


def cost_elasticities(*, tokens_usd_per_rollout: Real, verifier_usd_per_rollout: Real = 0.0) -> CostElasticities:
    """Elasticities of the corrected cost; with a free verifier those of the published form, +1 and -1.

    $ per rollout for tokens and for the verifier, which broadcast. Tokens and verifier share one elasticity of 1.
    Source: formula C5 (derived).
    """
    require_positive(tokens_usd_per_rollout=tokens_usd_per_rollout)
    require_non_negative(verifier_usd_per_rollout=verifier_usd_per_rollout)
    tokens = tokens_usd_per_rollout / (tokens_usd_per_rollout + verifier_usd_per_rollout)
    return CostElasticities(
        price=tokens,
        reasoning_multiplier=tokens,
        verifier_usd_per_rollout=1.0 - tokens,
        rollouts=1.0,
        accept_rate=-1.0,
        precision=-1.0,
    )


def worth_of_accept_points(*, accept_rate: Real, points: Real = 0.01) -> Real:
    """How much more `points` added to alpha save than a price cut of the same number: 1 / (alpha + points).

    Both are shares: 0.01 is one percentage point of alpha and one percent of the price. Exact, not a derivative.
    Source: formula C5 (derived).
    """
    require_positive(points=points)
    require_share(accept_rate=accept_rate)
    require_fraction(raised_accept_rate=np.asarray(accept_rate) + points)
    return 1.0 / (accept_rate + points)


def accept_rate_of_worth(*, worth: Real, points: Real = 0.01) -> Real:
    """The alpha at which `points` of it are worth `worth` times the same cut of the price: 1 / worth - points.

    Arguments broadcast. Negative where no alpha gives so much. Source: formula C5, inverted.
    """
    require_positive(worth=worth, points=points)
    return 1.0 / worth - points


def saving_of_accept_points_usd(*, cost_usd: Real, accept_rate: Real, points: Real = 0.01) -> Real:
    """$ per answer saved by adding `points` to alpha: C points / (alpha + points).

    Arguments broadcast; the cost may be the published or the corrected one, both fall as 1 / alpha.
    Source: formula C5 (derived).
    """
    require_non_negative(cost_usd=cost_usd)
    return cost_usd * points * worth_of_accept_points(accept_rate=accept_rate, points=points)


@dataclass(frozen=True, kw_only=True, eq=False)
class VerifierLeniency:
    """One verifier seen by the published and by the corrected cost, both for a million answer tokens, one rollout."""

    accept_rate: Real
    precision: Real
    published_usd_per_accepted_mtok: Real
    corrected_usd_per_correct_mtok: Real


def verifier_leniency(
    *,
    price_usd_per_mtok: Real,
    reasoning_multiplier: Real,
    base_correct_rate: Real,
    true_positive_rate: Real,
    false_positive_rate: Real,
) -> VerifierLeniency:
    """How accepting wrong answers flatters the published cost: it falls with f, the corrected one does not move.

    Arguments broadcast; one rollout a question and a free verifier, so that nothing but leniency differs.
    Source: formula C6 (derived: alpha pi = q t).
    """
    accepted = verification.accept_rate(
        base_correct_rate=base_correct_rate,
        true_positive_rate=true_positive_rate,
        false_positive_rate=false_positive_rate,
    )
    published = cost_correct_published_usd_per_mtok(
        price_usd_per_mtok=price_usd_per_mtok,
        reasoning_multiplier=reasoning_multiplier,
        extra_rollouts=0.0,
        accept_rate=accepted,
    )
    return VerifierLeniency(
        accept_rate=accepted,
        precision=verification.precision(
            base_correct_rate=base_correct_rate,
            true_positive_rate=true_positive_rate,
            false_positive_rate=false_positive_rate,
        ),
        published_usd_per_accepted_mtok=published,
        corrected_usd_per_correct_mtok=_per(price_usd_per_mtok * reasoning_multiplier, base_correct_rate * true_positive_rate),
    )


def _require_multiplier(reasoning_multiplier: Real) -> None:
    if not np.all(np.greater_equal(reasoning_multiplier, 1.0)) or not np.all(np.isfinite(reasoning_multiplier)):
        raise ValueError(f"reasoning_multiplier must be 1 or above and finite, got {reasoning_multiplier}")


def _per(cost: Real, share: Real) -> Real:
    """Cost over share, inf where the share is 0: what cannot be had never wins."""
    top: NDArray[np.float64] = np.asarray(cost, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = top / np.asarray(share, dtype=np.float64)
    return np.where(np.equal(share, 0.0), np.inf, ratio)[()]
