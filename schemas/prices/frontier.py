"""Contracts of the price frontier: which models no other beats in price and capability."""

import polars as pl

from schemas.base import Table, Timestamp, carried_from, column
from schemas.prices.capability import CAPABILITY_BASES, CAPABILITY_BASIS_MEANING
from schemas.prices.models import SELLER_KINDS

PRICE_BASES = ("first_party", "median_of_hosts", "median_of_routers")
PRICE_BASIS_MEANING = (
    "whose price: the developer's own, else the median of clouds and hosts, else, where nobody else sells it, of routers"
)
_BOTH_PRICES = (
    "llm_price_current.usd_per_mtok",
    "monthly_price.input_usd_per_mtok",
    "monthly_price.output_usd_per_mtok",
)


class MonthlyPrice(Table):
    """Input and output price of every model at every seller on the last day of every month, from the sources of that day.

    Base tier, standard variant; a model priced by the hour with its peak price. A seller without a row had no known price.
    """

    as_of: pl.Date = column("last day of the month")
    model: str = column("canonical model, key of core.model", derived_from=("llm_price.model",))
    provider: str = column("seller or host", derived_from=("llm_price.provider",))
    first_party: bool = column("the seller trained the model itself", derived_from=("llm_price.first_party",))
    input_usd_per_mtok: float = column(
        "price of input tokens", unit="usd_per_mtok", gt=0, derived_from=("llm_price.usd_per_mtok",)
    )
    output_usd_per_mtok: float = column(
        "price of output tokens", unit="usd_per_mtok", gt=0, derived_from=("llm_price.usd_per_mtok",)
    )

    seller_kind: str = column("vendor, cloud, host or router; NULL: not known", isin=SELLER_KINDS, nullable=True)
    evidence_on: pl.Date = column("oldest evidence of the two by that day", derived_from=("llm_price.evidence_on",))
    is_stale: bool = column("that evidence was more than 30 days old on that day")

    class Config:
        name = "core.monthly_price"
        unique = ["as_of", "model", "provider"]


class PricedModel(Table):
    """Columns shared by the frontier of today and its history."""

    model: str = column(
        "canonical model, key of core.model",
        derived_from=("llm_price_current.model", "monthly_price.model", "capability.model"),
    )
    developer: str = column("who trained the model", nullable=True)
    input_usd_per_mtok: float = column(
        "price of input tokens",
        unit="usd_per_mtok",
        gt=0,
        derived_from=("llm_price_current.usd_per_mtok", "monthly_price.input_usd_per_mtok"),
    )
    output_usd_per_mtok: float = column(
        "price of output tokens",
        unit="usd_per_mtok",
        gt=0,
        derived_from=("llm_price_current.usd_per_mtok", "monthly_price.output_usd_per_mtok"),
    )
    cpm_usd_per_mtok: float = column(
        "blended price: mean of input and output",
        unit="usd_per_mtok",
        gt=0,
        derived_from=_BOTH_PRICES,
    )
    cpm_3to1_usd_per_mtok: float = column(
        "blended price at three input tokens per output token",
        unit="usd_per_mtok",
        gt=0,
        derived_from=_BOTH_PRICES,
    )
    price_basis: str = column(PRICE_BASIS_MEANING, isin=PRICE_BASES)
    oldest_evidence_on: pl.Date = column(
        "oldest evidence of the prices used",
        derived_from=("llm_price_current.evidence_on", "monthly_price.evidence_on"),
    )
    newest_evidence_on: pl.Date = column(
        "newest evidence of the prices used",
        derived_from=("llm_price_current.evidence_on", "monthly_price.evidence_on"),
    )
    is_stale: bool = column(
        "all of them are stale on that day", derived_from=("llm_price_current.is_stale", "monthly_price.is_stale")
    )
    n_providers: pl.Int64 = column(
        "sellers that price the model, without routers",
        unit="sellers",
        ge=0,
        derived_from=("llm_price_current.provider", "monthly_price.provider"),
    )
    scale: str = column("capability scale, see core.capability", derived_from=("capability.scale",))
    score: float = column("capability on that scale", unit="scale points", derived_from=("capability.score",))
    score_low: float = column("lower end of the score's interval", unit="scale points", nullable=True)
    score_high: float = column("upper end of the score's interval", unit="scale points", nullable=True)
    score_basis: str = column(
        CAPABILITY_BASIS_MEANING, isin=CAPABILITY_BASES, nullable=True, derived_from=("capability.basis",)
    )
    capability_as_of: pl.Date = column("day of the capability figure", derived_from=("capability.as_of",))
    on_frontier: bool = column("no model is both cheaper (cpm) and more capable")


class PriceFrontier(PricedModel):
    """Every model with a current price and a capability score, and whether any other beats it in both."""

    as_of: pl.Date = column("day of the prices")
    refreshed_at: Timestamp = column("refresh that computed the row")

    class Config:
        name = "marts.price_frontier"
        metadata = carried_from("capability")
        unique = ["model", "scale"]


class PriceFrontierHistory(PricedModel):
    """The price frontier at the end of every month since the first priced models: only models on the frontier of the day."""

    as_of: pl.Date = column("day of the prices")

    class Config:
        name = "marts.price_frontier_history"
        metadata = carried_from("capability")
        unique = ["as_of", "model", "scale"]
