"""Contracts of what the market buys: use of models at one router, prices paid, its endpoints, and GPU rents by the day."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, Timestamp, carried_from, column
from schemas.prices.gpu_rents import (
    CEILING_USD_PER_GPU_HOUR,
    FLOOR_USD_PER_GPU_HOUR,
    PROVIDER_KINDS,
    STATISTICS,
    TERM_MEANING,
    TERMS,
    RawGpuOffer,
)
from schemas.prices.llm_prices import CEILING_USD_PER_MTOK

VARIANT_MEANING = "route of the model: standard, batch, thinking, or free, which nobody pays for"
NO_ALIAS = r"^[^~]"
"""A slug that begins with ~ is a moving alias: its traffic stands under the model it points to and would count twice."""
TOKENS = "tokens, counted by each seller's own tokenizer"
DAILY_TERMS = (*TERMS, "rental_index")
LIST_BASES = ("only_endpoint", "busiest_endpoint")


class UsedModel(Table):
    """Which model at the router, as the router writes it."""

    source_model: str = column("model, as the router writes it; never a moving alias", str_matches=NO_ALIAS)
    variant: str = column(VARIANT_MEANING, str_length={"min_value": 1})


class MonthlyUse(UsedModel):
    """Use of one model and variant in one calendar month at one router: what figures and core share."""

    month: pl.Date = column("first day of the month")
    first_day: pl.Date = column("first day of the month that is counted")
    last_day: pl.Date = column("last day of the month that is counted")
    days: pl.Int64 = column(
        "days counted; fewer than the month has where counting or the model began or ended in it", unit="days", ge=1, le=31
    )
    requests: pl.Int64 = column("requests", unit="requests", ge=1)
    prompt_tokens: pl.Int64 = column("input, with what is read from cache", unit=TOKENS, ge=0)
    completion_tokens: pl.Int64 = column("output that is billed, with reasoning", unit=TOKENS, ge=0)
    reasoning_tokens: pl.Int64 = column(
        "reasoning within the output, as the seller reports it; a few report more than the output", unit=TOKENS, ge=0
    )
    cached_tokens: pl.Int64 = column("input read from cache", unit=TOKENS, ge=0)
    source: str = column("source of the figures")
    locator: str = column("document and row of the figure", str_length={"min_value": 1})
    seen_on: pl.Date = column("day of the document")

    @pa.dataframe_check(description="no more is read from cache than is sent")
    def cache_within_input(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("cached_tokens") <= pl.col("prompt_tokens"))

    @pa.dataframe_check(description="the days lie within the month")
    def days_in_month(cls, data: pa.PolarsData) -> pl.LazyFrame:
        inside = (pl.col("first_day") >= pl.col("month")) & (pl.col("last_day") <= pl.col("month").dt.month_end())
        span = (pl.col("last_day") - pl.col("first_day")).dt.total_days() + 1
        return data.lazyframe.select(inside & (pl.col("days") <= span))


_USE_KEY = ["source_model", "variant", "month"]


class RouterUse(MonthlyUse):
    """Use of models by month at one router (OpenRouter), as transcribed or fetched. A sample: much of it agents and coding."""

    class Config:
        name = "raw.router_use"
        unique = [*_USE_KEY, "source"]


class ModelUsage(MonthlyUse):
    """Requests and tokens by model, variant and month at one router (OpenRouter), with the shares they imply.

    A sample of the market: one router's traffic, much of it agents and coding, in tokens of each seller's own tokenizer, so
    that counts of two models compare only roughly. Variants with fewer than 1,000 requests a month are left out by the data
    set. Free variants are there and marked. Months are partial where `days` says so. Of two documents of a month the one
    with more days stays.
    """

    model: str = column("canonical model, key of core.model; NULL where the slug is not mapped", nullable=True)
    author: str = column("who trained the model, as the router's slug says")
    is_free: bool = column("a variant nobody pays for: it enters no sum of dollars")
    input_tokens_per_request: float = column("mean prompt", unit="tokens", ge=0)
    output_tokens_per_request: float = column("mean billed output", unit="tokens", ge=0)
    input_per_output: float = column(
        "input over output tokens; NULL where there is no output (embeddings)", nullable=True, ge=0
    )
    cached_share: float = column("share of the input read from cache; NULL without input", nullable=True, ge=0, le=1)
    reasoning_share: float = column(
        "share of the output that is reasoning; NULL without output, or where more reasoning than output is reported",
        nullable=True,
        ge=0,
        le=1,
    )
    reasoning_factor: float = column(
        "R, billed over visible output tokens; NULL where reasoning_share is, where all output is reasoning, and where none "
        "is reported of a model that is not known to have none",
        nullable=True,
        ge=1,
    )

    class Config:
        name = "core.model_usage"
        metadata = carried_from("router_use")
        unique = _USE_KEY


class _Paid(UsedModel):
    """What was paid at one seller of the router."""

    as_of: pl.Date = column("day of the document")
    source_provider: str = column("seller, as the router writes it", str_length={"min_value": 1})
    input_usd_per_mtok: float = column(
        "paid per million input tokens over what was cached and what was not; NULL where the document says 0: free or unknown",
        unit="usd_per_mtok",
        nullable=True,
        gt=0,
        lt=CEILING_USD_PER_MTOK,
    )
    output_usd_per_mtok: float = column(
        "paid per million output tokens; NULL where the document says 0",
        unit="usd_per_mtok",
        nullable=True,
        gt=0,
        lt=CEILING_USD_PER_MTOK,
    )
    cache_hit_rate: float = column("share of the input read from cache", ge=0, le=1)
    tokens: pl.Int64 = column("input and output the prices are a mean over", unit=TOKENS, ge=0)
    source: str = column("source of the figures")
    locator: str = column("document and row of the figure", str_length={"min_value": 1})


_PAID_KEY = ["source_model", "variant", "source_provider", "as_of"]


class RouterPricePaid(_Paid):
    """Mean price paid by model and seller at one router (OpenRouter), after caching and discounts, as published."""

    class Config:
        name = "raw.router_price_paid"
        unique = [*_PAID_KEY, "source"]


class PricePaid(_Paid):
    """Price paid by model, seller and day at one router, beside the list price: what the cache and what the rest saves.

    paid = list x cache factor x rest. The cache factor is what the hit rate alone makes of the list price; the rest is
    discounts, long-context tiers, cache writes, and prices that moved within the window of the mean. List prices are of the
    seller's endpoints at the same router on the same day, before the router's discount. A sample: one router's traffic. Free
    variants are there and have no price.
    """

    model: str = column("canonical model, key of core.model; NULL where the slug is not mapped", nullable=True)
    provider: str = column("seller in one spelling, without region and number of the account")
    is_free: bool = column("a variant nobody pays for")
    token_share: float = column("share of the model's and variant's tokens at this seller", nullable=True, ge=0, le=1)
    list_basis: str = column(
        "only_endpoint: the seller has one price; busiest_endpoint: that of its endpoint with most requests; NULL: none listed",
        isin=LIST_BASES,
        nullable=True,
    )
    list_input_usd_per_mtok: float = column(
        "list price of input, before discount",
        unit="usd_per_mtok",
        nullable=True,
        gt=0,
        derived_from=("router_endpoint.input_usd_per_mtok",),
    )
    list_output_usd_per_mtok: float = column(
        "list price of output, before discount",
        unit="usd_per_mtok",
        nullable=True,
        gt=0,
        derived_from=("router_endpoint.output_usd_per_mtok",),
    )
    list_cache_read_usd_per_mtok: float = column(
        "list price of input read from cache, before discount; NULL where none is listed",
        unit="usd_per_mtok",
        nullable=True,
        ge=0,
        derived_from=("router_endpoint.cache_read_usd_per_mtok",),
    )
    stated_discount: float = column(
        "discount the router states that day; below 0 a surcharge",
        nullable=True,
        gt=-1,
        lt=1,
        derived_from=("router_endpoint.discount",),
    )
    input_paid_over_list: float = column("price paid over list price, input", nullable=True, gt=0)
    cache_factor: float = column(
        "what the hit rate alone makes of the list price of input; 1 where no cache price is listed", nullable=True, ge=0
    )
    input_rest_factor: float = column("input paid over list without the cache: discount and all else", nullable=True, gt=0)
    output_paid_over_list: float = column("price paid over list price, output: discount and all else", nullable=True, gt=0)

    class Config:
        name = "core.price_paid"
        metadata = carried_from("router_endpoint", "router_price_paid")
        unique = _PAID_KEY


class RouterEndpoint(UsedModel):
    """Endpoints of one router (OpenRouter): list prices, discount, and measured speed over half an hour, as published."""

    as_of: pl.Date = column("day of the document")
    source_provider: str = column("seller, as the router writes it", str_length={"min_value": 1})
    region: str = column("region, where one is stated", nullable=True)
    quantization: str = column("number format of the weights as stated; NULL where the seller does not say", nullable=True)
    endpoint: pl.Int64 = column("1, 2, ... where a seller lists one model more than once, the cheapest first", ge=1)
    context_tokens: pl.Int64 = column("longest context", unit="tokens", nullable=True, gt=0)
    input_usd_per_mtok: float = column(
        "price of input after discount; NULL where 0 is listed", unit="usd_per_mtok", nullable=True, gt=0
    )
    output_usd_per_mtok: float = column(
        "price of output after discount; NULL where 0 is listed", unit="usd_per_mtok", nullable=True, gt=0
    )
    cache_read_usd_per_mtok: float = column(
        "price of input read from cache, after discount", unit="usd_per_mtok", nullable=True, ge=0
    )
    cache_write_usd_per_mtok: float = column(
        "price of input written to the cache, after discount", unit="usd_per_mtok", nullable=True, ge=0
    )
    discount: float = column("share of the list price that is off; below 0 a surcharge", gt=-1, lt=1)
    is_free: bool = column("nobody pays for it")
    p50_tokens_per_s: float = column("output tokens per second of a request, half are slower", unit="tokens_per_s", ge=0)
    p90_tokens_per_s: float = column("nine in ten requests are slower", unit="tokens_per_s", ge=0)
    p99_tokens_per_s: float = column("99 in 100 requests are slower", unit="tokens_per_s", ge=0)
    p50_ttft_s: float = column("time to the first token as the client sees it, median", unit="s", gt=0)
    p90_ttft_s: float = column("nine in ten requests start sooner", unit="s", gt=0)
    p99_ttft_s: float = column("99 in 100 requests start sooner", unit="s", gt=0)
    requests: pl.Int64 = column("requests in the window", unit="requests", ge=0)
    window_minutes: pl.Int64 = column("length of the window before the document", unit="minutes", gt=0)
    source: str = column("source of the figures")
    locator: str = column("document and row of the figure", str_length={"min_value": 1})

    class Config:
        name = "raw.router_endpoint"
        unique = ["source_model", "variant", "source_provider", "region", "quantization", "endpoint", "as_of", "source"]


class EndpointPerformance(RouterEndpoint):
    """Measured speed of hosted models: what a user of an API gets, by seller, with price and number format.

    Tokens per second and time to first token of real requests in a window of half an hour at one router, network included. The
    lengths of those requests are not stated, so two sellers compare only where their traffic is alike. Speed percentiles count
    from below: the slow tail of tokens per second is not published.
    """

    model: str = column("canonical model, key of core.model; NULL where the slug is not mapped", nullable=True)
    provider: str = column("seller in one spelling")

    class Config:
        name = "core.endpoint_performance"
        metadata = carried_from("router_endpoint")
        unique = ["source_model", "variant", "source_provider", "region", "quantization", "endpoint", "as_of"]


class GpuRentIndexFigure(Table):
    """A published index of GPU rents by day (Ornn), as transcribed or fetched: dollars per GPU-hour."""

    as_of: pl.Date = column("day of the index")
    source_gpu: str = column("GPU, as the publisher writes it")
    usd_per_gpu_hour: float = column("index", unit="usd_per_gpu_hour", gt=FLOOR_USD_PER_GPU_HOUR, lt=CEILING_USD_PER_GPU_HOUR)
    source: str = column("source of the figure")
    locator: str = column("document and row of the figure", str_length={"min_value": 1})

    class Config:
        name = "raw.gpu_rent_index_figure"
        unique = ["as_of", "source_gpu", "source"]


_OFFER_KEY = ["source", "provider", "instance_type", "source_gpu", "term", "statistic", "valid_from"]


class MarketGpuOffer(RawGpuOffer):
    """GPU rents of two markets by day: RunPod's posted prices by term, 25th percentile and median over Vast's offers."""

    offers: float = column(
        "offers behind the statistic, mean over the day; NULL for a posted price", unit="offers", nullable=True, gt=0
    )

    class Config:
        name = "raw.market_gpu_offer"
        unique = _OFFER_KEY


class GpuRentDaily(Table):
    """What an hour of a GPU cost on each day: a published rental index, RunPod's posted prices, and Vast's offers.

    Index, posted price and statistic over offers are three things and stay apart by `term` and `statistic`; so do terms and
    form factors. What a seller asks is no price paid. Days are those somebody looked: a missing day is unknown.
    """

    as_of: pl.Date = column("day", derived_from=("market_gpu_offer.valid_from", "gpu_rent_index_figure.as_of"))
    provider: str = column("market or publisher: ornn, runpod, vast", derived_from=("market_gpu_offer.provider",))
    provider_kind: str = column("what kind of seller; NULL for an index over sellers", isin=PROVIDER_KINDS, nullable=True)
    gpu: str = column(
        "canonical GPU; NULL if form factor or memory is not stated", nullable=True, derived_from=("market_gpu_offer.gpu",)
    )
    gpu_family: str = column("GPU without form factor and memory; NULL if unknown", nullable=True)
    source_gpu: str = column("GPU, as the source writes it")
    term: str = column(
        f"{TERM_MEANING}, rental_index (a publisher's index over sellers)",
        isin=DAILY_TERMS,
        derived_from=("market_gpu_offer.term",),
    )
    instance_type: str = column("product, where the seller names one", nullable=True)
    statistic: str = column("price: of one offer, or the index; p25, median: over the offers of a market", isin=STATISTICS)
    usd_per_gpu_hour: float = column(
        "price of a GPU-hour", unit="usd_per_gpu_hour", gt=0, derived_from=("market_gpu_offer.usd_per_gpu_hour",)
    )
    offers: float = column("offers behind the statistic; NULL for a posted price", unit="offers", nullable=True, gt=0)
    source: str = column("source of the figure")
    locator: str = column("document and row of the figure")
    observed_at: Timestamp = column("when this row was first seen by a refresh")

    class Config:
        name = "core.gpu_rent_daily"
        metadata = carried_from("gpu_rent_index_figure", "market_gpu_offer")
        unique = ["source", "provider", "source_gpu", "term", "instance_type", "statistic", "as_of"]
