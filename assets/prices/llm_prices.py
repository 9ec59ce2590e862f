"""LLM API prices: four live sources and a seeded history, folded into one dated table and one price per leg of today."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from assets.documents import parse_all, source_asset
from schemas.base import polars_schema
from schemas.prices import llm_prices as contract
from schemas.prices.llm_price_seed import LlmPriceSeed
from schemas.quarantine import Parsed
from sources.prices import genai_prices as genai
from sources.prices import history_seed as seeded
from sources.prices import litellm as lite
from sources.prices import models_dev as mdev
from sources.prices import openrouter as router
from sources.prices.model_map import resolve
from sources.source import Snapshot
from warehouse.history import holding_on, merge
from warehouse.table import table

GROUP = "llm_prices"
SERIES = ["source", "source_provider", "source_model", "leg", "tier_min_tokens", "variant", "window"]
PRICED = ["provider", "model", "leg", "tier_min_tokens", "variant", "window"]
SEEDED = "llm_price_seed"
SOURCE_ORDER = ["genai_prices", "litellm", "models_dev", "openrouter", SEEDED]
"""Which source is believed where no majority is: hand-checked vendor prices first, a router's floor last."""

genai_prices = source_asset("genai_prices", accept=genai.parse_prices, group=GROUP)
litellm = source_asset("litellm", accept=lite.parse_prices, group=GROUP)
openrouter = source_asset("openrouter", accept=router.parse_prices, group=GROUP)
models_dev = source_asset("models_dev", accept=mdev.parse_prices, group=GROUP)
price_history = source_asset("price_history", accept=seeded.parse_prices, group=GROUP)


@table(schema=contract.GenaiPricesPrice, group=GROUP)
def genai_prices_price(genai_prices: list[Snapshot]) -> Parsed:
    """Prices as genai-prices publishes them."""
    return parse_all(genai_prices, genai.parse_prices, contract.GenaiPricesPrice)


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
) -> Parsed:
    """Every source's prices under canonical names, folded into the history."""
    raw = [genai_prices_price, litellm_price, openrouter_price, models_dev_price, llm_price_seed]
    observed = pl.concat([frame.select(list(polars_schema(contract.RawLlmPrice))) for frame in raw])
    history, rejected = merge(
        previous.drop("provider", "model", "first_party"),
        observed,
        key=SERIES,
        value="usd_per_mtok",
        now=now,
        checked_by_hand=frozenset({SEEDED}),
    )
    return Parsed(resolve(history).select(list(polars_schema(contract.LlmPrice))), rejected)


@table(schema=contract.LlmPriceCurrent, group=GROUP)
def llm_price_current(llm_price: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """One price per leg of today: what most sources say, with the disagreement beside it."""
    return consensus(holding_on(llm_price, now.date()))


def consensus(prices: pl.DataFrame, *, each: Sequence[str] = ()) -> pl.DataFrame:
    """One row per seller, model and leg from rows that hold on one day (contract `LlmPriceCurrent`).

    `each` names columns that keep rows apart, such as the day of each row where they hold on several; they come first.
    A source that lists a model under several ids speaks once: with its most common price, else that of its shortest id.
    The seeded history speaks only where no live source does.
    """
    keys = [*each, *PRICED]
    named = with_peak_hours(prices, each=each).with_columns(
        is_canonical=pl.col("model").is_not_null(),
        model=pl.coalesce("model", "source_model"),
        price=pl.col("usd_per_mtok").round_sig_figs(9),
    )
    per_source = (
        named.group_by([*keys, "source", "price"])
        .agg(routes=pl.len(), shortest=pl.col("source_model").str.len_chars().min(), **_FACTS)
        .sort("routes", "shortest", descending=[True, False])
        .unique([*keys, "source"], keep="first", maintain_order=True)
        .filter((pl.col("source") != SEEDED) | (pl.len().over(keys) == 1))
    )
    per_price = per_source.group_by([*keys, "price"]).agg(
        votes=pl.len(),
        rank=pl.col("source").replace_strict({name: rank for rank, name in enumerate(SOURCE_ORDER)}).min(),
        **_FACTS,
    )
    quotes = per_source.group_by(keys).agg(
        n_sources=pl.len().cast(pl.Int64),
        low_usd_per_mtok=pl.col("price").min(),
        high_usd_per_mtok=pl.col("price").max(),
        quotes=pl.format('"{}":{}', "source", "price").sort().str.join(","),
    )
    chosen = per_price.sort("votes", "rank", descending=[True, False]).unique(keys, keep="first", maintain_order=True)
    votes = pl.col("votes")
    return (
        chosen.join(quotes, on=keys)
        .with_columns(
            usd_per_mtok="price",
            agreement=votes / pl.col("n_sources"),
            quotes=pl.lit("{") + pl.col("quotes") + pl.lit("}"),
            decided_by=pl.when(pl.col("n_sources") == 1)
            .then(pl.lit("only_source"))
            .when(votes == pl.col("n_sources"))
            .then(pl.lit("all_agree"))
            .when(2 * votes > pl.col("n_sources"))
            .then(pl.lit("majority"))
            .otherwise(pl.lit("source_order")),
        )
        .select(*each, *polars_schema(contract.LlmPriceCurrent))
        .sort(keys)
    )


def with_peak_hours(prices: pl.DataFrame, *, each: Sequence[str] = ()) -> pl.DataFrame:
    """Name daily windows alike over sources: `window` becomes always, peak or off_peak; `hours` keeps the hours.

    Of a model with daily windows one source states the off-peak price as its base and peak windows on top, another the
    reverse. Compared by base price the two are a factor of two apart; compared by peak and off-peak they agree.
    """
    price, series = pl.col("usd_per_mtok"), [*each, *SERIES[:-1]]
    has_windows = (pl.col("window") != "always").any().over(series)
    highest, lowest = price.max().over(series), price.min().over(series)
    return prices.with_columns(
        hours=pl.when(pl.col("window") != "always").then("window"),
        window=pl.when(~has_windows | (highest == lowest))
        .then(pl.lit("always"))
        .when(price == highest)
        .then(pl.lit("peak"))
        .otherwise(pl.lit("off_peak")),
    )


_FACTS = {
    "is_canonical": pl.col("is_canonical").any(),
    "hours": pl.col("hours").drop_nulls().unique().sort().str.join(", ").replace("", None),
    "first_party": pl.col("first_party").first(),
    "valid_from": pl.col("valid_from").max(),
    "fx_note": pl.col("fx_note").drop_nulls().first(),
}
