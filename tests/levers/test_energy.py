"""Energy: the golden share of a GPU-hour, the clock sweep, and what a megawatt feeds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from economics.levers.energy import (
    ClockResponse,
    electricity_usd_per_gpu_hour,
    electricity_usd_per_mtok,
    fit_clock_sweep,
    gpus_per_megawatt,
    joules_per_token,
    share_of_rent,
    site_tokens_per_s,
    throughput_factor,
)


def test_golden_share_of_a_gpu_hour() -> None:
    """32 % of a decode draw of 137 to 300 W at .08 $/kWh and PUE 1.3 is .18 to .40 % of $2.50."""
    worth = share_of_rent(
        watts=np.array([137.0, 300.0]),
        usd_per_kwh=0.08,
        power_usage_effectiveness=1.3,
        usd_per_gpu_hour=2.5,
        saving=0.32,
    )
    assert list(np.round(100.0 * worth, 2)) == [0.18, 0.40]
    bill = share_of_rent(watts=np.array([137.0, 300.0]), usd_per_kwh=0.08, power_usage_effectiveness=1.3, usd_per_gpu_hour=2.5)
    assert list(np.round(100.0 * bill, 2)) == [0.57, 1.25]


def test_the_published_sweep_is_explained_within_two_percent() -> None:
    fit = fit_clock_sweep(
        clock_mhz=np.array([2400.0, 2100.0, 1800.0, 1500.0]),
        throughput_ratio=1.0 - np.array([0.1175, 0.205, 0.311, 0.406]),
        tokens_per_joule_ratio=1.0 + np.array([0.149, 0.193, 0.227, 0.227]),
    )
    assert fit.rms_residual < 0.02
    assert fit.compute_bound_share == pytest.approx(0.79, abs=0.01)  # that workload waited for its clock, not for memory
    assert fit.response.sm_share == pytest.approx(0.60, abs=0.01)
    assert 2400.0 < fit.peak_clock_mhz < 3000.0


@given(st.floats(1600.0, 3000.0), st.floats(0.1, 1.0), st.floats(0.1, 1.0))
def test_a_sweep_made_by_the_model_gives_its_parameters_back(peak: float, bound: float, sm_share: float) -> None:
    clock = peak * np.array([0.95, 0.8, 0.65, 0.5, 0.35])
    throughput = np.asarray(throughput_factor(clock_ratio=clock / peak, compute_bound_share=bound))
    draw = np.asarray(ClockResponse(sm_share=sm_share).draw_factor(clock_ratio=clock / peak))
    fit = fit_clock_sweep(clock_mhz=clock, throughput_ratio=throughput, tokens_per_joule_ratio=throughput / draw)
    assert fit.peak_clock_mhz == pytest.approx(peak, rel=1e-3)
    assert fit.compute_bound_share == pytest.approx(bound, abs=1e-3)
    assert fit.response.sm_share == pytest.approx(sm_share, abs=1e-3)


@given(st.floats(0.05, 1.0), st.floats(0.0, 1.0))
def test_draw_and_throughput_stay_within_their_limits(clock: float, share: float) -> None:
    draw = ClockResponse(sm_share=share).draw_factor(clock_ratio=clock)
    assert 1.0 - share - 1e-12 <= draw <= 1.0
    assert clock - 1e-12 <= throughput_factor(clock_ratio=clock, compute_bound_share=share) <= 1.0 + 1e-12
    assert throughput_factor(clock_ratio=clock, compute_bound_share=0.0) == 1.0


@given(st.floats(0.01, 0.99), st.floats(0.01, 1.0))
def test_clock_for_a_saving_gives_the_saving_or_none(saving: float, share: float) -> None:
    response = ClockResponse(sm_share=share)
    clock = response.clock_for_saving(saving=saving)
    assert np.isnan(clock) == (saving >= share)
    if not np.isnan(clock) and clock > 1e-6:
        assert 1.0 - response.draw_factor(clock_ratio=clock) == pytest.approx(saving)


def test_the_published_saving_needs_three_quarters_of_the_clock() -> None:
    assert ClockResponse(sm_share=0.6).clock_for_saving(saving=0.32) == pytest.approx(0.776, abs=0.001)
    assert np.isnan(ClockResponse(sm_share=0.3).clock_for_saving(saving=0.32))


@given(st.floats(1.0, 1000.0), st.floats(1.0, 1e5), st.floats(0.01, 1.0), st.floats(1.0, 2.0))
def test_two_ways_to_the_electricity_of_a_million_tokens(watts: float, rate: float, usd: float, pue: float) -> None:
    """Per hour over tokens per hour, and per joule: the units must close."""
    hourly = electricity_usd_per_gpu_hour(watts=watts, usd_per_kwh=usd, power_usage_effectiveness=pue)
    each = joules_per_token(watts=watts, tokens_per_s=rate)
    by_joule = electricity_usd_per_mtok(joules_per_token=each, usd_per_kwh=usd, power_usage_effectiveness=pue)
    assert by_joule == pytest.approx(hourly / (rate * 3600.0) * 1e6)


def test_a_site_of_a_megawatt() -> None:
    assert gpus_per_megawatt(watts=700.0, power_usage_effectiveness=1.3) == pytest.approx(1098.9, abs=0.1)
    fed = site_tokens_per_s(site_watts=1e6, joules_per_token=0.1, power_usage_effectiveness=1.3)
    assert fed == pytest.approx(1e7 / 1.3)
    # A third less energy is half as many tokens again, whatever the rent.
    less = site_tokens_per_s(site_watts=1e6, joules_per_token=0.1 * 2 / 3, power_usage_effectiveness=1.3)
    assert less / fed == pytest.approx(1.5)


def test_what_cannot_be_is_an_error() -> None:
    with pytest.raises(ValueError, match="power_usage_effectiveness"):
        electricity_usd_per_gpu_hour(watts=1.0, usd_per_kwh=0.1, power_usage_effectiveness=0.9)
    with pytest.raises(ValueError, match="sm_share"):
        ClockResponse(sm_share=1.1)
    with pytest.raises(ValueError, match="three points"):
        fit_clock_sweep(
            clock_mhz=np.array([1.0, 2.0]),
            throughput_ratio=np.array([1.0, 1.0]),
            tokens_per_joule_ratio=np.array([1.0, 1.0]),
        )
