"""The @partitioned decorator: a table that grows too large to compute whole in every refresh, kept as one file per partition.

The files lie under `partitions/` of the data folder and any engine reads them together (`partitions/daily_price/*.parquet`). A
backfill of any number of partitions is one run, which holds one partition in memory at a time and writes each when it is done.
Such tables stay out of the refresh and of the published file.
"""

import inspect
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import polars as pl

from schemas.base import Table, meaning, polars_schema, table_name
from schemas.registry import TABLES, room_of
from warehouse.contract import violations
from warehouse.resources import DataFolder
from warehouse.store import write_frame
from warehouse.table import GROUP_TAG, OWNER, asset_key, built_table, definition_metadata

warnings.filterwarnings("ignore", message=".*backfill_policy", category=dg.BetaWarning)

GROUP = "partitions"
KEY = "partition"
"""Parameter that takes the partition's key, as its parts: `("2026-11-01",)` or `("h100-sxm", "llama-3.1-8b")`."""


def partition_path(folder: Path, schema: type[Table], parts: tuple[str, ...]) -> Path:
    """Parquet file of a partition: `partitions/daily_price/2026-11-01.parquet`; a further part of the key is a folder."""
    layer, name = table_name(schema).split(".")
    return folder.joinpath(layer, name, *parts[:-1], f"{parts[-1]}.parquet")


def partitioned(
    *, schema: type[Table], partitions: dg.PartitionsDefinition[str]
) -> Callable[[Callable[..., pl.DataFrame]], dg.AssetsDefinition]:
    """Make a partitioned Dagster asset from a function on frames that returns the rows of one `partition`.

    Other parameters are tables by name. A partition may have no rows; one that breaks the contract fails the run, and those
    before it stay.
    """

    def decorate(function: Callable[..., pl.DataFrame]) -> dg.AssetsDefinition:
        upstream = {name: asset_key(TABLES[name]) for name in inspect.signature(function).parameters if name != KEY}

        @dg.asset(
            key=asset_key(schema),
            deps=list(upstream.values()),
            description=meaning(schema),
            group_name=room_of(function.__module__),
            tags={GROUP_TAG: GROUP},
            owners=[OWNER],
            kinds={"polars", "parquet"},
            metadata=definition_metadata(schema, list(upstream.values())),
            partitions_def=partitions,
            backfill_policy=dg.BackfillPolicy.single_run(),
            required_resource_keys={"data"},
        )
        def compute(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
            started, rows = time.perf_counter(), 0
            data: DataFolder = context.resources.data
            inputs = {name: built_table(data, TABLES[name]).collect() for name in upstream}
            for key in context.partition_keys:
                parts = _parts(key)
                frame = function(**inputs, **{KEY: parts}).select(list(polars_schema(schema)))
                faults = violations(schema, frame)
                if not faults.is_empty():
                    raise dg.Failure(f"{table_name(schema)} {key}: {faults.head(3).rows()}", allow_retries=False)
                write_frame(partition_path(data.path, schema, parts), frame)
                rows += frame.height
            return dg.MaterializeResult(
                metadata={
                    "partitions": len(context.partition_keys),
                    "rows": rows,
                    "seconds": time.perf_counter() - started,
                }
            )

        return compute

    return decorate


def _parts(key: str) -> tuple[str, ...]:
    return tuple(key.keys_by_dimension.values()) if isinstance(key, dg.MultiPartitionKey) else (key,)
