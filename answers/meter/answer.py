"""From what servers counted to what it means: rates, latencies against a contract, goodput, cost, headroom, the API's bill."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from answers.meter.beside import beside
from answers.meter.counting import Buckets, Counted
from answers.meter.record import Asked, Latency, Metered


def metered(counted: Counted, asked: Asked, *, warehouse: Path | None) -> Metered:
    """What was seen. Without a warehouse, a GPU or a model there is no cost, and the notes say so."""
    seen = traffic(counted, asked)
    if warehouse is None:
        return replace(seen, notes=(*seen.notes, "no warehouse yet: `iecon refresh` brings rents, prices and predictions"))
    return beside(seen, asked, warehouse=warehouse)


def traffic(counted: Counted, asked: Asked) -> Metered:
    """What the servers' own metrics say, without cost and headroom."""
    counts, span = counted.counts, counted.seconds
    ttft, tpot, e2e = (counted.latencies.get(name) for name in ("ttft", "tpot", "e2e"))
    requests = counts.get("requests")
    if requests is None:
        requests = next((each.count for each in (e2e, ttft) if each is not None), None)
    prompts = counts.get("prompt_tokens")
    if prompts is None and "computed_prompt_tokens" in counts:
        prompts = counts["computed_prompt_tokens"] + counts.get("cache_hits", 0.0)
    outputs = counts.get("output_tokens")
    bounded = {"ttft": _latency(ttft, asked.ttft_p99_s), "tpot": _latency(tpot, asked.tpot_p99_s), "e2e": _latency(e2e, None)}
    if bounded["tpot"] is None and counts.get("output_seconds") and outputs:
        bounded["tpot"] = _mean_only(counts["output_seconds"] / outputs, outputs)
    rate = _over(requests, span)
    good = _goodput(bounded["ttft"], bounded["tpot"])
    written = asked.model or (counted.models[0] if len(counted.models) == 1 else None)
    return Metered(
        engine=counted.engine,
        model=None,
        model_written=written,
        replicas=counted.replicas,
        restarts=counted.restarts,
        seconds=span,
        requests=requests,
        requests_per_s=rate,
        failed=counted.failed,
        input_tokens_mean=_over(prompts, requests),
        output_tokens_mean=_over(outputs, requests),
        input_tokens_per_s=_over(prompts, span),
        output_tokens_per_s=_over(outputs, span),
        running=counted.gauges.get("running"),
        waiting=counted.gauges.get("waiting"),
        cache_use=counted.gauges.get("cache_use"),
        prefix_hit_share=_hits(counted, prompts),
        ttft=bounded["ttft"],
        tpot=bounded["tpot"],
        e2e=bounded["e2e"],
        goodput_per_s=None if rate is None or good is None else rate * good[0],
        least_goodput_per_s=None if rate is None or good is None else rate * good[1],
        most_goodput_per_s=None if rate is None or good is None else rate * good[2],
        cost=None,
        headroom=None,
        notes=tuple(_notes(counted, requests=requests, ttft=ttft, tpot=tpot)),
        metrics=counted.names,
    )


def _notes(counted: Counted, *, requests: float | None, ttft: Buckets | None, tpot: Buckets | None) -> list[str]:
    notes = []
    if counted.restarts:
        notes.append(f"{counted.restarts} restart(s): counters began at 0 again, and what came before the last look is lost")
    if counted.seconds is None:
        notes.append("totals since the server started, which does not say when: rates need --minutes")
    if requests == 0.0 or (requests is None and not any(counted.counts.values())):
        notes.append("no request ended in that time: there is nothing to meter yet")
    if len(counted.models) > 1:
        notes.append(f"several models are served ({', '.join(counted.models)}): figures are of all together")
    if ttft is None:
        notes.append(f"{counted.engine} publishes no histogram of the time to first token: goodput is not known")
    if tpot is not None and not tpot.is_per_request:
        notes.append("TPOT is of every interval between tokens: its percentiles are above those of requests' means")
    if counted.failed:
        notes.append(f"{counted.failed:,.0f} request(s) ended without an answer")
    return notes


def _latency(buckets: Buckets | None, bound: float | None) -> Latency | None:
    if buckets is None or buckets.count <= 0.0:
        return None
    finite = buckets.upper_bounds[np.isfinite(buckets.upper_bounds)]
    within = None if bound is None else buckets.within(bound)
    p50, p90, p99 = (_finite(buckets.quantile(share)) for share in (0.5, 0.9, 0.99))
    return Latency(
        p50_s=p50,
        p90_s=p90,
        p99_s=p99,
        mean_s=buckets.total / buckets.count if buckets.total > 0 else None,
        observations=buckets.count,
        above_s=float(finite[-1]) if finite.size else None,
        bound_s=bound,
        share_within=None if within is None else within[0],
        least_within=None if within is None else within[1],
        most_within=None if within is None else within[2],
        of="requests" if buckets.is_per_request or bound is None else "observations",
    )


def _mean_only(seconds: float, observations: float) -> Latency:
    return Latency(
        p50_s=None,
        p90_s=None,
        p99_s=None,
        mean_s=seconds,
        observations=observations,
        above_s=None,
        bound_s=None,
        share_within=None,
        least_within=None,
        most_within=None,
        of="tokens",
    )


def _goodput(ttft: Latency | None, tpot: Latency | None) -> tuple[float, float, float] | None:
    """Share of the requests within both bounds: were they independent, at least and at most (Fréchet)."""
    if ttft is None or tpot is None or ttft.share_within is None or tpot.share_within is None:
        return None
    least = max((ttft.least_within or 0.0) + (tpot.least_within or 0.0) - 1.0, 0.0)
    most = min(ttft.most_within or 0.0, tpot.most_within or 0.0)
    return ttft.share_within * tpot.share_within, least, most


def _hits(counted: Counted, prompts: float | None) -> float | None:
    """Share of the prompt tokens found in the prefix cache."""
    hits, asked = counted.counts.get("cache_hits"), counted.counts.get("cache_queries", prompts)
    if hits is not None and asked:
        return min(hits / asked, 1.0)
    rate = counted.gauges.get("hit_rate")
    # Some versions publish percent.
    return None if rate is None else (rate / 100.0 if rate > 1.0 else rate)


def _over(value: float | None, by: float | None) -> float | None:
    return None if value is None or not by else value / by


def _finite(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else value
