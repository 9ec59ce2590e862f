"""A plain table of attempts: one row per item, model and sample, as CSV, Parquet or JSON lines, with tokens or dollars."""

import csv
import difflib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import JUDGE, NOT_STATED, SCHEMA, SIMULATOR, SUBJECT, Reading

NAME = "plain_table"
COLUMNS: dict[str, tuple[str, ...]] = {
    "item": ("item_id", "instance_id", "question_id", "task_id", "problem_id", "doc_id", "example_id"),
    "model": ("model_name", "system"),
    "correct": ("is_correct", "resolved", "passed", "success", "score"),
    "benchmark": ("dataset", "eval", "suite"),
    "group": ("cluster", "passage_id"),
    "sample": ("epoch", "trial", "attempt", "repeat", "sample_id"),
    "error": ("exception", "failure"),
    "answer": ("prediction", "final_answer"),
    "selector": ("verifier_score", "reward_model_score", "confidence"),
    "input_tokens": ("prompt_tokens", "tokens_in"),
    "output_tokens": ("completion_tokens", "tokens_out"),
    "reasoning_tokens": ("thinking_tokens",),
    "cache_read_tokens": ("cached_tokens", "cache_read_input_tokens"),
    "cache_write_tokens": ("cache_creation_input_tokens",),
    "answer_tokens": (),
    "usd": ("cost_usd", "cost", "dollars", "usd_cost"),
    "judge_usd": ("judge_cost_usd", "judge_cost"),
    "judge_model": (),
    "judge_input_tokens": (),
    "judge_output_tokens": (),
    "simulator_usd": ("simulator_cost_usd", "user_cost"),
    "batch": ("is_batch",),
    "run_on": ("date", "day"),
}
"""Columns with other names they go by."""
REQUIRED = ("item", "model", "correct")
COUNTS = (
    "input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "answer_tokens",
    "judge_input_tokens",
    "judge_output_tokens",
)
MONEY = ("usd", "judge_usd", "simulator_usd")
TRUE, FALSE = ("true", "yes", "pass", "correct"), ("false", "no", "fail", "incorrect", "wrong")

_ROWS = 65_536
_BLOCK_BYTES = 8 << 20
_SHOWN = 5


def recognises(document: Document) -> bool:
    """A header, or first object, with an item, a model and whether it was correct."""
    return set(_renamed(_header(document)).values()) >= set(REQUIRED)


def missing(document: Document) -> str | None:
    """What a table lacks to be one of attempts, with the names that may be meant; None for what is no table."""
    header = _header(document)
    if len(header) < 2:
        return None
    lacking = [name for name in REQUIRED if name not in _renamed(header).values()]
    near = {name: difflib.get_close_matches(name, header, n=1, cutoff=0.6) for name in lacking}
    meant = "; ".join(f"did you mean {found[0]} by {name}?" for name, found in near.items() if found)
    return f"row 1, column {lacking[0]}: a table of attempts needs the columns {', '.join(REQUIRED)}" + (
        f" ({meant})" if meant else ""
    )


def read(documents: Sequence[Document], reading: Reading) -> Iterator[pl.DataFrame]:
    """Frames of records: the subject's, and those of a judge and a simulated user where their columns are there."""
    reading.usd_covers = "as the table's own columns say: the subject's, a judge's and a simulated user's apart"
    for document in documents:
        names = _renamed(_header(document))
        if "selector" in names.values():
            chosen = next(own for own, name in names.items() if name == "selector")
            reading.note(f"the selector is the column {chosen}: of N samples the one with its highest value is taken")
        first_row = 2
        for batch in _batches(document, list(names), reading):
            named = batch.rename({name: names[name] for name in batch.columns}).with_row_index("row", offset=first_row)
            first_row += batch.height
            yield from _records(named, document, reading)


def _header(document: Document) -> list[str]:
    if document.head[:4] == b"PAR1":
        return list(pq.ParquetFile(document.bytes_at).schema_arrow.names)
    if document.is_json:
        return list(document.first_line) if document.is_lines else []
    if b"\x00" in document.head:
        return []
    line = document.head.decode("utf-8-sig", errors="replace").split("\n", 1)[0].rstrip("\r")
    return next(csv.reader([line], delimiter=_delimiter(line)), [])


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def _renamed(header: Sequence[str]) -> dict[str, str]:
    """The table's own column names to ours, each of ours once: its own name first."""
    plain = {name.strip().lower(): name for name in header}
    found: dict[str, str] = {}
    for name, others in COLUMNS.items():
        own = next((plain[each] for each in (name, *others) if each in plain), None)
        if own is not None and own not in found:
            found[own] = name
    return found


def _batches(document: Document, columns: list[str], reading: Reading) -> Iterator[pl.DataFrame]:
    """The columns as text, some rows at a time."""
    if document.head[:4] == b"PAR1":
        for batch in pq.ParquetFile(document.bytes_at).iter_batches(batch_size=_ROWS, columns=columns):
            yield pl.DataFrame(pl.from_arrow(batch)).select(pl.col(columns).cast(pl.String))
    elif document.is_json:
        rows: list[dict[str, str | None]] = []
        for number, row in document.lines():
            if not isinstance(row, dict):
                reading.refused.append(f"{document.path.name}, row {number}: not JSON")
                row = {}  # noqa: PLW2901  (its place is kept, so that rows are counted as in the file)
            rows.append({name: _text(row.get(name)) for name in columns})
            if len(rows) == _ROWS:
                yield pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))
                rows = []
        yield pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))
    else:
        line = document.head.decode("utf-8-sig", errors="replace").split("\n", 1)[0]
        stream = pa_csv.open_csv(
            document.bytes_at,
            read_options=pa_csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
            parse_options=pa_csv.ParseOptions(delimiter=_delimiter(line), newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                include_columns=columns,
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=True,
                null_values=["", "NULL", "null", "NaN", "nan"],
            ),
        )
        for batch in stream:
            yield pl.DataFrame(pl.from_arrow(batch))


def _text(value: object) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value)


def _records(table: pl.DataFrame, document: Document, reading: Reading) -> Iterator[pl.DataFrame]:
    rows = table.with_columns(
        pl.lit(None, pl.String).alias(name) for name in COLUMNS if name not in table.columns
    ).with_columns(pl.col(list(COLUMNS)).str.strip_chars().replace("", None))
    rows = rows.filter(pl.any_horizontal(pl.col(list(COLUMNS)).is_not_null()))
    lowered = pl.col("correct").str.to_lowercase()
    typed = rows.with_columns(
        correct_=pl.when(lowered.is_in(TRUE))
        .then(1.0)
        .when(lowered.is_in(FALSE))
        .then(0.0)
        .otherwise(pl.col("correct").cast(pl.Float64, strict=False)),
        sample_=pl.col("sample").cast(pl.Int64, strict=False),
        selector_=pl.col("selector").cast(pl.Float64, strict=False),
        run_on_=pl.col("run_on").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False),
        **{f"{name}_": pl.col(name).cast(pl.Float64, strict=False) for name in (*COUNTS, *MONEY)},
    )
    rules = [
        ("item", pl.col("item").is_null(), "must name an item"),
        ("model", pl.col("model").is_null(), "must name a model"),
        (
            "correct",
            pl.col("correct").is_not_null() & ~pl.col("correct_").is_between(0.0, 1.0).fill_null(value=False),
            "must be 0, 1, true, false or a share",
        ),
        ("sample", pl.col("sample").is_not_null() & pl.col("sample_").is_null(), "must be a whole number"),
        ("run_on", pl.col("run_on").is_not_null() & pl.col("run_on_").is_null(), "must be a day such as 2026-01-31"),
        *(
            (name, pl.col(name).is_not_null() & ~_is_amount(pl.col(f"{name}_")), "must be a number, 0 or above")
            for name in (*COUNTS, *MONEY)
        ),
    ]
    refused = pl.lit(value=False)
    for column, broken, rule in rules:
        faults = typed.filter(broken)
        if faults.height:
            _refuse(faults, column, rule, document, reading)
            refused = refused | broken
    kept = typed.filter(~refused)
    common: list[Any] = [
        pl.col("benchmark").fill_null(NOT_STATED),
        "model",
        "item",
        "group",
        pl.col("sample_").fill_null(0).alias("sample"),
        pl.col("run_on_").alias("run_on"),
        pl.col("batch").str.to_lowercase().is_in([*TRUE, "1"]).fill_null(value=False).alias("is_batch"),
    ]
    yield _filled(
        kept.select(
            *common,
            "error",
            pl.lit(SUBJECT).alias("role"),
            pl.lit(1).alias("requests"),
            pl.lit(value=True).alias("made"),
            pl.col("correct_").alias("correct"),
            pl.col("correct_").alias("score"),
            pl.col("selector_").alias("selector"),
            pl.col("answer").str.to_lowercase().str.replace_all(r"\s+", " "),
            pl.col("usd_").alias("usd"),
            *(pl.col(f"{name}_").cast(pl.Int64).alias(name) for name in COUNTS if not name.startswith("judge")),
        )
    )
    for role, known in (
        (JUDGE, {"usd": "judge_usd_", "input_tokens": "judge_input_tokens_", "output_tokens": "judge_output_tokens_"}),
        (SIMULATOR, {"usd": "simulator_usd_"}),
    ):
        part = kept.filter(pl.any_horizontal(pl.col(column).is_not_null() for column in known.values()))
        if part.height:
            billed = pl.col("judge_model") if role == JUDGE else pl.lit(None, pl.String)
            yield _filled(
                part.select(
                    *common,
                    billed.alias("billed_model"),
                    pl.lit(role).alias("role"),
                    pl.lit(value=False).alias("made"),
                    *(pl.col(column).alias(name) for name, column in known.items()),
                )
            )


def _is_amount(values: pl.Expr) -> pl.Expr:
    return (values.is_finite() & (values >= 0)).fill_null(value=False)


def _filled(part: pl.DataFrame) -> pl.DataFrame:
    absent = {name: kind for name, kind in SCHEMA.items() if name not in part.columns}
    unknown = {"usd_unknown": pl.lit(value=False), "requests": pl.lit(1)}
    return part.with_columns(unknown.get(name, pl.lit(None, kind)).alias(name) for name, kind in absent.items()).select(
        pl.col(name).cast(kind) for name, kind in SCHEMA.items()
    )


def _refuse(faults: pl.DataFrame, column: str, rule: str, document: Document, reading: Reading) -> None:
    for row in faults.head(_SHOWN).iter_rows(named=True):
        said = "" if row[column] is None else f", not {str(row[column])[:40]!r}"
        reading.refused.append(f"{document.path.name}, row {row['row']}, column {column}: {rule}{said}")
    if faults.height > _SHOWN:
        reading.refused.append(f"{document.path.name}, column {column}: {faults.height - _SHOWN} more rows: {rule}")
