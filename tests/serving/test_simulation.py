"""The serving simulator: by hand, against the closed forms, and on real traces."""

import csv
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from economics.serving.cost import cost
from economics.serving.simulation import (
    Cluster,
    Simulation,
    cluster_of,
    goodput,
    poisson_arrivals,
    simulate,
)
from economics.serving.step_curves import Curve, line, through
from economics.serving.symbols import Contract, Hardware, Model, Refinements, RequestShape, Scenario, Transfer

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "serving"
CHUNKED = Cluster(
    architecture="chunked",
    replicas=1,
    decode_s=line(0.5, 0.125),
    prompt_s=line(0.0, 0.25),
    max_sequences=4,
    step_tokens=4,
)
UNCHUNKED = replace(CHUNKED, architecture="unchunked", step_tokens=None)
DISAGGREGATED = replace(
    UNCHUNKED, architecture="disaggregated", prefill_replicas=1, transfer_s_per_token=0.5, prompt_s=line(0.0, 1.0)
)


def run(cluster: Cluster, arrival_s: Sequence[float], prompt: Sequence[int], output: Sequence[int]) -> Simulation:
    return simulate(cluster, arrival_s=arrival_s, input_tokens=prompt, output_tokens=output)


# By hand


def test_one_request_alone():
    """Prompt of 6 in chunks of 4 and 2: 1.5 s. Then two decode steps of .5 + .125 s."""
    found = run(CHUNKED, [10.0], [6], [3])
    assert found.wait_s.tolist() == [0.0]
    assert found.ttft_s.tolist() == [1.5]
    assert found.tpot_s.tolist() == [0.625]
    assert found.finish_s.tolist() == [12.75]
    assert (found.busy_share, found.mean_batch) == (1.0, 1.0)
    assert math.isnan(found.prefill_busy_share)


def test_a_chunk_rides_along_with_decode_and_slows_it():
    """The second prompt of 6 meets one decode: 3 tokens a step beside it, two mixed steps of .625 + .75 s."""
    found = run(CHUNKED, [0.0, 1.5], [6, 6], [3, 1])
    assert found.ttft_s.tolist() == [1.5, 2.75]
    assert found.tpot_s[0] == 1.375
    assert math.isnan(found.tpot_s[1])


def test_a_whole_prompt_stalls_decode():
    """The second prompt arrives during the first decode step, runs alone for 1.5 s and delays the last token by it."""
    found = run(UNCHUNKED, [0.0, 1.75], [6, 6], [3, 1])
    assert found.ttft_s.tolist() == [1.5, 0.375 + 1.5]
    assert found.finish_s.tolist() == [1.5 + 0.625 + 1.5 + 0.625, 1.5 + 0.625 + 1.5]


def test_prompts_sent_over_a_link():
    """Prompts of 2 leave prefill at 2 and 4 s and take 1 s on the link; decode holds one, then two sequences."""
    found = run(DISAGGREGATED, [0.0, 0.0], [2, 2], [4, 2])
    assert found.wait_s.tolist() == [0.0, 2.0]
    assert found.ttft_s.tolist() == [3.0, 5.0]
    # Steps of .625 s end at 3.625, 4.25, 4.875 s: the first request is done before the second arrives at 5 s.
    assert found.finish_s.tolist() == [4.875, 5.625]
    assert found.prefill_busy_share == 4 / 5.625


def test_a_slow_link_is_a_queue():
    slow = replace(DISAGGREGATED, transfer_s_per_token=5.0)
    assert run(slow, [0.0, 0.0], [2, 2], [1, 1]).ttft_s.tolist() == [12.0, 22.0]


def test_of_prefill_replicas_that_are_free_alike_the_first_is_taken():
    """Both are free at 4 s; the link behind the first is free at 22 s, behind the second at 24 s."""
    slow = replace(DISAGGREGATED, prefill_replicas=2, transfer_s_per_token=5.0)
    assert run(slow, [0.0, 0.0, 0.0, 20.0], [2, 4, 2, 1], [1, 1, 1, 1]).ttft_s.tolist() == [12.0, 24.0, 22.0, 7.0]


def test_no_more_sequences_than_fit():
    """Two fit: the third prompt waits for a place, not for the prefill rate."""
    found = run(replace(CHUNKED, max_sequences=2, step_tokens=100), [0.0] * 3, [1] * 3, [3, 3, 3])
    # .5 s for two prompts, two decode steps of .75 s; then the third: .25 s and two steps of .625 s.
    assert found.wait_s.tolist() == [0.0, 0.0, 2.0]
    assert found.finish_s.tolist() == [2.0, 2.0, 3.5]


def test_prompts_that_wait_are_computed_together_as_far_as_they_fit():
    """The prompts of 2 and 3 fit into 5 tokens, the one of 4 does not: 1.25 s, then 1 s, then the decode step of .5 + 3/8 s."""
    found = run(replace(UNCHUNKED, prompt_batch_tokens=5), [0.0] * 3, [2, 3, 4], [2, 2, 2])
    assert found.ttft_s.tolist() == [1.25, 1.25, 2.25]
    assert found.finish_s.tolist() == [3.125] * 3
    pool = replace(DISAGGREGATED, prompt_batch_tokens=5, transfer_s_per_token=0.0)
    assert run(pool, [0.0] * 3, [2, 3, 4], [1, 1, 1]).ttft_s.tolist() == [5.0, 5.0, 9.0]


def test_steps_follow_their_curves():
    """Decode .5, .5, .75 s for one, two, three sequences; a pass has a floor of 2 s; attention grows with the square."""
    curved = replace(
        UNCHUNKED,
        decode_s=through(np.array([0.5, 0.5, 0.5, 0.75])),
        prompt_s=Curve(np.array([2.0, 2.0]), np.array([0.0, 0.25]), 4),
        attention_s=through(np.arange(9.0) ** 2 / 16.0),
    )
    # A pass of 4 tokens: 2 s and 1 s of attention. Of 8: 3 s and 4 s.
    assert run(curved, [0.0], [4], [1]).ttft_s.tolist() == [3.0]
    assert run(curved, [0.0], [8], [1]).ttft_s.tolist() == [7.0]
    together = run(replace(curved, prompt_batch_tokens=12), [0.0] * 3, [4, 4, 4], [3, 3, 3])
    assert together.ttft_s.tolist() == [4.0 + 3.0] * 3
    assert together.tpot_s.tolist() == [0.75] * 3


def test_a_prompt_in_chunks_pays_its_attention_once():
    curved = replace(CHUNKED, attention_s=through(np.arange(9.0) ** 2 / 16.0))
    assert run(curved, [0.0], [8], [1]).ttft_s.tolist() == [8 * 0.25 + 4.0]


def test_time_outside_of_steps_delays_every_token_alike():
    plain, late = (run(replace(CHUNKED, first_token_s=s), [0.0, 1.5], [6, 6], [3, 1]) for s in (0.0, 0.25))
    np.testing.assert_array_equal(late.ttft_s, plain.ttft_s + 0.25)
    np.testing.assert_array_equal(late.tpot_s, plain.tpot_s)
    np.testing.assert_array_equal(late.finish_s, plain.finish_s + 0.25)


def test_the_replica_that_holds_the_fewest_takes_the_request():
    """Requests 0 and 2 share replica 0; request 3 comes when replica 1 has finished and holds nothing."""
    found = run(replace(UNCHUNKED, replicas=2), [0.0, 0.0, 0.0, 3.0], [8, 1, 8, 1], [1, 1, 1, 1])
    assert found.ttft_s.tolist() == [2.0, 0.25, 4.0, 0.25]


def test_goodput_counts_what_meets_both_bounds():
    found = run(UNCHUNKED, [0.0, 1.75], [6, 6], [3, 1])  # TTFT 1.5 and 1.875 s, TPOT 1.375 s and none
    assert goodput(found, ttft_s=2.0, tpot_s=1.0).token_share == 0.25
    both = goodput(found, ttft_s=2.0, tpot_s=1.375)
    assert (both.request_share, both.token_share) == (1.0, 1.0)
    assert both.tokens_per_s == 4 / 4.25
    assert both.requests_per_s == 2 / 4.25
    assert goodput(found, ttft_s=1.0, tpot_s=9.0).tokens_per_s == 0.0


# Against the closed forms


SCENARIO = Scenario(
    hardware=Hardware(usd_per_gpu_hour=2.0, flops_per_s=989e12, hbm_bytes_per_s=3.35e12, hbm_bytes=80e9),
    model=Model(active_parameters=8.0e9, weight_bytes=16e9, kv_bytes_per_token=131_072.0),
    workload=RequestShape(input_tokens=3_500.0, input_per_output=10.0, context_tokens=4_096.0, prefill_replicas=8.0),
    contract=Contract(ttft_s=1.0, tpot_s=0.02),
    transfer=Transfer(bandwidth_bytes_per_s=300e9),
)


def test_cluster_of_a_scenario_has_its_symbols():
    found = cluster_of(SCENARIO, architecture="disaggregated", replicas=2, prefill_replicas=3)
    assert found.decode_s.start_s[0] == pytest.approx(16e9 / (0.8 * 3.35e12))
    assert found.decode_s.slope_s[0] == pytest.approx(131_072 * 4_096 / (0.8 * 3.35e12))
    assert found.prompt_s.slope_s[0] == pytest.approx(2 * 8.0e9 / (0.5 * 989e12))
    assert found.transfer_s_per_token == pytest.approx(131_072 / 300e9)
    assert found.max_sequences == int((0.9 * 80e9 - 16e9) / (131_072 * 4_096))
    with pytest.raises(ValueError, match="refinements"):
        cluster_of(replace(SCENARIO, refinements=Refinements(decode_compute_bound=True)), architecture="chunked", replicas=1)


def test_saturated_replica_costs_what_the_closed_form_says():
    """All requests wait from the start: time per output token tends to r / mu_p + t_w / B + tau of chunked colocation."""
    batch = float(cost(scenario=SCENARIO, architecture="chunked").batch)
    requests, prompt, output = 6_000, 3_500, 350
    cluster = replace(cluster_of(SCENARIO, architecture="chunked", replicas=1, step_tokens=1_024), max_sequences=int(batch))
    found = run(cluster, np.zeros(requests), np.full(requests, prompt), np.full(requests, output))
    assert found.mean_batch == pytest.approx(batch, rel=0.07)
    expected = prompt / output * cluster.prompt_s.slope_s[0]
    # A prompt's last step yields a token without a decode step: 349 of 350 tokens pay for decode.
    expected += (cluster.decode_s.start_s[0] / found.mean_batch + cluster.decode_s.slope_s[0]) * (output - 1) / output
    assert found.makespan_s / found.output_tokens.sum() == pytest.approx(expected, rel=1e-9)


def test_more_bandwidth_is_never_slower():
    arrival = poisson_arrivals(requests=3_000, rate_per_s=20.0, seed=8)
    prompt, output = np.full(3_000, 3_500), np.full(3_000, 60)
    medians = [
        np.median(
            run(
                cluster_of(
                    replace(SCENARIO, transfer=Transfer(bandwidth_bytes_per_s=bandwidth)),
                    architecture="disaggregated",
                    replicas=2,
                    prefill_replicas=4,
                ),
                arrival,
                prompt,
                output,
            ).ttft_s
        )
        for bandwidth in (2.5e9, 12.5e9, 50e9, 1e15)
    ]
    assert medians == sorted(medians, reverse=True)
    assert medians[0] > 2 * medians[-1]


# Arrivals


def test_the_same_seed_gives_the_same_arrivals():
    request = {"requests": 5, "rate_per_s": 2.0, "seed": 1}
    np.testing.assert_array_equal(poisson_arrivals(**request), poisson_arrivals(**request))
    assert (poisson_arrivals(**request) != poisson_arrivals(**(request | {"seed": 2}))).all()


# Real traces


def azure_code() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    path = SHARED / "azure" / "AzureLLMInferenceTrace_code.csv"
    if not path.exists():
        pytest.skip("the Azure trace is not at hand")
    with path.open() as lines:
        rows = list(csv.DictReader(lines))
    times = np.array([row["TIMESTAMP"] for row in rows], dtype="datetime64[ns]")
    arrival = (times - times[0]) / np.timedelta64(1, "s")
    counts = ([int(row[name]) for row in rows] for name in ("ContextTokens", "GeneratedTokens"))
    return (arrival, *(np.array(column) for column in counts))


def mooncake_synthetic() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    path = SHARED / "mooncake" / "synthetic_trace.jsonl"
    if not path.exists():
        pytest.skip("the Mooncake trace is not at hand")
    with path.open() as lines:
        rows = [json.loads(line) for line in lines]
    columns = (np.array([row[name] for row in rows]) for name in ("timestamp", "input_length", "output_length"))
    arrival_ms, prompt, output = columns
    return arrival_ms / 1e3, prompt, output


@pytest.mark.published
@pytest.mark.parametrize("trace", [azure_code, mooncake_synthetic])
@pytest.mark.parametrize("architecture", ["unchunked", "chunked", "disaggregated"])
def test_real_traces(trace: object, architecture: str):
    arrival, prompt, output = trace()
    prefill = architecture == "disaggregated"
    cluster = cluster_of(
        SCENARIO,
        architecture=architecture,
        replicas=2 if prefill else 4,
        prefill_replicas=2 if prefill else None,
        step_tokens=1_024 if architecture == "chunked" else None,
    )
    found = run(cluster, arrival, prompt, output)
    compute_s = cluster.prompt_s.at(prompt)
    assert (found.wait_s >= 0).all()
    assert (found.ttft_s >= (found.wait_s + compute_s) * (1 - 1e-9)).all()
    several = output > 1
    fastest_s = cluster.decode_s.at(1)
    assert (found.tpot_s[several] >= fastest_s * (1 - 1e-9)).all()
    assert np.isnan(found.tpot_s[~several]).all()
    assert 0 < found.busy_share <= 1
    again = run(cluster, arrival, prompt, output)
    np.testing.assert_array_equal(again.finish_s, found.finish_s)
    shares = [goodput(found, ttft_s=ttft_s, tpot_s=0.05).token_share for ttft_s in (0.1, 1.0, 10.0, 1e9)]
    assert shares == sorted(shares)


# Refusals


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "colocated"}, "architecture must be one of"),
        ({"step_tokens": None}, "step_tokens must be stated"),
        ({"prefill_replicas": 2}, "prefill_replicas must be stated"),
        ({"replicas": 0}, "must be counts"),
        ({"max_sequences": 1.5}, "must be counts"),
        ({"decode_s": line(0.0, 0.0)}, "decode_step_s"),
        ({"prompt_s": line(0.0, 0.0)}, "prompt_pass_s"),
        ({"first_token_s": -1.0}, "first_token_s"),
    ],
)
def test_refused_clusters(change: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        replace(CHUNKED, **change)


@pytest.mark.parametrize(
    ("arrival", "prompt", "output", "message"),
    [
        ([1.0, 0.0], [1, 1], [1, 1], "ascending"),
        ([math.nan], [1], [1], "finite"),
        ([0.0], [0], [1], "input_tokens"),
        ([0.0], [1], [1.5], "output_tokens"),
        ([0.0, 1.0], [1], [1], "one length"),
        ([], [], [], "one length"),
    ],
)
def test_refused_requests(arrival: list[float], prompt: list[int], output: list[float], message: str):
    with pytest.raises(ValueError, match=message):
        run(CHUNKED, arrival, prompt, output)


def test_the_module_alone_never_loads_the_compiler():
    code = "import sys; import economics.serving.simulation; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
