"""Where everything came from: documents, refused rows, and what each refresh did."""

from datetime import datetime

import dagster as dg
import polars as pl

from assets.documents import source_key
from schemas.base import empty, polars_schema, table_name
from schemas.evidence.provenance import Refresh, SnapshotLog
from schemas.quarantine import Quarantine, Rejected
from schemas.registry import TABLES
from sources.publishers import CATALOGUE
from sources.transports import bronze
from warehouse.recovery import last_rejected
from warehouse.resources import DataFolder
from warehouse.run_log import steps_of_run
from warehouse.table import asset_key, table

GROUP = "provenance"
OF_RUN_TAG = "iecon/of_run"
"""On a publishing run: the run whose outcome it publishes."""

_DATA_TABLES = [schema for name, schema in TABLES.items() if not table_name(schema).startswith("meta.")]


@table(schema=SnapshotLog, group=GROUP, deps=[source_key(name) for name in CATALOGUE])
def snapshot(data: DataFolder) -> pl.DataFrame:
    """Every document ever fetched, from the log kept beside the stored bodies."""
    return bronze.snapshot_frame(data.bronze)


@table(schema=Quarantine, group=GROUP, deps=[asset_key(schema) for schema in _DATA_TABLES], may_be_empty=True)
def quarantine(previous: pl.DataFrame, now: datetime, data: DataFolder) -> pl.DataFrame:
    """Rows refused by the latest run of each table, added to all that were refused before."""
    latest = [
        rows.with_columns(table_name=pl.lit(table_name(schema)))
        for schema in _DATA_TABLES
        if (rows := last_rejected(data.rejected, schema)) is not None
    ]
    seen = pl.concat(latest or [empty(Rejected).with_columns(table_name=pl.lit(""))])
    both = pl.concat(
        [
            previous,
            seen.with_columns(first_seen_at=pl.lit(now), last_seen_at=pl.lit(now)).select(list(polars_schema(Quarantine))),
        ]
    )
    key = Quarantine.to_schema().unique
    return both.group_by(key, maintain_order=True).agg(
        pl.col("value", "reason", "severity", "n_rows").last(),
        pl.col("first_seen_at").min(),
        pl.col("last_seen_at").max(),
    )


@table(
    schema=Refresh,
    group=GROUP,
    deps=[asset_key(schema) for schema in TABLES.values() if schema not in (*_DATA_TABLES, Refresh)],  # others: by quarantine
)
def refresh(previous: pl.DataFrame, context: dg.AssetExecutionContext) -> pl.DataFrame:
    """What this run did to each table, added to all runs before. A publishing run tells of the run it publishes."""
    run_id = context.run.tags.get(OF_RUN_TAG, context.run.run_id)
    steps = steps_of_run(context.instance, run_id)
    return pl.concat([previous.filter(pl.col("run_id") != run_id), steps])
