"""SWE-bench per instance, and mini-swe-agent's trajectories with the report that grades them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sources.test_time.evaluation_logs.document import Document, decode
from sources.test_time.evaluation_logs.record import Reading, Record, day, dollars, whole

NAME = "swe_bench"
BENCHMARK = "swe_bench_verified"
SUBMITTED = "Submitted"
REPORT = ("resolved_ids", "unresolved_ids")
PREDICTION = {"model_name_or_path", "instance_id", "model_patch"}


def recognises(document: Document) -> bool:
    """Models with instances that are resolved or not, a trajectory, or a report of resolved ids."""
    top = set(document.top)
    if {"info", "trajectory_format"} <= top or {"info", "messages", "instance_id"} <= top:
        return True
    return (set(REPORT) <= top and "results" not in top) or "leaderboards" in top or _is_models(document)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per model and instance, or per trajectory."""
    reading.usd_covers = "the agent's model; calls of failed and limited runs included"
    reports: dict[Path, dict[str, Any]] = {}
    runs: list[Document] = []
    for document in documents:
        if set(REPORT) <= set(document.top):
            reports[document.path] = {name: document.value(name) or [] for name in (*REPORT, "error_ids", "empty_patch_ids")}
        elif "info" in document.top:
            runs.append(document)
        elif "leaderboards" in document.top:
            yield from _leaderboards(document)
        elif not _is_predictions(document):
            for model, instances in document.members():
                yield from _instances(model, instances)
    for document in runs:
        yield from _trajectory(document, reports, reading)
    if reports and not runs:
        for path, report in reports.items():
            yield from _reported(path, report)
    if runs and not any(_report_of(document, reports) for document in runs):
        reading.note("no report of resolved ids lies beside the trajectories: nothing is graded")


def _is_predictions(document: Document) -> bool:
    """Patches that were handed in: they tell neither grade nor cost."""
    first = document.first()
    return isinstance(first, dict) and set(first) >= PREDICTION


def _is_models(document: Document) -> bool:
    first = document.first() if document.top else None
    instance = next(iter(first.values()), None) if isinstance(first, dict) else None
    if isinstance(first, dict) and set(first) >= PREDICTION:
        return True
    return isinstance(instance, dict) and "resolved" in instance and ("cost" in instance or "api_calls" in instance)


def _leaderboards(document: Document) -> Iterator[Record]:
    for board in document.elements("leaderboards"):
        for result in board.get("results") or []:
            details = result.get("per_instance_details")
            if isinstance(details, dict):
                yield from _instances(str(result.get("name", "not stated")), details, board=str(board.get("name")))


def _instances(model: str, instances: dict[str, Any], board: str | None = None) -> Iterator[Record]:
    """A record per instance. Where other instances of the model cost something, one that states 0 made no call that did."""
    unpriced = not any(result.get("cost") for result in instances.values())
    for item, result in instances.items():
        cost = dollars(result.get("cost"))
        yield Record(
            benchmark=BENCHMARK if board in (None, "bash-only") else f"swe_bench_board_{board}".lower(),
            model=model,
            item=item,
            correct=float(bool(result.get("resolved"))),
            score=float(bool(result.get("resolved"))),
            usd=cost,
            usd_unknown=unpriced,
        )


def _report_of(document: Document, reports: dict[Path, dict[str, Any]]) -> dict[str, Any] | None:
    """The report whose folder is nearest above the trajectory; one is looked for beside it where none was given."""
    for folder in document.path.parents[:3]:
        for path, report in reports.items():
            if path.parent == folder:
                return report
        for path in sorted(folder.glob("*.json")):
            if path in reports or path == document.path or path.name == "preds.json":
                continue
            found = _report(path)
            if found:
                reports[path] = found
                return found
    return None


def _reported(path: Path, report: dict[str, Any]) -> Iterator[Record]:
    """A report alone: grades without cost. Its name begins with the model."""
    for name in ("resolved_ids", "unresolved_ids", "empty_patch_ids", "error_ids"):
        for item in report[name]:
            yield Record(
                benchmark=BENCHMARK,
                model=path.name.split(".")[0],
                item=str(item),
                correct=float(name == "resolved_ids"),
                score=float(name == "resolved_ids"),
                error="error" if name == "error_ids" else None,
            )


def _report(path: Path) -> dict[str, Any] | None:
    try:
        found = decode(path.read_bytes())
    except (ValueError, OSError):
        return None
    return found if isinstance(found, dict) and set(REPORT) <= set(found) else None


def _trajectory(document: Document, reports: dict[Path, dict[str, Any]], reading: Reading) -> Iterator[Record]:
    info = document.value("info") or {}
    stats = info.get("model_stats") or {}
    item = str(document.value("instance_id") or document.path.name.removesuffix(".traj.json"))
    sums: dict[str, Any] = {
        "input_tokens": 0,
        "output_tokens": 0,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "reasoning_tokens": 0,
    }
    known: set[str] = set()
    used, model, ran = 0, None, None
    for message in document.elements("messages"):
        extra = message.get("extra") or {}
        response = extra.get("response") or {}
        usage = response.get("usage")
        ran = ran or day(extra.get("timestamp"))
        if usage:
            used += 1
            model = model or response.get("model")
            for name, count in _counts(usage).items():
                if count is not None:
                    sums[name] += count
                    known.add(name)
    calls = stats.get("api_calls")
    if calls is not None and used and calls > used:
        reading.note("some calls failed: they are counted by the agent and have no usage")
    report = _report_of(document, reports)
    grade = None
    if report is not None:
        listed = {str(name) for names in report.values() for name in names}
        grade = float(item in {str(name) for name in report["resolved_ids"]}) if item in listed else None
    status = info.get("exit_status")
    cost = dollars(stats.get("instance_cost"))
    configured = ((info.get("config") or {}).get("model") or {}).get("model_name")
    yield Record(
        benchmark=BENCHMARK,
        model=str(configured or model or "not stated"),
        item=item,
        correct=grade,
        score=grade,
        run_on=ran,
        error=None if status in (None, "", SUBMITTED) else str(status),
        usd=cost,
        usd_unknown=cost == 0.0 and bool(calls or used),
        input_includes_cached=True,
        output_includes_reasoning=True,
        **{name: sums[name] for name in known},
    )


def _counts(usage: dict[str, Any]) -> dict[str, int | None]:
    prompt, completion = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    return {
        "input_tokens": whole(usage.get("prompt_tokens")),
        "output_tokens": whole(usage.get("completion_tokens")),
        "cache_read_tokens": whole(usage.get("cache_read_input_tokens", prompt.get("cached_tokens"))),
        "cache_write_tokens": whole(usage.get("cache_creation_input_tokens")),
        "reasoning_tokens": whole(completion.get("reasoning_tokens")),
    }
