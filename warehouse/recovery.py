"""What a crash or a bad disk leaves behind, and how it is put right. Nothing is deleted that is not half written.

A damaged file moves to `<data folder>/damaged`, as it is. A table comes back from the newest release that opens, which holds
every table as it was published; a release, from the tables, with the next refresh.
"""

import fcntl
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl

from schemas.base import Table, empty, table_name
from schemas.registry import TABLES
from warehouse.store import (
    DamagedTableError,
    conform,
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

    A file that cannot be read is set aside, and the table put back as it was last published.
    """
    try:
        return read_table(tables, schema)
    except DamagedTableError:
        return _put_back(tables, schema)


def scan_good(tables: Path, schema: type[Table]) -> pl.LazyFrame | None:
    """Like `last_good`, but not yet read: damage beyond the file's own index shows only where the frame is collected."""
    try:
        return scan_table(tables, schema)
    except DamagedTableError:
        frame = _put_back(tables, schema)
        return None if frame is None else frame.lazy()


def _put_back(tables: Path, schema: type[Table]) -> pl.DataFrame | None:
    set_aside(tables.parent, table_path(tables, schema))
    frame = published(tables.parent / "releases", schema)
    if frame is not None:
        write_frame(table_path(tables, schema), frame)
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
    """Read every table, and put back those that cannot be read."""
    for schema in TABLES.values():
        last_good(tables, schema)


def published(releases: Path, schema: type[Table]) -> pl.DataFrame | None:
    """A table as in the newest release that opens and has it."""
    for release in releases_by_age(releases):
        try:
            with duckdb.connect(str(release), read_only=True) as connection:
                return conform(connection.sql(f"FROM {table_name(schema)}").pl().lazy(), schema).collect()
        except duckdb.Error:
            continue
    return None


def heal_release(releases: Path) -> None:
    """Where the published file does not open, set it aside and point the link at the newest one that does."""
    latest = releases / LATEST
    if not latest.is_symlink() or opens(latest):
        return
    if latest.exists():
        set_aside(releases.parent, latest.resolve())
    latest.unlink()
    for release in releases_by_age(releases):
        if opens(release):
            point_latest(releases, release)
            return


def opens(release: Path) -> bool:
    """Whether a release can be opened and asked."""
    try:
        with duckdb.connect(str(release.resolve(strict=True)), read_only=True) as connection:
            connection.execute("FROM meta.release")
    except (duckdb.Error, FileNotFoundError):
        return False
    return True


def releases_by_age(releases: Path) -> list[Path]:
    """Published files, the current one first, then the newest."""
    current = (releases / LATEST).resolve()
    return sorted(releases.glob("*Z-*.duckdb"), key=lambda file: (file == current, file.name), reverse=True)


def point_latest(releases: Path, release: Path) -> None:
    """Point `latest.duckdb` at a release in one step."""
    link = releases / f".{release.stem}.link"
    link.unlink(missing_ok=True)
    link.symlink_to(release.name)
    link.replace(releases / LATEST)


def set_aside(root: Path, path: Path) -> None:
    """Move a file to `damaged`, under its path and the time it was last written."""
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    name = ".".join(path.resolve().relative_to(root.resolve()).parts)
    (root / DAMAGED).mkdir(exist_ok=True)
    path.replace(root / DAMAGED / f"{name}.{written:%Y%m%dT%H%M%S%fZ}")


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
