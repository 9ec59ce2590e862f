"""Two GPU markets by day, transcribed and live: RunPod's posted prices by term, and quantiles over Vast's offers.

RunPod posts a price for its own data centres (on demand, in a cluster, for three and six months) and one for the machines of
its community. Vast is a market of many hosts; what is kept of a day is the 25th percentile and the median over its offers,
on demand and interruptible apart.

Sources: https://graphql-spec.runpod.io (GpuType), https://docs.vast.ai/api-reference/search/search-offers.
"""

import json
from typing import Any
from urllib.parse import quote

import msgspec
import polars as pl

from schemas.base import empty
from schemas.prices.gpu_rents import CEILING_USD_PER_GPU_HOUR, FLOOR_USD_PER_GPU_HOUR
from schemas.prices.market import MarketGpuOffer
from schemas.quarantine import Parsed, Rejected, reject
from sources.prices.gpu_offers import add_gpu
from sources.prices.market_seeds import day_of, numbered, under
from sources.prices.price_keys import decode
from sources.source import Http, Snapshot, Source, refuses_in_words

RUNPOD_TERMS = {
    "secure_price": ("on_demand", None),
    "community_price": ("marketplace", None),
    "price_3mo": ("reserved_3m", None),
    "price_6mo": ("reserved_6m", None),
    "price_cluster": ("on_demand", "cluster"),
}
"""Term and product of each price that RunPod posts."""
PLACEHOLDER = 0.5
"""RunPod posts 0 or 0.5 (in a cluster 1.2 times that) for a GPU that it does not sell that way."""
VAST_TERMS = {"on-demand": "marketplace", "bid": "marketplace_interruptible"}
VAST_GPUS = ("H100 SXM", "H100 NVL", "H100 PCIE", "H200", "H200 NVL", "B200", "A100 SXM4", "A100 PCIE", "L40S", "RTX 5090")
"""GPUs asked for; each is one small question."""
VAST_PAGE = 64
"""Offers the server answers with at most: a full page may not be all, and then no quantile is known."""

_QUERY = "{gpuTypes{id displayName memoryInGb securePrice communityPrice threeMonthPrice sixMonthPrice clusterPrice}}"
RUNPOD = Source(
    name="runpod",
    title="RunPod: posted GPU prices",
    homepage="https://graphql-spec.runpod.io",
    licence="figures are facts",
    live=(Http(f"https://api.runpod.io/graphql?query={quote(_QUERY)}"),),
)


def _question(gpu: str, rental_type: str) -> str:
    asked = {
        "gpu_name": {"eq": gpu},
        "rentable": {"eq": True},
        "type": rental_type,
        "limit": VAST_PAGE,
        "order": [["dph_total", "asc"]],
    }
    return f"https://console.vast.ai/api/v0/bundles/?q={quote(json.dumps(asked, separators=(',', ':')))}"


VAST = {
    f"vast_{rental_type}_{gpu}".lower().replace("-", "_").replace(" ", "_"): (gpu, rental_type)
    for gpu in VAST_GPUS
    for rental_type in VAST_TERMS
}
"""GPU and rental type of each source."""
VAST_SOURCES = tuple(
    Source(
        name=name,
        title=f"Vast.ai: offers of {gpu}, {rental_type}",
        homepage="https://docs.vast.ai",
        licence="figures are facts",
        live=(Http(_question(gpu, rental_type)),),
    )
    for name, (gpu, rental_type) in VAST.items()
)


class _RunpodGpu(msgspec.Struct):
    id: str
    displayName: str | None = None  # noqa: N815
    memoryInGb: float | None = None  # noqa: N815
    securePrice: float | None = None  # noqa: N815
    communityPrice: float | None = None  # noqa: N815
    threeMonthPrice: float | None = None  # noqa: N815
    sixMonthPrice: float | None = None  # noqa: N815
    clusterPrice: float | None = None  # noqa: N815


class _RunpodTypes(msgspec.Struct):
    gpuTypes: list[_RunpodGpu]  # noqa: N815


class _RunpodAnswer(msgspec.Struct):
    data: _RunpodTypes


class _VastOffer(msgspec.Struct):
    gpu_name: str
    num_gpus: int
    dph_total: float


class _VastAnswer(msgspec.Struct):
    offers: list[_VastOffer]


@refuses_in_words
def parse_runpod_days(snapshot: Snapshot) -> Parsed:
    """Read RunPod's prices of many days, one row per GPU and day (contract `MarketGpuOffer`)."""
    return runpod_offers(numbered(snapshot).with_columns(pl.col("as_of").str.to_date("%Y-%m-%d")), snapshot)


@refuses_in_words
def parse_runpod(snapshot: Snapshot) -> Parsed:
    """Read RunPod's answer of today (contract `MarketGpuOffer`)."""
    gpus = decode(snapshot, _RunpodAnswer, "an object with a list of GPU types under data.gpuTypes").data.gpuTypes
    named = ("gpu_id", "display_name", "memory_gb", *RUNPOD_TERMS)
    given = (
        "id",
        "displayName",
        "memoryInGb",
        "securePrice",
        "communityPrice",
        "threeMonthPrice",
        "sixMonthPrice",
        "clusterPrice",
    )
    rows = [{name: _text(getattr(gpu, field)) for name, field in zip(named, given, strict=True)} for gpu in gpus]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(named, pl.String)).with_columns(
        as_of=pl.lit(day_of(snapshot)), source=pl.lit(snapshot.source), locator=pl.format("data.gpuTypes {}", "gpu_id")
    )
    return runpod_offers(frame, snapshot)


def runpod_offers(rows: pl.DataFrame, snapshot: Snapshot) -> Parsed:
    """One offer per GPU, day and term. `rows`: gpu_id, display_name, memory_gb and the prices of `RUNPOD_TERMS`, as text."""
    terms = pl.DataFrame(
        [(name, *term) for name, term in RUNPOD_TERMS.items()], orient="row", schema=["price", "term", "instance_type"]
    )
    memory = pl.col("memory_gb").cast(pl.Float64)
    long = (
        rows.rename({"gpu_id": "instance_hint"})
        .with_columns(source_gpu=pl.coalesce("display_name", "instance_hint"), gpu_memory_gb=pl.when(memory > 0).then(memory))
        .unpivot(
            list(RUNPOD_TERMS),
            variable_name="price",
            value_name="usd_per_gpu_hour",
            index=["as_of", "source", "locator", "source_gpu", "gpu_memory_gb", "instance_hint"],
        )
        .join(terms, on="price")
        .with_columns(pl.col("usd_per_gpu_hour").cast(pl.Float64), secure=pl.col("price") != "community_price")
        .drop_nulls("usd_per_gpu_hour")
    )
    base = pl.when(pl.col("instance_type") == "cluster").then(pl.col("usd_per_gpu_hour") / 1.2).otherwise("usd_per_gpu_hour")
    is_placeholder = ((base == 0.0) | ((base - PLACEHOLDER).abs() < 1e-9)).fill_null(False)
    refused = reject(
        long.filter(is_placeholder).unique(["source_gpu", "price"], maintain_order=True),
        source=snapshot.source,
        row_key=pl.concat_str("source_gpu", "price", separator=" | "),
        column_name=pl.col("price"),
        value=pl.col("usd_per_gpu_hour"),
        rule="placeholder_price",
        severity="invalid",
        reason="0 or 0.5 stands for a GPU that is not sold that way",
    )
    kept = long.filter(~is_placeholder).with_columns(
        provider=pl.lit("runpod"),
        provider_kind=pl.when("secure").then(pl.lit("specialised")).otherwise(pl.lit("marketplace")),
        statistic=pl.lit("price"),
        price_basis=pl.lit("per_gpu"),
        offers=pl.lit(None, pl.Float64),
        note=pl.when(pl.col("instance_type") == "cluster").then(pl.lit("part of a cluster of at least two instances")),
    )
    return _in_range(kept, refused, snapshot)


@refuses_in_words
def parse_vast_days(snapshot: Snapshot) -> Parsed:
    """Read quantiles over Vast's offers by day (contract `MarketGpuOffer`)."""
    rows = numbered(snapshot).with_columns(
        pl.col("as_of").str.to_date("%Y-%m-%d"),
        pl.col("offers", "p25", "median").cast(pl.Float64),
        term=pl.col("rental_type").replace_strict(VAST_TERMS, return_dtype=pl.String),
    )
    return _vast_offers(rows, snapshot)


@refuses_in_words
def parse_vast(snapshot: Snapshot) -> Parsed:
    """Read today's offers of one GPU and rental type into their quantiles (contract `MarketGpuOffer`).

    Raises ValueError for a source that is none of ours, for no offers, and for a full page, which may not be all of them.
    """
    if snapshot.source not in VAST:
        raise ValueError(f"{snapshot.source!r} is no Vast source")
    gpu, rental_type = VAST[snapshot.source]
    offers = decode(snapshot, _VastAnswer, "an object with a list of offers").offers
    prices = pl.Series([each.dph_total / each.num_gpus for each in offers if each.gpu_name == gpu and each.num_gpus > 0])
    if not len(prices) or len(offers) >= VAST_PAGE:
        raise ValueError(f"{len(offers)} offers: quantiles need at least one and less than a full page of {VAST_PAGE}")
    row: dict[str, Any] = {
        "as_of": day_of(snapshot),
        "source_gpu": gpu,
        "term": VAST_TERMS[rental_type],
        "offers": float(len(prices)),
        "p25": prices.quantile(0.25, "linear"),
        "median": prices.median(),
        "source": "vast",
        "locator": snapshot.uri,
    }
    return _vast_offers(pl.DataFrame([row]), snapshot)


def _vast_offers(rows: pl.DataFrame, snapshot: Snapshot) -> Parsed:
    """One row per GPU, day, term and quantile."""
    long = rows.unpivot(
        ["p25", "median"],
        variable_name="statistic",
        value_name="usd_per_gpu_hour",
        index=["as_of", "source_gpu", "term", "offers", "source", "locator"],
    ).with_columns(
        provider=pl.lit("vast"),
        provider_kind=pl.lit("marketplace"),
        price_basis=pl.lit("per_gpu"),
        instance_type=pl.lit(None, pl.String),
        instance_hint=pl.lit(None, pl.String),
        gpu_memory_gb=pl.lit(None, pl.Float64),
        note=pl.format("over {} offers, mean of the day", "offers"),
    )
    return _in_range(long, empty(Rejected), snapshot)


def _in_range(offers: pl.DataFrame, refused: pl.DataFrame, snapshot: Snapshot) -> Parsed:
    """Offers under the contract, each known for its day alone, and those at prices at which no GPU is rented."""
    price = pl.col("usd_per_gpu_hour")
    is_price = ((price > FLOOR_USD_PER_GPU_HOUR) & (price < CEILING_USD_PER_GPU_HOUR)).fill_null(False)
    out = reject(
        offers.filter(~is_price),
        source=snapshot.source,
        column_name="usd_per_gpu_hour",
        value=price,
        rule="price_out_of_range",
        row_key=pl.concat_str("source_gpu", "term", "statistic", "as_of", separator=" | "),
        severity="invalid",
        reason=f"no GPU is offered outside {FLOOR_USD_PER_GPU_HOUR} to {CEILING_USD_PER_GPU_HOUR:.0f} USD per hour",
    )
    complete = add_gpu(offers.filter(is_price)).with_columns(
        gpu_count=pl.lit(None, pl.Int64),
        region=pl.lit(None, pl.String),
        usd_per_instance_hour=pl.lit(None, pl.Float64),
        basis=pl.lit("catalogue"),
        valid_from="as_of",
        valid_to=pl.col("as_of").dt.offset_by("1d"),
        date_basis=pl.lit("observed"),
        seen_on=pl.lit(snapshot.seen_on),
        evidence_on=pl.lit(snapshot.evidence_on),
        document_sha256=pl.lit(snapshot.sha256),
    )
    return Parsed(under(complete, MarketGpuOffer), pl.concat([refused, out]))


def _text(published: object) -> str | None:
    return None if published is None else str(published)
