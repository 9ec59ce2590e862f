"""MLPerf Inference: LoadGen's `mlperf_log_summary.txt` (nanoseconds) and the results' `summary_results.json`.

Traps: accelerators (`a#`) are per node; a system of several kinds of accelerator states the count of one node of one
kind; tokens are output tokens; a result that LoadGen calls INVALID is no result.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sources.serving.benchmark_outputs.document import Document
from sources.serving.benchmark_outputs.fields import NO_RUN, Point, RowError, count, latencies, mapping, number, text
from sources.serving.benchmark_outputs.run_meta import join_notes

NAME = "mlperf"
NOT_KEPT = frozenset[str]()
TITLE = "MLPerf Results Summary"
NS = 1e-9

CONTRACTS_S = {
    ("llama2-70b", "Server"): (2.0, 0.2),
    ("llama2-70b", "Interactive"): (0.45, 0.04),
    ("llama3.1-405b", "Server"): (6.0, 0.175),
    ("llama3.1-405b", "Interactive"): (4.5, 0.08),
    ("llama3.1-8b", "Server"): (2.0, 0.1),
    ("llama3.1-8b", "Interactive"): (0.5, 0.03),
    ("deepseek-r1", "Server"): (2.0, 0.08),
    ("mixtral-8x7b", "Server"): (2.0, 0.2),
}
"""Bounds on the 99th percentile of TTFT and TPOT in seconds, MLPerf Inference v5.1, by benchmark and scenario.

Source: `ttft_latency` and `tpot_latency` in the log summaries of mlcommons/inference_results_v5.1 (commit 965182b).
"""

_ENGINES = (("sglang", "sglang"), ("vllm", "vllm"), ("tensorrt", "tensorrt-llm"))
_PERCENTILES = {"p50": "50.00", "p90": "90.00", "p95": "95.00", "p99": "99.00", "p999": "99.90"}
_COMPLETE = "performance_sample_count"
"""One of the last lines of a log: a file cut short before it may end inside a figure."""


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """The log as one record, or the token results of a table; other results are counted per unit, not listed."""
    if TITLE in document.text[:1000]:
        yield "log", _log(document.text)
        return
    others: Counter[str] = Counter()
    for i, row in enumerate(document.value if isinstance(document.value, list) else [document.value], start=1):
        units = row.get("Performance_Units") if isinstance(row, dict) else None
        if isinstance(units, str) and units.lower() != "tokens/s":
            others[units] += 1
        else:
            yield f"element {i}", row
    for units, n_rows in sorted(others.items()):
        reason = f"results in {units}: not a throughput of tokens"
        yield (
            f"{n_rows} results in {units}",
            RowError("not_token_throughput", reason, value=units, severity=NO_RUN),
        )


def point(record: Any) -> Point:
    """Operating point of a log or of one published result. TPOT: LoadGen, one value per sample, after its first token."""
    record = mapping(record, "record")
    return _from_log(record) if "SUT name" in record or "Mode" in record else _from_table(record)


def _log(body: str) -> Mapping[str, Any]:
    """Lines `name : value`; a value that is a number becomes one, other text stays as it is."""
    record: dict[str, Any] = {}
    for line in body.splitlines():
        name, colon, value = line.partition(":")
        if colon and value.strip():
            record.setdefault(name.strip(), _figure(value.strip()))
    return record


def _figure(value: str) -> Any:
    if re.fullmatch(r"[+-]?\d+", value):
        return int(value) if len(value) < 100 else value
    try:
        return float(value)
    except ValueError:
        return value


def _from_log(log: Mapping[str, Any]) -> Point:
    if _COMPLETE not in log or "Result is" not in log:
        raise RowError("truncated", "the log ends before its last settings or lacks its verdict", severity="suspect")
    if log.get("Mode") != "PerformanceOnly":
        reason, mode = "the log is not of a performance run", log.get("Mode")
        raise RowError("not_a_performance_run", reason, column="Mode", value=mode, severity=NO_RUN)
    verdict = text(log, "Result is")
    if verdict != "VALID":
        raise RowError("result_not_valid", f"LoadGen calls the result {verdict}", column="Result is", value=verdict)
    scenario = text(log, "Scenario")
    figures = (
        _log_latencies(log, "ttft", "First Token latency (ns)", "first token latency (ns)")
        | _log_latencies(log, "tpot", "Time to Output Token (ns)", "time to output token (ns)")
        | _log_latencies(log, "e2e", "latency (ns)", "latency (ns)")
    )
    samples_per_s = number(log, "Completed samples per second") or number(log, "Samples per second")
    tokens_per_s = number(log, "Completed tokens per second") or number(log, "Tokens per second")
    if tokens_per_s is None and "ttft_mean_s" not in figures:
        raise RowError("not_token_throughput", "the log counts samples, not tokens", severity=NO_RUN)
    is_bound = scenario in ("Server", "Interactive")
    return {
        "tpot_definition": "after_first_token",
        "percentile_basis": "requests",
        **_arrivals(scenario),
        "request_rate_per_s": number(log, "target_qps", positive=True) if is_bound else None,
        "sent_rate_per_s": number(log, "Scheduled samples per second"),
        "requests_per_s": samples_per_s,
        "output_tokens_per_s": tokens_per_s,
        "output_tokens_mean": tokens_per_s / samples_per_s if samples_per_s and tokens_per_s else None,
        "slo_ttft_s": number(log, "ttft_latency (ns)", scale=NS, positive=True) if is_bound else None,
        "slo_tpot_s": number(log, "tpot_latency (ns)", scale=NS, positive=True) if is_bound else None,
        "slo_percentile": 99.0 if is_bound else None,
        "slo_met": True if is_bound else None,
        "notes": None if scenario is None else f"MLPerf scenario {scenario}",
        **figures,
    }


def _log_latencies(log: Mapping[str, Any], name: str, mean: str, percentile: str) -> Point:
    keys = {statistic: (f"{level} percentile {percentile}",) for statistic, level in _PERCENTILES.items()}
    return latencies(log, name, {"mean": (f"Mean {mean}",), **keys}, scale=NS)


def _from_table(row: Mapping[str, Any]) -> Point:
    result, scenario = number(row, "Performance_Result", positive=True), text(row, "Scenario")
    if result is None or text(row, "Performance_Units") is None or scenario is None:
        raise RowError("missing_key", "a result needs Performance_Result, Performance_Units and Scenario")
    if count(row, "errors"):
        raise RowError("has_errors", "the result carries errors of its checker", column="errors", value=row["errors"])
    version = text(row, "version")
    slo_ttft_s, slo_tpot_s = _contract(text(row, "UsedModel"), scenario) if version == "v5.1" else (None, None)
    gpu, per_node, nodes = text(row, "Accelerator"), count(row, "a#", least=1), count(row, "Nodes", least=1)
    is_mixed = gpu is not None and ("," in gpu or "(x" in gpu)
    is_counted = gpu is not None and not is_mixed
    software = text(row, "Software")
    return {
        "source_locator": text(row, "Location"),
        "submitter": text(row, "Submitter"),
        "system": text(row, "Platform"),
        "engine": _engine(software),
        "engine_basis": "server",
        "engine_version": software,
        "model": text(row, "UsedModel"),
        "precision": text(row, "weight_data_types"),
        "gpu": gpu,
        "gpus_total": per_node * nodes if is_counted and per_node and nodes else None,
        **_arrivals(scenario),
        "output_tokens_per_s": result,
        "slo_ttft_s": slo_ttft_s,
        "slo_tpot_s": slo_tpot_s,
        "slo_percentile": 99.0 if slo_ttft_s else None,
        "slo_met": True if slo_ttft_s else None,
        "tpot_definition": "after_first_token" if slo_tpot_s else None,
        "basis": "peer_reviewed",
        "notes": join_notes(
            " ".join(part for part in ("MLPerf", version, text(row, "Category"), scenario) if part),
            "several kinds of accelerator: their number is not known" if is_mixed else None,
            "stated for another accuracy target of the same run" if count(row, "inferred") else None,
        ),
    }


def _contract(model: str | None, scenario: str) -> tuple[float | None, float | None]:
    benchmark = re.sub(r"-99(\.9)?$", "", (model or "").replace("llama3_1", "llama3.1"))
    return CONTRACTS_S.get((benchmark, scenario), (None, None))


def _arrivals(scenario: str | None) -> Point:
    """LoadGen sends Server and Interactive queries as a Poisson process, and an Offline run as one batch."""
    if scenario in ("Server", "Interactive"):
        return {"arrival": "open_loop", "arrival_process": "poisson", "start_burst_bias": False}
    if scenario == "Offline":
        return {"arrival": "all_at_once", "start_burst_bias": True}
    return {}


def _engine(software: str | None) -> str | None:
    return next((engine for word, engine in _ENGINES if software and word in software.lower()), None)
