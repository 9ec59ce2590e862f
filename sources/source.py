"""What a source is: a name, a licence, and the ladder of transports its bytes can come from."""

import functools
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar, assert_never

Result = TypeVar("Result")


@dataclass(frozen=True)
class Http:
    """One document over HTTP, by conditional GET."""

    url: str


@dataclass(frozen=True)
class HttpPages:
    """A paged JSON document: `items` of every page in one list; the next page is the URL under `next_link`."""

    url: str
    items: str
    next_link: str


@dataclass(frozen=True)
class HttpVersioned:
    """A document whose URL carries a version: read the version first, then `url` with `{version}` filled in."""

    version_url: str
    url: str


@dataclass(frozen=True)
class Registry:
    """One member of a package's wheel, downloaded by the package client and never installed."""

    package: str
    member: str


@dataclass(frozen=True)
class Installed:
    """A document inside an installed dependency.

    `as_of` is the release date of the oldest version our requirements allow: the bytes are at least as young as that.
    """

    package: str
    read: Callable[[], bytes]
    as_of: datetime | None = None


@dataclass(frozen=True)
class Seed:
    """A small dated file shipped with this project."""

    path: Path
    as_of: datetime


LiveRung = Http | HttpPages | HttpVersioned | Registry
FloorRung = Installed | Seed

_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")


def check_name(name: str) -> str:
    """Return a source or asset name that is safe as a folder name. Raises ValueError for any other."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no source name: use small letters, digits and underscores")
    return name


@dataclass(frozen=True)
class Source:
    """A publisher of one document, with the transports to try in order. The last stored body comes before the floor.

    Raise `parser_version` with every change of the parser that reads the bytes otherwise; the log keeps it. A source that is
    `opt_in` is never asked over the network until a user lists it under `enabled`: its publisher documents no such use.
    """

    name: str
    title: str
    homepage: str
    licence: str
    live: tuple[LiveRung, ...]
    floor: tuple[FloorRung, ...] = ()
    fresh_for: timedelta = timedelta(days=2)
    parser_version: int = 1
    opt_in: bool = False

    def __post_init__(self) -> None:
        check_name(self.name)


@dataclass(frozen=True)
class Snapshot:
    """The bytes of one source as they stood at one time, and how they were had.

    `served_from` is http, registry, bronze, installed or seed. `fetched_at` is when these bytes first arrived,
    `last_checked_at` the latest time the source was seen to serve them, `served_since` the first time of those in a row:
    a document that was gone for a while and came back is as young as its return.
    """

    source: str
    body: bytes
    sha256: str
    served_from: str
    uri: str
    fetched_at: datetime
    published_at: datetime | None = None
    etag: str | None = None
    last_modified: str | None = None
    package_version: str | None = None
    last_checked_at: datetime | None = None
    served_since: datetime | None = None

    @property
    def seen_on(self) -> date:
        """Day of the document: when it was published, else when the source began to serve it."""
        return (self.published_at or self.served_since or self.fetched_at).date()

    @property
    def evidence_on(self) -> date:
        """Latest day on which the publisher is known to have said this: a package says it on its release only."""
        return (self.published_at or self.last_checked_at or self.fetched_at).date()


def content_hash(body: bytes) -> str:
    """SHA-256 of a document in hexadecimal: the name under which it is kept."""
    return hashlib.sha256(body).hexdigest()


def refuses_in_words(parse: Callable[[Snapshot], Result]) -> Callable[[Snapshot], Result]:
    """Let a parser refuse a document by one kind of error only: ValueError, which names the source."""

    @functools.wraps(parse)
    def read(snapshot: Snapshot) -> Result:
        try:
            return parse(snapshot)
        except Exception as error:
            # Any: the document is foreign, so a parser can stumble anywhere in it, with whatever its libraries raise.
            kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            text = " ".join(f"{kind}{error}".split())[:1_000]
            raise ValueError(text if snapshot.source in text else f"{snapshot.source}: {text}") from error

    return read


def transport_of(rung: LiveRung | FloorRung) -> str:
    """How a rung gets its bytes: http, registry, installed or seed."""
    match rung:
        case Http() | HttpPages() | HttpVersioned():
            return "http"
        case Registry():
            return "registry"
        case Installed():
            return "installed"
        case Seed():
            return "seed"
    assert_never(rung)


def address_of(rung: LiveRung | FloorRung) -> str:
    """What a rung asks for, as one string; stored documents are matched to rungs by it."""
    match rung:
        case Http() | HttpPages() | HttpVersioned():
            return rung.url
        case Registry():
            return f"{rung.package}#{rung.member}"
        case Installed():
            return rung.package
        case Seed():
            return rung.path.name
    assert_never(rung)
