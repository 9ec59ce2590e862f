"""From when a model is no longer sold: what sources say of retirement, joined per seller and model."""

from collections.abc import Iterable
from datetime import date

import polars as pl

from assets.frames import under_contract
from schemas.prices.price_sources import SEEDED
from schemas.prices.retirement import ModelRetirement
from sources.prices import model_map
from warehouse.history import holding_on_each
from warehouse.history_guards import was_believed
from warehouse.table import table


@table(schema=ModelRetirement, group="llm_prices")
def model_retirement(llm_price: pl.DataFrame) -> pl.DataFrame:
    """Every seller and model whose sale ended or will end, with the source of the day."""
    return retirements(llm_price, model_map.models())


def retirements(prices: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """Last days of sale per seller and model (contract `ModelRetirement`). `prices`: `LlmPrice`; `models`: `Model`.

    A source retires a model where every route it lists of it has an end; sources that name no day say nothing, since a list
    keeps what is gone. Of several days the latest counts. A price that its vendor dates later takes the day back. What the
    developer of closed weights retired is gone everywhere from that day, unless another seller states a day of its own.
    """
    named = prices.filter(pl.col("model").is_not_null(), was_believed(), pl.col("withdrawn_on").is_null())
    key = ["provider", "model"]
    stated = pl.concat([_stated(named), _seed_ends(named), _left_out(named)])
    latest = stated.sort("retired_on", "source", descending=[True, False]).unique(key, keep="first", maintain_order=True)
    dated = pl.col("date_basis").eq("vendor") & (pl.col("variant") == "standard")
    later = named.filter(dated).group_by(key).agg(begun=pl.col("valid_from").max())
    own = latest.join(later, on=key, how="left").filter(pl.col("begun").is_null() | (pl.col("begun") < pl.col("retired_on")))
    sold = named.select(*key, "first_party").unique()
    vendors = own.join(sold.filter("first_party"), on=key, how="semi").select(
        "model", "retired_on", "source", "source_model", vendor="provider"
    )
    closed = models.filter(~pl.col("open_weights").fill_null(value=False)).select("model")
    everywhere = (
        sold.select(key)
        .join(own, on=key, how="anti")
        .join(vendors.sort("retired_on").unique("model", keep="last"), on="model")
        .join(closed, on="model", how="semi")
        .with_columns(basis=pl.lit("vendor_retired"))
    )
    columns = [*key, "retired_on", "source", "source_model", "basis"]
    return under_contract(ModelRetirement, pl.concat([own.select(columns), everywhere.select(columns)])).sort(key)


def still_sold(prices: pl.DataFrame, retired: pl.DataFrame, day: pl.Expr) -> pl.DataFrame:
    """Rows of a seller and a model that is sold on a day, with its announced end (`retired_on`, NULL where there is none).

    `prices` has provider and model, `retired` is `ModelRetirement`, `day` the day of each row.
    """
    ends = retired.select("provider", "model", "retired_on")
    known = prices.join(ends, on=["provider", "model"], how="left", maintain_order="left")
    return known.filter(pl.col("retired_on").is_null() | (pl.col("retired_on") > day))


def sold_on_each(history: pl.DataFrame, retired: pl.DataFrame, days: Iterable[date]) -> pl.DataFrame:
    """Rows of `LlmPrice` that held on each day (`as_of`), of models that their seller sold on that day."""
    return still_sold(holding_on_each(history, days), retired, pl.col("as_of"))


def _stated(named: pl.DataFrame) -> pl.DataFrame:
    """Sources that state an end for every route of a model that they still list."""
    listed = named.filter(pl.col("valid_to").is_null(), pl.col("variant") == "standard", pl.col("source") != SEEDED)
    of_source = listed.group_by("provider", "model", "source").agg(
        pl.col("deprecated_on").null_count().alias("undated"),
        retired_on=pl.col("deprecated_on").max(),
        source_model=pl.col("source_model").sort_by("deprecated_on").last(),
    )
    return of_source.filter(pl.col("undated") == 0).drop("undated").with_columns(basis=pl.lit("stated"))


def _seed_ends(named: pl.DataFrame) -> pl.DataFrame:
    """Models whose transcribed history ends: no leg has a price after the last day."""
    seeded = named.filter(pl.col("source") == SEEDED)
    ends = seeded.group_by("provider", "model", "source").agg(
        open=pl.col("valid_to").is_null().any(),
        retired_on=pl.col("valid_to").max(),
        source_model=pl.col("source_model").first(),
    )
    return ends.filter(~pl.col("open")).drop("open").with_columns(basis=pl.lit("seed_end"))


def _left_out(named: pl.DataFrame) -> pl.DataFrame:
    """Models that every source which listed them has left out, confirmed by a second document."""
    live = named.filter(pl.col("source") != SEEDED)
    ends = live.group_by("provider", "model").agg(
        open=pl.col("valid_to").is_null().any(),
        confirmed=pl.col("end_confirmed_on").is_not_null().any(),
        retired_on=pl.col("valid_to").max(),
        source=pl.col("source").sort_by("valid_to").last(),
        source_model=pl.col("source_model").sort_by("valid_to").last(),
    )
    gone = ends.filter(~pl.col("open"), pl.col("confirmed")).with_columns(basis=pl.lit("left_out"))
    return gone.select("provider", "model", "source", "retired_on", "source_model", "basis")
