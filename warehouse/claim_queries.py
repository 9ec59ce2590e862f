"""What comes out today for each claim: one SQL file per claim, which reads tables of the warehouse and returns one row.

`claims/<claim_id>.sql` returns `value`, and where they exist `low` and `high`, the ends of its interval, and `n`. What else it
returns are numbers for the claim's note, by name. The tables a query names are its inputs: they are read from the query itself,
so that nobody has to list them.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import polars as pl

from schemas.base import table_name
from schemas.registry import TABLES
from warehouse.store import table_path

QUERIES = {file.stem: file.read_text() for file in sorted((Path(__file__).parent / "claims").glob("*.sql"))}
"""The recomputation of each claim that has one, by claim."""

_JSON = msgspec.json.Encoder(decimal_format="number")
_ANSWER = {"value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "n": pl.Int64}


def tables_read(queries: Mapping[str, str] = QUERIES) -> dict[str, list[str]]:
    """Tables each query reads, such as marts.price_frontier, in order.

    Raises ValueError naming the claim for SQL that cannot be parsed and for a table that has no contract.
    """
    known = {table_name(schema) for schema in TABLES.values()}
    trees = zip(queries, _parsed(tuple(queries.values())), strict=True)
    found: dict[str, list[str]] = {}
    for claim, tree in trees:
        if tree["error"]:
            raise ValueError(f"claim {claim}: {tree['error_message']}")
        names = found[claim] = sorted(set(_tables_in(tree)))
        if unknown := set(names) - known:
            raise ValueError(f"claim {claim} reads {', '.join(sorted(unknown))}, which is no table")
    return found


def answers(tables: Path, queries: Mapping[str, str] = QUERIES) -> pl.DataFrame:
    """What each claim's query returns over a folder of tables: claim_id, value, low, high, n, facts, inputs, recomputation.

    `facts` is the whole row as JSON, for the note. A query without a row, or with a NULL, gives a NULL value. Raises ValueError
    naming the claim for a query that fails or returns several rows or no value, and FileNotFoundError for
    a table that was never built.
    """
    inputs = tables_read(queries)
    rows = []
    # Small queries, of which many read the same file: threads and footers read anew would take half of the time.
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET parquet_metadata_cache = true")
        for name in sorted({name for names in inputs.values() for name in names}):
            layer, bare = name.split(".")
            file = table_path(tables, TABLES[bare])
            if not file.exists():
                raise FileNotFoundError(f"{name} has not been built yet: run `iecon refresh` first")
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {layer}")
            quoted = str(file).replace("'", "''")
            connection.execute(f"CREATE VIEW {name} AS FROM read_parquet('{quoted}')")
        for claim, sql in queries.items():
            row = {"claim_id": claim, "inputs": ", ".join(inputs[claim]), "recomputation": sql.strip()}
            found = _answer(connection, claim, sql)
            rows.append(row | {name: found.get(name) for name in _ANSWER} | {"facts": _JSON.encode(found).decode()})
    text = dict.fromkeys(("facts", "inputs", "recomputation"), pl.String)
    return pl.DataFrame(rows, schema={"claim_id": pl.String, **_ANSWER, **text})


def _answer(connection: duckdb.DuckDBPyConnection, claim: str, sql: str) -> dict[str, Any]:
    try:
        result = connection.execute(sql)
        names = [str(column[0]) for column in result.description or []]
        rows = result.fetchall()
    except duckdb.Error as error:
        raise ValueError(f"claim {claim}: {error}") from error
    if "value" not in names or len(rows) > 1:
        raise ValueError(f"claim {claim}: expected one row with a value, got {len(rows)} of {', '.join(names)}")
    return dict(zip(names, rows[0] if rows else [None] * len(names), strict=True))


@cache
def _parsed(queries: tuple[str, ...]) -> list[Any]:
    """The tree of each query, or the reason why it has none. Parsed once in a process: they ship with the code."""
    with duckdb.connect(config={"threads": 1}) as parser:
        texts = parser.execute("SELECT json_serialize_sql(sql) FROM (SELECT unnest(?::VARCHAR[]) AS sql)", [queries])
        return [msgspec.json.decode(text) for (text,) in texts.fetchall()]


def _tables_in(tree: Any) -> Iterator[str]:
    """Qualified table names in a parsed statement; a name without a schema is that of a subquery."""
    if isinstance(tree, dict):
        if tree.get("type") == "BASE_TABLE" and tree["schema_name"]:
            yield f"{tree['schema_name']}.{tree['table_name']}"
        tree = list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from _tables_in(part)
