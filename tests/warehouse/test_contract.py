"""All rules asked at once give the answer of pandera, which asks them one by one."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.errors import SchemaErrors

from schemas.base import Table, empty, polars_schema, table_name
from schemas.prices.capability import EpochBenchmark
from schemas.quarantine import Rejected
from schemas.registry import TABLES
from warehouse.contract import FAULTS, apply_contract, holds, violations
from warehouse.dictionary import EXAMPLES
from warehouse.examples import as_frame, read_examples

ROWS = read_examples(Path(__file__).resolve().parents[2] / "docs" / EXAMPLES)
SHOWN = [schema for schema in TABLES.values() if table_name(schema) in ROWS]
ODD = {
    pl.String: [None, "", "no such word", "x" * 300],
    pl.Float64: [None, -1.0, 0.0, 0.5, 1e12, float("nan"), float("inf")],
    pl.Int64: [None, -1, 0, 10**12],
    pl.Boolean: [None, True, False],
}


def accepted_by_pandera(schema: type[Table], frame: pl.DataFrame) -> bool:
    """What is true of a frame that pandera validates, where the quick answer is not asked."""
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors:
        return False
    return True


@pytest.mark.parametrize("schema", SHOWN, ids=table_name)
def test_good_rows_hold(schema: type[Table]):
    assert holds(schema, as_frame(ROWS[table_name(schema)], schema))


@settings(max_examples=60, deadline=None)
@given(schema=st.sampled_from(SHOWN), data=st.data())
def test_one_odd_value_is_judged_as_pandera_judges_it(schema: type[Table], data: st.DataObject):
    row = as_frame(ROWS[table_name(schema)], schema)
    name = data.draw(st.sampled_from([name for name, kind in polars_schema(schema).items() if type(kind) in ODD]))
    value = data.draw(st.sampled_from(ODD[type(polars_schema(schema)[name])]))
    spoilt = pl.concat([row, row.with_columns(pl.lit(value, polars_schema(schema)[name]).alias(name))])
    for frame in (spoilt, spoilt.tail(1)):
        assert holds(schema, frame) == accepted_by_pandera(schema, frame)


@pytest.mark.parametrize("schema", SHOWN[::8], ids=table_name)
def test_other_columns_or_types_do_not_hold(schema: type[Table]):
    row = as_frame(ROWS[table_name(schema)], schema)
    first = row.columns[0]
    for frame in (row.drop(first), row.with_columns(extra=1), row.with_columns(pl.lit(b"x").alias(first))):
        assert not holds(schema, frame)
        assert not violations(schema, frame).is_empty()


def test_no_contract_has_a_column_that_a_fault_needs():
    """pandera numbers the rows it refuses in a column of its own, and quarantine joins what it says to the row."""
    for schema in TABLES.values():
        taken = set(FAULTS) if table_name(schema).startswith("raw.") else {"index"}
        assert not taken & set(polars_schema(schema)), table_name(schema)


def test_bad_row_of_a_table_with_a_column_named_row_is_quarantined():
    known = {
        "source": "epoch",
        "benchmark": "GPQA",
        "source_file": "gpqa.csv",
        "source_model": "o3",
        "score_column": "score",
        "score": 0.8,
        "as_of": date(2026, 11, 1),
    }
    rows = pl.DataFrame([known | {"row": 1}, known | {"row": 0}], schema=polars_schema(EpochBenchmark))
    kept, rejected, faults = apply_contract(EpochBenchmark, rows, empty(Rejected))
    assert (kept.height, rejected.height, faults.height) == (1, 1, 0)
