"""EvalPlus: programs for HumanEval and MBPP, graded by base and by added tests, without tokens or dollars."""

from collections.abc import Iterator, Sequence
from typing import Any

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import (
    Reading,
    Record,
    answer_key,
    day,
)

NAME = "evalplus"
PASS, TIMEOUT = "pass", "timeout"


def recognises(document: Document) -> bool:
    """Statuses per task."""
    return "eval" in document.top and "status" not in document.top and _is_statuses(document.first("eval"))


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per program."""
    for document in documents:
        yield from _programs(document, reading)


def _is_statuses(value: Any) -> bool:
    if isinstance(value, dict):  # as older versions write it
        return "base" in value or "nfiles" in value
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and "base_status" in value[0]


def _programs(document: Document, reading: Reading) -> Iterator[Record]:
    reading.note("a program is right where it passes the base and the plus tests, the latter where they were run")
    ran = day(document.value("date"))
    for task, programs in document.members("eval"):
        if isinstance(programs, dict):
            programs = _older(programs)  # noqa: PLW2901
        for sample, program in enumerate(programs):
            base, plus = program.get("base_status"), program.get("plus_status")
            passed = base == PASS and plus in (PASS, None)
            yield Record(
                benchmark="humaneval" if task.startswith("HumanEval") else "mbpp" if task.startswith("Mbpp") else "evalplus",
                model=document.path.stem.removesuffix("_eval_results").removesuffix(".eval_results"),
                item=task,
                sample=sample,
                correct=float(passed),
                score=float(passed),
                run_on=ran,
                error=TIMEOUT if TIMEOUT in (base, plus) else None,
                answer=answer_key(program.get("solution")),
            )


def _older(statuses: dict[str, Any]) -> list[dict[str, Any]]:
    base, plus = statuses.get("base") or [], statuses.get("plus") or []
    return [
        {
            "base_status": status[0] if isinstance(status, list) else status,
            "plus_status": (plus[at][0] if isinstance(plus[at], list) else plus[at]) if at < len(plus) else None,
        }
        for at, status in enumerate(base)
    ]
