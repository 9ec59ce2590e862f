"""One DuckDB file per refresh, published in one step, that any number of readers may hold open.

The file is built beside the others under its own name and the link `latest.duckdb` is then pointed at it. A reader that is
open keeps its old, complete release and blocks nobody. A rename over one fixed name would not do: a `.wal` file that a user's
writing connection left behind would make every later open fail.
"""

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from schemas.base import Table, meaning, polars_schema, table_name
from schemas.registry import TABLES
from warehouse.locks import writing
from warehouse.recovery import LATEST, heal_tables, point_latest
from warehouse.store import DamagedTableError, check_bytes, conform, table_path

STORAGE_VERSION = "v1.4.0"
"""The oldest client that can read a release."""
LAYERS = ("raw", "core", "marts", "meta")
VIEWS = Path(__file__).parent / "views"


def publish(*, tables: Path, releases: Path, run_id: str, at: datetime, keep: int) -> Path:
    """Build a release from the tables' Parquet files and point `latest.duckdb` at it.

    Tables that were never built are left out; one that cannot be read is set aside and put back as last published. Keeps the
    newest `keep` releases and deletes older ones; a reader that still has one open keeps reading it. Returns the file of the
    release.
    """
    releases.mkdir(parents=True, exist_ok=True)
    release = releases / f"{at:%Y%m%dT%H%M%SZ}-{run_id[:8]}.duckdb"
    unfinished = release.with_suffix(".building")
    with writing(releases.parent, "publish"):  # or the slower of two would publish what the other has replaced
        unfinished.unlink(missing_ok=True)
        try:
            try:
                _build(unfinished, tables, built_at=at, run_id=run_id)
            except (duckdb.Error, DamagedTableError):
                unfinished.unlink(missing_ok=True)
                heal_tables(tables)
                _build(unfinished, tables, built_at=at, run_id=run_id)
            unfinished.replace(release)
        finally:
            unfinished.unlink(missing_ok=True)
            unfinished.with_suffix(".building.wal").unlink(missing_ok=True)
        point_latest(releases, release)
        _prune(releases, keep=keep, now=at)
    return release


def _build(path: Path, tables: Path, *, built_at: datetime, run_id: str) -> None:
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET enable_progress_bar = false")  # it would be drawn into the table that a refresh prints
        # Tables are small: a second thread would cost a quarter more and hold more memory.
        connection.execute("SET threads = 1")
        connection.execute("PRAGMA disable_optimizer")  # two thousand statements with nothing in them to improve
        # Nothing is journalled, and no commit waits for the disk: nobody sees the file before it is whole.
        how = f"STORAGE_VERSION '{STORAGE_VERSION}', RECOVERY_MODE NO_WAL_WRITES"
        connection.execute(f"ATTACH '{_quoted(path)}' AS release ({how})")
        connection.execute("USE release")
        for layer in LAYERS:
            connection.execute(f"CREATE SCHEMA {layer}")
        for schema in TABLES.values():
            file = table_path(tables, schema)
            if os.path.lexists(file):
                check_bytes(file, tables=tables)
                _load(connection, schema, file)
        for view in sorted(VIEWS.glob("*.sql")):
            _create_view(connection, view)
        _comment_columns_of_views(connection)
        _load_dictionary(connection, built_at=built_at, run_id=run_id)
        connection.execute("USE memory")
        connection.execute("DETACH release")


def _load(connection: duckdb.DuckDBPyConnection, schema: type[Table], file: Path) -> None:
    """Copy one table in one commit. One that lacks columns of its contract, written by another version, gets them as NULL."""
    connection.begin()
    try:
        connection.execute(_definition(schema, f"read_parquet('{_quoted(file)}')"))
    except duckdb.BinderException:
        connection.rollback()
        connection.register("older", conform(pl.scan_parquet(file), schema).collect())
        connection.begin()
        connection.execute(_definition(schema, "older"))
    connection.commit()


def _definition(schema: type[Table], stored: str) -> str:
    """The statements that make a table from `stored`, with its types and comments, as one text: each call costs by itself."""
    name = table_name(schema)
    listed = enumerations(schema)
    types = [
        f"CREATE TYPE {name}_{column} AS ENUM ({', '.join(_literal(value) for value in values)})"
        for column, values in listed.items()
    ]
    columns = [
        f'"{column}"::{name}_{column} AS "{column}"' if column in listed else f'"{column}"' for column in polars_schema(schema)
    ]
    comments = [
        f'COMMENT ON COLUMN {name}."{column}" IS {_literal(_comment(spec))}'
        for column, spec in schema.to_schema().columns.items()
    ]
    return ";".join(
        [
            *types,
            f"CREATE TABLE {name} AS SELECT {', '.join(columns)} FROM {stored}",
            f"COMMENT ON TABLE {name} IS {_literal(meaning(schema))}",
            *comments,
        ]
    )


def _comment(spec: Any) -> str:
    """Meaning of a column with its unit in brackets, from its pandera column."""
    unit = (spec.metadata or {}).get("unit")
    return f"{spec.description} [{unit}]" if unit else spec.description or ""


def enumerations(schema: type[Table]) -> dict[str, list[str]]:
    """Columns of a contract that take one of a stated list of words, with the list."""
    found = {}
    for name, spec in schema.to_schema().columns.items():
        for check in spec.checks:
            if check.name == "isin" and spec.dtype.type == pl.String:
                found[name] = [str(value) for value in check.statistics["allowed_values"]]
    return found


DICTIONARY = """
CREATE TABLE meta.release (built_at TIMESTAMPTZ, run_id VARCHAR, duckdb_version VARCHAR);
COMMENT ON TABLE meta.release IS 'When and by which run this file was built.';
COMMENT ON COLUMN meta.release.built_at IS 'when the file was built';
COMMENT ON COLUMN meta.release.run_id IS 'run that built it, key of meta.refresh';
COMMENT ON COLUMN meta.release.duckdb_version IS 'version of DuckDB that wrote it';
CREATE TABLE meta.tables (name VARCHAR, kind VARCHAR, rows BIGINT, description VARCHAR);
COMMENT ON TABLE meta.tables IS 'Every table, view and macro with its rows and what it holds.';
COMMENT ON COLUMN meta.tables.name IS 'full name; of a macro with its parameters';
COMMENT ON COLUMN meta.tables.kind IS 'table, view or macro';
COMMENT ON COLUMN meta.tables.rows IS 'rows of a table; NULL for views and macros [rows]';
COMMENT ON COLUMN meta.tables.description IS 'what it holds, and what to know before using it';
CREATE TABLE meta.columns (
    table_name VARCHAR, column_name VARCHAR, position INTEGER, data_type VARCHAR, may_be_null BOOLEAN, unit VARCHAR,
    description VARCHAR
);
COMMENT ON TABLE meta.columns IS
'Every column with its type, unit and meaning. An ENUM sorts as its type lists the words, not by the alphabet.';
COMMENT ON COLUMN meta.columns.table_name IS 'table or view, key of meta.tables';
COMMENT ON COLUMN meta.columns.column_name IS 'column';
COMMENT ON COLUMN meta.columns.position IS 'its place in the table, from 1';
COMMENT ON COLUMN meta.columns.data_type IS 'type in DuckDB; an ENUM sorts as its words are listed here';
COMMENT ON COLUMN meta.columns.may_be_null IS 'the type allows NULL, which means unknown, never zero';
COMMENT ON COLUMN meta.columns.unit IS 'unit; NULL for what has none';
COMMENT ON COLUMN meta.columns.description IS 'meaning, with the unit in brackets';
INSERT INTO meta.tables
SELECT schema_name || '.' || table_name AS name, 'table' AS kind, estimated_size AS rows, comment AS description
FROM duckdb_tables() WHERE database_name = 'release'
UNION ALL
SELECT schema_name || '.' || view_name, 'view', NULL, comment
FROM duckdb_views() WHERE database_name = 'release' AND NOT internal
UNION ALL
SELECT schema_name || '.' || function_name || '(' || array_to_string(parameters, ', ') || ')', 'macro', NULL, comment
FROM duckdb_functions() WHERE database_name = 'release' AND NOT internal
ORDER BY ALL;
INSERT INTO meta.columns
SELECT schema_name || '.' || table_name AS table_name, column_name, column_index AS position,
       data_type, is_nullable AS may_be_null,
       nullif(regexp_extract(comment, '\\[([a-z0-9_ /]+)\\]$', 1), '') AS unit, comment AS description
FROM duckdb_columns() WHERE database_name = 'release' AND NOT internal ORDER BY table_name, position;
"""
"""`meta.release`, `meta.tables` and `meta.columns`: the contracts themselves, to be queried in SQL."""


def _load_dictionary(connection: duckdb.DuckDBPyConnection, *, built_at: datetime, run_id: str) -> None:
    connection.execute(DICTIONARY)
    connection.execute("INSERT INTO meta.release VALUES (?, ?, ?)", [built_at, run_id, duckdb.__version__])


def _comment_columns_of_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Say of each column of a view what it means: where its file does not, in the words of the table it comes from."""
    columns = connection.execute(
        "SELECT schema_name || '.' || table_name, column_name, comment FROM duckdb_columns() "
        "WHERE database_name = 'release' AND NOT internal"
    ).fetchall()
    known = {(table, column): comment for table, column, comment in columns if comment}
    for view, definition in connection.execute(
        "SELECT schema_name || '.' || view_name, sql FROM duckdb_views() WHERE database_name = 'release' AND NOT internal"
    ).fetchall():
        tables = dict.fromkeys(re.findall(rf"\b(?:{'|'.join(LAYERS)})\.\w+", definition))
        for column in [column for table, column, comment in columns if table == view and not comment]:
            found = next((known[table, column] for table in tables if (table, column) in known), None)
            if found:
                connection.execute(f'COMMENT ON COLUMN {view}."{column}" IS {_literal(found)}')


def _create_view(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Run one file of `views/`: the DDL and comments of a view or macro. One is left out whose tables no refresh has built."""
    connection.begin()
    try:
        connection.execute(file.read_text())
        connection.commit()
    except (duckdb.CatalogException, duckdb.BinderException):
        connection.rollback()


def _prune(releases: Path, *, keep: int, now: datetime) -> None:
    """Delete all but the newest releases and the current one, which a clock that jumped back makes look old.

    Releases of days to come are of a clock that ran ahead: they are the first to go, or they would stay for ever.
    """
    current = (releases / LATEST).resolve()
    stamp = f"{now:%Y%m%dT%H%M%SZ}~"  # after every name of this moment
    by_age = sorted(releases.glob("*Z-*.duckdb"), key=lambda file: (file.name <= stamp, file.name), reverse=True)
    for old in by_age[keep:]:
        if old != current:
            old.unlink(missing_ok=True)


def _literal(text: str) -> str:
    return f"'{_quoted(text)}'"


def _quoted(text: object) -> str:
    return str(text).replace("'", "''")
