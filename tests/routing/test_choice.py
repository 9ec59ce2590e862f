"""The promised policy, the one that keeps a bound on average, and what is known with a unit left out."""

import numpy as np
import pytest

from economics.routing.choice import (
    cost_at_most,
    on_average,
    promised,
    quality_at_least,
    quality_drop,
    quality_of_the_gap,
    weighed,
    weighed_without_each,
)
from economics.routing.policies import COST, Outcomes, Policies, summed_policies
from tests.routing.outcomes_made_up import two_models


def policies(items: int = 400, seed: int = 1, **lines: tuple[float, float]) -> Policies:
    score, quality, cost = two_models(items=items, seed=seed, **lines)
    made = Outcomes(quality=quality, cost=cost, controller_cost=np.zeros(items), group=np.arange(items))
    return summed_policies(made, score=score, strong=0, weak=[1], unit=made.group)


def test_margins_are_zero_where_the_bound_is_met_exactly() -> None:
    made = policies()
    assert quality_drop(0.0).margin(made, weak=1)[:, 0] == pytest.approx(0.0)
    assert quality_of_the_gap(0.0).margin(made, weak=1)[:, -1].sum() == pytest.approx(0.0)
    assert quality_at_least(made.models[:, 1, 0].mean()).margin(made, weak=1)[:, -1].sum() == pytest.approx(0.0)
    assert cost_at_most(0.1).margin(made, weak=1)[:, -1].sum() == pytest.approx(0.0)


def test_leaving_a_unit_out_is_its_weight_set_to_zero() -> None:
    made = policies(items=30)
    margin, objective = quality_drop(0.01).margin(made, weak=1), made.routed[:, :, COST]
    each = weighed_without_each(margin=margin, objective=objective, items=made.items)
    plain = weighed(1.0 - np.eye(30), margin=margin, objective=objective, items=made.items)
    for name in ("margin", "error", "objective", "units"):
        assert getattr(each, name) == pytest.approx(getattr(plain, name))


def test_the_standard_error_is_that_of_a_mean() -> None:
    made = policies(items=200)
    margin = quality_at_least(0.5).margin(made, weak=1)
    known = weighed(np.ones((1, 200)), margin=margin, objective=margin, items=made.items)
    plain = margin[:, 0].std(ddof=1) / np.sqrt(200)
    # One unit more that fails.
    assert known.error[0, 0] == pytest.approx(np.hypot(plain, 1 / 200))


def test_the_cheapest_on_average_keeps_the_bound_and_the_promised_one_keeps_more() -> None:
    made = policies(items=2_000)
    margin = quality_of_the_gap(0.8).margin(made, weak=1)
    known = weighed(np.ones((1, 2_000)), margin=margin, objective=made.routed[:, :, COST], items=made.items)
    average = int(on_average(known, allowed=made.edge >= 0)[0])
    sure, found = promised(known, chains=[made.chain(1)], confidence=0.95)
    assert found[0]
    assert 0.0 <= known.margin[0, average] < known.margin[0, sure[0]]
    assert known.objective[0, average] < known.objective[0, sure[0]]


def test_more_confidence_costs_more_and_never_less() -> None:
    made = policies(items=2_000)
    margin = quality_of_the_gap(0.8).margin(made, weak=1)
    known = weighed(np.ones((1, 2_000)), margin=margin, objective=made.routed[:, :, COST], items=made.items)
    costs = [
        known.objective[0, promised(known, chains=[made.chain(1)], confidence=level)[0][0]] for level in (0.5, 0.9, 0.99, 0.999)
    ]
    assert costs == sorted(costs)


def test_without_a_sure_policy_the_first_is_returned_and_said_not_to_be_sure() -> None:
    made = policies()
    margin = quality_at_least(0.99).margin(made, weak=1)
    known = weighed(np.ones((1, 400)), margin=margin, objective=made.routed[:, :, COST], items=made.items)
    chosen, found = promised(known, chains=[made.chain(1)], confidence=0.95)
    assert (chosen[0], found[0]) == (0, False)


def test_a_weak_model_that_is_better_is_found_though_the_first_steps_show_nothing() -> None:
    made = policies(items=600, strong_at=(0.6, 0.0), weak_at=(0.8, 0.0))
    bound = quality_drop(0.0)
    margin = bound.margin(made, weak=1)
    known = weighed(
        np.ones((1, 600)), margin=margin, objective=made.routed[:, :, COST], items=made.items, doubt=bound.doubt(made)
    )
    assert promised(known, chains=[made.chain(1)], confidence=0.95)[0][0] == made.weak.size - 1


def test_the_floor_holds_as_often_as_promised() -> None:
    # Chances are lines in a uniform score, so the quality of a threshold is known: .75 less the integral of .72 s - .051.
    kept = []
    for seed in range(120):
        made = policies(items=500, seed=seed)
        bound = quality_drop(0.01)
        margin = bound.margin(made, weak=1)
        known = weighed(
            np.ones((1, 500)), margin=margin, objective=made.routed[:, :, COST], items=made.items, doubt=bound.doubt(made)
        )
        chosen = int(promised(known, chains=[made.chain(1)], confidence=0.95)[0][0])
        below = 0.0 if chosen == 0 else made.edges[made.edge[chosen]] if made.edge[chosen] >= 0 else 1.0
        kept.append(0.36 * below**2 - 0.051 * below <= 0.01 + 1e-12)
    assert np.mean(kept) >= 0.9  # 95 % promised; 120 tables hold it to within 4 points
