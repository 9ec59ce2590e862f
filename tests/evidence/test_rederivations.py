"""The arithmetic behind the recomputations, on the figures it was made for."""

import inspect
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from economics.evidence.rederivations import (
    FORMULAS,
    break_even_bytes_per_s,
    formula_range,
    guaranteed_attainment,
    kv_slots,
    latent_kv_bytes_per_token,
    nodes_needed,
    rent_usd_per_mtok,
    request_usd,
)


def test_kv_slots_of_vllm_need_gib() -> None:
    assert kv_slots(kv_memory_bytes=12 * 2.0**30, bytes_per_token=819_200.0) == pytest.approx(15_728.64)
    assert kv_slots(kv_memory_bytes=12e9, bytes_per_token=819_200.0) == pytest.approx(14_648.4, abs=0.1)


def test_latent_attention_keeps_one_vector_per_layer() -> None:
    assert latent_kv_bytes_per_token(layers=61.0, latent_dim=512.0, rope_dim=64.0) == 70_272.0


def test_nodes_of_deepseek() -> None:
    nodes = nodes_needed(
        input_tokens_per_day=608e9,
        input_tokens_per_s_per_node=73.7e3,
        output_tokens_per_day=168e9,
        output_tokens_per_s_per_node=14.8e3,
    )
    assert nodes == pytest.approx(226.86, abs=0.005)


def test_price_of_sglang_is_that_of_the_decode_nodes() -> None:
    assert rent_usd_per_mtok(usd_per_hour=8 * 2.0, tokens_per_s=22_282.0) == pytest.approx(0.1995, abs=5e-5)
    assert rent_usd_per_mtok(usd_per_hour=8 * 2.0, tokens_per_s=52_300.0) == pytest.approx(0.085, abs=5e-5)


def test_request_of_splitwise() -> None:
    assert 100 * request_usd(e2e_s=4.957, usd_per_machine_hour=17.6) == pytest.approx(2.42, abs=0.005)


@pytest.mark.parametrize(("peak", "gb_per_s"), [(312e12, 5.86), (989e12, 18.57)])
def test_break_even_bandwidth_of_mooncake(peak: float, gb_per_s: float) -> None:
    found = break_even_bytes_per_s(
        hidden=8192.0,
        query_heads=64.0,
        kv_heads=8.0,
        prefix_tokens=8192.0,
        flop_per_s=8 * peak,
        attention_constant=4.0,
        linear_constant=22.0,
    )
    assert found / 1e9 == pytest.approx(gb_per_s, abs=0.005)


def test_two_percentiles_together_guarantee_less_than_either() -> None:
    assert guaranteed_attainment(percentile=0.99, bounds=2.0) == pytest.approx(0.98)
    assert guaranteed_attainment(percentile=0.99, bounds=1.0) == pytest.approx(0.99)
    assert guaranteed_attainment(percentile=0.4, bounds=2.0) == 0.0


@given(st.lists(st.booleans(), min_size=2, max_size=2), st.integers(1, 99))
def test_guarantee_holds_for_the_worst_overlap(side: list[bool], percentile: int) -> None:
    """Requests 0..99: each bound is missed by 100 - p of them, at either end; the guarantee is never above what is met."""
    missed = [set(range(100 - percentile)) if first else set(range(percentile, 100)) for first in side]
    met = 1 - len(missed[0] | missed[1]) / 100
    assert guaranteed_attainment(percentile=percentile / 100, bounds=2.0) <= met + 1e-12


@given(st.data(), st.sampled_from(sorted(FORMULAS)))
def test_a_formula_stays_between_its_corners(data: st.DataObject, name: str) -> None:
    formula: Callable[..., object] = FORMULAS[name]
    n = len(inspect.signature(formula).parameters)
    middles = data.draw(st.lists(st.floats(0.5, 1e3), min_size=n, max_size=n))
    widths = data.draw(st.lists(st.floats(0.0, 0.4), min_size=n, max_size=n))
    shares = data.draw(st.lists(st.floats(-1.0, 1.0), min_size=n, max_size=n))
    lows = [m * (1 - w) for m, w in zip(middles, widths, strict=True)]
    highs = [m * (1 + w) for m, w in zip(middles, widths, strict=True)]
    low, high = formula_range(FORMULAS[name], lows, highs)
    inside = FORMULAS[name](*(np.float64(m * (1 + w * s)) for m, w, s in zip(middles, widths, shares, strict=True)))
    slack = 1e-9 * (1 + max(abs(low), abs(high)))
    assert low - slack <= float(inside) <= high + slack


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_impossible_values_are_named(bad: float) -> None:
    with pytest.raises(ValueError, match="bytes_per_token"):
        kv_slots(kv_memory_bytes=1.0, bytes_per_token=bad)
    with pytest.raises(ValueError, match="e2e_s"):
        request_usd(e2e_s=bad, usd_per_machine_hour=1.0)
