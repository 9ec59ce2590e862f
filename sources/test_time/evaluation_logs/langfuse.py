"""Langfuse observations: each generation with buckets of tokens that add up; grades are kept elsewhere."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import (
    JUDGE,
    SUBJECT,
    Reading,
    Record,
    conventions,
    day,
    dollars,
    whole,
)

NAME = "langfuse"
SCORERS = ("scorer", "judge", "grader", "evaluator")
"""Words by which the name of a generation says that it grades."""


def recognises(document: Document) -> bool:
    """Lines or a list of observations."""
    keys = set(document.example)
    return {"traceId", "type"} <= keys and bool({"usageDetails", "costDetails", "usage"} & keys)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per generation."""
    for document in documents:
        yield from _observations(document.rows(reading.refused), reading)


def _observations(rows: Iterator[dict[str, Any]], reading: Reading) -> Iterator[Record]:
    reading.kind = "calls"
    reading.usd_covers = "each observation by Langfuse's own price table; a model it does not know has none"
    reading.note("grades are scores of their own in Langfuse: bring them as a table with item and correct")
    repeats: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row.get("type") != "GENERATION":
            continue
        usage = row.get("usageDetails") or row.get("usage") or {}
        metadata = row.get("metadata") if isinstance(row.get("metadata"), dict) else {}
        item = str((metadata or {}).get("item_id") or row.get("traceId"))
        role = JUDGE if any(word in str(row.get("name")).lower() for word in SCORERS) else SUBJECT
        failed = row.get("level") == "ERROR"
        # Buckets add up; only a sum that says otherwise holds cached or reasoning tokens twice.
        read = whole(_first(usage, "cache_read_input_tokens", "input_cached_tokens", "input_cache_read"))
        write = whole(_first(usage, "cache_creation_input_tokens", "input_cache_creation"))
        reasoning = whole(_first(usage, "output_reasoning_tokens", "output_reasoning", "reasoning_tokens"))
        input_, output = whole(usage.get("input")), whole(usage.get("output"))
        inside_input, inside_output = conventions(
            input_=input_, output=output, total=whole(usage.get("total")), read=read, write=write, reasoning=reasoning
        )
        usd = dollars(row.get("totalCost") if row.get("totalCost") is not None else (row.get("costDetails") or {}).get("total"))
        yield Record(
            benchmark="not stated",
            model=str(row.get("model") or "not stated"),
            item=item,
            sample=repeats[item, role],
            role=role,
            error=str(row.get("statusMessage") or "error")[:200] if failed else None,
            run_on=day(row.get("startTime")),
            input_tokens=input_,
            output_tokens=output,
            reasoning_tokens=reasoning,
            cache_read_tokens=read,
            cache_write_tokens=write,
            usd=usd,
            usd_unknown=usd == 0.0 and bool(input_ or output),
            input_includes_cached=bool(inside_input) if read or write else None,
            output_includes_reasoning=bool(inside_output) if reasoning else None,
        )
        repeats[item, role] += 1


def _first(counts: dict[str, Any], *names: str) -> Any:
    return next((counts[name] for name in names if counts.get(name) is not None), None)
