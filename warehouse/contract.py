"""A frame held against its contract: which rows may stay, which go to quarantine, and what refuses the whole table."""

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from schemas.base import Table, polars_schema, table_name
from schemas.private_pandera import rule_answers
from schemas.quarantine import reject

FAULTS = pl.Schema({"column": pl.String, "check": pl.String, "failure_case": pl.String, "index": pl.Int64})


def apply_contract(
    schema: type[Table], frame: pl.DataFrame, rejected: pl.DataFrame, *, may_be_empty: bool = False
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Hold a frame against its contract: rows to keep, rows refused, and the faults that refuse the whole table."""
    wanted = polars_schema(schema)
    if set(frame.columns) == set(wanted):
        frame = frame.select(list(wanted))
    faults = violations(schema, frame)
    if table_name(schema).startswith("raw.") and not faults.is_empty() and faults["index"].is_not_null().all():
        rejected = pl.concat([rejected, _quarantine(schema, frame, faults)])
        frame = frame.filter(~pl.int_range(pl.len()).is_in(faults["index"].implode()))
        faults = violations(schema, frame)
    if faults.is_empty() and frame.is_empty() and not may_be_empty:
        faults = faults.vstack(
            pl.DataFrame(
                [{"column": "*", "check": "the table has rows", "failure_case": "0 rows", "index": None}], faults.schema
            )
        )
    return frame, rejected, faults


def violations(schema: type[Table], frame: pl.DataFrame) -> pl.DataFrame:
    """Rules a frame breaks: column, check, failure_case and index (row number, NULL for a rule on the whole frame)."""
    if holds(schema, frame):
        return pl.DataFrame(schema=FAULTS)
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases: pl.DataFrame = errors.failure_cases
        return cases.select(pl.col(name).cast(dtype) for name, dtype in FAULTS.items())
    return pl.DataFrame(schema=FAULTS)


def holds(schema: type[Table], frame: pl.DataFrame) -> bool:
    """Whether a frame keeps every rule of its contract, asked of all rules in one query.

    pandera puts each rule to the frame by itself, several times, which takes a tenth of a refresh in which all hold. Where
    this says no, pandera says what is wrong.
    """
    if frame.schema != polars_schema(schema):
        return False
    contract, rows = schema.to_schema(), frame.lazy()
    keys = [[name] for name, column in contract.columns.items() if column.unique]
    keys += [list(contract.unique)] if contract.unique else []
    rules = [(name, rule) for name, column in contract.columns.items() for rule in column.checks]
    rules += [("*", rule) for rule in contract.checks]
    whole = [pl.col(name).is_not_null().all() for name, column in contract.columns.items() if not column.nullable]
    # By hash, in half of the time and a third of the memory; of two keys that share one by chance pandera is asked.
    whole += [pl.struct(key).hash().n_unique() == pl.len() for key in keys]
    answers = [
        rows.select(pl.all_horizontal(True, *whole)),
        *(_kept(rule, rule_answers(rule, rows, name)) for name, rule in rules),
    ]
    return all(answer.item() for answer in pl.collect_all(answers))


def _kept(rule: pa.Check, answers: pl.LazyFrame | bool) -> pl.LazyFrame:
    """One row: whether all rows keep a rule; a rule has nothing to say of NULL unless it says so."""
    if isinstance(answers, bool):
        return pl.LazyFrame([answers])
    answer = pl.nth(0)
    return answers.select((answer if rule.ignore_na else answer.fill_null(value=False)).all())


def _quarantine(schema: type[Table], frame: pl.DataFrame, faults: pl.DataFrame) -> pl.DataFrame:
    """Rows that broke a rule of the contract, one entry per row and rule, with the source the row names."""
    identity = [name for name in schema.to_schema().unique or [] if name in frame.columns] or frame.columns[:3]
    bad = faults.with_columns(pl.col("index").cast(pl.UInt32)).join(frame.with_row_index("index"), on="index", how="left")
    return reject(
        bad,
        source=pl.col("source") if "source" in frame.columns else table_name(schema).split(".")[1],
        row_key=pl.concat_str([pl.col(name).cast(pl.String) for name in identity], separator=" | ", ignore_nulls=True),
        column_name=pl.col("column"),
        value=pl.col("failure_case"),
        rule=pl.col("check"),
        reason=pl.format("{} must satisfy {}", "column", "check"),
        severity="invalid",
    )
