"""The user's own runs: what each is used for, where its figures were read from, and taking one back."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from answers.own_runs import meant, nearest_own_runs, own_runs, run_detail
from answers.own_runs_text import summary
from assets.serving.calibration import with_peaks
from assets.serving.calibration_times import times_of_runs
from assets.serving.measured import usable
from assets.serving.run_use import uses
from sources.serving.benchmark_outputs import BenchmarkFile, RunMeta, ingest
from sources.serving.benchmark_outputs.origins import origins
from sources.serving.user_files import forget, forgotten, take_in
from tests.refreshed import iecon
from tests.serving.benchmark_files import vllm_run

NOW = datetime(2026, 12, 1, tzinfo=UTC)
TOLD = RunMeta(gpu="h100-sxm", gpus=1, tp=1, model="llama-3.1-8b", engine="vllm", precision="bf16")


@pytest.fixture(scope="module")
def tables(refreshed: Path) -> dict[str, pl.DataFrame]:
    return {name: pl.read_parquet(refreshed / "tables" / "core" / f"{name}.parquet") for name in ("gpu", "model_shape")}


def use_of(tables: dict[str, pl.DataFrame], meta: RunMeta | None, **changes: object) -> dict[str, object]:
    points = ingest([BenchmarkFile("run.json", vllm_run(**changes), meta)]).accepted
    found = uses(points, **tables).row(0, named=True)
    times = with_peaks(times_of_runs(points, tables["model_shape"]), tables["gpu"], tables["model_shape"])
    assert found["calibrates"] == (times.filter(pl.col("left_out").is_null()).height > 0)
    assert found["validates"] == (usable(points, **tables).height > 0)
    return found


def test_run_that_is_told_in_full_is_used_everywhere(tables):
    found = use_of(tables, TOLD, clients=1, tpot_s=0.02, mean_ttft_ms=500.0)
    assert (found["is_priced"], found["calibrates"], found["validates"]) == (True, True, True)
    assert [found[f"why_{why}"] for why in ("unpriced", "not_calibration", "not_validation")] == [None] * 3


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ({"model": None}, "the model is not known (--model)"),
        ({"gpu": None}, "the GPU is not known (--gpu)"),
        ({"gpus": None}, "the number of GPUs is not known (--gpus)"),
        ({"precision": None}, "the number format is not known (--precision)"),
        ({"gpus": 4, "tp": None}, "tensor parallelism is not known (--tp)"),
        ({"gpus": 4, "tp": 2}, "it is not one replica of tensor parallelism alone"),
        ({"architecture": "disaggregated"}, "prefill and decode are apart"),
        ({"speculative_decoding": "eagle"}, "tokens are drafted"),
    ],
)
def test_run_that_is_not_used_says_why_not(tables, missing, reason):
    facts = {name: getattr(TOLD, name) for name in RunMeta.__struct_fields__}
    found = use_of(tables, RunMeta(**(facts | missing)), clients=1, tpot_s=0.02)
    assert (found["calibrates"], found["validates"]) == (False, False)
    assert found["why_not_calibration"] == found["why_not_validation"] == reason


def test_every_figure_leads_to_the_keys_it_was_read_from():
    found = origins("vllm", vllm_run().decode(), TOLD)
    assert found["ttft_p99_s"] == ["p99_ttft_ms"]
    assert found["concurrency"] == ["max_concurrency"]
    assert found["output_tokens_mean"] == ["completed", "total_output_tokens"]
    assert found["output_tokens_per_s_per_gpu"] == ["output_throughput"]
    assert origins("vllm", json.dumps({"nothing": 1})) == {}


def test_run_taken_back_is_marked_until_it_is_brought_again(tmp_path: Path):
    (tmp_path / "run.json").write_bytes(vllm_run())
    bronze = tmp_path / "bronze"
    (first,) = take_in([tmp_path / "run.json"], bronze_root=bronze, said={}, now=NOW)
    forget(bronze, first.runs, now=NOW)
    assert forgotten(bronze) == set(first.runs)
    assert len(list((bronze / "user_files").glob("*.zst"))) == 1
    (again,) = take_in([tmp_path / "run.json"], bronze_root=bronze, said={}, now=NOW)
    assert (again.is_new, forgotten(bronze)) == (False, frozenset())


@pytest.mark.slow
def test_runs_are_listed_shown_and_taken_back(refreshed: Path, tmp_path: Path):
    data = Path(shutil.copytree(refreshed, tmp_path / "data", symlinks=True))
    latest = data / "releases" / "latest.duckdb"
    (tmp_path / "run.json").write_bytes(vllm_run(clients=1, tpot_s=0.02))
    (tmp_path / "copy.json").write_text(json.dumps(json.loads(vllm_run(clients=1, tpot_s=0.02)), indent=2))
    said = [
        "--model",
        "llama-3.1-8b",
        "--engine",
        "vllm",
        "--gpu",
        "h100-sxm",
        "--gpus",
        "1",
        "--tp",
        "1",
        "--precision",
        "bf16",
    ]
    done = iecon(data, "ingest", str(tmp_path / "run.json"), *said)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 run: 1 priced, 1 used for calibration, 1 for validation" in done.stdout
    done = iecon(data, "ingest", str(tmp_path / "copy.json"))
    (run,) = own_runs(latest)
    assert (run["gpu_canonical"], run["is_priced"]) == ("h100-sxm", True)  # one run, with what was said of the other file
    listed = iecon(data, "runs").stdout
    assert run["run_id"] in listed
    assert max(len(line) for line in listed.splitlines()) < 200
    shown = json.loads(iecon(data, "runs", "show", run["run_id"][:6], "--json").stdout)
    assert shown["records"][0]["read_from"]["ttft_p99_s"] == ["p99_ttft_ms"]
    nearest = nearest_own_runs(latest, model="llama-3.1-8b", gpu="h100-sxm", concurrency=2.0)
    assert nearest is not None
    assert (nearest.runs, nearest.gpus, nearest.concurrency, nearest.is_in_fit) == (1, (1,), 1.0, True)
    assert nearest_own_runs(latest, model="llama-3.1-8b", gpu="h200-sxm", concurrency=None) is None
    with pytest.raises(ValueError, match="none of your runs"):
        meant(latest, ["zz"])
    assert run_detail(latest, run["run_id"])["run"]["n_requests"] == 10
    assert summary([run]) == "1 run: 1 priced, 1 used for calibration, 1 for validation"
    done = iecon(data, "runs", "forget", run["run_id"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert own_runs(latest) == []
