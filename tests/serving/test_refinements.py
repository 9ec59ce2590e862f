"""What each refinement does to the cost of a served token, one at a time."""

import pytest

from economics.serving.cost import ARCHITECTURES, cost
from economics.serving.symbols import Efficiency, Hardware
from tests.serving.scenarios import GPUS, PRICE, golden


def usd(scenario, architecture):
    return cost(scenario=scenario, architecture=architecture).usd_per_token


def ratio(scenario):
    return usd(scenario, "disaggregated") / usd(scenario, "chunked")


def test_overlap_helps_chunked_colocation_only():
    loose = {"tpot_s": 0.05, "input_per_output": 10.0}
    plain, half, full = (golden(overlap=o, **loose) for o in (0.0, 0.5, 1.0))
    assert usd(full, "chunked") < usd(half, "chunked") < usd(plain, "chunked")
    assert usd(full, "disaggregated") == usd(plain, "disaggregated")
    # Fully overlapped, a token costs the slower of its compute and its memory time.
    paid = cost(scenario=full, architecture="chunked")
    compute_s, memory_s = 10 * 16e9 / (0.5 * 989e12), (16e9 / paid.batch + 131_072 * 4096) / (0.8 * 3.35e12)
    assert paid.usd_per_token == pytest.approx(PRICE / 3600 * max(compute_s, memory_s))


def test_overlap_moves_the_partition():
    assert ratio(golden(input_per_output=100.0)) < 1 < ratio(golden(input_per_output=100.0, overlap=1.0))


def test_ttft_coupling_costs_chunked_colocation_most_where_ttft_is_tight():
    tight, loose = ({"ttft_s": s, "tpot_s": 0.03, "input_per_output": 2.0} for s in (0.15, 10.0))
    assert usd(golden(ttft_coupling=True, **tight), "chunked") > 1.2 * usd(golden(**tight), "chunked")
    assert usd(golden(ttft_coupling=True, **loose), "chunked") == usd(golden(**loose), "chunked")
    assert usd(golden(ttft_coupling=True, **tight), "disaggregated") == usd(golden(**tight), "disaggregated")


def test_pool_imbalance_divides_the_pools():
    plain = cost(scenario=golden(), architecture="disaggregated")
    unmatched = cost(scenario=golden(prefill_pool_efficiency=0.9, decode_pool_efficiency=0.92), architecture="disaggregated")
    assert unmatched.prefill_usd_per_token == pytest.approx(plain.prefill_usd_per_token / 0.9)
    assert unmatched.decode_usd_per_token == pytest.approx(plain.decode_usd_per_token / 0.92)
    assert unmatched.kv_tax_usd_per_token == plain.kv_tax_usd_per_token


def test_pool_imbalance_turns_the_golden_partition():
    """Rate matching at 90 and 92 % takes the win from disaggregation where it won by under eight percent."""
    matched, unmatched = (
        ratio(golden(input_per_output=100.0, **pools))
        for pools in ({}, {"prefill_pool_efficiency": 0.9, "decode_pool_efficiency": 0.92})
    )
    assert matched < 1 < unmatched


def test_prefill_attention_slows_prefill_by_its_flop():
    shape = {"layers": 32.0, "query_heads": 32.0, "head_dim": 128.0, "bandwidth_bytes_per_s": 1e15, "ttft_s": 100.0}
    plain, attending = (
        cost(scenario=golden(prefill_attention=on, input_tokens=32_000.0, **shape), architecture="chunked")
        for on in (False, True)
    )
    flop = 2 * 8e9
    expected = (flop + 2 * 32 * 32 * 128 * 32_000) / flop
    assert attending.prefill_usd_per_token / plain.prefill_usd_per_token == pytest.approx(expected)


def test_decode_is_never_faster_than_its_flop():
    roomy = {"hbm_bytes": 1e13, "kv_bytes_per_token": 100.0, "tpot_s": 0.05}
    paid = cost(scenario=golden(decode_compute_bound=True, **roomy), architecture="disaggregated")
    assert paid.decode_usd_per_token == pytest.approx(PRICE / 3600 * 2 * 8e9 / (0.5 * 989e12))
    assert paid.batch == pytest.approx(0.05 * 0.5 * 989e12 / (2 * 8e9))
    assert usd(golden(decode_compute_bound=True), "disaggregated") == usd(golden(), "disaggregated")


def test_a_prefix_hit_saves_prefill_but_not_transfer():
    plain, cached = (
        cost(scenario=golden(prefix_hit_share=h, percentile=0.0), architecture="disaggregated") for h in (0.0, 0.4)
    )
    assert cached.prefill_usd_per_token == pytest.approx(0.6 * plain.prefill_usd_per_token)
    assert cached.kv_tax_usd_per_token == plain.kv_tax_usd_per_token


def test_small_chunks_read_the_prompt_again():
    """3,500 tokens in chunks of 500: the second reads 500 again, the seventh 3,000, together 10,500 tokens."""
    plain, chunks = (
        cost(scenario=golden(chunk_tokens=tokens), architecture="chunked").prefill_usd_per_token for tokens in (None, 500.0)
    )
    reread_s = 10_500 * 131_072 / (0.8 * 3.35e12)
    assert (chunks - plain) * 350 == pytest.approx(PRICE / 3600 * reread_s)
    assert usd(golden(chunk_tokens=4096.0), "chunked") == usd(golden(), "chunked")


def test_experts_touched_lower_the_cost_of_small_batches_only():
    shape = {"experts": 64.0, "experts_per_token": 2.0, "expert_weight_bytes": 15e9}
    for context_tokens, saves in ((400_000.0, True), (2000.0, False)):
        all_read, touched = (
            usd(golden(experts_touched=on, context_tokens=context_tokens, tpot_s=0.1, **shape), "disaggregated")
            for on in (False, True)
        )
        assert (touched < 0.85 * all_read) == saves
        assert touched <= all_read


def test_a_model_with_one_expert_is_dense():
    shape = {"experts": 8.0, "experts_per_token": 8.0, "expert_weight_bytes": 15e9}
    for architecture in ARCHITECTURES:
        assert usd(golden(experts_touched=True, **shape), architecture) == pytest.approx(usd(golden(), architecture), rel=1e-9)


def test_other_gpus_for_prefill():
    flops_per_s, hbm_bytes_per_s, hbm_bytes = GPUS["H200"]
    other = Hardware(usd_per_gpu_hour=3.0, flops_per_s=2 * flops_per_s, hbm_bytes_per_s=hbm_bytes_per_s, hbm_bytes=hbm_bytes)
    same = cost(scenario=golden(percentile=0.0), architecture="disaggregated")
    mixed = cost(
        scenario=golden(percentile=0.0, prefill_hardware=other, prefill_efficiency=Efficiency(mfu=0.25)),
        architecture="disaggregated",
    )
    # Twice the FLOP/s at half the MFU: the same speed at 3.0 / 2.0 of the price.
    assert mixed.prefill_usd_per_token == pytest.approx(1.5 * same.prefill_usd_per_token)
    assert mixed.decode_usd_per_token == same.decode_usd_per_token
    assert usd(golden(prefill_hardware=other), "chunked") == usd(golden(), "chunked")


def test_whole_replicas_matter_to_small_deployments():
    def extra(rate, architecture):
        divisible, whole = (golden(arrival_rate_per_s=rate, integer_pools=on, tpot_s=0.03) for on in (False, True))
        return usd(whole, architecture) / usd(divisible, architecture)

    for architecture in ("chunked", "disaggregated"):
        assert extra(0.2, architecture) > 2.0
        assert extra(5e4, architecture) == pytest.approx(1.0, abs=1e-3)


def test_whole_replicas_by_hand():
    """Ten requests a second: every pool is a whole number of replicas, paid for ten times 350 tokens a second."""
    scenario = golden(arrival_rate_per_s=10.0, integer_pools=True)
    tokens_per_s = 10.0 * 350.0
    for architecture in ("chunked", "disaggregated"):
        paid = cost(scenario=scenario, architecture=architecture)
        pools = (paid.usd_per_token - paid.kv_tax_usd_per_token) * tokens_per_s / (PRICE / 3600)
        assert pools == pytest.approx(round(pools), abs=1e-9)


def test_ninety_percent_of_requests_is_not_a_p99():
    """Sizing the queue for 90 % runs it fuller, but a tenth of the tokens then counts for nothing."""
    p99, p90 = (cost(scenario=golden("A100", goodput_percentile=q), architecture="disaggregated") for q in (None, 0.9))
    assert p90.prefill_usd_per_token < p99.prefill_usd_per_token
    assert p90.attainment_usd_per_token == pytest.approx(0.1 * p90.usd_per_token)


def test_the_link_as_achieved():
    """87 of 100 GB/s in Mooncake."""
    nominal = golden(bandwidth_bytes_per_s=100e9, achieved_link_share=0.87)
    assert usd(nominal, "disaggregated") == pytest.approx(usd(golden(bandwidth_bytes_per_s=87e9), "disaggregated"))


def test_speculative_decoding_saturates_with_the_batch():
    """The same drafts speed up a small batch and slow down one that fills the compute."""
    drafts = {"draft_tokens": 4.0, "draft_acceptance": 0.8, "draft_cost_ratio": 0.05}
    few = {"context_tokens": 100_000.0, "tpot_s": 0.1}
    many = {"hbm_bytes": 1e13, "kv_bytes_per_token": 1000.0, "tpot_s": 0.1}
    gains = [
        cost(scenario=golden(**where), architecture="disaggregated").decode_usd_per_token
        / cost(scenario=golden(**where, **drafts), architecture="disaggregated").decode_usd_per_token
        for where in (few, many)
    ]
    # Golden speed-up of the design, section 4, at a=.8 k=4 c=.05: 2.80.
    assert gains[0] == pytest.approx(2.80, abs=0.005)
    assert gains[1] < 1.0


def test_recurrent_state_does_not_grow_with_context():
    state = {"kv_bytes_per_token": 0.0, "state_bytes_per_sequence": 1e8, "overlap_share": 1.0}
    short, long = (usd(golden(context_tokens=tokens, **state), "disaggregated") for tokens in (1e3, 1e6))
    assert short == long


def test_free_places_cost_colocated_designs_and_no_others():
    """At a low rate a few places have to stay free; at a high rate hardly any."""
    for architecture, pays in (("chunked", True), ("unchunked", True), ("disaggregated", False)):
        ratios = [
            usd(golden(arrival_rate_per_s=rate, place_queue=True), architecture)
            / usd(golden(arrival_rate_per_s=rate), architecture)
            for rate in (5.0, 20.0, 2000.0)
        ]
        if pays:
            assert ratios[0] > ratios[1] > ratios[2] > 1.0
            assert ratios[1] == pytest.approx(1.09, abs=0.03)
            assert ratios[2] < 1.01
        else:
            assert ratios == [1.0, 1.0, 1.0]


def test_a_contract_that_cannot_be_met_stays_so_with_free_places():
    for architecture in ("chunked", "unchunked"):
        assert usd(golden(arrival_rate_per_s=5.0, place_queue=True, tpot_s=0.001), architecture) == float("inf")
    with pytest.raises(ValueError, match="arrival_rate_per_s"):
        usd(golden(place_queue=True), "chunked")
