"""A release opens in the oldest DuckDB client that is promised, every table and view of it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

READS = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
listed = "SELECT schema_name || '.' || {} FROM {}() WHERE NOT internal AND schema_name IN ('raw', 'core', 'marts', 'meta')"
names = [name for kind, what in (("table_name", "duckdb_tables"), ("view_name", "duckdb_views"))
         for (name,) in connection.execute(listed.format(kind, what)).fetchall()]
rows = sum(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names)
print(duckdb.__version__, len(names), rows)
"""


@pytest.mark.slow
@pytest.mark.parametrize("client", ["1.4", "1.5"])
def test_every_table_and_view_opens(client: str, refreshed: Path, tmp_path: Path) -> None:
    if (uv := shutil.which("uv")) is None:
        pytest.skip("uv is not at hand, which installs the older client")
    latest = os.path.realpath(refreshed / "releases" / "latest.duckdb")
    command = [uv, "run", "--no-project", "--with", f"duckdb=={client}.*", "python", "-c", READS, latest]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    if "No solution found" in done.stderr or "Failed to fetch" in done.stderr or "client error" in done.stderr:
        pytest.skip("no package registry answers")
    assert done.returncode == 0, done.stderr
    version, tables, rows = done.stdout.split()
    assert version.startswith(client)
    assert int(tables) > 90
    assert int(rows) > 100_000
