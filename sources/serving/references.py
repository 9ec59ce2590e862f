"""What serving is checked against: the shape of two production traces, and the grid of an independent tool.

`transcribed/trace_shape.csv` and `transcribed/aiconfigurator_grid.csv`; the `.source.yaml` files say what was taken.
"""

import io
from datetime import UTC, datetime

import polars as pl

from schemas.base import Table, empty, polars_schema
from schemas.quarantine import Parsed, Rejected
from schemas.serving.validation import ServingGrid, TraceShape
from sources.evidence.published_figures import NEVER_STALE, PUBLISHED
from sources.source import Seed, Snapshot, Source, refuses_in_words

TRACES = Source(
    name="trace_shape",
    title="Shapes of two production traces: lengths and arrivals",
    homepage="https://github.com/Azure/AzurePublicDataset",
    licence="facts derived from traces under CC BY 4.0 (Azure) and Apache-2.0 (Mooncake)",
    live=(),
    floor=(Seed(PUBLISHED / "trace_shape.csv", as_of=datetime(2026, 11, 25, tzinfo=UTC)),),
    fresh_for=NEVER_STALE,
)
GRID = Source(
    name="aiconfigurator_grid",
    title="Aggregated against disaggregated serving in 125 contracts, by aiconfigurator",
    homepage="https://github.com/ai-dynamo/aiconfigurator",
    licence="results of a public tool; the tool is Apache-2.0",
    live=(),
    floor=(Seed(PUBLISHED / "aiconfigurator_grid.csv", as_of=datetime(2026, 11, 23, tzinfo=UTC)),),
    fresh_for=NEVER_STALE,
)
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
