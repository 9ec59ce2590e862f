"""Contract of the decomposition: each published gain of a serving system as a product of factors."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, carried_from, column
from schemas.status import BELIEVED, STATUS_MEANING

FACTORS = ("attainment", "baseline", "hardware", "cache_reuse", "design", "unexplained")
FACTOR_MEANING = (
    "attainment: share of requests within the contract, new over old; baseline: strongest baseline of the document over the "
    "one named; hardware: other or phase-specific GPUs; cache_reuse: prefixes not computed again; design: what the closed "
    "forms give for the change of design alone; unexplained: what the known factors leave"
)
BASES = ("computed", "same_on_both_sides", "at_most", "closed_form", "left_over", "unknown")
BASIS_MEANING = (
    "computed: from two figures of `inputs`; same_on_both_sides: 1, as the set-up has it; at_most: only an upper end is "
    "known; closed_form: predicted, see marts.serving_frontier; left_over: ratio over the product of the known; unknown: no "
    "figure says"
)


class ServingDecomposition(Table):
    """Published gains split into factors that multiply to the gain; one row per gain and factor.

    A factor that is not known is NULL and stays in `unexplained`. Shares are of the logarithm and add up to 1.
    """

    gain: str = column("name of the gain", str_matches=r"^[a-z0-9_]+$")
    paper: str = column("document")
    system: str = column("system that gains", nullable=True)
    baseline: str = column("system it is compared with", nullable=True)
    model: str = column("model", nullable=True)
    gpu: str = column("canonical GPU of the system", nullable=True)
    workload: str = column("requests that were served", nullable=True)
    ttft_s: float = column("bound on the time to first token", unit="s", nullable=True, gt=0)
    tpot_s: float = column("bound on the time per output token", unit="s", nullable=True, gt=0)
    ratio: float = column("the gain, new over old", gt=0, derived_from=("cited_figure.value",))
    factor: str = column(FACTOR_MEANING, isin=FACTORS)
    value: float = column("the factor, new over old; NULL where not known", nullable=True, gt=0)
    low: float = column(
        "lower end: Wilson interval of the baseline's attainment, 1 where only an upper end is known; of unexplained, with all "
        "others at their upper ends",
        nullable=True,
        gt=0,
    )
    high: float = column("upper end", nullable=True, gt=0)
    log_share: float = column("share of the logarithm of the gain; NULL where not known", nullable=True)
    basis: str = column(BASIS_MEANING, isin=BASES)
    how: str = column("how the factor is found, in words", nullable=True)
    inputs: str = column("figures it is computed from, document.figure", nullable=True)
    status: str = column(STATUS_MEANING + "; the weakest of the figures of ratio and factor", isin=BELIEVED)

    @pa.dataframe_check(description="the factors of a gain multiply to it")
    def product_closes(cls, data: pa.PolarsData) -> pl.LazyFrame:
        product = pl.col("value").fill_null(1.0).log().sum().over("gain").exp()
        is_whole = pl.len().over("gain") == len(FACTORS)
        return data.lazyframe.select(~is_whole | ((product / pl.col("ratio") - 1).abs() < 1e-9))

    @pa.dataframe_check(description="what is not known has no value, all else has one")
    def unknown_is_null(cls, data: pa.PolarsData) -> pl.LazyFrame:
        unknown = pl.col("basis").is_in(["unknown", "at_most"])
        return data.lazyframe.select(pl.col("value").is_null() == unknown)

    class Config:
        name = "marts.serving_decomposition"
        metadata = carried_from("cited_figure", "published_common_frame")
        unique = ["gain", "factor"]
