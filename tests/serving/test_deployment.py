"""A design as it is rented: whole replicas against the closed form that buys fractions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from economics.serving.break_even import break_even_bandwidth
from economics.serving.cost import ARCHITECTURES, cost
from economics.serving.deployment import pool_held, replica_gpus, shared_read_overlap
from tests.serving.scenarios import changed, golden, random_scenario

SIZES = {"sequence_bytes": 131_072 * 4096.0, "hbm_bytes": 80e9, "memory_share": 0.9}


@pytest.mark.parametrize(
    ("weight_bytes", "sequences", "gpus"),
    [(16e9, 32.0, 1.0), (141e9, 1.0, 2.0), (141e9, 32.0, 4.0), (1342e9, 32.0, 32.0)],
)
def test_replicas_are_the_smallest_power_of_two_with_room(weight_bytes, sequences, gpus):
    assert replica_gpus(weight_bytes=weight_bytes, sequences=sequences, **SIZES) == gpus


@given(weight_bytes=st.floats(1e9, 1e13), sequences=st.floats(0.1, 1e4))
def test_the_model_fits_and_would_not_on_half(weight_bytes, sequences):
    gpus = replica_gpus(weight_bytes=weight_bytes, sequences=sequences, **SIZES)
    needed = (weight_bytes + sequences * SIZES["sequence_bytes"]) / (0.9 * 80e9)
    assert needed <= gpus * (1 + 1e-12)
    assert gpus == 1 or needed > gpus / 2 * (1 - 1e-12)


def test_the_shared_read_is_the_weights_share_of_full_memory():
    assert shared_read_overlap(weight_bytes=16e9, hbm_bytes=80e9, memory_share=0.9) == pytest.approx(16 / 72)
    assert shared_read_overlap(weight_bytes=100e9, hbm_bytes=80e9, memory_share=0.9) == 1.0


def test_a_held_pool_costs_the_same_and_agrees_with_its_break_even():
    scenario = random_scenario(2000, seed=51, arrival_rate_per_s=np.geomspace(0.1, 100.0, 2000))
    held = pool_held(scenario)
    for architecture in ARCHITECTURES:
        np.testing.assert_array_equal(
            cost(scenario=held, architecture=architecture).usd_per_token,
            cost(scenario=scenario, architecture=architecture).usd_per_token,
        )
    split, mixed = (cost(scenario=scenario, architecture=name).usd_per_token for name in ("disaggregated", "chunked"))
    both = np.isfinite(split) & np.isfinite(mixed)
    wins = scenario.transfer.bandwidth_bytes_per_s > break_even_bandwidth(held)
    np.testing.assert_array_equal(wins[both], (split < mixed)[both])


def test_a_pool_that_no_transfer_allows_is_held_without_transfer():
    held = pool_held(golden(arrival_rate_per_s=5.0, bandwidth_bytes_per_s=np.array([1e8, 3e11])))
    assert np.all(np.isfinite(held.workload.prefill_replicas))
    out_of_reach = pool_held(changed(golden(arrival_rate_per_s=5.0), ttft_s=0.01))
    assert out_of_reach.workload.prefill_replicas == 1.0
