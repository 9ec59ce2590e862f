"""The symbols of serving cost: hardware, model, workload, contract, and the refinements that can be switched on.

Every field is a number or an array; fields of one scenario broadcast together. A value outside its domain is a
ValueError that names the field.
"""

from dataclasses import dataclass

from economics.units import (
    SECONDS_PER_HOUR,
    Real,
    require_fraction,
    require_non_negative,
    require_positive,
    require_share,
)

TPOT_DEFINITIONS = ("per_request_mean", "per_token_p99", "per_token_max", "worst_tenth_mean")
"""What a TPOT bound is read on.

per_request_mean: (end-to-end - TTFT) / (tokens - 1) of a request, at the contract's percentile over requests
per_token_p99: the contract's percentile over all intervals between tokens
per_token_max: every interval
worst_tenth_mean: mean of the slowest tenth of the intervals
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Hardware:
    """The GPUs of one replica. Rates and sizes are those of one GPU, at the precision the model runs in."""

    usd_per_gpu_hour: Real
    flops_per_s: Real
    """Dense peak."""
    hbm_bytes_per_s: Real
    hbm_bytes: Real
    gpus: Real = 1.0
    """GPUs that work as one replica."""
    link_bytes_per_s: Real | None = None
    """GPU to GPU inside a replica, one direction. Needed by the communication refinements only."""
    link_latency_s: Real = 0.0
    """Fixed time of one collective inside a replica."""
    layer_s: Real = 0.0
    """alpha: fixed time of one layer in every pass, as fitted to engines. Needs the model's layers."""

    def __post_init__(self) -> None:
        require_positive(
            usd_per_gpu_hour=self.usd_per_gpu_hour,
            flops_per_s=self.flops_per_s,
            hbm_bytes_per_s=self.hbm_bytes_per_s,
            hbm_bytes=self.hbm_bytes,
            gpus=self.gpus,
            link_bytes_per_s=self.link_bytes_per_s,
        )
        require_non_negative(link_latency_s=self.link_latency_s, layer_s=self.layer_s)

    @property
    def usd_per_s(self) -> Real:
        """Price of one replica, c."""
        return self.usd_per_gpu_hour * self.gpus / SECONDS_PER_HOUR


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A model's size. Fields that default to None are needed by single refinements only, which name them."""

    active_parameters: Real
    """P: parameters a token passes through."""
    weight_bytes: Real
    """All weights, at the precision served."""
    kv_bytes_per_token: Real
    """b_kv, see `economics.serving.step_time.kv_bytes_per_token`."""
    state_bytes_per_sequence: Real = 0.0
    """Recurrent state that does not grow with context (SSM layers)."""
    layers: Real | None = None
    query_heads: Real | None = None
    head_dim: Real | None = None
    hidden: Real | None = None
    activation_bytes: Real = 2.0
    """Bytes of one activation value on the link."""
    experts: Real | None = None
    """Routed experts of one layer."""
    experts_per_token: Real | None = None
    expert_weight_bytes: Real | None = None
    """The part of weight_bytes that belongs to routed experts."""

    def __post_init__(self) -> None:
        require_non_negative(
            kv_bytes_per_token=self.kv_bytes_per_token,
            state_bytes_per_sequence=self.state_bytes_per_sequence,
            expert_weight_bytes=self.expert_weight_bytes,
        )
        require_positive(
            active_parameters=self.active_parameters,
            weight_bytes=self.weight_bytes,
            bytes_per_sequence=self.kv_bytes_per_token + self.state_bytes_per_sequence,
            layers=self.layers,
            query_heads=self.query_heads,
            head_dim=self.head_dim,
            hidden=self.hidden,
            activation_bytes=self.activation_bytes,
            experts=self.experts,
            experts_per_token=self.experts_per_token,
        )
        if self.experts is not None and self.experts_per_token is not None:
            require_fraction(experts_per_token_over_experts=self.experts_per_token / self.experts)
        if self.expert_weight_bytes is not None:
            require_share(expert_weight_bytes_over_weight_bytes=self.expert_weight_bytes / self.weight_bytes)


@dataclass(frozen=True, kw_only=True, eq=False)
class RequestShape:
    """What arrives. State either the arrival rate or the size of the prefill pool; the other follows."""

    input_tokens: Real
    """n_in of a prompt."""
    input_per_output: Real
    """r = n_in / n_out."""
    context_tokens: Real
    """Mean length of a running sequence, whose KV each step reads."""
    arrival_rate_per_s: Real | None = None
    """lambda, requests per second over the whole deployment. Zero is allowed and costs infinitely much per token."""
    prefill_replicas: Real | None = None
    """k of the prefill pool."""

    def __post_init__(self) -> None:
        require_positive(
            input_tokens=self.input_tokens,
            input_per_output=self.input_per_output,
            context_tokens=self.context_tokens,
            prefill_replicas=self.prefill_replicas,
        )
        require_non_negative(arrival_rate_per_s=self.arrival_rate_per_s)
        if (self.arrival_rate_per_s is None) == (self.prefill_replicas is None):
            raise ValueError("state exactly one of arrival_rate_per_s and prefill_replicas")

    @property
    def output_tokens(self) -> Real:
        """n_out of an answer."""
        return self.input_tokens / self.input_per_output


@dataclass(frozen=True, kw_only=True, eq=False)
class Contract:
    """The bounds a request must meet."""

    ttft_s: Real
    tpot_s: Real
    percentile: Real = 0.99
    """Share of requests (or intervals) inside the bounds. 0 sizes the queue for no waiting at all: a mean bound."""
    tpot_definition: str = "per_token_p99"
    """One of TPOT_DEFINITIONS. Moves unchunked colocation, the only architecture whose intervals differ in length."""

    def __post_init__(self) -> None:
        require_positive(ttft_s=self.ttft_s, tpot_s=self.tpot_s)
        require_share(percentile=self.percentile)
        if self.tpot_definition not in TPOT_DEFINITIONS:
            raise ValueError(f"tpot_definition must be one of {TPOT_DEFINITIONS}, got {self.tpot_definition!r}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Efficiency:
    """How much of the hardware's peak is reached, and how much of the output counts."""

    mfu: Real = 0.5
    """Share of peak FLOP/s in prefill."""
    mbu: Real = 0.8
    """Share of peak memory bandwidth in decode."""
    memory_share: Real = 0.9
    """Share of HBM left to weights and KV."""
    chunk_utilisation: Real = 0.9
    """u_c: share of the chunk budget that the TTFT bound allows to fill."""
    colocated_attainment: Real = 1.0
    """A of colocation: share of output tokens in requests that meet both bounds."""
    disaggregated_attainment: Real = 1.0

    def __post_init__(self) -> None:
        require_fraction(
            mfu=self.mfu,
            mbu=self.mbu,
            memory_share=self.memory_share,
            chunk_utilisation=self.chunk_utilisation,
            colocated_attainment=self.colocated_attainment,
            disaggregated_attainment=self.disaggregated_attainment,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Transfer:
    """The way of the KV cache from a prefill replica to a decode replica."""

    bandwidth_bytes_per_s: Real
    """W, per prefill replica."""
    overlap_share: Real = 0.0
    """omega: share hidden behind prefill."""
    held_cost_ratio: Real = 1.0
    """c_x / c: price of what stands still during an exposed transfer, in prefill replicas."""

    def __post_init__(self) -> None:
        require_positive(bandwidth_bytes_per_s=self.bandwidth_bytes_per_s)
        require_share(overlap_share=self.overlap_share)
        require_non_negative(held_cost_ratio=self.held_cost_ratio)


@dataclass(frozen=True, kw_only=True, eq=False)
class Refinements:
    """Effects beyond the plain sum, each off by default. Economics design, section 2, 'Refinements'."""

    overlap: Real = 0.0
    """o: a mixed iteration costs (1-o) (memory + compute) + o max(memory, compute). 0 is the plain sum."""
    ttft_coupling: bool = False
    """Chunked colocation: prefill gets only the share of each iteration that decode leaves, so prompts take longer."""
    prefill_pool_efficiency: Real = 1.0
    """Rate-match efficiency of the prefill pool: pools are integers and loads fluctuate."""
    decode_pool_efficiency: Real = 1.0
    """Rate-match efficiency of the decode pool."""
    integer_pools: bool = False
    """Pay for whole replicas. Needs arrival_rate_per_s. Break-even values keep the pools divisible."""
    place_queue: bool = False
    """Colocated designs: keep places for sequences free, so that a prompt finds one in time. Needs arrival_rate_per_s.
    Disaggregated decode pools have decode_pool_efficiency for it. Break-even values leave it out."""
    prefill_attention: bool = False
    """Prefill FLOP grow with context. Needs layers, query_heads, head_dim."""
    decode_compute_bound: bool = False
    """A decode step is never shorter than its FLOP."""
    prefix_hit_share: Real = 0.0
    """h: share of the prompt whose KV is found in cache. It saves prefill, not transfer: the decode side has no copy."""
    chunk_tokens: Real | None = None
    """Chunk size; each chunk reads the KV of the chunks before it again. None: no re-reading."""
    tensor_parallel_communication: bool = False
    """Two all-reduces a layer. Needs link_bytes_per_s, layers, hidden."""
    expert_parallel_communication: bool = False
    """Dispatch and combine of every routed token a layer. Needs link_bytes_per_s, layers, hidden, experts_per_token."""
    experts_touched: bool = False
    """Weights read in a step grow with the batch until all experts are touched. Needs the expert fields."""
    prefill_hardware: Hardware | None = None
    """Other GPUs for the prefill pool of a disaggregated deployment."""
    prefill_efficiency: Efficiency | None = None
    """Their efficiency; None: that of the scenario."""
    goodput_percentile: Real | None = None
    """Size queue and batch for this percentile instead of the contract's; only that share of the tokens then counts."""
    achieved_link_share: Real = 1.0
    """Achieved over nominal bandwidth of the KV transfer."""
    draft_tokens: Real = 0.0
    """k of speculative decoding; 0 is off. Verification of a batch of drafts saturates on compute."""
    draft_acceptance: Real = 0.0
    """Chance that a drafted token is accepted."""
    draft_cost_ratio: Real = 0.0
    """Time of one draft step over the memory time of one target step."""

    def __post_init__(self) -> None:
        require_share(overlap=self.overlap, draft_acceptance=self.draft_acceptance)
        require_fraction(
            one_minus_prefix_hit_share=1.0 - self.prefix_hit_share,
            prefill_pool_efficiency=self.prefill_pool_efficiency,
            decode_pool_efficiency=self.decode_pool_efficiency,
            goodput_percentile=self.goodput_percentile,
            achieved_link_share=self.achieved_link_share,
        )
        require_positive(chunk_tokens=self.chunk_tokens)
        require_non_negative(draft_tokens=self.draft_tokens, draft_cost_ratio=self.draft_cost_ratio)


PLAIN = Refinements()
"""Every refinement off: the plain sum."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scenario:
    """All symbols of one serving question."""

    hardware: Hardware
    model: Model
    workload: RequestShape
    contract: Contract
    transfer: Transfer
    efficiency: Efficiency = Efficiency()
    refinements: Refinements = PLAIN
