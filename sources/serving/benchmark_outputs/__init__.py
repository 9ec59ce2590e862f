"""Benchmark outputs that users bring: the format is found in the content, and each run becomes one operating point.

`parse` reads one file; `ingest` reads many and builds its frames once. A run that cannot be believed is refused with a
rule and a reason; a body that no format reads raises ValueError in `parse` and is one refused entry in `ingest`.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import polars as pl

from schemas.base import empty, polars_schema
from schemas.quarantine import Parsed
from schemas.serving.benchmark_outputs import BenchmarkRun
from sources.serving.benchmark_outputs import plausibility, same_run
from sources.serving.benchmark_outputs.document import load
from sources.serving.benchmark_outputs.fields import NO_RUN, NoResultError, Point, RowError
from sources.serving.benchmark_outputs.formats import FORMATS, Format, recognise
from sources.serving.benchmark_outputs.operating_points import complete, point_frame, rejection, rejection_frame
from sources.serving.benchmark_outputs.run_meta import RunMeta, read_meta, run_meta, stored_meta

__all__ = [
    "FORMATS",
    "BenchmarkFile",
    "Ingested",
    "RunMeta",
    "detect",
    "ingest",
    "parse",
    "read_meta",
    "run_meta",
    "stored_meta",
]


class BenchmarkFile(NamedTuple):
    """A file to read, with what the user says beside it."""

    name: str
    body: bytes
    meta: RunMeta | None = None


class Ingested(NamedTuple):
    """Runs as published (raw.benchmark_run), records believed (core.operating_point, `record_id`), refused ones (Rejected)."""

    runs: pl.DataFrame
    records: pl.DataFrame
    rejected: pl.DataFrame

    @property
    def accepted(self) -> pl.DataFrame:
        """One row a run (core.operating_point), with the union of what its records know."""
        return same_run.united(self.records.drop("record_id"))


def detect(body: bytes, *, named: str | None = None) -> str | None:
    """Format of a body by its content, such as vllm; None for one that no format reads. Never raises."""
    try:
        return _source(recognise(load(body), named=named))
    except ValueError:
        return None


def parse(body: bytes, *, file_name: str, meta: RunMeta | None) -> Parsed:
    """Operating points of one file and its refused runs.

    `meta`: facts the file lacks, from the user. Raises ValueError for a body that is unreadable or of no known format.
    """
    found = _frames([_read(BenchmarkFile(file_name, body, meta))])
    return Parsed(found.accepted, found.rejected)


def ingest(files: Iterable[BenchmarkFile]) -> Ingested:
    """Read many files into three frames. A file with the content of an earlier one adds nothing; a run that several files
    tell of is one operating point, with the union of what they know, the first of them first.

    A body that is unreadable is one refused entry (rule `unreadable_file`) under its file name, and stops nothing.
    """
    readings: dict[str, _Reading] = {}
    unreadable: dict[str, dict[str, object]] = {}
    for file in files:
        digest = hashlib.sha256(file.body).hexdigest()
        if digest in readings or digest in unreadable:
            continue
        try:
            readings[digest] = _read(file, digest)
        except ValueError as error:
            is_none = isinstance(error, NoResultError)
            rule, severity = ("no_result_file", NO_RUN) if is_none else ("unreadable_file", "invalid")
            refusal = RowError(rule, str(error), severity=severity)
            unreadable[digest] = rejection("benchmark_file", file.name, refusal)
    found = _frames(list(readings.values()))
    return found._replace(rejected=pl.concat([found.rejected, rejection_frame(list(unreadable.values()))]))


class _Reading(NamedTuple):
    runs: list[dict[str, object]]
    points: list[Point]
    refused: list[dict[str, object]]
    ids: dict[str, str]
    is_told: bool


def _read(file: BenchmarkFile, digest: str | None = None) -> _Reading:
    document = load(file.body)
    found = recognise(document, named=file.meta.format if file.meta else None)
    digest = digest or hashlib.sha256(file.body).hexdigest()
    reading = _Reading([], [], [], {}, is_told=file.meta is not None)
    if found.point is None or found.records is None:
        error = RowError("no_run", found.why_not, severity=NO_RUN)
        reading.refused.append(rejection(found.name, file.name, error))
        return reading
    for index, (key, record) in enumerate(found.records(document), start=1):
        record_id = f"{digest[:16]}-{index}"
        base: Point = {"run_id": record_id, "source": _source(found), "file_name": file.name}
        run = base | {"record_id": record_id, "file_sha256": digest, "run_key": key}
        try:
            if record is None:
                raise RowError("not_an_object", "the record is null")
            if isinstance(record, RowError):
                raise record
            run["record_json"] = _as_json(record, found.not_kept)
            reading.runs.append(run)
            stated = found.point(record)
            point = complete(base | stated, file.meta)
        except RowError as error:
            reading.refused.append(rejection(_source(found), f"{file.name}: {key}", error))
        else:
            reading.ids[record_id] = same_run.run_id(stated)
            reading.points.append(point)
    return reading


def _source(found: Format) -> str:
    """Name of a format's tool: tables and texts of one tool are one source."""
    return SOURCES.get(found.name, found.name)


SOURCES = {
    "vllm_sweep": "vllm",
    "aiperf_csv": "aiperf",
    "llama_bench_csv": "llama_bench",
    "mlperf_log": "mlperf",
    "inferencex_csv": "inferencex",
}
"""Formats that are another form of one source."""


def _frames(readings: list[_Reading]) -> Ingested:
    plausible, implausible = plausibility.split(point_frame([point for reading in readings for point in reading.points]))
    points = same_run.named(plausible, {record: run for reading in readings for record, run in reading.ids.items()})
    # Of several records of a run, those that the user spoke of come first: his word counts.
    told = [record for reading in readings if reading.is_told for record in reading.ids]
    points = points.sort(~pl.col("record_id").is_in(told), maintain_order=True)
    runs = [run for reading in readings for run in reading.runs]
    records = pl.DataFrame(runs, schema=polars_schema(BenchmarkRun)) if runs else empty(BenchmarkRun)
    believed = points.select("record_id", believed="run_id")
    return Ingested(
        records.join(believed, on="record_id", how="left", maintain_order="left")
        .with_columns(run_id=pl.coalesce("believed", "record_id"))
        .drop("believed"),
        points,
        pl.concat([rejection_frame([entry for reading in readings for entry in reading.refused]), implausible]),
    )


def _as_json(record: Any, not_kept: frozenset[str]) -> str:
    """The record as JSON without lists of requests and texts; NaN and infinity, which are not JSON, as their names."""
    kept = {key: value for key, value in record.items() if key not in not_kept} if isinstance(record, dict) else record
    try:
        return json.dumps(kept, allow_nan=False, default=str)
    except ValueError:
        return json.dumps(json.loads(json.dumps(kept, default=str), parse_constant=str))
