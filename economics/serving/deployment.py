"""A design as it is rented: how many GPUs a replica needs, and how many whole replicas an arrival rate needs."""

from dataclasses import replace

import numpy as np

from economics.serving.prefill_pool import prefill_replicas, prefill_times
from economics.serving.symbols import Scenario
from economics.units import Real, require_positive

_ROUNDING = 1e-9


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
