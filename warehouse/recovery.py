"""What a crash or a bad disk leaves behind, and how it is put right. Nothing is deleted that is not half written.

A damaged file moves to `<data folder>/damaged`, as it is. A table comes back from the newest release that opens, which holds
every table as it was published; a release, from the tables, with the next refresh.
"""

import fcntl
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl

from schemas.base import Table, empty, table_name
from schemas.registry import TABLES
from warehouse.locks import writing
from warehouse.repairs import note
from warehouse.store import (
    DamagedTableError,
    OutgrownTableError,
    conform,
    migrated,
    read_rejected,
    read_table,
    rejected_path,
    scan_table,
    table_path,
    write_frame,
)

DAMAGED = "damaged"
LATEST = "latest.duckdb"


def last_good(tables: Path, schema: type[Table]) -> pl.DataFrame | None:
    """The last good version of a table, or None where none was ever written.

    A file that is damaged is set aside, and one that is damaged or missing is put back as it was last published. What no
    longer fits its contract is set aside too, and what of it still does is kept.
    """
    with suppress(DamagedTableError):
        frame = read_table(tables, schema)
        if frame is not None or not releases_by_age(tables.parent / "releases"):
            return frame
    with writing(tables.parent, table_name(schema)):
        return _healed(tables, schema)


def _healed(tables: Path, schema: type[Table]) -> pl.DataFrame | None:
    try:
        frame = read_table(tables, schema)  # again, as another process may have healed it meanwhile
        return _put_back(tables, schema) if frame is None else frame
    except OutgrownTableError:
        return _migrate(tables, schema)
    except DamagedTableError:
        set_aside(tables.parent, table_path(tables, schema))
        return _put_back(tables, schema)


def scan_good(tables: Path, schema: type[Table]) -> pl.LazyFrame | None:
    """Like `last_good`, but not yet read."""
    try:
        scan = scan_table(tables, schema)
    except DamagedTableError:
        scan = None
    if scan is not None:
        return scan
    frame = last_good(tables, schema)
    return None if frame is None else frame.lazy()


def _migrate(tables: Path, schema: type[Table]) -> pl.DataFrame:
    path = table_path(tables, schema)
    frame, before = migrated(path, schema), pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    set_aside(tables.parent, path, why="has types of another version")
    write_frame(path, frame)
    note(tables.parent, f"{table_name(schema)} has the types of this version now: {frame.height:,} of {before:,} rows")
    return frame


def _put_back(tables: Path, schema: type[Table]) -> pl.DataFrame | None:
    """A table as it was last published, where a release has it."""
    frame = published(tables.parent / "releases", schema)
    if frame is not None:
        write_frame(table_path(tables, schema), frame)
        note(tables.parent, f"{table_name(schema)} is put back as it was last published: {frame.height:,} rows")
    return frame


def previous_table(tables: Path, schema: type[Table]) -> pl.DataFrame:
    """The last good version of a table, or a frame with no rows."""
    frame = last_good(tables, schema)
    return empty(schema) if frame is None else frame


def last_rejected(rejected: Path, schema: type[Table]) -> pl.DataFrame | None:
    """Rows that the latest run of a table refused, or None where there are none or the file is damaged and was set aside."""
    try:
        return read_rejected(rejected, schema)
    except DamagedTableError:
        set_aside(rejected.parent, rejected_path(rejected, schema))
        return None


def heal_tables(tables: Path) -> None:
    """Read every table, and put back those that cannot be read or are missing."""
    for schema in TABLES.values():
        last_good(tables, schema)


def restore_missing(tables: Path) -> None:
    """Put back every table that is not there although a release has it: a history that is missing is not a new one."""
    missing = {table_name(schema): schema for schema in TABLES.values() if not os.path.lexists(table_path(tables, schema))}
    for release in releases_by_age(tables.parent / "releases") if missing else []:
        for name in sorted(set(missing) & _tables_of(release)):
            last_good(tables, missing.pop(name))


def _tables_of(release: Path) -> set[str]:
    """Tables of a release, none where it does not open."""
    try:
        with duckdb.connect(str(release), read_only=True) as connection:
            found = connection.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables()").fetchall()
    except duckdb.Error:
        return set()
    return {str(name) for (name,) in found}


def published(releases: Path, schema: type[Table]) -> pl.DataFrame | None:
    """A table as in the newest release that opens, has it, and has it in types that fit its contract."""
    for release in releases_by_age(releases):
        try:
            with duckdb.connect(str(release), read_only=True) as connection:
                return conform(connection.sql(f"FROM {table_name(schema)}").pl().lazy(), schema).collect()
        except (duckdb.Error, pl.exceptions.PolarsError):
            continue
    return None


def heal_release(releases: Path) -> None:
    """Where the published file does not open, set it aside and point the link at the newest one that does."""
    latest = releases / LATEST
    if not os.path.lexists(latest) or opens(latest):
        return
    target = _target(releases)
    if target is not None:
        set_aside(releases.parent, target)
    latest.unlink(missing_ok=True)
    for release in releases_by_age(releases):
        if opens(release):
            point_latest(releases, release)
            return


def opens(release: Path) -> bool:
    """Whether a release can be opened and asked."""
    try:
        with duckdb.connect(str(release.resolve(strict=True)), read_only=True) as connection:
            connection.execute("FROM meta.release")
    except (duckdb.Error, OSError, RuntimeError):  # a link onto itself is RuntimeError in some versions of Python
        return False
    return True


def _target(releases: Path) -> Path | None:
    """The file that the link leads to, None where it leads nowhere, or in a circle."""
    try:
        return (releases / LATEST).resolve(strict=True)
    except (OSError, RuntimeError):
        return None


def releases_by_age(releases: Path) -> list[Path]:
    """Published files, the current one first, then the newest."""
    current = _target(releases)
    return sorted(releases.glob("*Z-*.duckdb"), key=lambda file: (file == current, file.name), reverse=True)


def point_latest(releases: Path, release: Path) -> None:
    """Point `latest.duckdb` at a release in one step."""
    link = releases / f".{release.stem}.link"
    link.unlink(missing_ok=True)
    link.symlink_to(release.name)
    link.replace(releases / LATEST)


def set_aside(root: Path, path: Path, *, why: str = "could not be read") -> None:
    """Move a file to `damaged`, under its path and the time it was last written."""
    written = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    name = ".".join(path.absolute().relative_to(root.absolute()).parts)
    (root / DAMAGED).mkdir(exist_ok=True)
    path.replace(root / DAMAGED / f"{name}.{written:%Y%m%dT%H%M%S%fZ}")
    note(root, f"{name} {why}: it is set aside in {root / DAMAGED}, and made anew")


def damaged_files(root: Path) -> frozenset[str]:
    """Names of the files that were set aside."""
    return frozenset(path.name for path in (root / DAMAGED).glob("*"))


def sweep(root: Path) -> None:
    """Delete what crashes left half written. A file that another process is writing is locked by it, and stays."""
    folders = [root / name for name in ("tables", "rejected", "bronze")]
    unfinished = [path for folder in folders for path in folder.rglob(".*.tmp")]
    for path in [*unfinished, *(root / "releases").glob("*.building*")]:
        if not _is_held(path):
            path.unlink(missing_ok=True)
    for link in (root / "releases").glob(".*.link"):
        link.unlink(missing_ok=True)


def _is_held(path: Path) -> bool:
    """Whether a process holds the file: by flock, as our writers do, or by a record lock, as DuckDB does."""
    try:
        with path.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
