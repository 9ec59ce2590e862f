"""Aider's benchmark: results per exercise, whose second try runs after a failure only, and its leaderboard of whole runs."""

from collections.abc import Iterator, Sequence
from typing import Any

from schemas.yaml_document import read_yaml
from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import Reading, Record, Total, day, dollars, whole

NAME = "aider"
BENCHMARK = "aider_polyglot"
FILE = ".aider.results.json"


def recognises(document: Document) -> bool:
    """Outcomes of one exercise, or a leaderboard in YAML."""
    if document.is_json:
        return "tests_outcomes" in document.top or (document.path.name == FILE and "exception" in document.top)
    head = document.head[:4096]
    return b"pass_rate_1:" in head and b"dirname:" in head


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per exercise; leaderboards give totals."""
    reading.usd_covers = "all tries of an exercise; 0 where no price is known, and for an exercise that broke"
    runs = [document for document in documents if document.is_json]
    model_of = {_run(document): str(document.value("model")) for document in runs if document.node("model")}
    for document in runs:
        run = _run(document)
        outcomes, cost = document.value("tests_outcomes") or [], dollars(document.value("cost"))
        broke = document.value("exception")
        yield Record(
            benchmark=BENCHMARK,
            model=str(document.value("model") or model_of.get(run) or "not stated"),
            item=str(document.value("testcase") or document.path.parent.name),
            run_on=day(run[:10]),
            correct=float(bool(outcomes and outcomes[-1])),
            score=float(bool(outcomes and outcomes[-1])),
            error=str(broke)[:200] if broke else None,
            input_tokens=whole(document.value("prompt_tokens")),
            output_tokens=whole(document.value("completion_tokens")),
            usd=cost,
            usd_unknown=cost == 0.0,
            output_includes_reasoning=True,
        )
    for document in documents:
        if not document.is_json:
            for row in read_yaml(document.bytes_at.read_bytes()) or []:
                reading.totals.append(_total(row))


def _run(document: Document) -> str:
    """The folder of the run: its name begins with the day."""
    return next((part for part in reversed(document.path.parts) if part[:4].isdigit() and "--" in part), "")


def _total(row: dict[str, Any]) -> Total:
    cases = int(row.get("test_cases") or row.get("total_tests") or 0)
    solved = row.get("pass_num_2", row.get("pass_num_1"))
    if solved is None:
        rate = row.get("pass_rate_2", row.get("pass_rate_1"))
        solved = None if rate is None else round(float(rate) / 100 * cases)
    cost = dollars(row.get("total_cost"))
    return Total(
        benchmark=BENCHMARK,
        model=str(row.get("model")),
        items=cases,
        attempts=cases,
        samples=1,
        correct=None if solved is None else float(solved),
        input_tokens=whole(row.get("prompt_tokens")),
        output_tokens=whole(row.get("completion_tokens")),
        usd=cost,
        usd_unknown=cost == 0.0,
        run_on=day(str(row.get("date"))),
    )
