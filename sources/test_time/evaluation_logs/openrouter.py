"""OpenRouter's activity: one row per request, in credits."""

import csv
from collections.abc import Iterator, Sequence

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import (
    Reading,
    Record,
    day,
    dollars,
    whole,
)

NAME = "openrouter"
COLUMNS = {"generation_id", "cost_total", "tokens_prompt", "tokens_completion"}
BYOK = "byok_usage_inference"


def recognises(document: Document) -> bool:
    """The header of an activity file."""
    if document.is_json:
        return False
    header = document.head.decode("utf-8-sig", errors="replace").split("\n", 1)[0]
    return set(next(csv.reader([header.rstrip("\r")]), [])) >= COLUMNS


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per request."""
    reading.kind = "calls"
    for document in documents:
        yield from _requests(document, reading)


def _requests(document: Document, reading: Reading) -> Iterator[Record]:
    reading.usd_covers = "credits; what a provider billed on the user's own key is not in it"
    with document.bytes_at.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                usd, output = dollars(row.get("cost_total")), whole(row.get("tokens_completion") or None)
                byok = dollars(row.get(BYOK)) or 0.0
                cancelled = str(row.get("cancelled")).lower() == "true"
                record = Record(
                    model=str(row.get("model_permaslug") or "not stated"),
                    item=str(row["generation_id"]),
                    input_tokens=whole(row.get("tokens_prompt") or None),
                    output_tokens=output,
                    reasoning_tokens=whole(row.get("tokens_reasoning") or None),
                    cache_read_tokens=whole(row.get("tokens_cached") or None),
                    input_includes_cached=True,
                    output_includes_reasoning=True,
                    usd=usd,
                    usd_unknown=byok > 0.0 and usd == 0.0,
                    error="cancelled" if cancelled else None,
                    run_on=day(row.get("created_at")),
                )
            except ValueError as error:
                reading.refused.append(f"{document.path.name}, row {number}: {error}")
                continue
            if byok:
                reading.note(f"requests on the user's own key: their provider's bill ({BYOK}) is outside the credits")
            yield record
