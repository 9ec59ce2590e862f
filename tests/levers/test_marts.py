"""The tables of levers, energy and edge devices: evidence read right, published effects, and what a reader would check."""

import duckdb
import numpy as np
import polars as pl
import pytest

from assets.levers.anchor_steps import awq_byte_ratio, drafted_steps, stated_draft_cost, step_gain
from assets.levers.catalogue import (
    EXCLUSIVE,
    POINTS,
    STACKS,
    accuracy_ratios,
    compatible,
    dequantisation_shares,
    device_rows,
    evidence,
)
from assets.levers.edge import against_api, api_prices
from assets.levers.effects import anchored
from schemas.levers.effects import LEVERS
from tests.evidence.test_published_figures import CITED, FIGURES

EVIDENCE = evidence(CITED)


class TestEvidence:
    def test_dequantisation_is_read_off_prefill_with_whole_prompts(self) -> None:
        shares = dequantisation_shares(CITED)
        assert shares["RTX 4090"] == pytest.approx(163.90 / 162.27 - 1.0)
        assert shares["Jetson AGX Orin"] == pytest.approx(1145.35 / 1048.11 - 1.0)
        assert EVIDENCE.dequantisation_share == max(shares.values())

    def test_accuracy_with_awq_is_measured_on_four_models_and_nine_benchmarks(self) -> None:
        ratios = accuracy_ratios(CITED.filter(pl.col("paper") == "levers", pl.col("metric") == "accuracy_percent"))
        assert ratios.height == 36
        assert ratios.filter(model="vila-1.5-8b", workload="mmbench")["ratio"].item() == pytest.approx(71.0 / 72.3)
        assert 0.99 < EVIDENCE.awq_correct_ratio < 1.0

    def test_a_device_whose_bandwidth_is_only_recalled_is_left_out(self) -> None:
        assert "Snapdragon 8 Gen 3" in device_rows(FIGURES)
        assert "Snapdragon 8 Gen 3" not in device_rows(CITED)

    def test_what_a_device_does_not_state_is_unknown(self) -> None:
        devices = device_rows(CITED)
        assert devices["Apple M3 Ultra"]["power_w"] is None
        assert devices["Jetson AGX Orin 64 GB"]["device_usd"] is None
        assert (devices["Jetson AGX Orin 64 GB"]["low_power_w"], devices["Jetson AGX Orin 64 GB"]["power_w"]) == (
            15.0,
            60.0,
        )

    def test_levers_that_set_the_same_symbol_never_meet(self) -> None:
        assert not compatible(("awq", "fp8"))
        assert compatible(("awq", "clock_lock", "harvested_slack"))
        assert all(compatible(stack) for stack in STACKS)
        assert {name for pair in EXCLUSIVE for name in pair} <= set(LEVERS)

    def test_errors_of_fitted_and_assumed_figures_are_no_test(self) -> None:
        rows = pl.DataFrame(
            {
                "lever": ["clock_lock", "awq", "awq", "harvested_slack"],
                "in_sample": [True, False, False, False],
                "prediction": ["point", "point", "upper_bound", "assumed"],
                "error": [0.0, 0.5, -0.1, 0.3],
                "published_gain": [1.2, 2.0, 3.0, 1.4],
                "published_low": [None, None, 1.5, None],
                "published_high": [None, None, 4.0, None],
            },
            schema_overrides={"published_low": pl.Float64, "published_high": pl.Float64},
        )
        summary = anchored(rows).row(0, named=True)
        assert summary["levers"] == "awq"
        assert (summary["anchors"], summary["anchor_gain_low"], summary["anchor_gain_high"]) == (2, 1.5, 4.0)
        assert summary["anchor_median_error"] == pytest.approx(0.2)
        assert summary["anchor_median_absolute_error"] == pytest.approx(0.3)


class TestSteps:
    LLAMA_3_8B = {
        "dense_parameters": 6.98e9,
        "expert_parameters": None,
        "vocabulary": 128_256,
        "hidden": 4096,
        "layers": 32,
    }

    def test_a_large_vocabulary_in_16_bits_keeps_awq_from_a_quarter_of_the_bytes(self) -> None:
        assert awq_byte_ratio(self.LLAMA_3_8B) == pytest.approx(0.31, abs=0.005)
        assert awq_byte_ratio(self.LLAMA_3_8B | {"vocabulary": 32_000}) == pytest.approx(0.27, abs=0.005)

    def test_a_faster_memory_leaves_more_to_the_fixed_time(self) -> None:
        gains = [step_gain(self.LLAMA_3_8B, bytes_per_s=bandwidth) for bandwidth in (0.2e12, 1e12, 2e12, 1e15)]
        assert gains == sorted(gains, reverse=True)
        assert gains[0] < 1.0 / awq_byte_ratio(self.LLAMA_3_8B)
        assert gains[-1] == pytest.approx(1.0, abs=0.02)

    def test_a_drafted_step_is_read_off_the_other_systems(self) -> None:
        points = pl.DataFrame(
            {
                "figure": ["spec_bench_a_7b", "spec_bench_b_7b", "spec_bench_c_7b", "spec_bench_pld_7b"],
                "value": [2.0, 2.0, 2.0, 1.7],
                "tokens_per_pass": [3.0, 4.0, 5.0, 1.8],
            }
        )
        assert drafted_steps(points) == pytest.approx(
            {"spec_bench_a_7b": 2.25, "spec_bench_b_7b": 2.0, "spec_bench_c_7b": 1.75}
        )

    def test_a_cost_of_which_only_an_end_is_stated_lies_between_the_weights_and_that_end(self) -> None:
        cost, how = stated_draft_cost("T5-XXL 11B, EnDe, draft T5-small, temperature 0")
        assert 60e6 / 11e9 < cost < 0.05
        assert "0.005" in how


class TestApi:
    PRICES = pl.DataFrame(
        [
            (provider, "llama-3.1-8b", leg, 0, variant, "always", usd)
            for provider, variant, legs in (
                ("cheap", "standard", {"input": 0.02, "output": 0.05}),
                ("dear", "standard", {"input": 0.2, "output": 0.2}),
                ("batch", "batch", {"input": 0.001, "output": 0.001}),
                ("half", "standard", {"output": 0.001}),
            )
            for leg, usd in legs.items()
        ],
        schema=["provider", "model", "leg", "tier_min_tokens", "variant", "price_window", "usd_per_mtok"],
        orient="row",
    )

    def test_only_whole_standard_offers_count(self) -> None:
        prices = api_prices(self.PRICES).sort("api_basis")
        assert prices["api_basis"].to_list() == ["cheapest_host", "median_of_hosts"]
        assert prices["api_usd_per_mtok"].to_list() == pytest.approx([0.05 + 3 * 0.02, (0.11 + 0.8) / 2])
        assert prices["api_hosts"].to_list() == [2, 2]

    def test_a_device_without_a_price_is_left_out_and_one_that_is_too_small_too(self) -> None:
        devices = pl.DataFrame(
            {
                "device": ["card", "unpriced", "small"],
                "model": ["llama-3.1-8b"] * 3,
                "device_usd": [1599.0, None, 100.0],
                "power_w": [450.0] * 3,
                "memory_bytes_per_s": [1.008e12] * 3,
                "memory_bytes": [24e9, 24e9, 4e9],
                "weight_bytes": [4.5e9] * 3,
                "kv_bytes": [1.3e8] * 3,
                "fits": [True, True, False],
            }
        )
        shapes = pl.DataFrame({"model": ["llama-3.1-8b"], "active_parameters": [8.03e9]})
        found = against_api(devices, shapes, api_prices(self.PRICES))
        assert set(found["device"]) == {"card"}
        assert found.height == 6 * 5 * 2 * 2
        alone = found.filter(sequences=1, api_basis="cheapest_host", usd_per_kwh=0.15)
        assert alone["never"].all()
        assert alone["break_even_utilisation"].null_count() == alone.height
        together = found.filter(sequences=8, api_basis="cheapest_host", usd_per_kwh=0.15, utilisation=1.0)
        assert together["usd_over_api"].item() < 1.0


def rows(warehouse: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    return warehouse.execute(query).fetchall()


class TestWarehouse:
    def test_every_point_has_every_lever_or_says_why_not(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        found = rows(warehouse, "SELECT operating_point, levers FROM marts.lever_effects WHERE n_levers = 1")
        assert {(point.name, lever) for point in POINTS for lever in LEVERS} == set(found)
        silent = "SELECT count(*) FROM marts.lever_effects WHERE usd_ratio IS NULL AND obstacle IS NULL"
        assert rows(warehouse, silent) == [(0,)]

    def test_awq_gains_under_light_load_and_loses_where_decode_computes(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        ratio = dict(rows(warehouse, "SELECT operating_point, usd_ratio FROM marts.lever_effects WHERE levers = 'awq'"))
        assert ratio["chat_light_load"] < 0.65
        assert ratio["short_answers"] == pytest.approx(1.0 + EVIDENCE.dequantisation_share, rel=0.01)

    def test_a_clock_lock_leaves_the_cost_of_a_decode_pool_and_cuts_its_energy(
        self, warehouse: duckdb.DuckDBPyConnection
    ) -> None:
        query = "SELECT architecture, usd_ratio, joules_ratio FROM marts.lever_effects WHERE levers = 'clock_lock'"
        for architecture, usd, joules in rows(warehouse, query):
            assert joules < 1.01  # a GPU that computes at its limit all the time saves nothing
            assert usd == pytest.approx(1.0) if architecture == "disaggregated" else usd > 1.0

    def test_slack_never_meets_another_lever_and_the_same_saving_is_not_made_twice(
        self, warehouse: duckdb.DuckDBPyConnection
    ) -> None:
        query = "SELECT levers, usd_interaction FROM marts.lever_effects WHERE n_levers = 2 AND usd_interaction IS NOT NULL"
        pairs = rows(warehouse, query)
        slack = [value for levers, value in pairs if "harvested_slack" in levers]
        assert slack == pytest.approx([1.0] * len(slack))
        assert max(value for levers, value in pairs if levers == "batching + awq") > 1.1

    def test_published_effects_stand_beside_predictions(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        anchors = {
            figure: (published, predicted, error)
            for figure, published, predicted, error in rows(
                warehouse, "SELECT figure, published_gain, predicted_gain, error FROM marts.lever_anchor"
            )
        }
        assert anchors["jamba_kv_256k"] == pytest.approx((8.0, 8.0, 0.0))
        assert anchors["prefill_time_conversation"] == pytest.approx((1 / 0.64, 1 / 0.60, 0.64 / 0.60 - 1))
        assert anchors["tinychat_a100_awq"][1] < 2.5  # a fixed time per layer keeps the A100 far from the memory bound
        assert anchors["vllm_draft_high_load"][1] < 1.0  # the closed form sees the slowdown
        assert anchors["h200_clock_lock_saving"][1] is None  # the clock is not told

    def test_few_anchors_are_off_by_more_than_a_quarter_and_each_says_why(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        off = rows(warehouse, "SELECT figure, off_reason FROM marts.lever_anchor WHERE abs(error) > .25")
        assert len(off) <= 8
        assert all(off_reason for _, off_reason in off)
        points = "SELECT DISTINCT lever FROM marts.lever_anchor WHERE prediction = 'point' AND abs(error) > .25"
        assert rows(warehouse, points) == [("batching",)]
        assumed = "SELECT DISTINCT lever FROM marts.lever_anchor WHERE prediction = 'assumed'"
        assert set(rows(warehouse, assumed)) == {("harvested_slack",), ("speculative_decoding",)}

    def test_upper_bounds_hold(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        broken = "SELECT figure FROM marts.lever_anchor WHERE prediction = 'upper_bound' AND error < 0"
        assert rows(warehouse, broken) == []

    def test_energy_of_a_token_falls_with_the_batch_and_the_clock(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        query = (
            "SELECT high_joules_per_token FROM marts.energy_per_token "
            "WHERE gpu = 'h200-sxm' AND model = 'llama-3.1-8b' AND clock_ratio = 1 ORDER BY batch"
        )
        joules = np.array([value for (value,) in rows(warehouse, query)])
        assert np.all(np.diff(joules) < 0.0)
        assert joules[0] / joules[-1] > 12.0
        # A GPU at its limit stays there until the clock is low enough; at small batches a lock that costs nothing saves.
        free = "clock_ratio < 1 AND throughput_ratio = 1 AND batch <= 32"
        lower = f"SELECT count(*) FROM marts.energy_per_token WHERE {free} AND joules_ratio >= 1"
        assert rows(warehouse, lower) == [(0,)]

    def test_the_draw_lies_between_idle_wait_and_limit(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        outside = "SELECT count(*) FROM marts.energy_per_token WHERE high_w > limit_w * (1 + 1e-9) OR low_w > high_w"
        assert rows(warehouse, outside) == [(0,)]

    def test_energy_of_an_engine_stands_beside_that_of_its_bare_steps(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        """The fixed time of a layer costs a fifth of an 8B model's energy at most; measured draws are met at large batches."""
        ((low, high),) = rows(warehouse, "SELECT min(step_error), max(step_error) FROM marts.energy_per_token")
        assert -0.05 < low < high < 0.25
        published = "SELECT high_error FROM marts.energy_per_token WHERE published_joules_per_token IS NOT NULL AND batch = 8"
        assert rows(warehouse, published)[0][0] == pytest.approx(0.0, abs=0.1)

    def test_electricity_is_a_small_share_of_rent(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        ((most, saved),) = rows(
            warehouse, "SELECT max(high_share_of_rent), max(saved_share_of_rent) FROM marts.energy_per_token"
        )
        assert most < 0.05
        assert saved < 0.02

    def test_no_measured_rate_is_above_its_ceiling(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        query = "SELECT device, plausible FROM core.edge_device WHERE measured_high_tokens_per_s IS NOT NULL"
        found = rows(warehouse, query)
        assert len(found) == 3
        assert all(plausible for _, plausible in found)
