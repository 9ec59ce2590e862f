"""What the market buys: use of models, prices paid, speed of endpoints at one router, and GPU rents by the day."""

from datetime import datetime

import polars as pl

from assets.documents import parse_all, source_asset
from schemas.base import polars_schema
from schemas.prices import market as contract
from schemas.quarantine import Parsed, reject
from sources.prices import market_seeds as seeds
from sources.prices import rent_index, router_live
from sources.prices.gpu_offers import add_gpu
from sources.prices.market_seeds import under
from sources.prices.model_map import resolve
from sources.prices.router_sellers import with_seller
from sources.source import Snapshot
from warehouse.table import table

GROUP = "market"
ROUTER = "openrouter"
FREE = "free"
JUMP = 20.0
"""Tokens a day this many times those of another document of the same month are more often an error than news."""
SAME_USE = ["source_model", "variant", "month"]

router_use_figures = source_asset("router_use_figures", accept=seeds.parse_use, group=GROUP)
router_rankings = source_asset("router_rankings", accept=router_live.parse_use, group=GROUP)
router_price_figures = source_asset("router_price_figures", accept=seeds.parse_paid, group=GROUP)
router_effective_prices = source_asset("router_effective_prices", accept=router_live.parse_paid, group=GROUP)
router_endpoint_figures = source_asset("router_endpoint_figures", accept=seeds.parse_endpoints, group=GROUP)
router_endpoints = source_asset("router_endpoints", accept=router_live.parse_endpoints, group=GROUP)
ornn_days = source_asset("ornn_days", accept=seeds.parse_rent_index, group=GROUP)
ornn = source_asset("ornn", accept=rent_index.parse_index, group=GROUP)


@table(schema=contract.RouterUse, group=GROUP)
def router_use(router_use_figures: list[Snapshot], router_rankings: list[Snapshot]) -> Parsed:
    """Use of models as transcribed, and as the router's rankings say where a user asks them."""
    return both(
        parse_all(router_use_figures, seeds.parse_use, contract.RouterUse),
        parse_all(router_rankings, router_live.parse_use, contract.RouterUse),
    )


@table(schema=contract.RouterPricePaid, group=GROUP)
def router_price_paid(router_price_figures: list[Snapshot], router_effective_prices: list[Snapshot]) -> Parsed:
    """Prices paid as transcribed, and as the router says today where a user asks it."""
    return both(
        parse_all(router_price_figures, seeds.parse_paid, contract.RouterPricePaid),
        parse_all(router_effective_prices, router_live.parse_paid, contract.RouterPricePaid),
    )


@table(schema=contract.RouterEndpoint, group=GROUP)
def router_endpoint(router_endpoint_figures: list[Snapshot], router_endpoints: list[Snapshot]) -> Parsed:
    """Endpoints as transcribed, and as the router says today where a user asks it."""
    return both(
        parse_all(router_endpoint_figures, seeds.parse_endpoints, contract.RouterEndpoint),
        parse_all(router_endpoints, router_live.parse_endpoints, contract.RouterEndpoint),
    )


@table(schema=contract.GpuRentIndexFigure, group=GROUP)
def gpu_rent_index_figure(ornn_days: list[Snapshot], ornn: list[Snapshot]) -> Parsed:
    """The rent index as transcribed, and as its publisher says today where a user asks it."""
    return both(
        parse_all(ornn_days, seeds.parse_rent_index, contract.GpuRentIndexFigure),
        parse_all(ornn, rent_index.parse_index, contract.GpuRentIndexFigure),
    )


@table(schema=contract.ModelUsage, group=GROUP)
def model_usage(router_use: pl.DataFrame, model: pl.DataFrame, previous: pl.DataFrame) -> Parsed:
    """Every month that any document has told, with shares and the canonical model."""
    told = pl.concat([previous.select(list(polars_schema(contract.MonthlyUse))), under(router_use, contract.MonthlyUse)])
    believed, suspect = fullest_months(told)
    return Parsed(under(with_shares(named(believed), model), contract.ModelUsage).sort(SAME_USE), suspect)


@table(schema=contract.PricePaid, group=GROUP)
def price_paid(router_price_paid: pl.DataFrame, router_endpoint: pl.DataFrame, previous: pl.DataFrame) -> pl.DataFrame:
    """Every day that any document has told, beside the list prices of that day."""
    day = ["source_model", "variant", "source_provider", "as_of"]
    today = under(paid_beside_list(named(router_price_paid), with_seller(router_endpoint)), contract.PricePaid)
    earlier = previous.join(today, on=day, how="anti")
    return pl.concat([earlier, today.unique(day, keep="first", maintain_order=True)]).sort(day)


@table(schema=contract.EndpointPerformance, group=GROUP)
def endpoint_performance(router_endpoint: pl.DataFrame, previous: pl.DataFrame) -> pl.DataFrame:
    """Every day that any document has told."""
    day = [*contract.EndpointPerformance.Config.unique]
    today = under(with_seller(named(router_endpoint)), contract.EndpointPerformance)
    earlier = previous.join(today, on=day, how="anti", nulls_equal=True)
    return pl.concat([earlier, today.unique(day, keep="first", maintain_order=True)]).sort(day)


@table(schema=contract.GpuRentDaily, group=GROUP)
def gpu_rent_daily(
    market_gpu_offer: pl.DataFrame, gpu_rent_index_figure: pl.DataFrame, previous: pl.DataFrame, now: datetime
) -> pl.DataFrame:
    """Every day that any document has told."""
    key = [*contract.GpuRentDaily.Config.unique]
    told = pl.concat([of_markets(market_gpu_offer), of_index(gpu_rent_index_figure)]).with_columns(observed_at=pl.lit(now))
    fresh = told.join(previous, on=key, how="anti", nulls_equal=True).unique(key, keep="last", maintain_order=True)
    return pl.concat([previous, under(fresh, contract.GpuRentDaily)]).sort(key)


def both(transcribed: Parsed, live: Parsed) -> Parsed:
    """Two documents' rows as one; of one row told twice under one source the live one stays."""
    return Parsed(pl.concat([live.accepted, transcribed.accepted]), pl.concat([live.rejected, transcribed.rejected]))


def named(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the canonical model of their slug."""
    ids = rows.with_columns(source=pl.lit(ROUTER), source_provider=pl.lit(ROUTER)).select(
        "source", "source_provider", "source_model"
    )
    return rows.with_columns(resolve(ids)["model"], is_free=pl.col("variant") == FREE)


def fullest_months(told: pl.DataFrame) -> Parsed:
    """Of several documents of one model, variant and month the one that counts most days; of equals the youngest.

    One whose tokens a day are `JUMP` times those of the document with the second most days, or a part of it, is not believed
    while it stands alone.
    """
    ordered = told.sort("days", "seen_on", descending=True).unique(
        [*SAME_USE, "days", "source"], keep="first", maintain_order=True
    )
    per_day = (pl.col("prompt_tokens") + pl.col("completion_tokens")) / pl.col("days")
    other = per_day.shift(-1).over(SAME_USE)
    jump = pl.max_horizontal(per_day / other, other / per_day) >= JUMP
    judged = ordered.with_columns(is_jump=jump.fill_null(False) & pl.col("source").is_first_distinct().over(SAME_USE))
    reason = f"{JUMP:.0f} times the tokens a day of another document of this month, or a {JUMP:.0f}th of them"
    suspect = reject(
        judged.filter("is_jump"),
        source=pl.col("source"),
        row_key=pl.concat_str(SAME_USE, separator=" | "),
        column_name="prompt_tokens",
        value=pl.col("prompt_tokens"),
        rule="jump_20x",
        reason=reason,
        severity="suspect",
    )
    kept = judged.filter(~pl.col("is_jump")).unique(SAME_USE, keep="first", maintain_order=True)
    return Parsed(kept.drop("is_jump"), suspect)


def with_shares(use: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """Per request, and the shares that the counts imply; what they cannot tell is NULL. `models`: contract `Model`."""
    prompt, output, reasoning = (pl.col(name) for name in ("prompt_tokens", "completion_tokens", "reasoning_tokens"))
    told = (output > 0) & (reasoning <= output)
    never = models.filter(~pl.col("reasoning"))["model"].implode()
    known = (reasoning > 0) | pl.col("model").is_in(never).fill_null(False)
    return use.with_columns(
        author=pl.col("source_model").str.split("/").list.first(),
        input_tokens_per_request=prompt / pl.col("requests"),
        output_tokens_per_request=output / pl.col("requests"),
        input_per_output=pl.when(output > 0).then(prompt / output),
        cached_share=pl.when(prompt > 0).then(pl.col("cached_tokens") / prompt),
        reasoning_share=pl.when(told).then(reasoning / output),
        reasoning_factor=pl.when(told & (reasoning < output) & known).then(output / (output - reasoning)),
    )


def paid_beside_list(paid: pl.DataFrame, endpoints: pl.DataFrame) -> pl.DataFrame:
    """Price paid over list price, split into the cache and the rest. `endpoints`: rows of `RouterEndpoint` with the seller."""
    prices = ["input_usd_per_mtok", "output_usd_per_mtok", "cache_read_usd_per_mtok"]
    seller = ["source_model", "variant", "as_of", "provider"]
    listed = (
        endpoints.with_columns(pl.col(prices) / (1.0 - pl.col("discount")))
        .sort("requests", descending=True)
        .group_by(seller, maintain_order=True)
        .agg(
            pl.col(prices).first().name.prefix("list_"),
            stated_discount=pl.col("discount").first(),
            list_basis=pl.when(pl.struct("input_usd_per_mtok", "output_usd_per_mtok").n_unique() == 1)
            .then(pl.lit("only_endpoint"))
            .otherwise(pl.lit("busiest_endpoint")),
        )
    )
    beside = with_seller(paid).join(listed, on=seller, how="left")
    total = pl.col("tokens").sum().over("source_model", "variant", "as_of")
    hit, cached = pl.col("cache_hit_rate"), pl.col("list_cache_read_usd_per_mtok") / pl.col("list_input_usd_per_mtok")
    factored = beside.with_columns(
        token_share=pl.when(total > 0).then(pl.col("tokens") / total),
        input_paid_over_list=pl.col("input_usd_per_mtok") / pl.col("list_input_usd_per_mtok"),
        output_paid_over_list=pl.col("output_usd_per_mtok") / pl.col("list_output_usd_per_mtok"),
        cache_factor=pl.when(pl.col("list_input_usd_per_mtok").is_not_null()).then(1.0 - hit * (1.0 - cached.fill_null(1.0))),
    )
    rest = pl.col("input_paid_over_list") / pl.when(pl.col("cache_factor") > 0).then("cache_factor")
    return factored.with_columns(input_rest_factor=rest)


def of_markets(offers: pl.DataFrame) -> pl.DataFrame:
    """Days of two markets. `offers`: contract `MarketGpuOffer`."""
    return offers.with_columns(as_of="valid_from").select(list(_DAILY))


def of_index(figures: pl.DataFrame) -> pl.DataFrame:
    """Days of the rent index. `figures`: contract `GpuRentIndexFigure`."""
    asked = figures.with_columns(instance_hint=pl.lit(None, pl.String), gpu_memory_gb=pl.lit(None, pl.Float64))
    blank = (pl.lit(None, _DAILY[name]).alias(name) for name in ("provider_kind", "instance_type", "offers"))
    told = {"provider": pl.lit("ornn"), "term": pl.lit("rental_index"), "statistic": pl.lit("price")}
    return add_gpu(asked).with_columns(*blank, **told).select(list(_DAILY))


_DAILY = {name: dtype for name, dtype in polars_schema(contract.GpuRentDaily).items() if name != "observed_at"}
