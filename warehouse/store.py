"""Where tables live on disk: one Parquet file per table, replaced in one step so that a crash leaves the old one."""

import fcntl
import os
import uuid
from pathlib import Path

import polars as pl

from schemas.base import Table, polars_schema, table_name
from warehouse import checksum

CHECKED = ".checked"
"""File in the folder of tables which says that every table there carries a checksum, so that one without is damaged."""
UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, UnicodeDecodeError)
"""What polars raises for a file that carries no checksum yet and is damaged."""


class DamagedTableError(Exception):
    """A table's file is there but cannot be read, or is not what was written."""


class OutgrownTableError(DamagedTableError):
    """A table's file is whole, but holds values that the types of its contract can no longer hold."""


def table_path(folder: Path, schema: type[Table]) -> Path:
    """Parquet file of a table: `core.llm_price` is `<folder>/core/llm_price.parquet`."""
    layer, name = table_name(schema).split(".")
    return folder / layer / f"{name}.parquet"


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Replace a Parquet file in one step, folders and all, its checksum with it.

    The unfinished file is locked while it is written, so that one without a lock is known to be left over from a crash.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.{uuid.uuid4().hex}.tmp")
    try:
        with unfinished.open("wb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            frame.write_parquet(file, compression="zstd", metadata=checksum.metadata(path))
            checksum.fill_in(file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def scan_table(folder: Path, schema: type[Table]) -> pl.LazyFrame | None:
    """The last good version of a table, its bytes checked but not yet read, or None where none was written yet.

    A column that the contract gained since then is NULL; one that it lost is left out. Raises DamagedTableError for a file
    that is not what was written, and OutgrownTableError where a column no longer fits its type.
    """
    path = table_path(folder, schema)
    if not os.path.lexists(path):
        return None
    check_bytes(path, tables=folder)
    try:
        stored = pl.scan_parquet(path, glob=False)
        kept, now = stored.collect_schema(), polars_schema(schema)
    except UNREADABLE as error:
        raise _damaged(path, error) from error
    if all(kept[name] == dtype for name, dtype in now.items() if name in kept):
        return conform(stored, schema)
    try:
        return conform(stored, schema).collect().lazy()
    except UNREADABLE as error:
        raise OutgrownTableError(f"{path} no longer fits its contract ({_line(error)})") from error


def check_bytes(path: Path, *, tables: Path) -> None:
    """Hold the bytes of a file against its checksum. Raises DamagedTableError.

    Files of a version that wrote no checksums pass until all of the folder have one; see `CHECKED`.
    """
    try:
        if not path.is_file():
            raise DamagedTableError(f"{path} is no file")
        if (tables / CHECKED).exists() or checksum.is_stated(path):
            fault = checksum.fault(path)
            if fault:
                raise DamagedTableError(f"{path}: {fault}")
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, PermissionError):
            raise
        raise _damaged(path, error) from error


def conform(stored: pl.LazyFrame, schema: type[Table]) -> pl.LazyFrame:
    """A stored table with the columns of its contract as it is now: one that was renamed keeps what it held.

    A value that does not fit is an error when it is read.
    """
    names = stored.collect_schema()
    columns = schema.to_schema().columns
    was = {name: name if name in names else (columns[name].metadata or {}).get("formerly") for name in columns}
    return stored.select(
        (pl.col(was[name] or name).cast(dtype).alias(name) if was[name] in names else pl.lit(None, dtype).alias(name))
        for name, dtype in polars_schema(schema).items()
    )


def migrated(path: Path, schema: type[Table]) -> pl.DataFrame:
    """A whole table of an older version with the types of its contract: rows that lose a required value are left out."""
    stored = pl.read_parquet(path, glob=False)
    columns = []
    for name, dtype in polars_schema(schema).items():
        try:
            columns.append(stored.select(pl.col(name).cast(dtype, strict=False)).to_series())
        except pl.exceptions.PolarsError:
            columns.append(pl.Series(name, [None] * stored.height, dtype))
    required = [name for name, spec in schema.to_schema().columns.items() if not spec.nullable]
    return pl.DataFrame(columns).drop_nulls(required)


def read_table(folder: Path, schema: type[Table]) -> pl.DataFrame | None:
    """The last good version of a table, or None where none was written yet; see `scan_table`."""
    frame = scan_table(folder, schema)
    try:
        return None if frame is None else frame.collect()
    except UNREADABLE as error:
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
    if not os.path.lexists(path):
        return None
    check_bytes(path, tables=folder.parent / "tables")
    try:
        return pl.read_parquet(path, glob=False)
    except UNREADABLE as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException) -> DamagedTableError:
    return DamagedTableError(f"{path} cannot be read ({_line(error)})")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
