"""Where tables live on disk: one Parquet file per table, replaced in one step so that a crash leaves the old one."""

import os
import uuid
from pathlib import Path

import polars as pl

from schemas.base import Table, empty, polars_schema, table_name


def table_path(folder: Path, schema: type[Table]) -> Path:
    """Parquet file of a table: `core.llm_price` is `<folder>/core/llm_price.parquet`."""
    layer, name = table_name(schema).split(".")
    return folder / layer / f"{name}.parquet"


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Replace a Parquet file in one step, folders and all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.{uuid.uuid4().hex}.tmp")
    try:
        with unfinished.open("wb") as file:
            frame.write_parquet(file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def scan_table(folder: Path, schema: type[Table]) -> pl.LazyFrame | None:
    """The last good version of a table, not yet read, or None where none was written yet.

    A column that the contract gained since then is NULL; one that it lost is left out.
    """
    path = table_path(folder, schema)
    if not path.exists():
        return None
    frame = pl.scan_parquet(path)
    stored = frame.collect_schema()
    return frame.select(
        (pl.col(name).cast(dtype) if name in stored else pl.lit(None, dtype).alias(name))
        for name, dtype in polars_schema(schema).items()
    )


def read_table(folder: Path, schema: type[Table]) -> pl.DataFrame | None:
    """The last good version of a table, or None where none was written yet; see `scan_table`."""
    frame = scan_table(folder, schema)
    return None if frame is None else frame.collect()


def previous_table(folder: Path, schema: type[Table]) -> pl.DataFrame:
    """The last good version of a table, or a frame with no rows."""
    frame = read_table(folder, schema)
    return empty(schema) if frame is None else frame


def rejected_path(folder: Path, schema: type[Table]) -> Path:
    """Parquet file of the rows that the latest run of a table refused."""
    return folder / f"{table_name(schema)}.parquet"


def read_rejected(folder: Path, schema: type[Table]) -> pl.DataFrame | None:
    """Rows that the latest run of a table refused, or None where it never ran."""
    path = rejected_path(folder, schema)
    return pl.read_parquet(path) if path.exists() else None
