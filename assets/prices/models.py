"""Canonical models, the ids that stand for them, and sellers: the names under which everything is compared."""

import polars as pl

from schemas.base import polars_schema
from schemas.prices.models import Model, ModelAlias, Provider
from sources.prices import model_map
from warehouse.table import table

GROUP = "names"


@table(schema=Provider, group=GROUP)
def provider() -> pl.DataFrame:
    """Sellers and hosts with a canonical name."""
    return model_map.providers()


@table(schema=ModelAlias, group=GROUP)
def model_alias(llm_price: pl.DataFrame, epoch_eci: pl.DataFrame) -> pl.DataFrame:
    """Every id any source uses, with what it stands for; ids that stand for nothing are there too."""
    rated = epoch_eci.select("source", source_provider=pl.lit("epoch"), source_model="source_model")
    ids = pl.concat([llm_price.select(model_map.ID), rated]).unique().sort(model_map.ID)
    return model_map.resolve(ids).select(list(polars_schema(ModelAlias)))


@table(schema=Model, group=GROUP)
def model(litellm_model: pl.DataFrame, openrouter_model: pl.DataFrame, models_dev_model: pl.DataFrame) -> pl.DataFrame:
    """The canonical models; attributes the map leaves open are filled from what price sources agree on."""
    stated = model_map.resolve(pl.concat([models_dev_model, openrouter_model, litellm_model]))
    return fill_attributes(model_map.models(), stated)


def fill_attributes(models: pl.DataFrame, stated: pl.DataFrame) -> pl.DataFrame:
    """Fill what the model map leaves NULL from price sources, where all that state an attribute agree on it.

    `models`: contract `Model`. `stated`: attributes by source with the canonical `model`. A release date is only taken from
    models.dev; what OpenRouter dates is its own listing. Names that the vendor re-points have no attributes of their own.
    """
    dates = stated.filter(pl.col("source") == "models_dev").group_by("model").agg(sd_release_date=_agreed("release_date"))
    flags = stated.group_by("model").agg(
        sd_reasoning=_agreed("reasoning"),
        sd_open_weights=_agreed("open_weights"),
        sd_name=pl.col("display_name").drop_nulls().first(),
    )
    joined = models.join(flags, on="model", how="left").join(dates, on="model", how="left")
    filled = joined.with_columns(display_name=pl.coalesce("display_name", "sd_name", "model"))
    for attribute in ("reasoning", "open_weights", "release_date"):
        taken = pl.col(attribute).is_null() & pl.col(f"sd_{attribute}").is_not_null() & ~pl.col("rolling")
        filled = filled.with_columns(
            pl.when(taken).then(f"sd_{attribute}").otherwise(attribute).alias(attribute),
            pl.when(taken).then(pl.lit("sources_agree")).otherwise(f"{attribute}_basis").alias(f"{attribute}_basis"),
        )
    return filled.select(list(polars_schema(Model)))


def _agreed(attribute: str) -> pl.Expr:
    values = pl.col(attribute).drop_nulls()
    return pl.when(values.n_unique() == 1).then(values.first())
