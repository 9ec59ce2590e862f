"""Terminal-Bench 1: the results of a run, or of its trials one by one."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sources.test_time.evaluation_logs.document import Document, decode
from sources.test_time.evaluation_logs.record import Reading, Record, day, whole

NAME = "terminal_bench"
NO_FAILURE = (None, "unset", "none")

_TRIAL = re.compile(r"\.(\d+)-of-\d+\.")


def recognises(document: Document) -> bool:
    """Results with trials that are resolved or not, or one trial's result."""
    top = set(document.top)
    return {"results", "n_resolved"} <= top or {"task_id", "is_resolved", "failure_mode"} <= top


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per trial. A run's results hold those of its trials, which then count once."""
    seen: set[tuple[str, str]] = set()
    wholes = [document for document in documents if "results" in document.top]
    for document in [*wholes, *(document for document in documents if "results" not in document.top)]:
        rows: Iterator[dict[str, Any]] = document.elements("results") if "results" in document.top else iter([_plain(document)])
        model = _model(document)
        for row in rows:
            key = (str(row.get("id")), str(row.get("trial_name")))
            if key not in seen:
                seen.add(key)
                yield _trial(row, model, reading)


def _plain(document: Document) -> dict[str, Any]:
    return {key: document.value(key) for key in document.top}


def _model(document: Document) -> str:
    for folder in document.path.parents[:3]:
        beside = folder / "run_metadata.json"
        if beside.exists():
            return str(decode(beside.read_bytes()).get("model_name") or "not stated")
    return "not stated"


def _trial(row: dict[str, Any], model: str, reading: Reading) -> Record:
    tokens: dict[str, Any] = {name: whole(row.get(f"total_{name}")) for name in ("input_tokens", "output_tokens")}
    if not any(tokens.values()):
        if tokens["input_tokens"] == 0:
            reading.note("0 tokens are written by installed agents, which do not count them: not known")
        tokens = dict.fromkeys(tokens)
    failure = row.get("failure_mode")
    trial = _TRIAL.search(str(row.get("trial_name")))
    return Record(
        benchmark="terminal_bench",
        model=model,
        item=str(row["task_id"]),
        sample=int(trial.group(1)) - 1 if trial else 0,
        correct=float(bool(row.get("is_resolved"))),
        score=float(bool(row.get("is_resolved"))),
        error=None if failure in NO_FAILURE else str(failure),
        run_on=day(row.get("trial_started_at")),
        **tokens,
    )
