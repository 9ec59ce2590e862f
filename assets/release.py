"""The published DuckDB file, and its copy on an object store: the last steps of every run."""

from datetime import datetime

import dagster as dg

from schemas.evidence.provenance import Refresh
from warehouse.object_store import copy_release
from warehouse.publish import publish
from warehouse.resources import DataFolder, run_time
from warehouse.table import OWNER, asset_key


@dg.asset(
    key=["release", "latest"],
    deps=[asset_key(Refresh)],
    group_name="release",
    owners=[OWNER],
    kinds={"duckdb"},
    description="One DuckDB file with every table, view and comment; `releases/latest.duckdb` points at the newest.",
)
def latest(context: dg.AssetExecutionContext, data: dg.ResourceParam[DataFolder]) -> dg.MaterializeResult[None]:
    """Build a release from the tables as they stand and point `latest.duckdb` at it."""
    at: datetime = run_time(context)
    file = publish(
        tables=data.tables, releases=data.releases, run_id=context.run.run_id, at=at, keep=data.settings.keep_releases
    )
    return dg.MaterializeResult(
        metadata={"path": dg.MetadataValue.path(str(file)), "bytes": file.stat().st_size, "built_at": at.isoformat()}
    )


@dg.asset(
    key=["release", "object_store"],
    deps=[latest],
    group_name="release",
    owners=[OWNER],
    kinds={"parquet", "duckdb"},
    description="A copy of the tables and the newest release on an object store, where `config.yaml` names one (`publish_to`).",
)
def object_store(data: dg.ResourceParam[DataFolder]) -> dg.MaterializeResult[None]:
    """Copy what was published; nothing where no store is named."""
    url = data.settings.publish_to
    if not url:
        return dg.MaterializeResult(metadata={"publish_to": "not set"})
    objects, size = copy_release(tables=data.tables, releases=data.releases, url=url)
    return dg.MaterializeResult(metadata={"publish_to": url, "objects": objects, "bytes": size})
