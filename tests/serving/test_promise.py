"""What the closed forms promise of a cluster, against what a simulation keeps."""

from dataclasses import replace

import numpy as np
import pytest

from economics.serving.promise import kept, kept_rate, promise, served
from economics.serving.request_load import Load
from tests.serving.scenarios import changed, golden

QUESTION = golden(tpot_definition="per_request_mean", ttft_coupling=True, arrival_rate_per_s=1.0)
EVEN = Load(input_tokens=np.array([3_500]), output_tokens=np.array([350]), intensity=np.ones(30), window_s=10.0)
"""Five minutes of the golden workload."""


def errors(architecture: str, **symbols) -> float:
    """Promised over kept rate, less 1."""
    scenario = changed(QUESTION, **symbols)
    promised = promise(scenario, architecture=architecture, replicas=4)
    return promised.rate_per_s / kept_rate(promised, EVEN, scenario, seed=5) - 1.0


def test_free_places_close_the_gap_of_colocated_designs():
    """Equal requests, Poisson arrivals: the plain sum promises 5 to 15 % too much; with places kept free within 5 %."""
    for architecture in ("chunked", "unchunked"):
        assert 0.03 < errors(architecture) < 0.15
        assert abs(errors(architecture, place_queue=True)) < 0.05


def test_the_queue_of_the_prefill_pool_is_in_the_promise():
    assert abs(errors("disaggregated")) < 0.1


def test_the_rate_kept_keeps_the_contract_and_a_higher_one_does_not():
    promised = promise(QUESTION, architecture="chunked", replicas=2)
    rate = kept_rate(promised, EVEN, QUESTION, seed=5)
    shares = [
        kept(served(promised.cluster, EVEN, rate_per_s=rate * factor, seed=5), QUESTION).request_share for factor in (1.0, 1.03)
    ]
    assert shares[0] >= 0.99 > shares[1]


def test_bursts_break_every_promise():
    """A tenth of the time at ten times the mean rate: the mean says nothing."""
    bursts = replace(EVEN, intensity=np.where(np.arange(30) % 10 == 0, 10.0, 0.0))
    for architecture in ("unchunked", "chunked", "disaggregated"):
        promised = promise(QUESTION, architecture=architecture, replicas=4)
        assert promised.rate_per_s > 4 * kept_rate(promised, bursts, QUESTION, seed=5)


def test_the_split_that_carries_most():
    """No other split of the replicas carries more by the closed form of either pool."""
    chosen = promise(QUESTION, architecture="disaggregated", replicas=8)
    assert chosen.cluster.replicas + chosen.cluster.prefill_replicas == 8
    assert promise(QUESTION, architecture="disaggregated", replicas=1) is None


def test_no_promise_where_the_contract_cannot_be_met():
    for architecture in ("unchunked", "chunked", "disaggregated"):
        assert promise(changed(QUESTION, tpot_s=0.001), architecture=architecture, replicas=4) is None


def test_a_promise_scales_with_the_replicas():
    one, four = (promise(QUESTION, architecture="chunked", replicas=count) for count in (1, 4))
    assert four.rate_per_s == pytest.approx(4 * one.rate_per_s)
    assert (one.gpus, four.gpus) == (1.0, 4.0)
