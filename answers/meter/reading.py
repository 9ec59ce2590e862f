"""Where scrapes come from: a server's own metrics, a Prometheus server's memory of them, or saved files."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from prometheus_client.samples import Sample

from sources.serving.engine_metrics import PROMETHEUS_SELECTOR, NoEngineError, Scrape, parse_scrape, scrape_of

PATHS = ("/metrics", "/prometheus/metrics")
"""Where engines publish; the second is TensorRT-LLM's, whose /metrics is JSON."""
TIMEOUT_S = 10.0
MOST_BYTES = 64_000_000
STEP_S = 15.0


class MeterError(ValueError):
    """A server that cannot be metered, told in one line."""


Scrapes = dict[str, list[Scrape]]


def is_address(written: str) -> bool:
    """Whether it is an address rather than a file."""
    return written.startswith(("http://", "https://"))


def saved(files: Sequence[str]) -> Scrapes:
    """Scrapes of one server in files, in order of time: the times of their samples, else the order of the files."""
    found: list[Scrape] = []
    for place, file in enumerate(files):
        try:
            text = Path(file).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise MeterError(f"{file}: cannot be read: {error}") from None
        try:
            found.append(parse_scrape(text, at_s=float(place)))
        except NoEngineError as error:
            raise MeterError(f"{file}: {error}") from None
    return {"saved": found}


class Server:
    """One address: the engine's own page, or a Prometheus server that remembers it."""

    def __init__(self, written: str) -> None:
        self.written = written
        self._client = httpx2.Client(timeout=TIMEOUT_S, follow_redirects=True)
        self._page: str | None = None

    def prometheus(self, *, minutes: float, now_s: float) -> Scrapes | None:
        """What a Prometheus server remembers of the last minutes, by server; None where the address is none."""
        base = self.written.rstrip("/")
        span = minutes * 60.0
        step = max(min(STEP_S, span / 10.0), 1.0)
        query = {"query": PROMETHEUS_SELECTOR, "start": f"{now_s - span}", "end": f"{now_s}", "step": f"{step}"}
        try:
            answer = self._client.get(f"{base}/api/v1/query_range", params=query)
            document = answer.json()
        except (httpx2.HTTPError, ValueError):
            return None
        if answer.status_code != 200 or document.get("status") != "success":
            return None
        return _from_matrix(document.get("data", {}).get("result", []))

    def scrape(self) -> Scrape:
        """What the server publishes now. Raises MeterError, with the address and what it answered."""
        if self._page is not None:
            return self._parsed(self._page)
        path = urlsplit(self.written).path.rstrip("/")
        pages = [self.written] if path else [self.written.rstrip("/") + each for each in PATHS]
        refused: list[str] = []
        for page in pages:
            try:
                found = self._parsed(page)
            except MeterError as error:
                refused.append(str(error))
                continue
            self._page = page
            return found
        raise MeterError("; ".join(refused))

    def _parsed(self, page: str) -> Scrape:
        try:
            with self._client.stream("GET", page) as answer:
                body = bytearray()
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise MeterError(f"{page}: more than {MOST_BYTES // 1_000_000} MB: no page of metrics")
                status = answer.status_code
        except httpx2.HTTPError as error:
            raise MeterError(f"{page}: {type(error).__name__}: {error}") from None
        if status != 200:
            raise MeterError(f"{page}: HTTP {status}")
        try:
            return parse_scrape(body.decode(errors="replace"), at_s=time.time())
        except NoEngineError as error:
            raise MeterError(f"{page}: {error}") from None


def watched(
    servers: Sequence[Server], *, minutes: float, every_s: float, on_failure: Callable[[str], None]
) -> Iterator[Scrapes]:
    """All scrapes so far, after each round, until the time is up. A server that fails for a while is asked again.

    Raises MeterError where a server cannot be read at the first round.
    """
    found: Scrapes = {server.written: [server.scrape()] for server in servers}
    yield found
    end = time.monotonic() + minutes * 60.0
    while (left := end - time.monotonic()) > 0.0:
        time.sleep(min(every_s, left))
        for server in servers:
            try:
                found[server.written].append(server.scrape())
            except MeterError as error:
                on_failure(str(error))
        yield found


def _from_matrix(result: Sequence[dict[str, object]]) -> Scrapes:
    """Scrapes by instance from a Prometheus matrix. Raises MeterError where it remembers no engine."""
    at: dict[str, dict[float, list[Sample]]] = {}
    for row in result:
        labels = dict(row["metric"])  # type: ignore[call-overload]
        name = str(labels.pop("__name__", ""))
        server = str(labels.pop("instance", "")) or "prometheus"
        for when, value in row["values"]:  # type: ignore[attr-defined]
            at.setdefault(server, {}).setdefault(float(when), []).append(Sample(name, labels, float(value)))
    found: Scrapes = {}
    for server, times in at.items():
        scrapes = []
        for when in sorted(times):
            try:
                scrapes.append(scrape_of(times[when], at_s=when))
            except NoEngineError:
                continue
        if scrapes:
            found[server] = scrapes
    if not found:
        raise MeterError("the Prometheus server remembers no metric of vLLM, SGLang, TensorRT-LLM or llama.cpp in that time")
    return found
