"""The worked example queries run on a first, offline warehouse, and each says what it answers."""

from pathlib import Path

import duckdb
import pytest

QUERIES = sorted((Path(__file__).resolve().parents[2] / "warehouse" / "queries").glob("*.sql"))
MAY_BE_EMPTY = {"12_announced_changes"}
"""Depends on the day: today there may be nothing announced."""


@pytest.mark.parametrize("file", QUERIES, ids=lambda file: file.stem)
def test_example_query_answers(file: Path, warehouse: duckdb.DuckDBPyConnection):
    text = file.read_text()
    assert text.startswith("-- ")
    assert text.splitlines()[0].endswith((".", "?"))
    rows = warehouse.execute(text).fetchall()
    assert rows or file.stem in MAY_BE_EMPTY


def test_there_are_at_least_fifteen():
    assert len(QUERIES) >= 15


def test_every_view_was_made_and_has_a_comment(warehouse: duckdb.DuckDBPyConnection):
    files = (Path(__file__).resolve().parents[2] / "warehouse" / "views").glob("*.sql")
    views = dict(
        warehouse.execute("SELECT schema_name || '.' || view_name, comment FROM duckdb_views() WHERE NOT internal").fetchall()
    )
    macros = dict(
        warehouse.execute(
            "SELECT schema_name || '.' || function_name, comment FROM duckdb_functions() WHERE NOT internal"
        ).fetchall()
    )
    for file in files:
        assert (views | macros)[file.stem], file.stem


def test_every_table_and_column_has_a_comment(warehouse: duckdb.DuckDBPyConnection):
    bare = warehouse.execute("SELECT table_name FROM duckdb_tables() WHERE comment IS NULL AND NOT internal").fetchall()
    assert bare == []
    bare = warehouse.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE comment IS NULL AND NOT internal"
    ).fetchall()
    assert bare == []
    undescribed = warehouse.execute("SELECT table_name, column_name FROM meta.columns WHERE description IS NULL").fetchall()
    assert undescribed == []
