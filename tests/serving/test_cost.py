"""Cost of a served token: golden values, terms, limits, units and domain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from economics.serving.cost import ARCHITECTURES, cost
from economics.serving.symbols import Contract, Refinements
from tests.serving.scenarios import ALL_DENSE, GPUS, PRICE, changed, golden, random_scenario


def usd(scenario, architecture):
    return cost(scenario=scenario, architecture=architecture).usd_per_token


def ratio(scenario):
    return usd(scenario, "disaggregated") / usd(scenario, "chunked")


# Economics design, section 2: H100, W = 300e9.
@pytest.mark.parametrize(
    ("tpot_s", "input_per_output", "golden_ratio"),
    [
        (0.050, 1.0, 1.006),
        (0.050, 10.0, 0.997),
        (0.050, 100.0, 0.927),
        (0.020, 1.0, 0.959),
        (0.020, 10.0, 0.821),
        (0.020, 30.0, 0.762),
    ],
)
def test_golden_cost_ratios(tpot_s, input_per_output, golden_ratio):
    assert round(ratio(golden(tpot_s=tpot_s, input_per_output=input_per_output)), 3) == golden_ratio


def test_the_plain_sum_by_hand():
    """Every term of the H100 at S_tpot 50 ms, r 10, from the formulas of the design."""
    price = PRICE / 3600
    mu_p, t_w, tau = 0.5 * 989e12 / 16e9, 16e9 / (0.8 * 3.35e12), 131_072 * 4096 / (0.8 * 3.35e12)
    b_max = (0.9 * 80e9 - 16e9) / (131_072 * 4096)
    s, t_kv = 3500 / mu_p, 3500 * 131_072 / 300e9
    u_p = 1 - np.log(100) * s / (2 * 8 * (1 - s - t_kv))
    disaggregated = cost(scenario=golden(), architecture="disaggregated")
    assert disaggregated.prefill_usd_per_token == pytest.approx(price * 10 / (u_p * mu_p), rel=1e-12)
    assert disaggregated.decode_usd_per_token == pytest.approx(price * (t_w / b_max + tau), rel=1e-12)
    assert disaggregated.kv_tax_usd_per_token == pytest.approx(price * 10 * 131_072 / 300e9, rel=1e-12)
    assert (disaggregated.overlap_usd_per_token, disaggregated.attainment_usd_per_token) == (0.0, 0.0)
    chunked = cost(scenario=golden(), architecture="chunked")
    b_c = (0.05 - t_w) / (tau + 10 / (0.9 * mu_p))
    assert b_c < b_max
    assert chunked.batch == pytest.approx(b_c, rel=1e-12)
    assert chunked.usd_per_token == pytest.approx(price * (10 / mu_p + t_w / b_c + tau), rel=1e-12)
    assert chunked.usd_per_mtok == pytest.approx(chunked.usd_per_token * 1e6)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("refinements", [Refinements(), ALL_DENSE, Refinements(experts_touched=True)])
def test_terms_add_up_to_the_cost(architecture, refinements):
    scenario = random_scenario(300, seed=10, refinements=refinements)
    scenario = changed(scenario, colocated_attainment=0.9, disaggregated_attainment=0.8)
    paid = cost(scenario=scenario, architecture=architecture)
    feasible = paid.feasible
    assert 20 < feasible.sum() < 300
    np.testing.assert_allclose(np.sum(np.broadcast_arrays(*paid.terms), axis=0)[feasible], paid.usd_per_token[feasible])
    assert np.all(np.isinf(paid.usd_per_token[~feasible]))
    assert all(np.all(np.isnan(term[~feasible])) for term in paid.terms)
    counted = 0.8 if architecture == "disaggregated" else 0.9
    np.testing.assert_allclose((paid.attainment_usd_per_token / paid.usd_per_token)[feasible], 1 - counted, rtol=1e-9)
    assert np.all(paid.overlap_usd_per_token[feasible] <= 0.0)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("refinements", [Refinements(), ALL_DENSE, Refinements(experts_touched=True)])
def test_scalars_and_arrays_agree(architecture, refinements):
    array = random_scenario(20, seed=11, refinements=refinements)
    paid = usd(array, architecture)
    for i in range(20):
        assert usd(point(array, i), architecture) == pytest.approx(paid[i], rel=1e-12)


def point(scenario, i):
    """One point of a scenario of one-dimensional arrays, as plain numbers."""
    from economics.numeric.blocks import map_arrays

    return map_arrays(scenario, lambda array: float(array[i]))


def test_axes_broadcast_to_a_grid():
    scenario = golden(
        input_per_output=np.array([1.0, 10.0])[:, None, None],
        tpot_s=np.array([0.02, 0.05, 0.1])[:, None],
        bandwidth_bytes_per_s=np.array([25e9, 50e9, 100e9, 300e9]),
    )
    assert usd(scenario, "disaggregated").shape == (2, 3, 4)
    assert usd(scenario, "disaggregated")[1, 0, 2] == usd(
        golden(input_per_output=10.0, tpot_s=0.02, bandwidth_bytes_per_s=100e9), "disaggregated"
    )


def test_a_full_overlap_of_the_transfer_removes_the_tax():
    paid = cost(scenario=golden(overlap_share=1.0), architecture="disaggregated")
    assert paid.kv_tax_usd_per_token == 0.0
    assert paid.usd_per_token == usd(golden(overlap_share=1.0, bandwidth_bytes_per_s=1e3), "disaggregated")


def test_infinite_bandwidth_is_the_limit_of_a_full_overlap():
    assert usd(golden(bandwidth_bytes_per_s=1e18), "disaggregated") == pytest.approx(
        usd(golden(overlap_share=1.0), "disaggregated"), rel=1e-9
    )


exponents = st.floats(-1.0, 1.0)


@settings(max_examples=60, deadline=None)
@given(gpu=st.sampled_from(list(GPUS)), r=exponents, tpot=st.floats(0.01, 0.2), widths=st.tuples(exponents, exponents))
def test_cost_falls_in_bandwidth(gpu, r, tpot, widths):
    narrow, wide = (1e11 * 10**w for w in sorted(widths))
    scenario = golden(gpu, input_per_output=10 * 10**r, tpot_s=tpot)
    assert usd(changed(scenario, bandwidth_bytes_per_s=wide), "disaggregated") <= usd(
        changed(scenario, bandwidth_bytes_per_s=narrow), "disaggregated"
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    tighter=st.floats(0.2, 1.0),
    refinements=st.sampled_from([Refinements(), ALL_DENSE, Refinements(experts_touched=True, overlap=0.5)]),
    bound=st.sampled_from(["tpot_s", "ttft_s"]),
)
def test_cost_rises_with_a_tighter_bound(seed, tighter, refinements, bound):
    scenario = random_scenario(20, seed=seed, refinements=refinements)
    tightened = changed(scenario, **{bound: getattr(scenario.contract, bound) * tighter})
    for architecture in ARCHITECTURES:
        assert np.all(usd(tightened, architecture) >= usd(scenario, architecture) * (1 - 1e-9))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_disaggregation_never_wins_where_memory_binds_both(seed):
    scenario = random_scenario(50, seed=seed)
    split, mixed = (cost(scenario=scenario, architecture=name) for name in ("disaggregated", "chunked"))
    both = split.feasible & mixed.feasible & (split.batch == mixed.batch)
    assert np.all(split.usd_per_token[both] >= mixed.usd_per_token[both])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    seconds=st.floats(-2.0, 2.0),
    octets=st.floats(-2.0, 2.0),
    architecture=st.sampled_from(ARCHITECTURES),
    refinements=st.sampled_from([Refinements(), ALL_DENSE]),
)
def test_cost_does_not_depend_on_the_units_of_time_and_memory(seed, seconds, octets, architecture, refinements):
    """Seconds and bytes measured with other sticks leave $ per token as it is."""
    scenario = random_scenario(20, seed=seed, refinements=refinements)
    second, octet = 10**seconds, 10**octets
    hardware, model = scenario.hardware, scenario.model
    rescaled = changed(
        scenario,
        usd_per_gpu_hour=hardware.usd_per_gpu_hour / second,
        flops_per_s=hardware.flops_per_s / second,
        hbm_bytes_per_s=hardware.hbm_bytes_per_s * octet / second,
        hbm_bytes=hardware.hbm_bytes * octet,
        weight_bytes=model.weight_bytes * octet,
        expert_weight_bytes=model.expert_weight_bytes * octet,
        kv_bytes_per_token=model.kv_bytes_per_token * octet,
        ttft_s=scenario.contract.ttft_s * second,
        tpot_s=scenario.contract.tpot_s * second,
        bandwidth_bytes_per_s=scenario.transfer.bandwidth_bytes_per_s * octet / second,
    )
    np.testing.assert_allclose(usd(rescaled, architecture), usd(scenario, architecture), rtol=1e-9)


def test_cost_is_linear_in_price():
    scenario = random_scenario(50, seed=12)
    dearer = changed(scenario, usd_per_gpu_hour=3.0 * scenario.hardware.usd_per_gpu_hour)
    for architecture in ARCHITECTURES:
        np.testing.assert_allclose(usd(dearer, architecture), 3.0 * usd(scenario, architecture))


@pytest.mark.parametrize(
    ("symbol", "value"),
    [
        ("usd_per_gpu_hour", -1.0),
        ("hbm_bytes", 0.0),
        ("weight_bytes", np.nan),
        ("kv_bytes_per_token", -1.0),
        ("input_per_output", 0.0),
        ("ttft_s", 0.0),
        ("tpot_s", np.array([0.1, -0.1])),
        ("percentile", 1.5),
        ("overlap_share", 1.1),
        ("bandwidth_bytes_per_s", 0.0),
        ("mfu", 0.0),
        ("chunk_utilisation", 1.01),
        ("overlap", -0.1),
        ("prefix_hit_share", 1.0),
        ("tpot_definition", "mean"),
    ],
)
def test_a_value_outside_its_domain_is_named(symbol, value):
    with pytest.raises(ValueError, match=symbol):
        golden(**{symbol: value})


def test_arrival_rate_or_replicas_but_not_both():
    for both in ({"prefill_replicas": None}, {"arrival_rate_per_s": 1.0, "prefill_replicas": 8.0}):
        with pytest.raises(ValueError, match="exactly one"):
            golden(**both)


def test_an_unknown_architecture_is_named():
    with pytest.raises(ValueError, match="monolith"):
        cost(scenario=golden(), architecture="monolith")


def test_a_contract_that_cannot_be_met_costs_infinitely_much():
    for impossible in ({"tpot_s": 0.005}, {"hbm_bytes": 16e9}, {"ttft_s": 0.1}, {"arrival_rate_per_s": 0.0}):
        for architecture in ARCHITECTURES:
            paid = cost(scenario=golden(**impossible), architecture=architecture)
            assert paid.usd_per_token == np.inf
            assert not paid.feasible
            assert paid.batch == 0.0


def test_contracts_default_to_p99():
    assert Contract(ttft_s=1.0, tpot_s=0.1).percentile == 0.99
