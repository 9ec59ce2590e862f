"""OpenCompass: results with details per question; lengths stand in the predictions of the same data set."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import Reading, Record, Total, answer_key, day, whole

NAME = "opencompass"

_PART = re.compile(r"_\d+$")


def recognises(document: Document) -> bool:
    """An accuracy with details, or numbered predictions."""
    top = document.top
    if "accuracy" in top and ("details" in top or document.path.parent.parent.name == "results"):
        return True
    first = document.first() if top and top[0].isdigit() else None
    return isinstance(first, dict) and "prediction" in first and "origin_prompt" in first


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per question of each result; predictions alone hold tokens and no grade."""
    results = [document for document in documents if "accuracy" in document.top]
    graded = {(_run(document.path), document.path.parent.name, document.path.stem) for document in results}
    for document in results:
        yield from _graded(document, reading)
    for document in documents:
        key = (_run(document.path), document.path.parent.name, _PART.sub("", document.path.stem))
        if "accuracy" not in document.top and key not in graded:
            for item, row in document.members():
                yield Record(benchmark=key[2], model=key[1], item=item, **_lengths(row))


def _run(path: Path) -> Path:
    return path.parent.parent.parent


def _graded(document: Document, reading: Reading) -> Iterator[Record]:
    model, benchmark = document.path.parent.name, document.path.stem
    ran = day(_run(document.path).name.split("_")[0])
    lengths = _predictions(document.path)
    details = document.node("details")
    if details is None or not details.children:
        reading.totals.append(
            Total(
                benchmark=benchmark,
                model=model,
                items=len(lengths) or None,
                run_on=ran,
                correct=document.value("accuracy") / 100 * len(lengths) if lengths else None,
            )
        )
        reading.note("results without details: nothing is known per question (--dump-eval-details)")
        return
    rows = (
        document.members("details")
        if isinstance(details.children, dict)
        else ((str(at), row) for at, row in enumerate(document.elements("details")))
    )
    for item, row in rows:
        if not isinstance(row, dict):
            continue
        correct = row.get("correct", row.get("is_correct"))
        grade = None if correct is None else float(correct[0] if isinstance(correct, list) else correct)
        yield Record(
            benchmark=benchmark,
            model=model,
            item=item,
            run_on=ran,
            correct=None if grade is None else float(grade == 1.0),
            score=grade,
            answer=answer_key(row.get("predictions", row.get("pred"))),
            **_lengths(lengths.get(item) or {}),
        )


def _predictions(path: Path) -> dict[str, dict[str, Any]]:
    """Predictions of the data set, in one file or in numbered parts, whose questions count on."""
    folder = _run(path) / "predictions" / path.parent.name
    whole_file = folder / path.name
    parts = (
        [whole_file]
        if whole_file.exists()
        else sorted(
            (each for each in folder.glob(f"{path.stem}_*.json") if _PART.sub("", each.stem) == path.stem),
            key=lambda each: int(each.stem.rpartition("_")[2]),
        )
    )
    found: dict[str, dict[str, Any]] = {}
    for part in parts:
        before = len(found)
        for at, (_, row) in enumerate(Document(part).members()):
            found[str(before + at)] = row
    return found


def _lengths(row: dict[str, Any]) -> dict[str, Any]:
    return {"input_tokens": whole(row.get("all_input_length")), "output_tokens": whole(row.get("res_length"))}
