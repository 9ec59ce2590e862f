"""From one number back to the documents it rests on, row by row, as the contracts state where columns come from."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from answers.names import UnknownNameError, unknown
from answers.query import connect
from schemas.base import Table, origins, polars_schema, table_name
from schemas.registry import TABLES

MOST_ROWS = 3
"""Rows of one table that are followed; the number of the others is told."""
PLACES = ("locator", "source_locator", "note")

Row = dict[str, Any]


@dataclass(frozen=True)
class Document:
    """A fetched or shipped document."""

    source: str
    sha256: str
    uri: str
    transport: str
    published_on: str | None
    fetched_on: str


@dataclass(frozen=True)
class Step:
    """A row of a table on the way, the column that was followed, and what it rests on."""

    table: str
    key: Row
    column: str | None
    value: Any
    locator: str | None
    document: Document | None
    behind: tuple["Step", ...]
    left_out: int
    """Rows of the tables before that it rests on as well, and that are not shown."""


def chain(warehouse: Path, place: str, key: str) -> list[Step]:
    """The rows of a table, or of one column (`marts.price_frontier.score`), that a key names, each traced back.

    `key` is one value of the table's key, or `column=value,...`. Raises UnknownNameError, with what comes near, for a table,
    column or key that is not there.
    """
    schema, column = _place(place)
    with connect(warehouse) as connection:
        found = _named(connection, schema, key)
        return [_step(connection, schema, row, column) for row in found[:MOST_ROWS]]


def show_chain(steps: list[Step], *, console: Console) -> None:
    """Each row as a tree: what it says, what that rests on, and the document at the end."""
    for step in steps:
        tree = Tree(_line(step))
        _grow(tree, step)
        console.print(tree, highlight=False)


def _place(place: str) -> tuple[type[Table], str | None]:
    parts = place.split(".")
    named = {table_name(schema): schema for schema in TABLES.values()}
    for size in (2, 1):
        schema = named.get(".".join(parts[:2])) if size == 2 else TABLES.get(parts[0])
        if schema is None or len(parts) > size + 1:
            continue
        column = parts[size] if len(parts) == size + 1 else None
        if column is not None and column not in polars_schema(schema):
            raise _unknown(f"column of {table_name(schema)}", column, polars_schema(schema))
        return schema, column
    raise _unknown("table", ".".join(parts[:2]), named)


def _unknown(kind: str, written: str, known: Iterable[str]) -> UnknownNameError:
    names = list(known)
    return UnknownNameError(unknown(kind, written, get_close_matches(written, names, n=3), names))


def _named(connection: duckdb.DuckDBPyConnection, schema: type[Table], key: str) -> list[Row]:
    columns = list(polars_schema(schema))
    names = [name for name in schema.to_schema().unique or columns if name in columns]
    if "=" in key:
        asked = dict(part.split("=", 1) for part in key.split(","))
        if strange := [name for name in asked if name not in columns]:
            raise _unknown(f"column of {table_name(schema)}", strange[0], columns)
        where = " AND ".join(f'CAST("{name}" AS VARCHAR) = ?' for name in asked)
        values = list(asked.values())
    else:
        where, values = " OR ".join(f'CAST("{name}" AS VARCHAR) = ?' for name in names), [key] * len(names)
    found = _rows(connection, f"SELECT * FROM {table_name(schema)} WHERE {where}", values)
    if not found:
        raise UnknownNameError(f"no row of {table_name(schema)} has {key}; its key is {', '.join(names[:6])}")
    return found


def _step(connection: duckdb.DuckDBPyConnection, schema: type[Table], row: Row, column: str | None) -> Step:
    behind: list[Step] = []
    left_out = 0
    for table in _upstream(schema, column):
        rows, followed = _rows_behind(connection, schema, row, table, column)
        left_out += max(len(rows) - MOST_ROWS, 0)
        behind += [_step(connection, TABLES[table], each, followed) for each in rows[:MOST_ROWS]]
    names = [name for name in schema.to_schema().unique or list(row)[:4] if row.get(name) is not None]
    return Step(
        table=table_name(schema),
        key={name: row[name] for name in names[:6]},
        column=column,
        value=row.get(column) if column else None,
        locator=next((str(row[name]) for name in PLACES if row.get(name)), None),
        document=None if behind else _document(connection, row),
        behind=tuple(behind),
        left_out=left_out,
    )


def _upstream(schema: type[Table], column: str | None) -> list[str]:
    bare = table_name(schema).split(".")[1]
    columns = [column] if column else list(polars_schema(schema))
    return list(dict.fromkeys(table for name in columns for table, _ in origins(schema, name, TABLES) if table != bare))


def _rows_behind(
    connection: duckdb.DuckDBPyConnection, schema: type[Table], row: Row, table: str, column: str | None
) -> tuple[list[Row], str | None]:
    """Rows of a table before that share the key as far as it came from there.

    Of these, those that agree in the other columns that came over, and in the value that is followed, where any do.
    """
    upstream = TABLES[table]
    kinds, keys = polars_schema(upstream), set(upstream.to_schema().unique or ())
    pairs = [
        (name, there) for name in polars_schema(schema) for other, there in origins(schema, name, TABLES) if other == table
    ]
    followed = next((there for name, there in pairs if name == column), None)
    same = [
        (name, there) for name, there in pairs if name == there or name.endswith(f"_{there}")
    ]  # not a count or a list of it
    shared = {there: row[name] for name, there in same if row.get(name) is not None}
    strict = {name for name in keys if kinds[name] in (pl.String, pl.Int64)} | {"source"}
    named = {there: value for there, value in shared.items() if there in strict}
    if not named:
        return [], followed
    where = " AND ".join(f'CAST("{name}" AS VARCHAR) = ?' for name in named)
    found = _rows(connection, f"SELECT * FROM {table_name(upstream)} WHERE {where}", [str(value) for value in named.values()])
    if followed is not None and followed not in keys:
        values = {row[name] for name, there in pairs if there == followed and row.get(name) is not None}
        found = [each for each in found if each[followed] in values] or found
    for name in shared.keys() - named.keys():
        found = [each for each in found if each[name] == shared[name]] or found
    return found, followed


def _document(connection: duckdb.DuckDBPyConnection, row: Row) -> Document | None:
    for condition, value in (("sha256 = ?", row.get("document_sha256")), ("source = ?", row.get("source"))):
        if value is None:
            continue
        found = _rows(
            connection, f"SELECT * FROM meta.snapshot WHERE {condition} ORDER BY last_checked_at DESC LIMIT 1", [value]
        )
        for each in found:
            published = each["published_at"]
            return Document(
                source=each["source"],
                sha256=each["sha256"],
                uri=each["uri"],
                transport=each["transport"],
                published_on=None if published is None else str(published.date()),
                fetched_on=str(each["fetched_at"].date()),
            )
    return None


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, values: list[Any]) -> list[Row]:
    found: list[Row] = connection.sql(sql, params=values).pl().to_dicts()
    return found


def _line(step: Step) -> str:
    key = ", ".join(f"{name} {value}" for name, value in step.key.items())
    said = "" if step.column is None else f" [bold]{step.column} {escape(str(step.value))}[/bold]"
    return f"{step.table}{said} ({escape(key)})"


def _grow(tree: Tree, step: Step) -> None:
    for each in step.behind:
        _grow(tree.add(_line(each)), each)
    if step.left_out:
        tree.add(f"and {step.left_out} more rows")
    if not step.behind and step.locator:
        tree.add(f"at {escape(step.locator)}")
    if step.document:
        document = step.document
        when = f"published {document.published_on}, " if document.published_on else ""
        tree.add(
            f"document {escape(document.source)}: {escape(document.uri)} ({document.transport}), {when}"
            f"fetched {document.fetched_on}, sha256 {document.sha256[:12]}"
        )
