"""A real HTTP server on this machine whose every answer a test programs: good, slow, broken, hostile.

    def test_something(live_server):
        url = live_server.serve("/prices.json", document(b"{}", etag='"1"'))

A path answers with its replies in turn and goes on with the last one. `live_server.requests` holds what was asked.
"""

import gzip
import hashlib
import io
import json
import os
import socket
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sources.transports import http as transport

Reply = Callable[[BaseHTTPRequestHandler], None]
HERE = frozenset({"127.0.0.1"})
"""What a policy or a config.yaml must list under `private_hosts` for this server to be asked."""


@dataclass(frozen=True)
class Request:
    """One request as the server received it."""

    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass
class LiveServer:
    """The running server: routes by path, and the log of requests."""

    url: str
    routes: dict[str, list[Reply]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def serve(self, path: str, *replies: Reply) -> str:
        """Answer a path with the replies in turn; the last one stays. Returns the full address."""
        self.routes[path] = list(replies)
        return self.url + path

    def seen(self, path: str) -> list[Request]:
        """Requests for one path, in order."""
        return [request for request in self.requests if request.path == path]

    def serve_pages(self, path: str, items: Sequence[object], *, page_size: int, key: str = "Items") -> str:
        """Serve a list in pages, each with the address of the next one under NextPageLink."""
        starts = range(0, max(len(items), 1), page_size)
        for start in starts:
            here = path if start == 0 else f"{path}?skip={start}"
            more = start + page_size < len(items)
            following = f"{self.url}{path}?skip={start + page_size}" if more else None
            page = {key: items[start : start + page_size], "NextPageLink": following}
            self.serve(here, document(json.dumps(page).encode()))
        return self.url + path

    def serve_version(self, folder: str, version: str, catalogue: bytes) -> tuple[str, str]:
        """Serve `<folder>/version` and the catalogue of that version; returns both addresses, `{version}` unfilled."""
        self.serve(f"{folder}/version", document(version.encode()))
        self.serve(f"{folder}/{version}/catalogue", document(catalogue))
        return f"{self.url}{folder}/version", f"{self.url}{folder}/{{version}}/catalogue"

    def serve_package(self, name: str, version: str, wheel: bytes | Reply, *, uploaded_at: str | None = None) -> str:
        """Serve a package index with one wheel; returns its address. The name is written with underscores.

        The index is JSON (PEP 691) where an upload time is given, else HTML (PEP 503).
        """
        file = f"{name}-{version}-py3-none-any.whl"
        hashes = {"sha256": hashlib.sha256(wheel).hexdigest()} if isinstance(wheel, bytes) else {}
        entry = {"filename": file, "url": f"/files/{file}", "hashes": hashes, "core-metadata": True}
        index = {"meta": {"api-version": "1.1"}, "name": name, "files": [entry | {"upload-time": uploaded_at}]}
        anchor = f'<a href="/files/{file}" data-core-metadata="true">{file}</a>'
        listing = f"/simple/{name.replace('_', '-')}/"
        if uploaded_at:
            self.serve(listing, document(json.dumps(index).encode(), kind="application/vnd.pypi.simple.v1+json"))
        else:
            self.serve(listing, document(anchor.encode(), kind="text/html"))
        self.serve(f"/files/{file}", document(wheel, kind="application/zip") if isinstance(wheel, bytes) else wheel)
        self.serve(f"/files/{file}.metadata", document(_metadata(name, version)))
        return f"{self.url}/simple"


def document(
    body: bytes,
    *,
    kind: str = "application/json",
    etag: str | None = None,
    last_modified: str | None = None,
    zipped: bool = False,
) -> Reply:
    """A whole document; answers 304 to whoever holds it already, by entity tag or by date."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        since = handler.headers.get("If-Modified-Since")
        same_tag = etag is not None and handler.headers.get("If-None-Match") == etag
        same_date = (
            last_modified is not None
            and since is not None
            and parsedate_to_datetime(since) >= parsedate_to_datetime(last_modified)
        )
        headers = {"ETag": etag, "Last-Modified": last_modified}
        if same_tag or ("If-None-Match" not in handler.headers and same_date):
            send(handler, 304, b"", headers)
        elif zipped:
            send(handler, 200, gzip.compress(body), headers | {"Content-Type": kind, "Content-Encoding": "gzip"})
        else:
            send(handler, 200, body, headers | {"Content-Type": kind})

    return reply


def html(text: str = "<!doctype html><title>We will be back soon</title>") -> Reply:
    """A page for people, with status 200, where a document should be."""
    return document(text.encode(), kind="text/html")


def status(code: int, *, retry_after: str | None = None, body: bytes = b"") -> Reply:
    """A bare status, such as 429 or 503."""
    return lambda handler: send(handler, code, body, {"Retry-After": retry_after})


def redirect(location: str, code: int = 302) -> Reply:
    """A redirect to any address."""
    return lambda handler: send(handler, code, b"", {"Location": location})


def hang(seconds: float = 60.0) -> Reply:
    """Take the request and say nothing."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        pause(handler, seconds)
        handler.close_connection = True

    return reply


def drip(body: bytes, *, every_s: float = 0.05) -> Reply:
    """A whole document, one byte at a time."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        start(handler, {"Content-Length": str(len(body))})
        for byte in body:
            handler.wfile.write(bytes([byte]))
            if pause(handler, every_s):
                return

    return reply


def drip_headers(*, every_s: float = 0.05) -> Reply:
    """A header that never ends, one byte at a time."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Endless: ")
        while not pause(handler, every_s):
            handler.wfile.write(b"x")

    return reply


def drip_without_length(*, lines: int | None = None, every_s: float = 0.05) -> Reply:
    """A body of unstated length that ends when the connection does, one line at a time; silent after `lines`."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        start(handler, {"Connection": "close"})
        sent = 0
        while not pause(handler, every_s):
            if lines is None or sent < lines:
                handler.wfile.write(b"1,2,3\n")
                sent += 1

    return reply


def truncated(body: bytes, *, length: int) -> Reply:
    """A body that stops before the length it stated."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        start(handler, {"Content-Length": str(length)})
        handler.wfile.write(body)
        handler.close_connection = True

    return reply


def truncated_gzip(body: bytes) -> Reply:
    """Half of a gzip stream, stated as whole."""
    zipped = gzip.compress(body)
    return lambda handler: send(handler, 200, zipped[: len(zipped) // 2], {"Content-Encoding": "gzip"})


def reset() -> Reply:
    """Break the connection with a TCP reset."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
        for each in (handler.rfile, handler.wfile, handler.connection):
            each.close()  # the socket closes with the last of them

    return reply


def huge(size_bytes: int, *, state_length: bool = True) -> Reply:
    """A body of zeros of any size, made while it is sent."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        start(handler, {"Content-Length": str(size_bytes)} if state_length else {"Connection": "close"})
        block = bytes(65_536)
        for _ in range(size_bytes // len(block)):
            handler.wfile.write(block)

    return reply


def gzip_bomb(size_bytes: int) -> Reply:
    """Zeros of any size in about a thousandth of it."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as file:
        for _ in range(size_bytes // 1_000_000):
            file.write(bytes(1_000_000))
    return lambda handler: send(handler, 200, packed.getvalue(), {"Content-Encoding": "gzip"})


def make_wheel(name: str, version: str, files: Mapping[str, bytes]) -> bytes:
    """A wheel that pip accepts, holding the given files."""
    info = f"{name}-{version}.dist-info"
    content = {
        **files,
        f"{info}/METADATA": _metadata(name, version),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*content, f"{info}/RECORD"])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, body in {**content, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(path, body)
    return packed.getvalue()


def start(handler: BaseHTTPRequestHandler, headers: Mapping[str, str]) -> None:
    """Begin an answer of status 200."""
    handler.send_response(200)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.flush()


def send(handler: BaseHTTPRequestHandler, code: int, body: bytes, headers: Mapping[str, str | None]) -> None:
    """Send a whole answer; headers without a value are left out."""
    handler.send_response(code)
    for name, value in headers.items():
        if value is not None:
            handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if code != 304:
        handler.wfile.write(body)


def pause(handler: BaseHTTPRequestHandler, seconds: float) -> bool:
    """Wait; True where the server is stopping meanwhile."""
    server = handler.server
    assert isinstance(server, _Server)
    return server.live.stopping.wait(seconds)


def _metadata(name: str, version: str) -> bytes:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for the client's delayed acknowledgement

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        live = server.live
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        live.requests.append(Request(self.path, dict(self.headers), body))
        replies = live.routes.get(self.path, [status(404)])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        try:
            reply(self)
        except OSError:
            self.close_connection = True  # the client has gone, which is what many tests want of it

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `requests` instead."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    live: LiveServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reply may have closed the connection under the handler."""


def running() -> Iterator[LiveServer]:
    """Start a server on a free port of 127.0.0.1; it stops, with all that hangs in it, when the generator ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.live = LiveServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server.live
    server.live.stopping.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def live_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveServer]:
    """A server for one test, reached directly even where the machine has a proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(transport, "_UNREACHABLE_UNTIL", {})  # its port may be one that a test before found closed
    yield from running()


@pytest.fixture
def pip_asks_only(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Point pip at one index, whatever this machine's configuration says."""

    def point(index: str) -> None:
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", index)

    return point
