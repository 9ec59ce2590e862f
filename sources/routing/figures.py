"""Figures on routing and adaptive compute, and curves computed from stored outcomes: two CSVs, two parsers.

`transcribed/routing_*.csv` hold the rows; `transcribed/routing_*.source.yaml` say what was taken and how it was computed.
"""

import io

import polars as pl

from schemas.base import Table, empty, polars_schema
from schemas.quarantine import Parsed, Rejected
from schemas.routing.premium import RoutingCurve, RoutingFigure
from sources.document import TRANSCRIBED, document
from sources.source import Snapshot, refuses_in_words

POINTS = document(TRANSCRIBED / "routing_operating_points.csv")
CURVES = document(TRANSCRIBED / "routing_replay_curves.csv")


@refuses_in_words
def parse_figures(snapshot: Snapshot) -> Parsed:
    """Read the operating points (contract `RoutingFigure`). Nothing is refused here: the contract judges each row."""
    rows = _rows(snapshot)
    digits = pl.col("value").str.extract(r"\.(\d*)").str.len_chars().fill_null(0).cast(pl.Float64)
    rounding = pl.when(pl.col("value").is_not_null()).then(0.5 * pl.lit(10.0).pow(-digits))
    return Parsed(
        _typed(rows.with_columns(rounding=rounding, is_control=pl.col("is_control") == "true"), RoutingFigure),
        empty(Rejected),
    )


@refuses_in_words
def parse_curves(snapshot: Snapshot) -> Parsed:
    """Read the replayed curves (contract `RoutingCurve`). Nothing is refused here: the contract judges each row."""
    return Parsed(_typed(_rows(snapshot), RoutingCurve), empty(Rejected))


def _rows(snapshot: Snapshot) -> pl.DataFrame:
    return pl.read_csv(io.BytesIO(snapshot.body), infer_schema=False).with_columns(source=pl.lit(snapshot.source))


def _typed(rows: pl.DataFrame, schema: type[Table]) -> pl.DataFrame:
    return rows.select(pl.col(name).cast(dtype) for name, dtype in polars_schema(schema).items())
