"""A user's file as one lazy table with the line of each row: CSV with any separator, Parquet, JSON, JSONL, router logs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from polars.exceptions import PolarsError

ROW = "(row)"
"""Line in a CSV; in other files rows are counted alike, the first one being 2."""
SEPARATORS = ",\t;|"
SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".json", ".jsonl", ".ndjson")
STRATEGY = "strategy"


class RefusedTableError(ValueError):
    """A table that cannot be judged; one line per reason."""

    code = 1


class NotATableError(RefusedTableError):
    """A file whose columns are not those of outcomes; it may be a log of another tool."""


class BadUsageError(ValueError):
    """Options that do not go with the table."""

    code = 2


def read_files(files: list[Path]) -> pl.LazyFrame:
    """All files as one table, with `ROW` and, of several files, `file`. Raises RefusedTableError, BadUsageError."""
    parts = [_read(file) for file in files]
    if len(parts) == 1:
        return parts[0]
    named = [part.with_columns(file=pl.lit(file.stem)) for part, file in zip(parts, files, strict=True)]
    return pl.concat(named, how="diagonal_relaxed")


def _read(file: Path) -> pl.LazyFrame:
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadUsageError(f"{file}: must be a {', '.join(SUFFIXES)} file")
    if not file.is_file():
        raise BadUsageError(f"{file}: there is no such file")
    try:
        rows = _text_table(file) if suffix in SUFFIXES[:3] else _typed_table(file, suffix)
        names = rows.collect_schema().names()
    except (PolarsError, OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise RefusedTableError(f"{file.name} cannot be read: {str(error).splitlines()[0]}") from None
    if not names:
        raise RefusedTableError(f"{file.name} is empty")
    clean = {name: name.strip().lstrip("\ufeff") for name in names}
    return rows.rename(clean).with_row_index(ROW, offset=2)


def _text_table(file: Path) -> pl.LazyFrame:
    with file.open(encoding="utf-8-sig", errors="replace") as opened:
        lines = [line for line in (opened.readline(1_000_000) for _ in range(2)) if line.strip()]
    if not lines:
        raise RefusedTableError(f"{file.name} is empty")
    separator = max(SEPARATORS, key=lambda mark: (lines[0].count(mark), -SEPARATORS.index(mark)))
    # A bar is part of the names in RouterBench's header.
    separator = "," if separator == "|" and lines[0].count(",") else separator
    rows = pl.scan_csv(file, separator=separator, infer_schema=False, encoding="utf8-lossy")
    if separator == ";":
        decimal = pl.col(pl.String).str.replace(r"^(-?\d+),(\d+)$", "$1.$2")
        rows = rows.with_columns(decimal)
    return rows


def _typed_table(file: Path, suffix: str) -> pl.LazyFrame:
    if suffix == ".parquet":
        return pl.scan_parquet(file)
    raw = file.read_bytes()
    if suffix == ".json":
        found = msgspec.json.decode(raw)
        rows = list(_records(found, file, is_whole=True))
    else:
        rows = [row for line in raw.splitlines() if line.strip() for row in _records(msgspec.json.decode(line), file)]
    if not rows:
        raise RefusedTableError(f"{file.name} is empty")
    return pl.DataFrame(rows, infer_schema_length=None, strict=False).lazy()


def _records(found: Any, file: Path, *, is_whole: bool = False) -> Iterator[dict[str, Any]]:
    """Flat rows of a JSON document: a list of rows, a table by column, or the log of a known benchmark of routers."""
    if isinstance(found, list):
        for row in found:
            yield from _records(row, file)
    elif isinstance(found, dict) and isinstance(found.get("records"), list):
        # LLMRouterBench: one file per model and data set, `score` being how good the answer is.
        data = found.get("dataset_name", "")
        for row in found["records"]:
            yield {
                "item": f"{data}:{row.get('index')}",
                "model": found.get("model_name"),
                "correct": row.get("score"),
                "cost_usd": row.get("cost"),
                "input_tokens": row.get("prompt_tokens"),
                "output_tokens": row.get("completion_tokens"),
                "category": data,
            }
    elif isinstance(found, dict) and "prediction" in found and ("global index" in found or "global_index" in found):
        # RouterArena: what one router chose; a file per router.
        yield {
            "item": found.get("global index", found.get("global_index")),
            STRATEGY: file.stem,
            "model": found["prediction"],
            "correct": found.get("accuracy"),
            "cost_usd": found.get("cost"),
        } | _tokens((found.get("generated_result") or {}).get("token_usage"))
    elif isinstance(found, dict) and "llm_selected" in found:
        # RouterArena: the answers of one model.
        judged = found.get("evaluation_result") or {}
        yield {
            "item": found.get("global_index", found.get("global index")),
            "model": found["llm_selected"],
            "correct": judged.get("score"),
            "cost_usd": judged.get("inference_cost"),
        } | _tokens(found.get("token_usage"))
    elif isinstance(found, dict):
        columns = [value for value in found.values() if isinstance(value, list)]
        if columns and len(columns) == len(found) and len({len(column) for column in columns}) == 1:
            for values in zip(*columns, strict=True):
                yield dict(zip(found, values, strict=True))
        elif is_whole:
            raise NotATableError(f"{file.name}: must hold rows, or columns of one length")
        else:
            yield dict(_flat(found))
    else:
        raise RefusedTableError(f"{file.name}: must hold rows, has {type(found).__name__}")


def _tokens(usage: Any) -> dict[str, Any]:
    usage = usage or {}
    return {
        "input_tokens": usage.get("input_tokens", usage.get("prompt_tokens")),
        "output_tokens": usage.get("output_tokens", usage.get("completion_tokens")),
    }


def _flat(row: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        elif isinstance(value, list):
            yield f"{before}{name}", msgspec.json.encode(value).decode()
        else:
            yield f"{before}{name}", value
