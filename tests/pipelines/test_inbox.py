"""The inbox: dropped files, files still being written, broken ones, and the run that the sensor asks for."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from pipelines.definitions import definitions
from pipelines.inbox import SETTLED_S, empty_inbox, run_key, settled_files
from pipelines.resources import instance
from sources.serving.user_files import FILES, TakenIn, said_before, stored
from tests.serving.benchmark_files import vllm_run
from warehouse.folder import FOLDER_VARIABLE
from warehouse.resources import DataFolder

Empty = Callable[[], list[TakenIn]]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def empty(inbox: Path, tmp_path: Path) -> Empty:
    """Empty the inbox a minute from now, when everything in it is settled."""

    def run() -> list[TakenIn]:
        return empty_inbox(inbox, bronze_root=tmp_path / "bronze", now=datetime.now(UTC) + timedelta(minutes=1))

    return run


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def drop(inbox: Path, name: str, body: bytes) -> None:
    """Put a file down as if nobody had written to it for a while."""
    inbox.mkdir(exist_ok=True)
    (inbox / name).write_bytes(body)
    long_ago = datetime.now(UTC).timestamp() - 2 * SETTLED_S
    os.utime(inbox / name, (long_ago, long_ago))


def test_accepted_files_move_with_their_metadata(inbox: Path, empty: Empty, tmp_path: Path) -> None:
    drop(inbox, "run.json", vllm_run())
    drop(inbox, "run.json.meta.yaml", b"gpu: h100-sxm\ngpus: 8\n")
    (result,) = empty()
    assert (result.is_accepted, result.unpriced) == (True, 0)
    assert names(inbox) == []
    assert names(inbox / "accepted") == ["run.json", "run.json.meta.yaml"]
    assert [meta.gpus for meta in said_before(tmp_path / "bronze")[0].values()] == [8]


def test_broken_file_moves_beside_its_reason_and_stops_nothing(inbox: Path, empty: Empty) -> None:
    drop(inbox, "a.json", vllm_run()[:100])
    drop(inbox, "b.json", vllm_run())
    drop(inbox, "c.json", vllm_run(clients=8))
    drop(inbox, "c.json.meta.yaml", b"gpus: many")
    assert [result.is_accepted for result in empty()] == [False, True, False]
    assert names(inbox / "accepted") == ["b.json"]
    assert names(inbox / "rejected") == [
        "a.json",
        "a.json.reason.txt",
        "c.json",
        "c.json.meta.yaml",
        "c.json.reason.txt",
    ]
    assert "not complete JSON" in (inbox / "rejected" / "a.json.reason.txt").read_text()


def test_file_that_is_still_written_waits(inbox: Path) -> None:
    now = datetime.now(UTC)
    drop(inbox, "done.json", vllm_run())
    (inbox / "growing.json").write_bytes(vllm_run()[:100])
    drop(inbox, "described.json", vllm_run())
    (inbox / "described.json.meta.yaml").write_text("gpus: ")
    assert [path.name for path in settled_files(inbox, now=now)] == ["done.json"]
    later = now + timedelta(seconds=2 * SETTLED_S)
    assert {path.name for path in settled_files(inbox, now=later)} == {"done.json", "growing.json", "described.json"}


def test_same_file_twice_is_kept_once_and_another_of_its_name_overwrites_nothing(
    inbox: Path, empty: Empty, tmp_path: Path
) -> None:
    for body in (vllm_run(), vllm_run(), vllm_run(clients=8)):
        drop(inbox, "run.json", body)
        assert [result.is_accepted for result in empty()] == [True]
    assert names(inbox) == []
    assert len(names(inbox / "accepted")) == 2
    assert len(stored(tmp_path / "bronze", FILES)[0]) == 2


def test_hidden_files_folders_and_lonely_metadata_are_left_alone(inbox: Path, empty: Empty) -> None:
    drop(inbox, ".run.json.part", vllm_run())
    drop(inbox, "later.json.meta.yaml", b"gpus: 8")
    drop(inbox / "folder", "run.json", vllm_run())
    assert empty() == []
    assert names(inbox) == [".run.json.part", "later.json.meta.yaml"]
    assert names(inbox / "folder") == ["run.json"]


def test_run_key_is_name_and_content_and_does_not_grow() -> None:
    def accepted(n: int) -> list[TakenIn]:
        return [TakenIn(Path(f"{i}.json"), sha256=f"{i:064}", rows=1) for i in range(n)]

    assert run_key(accepted(1)) == "0.json " + "0" * 64
    assert run_key(accepted(3)) == run_key(accepted(3)[::-1]) != run_key(accepted(2))
    assert len(run_key(accepted(1_000))) == 64
    said = TakenIn(Path("0.json"), sha256="0" * 64, meta_sha256="1" * 64, rows=1)
    assert run_key([said]) == f"0.json {'0' * 64} {'1' * 64}"


@pytest.fixture
def data(refreshed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the refreshed data folder, named in the environment as for Dagster's own commands."""
    folder = Path(shutil.copytree(refreshed, tmp_path / "data", symlinks=True))
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    return folder


def tick(dagster: dg.DagsterInstance, data: Path) -> Any:
    repository = definitions().get_repository_def()
    context = dg.build_sensor_context(
        instance=dagster, repository_def=repository, resources={"data": DataFolder(root=str(data))}
    )
    return repository.get_sensor_def("inbox").evaluate_tick(context)


@pytest.mark.slow
def test_dropped_files_are_in_the_warehouse_after_the_run_that_the_sensor_asks_for(data: Path) -> None:
    rows = "SELECT file_name, arrival, start_burst_bias, priceable FROM core.operating_point "
    rows += "WHERE file_name IN ('open.json', 'run.json') ORDER BY file_name"
    with instance(data) as dagster:
        assert tick(dagster, data).run_requests == []
        drop(data / "inbox", "run.json", vllm_run())
        drop(data / "inbox", "open.json", vllm_run(clients=8, request_rate=1.5, max_concurrency=None))
        drop(data / "inbox", "broken.json", b"{")
        (request,) = tick(dagster, data).run_requests
        assert tick(dagster, data).run_requests == []
        job = definitions().resolve_job_def("refresh_benchmark_outputs")
        result = job.execute_in_process(instance=dagster, run_config=request.run_config, tags=request.tags)
        assert result.success
        drop(data / "inbox", "run.json", vllm_run())
        drop(data / "inbox", "open.json", vllm_run(clients=8, request_rate=1.5, max_concurrency=None))
        (again,) = tick(dagster, data).run_requests
    assert again.run_key == request.run_key
    with duckdb.connect(str(data / "releases" / "latest.duckdb"), read_only=True) as connection:
        assert connection.execute(rows).fetchall() == [
            ("open.json", "open_loop", False, False),
            ("run.json", "closed_loop", True, False),
        ]
    assert names(data / "inbox" / "rejected") == ["broken.json", "broken.json.reason.txt"]


def test_sensor_is_on_and_looks_twice_a_minute() -> None:
    sensor = definitions().get_repository_def().get_sensor_def("inbox")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds == 30
