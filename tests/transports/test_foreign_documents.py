"""Documents that say one thing twice, another thing in another YAML, or nothing for ever."""

import gzip
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from schemas.base import empty
from schemas.quarantine import Parsed, Rejected
from schemas.yaml_document import read_yaml
from sources.source import Http, Source
from sources.transports.http import FetchError, Policy, get
from sources.transports.ladder import load
from tests.live_server import HERE, LiveServer, document, send
from warehouse.resources import read_settings

POLICY = Policy(private_hosts=HERE, min_interval_s=0.0)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1:30", "1:30"),
        ("190:20:30", "190:20:30"),
        ("010", "010"),
        ("0x1F", 31),
        ("12", 12),
        ("-3", -3),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1:30.5", "1:30.5"),
        ("true", True),
        ("0", 0),
        ("08", "08"),
    ],
)
def test_numbers_are_those_that_a_reader_sees(text: str, value: object):
    found = read_yaml(f"gpus: {text}".encode())["gpus"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "body", [b"a: 1\nb: 2\na: 3\n", b"x: {a: 1, a: 2}", b"- {a: [1, {b: 1}], c: 1, a: 2}", b"? a\n: 1\n? a\n: 2\n"]
)
def test_key_that_stands_twice_is_refused_with_its_line(body: bytes):
    with pytest.raises(ValueError, match=r"a key stands twice in one map, the second time in line \d"):
        read_yaml(body)
    assert read_yaml(b"a: {a: 1}\nb: [a, a]\nc: {a: 1}\n") == {"a": {"a": 1}, "b": ["a", "a"], "c": {"a": 1}}


@pytest.mark.parametrize("body", ["keep_releases: 3\ncontact: é\n".encode("latin-1"), b"\x00\x01", b"a: \xff\xfe"])
def test_settings_in_another_encoding_are_one_line_that_names_the_file(tmp_path: Path, body: bytes):
    (tmp_path / "config.yaml").write_bytes(body)
    with pytest.raises(ValueError, match=r"config\.yaml: not YAML: .*") as error:
        read_settings(tmp_path / "config.yaml")
    assert "\n" not in str(error.value)


def test_settings_in_utf16_and_with_a_mark_at_their_head_are_read(tmp_path: Path):
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "config.yaml").write_text("keep_releases: 3\n", encoding=encoding)
        assert read_settings(tmp_path / "config.yaml").keep_releases == 3


def zipped(body: bytes):
    def reply(handler):
        send(handler, 200, body, {"Content-Type": "application/json", "Content-Encoding": "gzip"})

    return reply


def test_gzip_of_several_members_and_padding_is_read_whole(live_server: LiveServer):
    url = live_server.serve("/x", zipped(gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"two") + bytes(100)))
    assert get(url, POLICY).body == b"one two"


@pytest.mark.parametrize("cut", [1, 8, 12])
def test_gzip_that_ends_early_is_no_document(live_server: LiveServer, cut: int):
    url = live_server.serve("/x", zipped(gzip.compress(b"whole")[:-cut]))
    with pytest.raises(FetchError, match="damaged gzip body"):
        get(url, POLICY)


def test_members_without_end_are_refused_in_time(live_server: LiveServer):
    url = live_server.serve("/x", zipped(gzip.compress(b"") * 2_000_000))
    started = time.monotonic()
    with pytest.raises(FetchError, match="more than 1000 gzip members"):
        get(url, POLICY)
    assert time.monotonic() - started < 30


def test_gzip_bomb_is_refused_at_the_cap(live_server: LiveServer):
    url = live_server.serve("/x", zipped(gzip.compress(bytes(50_000_000))))
    with pytest.raises(FetchError, match="larger than 1000000 bytes when decompressed"):
        get(url, Policy(private_hosts=HERE, max_bytes=1_000_000))


def test_doubled_key_of_a_publisher_is_said_and_the_document_kept(live_server: LiveServer, tmp_path: Path):
    url = live_server.serve("/x", document(b'{"price": 1, "price": 2}'))
    source = Source("x", "X", "x", "x", live=(Http(url),), fresh_for=timedelta(days=1))

    def parse(snapshot):
        return Parsed(pl.DataFrame({"a": [1]}), empty(Rejected))

    loaded = load(source, parse, bronze_root=tmp_path, policy=POLICY, offline=False, now=datetime.now(UTC))
    assert loaded.parsed is not None
    assert loaded.parsed.rejected["rule"].to_list() == ["doubled_key"]
    assert (
        loaded.parsed.rejected["reason"].item() == "the key 'price' stands twice in one object: the last of its values counts"
    )


def test_parser_that_panics_costs_its_document_only(live_server: LiveServer, tmp_path: Path):
    url = live_server.serve("/x", document(b"{}"))
    source = Source("x", "X", "x", "x", live=(Http(url),), fresh_for=timedelta(days=1))

    def parse(snapshot):
        raise pl.exceptions.PanicException("index out of bounds")

    loaded = load(source, parse, bronze_root=tmp_path, policy=POLICY, offline=False, now=datetime.now(UTC))
    assert loaded.served_from == "none"
    assert "index out of bounds" in str(loaded.attempts[0].error)
