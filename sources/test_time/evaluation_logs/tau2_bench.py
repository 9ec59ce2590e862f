"""tau2-bench: simulations between an agent and a simulated user, each with a reward."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sources.test_time.evaluation_logs.document import Document, decode
from sources.test_time.evaluation_logs.record import (
    SIMULATOR,
    Reading,
    Record,
    day,
    dollars,
    whole,
)

NAME = "tau2_bench"
NOT_THE_AGENTS = {"infrastructure_error", "unexpected_error", "user_error"}
"""Ends of an episode that are no answer of the agent; all other early ends are a reward of 0."""
WON = 1.0 - 1e-6


def recognises(document: Document) -> bool:
    """Simulations beside what was asked of them."""
    return {"simulations", "info"} <= set(document.top)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record of the agent per simulation, and one of the simulated user beside it."""
    for document in documents:
        yield from _records(document, reading)


def _records(document: Document, reading: Reading) -> Iterator[Record]:
    info = document.value("info") or {}
    agent, user = info.get("agent_info") or {}, info.get("user_info") or {}
    domain = (info.get("environment_info") or {}).get("domain_name")
    reading.usd_covers = "the agent's model and, apart, the simulated user's; a judge's cost is recorded nowhere"
    for simulation in _simulations(document):
        reward = (simulation.get("reward_info") or {}).get("reward")
        ended = simulation.get("termination_reason")
        error = str(ended) if ended in NOT_THE_AGENTS else None
        common: dict[str, Any] = {
            "benchmark": "tau2_bench" + (f"_{domain}" if domain else ""),
            "model": str(agent.get("llm") or "not stated"),
            "item": str(simulation.get("task_id")),
            "sample": int(simulation.get("trial") or 0),
            "run_on": day(simulation.get("start_time") or simulation.get("timestamp")),
        }
        tokens = _tokens(simulation.get("messages") or [])
        graded = None if reward is None and error else float(reward or 0.0)
        agent_usd, user_usd = dollars(simulation.get("agent_cost")), dollars(simulation.get("user_cost"))
        yield Record(
            **common,
            correct=None if graded is None else float(graded >= WON),
            score=graded,
            error=error,
            usd=agent_usd,
            usd_unknown=agent_usd == 0.0 and bool(tokens["assistant"]),
            **tokens["assistant"],
        )
        yield Record(
            **common,
            role=SIMULATOR,
            billed_model=user.get("llm"),
            made=False,
            usd=user_usd,
            usd_unknown=user_usd == 0.0 and bool(tokens["user"]),
            **tokens["user"],
        )
        if simulation.get("hallucination_retries_used"):
            reading.note("runs that were thrown away for hallucinating users are not billed in this log")


def _simulations(document: Document) -> Iterator[dict[str, Any]]:
    node = document.node("simulations")
    if node is not None and node.children:
        yield from document.elements("simulations")
        return
    for path in sorted((document.path.parent / "simulations").glob("*.json")):
        found = decode(path.read_bytes())
        if isinstance(found, dict):
            yield found


def _tokens(messages: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    sums: dict[str, dict[str, Any]] = defaultdict(dict)
    for message in messages:
        usage = message.get("usage") or {}
        part = sums[str(message.get("role"))]
        for name, key in (("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens")):
            count = whole(usage.get(key))
            if count is not None:
                part[name] = part.get(name, 0) + count
    return sums
