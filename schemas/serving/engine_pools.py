"""Contracts of disaggregated against colocated serving, where both were measured on the same question."""

import polars as pl

from schemas.base import Table, column

DESIGNS = ("colocated", "disaggregated")
_RATE = ("engine_run.output_measured",)
_FORETOLD = ("engine_run.output_measured", "engine_run.output_error_group", "engine_run.tpot_error_group")


def _foretold(meaning: str) -> pl.Float64:
    field: pl.Float64 = column(
        f"{meaning}, by the fit without any run of its group; NULL where it says that no run meets the bound",
        nullable=True,
        gt=0,
        derived_from=_FORETOLD,
    )
    return field


class PoolComparison(Table):
    """Disaggregated against colocated serving of one model on one GPU type by one engine at the same lengths, as measured.

    Best output rate per GPU of the whole system among the runs whose median TPOT is within a bound: the design with more of it
    is cheaper there. Runs without drafts alone. Other things differ between the runs too: how many GPUs were tried, and
    versions of the engine.
    """

    architecture: str = column("model, or the first of those with the same shape")
    gpu: str = column("accelerator")
    engine: str = column("serving engine", nullable=True)
    precision: str = column("number format of the weights")
    input_tokens: float = column("prompt length", unit="tokens", gt=0)
    output_tokens: float = column("answer length", unit="tokens", gt=0)
    tpot_bound_s: float = column("bound on the median time per output token", unit="s", gt=0)
    colocated_tokens_per_s_per_gpu: float = column("best colocated", unit="tokens_per_s", gt=0, derived_from=_RATE)
    colocated_runs: pl.Int64 = column("colocated runs within the bound", unit="runs", ge=1, derived_from=_RATE)
    disaggregated_tokens_per_s_per_gpu: float = column("best disaggregated", unit="tokens_per_s", gt=0, derived_from=_RATE)
    disaggregated_runs: pl.Int64 = column("disaggregated runs within the bound", unit="runs", ge=1, derived_from=_RATE)
    ratio: float = column("disaggregated over colocated, measured", gt=0, derived_from=_RATE)
    ratio_foretold: pl.Float64 = _foretold("disaggregated over colocated")
    cheaper: str = column("the design with the higher measured rate", isin=DESIGNS, derived_from=_RATE)
    named_right: pl.Boolean = column(
        "the fit names the same design; NULL where it sees none within the bound", nullable=True, derived_from=_FORETOLD
    )

    class Config:
        name = "marts.pool_comparison"
        unique = ["architecture", "gpu", "engine", "precision", "input_tokens", "output_tokens", "tpot_bound_s"]


class PoolRatio(Table):
    """Ratios of prefill to decode workers: which was best as measured, and which the fit names without any run of the group."""

    architecture: str = column("model, or the first of those with the same shape")
    gpu: str = column("accelerator")
    engine: str = column("serving engine", nullable=True)
    precision: str = column("number format of the weights")
    input_tokens: float = column("prompt length", unit="tokens", gt=0)
    output_tokens: float = column("median answer length of its runs", unit="tokens", gt=0)
    concurrency: float = column("requests in flight", unit="requests", gt=0)
    gpus: float = column("accelerators of the system", unit="gpus", gt=0)
    gpus_of_a_worker: float = column("accelerators over workers", unit="gpus", gt=0, derived_from=("engine_run.gpus",))
    ratios: pl.Int64 = column("ratios that were measured", ge=2, derived_from=_RATE)
    best_measured: str = column("prefill to decode workers with the highest measured rate", derived_from=_RATE)
    best_foretold: str = column("prefill to decode workers with the highest predicted rate", derived_from=_FORETOLD)
    best_tokens_per_s_per_gpu: float = column("highest measured rate", unit="tokens_per_s", gt=0, derived_from=_RATE)
    foretold_tokens_per_s_per_gpu: float = column(
        "measured rate of the ratio that is named", unit="tokens_per_s", gt=0, derived_from=_FORETOLD
    )
    named_right: bool = column("the fit names the best ratio", derived_from=_FORETOLD)
    lost_share: float = column("share of the best rate that the named ratio gives away", ge=0, lt=1, derived_from=_FORETOLD)

    class Config:
        name = "marts.pool_ratio"
        unique = [
            "architecture",
            "gpu",
            "engine",
            "precision",
            "input_tokens",
            "output_tokens",
            "concurrency",
            "gpus_of_a_worker",
        ]
