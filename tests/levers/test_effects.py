"""Levers: each against its closed form, at its limits, and together against the product of what each does alone."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from economics.levers.effects import (
    Lever,
    awq,
    batching,
    clock_lock,
    composed,
    edge_silicon,
    harvested_slack,
    interaction,
    low_precision,
    prefix_caching,
    speculative_decoding,
    ssm_hybrid,
)
from economics.levers.energy import ClockResponse
from economics.levers.operating_point import Power, ServedPoint, at_load, decode_joules_per_token, memory_share, outcome
from economics.serving.step_time import memory_batch, weight_read_s
from tests.serving.scenarios import golden

POWER = Power(memory_w=300.0, compute_w=700.0, prefill_w=700.0, limit_w=700.0)
RESPONSE = ClockResponse(sm_share=0.6)
ALL: dict[str, Lever] = {
    "awq": partial(awq, byte_ratio=0.28, dequantisation_share=0.09),
    "fp8": partial(low_precision, byte_ratio=0.5, flop_ratio=2.0),
    "ssm": partial(ssm_hybrid, attention_share=1 / 8, state_bytes_per_sequence=1e6),
    "speculation": partial(speculative_decoding, acceptance=0.8, draft_length=4.0, draft_cost_ratio=0.05),
    "clock": partial(clock_lock, clock_ratio=0.8, response=RESPONSE),
    "slack": partial(harvested_slack, idle_share=0.3, idle_usd_per_gpu_hour=0.05),
    "prefix": partial(prefix_caching, hit_share=0.4),
    "batching": partial(batching, factor=4.0),
}
NOTHING: dict[str, Lever] = {
    "awq": partial(awq, byte_ratio=1.0, dequantisation_share=0.0),
    "fp8": partial(low_precision, byte_ratio=1.0, flop_ratio=1.0),
    "ssm": partial(ssm_hybrid, attention_share=1.0),
    "speculation": partial(speculative_decoding, acceptance=0.8, draft_length=0.0, draft_cost_ratio=0.05),
    "clock": partial(clock_lock, clock_ratio=1.0, response=RESPONSE),
    "slack": partial(harvested_slack, idle_share=0.0, idle_usd_per_gpu_hour=0.05),
    "prefix": partial(prefix_caching, hit_share=0.0),
    "batching": partial(batching, factor=1.0),
}


def at(gpu: str = "H100", architecture: str = "disaggregated", batch: float = np.inf, **symbols: float) -> ServedPoint:
    scenario = golden(gpu, **{"decode_compute_bound": True, **symbols})
    return ServedPoint(scenario=scenario, architecture=architecture, power=POWER, correct_share=0.5, batch_limit=batch)


def usd_ratio(lever: Lever, point: ServedPoint) -> float:
    return float(outcome(lever(point)).cost.usd_per_token / outcome(point).cost.usd_per_token)


def decode_ratio(lever: Lever, point: ServedPoint) -> float:
    return float(outcome(lever(point)).cost.decode_usd_per_token / outcome(point).cost.decode_usd_per_token)


def joules_ratio(lever: Lever, point: ServedPoint) -> float:
    return float(outcome(lever(point)).joules_per_token / outcome(point).joules_per_token)


class TestEveryLever:
    @pytest.mark.parametrize("architecture", ["unchunked", "chunked", "disaggregated"])
    @pytest.mark.parametrize("name", NOTHING)
    def test_at_its_neutral_setting_it_changes_nothing(self, name: str, architecture: str) -> None:
        point = at(architecture=architecture, batch=16.0)
        assert usd_ratio(NOTHING[name], point) == pytest.approx(1.0, rel=1e-9)
        assert joules_ratio(NOTHING[name], point) == pytest.approx(1.0, rel=1e-9)

    @pytest.mark.parametrize("name", ALL)
    def test_it_leaves_the_point_it_was_given_as_it_was(self, name: str) -> None:
        point = at(batch=16.0)
        before = outcome(point).cost.usd_per_token
        ALL[name](point)
        assert outcome(point).cost.usd_per_token == before

    @pytest.mark.parametrize("name", [name for name in ALL if name != "slack"])
    def test_only_harvested_slack_and_other_hardware_change_the_price_of_an_hour(self, name: str) -> None:
        assert ALL[name](at()).scenario.hardware.usd_per_s == at().scenario.hardware.usd_per_s

    @given(st.floats(0.1, 10.0), st.sampled_from(sorted(ALL)))
    def test_effects_do_not_depend_on_the_currency(self, factor: float, name: str) -> None:
        if name == "slack":  # its idle price is in the same currency
            return
        dear = at(usd_per_gpu_hour=2.0 * factor)
        assert usd_ratio(ALL[name], dear) == pytest.approx(usd_ratio(ALL[name], at()))

    @given(st.floats(0.01, 100.0))
    def test_effects_do_not_depend_on_the_unit_of_time(self, factor: float) -> None:
        """Rates and bounds in another unit of time: dimensions cancel in every ratio."""
        hardware = golden().hardware
        scaled = at(
            flops_per_s=hardware.flops_per_s * factor,
            hbm_bytes_per_s=hardware.hbm_bytes_per_s * factor,
            bandwidth_bytes_per_s=300e9 * factor,
            ttft_s=1.0 / factor,
            tpot_s=0.05 / factor,
        )
        for lever in ALL.values():
            assert usd_ratio(lever, scaled) == pytest.approx(usd_ratio(lever, at()), rel=1e-6)

    def test_arrays_and_numbers_agree(self) -> None:
        shares = np.array([0.0, 0.3, 0.6])
        together = outcome(prefix_caching(at(), hit_share=shares)).cost.usd_per_token
        alone = [outcome(prefix_caching(at(), hit_share=share)).cost.usd_per_token for share in shares]
        assert together == pytest.approx(alone)


class TestAwq:
    def test_one_sequence_gains_what_the_weight_bytes_lose(self) -> None:
        alone = at(batch=1.0, context_tokens=1.0)
        assert decode_ratio(partial(awq, byte_ratio=0.28, dequantisation_share=0.0), alone) == pytest.approx(0.28, abs=1e-3)

    @given(st.floats(0.0, 0.5))
    def test_where_decode_is_compute_bound_the_gain_shrinks_to_the_dequantisation_overhead(self, overhead: float) -> None:
        """Short contexts on an A100: a full batch computes longer than it reads, so fewer bytes do not help."""
        full = at("A100", context_tokens=50.0, tpot_s=0.2, input_tokens=100.0)
        assert outcome(full).cost.batch > 500
        lever = partial(awq, byte_ratio=0.28, dequantisation_share=overhead)
        assert decode_ratio(lever, full) == pytest.approx(1.0 + overhead, rel=1e-6)

    def test_it_is_a_memory_lever_its_gain_falls_with_the_batch(self) -> None:
        lever = ALL["awq"]
        gains = [1.0 / decode_ratio(lever, at(batch=batch, context_tokens=512.0)) for batch in (1.0, 8.0, 64.0, 256.0)]
        assert gains == sorted(gains, reverse=True)
        assert gains[0] > 3.0
        assert gains[-1] < 1.6

    def test_prefill_never_gains(self) -> None:
        before, after = outcome(at()), outcome(ALL["awq"](at()))
        assert after.cost.prefill_usd_per_token > before.cost.prefill_usd_per_token

    def test_lost_answers_raise_the_cost_of_a_correct_one(self) -> None:
        same = awq(at(), byte_ratio=0.28, dequantisation_share=0.0)
        worse = awq(at(), byte_ratio=0.28, dequantisation_share=0.0, correct_ratio=0.98)
        assert outcome(worse).usd_per_correct == pytest.approx(outcome(same).usd_per_correct / 0.98)
        unknown = awq(at(), byte_ratio=0.28, dequantisation_share=0.0, correct_ratio=np.nan)
        assert np.isnan(outcome(unknown).usd_per_correct)


class TestLowPrecision:
    def test_where_everything_is_compute_or_weights_the_cost_halves(self) -> None:
        lever = partial(low_precision, byte_ratio=0.5, flop_ratio=2.0, kv_byte_ratio=0.5)
        unloaded = at(prefill_replicas=1e6, ttft_s=1e6, bandwidth_bytes_per_s=1e18, batch=8.0)
        assert usd_ratio(lever, unloaded) == pytest.approx(0.5, rel=1e-6)

    def test_kv_kept_at_16_bits_bounds_the_gain_of_a_full_batch(self) -> None:
        full, light = at(), at(batch=1.0)
        assert decode_ratio(ALL["fp8"], full) > decode_ratio(ALL["fp8"], light)


class TestSpeculation:
    @pytest.mark.parametrize(("a", "k", "c", "gain"), [(0.8, 4.0, 0.05, 2.80), (0.8, 4.0, 0.2, 1.87), (0.6, 4.0, 0.05, 1.92)])
    def test_golden_gain_while_verification_is_free(self, a: float, k: float, c: float, gain: float) -> None:
        lever = partial(speculative_decoding, acceptance=a, draft_length=k, draft_cost_ratio=c)
        assert 1.0 / decode_ratio(lever, at(batch=1.0)) == pytest.approx(gain, abs=0.005)

    def test_at_a_saturated_batch_it_costs_more_than_it_brings(self) -> None:
        """Golden limit: verification takes k + 1 times the arithmetic, so the gain is E / (k + 1), less the drafts."""
        full = at("A100", context_tokens=50.0, tpot_s=0.2, input_tokens=100.0)
        free_draft = partial(speculative_decoding, acceptance=0.8, draft_length=4.0, draft_cost_ratio=0.0)
        assert 1.0 / decode_ratio(free_draft, full) == pytest.approx(3.3616 / 5.0, rel=1e-3)


class TestHybrid:
    def test_memory_holds_eight_times_the_sequences(self) -> None:
        before = memory_batch(at().scenario)
        after = memory_batch(ssm_hybrid(at(), attention_share=1 / 8).scenario)
        assert after == pytest.approx(8.0 * before)

    def test_a_pure_state_space_model_does_not_feel_the_context(self) -> None:
        pure = partial(ssm_hybrid, attention_share=0.0, state_bytes_per_sequence=5e7)
        short, long = (outcome(pure(at(context_tokens=c, batch=8.0))).cost.decode_usd_per_token for c in (1e3, 1e6))
        assert long == pytest.approx(short)

    def test_the_gain_grows_with_the_context(self) -> None:
        gains = [1.0 / decode_ratio(ALL["ssm"], at("H200", context_tokens=c)) for c in (1e3, 4e3, 16e3, 64e3)]
        assert gains == sorted(gains)


class TestClock:
    def test_a_locked_decode_pool_waits_for_memory_as_before_and_draws_less(self) -> None:
        lever = ALL["clock"]
        assert usd_ratio(lever, at(batch=8.0)) == pytest.approx(1.0)
        assert joules_ratio(lever, at(batch=8.0)) < 1.0

    def test_a_colocated_replica_pays_with_its_prefill(self) -> None:
        point = at(architecture="chunked", batch=8.0)
        assert usd_ratio(ALL["clock"], point) > 1.0
        after, before = outcome(ALL["clock"](point)).cost, outcome(point).cost
        assert after.prefill_usd_per_token / before.prefill_usd_per_token == pytest.approx(1.0 / 0.8)

    @given(st.floats(0.3, 1.0))
    def test_energy_of_memory_bound_decode_follows_the_draw(self, clock: float) -> None:
        point = replace(at(batch=1.0), power=replace(POWER, compute_w=1e-9))
        locked = clock_lock(point, clock_ratio=clock, response=RESPONSE)
        before, after = (decode_joules_per_token(each.scenario, each.power, batch=1.0) for each in (point, locked))
        assert after / before == pytest.approx(RESPONSE.draw_factor(clock_ratio=clock))


class TestSlack:
    @pytest.mark.parametrize(("idle_share", "gain"), [(1.0 - 1.0 / 1.20, 1.20), (1.0 - 1.0 / 3.31, 3.31)])
    def test_published_gains_as_idle_shares_nearly_free(self, idle_share: float, gain: float) -> None:
        lever = partial(harvested_slack, idle_share=idle_share, idle_usd_per_gpu_hour=1e-9)
        assert 1.0 / usd_ratio(lever, at()) == pytest.approx(gain, rel=1e-6)

    def test_it_cannot_be_cheaper_than_the_idle_price(self) -> None:
        lever = partial(harvested_slack, idle_share=1.0, idle_usd_per_gpu_hour=0.5)
        assert usd_ratio(lever, at(usd_per_gpu_hour=2.0)) == pytest.approx(0.25)


class TestPrefix:
    @given(st.floats(0.0, 0.99))
    def test_prefill_falls_by_the_hit_share(self, hit: float) -> None:
        point = at(architecture="chunked", batch=8.0)
        after, before = outcome(prefix_caching(point, hit_share=hit)).cost, outcome(point).cost
        assert after.prefill_usd_per_token / before.prefill_usd_per_token == pytest.approx(1.0 - hit)
        assert after.decode_usd_per_token == pytest.approx(before.decode_usd_per_token)

    @given(st.floats(0.0, 0.9), st.floats(0.0, 0.9))
    def test_two_caches_multiply_their_misses(self, first: float, second: float) -> None:
        twice = prefix_caching(prefix_caching(at(), hit_share=first), hit_share=second)
        assert twice.scenario.refinements.prefix_hit_share == pytest.approx(1.0 - (1.0 - first) * (1.0 - second))


class TestBatching:
    def test_weights_are_read_for_more_sequences(self) -> None:
        light = at(batch=8.0, context_tokens=1.0)
        assert decode_ratio(partial(batching, factor=4.0), light) == pytest.approx(0.25, abs=2e-3)

    def test_full_memory_stays_full(self) -> None:
        point = at(batch=1e6)
        assert outcome(batching(point, factor=10.0)).cost.batch == outcome(point).cost.batch

    @given(st.floats(1.0, 60.0))
    def test_the_limit_holds(self, batch: float) -> None:
        assert outcome(at(batch=batch)).cost.batch == pytest.approx(batch)

    def test_freed_memory_is_not_filled_by_nobody(self) -> None:
        """AWQ under light load: there are no more users because the weights got smaller."""
        assert outcome(ALL["awq"](at(batch=8.0))).cost.batch == pytest.approx(8.0)

    def test_memory_share_inverts_the_memory_batch(self) -> None:
        scenario = at_load(at(batch=12.0))
        assert memory_share(scenario, batch=12.0) == pytest.approx(scenario.efficiency.memory_share)


class TestEdge:
    def test_other_hardware_same_work(self) -> None:
        hardware = replace(golden().hardware, usd_per_gpu_hour=0.2, hbm_bytes_per_s=1.792e12, hbm_bytes=32e9, flops_per_s=1e14)
        lever = partial(edge_silicon, hardware=hardware, power=replace(POWER, memory_w=575.0, limit_w=575.0))
        point = lever(at(batch=8.0))
        assert (point.scenario.workload.input_tokens, point.batch_limit) == (3500.0, 8.0)
        assert weight_read_s(
            hardware=hardware, model=point.scenario.model, efficiency=point.scenario.efficiency
        ) == pytest.approx(16e9 / (0.8 * 1.792e12))

    def test_too_slow_for_the_contract_is_infeasible_and_has_no_cost(self) -> None:
        slow = replace(golden().hardware, hbm_bytes_per_s=102e9, hbm_bytes=64e9)
        spent = outcome(edge_silicon(at(batch=1.0), hardware=slow, power=POWER))
        assert not spent.feasible
        assert np.isinf(spent.cost.usd_per_token)
        assert np.isnan(spent.joules_per_token)


class TestTogether:
    def test_levers_on_separate_terms_multiply(self) -> None:
        """The price of an hour and what is done with it do not meet."""
        singles = [usd_ratio(ALL[name], at()) for name in ("slack", "awq")]
        joint = usd_ratio(composed([ALL["slack"], ALL["awq"]]), at())
        assert interaction(joint_ratio=joint, single_ratios=singles) == pytest.approx(1.0, rel=1e-9)

    def test_two_levers_on_the_weight_read_save_it_only_once(self) -> None:
        light = at(batch=8.0)
        singles = [usd_ratio(ALL[name], light) for name in ("awq", "batching")]
        joint = usd_ratio(composed([ALL["awq"], ALL["batching"]]), light)
        assert interaction(joint_ratio=joint, single_ratios=singles) > 1.1

    def test_more_arithmetic_per_second_helps_verification(self) -> None:
        full = at("A100", context_tokens=1000.0, tpot_s=0.1, input_tokens=200.0)
        singles = [decode_ratio(ALL[name], full) for name in ("fp8", "speculation")]
        assert singles[1] > 1.0  # at 16 bits speculation loses
        joint = decode_ratio(composed([ALL["fp8"], ALL["speculation"]]), full)
        assert joint < singles[0]  # at 8 bits it pays
        assert interaction(joint_ratio=joint, single_ratios=singles) < 1.0

    @given(st.permutations(sorted(set(ALL) - {"clock"})))
    def test_the_order_does_not_matter(self, names: list[str]) -> None:
        light = at(batch=16.0)
        expected = usd_ratio(composed(ALL[name] for name in sorted(names)), light)
        assert usd_ratio(composed(ALL[name] for name in names), light) == pytest.approx(expected, rel=1e-9)

    def test_no_lever_is_the_point_itself(self) -> None:
        assert composed([])(point := at()) is point


@pytest.mark.parametrize(
    ("lever", "message"),
    [
        (partial(awq, byte_ratio=0.0, dequantisation_share=0.0), "byte_ratio"),
        (partial(awq, byte_ratio=0.28, dequantisation_share=-0.1), "dequantisation_share"),
        (partial(low_precision, byte_ratio=0.5, flop_ratio=0.5), "flop_ratio"),
        (partial(ssm_hybrid, attention_share=1.1), "attention_share"),
        (partial(ssm_hybrid, attention_share=0.0), "bytes_per_sequence"),
        (partial(clock_lock, clock_ratio=1.2, response=RESPONSE), "clock_ratio"),
        (partial(harvested_slack, idle_share=0.5, idle_usd_per_gpu_hour=0.0), "idle_usd_per_gpu_hour"),
        (partial(prefix_caching, hit_share=1.0), "prefix_hit_share"),
        (partial(batching, factor=0.0), "factor"),
    ],
)
def test_a_value_outside_its_domain_is_named(lever: Callable[[ServedPoint], ServedPoint], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lever(at())


def test_an_operating_point_says_what_is_wrong_with_it() -> None:
    with pytest.raises(ValueError, match="architecture"):
        at(architecture="sideways")
    with pytest.raises(ValueError, match="correct_share"):
        replace(at(), correct_share=1.5)
    with pytest.raises(ValueError, match="batch_limit"):
        replace(at(), batch_limit=0.0)
