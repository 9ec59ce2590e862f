"""Documents over HTTP: one politeness policy for all hosts, and every limit enforced while the bytes arrive."""

import ipaddress
import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.metadata import version
from typing import Any

import httpx2
import stamina

# stamina would print retries to standard output through structlog where that is installed; the error line says enough.
stamina.instrumentation.set_on_retry_hooks([])

PROJECT = "inference-economics"
TRIES = 3
MOST_MEMBERS = 1_000
"""Of a gzip body, which has one. Empty ones are twenty bytes each, and cost time without giving any."""
PIECE_BYTES = 1 << 16
UNREACHABLE_S = 30.0
"""How long a host that could not be reached is left alone."""
REDIRECTS = {301, 302, 303, 307, 308}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses that a gateway turns into the IPv4 address in their last 32 bits (RFC 6052)."""


@dataclass(frozen=True)
class Policy:
    """How politely and how long to ask, the same for all hosts. The deadline and the size cap are per document."""

    contact: str = ""
    """Mail or web address of whoever fetches, put into the User-Agent."""
    min_interval_s: float = 0.5
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 20.0
    deadline_s: float = 120.0
    max_bytes: int = 256_000_000
    max_pages: int = 100
    max_redirects: int = 3
    private_hosts: frozenset[str] = frozenset()
    """Hosts, as written in an address, that may lie in a private network or on this machine."""

    @property
    def user_agent(self) -> str:
        """Name and version of this project, with the contact where one is set."""
        return f"{PROJECT}/{version(PROJECT)}" + (f" (+{self.contact})" if self.contact else "")


class FetchError(Exception):
    """A document could not be had: the address and the rule that stopped it, in one line."""

    def __init__(self, address: str, rule: str) -> None:
        super().__init__(f"{without_login(address)}: {' '.join(rule.split())}")


class _TemporaryError(FetchError):
    """An error that may pass when the same is asked again, after `wait_s` where the server said so."""

    def __init__(self, address: str, rule: str, wait_s: float | None = None) -> None:
        super().__init__(address, rule)
        self.wait_s = wait_s


@dataclass(frozen=True)
class Known:
    """What we hold of a document already: the server may answer that it has not changed."""

    etag: str | None = None
    last_modified: str | None = None
    package_version: str | None = None


@dataclass(frozen=True)
class Fetched:
    """A document as received, decompressed, and what the publisher said about it."""

    body: bytes
    uri: str
    etag: str | None = None
    last_modified: str | None = None
    published_at: datetime | None = None
    package_version: str | None = None


class NotModified:
    """The document we hold is still the current one."""


Ask = Callable[[str, Known], Fetched | NotModified]


def get(url: str, policy: Policy, *, known: Known | None = None, accept: str = "*/*") -> Fetched | NotModified:
    """Get one document, or NotModified where the server says that `known` still stands.

    Raises FetchError.
    """
    with asking(policy, accept) as ask:
        return ask(url, known or Known())


def http_date(text: str | None) -> datetime | None:
    """Parse an HTTP date into UTC; None where it is missing or not one."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except (ValueError, OverflowError):
        return None


def seconds_to_wait(retry_after: str | None) -> float | None:
    """Seconds a Retry-After header asks for, from either of its forms (RFC 9110, 10.2.3); None where there is none."""
    if retry_after is None:
        return None
    if re.fullmatch(r"\d{1,9}", seconds := retry_after.strip(), re.ASCII):
        return float(seconds)
    until = http_date(retry_after)
    return None if until is None else max(0.0, (until - datetime.now(UTC)).total_seconds())


@dataclass(frozen=True)
class _Session:
    """What all requests for one document share."""

    client: httpx2.Client
    policy: Policy
    deadline: float
    trace: Callable[[str, dict[str, Any]], None]

    def left_s(self, url: str) -> float:
        """Seconds until the deadline. Raises FetchError when there are none."""
        left_s = self.deadline - time.monotonic()
        if left_s <= 0:
            raise FetchError(url, f"not finished after {self.policy.deadline_s:g} s")
        return left_s


@contextmanager
def asking(policy: Policy, accept: str = "*/*") -> Iterator[Ask]:
    """Requests for one document: they share a connection, the deadline, and the timer that cuts at the deadline."""
    deadline = time.monotonic() + policy.deadline_s
    headers = {"User-Agent": policy.user_agent, "Accept": accept, "Accept-Encoding": "gzip"}
    with (
        _cut_at(deadline) as trace,
        httpx2.Client(headers=headers, verify=_tls(), follow_redirects=False) as client,
    ):
        session = _Session(client, policy, deadline, trace)

        def may_pass(error: Exception) -> bool | float:
            if not isinstance(error, _TemporaryError):
                return False
            if error.wait_s is None:
                return True
            return error.wait_s < deadline - time.monotonic() and error.wait_s

        def ask(url: str, known: Known) -> Fetched | NotModified:
            for attempt in stamina.retry_context(
                on=may_pass, attempts=TRIES, timeout=None, wait_initial=0.5, wait_max=2.0, wait_jitter=0.5
            ):
                with attempt:
                    return _ask_once(session, url, known)
            raise AssertionError("the loop above returns or raises")

        yield ask


def _ask_once(session: _Session, url: str, known: Known) -> Fetched | NotModified:
    """One try: follow redirects within the host, read the body within the limits."""
    policy = session.policy
    asked = (("If-None-Match", known.etag), ("If-Modified-Since", known.last_modified))
    conditions = {name: value for name, value in asked if value and value.isascii()}
    for _ in range(policy.max_redirects + 1):
        _wait_turn(url, session)
        left_s = session.left_s(url)
        timeout = httpx2.Timeout(min(policy.read_timeout_s, left_s), connect=min(policy.connect_timeout_s, left_s))
        parsed, extensions = _checked(url), {"trace": _only_allowed(url, session)}
        # The login goes into a header at once: the client writes the address it asks into its own log.
        login = (parsed.username, parsed.password) if parsed.userinfo else None
        address = parsed.copy_with(userinfo=b"")
        try:
            with session.client.stream(
                "GET", address, auth=login, headers=conditions, timeout=timeout, extensions=extensions
            ) as answer:
                if answer.status_code in REDIRECTS and "location" in answer.headers:
                    url = same_host(url, answer.headers["location"], "redirect")
                    continue
                if answer.status_code == 304 and conditions:
                    return NotModified()
                _check_status(url, answer)
                body = _decoded(url, answer, _received(url, answer, policy.max_bytes), session)
        except httpx2.HTTPError as error:
            session.left_s(url)  # when the time is up, that is the reason, whatever the cut looked like
            # A name that does not resolve, a port that refuses, a host that does not answer: asking again only costs
            # time on a machine without network. What breaks later is worth another try.
            unreachable = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
            if unreachable:
                _UNREACHABLE_UNTIL[_checked(url).netloc] = time.monotonic() + UNREACHABLE_S
            passing = httpx2.TimeoutException | httpx2.NetworkError | httpx2.RemoteProtocolError
            kind = _TemporaryError if isinstance(error, passing) and not unreachable else FetchError
            raise kind(url, f"{type(error).__name__} ({error})") from error
        session.left_s(url)  # a cut looks like a normal end where the server states no length
        modified = answer.headers.get("last-modified")
        return Fetched(body, without_login(url), answer.headers.get("etag"), modified, http_date(modified))
    raise FetchError(url, f"more than {policy.max_redirects} redirects")


def _only_allowed(url: str, session: _Session) -> Callable[[str, dict[str, Any]], None]:
    """The trace of one request, which stops a connection to an address that is not public, unless its host is listed.

    All addresses of the name are checked before a connection is made, and the one connected to once more before anything
    is sent, as a name may resolve otherwise the second time. A name without address is the client's to report. Behind a
    proxy the connection is to the proxy, which resolves names itself and is the user's own choice.
    """
    host = _checked(url).raw_host.decode("ascii").strip("[]").lower()
    is_listed = host in {each.strip("[]").lower() for each in session.policy.private_hosts}
    direct = False

    def trace(event: str, info: dict[str, Any]) -> None:
        nonlocal direct
        if event.endswith("connect_tcp.started"):
            direct = not is_listed and str(info["host"]).strip("[]").lower() == host
            if direct:
                for address in _addresses(host):
                    _check_public(url, host, address)
        session.trace(event, info)
        if direct and event.endswith("connect_tcp.complete"):
            _check_public(url, host, str(info["return_value"].get_extra_info("server_addr")[0]))

    return trace


def _addresses(host: str) -> list[str]:
    """All addresses of a name; none where it does not resolve."""
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except OSError:
        return []


def _check_public(url: str, host: str, address: str) -> None:
    if not is_public(address):
        where = host if host == address else f"{host} at {address}"
        raise FetchError(url, f"{where} is not a public address; to allow it, add {host} to private_hosts in config.yaml")


def is_public(address: str) -> bool:
    """Whether an IP address lies in the public internet; one that carries an IPv4 address is judged by that."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        carried = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            carried = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if carried is not None:
            return carried.is_global and not carried.is_multicast
    return found.is_global and not found.is_multicast


def _check_status(url: str, answer: httpx2.Response) -> None:
    status = answer.status_code
    if status == 429 or status >= 500:
        wait_s = seconds_to_wait(answer.headers.get("retry-after"))
        asked = "" if wait_s is None else f", asks to wait {wait_s:.0f} s"
        raise _TemporaryError(url, f"HTTP {status}{asked}", wait_s)
    if status != 200:
        raise FetchError(url, f"HTTP {status}")


def _received(url: str, answer: httpx2.Response, max_bytes: int) -> bytes:
    """The body as sent, refused at the first byte beyond the cap."""
    raw = bytearray()
    for chunk in answer.iter_raw():
        raw += chunk
        if len(raw) > max_bytes:
            raise FetchError(url, f"larger than {max_bytes} bytes")
    return bytes(raw)


def _decoded(url: str, answer: httpx2.Response, raw: bytes, session: _Session) -> bytes:
    """The body decompressed. Not by httpx2, which takes a gzip stream that ends early for a whole one."""
    coding = answer.headers.get("content-encoding", "identity").strip().lower()
    if coding == "identity":
        return raw
    if coding not in ("gzip", "x-gzip"):
        raise FetchError(url, f"content encoding {coding!r} was not asked for")
    try:
        return _gunzipped(raw, url, session)
    except (EOFError, zlib.error) as error:
        raise _TemporaryError(url, f"damaged gzip body ({error})") from error


def _gunzipped(raw: bytes, url: str, session: _Session) -> bytes:
    """All members of a gzip stream together, a piece at a time: neither bytes nor time beyond what a document has.

    Not by the standard library's reader, which goes through any number of empty members before it returns.
    """
    most, members, body = session.policy.max_bytes, 0, bytearray()
    rest, at = b"", 0
    while rest or at < len(raw):
        if members == MOST_MEMBERS:
            raise FetchError(url, f"more than {MOST_MEMBERS} gzip members")
        members += 1
        member = zlib.decompressobj(wbits=31)  # with gzip's head and checksum
        while not member.eof:
            session.left_s(url)
            piece = rest or member.unconsumed_tail or raw[at : at + PIECE_BYTES]
            if not (rest or member.unconsumed_tail):
                at += PIECE_BYTES
            rest = b""
            if not piece:
                raise EOFError("it ends before its end is marked")
            body += member.decompress(piece, most + 1 - len(body))
            if len(body) > most:
                raise FetchError(url, f"larger than {most} bytes when decompressed")
        rest = member.unused_data.lstrip(b"\0")  # zeros may pad what follows
    return bytes(body)


@contextmanager
def _cut_at(deadline: float) -> Iterator[Callable[[str, dict[str, Any]], None]]:
    """Shut down all connections at the deadline, whatever they are doing; yields the trace that learns of them.

    A read timeout alone is not enough: a server that sends one header byte now and then never runs into it.
    """
    sockets: list[socket.socket] = []

    def cut() -> None:
        for each in sockets:
            with suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)  # below TLS, which another thread may be reading

    def trace(event: str, info: dict[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            sockets.append(info["return_value"].get_extra_info("socket"))
            if time.monotonic() >= deadline:
                cut()

    timer = threading.Timer(deadline - time.monotonic() + 0.01, cut)  # never early: what it cuts must count as late
    timer.daemon = True
    timer.start()
    try:
        yield trace
    finally:
        timer.cancel()


_TURNS = threading.Lock()
_FREE_AT: dict[str, float] = {}
"""When each host may next be asked, on the monotonic clock, for all threads of this process."""
_UNREACHABLE_UNTIL: dict[bytes, float] = {}
"""Hosts, with port, that a try did not reach: their other documents fail at once, so that no network costs no time."""


def _wait_turn(url: str, session: _Session) -> None:
    host = _checked(url).host
    if time.monotonic() < _UNREACHABLE_UNTIL.get(_checked(url).netloc, 0.0):
        raise FetchError(url, f"{host} could not be reached a moment ago")
    with _TURNS:
        now = time.monotonic()
        turn = max(now, _FREE_AT.get(host, now))
        if turn > session.deadline:
            raise FetchError(url, f"its turn at {host} comes after the {session.policy.deadline_s:g} s allowed")
        _FREE_AT[host] = turn + session.policy.min_interval_s
    time.sleep(turn - now)


def _checked(url: str) -> httpx2.URL:
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise FetchError(url, f"not an address ({error})") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise FetchError(url, "only http and https are fetched")
    return parsed


def same_host(url: str, link: str, what: str) -> str:
    """The address a link leads to, which must be on the same host; http may become https."""
    here = _checked(url)
    try:
        there = _checked(str(here.join(link)))
    except httpx2.InvalidURL as error:
        raise FetchError(url, f"{what} is not an address ({error})") from error
    same = (there.scheme, there.host, there.port) == (here.scheme, here.host, here.port)
    upgrade = (here.scheme, there.scheme) == ("http", "https") and here.host == there.host and there.port is None
    if not same and not upgrade:
        raise FetchError(url, f"{what} leads elsewhere, to {there.scheme}://{there.netloc.decode()}")
    return str(there)


def without_login(url: str) -> str:
    """An address without user name and password, fit to be shown and kept."""
    return re.sub(r"(?<=://)[^/?#]*@", "", url)


@cache
def _tls() -> Any:
    """Trusted certificates, loaded once: it takes longer than many requests."""
    return httpx2.create_ssl_context()
