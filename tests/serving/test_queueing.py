import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from economics.serving import queueing

seconds = st.floats(1e-3, 10.0)


def test_the_cap_puts_the_tail_at_the_percentile():
    cap = queueing.utilisation_cap(slack_s=0.6, service_s=0.36, servers=8, percentile=0.99)
    tail = queueing.wait_tail(wait_s=0.6, service_s=0.36, servers=8, utilisation=cap)
    assert tail == pytest.approx(0.01, rel=1e-12)


def test_the_golden_pool():
    # A100, 3,500 tokens at 9,750 tokens/s, 50 GB/s, eight replicas: by hand from u = 1 - ln(100) s / (2 k x).
    service_s = 3500 / 9750
    slack_s = 1.0 - service_s - 3500 * 131_072 / 50e9
    cap = queueing.utilisation_cap(slack_s=slack_s, service_s=service_s, servers=8, percentile=0.99)
    assert cap == pytest.approx(1 - 4.605170186 * service_s / (16 * slack_s), rel=1e-9)
    assert cap == pytest.approx(0.8365, abs=5e-5)


@pytest.mark.parametrize("slack_s", [0.0, -1.0, -np.inf])
def test_no_slack_is_infeasible_not_an_error(slack_s):
    assert queueing.utilisation_cap(slack_s=slack_s, service_s=0.1, servers=8, percentile=0.99) == 0.0
    assert queueing.replicas(arrival_rate_per_s=1.0, slack_s=slack_s, service_s=0.1, percentile=0.99) == np.inf


def test_a_mean_bound_needs_no_idle_servers():
    assert queueing.utilisation_cap(slack_s=1.0, service_s=0.5, servers=1, percentile=0.0) == 1.0
    assert queueing.utilisation_cap(slack_s=-1.0, service_s=0.5, servers=1, percentile=0.0) == 0.0


def test_nothing_arrives_nothing_is_needed():
    assert queueing.replicas(arrival_rate_per_s=0.0, slack_s=1.0, service_s=0.5, percentile=0.99) == 0.0


@given(rate=st.floats(1e-3, 1e4), slack_s=seconds, service_s=seconds, percentile=st.floats(0.5, 0.9999))
def test_replicas_are_the_fewest_that_carry_the_load(rate, slack_s, service_s, percentile):
    queue = {"slack_s": slack_s, "service_s": service_s, "percentile": percentile}
    servers = queueing.replicas(arrival_rate_per_s=rate, **queue)
    load = rate * service_s
    assert servers * queueing.utilisation_cap(servers=servers, **queue) >= load * (1 - 1e-9)
    if servers > 1:
        assert (servers - 1) * queueing.utilisation_cap(servers=servers - 1, **queue) < load * (1 + 1e-9)


def test_at_light_load_the_literal_iteration_has_no_fixed_point():
    """k -> ceil(load / u(k)) steps below the pool a single prompt needs; the closed form does not."""
    queue = {"slack_s": 0.1, "service_s": 0.2, "percentile": 0.99}
    servers = queueing.replicas(arrival_rate_per_s=0.05, **queue)
    assert servers == 5
    stepped = np.ceil(0.05 * 0.2 / queueing.utilisation_cap(servers=servers, **queue))
    assert queueing.utilisation_cap(servers=stepped, **queue) == 0.0


def test_scalars_and_arrays_agree():
    slack_s, servers = np.array([-0.1, 0.2, 3.0]), np.array([[1.0], [30.0]])
    array = queueing.utilisation_cap(slack_s=slack_s, service_s=0.3, servers=servers, percentile=0.99)
    scalar = [
        [queueing.utilisation_cap(slack_s=x, service_s=0.3, servers=k, percentile=0.99) for x in slack_s] for k in servers[:, 0]
    ]
    np.testing.assert_array_equal(array, scalar)


@pytest.mark.parametrize(
    ("name", "value"),
    [("service_s", 0.0), ("service_s", np.nan), ("percentile", 1.2), ("arrival_rate_per_s", -1.0)],
)
def test_a_value_outside_its_domain_is_named(name, value):
    arguments = {"arrival_rate_per_s": 1.0, "slack_s": 1.0, "service_s": 0.5, "percentile": 0.99} | {name: value}
    with pytest.raises(ValueError, match=name):
        queueing.replicas(**arguments)


@pytest.mark.parametrize(("servers", "slack_in_services"), [(1, 20.0), (8, 2.0), (8, 0.5), (32, 0.5)])
def test_the_tail_holds_in_a_simulated_queue(servers, slack_in_services):
    """At the cap, waits of a simulated M/D/k queue pass the bound about as seldom as promised, or more seldom."""
    cap = queueing.utilisation_cap(slack_s=slack_in_services, service_s=1.0, servers=servers, percentile=0.99)
    waits = simulated_waits(servers=servers, utilisation=cap, customers=150_000)
    share_late = np.mean(waits > slack_in_services)
    assert share_late < 0.01


def simulated_waits(*, servers, utilisation, customers):
    arrivals = np.cumsum(np.random.default_rng(7).exponential(1.0 / (servers * utilisation), customers))
    free_at, waits = [0.0] * servers, np.empty(customers)
    for i, arrival in enumerate(arrivals):
        start = max(arrival, free_at[0])
        heapq.heapreplace(free_at, start + 1.0)
        waits[i] = start - arrival
    return waits[customers // 10 :]


def test_places_by_hand():
    """316 places of 79 a replica, sequences that stay 17.5 s, .8 s to wait: b = 1.43, so 92 % may be taken."""
    share = queueing.place_utilisation(sequences=290.0, slack_s=0.8, residence_s=17.5, percentile=0.99)
    places = 290.0 / share
    headroom = (places - 290.0) / np.sqrt(places)
    chance = 1 / (1 + headroom * norm.cdf(headroom) / norm.pdf(headroom))
    assert chance * np.exp(-2 * headroom * np.sqrt(places) * 0.8 / 17.5) == pytest.approx(0.01, rel=1e-6)
    assert share == pytest.approx(0.92, abs=0.005)


def test_a_mean_bound_fills_every_place():
    assert queueing.place_utilisation(sequences=10.0, slack_s=1.0, residence_s=5.0, percentile=0.0) == pytest.approx(1.0)


@given(
    sequences=st.floats(1.0, 1e5),
    slack_s=seconds,
    residence_s=seconds,
    percentile=st.floats(0.5, 0.9999),
    more=st.floats(1.1, 10.0),
)
def test_more_sequences_more_slack_and_a_looser_percentile_fill_more_places(sequences, slack_s, residence_s, percentile, more):
    point = {"sequences": sequences, "slack_s": slack_s, "residence_s": residence_s, "percentile": percentile}
    share = queueing.place_utilisation(**point)
    assert 0.0 < share < 1.0
    for eased in ({"sequences": sequences * more}, {"slack_s": slack_s * more}, {"percentile": percentile / more}):
        assert queueing.place_utilisation(**point | eased) >= share - 1e-9


def test_no_slack_at_all_leaves_square_root_headroom():
    """Nobody may wait: the places are the load and about two standard deviations, whatever the time a sequence stays."""
    shares = [
        queueing.place_utilisation(sequences=400.0, slack_s=slack_s, residence_s=residence_s, percentile=0.99)
        for slack_s, residence_s in ((0.0, 1.0), (-5.0, 1.0), (0.0, 100.0))
    ]
    assert shares[0] == shares[1] == shares[2] == pytest.approx(1 - 2.4 / np.sqrt(450), abs=0.01)
