"""Closed loops, arrivals and two pools: golden values, balances and limits."""

from dataclasses import replace

import numpy as np
import pytest

from economics.serving.engine_load import Work, arrivals, closed_loop, disaggregated, token_s
from economics.serving.engine_time import EngineConstants, Split, decode_s, prefill_s
from tests.serving.test_engine_time import INSTANCE, LLAMA_8B

WORK = Work(input_tokens=922.0, output_tokens=922.0)
SMALL = replace(INSTANCE, model=LLAMA_8B, split=Split(gpus=1), constants=EngineConstants(layer_s=81e-6))


@pytest.mark.parametrize(("concurrency", "tokens_per_s"), [(4, 360), (16, 839), (64, 1784)])
def test_golden_rates_of_deepseek_r1_on_eight_h200(concurrency: float, tokens_per_s: float) -> None:
    """SGLang measured 329, 884 and 1,895 (formula S18)."""
    served = closed_loop(INSTANCE, WORK, concurrency=concurrency, running_most=1000.0)
    assert served.output_tokens_per_s == pytest.approx(tokens_per_s, rel=0.03)


def test_a_closed_loop_obeys_littles_law() -> None:
    served = closed_loop(INSTANCE, WORK, concurrency=64, running_most=1000.0)
    seconds = served.ttft_p50_s + 922 * served.tpot_p50_s
    assert served.output_tokens_per_s * seconds == pytest.approx(64 * 922)


def test_requests_beyond_the_batch_wait_and_the_rate_stays() -> None:
    full, twice = (closed_loop(INSTANCE, WORK, concurrency=count, running_most=64.0) for count in (64, 128))
    assert twice.output_tokens_per_s == pytest.approx(full.output_tokens_per_s)
    assert twice.tpot_p50_s == pytest.approx(full.tpot_p50_s)
    assert twice.ttft_p50_s > full.ttft_p50_s + 922 * full.tpot_p50_s


def test_instances_share_the_load() -> None:
    one = closed_loop(SMALL, WORK, concurrency=8, running_most=100.0)
    four = closed_loop(SMALL, WORK, concurrency=32, running_most=100.0, instances=4.0)
    assert four.output_tokens_per_s == pytest.approx(4 * one.output_tokens_per_s)
    assert four.tpot_p50_s == pytest.approx(one.tpot_p50_s)


def test_arrivals_run_the_batch_at_which_as_many_end_as_come() -> None:
    served = arrivals(SMALL, WORK, requests_per_s=2.0, running_most=500.0)
    assert served.output_tokens_per_s == pytest.approx(2.0 * 922)
    assert served.running == pytest.approx(2.0 * 922 * served.tpot_p50_s, rel=1e-6)


def test_more_arrivals_than_capacity_are_not_served() -> None:
    light, heavy, heavier = (arrivals(SMALL, WORK, requests_per_s=rate, running_most=100.0) for rate in (1.0, 1e3, 1e4))
    assert light.output_tokens_per_s < heavy.output_tokens_per_s == pytest.approx(heavier.output_tokens_per_s)
    assert heavy.running == pytest.approx(100.0)


def test_pools_are_in_balance() -> None:
    """What leaves prefill enters decode, and all requests are in one of the two."""
    pools = disaggregated(SMALL, SMALL, WORK, concurrency=64.0, running_most=500.0, prefill_workers=1.0, decode_workers=3.0)
    requests_per_s = pools.output_tokens_per_s / 922
    assert 3 * pools.running + requests_per_s * pools.ttft_p50_s == pytest.approx(64.0, rel=1e-3)
    assert pools.tpot_p50_s == pytest.approx(decode_s(SMALL, sequences=pools.running, context_tokens=1383))


def test_a_small_prefill_pool_is_the_bound_of_long_prompts() -> None:
    long = Work(input_tokens=30_000.0, output_tokens=100.0)
    one, two = (
        disaggregated(SMALL, SMALL, long, concurrency=200.0, running_most=200.0, prefill_workers=workers, decode_workers=4.0)
        for workers in (1.0, 2.0)
    )
    prompt_s = prefill_s(SMALL, prompts=1.0, input_tokens=30_000.0)
    assert one.output_tokens_per_s == pytest.approx(100 / prompt_s, rel=1e-6)
    assert two.output_tokens_per_s == pytest.approx(2 * one.output_tokens_per_s, rel=1e-6)


def test_a_decode_pool_alone_decodes_all_that_is_in_flight() -> None:
    """Wide expert parallelism: 72 H100 that decode DeepSeek-V3, 2,000 tokens in, gave 22.3k tokens/s per node of 8."""
    device = replace(INSTANCE.device, memory_bytes_per_s=3.35e12, memory_bytes=80e9)
    pool = replace(INSTANCE, device=device, split=Split(gpus=72, attention_data_parallel=1.0))
    served = disaggregated(
        pool,
        pool,
        Work(input_tokens=2000.0, output_tokens=200.0),
        concurrency=72 * 256.0,
        running_most=1e6,
        prefill_workers=np.inf,
        decode_workers=1.0,
    )
    assert served.running == pytest.approx(72 * 256, rel=1e-4)
    assert served.output_tokens_per_s / 9 == pytest.approx(22_300, rel=0.3)


def test_drafts_shorten_the_time_per_token_but_not_the_prompts() -> None:
    plain, drafted = (
        closed_loop(SMALL, replace(WORK, tokens_per_step=kept), concurrency=1.0, running_most=10.0) for kept in (1.0, 2.0)
    )
    assert drafted.tpot_p50_s == pytest.approx(plain.tpot_p50_s / 2)


def test_arrays_and_scalars_agree() -> None:
    counts = np.array([1.0, 8.0, 64.0])
    together = closed_loop(INSTANCE, WORK, concurrency=counts, running_most=1000.0).output_tokens_per_s
    alone = [closed_loop(INSTANCE, WORK, concurrency=count, running_most=1000.0).output_tokens_per_s for count in counts]
    assert together == pytest.approx(alone)


def test_drafts_that_are_stated_cost_their_drafting_and_verifying() -> None:
    """Three drafts keep 2.5 tokens a step; in a small batch that pays most, in a large one verifying is compute."""
    drafted = replace(WORK, tokens_per_step=2.5, tokens_each=4.0, draft_share=0.15)
    gains = []
    for running in (1.0, 500.0):
        plain, with_drafts = (token_s(SMALL, work, running=running) for work in (WORK, drafted))
        gains.append(plain / with_drafts)
    assert 1.5 < gains[0] < 2.5
    assert gains[1] < 0.75 * gains[0]
    free = replace(WORK, tokens_per_step=1.0, tokens_each=1.0, draft_share=0.0)
    assert token_s(SMALL, free, running=8.0) == decode_s(SMALL, sequences=8.0, context_tokens=free.context_tokens)


def test_a_cached_prompt_is_sooner_answered_but_fills_as_much_memory() -> None:
    plain, cached = (
        closed_loop(SMALL, replace(WORK, input_tokens=8000.0, cached_share=share), concurrency=16.0, running_most=100.0)
        for share in (0.0, 0.9)
    )
    assert cached.ttft_p50_s < plain.ttft_p50_s / 3
    assert cached.output_tokens_per_s > plain.output_tokens_per_s
    assert cached.tpot_p50_s > decode_s(SMALL, sequences=16.0, context_tokens=8461.0)


def test_arrivals_far_beyond_capacity_wait_long_and_light_ones_hardly() -> None:
    full = arrivals(SMALL, WORK, requests_per_s=1e9, running_most=100.0).output_tokens_per_s / 922
    light, busy, far = (arrivals(SMALL, WORK, requests_per_s=share * full, running_most=100.0) for share in (0.1, 0.9, 4.0))
    assert light.ttft_p50_s < light.ttft_p99_s < 2.5 * light.ttft_p50_s
    assert light.ttft_p99_s < busy.ttft_p99_s
    assert far.ttft_p50_s > 10 * busy.ttft_p50_s
