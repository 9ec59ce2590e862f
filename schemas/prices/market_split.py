"""Contracts of the market split: the tier of each priced model, what the threshold predicts of it, and tiers over time."""

import polars as pl

from schemas.base import Table, Timestamp, carried_from, column
from schemas.prices.capability import CAPABILITY_BASES, CAPABILITY_BASIS_MEANING
from schemas.prices.frontier import PRICE_BASES, PRICE_BASIS_MEANING

FORMS = ("published", "lagrangian", "shared_cost")
CHANNELS = ("inference", "training")
TIERS = ("frontier_reasoning", "commodity", "unclassified")


class MarketSplit(Table):
    """Each priced model as frontier reasoning or commodity, by a versioned rule, once per day of a refresh.

    Version 2: frontier reasoning are models with reasoning tokens in the top quarter of the capability index among priced
    models, that meet at least two of: a price above the median, at most three sellers, closed weights. One part
    that fails makes a commodity; where none fails but one is not known the model is unclassified. The index is the chained
    scale eci_linked; version 1 ranked by Epoch's own scores alone, which end in February 2026.
    """

    as_of: pl.Date = column("day of the prices")
    model: str = column("canonical model", derived_from=("llm_price_current.model",))
    tier: str = column("frontier_reasoning, commodity or unclassified", isin=TIERS)
    unclassified_because: str = column(
        "what is not known of an unclassified model: its score, reasoning or weights", nullable=True
    )
    holds_over_interval: bool = column(
        "the tier stays the same over the whole interval of the score; NULL where there is no tier", nullable=True
    )
    rule_version: pl.Int64 = column("version of the rule", ge=1)
    score: float = column("capability on Epoch's index", unit="scale points", nullable=True, derived_from=("capability.score",))
    score_basis: str = column(
        CAPABILITY_BASIS_MEANING, isin=CAPABILITY_BASES, nullable=True, derived_from=("capability.basis",)
    )
    score_low: float = column(
        "lower end of the score's 95 % interval; of a linked score that of the link",
        unit="scale points",
        nullable=True,
        derived_from=("capability.score_low",),
    )
    score_high: float = column(
        "upper end of that interval", unit="scale points", nullable=True, derived_from=("capability.score_high",)
    )
    capability_as_of: pl.Date = column("day of the score", nullable=True, derived_from=("capability.as_of",))
    capability_percentile: float = column("share of rated priced models that score no higher", nullable=True, gt=0, le=1)
    reasoning: bool = column("can emit reasoning tokens", nullable=True)
    open_weights: bool = column("weights can be downloaded", nullable=True)
    n_providers: pl.Int64 = column(
        "sellers that price the model, without routers", unit="sellers", ge=0, derived_from=("llm_price_current.provider",)
    )
    cpm_usd_per_mtok: float = column(
        "blended price: mean of input and output", unit="usd_per_mtok", gt=0, derived_from=("llm_price_current.usd_per_mtok",)
    )
    price_basis: str = column(PRICE_BASIS_MEANING, isin=PRICE_BASES)
    median_cpm_usd_per_mtok: float = column("median over priced models that day", unit="usd_per_mtok", gt=0)
    refreshed_at: Timestamp = column("refresh that computed the row")

    class Config:
        name = "marts.market_split"
        metadata = carried_from("model")
        unique = ["as_of", "model"]


class MarketSplitChannel(Table):
    """The channel that each form of the threshold predicts for a model, beside the tier the market shows, day by day.

    Per model over its calibration arcs: more than half of them must favour inference. Verdicts are those of the limit in which
    training is long paid, the most favourable to inference: it needs neither a training elasticity nor a dollar ratio, which
    are not known per model, and any positive ratio can only turn inference into training.
    """

    as_of: pl.Date = column("day of the prices", derived_from=("market_split.as_of",))
    model: str = column("canonical model", derived_from=("market_split.model", "inference_frontier.system"))
    form: str = column("form of the condition", isin=FORMS)
    tier: str = column("tier that the market shows", isin=TIERS)
    arcs: pl.Int64 = column("calibration arcs of the model", unit="arcs", ge=1)
    arcs_for_inference: pl.Int64 = column("those that favour inference", unit="arcs", ge=0)
    n: pl.Int64 = column("questions of its smallest benchmark", unit="questions", ge=1)
    eta_samples: float = column("median elasticity of its arcs", derived_from=("inference_frontier.eta_samples",))
    eta_samples_low: float = column("median of the lower ends of their intervals")
    eta_samples_high: float = column("median of the upper ends")
    predicted_channel: str = column("inference or training", isin=CHANNELS)
    agrees: bool = column(
        "inference for frontier reasoning, training for a commodity; NULL where the tier is not known", nullable=True
    )
    refreshed_at: Timestamp = column("refresh that computed the row")

    class Config:
        name = "marts.market_split_channel"
        unique = ["as_of", "model", "form"]


class MarketSplitConfusion(Table):
    """Predicted channel against observed tier: models in each cell, and how often both agree, with its interval."""

    as_of: pl.Date = column("day of the prices")
    form: str = column("form of the condition", isin=FORMS)
    predicted_channel: str = column("channel the threshold predicts", isin=CHANNELS)
    observed_tier: str = column("tier the market shows", isin=TIERS[:2], derived_from=("market_split_channel.tier",))
    models: pl.Int64 = column("models in this cell", unit="models", ge=0)
    n: pl.Int64 = column("models compared, over all cells", unit="models", ge=1)
    agreement: float = column("share of all models compared whose channel fits their tier", ge=0, le=1)
    agreement_low: float = column("lower end of its 95 % Wilson interval", ge=0, le=1)
    agreement_high: float = column("upper end of that interval", ge=0, le=1)
    chance_agreement: float = column(
        "agreement of independent guesses with the same shares; the split predicts nothing where the interval holds it",
        ge=0,
        le=1,
    )

    class Config:
        name = "marts.market_split_confusion"
        metadata = carried_from("market_split_channel")
        unique = ["as_of", "form", "predicted_channel", "observed_tier"]


class MarketSplitByTier(Table):
    """Price, $ per task and capability of both tiers over time: each refresh's day, and quarters rebuilt from dated prices.

    A rebuilt quarter uses today's scores of the models already released, and only the sellers whose price history is known.
    """

    as_of: pl.Date = column("day of the prices")
    basis: str = column("observed: computed on that day; rebuilt: from prices dated since", isin=("observed", "rebuilt"))
    tier: str = column("frontier_reasoning, commodity or unclassified", isin=TIERS)
    models: pl.Int64 = column("models", unit="models", ge=1)
    cpm_usd_per_mtok: float = column(
        "median blended price", unit="usd_per_mtok", gt=0, derived_from=("market_split.cpm_usd_per_mtok",)
    )
    cpm_usd_per_mtok_low: float = column("lower quartile", unit="usd_per_mtok", gt=0)
    cpm_usd_per_mtok_high: float = column("upper quartile", unit="usd_per_mtok", gt=0)
    score: float = column(
        "median capability on Epoch's index", unit="scale points", nullable=True, derived_from=("market_split.score",)
    )
    score_low: float = column("lower quartile", unit="scale points", nullable=True)
    score_high: float = column("upper quartile", unit="scale points", nullable=True)
    task_benchmark: str = column("benchmark of the $ per task", nullable=True)
    runs: pl.Int64 = column("priced runs of these models up to that day", unit="runs", ge=0)
    usd_per_task: float = column(
        "median $ per task of those runs", unit="usd", nullable=True, gt=0, derived_from=("cost_per_correct.usd_per_task",)
    )
    usd_per_task_low: float = column("lower quartile", unit="usd", nullable=True, gt=0)
    usd_per_task_high: float = column("upper quartile", unit="usd", nullable=True, gt=0)
    refreshed_at: Timestamp = column("refresh that computed the row")

    class Config:
        name = "marts.market_split_by_tier"
        metadata = carried_from("market_split")
        unique = ["as_of", "tier"]
