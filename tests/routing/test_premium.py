import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from economics.routing.premium import (
    RoutingTerms,
    compose_with_inference_channel,
    cost_terms,
    gross_saving,
    premium,
    premium_elasticities,
    premium_from_speedup,
    premium_needed,
    premium_under_error,
    quality_kappa,
    routed_cost,
    routing_pays,
    safety_factor,
    terms_from_saving,
)

kappas, deltas, gammas = st.floats(-1.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 0.5)


def test_premium_of_a_point() -> None:
    terms = RoutingTerms(kappa=0.8, delta=0.5, gamma=0.1)

    assert premium(terms) == pytest.approx(0.3)
    assert routing_pays(terms)
    assert routed_cost(terms, unconditional_cost=20.0) == pytest.approx(14.0)
    assert safety_factor(terms) == pytest.approx(4.0)
    assert premium_elasticities(terms).kappa == pytest.approx(4 / 3)
    assert premium_elasticities(terms).gamma == pytest.approx(-1 / 3)


@given(st.floats(0.05, 1.0), st.floats(0.05, 1.0), st.floats(0.001, 0.5))
def test_elasticities_are_the_slopes_of_the_premium(kappa: float, delta: float, gamma: float) -> None:
    at = {"kappa": kappa, "delta": delta, "gamma": gamma}
    pi = premium(RoutingTerms(**at))
    assume(abs(pi) > 1e-3)
    step = 1e-6
    for name, value in at.items():
        moved = [premium(RoutingTerms(**{**at, name: min(value * f, 1.0)})) for f in (1 - step, 1.0)]
        slope = (moved[1] - moved[0]) / step
        assert getattr(premium_elasticities(RoutingTerms(**at)), name) * pi == pytest.approx(slope, abs=1e-5)


@given(st.floats(0.01, 1.0), st.floats(0.01, 1.0), st.floats(0.001, 0.5), st.floats(0.0, 3.0))
def test_point_survives_an_overstatement_below_its_safety_factor(
    kappa: float, delta: float, gamma: float, overstatement: float
) -> None:
    terms = RoutingTerms(kappa=kappa, delta=delta, gamma=gamma)
    left = premium_under_error(terms, overstatement=overstatement)

    if abs(left) > 1e-9:
        assert (left > 0.0) == (safety_factor(terms) > 1.0 + overstatement)


def test_table_of_disclosure_errors() -> None:
    # Safety factors 1.08, 1.3 and 11: the first fails at 10 %, the second at 50 %, the third never.
    terms = RoutingTerms(kappa=1.0, delta=np.array([[0.108], [0.13], [0.55]]), gamma=np.array([[0.1], [0.1], [0.05]]))

    survives = premium_under_error(terms, overstatement=np.array([0.10, 0.25, 0.50])) > 0.0

    assert survives.tolist() == [[False, False, False], [True, True, False], [True, True, True]]


def test_free_controller_is_infinitely_safe_and_no_saving_is_not() -> None:
    safety = safety_factor(RoutingTerms(kappa=np.array([0.5, -0.5, 0.0]), delta=0.4, gamma=0.0))

    assert safety[0] == np.inf
    assert safety[1] == -np.inf
    assert np.isnan(safety[2])


def test_terms_outside_their_domain_are_named() -> None:
    with pytest.raises(ValueError, match="gamma"):
        RoutingTerms(kappa=1.0, delta=0.5, gamma=-0.1)
    with pytest.raises(ValueError, match="delta"):
        RoutingTerms(kappa=1.0, delta=1.2, gamma=0.1)


def test_the_two_thresholds_multiply() -> None:
    terms = RoutingTerms(kappa=0.8, delta=0.5, gamma=0.1)

    assert compose_with_inference_channel(terms, inference_cost_factor=1.5) == pytest.approx(0.7 * 1.5)


@given(st.floats(0.01, 1e4))
def test_premium_needed_is_where_the_pair_changes_nothing(factor: float) -> None:
    needed = float(premium_needed(inference_cost_factor=factor))
    at = RoutingTerms(kappa=1.0, delta=needed, gamma=0.0)

    assert compose_with_inference_channel(at, inference_cost_factor=factor) == pytest.approx(1.0)
    assert (needed > 0.0) == (factor > 1.0)


def test_premium_needed_by_limits() -> None:
    # Samples for nothing need none, 52 times the cost needs nearly all of it, half the cost leaves room for a loss.
    assert premium_needed(inference_cost_factor=np.array([1.0, 52.0, 0.5])) == pytest.approx([0.0, 51 / 52, -1.0])
    with pytest.raises(ValueError, match="inference_cost_factor"):
        premium_needed(inference_cost_factor=0.0)


@pytest.mark.parametrize(
    ("name", "speedup", "stated"),
    [
        ("Leviathan, slowest of Table 2", 1.4, 0.29),
        ("Leviathan, fastest of Table 2", 3.4, 0.71),
        ("Medusa-1", 2.2, 0.55),
        ("Medusa-2, best", 3.6, 0.72),
        ("CALM, up to", 3.0, 0.67),
        ("FrugalGPT HEADLINES", 33.1 / 0.6, 0.98),
        ("FrugalGPT OVERRULING", 9.7 / 2.6, 0.73),
        ("FrugalGPT COQA", 72.5 / 29.6, 0.59),
        ("CGES v2, 16.0 to 6.7 calls", 16.0 / 6.7, 0.58),
        ("Adaptive-Consistency, GSM8K, code-davinci", 40 / 13.8, 0.66),
        ("vLLM at high load, 1.4 x slower", 1 / 1.4, -0.40),
        ("vLLM at high load, 1.8 x slower", 1 / 1.8, -0.80),
    ],
)
def test_premium_implied_by_a_headline(name: str, speedup: float, stated: float) -> None:
    # FrugalGPT OVERRULING's own costs give 73.2 %, its table says 73.3 %: both round to .73.
    assert round(float(premium_from_speedup(speedup=speedup)), 2) == stated, name


def test_adaptive_consistency_average_of_2_8_is_not_40_over_16_5() -> None:
    # Published as "40 to 16.5 samples on average, 2.8 x". The budget falls by 40/16.5 = 2.4 x; a mean of ratios per task
    # could give 2.8, but it is not a saving of cost.
    assert round(40 / 16.5, 1) == 2.4
    assert premium_from_speedup(speedup=40 / 16.5) == pytest.approx(0.5875)
    assert premium_from_speedup(speedup=2.8) == pytest.approx(0.643, abs=1e-3)


def test_published_saving_and_controller_cost_give_the_gross_saving() -> None:
    assert gross_saving(premium=premium_from_speedup(speedup=2.0), gamma=0.05) == pytest.approx(0.55)


def test_learned_router_below_matched_random_has_a_negative_kappa() -> None:
    # RouterBench-mini: learned router 72.00 %, random choice of the same share 72.52 %, oracle 76.25 %.
    kappa = quality_kappa(routed_quality=0.7200, random_quality=0.7252, oracle_quality=0.7625)

    assert kappa == pytest.approx(-0.139, abs=1e-3)
    assert np.isnan(quality_kappa(routed_quality=0.7, random_quality=0.7, oracle_quality=0.7))


@given(st.floats(0.1, 100.0), st.floats(0.0, 1.0), st.floats(0.0, 3.0), st.floats(0.0, 0.5))
def test_with_cost_terms_the_rule_is_an_identity(fixed: float, oracle: float, routed: float, paid: float) -> None:
    costs = {"unconditional_cost": fixed, "oracle_cost": fixed * oracle, "routed_cost": fixed * routed}
    terms = cost_terms(**costs, controller_cost=fixed * paid)

    if np.isfinite(terms.kappa):
        assert premium(terms) == pytest.approx(1.0 - routed - paid, abs=1e-9)
    else:
        assert oracle == pytest.approx(1.0)


def test_acting_where_nothing_can_be_saved_is_overhead() -> None:
    terms = terms_from_saving(saving=np.array([0.0, -0.2, 0.1]), delta=0.0, gamma=0.05)

    assert list(premium(terms)[:2]) == [-0.05, -0.25]
    assert np.isnan(terms.kappa[2])
