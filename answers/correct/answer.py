"""Dollars per correct answer from a user's own evaluation logs."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from answers.correct.prices import price
from answers.correct.record import Correct, LogRead, Pair, RunCost, Way
from answers.correct.runs import ERRORS, WRONG, Items, log_read, runs_of
from answers.correct.ways import by_benchmark, pairs_of, ways_of
from sources.test_time.evaluation_logs import read_logs


class CorrectError(ValueError):
    """A question that cannot be answered as asked; `code` is the exit code."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


def correct(
    paths: Sequence[Path],
    *,
    warehouse: Path | None = None,
    benchmark: str | None = None,
    model: str | None = None,
    errors: str = WRONG,
    price_date: date | None = None,
    today: date | None = None,
) -> Correct:
    """What a correct answer costs, per model and benchmark, from evaluation logs in files and folders.

    `warehouse` is a published release, for tokens without dollars. `benchmark` and `model` fill in where a log does not state
    them. `errors`: wrong, left-out or retried. `price_date` prices all tokens anew on that day.
    Raises CorrectError for a file that is not there, or a word that is not known.
    """
    if errors not in ERRORS:
        raise CorrectError(f"--errors {errors}: known are {', '.join(ERRORS)}")
    if price_date is not None and warehouse is None:
        raise CorrectError("--price-date needs prices: run `iecon refresh` first", code=1)
    try:
        read = read_logs(paths, benchmark=benchmark, model=model)
    except ValueError as error:
        raise CorrectError(str(error)) from None
    now = today or datetime.now(UTC).date()
    logs: list[LogRead] = []
    runs: list[tuple[RunCost, Items | None]] = []
    for log in read.logs:
        priced = price(log.records, warehouse=warehouse, price_date=price_date, today=now)
        runs.extend(runs_of(log, priced.records, errors=errors))
        logs.append(log_read(log, priced.records, notes=priced.notes))
    pairs: list[Pair] = []
    ways: list[Way] = []
    notes: list[str] = []
    if warehouse is None:
        notes.append("no warehouse is published: tokens have no price until `iecon refresh` has run")
    for name, group in by_benchmark(runs).items():
        pairs.extend(pairs_of(name, group))
        found, said = ways_of(name, group)
        ways.extend(found)
        notes.extend(said)
    return Correct(
        logs=tuple(logs),
        runs=tuple(run for run, _ in runs),
        pairs=tuple(pairs),
        ways=tuple(ways),
        unread=tuple(f"{path}: {reason}" for path, reason in read.unread),
        refused=tuple(line for log in read.logs for line in log.refused),
        skipped=read.skipped,
        notes=tuple(dict.fromkeys(notes)),
        logs_sha256=read.sha256,
    )
