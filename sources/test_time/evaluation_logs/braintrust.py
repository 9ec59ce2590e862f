"""Braintrust experiments: spans whose root is the attempt; spans of scorers are the judge."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import (
    JUDGE,
    Reading,
    Record,
    day,
    dollars,
    whole,
)

NAME = "braintrust"


def recognises(document: Document) -> bool:
    """Lines or a list of spans with scores."""
    return {"span_id", "root_span_id", "scores"} <= set(document.example)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per root span, and one per span of a scorer."""
    for document in documents:
        yield from _spans(document.rows(reading.refused), document.path.stem, reading)


def _spans(rows: Iterator[dict[str, Any]], experiment: str, reading: Reading) -> Iterator[Record]:
    reading.usd_covers = "the span's own estimate; spans of scorers are apart"
    names: dict[str, dict[str, Any]] = {}
    repeats: Counter[str] = Counter()
    waiting: list[dict[str, Any]] = []
    for row in rows:
        if not (row.get("is_root") or row.get("span_id") == row.get("root_span_id")):
            waiting.append(row)
            continue
        metadata, metrics = row.get("metadata") or {}, row.get("metrics") or {}
        scores = {name: value for name, value in (row.get("scores") or {}).items() if value is not None}
        item = str(
            metadata.get("item_id") or (row.get("origin") or {}).get("id") or json.dumps(row.get("input"), sort_keys=True)
        )
        common: dict[str, Any] = {
            "benchmark": experiment,
            "model": str(metadata.get("model") or "not stated"),
            "item": item,
            "sample": repeats[item],
            "run_on": day(row.get("created")),
        }
        names[str(row["span_id"])] = common
        repeats[item] += 1
        if len(scores) > 1:
            reading.note(f"scores {', '.join(scores)}: {next(iter(scores))}, the first, decides")
        score = float(next(iter(scores.values()))) if scores else None
        usd = dollars(metrics.get("estimated_cost"))
        yield Record(
            **common,
            correct=None if score is None else float(score == 1.0),
            score=score,
            error=str(row["error"])[:200] if row.get("error") else None,
            usd=usd,
            usd_unknown=usd == 0.0 and bool(metrics.get("prompt_tokens")),
            **_tokens(metrics),
        )
    for row in waiting:
        kind = row.get("span_attributes") or {}
        owner = names.get(str(row.get("root_span_id")))
        if owner is not None and (kind.get("purpose") == "scorer" or kind.get("type") == "score"):
            metrics = row.get("metrics") or {}
            yield Record(
                **owner,
                role=JUDGE,
                made=False,
                billed_model=(row.get("metadata") or {}).get("model"),
                usd=dollars(metrics.get("estimated_cost")),
                **_tokens(metrics),
            )


def _tokens(metrics: dict[str, Any]) -> dict[str, Any]:
    return {
        "input_tokens": whole(metrics.get("prompt_tokens")),
        "output_tokens": whole(metrics.get("completion_tokens")),
        "reasoning_tokens": whole(metrics.get("completion_reasoning_tokens")),
        "cache_read_tokens": whole(metrics.get("prompt_cached_tokens")),
        "cache_write_tokens": whole(metrics.get("prompt_cache_creation_tokens")),
        "input_includes_cached": True,
        "output_includes_reasoning": True,
    }
