"""A design as it is rented: how many GPUs a replica needs, and how many whole replicas an arrival rate needs."""

from dataclasses import dataclass, replace

import numpy as np

from economics.serving.cost import Cost, cost
from economics.serving.prefill_pool import prefill_replicas, prefill_times
from economics.serving.step_time import stated
from economics.serving.symbols import Scenario
from economics.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK, Real, require_positive

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Deployment:
    """Whole replicas of a design for an arrival rate, and what they cost; NaN and inf where the contract cannot be met."""

    prefill_replicas: Real
    """Replicas that only prefill; 0 where prefill and decode share replicas."""
    decode_replicas: Real
    """Replicas that decode; where they share, all replicas."""
    gpus: Real
    usd_per_hour: Real
    usd_per_mtok: Real
    """$ per million SLO-compliant output tokens, idle capacity of the last replica included."""
    at_scale: Cost
    """The closed form, which buys fractions of replicas: what the cost tends to at high rates."""


def replica_gpus(*, weight_bytes: Real, sequence_bytes: Real, hbm_bytes: Real, memory_share: Real, sequences: Real) -> Real:
    """Smallest power of two of GPUs on which the weights fit beside the KV of so many sequences.

    Arguments broadcast; bytes, bytes, bytes of one GPU, share of memory left to both, count. Returns GPUs.
    ValueError outside the domain. Source: formula S4, B_max solved for the GPUs.
    """
    require_positive(
        weight_bytes=weight_bytes,
        sequence_bytes=sequence_bytes,
        hbm_bytes=hbm_bytes,
        memory_share=memory_share,
        sequences=sequences,
    )
    needed = (weight_bytes + sequences * sequence_bytes) / (memory_share * np.asarray(hbm_bytes))
    return np.exp2(np.ceil(np.log2(np.maximum(needed, 1.0))))[()]


def shared_read_overlap(*, weight_bytes: Real, hbm_bytes: Real, memory_share: Real) -> Real:
    """Overlap o that reading the weights once for prefill and decode alone explains: their share of a full memory.

    A mixed step multiplies its prompt chunk and its decodes with the same weights, so the weight read hides behind the
    compute of the chunk; the KV read of the decodes does not. With memory full of KV that leaves the least overlap.
    Bytes, bytes of the replica, share of memory left to weights and KV. Returns a share.
    Source: derived from the roofline of a mixed step (formula S10, overlap).
    """
    require_positive(weight_bytes=weight_bytes, hbm_bytes=hbm_bytes, memory_share=memory_share)
    return np.minimum(weight_bytes / (memory_share * np.asarray(hbm_bytes)), 1.0)[()]


def deployment(*, scenario: Scenario, architecture: str) -> Deployment:
    """Whole replicas that an architecture needs for the arrival rate, and their cost.

    Disaggregated: ceil(k / e_p + lambda h t) replicas prefill, k from the queue, e_p the efficiency of the pool and h t
    what each transfer holds; ceil of the decode time over the efficiency of that pool decode. Colocated: ceil of all.
    Fields of the scenario broadcast. ValueError for an unknown architecture, another prefill GPU, or a rate not stated.
    Source: formula S11, pools made whole (derived).
    """
    if scenario.refinements.prefill_hardware is not None or scenario.refinements.integer_pools:
        raise ValueError("deployment sizes equal GPUs and makes pools whole itself: leave prefill_hardware and integer_pools")
    paid = cost(scenario=scenario, architecture=architecture)
    rate = stated("arrival_rate_per_s", scenario.workload.arrival_rate_per_s)
    tokens_per_s = rate * scenario.workload.output_tokens
    with np.errstate(invalid="ignore", divide="ignore"):
        replicas_per_usd = tokens_per_s / scenario.hardware.usd_per_s
        shared = paid.prefill_usd_per_token + paid.decode_usd_per_token + paid.overlap_usd_per_token
        prefill: Real = 0.0 * shared
        decode = _whole(shared * replicas_per_usd)
        if architecture == "disaggregated":
            pool = prefill_replicas(scenario, prefill_times(scenario)) / scenario.refinements.prefill_pool_efficiency
            prefill = _whole(np.where(paid.feasible, pool, np.nan) + paid.kv_tax_usd_per_token * replicas_per_usd)
            decode = _whole(paid.decode_usd_per_token * replicas_per_usd)
        gpus = (prefill + decode) * scenario.hardware.gpus
        usd_per_s = gpus * scenario.hardware.usd_per_gpu_hour / SECONDS_PER_HOUR
        # Tokens outside the contract are paid for too: the same factor as in the closed form.
        counted = (shared + paid.kv_tax_usd_per_token) / paid.usd_per_token
        per_mtok = usd_per_s / (tokens_per_s * counted) * TOKENS_PER_MTOK
    return Deployment(
        prefill_replicas=prefill,
        decode_replicas=decode,
        gpus=gpus,
        usd_per_hour=usd_per_s * SECONDS_PER_HOUR,
        usd_per_mtok=np.where(paid.feasible, per_mtok, np.inf)[()],
        at_scale=paid,
    )


def pool_held(scenario: Scenario) -> Scenario:
    """The same question with the prefill pool stated in replicas, as large as the arrival rate makes it.

    The costs are the same. A break-even bandwidth then keeps the pool of the point: with the rate stated it would take
    fractions of replicas, and near the boundary name another winner than the costs do. Where no pool meets the TTFT bound
    the one that would without transfer is taken, and one replica where none would.
    """
    prefill = prefill_times(scenario)
    at_once = replace(prefill, transfer_s=0.0 * np.asarray(prefill.transfer_s))
    replicas = np.asarray(prefill_replicas(scenario, prefill))
    for fallback in (prefill_replicas(scenario, at_once), 1.0):
        replicas = np.where(np.isfinite(replicas), replicas, fallback)
    workload = replace(scenario.workload, arrival_rate_per_s=None, prefill_replicas=replicas[()])
    return replace(scenario, workload=workload)


def _whole(replicas: Real) -> Real:
    """Rounded up, but not for a rounding error; at least one."""
    return np.maximum(np.ceil(replicas - _ROUNDING), 1.0)
