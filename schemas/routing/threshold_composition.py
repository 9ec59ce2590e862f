"""Contract of both thresholds at once: more samples and routing, and whether the pair lowers the cost of a correct answer."""

import polars as pl

from schemas.base import Table, carried_from, column
from schemas.routing.premium import EVIDENCE, EVIDENCE_MEANING, PATTERNS
from schemas.status import BELIEVED, STATUS_MEANING

COST_UNITS = ("usd", "compute", "throughput", "samples")
"""What a premium must save to stand for money: at a fixed rent throughput is GPU-hours per token, and samples of one kind
cost alike. Latency, calls of one of several models and layers do not tell a bill."""
ETA_UNCHANGED = ("plausible", "doubtful", "no")


class ThresholdComposition(Table):
    """Per arc in samples and routing pattern: cost per correct answer with both over that with neither, if eta_N stays.

    The product holds if the routed mix leaves eta_N unchanged; no system has both measured, so it is a prediction. Where
    that cannot be so there is no product. Premiums of different `saved_unit` are never put together.
    """

    paper: str = column("document or leaderboard of the arc")
    benchmark: str = column("benchmark of the arc")
    system: str = column("system of the arc")
    curve: str = column("curve or run")
    status: str = column(
        f"of the arc's accuracies; {STATUS_MEANING}", isin=BELIEVED, derived_from=("inference_frontier.status",)
    )
    n: pl.Int64 = column("questions", unit="questions", ge=1)
    samples_from: pl.Int64 = column("samples at the start of the arc", unit="samples", ge=1)
    samples_to: pl.Int64 = column("samples at its end", unit="samples", ge=1)
    attempts_to: float = column("mean attempts of a question at its end", unit="samples", ge=1)
    eta_samples: float = column("arc elasticity of accuracy in samples")
    eta_samples_low: float = column("lower end of its 95 % interval")
    eta_samples_high: float = column("upper end of that interval")
    samples_cost_factor: float = column(
        "cost per correct answer at the end of the arc over that at its start: (N_1 / N_0)^(1 - eta_N), N by attempts",
        gt=0,
        derived_from=(
            "inference_frontier.samples_from",
            "inference_frontier.attempts_to",
            "inference_frontier.accuracy_from",
            "inference_frontier.accuracy_to",
        ),
    )
    samples_cost_factor_low: float = column(
        "at the upper end of eta_samples", gt=0, derived_from=("inference_frontier.eta_samples_high",)
    )
    samples_cost_factor_high: float = column(
        "at the lower end of eta_samples", gt=0, derived_from=("inference_frontier.eta_samples_low",)
    )
    premium_needed: float = column(
        "premium at which the pair changes nothing: 1 - 1 / samples_cost_factor; below 0 the samples pay alone, and it is "
        "the loss that routing may add",
        lt=1,
        derived_from=("inference_frontier.eta_samples",),
    )
    premium_needed_low: float = column(
        "at samples_cost_factor_low", lt=1, derived_from=("inference_frontier.eta_samples_high",)
    )
    premium_needed_high: float = column(
        "at samples_cost_factor_high", lt=1, derived_from=("inference_frontier.eta_samples_low",)
    )
    pattern: str = column("class of conditional compute", isin=PATTERNS)
    saved_unit: str = column("what its premium saves; never mixed", isin=COST_UNITS)
    evidence: str = column(
        f"the best there is for the pattern in that unit, and the only one used; {EVIDENCE_MEANING}", isin=EVIDENCE
    )
    points: pl.Int64 = column(
        "operating points of that evidence, without extremes ('up to')",
        unit="points",
        ge=1,
        derived_from=("routing_premium.figure", "routing_premium.bound"),
    )
    systems: pl.Int64 = column("systems among them", unit="systems", ge=1, derived_from=("routing_premium.system",))
    premium: float = column("their median premium", lt=1)
    premium_low: float = column("least end of their intervals")
    premium_high: float = column("greatest end of their intervals; NULL where a point is printed as a floor", nullable=True)
    eta_unchanged: str = column(
        "whether routing of this pattern can leave eta_N as it is",
        isin=ETA_UNCHANGED,
        derived_from=("routing_premium.pattern",),
    )
    eta_unchanged_reason: str = column("why", derived_from=("routing_premium.pattern",))
    composed_cost_factor: float = column(
        "(1 - premium) samples_cost_factor; NULL where eta_unchanged is no",
        nullable=True,
        gt=0,
        derived_from=("routing_premium.premium", "inference_frontier.eta_samples"),
    )
    composed_cost_factor_low: float = column(
        "premium_high with samples_cost_factor_low",
        nullable=True,
        gt=0,
        derived_from=("routing_premium.premium_high", "inference_frontier.eta_samples_high"),
    )
    composed_cost_factor_high: float = column(
        "premium_low with samples_cost_factor_high",
        nullable=True,
        gt=0,
        derived_from=("routing_premium.premium_low", "inference_frontier.eta_samples_low"),
    )
    pair_lowers_cost: bool = column(
        "the product is below 1: samples and routing together lower the cost per correct answer",
        nullable=True,
        derived_from=("routing_premium.premium", "inference_frontier.eta_samples"),
    )
    pair_certain: bool = column(
        "the whole interval of the product is on that side of 1; NULL where the end that decides is not known",
        nullable=True,
        derived_from=("routing_premium.premium", "inference_frontier.eta_samples"),
    )

    class Config:
        name = "marts.threshold_composition"
        metadata = carried_from("inference_frontier", "routing_premium")
        unique = ["paper", "benchmark", "system", "curve", "samples_from", "samples_to", "pattern", "saved_unit"]
