"""Published MLPerf results: the table of a round, from a real server."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import stamina

from schemas.quarantine import Rejected
from schemas.serving.benchmark_outputs import OperatingPoint
from sources.serving.mlperf_results import SOURCES, parse_results
from sources.source import Snapshot
from sources.transports.http import Policy
from sources.transports.ladder import load
from tests.live_server import HERE, LiveServer, document
from tests.serving.benchmark_files import document_of, inferencex_row, mlperf_result

DAY = datetime(2026, 12, 1, tzinfo=UTC)
ROUND = document_of(
    [
        mlperf_result(),
        mlperf_result(Nodes=2, Scenario="Offline", Performance_Result=55000.0),
        mlperf_result(UsedModel="resnet", Performance_Units="Samples/s"),
        mlperf_result(UsedModel="retinanet", Performance_Units="Samples/s"),
        mlperf_result(errors=1),
    ]
)


def snapshot(body: bytes) -> Snapshot:
    return Snapshot("mlperf_v5_1", body, "0" * 64, "http", "https://example.org", DAY)


def test_results_in_tokens_become_points_and_others_are_counted_by_rule() -> None:
    parsed = parse_results(snapshot(ROUND))
    OperatingPoint.validate(parsed.accepted)
    Rejected.validate(parsed.rejected)
    asked = parsed.accepted.select("gpu_canonical", "gpus_total", "slo_ttft_s", "slo_tpot_s", "arrival", "basis")
    assert asked.rows() == [
        ("mi300x", 8, 0.45, 0.04, "open_loop", "peer_reviewed"),
        ("mi300x", 16, None, None, "all_at_once", "peer_reviewed"),
    ]
    assert parsed.accepted["output_tokens_per_s_per_gpu"].to_list() == pytest.approx([8840.42 / 8, 55000 / 16])
    by_rule = dict(parsed.rejected.select("rule", "n_rows").rows())
    assert set(by_rule) == {"not_token_throughput", "has_errors"}


@pytest.mark.parametrize("body", [b"", b"404: Not Found", b"[]", document_of([inferencex_row()])])
def test_another_document_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="mlperf_v5_1: not a table of MLPerf results"):
        parse_results(snapshot(body))


def test_each_round_is_fetched_from_its_own_repository(tmp_path: Path, live_server: LiveServer) -> None:
    for source in SOURCES:
        round_ = source.name.removeprefix("mlperf_").replace("_", ".")
        path = f"/mlcommons/inference_results_{round_}/main/summary_results.json"
        live_server.serve(path, document(ROUND))
        with stamina.set_testing(True, attempts=1):
            loaded = load(
                source,
                parse_results,
                bronze_root=tmp_path,
                policy=Policy(private_hosts=HERE, min_interval_s=0),
                offline=False,
                now=DAY,
                urls={source.name: live_server.url},
            )
        assert loaded.served_from == "http"
        assert loaded.parsed is not None
        assert loaded.parsed.accepted["file_name"].unique().to_list() == [source.name]
        assert len(live_server.seen(path)) == 1
