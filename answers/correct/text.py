"""What the logs tell, as a person reads it at 80 columns, and as rows for a spreadsheet."""

import csv
from collections.abc import Iterator
from itertools import groupby
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape

from answers.correct.record import Correct, Interval, Pair, RunCost, Spend, Way
from answers.text import UNKNOWN, number, share, show_rows, usd
from answers.text import say as line_of

MOST_PAIRS = 10
ROLE_NAMES = {
    "subject": "answers",
    "judge": "judge",
    "simulator": "simulated user",
    "retry": "thrown-away tries",
    "copy": "perturbed copies",
}
COLUMNS = (
    "kind",
    "benchmark",
    "model",
    "selection",
    "samples",
    "items",
    "attempts",
    "correct",
    "errors",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "usd_per_item",
    "usd_per_correct",
    "usd_per_correct_low",
    "usd_per_correct_high",
    "needs_check",
    "usd",
    "judge_usd",
    "simulator_usd",
    "retry_usd",
    "input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "usd_basis",
    "format",
)


def show_correct(found: Correct, *, console: Console) -> None:
    """Each run with its money and interval, curves over samples, pairs of models, and the cheapest ways."""

    def say(text: str = "") -> None:
        line_of(escape(text), console=console)

    for run in found.runs:
        for line in _run(run):
            say(line)
        if run.curve:
            _show_curve(run, console=console)
        say()
    for line in _pairs(found.pairs):
        say(line)
    for benchmark, ways in groupby(found.ways, key=lambda way: way.benchmark):
        listed = list(ways)
        if len(listed) > 1:
            say(f"Cheapest ways to each accuracy on {benchmark} ({listed[0].items:,} items)")
            _show_ways(listed, console=console)
            say("* only with a check that never errs, such as tests\n" if any(way.needs_check for way in listed) else "")
    for log in found.logs:
        if log.usd_covers:
            say(f"{log.format}: dollars of the log are of: {log.usd_covers}")
        for note in log.notes:
            say(f"{log.format}: {note}")
    for note in found.notes:
        say(f"Note: {note}")
    if found.skipped:
        say(f"Note: {found.skipped} files of the folders are of no known format")


def write_csv(found: Correct, stream: TextIO) -> None:
    """A row per run, point of a curve and way; what is not known is empty."""
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in _rows(found):
        writer.writerow({name: value for name, value in row.items() if value is not None})


def _rows(found: Correct) -> Iterator[dict[str, Any]]:
    for run in found.runs:
        subject = run.spend.get("subject")
        yield {
            "kind": "run",
            "benchmark": run.benchmark,
            "model": run.model,
            "samples": run.samples_per_item,
            "items": run.items,
            "attempts": run.attempts,
            "correct": run.correct,
            "errors": run.errors,
            "usd_per_item": run.usd_per_item,
            "usd_basis": run.usd_basis,
            "format": run.format,
            **_ends("accuracy", run.accuracy),
            **_ends("usd_per_correct", run.usd_per_correct),
            **({name: getattr(subject, name) for name in COLUMNS if hasattr(subject, name)} if subject else {}),
            **{f"{role}_usd": run.spend[role].usd for role in ("judge", "simulator", "retry") if role in run.spend},
        }
        for point in run.curve:
            yield {
                "kind": "curve",
                "benchmark": run.benchmark,
                "model": run.model,
                "selection": point.selection,
                "samples": point.samples,
                "items": run.items,
                "usd_per_item": point.usd_per_item,
                "needs_check": point.selection == "coverage",
                **_ends("accuracy", point.accuracy),
                **_ends("usd_per_correct", point.usd_per_correct),
            }
    for way in found.ways:
        yield {
            "kind": "way",
            "benchmark": way.benchmark,
            "model": way.way,
            "selection": way.kind,
            "samples": way.samples,
            "items": way.items,
            "usd_per_item": way.usd_per_item,
            "needs_check": way.needs_check,
            **_ends("accuracy", way.accuracy),
            **_ends("usd_per_correct", way.usd_per_correct),
        }


def _ends(name: str, part: Interval) -> dict[str, float | None]:
    return {name: part.value, f"{name}_low": part.low, f"{name}_high": part.high}


def _run(run: RunCost) -> Iterator[str]:
    what = f"{run.model} on {run.benchmark}" if run.benchmark != "not stated" else run.model
    if run.correct is None:
        yield f"{what}: money and tokens alone, no outcomes"
    else:
        cost = _usd(run.usd_per_correct)
        yield f"{what}: " + (f"{cost} per correct answer" if cost != UNKNOWN else "what a correct answer costs is not known")
        right = share(run.accuracy.value, run.accuracy.low, run.accuracy.high)
        yield f"  {number(run.correct)} of {run.graded:,} right, {right}"
    counts = [f"{value:,} {name}" for value, name in ((run.items, "items"), (run.attempts, "attempts")) if value is not None]
    if run.errors:
        counts.append(f"{run.errors} errors" + (f", counted {run.errors_counted}" if run.correct is not None else ""))
    if counts:
        yield "  " + ", ".join(counts)
    if run.usd_per_item is not None:
        yield f"  {usd(run.usd_per_item)} per item ({run.usd_basis})"
    for role, spend in run.spend.items():
        yield f"  {ROLE_NAMES[role]}: {_spend(spend)}"
    if run.usd_per_correct_all_roles is not None and len(run.spend) > 1:
        yield f"  {usd(run.usd_per_correct_all_roles)} per correct answer with judge and simulated user"
    if run.output_tokens_per_attempt is not None:
        thinking = "" if run.reasoning_multiplier is None else f", R {run.reasoning_multiplier:.2f}"
        yield f"  {number(run.output_tokens_per_attempt)} output tokens per attempt{thinking}"
    if run.usd_per_correct_if_unknown_is_free is not None:
        yield f"  {usd(run.usd_per_correct_if_unknown_is_free)} per correct answer if what has no known bill were free"
    for note in run.notes:
        yield f"  {note}"


def _spend(spend: Spend) -> str:
    tokens = [
        f"{value:,} {name}"
        for value, name in (
            (spend.input_tokens, "in"),
            (spend.cache_read_tokens, "from cache"),
            (spend.cache_write_tokens, "to cache"),
            (spend.output_tokens, "out"),
            (spend.reasoning_tokens, "reasoning"),
        )
        if value is not None
    ]
    unknown = f"; {spend.records_without_usd:,} of {spend.records:,} not known" if spend.records_without_usd else ""
    return f"{usd(spend.usd)}{unknown}" + (f" ({', '.join(tokens)})" if tokens else "")


def _show_curve(run: RunCost, *, console: Console) -> None:
    rows = []
    for count, points in groupby(sorted(run.curve, key=lambda point: point.samples), key=lambda point: point.samples):
        found = {point.selection: point for point in points}
        shown = [
            share(found[name].accuracy.value, found[name].accuracy.low, found[name].accuracy.high) if name in found else UNKNOWN
            for name in ("coverage", "vote", "selector")
        ]
        rows.append((f"  {count}", *shown, usd(found["coverage"].usd_per_item, digits=3)))
    figures = ("right by coverage *", "by vote", "by selector", "$/item")
    show_rows(("  N", *figures), rows, console=console, right=figures)


def _show_ways(listed: list[Way], *, console: Console) -> None:
    rows = [
        (
            escape(way.way) + (" *" if way.needs_check else ""),
            share(way.accuracy.value),
            usd(way.usd_per_item, digits=3),
            _usd(way.usd_per_correct),
        )
        for way in listed
    ]
    figures = ("right", "$/item", "$/correct (95 %)")
    show_rows(("way", *figures), rows, console=console, right=figures)


def _pairs(pairs: tuple[Pair, ...]) -> Iterator[str]:
    if not pairs:
        return
    yield "Models on the same items (first less second)"
    for pair in pairs[:MOST_PAIRS]:
        gap = pair.accuracy_difference
        yield f"  {pair.first} and {pair.second} on {pair.benchmark}, {pair.items:,} items:"
        yield f"    accuracy {_signed(gap, 100.0)} points; $/correct {_signed(pair.usd_per_correct_difference, 1.0)}"
        yield f"    either right {share(pair.union_accuracy)}; {pair.cascade_order[0]} first, then the other *:"
        each = usd(pair.cascade_usd_per_item, digits=3)
        yield f"    {each} per item, {_usd(pair.cascade_usd_per_correct)} per correct answer"
    if len(pairs) > MOST_PAIRS:
        yield f"  and {len(pairs) - MOST_PAIRS} more pairs (--json)"
    yield ""


def _signed(part: Interval, factor: float) -> str:
    if part.value is None:
        return UNKNOWN
    around = "" if part.low is None or part.high is None else f" ({factor * part.low:+.3g} to {factor * part.high:+.3g})"
    return f"{factor * part.value:+.3g}{around}"


def _usd(part: Interval) -> str:
    if part.value is None:
        return UNKNOWN
    if part.low is None:
        return usd(part.value, digits=3)
    high = "no bound" if part.high is None else usd(part.high, digits=3)
    return f"{usd(part.value, digits=3)} ({usd(part.low, digits=3)} to {high})"
