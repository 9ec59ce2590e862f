"""Serving simulated request by request: what the closed forms of `economics.serving.cost` leave to averages.

Three architectures on replicas whose steps take the times of formula S14:

    decode step        one token for each of B sequences, by B: t_w + B tau, or any curve
    pass over prompts  by its tokens, n_in / mu_p or any curve; and the attention of each prompt, by how far it is computed
    mixed step         both; without sequences that decode, only the prompts are paid

unchunked       prompts that wait are computed whole, the first alone or with those behind it that fit together, before the
                next decode step, while sequences fit
chunked         each step holds at most `step_tokens` tokens: those it decodes first, then prompts in their order
disaggregated   a prefill pool with one queue, first come first served, prompts whole as unchunked; a link behind
                each of its replicas sends one KV cache at a time; a decode pool. The transfer is complete before the
                first token counts, as in the closed form; decode never holds back prefill

A request goes to the replica that holds the fewest requests, the first of equals. Nothing is preempted or rejected.
Arithmetic is in double precision and in one order, so that the same arrivals give the same numbers, to the last bit.
"""

from dataclasses import dataclass
from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from economics.serving.cost import ARCHITECTURES
from economics.serving.prefill_pool import prefill_times
from economics.serving.step_curves import NOTHING, Curve, line
from economics.serving.step_time import decode_step, memory_batch
from economics.serving.symbols import Scenario
from economics.units import Array, is_on, require_non_negative, require_positive

Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Replicas and the pace of their steps."""

    architecture: str
    """One of ARCHITECTURES."""
    replicas: int
    """Replicas that decode."""
    decode_s: Curve
    """A decode step by its sequences, at their mean context."""
    prompt_s: Curve
    """A pass over prompts by their tokens, where they are computed."""
    attention_s: Curve = NOTHING
    """What the first tokens of a prompt take besides, in all, by their number: it grows with the square."""
    max_sequences: int
    """Most sequences of one replica: B_max, or less to keep a TPOT bound."""
    step_tokens: int | None = None
    """chunked: most tokens of one step."""
    prompt_batch_tokens: int = 0
    """unchunked, disaggregated: most tokens of prompts that are computed together; 0: one prompt at a time."""
    prefill_replicas: int | None = None
    """disaggregated: replicas of the prefill pool."""
    transfer_s_per_token: float = 0.0
    """disaggregated: exposed time of a prompt token's KV on the link, b_kv (1 - omega) / W."""
    first_token_s: float = 0.0
    """What a request waits for server and client outside of any step."""

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise ValueError(f"architecture must be one of {ARCHITECTURES}, got {self.architecture!r}")
        for name, architecture in (("step_tokens", "chunked"), ("prefill_replicas", "disaggregated")):
            if (getattr(self, name) is None) == (self.architecture == architecture):
                raise ValueError(f"{name} must be stated for the {architecture} architecture and for no other")
        counts = (self.replicas, self.max_sequences, self.step_tokens, self.prefill_replicas)
        if any(count is not None and (count < 1 or count != int(count)) for count in counts):
            raise ValueError(f"replicas, max_sequences, step_tokens, prefill_replicas must be counts, got {counts}")
        require_non_negative(
            transfer_s_per_token=self.transfer_s_per_token,
            first_token_s=self.first_token_s,
            prompt_batch_tokens=self.prompt_batch_tokens,
        )
        require_positive(decode_step_s=float(self.decode_s.at(1)), prompt_pass_s=float(self.prompt_s.at(1)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulation:
    """What happened to each request, in the order of arrival; and how busy the pools were."""

    arrival_s: Array
    wait_s: Array
    """From arrival to the first step that computes the prompt."""
    ttft_s: Array
    """From arrival to the first token."""
    tpot_s: Array
    """(end - first token) / (tokens - 1) of the request; NaN for a single token."""
    finish_s: Array
    output_tokens: Counts
    busy_share: float
    """Of the replicas that decode, over the makespan."""
    prefill_busy_share: float
    """Of the prefill pool; NaN where there is none."""
    mean_batch: float
    """Sequences in a decode step; NaN where no step decodes."""

    @property
    def makespan_s(self) -> float:
        """From the first arrival to the last token."""
        return float(self.finish_s.max() - self.arrival_s[0])


@dataclass(frozen=True, kw_only=True)
class Goodput:
    """What met the contract."""

    request_share: float
    token_share: float
    """Share of output tokens in requests that meet both bounds: A."""
    requests_per_s: float
    """Over the makespan."""
    tokens_per_s: float


def simulate(cluster: Cluster, *, arrival_s: ArrayLike, input_tokens: ArrayLike, output_tokens: ArrayLike) -> Simulation:
    """Serve all requests to their end.

    Arrays (requests,): seconds in ascending order, prompt tokens and output tokens, both 1 or more. ValueError otherwise.
    Source: formula S14.
    """
    arrival = np.ascontiguousarray(arrival_s, dtype=np.float64)
    prompt, output = _token_counts("input_tokens", input_tokens), _token_counts("output_tokens", output_tokens)
    if not len(arrival) == len(prompt) == len(output) > 0:
        raise ValueError(f"arrays must be of one length above 0, got {len(arrival)}, {len(prompt)}, {len(output)}")
    if not np.isfinite(arrival).all() or (np.diff(arrival) < 0).any():
        raise ValueError("arrival_s must be finite and ascending")
    if cluster.prefill_replicas is None:
        served = _serve(cluster, arrival, prompt, output - 1)
        start, first, finish, prefill_busy_s = served.start_s, served.first_token_s, served.finish_s, np.nan
    else:
        start, first, prefill_busy_s = _prefill(cluster, arrival, prompt)
        decoded = np.flatnonzero(output > 1)
        decoded = decoded[first[decoded].argsort(kind="stable")]
        nothing = np.zeros(len(decoded), dtype=np.int64)
        served = _serve(cluster, first[decoded], nothing, output[decoded] - 1)
        finish = first.copy()
        finish[decoded] = served.finish_s
    makespan = finish.max() - arrival[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        return Simulation(
            arrival_s=arrival,
            wait_s=start - arrival,
            ttft_s=first - arrival + cluster.first_token_s,
            tpot_s=np.where(output > 1, (finish - first) / (output - 1), np.nan),
            finish_s=finish + cluster.first_token_s,
            output_tokens=output,
            busy_share=served.busy_s / (makespan * cluster.replicas),
            prefill_busy_share=prefill_busy_s / (makespan * (cluster.prefill_replicas or 0)),
            mean_batch=float(np.float64(output.sum() - len(output)) / served.decode_steps),
        )


def goodput(simulation: Simulation, *, ttft_s: float, tpot_s: float) -> Goodput:
    """Requests and tokens of requests that meet both bounds; a single token has no TPOT to miss.

    Bounds in seconds, TPOT as the mean of a request. ValueError where a bound is not positive.
    Source: formula S14.
    """
    require_positive(ttft_s=ttft_s, tpot_s=tpot_s)
    met = (simulation.ttft_s <= ttft_s) & ~(simulation.tpot_s > tpot_s)
    tokens = int(simulation.output_tokens[met].sum())
    return Goodput(
        request_share=float(met.mean()),
        token_share=tokens / int(simulation.output_tokens.sum()),
        requests_per_s=float(met.sum()) / simulation.makespan_s,
        tokens_per_s=tokens / simulation.makespan_s,
    )


def cluster_of(
    scenario: Scenario,
    *,
    architecture: str,
    replicas: int,
    step_tokens: int | None = None,
    prefill_replicas: int | None = None,
) -> Cluster:
    """The replicas of a scenario of numbers, with every sequence that fits in memory.

    ValueError for a decode step that is not t_w + B tau: speculative decoding, compute-bound decode, experts touched.
    """
    step, prefill = decode_step(scenario), prefill_times(scenario)
    if is_on(step.expert_s) or is_on(step.compute_s) or is_on(step.draft_ratio) or is_on(step.tokens - 1.0):
        raise ValueError("decode step must be weights plus sequences: switch its refinements off")
    apart = architecture == "disaggregated"
    service_s = {"disaggregated": prefill.service_s, "chunked": prefill.chunked_service_s}.get(
        architecture, prefill.colocated_service_s
    )
    return Cluster(
        architecture=architecture,
        replicas=replicas,
        decode_s=line(float(step.weight_s), float(step.sequence_s)),
        prompt_s=line(0.0, float(service_s / scenario.workload.input_tokens)),
        max_sequences=int(memory_batch(scenario)),
        step_tokens=step_tokens,
        prefill_replicas=prefill_replicas,
        transfer_s_per_token=float(prefill.transfer_s / scenario.workload.input_tokens) if apart else 0.0,
    )


def queue_waits(*, arrival_s: ArrayLike, service_s: ArrayLike, servers: int) -> Array:
    """Waits in one queue before k equal servers, first come first served; (customers,), seconds.

    Arrivals ascending; service times broadcast. Source: Kiefer and Wolfowitz 1955.
    """
    arrival = np.ascontiguousarray(arrival_s, dtype=np.float64)
    service = np.ascontiguousarray(np.broadcast_to(np.asarray(service_s, dtype=np.float64), arrival.shape))
    require_positive(servers=servers)
    require_non_negative(service_s=service)
    start, server = np.empty(len(arrival)), np.empty(len(arrival), dtype=np.int64)
    _steps().first_come_first_served(arrival, service, servers, start, server)
    return start - arrival


def poisson_arrivals(*, requests: int, rate_per_s: float, seed: int) -> Array:
    """Arrival times of a Poisson process: independent exponential gaps; (requests,), seconds, ascending."""
    require_positive(requests=requests, rate_per_s=rate_per_s)
    return np.cumsum(np.random.default_rng(seed).exponential(1.0 / rate_per_s, requests))


class _Served(NamedTuple):
    start_s: Array
    first_token_s: Array
    finish_s: Array
    busy_s: float
    decode_steps: int


def _serve(cluster: Cluster, arrival_s: Array, prompt_tokens: Counts, decode_tokens: Counts) -> _Served:
    """Requests on the replicas that decode; a prompt of 0 tokens has been computed elsewhere."""
    steps = _steps()
    requests = np.zeros(len(arrival_s), dtype=steps.REQUEST)
    requests["arrival_s"], requests["prompt_tokens"], requests["decode_tokens"] = (
        arrival_s,
        prompt_tokens,
        decode_tokens,
    )
    pace = _pace(cluster, sequences=max(len(arrival_s), 1))
    pool = steps.idle_replicas(int(cluster.replicas))
    steps.serve(requests, pool, pace)
    return _Served(
        start_s=requests["start_s"].copy(),
        first_token_s=requests["first_token_s"].copy(),
        finish_s=requests["finish_s"].copy(),
        busy_s=float(pool["busy_s"].sum()),
        decode_steps=int(pool["decode_steps"].sum()),
    )


def _prefill(cluster: Cluster, arrival_s: Array, prompt_tokens: Counts) -> tuple[Array, Array, float]:
    """Start of each prompt in the prefill pool, end of its transfer, and how long the pool is busy in all."""
    steps, servers = _steps(), int(cluster.prefill_replicas or 0)
    start, end, sent = (np.empty(len(arrival_s)) for _ in range(3))
    server = np.empty(len(arrival_s), dtype=np.int64)
    busy_s = steps.prompts_in_batches(arrival_s, prompt_tokens, _pace(cluster, sequences=1), servers, start, end, server)
    steps.in_order_by_server(end, prompt_tokens * float(cluster.transfer_s_per_token), server, servers, sent)
    return start, sent, float(busy_s)


def _pace(cluster: Cluster, *, sequences: int) -> NamedTuple:
    steps = _steps()
    curves = (cluster.decode_s, cluster.prompt_s, cluster.attention_s)
    sizes = [len(curve.start_s) for curve in curves]
    pace: NamedTuple = steps.Pace(
        np.concatenate([np.stack([curve.start_s, curve.slope_s], axis=1) for curve in curves]),
        *(
            steps.Pieces(sum(sizes[:place]), size, int(curve.every))
            for place, (size, curve) in enumerate(zip(sizes, curves, strict=True))
        ),
        max_sequences=min(int(cluster.max_sequences), sequences),
        step_tokens=int(cluster.step_tokens or 0),
        prompt_batch_tokens=int(cluster.prompt_batch_tokens),
    )
    return pace


def _token_counts(name: str, values: ArrayLike) -> Counts:
    given = np.asarray(values)
    counts = np.ascontiguousarray(given, dtype=np.int64)
    if (counts != given).any() or (counts < 1).any():
        raise ValueError(f"{name} must be whole numbers of 1 or more")
    return counts


def _steps() -> ModuleType:
    """The compiled part: loading it takes a moment, which only a simulation should cost."""
    from economics.serving import simulation_steps  # noqa: PLC0415

    return simulation_steps
