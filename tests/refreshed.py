"""A data folder after one real refresh without network, shared by the tests that only read it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[1]


def iecon(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the `iecon` command over a data folder, as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        cwd=ROOT,
        env=os.environ | {"ECONOMICS_DATA": str(folder), "COLUMNS": "200"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def built_at(folder: Path) -> datetime:
    """When the published file was built, by the clock of its run. Tables name the day, so what is compared with them is built
    at the same time, even where midnight has passed since."""
    with duckdb.connect(str(folder / "releases" / "latest.duckdb"), read_only=True) as connection:
        return connection.sql("SELECT built_at FROM meta.release").fetchall()[0][0].astimezone(UTC)


@pytest.fixture(scope="session")
def refreshed(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The data folder, one for all workers; do not write into it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "refreshed"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            done = iecon(folder, "refresh", "--offline")
            assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def warehouse(refreshed: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file of that refresh, opened as a user's shell does."""
    with duckdb.connect(str(refreshed / "releases" / "latest.duckdb"), read_only=True) as connection:
        yield connection
