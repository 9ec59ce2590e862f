"""llama.cpp `llama-bench` (`-o json`, `jsonl` or `csv`): one test per row, times in nanoseconds, one stream.

A test computes a prompt (`n_gen` 0), generates an answer (`n_prompt` 0), or both; the two are apart, and each is a row here.
Several GPUs hold different layers and work one after the other, so that their rate is that of one stream, not of a server.
"""

import re
from collections.abc import Iterable
from typing import Any

from sources.serving.benchmark_outputs.document import Document, objects, table_rows
from sources.serving.benchmark_outputs.fields import Point, RowError, count, mapping, number, optional, text
from sources.serving.benchmark_outputs.iso_dates import day

NAME = "llama_bench"
NOT_KEPT = frozenset({"samples_ns", "samples_ts"})
NS = 1e-9
_SAME_RATE = 0.1
"""The mean rate is tokens over the mean time within this share (they differ by the spread of the repeats)."""
_FORMAT = re.compile(r"\b((?:IQ|Q)\d\w*|BF16|F16|F32|MXFP4)\b", re.IGNORECASE)


def records(document: Document) -> Iterable[tuple[str, Any]]:
    """Tests of a file in JSON with their place in it."""
    return objects(document)


def table_records(document: Document) -> Iterable[tuple[str, Any]]:
    """Tests of a file in CSV with their line."""
    return table_rows(document)


def point(record: Any) -> Point:
    """Operating point of one test: a prompt gives its prefill as TTFT, an answer its time per token. llama.cpp, llama-bench."""
    test = mapping(record, "test")
    tokens_in, tokens_out = count(test, "n_prompt") or 0, count(test, "n_gen") or 0
    whole_s, rate = number(test, "avg_ns", scale=NS, positive=True), number(test, "avg_ts", positive=True)
    if not tokens_in + tokens_out or whole_s is None:
        raise RowError("missing_key", "a test needs n_prompt or n_gen, and avg_ns", column="avg_ns")
    expected = (tokens_in + tokens_out) / whole_s
    if rate is not None and abs(rate / expected - 1) > _SAME_RATE:
        reason = f"avg_ts is {rate:.6g} per second, tokens over avg_ns give {expected:.6g}"
        raise RowError("rate_differs_from_total", reason, column="avg_ts", value=rate)
    depth = count(test, "n_depth") or 0
    stream: Point = {
        "engine": "llama.cpp",
        "engine_basis": "server",
        "engine_version": text(test, "build_commit"),
        "model": _model(test),
        "precision": _precision(test),
        **_devices(test),
        **optional("measured_on", lambda: day(text(test, "test_time"), "test_time")),
        "arrival": "closed_loop",
        "start_burst_bias": False,
        "concurrency": 1.0,
        "requests_per_s": 1.0 / whole_s,
        "percentile_basis": "requests",
    }
    if tokens_in:
        stream |= {"input_tokens_nominal": float(tokens_in), "input_tokens_mean": float(tokens_in)}
    if tokens_out:
        stream |= {"output_tokens_nominal": float(tokens_out), "output_tokens_mean": float(tokens_out)}
        stream.setdefault("input_tokens_mean", float(depth) if depth else None)
    notes = [f"after {depth} tokens of context"] if depth else []
    if tokens_in and tokens_out:
        both = "; ".join(["prompt and answer", *notes])
        return stream | {"e2e_mean_s": whole_s, "total_tokens_per_s": expected, "notes": both}
    if tokens_in:
        return stream | {"ttft_mean_s": whole_s, "input_tokens_per_s": expected, "notes": "; ".join(["prompt only", *notes])}
    return stream | {
        "tpot_mean_s": whole_s / tokens_out,
        "tpot_definition": "after_first_token",
        "output_tokens_per_s": expected,
        "notes": "; ".join(["answer only", *notes]),
    }


def _model(test: Any) -> str | None:
    """Model by its file, which says more than the type; without folders, ending and number format."""
    file = text(test, "model_filename")
    if file is None:
        return text(test, "model_type")
    name = re.sub(r"(-\d{5}-of-\d{5})?\.gguf$", "", re.split(r"[/\\]", file)[-1], flags=re.IGNORECASE)
    return re.sub(r"[-._](UD-)?((IQ|Q)\d\w*|BF16|F16|F32|MXFP4)$", "", name, flags=re.IGNORECASE) or None


def _precision(test: Any) -> str | None:
    found = _FORMAT.search(text(test, "model_type") or "") or _FORMAT.search(text(test, "model_filename") or "")
    return found[1].lower() if found else None


def _devices(test: Any) -> Point:
    """The GPUs of a test. With no layer on a GPU it ran on the processor."""
    names = [name.strip() for name in re.split(r"[,;]", text(test, "gpu_info") or "") if name.strip()]
    if not names or count(test, "n_gpu_layers") == 0 or len(set(names)) > 1:
        return {"system": text(test, "gpu_info") or text(test, "cpu_info")}
    return {"gpu": names[0], "gpus_total": len(names), "pp": len(names)}
