"""From scrapes over time to what happened between them: counters that reset, several replicas, latencies in buckets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from economics.numeric.histogram import bucket_quantile, share_within
from economics.units import Array
from sources.serving.engine_metrics import (
    COUNTERS,
    GAUGES,
    HISTOGRAMS,
    NOT_DONE,
    PER_REQUEST,
    START,
    Scrape,
    Series,
    first_published,
)

SHARES = ("cache_use", "hit_rate")
"""Gauges that are shares."""
RESTART_S = 1.5
"""Difference of start times from which a process is another."""


@dataclass(frozen=True, eq=False)
class Buckets:
    """A histogram of what was observed: counts at or below each upper bound, the last infinity."""

    upper_bounds: Array
    cumulative: Array
    total: float
    """Sum of the observations."""
    is_per_request: bool

    @property
    def count(self) -> float:
        """Observations."""
        return float(self.cumulative[-1])

    def quantile(self, share: float) -> float | None:
        """None without observations, inf above the last bound."""
        value = bucket_quantile(upper_bounds=self.upper_bounds, cumulative=self.cumulative, share=share)
        return None if np.isnan(value) else value

    def within(self, bound: float) -> tuple[float, float, float] | None:
        """Share within a bound with the least and most it can be."""
        found = share_within(upper_bounds=self.upper_bounds, cumulative=self.cumulative, bound=bound)
        return None if np.isnan(found[0]) else found


@dataclass(frozen=True, kw_only=True, eq=False)
class Counted:
    """What the servers did between the first and the last scrape, all replicas together."""

    engine: str
    models: tuple[str, ...]
    replicas: int
    restarts: int
    seconds: float | None
    """None where only totals since a start are known, whose time is not."""
    counts: dict[str, float] = field(default_factory=dict)
    """By our names: prompt_tokens, output_tokens, requests, cache_hits, ...; absent: not published."""
    gauges: dict[str, float] = field(default_factory=dict)
    """Mean over the scrapes, summed over the replicas (of shares the mean)."""
    latencies: dict[str, Buckets] = field(default_factory=dict)
    failed: float = 0.0
    names: tuple[str, ...] = ()
    """Metrics that were read."""


def counted(scrapes: Mapping[str, Sequence[Scrape]], *, seconds: float | None = None) -> Counted:
    """What happened, from the scrapes of each server in order of time.

    Of a single scrape the totals since the start count, and `seconds` says over how long. Servers may be of several versions:
    each is read by the first of our names that it publishes. Raises ValueError where servers run different engines.
    """
    engines = {each.engine for series in scrapes.values() for each in series}
    if len(engines) != 1:
        raise ValueError(f"the servers run different engines ({', '.join(sorted(engines))}): meter them one by one")
    engine = engines.pop()
    servers = [_server(engine, series) for series in scrapes.values()]
    spans = [series[-1].at_s - series[0].at_s for series in scrapes.values()]
    span = max(spans) if max(len(series) for series in scrapes.values()) > 1 else seconds
    gauges = {name: [server.gauges[name] for server in servers if name in server.gauges] for name in GAUGES[engine]}
    latencies = {
        name: [server.latencies[name] for server in servers if name in server.latencies] for name in HISTOGRAMS[engine]
    }
    counts: dict[str, float] = {}
    for server in servers:
        for name, value in server.counts.items():
            counts[name] = counts.get(name, 0.0) + value
    return Counted(
        engine=engine,
        models=tuple(sorted({model for series in scrapes.values() for scrape in series for model in scrape.models})),
        replicas=_replicas(series[0] for series in scrapes.values()),
        restarts=sum(server.restarts for server in servers),
        seconds=span if span is None or span > 0 else None,
        counts=counts,
        gauges={name: sum(values) / (len(values) if name in SHARES else 1.0) for name, values in gauges.items() if values},
        latencies={name: _together(each) for name, each in latencies.items() if each},
        failed=sum(server.failed for server in servers),
        names=tuple(sorted({name for server in servers for name in server.names})),
    )


@dataclass(frozen=True, eq=False)
class _Server:
    """What one server did."""

    counts: dict[str, float]
    gauges: dict[str, float]
    latencies: dict[str, Buckets]
    failed: float
    restarts: int
    names: list[str]


def _server(engine: str, series: Sequence[Scrape]) -> _Server:
    grown, restarts = _increments(series)
    last = series[-1]
    counts: dict[str, float] = {}
    failed, names = 0.0, []
    for quantity, candidates in COUNTERS[engine].items():
        if (name := first_published(last, candidates)) is None:
            continue
        names.append(name)
        rows = [(dict(labels), value) for (each, labels), value in grown.items() if each == name]
        bad = sum(value for labels, value in rows if labels.get("finished_reason") in NOT_DONE)
        counts[quantity] = sum(value for _, value in rows) - bad
        failed += bad
    failed += counts.pop("aborted", 0.0)
    latencies = {}
    for latency, candidates in HISTOGRAMS[engine].items():
        if (name := first_published(last, candidates, ending="_count")) is not None:
            latencies[latency] = _buckets(name, grown)
            names.append(name)
    gauges = {}
    for gauge, candidates in GAUGES[engine].items():
        if (name := first_published(last, candidates)) is not None:
            gauges[gauge] = _gauge(name, series, is_share=gauge in SHARES)
            names.append(name)
    return _Server(counts, gauges, latencies, failed, restarts, names)


def _increments(series: Sequence[Scrape]) -> tuple[dict[Series, float], int]:
    """By how much each series of a server grew, and how often the server restarted.

    A counter that falls, or a process that started anew, began at 0: all that it counts since is new.
    """
    if len(series) == 1:
        return dict(series[0].series), 0
    grown: dict[Series, float] = {}
    restarts = 0
    for before, after in pairwise(series):
        is_new = _restarted(before, after)
        restarts += is_new
        for key, value in after.series.items():
            past = 0.0 if is_new else before.series.get(key, 0.0)
            grown[key] = grown.get(key, 0.0) + max(value - past, 0.0)
    return grown, restarts


def _restarted(before: Scrape, after: Scrape) -> bool:
    if before.started_at_s is not None and after.started_at_s is not None:
        return abs(after.started_at_s - before.started_at_s) > RESTART_S
    counters = {name for names in COUNTERS[after.engine].values() for name in names}
    endings = ("_count", "_bucket")
    return any(
        value < before.series.get((name, labels), 0.0)
        for (name, labels), value in after.series.items()
        if name in counters or name.endswith(endings)
    )


def _buckets(name: str, grown: dict[Series, float]) -> Buckets:
    """The histogram of a server over all its labels."""
    counts: dict[float, float] = {}
    total = 0.0
    for (each, labels), value in grown.items():
        if each == f"{name}_bucket":
            bound = float(dict(labels)["le"])
            counts[bound] = counts.get(bound, 0.0) + value
        elif each == f"{name}_sum":
            total += value
    if np.inf not in counts:
        counts[np.inf] = sum(value for (each, _), value in grown.items() if each == f"{name}_count")
    bounds = sorted(counts)
    return Buckets(np.array(bounds), np.array([counts[bound] for bound in bounds]), total, name in PER_REQUEST)


def _together(histograms: Sequence[Buckets]) -> Buckets:
    """The histogram over all servers, at the bounds that all of them have."""
    shared = set.intersection(*(set(each.upper_bounds.tolist()) for each in histograms))
    bounds = np.array(sorted(shared))
    counts = sum(each.cumulative[np.searchsorted(each.upper_bounds, bounds)] for each in histograms)
    return Buckets(
        bounds,
        np.asarray(counts, dtype=np.float64),
        sum(each.total for each in histograms),
        all(each.is_per_request for each in histograms),
    )


def _gauge(name: str, series: Sequence[Scrape], *, is_share: bool) -> float:
    """Mean over time, summed over labels; of shares the mean over them."""
    values = [[value for (each, _), value in scrape.series.items() if each == name] for scrape in series]
    there = [sum(each) / (len(each) if is_share else 1.0) for each in values if each]
    return sum(there) / len(there)


def _replicas(first: Iterable[Scrape]) -> int:
    """Engines: servers, each with as many as it names (vLLM labels data-parallel engines)."""
    total = 0
    for scrape in first:
        engines = {dict(labels).get("engine") for (name, labels) in scrape.series if name != START}
        total += max(len(engines - {None}), 1)
    return total
