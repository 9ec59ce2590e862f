"""ARC-AGI submissions: two attempts at each test pair; a task's score is the share of its pairs that any attempt solves."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sources.test_time.evaluation_logs.document import Document, decode
from sources.test_time.evaluation_logs.record import Reading, Record, conventions, day, dollars, whole

NAME = "arc_agi"
FOLDERS = ("tasks", "data", "data/evaluation", "data/training", "evaluation", "training")
"""Where the tasks may lie, seen from a folder above the submissions."""


def recognises(document: Document) -> bool:
    """A list of pairs with attempts, or a task with training and test pairs."""
    if document.top:
        return set(document.top) >= {"train", "test"} and isinstance(document.first("test"), dict)
    if not document.is_json or document.is_lines:
        return False
    first = document.first()
    return isinstance(first, dict) and any(name.startswith("attempt_") for name in first)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per attempt; the task's score stands at its first."""
    reading.usd_covers = "all attempts at all pairs, without a discount for cached tokens"
    tasks = {document.path.stem: document.path for document in documents if document.top}
    unscored = 0
    for document in documents:
        if document.top:
            continue
        answers = _answers(document.path, tasks)
        pairs = list(document.elements())
        attempts = [(pair, name, pair[name]) for pair in pairs for name in sorted(pair) if name.startswith("attempt_")]
        score = _score(pairs, answers)
        unscored += score is None
        for at, (_, _, attempt) in enumerate(attempts):
            yield _record(document, attempt, at, score if at == 0 else None)
    if unscored:
        reading.note(f"{unscored} tasks are not scored: bring the folder of their tasks too")


def _answers(path: Path, tasks: dict[str, Path]) -> list[Any] | None:
    found = tasks.get(path.stem)
    if found is None:
        places = [above / folder / path.name for above in path.parents[1:4] for folder in FOLDERS]
        found = next((place for place in places if place.exists()), None)
    if found is None:
        return None
    task = decode(found.read_bytes())
    return [pair.get("output") for pair in task.get("test") or []]


def _score(pairs: Sequence[dict[str, Any]], answers: list[Any] | None) -> float | None:
    solved = []
    for at, pair in enumerate(pairs):
        attempts = [part for name, part in pair.items() if name.startswith("attempt_") and isinstance(part, dict)]
        stated = [part.get("correct") for part in attempts]
        place = next(
            (
                part["metadata"]["pair_index"]
                for part in attempts
                if isinstance((part.get("metadata") or {}).get("pair_index"), int)
            ),
            at,
        )
        if any(grade is not None for grade in stated):
            solved.append(float(any(stated)))
        elif answers is not None and place < len(answers):
            solved.append(float(any(part.get("answer") == answers[place] for part in attempts)))
        else:
            return None
    return sum(solved) / len(solved) if solved else None


def _record(document: Document, attempt: Any, at: int, score: float | None) -> Record:
    common: dict[str, Any] = {
        "benchmark": "arc_agi",
        "item": document.path.stem,
        "sample": at,
        "correct": score,
        "score": score,
    }
    if not isinstance(attempt, dict):
        return Record(**common, model=document.path.parent.name, made=False, error="no attempt")
    metadata = attempt.get("metadata") or {}
    usage, cost = metadata.get("usage") or {}, metadata.get("cost") or {}
    prompt, completion = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    input_, output, total = (whole(usage.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    reasoning, read = whole(completion.get("reasoning_tokens")), whole(prompt.get("cached_tokens"))
    inside_input, inside_output = conventions(
        input_=input_, output=output, total=total, read=read, write=None, reasoning=reasoning
    )
    usd = dollars(cost.get("total_cost"))
    return Record(
        **common,
        model=str(metadata.get("test_id") or document.path.parent.name),
        billed_model=metadata.get("model"),
        run_on=day(metadata.get("start_timestamp")),
        input_tokens=input_,
        output_tokens=output,
        reasoning_tokens=reasoning,
        cache_read_tokens=read,
        input_includes_cached=inside_input,
        output_includes_reasoning=inside_output,
        usd=usd,
        usd_unknown=usd == 0.0 and bool(input_ or output),
    )
