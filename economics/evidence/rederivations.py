"""The arithmetic by which published serving figures are recomputed from each other. Every function broadcasts."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from economics.serving.step_time import kv_bytes_per_token
from economics.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK, Real, require_fraction, require_positive

BYTES_PER_VALUE = 2.0
"""BF16 and FP16."""
GIB_PER_GB = 2.0**30 / 1e9
"""A figure printed in GB that was counted in GiB is larger by this."""
KIB_PER_KB = 2.0**10 / 1e3
SECONDS_PER_DAY = 86_400.0


def kv_slots(*, kv_memory_bytes: Real, bytes_per_token: Real) -> Real:
    """Tokens whose KV fits into a memory.

    Bytes; bytes per token. Returns tokens. ValueError where not positive. Source: PagedAttention, Table 1.
    """
    require_positive(kv_memory_bytes=kv_memory_bytes, bytes_per_token=bytes_per_token)
    return kv_memory_bytes / bytes_per_token


def latent_kv_bytes_per_token(*, layers: Real, latent_dim: Real, rope_dim: Real) -> Real:
    """KV bytes of one token under multi-head latent attention: one vector per layer stands for keys and values.

    Counts. Returns bytes at 2 bytes a value. ValueError where not positive. Source: formula E4.
    """
    require_positive(latent_dim=latent_dim, rope_dim=rope_dim)
    width = latent_dim + rope_dim
    return kv_bytes_per_token(layers=layers, kv_heads=1.0, head_dim=width, bytes_per_value=BYTES_PER_VALUE) / 2.0


def nodes_needed(
    *,
    input_tokens_per_day: Real,
    input_tokens_per_s_per_node: Real,
    output_tokens_per_day: Real,
    output_tokens_per_s_per_node: Real,
) -> Real:
    """Prefill and decode nodes that a day's tokens keep busy.

    Tokens per day; tokens per second and node. Returns nodes. ValueError where a rate is not positive.
    Source: DeepSeek-V3/R1 inference overview.
    """
    require_positive(
        input_tokens_per_s_per_node=input_tokens_per_s_per_node,
        output_tokens_per_s_per_node=output_tokens_per_s_per_node,
    )
    prefill = input_tokens_per_day / SECONDS_PER_DAY / input_tokens_per_s_per_node
    return prefill + output_tokens_per_day / SECONDS_PER_DAY / output_tokens_per_s_per_node


def rent_usd_per_mtok(*, usd_per_hour: Real, tokens_per_s: Real) -> Real:
    """Rent per million tokens of machines that make `tokens_per_s` together.

    $ per hour of all of them; tokens per second. Returns $ per million tokens. ValueError where not positive.
    Source: InferenceX, price * 1e6 / (3600 * rate).
    """
    require_positive(usd_per_hour=usd_per_hour, tokens_per_s=tokens_per_s)
    return usd_per_hour * TOKENS_PER_MTOK / (SECONDS_PER_HOUR * tokens_per_s)


def request_usd(*, e2e_s: Real, usd_per_machine_hour: Real) -> Real:
    """Rent of a machine for as long as one request runs on it alone.

    Seconds; $ per hour. Returns $ per request. ValueError where not positive. Source: Splitwise, Tables I and IV.
    """
    require_positive(e2e_s=e2e_s, usd_per_machine_hour=usd_per_machine_hour)
    return e2e_s * usd_per_machine_hour / SECONDS_PER_HOUR


def break_even_bytes_per_s(
    *,
    hidden: Real,
    query_heads: Real,
    kv_heads: Real,
    prefix_tokens: Real,
    flop_per_s: Real,
    attention_constant: Real,
    linear_constant: Real,
) -> Real:
    """Bandwidth above which loading the KV of a prefix is faster than computing it again.

    Width, heads, tokens, FLOP per second of the replica, and the two FLOP constants (attention: per token, prefix token and
    width; linear layers: per token and width squared). Returns bytes per second. ValueError where not positive.
    Source: Mooncake, Eq. 2: B / G > 2 d s / (gqa (a p d + b d^2)).
    """
    require_positive(
        hidden=hidden,
        query_heads=query_heads,
        kv_heads=kv_heads,
        prefix_tokens=prefix_tokens,
        flop_per_s=flop_per_s,
        attention_constant=attention_constant,
        linear_constant=linear_constant,
    )
    flop_per_token_layer = attention_constant * prefix_tokens * hidden + linear_constant * hidden**2
    bytes_per_token_layer = 2.0 * hidden * BYTES_PER_VALUE * kv_heads / query_heads
    return flop_per_s * bytes_per_token_layer / flop_per_token_layer


def guaranteed_attainment(*, percentile: Real, bounds: Real) -> Real:
    """Least share of requests that meet all bounds when each bound alone is met at a percentile.

    Share in (0, 1]; number of bounds. Returns a share, 0 where nothing is guaranteed. ValueError outside (0, 1].
    Source: Bonferroni's inequality.
    """
    require_fraction(percentile=percentile)
    return np.maximum(1.0 - bounds * (1.0 - percentile), 0.0)


def formula_range(formula: Callable[..., Real], lows: Sequence[float], highs: Sequence[float]) -> tuple[float, float]:
    """Lowest and highest value of a formula while each argument moves within its rounding.

    Arguments of a formula that rises or falls in each of them all the way: then the extremes lie at the corners.
    """
    corners = np.meshgrid(*zip(lows, highs, strict=True), indexing="ij")
    values = np.asarray(formula(*corners), dtype=np.float64)
    return float(values.min()), float(values.max())


def _node_usd_per_mtok(tokens_per_s: Real, usd_per_gpu_hour: Real, gpus: Real) -> Real:
    return rent_usd_per_mtok(usd_per_hour=usd_per_gpu_hour * gpus, tokens_per_s=tokens_per_s)


def _both_pools_usd_per_mtok(
    decode_rate: Real, usd_per_gpu_hour: Real, gpus: Real, prefill_nodes: Real, decode_nodes: Real
) -> Real:
    rent = usd_per_gpu_hour * gpus * (prefill_nodes + decode_nodes)
    return rent_usd_per_mtok(usd_per_hour=rent, tokens_per_s=decode_rate * decode_nodes)


def _break_even(
    hidden: Real, query_heads: Real, kv_heads: Real, prefix: Real, peak: Real, gpus: Real, attention: Real, linear: Real
) -> Real:
    return break_even_bytes_per_s(
        hidden=hidden,
        query_heads=query_heads,
        kv_heads=kv_heads,
        prefix_tokens=prefix,
        flop_per_s=peak * gpus,
        attention_constant=attention,
        linear_constant=linear,
    )


def _nodes(tokens_in: Real, rate_in: Real, tokens_out: Real, rate_out: Real) -> Real:
    return nodes_needed(
        input_tokens_per_day=tokens_in,
        input_tokens_per_s_per_node=rate_in,
        output_tokens_per_day=tokens_out,
        output_tokens_per_s_per_node=rate_out,
    )


FORMULAS: Mapping[str, Callable[..., Real]] = {
    "same": lambda value: value,
    "ratio": lambda over, under: over / under,
    "product": lambda left, right: left * right,
    "product_as_gib": lambda left, right: left * right / GIB_PER_GB,
    "scaled": lambda value, over, under: value * over / under,
    "percent": lambda part, whole: 100.0 * part / whole,
    "as_kib": lambda value: value / KIB_PER_KB,
    "bits_of_bytes": lambda value: 8.0 * value,
    "bytes_of_bits": lambda value: value / 8.0,
    "fp16_bytes": lambda parameters: BYTES_PER_VALUE * parameters,
    "kv_slots": lambda memory, each: kv_slots(kv_memory_bytes=memory, bytes_per_token=each),
    "kv_slots_of_gib": lambda memory, each: kv_slots(kv_memory_bytes=memory * GIB_PER_GB, bytes_per_token=each),
    "five_steps": lambda step: 5.0 * step,
    "request_usd": lambda e2e, rent: request_usd(e2e_s=e2e, usd_per_machine_hour=rent),
    "hundred_requests_usd": lambda e2e, rent: 100.0 * request_usd(e2e_s=e2e, usd_per_machine_hour=rent),
    "break_even": _break_even,
    "nodes": _nodes,
    "day_usd": lambda nodes, gpus, usd_per_gpu_hour: nodes * gpus * usd_per_gpu_hour * 24.0,
    "revenue_usd": lambda hit, tokens_in, out, at_hit, at_miss, at_out: (
        (hit * at_hit + (tokens_in - hit) * at_miss + out * at_out) / TOKENS_PER_MTOK
    ),
    "margin_percent": lambda revenue, cost: 100.0 * (revenue - cost) / cost,
    "rate_per_gpu": lambda tokens_per_day, nodes, gpus: tokens_per_day / SECONDS_PER_DAY / (nodes * gpus),
    "pooled_rate_per_gpu": lambda rate, gpus, prefill, decode: rate * decode / ((prefill + decode) * gpus),
    "node_usd_per_mtok": _node_usd_per_mtok,
    "both_pools_usd_per_mtok": _both_pools_usd_per_mtok,
}
"""Formulas by the name the list of recomputations uses; each rises or falls in each argument all the way."""
