"""Rollouts on idle GPUs: what they cost, and that each channel's cheaper rollouts move the threshold its own way."""

from typing import Any

import duckdb
import pytest

from economics.test_time.harvested_slack import (
    idle_share_of_gain,
    rollout_usd_per_gpu_hour,
    step_cost_factor,
    threshold_after_harvest,
)

ROSE = {"v1_throughput_gain_low": 1.20, "v1_throughput_gain_high": 3.31, "v2_throughput_gain_low": 1.3}


def rows(warehouse: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in warehouse.execute(query).fetchall()]


@pytest.mark.parametrize("gain", [1.0, 1.2, 1.3, 3.31])
@pytest.mark.parametrize("idle_usd", [0.05, 1.0])
def test_price_by_idle_share_and_cost_of_a_step_are_one_figure(gain: float, idle_usd: float) -> None:
    share = float(idle_share_of_gain(throughput_gain=gain))
    price = rollout_usd_per_gpu_hour(idle_share=share, idle_usd_per_gpu_hour=idle_usd, dedicated_usd_per_gpu_hour=2.0)
    harvested = (gain - 1.0) * idle_usd / 2.0
    step = step_cost_factor(throughput_gain=gain, harvested_usd_per_dedicated_usd=harvested)
    assert price / 2.0 == pytest.approx(step)


def test_a_gain_below_one_harvests_nothing() -> None:
    with pytest.raises(ValueError, match="throughput_gain must be 1 or above"):
        idle_share_of_gain(throughput_gain=0.9)


def test_threshold_falls_with_training_and_rises_with_inference() -> None:
    cheaper = {"training_factor": 0.5, "inference_factor": 1.0}
    assert threshold_after_harvest(dollar_ratio=0.01, **cheaper) == pytest.approx(0.005)
    assert threshold_after_harvest(dollar_ratio=0.01, training_factor=1.0, inference_factor=0.5) == pytest.approx(0.02)
    # Where no ratio favours inference before, none does after.
    assert threshold_after_harvest(dollar_ratio=-0.07, **cheaper) < 0.0
    with pytest.raises(ValueError, match="training_factor"):
        threshold_after_harvest(dollar_ratio=0.01, training_factor=0.0, inference_factor=1.0)


def test_every_printed_gain_stands_in_both_channels(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = rows(warehouse, "SELECT DISTINCT figure, throughput_gain, channel FROM marts.harvested_slack")
    assert {(figure, gain) for figure, gain, _ in found} >= set(ROSE.items())
    assert {channel for *_, channel in found} == {"training", "test_time"}


def test_idle_is_priced_at_energy_and_risk(warehouse: duckdb.DuckDBPyConnection) -> None:
    ((energy, risk, idle, dedicated, flip),) = rows(
        warehouse,
        "SELECT DISTINCT energy_usd_per_gpu_hour, slo_risk_usd_per_gpu_hour, idle_usd_per_gpu_hour, "
        "dedicated_usd_per_gpu_hour, flipping_slo_risk_usd_per_gpu_hour FROM marts.harvested_slack",
    )
    assert energy == pytest.approx(0.7 * 1.3 * 0.08)
    assert idle == pytest.approx(energy + risk)
    assert 0.0 < idle < dedicated
    assert energy + flip == pytest.approx(dedicated)


def test_free_idle_gpus_bound_the_factor(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        warehouse,
        "SELECT DISTINCT figure, round(free_rollout_cost_factor, 2), rollout_cost_factor > free_rollout_cost_factor "
        "FROM marts.harvested_slack WHERE figure LIKE 'v1%' ORDER BY 1 DESC",
    )
    assert found == [("v1_throughput_gain_low", 0.83, True), ("v1_throughput_gain_high", 0.30, True)]


def test_training_rollouts_leave_inference_less_room_and_test_time_ones_more(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        warehouse,
        "SELECT channel, favours, bool_and(threshold_after < threshold), bool_and(threshold_after > threshold) "
        "FROM marts.harvested_slack GROUP BY ALL",
    )
    assert sorted(found) == [("test_time", "inference", False, True), ("training", "training", True, False)]


def test_threshold_is_that_of_the_frontier_and_stands_in_dollars(warehouse: duckdb.DuckDBPyConnection) -> None:
    ((threshold, low, high, usd, spent, n),) = rows(
        warehouse,
        "SELECT DISTINCT threshold, threshold_low, threshold_high, training_usd, inference_usd_at_threshold, n "
        "FROM marts.harvested_slack",
    )
    assert f"{threshold:.4f}" == "0.0035"
    assert low < threshold < high
    assert spent == pytest.approx(threshold * usd)
    assert n == 30


def test_published_form_favours_inference_at_no_ratio(warehouse: duckdb.DuckDBPyConnection) -> None:
    ((most,),) = rows(
        warehouse, "SELECT max(greatest(published_threshold, published_threshold_after)) FROM marts.harvested_slack"
    )
    assert most < 0.0
