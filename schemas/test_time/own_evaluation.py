"""Contract of a user's own evaluation runs, as `iecon correct --keep` leaves them."""

import polars as pl

from schemas.base import Table, column

OWN_SELECTIONS = ("single", "coverage", "vote", "selector")
OWN_SELECTION_MEANING = (
    "single: every attempt counts by itself; coverage: some of N samples is right, which a check must find; vote: the most "
    "frequent of N answers; selector: the sample rated highest"
)


class OwnEvaluation(Table):
    """Your own evaluation runs, one row per model, benchmark, way of choosing and number of samples."""

    evaluation_id: str = column("id of the evaluation: first digits of the hash of its logs")
    kept_on: pl.Date = column("day on which it was kept")
    files: str = column("names of its logs")
    format: str = column("format of the log, such as inspect_ai")
    benchmark: str = column("benchmark, as the log or the user names it")
    model: str = column("model, as the log or the user names it")
    run_on: pl.Date = column("last day of the run, where the log states it", nullable=True)
    selection: str = column(OWN_SELECTION_MEANING, isin=OWN_SELECTIONS)
    samples: pl.Int64 = column("samples per item", unit="samples", ge=1)
    items: pl.Int64 = column("items of the benchmark that were asked", unit="questions", ge=1)
    attempts: pl.Int64 = column("attempts at them", unit="samples", nullable=True, ge=0)
    errors: pl.Int64 = column("attempts that broke", unit="samples", nullable=True, ge=0)
    accuracy: float = column("share of right answers", ge=0, le=1)
    accuracy_low: float = column("lower end of the 95 % interval over items", nullable=True, ge=0, le=1)
    accuracy_high: float = column("upper end of the 95 % interval over items", nullable=True, ge=0, le=1)
    usd_per_item: float = column("bill per item; NULL where not known", unit="usd", nullable=True, gt=0)
    usd_basis: str = column("stated by the log, by price of its tokens, or both", nullable=True)
    usd_per_correct: float = column("bill over correct answers", unit="usd", nullable=True, gt=0)
    usd_per_correct_low: float = column("lower end of the 95 % interval over items", unit="usd", nullable=True, ge=0)
    usd_per_correct_high: float = column(
        "upper end of the 95 % interval over items; NULL where it has none", unit="usd", nullable=True, gt=0
    )
    input_tokens_per_attempt: float = column("mean input tokens, as the log states them", unit="tokens", nullable=True, ge=0)
    output_tokens_per_attempt: float = column(
        "mean billed output tokens, reasoning included", unit="tokens", nullable=True, ge=0
    )
    reasoning_multiplier: float = column("R: billed output over output without reasoning", nullable=True, ge=1)

    class Config:
        name = "raw.own_evaluation"
        unique = ["evaluation_id", "format", "benchmark", "model", "selection", "samples"]
