"""What is said of a user's evaluation runs: per model and benchmark, per pair of models, and per way of answering."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A figure with its 95 % interval over items; an end that is not known, or has no bound, is None."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Spend:
    """Tokens and dollars of one role. Tokens are as the log states them; `usd` fills what it leaves out by a dated price.

    `usd_stated` is the sum of the log's own figures. `records_without_usd` have neither a figure nor a price: not known, not 0.
    """

    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    usd: float | None
    usd_stated: float | None
    records: int
    records_without_usd: int


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """What N samples per item give: by coverage (a check must find the right one), majority vote, or a selector."""

    selection: str
    samples: int
    accuracy: Interval
    usd_per_item: float | None
    usd_per_correct: Interval


@dataclass(frozen=True, kw_only=True)
class RunCost:
    """One model on one benchmark, as one format's logs tell it.

    `correct` counts answers with the full grade; `graded` attempts have a grade. `usd_per_correct` is the bill of all attempts,
    thrown-away ones included, over correct answers; with a judge and a simulated user it is `usd_per_correct_all_roles`.
    `usd_per_item` is all that was paid for an item, `usd_per_attempt` a mean attempt at it.
    `usd_per_correct_if_unknown_is_free` is its least where some attempts have no known bill; those stand at the mean else.
    """

    format: str
    kind: str
    benchmark: str
    model: str
    canonical_model: str | None
    run_from: date | None
    run_to: date | None
    items: int | None
    attempts: int | None
    samples_per_item: int | None
    graded: int | None
    correct: float | None
    errors: int | None
    errors_counted: str
    accuracy: Interval
    mean_score: float | None
    input_includes_cached: bool | None
    output_includes_reasoning: bool | None
    spend: dict[str, Spend]
    spend_of_all_roles: Spend | None
    usd_basis: str | None
    usd_per_attempt: float | None
    usd_per_item: float | None
    usd_per_correct: Interval
    usd_per_correct_all_roles: float | None
    usd_per_correct_if_unknown_is_free: float | None
    output_tokens_per_attempt: float | None
    reasoning_multiplier: float | None
    curve: tuple[CurvePoint, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two models on the items both have answered. Union and cascade need a check that never errs."""

    benchmark: str
    first: str
    second: str
    items: int
    accuracy_difference: Interval
    usd_per_correct_difference: Interval
    union_accuracy: float
    union_usd_per_correct: float | None
    cascade_order: tuple[str, str]
    cascade_usd_per_item: float
    cascade_usd_per_correct: Interval


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to answer that none other beats in accuracy and $ per item; `needs_check`: only with a check that never errs."""

    benchmark: str
    way: str
    kind: str
    models: tuple[str, ...]
    samples: int
    needs_check: bool
    items: int
    accuracy: Interval
    usd_per_item: float
    usd_per_correct: Interval


@dataclass(frozen=True, kw_only=True)
class LogRead:
    """The files of one format, with their sums; `usd_covers` says what their dollars hold, where they state any."""

    format: str
    files: tuple[str, ...]
    items: int | None
    attempts: int | None
    correct: float | None
    errors: int
    spend: dict[str, Spend]
    spend_of_all_roles: Spend | None
    usd_covers: str | None
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Correct:
    """All that the logs tell. `unread` are files that no format reads, `refused` rows that could not be believed."""

    logs: tuple[LogRead, ...]
    runs: tuple[RunCost, ...]
    pairs: tuple[Pair, ...]
    ways: tuple[Way, ...]
    unread: tuple[str, ...]
    refused: tuple[str, ...]
    skipped: int
    notes: tuple[str, ...]
    logs_sha256: str
