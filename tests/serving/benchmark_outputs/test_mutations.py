"""A file of every format, damaged: each run is either right or refused with a reason. Never a crash, never a silent error.

Damaged copies are read many at a time, as a folder would be.
"""

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.quarantine import Rejected
from schemas.serving.benchmark_outputs import OperatingPoint
from sources.serving.benchmark_outputs import BenchmarkFile, detect, ingest, parse
from tests.serving.benchmark_outputs import made, test_aiperf, test_inferencex, test_mlperf, test_sglang, test_vllm

NAMES = (
    "vllm",
    "vllm detailed",
    "sglang",
    "inferencex rows",
    "inferencex client",
    "inferencex aggregate",
    "guidellm",
    "inference_perf",
    "aiperf",
    "mlperf table",
)
LATENCY_KEY = re.compile(
    r"ttft|tpot|itl|e2el|e2e_latency|time_to_first_token|time_per_output_token|inter_token|inter_chunk|request_latency"
)
LATENCY_LINE = re.compile(r"(latency|Time to Output Token) \(ns\)\s*$", re.IGNORECASE)
WRONG = ("fast", "NaN", "", float("nan"), float("inf"), -1.0, -1e9, True, [1.0], {"value": 1}, 10**400)
NULL_SPEAKS = ("max_concurrency", "speculative_algorithm")
"""Null is an answer there: no bound on the requests in flight, no speculation."""
ENTRIES = ("gpu_0", "gpu_1")
"""Entries of a table by name; a table with fewer is another table."""
A_FEW = settings(max_examples=3, deadline=None)

MAY_CHANGE = {
    "run_id",
    "record_id",
    "file_name",
    "notes",
    "priceable",
    "latency_closure",
    "output_rate_basis",
    "tpot_basis",
    "engine_basis",
}
"""Columns that describe the row or follow from several figures, of which some are gone."""


@cache
def document(name: str) -> Any:
    """A file made for tests, or the published example of a format's own tests."""
    return {
        **made.RUNS,
        "vllm detailed": test_vllm.detailed_record,
        "sglang": lambda: test_sglang.RUN | {"server_info": test_sglang.SERVER},
        "inferencex rows": made.inferencex,
        "inferencex aggregate": lambda: test_inferencex.AGGREGATE,
        "aiperf": lambda: test_aiperf.AGGREGATE,
        "mlperf table": lambda: [test_mlperf.H200, test_mlperf.MIXED],
    }[name]()


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to everything inside a document; of a long list only the first entries."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    for key, item in items:
        yield from leaves(item, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def replaced(original: Any, path: tuple[Any, ...], new: Any) -> bytes:
    damaged = copy.deepcopy(original)
    at(damaged, path[:-1])[path[-1]] = new
    return json.dumps(damaged).encode()


def without(original: Any, path: tuple[Any, ...]) -> bytes:
    damaged = copy.deepcopy(original)
    del at(damaged, path[:-1])[path[-1]]
    return json.dumps(damaged).encode()


def right_or_refused(original: bytes, damaged: list[bytes]) -> None:
    """Runs that survive state nothing that the whole file did not state; all others are refused with a reason."""
    whole = {run_number(row): row for row in ingest([BenchmarkFile("whole", original)]).records.to_dicts()}
    bodies = list(dict.fromkeys(damaged))
    result = ingest(BenchmarkFile(str(i), body) for i, body in enumerate(bodies))
    OperatingPoint.validate(result.accepted)
    Rejected.validate(result.rejected)
    assert result.rejected.select(pl.all_horizontal(pl.col("rule", "reason").str.len_chars() > 0).all()).item()
    refused = {key.split(":")[0] for key in result.rejected["row_key"]}
    for i, body in enumerate(bodies):
        assert str(i) in refused or str(i) in result.records["file_name"], body
    for row in result.records.to_dicts():
        before = whole[run_number(row)]
        for column in row.keys() - MAY_CHANGE:
            assert row[column] is None or is_same(row[column], before[column]), (column, row[column], before[column])


def run_number(row: dict[str, Any]) -> str:
    return str(row["record_id"]).split("-")[1]


def is_same(value: Any, before: Any) -> bool:
    return value == pytest.approx(before, rel=5e-3) if isinstance(value, float) and before is not None else value == before


@pytest.mark.parametrize("name", NAMES)
def test_missing_keys_and_nulls(name):
    original = document(name)
    paths = list(leaves(original))
    bodies = [without(original, path) for path in paths if isinstance(path[-1], str) and path[-1] not in ENTRIES]
    bodies += [replaced(original, path, None) for path in paths if path[-1] not in NULL_SPEAKS]
    right_or_refused(json.dumps(original).encode(), bodies)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_kinds_for_numbers(name):
    original = document(name)
    numbers = [path for path in leaves(original) if type(at(original, path)) in (int, float)]
    bodies = [
        replaced(original, path, wrong)
        for path in numbers
        for wrong in WRONG
        if not (path[-1] == "request_rate" and wrong == float("inf"))
    ]
    right_or_refused(json.dumps(original).encode(), bodies)


@pytest.mark.parametrize("name", NAMES)
@A_FEW
@given(data=st.data())
def test_files_cut_short(name, data):
    body = json.dumps(document(name)).encode()
    ends = data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=30))
    right_or_refused(body, [body[:end] for end in ends])


@pytest.mark.parametrize("name", ["aiconfigurator", "mlperf_log", "aiperf csv"])
@A_FEW
@given(data=st.data())
def test_texts_cut_short(name, data):
    body = test_aiperf.CSV.encode() if name == "aiperf csv" else made.body(name)
    ends = data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=30))
    right_or_refused(body, [body[:end] for end in ends])


@pytest.mark.parametrize("name", ["vllm", "mlperf_log", "inference_perf", "inferencex client"])
@A_FEW
@given(data=st.data())
def test_overwritten_bytes_never_crash(name, data):
    body = made.body(name)
    places = st.tuples(st.integers(0, len(body) - 1), st.integers(0, 255))
    damaged = []
    for changes in data.draw(st.lists(st.lists(places, min_size=1, max_size=8), min_size=1, max_size=30)):
        copied = bytearray(body)
        for place, byte in changes:
            copied[place] = byte
        damaged.append(bytes(copied))
    result = ingest(BenchmarkFile(str(i), copied) for i, copied in enumerate(damaged))
    OperatingPoint.validate(result.accepted)
    Rejected.validate(result.rejected)


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_never_crash(body):
    assert detect(body) is None
    with pytest.raises(ValueError, match=r"."):
        parse(body, file_name="x", meta=None)


def in_other_unit(value: Any, factor: float, *, is_latency: bool = False) -> Any:
    """The document with every latency, under any key that names one, times a factor."""
    if isinstance(value, dict):
        return {
            key: in_other_unit(item, factor, is_latency=is_latency or bool(LATENCY_KEY.search(key)))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [in_other_unit(item, factor, is_latency=is_latency) for item in value]
    return value * factor if is_latency and type(value) in (int, float) else value


@pytest.mark.parametrize("factor", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "mlperf table"])
def test_latencies_in_another_unit_are_refused(name, factor):
    damaged = in_other_unit(document(name), factor)
    assert damaged != document(name)
    assert parse(json.dumps(damaged).encode(), file_name="x", meta=None).accepted.is_empty()


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_whole_tables_in_another_unit_are_refused(factor):
    rows = json.dumps(in_other_unit(made.inferencex(), factor)).encode()
    assert parse(rows, file_name="x", meta=None).accepted.is_empty()
    columns = ("silicon_ttft_ms", "silicon_tpot_ms")
    table = pl.read_csv(made.aiconfigurator(), infer_schema_length=None)
    for damaged in (columns, *((column,) for column in columns)):
        body = table.with_columns(pl.col(damaged) * factor).write_csv().encode()
        assert parse(body, file_name="x", meta=None).accepted.is_empty()


@pytest.mark.parametrize("factor", [1e-9, 1e-6, 1e-3, 1e3])
def test_log_in_another_unit_is_refused(factor):
    lines = []
    for line in made.mlperf_log().decode().splitlines():
        name, _, value = line.partition(":")
        is_latency = LATENCY_LINE.search(name) and value.strip().isdigit()
        lines.append(f"{name}: {int(value) * factor}" if is_latency else line)
    assert parse("\n".join(lines).encode(), file_name="x", meta=None).accepted.is_empty()
