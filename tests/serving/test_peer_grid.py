"""The closed forms against an independent tool: who wins, and by how much, in 125 contracts.

aiconfigurator 0.12.0 (silicon-measured operator tables, Apache-2.0) chose the best aggregated and the best disaggregated
deployment of Qwen3-32B in FP8 on 32 H200 for five prompt lengths, five answer lengths and five contracts. Nothing here
is fitted to its results. What is taken over is stated by the tool itself or measured elsewhere:

- its contract: no queue and no percentile, TPOT as the mean of a request, prompts not chunked by default
  (trtllm_backend.py, enable_chunked_prefill), a TTFT of 1.8 times the prefill of a disaggregated prompt, and of
  2 + (b - 3) / 20, at most 4, times the mixed step of an aggregated batch b (same file, correction_factor);
- its rate-match efficiencies of .9 and .92 for the prefill and decode pool, and its corrections of 1.1 and 1.08 for
  their latencies; it has no KV transfer time;
- the link of the GPUs' generation as Vidur measured it on an H100 DGX: 348 GB/s, 5 microseconds (send_recv.csv);
- MFU .5 and MBU .8, the defaults of the design.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from economics.serving.cost import cost
from economics.serving.peer_search import aggregated_tokens_per_s_per_gpu, disaggregated_tokens_per_s_per_gpu
from economics.serving.symbols import Contract, Hardware, Model, Refinements, RequestShape, Scenario, Transfer
from sources.serving.references import GRID as TOOL_GRID
from sources.serving.references import parse_grid
from tests.serving.references import snapshot

GRID = Path(__file__).resolve().parents[3] / "shared" / "data" / "serving" / "aiconfigurator_grid.csv"
pytestmark = pytest.mark.skipif(not GRID.exists(), reason="the grid of the independent tool is not at hand")

GPUS = np.array([1.0, 2.0, 4.0, 8.0])
QWEN3_32B_FP8 = Model(
    active_parameters=32.8e9,
    weight_bytes=32.8e9,
    kv_bytes_per_token=2 * 64 * 8 * 128 * 1.0,  # FP8 too: the tool's memory column grows so
    layers=64.0,
    query_heads=64.0,
    head_dim=128.0,
    hidden=5120.0,
)
MATCHED = {"prefill_pool_efficiency": 0.9, "decode_pool_efficiency": 0.92}
PHYSICS = {"prefill_attention": True, "decode_compute_bound": True, "tensor_parallel_communication": True}


@dataclass(frozen=True)
class Grid:
    input_tokens: NDArray[np.float64]
    output_tokens: NDArray[np.float64]
    ttft_s: NDArray[np.float64]
    tpot_s: NDArray[np.float64]
    ratio: NDArray[np.float64]
    """Throughput per GPU, disaggregated over aggregated: above 1 disaggregation wins."""


@pytest.fixture(scope="module")
def grid() -> Grid:
    with GRID.open() as file:
        rows = [row for row in csv.DictReader(file) if row["winner"] != "none"]
    columns = ("isl", "osl", "ttft_slo_ms", "tpot_slo_ms", "disagg_over_agg_tok_s_gpu_cluster")
    isl, osl, ttft_ms, tpot_ms, ratio = (np.array([float(row[name]) for row in rows]) for name in columns)
    return Grid(input_tokens=isl, output_tokens=osl, ttft_s=ttft_ms / 1e3, tpot_s=tpot_ms / 1e3, ratio=ratio)


def h200(gpus) -> Hardware:
    return Hardware(
        usd_per_gpu_hour=2.0,
        flops_per_s=1979e12,
        hbm_bytes_per_s=4.8e12,
        hbm_bytes=141e9,
        gpus=gpus,
        link_bytes_per_s=348e9,
        link_latency_s=5e-6,
    )


def question(grid: Grid, *, gpus, ttft_factor=1.0, tpot_factor=1.0, percentile=0.0, prefill_gpus=None, **refinements):
    if prefill_gpus is not None:
        refinements["prefill_hardware"] = h200(prefill_gpus)
    return Scenario(
        hardware=h200(gpus),
        model=QWEN3_32B_FP8,
        workload=RequestShape(
            input_tokens=grid.input_tokens,
            input_per_output=grid.input_tokens / grid.output_tokens,
            context_tokens=grid.input_tokens + grid.output_tokens / 2,
            prefill_replicas=8.0,
        ),
        contract=Contract(
            ttft_s=grid.ttft_s / ttft_factor,
            tpot_s=grid.tpot_s / tpot_factor,
            percentile=percentile,
            tpot_definition="per_request_mean",
        ),
        transfer=Transfer(bandwidth_bytes_per_s=50e9, overlap_share=1.0),
        refinements=Refinements(**refinements),
    )


def disaggregated(grid: Grid, **how):
    """The best of all replica sizes, chosen for each pool by itself."""
    scenario = question(grid, gpus=GPUS[:, None], prefill_gpus=GPUS[:, None, None], **how)
    return cost(scenario=scenario, architecture="disaggregated").usd_per_token.min(axis=(0, 1))


def colocated(grid: Grid, architecture: str, **how):
    scenario = question(grid, gpus=GPUS[:, None], **how)
    return cost(scenario=scenario, architecture=architecture).usd_per_token.min(axis=0)


@dataclass(frozen=True)
class Agreement:
    winner: float
    """Share of contracts with the same winner, where the tool's margin is above 5 %."""
    wrong_where_clear: int
    """Contracts with another winner though our own margin is above 7 % too."""
    spearman: float
    median_log_error: float


def agreement(grid: Grid, colocated_usd, disaggregated_usd) -> Agreement:
    ratio = colocated_usd / disaggregated_usd
    clear = np.abs(np.log(grid.ratio)) > np.log(1.05)
    assert clear.sum() == 100
    same = (ratio > 1) == (grid.ratio > 1)
    return Agreement(
        winner=float(np.mean(same[clear])),
        wrong_where_clear=int(np.sum(~same & clear & (np.abs(np.log(ratio)) > np.log(1.07)))),
        spearman=float(spearmanr(ratio, grid.ratio).statistic),
        median_log_error=float(np.median(np.abs(np.log(ratio / grid.ratio)))),
    )


@pytest.mark.published
def test_the_grid_is_the_one_described(grid):
    assert grid.ratio.size == 120
    assert (grid.ratio > 1).sum() == 56


def as_the_tool_reads_the_contract(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cost of both kinds of serving under all that the tool states of itself, with the physics of the design."""
    scenario = question(grid, gpus=GPUS[:, None], **PHYSICS)
    return 1.0 / aggregated_tokens_per_s_per_gpu(scenario), 1.0 / disaggregated_tokens_per_s_per_gpu(scenario)


@pytest.mark.published
def test_under_the_same_contract_winner_and_ratio_agree(grid):
    """Reached: winner .89, Spearman .86, median error 8 %. Every disagreement is one that ours calls near a tie."""
    found = agreement(grid, *as_the_tool_reads_the_contract(grid))
    assert found.winner >= 0.88
    assert found.spearman >= 0.85
    assert found.median_log_error <= 0.09
    assert found.wrong_where_clear == 0


@pytest.mark.published
def test_the_shipped_grid_is_the_one_the_tool_wrote(grid):
    shipped = parse_grid(snapshot(TOOL_GRID)).accepted.filter(pl.col("winner") != "none")
    ratio = shipped["disaggregated_tokens_per_s_per_gpu"] / shipped["aggregated_tokens_per_s_per_gpu"]
    np.testing.assert_allclose(ratio.to_numpy(), grid.ratio, rtol=1e-3)
    for name in ("input_tokens", "output_tokens", "ttft_s", "tpot_s"):
        np.testing.assert_allclose(shipped[name].to_numpy(), getattr(grid, name))


@pytest.mark.published
@pytest.mark.parametrize(
    ("how", "pools", "winner", "spearman"),
    [
        pytest.param({}, {}, 0.57, 0.62, id="plain sum"),
        pytest.param({}, MATCHED, 0.53, 0.65, id="rate match"),
        pytest.param({"prefill_attention": True}, MATCHED, 0.53, 0.65, id="prefill attention"),
        pytest.param({"prefill_attention": True, "decode_compute_bound": True}, MATCHED, 0.53, 0.70, id="decode FLOP"),
        pytest.param(PHYSICS, MATCHED, 0.69, 0.51, id="links"),
        pytest.param(PHYSICS | {"ttft_coupling": True}, MATCHED, 0.73, 0.57, id="TTFT coupling"),
    ],
)
def test_each_refinement_of_chunked_colocation(grid, how, pools, winner, spearman):
    """What each term adds to the ones before it; not one of them is the tool's reading of the contract."""
    found = agreement(grid, colocated(grid, "chunked", **how), disaggregated(grid, **how, **pools))
    assert found.winner >= winner - 0.02
    assert found.spearman >= spearman - 0.02
    assert found.median_log_error <= 0.25


@pytest.mark.published
def test_a_p99_contract_is_another_question(grid):
    """The tool knows no queue: with one, the plain sum agrees no better than a coin."""
    found = agreement(grid, colocated(grid, "chunked", percentile=0.99), disaggregated(grid, percentile=0.99))
    assert found.winner < 0.60
    assert found.spearman < 0.20
