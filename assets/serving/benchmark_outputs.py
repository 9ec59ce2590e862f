"""Benchmark outputs as tables: the user's own files and traces, and two publishers of runs, in one frame each.

Every table is made anew from the stored documents, so that a better parser reads the whole past again. All of them are empty
where nothing was brought and no publisher was reached.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import dagster as dg
import polars as pl

from assets.documents import source_asset, source_key
from assets.serving.published_runs import points_of
from assets.serving.run_flags import one_row_a_run, with_flags
from schemas.base import empty
from schemas.quarantine import Parsed, Rejected, reject
from schemas.registry import room_of
from schemas.serving import benchmark_outputs as contract
from schemas.serving.benchmark_outputs import TraceRequest
from sources.serving import inferencex_api as inferencex
from sources.serving import mlperf_results as mlperf
from sources.serving import user_files as kept
from sources.serving.benchmark_outputs import BenchmarkFile, Ingested, ingest, plausibility, same_run
from sources.serving.benchmark_outputs.fields import RowError
from sources.serving.benchmark_outputs.operating_points import rejection, rejection_frame
from sources.source import Snapshot
from warehouse.recovery import last_rejected
from warehouse.resources import DataFolder
from warehouse.table import GROUP_TAG, OWNER, table

GROUP = "benchmark_outputs"
SHRINK_FLOOR = 0.7
"""A publisher's document with less than this share of the runs it had is not believed on its first day."""
SHRUNK_RULE = "mass_disappearance"
PUBLISHED = frozenset(source.name for source in (*inferencex.SOURCES, *mlperf.SOURCES))

inferencex_api = source_asset("inferencex_api", accept=inferencex.parse_runs, group=GROUP)
mlperf_results = source_asset("mlperf_results", accept=mlperf.parse_results, group=GROUP)


def kept_files(name: str, *, description: str) -> dg.AssetsDefinition:
    """Make the asset that hands on the user's files as they stand; a damaged one is left out with a warning."""

    @dg.asset(
        key=source_key(name),
        group_name=room_of(__name__),
        tags={GROUP_TAG: GROUP},
        owners=[OWNER],
        kinds={"file"},
        description=description,
        io_manager_key="documents",
    )
    def hand_on(context: dg.AssetExecutionContext, data: dg.ResourceParam[DataFolder]) -> Iterator[Any]:
        snapshots, damaged = kept.stored(data.bronze, name)
        _, lost = kept.said_before(data.bronze)
        for line in [*damaged, *lost]:
            context.log.warning(line)
        yield dg.Output(snapshots, metadata={"served_from": "file", "files": len(snapshots), "damaged": len(damaged)})

    return hand_on


user_files = kept_files(
    kept.FILES,
    description="Benchmark files the user brought by `iecon ingest` or the inbox, each kept once by its content.",
)
user_traces = kept_files(
    kept.TRACES,
    description="Request traces the user brought by `iecon ingest` or the inbox, each kept once by its content.",
)


@table(schema=contract.BenchmarkRun, group=GROUP, may_be_empty=True)
def benchmark_run(
    previous: pl.DataFrame,
    now: datetime,
    data: DataFolder,
    inferencex_api: list[Snapshot],
    mlperf_results: list[Snapshot],
    user_files: list[Snapshot],
) -> Parsed:
    """Runs as published; a publisher's document that lost most of its runs waits a day for confirmation."""
    found = _ingested(data, inferencex_api, mlperf_results, user_files)
    refused_before = last_rejected(data.rejected, contract.BenchmarkRun)
    return hold_shrunk(previous, found.runs, refused_before=refused_before, today=now.date())


@table(schema=contract.OperatingPoint, group=GROUP, may_be_empty=True)
def operating_point(
    previous: pl.DataFrame,
    data: DataFolder,
    benchmark_run: pl.DataFrame,
    published_run: pl.DataFrame,
    inferencex_api: list[Snapshot],
    mlperf_results: list[Snapshot],
    user_files: list[Snapshot],
) -> Parsed:
    """Believed runs, one row each; of a document that is held back, the points of the one before it."""
    found = _ingested(data, inferencex_api, mlperf_results, user_files)
    read_now = [snapshot.sha256 for snapshot in (*inferencex_api, *mlperf_results, *user_files)]
    held = benchmark_run.filter(~pl.col("file_sha256").is_in(read_now))
    points = [
        previous.join(held, on="run_id", how="semi"),
        found.accepted.join(benchmark_run, on="run_id", how="semi"),
    ]
    published = plausibility.split(points_of(published_run))
    every = one_row_a_run(same_run.united(pl.concat(points)), published.accepted)
    return Parsed(with_flags(every), pl.concat([found.rejected, published.rejected]))


@table(schema=TraceRequest, group=GROUP, may_be_empty=True)
def trace_request(data: DataFolder, user_traces: list[Snapshot]) -> pl.DataFrame:
    """Requests of every trace the user brought."""
    return _traces(data, user_traces).requests


@table(schema=contract.Workload, group=GROUP, may_be_empty=True)
def workload(data: DataFolder, user_traces: list[Snapshot], trace_request: pl.DataFrame) -> Parsed:
    """One row per trace."""
    found = _traces(data, user_traces)
    return Parsed(found.workload.join(trace_request, on="trace_id", how="semi"), found.rejected)


def hold_shrunk(previous: pl.DataFrame, found: pl.DataFrame, *, refused_before: pl.DataFrame | None, today: date) -> Parsed:
    """Keep the runs a publisher's document had before where it suddenly has much fewer.

    `previous` and `found` are rows of raw.benchmark_run, `refused_before` what the run before refused. A document that is
    still as short on a later day is believed.
    """
    earlier = empty(Rejected) if refused_before is None else refused_before
    doubted = earlier.filter(pl.col("rule") == SHRUNK_RULE).select(file_name="source", doubted_on="row_key")
    sizes = found.group_by("file_name").agg(rows_now=pl.len())
    shrunk = (
        sizes.join(previous.group_by("file_name").agg(rows_before=pl.len()), on="file_name")
        .filter(pl.col("file_name").is_in(PUBLISHED), pl.col("rows_now") < SHRINK_FLOOR * pl.col("rows_before"))
        .join(doubted, on="file_name", how="left")
        .with_columns(pl.col("doubted_on").fill_null(today.isoformat()))
        .filter(pl.col("doubted_on") >= today.isoformat())
        .sort("file_name")
    )
    refused = reject(
        shrunk,
        source=pl.col("file_name"),
        row_key=pl.col("doubted_on"),
        value=pl.format("{} runs, {} before", "rows_now", "rows_before"),
        rule=SHRUNK_RULE,
        reason=f"less than {SHRINK_FLOOR:.0%} of the runs it had; they stay until the document is as short on a later day",
        severity="suspect",
    ).with_columns(n_rows=shrunk["rows_now"].cast(pl.Int64))
    stay = previous.join(shrunk, on="file_name", how="semi")
    return Parsed(pl.concat([stay, found.join(shrunk, on="file_name", how="anti")]), refused)


def _ingested(
    data: DataFolder,
    inferencex_api: Sequence[Snapshot],
    mlperf_results: Sequence[Snapshot],
    user_files: Sequence[Snapshot],
) -> Ingested:
    """All runs of all files. A record that stands in several, such as a log that grew, is kept once, from the last of them."""
    said, _ = kept.said_before(data.bronze)
    # The latest first: of a run that stands in several files its word counts, and the user's own before a publisher's.
    own = [BenchmarkFile(each.uri, each.body, said.get(each.sha256)) for each in reversed(user_files)]
    published = [BenchmarkFile(each.source, each.body) for each in (*inferencex_api, *mlperf_results)]
    found = ingest([*own, *published])
    gone = kept.forgotten(data.bronze)
    if gone:
        # Only as the user's own: a publisher may tell of the same run.
        mine = pl.col("record_id").str.head(16).is_in([each.sha256[:16] for each in user_files])
        stays = ~(mine & pl.col("run_id").is_in(list(gone)))
        found = found._replace(runs=found.runs.filter(stays), records=found.records.filter(stays))
    in_one_file = pl.col("file_sha256") == pl.col("file_sha256").first().over("source", "record_json")
    return found._replace(runs=found.runs.filter(in_one_file))


def _traces(data: DataFolder, snapshots: Sequence[Snapshot]) -> kept.Requests:
    """All traces together; one that can no longer be read is refused and stops nothing."""
    said, _ = kept.said_before(data.bronze)
    gone = kept.forgotten(data.bronze)
    requests, workloads, rejected = [empty(TraceRequest)], [empty(contract.Workload)], [empty(Rejected)]
    for snapshot in snapshots:
        try:
            trace = kept.read_trace(snapshot.uri, snapshot.body, said.get(snapshot.sha256))
        except ValueError as error:
            entry = rejection("trace_file", snapshot.uri, RowError("unreadable_file", str(error)))
            rejected.append(rejection_frame([entry]))
            continue
        if trace.workload["trace_id"].item() in gone:
            continue
        requests.append(trace.requests.with_columns(trace_id=pl.lit(trace.workload["trace_id"].item())))
        workloads.append(trace.workload)
        rejected.append(trace.rejected)
    return kept.Requests(pl.concat(requests), pl.concat(workloads), pl.concat(rejected))
