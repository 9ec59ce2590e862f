"""The routing premium: when conditioning compute on difficulty pays.

kappa is how well difficulty is known, Delta how much an oracle would save, gamma what the controller costs; Delta and
gamma as shares of the cost of the unconditional policy. A published point is such a triple; `economics.routing.patterns`
builds triples for the five patterns and `economics.routing.judged` judges outcomes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from economics.units import Real, require_non_negative, require_positive


@dataclass(frozen=True, kw_only=True, eq=False)
class RoutingTerms:
    """An operating point; fields broadcast."""

    kappa: Real
    """Share of the oracle's saving that is realised before the controller is paid. Negative: worse than not routing.
    Above 1: the quality was not equal."""
    delta: Real
    """Saving of an oracle at equal quality, as a share of the unconditional cost."""
    gamma: Real
    """Cost of the controller, as a share of the unconditional cost."""

    def __post_init__(self) -> None:
        require_non_negative(gamma=self.gamma)
        if np.any(np.greater(self.delta, 1.0)):
            raise ValueError("delta must not exceed 1: no policy saves more than the whole cost")


def premium(terms: RoutingTerms) -> Real:
    """Share of the unconditional cost that routing saves: Pi = kappa Delta - gamma; negative where it costs more.

    Source: formula R1.
    """
    return np.multiply(terms.kappa, terms.delta) - terms.gamma


def routing_pays(terms: RoutingTerms) -> NDArray[np.bool_]:
    """Whether kappa Delta > gamma. Source: formula R1."""
    return np.asarray(np.greater(premium(terms), 0.0))


def routed_cost(terms: RoutingTerms, *, unconditional_cost: Real) -> Real:
    """Cost of the routed policy: cost_fixed (1 - Pi), in the unit of the unconditional cost.

    Source: formula R1.
    """
    require_positive(unconditional_cost=unconditional_cost)
    return np.multiply(unconditional_cost, 1.0 - premium(terms))


def safety_factor(terms: RoutingTerms) -> Real:
    """kappa Delta / gamma: how many times the saving may be overstated before routing loses; inf at no controller cost.

    NaN where there is neither saving nor cost. Source: formula R2.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(np.multiply(terms.kappa, terms.delta), terms.gamma)


@dataclass(frozen=True, kw_only=True, eq=False)
class PremiumElasticities:
    """d ln Pi / d ln symbol; infinite where the premium is 0."""

    kappa: Real
    delta: Real
    gamma: Real


def premium_elasticities(terms: RoutingTerms) -> PremiumElasticities:
    """kappa Delta / Pi in kappa and in Delta, -gamma / Pi in gamma. Source: formula R2."""
    gross = np.multiply(terms.kappa, terms.delta)
    with np.errstate(divide="ignore", invalid="ignore"):
        saved = np.divide(gross, premium(terms))
        paid = np.divide(np.negative(terms.gamma), premium(terms))
    return PremiumElasticities(kappa=saved, delta=saved, gamma=paid)


def premium_under_error(terms: RoutingTerms, *, overstatement: Real) -> Real:
    """The premium that is left when the disclosed saving kappa Delta is too high by a share: kappa Delta/(1+e) - gamma.

    Broadcasts; .25 means the disclosed saving is 1.25 times the true one. It is positive as long as the safety factor
    exceeds 1 + e; a controller cost understated by the same share gives the same verdict.
    Source: formula R3.
    """
    require_non_negative(overstatement=overstatement)
    return np.multiply(terms.kappa, terms.delta) / np.add(1.0, overstatement) - terms.gamma


def compose_with_inference_channel(terms: RoutingTerms, *, inference_cost_factor: Real) -> Real:
    """Cost after over before when routing and more test-time samples are combined: (1 - Pi) times the channel's factor.

    Holds if the routed mix leaves eta_N unchanged. Source: formula R10.
    """
    require_positive(inference_cost_factor=inference_cost_factor)
    return np.multiply(1.0 - premium(terms), inference_cost_factor)


def premium_needed(*, inference_cost_factor: Real) -> Real:
    """The premium at which routing and more samples together cost per correct answer what neither does: 1 - 1 / factor.

    Arguments broadcast. Below 0 where the samples pay by themselves: then it is the loss that routing may add.
    Source: `compose_with_inference_channel`, solved for the premium at a factor of 1 (derived).
    """
    require_positive(inference_cost_factor=inference_cost_factor)
    return np.subtract(1.0, np.divide(1.0, inference_cost_factor))


def premium_from_speedup(*, speedup: Real) -> Real:
    """Premium implied by "x times faster" (or cheaper) at equal quality: 1 - 1 / x; negative for a slowdown.

    An "up to" figure gives an upper bound. Source: formula R4.
    """
    require_positive(speedup=speedup)
    return 1.0 - np.divide(1.0, speedup)


def gross_saving(*, premium: Real, gamma: Real) -> Real:
    """kappa Delta of a point of which only premium and controller cost are published: Pi + gamma.

    Source: formula R4, solved for kappa Delta.
    """
    require_non_negative(gamma=gamma)
    return np.add(premium, gamma)


def quality_kappa(*, routed_quality: Real, random_quality: Real, oracle_quality: Real) -> Real:
    """kappa from qualities at equal strong-model share: (router - random) / (oracle - random). Below 0: worse than random.

    Arguments broadcast; shares correct. NaN where oracle and random do not differ. Source: formula R4.
    """
    gap = np.subtract(oracle_quality, random_quality)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.subtract(routed_quality, random_quality) / np.where(gap > 0.0, gap, np.nan)
    return share[()]


def terms_from_saving(*, saving: Real, delta: Real, gamma: Real) -> RoutingTerms:
    """The triple of a policy that saves a share `saving` of the unconditional cost before its controller is paid.

    Arguments broadcast. kappa = saving / Delta, so that kappa Delta - gamma is what is saved. Where an oracle saves
    nothing kappa is 0, and what the policy spends on top is overhead: it is added to gamma. kappa is NaN where a policy
    saves what an oracle cannot, which only a loss of quality explains.
    Source: formula R4.
    """
    gained, possible, paid = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (saving, delta, gamma)))
    some = possible > 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        kappa = np.where(some, gained / possible, np.where(gained > 0.0, np.nan, 0.0))
    overhead = np.where(some, 0.0, np.maximum(-gained, 0.0))
    return RoutingTerms(kappa=kappa[()], delta=np.maximum(possible, 0.0)[()], gamma=(paid + overhead)[()])


def cost_terms(*, unconditional_cost: Real, oracle_cost: Real, routed_cost: Real, controller_cost: Real) -> RoutingTerms:
    """The triple that makes the rule an identity, from costs per item of three policies of equal quality.

    Arguments broadcast; `routed_cost` is without the controller. kappa Delta - gamma is then the realised saving, in any
    sample, so the rule says nothing that was not put in: it is a rule only for another sample than its terms come from.
    The `quality_kappa` of the same policies is another number; with it the rule is not an identity.
    Source: formula R4.
    """
    require_positive(unconditional_cost=unconditional_cost)
    require_non_negative(oracle_cost=oracle_cost, routed_cost=routed_cost, controller_cost=controller_cost)
    return terms_from_saving(
        saving=1.0 - np.divide(routed_cost, unconditional_cost),
        delta=1.0 - np.divide(oracle_cost, unconditional_cost),
        gamma=np.divide(controller_cost, unconditional_cost),
    )
