"""lm-evaluation-harness: results by task, and samples with a line per document and filter; no tokens, no dollars."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sources.test_time.evaluation_logs.document import Document, decode
from sources.test_time.evaluation_logs.record import Reading, Record, Total, answer_key, day

NAME = "lm_eval"
METRICS = ("exact_match", "acc", "acc_norm", "pass@1", "pass_at_1", "prompt_level_strict_acc", "em", "f1")
"""Those that decide where a task has several, the first first."""

_TIME = re.compile(r"_(\d{4}-\d\d-\d\dT[\d.:-]+)$")


def recognises(document: Document) -> bool:
    """Results with their configurations, or lines of samples."""
    if document.is_lines:
        return {"doc_id", "resps", "target"} <= set(document.first_line)
    return {"results", "configs", "versions"} <= set(document.top)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """Samples as records; results as totals where their samples are not at hand too."""
    logs = [document for document in documents if document.is_lines]
    sampled: set[tuple[Path, str]] = set()
    for document in logs:
        task = _task(document.path)
        sampled.add((document.path.parent, task))
        yield from _samples(document, task, reading)
    for document in documents:
        if not document.is_lines:
            results = document.value("results") or {}
            groups = set((document.value("group_subtasks") or {}).keys())
            for task, metrics in results.items():
                if (document.path.parent, task) in sampled or (task in groups and len(results) > 1):
                    continue
                total = _total(document, task, metrics)
                if total is not None:
                    reading.totals.append(total)


def _task(path: Path) -> str:
    stem = _TIME.sub("", path.stem)
    return stem.removeprefix("samples_") or path.stem


def _model(path: Path) -> tuple[str, Any]:
    """Model and time of the run from the results beside its samples, else the folder's name."""
    for beside in sorted(path.parent.glob("results_*.json")):
        try:
            found = decode(beside.read_bytes())
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("model_name"):
            return str(found["model_name"]), found.get("date")
    return path.parent.name.replace("__", "/") or "not stated", None


def _samples(document: Document, task: str, reading: Reading) -> Iterator[Record]:
    model, ran = _model(document.path)
    time = _TIME.search(document.path.stem)
    run_on = day(ran) or (day(time.group(1)[:10]) if time else None)
    deciding: str | None = None
    others: set[str] = set()
    seen: set[Any] = set()
    for number, line in document.lines():
        if isinstance(line, ValueError) or not isinstance(line, dict) or "doc_id" not in line:
            reading.refused.append(f"{document.path.name}, line {number}: not a sample ({str(line)[:80]})")
            continue
        name = str(line.get("filter", "none"))
        deciding = name if deciding is None else deciding
        if name != deciding:
            others.add(name)
            continue
        if line["doc_id"] in seen:
            # Without a filter's name, older files repeat a document once per filter.
            others.add("a later line of the same document")
            continue
        seen.add(line["doc_id"])
        score = _score(line)
        repeats = _repeats(line)
        kept = (line.get("filtered_resps") or [None])[0]
        for sample in range(repeats):
            yield Record(
                benchmark=task,
                model=model,
                item=str(line["doc_id"]),
                sample=sample,
                run_on=run_on,
                correct=(float(score == 1.0) if score is not None else None) if sample == 0 else None,
                score=score if sample == 0 else None,
                answer=answer_key(kept) if sample == 0 else None,
            )
    if others:
        reading.note(f"{task}: the filter {deciding} decides; left out: {', '.join(sorted(others))}")


def _repeats(line: dict[str, Any]) -> int:
    """Samples drawn per request; a choice among answers is one attempt, however many were weighed."""
    resps = line.get("resps") or []
    first = resps[0] if resps else []
    if len(resps) != 1 or not isinstance(first, list) or any(isinstance(part, list) for part in first):
        return 1
    return max(len(first), 1)


def _score(line: dict[str, Any]) -> float | None:
    names = [name for name in line.get("metrics") or [] if isinstance(line.get(name), (int, float))]
    names = names or [name for name in METRICS if isinstance(line.get(name), (int, float))]
    chosen = next((name for name in METRICS if name in names), names[0] if names else None)
    return None if chosen is None else float(line[chosen])


def _total(document: Document, task: str, metrics: dict[str, Any]) -> Total | None:
    stated = {key: value for key, value in metrics.items() if isinstance(value, (int, float)) and "," in key}
    plain = {key: value for key, value in stated.items() if "stderr" not in key}
    chosen = next((key for name in METRICS for key in plain if key.split(",")[0] == name), next(iter(plain), None))
    counts = (document.value("n-samples") or {}).get(task) or {}
    n = counts.get("effective") or metrics.get("sample_len")
    if chosen is None or not n:
        return None
    repeats = ((document.value("configs") or {}).get(task) or {}).get("repeats") or 1
    return Total(
        benchmark=task,
        model=str(document.value("model_name") or "not stated"),
        items=int(n),
        samples=int(repeats),
        correct=round(plain[chosen] * n, 6),
        errors=0,
        run_on=day(document.value("date")),
    )
