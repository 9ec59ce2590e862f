"""Inspect AI: `.eval` archives and JSON logs. Epochs are samples; every model of a sample has its own usage.

An archive's `summaries.json` holds grades and usage of each sample, so the samples themselves are read only where it lacks.
Usage of a sample is that of its last try; what `stats` holds beyond the samples is what retried tries cost.
"""

import io
import math
import struct
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from sources.test_time.evaluation_logs.document import Document, decode
from sources.test_time.evaluation_logs.record import (
    JUDGE,
    RETRY,
    SUBJECT,
    Reading,
    Record,
    answer_key,
    conventions,
    day,
    dollars,
    whole,
)

NAME = "inspect_ai"
GRADES = {"c": 1.0, "i": 0.0, "p": 0.5, "n": 0.0, "yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0}
USAGE = ("input_tokens", "output_tokens", "reasoning_tokens", "input_tokens_cache_read", "input_tokens_cache_write")

_ZSTANDARD = 93
"""Method of zip members that Python before 3.14 cannot read."""
_LOCAL_HEADER = 30


def recognises(document: Document) -> bool:
    """An archive with a header or a journal, or JSON with `eval`, `status` and `samples`."""
    if document.head[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(document.bytes_at) as archive:
            names = set(archive.namelist())
        return "header.json" in names or "_journal/start.json" in names
    return {"eval", "status", "version"} <= set(document.top)


def read(documents: Sequence[Document], reading: Reading) -> Iterator[Record]:
    """A record per sample and epoch, one more per further model that was billed for it."""
    reading.usd_covers = "each model by its own cost table, where one was given; the last try of a sample"
    for document in documents:
        if document.head[:2] == b"PK":
            with zipfile.ZipFile(document.bytes_at) as archive, document.bytes_at.open("rb") as file:
                header = _header(archive, file)
                yield from _records(header, _archived_samples(archive, file), reading, document.path.name)
        else:
            header = {key: document.value(key) for key in ("eval", "stats", "status", "results")}
            yield from _records(header, document.elements("samples"), reading, document.path.name)


def _header(archive: zipfile.ZipFile, file: io.BufferedReader) -> dict[str, Any]:
    names = archive.namelist()
    header = decode(_member(archive, file, "header.json" if "header.json" in names else "_journal/start.json"))
    return header if isinstance(header, dict) else {}


def _archived_samples(archive: zipfile.ZipFile, file: io.BufferedReader) -> Iterator[dict[str, Any]]:
    names = archive.namelist()
    seen: set[tuple[Any, Any]] = set()
    parts = ["summaries.json"] if "summaries.json" in names else [n for n in names if n.startswith("_journal/summaries/")]
    for name in parts:
        for sample in decode(_member(archive, file, name)):
            seen.add((str(sample.get("id")), sample.get("epoch", 1)))
            yield sample
    for name in names:
        if name.startswith("samples/") and not _is_seen(name, seen):
            sample = decode(_member(archive, file, name))
            if (str(sample.get("id")), sample.get("epoch", 1)) not in seen:
                yield sample


def _is_seen(name: str, seen: set[tuple[Any, Any]]) -> bool:
    item, _, epoch = name.removeprefix("samples/").removesuffix(".json").rpartition("_epoch_")
    return epoch.isdigit() and (item, int(epoch)) in seen


def _member(archive: zipfile.ZipFile, file: io.BufferedReader, name: str) -> bytes:
    info = archive.getinfo(name)
    if info.compress_type != _ZSTANDARD:
        return archive.read(info)
    file.seek(info.header_offset)
    local = file.read(_LOCAL_HEADER)
    name_length, extra_length = struct.unpack("<HH", local[26:30])
    file.seek(info.header_offset + _LOCAL_HEADER + name_length + extra_length)
    packed = pa.BufferReader(file.read(info.compress_size))
    return bytes(pa.CompressedInputStream(packed, "zstd").read())


def _records(header: dict[str, Any], samples: Iterator[dict[str, Any]], reading: Reading, name: str) -> Iterator[Record]:
    spec = header.get("eval") or {}
    stats = header.get("stats") or {}
    model, task = str(spec.get("model") or "not stated"), str(spec.get("task") or "not stated")
    ran = day(spec.get("created") or stats.get("started_at"))
    if header.get("status") not in (None, "success"):
        planned = (spec.get("dataset") or {}).get("samples")
        reading.note(f"{name}: the run ended as {header.get('status')}; its data set holds {planned} items")
    summed: dict[str, Counter[str]] = {}
    judges = _judges(stats.get("role_usage"), model)
    for sample in samples:
        usage = sample.get("model_usage") or {}
        for billed, counts in usage.items():
            summed.setdefault(billed, Counter()).update({key: counts.get(key) or 0 for key in (*USAGE, "total_cost")})
        grade, answer, scorer_error = _grade(sample.get("scores") or {}, reading)
        error = _error(sample.get("error")) or scorer_error
        common: dict[str, Any] = {
            "benchmark": task,
            "model": model,
            "item": str(sample.get("id")),
            "sample": int(sample.get("epoch", 1)) - 1,
            "run_on": day(sample.get("started_at")) or ran,
        }
        own = usage.get(model) or (next(iter(usage.values())) if len(usage) == 1 else {})
        own_name = model if model in usage or len(usage) != 1 else next(iter(usage))
        yield Record(
            **common,
            role=SUBJECT,
            billed_model=own_name,
            correct=None if grade is None else float(grade == 1.0),
            score=grade,
            error=error,
            answer=answer_key(answer),
            **_usage(own),
        )
        for billed, counts in usage.items():
            if billed != own_name:
                role = JUDGE if not judges or billed in judges else SUBJECT
                yield Record(**common, role=role, billed_model=billed, made=False, **_usage(counts))
        for role_name in sample.get("role_usage") or {}:
            if role_name in ("grader", "judge", "scorer") and model in usage and len(usage) == 1:
                reading.note(f"{name}: {role_name} is the model itself, so that its tokens are within the subject's")
                break
        if (sample.get("retries") or len(sample.get("error_retries") or [])) and not stats:
            reading.note(f"{name}: tries before the last are not billed in this log")
    yield from _retried(stats.get("model_usage") or {}, summed, model=model, task=task, ran=ran)


def _judges(role_usage: Any, model: str) -> set[str]:
    """Models that served as grader, where the log tells roles by model; empty where it does not."""
    found = role_usage if isinstance(role_usage, dict) else {}
    return {str(part.get("model")) for part in found.values() if isinstance(part, dict) and part.get("model")} - {model}


def _grade(scores: dict[str, Any], reading: Reading) -> tuple[float | None, Any, str | None]:
    """The first scorer's grade, its answer, and that it was unscored."""
    if not scores:
        return None, None, None
    scorer, score = next(iter(scores.items()))
    if len(scores) > 1:
        reading.note(f"scorers {', '.join(scores)}: {scorer}, the first, decides")
    value = score.get("value") if isinstance(score, dict) else score
    answer = score.get("answer") if isinstance(score, dict) else None
    return _number(value), answer, None


def _number(value: Any) -> float | None:
    """A grade as a number; None for NaN, which is how Inspect writes that a scorer gave none."""
    while isinstance(value, (list, dict)) and value:
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
    if isinstance(value, str):
        text = value.strip().lower()
        value = GRADES.get(text, text)
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return None if math.isnan(number) else number


def _error(error: Any) -> str | None:
    if not error:
        return None
    text = error.get("message") if isinstance(error, dict) else error
    return str(text)[:200]


def _usage(counts: dict[str, Any]) -> dict[str, Any]:
    if not counts:
        return {}
    read, write = whole(counts.get("input_tokens_cache_read")), whole(counts.get("input_tokens_cache_write"))
    input_, output = whole(counts.get("input_tokens")), whole(counts.get("output_tokens"))
    reasoning = whole(counts.get("reasoning_tokens"))
    inside, _ = conventions(
        input_=input_, output=output, total=whole(counts.get("total_tokens")), read=read, write=write, reasoning=None
    )
    usd = dollars(counts.get("total_cost"))
    return {
        "input_tokens": input_,
        "output_tokens": output,
        "reasoning_tokens": reasoning,
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "input_includes_cached": inside,
        "output_includes_reasoning": True,
        "usd": usd,
        "usd_unknown": usd == 0.0 and bool(input_ or output),
    }


def _retried(billed: dict[str, Any], summed: dict[str, Counter[str]], *, model: str, task: str, ran: Any) -> Iterator[Record]:
    """What the whole run was billed beyond its samples: tries that were thrown away."""
    for name, counts in billed.items():
        of_samples = summed.get(name, Counter())
        beyond = {key: (counts.get(key) or 0) - of_samples[key] for key in USAGE}
        if any(tokens > 0 for tokens in beyond.values()):
            stated = counts.get("total_cost")
            usd = None if stated is None else max(float(stated) - of_samples["total_cost"], 0.0)
            yield Record(
                benchmark=task,
                model=model,
                role=RETRY,
                billed_model=name,
                made=False,
                run_on=ran,
                usd=usd,
                input_tokens=max(beyond["input_tokens"], 0),
                output_tokens=max(beyond["output_tokens"], 0),
                reasoning_tokens=max(beyond["reasoning_tokens"], 0),
                output_includes_reasoning=True,
                cache_read_tokens=max(beyond["input_tokens_cache_read"], 0),
                input_includes_cached=False,
                cache_write_tokens=max(beyond["input_tokens_cache_write"], 0),
            )
