"""Batch limits and step times, against the steps they bound."""

import numpy as np
import pytest

from economics.serving.batch_limits import (
    decode_batch,
    decode_time,
    unchunked_batch,
)
from economics.serving.chunked import (
    chunked_batch,
    chunked_colocation,
    chunked_lines,
    chunked_time,
    tightest_tpot_s,
)
from economics.serving.prefill_pool import prefill_times
from economics.serving.step_time import decode_step, kv_bytes_per_token, tokens_per_step
from economics.serving.symbols import TPOT_DEFINITIONS, Refinements
from tests.serving.scenarios import ALL_DENSE, changed, golden, random_scenario

REFINEMENTS = {
    "plain": Refinements(),
    "overlap": Refinements(overlap=0.7),
    "full overlap": Refinements(overlap=1.0),
    "decode compute": Refinements(decode_compute_bound=True),
    "overlap and decode compute": Refinements(overlap=0.4, decode_compute_bound=True),
    "drafts": Refinements(draft_tokens=4.0, draft_acceptance=0.8, draft_cost_ratio=0.05),
    "all dense": ALL_DENSE,
    "experts": Refinements(experts_touched=True),
    "experts, overlap, drafts": Refinements(
        experts_touched=True, overlap=0.5, decode_compute_bound=True, draft_tokens=2.0, draft_acceptance=0.6
    ),
}


def parts(scenario):
    step, prefill = decode_step(scenario), prefill_times(scenario)
    return step, prefill, chunked_colocation(scenario, step, prefill)


def mixed_step_s(step, chunked, *, batch, prefill_s, input_per_output):
    """A mixed step spelled out as the design states it."""
    routed = batch * (step.positions + input_per_output * chunked.computed_share * step.tokens)
    memory = step.weight_s + step.expert_s * (1 - step.expert_missed**routed) + batch * step.sequence_s
    compute, decode_compute, o = prefill_s, batch * step.compute_s, chunked.overlap
    step_s = (1 - o) * (np.maximum(memory, decode_compute) + compute) + o * np.maximum(memory, compute + decode_compute)
    return step_s + step.draft_ratio * memory


@pytest.mark.parametrize("name", REFINEMENTS)
def test_the_chunked_batch_is_the_largest_that_meets_every_bound(name):
    scenario = random_scenario(500, seed=1, refinements=REFINEMENTS[name])
    step, prefill, chunked = parts(scenario)
    ratio, tpot_s = scenario.workload.input_per_output, scenario.contract.tpot_s
    batch = chunked_batch(chunked, input_per_output=ratio, tpot_s=tpot_s)

    def worst_share(batch):
        per_sequence = ratio * chunked.prefill_s_per_input_token * step.tokens / chunked.chunk_utilisation
        budget = tpot_s * step.tokens
        shares = [
            mixed_step_s(step, chunked, batch=batch, prefill_s=batch * per_sequence, input_per_output=ratio) / budget,
            batch / chunked.memory_batch,
        ]
        if scenario.refinements.ttft_coupling:
            coupled_s = budget * prefill.chunked_service_s / scenario.contract.ttft_s
            shares.append(mixed_step_s(step, chunked, batch=batch, prefill_s=coupled_s, input_per_output=ratio) / budget)
        return np.max(np.broadcast_arrays(*shares), axis=0)

    inside = batch > 0
    assert inside.mean() > 0.3
    np.testing.assert_allclose(worst_share(np.where(inside, batch, 1.0))[inside], 1.0, rtol=1e-9)
    # Where no batch will do, one sequence is already too many (under coupling), or even the smallest share of one.
    smallest = 1.0 if scenario.refinements.ttft_coupling else 1e-6
    assert np.all(worst_share(np.full(500, smallest))[~inside] > 1 - 1e-9)


@pytest.mark.parametrize("name", REFINEMENTS)
def test_the_decode_batch_is_the_largest_that_meets_the_bound(name):
    scenario = random_scenario(500, seed=2, refinements=REFINEMENTS[name])
    step = decode_step(scenario)
    tpot_s = scenario.contract.tpot_s
    batch = decode_batch(step, tpot_s=tpot_s)
    inside = batch > 1e-6
    assert inside.mean() > 0.5
    met_s = decode_time(step, batch=np.where(inside, batch, 1.0)).decode_s * np.where(inside, batch, np.nan)
    np.testing.assert_allclose(met_s[inside], tpot_s[inside])


def test_time_per_token_of_a_chunked_step_is_the_step_over_its_tokens():
    scenario = random_scenario(500, seed=3, refinements=ALL_DENSE)
    step, _, chunked = parts(scenario)
    ratio, batch = scenario.workload.input_per_output, np.full(500, 7.0)
    time = chunked_time(chunked, input_per_output=ratio, batch=batch)
    prefill_s = batch * ratio * chunked.prefill_s_per_input_token * step.tokens
    step_s = mixed_step_s(step, chunked, batch=batch, prefill_s=prefill_s, input_per_output=ratio)
    np.testing.assert_allclose(time.total_s, step_s / (batch * step.tokens))


@pytest.mark.parametrize("name", [name for name in REFINEMENTS if "experts" not in name])
def test_chunked_time_is_the_largest_of_its_lines_in_the_token_ratio(name):
    scenario = random_scenario(500, seed=4, refinements=REFINEMENTS[name])
    _, _, chunked = parts(scenario)
    ratio, tpot_s = scenario.workload.input_per_output, scenario.contract.tpot_s
    batch = chunked_batch(chunked, input_per_output=ratio, tpot_s=tpot_s)
    with np.errstate(divide="ignore", invalid="ignore"):
        time = chunked_time(chunked, input_per_output=ratio, batch=batch).total_s
        lines = [start + slope * ratio for start, slope in chunked_lines(chunked, tpot_s=tpot_s)]
    largest = np.fmax.reduce(np.broadcast_arrays(*lines))
    np.testing.assert_allclose(largest[batch > 0], time[batch > 0])
    assert np.all(np.isinf(largest[batch == 0]))


@pytest.mark.parametrize("name", REFINEMENTS)
def test_the_tightest_bound_of_a_batch_inverts_the_largest_batch_of_a_bound(name):
    scenario = random_scenario(500, seed=5, refinements=REFINEMENTS[name])
    _, _, chunked = parts(scenario)
    ratio, tpot_s = scenario.workload.input_per_output, scenario.contract.tpot_s
    batch = chunked_batch(chunked, input_per_output=ratio, tpot_s=tpot_s)
    inside = (batch > 0) & (batch < chunked.memory_batch)
    assert inside.sum() > 100
    back_s = tightest_tpot_s(chunked, input_per_output=ratio, batch=np.where(inside, batch, 1.0))
    np.testing.assert_allclose(back_s[inside], tpot_s[inside], rtol=1e-9)
    full = chunked.memory_batch >= 1
    filled_s = tightest_tpot_s(chunked, input_per_output=ratio, batch=chunked.memory_batch)
    full &= np.isfinite(filled_s)
    for factor in (1.0 + 1e-9, 10.0):
        at = chunked_batch(chunked, input_per_output=ratio, tpot_s=filled_s * factor)
        np.testing.assert_allclose(at[full], chunked.memory_batch[full], rtol=1e-6)


def test_ttft_coupling_as_the_design_states_it():
    """B_c <= (S_tpot (1 - s/S_ttft) - t_w) / tau."""
    scenario = golden("A100", ttft_coupling=True, ttft_s=0.4, tpot_s=0.1, input_per_output=1.0)
    step, _, chunked = parts(scenario)
    service_s = 3500 / 9750
    expected = (0.1 * (1 - service_s / 0.4) - step.weight_s) / step.sequence_s
    assert chunked_batch(chunked, input_per_output=1.0, tpot_s=0.1) == pytest.approx(expected)
    assert expected < chunked.memory_batch
    nearest_s = service_s / (1 - (step.weight_s + step.sequence_s) / 0.1)  # where one sequence just fits
    for factor, most in ((1.0001, 1), (0.9999, 0)):
        _, _, chunked = parts(changed(scenario, ttft_s=nearest_s * factor))
        assert np.floor(chunked_batch(chunked, input_per_output=1.0, tpot_s=0.1)) == most


def test_tpot_definitions_order_as_they_must():
    """A maximum is stricter than the mean of the worst tenth, which is stricter than a mean."""
    scenario = random_scenario(500, seed=7)
    step, prefill, _ = parts(scenario)
    batches = {
        definition: unchunked_batch(
            step,
            tpot_s=scenario.contract.tpot_s,
            tpot_definition=definition,
            percentile=0.5,
            service_s=prefill.service_s,
            output_tokens=scenario.workload.output_tokens,
        )
        for definition in TPOT_DEFINITIONS
    }
    assert np.all(batches["per_token_max"] <= batches["worst_tenth_mean"])
    assert np.all(batches["worst_tenth_mean"] <= batches["per_request_mean"])
    assert np.all(batches["per_token_max"] <= batches["per_token_p99"])


@pytest.mark.parametrize("definition", TPOT_DEFINITIONS)
def test_the_unchunked_batch_meets_its_bound_in_a_simulated_replica(definition):
    """A full replica in which an ended answer is replaced at once by a prompt whose prefill stalls everyone."""
    scenario = golden("H100", input_tokens=1000.0, input_per_output=2.0, tpot_s=0.05)
    step, prefill, _ = parts(scenario)
    how = {"tpot_definition": definition, "percentile": 0.95, "service_s": prefill.service_s, "output_tokens": 500.0}
    batch = int(unchunked_batch(step, tpot_s=0.05, **how))
    assert 0.97 * 0.05 < simulated_reading(step, definition, batch, prefill.service_s) < 1.005 * 0.05
    assert simulated_reading(step, definition, round(1.1 * batch), prefill.service_s) > 1.01 * 0.05


def simulated_reading(step, definition, batch, service_s):
    intervals_s, request_means_s = simulated_intervals(step, batch=batch, service_s=service_s, output_tokens=500)
    if definition == "per_request_mean":
        return np.quantile(request_means_s, 0.95)
    if definition == "worst_tenth_mean":
        return np.sort(intervals_s)[-intervals_s.size // 10 :].mean()
    return np.quantile(intervals_s, 0.95)


def simulated_intervals(step, *, batch, service_s, output_tokens):
    """Step times, and each request's mean interval; answers last half to one and a half times the mean length.

    A step takes in one prompt at most; others wait their turn and leave their place empty meanwhile.
    """
    rng = np.random.default_rng(5)
    left = rng.integers(1, output_tokens, batch)
    clock_s, started_s, length = 0.0, np.zeros(batch), left.copy()
    waiting: list[int] = []
    intervals_s, request_means_s = [], []
    for _ in range(20 * output_tokens):
        decoding = batch - len(waiting)
        intervals_s.append(step.weight_s + decoding * step.sequence_s + bool(waiting) * service_s)
        clock_s += intervals_s[-1]
        left[left > 0] -= 1
        if waiting:
            place = waiting.pop(0)
            length[place] = left[place] = rng.integers(output_tokens // 2, output_tokens * 3 // 2)
            started_s[place] = clock_s
        ended = [place for place in np.flatnonzero(left == 0) if place not in waiting]
        request_means_s.extend((clock_s - started_s[ended]) / length[ended])
        waiting += ended
    return np.array(intervals_s), np.array(request_means_s[batch:])


def test_published_shapes():
    # KV bytes per token of Llama-3.1-8B and OPT-66B in BF16.
    assert kv_bytes_per_token(layers=32, kv_heads=8, head_dim=128, bytes_per_value=2) == 131_072
    assert kv_bytes_per_token(layers=64, kv_heads=72, head_dim=128, bytes_per_value=2) == 2_359_296


def test_speculative_decoding_yields_the_geometric_sum():
    assert tokens_per_step(draft_tokens=4, acceptance=0.8) == pytest.approx(sum(0.8**i for i in range(5)))
    np.testing.assert_allclose(tokens_per_step(draft_tokens=3, acceptance=np.array([0.0, 1.0])), [1.0, 4.0])


def test_communication_of_one_gpu_is_nothing():
    plain = decode_step(golden())
    talking = decode_step(
        golden(tensor_parallel_communication=True, link_bytes_per_s=450e9, link_latency_s=1e-5, layers=32.0, hidden=4096.0)
    )
    assert (talking.weight_s, talking.sequence_s) == (plain.weight_s, plain.sequence_s)


def test_communication_of_eight_gpus():
    """Two ring all-reduces of 4,096 BF16 values in 32 layers: 2 x 7/8 of 8,192 bytes each."""
    step = decode_step(
        golden(
            gpus=8.0,
            tensor_parallel_communication=True,
            link_bytes_per_s=450e9,
            link_latency_s=1e-5,
            layers=32.0,
            hidden=4096.0,
        )
    )
    alone = decode_step(golden(gpus=8.0))
    assert step.weight_s - alone.weight_s == pytest.approx(2 * 32 * 1e-5)
    assert step.sequence_s - alone.sequence_s == pytest.approx(32 * 2 * 2 * 7 / 8 * 8192 / 450e9)


def test_a_refinement_names_the_symbol_it_lacks():
    with pytest.raises(ValueError, match="layers"):
        prefill_times(golden(prefill_attention=True))
    with pytest.raises(ValueError, match="expert_weight_bytes"):
        decode_step(golden(experts_touched=True))
