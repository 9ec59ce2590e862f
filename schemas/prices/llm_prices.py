"""Contracts of LLM API prices: as each source publishes them, and reconciled over sources."""

import polars as pl

from schemas.base import Table, Timestamp, carried_from, column

LEGS = (
    "input",
    "output",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "reasoning",
    "input_audio",
    "output_audio",
    "cache_read_audio",
)
DATE_BASES = ("vendor", "observed", "import")
DATE_BASIS_MEANING = "vendor: date the vendor set; observed: first seen; import: date of first import"
CEILING_USD_PER_MTOK = 1_000.0
"""No token price of a public API has been at or above this; o1-pro output, the dearest known, is 600."""


class RawLlmPrice(Table):
    """One token price as one source publishes it, in one unit. Each source's raw table is a subclass."""

    source: str = column("source that published the price", str_length={"min_value": 1})
    source_provider: str = column("seller or host, as the source writes it", str_length={"min_value": 1})
    source_model: str = column("model or route id, as the source writes it", str_length={"min_value": 1})
    source_key: str = column("where in the entry the price stands, such as a JSON key or path")
    leg: str = column("what the tokens are", isin=LEGS)
    tier_min_tokens: pl.Int64 = column("prompt length from which the price holds; 0 is the base price", unit="tokens", ge=0)
    variant: str = column("standard, batch, flex, priority, fast, ...", str_length={"min_value": 1})
    window: str = column("always, or the daily window of UTC time in which the price holds, such as 16:30-00:30")
    published_value: str = column("the figure as published, before any conversion")
    published_unit: str = column("unit of the published figure, such as usd_per_token")
    usd_per_mtok: float = column("price per million tokens", unit="usd_per_mtok", gt=0, lt=CEILING_USD_PER_MTOK)
    valid_from: pl.Date = column("first day of the price, where the source states one", nullable=True)
    valid_to: pl.Date = column("day the price ends (exclusive), where the source states one", nullable=True)
    date_basis: str = column(
        DATE_BASIS_MEANING,
        isin=DATE_BASES,
        nullable=True,
    )
    fx_note: str = column("exchange-rate assumption inside the figure, such as CNY at 7.25", nullable=True)
    seen_on: pl.Date = column("day of the document: published, else first fetched")


class RawModelAttribute(Table):
    """What a price source says of a model besides its price."""

    source: str = column("source of the attributes")
    source_provider: str = column("seller or host, as the source writes it")
    source_model: str = column("model or route id, as the source writes it")
    display_name: str = column("name for people", nullable=True)
    release_date: pl.Date = column("release date stated by the source", nullable=True)
    reasoning: bool = column("can emit reasoning tokens", nullable=True)
    open_weights: bool = column("weights can be downloaded", nullable=True)
    context_tokens: pl.Int64 = column("longest prompt", unit="tokens", nullable=True, gt=0)
    deprecated_on: pl.Date = column("day the vendor withdraws the model", nullable=True)


_PRICE_KEY = [
    "source_provider",
    "source_model",
    "leg",
    "tier_min_tokens",
    "variant",
    "window",
    "valid_from",
    "source_key",
]
_ATTRIBUTE_KEY = ["source_provider", "source_model"]


class GenaiPricesPrice(RawLlmPrice):
    """Token prices of the genai-prices data set: dated, tiered, with variants."""

    class Config:
        name = "raw.genai_prices_price"
        unique = _PRICE_KEY


class LitellmPrice(RawLlmPrice):
    """Token prices of LiteLLM's price file."""

    class Config:
        name = "raw.litellm_price"
        unique = _PRICE_KEY


class OpenrouterPrice(RawLlmPrice):
    """Token prices of the OpenRouter models endpoint: default route of each model."""

    class Config:
        name = "raw.openrouter_price"
        unique = _PRICE_KEY


class ModelsDevPrice(RawLlmPrice):
    """Token prices of models.dev."""

    class Config:
        name = "raw.models_dev_price"
        unique = _PRICE_KEY


class LitellmModel(RawModelAttribute):
    """Model attributes of LiteLLM's price file."""

    class Config:
        name = "raw.litellm_model"
        unique = _ATTRIBUTE_KEY


class OpenrouterModel(RawModelAttribute):
    """Model attributes of the OpenRouter models endpoint."""

    class Config:
        name = "raw.openrouter_model"
        unique = _ATTRIBUTE_KEY


class ModelsDevModel(RawModelAttribute):
    """Model attributes of models.dev."""

    class Config:
        name = "raw.models_dev_model"
        unique = _ATTRIBUTE_KEY


class LlmPrice(Table):
    """Every LLM token price with the days it held, by source, route, leg, tier, variant and window."""

    provider: str = column("canonical seller or host, such as openai or together")
    model: str = column("canonical model, key of core.model; NULL where the route is not mapped", nullable=True)
    first_party: bool = column("the seller trained the model itself; NULL where it is not mapped", nullable=True)
    source_provider: str = column("seller or host, as the source writes it")
    source_model: str = column("model or route id, as the source writes it")
    leg: str = column("what the tokens are", isin=LEGS)
    tier_min_tokens: pl.Int64 = column("prompt length from which the price holds; 0 is the base price", unit="tokens", ge=0)
    variant: str = column("standard, batch, flex, priority, fast, ...")
    window: str = column("always, or the daily window of UTC time in which the price holds")
    usd_per_mtok: float = column("price per million tokens", unit="usd_per_mtok", gt=0, lt=CEILING_USD_PER_MTOK)
    valid_from: pl.Date = column(
        "first day of the price, see date_basis; NULL where only its end is known",
        nullable=True,
        derived_from=(
            "genai_prices_price.valid_from",
            "litellm_price.valid_from",
            "llm_price_seed.valid_from",
            "models_dev_price.valid_from",
            "openrouter_price.valid_from",
        ),
    )
    valid_to: pl.Date = column(
        "day the price ended (exclusive); NULL while it holds",
        nullable=True,
        derived_from=(
            "genai_prices_price.valid_to",
            "litellm_price.valid_to",
            "llm_price_seed.valid_to",
            "models_dev_price.valid_to",
            "openrouter_price.valid_to",
        ),
    )
    date_basis: str = column(
        DATE_BASIS_MEANING + "; NULL where valid_from is",
        isin=DATE_BASES,
        nullable=True,
        derived_from=(
            "genai_prices_price.date_basis",
            "litellm_price.date_basis",
            "llm_price_seed.date_basis",
            "models_dev_price.date_basis",
            "openrouter_price.date_basis",
        ),
    )
    fx_note: str = column("exchange-rate assumption inside the figure; NULL for USD", nullable=True)
    source: str = column("source that published the price")
    observed_at: Timestamp = column("when this row was first seen by a refresh")
    missing_since: pl.Date = column(
        "day the source first left the price out; it ends when a second snapshot confirms that", nullable=True
    )
    withdrawn_on: pl.Date = column("day the source took back the price; NULL while it stands", nullable=True)

    class Config:
        name = "core.llm_price"
        metadata = carried_from("genai_prices_price", "litellm_price", "llm_price_seed", "models_dev_price", "openrouter_price")
        unique = [
            "source",
            "source_provider",
            "source_model",
            "leg",
            "tier_min_tokens",
            "variant",
            "window",
            "valid_from",
            "withdrawn_on",
        ]


WINDOWS = ("always", "peak", "off_peak")
DECISIONS = ("only_source", "all_agree", "majority", "source_order")


class LlmPriceCurrent(Table):
    """The price of every leg of every model at every seller today, with how many sources say so and what the others say."""

    provider: str = column("canonical seller or host", derived_from=("llm_price.provider",))
    model: str = column(
        "canonical model, or the source's own id where the model is not mapped (is_canonical is false)",
        derived_from=(
            "llm_price.model",
            "llm_price.source_model",
        ),
    )
    is_canonical: bool = column("the model is a key of core.model", derived_from=("llm_price.model",))
    first_party: bool = column("the seller trained the model itself; NULL where it is not mapped", nullable=True)
    leg: str = column("what the tokens are", isin=LEGS)
    tier_min_tokens: pl.Int64 = column("prompt length from which the price holds; 0 is the base price", unit="tokens", ge=0)
    variant: str = column("standard, batch, flex, priority, fast, ...")
    window: str = column("always, or for a model priced by the hour: peak or off_peak", isin=WINDOWS)
    hours: str = column("hours of the window in UTC, as the sources state them", nullable=True)
    usd_per_mtok: float = column(
        "price most sources state", unit="usd_per_mtok", gt=0, lt=CEILING_USD_PER_MTOK, derived_from=("llm_price.usd_per_mtok",)
    )
    valid_from: pl.Date = column(
        "latest first day among the sources that state this price", nullable=True, derived_from=("llm_price.valid_from",)
    )
    n_sources: pl.Int64 = column("sources that price this leg", ge=1, derived_from=("llm_price.source",))
    agreement: float = column("share of those sources that state this price", gt=0, le=1)
    decided_by: str = column(
        "how the price was chosen; source_order: no majority, the first of genai_prices, litellm, models_dev, openrouter",
        isin=DECISIONS,
    )
    low_usd_per_mtok: float = column("lowest price among the sources", unit="usd_per_mtok", gt=0)
    high_usd_per_mtok: float = column("highest price among the sources", unit="usd_per_mtok", gt=0)
    quotes: str = column("what each source says, as JSON: source to usd_per_mtok")
    fx_note: str = column("exchange-rate assumption inside the price of some source", nullable=True)

    class Config:
        name = "core.llm_price_current"
        metadata = carried_from("llm_price")
        unique = ["provider", "model", "leg", "tier_min_tokens", "variant", "window"]
