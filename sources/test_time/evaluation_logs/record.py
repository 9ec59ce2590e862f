"""One line of an evaluation: an attempt at an item, or what a judge or a simulated user cost beside it.

Three states are kept apart: a number, a zero that is stated, and what is not known (None). Token counts are kept as the log
states them; whether the input holds what came from a cache, and the output what was thought, is said beside them.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import polars as pl

SUBJECT, JUDGE, SIMULATOR, RETRY, COPY = "subject", "judge", "simulator", "retry", "copy"
ROLES = (SUBJECT, JUDGE, SIMULATOR, RETRY, COPY)
"""retry: tries that were thrown away; copy: perturbed copies of an item, which are asked but are no attempts at it."""
NOT_STATED = "not stated"

_BATCH = 50_000
_SHORT_ANSWER = 64


class Record(msgspec.Struct, kw_only=True, gc=False):
    """What one attempt cost and whether it was right; a record of another role carries money and tokens alone.

    `correct` is 1 or 0, a share where a benchmark counts shares, None where the attempt was not graded. `score` is the grade as
    given. `error` names what went wrong, None where nothing did. An attempt that was planned but never made has `made` false.
    `group` names items that are drawn together, such as questions on one text; None where the item stands alone. `requests` is
    how many requests the record sums up, None where that is not told. `usd` is the cost as the log states it; `usd_unknown`
    says that a stated 0 is no price.
    """

    benchmark: str = NOT_STATED
    model: str = NOT_STATED
    item: str = ""
    group: str | None = None
    sample: int = 0
    requests: int | None = 1
    role: str = SUBJECT
    billed_model: str | None = None
    made: bool = True
    correct: float | None = None
    score: float | None = None
    error: str | None = None
    answer: str | None = None
    selector: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    answer_tokens: int | None = None
    input_includes_cached: bool | None = None
    output_includes_reasoning: bool | None = None
    usd: float | None = None
    usd_unknown: bool = False
    is_batch: bool = False
    run_on: date | None = None


SCHEMA: dict[str, Any] = {
    "benchmark": pl.String,
    "model": pl.String,
    "item": pl.String,
    "group": pl.String,
    "sample": pl.Int64,
    "requests": pl.Int64,
    "role": pl.String,
    "billed_model": pl.String,
    "made": pl.Boolean,
    "correct": pl.Float64,
    "score": pl.Float64,
    "error": pl.String,
    "answer": pl.String,
    "selector": pl.Float64,
    "input_tokens": pl.Int64,
    "output_tokens": pl.Int64,
    "reasoning_tokens": pl.Int64,
    "cache_read_tokens": pl.Int64,
    "cache_write_tokens": pl.Int64,
    "cache_write_1h_tokens": pl.Int64,
    "answer_tokens": pl.Int64,
    "input_includes_cached": pl.Boolean,
    "output_includes_reasoning": pl.Boolean,
    "usd": pl.Float64,
    "usd_unknown": pl.Boolean,
    "is_batch": pl.Boolean,
    "run_on": pl.Date,
}
TOKENS = ("input_tokens", "output_tokens", "reasoning_tokens", "cache_read_tokens", "cache_write_tokens")


class Total(msgspec.Struct, kw_only=True):
    """A run that its file states in sums only: no items, so no interval of a ratio."""

    benchmark: str = NOT_STATED
    model: str = NOT_STATED
    items: int | None = None
    attempts: int | None = None
    samples: int | None = None
    correct: float | None = None
    errors: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    usd: float | None = None
    usd_unknown: bool = False
    run_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Log:
    """What one format made of its files.

    `kind` is attempts (outcomes per item), calls (money and tokens of single requests, without outcomes) or bill (sums of an
    account). `usd_covers` says in words what the stated dollars hold. `refused` are lines on rows that could not be read.
    """

    format: str
    files: tuple[str, ...]
    kind: str
    records: pl.DataFrame
    totals: tuple[Total, ...] = ()
    usd_covers: str | None = None
    notes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Reading:
    """What a format finds while it reads: its notes and refused rows come beside the records."""

    kind: str = "attempts"
    usd_covers: str | None = None
    totals: list[Total] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self.notes:
            self.notes.append(text)


def frame(records: Iterable[Record | pl.DataFrame]) -> pl.DataFrame:
    """Records, or frames of them, as one frame, built some at a time so that a long log is never held as objects."""
    parts = [pl.DataFrame(schema=SCHEMA)]
    waiting: list[Record] = []
    for record in records:
        if isinstance(record, pl.DataFrame):
            parts.append(record.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items()))
            continue
        waiting.append(record)
        if len(waiting) == _BATCH:
            parts.append(_columns(waiting))
            waiting = []
    return pl.concat([*parts, _columns(waiting)])


def _columns(records: list[Record]) -> pl.DataFrame:
    return pl.DataFrame({name: [getattr(record, name) for record in records] for name in SCHEMA}, schema=SCHEMA)


def whole(value: Any) -> int | None:
    """A token count; None where it is not stated. Raises ValueError for one that is negative or no number."""
    if value is None or isinstance(value, bool):
        return None
    number = float(value)
    if not 0.0 <= number < float("inf"):
        raise ValueError(f"a count should be 0 or above, not {value}")
    return int(number)


def dollars(value: Any) -> float | None:
    """A cost in dollars; None where it is not stated. Raises ValueError for one that is negative or no number."""
    if value is None or value == "":
        return None
    number = float(value)
    if not 0.0 <= number < float("inf"):
        raise ValueError(f"a cost should be 0 or above, not {value}")
    return number


def day(value: Any) -> date | None:
    """Day in UTC of an ISO time, or of seconds since 1970; None where there is none or it cannot be read."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC).date()
    if not isinstance(value, str) or not value:
        return None
    try:
        found = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    return (found.astimezone(UTC) if found.tzinfo else found).date()


def answer_key(value: Any) -> str | None:
    """An answer as votes count it: trimmed and in small letters; a long one by its hash."""
    if value is None or isinstance(value, (list, dict)):
        return None
    text = " ".join(str(value).split()).lower()
    if not text:
        return None
    return text if len(text) <= _SHORT_ANSWER else hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def conventions(
    *,
    input_: int | None,
    output: int | None,
    total: int | None,
    read: int | None,
    write: int | None,
    reasoning: int | None,
) -> tuple[bool | None, bool | None]:
    """Whether the input holds cached tokens and the output reasoning, told from the sum the log states.

    None where the sum does not decide it: no sum, or nothing cached and nothing thought.
    """
    if total is None or input_ is None or output is None:
        return None, None
    cached, thought = (read or 0) + (write or 0), reasoning or 0
    for inside_input in (True, False):
        for inside_output in (True, False):
            parts = input_ + output + (0 if inside_input else cached) + (0 if inside_output else thought)
            if parts == total:
                return inside_input if cached else None, inside_output if thought else None
    return None, None
