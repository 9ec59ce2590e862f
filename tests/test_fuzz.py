"""Every parser against bytes that no publisher meant: rows, refused rows or one ValueError, and nothing else.

A few inputs for each run by default; `pytest -m slow tests/test_fuzz.py` tries hundreds. What once broke a parser is an
`example` below or a test of its source.
"""

import importlib
import inspect
import io
import json
import pkgutil
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sources
from schemas.quarantine import Parsed, Rejected
from sources.catalogue import CATALOGUE
from sources.source import Seed, Snapshot, Source, content_hash
from sources.user_files import read_trace

Parser = Callable[[Snapshot], Parsed]
DAY = datetime(2026, 12, 1, 12, tzinfo=UTC)
HARD = [
    b"", b"\x00", b"\xff\xfe\x00", b"\xef\xbb\xbf", b"null", b"[]", b"{}", b"[null]", b'[{"a": NaN}]', b"1e400", b"-",
    b"PK\x03\x04",
    b"[" * 100_000, b'{"a":' * 100_000, b'{"data":' * 5_000 + b"1" + b"}" * 5_000, b"a,b\n1,2,3\n", b'a,b\n"1', b"a,a\n1,2\n",
    b'{"data": [{"id": 1, "pricing": []}]}', b"x" * 1_000_000, b"\n" * 100_000, b"," * 100_000,
]  # fmt: skip


def parsers() -> Iterator[tuple[str, Parser, Source]]:
    """Each function of `sources` that makes rows of a snapshot, with a source of its module."""
    published = [source for group in CATALOGUE.values() for source in group]
    for module in pkgutil.iter_modules(sources.__path__, "sources."):
        loaded = importlib.import_module(module.name)
        own = [value for value in vars(loaded).values() if isinstance(value, Source)]
        own += [
            each for value in vars(loaded).values() if isinstance(value, tuple) for each in value if each in published
        ]
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            if name.startswith("parse") and function.__module__ == module.name and own:
                of_this = (source for source in own if is_read(function, source))
                yield f"{module.name.removeprefix('sources.')}.{name}", function, next(of_this, own[0])


def is_read(function: Parser, source: Source) -> bool:
    """Whether the source's own shipped document is one that the parser reads."""
    for rung in source.floor:
        body = rung.path.read_bytes() if isinstance(rung, Seed) else rung.read()
        with suppress(ValueError):
            return bool(function(Snapshot(source.name, body, content_hash(body), "seed", "seed", DAY)).accepted.height)
    return False


PARSERS = {name: (function, source) for name, function, source in parsers()}


def whole(name: str) -> bytes:
    """A document that the parser can read: the source's seed, else a small one in its format."""
    _, source = PARSERS[name]
    for rung in source.floor:
        if isinstance(rung, Seed):
            return rung.path.read_bytes()
        return rung.read()
    if name.startswith("gpuhunt"):
        packed = io.BytesIO()
        columns = (
            "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size,flags,provider_data"
        )
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(
                f"{source.name.removeprefix('gpuhunt_')}.csv", f"{columns}\np5,us-1,98.3,192,2048,8,H100,80,False,,,\n"
            )
        return packed.getvalue()
    if name.startswith("skypilot"):
        return (
            b"InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,SpotPrice,Region,GpuInfo,AvailabilityZone\n"
            b"p5,H100,8,192,2048,98.3,30.1,us-1,,a\n"
        )
    item = {"armSkuName": "Standard_ND96isr_H100_v5", "retailPrice": 98.32, "unitPrice": 98.32, "currencyCode": "USD",
            "unitOfMeasure": "1 Hour", "type": "Consumption", "armRegionName": "eastus", "meterName": "ND96isr H100 v5",
            "productName": "Virtual Machines NDsr H100 v5", "skuName": "ND96isr", "effectiveStartDate": "2026-01-01T00:00:00Z"
    }  # fmt: skip
    return json.dumps({"Items": [item]}).encode()


def read(name: str, body: bytes) -> Parsed | None:
    """What the parser makes of a body; None where it refuses the whole."""
    function, source = PARSERS[name]
    snapshot = Snapshot(
        source.name, body, content_hash(body), "http", "https://example.org/p", DAY, last_checked_at=DAY
    )
    try:
        parsed = function(snapshot)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert source.name in refusal
        assert len(refusal.splitlines()) == 1
        return None
    Rejected.validate(parsed.rejected)
    assert isinstance(parsed.accepted, pl.DataFrame)
    return parsed


WRONG = (
    b"null",
    b"-1",
    b"1e400",
    b'""',
    b"[]",
    b"{}",
    b"true",
    b"NaN",
    b"99999999999999999999999",
    b'"x"',
    b"2026-13-45",
    b"\xff",
    b",",
    b"\n",
)
TOKEN = re.compile(rb'"[^"\n]{0,40}"|-?\d+(?:\.\d+)?|[,:\[\]{}\n]|[A-Za-z_]+')


@st.composite
def damaged(draw: st.DrawFn, body: bytes) -> bytes:
    """A real document with one to three of its tokens replaced, doubled or left out, or cut short."""
    for _ in range(draw(st.integers(1, 3))):
        tokens = [found.span() for found in TOKEN.finditer(body[: 1 << 16])]
        if not tokens:
            break
        start, end = draw(st.sampled_from(tokens))
        new = draw(st.sampled_from([*WRONG, b"", body[start:end] * 2]))
        body = body[:start] + new + body[end:]
    return body[: draw(st.integers(0, len(body)))] if draw(st.integers(0, 9)) == 0 else body


@pytest.mark.parametrize("name", sorted(PARSERS.keys() - {"inferencex_api.parse_runs", "mlperf_results.parse_results"}))
def test_documents_are_whole_before_they_are_damaged(name: str):
    """Else only the first line of a parser would ever be tried. The two others are damaged in benchmark_outputs."""
    assert read(name, whole(name)) is not None


@pytest.mark.parametrize("name", PARSERS)
def test_hard_bytes_are_refused_in_words(name: str):
    for body in HARD:
        read(name, body)


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
@settings(max_examples=4)
def test_damaged_documents_are_rows_or_refusals(name: str, data: st.DataObject):
    read(name, data.draw(damaged(whole(name))))


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
@settings(max_examples=100)
def test_many_damaged_documents_are_rows_or_refusals(name: str, data: st.DataObject):
    read(name, data.draw(st.binary(max_size=300) | damaged(whole(name))))


@pytest.mark.parametrize(
    "head", [b"TIMESTAMP,ContextTokens,GeneratedTokens\n", b'{"timestamp": 0, "input_length": 1, "output_length": 1}\n']
)
@given(data=st.data())
@settings(max_examples=8)
def test_damaged_traces_are_requests_or_refusals(head: bytes, data: st.DataObject):
    lines = head + b"2023-11-16 18:15:46.6805900,374,44\n" * 20 if head.startswith(b"T") else head * 20
    with suppress(ValueError):
        read_trace("trace", data.draw(damaged(lines) | st.binary(max_size=200).map(lambda tail: head + tail)))
