"""Production traces: when requests came and how long they were. Read in one pass by DuckDB, written as Parquet.

Layouts: Azure LLM inference traces (CSV, dates), BurstGPT (CSV, seconds), Mooncake (JSON lines, milliseconds). A trace holds
no latency of any system, so it gives a workload and no operating point.
"""

import datetime as dt
import hashlib
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl

from schemas.base import polars_schema
from schemas.serving.benchmark_outputs import Workload
from sources.serving.benchmark_outputs.fields import RowError
from sources.serving.benchmark_outputs.operating_points import rejection, rejection_frame

MEMORY_LIMIT = "1GB"
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
LATEST_S = dt.datetime(2100, 1, 1, tzinfo=dt.UTC).timestamp()
LONGEST_PROMPT = 100_000_000
"""Tokens; a longer prompt is a figure of another kind."""
LONGEST_SPAN_S = 10 * 366 * 86_400.0
LEVELS = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}

_SNIFFED_BYTES = 4096


@dataclass(frozen=True)
class Layout:
    """How one kind of trace is read: SQL types of the columns of a CSV in order, or the JSON keys, and what they mean."""

    name: str
    columns: tuple[tuple[str, str], ...]
    is_json: bool
    time: str
    input: str
    output: str
    seconds_per_unit: float | None


LAYOUTS = (
    Layout(
        "azure_llm_trace",
        (("TIMESTAMP", "TIMESTAMP"), ("ContextTokens", "BIGINT"), ("GeneratedTokens", "BIGINT")),
        False,
        "TIMESTAMP",
        "ContextTokens",
        "GeneratedTokens",
        None,
    ),
    Layout(
        "burstgpt_trace",
        (
            ("Timestamp", "DOUBLE"),
            ("Session ID", "VARCHAR"),
            ("Elapsed time", "DOUBLE"),
            ("Model", "VARCHAR"),
            ("Request tokens", "BIGINT"),
            ("Response tokens", "BIGINT"),
            ("Total tokens", "BIGINT"),
            ("Log Type", "VARCHAR"),
        ),
        False,
        "Timestamp",
        "Request tokens",
        "Response tokens",
        1.0,
    ),
    Layout(
        "mooncake_trace",
        (("timestamp", "DOUBLE"), ("input_length", "BIGINT"), ("output_length", "BIGINT")),
        True,
        "timestamp",
        "input_length",
        "output_length",
        1e-3,
    ),
)


class Trace(NamedTuple):
    """Workload of a trace (one row of core.workload) and its refused lines (Rejected); requests are in the Parquet file."""

    workload: pl.DataFrame
    rejected: pl.DataFrame


def detect_trace(head: bytes) -> str | None:
    """Layout of a trace by the first kilobytes of its content; None for anything else."""
    layout = _layout(head)
    return layout.name if layout else None


def ingest_trace(path: Path, *, parquet: Path) -> Trace:
    """Read a trace of any size, check every request, write the sound ones to `parquet` and describe them.

    `parquet` gets the columns of raw.request_trace in the order of the file, replaced only when it is complete.
    Percentiles are exact (linear between ranks). Refused lines are counted per rule, each with its first line. A last line
    without end is read as it stands, as published traces end that way: a file cut inside its last figure is not noticed.
    Raises ValueError for an unknown layout, a trace without a sound request, and times in another unit.
    """
    with path.open("rb") as file:
        layout = _layout(file.read(_SNIFFED_BYTES))
    if layout is None:
        raise ValueError("no known trace layout")
    unfinished = parquet.with_name(f"{parquet.name}.{uuid.uuid4().hex}.tmp")
    with ThreadPoolExecutor(1) as hasher, duckdb.connect() as database:
        database.execute(f"SET memory_limit = '{MEMORY_LIMIT}'; SET enable_progress_bar = false")
        database.execute("SET temp_directory = ?", [str(parquet.parent)])
        digest = hasher.submit(_sha256, path)
        try:
            first = _copy(database, layout, path, unfinished)
            rejected = _unreadable(database, layout, path.name)
            unsound, earliest_s, span_s, n_requests = _check(database, unfinished)
            if unsound:
                rejected.append(_unsound(database, layout, path.name, unfinished, unsound))
            if not n_requests:
                raise ValueError("the trace holds no sound request")
            if span_s > LONGEST_SPAN_S:
                raise ValueError(f"the trace spans {span_s:.3g} s: its times are in another unit")
            has_dates, begins_s = layout.seconds_per_unit is None, first + earliest_s
            if has_dates and not 0.0 <= begins_s < LATEST_S:
                raise ValueError("the trace begins before 1970 or after 2100: its dates are wrong")
            if unsound or earliest_s:
                _rewrite(database, unfinished, earliest_s)
            lengths = {kind: _lengths(database, unfinished, f"{kind}_tokens") for kind in ("input", "output")}
            trace_id = digest.result()[:16]
            os.replace(unfinished, parquet)  # noqa: PTH105 -- one rename, replacing an older file
        finally:
            unfinished.unlink(missing_ok=True)
    workload = {
        "trace_id": trace_id,
        "source": layout.name,
        "file_name": path.name,
        "started_at": EPOCH + dt.timedelta(seconds=begins_s) if has_dates else None,
        "duration_s": span_s,
        "n_requests": n_requests,
        "requests_per_s": n_requests / span_s if span_s else None,
        **lengths["input"],
        **lengths["output"],
    }
    return Trace(pl.DataFrame([workload], schema=polars_schema(Workload)), rejection_frame(rejected))


def percentiles_of_counts(values: npt.ArrayLike, counts: npt.ArrayLike, levels: npt.ArrayLike) -> list[float]:
    """Percentiles, linear between ranks, of a sample given as sorted distinct values and how often each occurs."""
    last_rank = np.cumsum(counts) - 1
    ranks = np.asarray(levels) * last_rank[-1]
    below, above = (np.searchsorted(last_rank, edge(ranks)) for edge in (np.floor, np.ceil))
    sample = np.asarray(values, dtype=np.float64)
    found: list[float] = (sample[below] + (ranks - np.floor(ranks)) * (sample[above] - sample[below])).tolist()
    return found


def _layout(head: bytes) -> Layout | None:
    line = head.decode("utf-8-sig", errors="replace").lstrip().partition("\n")[0].strip()
    for layout in LAYOUTS:
        names = [name for name, _ in layout.columns]
        if layout.is_json and line.startswith("{") and all(f'"{name}"' in line for name in names):
            return layout
        if not layout.is_json and [cell.strip().strip('"') for cell in line.split(",")] == names:
            return layout
    return None


_SOUND = f"""coalesce(
    isfinite(arrived_s) AND input_tokens BETWEEN 1 AND {LONGEST_PROMPT} AND output_tokens BETWEEN 0 AND {LONGEST_PROMPT}, false
)"""


def _copy(database: duckdb.DuckDBPyConnection, layout: Layout, path: Path, parquet: Path) -> float:
    """Write all lines that have the right columns; DuckDB keeps the others of a CSV in `reject_errors`.

    Times are written as seconds since the first line; returns the time of that line in seconds, 0 if it has none.
    """
    time = f'"{layout.time}"'
    seconds = f"epoch_us({time}) / 1e6" if layout.seconds_per_unit is None else f"{time} * {layout.seconds_per_unit}"
    seconds = f"CASE WHEN isfinite({time}) THEN {seconds} END"
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in layout.columns)
    if layout.is_json:
        reader = f"read_json(?, format='newline_delimited', columns={{{columns}}}, ignore_errors=true)"
        keeping = reader
    else:
        reader = f"read_csv(?, columns={{{columns}}}, header=true, auto_detect=false, ignore_errors=true)"
        keeping = reader.replace("ignore_errors", "store_rejects")
    line = database.execute(f"SELECT {seconds} FROM {reader} LIMIT 1", [str(path)]).fetchall()
    first = float(line[0][0] or 0.0) if line else 0.0
    database.execute(
        f"""COPY (
            SELECT {seconds} - {first!r} AS arrived_s, "{layout.input}" AS input_tokens, "{layout.output}" AS output_tokens
            FROM {keeping}
        ) TO '{_quoted(parquet)}' (FORMAT parquet)""",
        [str(path)],
    )
    return first


def _unreadable(database: duckdb.DuckDBPyConnection, layout: Layout, file_name: str) -> list[dict[str, object]]:
    """One entry per kind of broken line and column, with the number of lines."""
    if layout.is_json:
        return []
    found = database.execute(
        """SELECT error_type, column_name, count(DISTINCT line), min(line), arg_min(csv_line, line)
           FROM reject_errors GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    entries = []
    for kind, column, n_rows, line, text in found:
        error = RowError("unreadable_line", f"{kind.lower()}: first in line {line}", column=column, value=text)
        key = f"{file_name}: {kind.lower()} {column or ''}".strip()
        entries.append(rejection(layout.name, key, error) | {"n_rows": n_rows})
    return entries


def _check(database: duckdb.DuckDBPyConnection, parquet: Path) -> tuple[int, float, float, int]:
    """Requests that are not sound; and of the sound ones the earliest time, the span in seconds and the number."""
    row = database.execute(
        f"""SELECT count(*) FILTER (NOT {_SOUND}), min(arrived_s) FILTER ({_SOUND}), max(arrived_s) FILTER ({_SOUND}),
                   count(*) FILTER ({_SOUND})
            FROM read_parquet('{_quoted(parquet)}')"""
    ).fetchall()[0]
    unsound, earliest, latest, sound = row
    return unsound, earliest or 0.0, (latest or 0.0) - (earliest or 0.0), sound


def _unsound(
    database: duckdb.DuckDBPyConnection, layout: Layout, file_name: str, parquet: Path, n_rows: int
) -> dict[str, object]:
    """The entry for requests that cannot be; broken lines of JSON show as requests without figures."""
    query = f"SELECT arrived_s, input_tokens, output_tokens FROM read_parquet('{_quoted(parquet)}') WHERE NOT {_SOUND} LIMIT 1"
    reason = "a request needs a time, a prompt of at least one token and an answer of at least none"
    error = RowError("unsound_request", reason, value=database.execute(query).fetchall()[0])
    return rejection(layout.name, f"{file_name}: unsound requests", error) | {"n_rows": n_rows}


def _rewrite(database: duckdb.DuckDBPyConnection, parquet: Path, earliest_s: float) -> None:
    """Leave out what is not sound, and count time from the earliest request where that is not the first line."""
    rewritten = parquet.with_suffix(".rewritten")
    try:
        database.execute(
            f"""COPY (
                SELECT arrived_s - {earliest_s!r} AS arrived_s, input_tokens, output_tokens
                FROM read_parquet('{_quoted(parquet)}') WHERE {_SOUND}
            ) TO '{_quoted(rewritten)}' (FORMAT parquet)"""
        )
        os.replace(rewritten, parquet)  # noqa: PTH105 -- one rename, as above
    finally:
        rewritten.unlink(missing_ok=True)


def _lengths(database: duckdb.DuckDBPyConnection, parquet: Path, column: str) -> dict[str, float]:
    """Mean and exact percentiles of a column of whole numbers, from how often each value occurs."""
    query = f"SELECT {column}, count(*) FROM read_parquet('{_quoted(parquet)}') GROUP BY 1 ORDER BY 1"
    values, counts = database.execute(query).fetchnumpy().values()
    levels = percentiles_of_counts(values, counts, list(LEVELS.values()))
    mean = float(np.dot(values.astype(np.float64), counts) / counts.sum())
    return {f"{column}_mean": mean} | {f"{column}_{q}": level for q, level in zip(LEVELS, levels, strict=True)}


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
