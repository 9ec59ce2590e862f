"""Where tables live on disk: one Parquet file per table, replaced in one step so that a crash leaves the old one."""

import fcntl
import os
import uuid
from pathlib import Path

import polars as pl

from schemas.base import Table, polars_schema, table_name


class DamagedTableError(Exception):
    """A table's file is there but cannot be read."""


def table_path(folder: Path, schema: type[Table]) -> Path:
    """Parquet file of a table: `core.llm_price` is `<folder>/core/llm_price.parquet`."""
    layer, name = table_name(schema).split(".")
    return folder / layer / f"{name}.parquet"


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Replace a Parquet file in one step, folders and all.

    The unfinished file is locked while it is written, so that one without a lock is known to be left over from a crash.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.{uuid.uuid4().hex}.tmp")
    try:
        with unfinished.open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            frame.write_parquet(file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def scan_table(folder: Path, schema: type[Table]) -> pl.LazyFrame | None:
    """The last good version of a table, not yet read, or None where none was written yet.

    A column that the contract gained since then is NULL; one that it lost is left out. Raises DamagedTableError for a file
    that is no Parquet or only half of it.
    """
    path = table_path(folder, schema)
    if not path.exists():
        return None
    try:
        return conform(pl.scan_parquet(path), schema)
    except pl.exceptions.ComputeError as error:
        raise _damaged(path, error) from error


def conform(stored: pl.LazyFrame, schema: type[Table]) -> pl.LazyFrame:
    """A stored table with the columns of its contract as it is now."""
    names = stored.collect_schema()
    return stored.select(
        (pl.col(name).cast(dtype) if name in names else pl.lit(None, dtype).alias(name))
        for name, dtype in polars_schema(schema).items()
    )


def read_table(folder: Path, schema: type[Table]) -> pl.DataFrame | None:
    """The last good version of a table, or None where none was written yet; see `scan_table`."""
    frame = scan_table(folder, schema)
    try:
        return None if frame is None else frame.collect()
    except pl.exceptions.ComputeError as error:
        raise _damaged(table_path(folder, schema), error) from error


def rejected_path(folder: Path, schema: type[Table]) -> Path:
    """Parquet file of the rows that the latest run of a table refused."""
    return folder / f"{table_name(schema)}.parquet"


def write_rejected(folder: Path, schema: type[Table], rejected: pl.DataFrame) -> None:
    """Replace the rows that a table refused; no file where it refused none."""
    if rejected.is_empty():
        rejected_path(folder, schema).unlink(missing_ok=True)
    else:
        write_frame(rejected_path(folder, schema), rejected)


def read_rejected(folder: Path, schema: type[Table]) -> pl.DataFrame | None:
    """Rows that the latest run of a table refused, or None where it refused none. Raises DamagedTableError."""
    path = rejected_path(folder, schema)
    try:
        return pl.read_parquet(path) if path.exists() else None
    except pl.exceptions.ComputeError as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DamagedTableError:
    return DamagedTableError(f"{path} cannot be read ({' '.join(str(error).split())[:200]})")
