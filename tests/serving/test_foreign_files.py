"""One file cannot stop the others: whatever lies in a folder or the inbox, the good one beside it is taken in."""

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.inbox import empty_inbox, run_key
from sources.json_document import DoubledKeyError, check_json
from sources.regular_file import read_regular, shown_name
from sources.serving.user_files import FILES, files_under, stored, take_in
from tests.serving.benchmark_files import vllm_run

NOW = datetime(2026, 12, 1, tzinfo=UTC)
LATER = datetime(2036, 12, 1, tzinfo=UTC)


def make(folder: Path, kind: str) -> Path:
    """One hostile file in a folder."""
    path = folder / "a-hostile.json"
    if kind == "name that is no UTF-8":
        path = Path(os.fsdecode(os.fsencode(folder) + b"/a-\xe9\xff.json"))
        path.write_bytes(b"{")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "sparse":
        with path.open("wb") as file:
            file.truncate(1 << 40)
    elif kind == "link onto itself":
        path.symlink_to(path.name)
    elif kind == "dangling link":
        path.symlink_to("nowhere")
    elif kind == "longest name":
        path = folder / ("a" * 250 + ".json")
        path.write_bytes(b"{")
    elif kind == "unreadable metadata":
        path.write_bytes(vllm_run())
        os.mkfifo(folder / "a-hostile.json.meta.yaml")
    elif kind == "doubled key":
        path.write_bytes(b'{"duration": 1, "duration": 2}')
    elif kind == "unfolds":
        path.write_bytes(b"[" + b"[]," * 13_000_000 + b"[]]")
    return path


KINDS = [
    "name that is no UTF-8",
    "pipe",
    "device",
    "sparse",
    "link onto itself",
    "dangling link",
    "longest name",
    "unreadable metadata",
    "doubled key",
    "unfolds",
]


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_folder_it_is_refused_with_a_reason_and_the_good_one_is_kept(tmp_path: Path, kind: str):
    folder = tmp_path / "results"
    folder.mkdir()
    make(folder, kind)
    (folder / "good.json").write_bytes(vllm_run())
    results = {each.path.name: each for each in take_in(files_under([folder]), bronze_root=tmp_path / "b", said={}, now=NOW)}
    assert results.pop("good.json").is_accepted
    (bad,) = results.values()
    assert not bad.is_accepted
    assert bad.refusal
    assert len(stored(tmp_path / "b", FILES)[0]) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_in_the_inbox_it_is_moved_with_its_reason_beside_it_and_does_not_come_again(tmp_path: Path, kind: str):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    make(inbox, kind)
    (inbox / "good.json").write_bytes(vllm_run())
    results = empty_inbox(inbox, bronze_root=tmp_path / "b", now=LATER)
    assert sorted(each.is_accepted for each in results) == [False, True]
    assert empty_inbox(inbox, bronze_root=tmp_path / "b", now=LATER) == []
    assert [path.name for path in (inbox / "accepted").iterdir()] == ["good.json"]
    (reason,) = (inbox / "rejected").glob("*.reason.txt")
    assert reason.read_text(encoding="utf-8").strip()
    run_key(results)


def test_good_file_with_a_name_that_is_no_utf8_is_kept_under_a_name_that_is(tmp_path: Path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/run-\xe9.json"))
    path.write_bytes(vllm_run())
    (result,) = take_in([path], bronze_root=tmp_path / "b", said={}, now=NOW)
    assert result.is_accepted
    assert [each.uri for each in stored(tmp_path / "b", FILES)[0]] == ["run-\\xe9.json"]
    assert shown_name(path) == "run-\\xe9.json"


def test_file_that_grows_while_it_is_read_is_refused(tmp_path: Path):
    path, done = tmp_path / "grows.json", threading.Event()
    path.write_bytes(bytes(40_000_000))

    def grow() -> None:
        with path.open("ab") as file:
            while not done.is_set():
                file.write(b"x")
                file.flush()

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with pytest.raises(ValueError, match="changed while it was read"):
            read_regular(path)
    finally:
        done.set()
        writer.join()


def test_file_of_the_largest_size_is_read_and_one_byte_more_is_not(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    assert len(read_regular(path, most_bytes=100)) == 100
    with pytest.raises(ValueError, match="at most 0 MB"):
        read_regular(path, most_bytes=99)


def test_doubled_key_is_found_at_any_depth_and_no_json_passes_to_its_parser():
    with pytest.raises(DoubledKeyError, match="'b' stands twice"):
        check_json(b'{"a": [{"b": 1, "c": {}, "b": 2}]}')
    for body in (b'{"a": 1', b"not json", b"a,b\n1,2\n", b"[" * 100_000, b'{"a": 1}\n{"a": 2}', b"\xff"):
        check_json(body)
    check_json(json.dumps({"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 2}]}).encode())
