"""LLM API prices: live sources and a seeded history, folded into one dated table and one price per leg of today."""

from collections.abc import Callable, Sequence
from datetime import datetime

import dagster as dg
import polars as pl

from assets.documents import parse_all, source_asset
from assets.frames import under_contract
from assets.prices.consensus import PRICED, consensus
from assets.prices.retirement import still_sold
from schemas.base import Table, polars_schema
from schemas.prices import llm_prices as contract
from schemas.prices.llm_price_seed import LlmPriceSeed
from schemas.prices.price_sources import PRICE_SOURCES, RAW_PRICE_TABLES, SEEDED, SEEDED_ASSET
from schemas.quarantine import Parsed
from sources.prices import history_seed as seeded
from sources.prices.llm_sources import parsers
from sources.prices.model_map import ID, resolve_offers
from sources.source import Snapshot
from warehouse.history import holding_on, merge
from warehouse.table import table, taking

GROUP = "llm_prices"
SERIES = ["source", "source_provider", "source_model", "leg", "tier_min_tokens", "variant", "price_window"]
ATTRIBUTES = ["deprecated_on", "mode", "imported_from"]

documents = [source_asset(name, accept=parsers(name).parse_prices, group=GROUP) for name in PRICE_SOURCES]
price_history = source_asset(SEEDED_ASSET, accept=seeded.parse_prices, group=GROUP)


def raw_table(name: str, schema: type[Table], parse: Callable[[Snapshot], Parsed]) -> dg.AssetsDefinition:
    """The raw table of one source, from its documents."""

    def read(**found: list[Snapshot]) -> Parsed:
        return parse_all(found[name], parse, schema)

    # A source without a shipped document has none before its first answer.
    return table(schema=schema, group=GROUP, may_be_empty=not parsers(name).SOURCE.floor)(taking(read, name))


prices = [raw_table(name, schema, parsers(name).parse_prices) for name, schema in contract.RAW_PRICES.items()]
models = [raw_table(name, schema, parsers(name).parse_models) for name, schema in contract.RAW_MODELS.items()]


@table(schema=LlmPriceSeed, group=GROUP)
def llm_price_seed(price_history: list[Snapshot]) -> Parsed:
    """Major price changes since 2023, transcribed with source and date."""
    return parse_all(price_history, seeded.parse_prices, LlmPriceSeed)


def fold_all(previous: pl.DataFrame, now: datetime, **raw: pl.DataFrame) -> Parsed:
    """Every source's prices under canonical names, folded into the history."""
    stated = [raw[name] for name in RAW_PRICE_TABLES]
    return folded(previous, stated, [raw[f"{name}_model"] for name in PRICE_SOURCES], now=now)


_RANK = {name: at for at, name in enumerate((*PRICE_SOURCES, SEEDED))}
_READ = (*RAW_PRICE_TABLES, *(f"{name}_model" for name in PRICE_SOURCES))
llm_price = table(schema=contract.LlmPrice, group=GROUP)(taking(fold_all, "previous", "now", *_READ))


@table(schema=contract.LlmPriceCurrent, group=GROUP)
def llm_price_current(llm_price: pl.DataFrame, model_retirement: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """One price per leg of today: what most sources say, with the disagreement beside it."""
    today = now.date()
    return consensus(still_sold(holding_on(llm_price, today), model_retirement, pl.lit(today)), day=today)


@table(schema=contract.LlmPriceWide, group=GROUP)
def llm_price_wide(llm_price_current: pl.DataFrame) -> pl.DataFrame:
    """For each seller and model the prices of the source that states most of what was chosen."""
    return side_by_side(llm_price_current)


def folded(
    previous: pl.DataFrame, prices: Sequence[pl.DataFrame], attributes: Sequence[pl.DataFrame], *, now: datetime
) -> Parsed:
    """The history with what the documents of today say: `prices` and `attributes` as the raw tables hold them."""
    observed = pl.concat([frame.select(list(polars_schema(contract.RawLlmPrice))) for frame in prices])
    told = pl.concat([frame.select(*ID, *ATTRIBUTES) for frame in attributes])
    return merge(
        named(previous).select(previous.columns),
        named(observed.join(told, on=ID, how="left")),
        key=SERIES,
        value="usd_per_mtok",
        now=now,
        same_thing=PRICED,
        checked_by_hand=frozenset({SEEDED}),
    )


def named(prices: pl.DataFrame) -> pl.DataFrame:
    """Prices under canonical names. A price that its source copied from another seller is not the developer's own."""
    known = resolve_offers(prices.drop("provider", "model", "first_party", strict=False))
    own = pl.col("first_party") & pl.col("imported_from").is_null()
    return known.with_columns(first_party=pl.when(pl.col("first_party").is_not_null()).then(own))


def side_by_side(current: pl.DataFrame) -> pl.DataFrame:
    """One row per seller and model (contract `LlmPriceWide`) from rows of `LlmPriceCurrent`; no source: no row.

    All prices of a row come from one source and one window: always, else peak. The source is the one that states an input and
    an output price, the most legs as they were chosen, and else the first in order.
    """
    row = ["provider", "model"]
    base = current.filter(pl.col("tier_min_tokens") == 0, pl.col("price_window").is_in(["always", "peak"]))
    asked = base.join(pl.DataFrame(_WIDE, schema=["leg", "variant", "column"], orient="row"), on=["leg", "variant"])
    said = asked.with_columns(pl.col("quotes").str.extract_all(r'"[a-z_]+":[0-9.e+-]+').alias("quote")).explode("quote")
    said = said.with_columns(
        source=pl.col("quote").str.extract(r'"([a-z_]+)"'), stated=pl.col("quote").str.extract(r":(.+)$").cast(pl.Float64)
    )
    standard = pl.col("variant") == "standard"
    best = (
        said.group_by(*row, "source")
        .agg(
            both=pl.col("leg").filter(standard & pl.col("leg").is_in(["input", "output"])).n_unique(),
            chosen=(pl.col("stated") == pl.col("usd_per_mtok")).sum(),
            rank=pl.col("source").first().replace_strict(_RANK, default=len(_RANK)),
        )
        .sort("both", "chosen", "rank", descending=[True, True, False])
        .unique(row, keep="first", maintain_order=True)
    )
    of_best = said.join(best.select(*row, "source"), on=[*row, "source"])
    has_peak = (pl.col("price_window") == "peak").any().over(row)
    legs = {column: pl.col("stated").filter(pl.col("column") == column).first() for *_, column in _WIDE}
    wide = (
        of_best.with_columns(has_peak=has_peak)
        .group_by(*row, "source")
        .agg(
            **legs,
            price_window=pl.when(pl.col("has_peak").any()).then(pl.lit("peak")).otherwise(pl.lit("always")).first(),
            evidence_on=pl.col("evidence_on").min(),
            is_stale=pl.col("is_stale").any(),
            n_sources=pl.col("n_sources").max(),
            agreement=pl.col("agreement").min(),
        )
    )
    return under_contract(contract.LlmPriceWide, wide).sort(row)


_WIDE = [
    ("input", "standard", "input_usd_per_mtok"),
    ("output", "standard", "output_usd_per_mtok"),
    ("cache_read", "standard", "cache_read_usd_per_mtok"),
    ("cache_write", "standard", "cache_write_usd_per_mtok"),
    ("input", "batch", "batch_input_usd_per_mtok"),
    ("output", "batch", "batch_output_usd_per_mtok"),
]
"""Leg and variant of each column of `LlmPriceWide`."""
