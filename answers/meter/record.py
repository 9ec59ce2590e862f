"""What `iecon meter` answers. None: not published, nothing came, or not to be known."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the user says beside the metrics."""

    gpu: str | None = None
    gpus: int | None = None
    """Of all servers together; None: one each."""
    model: str | None = None
    """None: as the server names it."""
    precision: str | None = None
    usd_per_gpu_hour: float | None = None
    """None: the warehouse's rent."""
    ttft_p99_s: float = 2.0
    tpot_p99_s: float = 0.05


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Percentiles in seconds, out of buckets; a percentile above the last bucket is None with `above` its bound."""

    p50_s: float | None
    p90_s: float | None
    p99_s: float | None
    mean_s: float | None
    observations: float
    above_s: float | None
    """Last finite bound of the buckets."""
    bound_s: float | None
    share_within: float | None
    least_within: float | None
    most_within: float | None
    of: str
    """requests, or intervals between tokens."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What the traffic costs here and at an API. $ per million tokens of all kinds."""

    gpu: str
    gpus: int
    usd_per_gpu_hour: float
    rent: str
    usd_per_mtok_reserved: float | None
    """With idle time paid: compares with an API."""
    usd_per_mtok_busy: float | None
    """At the predicted saturation."""
    usd_per_month: float
    api_usd_per_mtok: float | None
    api_usd_per_month: float | None
    api_seller: str | None
    break_even_per_day: float | None
    """Requests a day from which these GPUs cost less than calling; None: no volume, or not known."""
    requests_per_day: float | None


@dataclass(frozen=True, kw_only=True)
class Headroom:
    """Predicted saturation within the contract beside what is seen, requests per second of all servers."""

    seen_per_s: float
    saturation_per_s: float | None
    low_per_s: float | None
    high_per_s: float | None
    limit: str | None
    basis: str | None
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Metered:
    """What was seen."""

    engine: str
    model: str | None
    model_written: str | None
    replicas: int
    restarts: int
    seconds: float | None
    requests: float | None
    requests_per_s: float | None
    failed: float
    input_tokens_mean: float | None
    output_tokens_mean: float | None
    input_tokens_per_s: float | None
    output_tokens_per_s: float | None
    running: float | None
    waiting: float | None
    cache_use: float | None
    prefix_hit_share: float | None
    ttft: Latency | None
    tpot: Latency | None
    e2e: Latency | None
    goodput_per_s: float | None
    """Requests per second within both bounds, were both independent."""
    least_goodput_per_s: float | None
    most_goodput_per_s: float | None
    cost: Cost | None
    headroom: Headroom | None
    notes: tuple[str, ...]
    metrics: tuple[str, ...]
    """Names that were read."""
