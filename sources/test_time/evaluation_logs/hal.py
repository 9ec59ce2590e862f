"""HAL uploads: grades per task, usage per call, dollars per run from HAL's own price table."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import Reading, Record, day, dollars, whole

NAME = "hal"
INPUTS = ("prompt_tokens", "input_tokens", "inputTokens")
OUTPUTS = ("completion_tokens", "output_tokens", "outputTokens")


def recognises(document: Document) -> bool:
    """A configuration with raw results beside them."""
    return {"config", "results"} <= set(document.top) and bool(
        {"raw_eval_results", "total_usage", "total_cost"} & set(document.top)
    )


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per task; the run's usage and dollars are shared out over its tasks by the tokens of their calls."""
    reading.usd_covers = "models of HAL's price table; a model that is not in it adds nothing"
    for document in documents:
        config = document.value("config") or {}
        results = document.value("results") or {}
        args = config.get("agent_args") or {}
        model = str(
            next(
                (args[key] for key in ("model_name", "agent.model.name", "model") if args.get(key)),
                config.get("agent_name", "not stated"),
            )
        )
        benchmark, ran = str(config.get("benchmark_name", "not stated")), day(config.get("date"))
        grades = dict(_grades(document, results))
        shares = _shares(document, list(grades))
        usage = document.value("total_usage") or {}
        summed = {
            "input_tokens": _total(usage, INPUTS),
            "output_tokens": _total(usage, OUTPUTS),
            "cache_read_tokens": _total(usage, ("cache_read_input_tokens",)),
            "cache_write_tokens": _total(usage, ("cache_creation_input_tokens",)),
        }
        stated = document.value("total_cost")
        usd = dollars(stated if stated is not None else results.get("total_cost"))
        per_task = results.get("costs") if isinstance(results.get("costs"), dict) else None
        if per_task is None and usd is not None:
            reading.note("the run's dollars are shared out over its tasks by the tokens of their calls")
        pieces = {name: _shared(total, shares) for name, total in summed.items()}
        for at, (task, scores) in enumerate(grades.items()):
            for sample, score in enumerate(scores):
                first = sample == 0
                tokens: dict[str, Any] = {name: parts[at] for name, parts in pieces.items() if first and parts}
                cost = dollars(per_task.get(task)) if per_task else (None if usd is None else usd * shares[at])
                yield Record(
                    benchmark=benchmark,
                    model=model,
                    item=task,
                    sample=sample,
                    run_on=ran,
                    score=score,
                    correct=None if score is None else float(score >= 1.0 - 1e-6),
                    usd=cost if first else None,
                    usd_unknown=cost == 0.0,
                    input_includes_cached=True,
                    output_includes_reasoning=True,
                    **tokens,
                )
        if len(usage) > 1:
            reading.note(f"{document.path.name}: {len(usage)} models share the bill: {', '.join(usage)}")


def _grades(document: Document, results: dict[str, Any]) -> Iterator[tuple[str, list[float | None]]]:
    solved, failed = results.get("successful_tasks"), results.get("failed_tasks")
    raw = document.node("raw_eval_results")
    listed = dict.fromkeys([*map(str, solved or []), *map(str, failed or [])])
    won = set(map(str, solved or []))
    if raw is None or not isinstance(raw.children, dict) or (listed and not set(listed) & set(raw.children)):
        for task in listed:
            yield task, [float(task in won)]
        return
    for task, value in document.members("raw_eval_results"):
        if isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
            yield task, [_score(part) for part in value]
        else:
            score = _score(value)
            yield task, [float(task in won) if score is None and listed else score]


def _score(value: Any) -> float | None:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, dict):
        for name in ("reward", "score", "resolved", "success", "correct", "passed"):
            if isinstance(value.get(name), (bool, int, float)):
                return float(value[name])
        right = [value.get(f"correct_{kind}_answers") for kind in ("written", "vision")]
        total = [value.get(f"total_{kind}_questions") for kind in ("written", "vision")]
        if any(part is not None for part in right) and any(total):
            return float(sum(part or 0 for part in right) == sum(part or 0 for part in total))
    return None


def _shares(document: Document, tasks: list[str]) -> list[float]:
    """The share of each task in the run's tokens; alike where no call names a task."""
    tokens: dict[str, float] = defaultdict(float)
    for call in document.elements("raw_logging_results"):
        used = ((call.get("summary") or {}).get("usage") or {}) if isinstance(call, dict) else {}
        task = str(call.get("weave_task_id") or (call.get("attributes") or {}).get("weave_task_id"))
        for counts in used.values():
            tokens[task] += sum(counts.get(name) or 0 for name in (*INPUTS, *OUTPUTS))
    known = sum(tokens[task] for task in tasks)
    if not known:
        return [1.0 / len(tasks)] * len(tasks)
    return [tokens[task] / known for task in tasks]


def _total(usage: dict[str, Any], names: Sequence[str]) -> int | None:
    found = [whole(counts.get(name)) for counts in usage.values() for name in names if counts.get(name) is not None]
    return sum(part or 0 for part in found) if found else None


def _shared(total: int | None, shares: list[float]) -> list[int] | None:
    """Whole parts that sum to the total."""
    if total is None:
        return None
    edges = [0.0]
    for share in shares:
        edges.append(edges[-1] + share * total)
    edges[-1] = float(total)
    ends = [round(edge) for edge in edges]
    return [after - before for before, after in pairwise(ends)]
