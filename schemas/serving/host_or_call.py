"""Contracts of hosting against calling: from which volume hosting a model pays, today and on past months."""

import polars as pl

from schemas.base import Table, column
from schemas.prices.gpu_rents import TERMS

WORKLOADS = ("chat", "agent", "long_context")
WORKLOAD_MEANING = (
    "lengths and cached share of core.workload_in_use; chat and agent within 2 and 5 s to the first token, long_context (long "
    "documents) within 10 s, all within 50 ms a token, at the 99th percentile"
)
PEAK_FACTOR = 2.0
VOLUMES = (10_000.0, 100_000.0, 1_000_000.0)
BASES = ("own", "group", "family", "none")
LIMITS = ("ttft", "tpot", "e2e", "room")
_PRICE = (
    "llm_price_wide.input_usd_per_mtok",
    "llm_price_wide.output_usd_per_mtok",
    "llm_price_wide.cache_read_usd_per_mtok",
)
_RENT = ("gpu_price.usd_per_gpu_hour",)
_TIMES = ("engine_run.layer_s",)


class HostOrCall(Table):
    """Hosting each open model that somebody sells against calling it, by workload, GPU and volume.

    The load peaks at twice its mean, where the contract holds; GPUs are reserved around the clock at the rent of core.gpu_price
    and nothing else is paid. The seller is the cheapest whose price is neither old nor far from its peers'. For your own
    lengths, peak, prices and profile ask `iecon host-or-call`; for other volumes marts.host_or_call_on.
    """

    model: str = column("canonical model", derived_from=("llm_price_wide.model",))
    workload: str = column(WORKLOAD_MEANING, isin=WORKLOADS, derived_from=("workload_in_use.workload",))
    gpu: str = column("GPU that hosts it", derived_from=("gpu_price.gpu",))
    requests_per_day: float = column("mean volume, requests a day", unit="requests", gt=0)
    precision: str = column("number format of the weights: as the checkpoint is stored, else bf16")
    seller: str = column("cheapest seller", derived_from=("llm_price_wide.provider",))
    usd_per_request: float = column("its bill of one request", unit="usd", gt=0, derived_from=_PRICE)
    price_evidence_on: pl.Date = column("oldest evidence of that price", derived_from=("llm_price_wide.evidence_on",))
    term: str = column("what the rent buys", isin=TERMS, derived_from=("gpu_price.term",))
    usd_per_gpu_hour: float = column("rent", unit="usd_per_gpu_hour", gt=0, derived_from=_RENT)
    engine: str = column("serving engine of the instance that serves most per GPU")
    gpus_per_instance: float = column("GPUs that serve as one", unit="GPUs", ge=1)
    capacity_per_s: float = column(
        "requests per second of an instance within the contract", unit="requests_per_s", gt=0, derived_from=_TIMES
    )
    capacity_low_per_s: float = column(
        "if every pass took as long as the interval allows; NULL where nothing was measured of the engine on the family",
        unit="requests_per_s",
        ge=0,
        nullable=True,
    )
    capacity_high_per_s: float = column("if as short", unit="requests_per_s", ge=0, nullable=True)
    limit: str = column("what gives first above the capacity", isin=LIMITS)
    basis: str = column(
        "what the step times rest on: own, group (published runs of model, GPU and engine), family of GPUs, or none", isin=BASES
    )
    instances: float = column("instances that hold the peak at this volume", ge=1)
    hosted_usd_per_month: float = column("their rent around the clock", unit="usd", gt=0, derived_from=_RENT)
    called_usd_per_month: float = column("the seller's bill", unit="usd", gt=0, derived_from=_PRICE)
    cheaper: str = column("host or call, at this volume", isin=("host", "call"))
    break_even_per_day: float = column(
        "requests a day from which hosting stays cheaper; NULL: no volume", unit="requests", gt=0, nullable=True
    )
    break_even_low_per_day: float = column("with the upper end of the capacity", unit="requests", gt=0, nullable=True)
    break_even_high_per_day: float = column("with the lower end; NULL: no volume", unit="requests", gt=0, nullable=True)
    least_utilisation: float = column(
        "busy cost over the seller's price: below this mean utilisation no volume pays; above 1 none ever does", gt=0
    )

    class Config:
        name = "marts.host_or_call"
        unique = ["model", "workload", "gpu", "requests_per_day"]


class HostOrCallByMonth(Table):
    """The break-even of each open model on the last day of past months: prices and rents of that day, step times of today.

    The GPU is the one with the earliest break-even among those with a rent that day. What moved is the market, not the engines:
    versions of those days were slower.
    """

    model: str = column("canonical model", derived_from=("monthly_price.model",))
    workload: str = column(WORKLOAD_MEANING, isin=WORKLOADS, derived_from=("workload_in_use.workload",))
    as_of: pl.Date = column("last day of the month", derived_from=("monthly_price.as_of",))
    seller: str = column("cheapest seller that day", derived_from=("monthly_price.provider",))
    usd_per_request: float = column(
        "its bill of one request; cached input at the price of input",
        unit="usd",
        gt=0,
        derived_from=("monthly_price.input_usd_per_mtok", "monthly_price.output_usd_per_mtok"),
    )
    gpu: str = column(
        "GPU with the earliest break-even, else with the least utilisation to pay", derived_from=("gpu_rent.gpu",)
    )
    term: str = column("what its rent buys", isin=TERMS, derived_from=("gpu_rent.term",))
    usd_per_gpu_hour: float = column(
        "its rent that day", unit="usd_per_gpu_hour", gt=0, derived_from=("gpu_rent.usd_per_gpu_hour",)
    )
    gpus_with_a_rent: pl.Int64 = column("GPUs compared: those with a rent that day that meet the contract", unit="GPUs", ge=1)
    break_even_per_day: float = column(
        "requests a day from which hosting stays cheaper; NULL: no volume", unit="requests", gt=0, nullable=True
    )
    least_utilisation: float = column("busy cost over the seller's price", gt=0)
    pays: bool = column("some volume pays")

    class Config:
        name = "marts.host_or_call_by_month"
        unique = ["model", "workload", "as_of"]
