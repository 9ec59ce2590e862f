"""Tables of runs in files, read and written batch by batch: CSV, Parquet, JSON."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow.parquet as pq
from rich.console import Console
from rich.markup import escape

from answers.text import number, show_rows

CSV, PARQUET, JSON = (".csv", ".tsv"), (".parquet", ".pq"), (".json", ".ndjson", ".jsonl")
ROWS_AT_ONCE = 100_000
ROWS_ON_SCREEN = 20


def read_batches(file: Path) -> Iterator[pl.DataFrame]:
    """Batches of a table, in order; cells of a CSV as text, so that what is not read comes out as it went in.

    Raises ValueError, with the file's name, for one that is none of the formats or cannot be read.
    """
    suffix = file.suffix.lower()
    if not file.exists():
        raise ValueError(f"{file}: no such file")
    try:
        if suffix in CSV:
            scan = pl.scan_csv(file, infer_schema=False, separator="\t" if suffix == ".tsv" else ",", encoding="utf8-lossy")
            yield from _in_order(scan)
        elif suffix in PARQUET:
            yield from _in_order(pl.scan_parquet(file))
        elif suffix in JSON:
            yield (
                pl.read_json(file, infer_schema_length=None)
                if suffix == ".json"
                else pl.read_ndjson(file, infer_schema_length=None)
            )
        else:
            raise ValueError(f"{file}: {suffix or 'no ending'}: a table is .csv, .tsv, .parquet, .json or .ndjson")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ValueError(f"{file}: cannot be read: {str(error).splitlines()[0]}") from error


def _in_order(scan: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """All batches, and an empty one of a table without rows, so that its header is written."""
    empty = True
    for batch in scan.collect_batches(chunk_size=ROWS_AT_ONCE, maintain_order=True):
        empty = empty and not batch.height
        yield batch
    if empty:
        yield scan.head(0).collect()


def write_batches(batches: Iterator[pl.DataFrame], *, output: Path | None, format: str, screen: BinaryIO) -> None:
    """Write batches to a file or the screen as csv, parquet or json (one object a line).

    A file appears only when it is whole. Raises ValueError for an unknown format.
    """
    writers: dict[str, Callable[[Iterator[pl.DataFrame], BinaryIO], None]] = {"csv": _csv, "parquet": _parquet, "json": _json}
    if format not in writers:
        raise ValueError(f"a table is written as {', '.join(writers)}, not {format}")
    if output is None:
        writers[format](batches, screen)
        return
    unfinished = output.with_name(f".{output.name}.tmp")
    try:
        with unfinished.open("wb") as file:
            writers[format](batches, file)
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)


def show_batches(batches: Iterator[pl.DataFrame], *, console: Console) -> None:
    """Print the first `ROWS_ON_SCREEN` rows for people, without the columns that none of them has; the rest is only read."""
    first = next(batches, pl.DataFrame())
    shown = first.head(ROWS_ON_SCREEN)
    filled = [column.name for column in shown if column.null_count() < shown.height]
    rows = [
        ["" if value is None else number(value) if isinstance(value, float) else escape(str(value)) for value in row]
        for row in shown.select(filled).iter_rows()
    ]
    show_rows(filled, rows, console=console, right=[name for name in filled if shown[name].dtype.is_numeric()])
    total = first.height + sum(batch.height for batch in batches)
    if total > shown.height:
        console.print(f"first {shown.height} of {total:,} rows; --output FILE for all", highlight=False)


def format_of(output: Path | None) -> str:
    """The format that a file's ending says; csv for the screen and for any other ending."""
    suffix = output.suffix.lower() if output else ".csv"
    return "parquet" if suffix in PARQUET else "json" if suffix in JSON else "csv"


def _csv(batches: Iterator[pl.DataFrame], file: BinaryIO) -> None:
    for place, batch in enumerate(batches):
        if batch.height or place == 0:
            batch.write_csv(file, include_header=place == 0)


def _json(batches: Iterator[pl.DataFrame], file: BinaryIO) -> None:
    for batch in batches:
        batch.write_ndjson(file)


def _parquet(batches: Iterator[pl.DataFrame], file: BinaryIO) -> None:
    writer: pq.ParquetWriter | None = None
    for batch in batches:
        arrow = batch.to_arrow()
        writer = writer or pq.ParquetWriter(file, arrow.schema, compression="zstd")
        writer.write_table(arrow.cast(writer.schema))
    if writer is not None:
        writer.close()
