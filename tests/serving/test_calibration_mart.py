"""Step times of figures and runs as rows of the calibration, and the table itself, from a real refresh."""

from typing import Any

import duckdb
import polars as pl
import pytest

from assets.serving.calibration import calibrated, with_peaks
from assets.serving.calibration_times import times_of_runs
from economics.serving.calibration import (
    decode_read_bytes,
    prefill_flop,
)
from schemas.base import polars_schema
from schemas.evidence.published import Gpu, ModelShape
from schemas.serving.benchmark_outputs import OperatingPoint
from schemas.serving.calibration import ShareOfPeak
from tests.serving.test_latency_figures import FIGURES


def a_gpu(**more: Any) -> dict[str, Any]:
    return {
        "gpu": "h100-sxm",
        "bf16_flop_per_s": 989e12,
        "fp8_flop_per_s": 1979e12,
        "hbm_bytes": 80e9,
        "hbm_bytes_per_s": 3.35e12,
        "tdp_w": 700.0,
        "status": "printed",
        "locator": "a table",
        **more,
    }


def a_shape(**more: Any) -> dict[str, Any]:
    return {
        "model": "llama-3.1-8b",
        "layers": 32,
        "hidden": 4096,
        "query_heads": 32,
        "kv_heads": 8,
        "head_dim": 128,
        "parameters": 8.03e9,
        "active_parameters": 8.03e9,
        "kv_bytes_per_token": 131_072.0,
        "status": "printed",
        **more,
    }


def a_run(in_flight: float, **more: Any) -> dict[str, Any]:
    """A run of one GPU with MFU .4, MBU .6 and 3 ms a step: 100 tokens in, 2,000 out."""
    prompt, answer = 100.0, 2000.0
    read = decode_read_bytes(
        weight_bytes=16.06e9, kv_bytes_per_token=131_072.0, context_tokens=prompt + answer / 2, batch=in_flight
    )
    flop = prefill_flop(
        active_parameters=8.03e9, layers=32.0, query_heads=32.0, head_dim=128.0, prompt_tokens=prompt, batch=1.0
    )
    return {
        "run_id": f"{in_flight}",
        "source": "vllm",
        "file_name": "run.json",
        "engine": "vllm",
        "model": "meta-llama/Llama-3.1-8B-Instruct",
        "model_canonical": "llama-3.1-8b",
        "precision": "BF16",
        "gpu_canonical": "h100-sxm",
        "gpus_total": 1,
        "input_tokens_mean": prompt,
        "output_tokens_mean": answer,
        "arrival": "closed_loop",
        "concurrency": in_flight,
        "ttft_p50_s": 0.003 + float(flop) / (0.4 * 989e12),
        "tpot_p50_s": 0.003 + float(read) / (0.6 * 3.35e12),
        "tpot_definition": "after_first_token",
        "speculative_decoding": "none",
        "basis": "measured",
        "priceable": True,
        **more,
    }


GPUS = pl.DataFrame([a_gpu()], schema=polars_schema(Gpu))
SHAPES = pl.DataFrame([a_shape()], schema=polars_schema(ModelShape))


def of_runs(*runs: dict[str, Any], shapes: pl.DataFrame = SHAPES) -> pl.DataFrame:
    frame = pl.DataFrame(list(runs), schema=polars_schema(OperatingPoint))
    return with_peaks(times_of_runs(frame, shapes), GPUS, shapes)


def test_the_efficiency_of_a_users_own_sweep_comes_back() -> None:
    repeats = [a_run(1.0, run_id=f"again {i}") for i in range(3)]
    rows = calibrated(of_runs(*repeats, *(a_run(batch) for batch in (8.0, 32.0, 64.0, 128.0))))
    ShareOfPeak.validate(rows, lazy=True)
    pooled = rows.filter(pl.col("gpu_count").is_null()).row(0, named=True)
    assert (pooled["model"], pooled["precision"], pooled["calibration"]) == ("llama-3.1-8b", "bf16", "fitted")
    assert (pooled["n_prefill"], pooled["n_decode"]) == (3, 7)
    assert (pooled["mfu"], pooled["mbu"], pooled["overhead_s"]) == pytest.approx((0.4, 0.6, 0.003), rel=1e-3)
    assert pooled["mbu_without_overhead"] < 0.6
    assert pooled["leave_one_out_error"] < 1e-3 < pooled["default_error"]


@pytest.mark.parametrize(
    "change",
    [
        {"speculative_decoding": "mtp"},
        {"precision": None},
        {"precision": "fp4"},
        {"gpu_canonical": None},
        {"gpus_total": 8},
        {"gpus_total": 8, "tp": 4},
        {"architecture": "disaggregated"},
        {"basis": "simulated"},
        {"model": "acme/Model-7B", "model_canonical": None},
        {"arrival": "open_loop", "concurrency": None},
        {"dp_attention": True},
        {"pp": 2},
    ],
    ids=str,
)
def test_a_run_that_leaves_something_open_is_not_used(change: dict[str, Any]) -> None:
    assert of_runs(a_run(1.0, **change)).is_empty()
    assert of_runs(a_run(1.0)).height == 2


def test_a_run_that_does_not_mention_drafts_is_used_and_marked() -> None:
    rows = calibrated(of_runs(a_run(1.0, speculative_decoding=None)))
    assert rows["speculation_basis"].to_list() == ["assumed", "assumed"]
    assert calibrated(of_runs(a_run(1.0)))["speculation_basis"].to_list() == ["stated", "stated"]


def test_eight_bit_weights_are_half_the_bytes_at_twice_the_peak() -> None:
    row = calibrated(of_runs(a_run(1.0, precision="FP8"))).row(0, named=True)
    assert (row["precision"], row["weight_bytes"], row["peak_flop_per_s"]) == ("fp8", 8.03e9, 1979e12)


def test_a_run_whose_steps_are_full_of_prompts_is_no_decode_point() -> None:
    times = of_runs(a_run(16.0, input_tokens_mean=4000.0, output_tokens_mean=100.0))
    assert times["left_out"].to_list() == ["prompts take too much of a step"]


def test_a_batch_that_cannot_be_in_memory_at_once_is_no_point() -> None:
    times = of_runs(a_run(600.0))
    assert times["left_out"].to_list() == ["batch does not fit into memory at once"]


def test_a_mixture_of_experts_is_no_decode_point() -> None:
    sparse = pl.DataFrame([a_shape(active_parameters=2e9)], schema=polars_schema(ModelShape))
    times = of_runs(a_run(1.0), shapes=sparse)
    assert dict(zip(times["phase"], times["left_out"], strict=True)) == {
        "prefill": None,
        "decode": "weights read depend on the experts chosen",
    }


# The table itself.


def mart(warehouse: duckdb.DuckDBPyConnection, where: str) -> dict[str, Any]:
    found = warehouse.execute(f"SELECT * FROM marts.share_of_peak WHERE {where}")
    (row,) = found.fetchall()
    return dict(zip([column[0] for column in found.description], row, strict=True))


def test_every_published_step_time_reaches_a_row(warehouse: duckdb.DuckDBPyConnection) -> None:
    used, left_out = warehouse.execute(
        "SELECT sum(n_prefill + n_decode)::INT, sum(n_left_out)::INT FROM marts.share_of_peak WHERE gpu_count IS NULL"
    ).fetchall()[0]
    assert used + left_out >= FIGURES.height


def test_sarathi_gives_an_mfu_and_no_mbu(warehouse: duckdb.DuckDBPyConnection) -> None:
    row = mart(warehouse, "model = 'yi-34b' AND gpu_count IS NULL")
    assert 0.45 < row["mfu"] < 0.65
    assert (row["mbu"], row["mbu_basis"], row["overhead_s"], row["calibration"]) == (0.8, "default", 0.0, "default")
    assert row["reason"] == "MBU is the default: 0 usable decode points"
    assert row["left_out"] == "length of contexts not stated: 9; prefill and decode in one step: 1"


def test_sarathis_longest_prompts_are_foretold_by_its_mfu(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Yi-34B on two A100: 8,192 tokens took 1.863 s, and the fit over all prompts is within a tenth of it."""
    row = mart(warehouse, "model = 'yi-34b' AND gpu_count IS NULL")
    flop = prefill_flop(
        active_parameters=row["active_parameters"],
        layers=60.0,
        query_heads=56.0,
        head_dim=128.0,
        prompt_tokens=8192.0,
        batch=1.0,
    )
    measured_s = FIGURES.filter(figure="yi_34b_tp2_prefill_8192")["time_s"].item()
    assert measured_s == pytest.approx(1.863, abs=5e-4)
    assert flop / (row["mfu"] * row["peak_flop_per_s"] * 2.0) == pytest.approx(measured_s, rel=0.1)


def test_decode_of_one_gpu_count_is_foretold_within_seven_percent(warehouse: duckdb.DuckDBPyConnection) -> None:
    errors = warehouse.execute(
        "SELECT decode_leave_one_out_error FROM marts.share_of_peak WHERE gpu_count IS NOT NULL AND mbu_basis = 'fitted' "
        "AND n_decode > 4"
    ).fetchall()
    assert len(errors) > 10
    assert max(error for (error,) in errors) < 0.07


def test_pooling_gpu_counts_costs_accuracy_and_the_table_says_how_much(warehouse: duckdb.DuckDBPyConnection) -> None:
    row = mart(warehouse, "model = 'llama-2-70b' AND gpu = 'a100-80gb-sxm' AND gpu_count IS NULL")
    eight = mart(warehouse, "model = 'llama-2-70b' AND gpu = 'a100-80gb-sxm' AND gpu_count = 8")
    assert (row["mbu_basis"], row["gpu_counts"]) == ("at_bound", "2, 4, 8")
    assert row["other_gpu_counts_error"] > row["leave_one_out_error"] > eight["leave_one_out_error"]
    assert eight["mbu"] < 0.25  # a fifth of the bandwidth: eight GPUs wait for each other


def test_a_fit_explains_more_than_the_defaults(warehouse: duckdb.DuckDBPyConnection) -> None:
    worse = warehouse.execute("SELECT count(*) FROM marts.share_of_peak WHERE leave_one_out_error >= default_error").fetchall()
    assert worse == [(0,)]
