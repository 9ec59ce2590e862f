"""Harbor, which runs Terminal-Bench 2: one result per trial."""

from collections.abc import Iterator, Sequence

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import (
    Reading,
    Record,
    day,
    dollars,
    whole,
)

NAME = "harbor"


def recognises(document: Document) -> bool:
    """One trial's result."""
    return {"task_name", "trial_name", "agent_info"} <= set(document.top)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per trial."""
    for document in documents:
        yield _trial(document, reading)


def _trial(document: Document, reading: Reading) -> Record:
    row = {key: document.value(key) for key in document.top}
    reading.usd_covers = "the agent; trials without a result of the agent have no bill here"
    result, info = row.get("agent_result") or {}, (row.get("agent_info") or {})
    model = (info.get("model_info") or {}).get("name") or info.get("name") or "not stated"
    rewards = (row.get("verifier_result") or {}).get("rewards") or {}
    reward = rewards.get("reward", next(iter(rewards.values()), None))
    exception = (row.get("exception_info") or {}).get("exception_type")
    usd = dollars(result.get("cost_usd"))
    name = str(row["trial_name"])
    sample = name.rpartition("__")[2]
    input_ = whole(result.get("n_input_tokens"))
    return Record(
        benchmark=str(row.get("source") or "terminal_bench_2"),
        model=str(model),
        item=str(row["task_name"]),
        sample=int(sample) if sample.isdigit() else 0,
        correct=None if reward is None else float(float(reward) == 1.0),
        score=None if reward is None else float(reward),
        error=exception,
        run_on=day(row.get("started_at")),
        input_tokens=input_,
        output_tokens=whole(result.get("n_output_tokens")),
        cache_read_tokens=whole(result.get("n_cache_tokens")),
        input_includes_cached=True,
        output_includes_reasoning=True,
        usd=usd,
        usd_unknown=usd == 0.0 and bool(input_),
    )
