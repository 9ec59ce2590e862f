"""Step times of real serving engines: a roofline per operator with a fixed time per layer.

A pass costs fix + gemm + link + attention: the launches of every layer, the weights of its groups (dense, experts) with a
max of memory and compute for each, the collectives of the split, and the attention that runs after them. `pool` puts the
passes together into what a user sees of a closed loop or of a stream of arrivals: TTFT, TPOT and tokens per second.
All arguments are arrays that broadcast together. Seconds, bytes, FLOP; GPUs of one instance.
With the fixed times at 0 the limits are those of `economics.serving.step_time`: memory-bound decode, compute-bound prefill.
"""

from dataclasses import dataclass

import numpy as np

from economics.units import Real, require_fraction, require_non_negative, require_positive

ACTIVATION_BYTES = 2.0
"""Activations are summed over the links in 16 bits."""
DISPATCH_BYTES = 3.0
"""A routed copy goes out in 8 bits and comes back in 16."""
FIRST_TOKEN_S = 0.02
"""t0: what a request waits for the server and its client outside of any pass."""
NETWORK_SHARE = 0.87
"""Share of the network that routed copies reach. Source: formula S17 (87 of 100 GB/s in Mooncake)."""
DOMAINS_PER_TOKEN = 4.0
"""Scale-up domains one token's copies travel to at most. Source: DeepSeek-V3 report, section 2.1.2 (node-limited routing)."""
MEMORY_SHARE = 0.9
"""Share of the memory that engines give to weights and KV."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ServedModel:
    """A model as it is served: counts by group of weights, and what attention keeps and computes."""

    layers: Real
    hidden: Real
    dense_parameters: Real
    """P_d: all that every token passes through, shared experts included."""
    dense_bytes: Real
    expert_parameters: Real = 0.0
    """P_e of all routed experts; 0 for a dense model."""
    expert_bytes: Real = 0.0
    expert_share: Real = 1.0
    """k/E: share of the routed experts one token passes."""
    experts_per_token: Real = 0.0
    attention_bytes: Real = 0.0
    """The part of dense_bytes that data-parallel attention keeps on every GPU."""
    kv_bytes_per_layer: Real
    """KV bytes one token adds in one layer that keeps KV."""
    kv_layers: Real
    """Layers that keep the KV of the whole context."""
    window_layers: Real = 0.0
    window_tokens: Real = 0.0
    attended_tokens: Real = np.inf
    """Tokens of context that sparse attention reads at most."""
    state_bytes: Real = 0.0
    """Recurrent state of one sequence, of all layers: read and written in every step."""
    kv_split: Real = 1.0
    """Most GPUs that tensor parallelism can spread the KV over: the KV heads; 1 for a latent (MLA) cache."""
    decode_flop_per_pair: Real
    """FLOP of one new token against one token of context, in one layer."""
    prefill_flop_per_pair: Real
    launch_factor: Real = 1.0
    """kappa: fixed times of a layer; 2 for MLA."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Device:
    """One accelerator and its links. Rates are dense peaks."""

    flop_per_s: Real
    """In the number format the weights are multiplied in."""
    attention_flop_per_s: Real
    """In 16 bits."""
    memory_bytes_per_s: Real
    memory_bytes: Real
    link_bytes_per_s: Real
    """Scale-up link, one way."""
    network_bytes_per_s: Real = 25e9
    """Per accelerator, one way, beyond the scale-up domain."""
    domain_gpus: Real = 8.0
    """Accelerators of one scale-up domain."""

    def __post_init__(self) -> None:
        require_positive(
            flop_per_s=self.flop_per_s,
            attention_flop_per_s=self.attention_flop_per_s,
            memory_bytes_per_s=self.memory_bytes_per_s,
            memory_bytes=self.memory_bytes,
            link_bytes_per_s=self.link_bytes_per_s,
            domain_gpus=self.domain_gpus,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """How one instance is spread: `gpus` share every layer, `stages` of such groups follow each other."""

    gpus: Real
    """GPUs that work on one layer together: tensor, expert or data-parallel attention."""
    stages: Real = 1.0
    """Pipeline stages."""
    attention_data_parallel: Real = 0.0
    """1 where every GPU attends to its own sequences and routed copies travel; 0 for tensor parallelism."""

    def __post_init__(self) -> None:
        require_positive(gpus=self.gpus, stages=self.stages)


@dataclass(frozen=True, kw_only=True, eq=False)
class EngineConstants:
    """What engine, accelerator family and host add to the roofline."""

    layer_s: Real
    """alpha: fixed time per layer and pass."""
    sequence_s: Real = 0.0
    """h: host time per running sequence and step."""
    memory_share_reached: Real = 0.75
    flop_share_reached: Real = 0.5
    link_share_reached: Real = 0.25
    first_token_s: Real = FIRST_TOKEN_S

    def __post_init__(self) -> None:
        require_non_negative(layer_s=self.layer_s, sequence_s=self.sequence_s, first_token_s=self.first_token_s)
        require_fraction(
            memory_share_reached=self.memory_share_reached,
            flop_share_reached=self.flop_share_reached,
            link_share_reached=self.link_share_reached,
        )


@dataclass(frozen=True, kw_only=True)
class Reached:
    """Shares of the peaks that engines reach, and what a first token waits besides: eta_b, eta_f, eta_l, t0."""

    memory: float = 0.75
    flop: float = 0.5
    link: float = 0.25
    first_token_s: float = FIRST_TOKEN_S


REAL = Reached()
"""A plateau of grouped cross-validation: eta_b .65 to .85 ties. Source: formula S17."""
DEFAULT = Reached(memory=0.8, link=1.0, first_token_s=0.0)
"""The plain forms of section 2: MFU .5, MBU .8, links at their peak."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Instance:
    """A model on accelerators under an engine: everything a pass needs besides its tokens."""

    model: ServedModel
    device: Device
    split: Split
    constants: EngineConstants


def fixed_s(instance: Instance) -> Real:
    """Time of a pass that does not depend on its tokens: alpha L kappa. Source: formula S17 (fix)."""
    return instance.constants.layer_s * instance.model.layers * instance.model.launch_factor


def weights_s(instance: Instance, *, tokens: Real) -> Real:
    """Time of the matrix products of one pass over `tokens`, a max of memory and compute for each group of weights.

    Routed experts are read as far as they are touched: 1 - (1 - k/E)^N of them. Source: formula S17 (gemm).
    """
    model, device, constants = instance.model, instance.device, instance.constants
    gpus = instance.split.gpus
    bytes_per_s = constants.memory_share_reached * device.memory_bytes_per_s
    flop_per_s = constants.flop_share_reached * device.flop_per_s * gpus
    replicated = instance.split.attention_data_parallel * model.attention_bytes
    dense_bytes = replicated + (model.dense_bytes - replicated) / gpus
    dense_s = np.maximum(dense_bytes / bytes_per_s, 2.0 * tokens * model.dense_parameters / flop_per_s)
    touched = -np.expm1(tokens * np.log1p(-np.minimum(model.expert_share, 1.0 - 1e-12)))
    expert_s = np.maximum(
        touched * model.expert_bytes / (bytes_per_s * gpus),
        2.0 * tokens * model.expert_parameters * model.expert_share / flop_per_s,
    )
    return dense_s + expert_s


def links_s(instance: Instance, *, tokens: Real) -> Real:
    """Time of the collectives of one pass over `tokens`.

    Tensor parallel: two all-reduces a layer in 16 bits; beyond the scale-up domain each domain first sums inside. Data-parallel
    attention: dispatch and combine of every routed copy; a token crosses the network once for each other domain that holds
    experts of its, at most DOMAINS_PER_TOKEN, while copies travel inside the domain at the same time.
    Source: formula S17 (link); the network's part is derived.
    """
    model, device, gpus = instance.model, instance.device, instance.split.gpus
    share = instance.constants.link_share_reached
    domains = np.maximum(gpus / device.domain_gpus, 1.0)
    layered = tokens * model.layers * model.hidden
    reduced_bytes = layered * 4.0 * ACTIVATION_BYTES
    inside = np.minimum(gpus, device.domain_gpus)
    reduced_s = reduced_bytes * (inside - 1.0) / inside / (share * device.link_bytes_per_s)
    between_s = reduced_bytes * (domains - 1.0) / domains / inside / (share * device.network_bytes_per_s)
    routed_bytes = layered * DISPATCH_BYTES / gpus
    routed_s = routed_bytes * model.experts_per_token / (share * device.link_bytes_per_s)
    reached = domains * -np.expm1(model.experts_per_token * np.log1p(-np.minimum(1.0 / domains, 1.0 - 1e-12)))
    crossing = np.minimum(reached, DOMAINS_PER_TOKEN) * (domains - 1.0) / domains
    crossing_s = routed_bytes * crossing / (NETWORK_SHARE * device.network_bytes_per_s)
    parallel = instance.split.attention_data_parallel
    seconds = parallel * np.maximum(routed_s, crossing_s) + (1.0 - parallel) * (reduced_s + between_s)
    return np.where(np.greater(gpus, 1.0), seconds, 0.0)


def attention_s(instance: Instance, *, sequences: Real, context_tokens: Real, tokens_each: Real = 1.0) -> Real:
    """Time in which `tokens_each` new tokens of `sequences` attend to their context, after the matrix products.

    Layers with a window read at most it; recurrent state is read and written whole. New tokens of one sequence share one
    reading of its context. Source: formula S17 (attn).
    """
    model, device, constants = instance.model, instance.device, instance.constants
    gpus = instance.split.gpus
    spread = np.where(np.equal(instance.split.attention_data_parallel, 1.0), gpus, np.minimum(gpus, model.kv_split))
    bytes_per_s = constants.memory_share_reached * device.memory_bytes_per_s
    flop_per_s = constants.flop_share_reached * device.attention_flop_per_s * gpus
    read_tokens = np.minimum(context_tokens, model.attended_tokens)
    pairs = model.kv_layers * read_tokens + model.window_layers * np.minimum(context_tokens, model.window_tokens)
    pair_s = np.maximum(
        model.kv_bytes_per_layer / (spread * bytes_per_s), tokens_each * model.decode_flop_per_pair / flop_per_s
    )
    state_s = 2.0 * model.state_bytes / (np.maximum(gpus, 1.0) * bytes_per_s)
    return sequences * (pairs * pair_s + state_s)


def decode_s(instance: Instance, *, sequences: Real, context_tokens: Real, tokens_each: Real = 1.0) -> Real:
    """One decode step of `sequences` running at once, `tokens_each` of each with drafts. Source: formula S17 (T_dec)."""
    # Each stage works on its own part of the sequences; a token passes all stages, so it waits for all layers.
    at_once = sequences / instance.split.stages
    return (
        pass_s(instance, tokens=at_once * tokens_each)
        + attention_s(instance, sequences=at_once, context_tokens=context_tokens, tokens_each=tokens_each)
        + instance.constants.sequence_s * at_once
    )


def prefill_s(instance: Instance, *, prompts: Real, input_tokens: Real, cached_share: Real = 0.0) -> Real:
    """One pass over `prompts` whole prompts, of which a share is found in the prefix cache. Source: formula S17 (T_pre)."""
    computed = pass_s(instance, tokens=prompts * input_tokens * (1.0 - cached_share))
    return computed + prompts * prompt_attention_s(instance, input_tokens=input_tokens, cached_share=cached_share)


def pass_s(instance: Instance, *, tokens: Real) -> Real:
    """One pass over `tokens`, without attention. Source: formula S17 (fix, gemm, link)."""
    return fixed_s(instance) + weights_s(instance, tokens=tokens) + links_s(instance, tokens=tokens)


def prompt_attention_s(instance: Instance, *, input_tokens: Real, cached_share: Real = 0.0) -> Real:
    """Attention of one prompt, of which a share is found in the prefix cache. Source: formula S17 (T_pre)."""
    model = instance.model
    flop_per_s = instance.constants.flop_share_reached * instance.device.attention_flop_per_s * instance.split.gpus
    # A computed token attends to the cached ones and, in the mean, to half of the others.
    middle = input_tokens * (1.0 + cached_share) / 2.0
    seen = model.kv_layers * np.minimum(middle, model.attended_tokens)
    seen = seen + model.window_layers * np.minimum(middle, model.window_tokens)
    return input_tokens * (1.0 - cached_share) * seen * model.prefill_flop_per_pair / flop_per_s


def sequence_bytes(model: ServedModel, *, tokens: Real) -> Real:
    """KV and state of one sequence of so many tokens, bytes."""
    pairs = model.kv_layers * tokens + model.window_layers * np.minimum(tokens, model.window_tokens)
    return pairs * model.kv_bytes_per_layer + model.state_bytes


def most_sequences(instance: Instance, *, context_tokens: Real, most: Real = np.inf) -> Real:
    """Sequences whose KV fits beside the weights, at most the scheduler's `most`; 0 where the weights do not fit.

    A latent cache under tensor parallelism is kept whole on every GPU. Source: formula S17 (B_max).
    """
    model, split = instance.model, instance.split
    gpus = split.gpus * split.stages
    replicated = split.attention_data_parallel * model.attention_bytes * (split.gpus - 1.0)
    free = MEMORY_SHARE * instance.device.memory_bytes * gpus - model.dense_bytes - model.expert_bytes - replicated
    copies = np.where(
        np.equal(split.attention_data_parallel, 1.0), 1.0, np.maximum(split.gpus / np.maximum(model.kv_split, 1.0), 1.0)
    )
    fits = np.maximum(free, 0.0) / (copies * sequence_bytes(model, tokens=context_tokens))
    return np.where(fits < 1.0, np.where(free > 0.0, fits, 0.0), np.minimum(fits, most))
