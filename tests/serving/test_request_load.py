"""Streams of requests with the shape of a trace."""

from dataclasses import replace

import numpy as np
import pytest

from economics.serving.request_load import Load, correlated_lengths, equal, even, steady, stream, with_peak

LOAD = Load(
    input_tokens=np.array([100, 300]),
    output_tokens=np.array([10, 30]),
    intensity=np.array([0.0, 0.5, 2.5]),
    window_s=10.0,
)


def test_arrivals_follow_the_windows():
    found = stream(LOAD, rate_per_s=500.0, seed=1)
    windows = np.bincount((found.arrival_s // 10).astype(int), minlength=3)
    assert windows[0] == 0
    assert windows.sum() == pytest.approx(15_000, rel=0.03)
    assert windows[2] / windows[1] == pytest.approx(5.0, rel=0.1)
    assert (np.diff(found.arrival_s) >= 0).all()


def test_a_higher_rate_is_more_of_the_same():
    """The same draws, closer together: every arrival of the lower rate comes earlier at the higher one."""
    few, many = (stream(steady(LOAD, windows=100), rate_per_s=rate, seed=7) for rate in (2.0, 4.0))
    same = len(few.arrival_s)
    np.testing.assert_allclose(many.arrival_s[:same], few.arrival_s / 2.0)
    np.testing.assert_array_equal(many.input_tokens[:same], few.input_tokens)


@pytest.mark.parametrize("burstiness", [0.25, 1.0, 4.0])
def test_arrivals_have_their_rate_and_burstiness(burstiness: float):
    """A coefficient of variation of 1 / sqrt(burstiness)."""
    load = even(input_tokens=100, output_tokens=[10, 30], seconds=40_000.0, burstiness=burstiness)
    gaps = np.diff(stream(load, rate_per_s=5.0, seed=3).arrival_s)
    assert gaps.mean() == pytest.approx(0.2, rel=0.02)
    assert gaps.std() / gaps.mean() == pytest.approx(burstiness**-0.5, rel=0.02)


def test_a_peak_is_in_the_middle_and_the_mean_rate_stays():
    load = with_peak(even(input_tokens=100, output_tokens=10, seconds=2_000.0), peak_over_mean=3.0, peak_share=0.1)
    found = stream(load, rate_per_s=50.0, seed=1).arrival_s
    assert len(found) == pytest.approx(100_000, rel=0.02)
    in_peak = (found > 900.0) & (found < 1_100.0)
    assert in_peak.sum() / 200.0 == pytest.approx(150.0, rel=0.02)
    assert (~in_peak).sum() / 1_800.0 == pytest.approx(50.0 * 0.7 / 0.9, rel=0.02)
    with pytest.raises(ValueError, match="leaves nothing"):
        with_peak(load, peak_over_mean=6.0, peak_share=0.2)


def test_lengths_come_in_turn_and_the_context_weighs_long_answers():
    assert stream(LOAD, rate_per_s=5.0, seed=1).input_tokens[:3].tolist() == [100, 300, 100]
    assert LOAD.context_tokens == pytest.approx((10 * 105 + 30 * 315) / 40)
    assert equal(LOAD, windows=2).input_tokens.tolist() == [200]


def test_drawn_lengths_have_the_quantiles_and_the_rank_correlation():
    levels, prompts, answers = [0.0, 0.5, 0.9, 1.0], [10.0, 1_000.0, 5_000.0, 20_000.0], [2.0, 50.0, 200.0, 900.0]
    drawn = correlated_lengths(
        levels=levels, input_quantiles=prompts, output_quantiles=answers, rank_correlation=-0.5, requests=40_000, seed=3
    )
    for lengths, quantiles in zip(drawn, (prompts, answers), strict=True):
        np.testing.assert_allclose(np.quantile(lengths, [0.5, 0.9]), quantiles[1:3], rtol=0.05)
    ranks = [lengths.argsort().argsort() for lengths in drawn]
    assert np.corrcoef(ranks)[0, 1] == pytest.approx(-0.5, abs=0.02)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"output_tokens": np.array([10, 1])}, "at least two"),
        ({"output_tokens": np.array([10])}, "as many prompts as answers"),
        ({"intensity": np.array([1.0, 2.0])}, "1 on average"),
        ({"window_s": 0.0}, "window_s"),
    ],
)
def test_refused_loads(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        replace(LOAD, **change)


def test_refused_rates_and_correlations():
    with pytest.raises(ValueError, match="rate_per_s"):
        stream(LOAD, rate_per_s=0.0, seed=1)
    with pytest.raises(ValueError, match="no request arrives"):
        stream(LOAD, rate_per_s=1e-9, seed=1)
    with pytest.raises(ValueError, match="rank_correlation"):
        correlated_lengths(
            levels=[0, 1], input_quantiles=[1, 2], output_quantiles=[2, 3], rank_correlation=2.0, requests=1, seed=1
        )
