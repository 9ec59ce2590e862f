"""OpenAI evals: a log of events; the subject's and a judge's requests share the id of their sample and cannot be told apart."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import Reading, Record, answer_key, day, whole

NAME = "openai_evals"
CHOICES = ("accuracy", "score", "correct", "f1_score")


def recognises(document: Document) -> bool:
    """Lines that begin with a specification, or events of samples."""
    first = document.first_line if document.is_lines else {}
    return "spec" in first or {"event_id", "sample_id", "type", "data"} <= set(first)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per sample, put together from its events."""
    for document in documents:
        spec: dict[str, Any] = {}
        samples: dict[str, dict[str, Any]] = defaultdict(dict)
        finished = False
        for number, line in document.lines():
            if not isinstance(line, dict):
                reading.refused.append(f"{document.path.name}, line {number}: not JSON")
            elif "spec" in line:
                spec = line["spec"]
            elif "final_report" in line:
                finished = True
            elif "sample_id" in line:
                _event(samples[str(line["sample_id"])], line)
        if not finished:
            reading.note(f"{document.path.name}: no final report, the run was broken off")
        names = spec.get("completion_fns") or ["not stated"]
        for item, found in samples.items():
            if any(count > 1 for count in [found.get("requests", 0)]):
                reading.note("samples with several requests may hold a judge's tokens among the subject's")
            score = found.get("score")
            yield Record(
                benchmark=str(spec.get("base_eval") or spec.get("eval_name") or "not stated"),
                model=str(names[0]),
                item=item,
                correct=None if score is None else float(score == 1.0),
                score=score,
                error=found.get("error"),
                answer=answer_key(found.get("answer")),
                input_tokens=found.get("input"),
                output_tokens=found.get("output"),
                cache_read_tokens=found.get("cached"),
                reasoning_tokens=found.get("reasoning"),
                input_includes_cached=True,
                output_includes_reasoning=True,
                run_on=day(found.get("at")),
            )


def _event(sample: dict[str, Any], line: dict[str, Any]) -> None:
    data = line.get("data") or {}
    sample.setdefault("at", line.get("created_at"))
    match line.get("type"):
        case "match":
            sample["score"] = float(bool(data.get("correct")))
            sample["answer"] = data.get("picked")
        case "metrics" if "score" not in sample:
            name = next((name for name in CHOICES if isinstance(data.get(name), (bool, int, float))), None)
            if name is not None:
                sample["score"] = float(data[name])
        case "error":
            sample["error"] = str(data.get("message") or data.get("type") or "error")[:200]
        case "sampling":
            sample["requests"] = sample.get("requests", 0) + 1
            usage = data.get("usage") or {}
            details = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
            for name, count in (
                ("input", usage.get("prompt_tokens")),
                ("output", usage.get("completion_tokens")),
                ("cached", details[0].get("cached_tokens")),
                ("reasoning", details[1].get("reasoning_tokens")),
            ):
                if count is not None:
                    sample[name] = sample.get(name, 0) + (whole(count) or 0)
