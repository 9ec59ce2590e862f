"""One source, down its ladder of transports: live ones in order, the last stored document, the floor, nothing.

A rung counts only if its bytes parse, so a page of HTML in place of a price list is passed over like a dead server.
Every attempt goes into the log beside the stored bodies.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from urllib.parse import urlsplit, urlunsplit

import polars as pl

from schemas.quarantine import Parsed, reject
from sources.json_document import DoubledKeyError, check_json
from sources.source import (
    FloorRung,
    Http,
    HttpPages,
    HttpVersioned,
    Installed,
    LiveRung,
    Registry,
    Seed,
    Snapshot,
    Source,
    address_of,
    content_hash,
    transport_of,
)
from sources.transports import bronze, paging
from sources.transports import http as transport
from sources.transports import package_registry as registry
from sources.transports.bronze import Attempt, Outcome
from sources.transports.http import Fetched, FetchError, Known, NotModified, Policy, without_login

Parse = Callable[[Snapshot], Parsed]


@dataclass(frozen=True)
class Loaded:
    """What became of one source: its document and rows, where they came from, and every attempt on the way.

    `served_from` is http, registry, bronze, installed, seed or none. `age` is how long ago the evidence is known to
    have stood: zero where the source has just confirmed it, None where there is no evidence or its date is unknown.
    """

    snapshot: Snapshot | None
    parsed: Parsed | None
    served_from: str
    attempts: tuple[Attempt, ...]
    age: timedelta | None

    @property
    def problems(self) -> tuple[str, ...]:
        """One line for every attempt that failed."""
        return tuple(
            f"{each.source}: {each.transport} {each.outcome}: {each.error}"
            for each in self.attempts
            if each.outcome in ("failed", "unreadable")
        )


@dataclass(frozen=True)
class _Refresh:
    """What all rungs of one load share."""

    source: Source
    parse: Parse
    root: Path
    policy: Policy
    now: datetime
    attempts: list[Attempt]

    def log(
        self,
        rung: str,
        transport: str,
        outcome: Outcome,
        *,
        error: str | None = None,
        seconds: float = 0.0,
        snapshot: Snapshot | None = None,
    ) -> None:
        """Add one attempt to the log on disk and to the result."""
        attempt = Attempt(
            source=self.source.name,
            checked_at=self.now,
            rung=rung,
            transport=transport,
            uri=snapshot.uri if snapshot else rung,
            outcome=outcome,
            sha256=snapshot.sha256 if snapshot else None,
            bytes=len(snapshot.body) if snapshot else None,
            etag=snapshot.etag if snapshot else None,
            last_modified=snapshot.last_modified if snapshot else None,
            published_at=snapshot.published_at if snapshot else None,
            package_version=snapshot.package_version if snapshot else None,
            seconds=round(seconds, 3),
            error=error,
            parser_version=self.source.parser_version,
        )
        bronze.append(self.root, attempt)
        self.attempts.append(attempt)


def load(
    source: Source,
    parse: Parse,
    *,
    bronze_root: Path,
    policy: Policy,
    offline: bool,
    now: datetime,
    urls: Mapping[str, str] = MappingProxyType({}),
) -> Loaded:
    """Get the best document of a source that can be parsed now, and keep what was fetched.

    `urls` moves the first HTTP rung of a source, by source name, to another host: `http://mirror/prefix` stands for
    scheme and host of the original. `offline` skips the live rungs. `now` (with time zone) dates the refresh. Raises
    nothing because the world is down or a publisher errs; raises OSError where the store cannot be written.
    """
    if now.tzinfo is None:
        raise ValueError("now must carry its time zone")
    refresh = _Refresh(source, parse, bronze_root, policy, now, [])
    for rung in _moved(source.live, urls.get(source.name)):
        if offline:
            refresh.log(without_login(address_of(rung)), transport_of(rung), "skipped", error="offline")
        elif found := _try_live(refresh, rung):
            return _loaded(refresh, *found, age=timedelta(0))
    if found := _try_stored(refresh):
        return _loaded(refresh, *found, age=now - (found[0].last_checked_at or found[0].fetched_at))
    for floor in source.floor:
        if found := _try_floor(refresh, floor):
            return _loaded(refresh, *found, age=now - floor.as_of if floor.as_of else None)
    return Loaded(None, None, "none", tuple(refresh.attempts), None)


def _loaded(refresh: _Refresh, snapshot: Snapshot, parsed: Parsed, *, age: timedelta | None) -> Loaded:
    return Loaded(snapshot, parsed, snapshot.served_from, tuple(refresh.attempts), age)


def _try_live(refresh: _Refresh, rung: LiveRung) -> tuple[Snapshot, Parsed] | None:
    """Ask one live rung; its document and rows, or None where it failed."""
    source, start = refresh.source, perf_counter()
    address, kind = without_login(address_of(rung)), transport_of(rung)
    served = bronze.good(bronze.attempts(refresh.root, source.name), rung=address)
    # The server may answer "unchanged" only where what it last served is still stored whole.
    held = _whole(refresh, served[0]) if served else None
    known = Known(held.etag, held.last_modified, held.package_version) if held else None
    try:
        answer = _fetch(rung, refresh.policy, known)
    except FetchError as error:
        refresh.log(address, kind, "failed", error=str(error), seconds=perf_counter() - start)
        return None
    seconds = perf_counter() - start
    if isinstance(answer, NotModified):
        assert held is not None, "only a document we hold can be unchanged"
        snapshot = replace(held, served_from=kind, last_checked_at=refresh.now)
        outcome: Outcome = "not_modified"
    else:
        sha256 = bronze.put(refresh.root, source.name, answer.body)
        before = {each.sha256: each for each in bronze.good(bronze.attempts(refresh.root, source.name))}
        fetched_at = before[sha256].fetched_at if sha256 in before else refresh.now
        goes_on = bool(served) and served[0].sha256 == sha256
        outcome = "unchanged" if next(iter(before), None) == sha256 else "new"
        snapshot = _snapshot(source, answer.body, kind, answer.uri, fetched_at, refresh.now)
        snapshot = replace(
            snapshot,
            published_at=answer.published_at,
            etag=answer.etag,
            last_modified=answer.last_modified,
            package_version=answer.package_version,
            served_since=served[0].served_since if goes_on else refresh.now,
        )
    return _parsed(refresh, address, kind, outcome, snapshot, seconds)


def _try_floor(refresh: _Refresh, rung: FloorRung) -> tuple[Snapshot, Parsed] | None:
    """Read a rung of the floor. Its bytes are kept too, but never pass for the last good document of the source."""
    source, start = refresh.source, perf_counter()
    address, kind = address_of(rung), transport_of(rung)
    try:
        body = rung.read() if isinstance(rung, Installed) else rung.path.read_bytes()
    except Exception as error:
        # Any: `read` runs another project's code over its own data, in whatever version is installed.
        refresh.log(address, kind, "failed", error=_line(error), seconds=perf_counter() - start)
        return None
    sha256 = bronze.put(refresh.root, source.name, body)
    earlier = (each for each in bronze.attempts(refresh.root, source.name) if each.sha256 == sha256)
    first = next(earlier, None)
    snapshot = _snapshot(source, body, kind, address, first.checked_at if first else refresh.now, refresh.now)
    match rung:
        case Seed():
            snapshot = replace(snapshot, published_at=rung.as_of)
        case Installed():
            snapshot = replace(snapshot, published_at=rung.as_of, package_version=_installed_version(rung.package))
    outcome: Outcome = "unchanged" if first else "new"
    return _parsed(refresh, address, kind, outcome, snapshot, perf_counter() - start)


def _try_stored(refresh: _Refresh) -> tuple[Snapshot, Parsed] | None:
    """The document of a live rung that was served last, is stored whole and can still be parsed."""
    for held in bronze.good(bronze.attempts(refresh.root, refresh.source.name)):
        if snapshot := _whole(refresh, held):
            parsed, error = _try_parse(refresh.parse, snapshot)
            if parsed is not None:
                return snapshot, parsed
            refresh.log(held.sha256, "bronze", "failed", error=error)
    return None


def _whole(refresh: _Refresh, held: Snapshot) -> Snapshot | None:
    """A stored document with its body; None, said in the log, where the body is damaged or missing."""
    try:
        return replace(held, body=bronze.get(refresh.root, held.source, held.sha256))
    except bronze.DamagedBodyError as damage:
        refresh.log(held.sha256, "bronze", "failed", error=str(damage))
        return None


def _parsed(
    refresh: _Refresh, address: str, kind: str, outcome: Outcome, snapshot: Snapshot, seconds: float
) -> tuple[Snapshot, Parsed] | None:
    parsed, error = _try_parse(refresh.parse, snapshot)
    refresh.log(address, kind, outcome if parsed is not None else "unreadable", error=error, seconds=seconds, snapshot=snapshot)
    return None if parsed is None else (snapshot, parsed)


def _try_parse(parse: Parse, snapshot: Snapshot) -> tuple[Parsed | None, str | None]:
    """Rows of a document, or why there are none."""
    doubled = None
    try:
        try:
            check_json(snapshot.body)
        except DoubledKeyError as error:  # said, and no reason to lose the whole document
            doubled = str(error)
        parsed = parse(snapshot)
    except (Exception, pl.exceptions.PanicException) as error:
        # Any: the document is foreign, so a parser can stumble anywhere in it, with whatever its libraries raise.
        return None, _line(error)
    if doubled:
        parsed = Parsed(parsed.accepted, pl.concat([parsed.rejected, _suspect_key(snapshot.source, doubled)]))
    return (parsed, None) if parsed.accepted.height else (None, "no row was accepted")


def _suspect_key(source: str, reason: str) -> pl.DataFrame:
    """A row of quarantine for a document in which a reader takes one of two values."""
    return reject(
        pl.DataFrame({"source": [source]}),
        source=pl.col("source"),
        row_key=pl.lit("document"),
        rule="doubled_key",
        reason=f"{reason}: the last of its values counts",
        severity="suspect",
    )


def _fetch(rung: LiveRung, policy: Policy, known: Known | None) -> Fetched | NotModified:
    match rung:
        case Http():
            return transport.get(rung.url, policy, known=known)
        case HttpPages():
            return paging.get_pages(rung, policy)
        case HttpVersioned():
            return paging.get_versioned(rung, policy, known=known)
        case Registry():
            return registry.get_member(rung, policy, known=known)


def _moved(live: tuple[LiveRung, ...], base: str | None) -> tuple[LiveRung, ...]:
    """The rungs with the first HTTP one moved to another host, path and query kept."""
    if base is None:
        return live

    def move(url: str) -> str:
        _, _, path, query, _ = urlsplit(url)
        return base.rstrip("/") + urlunsplit(("", "", path, query, ""))

    for place, rung in enumerate(live):
        match rung:
            case Http() | HttpPages():
                return (*live[:place], replace(rung, url=move(rung.url)), *live[place + 1 :])
            case HttpVersioned():
                moved = HttpVersioned(move(rung.version_url), move(rung.url))
                return (*live[:place], moved, *live[place + 1 :])
    return live


def _snapshot(source: Source, body: bytes, served_from: str, uri: str, fetched_at: datetime, checked_at: datetime) -> Snapshot:
    return Snapshot(
        source=source.name,
        body=body,
        sha256=content_hash(body),
        served_from=served_from,
        uri=uri,
        fetched_at=fetched_at,
        last_checked_at=checked_at,
    )


def _installed_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]
