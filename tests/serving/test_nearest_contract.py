"""The nearest contract that can be met."""

from dataclasses import replace

import pytest

from economics.serving.cost import ARCHITECTURES, cost
from economics.serving.nearest_contract import nearest_contract
from economics.serving.symbols import Contract
from tests.serving.scenarios import golden

IMPOSSIBLE = {
    "tpot": {"tpot_s": 0.003},
    "ttft": {"ttft_s": 0.05},
    "both": {"tpot_s": 0.003, "ttft_s": 0.05},
    "coupled": {"tpot_s": 0.003, "ttft_s": 0.05, "ttft_coupling": True, "overlap": 0.5},
}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("which", IMPOSSIBLE)
def test_the_nearest_contract_can_be_met_and_a_nearer_one_cannot(architecture, which):
    scenario = golden(arrival_rate_per_s=5.0, **IMPOSSIBLE[which])
    found = nearest_contract(scenario=scenario, architecture=architecture)
    assert found is not None

    def feasible(share: float) -> bool:
        """Of the way, in both bounds, from the contract asked for to the nearest one."""
        asked = scenario.contract
        bounds = {
            "ttft_s": asked.ttft_s + share * (found.ttft_s - asked.ttft_s),
            "tpot_s": asked.tpot_s + share * (found.tpot_s - asked.tpot_s),
        }
        eased = replace(scenario, contract=Contract(**bounds, percentile=asked.percentile))
        return bool(cost(scenario=eased, architecture=architecture).feasible)

    assert feasible(1.0)
    # A pool for prefill is allowed more than the least wait, so that it need not stand idle.
    assert not feasible(0.15 if architecture == "disaggregated" else 0.7)
    assert found.distance > 0


def test_a_contract_that_can_be_met_is_its_own_nearest():
    found = nearest_contract(scenario=golden(arrival_rate_per_s=5.0), architecture="chunked")
    assert found is not None
    assert (found.ttft_s, found.tpot_s, found.distance) == pytest.approx((1.0, 0.05, 0.0))


def test_the_pool_of_the_nearest_contract_is_at_most_half_idle():
    scenario = golden(arrival_rate_per_s=50.0, ttft_s=0.05)
    found = nearest_contract(scenario=scenario, architecture="disaggregated")
    assert found is not None
    eased = replace(scenario, contract=replace(scenario.contract, ttft_s=found.ttft_s))
    paid = cost(scenario=eased, architecture="disaggregated").prefill_usd_per_token
    at_full_load = cost(scenario=golden(percentile=0.0), architecture="disaggregated").prefill_usd_per_token
    assert paid <= 2.0 * at_full_load


def test_no_contract_helps_a_model_that_does_not_fit():
    assert nearest_contract(scenario=golden(arrival_rate_per_s=5.0, hbm_bytes=10e9), architecture="chunked") is None


def test_nor_a_bound_a_thousand_times_too_tight():
    assert nearest_contract(scenario=golden(arrival_rate_per_s=5.0, tpot_s=1e-6), architecture="chunked") is None
