"""LiveCodeBench: programs that tests grade, several per problem, without tokens or dollars."""

from collections.abc import Iterator, Sequence

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import (
    Reading,
    Record,
)

NAME = "livecodebench"


def recognises(document: Document) -> bool:
    """A list of problems with programs."""
    return not document.is_lines and {"question_id", "output_list"} <= set(document.example)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per program."""
    for document in documents:
        yield from _problems(document, reading)


def _problems(document: Document, reading: Reading) -> Iterator[Record]:
    model = document.path.parent.name or "not stated"
    reading.note("all samples of a problem share one prompt: a provider that draws them together bills the input once")
    for row in document.elements():
        outputs, grades = row.get("output_list") or [], row.get("graded_list")
        for sample in range(max(len(outputs), len(grades or []))):
            grade = None if grades is None or sample >= len(grades) else float(bool(grades[sample]))
            text = outputs[sample] if sample < len(outputs) else ""
            yield Record(
                benchmark="livecodebench",
                model=model,
                item=str(row["question_id"]),
                sample=sample,
                correct=grade,
                score=grade,
                error=None if text else "empty answer, as a failed request leaves it",
            )
