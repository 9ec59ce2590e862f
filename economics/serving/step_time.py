"""How long one step takes and how many sequences fit into it: the physics under the cost of serving.

A decode step reads the weights once and the KV of every running sequence; a mixed step also computes a chunk of
prefill. Symbols follow formula S2: t_w, tau, mu_p, B_max, B_d, B_c.
"""

from dataclasses import dataclass

import numpy as np

from economics.serving.symbols import Efficiency, Hardware, Model, Refinements, RequestShape, Scenario
from economics.units import Real, is_on, require_positive


def kv_bytes_per_token(*, layers: Real, kv_heads: Real, head_dim: Real, bytes_per_value: Real) -> Real:
    """KV bytes one token adds: keys and values of every attention layer.

    Counts and bytes broadcast. Returns bytes. For MLA pass the latent width as head_dim, one head, and halve (one vector
    is kept, not two). ValueError where a value is not positive. Source: formula S3.
    """
    require_positive(layers=layers, kv_heads=kv_heads, head_dim=head_dim, bytes_per_value=bytes_per_value)
    return 2.0 * layers * kv_heads * head_dim * bytes_per_value


def weight_read_s(*, hardware: Hardware, model: Model, efficiency: Efficiency) -> Real:
    """Time to read all weights once: t_w, seconds. Source: formula S2."""
    return model.weight_bytes / _memory_bytes_per_s(hardware, efficiency)


def kv_read_s(*, hardware: Hardware, model: Model, workload: RequestShape, efficiency: Efficiency) -> Real:
    """Time to read the KV (and state) of one running sequence: tau, seconds. Source: formula S3."""
    return sequence_bytes(model=model, tokens=workload.context_tokens) / _memory_bytes_per_s(hardware, efficiency)


def sequences_in_memory(*, hardware: Hardware, model: Model, workload: RequestShape, efficiency: Efficiency) -> Real:
    """Sequences whose KV fits beside the weights: B_max, not an integer; 0 where the weights alone do not fit.

    Source: formula S4.
    """
    free_bytes = efficiency.memory_share * hardware.hbm_bytes * hardware.gpus - model.weight_bytes
    return np.maximum(free_bytes, 0.0) / sequence_bytes(model=model, tokens=workload.context_tokens)


def memory_batch(scenario: Scenario) -> Real:
    """B_max of a scenario's decoding replicas."""
    return sequences_in_memory(
        hardware=scenario.hardware,
        model=scenario.model,
        workload=scenario.workload,
        efficiency=scenario.efficiency,
    )


def sequence_bytes(*, model: Model, tokens: Real) -> Real:
    """KV and state bytes of one sequence of so many tokens."""
    return model.kv_bytes_per_token * tokens + model.state_bytes_per_sequence


def prefill_tokens_per_s(
    *, hardware: Hardware, model: Model, workload: RequestShape, efficiency: Efficiency, refinements: Refinements
) -> Real:
    """Prompt tokens one replica computes in a second: mu_p.

    With prefill_attention the FLOP of a token are 2 P + 2 L q d n_in (1 + h), the causal mean over the tokens that
    are computed. Returns tokens/s. Source: formula S5.
    """
    flop = 2.0 * model.active_parameters
    if refinements.prefill_attention:
        width = stated("layers", model.layers) * stated("query_heads", model.query_heads)
        width = width * stated("head_dim", model.head_dim)
        flop = flop + 2.0 * width * workload.input_tokens * (1.0 + refinements.prefix_hit_share)
    compute_s = flop / (efficiency.mfu * hardware.flops_per_s * hardware.gpus)
    return 1.0 / (compute_s + communication_s_per_token(hardware=hardware, model=model, refinements=refinements))


def communication_s_per_token(*, hardware: Hardware, model: Model, refinements: Refinements) -> Real:
    """Time one token's activations spend on the links inside a replica, seconds.

    Tensor parallel: two all-reduces a layer, each 2 (n-1)/n of the activations. Expert parallel: dispatch and combine
    of every routed copy, (n-1)/n of them to another GPU. Source: derived from the volumes of the collectives.
    """
    seconds: Real = 0.0
    if refinements.tensor_parallel_communication or refinements.expert_parallel_communication:
        sent_bytes = stated("hidden", model.hidden) * model.activation_bytes * (hardware.gpus - 1.0) / hardware.gpus
        link_bytes_per_s = stated("link_bytes_per_s", hardware.link_bytes_per_s)
        pass_s = stated("layers", model.layers) * sent_bytes / link_bytes_per_s
        if refinements.tensor_parallel_communication:
            seconds = seconds + 4.0 * pass_s
        if refinements.expert_parallel_communication:
            # Tokens are spread over the GPUs, so each link carries its share of the copies only.
            seconds = seconds + 2.0 * stated("experts_per_token", model.experts_per_token) * pass_s / hardware.gpus
    return seconds


def fixed_s(*, hardware: Hardware, model: Model) -> Real:
    """Time of a pass that does not depend on its tokens, seconds: alpha L; 0 in the plain forms. Source: formula S17 (fix)."""
    if not is_on(hardware.layer_s):
        return 0.0
    return hardware.layer_s * stated("layers", model.layers)


def chunk_reread_s_per_token(*, scenario: Scenario) -> Real:
    """Extra time per computed prompt token because each chunk reads the KV of all chunks before it again, seconds.

    N chunks re-read (N-1) (h n_in + (1-h) n_in / 2) tokens a prompt. Source: derived.
    """
    chunk_tokens = scenario.refinements.chunk_tokens
    if chunk_tokens is None:
        return 0.0
    cached_share = scenario.refinements.prefix_hit_share
    computed_tokens = scenario.workload.input_tokens * (1.0 - cached_share)
    chunks = np.maximum(computed_tokens / chunk_tokens, 1.0)
    tokens_read = (chunks - 1.0) * (cached_share / (1.0 - cached_share) + 0.5)
    bytes_read = tokens_read * scenario.model.kv_bytes_per_token
    return bytes_read / _memory_bytes_per_s(scenario.hardware, scenario.efficiency)


def tokens_per_step(*, draft_tokens: Real, acceptance: Real) -> Real:
    """Tokens a step of speculative decoding yields: E = (1 - a^(k+1)) / (1 - a); k + 1 where every draft is accepted.

    Source: formula R5.
    """
    acceptance = np.asarray(acceptance, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        series = (1.0 - acceptance ** (np.asarray(draft_tokens) + 1.0)) / (1.0 - acceptance)
    return np.where(acceptance < 1.0, series, np.asarray(draft_tokens) + 1.0)[()]


@dataclass(frozen=True, eq=False)
class Step:
    """One decode step as a function of its batch B.

    memory time M(B) = weight_s + expert_s (1 - expert_missed^(routed tokens)) + B sequence_s;
    step = max(M, B compute_s) + draft_ratio M; it yields `tokens` per sequence.
    """

    weight_s: Real
    """Read in every step, with the latency of the collectives and the fixed time of the layers."""
    expert_s: Real
    """Read when touched; 0 for a dense model."""
    expert_missed: Real
    """Chance that one token leaves an expert untouched."""
    sequence_s: Real
    """tau, with the communication of the sequence's tokens."""
    compute_s: Real
    """Compute time of one sequence; 0 where decode is taken as memory-bound."""
    draft_ratio: Real
    """Time of all draft steps over M."""
    tokens: Real
    """E, output tokens a sequence gains in a step."""
    positions: Real
    """Tokens of a sequence that pass the model in a step (drafts are verified too)."""


def decode_step(scenario: Scenario) -> Step:
    """The decode step of the scenario's hardware, with the refinements that are switched on."""
    hardware, model, refinements = scenario.hardware, scenario.model, scenario.refinements
    weights = weight_read_s(hardware=hardware, model=model, efficiency=scenario.efficiency)
    expert_share: Real = 0.0
    missed: Real = 0.0
    if refinements.experts_touched:
        expert_share = stated("expert_weight_bytes", model.expert_weight_bytes) / model.weight_bytes
        missed = 1.0 - stated("experts_per_token", model.experts_per_token) / stated("experts", model.experts)
    latency: Real = 0.0
    if refinements.tensor_parallel_communication or refinements.expert_parallel_communication:
        collectives = 2.0 * (refinements.tensor_parallel_communication + refinements.expert_parallel_communication)
        latency = collectives * stated("layers", model.layers) * hardware.link_latency_s * np.greater(hardware.gpus, 1)
    latency = latency + fixed_s(hardware=hardware, model=model)
    positions = 1.0 + refinements.draft_tokens
    speculative = is_on(refinements.draft_tokens)
    compute: Real = 0.0
    if speculative or refinements.decode_compute_bound:
        flop = 2.0 * model.active_parameters * positions
        compute = flop / (scenario.efficiency.mfu * hardware.flops_per_s * hardware.gpus)
        if not refinements.decode_compute_bound:  # a grid may hold points with and without drafts
            compute = compute * np.greater(refinements.draft_tokens, 0.0)
    communication = communication_s_per_token(hardware=hardware, model=model, refinements=refinements)
    kv_read = kv_read_s(hardware=hardware, model=model, workload=scenario.workload, efficiency=scenario.efficiency)
    return Step(
        weight_s=weights * (1.0 - expert_share) + latency,
        expert_s=weights * expert_share,
        expert_missed=missed,
        sequence_s=kv_read + communication * positions,
        compute_s=compute,
        draft_ratio=refinements.draft_tokens * refinements.draft_cost_ratio,
        tokens=(
            tokens_per_step(draft_tokens=refinements.draft_tokens, acceptance=refinements.draft_acceptance)
            if speculative
            else 1.0
        ),
        positions=positions,
    )


def stated(name: str, value: Real | None) -> Real:
    """The value of an optional symbol, or ValueError naming it: a refinement that is switched on needs it."""
    if value is None:
        raise ValueError(f"{name} must be stated for the refinement that is switched on")
    return value


def _memory_bytes_per_s(hardware: Hardware, efficiency: Efficiency) -> Real:
    return efficiency.mbu * hardware.hbm_bytes_per_s * hardware.gpus
