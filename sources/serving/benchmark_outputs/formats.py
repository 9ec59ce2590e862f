"""The formats that are read, as one table: what writes them, what identifies them, their unit and their reader.

A format is recognised by all that identifies it. `identity` are keys of the record (dotted), columns of the table or words of
the text; `a|b` is satisfied by either. `never` are keys that another format has. A file that two formats fit is refused, until
the user names one of them.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from sources.serving.benchmark_outputs import (
    aiconfigurator,
    aiperf,
    guidellm,
    iecon_meter,
    inference_perf,
    inferencex,
    inferencex_csv,
    llama_bench,
    llm_d,
    llmperf,
    mlperf,
    sglang,
    sglang_offline,
    trtllm_bench,
    vllm,
    vllm_offline,
)
from sources.serving.benchmark_outputs.document import Document, example
from sources.serving.benchmark_outputs.fields import NoResultError, Point

OBJECT, TABLE, TEXT = "object", "table", "text"
_DEEPEST = 4
_HEAD = 4096
_LONGEST_LIST = 12
_PLAIN = "a text"


class Format(NamedTuple):
    """One row of the table. `records` and `point` read it; a format without `point` is known and holds no run: `why_not`."""

    name: str
    what: str
    shape: str
    identity: tuple[str, ...]
    unit: str
    records: Callable[[Document], Iterable[tuple[str, Any]]] | None = None
    point: Callable[[Any], Point] | None = None
    never: tuple[str, ...] = ()
    not_kept: frozenset[str] = frozenset()
    why_not: str = ""

    def missing(self, marks: frozenset[str]) -> list[str]:
        """What identifies the format and is not among the marks of a document."""
        return [each for each in self.identity if marks.isdisjoint(each.split("|"))]

    def fits(self, marks: frozenset[str]) -> bool:
        """Whether all that identifies the format is there, and nothing that it never has."""
        return not self.missing(marks) and marks.isdisjoint(self.never)


def _latency(*endings: str) -> str:
    statistics = ("mean", "median", "p50", "p90", "p95", "p99")
    return "|".join(f"{statistic}_{ending}" for ending in endings for statistic in statistics)


def _aiperf(part: str) -> str:
    metrics = ("time_to_first_token", "inter_token_latency", "inter_chunk_latency", "request_latency")
    held = [f"{path}{metric}.{part}" for path in ("", "records.") for metric in metrics]
    return "|".join(("aiperf_version", "metadata.benchmark_phase", *held))


_MS = _latency("ttft_ms", "tpot_ms", "itl_ms", "e2el_ms")
_S = _latency("ttft", "tpot", "e2el")
_SGLANG = ("total_output_tokens_retokenized", "mean_e2e_latency_ms", "median_e2e_latency_ms")

FORMATS: tuple[Format, ...] = (
    Format(
        "vllm",
        "vLLM `bench serve --save-result`, one run or a sweep's `summary.json`",
        OBJECT,
        ("model_id|num_prompts|total_token_throughput", f"{_MS}|output_throughput", "completed|duration|request_throughput"),
        "ms",
        vllm.records,
        vllm.point,
        never=(*_SGLANG, *_S.split("|"), "tput_per_gpu"),
        not_kept=vllm.NOT_KEPT,
    ),
    Format(
        "iecon_meter",
        "`iecon meter --export`: a running server's own metrics",
        OBJECT,
        ("iecon_meter",),
        "s",
        iecon_meter.records,
        iecon_meter.point,
    ),
    Format(
        "vllm_sweep",
        "vLLM `bench sweep serve`, `summary.csv`",
        TABLE,
        ("model_id", "num_prompts", "completed", "duration", _MS),
        "ms",
        vllm.table_records,
        vllm.point,
    ),
    Format(
        "vllm_throughput",
        "vLLM `bench throughput --output-json`",
        OBJECT,
        ("elapsed_time", "num_requests", "total_num_tokens", "tokens_per_second"),
        "s",
        vllm_offline.records,
        vllm_offline.throughput_point,
    ),
    Format(
        "vllm_latency",
        "vLLM `bench latency --output-json`",
        OBJECT,
        ("avg_latency", "latencies", "percentiles"),
        "s",
        vllm_offline.records,
        vllm_offline.latency_point,
    ),
    Format(
        "sglang",
        "SGLang `bench_serving --output-file`",
        OBJECT,
        ("|".join(_SGLANG), "completed|duration|backend|request_throughput"),
        "ms",
        sglang.records,
        sglang.point,
        never=("tput_per_gpu",),
        not_kept=sglang.NOT_KEPT,
    ),
    Format(
        "sglang_one_batch",
        "SGLang `bench_one_batch` and `bench_one_batch_server`",
        OBJECT,
        ("batch_size", "input_len", "output_len", "overall_throughput|output_throughput", "total_latency|latency"),
        "s",
        sglang_offline.records,
        sglang_offline.batch_point,
        not_kept=sglang_offline.NOT_KEPT,
    ),
    Format(
        "sglang_offline",
        "SGLang `bench_offline_throughput`",
        OBJECT,
        ("successful_requests", "total_latency", "total_output_tokens", "output_throughput"),
        "s",
        sglang_offline.records,
        sglang_offline.throughput_point,
    ),
    Format(
        "trtllm_bench",
        "TensorRT-LLM `trtllm-bench --report_json`",
        OBJECT,
        ("engine", "world_info", "request_info", "performance"),
        "ms",
        trtllm_bench.records,
        trtllm_bench.point,
        not_kept=trtllm_bench.NOT_KEPT,
    ),
    Format(
        "guidellm",
        "GuideLLM reports of all versions, JSON or YAML",
        OBJECT,
        ("benchmarks", "metadata.guidellm_version|benchmarks.run_stats|benchmarks.type_"),
        "ms, request latency s",
        guidellm.records,
        guidellm.point,
        not_kept=guidellm.NOT_KEPT,
    ),
    Format(
        "aiperf",
        "AIPerf aggregates and request records; genai-perf aggregates, JSON",
        OBJECT,
        (_aiperf("unit"), _aiperf("avg")),
        "as stated",
        aiperf.records,
        aiperf.point,
        not_kept=aiperf.NOT_KEPT,
    ),
    Format(
        "aiperf_csv",
        "AIPerf and genai-perf aggregates, CSV",
        TABLE,
        ("Metric", "avg", "Request Latency|Time to First Token|Time To First Token"),
        "as stated",
        aiperf.records,
        aiperf.point,
    ),
    Format(
        "inference_perf",
        "inference-perf, one file per load stage",
        OBJECT,
        ("load_summary", "successes", "successes.latency|successes.throughput"),
        "s",
        inference_perf.records,
        inference_perf.point,
    ),
    Format(
        "llm_d",
        "llm-d benchmark reports 0.1 and 0.2, YAML or JSON",
        OBJECT,
        ("version", "scenario", "metrics|results", "metrics.latency|results.request_performance"),
        "as stated",
        llm_d.records,
        llm_d.point,
        not_kept=llm_d.NOT_KEPT,
    ),
    Format(
        "llmperf",
        "llmperf summaries (`*_summary.json`)",
        OBJECT,
        (
            "results_ttft_s_mean|results_inter_token_latency_s_mean|results_end_to_end_latency_s_mean|results.ttft_s_mean",
            "results_num_completed_requests|results.num_completed_requests",
        ),
        "s",
        llmperf.records,
        llmperf.point,
    ),
    Format(
        "inferencex",
        "InferenceX rows of its API, `agg_*.json`, and results of its client",
        OBJECT,
        (f"metrics|tput_per_gpu|{_S}", "hardware|hw|framework|num_prompts"),
        "s",
        inferencex.records,
        inferencex.point,
        never=(*_SGLANG, "metrics.latency"),
        not_kept=inferencex.NOT_KEPT,
    ),
    Format(
        "inferencex_csv",
        "InferenceX dashboard, CSV of a chart",
        TABLE,
        ("Hardware Key", "Concurrency", "ISL", "OSL", "Throughput/GPU|Throughput/Chip"),
        "s, whatever its header says",
        inferencex_csv.records,
        inferencex_csv.point,
    ),
    Format(
        "llama_bench",
        "llama.cpp `llama-bench -o json` and `-o jsonl`",
        OBJECT,
        ("n_prompt", "n_gen", "avg_ns"),
        "ns",
        llama_bench.records,
        llama_bench.point,
        not_kept=llama_bench.NOT_KEPT,
    ),
    Format(
        "llama_bench_csv",
        "llama.cpp `llama-bench -o csv`",
        TABLE,
        ("n_prompt", "n_gen", "avg_ns"),
        "ns",
        llama_bench.table_records,
        llama_bench.point,
    ),
    Format(
        "mlperf",
        "MLPerf Inference v4.1 to v6.0, `summary_results.json`",
        OBJECT,
        ("UsedModel|Model", "Scenario", "Performance_Result|Performance_Units"),
        "tokens/s",
        mlperf.records,
        mlperf.point,
    ),
    Format(
        "mlperf_log",
        "MLPerf LoadGen, `mlperf_log_summary.txt`",
        TEXT,
        (mlperf.TITLE,),
        "ns",
        mlperf.records,
        mlperf.point,
    ),
    Format(
        "aiconfigurator",
        "aiconfigurator's measured points, `silicon_*.csv`",
        TABLE,
        ("silicon_ttft_ms", "silicon_tpot_ms"),
        "ms",
        aiconfigurator.records,
        aiconfigurator.point,
    ),
    Format(
        "inference_perf_prometheus",
        "inference-perf, the server's Prometheus metrics beside a stage",
        OBJECT,
        ("load_summary", "successes", "successes.rate|successes.request_latency"),
        "s",
        never=("successes.latency",),
        why_not="metrics that Prometheus sampled on the server are no run: bring the stage file beside it",
    ),
    Format(
        "pytorch_benchmark",
        "PyTorch's benchmark records beside a vLLM result (`*.pytorch.json`)",
        OBJECT,
        ("benchmark", "metric", "model.name"),
        "as stated",
        why_not="a copy for PyTorch's dashboard is no run: bring the result file beside it",
    ),
    Format(
        "vllm_sweep_failure",
        "vLLM `bench sweep serve`, a combination that failed (`*failure.json`)",
        OBJECT,
        ("error_type", "error", "serve_overrides"),
        "none",
        why_not="a combination of the sweep that failed holds no run",
    ),
)
_TITLES = tuple(title for each in FORMATS if each.shape == TEXT for title in each.identity)


def recognise(document: Document, *, named: str | None = None) -> Format:
    """The one format of a document. Raises ValueError where none fits, or several do and none of them is `named`."""
    shape, marks = marks_of(document)
    fitting = [each for each in FORMATS if each.shape == shape and each.fits(marks)]
    if named is not None:
        return _named(named, marks, shape)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = " or ".join(each.name for each in fitting)
        raise ValueError(f"the file may be {names}: say which by --format or `format:` in its metadata")
    told = f"no known benchmark format: {_looks_like(document, shape)}{_nearest(shape, marks)}"
    raise NoResultError(told) if told.endswith(_PLAIN) else ValueError(told)


def marks_of(document: Document) -> tuple[str, frozenset[str]]:
    """Shape of a document and its marks: keys of its first object, columns and first cells of a table, or words of a text."""
    if document.value is not None:
        return OBJECT, frozenset(_keys(example(document)))
    head = document.text[:_HEAD]
    titles = frozenset(title for title in _TITLES if title in head)
    if titles:
        return TEXT, titles
    return TABLE, frozenset(table_marks(head))


def table_marks(head: str) -> Iterator[str]:
    """Columns of a table; where it lists one metric a line, their names too. Units in brackets are left out."""
    lines = head.lstrip("\ufeff").splitlines()
    columns = _cells(lines[0]) if lines else []
    yield from (_bare(cell) for cell in columns)
    yield from columns
    if columns[:1] == ["Metric"]:
        yield from (_bare(_cells(line)[0]) for line in lines[1:] if line.strip())


def _named(name: str, marks: frozenset[str], shape: str) -> Format:
    known = {each.name: each for each in FORMATS if each.point is not None}
    if name not in known:
        raise ValueError(f"format {name!r} is not known; the formats are {', '.join(known)}")
    lacking = known[name].missing(marks)
    if known[name].shape != shape or lacking:
        raise ValueError(f"the file is not {name}: it lacks {_listed(lacking) or 'its shape'}")
    return known[name]


def _looks_like(document: Document, shape: str) -> str:
    if shape == OBJECT:
        keys = list(example(document))
        return f"a JSON object with {_listed(keys)}" if keys else "JSON without an object"
    lines = document.text.lstrip().splitlines()[:2]
    widths = {len(row) for row in csv.reader(line[:_HEAD] for line in lines)}
    is_table = len(widths) == 1 and widths.pop() > 1
    return f"a table with the columns {_listed(_cells(lines[0]))}" if is_table else _PLAIN


def _nearest(shape: str, marks: frozenset[str]) -> str:
    """The formats of which most is there, and what they lack."""
    lacking = [(each, each.missing(marks)) for each in FORMATS if each.shape == shape and each.point is not None]
    near = [(each, keys) for each, keys in lacking if 0 < len(keys) < len(each.identity)]
    if not near:
        return ""
    near.sort(key=lambda pair: len(pair[1]) / len(pair[0].identity))
    told = [f"{each.name} (lacks {_listed([key.split('|')[0] for key in keys])})" for each, keys in near[:2]]
    return f"; nearest: {', '.join(told)}"


def _keys(record: dict[str, Any], path: str = "", depth: int = 1) -> Iterator[str]:
    """Dotted keys of a record; those of a list's objects stand under the list's own."""
    for key, value in record.items():
        name = f"{path}{key}"
        yield name
        held = next((item for item in value if isinstance(item, dict)), None) if isinstance(value, list) else value
        if isinstance(held, dict) and depth < _DEEPEST:
            yield from _keys(held, f"{name}.", depth + 1)


def _cells(line: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(",")]


def _bare(cell: str) -> str:
    return cell.rpartition(" (")[0] if cell.endswith(")") and " (" in cell else cell


def _listed(names: list[str]) -> str:
    shown = [str(name)[:40] for name in names[:_LONGEST_LIST]]
    return ", ".join(shown) + (", ..." if len(names) > _LONGEST_LIST else "")
