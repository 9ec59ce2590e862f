"""Throughput at a contract and under a load, and MFU and MBU fitted to it."""

from dataclasses import replace

import numpy as np
import pytest

from economics.serving.cost import cost
from economics.serving.symbols import Efficiency
from economics.serving.throughput import (
    fitted_efficiency,
    held_out_rates,
    tokens_per_s_per_gpu,
    tokens_per_s_per_gpu_under_load,
)
from tests.serving.scenarios import PRICE, changed, golden

POINTS = changed(
    golden(),
    hbm_bytes_per_s=np.array([3.35e12, 4.8e12, 2.0e12, 3.35e12, 3.35e12, 8e12])[:, None],
    flops_per_s=np.array([989e12, 989e12, 312e12, 989e12, 989e12, 2.2e15])[:, None],
    input_per_output=np.array([0.5, 2.0, 8.0, 30.0, 1.0, 4.0])[:, None],
    tpot_s=np.array([0.02, 0.03, 0.1, 0.05, 0.05, 0.02])[:, None],
)
TRUE = Efficiency(mfu=0.37, mbu=0.61)


def test_it_is_the_cost_turned_round():
    usd = cost(scenario=POINTS, architecture="chunked").usd_per_token[:, 0]
    np.testing.assert_allclose(tokens_per_s_per_gpu(POINTS), PRICE / 3600 / usd)


def test_the_best_replica_size_counts_and_none_is_nothing():
    sizes = changed(golden(), gpus=np.array([[1.0, 2.0, 4.0]]), hbm_bytes=17e9)
    alone = [tokens_per_s_per_gpu(changed(golden(), gpus=np.array([[size]]), hbm_bytes=17e9))[0] for size in (1.0, 2.0, 4.0)]
    assert alone[0] == 0.0
    assert tokens_per_s_per_gpu(sizes) == pytest.approx([max(alone)])


def test_under_a_load_by_hand():
    """t_w + B tau of decode and B r / mu_p of prefill give B tokens."""
    (found,) = tokens_per_s_per_gpu_under_load(changed(golden(), input_per_output=np.array([[2.0]])), np.array([[10.0]]))
    step_s = 16e9 / (0.8 * 3.35e12) + 10 * (131_072 * 4096 / (0.8 * 3.35e12) + 2 * 16e9 / (0.5 * 989e12))
    assert found == pytest.approx(10 / step_s)


@pytest.mark.parametrize("in_flight", [None, np.array([1.0, 8.0, 64.0, 4.0, 200.0, 16.0])[:, None]])
def test_a_fit_finds_what_made_the_points(in_flight):
    made = replace(POINTS, efficiency=TRUE)
    rates = tokens_per_s_per_gpu(made) if in_flight is None else tokens_per_s_per_gpu_under_load(made, in_flight)
    found = fitted_efficiency(POINTS, rates, in_flight=in_flight)
    assert (found.mfu, found.mbu) == pytest.approx((TRUE.mfu, TRUE.mbu), rel=1e-3)
    held = held_out_rates(POINTS, rates, np.array([0, 0, 1, 1, 2, 2]), in_flight=in_flight)
    np.testing.assert_allclose(held, rates, rtol=0.01)


def test_a_point_never_helps_to_predict_itself():
    """One point that is ten times too high moves the others' predictions, not its own."""
    rates = tokens_per_s_per_gpu(replace(POINTS, efficiency=TRUE))
    off = rates * np.array([10.0, 1, 1, 1, 1, 1])
    fold = np.arange(6)
    before, after = held_out_rates(POINTS, rates, fold), held_out_rates(POINTS, off, fold)
    assert after[0] == pytest.approx(before[0])
    assert (np.abs(after[1:] / before[1:] - 1) > 1e-3).any()


def test_too_few_points_predict_nothing():
    with pytest.raises(ValueError, match="at least 4"):
        fitted_efficiency(POINTS, np.ones(3))
    rates = tokens_per_s_per_gpu(POINTS)
    assert np.isnan(held_out_rates(POINTS, rates, np.array([0, 0, 0, 1, 1, 1]))).all()
