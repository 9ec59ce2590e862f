"""Contracts of the market split: the tier of each priced model, day by day."""

import polars as pl

from schemas.base import Table, Timestamp, column
from schemas.price_frontier import PRICE_BASES

TIERS = ("frontier_reasoning", "commodity", "unclassified")


class MarketSplit(Table):
    """Each priced model as frontier reasoning or commodity, by a versioned rule, once per day of a refresh.

    Version 1: frontier reasoning are models with reasoning tokens in the top quarter of the capability index among priced
    models, that meet at least two of: a price above the median, at most three sellers, closed weights. One part
    that fails makes a commodity; where none fails but one is not known the model is unclassified.
    """

    as_of: pl.Date = column("day of the prices")
    model: str = column("canonical model", derived_from=("llm_price_current.model",))
    tier: str = column("frontier_reasoning, commodity or unclassified", isin=TIERS)
    rule_version: pl.Int64 = column("version of the rule", ge=1)
    score: float = column("capability on Epoch's index", unit="scale points", nullable=True,
                          derived_from=("capability.score",))  # fmt: skip
    capability_as_of: pl.Date = column("day of the score", nullable=True, derived_from=("capability.as_of",))
    capability_percentile: float = column(
        "share of rated priced models that score no higher", nullable=True, gt=0, le=1
    )
    reasoning: bool = column("can emit reasoning tokens", nullable=True)
    open_weights: bool = column("weights can be downloaded", nullable=True)
    n_providers: pl.Int64 = column("sellers that price the model", unit="sellers", ge=1,
                                   derived_from=("llm_price_current.provider",))  # fmt: skip
    cpm_usd_per_mtok: float = column("blended price: mean of input and output", unit="usd_per_mtok", gt=0,
                                     derived_from=("llm_price_current.usd_per_mtok",))  # fmt: skip
    price_basis: str = column("whose price: the developer's own, else the median of hosts", isin=PRICE_BASES)
    median_cpm_usd_per_mtok: float = column("median over priced models that day", unit="usd_per_mtok", gt=0)
    refreshed_at: Timestamp = column("refresh that computed the row")

    class Config:
        name = "marts.market_split"
        unique = ["as_of", "model"]
