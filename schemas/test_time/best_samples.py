"""Contract of the best number of samples: how far to resample when a wrong answer has a price."""

import polars as pl

from schemas.base import Table, carried_from, column
from schemas.status import BELIEVED, STATUS_MEANING

ANSWERS = ("first_accepted", "chosen_of_n")
FALSE_POSITIVE_BASES = ("scenario", "printed_precision", "printed_reward")


class BestSamples(Table):
    """How many samples are worth most, by curve of accuracy or coverage and by what a wrong answer and a sample cost.

    Worth is counted in right answers per question: right ones, less the penalty for each wrong one, less the samples drawn.
    Every row with a sample price is a scenario; penalties of Stroebl et al. are the document's own. A verifier is taken to
    accept every right answer, and wrong ones at one rate on all problems.
    """

    paper: str = column("document of the curve")
    benchmark: str = column("benchmark")
    system: str = column("system; for checkpoints with its training tokens")
    curve: str = column("curve within the document")
    status: str = column(STATUS_MEANING, isin=BELIEVED)
    n: pl.Int64 = column("questions; NULL where the document does not tell", unit="questions", nullable=True, ge=1)
    why_no_interval: str = column("why the ends of intervals are NULL; NULL where they are known", nullable=True)
    answer: str = column(
        "first_accepted: the first sample that the verifier accepts, or none; chosen_of_n: a vote or search always answers",
        isin=ANSWERS,
    )
    false_positive_rate: float = column(
        "share of wrong answers that the verifier accepts; NULL where none decides", nullable=True, ge=0, le=1
    )
    false_positive_basis: str = column(
        "scenario; printed_precision: from printed accuracy and precision of one sample; printed_reward: from the printed "
        "reward at the greatest penalty, read as that of one sample",
        isin=FALSE_POSITIVE_BASES,
        nullable=True,
    )
    false_positive_penalty: float = column("right answers that one wrong answer handed out costs", unit="right answers", ge=0)
    penalty_basis: str = column("stated: by the document; assumed: a scenario", isin=("stated", "assumed"))
    value_in_samples: float = column(
        "scenario: samples that a right answer is worth; NULL where samples are free, as in the document",
        unit="samples",
        nullable=True,
        gt=0,
    )
    most_samples: pl.Int64 = column(
        "end of the measured or replayed range",
        unit="samples",
        ge=1,
        derived_from=("test_time_figure.samples", "coverage_point.samples"),
    )
    curve_error: float = column(
        "greatest distance of the Beta from measured points between its two ends; NULL where there are none",
        nullable=True,
        ge=0,
    )
    best_samples: pl.Int64 = column(
        "number of samples worth most, 0 for no answer; of the measured numbers only where chosen_of_n",
        unit="samples",
        ge=0,
        derived_from=("test_time_figure.value", "coverage_point.coverage"),
    )
    best_samples_low: pl.Int64 = column(
        "least over the curve and both ends of its 95 % Wilson intervals", unit="samples", nullable=True, ge=0
    )
    best_samples_high: pl.Int64 = column("greatest over them", unit="samples", nullable=True, ge=0)
    net_value: float = column(
        "worth of a question at best_samples",
        unit="right answers",
        ge=0,
        derived_from=("test_time_figure.value", "coverage_point.coverage"),
    )
    net_value_low: float = column("worth at the best number on the low curve", unit="right answers", nullable=True)
    net_value_high: float = column("worth at the best number on the high curve", unit="right answers", nullable=True)
    sample_usd: float = column(
        "printed bill of a run over its samples; NULL where no document bills them",
        unit="usd",
        nullable=True,
        gt=0,
        derived_from=("test_time_figure.value",),
    )
    net_value_usd: float = column("net_value at that price; NULL where a sample has none", unit="usd", nullable=True, ge=0)
    loss_at_most_samples: float = column("worth lost by sampling on to most_samples", unit="right answers", ge=0)
    break_even_penalty: float = column(
        "penalty above which even one sample is worth less than none; below 0 it never pays",
        unit="right answers",
        nullable=True,
    )
    break_even_penalty_low: float = column("the same on the low curve", unit="right answers", nullable=True)
    break_even_penalty_high: float = column("the same on the high curve", unit="right answers", nullable=True)
    why_no_break_even: str = column("why break_even_penalty is NULL; NULL where it is known", nullable=True)
    best_samples_if_alike: pl.Int64 = column(
        "the same as if all problems were alike: none, or as many as still find an answer",
        unit="samples",
        nullable=True,
        ge=0,
    )
    published_best_samples: pl.Int64 = column(
        "optimum as the document has it", unit="samples", nullable=True, ge=0, derived_from=("test_time_figure.value",)
    )
    samples_error: pl.Int64 = column("best_samples less the published optimum", unit="samples", nullable=True)
    published_net_value: float = column(
        "worth there as the document has it", unit="right answers", nullable=True, derived_from=("test_time_figure.value",)
    )
    net_value_error: float = column("net_value less the published one", unit="right answers", nullable=True)
    loss_at_published: float = column(
        "worth lost on our curve by stopping at the published optimum", unit="right answers", nullable=True, ge=0
    )
    is_fitted: bool = column("the curve was put through this published worth, so it tests nothing", nullable=True)
    published_holds: bool = column(
        "the published number is as good as ours, and its worth is ours, to half a printed digit", nullable=True
    )

    class Config:
        name = "marts.best_samples"
        metadata = carried_from("test_time_figure")
        unique = [
            "paper",
            "benchmark",
            "system",
            "curve",
            "false_positive_rate",
            "false_positive_basis",
            "false_positive_penalty",
            "value_in_samples",
        ]
