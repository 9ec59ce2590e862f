"""Sums of policies against walking over every item, and what a handover costs."""

import numpy as np
import pytest

from economics.routing.policies import (
    COST,
    QUALITY,
    SHARE,
    Handover,
    Outcomes,
    summed_policies,
    threshold_edges,
    units_of,
)
from tests.routing.outcomes_made_up import two_models


def outcomes(items: int = 50, seed: int = 1, controller: float = 0.0) -> tuple[Outcomes, np.ndarray]:
    score, quality, cost = two_models(items=items, seed=seed)
    rng = np.random.default_rng(seed)
    made = Outcomes(
        quality=quality,
        cost=cost * rng.random((items, 1)),
        controller_cost=np.full(items, controller),
        group=np.arange(items),
    )
    return made, score


@pytest.mark.parametrize("after_answer", [False, True])
def test_every_policy_is_what_a_walk_over_the_items_gives(after_answer: bool) -> None:
    made, score = outcomes(controller=0.01)
    handover = Handover(weak_answer_first=after_answer)
    policies = summed_policies(made, score=score, strong=0, weak=[1], unit=made.group, handover=handover)
    for at in policies.chain(1):
        sent = np.zeros(50, bool) if policies.edge[at] < 0 else score >= policies.edges[policies.edge[at]]
        sent = np.ones(50, bool) if at == 0 else sent
        cost = np.where(sent, made.cost[:, 0], made.cost[:, 1])
        if policies.edge[at] >= 0:
            cost = cost + 0.01 + (after_answer * sent * made.cost[:, 1])
        wanted = (sent.sum(), np.where(sent, made.quality[:, 0], made.quality[:, 1]).sum(), cost.sum())
        assert policies.routed[:, at].sum(axis=0) == pytest.approx(wanted)


def test_the_controller_is_paid_only_where_it_decides() -> None:
    made, score = outcomes(controller=5.0)
    policies = summed_policies(made, score=score, strong=0, weak=[1], unit=made.group)
    alone = policies.routed[:, [0, -1], COST].sum(axis=0)
    assert alone == pytest.approx(made.cost.sum(axis=0))
    assert (policies.routed[:, 1:-1, COST].sum(axis=0) > 250.0).all()


def test_a_score_of_one_value_leaves_no_threshold() -> None:
    made, _ = outcomes()
    policies = summed_policies(made, score=np.zeros(50), strong=0, weak=[1], unit=made.group)
    assert policies.edge.tolist() == [-1, -1]


def test_sums_do_not_depend_on_units_or_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    made, score = outcomes(items=500)
    whole = summed_policies(made, score=score, strong=0, weak=[1], unit=made.group)
    monkeypatch.setattr("economics.routing.policies._BLOCK_ITEMS", 64)
    monkeypatch.setattr("economics.routing.policies.MOST_UNITS", 30)
    unit = units_of(made.group, rng=np.random.default_rng(0))
    assert unit.max() == 29
    parts = summed_policies(made, score=score, strong=0, weak=[1], unit=unit)
    assert parts.routed.sum(axis=0) == pytest.approx(whole.routed.sum(axis=0))


def test_many_models_stand_in_one_table_of_policies() -> None:
    made, score = outcomes(items=40)
    three = Outcomes(
        quality=np.column_stack([made.quality, made.quality[:, 1]]),
        cost=np.column_stack([made.cost, made.cost[:, 1] / 2]),
        controller_cost=made.controller_cost,
        group=made.group,
    )
    policies = summed_policies(three, score=score, strong=0, weak=[1, 2], unit=three.group)
    one, other = policies.chain(1), policies.chain(2)
    assert policies.routed[:, one, QUALITY] == pytest.approx(policies.routed[:, other, QUALITY])
    assert (policies.routed[:, other[1:], COST].sum(axis=0) < policies.routed[:, one[1:], COST].sum(axis=0)).all()


def test_a_switch_is_paid_at_the_thresholds_between_two_turns() -> None:
    # One conversation of three turns with scores 1, 3, 2: at a threshold of 2 it goes weak, strong, strong: one switch up.
    made = Outcomes(quality=np.ones((3, 2)), cost=np.zeros((3, 2)), controller_cost=np.zeros(3), group=np.zeros(3, int))
    handover = Handover(previous=np.array([-1, 0, 1]), switch_to_strong=np.full(3, 10.0), switch_to_weak=np.full(3, 1.0))
    policies = summed_policies(made, score=np.array([1.0, 3.0, 2.0]), strong=0, weak=[1], unit=made.group, handover=handover)
    by_edge = {policies.edges[edge]: policies.routed[0, at, COST] for at, edge in enumerate(policies.edge) if edge >= 0}
    assert by_edge == {2.0: 10.0, 3.0: 11.0}
    assert policies.routed[0, [0, -1], COST].tolist() == [0.0, 0.0]
    assert policies.routed[0, policies.edge == 1, SHARE] == 2.0


def test_leaving_items_out_cuts_their_conversation() -> None:
    handover = Handover(previous=np.array([-1, 0, 1, 2]), switch_to_strong=np.arange(4.0), switch_to_weak=np.arange(4.0))
    left = handover.kept(np.array([True, False, True, True]))
    assert left.previous is not None
    assert left.previous.tolist() == [-1, -1, 1]


def test_edges_are_every_score_or_quantiles() -> None:
    assert threshold_edges(score=np.array([3.0, 1.0, 1.0]), thresholds=5).tolist() == [1.0, 3.0]
    assert len(threshold_edges(score=np.arange(1_000.0), thresholds=10)) == 10


@pytest.mark.parametrize("bad", [np.array([[0.5, 2.0]]), np.array([[0.5, -0.1]])])
def test_quality_is_a_share(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="quality"):
        Outcomes(quality=bad, cost=np.ones((1, 2)), controller_cost=np.zeros(1), group=np.zeros(1, int))
