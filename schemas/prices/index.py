"""Contracts of price indices: the price of a fixed quality, matched models, tasks and GPU rents over time, and their slopes."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, carried_from, column
from schemas.prices.gpu_rents import STATISTICS, TERMS

INDICES = ("fixed_quality", "matched_model", "matched_host", "usd_per_task")
INDEX_MEANING = (
    "fixed_quality: cheapest first-party price of any model at or above the threshold; matched_model: change of what first "
    "parties charge for the same model; matched_host: change of what hosts charge for the same open model; usd_per_task: "
    "cheapest run of a benchmark at or above the threshold, at the prices of its day"
)
SLOPE_INDICES = (*INDICES, "gpu_rent")
UNITS = ("usd_per_mtok", "usd_per_task", "ratio")
METHODS = ("line_through_changes", "mean_change")
METHOD_MEANING = (
    "line_through_changes: least squares through the logarithm of every level the index took and its last day, so that a price "
    "that holds for a year counts once; mean_change: mean change of the chain per year. Both with Student's interval"
)


class _Series(Table):
    """What an index is of."""

    series: str = column("name of the index", str_length={"min_value": 1})
    kind: str = column(INDEX_MEANING, isin=INDICES)
    scale: str = column("capability scale, or benchmark of the tasks; NULL for matched prices", nullable=True)
    threshold: float = column("least score on that scale", unit="scale points", nullable=True)
    model: str = column("model whose score the threshold is; NULL if none", nullable=True)
    input_per_output: float = column(
        "input tokens per output token in the blend: 1 is cpm, 3 the blend of trackers, 31 the traffic of one router in July "
        "2026 (its cache left out: history has no cache prices); NULL for tasks",
        nullable=True,
    )
    unit: str = column("unit of value; ratio: 1 on the first day of the chain", isin=UNITS)


class PriceIndex(_Series):
    """Price indices at the end of every month: of a fixed quality, of matched models and hosts, and of a task.

    Rules. A model enters the price of a quality with its first price and leaves it when its price ends, so the index can
    rise. A model whose first known price is more than 92 days after its release entered our records late, not the market: it
    sets no price of a quality in a series that had begun before. A series begins when the model it is named after has a
    price and ends with the month in which its scale was last read, since no later model is rated. In matched indices a new
    model counts from its second month and a vanished one until its last: neither moves the index. All prices weigh the same:
    no source tells volumes. $ per M tokens and $ per task are separate indices, because models differ in tokens per answer.
    """

    as_of: pl.Date = column("day of the value")
    value: float = column("the index, see unit", gt=0)
    set_by: str = column("model or run that sets the price; NULL for matched prices", nullable=True)
    n: pl.Int64 = column("models or runs that could have set it; for matched prices those with a price", ge=1)
    n_matched: pl.Int64 = column("prices compared with the month before; NULL where none is compared", nullable=True, ge=0)
    n_entered: pl.Int64 = column("of those new since the month before", nullable=True, ge=0)
    n_left: pl.Int64 = column("gone since the month before", nullable=True, ge=0)

    class Config:
        name = "marts.price_index"
        metadata = carried_from("price_trend_figure")
        unique = ["series", "as_of"]


class GpuRentIndex(Table):
    """Rent of each GPU and term over time from sellers on offer on both of two dates; one date per week with a new price.

    The chained value compares an offer only with itself: same source, seller, instance, count, region. All offers of a seller
    count as one seller. Where no offer of a date was also there on the date before, a new chain begins at 1: the levels on both
    sides of the gap are of different sellers and their ratio is no change of price. InferenceX's third column is left out: it
    means a three-year rent in one version and a retail price in another.
    """

    series: str = column("name of the index: GPU, term and statistic")
    gpu: str = column("canonical GPU", derived_from=("gpu_rent.gpu",))
    term: str = column("what is bought, see core.gpu_rent", isin=TERMS, derived_from=("gpu_rent.term",))
    statistic: str = column("price: of offers; p10, median, p90: over the offers of a market", isin=STATISTICS)
    as_of: pl.Date = column("last day of the week with a new price", derived_from=("gpu_rent.valid_from",))
    chain: pl.Int64 = column("number of the chain; values compare within one", ge=1)
    value: float = column(
        "chained index, 1 at the beginning of the chain",
        unit="ratio",
        gt=0,
        derived_from=("gpu_rent.usd_per_gpu_hour",),
    )
    usd_per_gpu_hour: float = column(
        "median over sellers of each seller's median offer",
        unit="usd_per_gpu_hour",
        gt=0,
        derived_from=("gpu_rent.usd_per_gpu_hour",),
    )
    n_offers: pl.Int64 = column("offers that day", unit="offers", ge=1, derived_from=("gpu_rent.usd_per_gpu_hour",))
    n_sellers: pl.Int64 = column("their sellers", unit="sellers", ge=1, derived_from=("gpu_rent.provider",))
    n_matched: pl.Int64 = column("offers also there on the date before", unit="offers", ge=0)
    n_matched_sellers: pl.Int64 = column("their sellers", unit="sellers", ge=0)

    class Config:
        name = "marts.gpu_rent_index"
        unique = ["series", "as_of"]


class PriceSlope(Table):
    """How many times cheaper each index became per year, with n and interval; below 1 it became dearer.

    n counts what the slope rests on, not months: of a price that took five levels in three years, n is 6 (its last day
    counts). The interval is Student's at n - 2 (line) or n - 1 (mean) degrees of freedom and is NULL where n leaves none.
    """

    series: str = column("name of the index", derived_from=("price_index.series", "gpu_rent_index.series"))
    kind: str = column(INDEX_MEANING + "; gpu_rent: see marts.gpu_rent_index", isin=SLOPE_INDICES)
    scale: str = column("capability scale or benchmark", nullable=True)
    threshold: float = column("least score on that scale", unit="scale points", nullable=True)
    model: str = column("model whose score the threshold is", nullable=True, derived_from=("price_index.model",))
    input_per_output: float = column("blend, see marts.price_index", nullable=True)
    unit: str = column("unit of the values", isin=(*UNITS, "usd_per_gpu_hour"))
    first_on: pl.Date = column("first day", derived_from=("price_index.as_of", "gpu_rent_index.as_of"))
    last_on: pl.Date = column("last day", derived_from=("price_index.as_of", "gpu_rent_index.as_of"))
    first_value: float = column("value on the first day", gt=0, derived_from=("price_index.value", "gpu_rent_index.value"))
    last_value: float = column("value on the last day", gt=0, derived_from=("price_index.value", "gpu_rent_index.value"))
    fall: float = column("first over last value: times cheaper in all", gt=0)
    method: str = column(METHOD_MEANING, isin=METHODS)
    n: pl.Int64 = column("levels (with the last day) of the line, or links of the chain", ge=1)
    factor_per_year: float = column("times cheaper per year", gt=0)
    factor_per_year_low: float = column("lower end of the 95 % interval; NULL where n allows none", nullable=True, ge=0)
    factor_per_year_high: float = column("upper end of the 95 % interval; NULL where n allows none", nullable=True, gt=0)
    r_squared: float = column("share of the variance the line explains; NULL for a mean", nullable=True, ge=0, le=1)

    @pa.dataframe_check(description="the interval holds the slope")
    def interval_holds_slope(cls, data: pa.PolarsData) -> pl.LazyFrame:
        inside = pl.col("factor_per_year").is_between("factor_per_year_low", "factor_per_year_high")
        return data.lazyframe.select(inside.fill_null(True))

    class Config:
        name = "marts.price_slope"
        metadata = carried_from("price_index")
        unique = ["series"]
