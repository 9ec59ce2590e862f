"""LLM API prices: four live sources and a seeded history, folded into one dated table and one price per leg of today."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from assets.documents import parse_all, source_asset
from assets.frames import under_contract
from assets.prices.consensus import PRICED, SEEDED, SOURCE_ORDER, consensus
from assets.prices.retirement import still_sold
from schemas.base import polars_schema
from schemas.prices import llm_prices as contract
from schemas.prices.llm_price_seed import LlmPriceSeed
from schemas.quarantine import Parsed
from sources.prices import genai_prices as genai
from sources.prices import history_seed as seeded
from sources.prices import litellm as lite
from sources.prices import models_dev as mdev
from sources.prices import openrouter as router
from sources.prices.model_map import ID, resolve_offers
from sources.source import Snapshot
from warehouse.history import holding_on, merge
from warehouse.table import table

GROUP = "llm_prices"
SERIES = ["source", "source_provider", "source_model", "leg", "tier_min_tokens", "variant", "price_window"]
ATTRIBUTES = ["deprecated_on", "mode", "imported_from"]

genai_prices = source_asset("genai_prices", accept=genai.parse_prices, group=GROUP)
litellm = source_asset("litellm", accept=lite.parse_prices, group=GROUP)
openrouter = source_asset("openrouter", accept=router.parse_prices, group=GROUP)
models_dev = source_asset("models_dev", accept=mdev.parse_prices, group=GROUP)
price_history = source_asset("price_history", accept=seeded.parse_prices, group=GROUP)


@table(schema=contract.GenaiPricesPrice, group=GROUP)
def genai_prices_price(genai_prices: list[Snapshot]) -> Parsed:
    """Prices as genai-prices publishes them."""
    return parse_all(genai_prices, genai.parse_prices, contract.GenaiPricesPrice)


@table(schema=contract.GenaiPricesModel, group=GROUP)
def genai_prices_model(genai_prices: list[Snapshot]) -> Parsed:
    """Model attributes as genai-prices publishes them."""
    return parse_all(genai_prices, genai.parse_models, contract.GenaiPricesModel)


@table(schema=contract.LitellmPrice, group=GROUP)
def litellm_price(litellm: list[Snapshot]) -> Parsed:
    """Prices as LiteLLM publishes them."""
    return parse_all(litellm, lite.parse_prices, contract.LitellmPrice)


@table(schema=contract.LitellmModel, group=GROUP)
def litellm_model(litellm: list[Snapshot]) -> Parsed:
    """Model attributes as LiteLLM publishes them."""
    return parse_all(litellm, lite.parse_models, contract.LitellmModel)


@table(schema=contract.OpenrouterPrice, group=GROUP)
def openrouter_price(openrouter: list[Snapshot]) -> Parsed:
    """Prices as OpenRouter publishes them."""
    return parse_all(openrouter, router.parse_prices, contract.OpenrouterPrice)


@table(schema=contract.OpenrouterModel, group=GROUP)
def openrouter_model(openrouter: list[Snapshot]) -> Parsed:
    """Model attributes as OpenRouter publishes them."""
    return parse_all(openrouter, router.parse_models, contract.OpenrouterModel)


@table(schema=contract.ModelsDevPrice, group=GROUP)
def models_dev_price(models_dev: list[Snapshot]) -> Parsed:
    """Prices as models.dev publishes them."""
    return parse_all(models_dev, mdev.parse_prices, contract.ModelsDevPrice)


@table(schema=contract.ModelsDevModel, group=GROUP)
def models_dev_model(models_dev: list[Snapshot]) -> Parsed:
    """Model attributes as models.dev publishes them."""
    return parse_all(models_dev, mdev.parse_models, contract.ModelsDevModel)


@table(schema=LlmPriceSeed, group=GROUP)
def llm_price_seed(price_history: list[Snapshot]) -> Parsed:
    """Major price changes since 2023, transcribed with source and date."""
    return parse_all(price_history, seeded.parse_prices, LlmPriceSeed)


@table(schema=contract.LlmPrice, group=GROUP)
def llm_price(
    previous: pl.DataFrame,
    now: datetime,
    genai_prices_price: pl.DataFrame,
    litellm_price: pl.DataFrame,
    openrouter_price: pl.DataFrame,
    models_dev_price: pl.DataFrame,
    llm_price_seed: pl.DataFrame,
    genai_prices_model: pl.DataFrame,
    litellm_model: pl.DataFrame,
    openrouter_model: pl.DataFrame,
    models_dev_model: pl.DataFrame,
) -> Parsed:
    """Every source's prices under canonical names, folded into the history."""
    raw = [genai_prices_price, litellm_price, openrouter_price, models_dev_price, llm_price_seed]
    attributes = [genai_prices_model, litellm_model, openrouter_model, models_dev_model]
    return folded(previous, raw, attributes, now=now)


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
            rank=pl.col("source").first().replace_strict({name: at for at, name in enumerate(SOURCE_ORDER)}, default=99),
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
