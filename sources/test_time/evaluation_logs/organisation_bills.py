"""Usage and costs of an organisation at OpenAI and Anthropic: buckets by day and model, for the sum of a bill."""

from collections.abc import Iterator, Sequence
from datetime import date

from sources.test_time.evaluation_logs.document import Document
from sources.test_time.evaluation_logs.record import (
    Reading,
    Record,
    Total,
    day,
    dollars,
    whole,
)

NAME = "organisation_bills"
CENTS_PER_USD = 100.0


def recognises(document: Document) -> bool:
    """Pages of buckets with usage or costs."""
    return _format(document) is not None


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per bucket of usage and model; costs give totals by model."""
    reading.kind = "bill"
    for document in documents:
        kind = _format(document) or ""
        if kind.endswith("usage"):
            yield from _buckets(document, kind, reading)
        else:
            _costs(document, kind, reading)


def _format(document: Document) -> str | None:
    bucket = document.first("data") if "data" in document.top else None
    results = (bucket.get("results") or bucket.get("result") or []) if isinstance(bucket, dict) else []
    result = next((each for each in results if isinstance(each, dict)), {})
    if "uncached_input_tokens" in result:
        return "anthropic_usage"
    if "num_model_requests" in result:
        return "openai_usage"
    if "amount" in result:
        return "openai_costs" if isinstance(result["amount"], dict) else "anthropic_costs"
    return None


def _buckets(document: Document, kind: str, reading: Reading) -> Iterator[Record]:
    """A record per bucket and model, with its requests where they are counted."""
    reading.note("buckets of an account, not items: for the sum of a bill, which late data and other users of the key change")
    for bucket in document.elements("data"):
        ran = day(bucket.get("start_time") or bucket.get("starting_at"))
        for result in bucket.get("results") or bucket.get("result") or []:
            model, batch = (
                str(result.get("model") or "not stated"),
                result.get("batch") or result.get("service_tier") == "batch",
            )
            if kind == "openai_usage":
                yield Record(
                    model=model,
                    item=str(ran),
                    requests=whole(result.get("num_model_requests")),
                    input_tokens=whole(result.get("input_tokens")),
                    output_tokens=whole(result.get("output_tokens")),
                    cache_read_tokens=whole(result.get("input_cached_tokens")),
                    input_includes_cached=True,
                    output_includes_reasoning=True,
                    is_batch=bool(batch),
                    run_on=ran,
                )
                continue
            written = result.get("cache_creation") or {}
            hour, minutes = (whole(written.get(f"ephemeral_{span}_input_tokens")) or 0 for span in ("1h", "5m"))
            yield Record(
                model=model,
                item=str(ran),
                requests=None,
                input_tokens=whole(result.get("uncached_input_tokens")),
                output_tokens=whole(result.get("output_tokens")),
                cache_read_tokens=whole(result.get("cache_read_input_tokens")),
                cache_write_tokens=hour + minutes,
                cache_write_1h_tokens=hour,
                input_includes_cached=False,
                output_includes_reasoning=True,
                is_batch=bool(batch),
                run_on=ran,
            )


def _costs(document: Document, kind: str, reading: Reading) -> None:
    sums: dict[str, float] = {}
    first: date | None = None
    for bucket in document.elements("data"):
        first = first or day(bucket.get("start_time") or bucket.get("starting_at"))
        for result in bucket.get("results") or bucket.get("result") or []:
            if kind == "openai_costs":
                amount, model = (
                    dollars(result["amount"].get("value")),
                    str(result.get("line_item") or "not stated").split(",")[0],
                )
                currency = result["amount"].get("currency")
            else:
                cents = dollars(result["amount"])
                amount, model = (
                    None if cents is None else cents / CENTS_PER_USD,
                    str(result.get("model") or "not stated"),
                )
                currency = result.get("currency")
            if str(currency).lower() != "usd":
                reading.refused.append(f"{document.path.name}: a cost in {currency}, not USD")
                continue
            sums[model] = sums.get(model, 0.0) + (amount or 0.0)
    reading.usd_covers = "the account by day and line item" + ("; stated in cents" if kind == "anthropic_costs" else "")
    reading.totals.extend(Total(model=model, usd=amount, run_on=first) for model, amount in sums.items())
