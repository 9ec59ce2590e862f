"""InferenceX's public API: one document per model, from a real server, and the real capture of one model."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import stamina

from schemas.quarantine import Rejected
from schemas.serving.benchmark_outputs import OperatingPoint
from sources.serving.inferencex_api import SOURCES, parse_runs
from sources.source import Http, Snapshot
from sources.transports.http import Policy
from sources.transports.ladder import Loaded, load
from tests.live_server import HERE, LiveServer, document, html, status
from tests.serving.benchmark_files import SAMPLES, document_of, inferencex_row, mlperf_result

CAPTURE = SAMPLES / "inferencex" / "api_fixture_benchmarks.json"
PATH = "/api/v1/benchmarks?model=DeepSeek-R1-0528"
DAY = datetime(2026, 12, 1, tzinfo=UTC)
TWO_RUNS = document_of([inferencex_row(clients=16), inferencex_row(clients=64, tpot_s=0.08)])


def snapshot(body: bytes) -> Snapshot:
    return Snapshot("inferencex_deepseek_r1", body, "0" * 64, "http", "https://example.org", DAY)


@pytest.fixture
def day(tmp_path: Path, live_server: LiveServer) -> Callable[[int], Loaded]:
    """Load the document of DeepSeek R1 on a day, from the local server."""

    def run(number: int) -> Loaded:
        with stamina.set_testing(True, attempts=1):
            return load(
                SOURCES[0],
                parse_runs,
                bronze_root=tmp_path,
                policy=Policy(private_hosts=HERE, min_interval_s=0),
                offline=False,
                now=DAY + number * timedelta(days=1),
                urls={SOURCES[0].name: live_server.url},
            )

    return run


def test_one_document_per_model_each_under_its_own_name() -> None:
    addresses = [rung.url for source in SOURCES for rung in source.live if isinstance(rung, Http)]
    assert len(set(addresses)) == len({source.name for source in SOURCES}) == len(SOURCES) == len(addresses)
    assert all(address.startswith("https://inferencex.semianalysis.com/api/v1/benchmarks?model=") for address in addresses)


def test_rows_become_operating_points() -> None:
    parsed = parse_runs(snapshot(TWO_RUNS))
    OperatingPoint.validate(parsed.accepted)
    assert parsed.rejected.is_empty()
    asked = parsed.accepted.select(
        "source", "file_name", "gpu_canonical", "gpus_total", "concurrency", "arrival", "start_burst_bias", "priceable"
    )
    common = ("inferencex", "inferencex_deepseek_r1", "h200-sxm", 8)
    assert asked.rows() == [(*common, 16.0, "closed_loop", True, True), (*common, 64.0, "closed_loop", True, True)]


def test_replays_of_agentic_sessions_are_not_compared_with_single_requests() -> None:
    """Their lengths vary and most of a prompt is cached; who sends when is not told."""
    replay = inferencex_row() | {"benchmark_type": "agentic_traces", "isl": None, "osl": None}
    single = inferencex_row(clients=64) | {"benchmark_type": "single_turn"}
    parsed = parse_runs(snapshot(document_of([replay, single])))
    assert parsed.rejected.is_empty()
    asked = parsed.accepted.select("arrival", "start_burst_bias", "input_tokens_nominal", "notes")
    assert asked.rows() == [
        (None, None, None, "agentic_traces: sessions of many turns, prompts mostly cached"),
        ("closed_loop", True, 1024.0, None),
    ]


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error": "Unknown model"}', b"[]", document_of([mlperf_result()])])
def test_another_document_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="inferencex_deepseek_r1: not a list of InferenceX runs"):
        parse_runs(snapshot(body))


def test_asked_with_its_tag_and_served_from_the_store_while_the_site_is_broken(
    day: Callable[[int], Loaded], live_server: LiveServer
) -> None:
    live_server.serve(PATH, document(TWO_RUNS, etag='"1"'), document(TWO_RUNS, etag='"1"'), html(), status(503))
    loaded = [day(number) for number in range(4)]
    assert [each.served_from for each in loaded] == ["http", "http", "bronze", "bronze"]
    assert live_server.seen(PATH)[1].headers["If-None-Match"] == '"1"'
    assert [each.parsed.accepted.height for each in loaded if each.parsed] == [2, 2, 2, 2]
    assert loaded[3].age == timedelta(days=2)


def test_without_any_document_there_is_simply_none(tmp_path: Path) -> None:
    loaded = load(SOURCES[1], parse_runs, bronze_root=tmp_path, policy=Policy(), offline=True, now=DAY)
    assert (loaded.snapshot, loaded.served_from) == (None, "none")


@pytest.mark.published
@pytest.mark.skipif(not CAPTURE.exists(), reason="the public capture of the API is not on this machine")
def test_the_real_capture_keeps_the_contract() -> None:
    body = CAPTURE.read_bytes()
    parsed = parse_runs(snapshot(body))
    OperatingPoint.validate(parsed.accepted)
    Rejected.validate(parsed.rejected)
    assert parsed.accepted.height + parsed.rejected["n_rows"].sum() == len(json.loads(body)) == 435
    assert parsed.accepted["priceable"].all()
    assert parsed.accepted["gpu_canonical"].null_count() == 0
