"""What there is to ask: every table, view and macro, and of each its columns with unit, meaning and rules."""

import fnmatch
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from rich.console import Console
from rich.markup import escape

from answers.names import UnknownNameError, not_known
from answers.query import connect
from answers.text import PlainConsole, number, say
from schemas.base import Table, meaning, table_name
from schemas.registry import TABLES
from sources.prices.gpu_names import near

ROOMS = {
    "marts": "answers",
    "core": "reconciled, typed, under canonical names",
    "meta": "where everything comes from",
    "raw": "as parsed",
}
"""Layers of the warehouse in the order in which a reader wants them."""
SHORT = 34
SIGNS = {"min_value": ">", "max_value": "<"}


class Named(NamedTuple):
    """A table, view or macro: its full name (a macro's with its parameters), rows of a table, and what it holds."""

    name: str
    kind: str
    rows: int | None
    description: str


class Column(NamedTuple):
    """A column for people. `may_be_null` None: not known, as of a view."""

    name: str
    type: str
    unit: str
    may_be_null: bool | None
    meaning: str
    rules: str


def listed(warehouse: Path, pattern: str | None = None) -> list[Named]:
    """Tables, views and macros whose name or meaning has a pattern (`price`, or `core.gpu*`), by layer, in order of name.

    Raises UnknownNameError where none has.
    """
    with connect(warehouse) as connection:
        rows = connection.execute("SELECT name, kind, rows, coalesce(description, '') FROM meta.tables").fetchall()
    everything = sorted((Named(*row) for row in rows), key=lambda each: (list(ROOMS).index(_layer(each.name)), each.name))
    found = [each for each in everything if pattern is None or _fits(each, pattern.lower())]
    if not found:
        close = near(str(pattern), [_bare(each.name) for each in everything])
        raise UnknownNameError(
            f"nothing has {pattern} in its name or meaning" + (f": did you mean {' or '.join(close)}?" if close else "")
        )
    return found


def show_listed(found: Sequence[Named], *, console: Console) -> None:
    """Print each layer with its tables: name, rows, and the first sentence of what it holds."""
    layer = ""
    for each in found:
        if layer != (layer := _layer(each.name)):
            console.print(f"[bold]{layer}[/bold]: {ROOMS[layer]}", highlight=False)
        size = each.kind if each.rows is None else f"{each.rows:,} rows"
        say(f"[cyan]{escape(each.name)}[/cyan]  [dim]{size}[/dim]", console=console, indent=2)
        say(escape(first_sentence(each.description)), console=console, indent=4, hanging=0)
    say("`iecon describe NAME` has the columns, `iecon tables PATTERN` what has a word in name or meaning", console=console)


def show_described(name: str, *, warehouse: Path | None, console: Console) -> None:
    """Print a table, view or macro with its columns. Its layer may be left out.

    A table's contract is known without a warehouse. Raises UnknownNameError, with what comes near, for any other name.
    """
    bare = name.rpartition(".")[2]
    schema = TABLES.get(bare)
    if schema is not None and name in (bare, table_name(schema)):
        _show(table_name(schema), meaning(schema), _contract(schema), console=console, key=schema.to_schema().unique)
        return
    known = {table_name(each) for each in TABLES.values()}
    if warehouse is not None:
        with connect(warehouse) as connection:
            others = [Named(*row) for row in connection.execute("SELECT * FROM meta.tables").fetchall()]
            for each in others:
                if name in (_bare(each.name), _bare(each.name).rpartition(".")[2]):
                    _show(each.name, each.description or "", _published(connection, each), console=console)
                    return
            known |= {_bare(each.name) for each in others}
    raise not_known("table", name, known, listed_by="iecon tables")


def in_text(name: str, *, warehouse: Path | None) -> str:
    """What `show_described` prints, as a text."""
    text = io.StringIO()
    show_described(name, warehouse=warehouse, console=PlainConsole(file=text, width=120))
    return text.getvalue()


def first_sentence(text: str) -> str:
    """What a text says first, in one line."""
    paragraph = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    end = paragraph.find(". ")
    return paragraph if end < 0 else paragraph[: end + 1]


def _show(name: str, text: str, columns: Sequence[Column], *, console: Console, key: Sequence[str] | str | None = None) -> None:
    console.print(f"[bold]{escape(name)}[/bold]", highlight=False)
    for paragraph in text.split("\n\n"):
        say(escape(" ".join(paragraph.split())), console=console, hanging=0)
    if key:
        say(f"one row per {key if isinstance(key, str) else ', '.join(key)}", console=console)
    for column in columns:
        facts = [column.type, f"in {column.unit}" if column.unit else "", "may be NULL" if column.may_be_null else ""]
        say(f"[cyan]{column.name}[/cyan]  [dim]{escape(', '.join(fact for fact in facts if fact))}[/dim]", console=console)
        if told := ". ".join(part for part in (column.meaning, column.rules) if part):
            say(escape(told), console=console, indent=4, hanging=0)


def _contract(schema: type[Table]) -> list[Column]:
    found = []
    for name, spec in schema.to_schema().columns.items():
        unit = (spec.metadata or {}).get("unit") or ""
        rules = "; ".join(_rule(check) for check in spec.checks if check.name != "is_finite")
        found.append(Column(name, str(spec.dtype.type), unit, spec.nullable, spec.description or "", rules))
    return found


def _rule(check: Any) -> str:
    """One rule of a column in words."""
    stated = check.statistics or {}
    if check.name == "isin":
        return f"one of, and sorted as: {', '.join(map(str, stated['allowed_values']))}"
    equal = "=" if "or_equal" in str(check.name) else ""
    told = [f"{sign}{equal} {number(stated[bound])}" for bound, sign in SIGNS.items() if bound in stated]
    return " and ".join(told) or str(check.error or check.name)


def _published(connection: duckdb.DuckDBPyConnection, each: Named) -> list[Column]:
    """Columns of what the file itself tells; those of a macro, where it can be asked without values."""
    if each.kind == "macro":
        parameters = each.name.partition("(")[2].rstrip(")").split(", ")
        try:
            rows = connection.execute(f"DESCRIBE FROM {_bare(each.name)}({', '.join('NULL' for _ in parameters)})").fetchall()
        except duckdb.Error:
            return []
        return [Column(row[0], _short(row[1]), "", None, "", "") for row in rows]
    rows = connection.execute(
        "SELECT column_name, data_type, unit, description FROM meta.columns WHERE table_name = ? ORDER BY position",
        [each.name],
    ).fetchall()
    return [Column(name, _short(kind), unit or "", None, text or "", "") for name, kind, unit, text in rows]


def _short(kind: str) -> str:
    return kind if len(kind) <= SHORT else kind.partition("(")[0]


def _layer(name: str) -> str:
    return name.partition(".")[0]


def _bare(name: str) -> str:
    return name.partition("(")[0]


def _fits(each: Named, pattern: str) -> bool:
    if any(sign in pattern for sign in "*?["):
        return fnmatch.fnmatch(_bare(each.name), pattern) or fnmatch.fnmatch(_bare(each.name).rpartition(".")[2], pattern)
    return pattern in each.name or pattern in each.description.lower()
