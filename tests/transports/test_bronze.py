"""Stored documents and the log of attempts: whole after crashes, damage and many writers."""

import hashlib
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.evidence.provenance import SnapshotLog
from sources.source import Snapshot
from sources.transports import bronze
from sources.transports.bronze import Attempt

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ASKED = Attempt(source="litellm", checked_at=NOON, rung="http://a/p", transport="http", uri="http://a/p", outcome="new")


def served(
    body: str, *, at: int, outcome: bronze.Outcome = "new", transport: str = "http", rung: str = "http://a/p"
) -> Attempt:
    """An attempt `at` hours after noon that brought a body (here named by its text)."""
    return replace(
        ASKED,
        checked_at=NOON + timedelta(hours=at),
        outcome=outcome,
        transport=transport,
        rung=rung,
        sha256=body,
        bytes=1,
    )


class TestBodies:
    @given(st.binary(max_size=5000))
    @settings(deadline=None, max_examples=50)
    def test_come_back_as_they_were(self, tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
        root = tmp_path_factory.mktemp("bronze")
        sha256 = bronze.put(root, "litellm", body)
        assert sha256 == hashlib.sha256(body).hexdigest()
        assert bronze.get(root, "litellm", sha256) == body

    def test_are_plain_zstd_files(self, tmp_path: Path) -> None:
        """RFC 8878: a frame begins with this magic number, so any zstd tool opens it."""
        sha256 = bronze.put(tmp_path, "litellm", b"x" * 100_000)
        content = (tmp_path / "litellm" / f"{sha256}.zst").read_bytes()
        assert content[:4] == b"\x28\xb5\x2f\xfd"
        assert len(content) < 200

    def test_are_kept_once(self, tmp_path: Path) -> None:
        bronze.put(tmp_path, "litellm", b"same")
        written = next(tmp_path.glob("litellm/*.zst")).stat()
        bronze.put(tmp_path, "litellm", b"same")
        assert [path.stat().st_mtime_ns for path in tmp_path.glob("litellm/*")] == [written.st_mtime_ns]

    @pytest.mark.parametrize("damage", [b"", b"not zstd", None], ids=["empty", "garbage", "missing"])
    def test_damage_is_noticed_and_mended(self, tmp_path: Path, damage: bytes | None) -> None:
        sha256 = bronze.put(tmp_path, "litellm", b"prices")
        path = tmp_path / "litellm" / f"{sha256}.zst"
        path.unlink()
        if damage is not None:
            path.write_bytes(damage)
        with pytest.raises(bronze.DamagedBodyError, match=sha256):
            bronze.get(tmp_path, "litellm", sha256)
        assert bronze.put(tmp_path, "litellm", b"prices") == sha256
        assert bronze.get(tmp_path, "litellm", sha256) == b"prices"

    def test_every_cut_is_noticed(self, tmp_path: Path) -> None:
        sha256 = bronze.put(tmp_path, "litellm", b'{"gpt": 1.25}' * 20)
        path = tmp_path / "litellm" / f"{sha256}.zst"
        whole = path.read_bytes()
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            with pytest.raises(bronze.DamagedBodyError):
                bronze.get(tmp_path, "litellm", sha256)

    def test_another_body_under_the_name_is_noticed(self, tmp_path: Path) -> None:
        one, two = (bronze.put(tmp_path, "litellm", body) for body in (b"one", b"two"))
        (tmp_path / "litellm" / f"{two}.zst").replace(tmp_path / "litellm" / f"{one}.zst")
        with pytest.raises(bronze.DamagedBodyError, match="does not match its hash"):
            bronze.get(tmp_path, "litellm", one)

    @pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/etc", "A", "a b", ".current"])
    def test_folder_names_stay_inside(self, tmp_path: Path, name: str) -> None:
        for write in (
            lambda: bronze.put(tmp_path, name, b"x"),
            lambda: bronze.append(tmp_path, replace(ASKED, source=name)),
        ):
            with pytest.raises(ValueError, match="no source name"):
                write()
        assert not list(tmp_path.iterdir())


class TestLog:
    def test_keeps_every_field(self, tmp_path: Path) -> None:
        attempt = Attempt(
            source="litellm",
            checked_at=NOON,
            rung="litellm#p.json",
            transport="registry",
            uri="https://a/litellm.whl#p.json",
            outcome="unreadable",
            sha256="ab",
            bytes=7,
            etag='"1"',
            last_modified="Thu, 12 Nov 2026 02:00:05 GMT",
            published_at=NOON - timedelta(days=1),
            package_version="1.109.1",
            seconds=0.25,
            error='ValueError: "é"\n',
            parser_version=2,
        )
        bronze.append(tmp_path, attempt)
        assert bronze.attempts(tmp_path, "litellm") == [attempt]

    def test_of_an_unknown_source_is_empty(self, tmp_path: Path) -> None:
        assert bronze.attempts(tmp_path, "litellm") == []
        assert bronze.attempt_frame(tmp_path).is_empty()
        assert bronze.snapshot_frame(tmp_path).is_empty()

    def test_torn_line_is_left_out_and_not_written_onto(self, tmp_path: Path) -> None:
        bronze.append(tmp_path, ASKED)
        log = tmp_path / "litellm" / "log.jsonl"
        line = log.read_bytes()
        for length in range(1, len(line)):
            log.write_bytes(line + line[:length])
            later = replace(ASKED, checked_at=NOON + timedelta(hours=1))
            bronze.append(tmp_path, later)
            # All but the line feed may have reached the disk: then the line is whole.
            assert bronze.attempts(tmp_path, "litellm") in ([ASKED, later], [ASKED, ASKED, later])

    def test_many_processes_write_whole_lines(self, tmp_path: Path) -> None:
        script = (
            "import sys; from pathlib import Path; from dataclasses import replace\n"
            "from sources.transports import bronze; from tests.transports.test_bronze import ASKED\n"
            "for n in range(40): bronze.append(Path(sys.argv[1]), replace(ASKED, error=sys.argv[2] * 500, seconds=float(n)))"
        )
        writers = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), name]) for name in "ab"]
        assert [writer.wait(60) for writer in writers] == [0, 0]
        found = [(str(each.error)[0], each.seconds) for each in bronze.attempts(tmp_path, "litellm")]
        assert sorted(found) == [(name, float(n)) for name in "ab" for n in range(40)]

    def test_killed_writer_leaves_only_whole_bodies(self, tmp_path: Path) -> None:
        script = (
            "import os, sys; from pathlib import Path; from dataclasses import replace\n"
            "from sources.transports import bronze; from tests.transports.test_bronze import ASKED\n"
            "root = Path(sys.argv[1])\n"
            "while True:\n"
            "    sha256 = bronze.put(root, 'litellm', os.urandom(300_000))\n"
            "    bronze.append(root, replace(ASKED, sha256=sha256))\n"
        )
        log = tmp_path / "litellm" / "log.jsonl"
        with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) as writer:
            try:
                while not log.exists() or log.stat().st_size < 1000:
                    assert writer.poll() is None, "the writer ended by itself"
                    time.sleep(0.01)
            finally:
                writer.kill()
        logged = [each.sha256 for each in bronze.good(bronze.attempts(tmp_path, "litellm"))]
        assert logged
        for path in tmp_path.glob("litellm/[0-9a-f]*.zst"):
            assert len(bronze.get(tmp_path, "litellm", path.stem)) == 300_000
        assert {path.stem for path in tmp_path.glob("litellm/[0-9a-f]*.zst")} >= set(logged)


class TestGood:
    def test_latest_served_comes_first(self) -> None:
        log = [served("a", at=0), served("b", at=1), served("a", at=2, outcome="new"), served("c", at=3)]
        assert [(each.sha256, each.fetched_at.hour) for each in bronze.good(log)] == [("c", 15), ("a", 12), ("b", 13)]

    def test_confirmed_document_counts_as_served(self) -> None:
        log = [served("a", at=0), served("b", at=1), served("a", at=2, outcome="not_modified")]
        latest = bronze.good(log)[0]
        assert (latest.sha256, latest.fetched_at, latest.last_checked_at) == ("a", NOON, NOON + timedelta(hours=2))

    def test_unreadable_is_never_good(self) -> None:
        assert bronze.good([served("a", at=0, outcome="unreadable")]) == []
        assert bronze.good([served("a", at=0), served("a", at=1, outcome="unreadable")]) == []
        assert len(bronze.good([served("a", at=0, outcome="unreadable"), served("a", at=1)])) == 1, "a better parser"

    @pytest.mark.parametrize("transport", ["installed", "seed", "bronze"])
    def test_floor_is_never_good(self, transport: str) -> None:
        assert bronze.good([served("a", at=0, transport=transport)]) == []
        still = [served("a", at=0), served("a", at=1, transport=transport)]
        assert [each.last_checked_at for each in bronze.good(still)] == [NOON]

    def test_of_one_rung(self) -> None:
        log = [served("a", at=0, rung="one"), served("b", at=1, rung="two"), served("a", at=2, rung="two")]
        assert [each.sha256 for each in bronze.good(log, rung="one")] == ["a"]
        assert [each.sha256 for each in bronze.good(log, rung="two")] == ["a", "b"]


class TestFrames:
    def test_attempts(self, tmp_path: Path) -> None:
        bronze.append(tmp_path, ASKED)
        bronze.append(tmp_path, replace(ASKED, source="openrouter", outcome="failed", error="HTTP 503", seconds=1.5))
        frame = bronze.attempt_frame(tmp_path)
        assert frame["source"].to_list() == ["litellm", "openrouter"]
        assert frame["error"].to_list() == [None, "HTTP 503"]
        assert frame.schema["checked_at"] == pl.Datetime("us", "UTC")

    def test_snapshots_meet_their_contract(self, tmp_path: Path) -> None:
        """One row per document and outcome; an error, a skip and a damaged body add none."""
        log = [
            replace(served("a", at=0), etag='"1"', published_at=NOON),
            replace(ASKED, outcome="failed", error="HTTP 503"),
            replace(ASKED, outcome="skipped"),
            served("b", at=1, outcome="unreadable"),
            served("a", at=2, outcome="not_modified"),
            replace(served("a", at=3, transport="bronze", outcome="failed"), error="damaged"),
            served("s", at=4, transport="seed"),
        ]
        for attempt in log:
            bronze.append(tmp_path, attempt)
        frame = SnapshotLog.validate(bronze.snapshot_frame(tmp_path))
        told = frame.select("sha256", "outcome", "transport", pl.col("fetched_at", "last_checked_at").dt.hour(), "etag")
        assert told.rows() == [
            ("a", "new", "http", 12, 14, '"1"'),
            ("b", "unreadable", "http", 13, 13, None),
            ("s", "new", "seed", 16, 16, None),
        ]


class TestPointers:
    @staticmethod
    def snapshot(root: Path, body: bytes) -> Snapshot:
        sha256 = bronze.put(root, "litellm", body)
        return Snapshot("litellm", body, sha256, "http", "http://a/p", NOON, package_version="1", last_checked_at=NOON)

    def test_bring_back_the_snapshots(self, tmp_path: Path) -> None:
        snapshots = [self.snapshot(tmp_path, body) for body in (b"one", b"two")]
        bronze.point(tmp_path, "litellm", snapshots)
        assert bronze.pointed(tmp_path, "litellm") == snapshots
        bronze.point(tmp_path, "litellm", snapshots[:1])
        assert bronze.pointed(tmp_path, "litellm") == snapshots[:1]
        assert bronze.attempt_frame(tmp_path).is_empty(), "pointers are no source"

    def test_copy_no_body(self, tmp_path: Path) -> None:
        bronze.point(tmp_path, "litellm", [self.snapshot(tmp_path, b"x" * 100_000)])
        assert (tmp_path / ".current" / "litellm.json").stat().st_size < 1000

    @pytest.mark.parametrize("break_it", [lambda root: next(root.glob("litellm/*.zst")).unlink()])
    def test_to_a_lost_body_say_so(self, tmp_path: Path, break_it: Callable[[Path], None]) -> None:
        bronze.point(tmp_path, "litellm", [self.snapshot(tmp_path, b"one")])
        break_it(tmp_path)
        with pytest.raises(bronze.DamagedBodyError):
            bronze.pointed(tmp_path, "litellm")

    def test_that_were_never_written(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            bronze.pointed(tmp_path, "litellm")
