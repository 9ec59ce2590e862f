"""What is kept of a call for the warehouse: rows of raw.own_evaluation, one per run and point of its curve."""

from collections.abc import Iterator
from typing import Any

from answers.correct.record import Correct, Interval, RunCost

SINGLE = "single"


def rows_of(found: Correct) -> list[dict[str, Any]]:
    """A row per run with outcomes, and one per way of choosing among its samples."""
    return [row for run in found.runs if run.correct is not None and run.items for row in _rows(run)]


def _rows(run: RunCost) -> Iterator[dict[str, Any]]:
    subject = run.spend.get("subject")
    per_attempt = run.attempts or 0
    common = {
        "format": run.format,
        "benchmark": run.benchmark,
        "model": run.model,
        "run_on": run.run_to,
        "items": run.items,
        "attempts": run.attempts,
        "errors": run.errors,
        "usd_basis": run.usd_basis,
        "input_tokens_per_attempt": subject.input_tokens / per_attempt
        if subject is not None and subject.input_tokens is not None and per_attempt
        else None,
        "output_tokens_per_attempt": run.output_tokens_per_attempt,
        "reasoning_multiplier": run.reasoning_multiplier,
    }
    if run.accuracy.value is not None:
        each = run.usd_per_attempt if run.kind == "attempts" else run.usd_per_item
        yield common | _figures(SINGLE, 1, run.accuracy, each, run.usd_per_correct)
    for point in run.curve:
        if point.samples > 1 and point.accuracy.value is not None:
            yield common | _figures(point.selection, point.samples, point.accuracy, point.usd_per_item, point.usd_per_correct)


def _figures(
    selection: str, samples: int, accuracy: Interval, usd_per_item: float | None, per_correct: Interval
) -> dict[str, Any]:
    return {
        "selection": selection,
        "samples": samples,
        "accuracy": accuracy.value,
        "accuracy_low": accuracy.low,
        "accuracy_high": accuracy.high,
        "usd_per_item": usd_per_item or None,
        "usd_per_correct": per_correct.value,
        "usd_per_correct_low": per_correct.low,
        "usd_per_correct_high": per_correct.high,
    }
