"""OpenRouter's own statistics, live: use by day, prices paid by seller, endpoints. Off until a user switches them on.

These addresses serve the router's web pages and are not documented: they may change or end without notice, and nothing says
that programs may ask them. A user who has made sure of that lists the source under `enabled` in config.yaml.
"""

from datetime import date
from urllib.parse import urlencode

import msgspec
import polars as pl

from schemas.prices.market import RouterEndpoint, RouterPricePaid, RouterUse
from schemas.quarantine import Parsed
from sources.prices.market_seeds import day_of, known, with_endpoint_number, without_aliases
from sources.prices.price_keys import decode
from sources.source import Http, Snapshot, Source, refuses_in_words

_STATS = "https://openrouter.ai/api/frontend/v1/stats"
WATCHED = (
    "anthropic/claude-4.8-opus-20260528",
    "anthropic/claude-opus-5-20260723",
    "anthropic/claude-sonnet-5-20260630",
    "deepseek/deepseek-v4-flash-20260731",
    "deepseek/deepseek-v4-pro-20260423",
    "google/gemini-2.5-flash-lite",
    "google/gemini-3.5-flash-20260519",
    "minimax/minimax-m3-20260531",
    "moonshotai/kimi-k3-20260715",
    "openai/gpt-5.6-luna-20260709",
    "openai/gpt-5.6-sol-20260709",
    "openai/gpt-oss-120b",
    "tencent/hy3-20260706",
    "xiaomi/mimo-v2.5-20260422",
    "z-ai/glm-5.2-20260616",
)
"""Models asked about one by one: those with the most traffic in August 2026, one or two of each developer."""


def _safe(slug: str) -> str:
    return "".join(sign if sign.isalnum() else "_" for sign in slug)


def _sources(kind: str, path: str, title: str) -> dict[str, tuple[str, Source]]:
    found = {}
    for slug in WATCHED:
        name = f"{kind}_{_safe(slug)}"
        address = f"{_STATS}/{path}?{urlencode({'permaslug': slug, 'variant': 'standard'})}"
        found[name] = (
            slug,
            Source(
                name=name,
                title=f"OpenRouter: {title} of {slug}",
                homepage="https://openrouter.ai",
                licence="OpenRouter terms of service; figures are facts",
                live=(Http(address),),
                opt_in=True,
            ),
        )
    return found


USE = Source(
    name="router_use",
    title="OpenRouter: rankings by model and day",
    homepage="https://openrouter.ai/rankings",
    licence="OpenRouter terms of service; figures are facts",
    live=(Http("https://openrouter.ai/api/frontend/v1/rankings/models?view=month"),),
    opt_in=True,
)
_PAID = _sources("router_price_paid", "effective-pricing", "prices paid")
_ENDPOINTS = _sources("router_endpoint", "endpoint", "endpoints")
PAID = tuple(source for _, source in _PAID.values())
ENDPOINTS = tuple(source for _, source in _ENDPOINTS.values())


class _Day(msgspec.Struct):
    date: str
    model_permaslug: str
    variant: str
    count: int
    total_prompt_tokens: int
    total_completion_tokens: int
    total_native_tokens_reasoning: int
    total_native_tokens_cached: int


class _Days(msgspec.Struct):
    data: list[_Day]


class _Seller(msgspec.Struct):
    providerName: str  # noqa: N815
    effectiveInputPrice: float  # noqa: N815
    effectiveOutputPrice: float  # noqa: N815
    cacheHitRate: float  # noqa: N815
    totalTokens: int  # noqa: N815


class _Sellers(msgspec.Struct):
    providerSummaries: list[_Seller]  # noqa: N815


class _Paid(msgspec.Struct):
    data: _Sellers


class _Pricing(msgspec.Struct):
    prompt: str | float
    completion: str | float
    input_cache_read: str | float | None = None
    input_cache_write: str | float | None = None
    discount: float = 0.0


class _Stats(msgspec.Struct):
    p50_throughput: float
    p90_throughput: float
    p99_throughput: float
    p50_latency: float
    p90_latency: float
    p99_latency: float
    request_count: int
    window_minutes: int


class _Endpoint(msgspec.Struct):
    provider_name: str
    pricing: _Pricing
    stats: _Stats | None = None
    provider_region: str | None = None
    quantization: str | None = None
    context_length: int | None = None
    is_free: bool = False


class _Endpoints(msgspec.Struct):
    data: list[_Endpoint]


@refuses_in_words
def parse_use(snapshot: Snapshot) -> Parsed:
    """Read days of use into months (contract `RouterUse`); the day of the document is not over and is left out."""
    days = decode(snapshot, _Days, "an object with a list of days of models under data").data
    end = day_of(snapshot)
    rows = [
        (
            each.model_permaslug,
            each.variant or "standard",
            date.fromisoformat(each.date[:10]),
            each.count,
            each.total_prompt_tokens,
            each.total_completion_tokens,
            each.total_native_tokens_reasoning,
            each.total_native_tokens_cached,
        )
        for each in days
    ]
    counts = ["requests", "prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens"]
    names = {"source_model": pl.String, "variant": pl.String, "day": pl.Date} | dict.fromkeys(counts, pl.Int64)
    whole = pl.DataFrame(rows, schema=names, orient="row").filter(pl.col("day") < end)
    once = whole.unique(["source_model", "variant", "day"], keep="first", maintain_order=True)
    months = (
        once.group_by("source_model", "variant", month=pl.col("day").dt.month_start(), maintain_order=True)
        .agg(pl.col(counts).sum(), first_day=pl.col("day").min(), last_day=pl.col("day").max(), days=pl.len())
        .filter(pl.col("requests") > 0)
    )
    told = months.with_columns(source=pl.lit(snapshot.source), locator=pl.lit(snapshot.uri), seen_on=pl.lit(end))
    return without_aliases(told, snapshot, RouterUse)


@refuses_in_words
def parse_paid(snapshot: Snapshot) -> Parsed:
    """Read the prices paid for one model by seller (contract `RouterPricePaid`)."""
    slug = _slug(snapshot, _PAID)
    sellers = decode(snapshot, _Paid, "an object with prices by seller under data.providerSummaries").data.providerSummaries
    rows = pl.DataFrame(
        [
            (each.providerName, each.effectiveInputPrice, each.effectiveOutputPrice, each.cacheHitRate, each.totalTokens)
            for each in sellers
        ],
        schema={
            "source_provider": pl.String,
            "input_usd_per_mtok": pl.Float64,
            "output_usd_per_mtok": pl.Float64,
            "cache_hit_rate": pl.Float64,
            "tokens": pl.Int64,
        },
        orient="row",
    ).with_columns(known("input_usd_per_mtok"), known("output_usd_per_mtok"), as_of=pl.lit(day_of(snapshot)))
    return without_aliases(_told(rows, slug, snapshot, "router_price_paid"), snapshot, RouterPricePaid)


@refuses_in_words
def parse_endpoints(snapshot: Snapshot) -> Parsed:
    """Read one model's endpoints that served requests lately (contract `RouterEndpoint`); prices become per million tokens."""
    slug = _slug(snapshot, _ENDPOINTS)
    served = [each for each in decode(snapshot, _Endpoints, "an object with a list of endpoints under data").data if each.stats]
    rows = [
        {
            "source_provider": each.provider_name,
            "region": each.provider_region,
            "context_tokens": each.context_length,
            "quantization": None if each.quantization == "unknown" else each.quantization,
            "is_free": each.is_free,
            "input_usd_per_mtok": _per_mtok(each.pricing.prompt),
            "output_usd_per_mtok": _per_mtok(each.pricing.completion),
            "cache_read_usd_per_mtok": _per_mtok(each.pricing.input_cache_read, zero=True),
            "cache_write_usd_per_mtok": _per_mtok(each.pricing.input_cache_write, zero=True),
            "discount": each.pricing.discount,
            "requests": each.stats.request_count,
            "window_minutes": each.stats.window_minutes,
            **{f"p{at}_tokens_per_s": getattr(each.stats, f"p{at}_throughput") for at in (50, 90, 99)},
            **{f"p{at}_ttft_s": getattr(each.stats, f"p{at}_latency") / 1e3 for at in (50, 90, 99)},
        }
        for each in served
        if each.stats
    ]
    if not rows:
        raise ValueError("no endpoint served a request")
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col("region", "quantization").cast(pl.String), as_of=pl.lit(day_of(snapshot))
    )
    told = _told(frame, slug, snapshot, "router_endpoint")
    return without_aliases(with_endpoint_number(told), snapshot, RouterEndpoint)


def _slug(snapshot: Snapshot, sources: dict[str, tuple[str, Source]]) -> str:
    if snapshot.source not in sources:
        raise ValueError(f"{snapshot.source!r} is none of the models asked about")
    return sources[snapshot.source][0]


def _told(rows: pl.DataFrame, slug: str, snapshot: Snapshot, source: str) -> pl.DataFrame:
    return rows.with_columns(
        source_model=pl.lit(slug), variant=pl.lit("standard"), source=pl.lit(source), locator=pl.lit(snapshot.uri)
    )


def _per_mtok(per_token: str | float | None, *, zero: bool = False) -> float | None:
    amount = float(per_token) * 1e6 if per_token is not None else None
    return amount if amount is not None and (amount > 0 or (zero and amount == 0)) else None
