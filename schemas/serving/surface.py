"""Contracts of serving cost: the rent each GPU is priced at, the break-even surface, and one row per GPU and model."""

import pandera.polars as pa
import polars as pl

from schemas.base import Table, carried_from, column
from schemas.prices.gpu_rents import TERMS
from schemas.status import BELIEVED

SETTINGS = ("plain", "measured")
SETTING_MEANING = (
    "plain: the published forms, MFU .5 and MBU .8, nothing else; measured: step times fitted to measured runs of the engine "
    "with most evidence on the GPU, each design spread as suits it; see partition_summary.refinements"
)
PRECISIONS = ("bf16", "fp8", "mxfp4")
EVIDENCE = ("gpu", "family")
WINNERS = ("none", "unchunked", "chunked", "disaggregated")
DECIDING = ("prefill", "decode", "kv_tax", "overlap", "attainment", "feasibility", "none")
VERDICTS = ("crosses", "always", "never", "neither", "varies")
CALIBRATIONS = ("default", "fitted")

_AXIS = "; NULL unless it crosses. The value does not depend on the cell's own place on that axis"
_VERDICT = (
    "whether disaggregation beats chunked colocation along this axis: crosses at the value, always, never, neither can "
    "meet the contract, or varies: the cheaper design changes more than once, or the other way"
)
_COST = "cost of an output token within the contract; NULL where the contract cannot be met"


class GpuPrice(Table):
    """The rent each GPU is priced at today: one term per GPU, the middle seller, with the cheapest and dearest seller."""

    gpu: str = column("canonical GPU", unique=True, derived_from=("gpu_rent.gpu",))
    usd_per_gpu_hour: float = column(
        "median over sellers of each seller's median offer of the term",
        unit="usd_per_gpu_hour",
        gt=0,
        derived_from=("gpu_rent.usd_per_gpu_hour",),
    )
    low_usd_per_gpu_hour: float = column(
        "median offer of the cheapest seller",
        unit="usd_per_gpu_hour",
        gt=0,
        derived_from=("gpu_rent.usd_per_gpu_hour",),
    )
    high_usd_per_gpu_hour: float = column(
        "median offer of the dearest seller",
        unit="usd_per_gpu_hour",
        gt=0,
        derived_from=("gpu_rent.usd_per_gpu_hour",),
    )
    term: str = column("what the rent buys: on demand where anybody offers that", isin=TERMS, derived_from=("gpu_rent.term",))
    valid_from: pl.Date = column("first day of the newest offer in it", derived_from=("gpu_rent.valid_from",))
    sellers: pl.Int64 = column("sellers in it", unit="sellers", ge=1, derived_from=("gpu_rent.provider",))
    sources: str = column("sources of the offers", derived_from=("gpu_rent.source",))
    as_of: pl.Date = column("day the rent is of")

    @pa.dataframe_check(description="low <= price <= high")
    def in_range(cls, data: pa.PolarsData) -> pl.LazyFrame:
        price = pl.col("usd_per_gpu_hour")
        return data.lazyframe.select(price.is_between("low_usd_per_gpu_hour", "high_usd_per_gpu_hour"))

    class Config:
        name = "core.gpu_price"


class BreakEvenSurface(Table):
    """Which design serves a token within its contract most cheaply, on a grid, and where disaggregation starts to pay.

    Prompts of 3,500 tokens, running sequences of 4,096, p99 bounds; TPOT is read on every interval between tokens. Weights have
    the number format of partition_summary.precision. Break-even values of `measured` along the token ratio and the TPOT bound
    are interpolated between places of a line.
    """

    setting: str = column(SETTING_MEANING, isin=SETTINGS)
    gpu: str = column("canonical GPU")
    model: str = column("model whose shape is served", derived_from=("model_shape.model",))
    input_per_output: float = column("input tokens per output token", unit="tokens per token", gt=0)
    arrival_rate_per_s: float = column("requests that arrive", unit="requests_per_s", gt=0)
    kv_bytes_per_s_per_gpu: float = column("nominal bandwidth of the KV transfer", unit="bytes_per_s_per_gpu", gt=0)
    tpot_s: float = column("p99 bound on the time per output token", unit="s", gt=0)
    ttft_s: float = column("p99 bound on the time to first token", unit="s", gt=0)
    replica_gpus: pl.Int64 = column(
        "GPUs of the smallest replica: power of two with room for KV; measured tries up to eight times as many",
        unit="GPUs",
        ge=1,
    )
    tpot_slack: float = column(
        "TPOT bound over the time to read the weights (measured: the step of one sequence at its fastest), less 1"
    )
    winner: str = column("cheapest design that meets the contract; none if none does", isin=WINNERS)
    unchunked_usd_per_mtok: float = column(_COST, unit="usd_per_mtok", nullable=True, gt=0)
    chunked_usd_per_mtok: float = column(_COST, unit="usd_per_mtok", nullable=True, gt=0)
    disaggregated_usd_per_mtok: float = column(_COST, unit="usd_per_mtok", nullable=True, gt=0)
    margin: float = column(
        "cost of the other kind over that of the winner, less 1: disaggregated against the cheaper colocated design; NULL "
        "where only one kind or none meets the contract",
        nullable=True,
        ge=0,
    )
    deciding_term: str = column(
        "term in which the winner saves most against the other kind; feasibility: the other kind cannot meet the contract",
        isin=DECIDING,
    )
    break_even_input_per_output: float = column(
        "tokens in per token out above which disaggregation is cheaper for good" + _AXIS,
        unit="tokens per token",
        nullable=True,
    )
    input_per_output_verdict: str = column(_VERDICT, isin=VERDICTS)
    break_even_arrival_rate_per_s: float = column(
        "arrival rate above which disaggregation is cheaper" + _AXIS, unit="requests_per_s", nullable=True
    )
    arrival_rate_verdict: str = column(_VERDICT, isin=VERDICTS)
    break_even_kv_bytes_per_s_per_gpu: float = column(
        "nominal bandwidth above which disaggregation is cheaper, with the prefill pool of the cell; NULL unless it crosses",
        unit="bytes_per_s_per_gpu",
        nullable=True,
    )
    kv_verdict: str = column(_VERDICT, isin=VERDICTS)
    break_even_tpot_s: float = column("TPOT bound below which disaggregation is cheaper" + _AXIS, unit="s", nullable=True)
    tpot_verdict: str = column(_VERDICT, isin=VERDICTS)
    calibration: str = column("where step times come from; default: MFU .5 and MBU .8", isin=CALIBRATIONS)
    gpu_usd_per_hour: float = column("rent used", unit="usd_per_gpu_hour", gt=0, derived_from=("gpu_price.usd_per_gpu_hour",))
    gpu_price_term: str = column("what that rent buys", isin=TERMS, derived_from=("gpu_price.term",))
    gpu_price_on: pl.Date = column("first day of the newest offer in it", derived_from=("gpu_price.valid_from",))

    @pa.dataframe_check(description="the winner costs no more than the others")
    def winner_is_cheapest(cls, data: pa.PolarsData) -> pl.LazyFrame:
        costs = {name: pl.col(f"{name}_usd_per_mtok") for name in WINNERS[1:]}
        least = pl.min_horizontal(costs.values())
        own = pl.coalesce(pl.when(pl.col("winner") == name).then(cost) for name, cost in costs.items())
        return data.lazyframe.select((own <= least * (1 + 1e-9)).fill_null((pl.col("winner") == "none") & least.is_null()))

    @pa.dataframe_check(description="a value stands exactly where an axis is crossed")
    def value_where_crossed(cls, data: pa.PolarsData) -> pl.LazyFrame:
        axes = (
            ("break_even_input_per_output", "input_per_output_verdict"),
            ("break_even_arrival_rate_per_s", "arrival_rate_verdict"),
            ("break_even_kv_bytes_per_s_per_gpu", "kv_verdict"),
            ("break_even_tpot_s", "tpot_verdict"),
        )
        return data.lazyframe.select(
            pl.all_horizontal(pl.col(value).is_not_null() == (pl.col(verdict) == "crosses") for value, verdict in axes)
        )

    class Config:
        name = "marts.break_even_surface"
        metadata = carried_from("gpu", "gpu_price")
        unique = [
            "setting",
            "gpu",
            "model",
            "input_per_output",
            "arrival_rate_per_s",
            "kv_bytes_per_s_per_gpu",
            "tpot_s",
            "ttft_s",
        ]


def share(what: str) -> float:
    """A column that holds a share."""
    found: float = column(what, ge=0, le=1)
    return found


def _median(what: str, unit: str) -> float:
    median: float = column(
        f"median {what} at which the cheaper design changes, over the cells that have one; NULL if none has",
        unit=unit,
        nullable=True,
        gt=0,
    )
    return median


class PartitionSummary(Table):
    """How the surface divides between designs: one row per GPU, model and setting."""

    setting: str = column(SETTING_MEANING, isin=SETTINGS)
    gpu: str = column("canonical GPU")
    model: str = column("model whose shape is served")
    replica_gpus: pl.Int64 = column("GPUs of a replica", unit="GPUs", ge=1)
    cells: pl.Int64 = column("cells of the grid", ge=1)
    unchunked_share: float = share("cells that unchunked colocation wins")
    chunked_share: float = share("cells that chunked colocation wins")
    disaggregated_share: float = share("cells that disaggregation wins")
    infeasible_share: float = share("cells in which no design meets the contract")
    isolated_share: float = share("cells with a winner that no neighbour shares; neighbours are one step apart on one axis")
    boundary_share: float = share("boundary length: neighbouring pairs with different winners, over all pairs")
    median_margin: float = column("median margin of the winner where both kinds are feasible", nullable=True, ge=0)
    crosses_kv_share: float = share("cells in which some bandwidth changes the cheaper design")
    crossover_kv_bytes_per_s_per_gpu: float = _median("bandwidth", "bytes_per_s_per_gpu")
    crosses_tpot_share: float = share("cells in which some TPOT bound changes the cheaper design")
    crossover_tpot_s: float = _median("TPOT bound", "s")
    crosses_input_per_output_share: float = share("cells in which some token ratio changes the cheaper design")
    crossover_input_per_output: float = _median("token ratio", "tokens per token")
    crosses_arrival_rate_share: float = share("cells in which some arrival rate changes the cheaper design")
    crossover_arrival_rate_per_s: float = _median("arrival rate", "requests_per_s")
    refinements: str = column("what the forms know beyond the plain sum")
    calibration: str = column("where step times come from", isin=CALIBRATIONS)
    precision: str = column("number format of the weights", isin=PRECISIONS)
    engine: str = column("engine whose step times are used; NULL in the plain forms", nullable=True)
    engine_runs: pl.Int64 = column("measured times per token behind that choice", unit="runs", nullable=True, ge=1)
    engine_evidence: str = column("whether they are of the GPU or of its family", nullable=True, isin=EVIDENCE)
    layer_s: float = column(
        "alpha, fixed time per layer and pass", unit="s", nullable=True, gt=0, derived_from=("engine_run.layer_s",)
    )
    layer_log_sd: float = column("standard error of log alpha", nullable=True, ge=0, derived_from=("engine_run.layer_log_sd",))
    colocated_reached: float = column(
        "measured over predicted rate of the engine's colocated loads", unit="ratio", nullable=True, gt=0
    )
    pools_reached: float = column("the same of its prefill and decode pools", unit="ratio", nullable=True, gt=0)
    pools_evidence: str = column(
        "whether its pools were measured on the family, or others: the middle of the engines and families that were",
        nullable=True,
        isin=("measured", "others"),
    )
    unchanged_share: float = column(
        "cells whose winner is the same at both ends of the 90 % interval of alpha", nullable=True, ge=0, le=1
    )
    mfu: float = column("share of peak FLOP/s in prefill", gt=0, le=1)
    mbu: float = column("share of peak memory bandwidth in decode", gt=0, le=1)
    gpu_status: str = column(
        "how well the GPU's figures are known, see core.gpu.status", isin=BELIEVED, derived_from=("gpu.status",)
    )
    shape_status: str = column(
        "how well the model's shape is known, see core.model_shape.status",
        isin=BELIEVED,
        derived_from=("model_shape.status",),
    )
    gpu_usd_per_hour: float = column("rent used", unit="usd_per_gpu_hour", gt=0, derived_from=("gpu_price.usd_per_gpu_hour",))
    gpu_price_term: str = column("what that rent buys", isin=TERMS, derived_from=("gpu_price.term",))
    gpu_price_on: pl.Date = column("first day of the newest offer in it", derived_from=("gpu_price.valid_from",))

    class Config:
        name = "marts.partition_summary"
        metadata = carried_from("break_even_surface", "gpu", "gpu_price", "engine_run")
        unique = ["setting", "gpu", "model"]


_WITHOUT, _WITH = "cost without the refinement; NULL where the contract cannot be met", "cost with it; NULL likewise"
_CHANGE = "cost with over cost without, less 1; NULL where either is"


class ServingRefinements(Table):
    """What each refinement of the closed forms does by itself, at reference contracts: with against without.

    Prompts of 3,500 tokens, running sequences of 4,096, p99 bounds, 16 requests per second, KV over the GPU's network.
    Everything else is as in the setting: plain shows a refinement of the plain sum, measured a term of the fitted step times.
    """

    refinement: str = column(
        "refinement: of the plain forms by its name in economics.serving.symbols, or a term of the measured ones"
    )
    setting: str = column("forms it is tried in: plain or measured, see partition_summary.refinements", isin=SETTINGS)
    gpu: str = column("canonical GPU")
    model: str = column("model whose shape is served; refinements of experts have rows for sparse models only")
    input_per_output: float = column("input tokens per output token", unit="tokens per token", gt=0)
    arrival_rate_per_s: float = column("requests that arrive", unit="requests_per_s", gt=0)
    ttft_s: float = column("p99 bound on the time to first token", unit="s", gt=0)
    tpot_s: float = column("p99 bound on the time per output token", unit="s", gt=0)
    replica_gpus: pl.Int64 = column("GPUs of a replica", unit="GPUs", ge=1)
    value: float = column("value it is tried at; NULL for a switch without one", nullable=True)
    basis: str = column("what that value rests on", isin=("stated", "primary", "derived", "fitted", "assumed"))
    source: str = column("where that value comes from")
    without_winner: str = column("cheapest design without the refinement; none if none meets the contract", isin=WINNERS)
    with_winner: str = column("cheapest design with it", isin=WINNERS)
    turns_winner: bool = column("whether the two differ")
    without_unchunked_usd_per_mtok: float = column(_WITHOUT, unit="usd_per_mtok", nullable=True, gt=0)
    without_chunked_usd_per_mtok: float = column(_WITHOUT, unit="usd_per_mtok", nullable=True, gt=0)
    without_disaggregated_usd_per_mtok: float = column(_WITHOUT, unit="usd_per_mtok", nullable=True, gt=0)
    with_unchunked_usd_per_mtok: float = column(_WITH, unit="usd_per_mtok", nullable=True, gt=0)
    with_chunked_usd_per_mtok: float = column(_WITH, unit="usd_per_mtok", nullable=True, gt=0)
    with_disaggregated_usd_per_mtok: float = column(_WITH, unit="usd_per_mtok", nullable=True, gt=0)
    unchunked_change: float = column(_CHANGE, unit="ratio", nullable=True, ge=-1)
    chunked_change: float = column(_CHANGE, unit="ratio", nullable=True, ge=-1)
    disaggregated_change: float = column(_CHANGE, unit="ratio", nullable=True, ge=-1)

    @pa.dataframe_check(description="a refinement turns the winner where the winners differ")
    def turns_where_winners_differ(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("turns_winner") == (pl.col("with_winner") != pl.col("without_winner")))

    class Config:
        name = "marts.serving_refinements"
        metadata = carried_from("gpu", "gpu_price")
        unique = ["refinement", "setting", "gpu", "model", "input_per_output", "ttft_s", "tpot_s"]
