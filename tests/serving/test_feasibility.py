import numpy as np
import pytest

from economics.serving.cost import ARCHITECTURES, cost
from economics.serving.feasibility import feasibility
from economics.serving.symbols import TPOT_DEFINITIONS, Refinements
from tests.serving.scenarios import ALL_DENSE, changed, golden, random_scenario


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("definition", TPOT_DEFINITIONS)
@pytest.mark.parametrize("refinements", [Refinements(), ALL_DENSE, Refinements(experts_touched=True, overlap=0.5)])
def test_a_cost_is_finite_exactly_where_every_bound_holds(architecture, definition, refinements):
    scenario = random_scenario(2000, seed=20, refinements=refinements, tpot_definition=definition)
    bounds = feasibility(scenario=scenario, architecture=architecture)
    holds = np.all([np.broadcast_to(bound.holds, 2000) for bound in bounds.values()], axis=0)
    assert 100 < holds.sum() < 1990
    np.testing.assert_array_equal(holds, cost(scenario=scenario, architecture=architecture).feasible)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(
    ("impossible", "broken"),
    [
        ({"tpot_s": 0.005}, "tpot_s"),
        ({"hbm_bytes": 17e9}, "hbm_bytes"),
        ({"ttft_s": 0.1}, "ttft_s"),
        ({"arrival_rate_per_s": 0.0}, "arrival_rate_per_s"),
    ],
)
def test_the_broken_bound_is_named(architecture, impossible, broken):
    bounds = feasibility(scenario=golden(input_per_output=5.0, **impossible), architecture=architecture)
    assert not bounds[broken].holds
    assert bounds[broken].available < bounds[broken].required or broken == "arrival_rate_per_s"


@pytest.mark.parametrize("bound", ["tpot_s", "ttft_s", "hbm_bytes", "prefill_replicas"])
def test_the_required_value_is_the_nearest_that_holds(bound):
    """A hair above the required value the bound holds, a hair below it does not."""
    scenario = golden("A100", tpot_s=0.008, ttft_s=0.3, hbm_bytes=17e9, prefill_replicas=1.0)
    if bound == "prefill_replicas":
        scenario = changed(scenario, ttft_s=0.45)
    required = feasibility(scenario=scenario, architecture="disaggregated")[bound].required
    for factor, holds in ((1 + 1e-9, True), (1 - 1e-9, False)):
        # hbm_bytes is stated as what is left to weights and KV: 90 % of the HBM.
        value = required * factor / (0.9 if bound == "hbm_bytes" else 1.0)
        moved = feasibility(scenario=changed(scenario, **{bound: value}), architecture="disaggregated")
        assert bool(moved[bound].holds) is holds


def test_the_weight_read_bounds_tpot():
    bound = feasibility(scenario=golden(tpot_s=0.005), architecture="chunked")["tpot_s"]
    assert bound.required == pytest.approx((16e9 + 131_072 * 4096) / (0.8 * 3.35e12))


def test_the_transfer_counts_towards_ttft():
    slow = golden(bandwidth_bytes_per_s=1e9)
    bound = feasibility(scenario=slow, architecture="disaggregated")["ttft_s"]
    assert bound.required == pytest.approx(3500 / (0.5 * 989e12 / 16e9) + 3500 * 131_072 / 1e9)
    assert feasibility(scenario=slow, architecture="chunked")["ttft_s"].required < bound.required


def test_an_unknown_architecture_is_named():
    with pytest.raises(ValueError, match="monolith"):
        feasibility(scenario=golden(), architecture="monolith")
