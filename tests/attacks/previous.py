"""A data folder as an earlier version left it: made from a folder of today by taking back what has changed since.

It is a script and no stored folder, so that it stays small and says what the versions differ in.
"""

import shutil
from pathlib import Path

import polars as pl

from schemas.prices.llm_prices import LlmPrice, LlmPriceCurrent
from warehouse.repairs import REPAIRS
from warehouse.store import CHECKED, table_path

RENAMED = {LlmPrice: {"price_window": "window"}, LlmPriceCurrent: {"price_window": "window"}}
"""Columns by the name that they have now and the one that they had on 26 November 2026."""


def make_previous(today: Path, folder: Path) -> Path:
    """Copy a data folder of today to what the version of 26 November 2026 would have left. Returns the copy.

    No file carries a checksum, no folder says that all do, there are no locks and no repairs; columns have their old names.
    """
    shutil.copytree(today, folder, symlinks=True)
    for name in (REPAIRS, f"tables/{CHECKED}"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "locks", ignore_errors=True)
    for file in [*(folder / "tables").rglob("*.parquet"), *(folder / "rejected").glob("*.parquet")]:
        pl.read_parquet(file, glob=False).write_parquet(file, compression="zstd")
    for schema, names in RENAMED.items():
        file = table_path(folder / "tables", schema)
        pl.read_parquet(file, glob=False).rename(names).write_parquet(file, compression="zstd")
    return folder
