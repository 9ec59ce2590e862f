"""The page of the data dictionary is the contracts' own words, with real rows; and every mart has a method note."""

import re
from pathlib import Path

import duckdb
import polars as pl
import pytest

from schemas.base import Table, meaning, table_name
from schemas.registry import TABLES
from warehouse.contract import violations
from warehouse.dictionary import EXAMPLES, current_page
from warehouse.examples import as_frame, example_of, is_current, read_examples, renewed
from warehouse.store import table_path, write_frame

DOCS = Path(__file__).resolve().parents[2] / "docs"
AGAIN = "run: uv run iecon refresh --offline && uv run python -m warehouse.dictionary docs/data_dictionary.md"
MARTS = sorted(table_name(schema) for schema in TABLES.values() if table_name(schema).startswith("marts."))


def test_page_is_current():
    assert (DOCS / "data_dictionary.md").read_text() == current_page(DOCS), AGAIN


def test_every_table_and_column_is_described():
    for schema in TABLES.values():
        assert meaning(schema).endswith("."), table_name(schema)
        for name, column in schema.to_schema().columns.items():
            assert column.description, f"{table_name(schema)}.{name}"


def test_every_table_that_has_rows_has_an_example(warehouse: duckdb.DuckDBPyConnection):
    filled = {name for name in map(table_name, TABLES.values()) if warehouse.sql(f"FROM {name} LIMIT 1").fetchall()}
    assert filled <= set(read_examples(DOCS / EXAMPLES)), AGAIN


@pytest.mark.parametrize("schema", TABLES.values(), ids=table_name)
def test_example_satisfies_its_contract(schema: type[Table]):
    row = read_examples(DOCS / EXAMPLES).get(table_name(schema))
    if row is not None:
        assert is_current(row, schema), AGAIN
        assert violations(schema, as_frame(row, schema)).is_empty()


def test_example_stays_until_its_contract_changes(tmp_path: Path):
    kept = read_examples(DOCS / EXAMPLES)
    assert renewed(kept, tmp_path) == kept
    older = kept | {"marts.price_frontier": {"model": "one column only"}, "marts.gone": {"a": 1}}
    assert set(kept) - set(renewed(older, tmp_path)) == {"marts.price_frontier"}


def test_example_is_the_fullest_row(tmp_path: Path):
    schema = TABLES["price_frontier"]
    row = as_frame(read_examples(DOCS / EXAMPLES)["marts.price_frontier"], schema)
    emptier = row.with_columns(developer=pl.lit(None, pl.String))
    write_frame(table_path(tmp_path, schema), pl.concat([emptier, row, emptier]))
    assert example_of(schema, tmp_path) == read_examples(DOCS / EXAMPLES)["marts.price_frontier"]


@pytest.mark.parametrize("mart", MARTS)
def test_mart_has_a_method_note_that_speaks_of_it(mart: str):
    (note,) = re.findall(rf"^\| `{re.escape(mart)}` \| .*\[.*\]\((\w+\.md)\)", (DOCS / "README.md").read_text(), re.MULTILINE)
    assert mart.removeprefix("marts.") in (DOCS / note).read_text(), f"docs/{note} does not explain {mart}"
