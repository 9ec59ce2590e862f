"""promptfoo: results as JSON, JSON lines or CSV. Each repeat has a test number of its own, so an item is its variables."""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import (
    JUDGE,
    Reading,
    Record,
    answer_key,
    conventions,
    day,
    dollars,
    whole,
)

NAME = "promptfoo"
ERROR = 2
"""`failureReason` of a provider that failed; 1 is an answer that did not pass."""
STATUS = "Status"


def recognises(document: Document) -> bool:
    """Results with an `evalId`, rows alone, or the CSV with a block per provider."""
    if document.is_json:
        if document.is_lines:
            return {"promptIdx", "testIdx", "provider", "vars"} <= set(document.first_line)
        return "results" in document.top and ("evalId" in document.top or document.node("results", "prompts") is not None)
    header = _header(document)
    return header.count(STATUS) >= 1 and "Named Scores" in header and "Grader Reason" in header


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per row, and one of the judge beside it where an assertion asked one."""
    for document in documents:
        if not document.is_json:
            yield from _csv(document, reading)
            continue
        reading.usd_covers = "the subject; a judge is never in it"
        ran = None if document.is_lines else day(document.value("results", "timestamp"))
        benchmark = document.path.stem if document.is_lines else _benchmark(document)
        repeats: Counter[tuple[str, str]] = Counter()
        for row in document.rows(reading.refused) if document.is_lines else document.elements("results", "results"):
            yield from _row(row, benchmark, ran, repeats, reading)


def _benchmark(document: Document) -> str:
    config = document.value("config") or {}
    return str(config.get("description") or document.path.parent.name or "not stated")


def _row(
    row: dict[str, Any], benchmark: str, ran: Any, repeats: Counter[tuple[str, str]], reading: Reading
) -> Iterator[Record]:
    provider = row.get("provider")
    model = str(provider.get("id") if isinstance(provider, dict) else provider)
    # The number of the prompt also tells providers apart, so the prompt's own text is taken.
    prompt = (row.get("prompt") or {}).get("label") or row.get("promptId") or ""
    item = f"{prompt} {json.dumps(row.get('vars'), sort_keys=True)}"
    sample = repeats[model, item]
    repeats[model, item] += 1
    usage = (row.get("response") or {}).get("tokenUsage") or row.get("tokenUsage") or {}
    failed = row.get("failureReason") == ERROR or (row.get("failureReason") is None and bool(row.get("error")))
    common: dict[str, Any] = {"benchmark": benchmark, "model": model, "item": item, "sample": sample, "run_on": ran}
    cost = dollars(row.get("cost"))
    tokens = _tokens(usage) if not failed or any(part for part in usage.values() if isinstance(part, int)) else {}
    if usage.get("cached") and not usage.get("prompt"):
        reading.note("answers from promptfoo's own cache have no prompt or completion: their tokens are not known")
    yield Record(
        **common,
        correct=float(bool(row.get("success"))),
        score=row.get("score"),
        error=str(row.get("error") or "provider failed")[:200] if failed else None,
        usd=cost,
        usd_unknown=cost == 0.0,
        answer=answer_key((row.get("response") or {}).get("output")),
        **tokens,
    )
    judged = (row.get("gradingResult") or {}).get("tokensUsed") or {}
    if judged.get("total"):
        yield Record(
            **common,
            role=JUDGE,
            made=False,
            input_tokens=whole(judged.get("prompt")),
            output_tokens=whole(judged.get("completion")),
        )


def _tokens(usage: dict[str, Any]) -> dict[str, Any]:
    details = usage.get("completionDetails") or {}
    input_, output, total = (whole(usage.get(name)) for name in ("prompt", "completion", "total"))
    if input_ is None and output is None:
        return {}
    reasoning, read = whole(details.get("reasoning")), whole(details.get("cacheReadInputTokens"))
    write = whole(details.get("cacheCreationInputTokens"))
    inside_input, inside_output = conventions(
        input_=input_, output=output, total=total, read=read, write=write, reasoning=reasoning
    )
    return {
        "input_tokens": input_,
        "output_tokens": output,
        "reasoning_tokens": reasoning,
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "input_includes_cached": inside_input,
        "output_includes_reasoning": inside_output,
    }


def _header(document: Document) -> list[str]:
    line = document.head.decode("utf-8-sig", errors="replace").split("\n", 1)[0]
    return next(csv.reader([line.rstrip("\r")]), [])


def _csv(document: Document, reading: Reading) -> Iterator[Record]:
    """One row per test; each provider has a block that begins with its name and its answer."""
    reading.note("promptfoo's CSV has neither tokens nor cost: export JSON")
    with document.bytes_at.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = next(rows)
        blocks = [at for at, name in enumerate(header) if name == STATUS]
        variables = header[: blocks[0] - 1]
        repeats: Counter[tuple[str, int]] = Counter()
        for row in rows:
            item = json.dumps(dict(zip(variables, row, strict=False)), sort_keys=True)
            for block in blocks:
                status = row[block].upper() if block < len(row) else ""
                model = header[block - 1].removeprefix("[").partition("]")[0]
                sample = repeats[item, block]
                repeats[item, block] += 1
                score = row[block + 1] if block + 1 < len(row) else ""
                yield Record(
                    benchmark=document.path.parent.name,
                    model=model,
                    item=item,
                    sample=sample,
                    correct=float(status == "PASS"),
                    score=float(score) if score else None,
                    error="provider failed" if status == "ERROR" else None,
                    answer=answer_key(row[block - 1]),
                )
