"""Benchmark outputs as tables: runs, points, traces, and what happens when a publisher's document shrinks."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest

from assets.serving import benchmark_outputs, published_runs
from assets.serving.benchmark_outputs import PUBLISHED, hold_shrunk
from pipelines.refresh import QUIET
from pipelines.resources import resources
from schemas.base import Table, empty, polars_schema
from schemas.quarantine import Rejected
from schemas.serving.benchmark_outputs import BenchmarkRun, OperatingPoint, TraceRequest, Workload
from sources.serving.user_files import FILES, take_in
from sources.transports import bronze
from tests.live_server import HERE, LiveServer, document
from tests.refreshed import ROOT
from tests.serving.benchmark_files import TRACE, document_of, inferencex_row, vllm_run
from warehouse.resources import NOW_TAG
from warehouse.store import read_rejected, read_table

FIRST_DAY = datetime(2026, 12, 1, 12, tzinfo=UTC)
LIVE = "inferencex_deepseek_r1"
PATH = "/api/v1/benchmarks?model=DeepSeek-R1-0528"
Day = Callable[[int], None]


@pytest.fixture
def folder(tmp_path: Path, live_server: LiveServer) -> Path:
    """An empty data folder in which one publisher's document comes from the local server and no other is asked."""
    settings = {"urls": {LIVE: live_server.url}, "private_hosts": [*HERE], "disabled": sorted(PUBLISHED - {LIVE})}
    (tmp_path / "config.yaml").write_text(json.dumps(settings))
    return tmp_path


@pytest.fixture
def day(folder: Path) -> Day:
    """Compute the tables of the group as of a day."""

    def run(number: int) -> None:
        result = dg.materialize(
            [
                item
                for module in (benchmark_outputs, published_runs)
                for item in vars(module).values()
                if isinstance(item, dg.AssetsDefinition)
            ],
            resources=resources(folder),
            run_config=QUIET,
            tags={NOW_TAG: (FIRST_DAY + timedelta(days=number)).isoformat()},
        )
        assert result.success

    return run


def rows(folder: Path, schema: type[Table]) -> pl.DataFrame:
    """Rows of a table, of operating points without those that others published."""
    frame = read_table(folder / "tables", schema)
    assert frame is not None
    return frame.filter(~pl.col("file_name").str.starts_with("measured_")) if schema is OperatingPoint else frame


def bring(folder: Path, name: str, body: bytes, **said: object) -> None:
    file = folder / name
    file.write_bytes(body)
    (result,) = take_in([file], bronze_root=folder / "bronze", said=said, now=FIRST_DAY)
    assert result.is_accepted, result.refusal


def test_first_refresh_has_published_runs_and_no_others(warehouse: duckdb.DuckDBPyConnection) -> None:
    for table in ("raw.benchmark_run", "core.workload"):
        assert warehouse.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    for table in ("core.operating_point", "core.operating_point_frame"):
        assert warehouse.execute(f"SELECT count(*) >= 5000 FROM {table}").fetchone() == (True,)
    lost = "SELECT count(*) FROM core.operating_point ANTI JOIN raw.published_run USING (run_id)"
    assert warehouse.execute(lost).fetchone() == (0,)


def test_own_files_publishers_and_traces_stand_side_by_side(folder: Path, day: Day, live_server: LiveServer) -> None:
    live_server.serve(PATH, document(document_of([inferencex_row(clients=n) for n in (4, 8)])))
    bring(folder, "mine.json", vllm_run(), gpu="h100-sxm", gpus=8)
    bring(folder, "trace.csv", TRACE.encode())
    day(0)
    points = rows(folder, OperatingPoint).sort("file_name")
    assert points.select("file_name", "source", "gpu_canonical", "gpus_total", "priceable").rows() == [
        (LIVE, "inferencex", "h200-sxm", 8, True),
        (LIVE, "inferencex", "h200-sxm", 8, True),
        ("mine.json", "vllm", "h100-sxm", 8, True),
    ]
    assert set(rows(folder, BenchmarkRun)["run_id"]) == set(points["run_id"])
    assert rows(folder, TraceRequest).select("arrived_s", "input_tokens", "output_tokens").rows() == [
        (0.0, 12, 3),
        (1.0, 20, 5),
    ]
    (workload,) = rows(folder, Workload).iter_rows(named=True)
    assert (workload["file_name"], workload["n_requests"]) == ("trace.csv", 2)
    assert workload["trace_id"] == rows(folder, TraceRequest)["trace_id"][0]


def test_publishers_document_that_shrinks_is_believed_a_day_later(folder: Path, day: Day, live_server: LiveServer) -> None:
    many = document_of([inferencex_row(clients=n) for n in range(1, 11)])
    few = document_of([inferencex_row(clients=n) for n in range(1, 4)])
    live_server.serve(PATH, document(many), document(few))
    day(0)
    day(1)
    assert rows(folder, OperatingPoint).height == rows(folder, BenchmarkRun).height == 10
    refused = read_rejected(folder / "rejected", BenchmarkRun)
    assert refused is not None
    assert refused.select("source", "rule", "value").rows() == [(LIVE, "mass_disappearance", "3 runs, 10 before")]
    day(1)
    assert rows(folder, OperatingPoint).height == 10
    day(2)
    assert rows(folder, OperatingPoint).height == rows(folder, BenchmarkRun).height == 3


def test_log_that_grew_gives_each_run_once(folder: Path, day: Day, live_server: LiveServer) -> None:
    live_server.serve(PATH, document(document_of([inferencex_row()])))
    first, second = vllm_run(clients=8) + b"\n", vllm_run(clients=32) + b"\n"
    bring(folder, "log.jsonl", first)
    bring(folder, "log.jsonl", first + second)
    day(0)
    own = rows(folder, OperatingPoint).filter(source="vllm")
    assert sorted(own["concurrency"]) == [8.0, 32.0]
    assert rows(folder, BenchmarkRun).filter(source="vllm")["record_id"].str.slice(0, 16).n_unique() == 1


def test_refused_run_is_in_quarantine_and_the_rest_goes_on(folder: Path, day: Day, live_server: LiveServer) -> None:
    live_server.serve(PATH, document(document_of([inferencex_row()])))
    bring(folder, "two.jsonl", vllm_run() + b"\n" + vllm_run(mean_ttft_ms="fast") + b"\n")
    day(0)
    assert rows(folder, OperatingPoint).filter(source="vllm").height == 1
    refused = read_rejected(folder / "rejected", OperatingPoint)
    assert refused is not None
    assert refused.filter(source="vllm")["rule"].to_list() == ["not_a_number"]


def test_damaged_stored_file_is_left_out(folder: Path, day: Day, live_server: LiveServer) -> None:
    live_server.serve(PATH, document(document_of([inferencex_row()])))
    bring(folder, "good.json", vllm_run(clients=8))
    bring(folder, "bad.json", vllm_run(clients=32))
    (damaged,) = [each for each in bronze.attempts(folder / "bronze", FILES) if each.uri == "bad.json"]
    (folder / "bronze" / FILES / f"{damaged.sha256}.zst").write_bytes(b"not zstd")
    day(0)
    assert rows(folder, OperatingPoint).filter(source="vllm")["file_name"].to_list() == ["good.json"]
    bring(folder, "bad.json", vllm_run(clients=32))
    day(0)
    assert rows(folder, OperatingPoint).filter(source="vllm").height == 2


@pytest.mark.parametrize(
    ("document_name", "rows_now", "doubted_on", "stays"),
    [
        (LIVE, 6, None, 10),
        (LIVE, 7, None, 7),
        (LIVE, 6, date(2026, 12, 1), 10),
        (LIVE, 6, date(2026, 11, 30), 6),
        ("my own.json", 1, None, 1),
    ],
)
def test_only_a_publishers_document_is_held_and_only_for_its_first_day(
    document_name: str, rows_now: int, doubted_on: date | None, stays: int
) -> None:
    def runs(n: int) -> pl.DataFrame:
        row = {
            "source": "inferencex",
            "file_name": document_name,
            "file_sha256": "0",
            "run_key": "",
            "record_json": "{}",
        }
        return pl.DataFrame([row | {"run_id": f"{n}-{i}"} for i in range(n)], schema=polars_schema(BenchmarkRun))

    refused = empty(Rejected)
    if doubted_on:
        first = hold_shrunk(runs(10), runs(rows_now), refused_before=None, today=doubted_on)
        refused = first.rejected
    kept, rejected = hold_shrunk(runs(10), runs(rows_now), refused_before=refused, today=date(2026, 12, 1))
    assert kept.height == stays
    assert rejected.height == (1 if stays == 10 else 0)
    Rejected.validate(rejected)


def test_frames_never_mix_open_and_closed_loops(folder: Path, day: Day, live_server: LiveServer) -> None:
    live_server.serve(PATH, document(document_of([inferencex_row()])))
    bring(folder, "closed.json", vllm_run(clients=8))
    bring(folder, "open.json", vllm_run(clients=16, request_rate=1.0, max_concurrency=None))
    day(0)
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA core")
        file = folder / "tables" / "core" / "operating_point.parquet"
        connection.execute(f"CREATE TABLE core.operating_point AS FROM '{file}'")
        connection.execute((ROOT / "warehouse/views/core.operating_point_frame.sql").read_text())
        own = connection.execute(
            "SELECT frame_key, start_burst_bias FROM core.operating_point_frame WHERE source = 'vllm' AND percentile = 'p99' "
            "ORDER BY ALL"
        ).fetchall()
    assert own == [
        ("model-7b | 1024/181 | p99 | after_first_token | closed_loop", True),
        ("model-7b | 1024/181 | p99 | after_first_token | open_loop", False),
    ]
