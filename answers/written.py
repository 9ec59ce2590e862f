"""Rows written for others to read: CSV, JSON or Parquet, a batch at a time, to a file that appears whole or not at all."""

import os
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal

import duckdb
import msgspec

from schemas.foreign_text import escaped_in_json

Format = Literal["table", "csv", "json", "parquet"]
SUFFIXES: dict[str, Format] = {".csv": "csv", ".json": "json", ".parquet": "parquet", ".txt": "table"}
BATCH_ROWS = 20_000
FORMULA = r"^[=+\-@\t\r]"
"""What a spreadsheet takes for the beginning of a formula."""
TEXT_ONLY = ("INTERVAL", "TIME WITH TIME ZONE", "BIT", "UNION", "VARIANT")
"""Types that Parquet has no form for, written as text."""


class OutputError(ValueError):
    """A file that cannot be written as asked; bad usage, told in one line."""

    code = 2


def format_of(output: Path | None, stated: Format | None) -> Format:
    """The format of an output: what was stated, which must fit the file's suffix, else that of the suffix, else a table.

    Raises OutputError.
    """
    found = SUFFIXES.get(output.suffix.lower()) if output else None
    if output is None or (output.exists() and not output.is_file()):
        return stated or "table"
    if stated and found and stated != found:
        raise OutputError(f"{output} would be {stated} under the name of {found}: leave out --format, or change the name")
    if not (stated or found):
        raise OutputError(f"{output} does not say its format: end it in {', '.join(SUFFIXES)}, or add --format")
    return stated or found or "table"


@contextmanager
def opened(output: Path | None, *, data: Path, is_binary: bool) -> Iterator[IO[Any]]:
    """A file to write to, which takes its name when it is whole; standard output where none is named.

    Raises OutputError for a file inside the data folder, also through a link, and where there is no such folder.
    """
    mode = "wb" if is_binary else "w"
    if output is None:
        if is_binary and sys.stdout.isatty():
            raise ValueError("parquet is not for a terminal: add --output FILE or redirect")
        yield sys.stdout.buffer if is_binary else sys.stdout
        return
    try:
        target = output.resolve()
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{output}: {error}") from None
    if target.is_relative_to(data.resolve()):
        raise OutputError(f"{output} lies in the data folder {data.resolve()}, in which only refreshes write: choose another")
    if target.exists() and not target.is_file():  # a device or a pipe, which cannot be replaced
        with target.open(mode, **({} if is_binary else {"encoding": "utf-8", "newline": ""})) as file:
            yield file
        return
    if not target.parent.is_dir():
        raise OutputError(f"{output}: there is no folder {target.parent}")
    unfinished = target.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        with unfinished.open(mode, **({} if is_binary else {"encoding": "utf-8", "newline": ""})) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def write_rows(rows: duckdb.DuckDBPyRelation, file: IO[Any], *, format: Format, for_spreadsheet: bool) -> None:
    """Write all rows as CSV, JSON or Parquet. Of columns of one name, each further one gets a number behind it."""
    names = distinct(rows.columns)
    if format == "csv":
        _write_csv(rows, names, file, for_spreadsheet=for_spreadsheet)
    elif format == "json":
        _write_json(rows, names, file)
    else:
        _write_parquet(rows, names, file)


def distinct(names: Sequence[str]) -> list[str]:
    """Names of columns of which no two are alike: `a, a, a_1` are `a, a_2, a_1`."""
    taken, found = set(names), []
    for place, name in enumerate(names):
        number = 2
        new = name
        while new in found or (place and new in names[:place]):
            new = f"{name}_{number}"
            number += 1
            if new in taken:
                new = name
        found.append(new)
    return found


def _write_csv(rows: duckdb.DuckDBPyRelation, names: Sequence[str], file: IO[str], *, for_spreadsheet: bool) -> None:
    import polars as pl  # noqa: PLC0415  (a table on the screen does not wait for it)

    texts = [name for name, kind in zip(names, rows.types, strict=True) if str(kind).startswith(("VARCHAR", "ENUM"))]
    file.write(pl.DataFrame({name: [] for name in names}).write_csv())
    for batch in rows.project("COLUMNS(*)::VARCHAR").to_arrow_reader(BATCH_ROWS):
        frame = pl.DataFrame(batch.rename_columns(list(names)))
        if for_spreadsheet:
            is_formula = pl.col(texts).str.contains(FORMULA)
            frame = frame.with_columns(pl.when(is_formula).then("'" + pl.col(texts)).otherwise(pl.col(texts)))
        file.write(frame.write_csv(include_header=False))


def _write_json(rows: duckdb.DuckDBPyRelation, names: Sequence[str], file: IO[str]) -> None:
    # What is no number in JSON, NaN and infinity, is written as null.
    encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
    before = "[\n "
    while batch := rows.fetchmany(BATCH_ROWS):
        lines = (encoder.encode(dict(zip(names, row, strict=True))).decode() for row in batch)
        file.write(before + escaped_in_json(",\n ".join(lines)))
        before = ",\n "
    file.write("[]\n" if before.startswith("[") else "\n]\n")


def _write_parquet(rows: duckdb.DuckDBPyRelation, names: Sequence[str], file: BinaryIO) -> None:
    import pyarrow.parquet as pq  # noqa: PLC0415

    columns = [
        f'"{name}"::VARCHAR' if str(kind).startswith(TEXT_ONLY) else f'"{name}"'
        for name, kind in zip(rows.columns, rows.types, strict=True)
    ]
    if any(column.endswith("VARCHAR") for column in columns) and len(set(rows.columns)) == len(rows.columns):
        rows = rows.project(", ".join(columns))
    reader = rows.to_arrow_reader(BATCH_ROWS)
    schema = reader.schema
    for place, name in enumerate(names):
        schema = schema.set(place, schema.field(place).with_name(name))
    with pq.ParquetWriter(file, schema) as writer:
        for batch in reader:
            writer.write_batch(batch.rename_columns(list(names)))
