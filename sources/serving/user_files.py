"""The user's own benchmark files and request traces: examined when they come, then kept for every later refresh.

Bytes are kept by content like any other document (`<bronze>/user_files/<sha256>.zst`, traces under `user_traces`, step times
of a GPU under `user_step_times`), with one line in the log each time they come. The same bytes under another name are the same
file, under its latest name. What the user says beside a file is kept likewise under `user_file_meta`: what was said last
counts, and a file that comes again without a word keeps what was said before. A file of which nothing is believed is not kept.
A run that the user takes back is marked in the log of `user_forgotten`; its bytes stay, and bringing it again undoes the mark.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import polars as pl

from sources.json_document import check_json
from sources.regular_file import is_folder, read_regular, shown_name
from sources.serving import measured_steps as step_times
from sources.serving.benchmark_outputs import BenchmarkFile, RunMeta, detect, ingest, read_meta, run_meta, stored_meta
from sources.serving.benchmark_outputs.document import unpacked
from sources.serving.benchmark_outputs.fields import NO_RUN
from sources.serving.benchmark_outputs.traces import SNIFFED_BYTES, detect_trace, ingest_trace
from sources.source import Snapshot, content_hash
from sources.transports import bronze
from sources.transports.bronze import Attempt

FILES, TRACES, STEPS, META = "user_files", "user_traces", "user_step_times", "user_file_meta"
FORGOTTEN = "user_forgotten"
META_ENDING = ".meta.yaml"
WARNED = ("requests failed", "not believed", "ended early", "more tokens came", "not a finite number", "is not read")
"""Words of the notes that are said at ingest."""

_BATCH_FILES = 200
_BATCH_BYTES = 64_000_000
_META_BYTES = 1_000_000
ANYTHING = (Exception, pl.exceptions.PanicException)
"""What a parser may stumble with over a foreign file, whatever its libraries raise: no file may stop the others."""


@dataclass(frozen=True)
class TakenIn:
    """What came of one file. `rows` are believed runs, or requests of a trace; a file without any is refused or passed over.

    `sha256` is of the file, `meta_sha256` of what was said of it this time, None where nothing was. `runs` are the ids of its
    runs; `unpriced` counts those that lack their GPUs or a rate; `warnings` are what a reader must know of them. `refusal` says
    why rows, or the whole file, were not believed. A file that `holds_no_run` is none of a run: it is passed over.
    """

    path: Path
    format: str | None = None
    sha256: str | None = None
    meta_sha256: str | None = None
    is_new: bool = False
    rows: int = 0
    rows_refused: int = 0
    runs: tuple[str, ...] = ()
    unpriced: int = 0
    warnings: tuple[str, ...] = ()
    refusal: str | None = None
    holds_no_run: bool = False

    @property
    def is_accepted(self) -> bool:
        """Whether the file is kept."""
        return self.rows > 0


@dataclass(frozen=True)
class _Read:
    """A file with its bytes and what was said of it, or why it could not be read."""

    path: Path
    body: bytes
    sha256: str
    meta: RunMeta | None
    refusal: str | None = None

    @cached_property
    def head(self) -> bytes:
        """First bytes of the content, unpacked."""
        try:
            return unpacked(self.body, most=SNIFFED_BYTES)[:SNIFFED_BYTES]
        except ValueError:
            return b""

    @cached_property
    def kept_under(self) -> str:
        """Where a file of its kind is kept."""
        if detect_trace(self.head, named=self.meta.format if self.meta else None) is not None:
            return TRACES
        return STEPS if step_times.recognises(self.head) else FILES


class Requests(NamedTuple):
    """A trace as tables: its requests (contract `RequestTrace`), its workload (core.workload) and refused lines."""

    requests: pl.DataFrame
    workload: pl.DataFrame
    rejected: pl.DataFrame


def files_under(paths: Iterable[Path]) -> list[Path]:
    """Files to take in: those named and those in folders, at any depth. Hidden ones and metadata beside a file are left out."""
    found: dict[Path, None] = {}
    for path in paths:
        for file in sorted(path.rglob("*")) if is_folder(path) else [path]:
            is_hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
            if not is_hidden and not is_folder(file) and not os.path.lexists(_described_by(file)):
                found[file] = None
    return list(found)


def meta_beside(path: Path) -> Path:
    """Where the user may describe a file: `NAME.meta.yaml` in the same folder."""
    return path.with_name(path.name + META_ENDING)


def take_in(paths: Iterable[Path], *, bronze_root: Path, said: Mapping[str, Any], now: datetime) -> Iterator[TakenIn]:
    """Examine files and keep each of which at least one row is believed. Yields what came of them, in their order.

    `said` are facts by the names of `RunMeta`, true of every file; they come before those beside a file. `now` dates the log.
    Raises ValueError where `said` itself is wrong, OSError where the store cannot be written, nothing because of a file.
    """
    run_meta(said)
    known = {attempt.sha256 for source in (FILES, TRACES, STEPS) for attempt in bronze.attempts(bronze_root, source)}
    before, _ = said_before(bronze_root)
    gone = forgotten(bronze_root)
    for batch in _batches(paths, said):
        verdicts = _examined(batch, before)
        for file in batch:
            result = replace(verdicts[file.path], is_new=file.sha256 not in known)
            if result.is_accepted:
                for run in gone.intersection(result.runs):
                    _mark(bronze_root, run, is_forgotten=False, now=now)
                _keep(bronze_root, file, is_new=result.is_new, now=now)
                known.add(file.sha256)
                if file.meta is not None and file.kept_under != STEPS and file.meta != before.get(file.sha256):
                    _keep_meta(bronze_root, file, file.meta, now=now)
                    before[file.sha256] = file.meta
            yield result


def stored(bronze_root: Path, source: str) -> tuple[list[Snapshot], list[str]]:
    """Every file kept under `source` with its bytes, in the order they first came, and a line for each damaged one.

    `uri` is the latest name of the file.
    """
    kept: dict[str, Snapshot] = {}
    for each in bronze.attempts(bronze_root, source):
        if each.sha256 is None:
            continue
        first = kept[each.sha256].fetched_at if each.sha256 in kept else each.checked_at
        kept[each.sha256] = Snapshot(
            source=source,
            body=b"",
            sha256=each.sha256,
            served_from="file",
            uri=each.uri,
            fetched_at=first,
            last_checked_at=each.checked_at,
        )
    whole, damaged = [], []
    for sha256, snapshot in kept.items():
        try:
            whole.append(replace(snapshot, body=bronze.get(bronze_root, source, sha256)))
        except bronze.DamagedBodyError as error:
            damaged.append(f"{snapshot.uri}: {error}; bring the file again")
    return whole, damaged


def forget(bronze_root: Path, ids: Iterable[str], *, now: datetime) -> None:
    """Mark runs and traces as taken back. Their bytes stay; no table reads them until they are brought again."""
    for each in ids:
        _mark(bronze_root, each, is_forgotten=True, now=now)


def forgotten(bronze_root: Path) -> frozenset[str]:
    """Ids of the runs and traces that the user took back."""
    latest = {each.rung: each.outcome for each in bronze.attempts(bronze_root, FORGOTTEN)}
    return frozenset(run for run, outcome in latest.items() if outcome == "skipped")


def said_before(bronze_root: Path) -> tuple[dict[str, RunMeta], list[str]]:
    """What the user last said of each file, by its hash, and a line for each word that can no longer be read."""
    latest = {each.rung: each for each in bronze.attempts(bronze_root, META)}
    said, lost = {}, []
    for sha256, attempt in latest.items():
        try:
            said[sha256] = stored_meta(bronze.get(bronze_root, META, attempt.sha256 or ""))
        except (bronze.DamagedBodyError, ValueError) as error:
            lost.append(f"{attempt.uri}: {error}; say it again")
    return said, lost


def read_trace(name: str, body: bytes, meta: RunMeta | None = None) -> Requests:
    """Requests, workload and refused lines of a trace, packed or not. Raises ValueError for one without a sound request."""
    with tempfile.TemporaryDirectory(prefix="iecon-trace-") as folder:
        # Under a plain name: DuckDB would read a `*` in the name as a pattern and `.gz` as compressed.
        file, parquet = Path(folder) / "trace", Path(folder) / "requests.parquet"
        file.write_bytes(unpacked(body))
        trace = ingest_trace(file, parquet=parquet, named=meta.format if meta else None)
        named = pl.lit(name).alias("file_name")
        keys = pl.col("row_key").str.replace(file.name, name, literal=True)
        return Requests(pl.read_parquet(parquet), trace.workload.with_columns(named), trace.rejected.with_columns(row_key=keys))


def _described_by(path: Path) -> Path:
    """The file that a `NAME.meta.yaml` describes; for any other file a name that cannot exist."""
    name = path.name.removesuffix(META_ENDING) if path.name.endswith(META_ENDING) else ""
    return path.with_name(name) if name else path / "none"


def _meta(path: Path, said: Mapping[str, Any]) -> RunMeta | None:
    """Facts about a file from beside it and from the caller, who comes first; None where neither says anything."""
    beside = meta_beside(path)
    if not os.path.lexists(beside):
        return run_meta(said) if said else None
    said_beside = read_meta(read_regular(beside, most_bytes=_META_BYTES))
    facts = {name: fact for name, fact in msgspec.structs.asdict(said_beside).items() if fact is not None}
    return run_meta(facts | dict(said))


def _batches(paths: Iterable[Path], said: Mapping[str, Any]) -> Iterator[list[_Read]]:
    """Files as read, some at a time, as building frames costs far more than a small file; never one content twice."""
    batch: list[_Read] = []
    for path in paths:
        file = _read(path, said)
        if batch and (
            len(batch) == _BATCH_FILES
            or sum(len(each.body) for each in batch) > _BATCH_BYTES
            or any(each.sha256 == file.sha256 for each in batch)
        ):
            yield batch
            batch = []
        batch.append(file)
    if batch:
        yield batch


def _read(path: Path, said: Mapping[str, Any]) -> _Read:
    try:
        body = read_regular(path)
        if path.name.endswith(META_ENDING):
            raise ValueError(_describes_nothing(path))
        if detect_trace(body[:SNIFFED_BYTES]) is None:  # a trace is read line by line, however long it is
            check_json(unpacked(body))
        return _Read(path, body, content_hash(body), _meta(path, said))
    except ANYTHING as error:
        # What a user wrote beside a file is foreign too.
        return _Read(path, b"", "", None, _line(error))


def _describes_nothing(path: Path) -> str:
    """Why metadata has no file, and the name it should have where only the ending of its file is missing."""
    name = path.name.removesuffix(META_ENDING)
    told = f"describes {name}, which is not beside it"
    meant = [file.name for file in sorted(path.parent.glob("*")) if file.stem == name and file.is_file()]
    return "; ".join([told, *(f"{file} is described by {file}{META_ENDING}" for file in meant)])


def _examined(batch: Sequence[_Read], before: Mapping[str, RunMeta]) -> dict[Path, TakenIn]:
    """What came of each file of a batch."""
    verdicts = {file.path: TakenIn(file.path, refusal=file.refusal) for file in batch if file.refusal}
    readable = [file for file in batch if not file.refusal]
    for file in readable:
        if file.kept_under != FILES:
            try:
                verdicts[file.path] = _judged(file, file.meta or before.get(file.sha256))
            except ANYTHING as error:
                # The file is foreign, so a parser can stumble anywhere in it, with whatever its libraries raise.
                verdicts[file.path] = TakenIn(file.path, sha256=file.sha256, refusal=_line(error))
    runs = [file for file in readable if file.kept_under == FILES]
    try:
        # By its hash a file is told from another of its name.
        found = ingest(BenchmarkFile(file.sha256, file.body, file.meta or before.get(file.sha256)) for file in runs)
    except ANYTHING as error:
        if len(runs) == 1:
            return verdicts | {runs[0].path: TakenIn(runs[0].path, sha256=runs[0].sha256, refusal=_line(error))}
        for file in runs:
            verdicts |= _examined([file], before)
        return verdicts
    points = {str(sha256): part for (sha256,), part in found.records.group_by("file_name")}
    refused = found.rejected.with_columns(sha256=pl.col("row_key").str.slice(0, 64))
    refusals = {str(sha256): part for (sha256,), part in refused.group_by("sha256", maintain_order=True)}
    for file in runs:
        accepted = points.get(file.sha256, found.records.clear())
        rejected = refusals.get(file.sha256, refused.clear())
        meta = file.meta or before.get(file.sha256)
        named = meta.format if meta else None
        verdicts[file.path] = _verdict(file, detect(file.body, named=named), accepted, rejected)
    return verdicts


def _judged(file: _Read, meta: RunMeta | None) -> TakenIn:
    """What came of a trace or of step times."""
    if file.kept_under == STEPS:
        steps = step_times.steps_of_file(file.body, file_name=shown_name(file.path))
        return _verdict(file, step_times.NAME, steps.accepted, steps.rejected)
    trace = read_trace(shown_name(file.path), file.body, meta)
    found = _verdict(file, trace.workload["source"].item(), trace.requests, trace.rejected)
    return replace(found, runs=(trace.workload["trace_id"].item(),))


def _verdict(file: _Read, format_: str | None, rows: pl.DataFrame, rejected: pl.DataFrame) -> TakenIn:
    reasons = rejected.unique("rule", maintain_order=True)["reason"].to_list()
    is_runs = "run_id" in rows.columns
    return TakenIn(
        file.path,
        format_,
        file.sha256,
        None if file.meta is None else content_hash(_as_text(file.meta)),
        rows=rows.height,
        rows_refused=int(rejected["n_rows"].sum()),
        runs=tuple(rows["run_id"].unique(maintain_order=True)) if is_runs else (),
        unpriced=int((~rows["priceable"]).sum()) if is_runs else 0,
        warnings=_warnings(rows) if is_runs else (),
        refusal="; ".join(reasons) or (None if rows.height else "the file holds no run"),
        holds_no_run=rows.is_empty() and not rejected.is_empty() and bool((rejected["severity"] == NO_RUN).all()),
    )


def _warnings(runs: pl.DataFrame) -> tuple[str, ...]:
    """What stands in the notes of runs that lost requests, and of figures that were not believed."""
    notes = runs["notes"].drop_nulls().str.split("; ").explode().unique(maintain_order=True)
    return tuple(note for note in notes if any(word in note for word in WARNED))


def _keep(root: Path, file: _Read, *, is_new: bool, now: datetime) -> None:
    name = shown_name(file.path)
    _store(root, file.kept_under, file.body, rung=name, name=name, is_new=is_new, now=now)


def _keep_meta(root: Path, file: _Read, meta: RunMeta, *, now: datetime) -> None:
    _store(root, META, _as_text(meta), rung=file.sha256, name=shown_name(meta_beside(file.path)), is_new=True, now=now)


def _store(root: Path, source: str, body: bytes, *, rung: str, name: str, is_new: bool, now: datetime) -> None:
    sha256 = bronze.put(root, source, body)
    attempt = Attempt(
        source=source,
        checked_at=now,
        rung=rung,
        transport="file",
        uri=name,
        outcome="new" if is_new else "unchanged",
        sha256=sha256,
        bytes=len(body),
    )
    bronze.append(root, attempt)


def _mark(root: Path, run_id: str, *, is_forgotten: bool, now: datetime) -> None:
    outcome: bronze.Outcome = "skipped" if is_forgotten else "unchanged"
    mark = Attempt(source=FORGOTTEN, checked_at=now, rung=run_id, transport="file", uri=run_id, outcome=outcome)
    bronze.append(root, mark)


def _as_text(meta: RunMeta) -> bytes:
    """Metadata as JSON, which is YAML too."""
    return msgspec.json.encode(meta)


def _line(error: BaseException) -> str:
    name = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
    return " ".join(f"{name}{error}".split())[:500]
