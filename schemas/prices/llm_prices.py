"""Contracts of LLM API prices: as each source publishes them, and reconciled over sources."""

from typing import Any

import polars as pl

from schemas.base import Table, carried_from, column
from schemas.prices.history import Historic
from schemas.prices.models import SELLER_KINDS
from schemas.prices.price_sources import PRICE_SOURCES, RAW_PRICE_TABLES

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
REGIONS = ("global", "us", "eu", "apac", "jp", "au", "ca", "in", "sa", "me", "gov", "regional")
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
    price_window: str = column("always, or the daily window of UTC time in which the price holds, such as 16:30-00:30")
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
    seen_on: pl.Date = column("day of the document: published, else first served")
    evidence_on: pl.Date = column("latest day on which the source was seen to serve the document")
    document_sha256: str = column("hash of the document, key of meta.snapshot")
    locator: str = column("where in the document the price stands, as a JSON pointer or a row")


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
    deprecated_on: pl.Date = column("day from which the seller no longer sells the model", nullable=True)
    mode: str = column("what the route does: chat, completion, responses, embedding, image_generation, ...", nullable=True)
    imported_from: str = column("seller whose price this is, where the source says that it was copied", nullable=True)


_PRICE_KEY = [
    "source_provider",
    "source_model",
    "leg",
    "tier_min_tokens",
    "variant",
    "price_window",
    "valid_from",
    "source_key",
]
_ATTRIBUTE_KEY = ["source_provider", "source_model"]


def _raw(name: str, base: type[Table], words: str, key: list[str]) -> type[Table]:
    """A raw table of one source: the columns of `base` under a name of its own."""
    config = type("Config", (), {"name": f"raw.{name}", "unique": key})
    title = "".join(part.capitalize() for part in name.split("_"))
    return type(title, (base,), {"__doc__": words, "__module__": __name__, "Config": config})


RAW_PRICES = {name: _raw(f"{name}_price", RawLlmPrice, words, _PRICE_KEY) for name, (words, _) in PRICE_SOURCES.items()}
RAW_MODELS = {
    name: _raw(f"{name}_model", RawModelAttribute, words, _ATTRIBUTE_KEY) for name, (_, words) in PRICE_SOURCES.items()
}


class StatedLlmPrice(Table):
    """One price of one source with the days it held: the part that comes from the source."""

    provider: str = column("canonical seller or host, such as openai or together")
    model: str = column("canonical model, key of core.model; NULL where the route is not mapped", nullable=True)
    first_party: bool = column("the seller trained the model itself; NULL where it is not mapped", nullable=True)
    source_provider: str = column("seller or host, as the source writes it")
    source_model: str = column("model or route id, as the source writes it")
    region: str = column("where the route answers, by its id; global where the id names no region", isin=REGIONS)
    mode: str = column("what the route does, where the source says so: chat, embedding, ...", nullable=True)
    imported_from: str = column("seller whose price this is, where the source says that it was copied", nullable=True)
    deprecated_on: pl.Date = column("day from which the seller no longer sells it, by this source", nullable=True)
    leg: str = column("what the tokens are", isin=LEGS)
    tier_min_tokens: pl.Int64 = column("prompt length from which the price holds; 0 is the base price", unit="tokens", ge=0)
    variant: str = column("standard, batch, flex, priority, fast, ...; from the price key, else from the id")
    price_window: str = column("always, or the daily window of UTC time in which the price holds", formerly="window")
    usd_per_mtok: float = column("price per million tokens", unit="usd_per_mtok", gt=0, lt=CEILING_USD_PER_MTOK)
    valid_from: pl.Date = column(
        "first day of the price, see date_basis; NULL where only its end is known",
        nullable=True,
        derived_from=tuple(f"{table}.valid_from" for table in RAW_PRICE_TABLES),
    )
    valid_to: pl.Date = column(
        "day the price ended (exclusive); NULL while it holds",
        nullable=True,
        derived_from=tuple(f"{table}.valid_to" for table in RAW_PRICE_TABLES),
    )
    date_basis: str = column(
        DATE_BASIS_MEANING + "; NULL where valid_from is",
        isin=DATE_BASES,
        nullable=True,
        derived_from=tuple(f"{table}.date_basis" for table in RAW_PRICE_TABLES),
    )
    fx_note: str = column("exchange-rate assumption inside the figure; NULL for USD", nullable=True)
    source: str = column("source that published the price")
    seen_on: pl.Date = column("day of the document that first showed the row")
    evidence_on: pl.Date = column("latest day on which the source was seen to say so")
    document_sha256: str = column("latest document that says so, key of meta.snapshot", nullable=True)
    locator: str = column("where in that document, as a JSON pointer or a row", nullable=True)


class LlmPrice(Historic, StatedLlmPrice):
    """Every LLM token price with the days it held, by source, route, leg, tier, variant and window."""

    class Config:
        name = "core.llm_price"
        metadata = carried_from(*RAW_PRICE_TABLES)
        unique = [
            "source",
            "source_provider",
            "source_model",
            "leg",
            "tier_min_tokens",
            "variant",
            "price_window",
            "valid_from",
            "withdrawn_on",
            "status",
        ]


WINDOWS = ("always", "peak", "off_peak")
STALE_AFTER_DAYS = 30
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
    price_window: str = column("always, or for a model priced by the hour: peak or off_peak", isin=WINDOWS, formerly="window")
    hours: str = column("hours of the window in UTC, as the sources state them", nullable=True)
    usd_per_mtok: float = column(
        "price most sources state", unit="usd_per_mtok", gt=0, lt=CEILING_USD_PER_MTOK, derived_from=("llm_price.usd_per_mtok",)
    )
    seller_kind: str = column("vendor, cloud, host, router or closed; NULL: not known", isin=SELLER_KINDS, nullable=True)
    region: str = column("where it holds: global where any route answers anywhere", isin=REGIONS)
    region_low_usd_per_mtok: float = column("lowest price over regions and sources", unit="usd_per_mtok", gt=0)
    region_high_usd_per_mtok: float = column("highest price over regions and sources", unit="usd_per_mtok", gt=0)
    is_far_from_peers: bool = column("5 times the median of three sellers or more, or a fifth of it or less")
    valid_from: pl.Date = column(
        "latest first day among the sources that state this price", nullable=True, derived_from=("llm_price.valid_from",)
    )
    date_basis: str = column(DATE_BASIS_MEANING + "; NULL where valid_from is", isin=DATE_BASES, nullable=True)
    evidence_on: pl.Date = column(
        "latest day on which a source was seen to state this price", derived_from=("llm_price.evidence_on",)
    )
    age_days: pl.Int64 = column("days since then", unit="days", ge=0)
    is_stale: bool = column(f"nobody was seen to state it for more than {STALE_AFTER_DAYS} days")
    retired_on: pl.Date = column(
        "day from which the seller no longer sells it; NULL where none is announced",
        nullable=True,
        derived_from=("model_retirement.retired_on",),
    )
    n_sources: pl.Int64 = column(
        "sources that price this leg, without those whose evidence is 45 days older than the newest",
        ge=1,
        derived_from=("llm_price.source",),
    )
    agreement: float = column("share of those sources that state this price", gt=0, le=1)
    decided_by: str = column(
        f"how the price was chosen; source_order: no majority, the first of {', '.join(PRICE_SOURCES)}",
        isin=DECISIONS,
    )
    price_source: str = column("first of the sources that state this price", derived_from=("llm_price.source",))
    low_usd_per_mtok: float = column("lowest price among the sources", unit="usd_per_mtok", gt=0)
    high_usd_per_mtok: float = column("highest price among the sources", unit="usd_per_mtok", gt=0)
    quotes: str = column("what each source says, as JSON: source to usd_per_mtok; with those too old to count")
    fx_note: str = column("exchange-rate assumption inside the price of some source", nullable=True)

    class Config:
        name = "core.llm_price_current"
        metadata = carried_from("llm_price")
        unique = ["provider", "model", "leg", "tier_min_tokens", "variant", "price_window"]


def _wide(description: str) -> Any:
    return column(
        f"{description}; NULL where the source prices none",
        unit="usd_per_mtok",
        gt=0,
        nullable=True,
        derived_from=("llm_price_current.usd_per_mtok", "llm_price_current.quotes"),
    )


class LlmPriceWide(Table):
    """Prices of today side by side: one row per seller and model, base tier, all legs from one source and one window."""

    provider: str = column("canonical seller or host", derived_from=("llm_price_current.provider",))
    model: str = column("canonical model, or the source's own id", derived_from=("llm_price_current.model",))
    source: str = column("source of all prices of the row", derived_from=("llm_price_current.quotes",))
    price_window: str = column("always, or peak for a model priced by the hour", isin=WINDOWS)
    input_usd_per_mtok: float = _wide("price of input tokens")
    output_usd_per_mtok: float = _wide("price of output tokens")
    cache_read_usd_per_mtok: float = _wide("price of input tokens read from a cache")
    cache_write_usd_per_mtok: float = _wide("price of input tokens written to a cache")
    batch_input_usd_per_mtok: float = _wide("price of input tokens in a batch")
    batch_output_usd_per_mtok: float = _wide("price of output tokens in a batch")
    evidence_on: pl.Date = column("oldest evidence of the row", derived_from=("llm_price_current.evidence_on",))
    is_stale: bool = column("some price of the row is stale", derived_from=("llm_price_current.is_stale",))
    n_sources: pl.Int64 = column("most sources that price a leg", ge=1)
    agreement: float = column("lowest agreement of a leg", gt=0, le=1)

    class Config:
        name = "core.llm_price_wide"
        unique = ["provider", "model"]
