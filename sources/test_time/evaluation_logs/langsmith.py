"""LangSmith runs: parents repeat what their children cost, so root runs alone count."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import (
    Reading,
    Record,
    day,
    dollars,
    whole,
)

NAME = "langsmith"


def recognises(document: Document) -> bool:
    """Lines or a list of runs."""
    return {"run_type", "trace_id"} <= set(document.example)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per root run."""
    for document in documents:
        yield from _runs(document.rows(reading.refused), reading)


def _runs(rows: Iterator[dict[str, Any]], reading: Reading) -> Iterator[Record]:
    reading.usd_covers = "root runs, which repeat what their children cost"
    repeats: Counter[str] = Counter()
    models: dict[str, str] = {}
    roots: list[dict[str, Any]] = []
    for row in rows:
        if row.get("parent_run_id") is None:
            roots.append(row)
        elif row.get("run_type") == "llm":
            metadata = (row.get("extra") or {}).get("metadata") or {}
            name = metadata.get("ls_model_name") or ((row.get("extra") or {}).get("invocation_params") or {}).get("model")
            if name:
                models[str(row.get("trace_id"))] = str(name)
    for row in roots:
        metadata = (row.get("extra") or {}).get("metadata") or {}
        item = str(metadata.get("item_id") or row.get("reference_example_id") or row["id"])
        feedback = row.get("feedback_stats") or {}
        stated = {name: part.get("avg") for name, part in feedback.items() if isinstance(part, dict)}
        chosen = next((name for name in ("correct", "correctness", "accuracy") if name in stated), next(iter(stated), None))
        failed = row.get("status") == "error" or bool(row.get("error"))
        grade = stated.get(chosen) if chosen else None
        score = None if grade is None else float(grade)
        prompt, completion = row.get("prompt_token_details") or {}, row.get("completion_token_details") or {}
        usd, input_, output = (
            dollars(row.get("total_cost")),
            whole(row.get("prompt_tokens")),
            whole(row.get("completion_tokens")),
        )
        if failed and not input_ and not output:
            input_ = output = None
        writes = [
            whole(count) or 0 for name, count in prompt.items() if name == "cache_creation" or name.startswith("ephemeral")
        ]
        yield Record(
            benchmark=str(row.get("session_name") or row.get("session_id") or "not stated"),
            model=models.get(str(row.get("trace_id")), str(metadata.get("model") or "not stated")),
            item=item,
            sample=repeats[item],
            correct=None if score is None else float(score == 1.0),
            score=score,
            error=str(row.get("error") or "error")[:200] if failed else None,
            run_on=day(row.get("start_time")),
            input_tokens=input_,
            output_tokens=output,
            reasoning_tokens=whole(completion.get("reasoning")),
            cache_read_tokens=whole(prompt.get("cache_read")),
            cache_write_tokens=max(writes) if writes else None,
            input_includes_cached=True,
            output_includes_reasoning=True,
            usd=usd,
            usd_unknown=usd == 0.0 and bool(input_),
        )
        repeats[item] += 1
