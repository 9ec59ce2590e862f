"""Contracts of price compression: published falls and their points, both beside ours, and the factors of the fall."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, carried_from, column

STATUSES = ("printed", "quoted", "derived")
STATUS_MEANING = "printed: in the document; quoted: as others quote it; derived: computed from printed figures"
MEASURES = (
    "price_of_a_quality",
    "hardware_cost",
    "hardware_energy",
    "algorithms",
    "cost_of_a_benchmark",
    "factor_total",
    "factor_model",
    "quantisation_speedup",
)
DATE_PRECISIONS = ("day", "month")
FALL_BASES = ("stated", "computed")
FACTORS = ("total", "model", "stack", "hardware", "quantisation", "runtime", "decoding", "unidentified")
FACTOR_MEANING = (
    "total: the fall of the price of the quality (CPM_0 / CPM); model: e_m; stack: the total without e_m, that is e_q e_r e_d "
    "e_h; hardware, quantisation, runtime, decoding: e_h, e_q, e_r, e_d; unidentified: the stack without e_h"
)
EVIDENCE_STATUSES = ("identified", "stated", "remainder", "bounded", "unidentified")
EVIDENCE_STATUS_MEANING = (
    "identified: computed from prices, rents and serving costs of this product; stated: a document says so and we cannot check "
    "it; remainder: what the other factors leave of the total; bounded: evidence says only between what it lies; unidentified: "
    "no evidence of its own, so no value"
)
OURS = ("same_quality", "headline")


class PriceTrendFigure(Table):
    """Published figures on how fast inference became cheaper and what drove it, with n, interval and dates where given."""

    trend: str = column("name of the figure", str_matches=r"^[a-z0-9_]+$", unique=True)
    publisher: str = column("who published it")
    title: str = column("document")
    published_on: pl.Date = column("day of publication; NULL if not recorded", nullable=True)
    url: str = column("address of the document")
    locator: str = column("place in the document", str_length={"min_value": 1})
    status: str = column(STATUS_MEANING, isin=STATUSES)
    measures: str = column("what became cheaper, or which factor is measured", isin=MEASURES)
    statement: str = column("the claim in our words")
    scale: str = column("capability scale or benchmark of the quality", nullable=True)
    threshold: float = column("least score on that scale", unit="scale points", nullable=True)
    quality_of_document: str = column("model whose quality it is, as the document names it", nullable=True)
    model: str = column("the same, canonical; NULL where our history does not have it", nullable=True)
    unit: str = column("unit of the prices; ratio for a bare factor")
    input_per_output: float = column("input tokens per output token in the price, where known", nullable=True, ge=0)
    start_date: pl.Date = column("day of the first price", nullable=True)
    end_date: pl.Date = column("day of the last price", nullable=True)
    date_precision: str = column("month: the first of the month stands for it", isin=DATE_PRECISIONS, nullable=True)
    start_usd: float = column("first price, see unit", nullable=True, gt=0)
    end_usd: float = column("last price, see unit", nullable=True, gt=0)
    fall: float = column("times cheaper, or times faster, in all", nullable=True, gt=0)
    fall_basis: str = column("stated by the document, or computed from its figures", isin=FALL_BASES, nullable=True)
    text_months: float = column("time the text gives for the fall", unit="months", nullable=True, gt=0)
    factor_per_year: float = column("times cheaper per year, as stated", nullable=True, gt=0)
    factor_per_year_low: float = column("lower end of the stated range or interval", nullable=True, gt=0)
    factor_per_year_high: float = column("upper end of the stated range or interval", nullable=True, gt=0)
    confidence: float = column("confidence of the interval; NULL for a bare range", nullable=True, gt=0, lt=1)
    n: pl.Int64 = column("prices the slope rests on, as stated", nullable=True, ge=2)
    note: str = column("what to know first", nullable=True)
    source: str = column("source of the transcription")

    class Config:
        name = "raw.price_trend_figure"


class PriceTrendPoint(Table):
    """The prices behind Epoch's trends: each model that was the cheapest at or above a threshold when it came."""

    trend: str = column("trend, key of raw.price_trend_figure")
    model_of_document: str = column("model, as the document names it")
    on: pl.Date = column("day of the price")
    usd: float = column("price, blend of three input tokens to one output token", unit="usd_per_mtok", gt=0)
    score: float = column("score on the scale of the trend", unit="scale points")
    source: str = column("source of the transcription")

    class Config:
        name = "raw.price_trend_point"
        unique = ["trend", "on"]


class PublishedPriceTrend(Table):
    """Published slopes recomputed from their own dates and points, and the slope of our history for the same quality.

    `by_text` takes the fall over the time the text gives, `by_dates` over the time between the dates of its prices: where the
    two differ, the document contradicts itself. `refit` is the line through the published points with a 95 % interval.
    """

    trend: str = column("name of the figure", unique=True, derived_from=("price_trend_figure.trend",))
    publisher: str = column("who published it")
    statement: str = column("the claim in our words")
    status: str = column(STATUS_MEANING, isin=STATUSES)
    url: str = column("address of the document")
    locator: str = column("place in the document")
    scale: str = column("capability scale or benchmark of the quality", nullable=True)
    threshold: float = column("least score on that scale", unit="scale points", nullable=True)
    unit: str = column("unit of the prices")
    n: pl.Int64 = column("prices the stated slope rests on; NULL if not stated", nullable=True)
    stated_factor_per_year: float = column(
        "times cheaper per year, as stated", nullable=True, derived_from=("price_trend_figure.factor_per_year",)
    )
    stated_low: float = column(
        "lower end of the stated range or interval",
        nullable=True,
        derived_from=("price_trend_figure.factor_per_year_low",),
    )
    stated_high: float = column(
        "upper end of the stated range or interval",
        nullable=True,
        derived_from=("price_trend_figure.factor_per_year_high",),
    )
    stated_confidence: float = column(
        "confidence of it; NULL for a bare range", nullable=True, derived_from=("price_trend_figure.confidence",)
    )
    fall: float = column("times cheaper in all: as stated, else first over last price", nullable=True)
    fall_of_prices: float = column(
        "first over last price",
        nullable=True,
        derived_from=("price_trend_figure.start_usd", "price_trend_figure.end_usd"),
    )
    text_months: float = column("time the text gives", unit="months", nullable=True)
    dated_months: float = column(
        "time between the dates",
        unit="months",
        nullable=True,
        derived_from=("price_trend_figure.start_date", "price_trend_figure.end_date"),
    )
    by_text_per_year: float = column("the fall per year over the time of the text", nullable=True)
    by_dates_per_year: float = column("the fall per year over the time between the dates", nullable=True)
    by_dates_low: float = column(
        "the same if dates known by month were a month further apart; equal where they are known by day", nullable=True
    )
    by_dates_high: float = column("the same if they were a month closer", nullable=True)
    refit_n: pl.Int64 = column("published points", nullable=True, ge=2, derived_from=("price_trend_point.usd",))
    refit_per_year: float = column(
        "slope of the line through the published points", nullable=True, derived_from=("price_trend_point.usd",)
    )
    refit_low: float = column("lower end of its 95 % interval", nullable=True, derived_from=("price_trend_point.usd",))
    refit_high: float = column("upper end of its 95 % interval", nullable=True, derived_from=("price_trend_point.usd",))
    refit_shows_a_fall: bool = column("the interval excludes 1, no fall at all", nullable=True)
    our_series: str = column(
        "series of our history beside it; NULL if the unit differs", nullable=True, derived_from=("price_slope.series",)
    )
    our_basis: str = column(
        "same_quality: our series has the same threshold; headline: it has not, GPT-4's score on Epoch's index stands in",
        isin=OURS,
        nullable=True,
    )
    our_n: pl.Int64 = column("what our slope rests on", nullable=True, derived_from=("price_slope.n",))
    our_per_year: float = column(
        "times cheaper per year in our history", nullable=True, derived_from=("price_slope.factor_per_year",)
    )
    our_low: float = column("lower end of its 95 % interval", nullable=True, derived_from=("price_slope.factor_per_year_low",))
    our_high: float = column(
        "upper end of its 95 % interval", nullable=True, derived_from=("price_slope.factor_per_year_high",)
    )
    within_ours: bool = column(
        "the published slope, or some of its range, lies in our interval; NULL where one is missing", nullable=True
    )
    note: str = column("what to know first", nullable=True)

    class Config:
        name = "marts.published_price_trend"
        metadata = carried_from("price_slope", "price_trend_figure")


class PriceCompression(Table):
    """The fall of the price of a quality split into its factors, as far as evidence goes: CPM = CPM_0 / (e_q e_r e_d e_h e_m).

    total = model x stack, stack = hardware x unidentified. A factor without evidence of its own has no value: the fall is never
    split by hand. The identity has no factor for margins, so they end up in the remainders: below 1, sellers kept more.
    """

    series: str = column(
        "price of a quality, key of marts.price_slope, or a published fall, key of raw.price_trend_figure",
        derived_from=("price_slope.series", "price_trend_figure.trend"),
    )
    factor: str = column(FACTOR_MEANING, isin=FACTORS)
    first_on: pl.Date = column("first day of the fall", derived_from=("price_slope.first_on", "price_trend_figure.start_date"))
    last_on: pl.Date = column("last day of the fall", derived_from=("price_slope.last_on", "price_trend_figure.end_date"))
    evidence_status: str = column(EVIDENCE_STATUS_MEANING, isin=EVIDENCE_STATUSES)
    value: float = column(
        "times cheaper by this factor; NULL where it is bounded or unidentified",
        nullable=True,
        gt=0,
        derived_from=("price_slope.fall", "price_slope.factor_per_year", "price_trend_figure.fall"),
    )
    low: float = column("least that the evidence allows; NULL where unknown", nullable=True, gt=0)
    high: float = column("most that the evidence allows; NULL where unknown", nullable=True, gt=0)
    n: pl.Int64 = column("prices, months or figures behind it, see evidence", nullable=True, ge=1)
    evidence: str = column("what it rests on, and what that does not say")

    @pa.dataframe_check(description="a factor has a value exactly where something says what it is")
    def value_where_known(cls, data: pa.PolarsData) -> pl.LazyFrame:
        known = pl.col("evidence_status").is_in(["identified", "stated", "remainder"])
        return data.lazyframe.select(pl.col("value").is_not_null() == known)

    @pa.dataframe_check(description="low <= value <= high")
    def range_holds_value(cls, data: pa.PolarsData) -> pl.LazyFrame:
        middle = pl.coalesce("value", "low")
        return data.lazyframe.select(middle.is_between("low", "high").fill_null(True))

    class Config:
        name = "marts.price_compression"
        unique = ["series", "factor"]
