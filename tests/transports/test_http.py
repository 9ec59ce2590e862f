"""Every limit of the transport, against a real server that breaks it."""

import logging
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import stamina
from hypothesis import example, given
from hypothesis import strategies as st

from sources.transports import http as transport
from sources.transports.http import (
    Fetched,
    FetchError,
    Known,
    NotModified,
    Policy,
    get,
    http_date,
    is_public,
    same_host,
    seconds_to_wait,
    without_login,
)
from tests import live_server as answers
from tests.live_server import HERE, LiveServer

SOON = Policy(
    private_hosts=HERE,
    contact="mail@example.org",
    min_interval_s=0.0,
    read_timeout_s=5.0,
    deadline_s=20.0,
    max_bytes=10_000_000,
)
BODY = b'{"gpt": 1.25}'


@pytest.fixture(autouse=True)
def first_meeting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No host has been asked, or missed, by a test before."""
    monkeypatch.setattr(transport, "_FREE_AT", {})
    monkeypatch.setattr(transport, "_UNREACHABLE_UNTIL", {})


@pytest.fixture
def no_backoff() -> Iterator[None]:
    """Three tries as ever, but no waiting between them."""
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def retries() -> Iterator[list[stamina.instrumentation.RetryDetails]]:
    """What was tried again."""
    seen: list[stamina.instrumentation.RetryDetails] = []

    def note(details: stamina.instrumentation.RetryDetails) -> None:
        seen.append(details)

    stamina.instrumentation.set_on_retry_hooks([note])
    yield seen
    stamina.instrumentation.set_on_retry_hooks([])


def fetched(url: str, policy: Policy = SOON) -> Fetched:
    answer = get(url, policy)
    assert isinstance(answer, Fetched)
    return answer


class TestGoodDocuments:
    def test_body_comes_with_what_the_publisher_said(self, live_server: LiveServer) -> None:
        url = live_server.serve("/p.json", answers.document(BODY, etag='"7"', last_modified="Thu, 12 Nov 2026 02:00:05 GMT"))
        assert fetched(url) == Fetched(
            body=BODY,
            uri=url,
            etag='"7"',
            last_modified="Thu, 12 Nov 2026 02:00:05 GMT",
            published_at=datetime(2026, 11, 12, 2, 0, 5, tzinfo=UTC),
        )

    def test_says_who_asks(self, live_server: LiveServer) -> None:
        fetched(live_server.serve("/p.json", answers.document(BODY)))
        agent = live_server.requests[0].headers["User-Agent"]
        assert agent.startswith("inference-economics/")
        assert agent.endswith("(+mail@example.org)")

    def test_compressed_body_is_decompressed(self, live_server: LiveServer) -> None:
        assert fetched(live_server.serve("/p.json", answers.document(BODY * 1000, zipped=True))).body == BODY * 1000
        assert live_server.requests[0].headers["Accept-Encoding"] == "gzip"

    def test_empty_body_is_a_body(self, live_server: LiveServer) -> None:
        assert fetched(live_server.serve("/empty", answers.document(b""))).body == b""


class TestUnchangedDocuments:
    def test_entity_tag(self, live_server: LiveServer) -> None:
        url = live_server.serve("/p.json", answers.document(BODY, etag='"7"'))
        assert isinstance(get(url, SOON, known=Known(etag='"7"')), NotModified)
        assert isinstance(get(url, SOON, known=Known(etag='"6"')), Fetched)
        assert [request.headers.get("If-None-Match") for request in live_server.requests] == ['"7"', '"6"']

    def test_date(self, live_server: LiveServer) -> None:
        stamp = "Thu, 12 Nov 2026 02:00:05 GMT"
        url = live_server.serve("/p.json", answers.document(BODY, last_modified=stamp))
        assert isinstance(get(url, SOON, known=Known(last_modified=stamp)), NotModified)
        assert live_server.requests[0].headers["If-Modified-Since"] == stamp

    def test_304_without_being_asked_is_an_error(self, live_server: LiveServer) -> None:
        with pytest.raises(FetchError, match="HTTP 304"):
            get(live_server.serve("/p.json", answers.status(304)), SOON)


class TestTriesAgain:
    @pytest.mark.usefixtures("no_backoff")
    @pytest.mark.parametrize(
        "trouble",
        [
            answers.status(429),
            answers.status(503),
            answers.reset(),
            answers.truncated(b"{", length=9),
            answers.truncated_gzip(BODY * 1000),
        ],
        ids=["429", "503", "reset", "truncated", "truncated gzip"],
    )
    def test_what_may_pass(self, live_server: LiveServer, trouble: answers.Reply) -> None:
        url = live_server.serve("/p.json", trouble, trouble, answers.document(BODY))
        assert fetched(url).body == BODY
        assert len(live_server.requests) == 3

    @pytest.mark.usefixtures("no_backoff")
    @pytest.mark.parametrize(
        ("trouble", "rule"),
        [
            (answers.status(503), "HTTP 503"),
            (answers.truncated(b"{", length=9), "without sending complete message body"),
            (answers.truncated_gzip(BODY * 1000), "damaged gzip body"),
            (answers.reset(), "ReadError"),
        ],
        ids=["503", "truncated", "truncated gzip", "reset"],
    )
    def test_three_times_at_most(self, live_server: LiveServer, trouble: answers.Reply, rule: str) -> None:
        with pytest.raises(FetchError, match=rule):
            get(live_server.serve("/p.json", trouble), SOON)
        assert len(live_server.requests) == 3

    @pytest.mark.parametrize("code", [400, 401, 403, 404, 410])
    def test_but_not_what_will_not_pass(self, live_server: LiveServer, code: int) -> None:
        with pytest.raises(FetchError, match=f"HTTP {code}"):
            get(live_server.serve("/p.json", answers.status(code)), SOON)
        assert len(live_server.requests) == 1

    @pytest.mark.usefixtures("no_backoff")
    def test_hanging_server(self, live_server: LiveServer) -> None:
        url = live_server.serve("/p.json", answers.hang(), answers.document(BODY))
        assert fetched(url, Policy(private_hosts=HERE, min_interval_s=0, read_timeout_s=0.2)).body == BODY

    @pytest.mark.parametrize("url", ["http://127.0.0.1:1/p.json", "http://no-such-host.invalid/p.json"])
    def test_but_not_without_a_network(self, url: str, retries: list[stamina.instrumentation.RetryDetails]) -> None:
        with pytest.raises(FetchError, match="ConnectError"):
            get(url, SOON)
        assert retries == []

    def test_unreachable_host_is_asked_once_for_all_its_documents(
        self, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{nobody.getsockname()[1]}"
            for path, rule in [("one", "ConnectError"), ("two", "could not be reached a moment ago")]:
                with pytest.raises(FetchError, match=rule):
                    get(f"http://{address}/{path}", SOON)
            assert fetched(live_server.serve("/p", answers.document(BODY))).body == BODY, "the port next door is fine"
            monkeypatch.setattr(transport, "_UNREACHABLE_UNTIL", {address.encode(): time.monotonic() - 0.01})
            with pytest.raises(FetchError, match="ConnectError"):
                get(f"http://{address}/three", SOON)

    def test_waits_a_little_between_tries(
        self, live_server: LiveServer, retries: list[stamina.instrumentation.RetryDetails]
    ) -> None:
        url = live_server.serve("/p.json", answers.status(503), answers.document(BODY))
        assert fetched(url).body == BODY
        assert [0.5 <= retry.wait_for <= 1.0 for retry in retries] == [True]


class TestRetryAfter:
    def test_seconds_are_waited(self, live_server: LiveServer) -> None:
        url = live_server.serve("/p.json", answers.status(429, retry_after="1"), answers.document(BODY))
        start = time.monotonic()
        assert fetched(url).body == BODY
        assert 1.0 <= time.monotonic() - start < 10

    def test_date_is_waited_for(self, live_server: LiveServer) -> None:
        # HTTP dates have whole seconds, so two seconds ahead is more than one second away.
        until = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
        url = live_server.serve("/p.json", answers.status(503, retry_after=until), answers.document(BODY))
        start = time.monotonic()
        assert fetched(url).body == BODY
        assert 0.9 <= time.monotonic() - start < 10

    def test_longer_than_the_deadline_is_not_waited_for(self, live_server: LiveServer) -> None:
        url = live_server.serve("/p.json", answers.status(429, retry_after="3600"))
        start = time.monotonic()
        with pytest.raises(FetchError, match="HTTP 429, asks to wait 3600 s"):
            get(url, SOON)
        assert time.monotonic() - start < 10
        assert len(live_server.requests) == 1

    @given(st.integers(0, 10**9 - 1))
    def test_reads_seconds(self, seconds: int) -> None:
        assert seconds_to_wait(str(seconds)) == seconds

    @given(st.text(max_size=40))
    @example("0\x1f")
    def test_reads_anything_without_failing(self, text: str) -> None:
        wait_s = seconds_to_wait(text)
        assert wait_s is None or wait_s >= 0
        assert http_date(text) is None or isinstance(http_date(text), datetime)


class TestSize:
    @pytest.mark.parametrize("state_length", [True, False])
    def test_two_gigabytes_stop_at_the_cap(self, live_server: LiveServer, *, state_length: bool) -> None:
        url = live_server.serve("/huge", answers.huge(2_000_000_000, state_length=state_length))
        tracemalloc.start()
        start = time.monotonic()
        with pytest.raises(FetchError, match="larger than 1000000 bytes"):
            get(url, Policy(private_hosts=HERE, min_interval_s=0, max_bytes=1_000_000))
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert time.monotonic() - start < 10
        assert peak_bytes < 8_000_000

    def test_bomb_stops_at_the_cap(self, live_server: LiveServer) -> None:
        url = live_server.serve("/bomb", answers.gzip_bomb(300_000_000))
        tracemalloc.start()
        with pytest.raises(FetchError, match="larger than 1000000 bytes when decompressed"):
            get(url, Policy(private_hosts=HERE, min_interval_s=0, max_bytes=1_000_000))
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak_bytes < 8_000_000

    def test_cap_itself_is_allowed(self, live_server: LiveServer) -> None:
        url = live_server.serve("/p", answers.document(b"x" * 1000))
        zipped = live_server.serve("/z", answers.document(b"x" * 1000, zipped=True))
        for each in (url, zipped):
            assert len(fetched(each, Policy(private_hosts=HERE, min_interval_s=0, max_bytes=1000)).body) == 1000
            with pytest.raises(FetchError, match="larger than 999 bytes"):
                get(each, Policy(private_hosts=HERE, min_interval_s=0, max_bytes=999))


class TestDeadline:
    @pytest.mark.parametrize(
        "slow",
        [
            answers.hang(),
            answers.drip(b"x" * 1000),
            answers.drip_headers(),
            answers.drip_without_length(),
            answers.drip_without_length(lines=2),
        ],
        ids=["hang", "drip", "drip headers", "drip without length", "stall without length"],
    )
    def test_cuts_a_server_that_takes_for_ever(self, live_server: LiveServer, slow: answers.Reply) -> None:
        url = live_server.serve("/slow", slow)
        start = time.monotonic()
        with pytest.raises(FetchError, match=r"not finished after 0\.4 s"):
            get(url, Policy(private_hosts=HERE, min_interval_s=0, read_timeout_s=30, deadline_s=0.4))
        assert 0.4 <= time.monotonic() - start < 3

    def test_leaves_no_thread_behind(self, live_server: LiveServer) -> None:
        fetched(live_server.serve("/p", answers.document(BODY)))
        time.sleep(0.05)
        assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


class TestRedirects:
    def test_within_the_host_is_followed(self, live_server: LiveServer) -> None:
        new = live_server.serve("/new", answers.document(BODY, etag='"1"'))
        old = live_server.serve("/old", answers.redirect("/new", 301))
        assert fetched(old) == Fetched(BODY, new, etag='"1"')

    def test_to_another_host_is_refused(self, live_server: LiveServer) -> None:
        port = live_server.url.rpartition(":")[2]
        for elsewhere in (f"http://localhost:{port}/p", "http://127.0.0.1:1/p", "ftp://127.0.0.1/p", "//example.org/p"):
            url = live_server.serve("/old", answers.redirect(elsewhere))
            with pytest.raises(FetchError, match=r"redirect leads elsewhere|only http and https"):
                get(url, SOON)
        assert {request.path for request in live_server.requests} == {"/old"}

    def test_in_a_circle_is_cut(self, live_server: LiveServer) -> None:
        live_server.serve("/b", answers.redirect("/a"))
        with pytest.raises(FetchError, match="more than 3 redirects"):
            get(live_server.serve("/a", answers.redirect("/b")), SOON)
        assert len(live_server.requests) == 4

    @pytest.mark.parametrize(
        ("here", "link", "there"),
        [
            ("http://a.org/x", "https://a.org/x", "https://a.org/x"),
            ("https://a.org/x", "https://a.org:443/y?z=1", "https://a.org/y?z=1"),
            ("https://a.org/x/y", "../z", "https://a.org/z"),
        ],
    )
    def test_same_host(self, here: str, link: str, there: str) -> None:
        assert same_host(here, link, "redirect") == there

    @pytest.mark.parametrize(
        "link",
        ["http://a.org/x", "https://a.org:8443/x", "https://b.org", "https://a.org@b.org/", "file:///etc/passwd"],
    )
    def test_other_host(self, link: str) -> None:
        with pytest.raises(FetchError):
            same_host("https://a.org/x", link, "redirect")


class TestAddresses:
    @pytest.mark.parametrize("url", ["ftp://a.org/x", "file:///etc/passwd", "/etc/passwd", "http://", "http://[::1", ""])
    def test_only_http(self, url: str) -> None:
        with pytest.raises(FetchError):
            get(url, SOON)

    def test_passwords_are_not_shown(self, live_server: LiveServer) -> None:
        url = live_server.serve("/p", answers.document(BODY)).replace("://", "://me:secret@")
        assert fetched(url).uri == without_login(url) == live_server.url + "/p"
        assert live_server.requests[0].headers["Authorization"].startswith("Basic ")
        with pytest.raises(FetchError) as error:
            get(url.replace("/p", "/missing"), SOON)
        assert "secret" not in str(error.value)

    def test_passwords_are_in_no_log_however_much_is_logged(
        self, live_server: LiveServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        fetched(live_server.serve("/p", answers.document(BODY)).replace("://", "://me:secret@"))
        assert "/p" in caplog.text
        assert "secret" not in caplog.text

    def test_message_is_one_line(self) -> None:
        assert str(FetchError("http://a.org/x", "first\n  second")) == "http://a.org/x: first second"


PUBLIC_ONLY = replace(SOON, private_hosts=frozenset())


class TestPrivateAddresses:
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])
    def test_this_machine_is_not_asked_unless_listed(self, live_server: LiveServer, host: str) -> None:
        url = live_server.serve("/p", answers.document(BODY)).replace("127.0.0.1", host)
        with pytest.raises(FetchError, match=r"not a public address; to allow it, add .* to private_hosts in config\.yaml"):
            get(url, PUBLIC_ONLY)
        assert live_server.requests == []

    def test_listed_host_is_asked(self, live_server: LiveServer) -> None:
        url = live_server.serve("/p", answers.document(BODY)).replace("127.0.0.1", "LocalHost")
        assert fetched(url, replace(PUBLIC_ONLY, private_hosts=frozenset({"localhost"}))).body == BODY
        with pytest.raises(FetchError, match="add localhost to private_hosts"):
            get(url, replace(PUBLIC_ONLY, private_hosts=HERE))

    @pytest.mark.parametrize(
        ("address", "expected"),
        [
            ("8.8.8.8", True),
            ("2001:4860:4860::8888", True),
            ("64:ff9b::808:808", True),
            ("2002:808:808::1", True),
            ("10.1.2.3", False),
            ("172.16.0.1", False),
            ("192.168.1.1", False),
            ("169.254.169.254", False),
            ("100.64.0.1", False),
            ("0.0.0.0", False),
            ("224.0.0.1", False),
            ("255.255.255.255", False),
            ("::1", False),
            ("fe80::1%eth0", False),
            ("fd00::1", False),
            ("ff02::1", False),
            ("::ffff:10.0.0.1", False),
            ("64:ff9b::7f00:1", False),
            ("64:ff9b::a9fe:a9fe", False),
            ("2002:7f00:1::1", False),
            ("::", False),
        ],
    )
    def test_which_are_public(self, address: str, *, expected: bool) -> None:
        assert is_public(address) is expected

    def test_one_private_address_of_a_name_is_enough(self, live_server: LiveServer, monkeypatch) -> None:
        monkeypatch.setattr(transport, "_addresses", lambda _: ["8.8.8.8", "10.0.0.7"])
        with pytest.raises(FetchError, match=r"localhost at 10\.0\.0\.7 is not a public address"):
            get(live_server.serve("/p", answers.document(BODY)).replace("127.0.0.1", "localhost"), PUBLIC_ONLY)
        assert live_server.requests == []

    def test_name_that_resolves_otherwise_when_it_is_connected_is_sent_nothing(
        self, live_server: LiveServer, monkeypatch
    ) -> None:
        monkeypatch.setattr(transport, "_addresses", lambda _: ["8.8.8.8"])
        with pytest.raises(FetchError, match="is not a public address"):
            get(live_server.serve("/p", answers.document(BODY)).replace("127.0.0.1", "localhost"), PUBLIC_ONLY)
        assert live_server.requests == []

    def test_name_without_address_fails_as_ever(self) -> None:
        with pytest.raises(FetchError, match="ConnectError"):
            get("http://no-such-host.invalid/p", PUBLIC_ONLY)

    def test_proxy_of_the_machine_may_be_private_and_resolves_names_itself(self, live_server: LiveServer, monkeypatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", live_server.url)
        monkeypatch.delenv("NO_PROXY")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setattr(transport, "_addresses", lambda host: pytest.fail(f"{host} was looked up"))
        live_server.serve("http://prices.example.invalid/p", answers.document(BODY))
        assert fetched("http://prices.example.invalid/p", PUBLIC_ONLY).body == BODY


class TestTurns:
    def test_host_is_asked_at_intervals_by_all_threads(self, live_server: LiveServer) -> None:
        url = live_server.serve("/p", answers.document(BODY))
        times: list[float] = []

        def timed(_: int) -> None:
            fetched(url, Policy(private_hosts=HERE, min_interval_s=0.1))
            times.append(time.monotonic())

        start = time.monotonic()
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(timed, range(4)))
        assert max(times) - start >= 0.3

    def test_turn_beyond_the_deadline_is_not_waited_for(self, live_server: LiveServer) -> None:
        url = live_server.serve("/p", answers.document(BODY))
        fetched(url, Policy(private_hosts=HERE, min_interval_s=60))
        start = time.monotonic()
        with pytest.raises(FetchError, match="its turn at"):
            get(url, Policy(private_hosts=HERE, deadline_s=1))
        assert time.monotonic() - start < 10
