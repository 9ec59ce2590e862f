"""Contract of the threshold against the money: what it predicts of a model beside where tokens and dollars go."""

import polars as pl

from schemas.base import Table, column
from schemas.prices.market_split import CHANNELS, FORMS, TIERS


class MarketSplitMoney(Table):
    """The channel each form of the threshold predicts, weighed by what is bought: tokens and dollars, not counts of models.

    Only models with a calibration arc and traffic at the router are compared, a small and old part of the market:
    `usd_covered` says how much. A channel fits its tier as in marts.market_split_channel. A sample: one router's traffic.
    """

    month: pl.Date = column("month of the volumes", derived_from=("market_volume.month",))
    form: str = column("form of the condition", isin=FORMS, derived_from=("market_split_channel.form",))
    predicted_channel: str = column(
        "inference or training", isin=CHANNELS, derived_from=("market_split_channel.predicted_channel",)
    )
    tier: str = column("tier that the market shows", isin=TIERS, derived_from=("market_split_channel.tier",))
    models: pl.Int64 = column("models", unit="models", ge=1)
    tokens: pl.Int64 = column("their tokens", unit="tokens", ge=0, derived_from=("market_volume.tokens",))
    usd: float = column("their dollars", unit="usd", ge=0, derived_from=("market_volume.usd",))
    usd_share: float = column("share of the dollars compared in this form", ge=0, le=1)
    agreement_by_model: float = column(
        "share of models whose channel fits, over the form; unclassified ones left out", nullable=True, ge=0, le=1
    )
    agreement_by_usd: float = column("the same share of dollars", nullable=True, ge=0, le=1)
    usd_covered: float = column("share of the month's dollars that the models compared stand for", ge=0, le=1)

    class Config:
        name = "marts.market_split_money"
        unique = ["month", "form", "predicted_channel", "tier"]
