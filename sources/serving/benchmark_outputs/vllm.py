"""vLLM `bench serve`: one flat JSON object per run, latencies in milliseconds; `--append-result` writes one per line.

Old files have `request_goodput:` with a stray colon and no `failed`. `bench sweep serve` adds what it varied to each run, and
lists the runs in `summary.json` and `summary.csv`; its warm-up has run number -1. The client speaks OpenAI's protocol, so
that `backend: vllm` says nothing of the server, and `model_id` is the name the server answers to, often a path.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sources.serving.benchmark_outputs.document import Document, objects, table_rows
from sources.serving.benchmark_outputs.fields import (
    NO_RUN,
    Point,
    RowError,
    count,
    latencies,
    load,
    mapping,
    number,
    optional,
    require_answers,
    require_text_task,
    text,
)
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
"""Engine by the name of the client backend."""
OWN_CLIENT = ("vllm", "openai")
"""Backends of vLLM's client that speak OpenAI's protocol, to whatever engine answers."""
_WARM_UP = -1
_LATENCIES = (("ttft", "ttft"), ("tpot", "tpot"), ("itl", "itl"), ("e2e", "e2el"))


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """Runs of the file with their place in it."""
    return objects(document)


def table_records(document: Document) -> Iterable[tuple[str, Any]]:
    """Runs of a sweep's `summary.csv`: the cells under the names of the JSON, empty ones left out."""
    return table_rows(document)


def point(record: Any) -> Point:
    """Operating point of one run. TPOT is (E2E - TTFT)/(n - 1) per request: vLLM, benchmarks/serve.py."""
    record = mapping(record, "run")
    client = text(record, "backend") or text(record, "endpoint_type")
    require_text_task(client, *(word(record, key) for key in ("endpoint", "task_type", "dataset_name")))
    if record.get("run_number") in (_WARM_UP, str(_WARM_UP)):
        raise RowError("warm_up", "the warm-up of a sweep is no measured run", column="run_number", severity=NO_RUN)
    n_requests, duration_s = count(record, "completed"), number(record, "duration", positive=True)
    require_answers(n_requests, number(record, "total_output_tokens"))
    summary: Point = {}
    for name, key in _LATENCIES:
        summary |= latencies(record, name, statistic_keys(key, unit="_ms"), scale=1e-3)
    figures = with_details(summary, detailed_run(record))
    sent = _sent(record, n_requests)
    return {
        "client": client,
        "engine": None if is_own_client(client) else engine_of(client),
        "engine_basis": "client",
        "model": text(record, "model_id"),
        **optional("measured_on", lambda: day(text(record, "date"), "date")),
        "n_requests": n_requests,
        "n_failed": None if sent is None or n_requests is None else sent - n_requests,
        "duration_s": duration_s,
        "tpot_definition": "after_first_token",
        "percentile_basis": "requests",
        **load(
            rate=record.get("request_rate"),
            in_flight=number(record, "max_concurrency", positive=True),
            states_in_flight="max_concurrency" in record,
            n_sent=sent if sent is not None else n_requests,
            burstiness=number(record, "burstiness", positive=True),
        ),
        **parallelism(record),
        **requested_lengths(record),
        **throughput(record, n_requests, duration_s),
        **goodput(record),
        **figures,
    }


def statistic_keys(name: str, *, unit: str) -> dict[str, tuple[str, ...]]:
    """Keys of each statistic of a latency in the manner of vLLM: mean_, median_ or p50_, p90_, p95_, p99_, p99.9_."""
    return {
        "mean": (f"mean_{name}{unit}",),
        "p50": (f"median_{name}{unit}", f"p50_{name}{unit}"),
        "p90": (f"p90_{name}{unit}",),
        "p95": (f"p95_{name}{unit}",),
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
    """Requests per second inside the bounds of the run, their share, and the bounds where the file holds them."""
    bounds = mapping(record.get("goodput_config") or record.get("goodput_config_dict"), "goodput_config")
    slos: Point = {
        f"slo_{name}_s": number(bounds, key, scale=1e-3, positive=True)
        for name, key in (("ttft", "ttft"), ("tpot", "tpot"), ("e2e", "e2el"))
        if bounds
    }
    good = number(record, "request_goodput")
    if good is None:
        good = number(record, "request_goodput:")
    finished = number(record, "request_throughput")
    if good is None or not finished:
        return slos | {"goodput_per_s": good}
    if good > finished * (1 + 1e-9):
        raise RowError("goodput_above_throughput", "more good requests than requests", column="request_goodput", value=good)
    return slos | {"goodput_per_s": good, "attainment": min(1.0, good / finished)}


def parallelism(record: Mapping[str, Any]) -> Point:
    """What a sweep, or the user by `--metadata`, says of the server's parallelism."""
    words = {"tp": ("tensor_parallel_size", "tp"), "pp": ("pipeline_parallel_size", "pp"), "ep": ("ep",)}
    found: Point = {}
    for column, keys in words.items():
        key = next((key for key in keys if key in record), None)
        found |= optional(column, lambda key=key: count(record, key, least=1)) if key else {}  # type: ignore[misc]
    return found


def requested_lengths(record: Mapping[str, Any]) -> Point:
    """Prompt and answer lengths that the client was asked for, where the file holds them."""
    found: Point = {}
    for kind, words in (("input", ("random_input_len", "input_len")), ("output", ("random_output_len", "output_len"))):
        key = next((key for key in words if record.get(key) is not None), None)
        column = f"{kind}_tokens_nominal"
        found |= optional(column, lambda key=key: number(record, key, positive=True)) if key else {}  # type: ignore[misc]
    return found


def engine_of(client: str | None) -> str | None:
    """Engine behind a client backend such as `trt` or `sglang-oai-chat`; None where the client does not tell."""
    if client is None:
        return None
    name = client.lower()
    return next((engine for prefix, engine in ENGINES.items() if name == prefix or name.startswith(f"{prefix}-")), None)


def is_own_client(client: str | None) -> bool:
    """Whether a backend of vLLM's client is one that any engine can answer."""
    return client is not None and client.lower().partition("-")[0] in OWN_CLIENT


def _rate(total: float | None, duration_s: float | None) -> float | None:
    return None if total is None or not duration_s else total / duration_s


def word(record: Mapping[str, Any], key: str) -> str | None:
    """Text of a key that only helps to tell what the run is; None for anything else."""
    value = record.get(key)
    return value if isinstance(value, str) else None


def _sent(record: Mapping[str, Any], n_requests: int | None) -> int | None:
    """Requests sent: those asked for, or, where the run ended by time, those that finished and failed."""
    failed, asked = count(record, "failed"), count(record, "num_prompts")
    if failed is not None and n_requests is not None:
        return n_requests + failed
    if asked is not None and n_requests is not None and n_requests > asked:
        raise RowError("more_finished_than_sent", "more requests finished than were sent", column="completed", value=n_requests)
    return asked
