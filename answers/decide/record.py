"""What `iecon decide` is asked, and what it answers. None: unknown, unbounded, or it cannot be met."""

from dataclasses import dataclass, fields

METRICS = ("ttft", "tpot", "e2e")
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, kw_only=True)
class ServingQuestion:
    """What is asked. Prices in $, lengths in tokens, bounds in seconds: one at most of TTFT, of TPOT and of whole requests."""

    model: str
    """A name, a Hugging Face id, or with `config` what you call it."""
    gpu: str | tuple[str, ...]
    """One or several; any: all that fit and have a rent."""
    input_tokens: float
    output_tokens: float
    requests_per_s: float
    ttft_p50_s: float | None = None
    ttft_p90_s: float | None = None
    ttft_p95_s: float | None = None
    ttft_p99_s: float | None = None
    tpot_p50_s: float | None = None
    tpot_p90_s: float | None = None
    tpot_p95_s: float | None = None
    tpot_p99_s: float | None = None
    e2e_p50_s: float | None = None
    e2e_p90_s: float | None = None
    e2e_p95_s: float | None = None
    e2e_p99_s: float | None = None
    peak_requests_per_s: float | None = None
    """What the design must hold; the bill is divided by the requests that come in the mean."""
    burstiness: float = 1.0
    """Shape of the gamma gaps between arrivals, as the flag of vLLM's benchmark: 1 is Poisson, below it bursts."""
    length_spread: tuple[float, float] = (0.0, 0.0)
    """Standard deviation of the logarithm of both lengths; 0: all requests are alike."""
    precision: str | None = None
    """bf16, fp8, nvfp4, mxfp4, int8, int4-awq, ...; None: as the checkpoint is stored."""
    kv_dtype: str | None = None
    """None: 16 bits."""
    engine: str | None = None
    """None: that with most measured runs of the model on the accelerator, else on its family."""
    tp: int | None = None
    ep: int | None = None
    pp: int | None = None
    dp_attention: bool | None = None
    gpus: int | None = None
    """GPUs there are at most; None: as many as it takes."""
    design: str | None = None
    """colocated or disaggregated; None: the cheaper of both."""
    prefill_gpu: str | None = None
    prefix_hit_share: float = 0.0
    draft_tokens: float | None = None
    draft_acceptance: float | None = None
    kv_gbps: float | None = None
    """Nominal Gbit/s of the KV transfer per GPU; None: the GPU's network."""
    usd_per_gpu_hour: float | dict[str, float] | None = None
    """Of all GPUs, or by GPU; None: the rent in the warehouse."""
    rent_day: str | None = None
    """A past day, such as 2026-04-20, whose rent is taken; None: today's."""
    rent_term: str | None = None
    rent_statistic: str | None = None
    config: str | None = None
    """config.json of a model of your own."""
    accelerator: str | None = None
    """JSON object of columns of core.gpu for an accelerator of your own."""
    measured: str | None = None
    """Table of your own runs, as of `iecon predict`, with what they reached: they correct this system's step times."""
    insist: bool = False
    """Take bounds as they are, however they look."""

    @property
    def gpus_named(self) -> tuple[str, ...]:
        """The names of accelerators that are asked for."""
        return (self.gpu,) if isinstance(self.gpu, str) else tuple(self.gpu)

    @property
    def sized_for_per_s(self) -> float:
        """Requests per second that must be held."""
        return self.peak_requests_per_s or self.requests_per_s

    def bounds(self) -> dict[str, tuple[str, float]]:
        """Percentile and seconds of each metric that is bounded."""
        stated = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            metric: (name, stated[f"{metric}_{name}_s"])
            for metric in METRICS
            for name in PERCENTILES
            if stated[f"{metric}_{name}_s"] is not None
        }


@dataclass(frozen=True, kw_only=True)
class Latency:
    """What requests see, seconds; at the percentiles that the bounds are on, and what the simulation of the arrivals gives."""

    ttft_s: float | None
    tpot_s: float | None
    e2e_s: float | None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What the simulation of the asked arrivals on these step times gives."""

    requests: int
    size: tuple[int, int]
    """Copies, or decode and prefill workers, with which every bound holds in the simulation; 0 where there is no such pool."""
    size_predicted: tuple[int, int]
    """What the closed forms say: more than needed where they are cautious, fewer where the simulation broke a bound."""
    holds: bool
    ttft_p50_s: float
    ttft_p90_s: float
    ttft_p99_s: float
    tpot_p50_s: float
    tpot_p90_s: float
    tpot_p99_s: float
    attainment: float
    """Share of requests within both bounds."""
    goodput_per_s: float


@dataclass(frozen=True, kw_only=True)
class Design:
    """One way to serve the load, sized to it in whole copies, and what it costs."""

    architecture: str
    """colocated or disaggregated."""
    gpu: str
    prefill_gpu: str | None
    engine: str | None
    precision: str
    parallelism: str
    """In words, such as TP 8, or prefill TP 4 / decode EP 16."""
    copies: int
    """Equal systems side by side."""
    gpus: int
    """Of all copies."""
    prefill_gpus: int
    prefill_workers: int
    decode_gpus: int
    decode_workers: int
    usd_per_gpu_hour: float
    term: str
    usd_per_hour: float
    usd_per_mtok_output: float
    low_usd_per_mtok_output: float | None
    high_usd_per_mtok_output: float | None
    """5th and 95th percentile over draws of rent and model error; None where nothing was measured of the engine and family."""
    usd_per_mtok_input: float
    """The whole bill over prompt tokens."""
    usd_per_mtok_total: float
    usd_per_request: float
    requests_per_s_held: float
    """The most that all copies hold within the bounds."""
    concurrency: float
    """Requests in flight of one copy at the load."""
    latency: Latency
    limit: str
    """What gives first above the load held: ttft, tpot, e2e or room."""
    chance_cheapest: float | None
    """Share of draws in which it is the cheapest of the choices of its term; None where no error is known."""
    basis: str
    nearest_run: str | None
    distance: float | None
    checked: Checked | None = None


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A device or a design that cannot answer, and why, in one line."""

    gpu: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Flip:
    """Where on one axis the answer turns."""

    axis: str
    unit: str
    now: float
    turns_at: float | None
    """None: nothing turns within the range looked at."""
    to: str | None
    """What is cheapest there."""
    low: float
    high: float
    """Range looked at."""


@dataclass(frozen=True, kw_only=True)
class Unmet:
    """A contract that no design meets: which bound, by how much, and the nearest contract that can be met."""

    gpu: str
    architecture: str
    parallelism: str
    bound: str
    """ttft, tpot, e2e, or gpus where the budget is too small."""
    asked: float
    least: float
    """The tightest that can be met on that design, or the GPUs it takes."""
    usd_per_hour: float | None
    """At the nearest contract."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The answer with everything it rests on."""

    question: ServingQuestion
    answer: str | None
    """Cheapest architecture that meets the contract; None if none does."""
    designs: tuple[Design, ...]
    """The best of each accelerator and architecture, cheapest first; those of other terms of rent behind."""
    unmet: tuple[Unmet, ...]
    refused: tuple[Refused, ...]
    flips: tuple[Flip, ...]
    evidence: tuple[str, ...]
    """In words: nearest measured runs, what is assumed, where every figure comes from."""
