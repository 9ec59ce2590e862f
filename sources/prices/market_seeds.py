"""What the market buys, transcribed: use of models, prices paid, endpoints, a rent index, and two GPU markets by day.

`transcribed/router_*.csv`, `gpu_rent_index.csv`, `runpod_daily.csv` and `vast_daily.csv` hold the figures of a public data set
that keeps the publishers' answers; each `.source.yaml` says what was taken.
"""

import io
from datetime import date, timedelta

import polars as pl

from schemas.base import Table, empty, polars_schema
from schemas.prices.market import GpuRentIndexFigure, RouterEndpoint, RouterPricePaid, RouterUse
from schemas.quarantine import Parsed, Rejected, reject
from sources.document import TRANSCRIBED, document
from sources.source import Snapshot, Source, refuses_in_words

ALIAS = "~"
FRESH_FOR = timedelta(days=2)
"""Use, prices and rents grow old, unlike what was printed."""


def _source(name: str) -> Source:
    return document(TRANSCRIBED / f"{name}.csv", name=f"{name}_seed", fresh_for=FRESH_FOR)


USE, PAID, ENDPOINTS = _source("router_use"), _source("router_price_paid"), _source("router_endpoint")
RENT_INDEX, RUNPOD, VAST = _source("gpu_rent_index"), _source("runpod_daily"), _source("vast_daily")


@refuses_in_words
def parse_use(snapshot: Snapshot) -> Parsed:
    """Read use by month (contract `RouterUse`); moving aliases are refused, as their traffic stands under another model."""
    rows = numbered(snapshot).with_columns(pl.col("first_day", "last_day").str.to_date("%Y-%m-%d"))
    dated = rows.with_columns(month=pl.col("first_day").dt.month_start(), seen_on=pl.lit(day_of(snapshot)))
    return without_aliases(dated, snapshot, RouterUse)


@refuses_in_words
def parse_paid(snapshot: Snapshot) -> Parsed:
    """Read prices paid (contract `RouterPricePaid`). A zero is free or unknown, which the figure does not tell: no price."""
    prices = [known(name) for name in ("input_usd_per_mtok", "output_usd_per_mtok")]
    rows = numbered(snapshot).with_columns(pl.col("as_of").str.to_date("%Y-%m-%d"), *prices)
    return without_aliases(rows, snapshot, RouterPricePaid)


@refuses_in_words
def parse_endpoints(snapshot: Snapshot) -> Parsed:
    """Read endpoints (contract `RouterEndpoint`); milliseconds become seconds."""
    rows = numbered(snapshot).with_columns(
        pl.col("as_of").str.to_date("%Y-%m-%d"),
        *(known(name) for name in ("input_usd_per_mtok", "output_usd_per_mtok")),
        *((pl.col(f"p{at}_ttft_ms").cast(pl.Float64) / 1e3).alias(f"p{at}_ttft_s") for at in (50, 90, 99)),
        is_free=pl.col("is_free") == "true",
        quantization=pl.when(pl.col("quantization") != "unknown").then("quantization"),
    )
    return without_aliases(with_endpoint_number(rows), snapshot, RouterEndpoint)


@refuses_in_words
def parse_rent_index(snapshot: Snapshot) -> Parsed:
    """Read the rent index (contract `GpuRentIndexFigure`). Nothing is refused: the contract judges each row."""
    rows = numbered(snapshot).with_columns(pl.col("as_of").str.to_date("%Y-%m-%d"))
    return Parsed(under(rows, GpuRentIndexFigure), empty(Rejected))


def with_endpoint_number(rows: pl.DataFrame) -> pl.DataFrame:
    """Number the endpoints of a seller that lists one model more than once, the cheapest first."""
    same = ["source_model", "variant", "source_provider", "region", "quantization"]
    ordered = rows.sort(*same, pl.col("input_usd_per_mtok").cast(pl.Float64), pl.col("p50_ttft_s"), nulls_last=True)
    return ordered.with_columns(endpoint=pl.int_range(1, pl.len() + 1).over(same))


def without_aliases(rows: pl.DataFrame, snapshot: Snapshot, contract: type[Table]) -> Parsed:
    """Rows under a contract, and those of moving aliases, refused."""
    is_alias = pl.col("source_model").str.starts_with(ALIAS)
    refused = reject(
        rows.filter(is_alias),
        source=snapshot.source,
        row_key=pl.concat_str("source_model", "variant", "locator", separator=" | "),
        column_name="source_model",
        value=pl.col("source_model"),
        rule="alias_of_another_model",
        reason="a moving alias; its figures stand under the model it points to and would count twice",
        severity="out_of_scope",
    )
    return Parsed(under(rows.filter(~is_alias), contract), refused)


def numbered(snapshot: Snapshot) -> pl.DataFrame:
    """Rows of a CSV as text, each with its source and its place in the document."""
    rows = pl.read_csv(io.BytesIO(snapshot.body), infer_schema=False)
    place = pl.format("{} row {}", pl.lit(snapshot.uri.rsplit("/", 1)[-1]), pl.int_range(2, pl.len() + 2))
    return rows.with_columns(source=pl.lit(snapshot.source), locator=place)


def known(name: str) -> pl.Expr:
    """A price; NULL where the document says 0, which is free or unknown."""
    price = pl.col(name).cast(pl.Float64)
    return pl.when(price > 0).then(price).alias(name)


def day_of(snapshot: Snapshot) -> date:
    """Day an answer speaks of: published, else the last on which it was served, since the next day may bring the same bytes."""
    return snapshot.evidence_on


def under(rows: pl.DataFrame, contract: type[Table]) -> pl.DataFrame:
    """Columns of a contract in its order and types."""
    return rows.select(pl.col(name).cast(dtype) for name, dtype in polars_schema(contract).items())
