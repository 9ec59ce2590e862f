"""A data folder as an earlier version left it: made from a folder of today by taking back what has changed since.

It is a script and no stored folder, so that it stays small and says what the versions differ in.
"""

import shutil
from pathlib import Path

import duckdb
import polars as pl

from schemas.prices.llm_prices import LlmPrice, LlmPriceCurrent
from warehouse.repairs import REPAIRS
from warehouse.store import CHECKED, table_path

RENAMED = {LlmPrice: {"price_window": "window"}, LlmPriceCurrent: {"price_window": "window"}}
"""Columns by the name that they have now and the one that they had on 26 November 2026."""


def make_previous(today: Path, folder: Path) -> Path:
    """Copy a data folder of today to what the version of 26 November 2026 would have left. Returns the copy.

    No file carries a checksum, no folder says that all do, there are neither locks nor repairs, and columns have their old names,
    in the tables and in the published file.
    """
    shutil.copytree(today, folder, symlinks=True)
    for name in (REPAIRS, f"tables/{CHECKED}"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "locks", ignore_errors=True)
    for file in [*(folder / "tables").rglob("*.parquet"), *(folder / "rejected").glob("*.parquet")]:
        pl.read_parquet(file, glob=False).write_parquet(file, compression="zstd")
    with duckdb.connect(str((folder / "releases" / "latest.duckdb").resolve())) as connection:
        for (view,) in connection.execute(
            "SELECT schema_name || '.' || view_name FROM duckdb_views() WHERE NOT internal AND database_name = current_database()"
        ).fetchall():
            connection.execute(f"DROP VIEW IF EXISTS {view} CASCADE")
        for schema, names in RENAMED.items():
            file = table_path(folder / "tables", schema)
            pl.read_parquet(file, glob=False).rename(names).write_parquet(file, compression="zstd")
            for now, before in names.items():
                connection.execute(f'ALTER TABLE {schema.Config.name} RENAME COLUMN {now} TO "{before}"')  # type: ignore[attr-defined]
    return folder
