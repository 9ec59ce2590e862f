import numpy as np
import pytest

from economics.test_time.harvested_slack import (
    dollars_after_harvest,
    idle_floor_usd_per_gpu_hour,
    rollout_usd_per_gpu_hour,
    step_cost_factor,
)
from economics.test_time.inference_frontier import lagrangian_condition


def test_idle_gpu_is_not_free() -> None:
    floor = idle_floor_usd_per_gpu_hour(
        added_watts=300.0, usd_per_kwh=0.08, power_usage_effectiveness=1.3, breaches_per_hour=0.01, breach_usd=2.0
    )

    assert floor == pytest.approx(0.3 * 1.3 * 0.08 + 0.02)
    with pytest.raises(ValueError, match="idle_usd_per_gpu_hour"):
        rollout_usd_per_gpu_hour(idle_share=0.5, idle_usd_per_gpu_hour=0.0, dedicated_usd_per_gpu_hour=2.5)


def test_energy_is_about_a_percent_of_an_hourly_price() -> None:
    # 137 to 300 W of decode on an H200 at $.08 per kWh and PUE 1.3, against $2.50 an hour.
    energy = idle_floor_usd_per_gpu_hour(
        added_watts=np.array([137.0, 300.0]),
        usd_per_kwh=0.08,
        power_usage_effectiveness=1.3,
        breaches_per_hour=0.0,
        breach_usd=0.0,
    )

    assert list(np.round(energy / 2.5 * 100, 2)) == [0.57, 1.25]
    assert list(np.round(0.32 * energy / 2.5 * 100, 2)) == [0.18, 0.40]


def test_rollout_price_mixes_idle_and_dedicated() -> None:
    price = rollout_usd_per_gpu_hour(
        idle_share=np.array([0.0, 0.4, 1.0]), idle_usd_per_gpu_hour=0.1, dedicated_usd_per_gpu_hour=2.5
    )

    assert list(price) == pytest.approx([2.5, 1.54, 0.1])


def test_published_throughput_bounds_the_cost_of_a_step() -> None:
    # ROSE 2605.06534: 1.20 and 3.31 (v1), 1.3 (v2).
    factor = step_cost_factor(throughput_gain=np.array([1.20, 1.3, 3.31]))

    assert list(np.round(factor, 2)) == [0.83, 0.77, 0.30]
    assert step_cost_factor(throughput_gain=1.2, harvested_usd_per_dedicated_usd=0.2) == pytest.approx(1.0)


@pytest.mark.parametrize("gain", [1.20, 1.3, 3.31])
def test_the_channel_whose_rollouts_get_cheaper_gets_more_room(gain: float) -> None:
    point = {"eta_samples": 0.3, "eta_training": 0.3}
    factor = step_cost_factor(throughput_gain=gain)
    before = lagrangian_condition(**point, inference_usd=1e6, training_usd=1e6)
    cheaper = dollars_after_harvest(usd=1e6, rollout_share=0.7, rollout_cost_factor=factor)

    in_training = lagrangian_condition(**point, inference_usd=1e6, training_usd=cheaper)
    at_inference = lagrangian_condition(**point, inference_usd=cheaper, training_usd=1e6)

    assert before.margin == pytest.approx(0.0)
    assert in_training.margin < 0.0 < at_inference.margin
    assert not in_training.favours_inference
    assert at_inference.favours_inference


def test_share_that_is_not_rollouts_keeps_its_price() -> None:
    assert dollars_after_harvest(usd=100.0, rollout_share=0.0, rollout_cost_factor=0.3) == 100.0
    assert dollars_after_harvest(usd=100.0, rollout_share=1.0, rollout_cost_factor=0.3) == pytest.approx(30.0)
