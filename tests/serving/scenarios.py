"""Scenarios that the tests of serving cost share."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from economics.serving.symbols import (
    Contract,
    Efficiency,
    Hardware,
    Model,
    Refinements,
    RequestShape,
    Scenario,
    Transfer,
)

# Dense BF16 peak, HBM bandwidth, HBM size of one GPU, as the golden values state them.
GPUS = {
    "A100": (312e12, 2.039e12, 80e9),
    "H100": (989e12, 3.35e12, 80e9),
    "H200": (989e12, 4.8e12, 141e9),
}
PRICE = 2.0
"""$ per GPU-hour; any will do, since ratios and break-even values do not depend on it."""


def golden(gpu: str = "H100", **symbols: Any) -> Scenario:
    """Llama-3.1-8B in BF16 on one GPU, as the golden values of formula S9 state it.

    `symbols` replace single symbols by name, in whichever record has them.
    """
    flops_per_s, hbm_bytes_per_s, hbm_bytes = GPUS[gpu]
    scenario = Scenario(
        hardware=Hardware(
            usd_per_gpu_hour=PRICE, flops_per_s=flops_per_s, hbm_bytes_per_s=hbm_bytes_per_s, hbm_bytes=hbm_bytes
        ),
        model=Model(active_parameters=8.0e9, weight_bytes=16e9, kv_bytes_per_token=131_072.0),
        workload=RequestShape(input_tokens=3500.0, input_per_output=10.0, context_tokens=4096.0, prefill_replicas=8.0),
        contract=Contract(ttft_s=1.0, tpot_s=0.05),
        transfer=Transfer(bandwidth_bytes_per_s=300e9),
    )
    return changed(scenario, **symbols)


def changed(scenario: Scenario, **symbols: Any) -> Scenario:
    """The scenario with single symbols replaced by name."""
    if "arrival_rate_per_s" in symbols:
        symbols.setdefault("prefill_replicas", None)
    records: dict[str, Any] = {}
    for name in ("hardware", "model", "workload", "contract", "transfer", "efficiency", "refinements"):
        record = getattr(scenario, name)
        own = {symbol: symbols.pop(symbol) for symbol in list(symbols) if hasattr(record, symbol)}
        if own:
            records[name] = replace(record, **own)
    assert not symbols, f"unknown symbols {sorted(symbols)}"
    return replace(scenario, **records)


def random_scenario(draws: int, seed: int, refinements: Refinements = Refinements(), **symbols: Any) -> Scenario:  # noqa: B008
    """Many scenarios at once over several decades of hardware, model, workload and contract."""
    rng = np.random.default_rng(seed)

    def between(low: float, high: float) -> NDArray[np.float64]:
        return np.exp(rng.uniform(np.log(low), np.log(high), draws))

    parameters = between(1e9, 2e10)
    scenario = Scenario(
        hardware=Hardware(
            usd_per_gpu_hour=between(0.5, 10.0),
            flops_per_s=between(2e14, 3e15),
            hbm_bytes_per_s=between(1e12, 8e12),
            hbm_bytes=between(6e10, 2e11),
        ),
        model=Model(
            active_parameters=parameters,
            weight_bytes=2.0 * parameters,
            kv_bytes_per_token=between(3e4, 3e5),
            layers=32.0,
            query_heads=32.0,
            head_dim=128.0,
            hidden=4096.0,
            experts=64.0,
            experts_per_token=4.0,
            expert_weight_bytes=1.6 * parameters,
        ),
        workload=RequestShape(
            input_tokens=between(300.0, 8000.0),
            input_per_output=between(0.2, 100.0),
            context_tokens=between(500.0, 10_000.0),
            prefill_replicas=np.ceil(between(1.0, 60.0)),
        ),
        contract=Contract(ttft_s=between(0.3, 5.0), tpot_s=between(0.008, 0.2)),
        transfer=Transfer(bandwidth_bytes_per_s=between(5e9, 1e12), overlap_share=rng.uniform(0.0, 0.9, draws)),
        efficiency=Efficiency(
            mfu=rng.uniform(0.2, 0.7, draws),
            mbu=rng.uniform(0.5, 0.9, draws),
            chunk_utilisation=rng.uniform(0.7, 1.0, draws),
        ),
        refinements=refinements,
    )
    return changed(scenario, **symbols)


ALL_DENSE = Refinements(
    overlap=0.6,
    ttft_coupling=True,
    prefill_pool_efficiency=0.95,
    decode_pool_efficiency=0.97,
    prefill_attention=True,
    decode_compute_bound=True,
    prefix_hit_share=0.3,
    chunk_tokens=1024.0,
    achieved_link_share=0.7,
    draft_tokens=3.0,
    draft_acceptance=0.7,
    draft_cost_ratio=0.05,
)
"""Every refinement of a dense model that leaves pools divisible."""
