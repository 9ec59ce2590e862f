"""What tests of the test-time marts share: the shipped documents as snapshots, and one row of the warehouse."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sources.source import Seed, Snapshot, content_hash
from sources.test_time.figures import SOURCES, SURFACE

TABLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "test_time" / "paper_tables"
needs_shared = pytest.mark.skipif(not TABLES.exists(), reason="reference data is not beside this checkout")

Warehouse = duckdb.DuckDBPyConnection


def one(warehouse: Warehouse, query: str) -> tuple[Any, ...]:
    """The only row of a query."""
    (row,) = warehouse.execute(query).fetchall()
    return tuple(row)


def seed(name: str) -> Snapshot:
    """The shipped file of one document of test-time figures."""
    (source,) = [source for source in [*SOURCES, SURFACE] if source.name == f"test_time_{name}"]
    floor = source.floor[0]
    assert isinstance(floor, Seed)
    body = floor.path.read_bytes()
    return Snapshot(source.name, body, content_hash(body), "seed", "file", datetime(2026, 1, 1, tzinfo=UTC))
