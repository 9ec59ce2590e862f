"""llm-d benchmark reports, versions 0.1 and 0.2 (YAML or JSON): one load stage of one client, with the stack that served it.

Every statistic states its unit, and the unit is what counts. The report holds what a load client measured, under that client's
own definitions; the stack is described by who deployed it, so that its engine, GPUs and parallelism are the server's.
"""

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Any

from sources.serving.benchmark_outputs.document import Document, objects
from sources.serving.benchmark_outputs.fields import (
    NO_RUN,
    Point,
    RowError,
    count,
    latencies,
    mapping,
    nested,
    number,
    optional,
    require_answers,
    text,
)
from sources.serving.benchmark_outputs.iso_dates import day, day_of_unix_time

NAME = "llm_d"
NOT_KEPT = frozenset({"time_series"})
VERSIONS = ("0.1", "0.2", "0.2.1")
SECONDS = {"s": 1.0, "ms": 1e-3, "s/token": 1.0, "ms/token": 1e-3}

_LATENCIES = (
    ("ttft", "time_to_first_token"),
    ("tpot", "time_per_output_token"),
    ("itl", "inter_token_latency"),
    ("e2e", "request_latency"),
)
_KEYS = {
    "mean": ("mean",),
    "p50": ("p50", "median"),
    "p90": ("p90",),
    "p95": ("p95",),
    "p99": ("p99",),
    "p999": ("p99p9",),
}
_NO_LOAD = ("nop",)
"""Generators that only start the engine."""


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """Reports of the file with their place in it."""
    return objects(document)


def point(record: Any) -> Point:
    """Operating point of one report. TPOT is (E2E - TTFT)/(n - 1) per request: llm-d, benchmark_report."""
    report = mapping(record, "report")
    version = str(report.get("version"))
    if version not in VERSIONS:
        raise RowError("unknown_version", f"report version {version}; {', '.join(VERSIONS)} are understood", column="version")
    point = _version_1(report) if version == "0.1" else _version_2(report)
    return point | {"tpot_needs_closure": point.get("client") == "inference-perf"}


def _version_1(report: Mapping[str, Any]) -> Point:
    scenario, metrics = nested(report, "scenario"), nested(report, "metrics")
    load = nested(scenario, "load")
    if text(load, "name") in _NO_LOAD:
        raise RowError("no_load", "a report of how long the engine takes to start holds no run", severity=NO_RUN)
    span, rates = nested(metrics, "time"), nested(metrics, "throughput")
    return {
        "client": text(load, "name"),
        "model": text(nested(scenario, "model"), "name"),
        "precision": text(nested(scenario, "model"), "quantization"),
        **optional("measured_on", lambda: day_of_unix_time(number(span, "start"), "start")),
        "duration_s": number(span, "duration", positive=True),
        "requests_per_s": number(rates, "requests_per_sec"),
        "input_tokens_per_s": number(rates, "input_tokens_per_sec"),
        "output_tokens_per_s": number(rates, "output_tokens_per_sec"),
        "total_tokens_per_s": number(rates, "total_tokens_per_sec"),
        **_requests(nested(metrics, "requests")),
        **_latencies(nested(metrics, "latency")),
        **_load(nested(load, "args"), _stage_of(load)),
        **_stack([_host(*each) for each in _hosts(scenario)]),
    }


def _version_2(report: Mapping[str, Any]) -> Point:
    scenario = nested(report, "scenario")
    load = nested(scenario, "load", "standardized")
    results = nested(report, "results", "request_performance", "aggregate")
    if not results:
        raise RowError("no_requests", "a report without request performance holds no run", severity=NO_RUN)
    span, rates = nested(report, "run", "time"), nested(results, "throughput")
    request_rate = rates.get("request_rate") or rates.get("requests_rate")
    return {
        "client": text(load, "tool"),
        **optional("measured_on", lambda: _day(span.get("start"))),
        "duration_s": _duration_s(span.get("duration")),
        "requests_per_s": number(mapping(request_rate, "request_rate"), "mean"),
        "input_tokens_per_s": number(nested(rates, "input_token_rate"), "mean"),
        "output_tokens_per_s": number(nested(rates, "output_token_rate"), "mean"),
        "total_tokens_per_s": number(nested(rates, "total_token_rate"), "mean"),
        **_requests(nested(results, "requests")),
        **_latencies(nested(results, "latency")),
        **_asked(load),
        **_load(load, {}),
        **_stack([engine for engine in map(_component, _components(scenario)) if engine]),
    }


def _requests(requests: Mapping[str, Any]) -> Point:
    total, failed, incomplete = (count(requests, key) for key in ("total", "failures", "incomplete"))
    lost = (failed or 0) + (incomplete or 0)
    done = None if total is None else total - lost
    if done is not None and done < 0:
        raise RowError("more_failed_than_sent", "more requests failed than were sent", column="failures", value=failed)
    point: Point = {"n_requests": done, "n_failed": lost if failed is not None or incomplete is not None else None}
    for kind in ("input", "output"):
        lengths = nested(requests, f"{kind}_length")
        point[f"{kind}_tokens_mean"] = number(lengths, "mean")
        point |= {f"{kind}_tokens_{q}": number(lengths, q) for q in ("p50", "p90", "p99")}
    require_answers(done, point["output_tokens_mean"])
    return point


def _latencies(found: Mapping[str, Any]) -> Point:
    point: Point = {"tpot_definition": "after_first_token", "percentile_basis": "requests"}
    for name, key in _LATENCIES:
        statistics = nested(found, key)
        if not statistics:
            continue
        unit = text(statistics, "units")
        if unit not in SECONDS:
            raise RowError("unknown_unit", f"{key} is in {unit}, not in a unit of time", column=key, value=unit)
        point |= latencies(statistics, name, _KEYS, scale=SECONDS[unit])
    return point


def _load(settings: Mapping[str, Any], stage: Mapping[str, Any]) -> Point:
    """How requests were sent, where the report says it: a rate, or a number in flight."""
    rate = _finite(stage.get("rate", settings.get("rate_qps", settings.get("rate"))))
    in_flight = _finite(stage.get("concurrency", settings.get("concurrency", settings.get("max_concurrency"))))
    if rate is not None:
        kind = "open_loop" if in_flight is None else "open_loop_capped"
        return {"arrival": kind, "request_rate_per_s": rate, "concurrency": in_flight, "start_burst_bias": False}
    return {"arrival": "closed_loop", "concurrency": in_flight, "start_burst_bias": True} if in_flight is not None else {}


def _stage_of(load: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one stage that a report is of: named in its metadata, or the only one."""
    metadata, stages = load.get("metadata"), nested(load, "args").get("load")
    listed = stages.get("stages") if isinstance(stages, dict) else None
    if not isinstance(listed, list):
        return {}
    place = metadata.get("stage") if isinstance(metadata, dict) else None
    place = 0 if place is None and len(listed) == 1 else place
    return mapping(listed[place], "stage") if isinstance(place, int) and 0 <= place < len(listed) else {}


def _asked(load: Mapping[str, Any]) -> Point:
    """Lengths asked for, where they are fixed."""
    found: Point = {}
    for kind, key in (("input", "input_seq_len"), ("output", "output_seq_len")):
        asked = nested(load, key)
        if asked.get("distribution") == "fixed":
            found[f"{kind}_tokens_nominal"] = number(asked, "value", positive=True)
    return found


def _hosts(scenario: Mapping[str, Any]) -> list[tuple[Any, Any, Any]]:
    """Accelerators with what they are for and the engine on them, in the lists of version 0.1."""
    host, platform = nested(scenario, "host"), nested(scenario, "platform")
    accelerators, kinds, engines = host.get("accelerator"), host.get("type"), platform.get("engine")
    if not isinstance(accelerators, list):
        return []
    padded = [each if isinstance(each, list) else [] for each in (kinds, engines)]
    return [
        (accelerator, *(each[i] if i < len(each) else None for each in padded)) for i, accelerator in enumerate(accelerators)
    ]


def _host(accelerator: Any, role: Any, engine: Any) -> Point:
    found = mapping(accelerator, "accelerator")
    tool = mapping(engine, "engine")
    return _engine(found, role=role, tool=text(tool, "name"), version=text(tool, "version"), model=None)


def _components(scenario: Mapping[str, Any]) -> list[Any]:
    stack = scenario.get("stack")
    return stack if isinstance(stack, list) else []


def _component(component: Any) -> Point | None:
    found = mapping(component, "component")
    if nested(found, "metadata").get("kind") != "inference_engine":
        return None
    engine = nested(found, "standardized")
    model = text(nested(engine, "model"), "name")
    return _engine(
        nested(engine, "accelerator"),
        role=engine.get("role"),
        tool=text(engine, "tool"),
        version=text(engine, "tool_version"),
        model=model,
    )


def _engine(accelerator: Mapping[str, Any], *, role: Any, tool: str | None, version: str | None, model: str | None) -> Point:
    split = nested(accelerator, "parallelism")
    return {
        "role": role,
        "tool": tool,
        "version": version,
        "model": model,
        "gpu": text(accelerator, "model"),
        "gpus": count(accelerator, "count", least=1),
        "split": {key: count(split, key, least=1) for key in ("tp", "pp", "ep", "dp")},
    }


def _stack(engines: list[Point]) -> Point:
    """What all engines of the stack have in common, and their GPUs together; llm-d itself is a stack around vLLM."""
    if not engines:
        return {}
    names, tools, versions, models = ({each[key] for each in engines} - {None} for key in ("gpu", "tool", "version", "model"))
    counts = [each["gpus"] for each in engines]
    pools = {role: [each for each in engines if each["role"] == role] for role in ("prefill", "decode")}
    is_split = bool(pools["prefill"] and pools["decode"])
    decoding = pools["decode"] if is_split else engines
    tool = tools.pop().lower() if len(tools) == 1 else None
    splits = {tuple(each["split"].items()) for each in decoding}
    split = dict(splits.pop()) if len(splits) == 1 else {}
    found: Point = {
        "engine": "vllm" if tool and tool.startswith("llm-d") else tool,
        "engine_basis": "server",
        "engine_version": versions.pop() if len(versions) == 1 else None,
        "gpu": names.pop() if len(names) == 1 else None,
        "gpus_total": sum(counts) if len(names) <= 1 and None not in counts else None,
        "architecture": "disaggregated" if is_split else None,
        **{key: split.get(key) for key in ("tp", "pp", "ep")},
    }
    if models:
        found["model"] = models.pop() if len(models) == 1 else None
    if is_split:
        for pool, members in pools.items():
            held = [each["gpus"] for each in members]
            found[f"gpus_{pool}"] = None if None in held else sum(held)
    return found


def _finite(value: Any) -> float | None:
    """A positive number; None for none, and for one without end, which is no bound."""
    if value is None or (isinstance(value, float) and math.isinf(value)) or value in ("inf", "Infinity"):
        return None
    return number({"value": value}, "value", positive=True)


def _day(value: Any) -> dt.date | None:
    """Day of a time that YAML has read, or of its text."""
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else day(text({"start": value}, "start"), "start")


def _duration_s(value: Any) -> float | None:
    """Seconds of an ISO 8601 duration such as PT49.97S or PT1H2M3S, or of a plain number; None where neither is stated."""
    if not isinstance(value, str) or not value.startswith("PT"):
        return number({"duration": value}, "duration", positive=True)
    seconds, digits = 0.0, ""
    for character in value[2:]:
        if character in "HMS":
            seconds += (number({"part": digits}, "part") or 0.0) * {"H": 3600.0, "M": 60.0, "S": 1.0}[character]
            digits = ""
        else:
            digits += character
    return seconds or None
