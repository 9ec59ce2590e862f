"""simple-evals: all results of HealthBench with usage per example; other evaluations keep scores only."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import Reading, Record, Total, whole

NAME = "simple_evals"
FAILED = "No response (bad request)."


def recognises(document: Document) -> bool:
    """A score with conversations."""
    return {"score", "convos"} <= set(document.top)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per example; an evaluation without examples gives a total."""
    for document in documents:
        benchmark, model = _names(document.path.stem)
        examples = document.node("metadata", "example_level_metadata")
        first = document.first("metadata", "example_level_metadata")
        if examples is None or not isinstance(first, dict):
            convos = document.node("convos")
            count = len(convos.children or []) if convos else 0
            score = document.value("score")
            reading.totals.append(
                Total(
                    benchmark=benchmark,
                    model=model,
                    items=count or None,
                    correct=None if score is None or not count else float(score) * count,
                )
            )
            reading.note("this evaluation keeps neither items nor usage")
            continue
        reading.note("the grader's tokens are not kept; a graded score counts as correct where it is full")
        repeats: Counter[str] = Counter()
        for example in document.elements("metadata", "example_level_metadata"):
            yield _record(example, benchmark, model, repeats)


def _names(stem: str) -> tuple[str, str]:
    """Evaluation and model from `<eval>_<model>_<date>_allresults`."""
    parts = stem.removesuffix("_allresults").split("_")
    while len(parts) > 2 and parts[-1].isdigit():
        parts.pop()
    return parts[0], "_".join(parts[1:]) or "not stated"


def _record(example: dict[str, Any], benchmark: str, model: str, repeats: Counter[str]) -> Record:
    usage = example.get("usage") or {}
    item = str(example.get("prompt_id") or hashlib.sha256(json.dumps(example.get("prompt")).encode()).hexdigest()[:16])
    sample = repeats[item]
    repeats[item] += 1
    score = example.get("score")
    said = [part.get("content") for part in example.get("completion") or [] if isinstance(part, dict)]
    return Record(
        benchmark=benchmark,
        model=model,
        item=item,
        sample=sample,
        correct=None if score is None else float(score >= 1.0 - 1e-9),
        score=score,
        error=FAILED if FAILED in said else None,
        input_tokens=whole(usage.get("input_tokens")),
        output_tokens=whole(usage.get("output_tokens")),
        reasoning_tokens=whole(usage.get("output_reasoning_tokens")),
        cache_read_tokens=whole(usage.get("input_cached_tokens")),
        input_includes_cached=True,
        output_includes_reasoning=True,
    )
