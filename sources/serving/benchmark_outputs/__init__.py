"""Benchmark outputs that users bring: the format is found in the content, and each run becomes one operating point.

`parse` reads one file; `ingest` reads many and builds its frames once. A run that cannot be believed is refused with a
rule and a reason; a body that no format reads raises ValueError in `parse` and is one refused entry in `ingest`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import polars as pl

from schemas.base import empty, polars_schema
from schemas.quarantine import Parsed
from schemas.serving.benchmark_outputs import BenchmarkRun
from sources.serving.benchmark_outputs import (
    aiconfigurator,
    aiperf,
    guidellm,
    inference_perf,
    inferencex,
    mlperf,
    plausibility,
    sglang,
    vllm,
)
from sources.serving.benchmark_outputs.document import Document, load
from sources.serving.benchmark_outputs.fields import Point, RowError
from sources.serving.benchmark_outputs.operating_points import complete, point_frame, rejection, rejection_frame
from sources.serving.benchmark_outputs.run_meta import RunMeta, read_meta, run_meta

__all__ = ["BenchmarkFile", "Ingested", "RunMeta", "detect", "ingest", "parse", "read_meta", "run_meta"]


class Format(Protocol):
    """What a module of one format offers."""

    NAME: str
    NOT_KEPT: frozenset[str]

    def recognises(self, document: Document) -> bool:
        """Whether the document is of this format."""

    def records(self, document: Document) -> Iterable[tuple[str, Any]]:
        """Records of the document with their place; a RowError stands for a record that cannot be read."""

    def point(self, record: Any) -> Point:
        """Columns that a record states; RowError for one that is not believed."""


# SGLang's keys include vLLM's, so it is asked first.
FORMATS: tuple[Format, ...] = (
    mlperf,
    guidellm,
    inference_perf,
    aiconfigurator,
    inferencex,
    sglang,
    aiperf,
    vllm,
)


class BenchmarkFile(NamedTuple):
    """A file to read, with what the user says beside it."""

    name: str
    body: bytes
    meta: RunMeta | None = None


class Ingested(NamedTuple):
    """Runs as published (raw.benchmark_run), operating points (core.operating_point) and refused entries (Rejected)."""

    runs: pl.DataFrame
    accepted: pl.DataFrame
    rejected: pl.DataFrame


def detect(body: bytes) -> str | None:
    """Format of a body by its content, such as vllm; None for one that no format reads. Never raises."""
    try:
        found = _format(load(body))
    except ValueError:
        return None
    return found.NAME if found else None


def parse(body: bytes, *, file_name: str, meta: RunMeta | None) -> Parsed:
    """Operating points of one file and its refused runs.

    `meta`: facts the file lacks, from the user. Raises ValueError for a body that is unreadable or of no known format.
    """
    reading = _read(BenchmarkFile(file_name, body, meta))
    _, accepted, rejected = _frames([reading])
    return Parsed(accepted, rejected)


def ingest(files: Iterable[BenchmarkFile]) -> Ingested:
    """Read many files into three frames. A file with the content of an earlier one adds nothing.

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
            unreadable[digest] = rejection("benchmark_file", file.name, RowError("unreadable_file", str(error)))
    runs, accepted, rejected = _frames(list(readings.values()))
    return Ingested(runs, accepted, pl.concat([rejected, rejection_frame(list(unreadable.values()))]))


class _Reading(NamedTuple):
    runs: list[dict[str, object]]
    points: list[Point]
    refused: list[dict[str, object]]


def _format(document: Document) -> Format | None:
    return next((format_ for format_ in FORMATS if format_.recognises(document)), None)


def _read(file: BenchmarkFile, digest: str | None = None) -> _Reading:
    document = load(file.body)
    found = _format(document)
    if found is None:
        raise ValueError("no known benchmark format: neither keys nor header of one were found")
    digest = digest or hashlib.sha256(file.body).hexdigest()
    reading = _Reading([], [], [])
    for index, (key, record) in enumerate(found.records(document), start=1):
        run_id = f"{digest[:16]}-{index}"
        base: Point = {"run_id": run_id, "source": found.NAME, "file_name": file.name}
        if not isinstance(record, RowError):
            text = _as_json(record, found.NOT_KEPT)
            reading.runs.append(base | {"file_sha256": digest, "run_key": key, "record_json": text})
        try:
            if isinstance(record, RowError):
                raise record
            point = complete(base | found.point(record), file.meta)
        except RowError as error:
            reading.refused.append(rejection(found.NAME, f"{file.name}: {key}", error))
        else:
            reading.points.append(point)
    return reading


def _frames(readings: list[_Reading]) -> Ingested:
    def together(part: int) -> Iterator[Any]:
        return (item for reading in readings for item in reading[part])

    plausible, implausible = plausibility.split(point_frame(list(together(1))))
    runs = list(together(0))
    return Ingested(
        pl.DataFrame(runs, schema=polars_schema(BenchmarkRun)) if runs else empty(BenchmarkRun),
        plausible,
        pl.concat([rejection_frame(list(together(2))), implausible]),
    )


def _as_json(record: Any, not_kept: frozenset[str]) -> str:
    """The record as JSON without lists of requests and texts; NaN and infinity, which are not JSON, as their names."""
    kept = {key: value for key, value in record.items() if key not in not_kept} if isinstance(record, dict) else record
    try:
        return json.dumps(kept, allow_nan=False, default=str)
    except ValueError:
        return json.dumps(json.loads(json.dumps(kept, default=str), parse_constant=str))
