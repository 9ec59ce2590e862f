"""What `iecon host-or-call` is asked, and what it answers. None: unknown, or there is none. Dollars of a month unless named."""

from dataclasses import dataclass, field

from answers.host_or_call.loads import Load


class HostOrCallError(ValueError):
    """A question that has no answer as it is asked; the command exits with 2."""

    code = 2


@dataclass(frozen=True, kw_only=True)
class Owned:
    """A GPU of one's own."""

    purchase_usd: float
    """Per GPU, with its share of server and network."""
    life_years: float = 4.0
    interest_per_year: float = 0.08
    residual_share: float = 0.0
    usd_per_kwh: float = 0.1
    power_usage_effectiveness: float = 1.3


@dataclass(frozen=True, kw_only=True)
class HostOrCallQuestion:
    """What is asked. Tokens of a request, requests per second, bounds in seconds at the 99th percentile."""

    model: str
    input_tokens: float
    output_tokens: float
    """As the model emits them, reasoning included."""
    load: Load
    ttft_p99_s: float
    tpot_p99_s: float
    cached_share: float = 0.0
    """Of the prompt, found in the cache: at an API at its price of it, hosted computed once."""
    batch_share: float = 0.0
    """Of the requests, that can wait for a batch."""
    gpus: tuple[str, ...] = ()
    """None named: all that have a rent."""
    term: str | None = None
    """Of the rent; owned with `owned`; None: that of core.gpu_price."""
    usd_per_gpu_hour: float | None = None
    owned: Owned | None = None
    against: tuple[str, ...] = ()
    api_usd_per_mtok: tuple[float, ...] = ()
    """What is paid for input, output, and cached input where stated."""
    minimum_usd_per_month: float = 0.0
    """What the API charges at least."""
    ops_usd_per_month: float = 0.0
    precision: str | None = None
    engine: str | None = None
    start_up_s: float | None = None
    """Instances follow the load, and take so long to start; None: reserved around the clock."""
    measured: str | None = None
    """Table of one's own runs, as of `iecon predict`, with the output rate they reached: it corrects capacities by GPU."""
    accuracy: dict[str, float] = field(default_factory=dict)
    """Share of answers that are correct, by model."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One seller's bill for the workload."""

    model: str
    seller: str
    usd_per_request: float
    usd_per_month: float
    low_usd_per_month: float
    high_usd_per_month: float
    """By the cheapest and the dearest source that prices it."""
    usd_per_mtok: float
    """Of all tokens."""
    output_tokens: float
    """Billed for the same visible answer."""
    evidence_on: str | None
    age_days: int | None
    sources: int
    agreement: float
    doubts: tuple[str, ...]
    """Why it does not lead the answer although it may be cheapest; empty: it may."""
    notes: tuple[str, ...]
    scale: str | None = None
    score: float | None = None
    usd_per_correct: float | None = None


@dataclass(frozen=True, kw_only=True)
class Host:
    """One GPU with the instance that serves the load for least. Figures None where no instance meets the contract."""

    gpu: str
    term: str
    usd_per_gpu_hour: float
    low_usd_per_gpu_hour: float
    high_usd_per_gpu_hour: float
    engine: str | None
    precision: str
    gpus_per_instance: int | None
    dp_attention: bool
    capacity_per_s: float | None
    """Requests per second of an instance within the contract."""
    low_capacity_per_s: float | None
    high_capacity_per_s: float | None
    """None: nothing was measured of this engine on such GPUs."""
    limit: str | None
    """What gives first: ttft, tpot or room."""
    basis: str | None
    nearest_run: str | None
    instances: int | None
    usd_per_month: float | None
    """Reserved around the clock for the peak, with the operations."""
    low_usd_per_month: float | None
    high_usd_per_month: float | None
    usd_per_mtok_reserved: float | None
    usd_per_mtok_busy: float | None
    utilisation: float | None
    """Mean rate over the capacity of all instances."""
    scaled_usd_per_month: float | None
    """Where instances follow the load and take the stated time to start."""
    break_even_per_day: float | None
    """Requests a day from which hosting stays cheaper; inf is None with `never` true."""
    low_break_even_per_day: float | None
    high_break_even_per_day: float | None
    """5th and 95th percentile over draws of step times, rent and price; None: never."""
    first_break_even_per_day: float | None
    break_even_mtok_per_month: float | None
    break_even_utilisation: float | None
    least_utilisation: float | None
    chance_cheaper: float | None
    """Share of draws in which hosting costs less than calling at this volume."""
    moves_it_most: str | None
    reason: str | None
    """Why there is no figure."""
    usd_per_correct: float | None = None

    @property
    def gpus(self) -> int | None:
        """GPUs of all instances."""
        return None if self.instances is None or self.gpus_per_instance is None else self.instances * self.gpus_per_instance


@dataclass(frozen=True, kw_only=True)
class Both:
    """Base hosted, bursts called."""

    gpu: str
    instances: int
    gpus: int
    seller: str
    usd_per_month: float
    hosted_usd_per_month: float
    called_usd_per_month: float
    called_share: float
    saves_usd_per_month: float
    """Against the cheaper of hosting and calling everything."""
    simulated_usd_per_month: float
    """A week of random arrivals, minute by minute."""


@dataclass(frozen=True, kw_only=True)
class Routed:
    """What the user's own table says of a cheaper model for easy items."""

    pays: str
    why: str
    strong: str
    weak: str
    strong_share: float | None
    usd_per_month: float | None
    """With the strong share served the cheaper way, and the rest by the weak model at its cheapest seller."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HostOrCallDecision:
    """The answer with everything it rests on."""

    question: HostOrCallQuestion
    answer: str
    """host, call, both, or none where there is neither a seller nor an instance."""
    usd_per_month: float | None
    requests_per_day: float
    mtok_per_month: float
    reference: Call | None
    """The call that hosting is held against."""
    calls: tuple[Call, ...]
    alternatives: tuple[Call, ...]
    hosts: tuple[Host, ...]
    """The cheapest first; those that cannot last."""
    best: Host | None
    both: Both | None
    routed: Routed | None
    flips: tuple[str, ...]
    evidence: tuple[str, ...]
