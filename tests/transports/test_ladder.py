"""One source down its ladder, from a real server through all that can go wrong with it."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import stamina

from schemas.base import empty
from schemas.evidence.provenance import SnapshotLog
from schemas.quarantine import Parsed, Rejected
from sources.source import Http, HttpPages, HttpVersioned, Installed, Registry, Seed, Snapshot, Source
from sources.transports import bronze
from sources.transports.http import Policy
from sources.transports.ladder import Loaded, load
from tests import live_server as answers
from tests.live_server import HERE, LiveServer

DAY = timedelta(days=1)
MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
OLD, NEW = b'{"gpt": 2.5}', b'{"gpt": 1.25}'
SEEDED = b'{"gpt": 9.0}'

Run = Callable[..., Loaded]


def parse(snapshot: Snapshot) -> Parsed:
    """Prices from a JSON object; negative ones are refused."""
    prices = json.loads(snapshot.body)
    rows = pl.DataFrame({"model": list(prices), "usd": list(prices.values())}, {"model": pl.String, "usd": pl.Float64})
    return Parsed(rows.filter(pl.col("usd") >= 0), empty(Rejected))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Load into one store, day after day."""

    def one(source: Source, *, day: int = 0, offline: bool = False, **options: object) -> Loaded:
        with stamina.set_testing(True, attempts=1):
            return load(
                source,
                options.pop("parse", parse),  # type: ignore[arg-type]
                bronze_root=tmp_path / "bronze",
                policy=Policy(private_hosts=HERE, min_interval_s=0.0, deadline_s=60.0),
                offline=offline,
                now=MONDAY + day * DAY,
                **options,  # type: ignore[arg-type]
            )

    return one


@pytest.fixture
def log(tmp_path: Path) -> Callable[[], list[bronze.Attempt]]:
    return lambda: bronze.attempts(tmp_path / "bronze", "prices")


def source(*live: Http | HttpPages | HttpVersioned | Registry, floor: tuple[Installed | Seed, ...] = ()) -> Source:
    return Source(name="prices", title="Prices", homepage="https://example.org", licence="MIT", live=live, floor=floor)


def usd(loaded: Loaded) -> float:
    assert loaded.parsed is not None
    return float(loaded.parsed.accepted["usd"][0])


def outcomes(loaded: Loaded) -> list[tuple[str, str]]:
    return [(attempt.transport, attempt.outcome) for attempt in loaded.attempts]


class TestLive:
    def test_new_then_unchanged_then_new(self, live_server: LiveServer, run: Run) -> None:
        url = live_server.serve("/p", *map(answers.document, (OLD, OLD, NEW, OLD)))
        loaded = [run(source(Http(url)), day=day) for day in range(4)]
        assert [outcomes(each) for each in loaded] == [
            [("http", "new")],
            [("http", "unchanged")],
            [("http", "new")],
            [("http", "new")],
        ]
        assert [usd(each) for each in loaded] == [2.5, 2.5, 1.25, 2.5]
        assert {each.served_from for each in loaded} == {"http"}
        assert {each.age for each in loaded} == {timedelta(0)}
        last = loaded[3].snapshot
        assert last is not None
        assert (last.fetched_at, last.last_checked_at) == (MONDAY, MONDAY + 3 * DAY), "these bytes first came on Monday"

    def test_not_modified_uses_the_stored_body(self, live_server: LiveServer, run: Run, tmp_path: Path) -> None:
        url = live_server.serve("/p", answers.document(NEW, etag='"7"'))
        run(source(Http(url)))
        second = run(source(Http(url)), day=1)
        assert outcomes(second) == [("http", "not_modified")]
        assert (second.served_from, usd(second), second.age) == ("http", 1.25, timedelta(0))
        assert live_server.requests[1].headers["If-None-Match"] == '"7"'
        row = SnapshotLog.validate(bronze.snapshot_frame(tmp_path / "bronze")).row(0, named=True)
        assert (row["fetched_at"], row["last_checked_at"], row["etag"]) == (MONDAY, MONDAY + DAY, '"7"')

    def test_tag_of_one_address_is_not_sent_to_another(self, live_server: LiveServer, run: Run) -> None:
        one = live_server.serve("/one", answers.document(OLD, etag='"7"'))
        two = live_server.serve("/two", answers.document(NEW, etag='"7"'))
        run(source(Http(one)))
        assert usd(run(source(Http(two)), day=1)) == 1.25

    def test_lost_body_is_asked_for_again(self, live_server: LiveServer, run: Run, tmp_path: Path) -> None:
        url = live_server.serve("/p", answers.document(NEW, etag='"7"'))
        run(source(Http(url)))
        next(tmp_path.glob("bronze/prices/*.zst")).write_bytes(b"damaged")
        second = run(source(Http(url)), day=1)
        assert outcomes(second) == [("bronze", "failed"), ("http", "unchanged")]
        assert "If-None-Match" not in live_server.requests[1].headers
        assert usd(run(source(Http(url)), day=2, offline=True)) == 1.25, "and is mended"

    def test_pages_and_versions(self, live_server: LiveServer, run: Run) -> None:
        pages = HttpPages(live_server.serve_pages("/o", [{"usd": 3}], page_size=1), "Items", "NextPageLink")
        versions = HttpVersioned(*live_server.serve_version("/v3", "7", NEW))

        def parse_pages(snapshot: Snapshot) -> Parsed:
            return Parsed(pl.DataFrame(json.loads(snapshot.body)["Items"]), empty(Rejected))

        assert [outcomes(run(source(pages), parse=parse_pages)) for _ in range(2)] == [
            [("http", "new")],
            [("http", "unchanged")],
        ]
        assert [outcomes(run(source(versions))) for _ in range(2)] == [[("http", "new")], [("http", "not_modified")]]
        assert len(live_server.seen("/v3/7/catalogue")) == 1

    def test_registry(self, live_server: LiveServer, run: Run, pip_asks_only: Callable[[str], None]) -> None:
        wheel = answers.make_wheel("tiny_prices", "1.2", {"tiny_prices/p.json": NEW})
        pip_asks_only(live_server.serve_package("tiny_prices", "1.2", wheel, uploaded_at="2026-11-12T02:00:05Z"))
        ladder = source(Http("http://127.0.0.1:1/p"), Registry("tiny-prices", "tiny_prices/p.json"))
        first, second = run(ladder), run(ladder, day=1)
        assert outcomes(first) == [("http", "failed"), ("registry", "new")]
        assert outcomes(second) == [("http", "failed"), ("registry", "not_modified")]
        for each in (first, second):
            assert each.served_from == "registry"
            assert each.snapshot is not None
            assert each.snapshot.package_version == "1.2"
            assert each.snapshot.published_at == datetime(2026, 11, 12, 2, 0, 5, tzinfo=UTC)


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (b"<!doctype html>", "JSONDecodeError"),
            (b"[]", "AttributeError"),
            (b"{}", "no row was accepted"),
            (b'{"gpt": -1}', "no row was accepted"),
            (b"\xff\xfe\x00", "Error"),
            (b"[" * 100_000, "RecursionError"),
        ],
        ids=["HTML", "another shape", "empty", "all refused", "not text", "nested too deep"],
    )
    def test_is_kept_but_passed_over(self, live_server: LiveServer, run: Run, tmp_path: Path, body: bytes, why: str) -> None:
        bad = live_server.serve("/bad", answers.document(body, etag='"bad"'))
        good = live_server.serve("/good", answers.document(NEW))
        loaded = run(source(Http(bad), Http(good)))
        assert outcomes(loaded) == [("http", "unreadable"), ("http", "new")]
        assert usd(loaded) == 1.25
        assert len(loaded.problems) == 1
        assert loaded.problems[0].startswith("prices: http unreadable: ")
        assert why in loaded.problems[0]
        refused = loaded.attempts[0].sha256
        assert refused is not None
        assert bronze.get(tmp_path / "bronze", "prices", refused) == body
        run(source(Http(bad)), day=1)
        assert "If-None-Match" not in live_server.seen("/bad")[1].headers, "a document we cannot read is not held"

    def test_never_becomes_the_last_good_document(self, live_server: LiveServer, run: Run) -> None:
        url = live_server.serve("/p", answers.document(NEW), answers.html())
        run(source(Http(url)))
        second = run(source(Http(url)), day=1)
        assert outcomes(second) == [("http", "unreadable")]
        assert (second.served_from, usd(second), second.age) == ("bronze", 1.25, DAY)

    def test_is_read_once_the_parser_can(self, live_server: LiveServer, run: Run) -> None:
        url = live_server.serve("/p", answers.document(NEW, etag='"7"'))

        def cannot(snapshot: Snapshot) -> Parsed:
            raise NotImplementedError("a key of tomorrow")

        assert run(source(Http(url)), parse=cannot).served_from == "none"
        assert usd(run(source(Http(url)), day=1)) == 1.25
        # And the other way round: a confirmed document that the parser has unlearned to read.
        third = run(source(Http(url)), day=2, parse=cannot)
        assert outcomes(third) == [("http", "unreadable")]
        assert third.served_from == "none"


class TestWhenTheWorldIsDown:
    @pytest.mark.parametrize(
        "trouble",
        [
            answers.status(503),
            answers.status(404),
            answers.reset(),
            answers.truncated(b"{", length=9),
            answers.html(),
            answers.redirect("http://example.org/p"),
            answers.redirect("/p"),
        ],
        ids=["503", "404", "reset", "truncated", "HTML", "redirect away", "redirect loop"],
    )
    def test_last_stored_document_serves(self, live_server: LiveServer, run: Run, trouble: answers.Reply) -> None:
        url = live_server.serve("/p", answers.document(OLD), answers.document(NEW), trouble)
        for day in range(2):
            run(source(Http(url)), day=day)
        third = run(source(Http(url)), day=5)
        assert (third.served_from, usd(third), third.age) == ("bronze", 1.25, 4 * DAY)
        assert third.snapshot is not None
        assert (third.snapshot.uri, third.snapshot.fetched_at) == (url, MONDAY + DAY)
        assert len(third.problems) == 1

    def test_damaged_stored_document_gives_way_to_the_one_before(
        self, live_server: LiveServer, run: Run, tmp_path: Path
    ) -> None:
        url = live_server.serve("/p", answers.document(OLD), answers.document(NEW))
        newest = [run(source(Http(url)), day=day) for day in range(2)][1].snapshot
        assert newest is not None
        (tmp_path / "bronze" / "prices" / f"{newest.sha256}.zst").write_bytes(b"damaged")
        third = run(source(Http(url)), day=2, offline=True)
        assert (third.served_from, usd(third), third.age) == ("bronze", 2.5, 2 * DAY)
        assert outcomes(third) == [("http", "skipped"), ("bronze", "failed")]

    def test_floor_serves_when_nothing_is_stored(self, run: Run, tmp_path: Path) -> None:
        seed = tmp_path / "seed.json"
        seed.write_bytes(SEEDED)
        ladder = source(Http("http://127.0.0.1:1/p"), floor=(Seed(seed, as_of=MONDAY - 10 * DAY),))
        first, second = run(ladder), run(ladder, day=1)
        assert outcomes(first) == [("http", "failed"), ("seed", "new")]
        assert outcomes(second) == [("http", "failed"), ("seed", "unchanged")], "the floor is no stored document"
        assert (second.served_from, usd(second), second.age) == ("seed", 9.0, 11 * DAY)
        assert second.snapshot is not None
        assert second.snapshot.published_at == MONDAY - 10 * DAY
        assert bronze.get(tmp_path / "bronze", "prices", second.snapshot.sha256) == SEEDED

    def test_installed_comes_before_the_seed_if_listed_so(self, run: Run, tmp_path: Path) -> None:
        def broken() -> bytes:
            raise ImportError("no such module any more")

        seed = tmp_path / "seed.json"
        seed.write_bytes(SEEDED)
        good = Installed("polars", lambda: NEW, as_of=MONDAY - 3 * DAY)
        first = run(source(floor=(good, Seed(seed, as_of=MONDAY))))
        assert (first.served_from, usd(first), first.age) == ("installed", 1.25, 3 * DAY)
        assert first.snapshot is not None
        assert first.snapshot.package_version == pl.__version__
        second = run(source(floor=(Installed("polars", broken), Seed(seed, as_of=MONDAY))))
        assert outcomes(second) == [("installed", "failed"), ("seed", "new")]

    def test_stored_document_comes_before_the_floor(self, live_server: LiveServer, run: Run, tmp_path: Path) -> None:
        seed = tmp_path / "seed.json"
        seed.write_bytes(SEEDED)
        ladder = source(
            Http(live_server.serve("/p", answers.document(NEW), answers.status(503))),
            floor=(Seed(seed, as_of=MONDAY),),
        )
        assert [run(ladder, day=day).served_from for day in range(2)] == ["http", "bronze"]

    def test_nothing_at_all(self, run: Run) -> None:
        loaded = run(source(Http("http://127.0.0.1:1/p"), floor=(Seed(Path("/no/such/seed.json"), as_of=MONDAY),)))
        assert (loaded.snapshot, loaded.parsed, loaded.served_from, loaded.age) == (None, None, "none", None)
        assert len(loaded.problems) == 2

    def test_dead_network_costs_little_time(self, run: Run, pip_asks_only: Callable[[str], None]) -> None:
        pip_asks_only("http://127.0.0.1:1/simple")
        start = time.monotonic()
        run(source(Http("http://127.0.0.1:1/p"), Http("http://no-such-host.invalid/p"), Registry("tiny-prices", "p")))
        assert time.monotonic() - start < 10


class TestSettings:
    def test_offline_asks_nobody(self, live_server: LiveServer, run: Run, tmp_path: Path) -> None:
        url = live_server.serve("/p", answers.document(NEW))
        seed = tmp_path / "seed.json"
        seed.write_bytes(SEEDED)
        loaded = run(source(Http(url), floor=(Seed(seed, as_of=MONDAY),)), offline=True)
        assert outcomes(loaded) == [("http", "skipped"), ("seed", "new")]
        assert loaded.problems == ()
        assert live_server.requests == []

    def test_first_http_rung_can_be_moved_to_a_mirror(self, live_server: LiveServer, run: Run) -> None:
        moved = live_server.serve("/mirror/main/p.json?raw=1", answers.status(503), answers.document(NEW))
        second = live_server.serve("/second", answers.document(OLD))
        ladder = source(Http("https://raw.example.invalid/main/p.json?raw=1"), Http(second))
        mirror = {"prices": live_server.url + "/mirror/", "another": "http://127.0.0.1:1"}
        loaded = [run(ladder, urls=mirror) for _ in range(2)]
        assert [each.snapshot.uri for each in loaded if each.snapshot] == [second, moved]

    def test_mirror_of_versioned_and_paged_documents(self, live_server: LiveServer, run: Run) -> None:
        live_server.serve_version("/m/v3/vast", "7", NEW)
        live_server.serve_pages("/m/offers", [{"usd": 3}], page_size=1)
        there = "https://catalogue.example.invalid"
        mirror = {"prices": live_server.url + "/m"}
        versioned = HttpVersioned(f"{there}/v3/vast/version", f"{there}/v3/vast/{{version}}/catalogue")
        assert usd(run(source(versioned), urls=mirror)) == 1.25
        paged = HttpPages(f"{there}/offers", "Items", "NextPageLink")
        unread = run(source(paged), urls=mirror)
        assert live_server.seen("/m/offers")
        assert unread.attempts[0].outcome == "unreadable"

    def test_password_of_a_mirror_is_not_written_down(self, live_server: LiveServer, run: Run, tmp_path: Path) -> None:
        live_server.serve("/p", answers.document(NEW), answers.status(403))
        mirror = {"prices": live_server.url.replace("://", "://me:secret@")}
        for day in range(2):
            run(source(Http("https://example.invalid/p")), urls=mirror, day=day)
        run(source(Http("https://example.invalid/p")), urls=mirror, offline=True)
        assert "secret" not in (tmp_path / "bronze" / "prices" / "log.jsonl").read_text()

    def test_clock_must_know_its_zone(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="time zone"):
            load(source(), parse, bronze_root=tmp_path, policy=Policy(), offline=True, now=datetime(2026, 11, 23))  # noqa: DTZ001


class TestLog:
    def test_has_every_attempt(self, live_server: LiveServer, run: Run, log: Callable[[], list[bronze.Attempt]]) -> None:
        url = live_server.serve("/p", answers.status(503), answers.document(NEW), answers.html())
        loaded = [run(source(Http(url)), day=day) for day in range(3)]
        assert log() == [attempt for each in loaded for attempt in each.attempts]
        assert [(each.outcome, each.bytes) for each in log()] == [
            ("failed", None),
            ("new", len(NEW)),
            ("unreadable", 50),
        ]
        assert all(each.seconds is not None and each.seconds > 0 for each in log())
