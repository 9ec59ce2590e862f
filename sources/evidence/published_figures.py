"""Figures transcribed from papers, blogs, audited logs and specification tables: one CSV per document, one parser for all.

`transcribed/<document>.csv` holds one row per figure with its place and status; `<document>.source.yaml` says what was taken.
"""

import io

import polars as pl

from schemas.base import Table, empty, polars_schema
from schemas.evidence.published import PublishedFigure
from schemas.quarantine import Parsed, Rejected
from sources.document import TRANSCRIBED, documents_of
from sources.source import Snapshot, refuses_in_words

COUNTED = ("layers", "heads", "GPUs", "count", "flop")
"""Units of whole numbers that carry no rounding."""
SET = ("ttft_slo_s", "tpot_slo_s", "tbt_slo_s", "attainment_target_percent", "usd_per_gpu_hour", "usd_per_mtok")
"""Metrics that somebody sets and nobody measures: bounds, targets, prices. They carry no rounding either."""

SOURCES = documents_of("raw.published_figure", prefix="published_")


@refuses_in_words
def parse_figures(snapshot: Snapshot) -> Parsed:
    """Read one document's figures (contract `PublishedFigure`). Nothing is refused here: the contract judges each row."""
    rows = pl.read_csv(io.BytesIO(snapshot.body), infer_schema=False)
    complete = rows.with_columns(rounding=_rounding(), source=pl.lit(snapshot.source))
    figures = complete.select(pl.col(name).cast(dtype) for name, dtype in polars_schema(PublishedFigure).items())
    return Parsed(figures, empty(Rejected))


def typed(snapshot: Snapshot, contract: type[Table]) -> Parsed:
    """Rows of a CSV in the types of their contract, with the source beside them. Nothing is refused: the contract judges."""
    rows = pl.read_csv(io.BytesIO(snapshot.body), infer_schema=False).with_columns(source=pl.lit(snapshot.source))
    columns = (
        pl.col(name).str.to_date("%Y-%m-%d") if dtype == pl.Date else pl.col(name).cast(dtype)
        for name, dtype in polars_schema(contract).items()
    )
    return Parsed(rows.select(columns), empty(Rejected))


def recomputations() -> pl.DataFrame:
    """Which figures follow from which others: check, printed, inputs (names `document.figure`), formula, how, what."""
    return pl.read_csv(TRANSCRIBED / "recomputation.csv", infer_schema=False).with_columns(pl.col("inputs").str.split(" "))


def gain_factors() -> pl.DataFrame:
    """Which figures make which factor of a published gain: gain, factor, numerator, denominator, bound, spread, how.

    Names are `document.figure`; an absent one stands for 1. bound: value or at_most; spread: figure whose attainment interval
    spreads the factor. The factor `ratio` is the gain itself; of `design`, the names are the designs compared.
    """
    return pl.read_csv(TRANSCRIBED / "gain_factor.csv", infer_schema=False)


def _rounding() -> pl.Expr:
    """Half a unit of the last printed digit: 73.7e3 was rounded to 0.1e3, so 50."""
    printed = pl.col("value").str.to_lowercase()
    decimals = printed.str.extract(r"\.(\d*)").str.len_chars().fill_null(0).cast(pl.Float64)
    exponent = printed.str.extract(r"e(-?\d+)").cast(pl.Float64).fill_null(0.0)
    half = 0.5 * pl.lit(10.0).pow(exponent - decimals)
    counted = pl.col("unit").is_in(COUNTED) | pl.col("metric").is_in(SET)
    return pl.when(pl.col("value").is_null()).then(None).when(counted).then(0.0).otherwise(half)
