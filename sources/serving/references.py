"""What serving is checked against: the shape of two production traces, and the grid of an independent tool.

`transcribed/trace_shape.csv` and `transcribed/aiconfigurator_grid.csv`; the `.source.yaml` files say what was taken.
"""

import io

import polars as pl

from schemas.base import Table, empty, polars_schema
from schemas.quarantine import Parsed, Rejected
from schemas.serving.validation import ServingGrid, TraceShape
from sources.document import TRANSCRIBED, document
from sources.source import Snapshot, refuses_in_words

TRACES = document(TRANSCRIBED / "trace_shape.csv")
GRID = document(TRANSCRIBED / "aiconfigurator_grid.csv")
SOURCES = (TRACES, GRID)


@refuses_in_words
def parse(snapshot: Snapshot) -> Parsed:
    """Read either document (contract `TraceShape` or `ServingGrid`). Nothing is refused here: the contract judges each row."""
    return parse_traces(snapshot) if snapshot.source == TRACES.name else parse_grid(snapshot)


@refuses_in_words
def parse_traces(snapshot: Snapshot) -> Parsed:
    """Figures of the traces (contract `TraceShape`); none where the document is the other one."""
    return _read(snapshot, TraceShape) if snapshot.source == TRACES.name else Parsed(empty(TraceShape), empty(Rejected))


@refuses_in_words
def parse_grid(snapshot: Snapshot) -> Parsed:
    """Rows of the grid (contract `ServingGrid`), milliseconds as seconds; none where the document is the other one."""
    return _read(snapshot, ServingGrid) if snapshot.source == GRID.name else Parsed(empty(ServingGrid), empty(Rejected))


def _read(snapshot: Snapshot, schema: type[Table]) -> Parsed:
    rows = pl.read_csv(io.BytesIO(snapshot.body), infer_schema=False).with_columns(source=pl.lit(snapshot.source))
    seconds = [
        (pl.col(name).cast(pl.Float64) / 1e3).alias(name.removesuffix("_ms") + "_s")
        for name in rows.columns
        if name.endswith("_ms")
    ]
    complete = rows.with_columns(seconds)
    figures = complete.select(pl.col(name).cast(dtype) for name, dtype in polars_schema(schema).items())
    return Parsed(figures, empty(Rejected))
