"""The market split: which priced models are frontier reasoning and which are a commodity, day by day."""

from datetime import datetime

import polars as pl

from assets.frames import under_contract
from assets.prices.frontier import priced_models
from assets.prices.scale_link import latest_scores
from schemas.prices import market_split as contract
from warehouse.table import table

SPLIT_RULE_VERSION = 2
SPLIT_SCALE = "eci_linked"
"""Epoch's index, chained with other scales for models that it has not rated."""
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
    scores = scores_of_split(capability)
    priced = priced_models(llm_price_current).with_columns(as_of=pl.lit(now.date()))
    split = with_tiers(priced, scores, model)
    today = under_contract(
        contract.MarketSplit,
        split.with_columns(refreshed_at=pl.lit(now), rule_version=pl.lit(SPLIT_RULE_VERSION, pl.Int64)),
    )
    earlier = previous.filter(pl.col("as_of") != now.date())
    return pl.concat([earlier, today]).sort("as_of", "model")


def scores_of_split(capability: pl.DataFrame) -> pl.DataFrame:
    """One score per model on the scale of the split. `capability`: contract `Capability`."""
    return latest_scores(capability).filter(pl.col("scale") == SPLIT_SCALE)


def with_tiers(priced: pl.DataFrame, scores: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """Tier of each priced model among those of its day by version 2 of the rule, see contract `MarketSplit`.

    `priced` as `priced_models` gives it, with the day as `as_of`, `scores` one row per model on one scale, `models` contract
    `Model`.
    """
    told = scores.select("model", "score", "score_low", "score_high", score_basis="basis", capability_as_of="as_of")
    attributes = models.select("model", "reasoning", "open_weights", "name_basis")
    # Of a name that nobody has looked at and that no source describes there is nothing to split by.
    described = pl.any_horizontal(pl.col("score", "reasoning", "open_weights").is_not_null())
    known = (
        priced.join(told, on="model", how="left")
        .join(attributes, on="model")
        .filter(pl.col("name_basis").ne_missing("as_listed") | described)
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
    is_top = pl.col("capability_percentile") >= TOP_SHARE
    frontier = pl.col("reasoning") & is_top & scarce
    # Where the interval of a score holds the lowest score of the top, another score of the same model may move it.
    cut = pl.col("score").filter(is_top).min().over("as_of")
    may_move = (pl.col("score_low") < cut) & (pl.col("score_high") >= cut)
    decided_without = (pl.col("reasoning") & scarce).not_().fill_null(value=False)
    tier = pl.when(frontier).then(pl.lit("frontier_reasoning")).when(frontier.not_()).then(pl.lit("commodity"))
    parts = {"score": "no score", "reasoning": "reasoning not known", "open_weights": "weights not known"}
    unknown = pl.concat_str(
        [pl.when(pl.col(name).is_null()).then(pl.lit(words)) for name, words in parts.items()],
        separator=", ",
        ignore_nulls=True,
    )
    return ranked.with_columns(tier=tier.otherwise(pl.lit("unclassified"))).with_columns(
        unclassified_because=pl.when(pl.col("tier") == "unclassified").then(unknown),
        holds_over_interval=pl.when(pl.col("tier") != "unclassified").then(decided_without | ~may_move.fill_null(value=False)),
    )


def with_tier_of_the_day(use: pl.DataFrame, tiers: pl.DataFrame) -> pl.DataFrame:
    """The tier of each model on its `day`, and where no price was known on that day, on the first later day of `tiers`.

    `tiers`: model, `tier_as_of`, tier. What has no tier by then is unclassified.
    """
    found = (
        use.select("model", "day")
        .unique()
        .join(tiers, on="model")
        .filter(pl.col("tier_as_of") >= pl.col("day"))
        .sort("tier_as_of")
        .unique(["model", "day"], keep="first", maintain_order=True)
    )
    known = use.join(found, on=["model", "day"], how="left", maintain_order="left")
    return known.with_columns(pl.col("tier").fill_null("unclassified"))
