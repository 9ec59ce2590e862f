"""MFU, MBU and overhead from step times: known truths come back, and what the points do not fix is said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from economics.serving.calibration import (
    LOWEST_SHARE,
    Points,
    calibrate,
    decode_read_bytes,
    fit_share,
    fit_share_and_overhead,
    held_out_errors,
    leave_one_out_errors,
    prefill_flop,
    relative_errors,
    step_s,
)
from economics.serving.step_time import kv_read_s, prefill_tokens_per_s, weight_read_s
from economics.serving.symbols import Efficiency, Hardware, Model, Refinements, RequestShape
from economics.units import Array

NONE = Points(peak_s=np.empty(0), measured_s=np.empty(0))
SHARES = st.floats(0.05, 0.95)


def steps(share: float, overhead_s: float, *, least_s: float = 0.01, n: int = 12, noise: float = 0.0) -> Points:
    """Steps of a known truth, spread over a decade of work."""
    peak_s = np.geomspace(least_s, 10.0 * least_s, n)
    ripple = np.exp(noise * np.random.default_rng(7).standard_normal(n))
    return Points(peak_s=peak_s, measured_s=step_s(peak_s=peak_s, share=share, overhead_s=overhead_s) * ripple)


# The closed forms.


def test_work_of_a_step_is_that_of_the_serving_model() -> None:
    """At full peak, prefill_flop and decode_read_bytes give the times of economics.serving.step_time."""
    hardware = Hardware(usd_per_gpu_hour=1.0, flops_per_s=312e12, hbm_bytes_per_s=2.039e12, hbm_bytes=80e9, gpus=2.0)
    model = Model(
        active_parameters=34.4e9,
        weight_bytes=68.8e9,
        kv_bytes_per_token=245_760.0,
        layers=60.0,
        query_heads=56.0,
        head_dim=128.0,
    )
    workload = RequestShape(input_tokens=2048.0, input_per_output=4.0, context_tokens=1000.0, prefill_replicas=1.0)
    peak = Efficiency(mfu=1.0, mbu=1.0)
    flop = prefill_flop(
        active_parameters=34.4e9, layers=60.0, query_heads=56.0, head_dim=128.0, prompt_tokens=2048.0, batch=1.0
    )
    tokens_per_s = prefill_tokens_per_s(
        hardware=hardware,
        model=model,
        workload=workload,
        efficiency=peak,
        refinements=Refinements(prefill_attention=True),
    )
    assert flop / (2.0 * 312e12) == pytest.approx(2048.0 / tokens_per_s)
    read = decode_read_bytes(weight_bytes=68.8e9, kv_bytes_per_token=245_760.0, context_tokens=1000.0, batch=16.0)
    weights_s = weight_read_s(hardware=hardware, model=model, efficiency=peak)
    sequence_s = kv_read_s(hardware=hardware, model=model, workload=workload, efficiency=peak)
    assert read / (2.0 * 2.039e12) == pytest.approx(weights_s + 16.0 * sequence_s)


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_a_work_that_is_no_work_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="prompt_tokens"):
        prefill_flop(active_parameters=1.0, layers=1.0, query_heads=1.0, head_dim=1.0, prompt_tokens=wrong, batch=1.0)
    with pytest.raises(ValueError, match="context_tokens"):
        decode_read_bytes(weight_bytes=1.0, kv_bytes_per_token=1.0, context_tokens=wrong, batch=1.0)
    with pytest.raises(ValueError, match="peak_s"):
        Points(peak_s=np.array([1.0, wrong]), measured_s=np.array([1.0, 1.0]))


def test_points_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        Points(peak_s=np.ones(2), measured_s=np.ones(3))


# The fit.


def test_known_truth_comes_back() -> None:
    fit = calibrate(prefill=steps(0.45, 0.004), decode=steps(0.7, 0.004))
    assert fit.fitted
    assert fit.reason is None
    assert (fit.mfu.value, fit.mbu.value) == pytest.approx((0.45, 0.7), rel=1e-6)
    assert fit.overhead_s.value == pytest.approx(0.004, rel=1e-5)
    assert np.concatenate(leave_one_out_errors(prefill=steps(0.45, 0.004), decode=steps(0.7, 0.004))).max() < 1e-5


@given(mfu=SHARES, mbu=SHARES, overhead_s=st.floats(0.001, 0.05))
@settings(max_examples=60)
def test_any_truth_comes_back(mfu: float, mbu: float, overhead_s: float) -> None:
    fit = calibrate(prefill=steps(mfu, overhead_s), decode=steps(mbu, overhead_s))
    assert (fit.mfu.value, fit.mbu.value) == pytest.approx((mfu, mbu), rel=1e-3)
    assert fit.overhead_s.value == pytest.approx(overhead_s, rel=1e-2)


@given(
    peak_s=st.lists(st.floats(1e-4, 10.0), min_size=4, max_size=12),
    ratios=st.lists(st.floats(0.01, 1000.0), min_size=12, max_size=12),
)
@settings(max_examples=60)
def test_whatever_was_measured_the_bounds_hold(peak_s: list[float], ratios: list[float]) -> None:
    peak = np.array(peak_s)
    points = Points(peak_s=peak, measured_s=peak * np.array(ratios[: len(peak)]))
    fit = calibrate(prefill=points, decode=points)
    for share in (fit.mfu, fit.mbu):
        assert LOWEST_SHARE <= share.value <= 1.0
        assert share.low is None or share.high is None or LOWEST_SHARE <= share.low <= share.value <= share.high <= 1.0
    overhead = fit.overhead_s
    assert overhead.value >= 0.0
    assert overhead.low is None or overhead.high is None or 0.0 <= overhead.low <= overhead.value <= overhead.high
    assert all(np.isfinite(errors).all() for errors in relative_errors(prefill=points, decode=points, calibration=fit))


def test_one_wild_point_moves_the_fit_little() -> None:
    clean = steps(0.7, 0.004, noise=0.02)
    wild_s = clean.measured_s.copy()
    wild_s[5] *= 10.0
    wild = Points(peak_s=clean.peak_s, measured_s=wild_s)
    share, overhead = fit_share_and_overhead(wild)
    assert share.value == pytest.approx(0.7, rel=0.08)
    assert overhead.value == pytest.approx(0.004, abs=0.002)
    plain = np.linalg.lstsq(np.column_stack([wild.peak_s, np.ones(12)]), wild.measured_s, rcond=None)[0]
    assert abs(1.0 / plain[0] - 0.7) > 3.0 * abs(share.value - 0.7)  # least squares without the loss is led astray


def test_faster_than_the_peak_ends_on_the_bound_and_says_so() -> None:
    impossible = Points(peak_s=np.geomspace(0.01, 0.1, 8), measured_s=0.5 * np.geomspace(0.01, 0.1, 8))
    fit = calibrate(prefill=impossible, decode=impossible)
    assert (fit.mbu.value, fit.mbu.basis, fit.mbu.low) == (1.0, "at_bound", None)
    assert fit.reason is not None
    assert "MBU ended on a limit" in fit.reason
    assert "MFU ended on a limit" in fit.reason


def test_no_overhead_in_the_points_is_an_overhead_of_zero() -> None:
    share, overhead = fit_share_and_overhead(steps(0.6, 0.0))
    assert (overhead.value, overhead.basis) == (0.0, "at_bound")
    assert share.value == pytest.approx(0.6, rel=1e-3)


@pytest.mark.parametrize(
    ("n", "mfu", "mbu", "overhead"),
    [
        (0, "default", "default", "default"),
        (2, "default", "default", "default"),
        (3, "fitted", "fitted", "default"),
        (4, "fitted", "fitted", "fitted"),
    ],
)
def test_too_few_points_leave_the_default(n: int, mfu: str, mbu: str, overhead: str) -> None:
    points = steps(0.3, 0.01, n=n, noise=0.01) if n else NONE
    fit = calibrate(prefill=points, decode=points)
    assert (fit.mfu.basis, fit.mbu.basis, fit.overhead_s.basis) == (mfu, mbu, overhead)
    if mfu == "default":
        assert (fit.mfu.value, fit.mbu.value, fit.overhead_s.value) == (0.5, 0.8, 0.0)
        assert not fit.fitted
        assert fit.reason is not None
        assert f"MFU is the default: {n} usable prefill points" in fit.reason


def test_steps_that_read_the_same_cannot_tell_overhead_from_bandwidth() -> None:
    peak_s = np.linspace(0.020, 0.022, 9)
    decode = Points(peak_s=peak_s, measured_s=step_s(peak_s=peak_s, share=0.8, overhead_s=0.01))
    fit = calibrate(prefill=NONE, decode=decode)
    assert (fit.overhead_s.value, fit.overhead_s.basis) == (0.0, "default")
    assert fit.mbu.value == pytest.approx(0.021 / (0.021 / 0.8 + 0.01), rel=0.01)
    assert fit.reason is not None
    assert "overhead is taken as 0" in fit.reason


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    peak_s = np.geomspace(0.01, 0.1, 15)
    held = 0
    for seed in range(200):
        ripple = np.exp(0.05 * np.random.default_rng(seed).standard_normal(15))
        share = fit_share(Points(peak_s=peak_s, measured_s=peak_s / 0.5 * ripple), overhead_s=0.0)
        assert share.low is not None
        assert share.high is not None
        held += share.low <= 0.5 <= share.high
    assert 0.90 <= held / 200 <= 0.99


# The error out of sample.


def test_leaving_one_out_errs_more_than_the_fit_itself() -> None:
    prefill, decode = steps(0.45, 0.004, noise=0.1), steps(0.7, 0.004, noise=0.1)
    fit = calibrate(prefill=prefill, decode=decode)
    inside = np.concatenate(relative_errors(prefill=prefill, decode=decode, calibration=fit))
    outside = np.concatenate(leave_one_out_errors(prefill=prefill, decode=decode))
    assert len(outside) == len(inside) == 24
    assert np.sqrt(np.mean(outside**2)) > np.sqrt(np.mean(inside**2))


def test_a_fold_that_differs_is_predicted_badly() -> None:
    """Two GPU counts of unequal efficiency: each alone is exact, and neither foretells the other."""
    one, two = steps(0.6, 0.0), steps(0.3, 0.0)
    both = Points(peak_s=np.tile(one.peak_s, 2), measured_s=np.concatenate([one.measured_s, two.measured_s]))
    fold = np.repeat(np.array([1, 2]), 12)
    of_prefill, of_decode = held_out_errors(prefill=both, decode=NONE, prefill_fold=fold, decode_fold=np.empty(0, np.int64))
    assert of_prefill == pytest.approx(np.repeat([1.0, 0.5], 12), rel=1e-6)
    assert of_decode.size == 0


def test_what_cannot_be_fitted_without_a_fold_adds_no_error() -> None:
    assert [errors.size for errors in leave_one_out_errors(prefill=steps(0.5, 0.0, n=3), decode=NONE)] == [0, 0]


def test_errors_are_arrays_of_shares() -> None:
    errors: Array = relative_errors(prefill=steps(0.5, 0.0), decode=NONE, calibration=calibrate(prefill=NONE, decode=NONE))[0]
    assert errors == pytest.approx(np.zeros(12), abs=1e-12)
