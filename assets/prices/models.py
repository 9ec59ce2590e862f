"""Canonical models, the ids that stand for them, and sellers: the names under which everything is compared."""

import polars as pl

from assets.documents import parse_all
from schemas.base import polars_schema
from schemas.prices.models import Model, ModelAlias, ModelPointer, Provider
from schemas.prices.price_sources import PRICE_SOURCES
from schemas.quarantine import Parsed
from sources.prices import model_map
from sources.prices.openrouter import parse_pointers
from sources.source import Snapshot
from warehouse.table import table, taking

GROUP = "names"


@table(schema=Provider, group=GROUP)
def provider() -> pl.DataFrame:
    """Sellers and hosts with a canonical name."""
    return model_map.providers()


@table(schema=ModelPointer, group=GROUP, may_be_empty=True)
def model_pointer(openrouter: list[Snapshot], previous: pl.DataFrame) -> Parsed:
    """What moving names point to, day by day of the documents seen."""
    told = parse_all(openrouter, parse_pointers, ModelPointer)
    return Parsed(with_targets(pl.concat([told.accepted, previous])), told.rejected)


def with_targets(pointers: pl.DataFrame) -> pl.DataFrame:
    """Pointers with the canonical model of what they point to; of one day the newest document counts."""
    ids = pointers.select("source", source_provider="source", source_model="points_to").unique()
    found = model_map.resolve(ids).select("source", points_to="source_model", model="model")
    named = pointers.drop("model").join(found, on=["source", "points_to"], how="left", maintain_order="left")
    once = named.unique(["as_of", "source", "source_model"], keep="first", maintain_order=True)
    return once.select(list(polars_schema(ModelPointer))).sort("as_of", "source", "source_model")


@table(schema=ModelAlias, group=GROUP)
def model_alias(llm_price: pl.DataFrame, epoch_eci: pl.DataFrame, router_index: pl.DataFrame) -> pl.DataFrame:
    """Every id any source uses, with what it stands for; ids that stand for nothing are there too."""
    rated = epoch_eci.select("source", source_provider=pl.lit("epoch"), source_model="source_model")
    routed = router_index.select("source", source_provider="source", source_model="source_model")
    ids = pl.concat([llm_price.select(model_map.ID), rated, routed]).unique().sort(model_map.ID)
    return model_map.resolve(ids).select(list(polars_schema(ModelAlias)))


def described(model_alias: pl.DataFrame, **raw: pl.DataFrame) -> pl.DataFrame:
    """The canonical models; attributes the map leaves open are filled from what price sources agree on."""
    stated = model_map.resolve(pl.concat([raw[name] for name in _STATED]))
    return fill_attributes(pl.concat([model_map.models(), listed_models(model_alias)], how="diagonal"), stated)


_STATED = [f"{name}_model" for name in PRICE_SOURCES]
model = table(schema=Model, group=GROUP)(taking(described, "model_alias", *_STATED))


def listed_models(aliases: pl.DataFrame) -> pl.DataFrame:
    """The models that stand in no map, as they are listed, made by whom most ids say. `aliases`: contract `ModelAlias`."""
    listed = aliases.filter(pl.col("matched_by") == "as_listed")
    return (
        listed.group_by("model")
        .agg(pl.col("developer").mode().sort().first())
        .sort("model")
        .with_columns(rolling=pl.lit(value=False), name_basis=pl.lit("as_listed"))
    )


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
