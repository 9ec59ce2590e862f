"""LiteLLM's spend logs: one row per request; a judge's requests are told by their group of models."""

from collections.abc import Iterator, Sequence

from sources.test_time.evaluation_logs.document import Document, decode
from sources.test_time.evaluation_logs.record import (
    JUDGE,
    SUBJECT,
    Reading,
    Record,
    day,
    dollars,
    whole,
)

NAME = "litellm"


def recognises(document: Document) -> bool:
    """Lines or a list of rows of spend."""
    return {"request_id", "spend"} <= set(document.example)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per request."""
    reading.kind = "calls"
    for document in documents:
        yield from _requests(document, reading)


def _requests(document: Document, reading: Reading) -> Iterator[Record]:
    reading.usd_covers = "every request by LiteLLM's price table; 0 for a model it does not know"
    seen: set[str] = set()
    for row in document.rows(reading.refused):
        if str(row.get("request_id")) in seen:
            reading.note("rows of one request id are counted once")
            continue
        seen.add(str(row.get("request_id")))
        metadata = row.get("metadata") or {}
        metadata = decode(metadata.encode()) if isinstance(metadata, str) else metadata
        usage, extra = metadata.get("usage_object") or {}, metadata.get("additional_usage_values") or {}
        said = metadata.get("spend_logs_metadata") or {}
        spend, input_ = dollars(row.get("spend")), whole(row.get("prompt_tokens"))
        failed = "failure" in (row.get("status"), metadata.get("status"))
        reused = str(row.get("cache_hit")).lower() == "true"
        if reused:
            reading.note("answers from LiteLLM's response cache cost nothing; a rerun without it would")
        completion = usage.get("completion_tokens_details") or {}
        role = JUDGE if "judge" in str(row.get("model_group")).lower() else SUBJECT
        yield Record(
            model=str(row.get("model") or "not stated"),
            role=role,
            item=str(said.get("item_id") or row.get("session_id") or ""),
            sample=int(said.get("attempt") or 0),
            input_tokens=input_,
            output_tokens=whole(row.get("completion_tokens")),
            reasoning_tokens=whole(completion.get("reasoning_tokens")),
            cache_read_tokens=whole(extra.get("cache_read_input_tokens", usage.get("cache_read_input_tokens"))),
            cache_write_tokens=whole(extra.get("cache_creation_input_tokens", usage.get("cache_creation_input_tokens"))),
            input_includes_cached=True,
            output_includes_reasoning=True,
            usd=spend,
            usd_unknown=spend == 0.0 and bool(input_) and not reused and not failed,
            error="failure" if failed else None,
            run_on=day(row.get("startTime")),
        )
