"""Dagster's records in a real PostgreSQL server, by `dagster.yaml` alone."""

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.resources import DAGSTER_YAML, instance
from tests.refreshed import iecon

pytestmark = pytest.mark.slow

STORAGE = """\
storage:
  postgres:
    postgres_db:
      scheme: postgresql+psycopg2
      username: iecon
      password:
        env: ECONOMICS_PG_PASSWORD
      hostname: 127.0.0.1
      db_name: postgres
      port: {port}
"""
PASSWORD = "only-of-this-test"


def binary(name: str) -> str | None:
    """A program of PostgreSQL; Debian keeps the server's own off the PATH."""
    packaged = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(packaged[-1]) if packaged else None)


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server of its own in a temporary folder; yields its port. It refuses to run as root, so root hands it to `nobody`."""
    pytest.importorskip("dagster_postgres", reason="the extra `postgres` is not installed")
    initdb, control = binary("initdb"), binary("pg_ctl")
    if initdb is None or control is None:
        pytest.skip("PostgreSQL's server is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(f"/tmp/iecon-postgres-{os.getpid()}")  # short, and open to another user, as pytest's own folders are not
    folder.mkdir(mode=0o700)
    cluster, secret = folder / "cluster", folder / "password"
    secret.write_text(PASSWORD)
    as_user: list[str] = []
    if getpass.getuser() == "root":
        as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        shutil.chown(folder, "nobody")
        shutil.chown(secret, "nobody")

    def run(*command: str) -> None:
        done = subprocess.run([*as_user, *command], cwd="/", capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        run(initdb, "-D", str(cluster), "-U", "iecon", "-A", "scram-sha-256", "--pwfile", str(secret), "-N")
        options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
        run(control, "-D", str(cluster), "-l", str(folder / "log"), "-w", "-o", options, "start")
        try:
            yield port
        finally:
            run(control, "-D", str(cluster), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def test_a_refresh_from_the_command_line_is_recorded_in_postgres(
    refreshed: Path, tmp_path: Path, postgres: int, monkeypatch: pytest.MonkeyPatch
):
    folder = Path(shutil.copytree(refreshed, tmp_path / "data", symlinks=True))
    shutil.rmtree(folder / "dagster")
    (folder / "dagster").mkdir()
    (folder / "dagster" / "dagster.yaml").write_text(DAGSTER_YAML + STORAGE.format(port=postgres))
    monkeypatch.setenv("ECONOMICS_PG_PASSWORD", PASSWORD)
    done = iecon(folder, "refresh", "--offline", "--only", "capability")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list((folder / "dagster").rglob("*.db"))
    with instance(folder) as dagster:
        assert type(dagster.event_log_storage).__name__ == "PostgresEventLogStorage"
        (run,) = dagster.get_runs()
        assert run.is_success
        assert run.job_name == "refresh_capability"
        events = dagster.all_logs(run.run_id)
    import psycopg2

    with psycopg2.connect(host="127.0.0.1", port=postgres, user="iecon", password=PASSWORD, dbname="postgres") as asked:
        cursor = asked.cursor()
        cursor.execute("SELECT count(*) FROM event_logs WHERE run_id = %s", [run.run_id])
        assert cursor.fetchone() == (len(events),)
    asked.close()
