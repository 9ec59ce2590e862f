"""The closed forms against the grid of an independent tool: who wins in each contract, and by how much."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from economics.numeric.statistics import wilson_interval
from economics.serving.peer_search import (
    CLEAR_MARGIN,
    aggregated_tokens_per_s_per_gpu,
    agreement,
    disaggregated_tokens_per_s_per_gpu,
)
from economics.serving.scenarios import Facts, hardware_symbols, model_symbols
from economics.serving.symbols import Contract, Refinements, RequestShape, Scenario, Transfer
from economics.units import Array

REPLICA_GPUS = np.array([[1.0], [2.0], [4.0], [8.0]])
MEASURED_LINK = {"link_bytes_per_s": 348e9, "link_latency_s": 5e-6}
"""Send and receive inside a node of H100, as Vidur measured them (send_recv.csv)."""
PHYSICS = Refinements(prefill_attention=True, decode_compute_bound=True, tensor_parallel_communication=True)
METHOD = (
    "contract as the tool states it (economics.peer_search), plain sum of step times with prefill attention, decode compute "
    "bound and links; MFU .5 and MBU .8, pools divisible"
)
NOTHING = "nothing"


def grid_rows(grid: pl.DataFrame, *, gpu: pl.DataFrame, model_shape: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """A row for each contract, and the statistics of all; `grid`: contract `ServingGrid`, others core tables."""
    answered = grid.filter(pl.col("winner") != "none")
    for (name, model), part in answered.group_by("gpu", "model", maintain_order=True):
        facts = [
            frame.row(by_predicate=pl.col(key) == value, named=True)
            for frame, key, value in ((gpu, "gpu", name), (model_shape, "model", model))
        ]
        ours = ratio_of(part, gpu=facts[0], shape=facts[1])
        theirs = (part["disaggregated_tokens_per_s_per_gpu"] / part["aggregated_tokens_per_s_per_gpu"]).to_numpy()
        common = {
            "check": "independent_tool",
            "unit": "ratio",
            "gpu": name,
            "model": model,
            "basis": "computed_by_tool",
            "fitted": NOTHING,
            "method": METHOD,
        }
        for row, predicted, observed in zip(part.iter_rows(named=True), ours, theirs, strict=True):
            lengths = f"{row['input_tokens']:.0f} in, {row['output_tokens']:.0f} out"
            yield common | {
                "slice": f"{lengths}, TTFT {row['ttft_s']:g} s, TPOT {row['tpot_s']:g} s",
                "workload": lengths,
                "metric": "throughput_ratio",
                "predicted": float(predicted),
                "observed": float(observed),
                "n": 1,
            }
        found = agreement(ours, theirs)
        low, high = wilson_interval(successes=np.array(found.winner_share * found.clear), trials=np.array(float(found.clear)))
        every = common | {"slice": "all contracts", "workload": "all lengths"}
        yield every | {
            "metric": "winner_agreement",
            "observed": found.winner_share,
            "unit": "share",
            "n": found.clear,
            "interval_low": float(low),
            "interval_high": float(high),
            "slice": f"contracts in which the tool's margin exceeds {CLEAR_MARGIN - 1.0:.0%}",
        }
        yield every | {
            "metric": "rank_correlation",
            "observed": pl.select(pl.corr(pl.Series(ours), pl.Series(theirs), method="spearman")).item(),
            "unit": "correlation",
            "n": found.contracts,
        }
        yield every | {
            "metric": "median_absolute_error",
            "observed": found.median_log_error,
            "unit": "log ratio",
            "n": found.contracts,
        }


def ratio_of(grid: pl.DataFrame, *, gpu: Facts, shape: Facts) -> Array:
    """Disaggregated over aggregated throughput by the closed forms, for each contract of the grid."""
    scenario = grid_scenario(grid, gpu=gpu, shape=shape)
    return disaggregated_tokens_per_s_per_gpu(scenario) / aggregated_tokens_per_s_per_gpu(scenario)


def grid_scenario(grid: pl.DataFrame, *, gpu: Facts, shape: Facts) -> Scenario:
    """The contracts of the grid on every replica size of a node: sizes on the first axis, contracts on the last."""
    columns = ("input_tokens", "output_tokens", "ttft_s", "tpot_s")
    prompt, answer, ttft_s, tpot_s = (grid[name].to_numpy() for name in columns)
    hardware = hardware_symbols(gpu, gpus=1.0, usd_per_gpu_hour=1.0, precision="fp8")
    model = model_symbols(shape, precision="fp8")
    return Scenario(
        hardware=replace(hardware, gpus=REPLICA_GPUS, **MEASURED_LINK),
        model=replace(model, kv_bytes_per_token=model.kv_bytes_per_token / 2.0),
        workload=RequestShape(
            input_tokens=prompt,
            input_per_output=prompt / answer,
            context_tokens=prompt + answer / 2.0,
            prefill_replicas=1.0,
        ),
        contract=Contract(ttft_s=ttft_s, tpot_s=tpot_s, percentile=0.0, tpot_definition="per_request_mean"),
        transfer=Transfer(bandwidth_bytes_per_s=1.0, overlap_share=1.0),
        refinements=PHYSICS,
    )
