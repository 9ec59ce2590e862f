"""Waiting for prefill or for a place: how busy a pool may be while the tail of the wait stays inside a bound.

A prefill pool is a queue with Poisson arrivals, a fixed service time (the prefill of one prompt) and k servers (M/D/k).
These forms use the heavy-traffic tail, so they are close where it matters, at high utilisation, and cautious below.
The places for running sequences of replicas that do both are a queue with many servers; there few prompts wait at all.
"""

import numpy as np
import scipy  # its parts are loaded when first used

from economics.units import Real, kept, require_non_negative, require_positive, require_share

_MOST_HEADROOM, _HALVINGS = 10.0, 40
"""In standard deviations; halved so often that the search ends below 1e-11."""


def wait_tail(*, wait_s: Real, service_s: Real, servers: Real, utilisation: Real) -> Real:
    """Probability that a prompt waits longer than `wait_s`.

    Arguments broadcast; seconds, seconds, count, share of capacity in use. Returns a probability.
    ValueError outside the domain. At utilisation 1 or above every prompt waits: 1.
    Source: formula S8.
    """
    require_positive(service_s=service_s, servers=servers)
    require_non_negative(wait_s=wait_s, utilisation=utilisation)
    idle = np.maximum(1.0 - utilisation, 0.0)
    return np.exp(-2.0 * servers * idle * wait_s / service_s)


def wait_s(*, service_s: Real, servers: Real, utilisation: Real, percentile: Real) -> Real:
    """What a prompt waits at the percentile: 0 where fewer wait at all, inf at utilisation 1 or above.

    Arguments broadcast; seconds, count, share, probability. Returns seconds. ValueError outside the domain.
    Source: formula S8 for those that wait; the share that waits is u^(sqrt(2 (k+1)) - 1), after Sakasegawa 1977.
    """
    require_positive(service_s=service_s, servers=servers)
    require_non_negative(utilisation=utilisation)
    require_share(percentile=percentile)
    idle = 1.0 - np.minimum(utilisation, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        waits = (np.sqrt(2.0 * (np.asarray(servers) + 1.0)) - 1.0) * np.log(utilisation)
        seconds = np.fmax(waits - np.log1p(np.negative(percentile)), 0.0) * service_s / (2.0 * servers * idle)
    return np.where(idle > 0.0, seconds, np.inf)[()]


def idle_servers(*, slack_s: Real, service_s: Real, percentile: Real) -> Real:
    """Servers that must stand idle on average so that the wait stays within `slack_s` at the percentile.

    The tail of `wait_tail` depends on servers and utilisation only through k (1 - u); this is that product.
    Arguments broadcast; seconds, seconds, probability. Returns a count (not an integer); inf where slack_s <= 0.
    Source: formula S8, solved for k (1 - u).
    """
    require_positive(service_s=service_s)
    require_share(percentile=percentile)
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = -np.log1p(np.negative(percentile)) * service_s / (2.0 * np.fmax(slack_s, 0.0))
    return kept(needed, np.greater(slack_s, 0.0), otherwise=np.inf)


def utilisation_cap(*, slack_s: Real, service_s: Real, servers: Real, percentile: Real) -> Real:
    """Highest utilisation at which the wait stays within `slack_s` at the percentile: u_p.

    Arguments broadcast; seconds, seconds, count, probability. Returns a share; 0 where no utilisation will do, also for
    the pools of 0 and of infinitely many servers that `replicas` returns.
    Source: formula S8: u = 1 - ln(1/(1-q)) s / (2 k x).
    """
    require_non_negative(servers=np.minimum(servers, 1.0))  # infinitely many are allowed: no finite pool may do
    idle = idle_servers(slack_s=slack_s, service_s=service_s, percentile=percentile)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.fmax(1.0 - np.divide(idle, servers), 0.0)


def replicas(*, arrival_rate_per_s: Real, slack_s: Real, service_s: Real, percentile: Real) -> Real:
    """Fewest replicas that serve the arrivals with the wait inside `slack_s` at the percentile.

    k and its utilisation cap depend on each other, k u(k) >= lambda s with u(k) = 1 - a/k. The product k u(k) = k - a
    is linear in k, so the fixed point is explicit: k = ceil(lambda s + a). (Iterating k = ceil(lambda s / u(k)) finds
    no fixed point at light load, where the wait of a single prompt and not the load sets the pool size.)
    Arguments broadcast; requests/s, seconds, seconds, probability. Returns a count; inf where slack_s <= 0, and 0
    where nothing arrives. Source: formula S8.
    """
    require_non_negative(arrival_rate_per_s=arrival_rate_per_s)
    load = np.asarray(arrival_rate_per_s) * service_s
    idle = idle_servers(slack_s=slack_s, service_s=service_s, percentile=percentile)
    return np.where(load > 0.0, np.ceil(load + idle), 0.0)[()]


def place_utilisation(*, sequences: Real, slack_s: Real, residence_s: Real, percentile: Real) -> Real:
    """Share of the places for running sequences that may be taken so that a prompt finds one in time at the percentile.

    With N sequences running on average, k = N + b sqrt(k) places leave P(wait > x) = a(b) exp(-2 b sqrt(k) x / T), where
    a(b) = 1 / (1 + b Phi(b) / phi(b)) is the chance to wait at all and T the time a sequence stays; b is where that is
    1 - percentile. All replicas are taken as one pool. Arguments broadcast; count, seconds (below 0 counts as 0: no wait is
    allowed), seconds, probability. Returns N / k, a share; 1 for a percentile of 0. ValueError outside the domain.
    Source: derived; a(b) from Halfin and Whitt 1981, square-root staffing, the decay that of fixed service times.
    """
    require_positive(sequences=sequences, residence_s=residence_s)
    require_share(percentile=percentile)
    slack = np.fmax(slack_s, 0.0)
    low = np.zeros(np.broadcast_shapes(*map(np.shape, (sequences, slack, residence_s, percentile))))
    high = low + _MOST_HEADROOM
    with np.errstate(divide="ignore"):
        allowed = np.log1p(np.negative(percentile))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        density = np.exp(-0.5 * middle**2) / np.sqrt(2.0 * np.pi)
        waits = -np.log1p(middle * scipy.special.ndtr(middle) / density)
        tail = waits - 2.0 * middle * _root_places(middle, sequences) * slack / residence_s
        low, high = np.where(tail > allowed, middle, low), np.where(tail > allowed, high, middle)
    headroom = np.where(np.equal(percentile, 0.0), 0.0, high)
    return np.divide(sequences, np.square(_root_places(headroom, sequences)))


def _root_places(headroom: Real, sequences: Real) -> Real:
    """Root of k, the places, from k = N + b sqrt(k)."""
    return 0.5 * (headroom + np.sqrt(np.square(headroom) + 4.0 * np.asarray(sequences)))
