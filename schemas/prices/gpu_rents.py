"""Contracts of GPU rents: as each source publishes them, and kept over time."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, carried_from, column
from schemas.prices.history import Historic
from schemas.prices.llm_prices import DATE_BASES, DATE_BASIS_MEANING

PROVIDER_KINDS = ("hyperscaler", "specialised", "marketplace", "stated_constant")
FORM_FACTORS = ("sxm", "pcie", "oam", "superchip", "chip")
TERMS = (
    "on_demand",
    "spot",
    "reserved_1y",
    "reserved_3y",
    "reserved_5y",
    "savings_plan_1y",
    "savings_plan_3y",
    "reserved_calendar",
    "reserved_3m",
    "reserved_6m",
    "marketplace",
    "marketplace_interruptible",
    "tco_hyperscaler",
    "tco_neocloud",
    "reserved_3y_or_retail",
    "stated",
)
TERM_MEANING = (
    "what is bought: on_demand, spot, a commitment, marketplace (offers of many hosts), "
    "marketplace_interruptible (those that a higher bid can end), reserved_calendar (capacity booked for given dates), "
    "tco_* (an owner's estimated cost, no offer), reserved_3y_or_retail (the third column of InferenceX), "
    "stated (a document states a price and no term)"
)
STATISTICS = ("price", "p10", "p25", "median", "p90")
PRICE_BASES = ("per_instance", "per_gpu", "per_term")
BASES = ("primary", "catalogue", "stated", "derived", "assumed")
BASIS_MEANING = (
    "primary: the seller's own price list; catalogue: a public catalogue of sellers' prices; stated: a document says so; "
    "derived: computed from published figures; assumed: an assumption of the document"
)
FLOOR_USD_PER_GPU_HOUR = 0.02
CEILING_USD_PER_GPU_HOUR = 200.0
"""No whole GPU has been offered at or outside these; a figure there is a price of something else or in another unit."""
SAME = 1e-6
"""Relative difference below which an instance price over its count is the price per GPU."""

SERIES = (
    "source",
    "provider",
    "instance_type",
    "source_gpu",
    "gpu_count",
    "region",
    "term",
    "statistic",
)
"""Columns that name one offer whose price moves over time."""


class GpuOffer(Table):
    """What is rented, on which terms, for how much: the part that offers and their history share."""

    provider: str = column("seller: aws, verda, primeintellect, ...; for a stated constant who states it")
    provider_kind: str = column("hyperscaler, specialised, marketplace or stated_constant", isin=PROVIDER_KINDS)
    instance_type: str = column("instance or product, as the source writes it; NULL where none is named", nullable=True)
    source_gpu: str = column("GPU, as the source writes it", str_length={"min_value": 1})
    gpu_family: str = column("GPU without form factor and memory, such as h100; NULL if unknown", nullable=True)
    gpu: str = column(
        "canonical GPU, such as h100-sxm or a100-80gb-pcie; NULL if unknown, or if form factor or memory is not stated",
        nullable=True,
    )
    form_factor: str = column(
        "sxm, pcie, oam, superchip or chip (TPUs and others that are sold as no board); NULL if not stated",
        isin=FORM_FACTORS,
        nullable=True,
    )
    gpu_count: pl.Int64 = column("GPUs in the instance; NULL for a bare price per GPU", unit="GPUs", ge=1, nullable=True)
    gpu_memory_gb: float = column(
        "memory of one GPU as marketed (catalogues that give MiB mean this figure x 1024)",
        unit="GB",
        gt=0,
        nullable=True,
    )
    term: str = column(TERM_MEANING, isin=TERMS)
    statistic: str = column("price: of one offer; p10, p25, median, p90: over the offers of a market", isin=STATISTICS)
    region: str = column("region as the source writes it (for some a country); NULL if none is stated", nullable=True)
    usd_per_instance_hour: float = column("price of the whole instance", unit="usd_per_hour", gt=0, nullable=True)
    usd_per_gpu_hour: float = column(
        "price per GPU: instance price over count where both are known",
        unit="usd_per_gpu_hour",
        gt=FLOOR_USD_PER_GPU_HOUR,
        lt=CEILING_USD_PER_GPU_HOUR,
    )
    price_basis: str = column(
        "how the figure was published: per_instance, per_gpu, or per_term (one sum for a whole commitment)",
        isin=PRICE_BASES,
    )
    basis: str = column(BASIS_MEANING, isin=BASES)

    @pa.dataframe_check(description="price per GPU is the instance price over the count")
    def is_per_gpu(cls, data: pa.PolarsData) -> pl.LazyFrame:
        per_gpu = pl.col("usd_per_instance_hour") / pl.col("gpu_count")
        difference = (per_gpu - pl.col("usd_per_gpu_hour")).abs()
        return data.lazyframe.select((difference <= SAME * pl.col("usd_per_gpu_hour")).fill_null(True))

    @pa.dataframe_check(description="a canonical GPU has a family")
    def canonical_gpu_has_family(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("gpu").is_null() | pl.col("gpu_family").is_not_null())

    @pa.dataframe_check(description="a price ends after it begins")
    def ends_after_it_begins(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select((pl.col("valid_to") >= pl.col("valid_from")).fill_null(True))


class RawGpuOffer(GpuOffer):
    """One GPU rent as one source publishes it. Each source's raw table is a subclass."""

    valid_from: pl.Date = column("first day of the price, where the source states one", nullable=True)
    valid_to: pl.Date = column("day the price ends (exclusive), where the source states one", nullable=True)
    date_basis: str = column(DATE_BASIS_MEANING, isin=DATE_BASES, nullable=True)
    note: str = column("what to know before using the figure", nullable=True)
    locator: str = column("address or document and place of the figure", str_length={"min_value": 1})
    source: str = column("source that published the price", str_length={"min_value": 1})
    seen_on: pl.Date = column("day of the document")
    evidence_on: pl.Date = column("latest day on which the source was seen to serve the document")
    document_sha256: str = column("hash of the document, key of meta.snapshot")


_OFFER_KEY = [*SERIES, "valid_from"]


class AzureRetailPrice(RawGpuOffer):
    """GPU instance prices of the Azure Retail Prices API: on demand, spot, reservations, savings plans."""

    class Config:
        name = "raw.azure_retail_price"
        unique = _OFFER_KEY


class GpuhuntOffer(RawGpuOffer):
    """GPU offers of dstack's gpuhunt catalogue, one document per cloud."""

    class Config:
        name = "raw.gpuhunt_offer"
        unique = _OFFER_KEY


class SkypilotOffer(RawGpuOffer):
    """GPU offers of SkyPilot's catalogue, one document per cloud."""

    class Config:
        name = "raw.skypilot_offer"
        unique = _OFFER_KEY


class GpuRentSeed(RawGpuOffer):
    """Dated GPU rents transcribed from papers, benchmarks and market trackers; shipped with this project."""

    class Config:
        name = "raw.gpu_rent_seed"
        unique = _OFFER_KEY


class StatedGpuRent(GpuOffer):
    """One rent of one source with the days it held: the part that comes from the source."""

    valid_from: pl.Date = column(
        "first day of the price; see date_basis",
        derived_from=(
            "azure_retail_price.valid_from",
            "gpu_rent_seed.valid_from",
            "gpuhunt_offer.valid_from",
            "market_gpu_offer.valid_from",
            "skypilot_offer.valid_from",
        ),
    )
    valid_to: pl.Date = column(
        "day the price ended (exclusive); NULL while it holds",
        nullable=True,
        derived_from=(
            "azure_retail_price.valid_to",
            "gpu_rent_seed.valid_to",
            "gpuhunt_offer.valid_to",
            "market_gpu_offer.valid_to",
            "skypilot_offer.valid_to",
        ),
    )
    date_basis: str = column(DATE_BASIS_MEANING, isin=DATE_BASES)
    note: str = column("what to know before using the figure", nullable=True)
    locator: str = column("address or document and place of the figure")
    source: str = column("source that published the price")
    seen_on: pl.Date = column("day of the document that first showed the row")
    evidence_on: pl.Date = column("latest day on which the source was seen to say so")
    document_sha256: str = column("latest document that says so, key of meta.snapshot", nullable=True)


class GpuRent(Historic, StatedGpuRent):
    """Every GPU rent with the days it held, by source, seller, instance, region and term; never mixes form factors or terms."""

    class Config:
        name = "core.gpu_rent"
        metadata = carried_from("azure_retail_price", "gpu_rent_seed", "gpuhunt_offer", "market_gpu_offer", "skypilot_offer")
        unique = [*SERIES, "valid_from", "withdrawn_on", "status"]
