"""Everything that reads bytes from outside, against bytes that nobody meant: rows, refused rows or a refusal, and nothing else.

By default the kept inputs and a few damaged documents for each entry; `pytest -m soak tests/fuzz` lets a fuzzer that sees which
lines run look for more. What once broke an entry is kept beside its document, or an `example` or a test of its own.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.entries import ENTRIES, SEEDS, kept
from tests.fuzz.tokens import TOKEN, WRONG
from tests.refreshed import ROOT

HARD = [
    b"",
    b"\x00",
    b"\xff\xfe\x00",
    b"\xef\xbb\xbf",
    b"null",
    b"[]",
    b"{}",
    b"[null]",
    b'[{"a": NaN}]',
    b"1e400",
    b"-",
    b"PK\x03\x04",
    b"PAR1",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"data":' * 5_000 + b"1" + b"}" * 5_000,
    b"a,b\n1,2,3\n",
    b'a,b\n"1',
    b"a,a\n1,2\n",
    b'{"data": [{"id": 1, "pricing": []}]}',
    b"x" * 1_000_000,
    b"\n" * 100_000,
    b"," * 100_000,
]


@st.composite
def damaged(draw: st.DrawFn, body: bytes) -> bytes:
    """A document with one to three of its tokens replaced, doubled or left out, or cut short."""
    for _ in range(draw(st.integers(1, 3))):
        tokens = [found.span() for found in TOKEN.finditer(body)]
        if not tokens:
            break
        start, end = draw(st.sampled_from(tokens))
        new = draw(st.sampled_from([*WRONG, b"", body[start:end] * 2]))
        body = body[:start] + new + body[end:]
    return body[: draw(st.integers(0, len(body)))] if draw(st.integers(0, 9)) == 0 else body


def test_every_entry_has_its_kept_inputs_and_they_are_small():
    assert {folder.name for folder in SEEDS.iterdir()} == set(ENTRIES)
    assert max(file.stat().st_size for file in SEEDS.glob("*/*")) < 16_384


@pytest.mark.parametrize("name", ENTRIES)
def test_kept_documents_are_whole_before_they_are_damaged(name: str):
    """Else only the first line of a parser would ever be tried."""
    assert ENTRIES[name](kept(name)["whole"])


@pytest.mark.parametrize("name", ENTRIES)
def test_kept_and_hard_bytes_are_rows_or_refusals(name: str):
    for body in [*kept(name).values(), *HARD]:
        ENTRIES[name](body)


@pytest.mark.parametrize("name", ENTRIES)
@given(data=st.data())
@settings(max_examples=4)
def test_damaged_documents_are_rows_or_refusals(name: str, data: st.DataObject):
    ENTRIES[name](data.draw(damaged(kept(name)["whole"])))


@pytest.mark.soak
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is there for Python 3.11 on Linux only")
@pytest.mark.parametrize("name", ENTRIES)
def test_bytes_that_reach_new_lines_are_rows_or_refusals(name: str, tmp_path: Path):
    """Five seconds each; the harness bounds time and memory of an input."""
    command = [sys.executable, "-m", "tests.fuzz.harness", name, "--seconds", "5", "--found", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=300)
    said = done.stderr[-3000:].decode(errors="replace")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [], said
    assert done.returncode == 0, said
    assert b"\nDone " in done.stderr, said
