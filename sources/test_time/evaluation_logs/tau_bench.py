"""tau-bench: episodes between an agent and a simulated user, each with a reward."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import (
    SIMULATOR,
    Reading,
    Record,
    dollars,
)

NAME = "tau_bench"
_FILE = re.compile(
    r"^(?:tool-calling|act|react|few-shot)-(?P<model>.+?)-[\d.]+_range_.*?_user-(?P<user>.+?)-(?:llm|react|"
    r"verify|reflection|human)",
    re.IGNORECASE,
)


def recognises(document: Document) -> bool:
    """A list of episodes with reward and trajectory."""
    return not document.is_lines and {"task_id", "reward", "traj"} <= set(document.example)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record of the agent per episode, and one of the simulated user beside it."""
    for document in documents:
        yield from _episodes(document, reading)


def _episodes(document: Document, reading: Reading) -> Iterator[Record]:
    named = _FILE.match(document.path.name)
    model = named.group("model") if named else "not stated"
    reading.usd_covers = "the simulated user only, and of it only the last message of each episode"
    reading.note("the agent's cost is not in this log: add its tokens, or bring the bill of its requests")
    for row in document.elements():
        info = row.get("info") or {}
        reward = None if row.get("reward") is None else float(row["reward"])
        common: dict[str, Any] = {
            "benchmark": "tau_bench",
            "model": model,
            "item": str(row["task_id"]),
            "sample": int(row.get("trial") or 0),
        }
        yield Record(
            **common,
            correct=None if reward is None else float(abs(reward - 1.0) <= 1e-6),
            score=reward,
            error=str(info["error"])[:200] if info.get("error") else None,
        )
        cost = dollars(info.get("user_cost"))
        yield Record(
            **common,
            role=SIMULATOR,
            billed_model=named.group("user") if named else None,
            made=False,
            usd=cost,
            usd_unknown=cost == 0.0,
        )
