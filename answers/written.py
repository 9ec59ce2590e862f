"""Rows written for others to read: CSV, JSON or Parquet, a batch at a time, to a file that appears whole or not at all."""

import itertools
import os
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

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
        with _written_to(target, is_binary=is_binary) as file:
            yield file
        return
    if not target.parent.is_dir():
        raise OutputError(f"{output}: there is no folder {target.parent}")
    unfinished = target.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        with _written_to(unfinished, is_binary=is_binary) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _written_to(path: Path, *, is_binary: bool) -> IO[Any]:
    return path.open("wb") if is_binary else path.open("w", encoding="utf-8", newline="")


def distinct(names: Sequence[str]) -> list[str]:
    """Names of columns of which no two are alike: of those of one name, each further one gets a number behind it."""
    found: list[str] = []
    for place, name in enumerate(names):
        others = {*names, *found}
        numbered = (f"{name}_{number}" for number in itertools.count(2))
        found.append(name if name not in names[:place] else next(new for new in numbered if new not in others))
    return found


def write_csv(rows: duckdb.DuckDBPyRelation, file: IO[str], *, for_spreadsheet: bool) -> None:
    """Write all rows as CSV, every value as DuckDB writes it, NULL as nothing."""
    import polars as pl  # noqa: PLC0415  (a table on the screen does not wait for it)

    names = distinct(rows.columns)
    texts = [name for name, kind in zip(names, rows.types, strict=True) if str(kind).startswith(("VARCHAR", "ENUM"))]
    file.write(pl.DataFrame({name: [] for name in names}).write_csv())
    for batch in rows.project("COLUMNS(*)::VARCHAR").to_arrow_reader(BATCH_ROWS):
        frame = pl.DataFrame(batch.rename_columns(names))
        if for_spreadsheet:
            frame = frame.with_columns(
                pl.when(pl.col(name).str.contains(FORMULA)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
                for name in texts
            )
        file.write(frame.write_csv(include_header=False))


def write_json_rows(rows: duckdb.DuckDBPyConnection, file: IO[str]) -> None:
    """Write all rows of a statement as a JSON list of objects, one a line; what is no number in JSON, such as NaN, as null."""
    names = distinct([str(column[0]) for column in rows.description or []])
    encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
    before = "[\n "
    while batch := rows.fetchmany(BATCH_ROWS):
        lines = (encoder.encode(dict(zip(names, row, strict=True))).decode() for row in batch)
        file.write(before + escaped_in_json(",\n ".join(lines)))
        before = ",\n "
    file.write("[]\n" if before.startswith("[") else "\n]\n")


def as_records(rows: duckdb.DuckDBPyConnection, *, most: int) -> tuple[list[dict[str, Any]], bool]:
    """The first rows of a statement as JSON has them (dates as ISO, NaN as null), and whether these are all."""
    names = distinct([str(column[0]) for column in rows.description or []])
    found = rows.fetchmany(most + 1)
    encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
    records = [dict(zip(names, row, strict=True)) for row in found[:most]]
    return msgspec.json.decode(encoder.encode(records)), len(found) <= most


def write_parquet(rows: duckdb.DuckDBPyRelation, file: IO[bytes]) -> None:
    """Write all rows as Parquet; values of types that it has no form for, such as intervals, as text."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    names = distinct(rows.columns)
    reader = _as_text(rows).to_arrow_reader(BATCH_ROWS)
    schema = pa.schema([field.with_name(name) for field, name in zip(reader.schema, names, strict=True)])
    with pq.ParquetWriter(file, schema) as writer:
        for batch in reader:
            writer.write_batch(batch.rename_columns(names))


def _as_text(rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Columns that Parquet has no form for, cast to text."""
    odd = [name for name, kind in zip(rows.columns, rows.types, strict=True) if str(kind).startswith(TEXT_ONLY)]
    if not odd:
        return rows
    quoted = {name: '"' + name.replace('"', '""') + '"' for name in rows.columns}
    columns = (f"{quoted[name]}::VARCHAR AS {quoted[name]}" if name in odd else quoted[name] for name in rows.columns)
    return rows.project(", ".join(columns))
