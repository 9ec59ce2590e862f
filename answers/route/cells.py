"""Cells of a user's table as numbers and text; what breaks a rule is refused with its row, column and rule."""

import numpy as np
import polars as pl

from answers.route.files import ROW, RefusedTableError

TRUTHS = {"true": 1.0, "yes": 1.0, "correct": 1.0, "false": 0.0, "no": 0.0, "incorrect": 0.0, "wrong": 0.0}
SHOWN = 5
NUMBERS = {
    "correct": (0.0, 1.0, "must be a number from 0 to 1"),
    "cost_usd": (0.0, np.inf, "must be a number, 0 or above"),
    "input_tokens": (0.0, np.inf, "must be a number, 0 or above"),
    "output_tokens": (0.0, np.inf, "must be a number, 0 or above"),
    "controller_cost_usd": (0.0, np.inf, "must be a number, 0 or above"),
    "seen_by_router": (0.0, 1.0, "must be 0 or 1"),
    "latency_s": (0.0, np.inf, "must be a number, 0 or above"),
    "latency_ms": (0.0, np.inf, "must be a number, 0 or above"),
    "turn": (-np.inf, np.inf, "must be a number"),
    "prompt_chars": (0.0, np.inf, "must be a number, 0 or above"),
    "response_chars": (0.0, np.inf, "must be a number, 0 or above"),
}


def text_of(column: str) -> pl.Expr:
    """Trimmed text; what is empty is NULL."""
    return pl.col(column).cast(pl.String).str.strip_chars().replace("", None)


def number_of(schema: pl.Schema, column: str, kind: str) -> pl.Expr:
    """A column as numbers; what is not one becomes NaN, which is then refused by its row."""
    if schema[column] != pl.String:
        return pl.col(column).cast(pl.Float64, strict=False)
    text = pl.col(column).str.strip_chars()
    number = text.cast(pl.Float64, strict=False)
    if kind in ("correct", "seen_by_router"):
        number = number.fill_null(text.str.to_lowercase().replace_strict(TRUTHS, default=None, return_dtype=pl.Float64))
    return pl.when(text == "").then(None).otherwise(pl.when(text.is_not_null()).then(number.fill_null(float("nan"))))


def check(known: pl.DataFrame, rows: pl.LazyFrame, sources: dict[str, str]) -> None:
    """Refuse numbers that break their rule; `sources` names the column of each field, from which the cell is shown."""
    faults: list[str] = []
    for name in known.columns:
        kind, _, _ = name.partition(":")
        low, high, rule = NUMBERS.get(kind, (-np.inf, np.inf, "must be a number, finite"))
        if (kind in NUMBERS or kind == "score") and sources.get(name, sources.get(kind)) and known.schema[name] == pl.Float64:
            column = sources.get(name, sources.get(kind, name))
            bad = known.filter(pl.col(name).is_nan() | pl.col(name).is_infinite() | ~pl.col(name).is_between(low, high))
            if bad.height:
                raw = rows.filter(pl.col(ROW).is_in(bad[ROW].head(SHOWN).implode())).select(ROW, column).collect()
                shown = raw.select(ROW, pl.col(column).cast(pl.String)).rows()
                faults += [f"row {row}, column {column}: {rule}, is {value}" for row, value in shown]
                faults += [f"and {bad.height - SHOWN:,} more in column {column}"] if bad.height > SHOWN else []
    if faults:
        raise RefusedTableError("\n".join(faults))


def refuse_empty(known: pl.DataFrame) -> None:
    """Refuse a table without rows."""
    if known.is_empty():
        raise RefusedTableError("the table is empty: it has a header and no rows")


def refuse(rows: pl.DataFrame, broken: pl.Expr, *, column: str, rule: str, value: str | None = None) -> None:
    """Refuse the rows in which `broken` holds; `column` is what the user calls the cell, `value` where it stands."""
    at = value or column
    bad = rows.filter(broken)
    if bad.is_empty():
        return
    shown = (
        bad.head(SHOWN).select(ROW, (pl.col(at) if at in bad.columns else pl.lit(None)).cast(pl.String).alias("value")).rows()
    )
    faults = [f"row {row}, column {column}: {rule}, is {'empty' if cell is None else cell}" for row, cell in shown]
    more = [f"and {bad.height - SHOWN:,} more"] if bad.height > SHOWN else []
    raise RefusedTableError("\n".join(faults + more))
