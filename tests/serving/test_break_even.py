"""Break-even values: golden table, published form, and brute force over the costs they balance."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from economics.serving import break_even, break_even_search
from economics.serving.break_even import (
    break_even_arrival_rate,
    break_even_bandwidth,
    break_even_ratio,
    break_even_tpot,
    break_evens,
    has_closed_tpot,
)
from economics.serving.cost import cost
from economics.serving.symbols import Hardware, Refinements
from tests.serving.scenarios import ALL_DENSE, changed, golden, random_scenario

ALL, NONE = 0.0, np.inf

UNEQUAL = Refinements(
    prefill_pool_efficiency=0.9,
    decode_pool_efficiency=0.92,
    prefix_hit_share=0.25,
    chunk_tokens=512.0,
    achieved_link_share=0.87,
    prefill_hardware=Hardware(usd_per_gpu_hour=2.0, flops_per_s=8e14, hbm_bytes_per_s=2e12, hbm_bytes=8e10),
)
"""Refinements that keep every inverse closed but make the two costs unequal."""

SETTINGS = {
    "plain": Refinements(),
    "unequal pools": UNEQUAL,
    "overlap": Refinements(overlap=0.8),
    "coupling": Refinements(ttft_coupling=True, decode_compute_bound=True),
    "all dense": ALL_DENSE,
    "experts": Refinements(experts_touched=True),
}


def gap(scenario):
    """What disaggregation costs more, in units of the cheaper one; -inf and inf where only one is feasible."""
    split = cost(scenario=scenario, architecture="disaggregated").usd_per_token
    mixed = cost(scenario=scenario, architecture="chunked").usd_per_token
    with np.errstate(invalid="ignore"):
        return (split - mixed) / np.fmin(split, mixed)


# Economics design, section 2: W = 25e9, 50e9, 300e9 in each row.
@pytest.mark.parametrize(
    ("gpu", "tpot_s", "golden_ratios"),
    [
        *((gpu, tpot_s, (ALL, ALL, ALL)) for gpu in ("A100", "H100", "H200") for tpot_s in (0.015, 0.020, 0.025)),
        ("A100", 0.050, (6.3, 2.7, 1.8)),
        ("A100", 0.100, (NONE, NONE, NONE)),
        ("H100", 0.050, (NONE, 29.9, 9.4)),
        ("H100", 0.100, (NONE, NONE, 73.1)),
        ("H200", 0.050, (NONE, NONE, 4.7)),
        ("H200", 0.100, (NONE, NONE, NONE)),
    ],
)
def test_golden_table(gpu, tpot_s, golden_ratios):
    widths = np.array([25e9, 50e9, 300e9])
    ratios = break_even_ratio(golden(gpu, tpot_s=tpot_s, bandwidth_bytes_per_s=widths))
    np.testing.assert_array_equal(np.round(ratios, 1), golden_ratios)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_ratio_is_the_published_form(seed):
    """r_be of the design, spelled out, where the decode pool is memory-bound and the bracket positive."""
    scenario = random_scenario(20, seed=seed)
    h, m, w = scenario.hardware, scenario.model, scenario.workload
    c, x, e = scenario.contract, scenario.transfer, scenario.efficiency
    mu_p = e.mfu * h.flops_per_s / (2 * m.active_parameters)
    bytes_per_s = e.mbu * h.hbm_bytes_per_s
    t_w, tau = m.weight_bytes / bytes_per_s, m.kv_bytes_per_token * w.context_tokens / bytes_per_s
    b_max = (0.9 * h.hbm_bytes - m.weight_bytes) / (m.kv_bytes_per_token * w.context_tokens)
    theta = mu_p * m.kv_bytes_per_token * (1 - x.overlap_share) / x.bandwidth_bytes_per_s
    service_s = w.input_tokens / mu_p
    slack_s = c.ttft_s - service_s - w.input_tokens * theta / mu_p
    u_p = 1 - np.log(100) * service_s / (2 * w.prefill_replicas * slack_s)
    room_s = c.tpot_s - t_w
    bracket = t_w / (e.chunk_utilisation * room_s) - (1 / u_p - 1) - theta
    with np.errstate(divide="ignore", invalid="ignore"):
        published = np.maximum(
            mu_p * t_w * (1 / b_max - tau / room_s) / bracket,
            e.chunk_utilisation * mu_p * (room_s / b_max - tau),
        )
    memory_bound = (b_max > 1) & (room_s / tau > b_max) & (slack_s > 0) & (u_p > 0)
    published = np.where(bracket > 0, published, np.inf)
    np.testing.assert_allclose(break_even_ratio(scenario)[memory_bound], published[memory_bound], rtol=1e-7)


AXES = [
    (break_even_ratio, "input_per_output", True),
    (break_even_bandwidth, "bandwidth_bytes_per_s", True),
    (break_even_tpot, "tpot_s", False),
]


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(("solve", "symbol", "wins_above"), AXES)
def test_costs_cross_at_the_break_even(name, solve, symbol, wins_above):
    """10,000 random draws: disaggregation is cheaper on one side of the value and dearer on the other."""
    scenario = random_scenario(10_000, seed=30, refinements=SETTINGS[name])
    value = solve(scenario)
    found = np.flatnonzero(np.isfinite(value) & (value > 0))
    assert found.size > 500
    at = np.where(np.isfinite(value) & (value > 0), value, 1.0)
    above, below = (gap(changed(scenario, **{symbol: at * factor}))[found] for factor in (1 + 1e-5, 1 - 1e-5))
    cheap, dear = (above, below) if wins_above else (below, above)
    assert np.all(cheap < 0)
    # NaN: the value is where disaggregation becomes possible at all, and colocation is not.
    assert np.all((dear > 0) | np.isnan(dear))


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(("solve", "symbol", "wins_above"), AXES)
def test_the_value_is_where_a_search_over_a_grid_finds_it(name, solve, symbol, wins_above):
    """Brute force: both costs on a grid; no other winner on the far side, another one at the nearest point this side."""
    grid = {
        "input_per_output": np.geomspace(1e-4, 1e5, 181),
        "bandwidth_bytes_per_s": np.geomspace(1e7, 1e14, 141),
        "tpot_s": np.geomspace(2e-3, 5.0, 141),
    }[symbol][:, None]
    scenario = random_scenario(500, seed=31, refinements=SETTINGS[name])
    value = solve(scenario)
    gaps = gap(changed(scenario, **{symbol: grid}))
    np.testing.assert_array_equal(np.isnan(value), np.isnan(value) & np.all(np.isnan(gaps), axis=0))
    split_wins, chunked_wins = gaps < -1e-9, gaps > 1e-9
    above, below = (split_wins, chunked_wins) if wins_above else (chunked_wins, split_wins)
    wrong = np.any(below & (grid > value * (1 + 1e-9)), axis=0)
    # The nearest grid point on this side of the value has the other winner (further away it may turn again).
    nearest = np.argmax(grid * (grid < value * (1 - 1e-9)), axis=0)
    wrong |= above[nearest, np.arange(500)] & (grid[0] < value) & np.isfinite(value)
    # inf: the other architecture wins at the far end (along r disaggregation may also win at the near end).
    wrong |= np.isposinf(value) & above[-1]
    # Costs that cross more than once along one axis leave the numeric search a choice.
    assert wrong.sum() <= (5 if name in ("all dense", "experts") else 0)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_winner_changes_at_the_break_even_arrival_rate(name):
    scenario = random_scenario(3000, seed=32, refinements=SETTINGS[name], arrival_rate_per_s=1.0)
    rate = break_even_arrival_rate(scenario)
    found = np.flatnonzero(np.isfinite(rate) & (rate > 0))
    assert found.size > 100
    at = np.where(np.isfinite(rate) & (rate > 0), rate, 1.0)
    more, less = (gap(changed(scenario, arrival_rate_per_s=at * factor))[found] for factor in (1 + 1e-6, 1 - 1e-6))
    assert np.all(more < 0)
    assert np.all(less > -1e-12)
    tried = gap(changed(scenario, arrival_rate_per_s=np.geomspace(1e-3, 1e5, 33)[:, None]))
    assert not np.any(tried[:, np.isposinf(rate)] < -1e-9)
    assert not np.any(tried[:, rate == 0] > 1e-9)


def test_at_the_break_even_bandwidth_of_a_stated_pool_both_cost_the_same():
    scenario = golden("A100", input_per_output=np.array([10.0, 50.0]))
    at = changed(scenario, bandwidth_bytes_per_s=break_even_bandwidth(scenario))
    np.testing.assert_allclose(gap(at), 0.0, atol=1e-12)


def test_a_divisible_pool_is_the_limit_of_many_replicas():
    few, many = (golden("A100", arrival_rate_per_s=rate, input_per_output=30.0) for rate in (40.0, 40_000.0))
    for scenario, tolerance in ((few, 0.05), (many, 1e-4)):
        at = changed(scenario, bandwidth_bytes_per_s=break_even_bandwidth(scenario))
        assert abs(gap(at)) < tolerance


def test_values_do_not_depend_on_their_own_axis():
    scenario = random_scenario(500, seed=33)
    np.testing.assert_array_equal(
        break_even_bandwidth(scenario), break_even_bandwidth(changed(scenario, bandwidth_bytes_per_s=1e10))
    )
    np.testing.assert_array_equal(break_even_ratio(scenario), break_even_ratio(changed(scenario, input_per_output=3.0)))
    both = ~np.isnan(break_even_tpot(scenario))
    np.testing.assert_array_equal(break_even_tpot(scenario)[both], break_even_tpot(changed(scenario, tpot_s=0.04))[both])


def test_the_price_level_and_the_currency_do_not_matter():
    scenario = random_scenario(500, seed=34, refinements=ALL_DENSE)
    dearer = changed(scenario, usd_per_gpu_hour=7.0 * scenario.hardware.usd_per_gpu_hour)
    for name in ("input_per_output", "arrival_rate_per_s", "bandwidth_bytes_per_s", "tpot_s"):
        values, same = (getattr(break_evens(s), name) for s in (scenario, dearer))
        np.testing.assert_allclose(values, same, rtol=1e-8)


def test_a_cheaper_transfer_lowers_the_break_even_ratio():
    held, free = (golden("A100", held_cost_ratio=ratio, bandwidth_bytes_per_s=25e9) for ratio in (1.0, 0.0))
    assert break_even_ratio(free) < break_even_ratio(held)


def test_nothing_exposed_pays_at_any_bandwidth_or_at_none():
    assert break_even_bandwidth(golden("A100", overlap_share=1.0, input_per_output=10.0)) == 0.0
    assert break_even_bandwidth(golden("A100", overlap_share=1.0, tpot_s=0.1, input_per_output=1.0)) == np.inf


@pytest.mark.parametrize("impossible", [{"hbm_bytes": 16e9}, {"ttft_s": 0.1}, {"arrival_rate_per_s": 0.0}])
def test_where_neither_can_meet_the_contract_there_is_no_value(impossible):
    turning = break_evens(golden(**impossible))
    assert np.isnan([turning.input_per_output, turning.arrival_rate_per_s, turning.bandwidth_bytes_per_s]).all()
    assert np.isnan(turning.tpot_s)


def test_where_only_one_can_meet_the_contract_it_wins_everywhere():
    slow = golden(bandwidth_bytes_per_s=5e8)  # the transfer alone takes 0.9 s
    turning = break_evens(slow)
    assert (turning.input_per_output, turning.tpot_s, turning.arrival_rate_per_s) == (np.inf, 0.0, np.inf)
    quick = Hardware(usd_per_gpu_hour=9.0, flops_per_s=1e16, hbm_bytes_per_s=3e12, hbm_bytes=8e10)
    split_only = golden(ttft_s=0.1, prefill_hardware=quick)
    turning = break_evens(split_only)
    assert (turning.input_per_output, turning.tpot_s, turning.arrival_rate_per_s) == (0.0, np.inf, 0.0)
    # It wins wherever the transfer is in time at all.
    gaps = gap(changed(split_only, bandwidth_bytes_per_s=turning.bandwidth_bytes_per_s * np.array([0.999, 1.001])))
    assert np.isnan(gaps[0])
    assert gaps[1] == -np.inf


def test_closed_where_limits_are_plain_divisions():
    assert has_closed_tpot(golden())
    assert has_closed_tpot(random_scenario(1, seed=0, refinements=UNEQUAL))
    assert not has_closed_tpot(golden(overlap=0.1))
    assert not has_closed_tpot(golden(ttft_coupling=True))


def test_closed_and_numeric_agree_where_both_apply(monkeypatch):
    scenario = random_scenario(2000, seed=35, refinements=UNEQUAL)
    closed = break_even_tpot(scenario)
    monkeypatch.setattr(break_even, "has_closed_tpot", lambda _: False)
    numeric = break_even_tpot(scenario)
    np.testing.assert_allclose(numeric, closed, rtol=1e-7)


BENT = {
    "overlap": Refinements(overlap=0.8),
    "coupling": Refinements(ttft_coupling=True, decode_compute_bound=True),
    "all dense": ALL_DENSE,
    "some drafts": replace(ALL_DENSE, overlap=np.linspace(0.0, 1.0, 3)[:, None], draft_tokens=np.arange(3.0)[:, None]),
}


@pytest.mark.parametrize("name", BENT)
def test_the_compiled_search_finds_what_the_arrays_find(name, monkeypatch):
    """Its loop spells the two costs out once more, a point a register lane: this holds it to `economics.serving.chunked`."""
    scenario = random_scenario(10_000, seed=36, refinements=BENT[name])
    arrays = break_even_tpot(scenario)
    monkeypatch.setattr(break_even_search, "COMPILED_POINTS", 0)
    compiled = break_even_tpot(scenario)
    assert np.mean(np.isfinite(compiled) & (compiled > 0.0)) > 0.05
    np.testing.assert_allclose(compiled, arrays, rtol=1e-9)
