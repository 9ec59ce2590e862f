"""The market split: which priced models are frontier reasoning and which are a commodity, day by day."""

from datetime import datetime

import polars as pl

from assets.frames import under_contract
from assets.prices.frontier import latest_scores, priced_models
from schemas.prices import market_split as contract
from warehouse.table import table

SPLIT_RULE_VERSION = 1
TOP_SHARE = 0.75
"""Models at or above this percentile of the capability index are at the frontier."""
FEW_SELLERS = 3
"""A model with more sellers than this is sold as a commodity is."""
SIGNS_NEEDED = 2


@table(schema=contract.MarketSplit, group="inference_frontier")
def market_split(
    llm_price_current: pl.DataFrame,
    capability: pl.DataFrame,
    model: pl.DataFrame,
    previous: pl.DataFrame,
    now: datetime,
) -> pl.DataFrame:
    """The split of today, after those of earlier days."""
    scores = latest_scores(capability).filter(pl.col("scale") == "eci")
    priced = priced_models(llm_price_current).with_columns(as_of=pl.lit(now.date()))
    split = with_tiers(priced, scores, model)
    today = under_contract(
        contract.MarketSplit,
        split.with_columns(refreshed_at=pl.lit(now), rule_version=pl.lit(SPLIT_RULE_VERSION, pl.Int64)),
    )
    earlier = previous.filter(pl.col("as_of") != now.date())
    return pl.concat([earlier, today]).sort("as_of", "model")


def with_tiers(priced: pl.DataFrame, scores: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """Tier of each priced model among those of its day by version 1 of the rule, see contract `MarketSplit`.

    `priced` as `priced_models` gives it, with the day as `as_of`, `scores` one row per model on one scale, `models` contract
    `Model`.
    """
    known = priced.join(scores.select("model", "score", capability_as_of="as_of"), on="model", how="left").join(
        models.select("model", "reasoning", "open_weights"), on="model"
    )
    cpm = (pl.col("input_usd_per_mtok") + pl.col("output_usd_per_mtok")) / 2.0
    ranked = known.with_columns(
        cpm_usd_per_mtok=cpm,
        median_cpm_usd_per_mtok=cpm.median().over("as_of"),
        capability_percentile=(pl.col("score").rank("max") / pl.col("score").count()).over("as_of"),
    )
    signs = [
        pl.col("cpm_usd_per_mtok") > pl.col("median_cpm_usd_per_mtok"),
        pl.col("n_providers") <= FEW_SELLERS,
        ~pl.col("open_weights"),
    ]
    met = pl.sum_horizontal(sign.fill_null(False).cast(pl.Int8) for sign in signs)
    at_most = pl.sum_horizontal(sign.fill_null(True).cast(pl.Int8) for sign in signs)
    scarce = pl.when(met >= SIGNS_NEEDED).then(True).when(at_most < SIGNS_NEEDED).then(False)
    # One part that fails decides, whatever is not known of the others.
    frontier = pl.col("reasoning") & (pl.col("capability_percentile") >= TOP_SHARE) & scarce
    tier = pl.when(frontier).then(pl.lit("frontier_reasoning")).when(frontier.not_()).then(pl.lit("commodity"))
    parts = {"score": "no score", "reasoning": "reasoning not known", "open_weights": "weights not known"}
    unknown = pl.concat_str(
        [pl.when(pl.col(name).is_null()).then(pl.lit(words)) for name, words in parts.items()],
        separator=", ",
        ignore_nulls=True,
    )
    return ranked.with_columns(tier=tier.otherwise(pl.lit("unclassified"))).with_columns(
        unclassified_because=pl.when(pl.col("tier") == "unclassified").then(unknown)
    )
