"""The price frontier: models that no other beats in blended price and capability, today and month by month."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import polars as pl

from assets.prices.consensus import consensus
from assets.prices.retirement import sold_on_each
from assets.prices.scale_link import latest_scores
from economics.numeric.pareto import non_dominated
from economics.prices.index import blended_usd_per_mtok
from schemas.base import polars_schema
from schemas.prices.frontier import MonthlyPrice, PriceFrontier, PriceFrontierHistory
from warehouse.table import table

GROUP = "price_frontier"
FIRST_MONTH = date(2023, 1, 1)


@table(schema=PriceFrontier, group=GROUP)
def price_frontier(
    llm_price_current: pl.DataFrame, capability: pl.DataFrame, model: pl.DataFrame, now: datetime
) -> pl.DataFrame:
    """Every model with a price today and a score, and whether it is on the frontier."""
    priced = priced_models(llm_price_current).with_columns(as_of=pl.lit(now.date()))
    rated = with_frontier(priced, latest_scores(capability), model)
    return rated.with_columns(refreshed_at=pl.lit(now)).select(list(polars_schema(PriceFrontier)))


@table(schema=MonthlyPrice, group=GROUP)
def monthly_price(llm_price: pl.DataFrame, model_retirement: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Prices that held on the last day of every month."""
    mapped = llm_price.filter(pl.col("model").is_not_null())
    months = pl.date_range(FIRST_MONTH, now.date(), "1mo", eager=True).dt.month_end()
    priced = prices_on(mapped, model_retirement, months.filter(months <= now.date()))
    return priced.select(list(polars_schema(MonthlyPrice))).sort("as_of", "model", "provider")


@table(schema=PriceFrontierHistory, group=GROUP)
def price_frontier_history(monthly_price: pl.DataFrame, capability: pl.DataFrame, model: pl.DataFrame) -> pl.DataFrame:
    """The models on the frontier at the end of every month, from the prices that held on that day."""
    scores = latest_scores(capability)
    rated = monthly_price.join(scores.select("model").unique(), on="model", how="semi")
    frontiers = with_frontier(one_price(rated, each=["as_of"]), scores, model)
    return frontiers.filter("on_frontier").select(list(polars_schema(PriceFrontierHistory)))


def prices_on(mapped: pl.DataFrame, retired: pl.DataFrame, days: Iterable[date]) -> pl.DataFrame:
    """Input and output price of every model at every seller on each day (`as_of`).

    `mapped`: rows of `LlmPrice` with a canonical model; `retired`: contract `ModelRetirement`.
    """
    held = sold_on_each(mapped, retired, days)
    return sellers(consensus(held, each=["as_of"]), each=["as_of"])


def priced_models(prices: pl.DataFrame, *, each: Sequence[str] = ()) -> pl.DataFrame:
    """One price per mapped model from rows of `LlmPriceCurrent`: the developer's own, else the median of hosts.

    `each` names columns that keep rows apart, as in `consensus`.
    """
    return one_price(sellers(prices, each=each), each=each)


def sellers(prices: pl.DataFrame, *, each: Sequence[str] = ()) -> pl.DataFrame:
    """Input and output price of every mapped model at every seller; base tier, standard variant.

    `prices`: rows of `LlmPriceCurrent`; `each` as in `consensus`. Only models with an input and an output price are priced. A
    model priced by the hour counts with its peak price, which is the one that holds for a query at any time.
    """
    standard = prices.filter(
        pl.col("is_canonical"),
        pl.col("tier_min_tokens") == 0,
        pl.col("variant") == "standard",
        pl.col("price_window").is_in(["peak", "always"]),
        pl.col("leg").is_in(["input", "output"]),
    )
    base = (
        standard.filter(pl.col("seller_kind").ne_missing("closed"))
        .sort("price_window", descending=True)
        .unique([*each, "model", "provider", "leg"], keep="first", maintain_order=True)
    )
    legs = [
        pl.col("usd_per_mtok").filter(pl.col("leg") == leg).first().alias(f"{leg}_usd_per_mtok") for leg in ("input", "output")
    ]
    return (
        base.group_by(*each, "model", "provider")
        .agg(
            *legs,
            pl.col("first_party").all(),
            pl.col("seller_kind").first(),
            pl.col("evidence_on").min(),
            pl.col("is_stale").any(),
        )
        .drop_nulls(["input_usd_per_mtok", "output_usd_per_mtok"])
    )


def one_price(sold: pl.DataFrame, *, each: Sequence[str] = ()) -> pl.DataFrame:
    """One price per model from one row per model and seller: the developer's own, else the median of hosts.

    `each` as in `consensus`. A router repeats the prices of others: it counts where nobody else sells the model.
    """
    model = [*each, "model"]
    routed = (pl.col("seller_kind") == "router").fill_null(value=False)
    basis = (
        pl.when(pl.col("first_party").any().over(model))
        .then(pl.lit("first_party"))
        .when((~routed).any().over(model))
        .then(pl.lit("median_of_hosts"))
        .otherwise(pl.lit("median_of_routers"))
    )
    counts = (
        pl.when(pl.col("price_basis") == "first_party")
        .then(pl.col("first_party"))
        .otherwise(~routed | (pl.col("price_basis") == "median_of_routers"))
    )
    marked = sold.with_columns(price_basis=basis, n_providers=(~routed).sum().over(model).cast(pl.Int64))
    return (
        marked.filter(counts)
        .group_by(model)
        .agg(
            pl.col("input_usd_per_mtok", "output_usd_per_mtok").median(),
            pl.col("price_basis", "n_providers").first(),
            oldest_evidence_on=pl.col("evidence_on").min(),
            newest_evidence_on=pl.col("evidence_on").max(),
            is_stale=pl.col("is_stale").all(),
        )
    )


def with_frontier(priced: pl.DataFrame, scores: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """Join prices and scores and mark the models that no other beats in both, within each scale and day of prices (`as_of`).

    A model counts from its release on; one whose release date is not known counts whenever it has a price.
    """
    rated = (
        priced.join(
            scores.drop("release_date", "source", "source_model").rename({"as_of": "capability_as_of", "basis": "score_basis"}),
            on="model",
        )
        .join(models.select("model", "developer", "release_date"), on="model")
        .filter(pl.col("release_date").is_null() | (pl.col("release_date") <= pl.col("as_of")))
    )
    prices_in, prices_out = rated["input_usd_per_mtok"].to_numpy(), rated["output_usd_per_mtok"].to_numpy()

    def blend(input_per_output: float) -> pl.Series:
        return pl.Series(
            blended_usd_per_mtok(
                input_usd_per_mtok=prices_in, output_usd_per_mtok=prices_out, input_per_output=input_per_output
            )
        )

    blended = rated.with_columns(cpm_usd_per_mtok=blend(1.0), cpm_3to1_usd_per_mtok=blend(3.0))
    costs = blended.select("cpm_usd_per_mtok", -pl.col("score")).to_numpy()
    frame = blended.select(pl.struct("as_of", "scale").rank("dense")).to_series()
    on_frontier = non_dominated(costs, within=frame.to_numpy())
    return blended.with_columns(on_frontier=pl.Series(on_frontier, dtype=pl.Boolean)).sort("as_of", "scale", "cpm_usd_per_mtok")
