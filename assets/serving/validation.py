"""Validation of serving: the closed forms against simulation, against measured points, and against an independent tool."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from assets.documents import parse_all, source_asset
from assets.serving.measured import ingested_rows, published_rows
from assets.serving.peer_grid import grid_rows
from assets.serving.simulated import simulated_rows
from schemas.base import polars_schema
from schemas.quarantine import Parsed
from schemas.serving import validation as contract
from sources.serving.references import parse, parse_grid, parse_traces
from sources.source import Snapshot
from warehouse.table import table

GROUP = "serving"

serving_references = source_asset("serving_references", accept=parse, group=GROUP)


@table(schema=contract.TraceShape, group=GROUP)
def trace_shape(serving_references: list[Snapshot]) -> Parsed:
    """Lengths and arrivals of two production traces."""
    return parse_all(serving_references, parse_traces, contract.TraceShape)


@table(schema=contract.ServingGrid, group=GROUP)
def serving_grid(serving_references: list[Snapshot]) -> Parsed:
    """The search of an independent tool."""
    return parse_all(serving_references, parse_grid, contract.ServingGrid)


@table(schema=contract.ServingValidation, group=GROUP)
def serving_validation(
    trace_shape: pl.DataFrame,
    serving_grid: pl.DataFrame,
    cited_figure: pl.DataFrame,
    operating_point: pl.DataFrame,
    trace_request: pl.DataFrame,
    gpu: pl.DataFrame,
    model_shape: pl.DataFrame,
    gpu_price: pl.DataFrame,
) -> pl.DataFrame:
    """Every check, one after the other."""
    rows = [
        *simulated_rows(trace_shape, trace_request, gpu=gpu, model_shape=model_shape, gpu_price=gpu_price),
        *published_rows(cited_figure, gpu=gpu, model_shape=model_shape),
        *ingested_rows(operating_point, gpu=gpu, model_shape=model_shape),
        *grid_rows(serving_grid, gpu=gpu, model_shape=model_shape),
    ]
    return framed(rows)


def framed(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows with their error, contract `ServingValidation`; a figure that a row leaves out is unknown."""
    schema = polars_schema(contract.ServingValidation)
    frame = pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
    return frame.with_columns(error=pl.col("predicted") / pl.col("observed") - 1.0)
