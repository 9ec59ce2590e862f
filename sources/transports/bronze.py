"""Stored documents: every body ever fetched, named by its hash, and a log of every attempt to fetch one.

`<root>/<source>/<sha256>.zst` is a body as a zstd frame; `<root>/<source>/log.jsonl` has one line per attempt. Both
only grow: nothing is overwritten, so a better parser can read the whole past again.
"""

import fcntl
import os
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import polars as pl
import pyarrow as pa

from schemas.base import polars_schema
from schemas.evidence.provenance import SnapshotLog
from sources.source import Snapshot, check_name, content_hash

Outcome = Literal["new", "unchanged", "not_modified", "unreadable", "failed", "skipped"]
SERVED: tuple[Outcome, ...] = ("new", "unchanged", "not_modified")
"""Outcomes in which the source was seen to serve bytes that could be parsed."""
LIVE = ("http", "registry")
CURRENT = ".current"
"""Folder under the root that says which stored bodies each asset stands for."""


class DamagedBodyError(Exception):
    """A stored body is missing or is not what its name says."""


_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


@dataclass(frozen=True)
class Attempt:
    """One line of the log: what was asked of a source, and what came of it.

    `rung` is what was asked for (see `address_of`), `uri` where the bytes came from. Where nothing came, `sha256` and
    all that describes the bytes is None. `bytes` and `seconds` are sizes and durations in those units.
    """

    source: str
    checked_at: datetime
    rung: str
    transport: str
    uri: str
    outcome: Outcome
    sha256: str | None = None
    bytes: _Count | None = None
    etag: str | None = None
    last_modified: str | None = None
    published_at: datetime | None = None
    package_version: str | None = None
    seconds: float | None = None
    error: str | None = None
    parser_version: _Count = 1


def put(root: Path, source: str, body: bytes) -> str:
    """Keep a body; a second time costs nothing. Returns its SHA-256. A damaged copy is replaced by a whole one."""
    sha256 = content_hash(body)
    path = _body_path(root, source, sha256)
    try:
        get(root, source, sha256)
    except DamagedBodyError:
        _write(path, bytes(pa.Codec("zstd").compress(body, asbytes=True)))
    return sha256


def get(root: Path, source: str, sha256: str) -> bytes:
    """Read a body and check it against its name. Raises DamagedBodyError."""
    path = _body_path(root, source, sha256)
    try:
        with pa.input_stream(path, compression="zstd") as stream:
            body = bytes(stream.read())
    except (OSError, MemoryError, pa.ArrowException) as error:  # a damaged head may announce any size
        raise DamagedBodyError(f"{path}: stored body cannot be read ({error})") from error
    if content_hash(body) != sha256:
        raise DamagedBodyError(f"{path}: stored body does not match its hash")
    return body


def append(root: Path, attempt: Attempt) -> None:
    """Add one line to the log of a source, in one write that reaches the disk before this returns."""
    path = _log_path(root, attempt.source)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = msgspec.json.encode(attempt) + b"\n"
    with path.open("ab+", buffering=0) as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line  # a crash left half a line: do not write onto it
        if file.write(line) != len(line):
            raise OSError(f"{path}: the line was written in part only")
        os.fsync(file.fileno())


def attempts(root: Path, source: str) -> list[Attempt]:
    """All attempts of a source, oldest first. A line torn by a crash is left out."""
    path = _log_path(root, source)
    if not path.exists():
        return []
    decoder = msgspec.json.Decoder(Attempt)
    found: list[Attempt] = []
    for line in path.read_bytes().splitlines():
        try:
            found.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
    return found


def good(log: Sequence[Attempt], *, rung: str | None = None) -> list[Snapshot]:
    """Documents that came from a live transport and could be parsed when last tried, latest served first.

    Of one rung where it is named. Headers and version are as last served, `fetched_at` is the first time, `served_since`
    the first time since the rung served another document. The bodies are left empty: fill them in with `get`.
    """
    first: dict[str, datetime] = {}
    last: dict[str, Attempt] = {}
    since: dict[str, tuple[str, datetime]] = {}
    began: dict[str, datetime] = {}
    for attempt in log:
        if attempt.sha256 is None or attempt.transport not in LIVE:
            continue
        if attempt.outcome == "unreadable":
            last.pop(attempt.sha256, None)
        elif attempt.outcome in SERVED:
            first.setdefault(attempt.sha256, attempt.checked_at)
            if since.get(attempt.rung, ("",))[0] != attempt.sha256:
                since[attempt.rung] = (attempt.sha256, attempt.checked_at)
            began[attempt.sha256] = since[attempt.rung][1]
            if rung in (None, attempt.rung):
                last.pop(attempt.sha256, None)  # so that the dictionary is ordered by the latest time served
                last[attempt.sha256] = attempt
    return [
        Snapshot(
            source=each.source,
            body=b"",
            sha256=sha256,
            served_from="bronze",
            uri=each.uri,
            fetched_at=first[sha256],
            published_at=each.published_at,
            etag=each.etag,
            last_modified=each.last_modified,
            package_version=each.package_version,
            last_checked_at=each.checked_at,
            served_since=began[sha256],
        )
        for sha256, each in reversed(last.items())
    ]


def point(root: Path, name: str, snapshots: Sequence[Snapshot]) -> None:
    """Write down which stored bodies an asset stands for, in one step; the bodies must have been put."""
    content = msgspec.json.encode([replace(snapshot, body=b"") for snapshot in snapshots])
    _write(root / CURRENT / f"{check_name(name)}.json", content)


def pointed(root: Path, name: str) -> list[Snapshot]:
    """The snapshots last written down for an asset, with their bodies.

    Raises FileNotFoundError where none was, DamagedBodyError where a body is gone.
    """
    path = root / CURRENT / f"{check_name(name)}.json"
    found = msgspec.json.decode(path.read_bytes(), type=list[Snapshot])
    return [replace(each, body=get(root, each.source, each.sha256)) for each in found]


def attempt_frame(root: Path) -> pl.DataFrame:
    """All attempts of all sources, oldest first within a source: one column per field of `Attempt`."""
    names = sorted(path.parent.name for path in root.glob("*/log.jsonl"))
    rows = [asdict(attempt) for name in names for attempt in attempts(root, name)]
    text, time = pl.String(), pl.Datetime("us", "UTC")
    other = {
        "checked_at": time,
        "published_at": time,
        "bytes": pl.Int64(),
        "seconds": pl.Float64(),
        "parser_version": pl.Int64(),
    }
    return pl.DataFrame(rows, {name: other.get(name, text) for name in Attempt.__dataclass_fields__})


def snapshot_frame(root: Path) -> pl.DataFrame:
    """Every document by source and hash (contract `SnapshotLog`): when it came first, when it was last served.

    A document that one parser could read and another could not has two rows, one per outcome.
    """
    seen = attempt_frame(root).filter(pl.col("sha256").is_not_null(), pl.col("outcome").is_in([*SERVED, "unreadable"]))
    outcome = pl.when(pl.col("outcome") == "unreadable").then(pl.col("outcome")).otherwise(pl.lit("new"))
    return (
        seen.with_columns(outcome=outcome)
        .group_by("source", "sha256", "outcome", maintain_order=True)
        .agg(
            pl.col("transport", "uri", "bytes").first(),
            fetched_at=pl.col("checked_at").min(),
            last_checked_at=pl.col("checked_at").max(),
            **{
                name: pl.col(name).drop_nulls().last()
                for name in ("published_at", "etag", "last_modified", "package_version", "error")
            },
        )
        .select(list(polars_schema(SnapshotLog)))
        .sort("source", "fetched_at", "sha256", "outcome")
    )


def _log_path(root: Path, source: str) -> Path:
    return root / check_name(source) / "log.jsonl"


def _body_path(root: Path, source: str, sha256: str) -> Path:
    return root / check_name(source) / f"{sha256}.zst"


def _write(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, locked meanwhile, and give it its name when it is whole and on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.{uuid.uuid4().hex}.tmp")
    try:
        with unfinished.open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
