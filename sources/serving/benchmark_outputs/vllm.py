"""vLLM `bench serve`: one flat JSON object per run, latencies in milliseconds; `--append-result` writes one per line.

Old files have `request_goodput:` with a stray colon and no `failed`. The file knows neither GPU nor price, and of the
engine only which client talked to it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sources.serving.benchmark_outputs.document import Document, example, objects
from sources.serving.benchmark_outputs.fields import Point, RowError, count, latencies, load, mapping, number, text
from sources.serving.benchmark_outputs.iso_dates import day
from sources.serving.benchmark_outputs.per_request import DETAIL_KEYS, detailed_run, with_details

NAME = "vllm"
NOT_KEPT = DETAIL_KEYS
ENGINES = {
    "vllm": "vllm",
    "sglang": "sglang",
    "tensorrt-llm": "tensorrt-llm",
    "trt": "tensorrt-llm",
    "lmdeploy": "lmdeploy",
    "tgi": "tgi",
    "deepspeed-mii": "deepspeed-mii",
}
"""Engine by the name of the client backend; `openai` and its kin may talk to any engine."""


def recognises(document: Document) -> bool:
    """Whether the document is a run of vLLM's serving benchmark."""
    record = example(document)
    has_latency = any(key.endswith(("_ttft_ms", "_tpot_ms", "_itl_ms", "_e2el_ms")) for key in record)
    return has_latency and ("total_token_throughput" in record or "model_id" in record or "num_prompts" in record)


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """Runs of the file with their place in it."""
    return objects(document)


def point(record: Any) -> Point:
    """Operating point of one run. TPOT is (E2E - TTFT)/(n - 1) per request: vLLM, benchmarks/serve.py."""
    record = mapping(record, "run")
    n_requests, duration_s = count(record, "completed"), number(record, "duration", positive=True)
    summary: Point = {}
    for name, key in (("ttft", "ttft"), ("tpot", "tpot"), ("itl", "itl"), ("e2e", "e2el")):
        summary |= latencies(record, name, statistic_keys(key, unit="_ms"), scale=1e-3)
    figures = with_details(summary, detailed_run(record))
    return {
        "engine": engine_of(text(record, "backend") or text(record, "endpoint_type")),
        "model": text(record, "model_id"),
        "measured_on": day(text(record, "date"), "date"),
        "n_requests": n_requests,
        "n_failed": _failed(record, n_requests),
        "duration_s": duration_s,
        "tpot_definition": "after_first_token",
        "percentile_basis": "requests",
        **load(
            rate=record.get("request_rate"),
            in_flight=number(record, "max_concurrency", positive=True),
            states_in_flight="max_concurrency" in record,
            n_requests=n_requests,
            burstiness=number(record, "burstiness", positive=True),
        ),
        **throughput(record, n_requests, duration_s),
        **goodput(record),
        **figures,
    }


def statistic_keys(name: str, *, unit: str) -> dict[str, tuple[str, ...]]:
    """Keys of each statistic of a latency in the manner of vLLM: mean_, median_ or p50_, p90_, p99_, p99.9_."""
    return {
        "mean": (f"mean_{name}{unit}",),
        "p50": (f"median_{name}{unit}", f"p50_{name}{unit}"),
        "p90": (f"p90_{name}{unit}",),
        "p99": (f"p99_{name}{unit}",),
        "p999": (f"p99.9_{name}{unit}",),
    }


def throughput(record: Mapping[str, Any], n_requests: int | None, duration_s: float | None) -> Point:
    """Rates of the whole system, and mean lengths from the totals."""
    tokens_in, tokens_out = number(record, "total_input_tokens"), number(record, "total_output_tokens")
    output = number(record, "output_throughput")
    total = number(record, "total_token_throughput")
    stated_input = number(record, "input_throughput")
    point: Point = {
        "requests_per_s": number(record, "request_throughput"),
        "output_tokens_per_s": output,
        "input_tokens_per_s": stated_input if stated_input is not None else _rate(tokens_in, duration_s),
        "total_tokens_per_s": total,
    }
    if n_requests:
        point["input_tokens_mean"] = None if tokens_in is None else tokens_in / n_requests
        point["output_tokens_mean"] = None if tokens_out is None else tokens_out / n_requests
    for key, tokens in (("output_throughput", tokens_out), ("input_throughput", tokens_in)):
        agrees_with_totals(record, key, tokens, duration_s)
    agrees_with_totals(record, "request_throughput", n_requests, duration_s)
    return point


def agrees_with_totals(record: Mapping[str, Any], key: str, total: float | None, duration_s: float | None) -> None:
    """RowError where a rate is not its total over the duration: one of the three is in another unit."""
    rate, expected = number(record, key), _rate(total, duration_s)
    if rate and expected and not 0.5 < rate / expected < 2:
        raise RowError(
            "rate_differs_from_total",
            f"{key} is {rate:.6g} per second, the totals over the duration give {expected:.6g}",
            column=key,
            value=rate,
        )


def goodput(record: Mapping[str, Any]) -> Point:
    """Requests per second inside the bounds of the run, and their share; the bounds themselves are not in the file."""
    good = number(record, "request_goodput")
    if good is None:
        good = number(record, "request_goodput:")
    finished = number(record, "request_throughput")
    if good is None or not finished:
        return {"goodput_per_s": good}
    if good > finished * (1 + 1e-9):
        raise RowError("goodput_above_throughput", "more good requests than requests", column="request_goodput", value=good)
    return {"goodput_per_s": good, "attainment": min(1.0, good / finished)}


def engine_of(client: str | None) -> str | None:
    """Engine behind a client backend such as `vllm` or `sglang-oai-chat`; None where the client does not tell."""
    if client is None:
        return None
    name = client.lower()
    return next((engine for prefix, engine in ENGINES.items() if name == prefix or name.startswith(f"{prefix}-")), None)


def _rate(total: float | None, duration_s: float | None) -> float | None:
    return None if total is None or not duration_s else total / duration_s


def _failed(record: Mapping[str, Any], n_requests: int | None) -> int | None:
    failed, sent = count(record, "failed"), count(record, "num_prompts")
    if failed is not None or sent is None or n_requests is None:
        return failed
    if n_requests > sent:
        raise RowError("more_finished_than_sent", "more requests finished than were sent", column="completed", value=n_requests)
    return sent - n_requests
