"""What `iecon decide` is asked, and what it answers. None: unknown, unbounded, or it cannot be met."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ServingQuestion:
    """What is asked. Prices in $, lengths in tokens, bounds in seconds at the 99th percentile."""

    model: str
    gpu: str
    input_tokens: float
    output_tokens: float
    requests_per_s: float
    ttft_p99_s: float
    tpot_p99_s: float
    kv_gbps: float | None = None
    """Nominal Gbit/s of the KV transfer per GPU; None: the GPU's network."""
    usd_per_gpu_hour: float | None = None
    """None: the rent in the warehouse."""
    rent_day: str | None = None
    """A past day, such as 2026-04-20, whose rent is taken; None: today's."""
    rent_term: str | None = None
    rent_statistic: str | None = None
    precision: str = "bf16"
    tpot_definition: str = "per_request_mean"
    engine: str | None = None
    """Serving engine whose fit of MFU and MBU to take; None: that with most measured steps."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of the hardware's peak that the answer rests on."""

    name: str
    """mfu or mbu."""
    value: float
    low: float
    high: float
    """Fitted: the 5th and 95th percentile of what single steps imply; default: assumed."""
    basis: str
    """fitted or default."""
    gpu_count: int | None
    """Replica size of the steps; None: all sizes pooled, or a default."""
    engine: str | None
    points: int
    sources: str | None


@dataclass(frozen=True, kw_only=True)
class Design:
    """One way to serve the load. Costs are per million output tokens within the contract; None: it cannot be met."""

    architecture: str
    usd_per_mtok: float | None
    """In whole replicas at this rate: what is paid."""
    low_usd_per_mtok: float | None
    high_usd_per_mtok: float | None
    """None also where the contract is missed at that end of the interval."""
    usd_per_mtok_at_scale: float | None
    """In fractions of replicas: what the cost tends to at high rates, and what break-even values compare."""
    chance_feasible: float
    chance_cheapest: float
    gpus: int | None
    prefill_replicas: int | None
    decode_replicas: int | None
    usd_per_hour: float | None
    running_sequences: float | None
    broken_bounds: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Margin:
    """How far one symbol is from turning chunked colocation against disaggregation, at scale."""

    axis: str
    unit: str
    now: float
    disaggregation_is_cheaper: str
    """above, below, always, never, or neither where none of both can meet the contract."""
    break_even: float | None
    low: float | None
    high: float | None
    times: float | None
    """Break-even over the present value."""


@dataclass(frozen=True, kw_only=True)
class NearestContract:
    """A contract that can be met, where the one asked for cannot."""

    architecture: str
    gpus_per_replica: int
    ttft_p99_s: float
    tpot_p99_s: float
    usd_per_mtok: float | None


@dataclass(frozen=True, kw_only=True)
class ReplicaSize:
    """The cheapest design with replicas of so many GPUs."""

    gpus: int
    cheapest: str | None
    usd_per_mtok: float | None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The answer with everything it rests on."""

    question: ServingQuestion
    answer: str | None
    """Cheapest architecture that meets the contract; None if none does."""
    gpus_per_replica: int
    designs: tuple[Design, ...]
    margins: tuple[Margin, ...]
    flips: tuple[str, ...]
    """What would change the answer, nearest first."""
    cheapest_by_setting: dict[str, str | None]
    sizes: tuple[ReplicaSize, ...]
    """Replica sizes that were tried."""
    nearest: tuple[NearestContract, ...]
    usd_per_gpu_hour: float
    kv_gbps: float
    setting: str
    switches: str
    """Refinements of the setting that are on."""
    calibration: str
    """fitted, fitted_in_part or default; see `shares`."""
    shares: tuple[Share, ...]
    """MFU and MBU of the replica size chosen."""
    evidence: tuple[str, ...]
