"""The same assets on Dagster's other executors, chosen by one setting: the same tables, bit for bit."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from pipelines.executors import EXECUTOR_VARIABLE, chosen_executor
from pipelines.resources import instance
from tests.executor_job import ASSETS, JOB
from tests.refreshed import ROOT
from warehouse.resources import NOW_TAG

CLOCK = {NOW_TAG: "2026-11-30T12:00:00+00:00"}
"""Of every run here: tables name the day they were built, which may pass between two runs."""


def test_no_setting_means_this_process(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(EXECUTOR_VARIABLE, raising=False)
    assert chosen_executor().name == "in_process"


def test_a_name_or_a_name_with_its_configuration(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(EXECUTOR_VARIABLE, "multiprocess")
    assert chosen_executor().name == "multiprocess"
    monkeypatch.setenv(EXECUTOR_VARIABLE, "{multiprocess: {max_concurrent: 2}}")
    assert chosen_executor().name == "multiprocess"


def test_another_name_is_refused_and_the_known_ones_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(EXECUTOR_VARIABLE, "celery")
    with pytest.raises(ValueError, match="celery is none of in_process, multiprocess, dask"):
        chosen_executor()


def environment(folder: Path, executor: str) -> dict[str, str]:
    return os.environ | {
        "ECONOMICS_DATA": str(folder),
        "DAGSTER_HOME": str(folder / "dagster"),
        "ECONOMICS_OFFLINE": "1",
        EXECUTOR_VARIABLE: executor,
    }


def materialize(folder: Path, executor: str) -> set[int]:
    """Build the assets by Dagster's own command; the process of each step that succeeded."""
    command = [
        sys.executable,
        "-m",
        "dagster",
        "job",
        "execute",
        "-m",
        "tests.executor_job",
        "-j",
        JOB,
        "--tags",
        json.dumps(CLOCK),
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(folder, executor), capture_output=True, text=True, check=False, timeout=600
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    with instance(folder) as dagster:
        (run,) = dagster.get_runs(limit=1)
        ended = dagster.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)
    tables = {name.replace("/", "__") for name in ASSETS}
    built_steps = [entry for entry in ended if entry.step_key in tables]  # checks of their own are steps as well
    assert len(built_steps) == len(ASSETS), said[-4000:]
    return {entry.dagster_event.pid for entry in ended if entry.dagster_event and entry.dagster_event.pid}


def built(folder: Path) -> dict[str, pl.DataFrame]:
    """The tables among the assets, without the time of the run."""
    tables = (folder / "tables" / f"{name}.parquet" for name in ASSETS)
    return {path.stem: pl.read_parquet(path).drop("refreshed_at", strict=False) for path in tables if path.exists()}


@pytest.fixture(scope="module")
def in_process(refreshed: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """Tables as the default executor builds them."""
    folder = Path(shutil.copytree(refreshed, tmp_path_factory.mktemp("in_process") / "data", symlinks=True))
    assert len(materialize(folder, "in_process")) == 1
    return built(folder)


@pytest.fixture
def emptied(refreshed: Path, tmp_path: Path) -> Path:
    """A copy of the refreshed folder without the tables that are to be built."""
    folder = Path(shutil.copytree(refreshed, tmp_path / "data", symlinks=True))
    for name in ASSETS:
        (folder / "tables" / f"{name}.parquet").unlink(missing_ok=True)
    assert not built(folder)
    return folder


@pytest.fixture
def cluster(tmp_path: Path, emptied: Path) -> Iterator[tuple[str, set[int]]]:
    """A Dask scheduler and two workers, each a process of its own; yields the address and the workers' pids."""
    pytest.importorskip("dagster_dask", reason="the extra `dask` is not installed")
    dask, file = Path(sys.executable).with_name("dask"), tmp_path / "scheduler.json"
    commands = [
        [dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file],
        *[[dask, "worker", "--no-nanny", "--nthreads", "1", "--no-dashboard", "--scheduler-file", file]] * 2,
    ]
    running = [
        subprocess.Popen(command, cwd=ROOT, env=environment(emptied, "dask"), stderr=subprocess.DEVNULL) for command in commands
    ]
    try:
        from distributed import Client

        for _ in range(600):
            if file.exists():
                break
            time.sleep(0.1)
        with Client(scheduler_file=str(file)) as client:
            client.wait_for_workers(2, timeout=120)
            address = client.scheduler.address
        yield address, {process.pid for process in running[1:]}
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait(timeout=60)


def same(tables: dict[str, pl.DataFrame], expected: dict[str, pl.DataFrame]) -> None:
    assert set(tables) == set(expected)
    for name, frame in expected.items():
        assert frame.schema == tables[name].schema, name
        assert frame.equals(tables[name]), name


@pytest.mark.slow
def test_a_process_per_step_gives_the_same_tables(in_process: dict[str, pl.DataFrame], emptied: Path):
    assert len(materialize(emptied, "multiprocess")) >= len(ASSETS)
    same(built(emptied), in_process)


@pytest.mark.slow
def test_two_dask_workers_give_the_same_tables(
    in_process: dict[str, pl.DataFrame], emptied: Path, cluster: tuple[str, set[int]]
):
    address, workers = cluster
    pids = materialize(emptied, f'{{dask: {{cluster: {{existing: {{address: "{address}"}}}}}}}}')
    assert pids == workers
    same(built(emptied), in_process)
