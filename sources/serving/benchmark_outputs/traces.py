"""Request traces: when requests came and how long they were. Read in one pass by DuckDB, written as Parquet.

Azure LLM inference traces of 2023 and 2024 (CSV, dates), BurstGPT with 6 and 8 columns (CSV, seconds; an answer of 0 tokens
is a failure), Mooncake (JSON lines, milliseconds, blocks of 512 tokens), Bailian (JSON lines, seconds, blocks of 16 tokens),
and session traces of Mooncake's form and of LMCache. A trace holds no latency of any system, so it gives a workload and no
operating point. Where prompts come as hashed blocks, a block that an earlier request held is found in a cache without end.
"""

import datetime as dt
import hashlib
import json
import os
import re
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

SNIFFED_BYTES = 1 << 20
"""A first line may hold a whole prompt."""


@dataclass(frozen=True)
class Layout:
    """How one kind of trace is read: SQL types of the columns of a CSV in order, or the JSON keys, and what they mean.

    `identity` are columns or keys that all have to be there, `never` those of another layout. `seconds_per_unit` is None for
    dates. `session` and `block_tokens` are None where prompts are not told apart by session or block.
    """

    name: str
    what: str
    columns: tuple[tuple[str, str], ...]
    is_json: bool
    time: str | None
    input: str
    output: str
    seconds_per_unit: float | None
    identity: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    session: str | None = None
    gap: str | None = None
    block_tokens: int | None = None
    zero_is_failure: bool = False
    input_basis: str = "stated"

    def fits(self, names: frozenset[str] | tuple[str, ...]) -> bool:
        """Whether the columns of a table, in order, or the keys of a line are those of this layout."""
        if not self.is_json:
            return names == tuple(name for name, _ in self.columns)
        return set(self.identity) <= set(names) and not set(self.never) & set(names)


_BURSTGPT = (
    ("Timestamp", "DOUBLE"),
    ("Session ID", "VARCHAR"),
    ("Elapsed time", "DOUBLE"),
    ("Model", "VARCHAR"),
    ("Request tokens", "BIGINT"),
    ("Response tokens", "BIGINT"),
    ("Total tokens", "BIGINT"),
    ("Log Type", "VARCHAR"),
)
_LENGTHS = ("input_length", "output_length")
_PROMPT = (("input_length", "BIGINT"), ("output_length", "BIGINT"), ("hash_ids", "BIGINT[]"))
_CHAT = ("chat_id", "parent_chat_id", "turn")
LAYOUTS = (
    Layout(
        "azure_llm_trace",
        "Azure LLM inference traces of 2023 and 2024",
        (("TIMESTAMP", "TIMESTAMP"), ("ContextTokens", "BIGINT"), ("GeneratedTokens", "BIGINT")),
        False,
        "TIMESTAMP",
        "ContextTokens",
        "GeneratedTokens",
        None,
    ),
    Layout(
        "burstgpt_trace",
        "BurstGPT with 8 columns",
        _BURSTGPT,
        False,
        "Timestamp",
        "Request tokens",
        "Response tokens",
        1.0,
        session='"Session ID"',
        zero_is_failure=True,
    ),
    Layout(
        "burstgpt_trace",
        "BurstGPT with 6 columns, with and without failures",
        (_BURSTGPT[0], *_BURSTGPT[3:]),
        False,
        "Timestamp",
        "Request tokens",
        "Response tokens",
        1.0,
        zero_is_failure=True,
    ),
    Layout(
        "mooncake_trace",
        "Mooncake",
        (("timestamp", "DOUBLE"), *_PROMPT),
        True,
        "timestamp",
        *_LENGTHS,
        1e-3,
        identity=("timestamp", *_LENGTHS, "hash_ids"),
        never=(*_CHAT, "session_id"),
        block_tokens=512,
    ),
    Layout(
        "mooncake_session_trace",
        "session traces of Mooncake's form (AIPerf, Dynamo)",
        (("session_id", "VARCHAR"), ("timestamp", "DOUBLE"), ("delay", "DOUBLE"), *_PROMPT),
        True,
        "timestamp",
        *_LENGTHS,
        1e-3,
        identity=("session_id", *_LENGTHS),
        never=(*_CHAT, "pre_gap"),
        session="session_id",
        gap="delay",
        block_tokens=512,
    ),
    Layout(
        "bailian_trace",
        "Bailian (Qwen) traces",
        (("chat_id", "VARCHAR"), ("parent_chat_id", "VARCHAR"), ("turn", "BIGINT"), ("timestamp", "DOUBLE"), *_PROMPT),
        True,
        "timestamp",
        *_LENGTHS,
        1.0,
        identity=(*_CHAT, "timestamp", *_LENGTHS),
        session="chat_id",
        block_tokens=16,
    ),
    Layout(
        "lmcache_session_trace",
        "LMCache agentic traces: messages, lengths of answers, gaps",
        (("session_id", "VARCHAR"), ("input", "JSON"), ("output_length", "BIGINT"), ("pre_gap", "DOUBLE")),
        True,
        None,
        "input",
        "output_length",
        1.0,
        identity=("session_id", "input", "output_length", "pre_gap"),
        session="session_id",
        gap="pre_gap",
        input_basis="estimated_from_text",
    ),
)
CHARACTERS_PER_TOKEN = 4.0
"""Of English text, the rule of thumb of tokeniser documentation; only where a trace holds texts and no lengths."""
UNIT_OPEN = ("mooncake_trace", "bailian_trace")
"""Layouts that differ in the unit of time: lines with a time and lengths alone could be of either."""


class Trace(NamedTuple):
    """Workload of a trace (one row of core.workload) and its refused lines (Rejected); requests are in the Parquet file."""

    workload: pl.DataFrame
    rejected: pl.DataFrame


def detect_trace(head: bytes, *, named: str | None = None) -> str | None:
    """Layout of a trace by the first bytes of its content; None for anything else.

    A trace that two layouts fit is known by both names, as `a or b`, until the user names one.
    """
    names = _names_of(head)
    fitting = _fitting(names)
    if named is not None and any(layout.name == named for layout in LAYOUTS):
        return named
    if fitting:
        return fitting[0].name
    return " or ".join(UNIT_OPEN) if isinstance(names, frozenset) and {"timestamp", *_LENGTHS} <= names else None


def ingest_trace(path: Path, *, parquet: Path, named: str | None = None) -> Trace:
    """Read a trace of any size, check every request, write the sound ones to `parquet` and describe them.

    `parquet` gets the columns of the contract `RequestTrace` in the order of the file, replaced only when it is complete.
    Percentiles are exact (linear between ranks). Refused lines are counted per rule, each with its first line. A last line
    without end is read as it stands, as published traces end that way: a file cut inside its last figure is not noticed.
    `named` is the layout the user names. Raises ValueError for a layout that is unknown or of which two are possible, a trace
    without a sound request, and times in another unit.
    """
    with path.open("rb") as file:
        layout = _layout(file.read(SNIFFED_BYTES), named)
    unfinished = parquet.with_name(f"{parquet.name}.{uuid.uuid4().hex}.tmp")
    with ThreadPoolExecutor(1) as hasher, duckdb.connect() as database:
        database.execute(f"SET memory_limit = '{MEMORY_LIMIT}'; SET enable_progress_bar = false")
        database.execute("SET temp_directory = ?", [str(parquet.parent)])
        digest = hasher.submit(_sha256, path)
        try:
            first = _copy(database, layout, path, unfinished)
            rejected = _unreadable(database, layout, path.name)
            checked = _check(database, unfinished, layout)
            if checked.unsound:
                rejected.append(_unsound(database, layout, path.name, unfinished, checked.unsound))
            if not checked.sound:
                raise ValueError("the trace holds no sound request")
            if checked.span_s is not None and checked.span_s > LONGEST_SPAN_S:
                raise ValueError(f"the trace spans {checked.span_s:.3g} s: its times are in another unit")
            has_dates, begins_s = layout.seconds_per_unit is None, first + checked.earliest_s
            if has_dates and not 0.0 <= begins_s < LATEST_S:
                raise ValueError("the trace begins before 1970 or after 2100: its dates are wrong")
            if checked.unsound or checked.failed or checked.earliest_s:
                _rewrite(database, unfinished, checked.earliest_s, layout)
            lengths = {kind: _lengths(database, unfinished, f"{kind}_tokens") for kind in ("input", "output")}
            sessions = _sessions(database, unfinished, layout)
            trace_id = digest.result()[:16]
            os.replace(unfinished, parquet)  # noqa: PTH105 -- one rename, replacing an older file
        finally:
            unfinished.unlink(missing_ok=True)
    workload = {
        "trace_id": trace_id,
        "source": layout.name,
        "file_name": path.name,
        "started_at": EPOCH + dt.timedelta(seconds=begins_s) if has_dates else None,
        "arrival_basis": checked.arrival_basis,
        "duration_s": checked.span_s,
        "n_requests": checked.sound,
        "n_failed": checked.failed if layout.zero_is_failure else None,
        "requests_per_s": checked.sound / checked.span_s if checked.span_s and checked.timed == checked.sound else None,
        "input_tokens_basis": layout.input_basis,
        **lengths["input"],
        **lengths["output"],
        **sessions,
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


class _Checked(NamedTuple):
    unsound: int
    failed: int
    sound: int
    timed: int
    earliest_s: float
    span_s: float | None

    @property
    def arrival_basis(self) -> str:
        """What the trace tells of when requests came."""
        return "stated" if self.timed == self.sound else "session_starts" if self.timed else "gaps"


def _names_of(head: bytes) -> frozenset[str] | tuple[str, ...]:
    """Columns of a table in order, or the keys of the first line that is a JSON object."""
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    line = text.partition("\n")[0].strip()
    if not line.startswith("{"):
        return tuple(cell.strip().strip('"') for cell in line.split(","))
    try:
        keys = json.loads(line)
    except (ValueError, RecursionError):
        keys = re.findall(r'"(\w+)"\s*:', line)
    return frozenset(keys) if isinstance(keys, dict | list) else frozenset()


def _fitting(names: frozenset[str] | tuple[str, ...]) -> list[Layout]:
    return [layout for layout in LAYOUTS if layout.is_json == isinstance(names, frozenset) and layout.fits(names)]


def _layout(head: bytes, named: str | None) -> Layout:
    names = _names_of(head)
    fitting = _fitting(names)
    if named is not None:
        asked = [layout for layout in LAYOUTS if layout.name == named and layout.is_json == isinstance(names, frozenset)]
        fitting = [layout for layout in asked if layout in fitting or _has_lengths(layout, names)]
        if not fitting:
            raise ValueError(f"the trace is not a {named}: its columns or keys are {', '.join(sorted(names))}")
    if not fitting:
        if isinstance(names, frozenset) and {"timestamp", *_LENGTHS} <= names:
            raise ValueError(
                f"the trace may be a {UNIT_OPEN[0]} (milliseconds) or a {UNIT_OPEN[1]} (seconds): say which by --format or "
                "`format:` in its metadata"
            )
        raise ValueError("no known trace layout")
    return fitting[0]


def _has_lengths(layout: Layout, names: frozenset[str] | tuple[str, ...]) -> bool:
    """Whether a line has what a named layout needs at least: a time and both lengths."""
    return layout.is_json and {layout.time, layout.input, layout.output} <= set(names)


_SOUND = f"""coalesce(
    coalesce(isfinite(arrived_s), gap_s >= 0)
    AND input_tokens BETWEEN 1 AND {LONGEST_PROMPT} AND output_tokens BETWEEN 0 AND {LONGEST_PROMPT}, false
)"""
_NO_TURN = "NULL::INTEGER AS turn, NULL::DOUBLE AS gap_s, NULL::BIGINT AS cached_input_tokens"


def _sound(layout: Layout) -> str:
    """Which requests are sound and answered."""
    return f"({_SOUND} AND output_tokens > 0)" if layout.zero_is_failure else _SOUND


def _copy(database: duckdb.DuckDBPyConnection, layout: Layout, path: Path, parquet: Path) -> float:
    """Write all lines that have the right columns; DuckDB keeps the others of a CSV in `reject_errors`.

    Times are written as seconds since the first line; returns the time of that line in seconds, 0 if it has none.
    """
    time = f'"{layout.time}"' if layout.time else "0.0"
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
    if layout.is_json:
        database.execute(f"CREATE TABLE lines AS SELECT *, {seconds} - {first!r} AS at_s FROM {keeping}", [str(path)])
        selected, parameters = _of_sessions(database, layout), []
    else:
        session = f"{layout.session or 'NULL::VARCHAR'} AS session_id, {_NO_TURN}"
        selected = f"""SELECT {seconds} - {first!r} AS arrived_s, "{layout.input}" AS input_tokens,
            "{layout.output}" AS output_tokens, {session} FROM {keeping}"""
        parameters = [str(path)]
    database.execute(f"COPY ({selected}) TO '{_quoted(parquet)}' (FORMAT parquet)", parameters)
    return first


def _of_sessions(database: duckdb.DuckDBPyConnection, layout: Layout) -> str:
    """The query of the requests of `lines`, each with its session, its turn and the tokens of its prompt seen before."""
    names = [name for name, _ in layout.columns]
    if "parent_chat_id" in names:
        # The first chat of a session is one whose parent is not in the trace; UNION without ALL ends on any circle.
        database.execute(
            """CREATE TABLE roots AS WITH RECURSIVE chain AS (
                SELECT DISTINCT chat_id, chat_id AS root FROM lines WHERE parent_chat_id NOT IN (SELECT chat_id FROM lines
                WHERE chat_id IS NOT NULL)
                UNION SELECT lines.chat_id, chain.root FROM lines JOIN chain ON lines.parent_chat_id = chain.chat_id
            ) SELECT chat_id, min(root) AS root FROM chain GROUP BY chat_id"""
        )
        session, joined = "coalesce(roots.root, lines.chat_id)", "LEFT JOIN roots USING (chat_id)"
    else:
        session, joined = layout.session or "NULL::VARCHAR", ""
    tokens = '"input_length"'
    if layout.input_basis == "estimated_from_text":
        text = "list_sum(list_transform(json_extract_string(input, '$[*].content'), lambda word: length(word)))"
        tokens = f"ceil({text} / {CHARACTERS_PER_TOKEN})::BIGINT"
    if "hash_ids" in names:
        database.execute(
            f"""CREATE TABLE seen AS WITH blocks AS (SELECT rowid AS place, unnest(hash_ids) AS block FROM lines),
                firsts AS (SELECT block, min(place) AS first_place FROM blocks GROUP BY block)
                SELECT place, count(*) FILTER (first_place < place) * {layout.block_tokens} AS cached
                FROM blocks JOIN firsts USING (block) GROUP BY place"""
        )
        cached = f"CASE WHEN seen.cached IS NOT NULL THEN least(seen.cached, {tokens}) END"
        joined += " LEFT JOIN seen ON seen.place = lines.rowid"
    elif layout.input_basis == "estimated_from_text":
        cached = f"least(coalesce(lag({tokens}) OVER one, 0), {tokens})"
    else:
        cached = "NULL::BIGINT"
    gap = f"lines.{layout.gap} * {layout.seconds_per_unit}" if layout.gap else "NULL::DOUBLE"
    arrived = "lines.at_s" if layout.time else "NULL::DOUBLE"
    turn = "lines.turn::INTEGER" if "turn" in names else "(row_number() OVER one)::INTEGER"
    is_session = session != "NULL::VARCHAR"
    return f"""SELECT {arrived}::DOUBLE AS arrived_s, {tokens} AS input_tokens, "{layout.output}" AS output_tokens,
        {session} AS session_id, {turn if is_session else "NULL::INTEGER"} AS turn, {gap} AS gap_s,
        {cached} AS cached_input_tokens
        FROM lines {joined} WINDOW one AS (PARTITION BY {session} ORDER BY lines.rowid) ORDER BY lines.rowid"""


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


def _check(database: duckdb.DuckDBPyConnection, parquet: Path, layout: Layout) -> _Checked:
    """Requests that are not sound, that failed and that are sound; of these the earliest time and the span in seconds."""
    sound = _sound(layout)
    row = database.execute(
        f"""SELECT count(*) FILTER (NOT {_SOUND}), count(*) FILTER ({_SOUND} AND NOT {sound}), count(*) FILTER ({sound}),
                   count(arrived_s) FILTER ({sound}), min(arrived_s) FILTER ({sound}), max(arrived_s) FILTER ({sound})
            FROM read_parquet('{_quoted(parquet)}')"""
    ).fetchall()[0]
    unsound, failed, n_requests, timed, earliest, latest = row
    span_s = None if earliest is None else latest - earliest
    return _Checked(unsound, failed, n_requests, timed, earliest or 0.0, span_s)


def _unsound(
    database: duckdb.DuckDBPyConnection, layout: Layout, file_name: str, parquet: Path, n_rows: int
) -> dict[str, object]:
    """The entry for requests that cannot be; broken lines of JSON show as requests without figures."""
    query = f"SELECT arrived_s, input_tokens, output_tokens FROM read_parquet('{_quoted(parquet)}') WHERE NOT {_SOUND} LIMIT 1"
    reason = "a request needs a time, a prompt of at least one token and an answer of at least none"
    error = RowError("unsound_request", reason, value=database.execute(query).fetchall()[0])
    return rejection(layout.name, f"{file_name}: unsound requests", error) | {"n_rows": n_rows}


def _rewrite(database: duckdb.DuckDBPyConnection, parquet: Path, earliest_s: float, layout: Layout) -> None:
    """Leave out what is not sound or failed, and count time from the earliest request where that is not the first line."""
    rewritten = parquet.with_suffix(".rewritten")
    try:
        database.execute(
            f"""COPY (
                SELECT * REPLACE (arrived_s - {earliest_s!r} AS arrived_s)
                FROM read_parquet('{_quoted(parquet)}') WHERE {_sound(layout)}
            ) TO '{_quoted(rewritten)}' (FORMAT parquet)"""
        )
        os.replace(rewritten, parquet)  # noqa: PTH105 -- one rename, as above
    finally:
        rewritten.unlink(missing_ok=True)


def _sessions(database: duckdb.DuckDBPyConnection, parquet: Path, layout: Layout) -> dict[str, float | None]:
    """Sessions, their turns, and the share of prompt tokens that a cache without end would have held; NULL where not told."""
    if layout.session is None and layout.block_tokens is None:
        return {}
    row = database.execute(
        f"""SELECT count(DISTINCT session_id), count(session_id), sum(cached_input_tokens),
                   sum(input_tokens) FILTER (cached_input_tokens IS NOT NULL)
            FROM read_parquet('{_quoted(parquet)}')"""
    ).fetchall()[0]
    sessions, in_sessions, cached, prompts = row
    return {
        "n_sessions": sessions or None,
        "turns_mean": in_sessions / sessions if sessions else None,
        "prefix_hit_rate": float(cached) / float(prompts) if prompts else None,
    }


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
