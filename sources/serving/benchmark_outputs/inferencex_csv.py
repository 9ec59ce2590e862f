"""InferenceX dashboard: the CSV of a chart, one row per point, with the figures of the rows behind it.

Older exports head their latencies with ms and hold seconds; which of the two it is follows from the interactivity beside them,
which is tokens per second of one user, the inverse of TPOT.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sources.serving.benchmark_outputs import inferencex
from sources.serving.benchmark_outputs.document import Document, table_rows
from sources.serving.benchmark_outputs.fields import Point, RowError, mapping, number

NAME = "inferencex_csv"
NOT_KEPT = frozenset[str]()
_MILLISECONDS = 1e-3
_INVERSE = (0.2, 5.0)
"""TPOT times interactivity: 1 for means of the same requests, far from 1,000."""
_WORDS = {"ttft": "ttft", "tpot": "tpot", "itl": "itl", "e2e latency": "e2el", "interactivity": "intvty"}
_EMPTY = ("", "undefined", "null")
_STATISTICS = {"mean": "mean", "median": "median", "p90": "p90", "p95": "p95", "p99": "p99"}
_COLUMNS = {
    "model": "model",
    "isl": "isl",
    "osl": "osl",
    "hardware key": "hardware",
    "framework": "framework",
    "precision": "precision",
    "tp": "tp",
    "ep": "ep",
    "concurrency": "conc",
    "date": "date",
    "throughput": "tput_per_gpu",
    "output throughput": "output_tput_per_gpu",
    "input throughput": "input_tput_per_gpu",
    "disaggregated": "disagg",
    "num prefill": "num_prefill_gpu",
    "num decode": "num_decode_gpu",
    "spec decoding": "spec_decoding",
    "dp attention": "dp_attention",
    "is multinode": "is_multinode",
    "run url": "run_url",
}


def records(document: Document) -> Iterator[tuple[str, Any]]:
    """Rows of the table under the keys of InferenceX's own."""
    for place, row in table_rows(document):
        if isinstance(row, RowError):
            yield place, row
        else:
            cells = ((_key(name), cell) for name, cell in row.items())
            yield place, {key: _cell(cell) for key, cell in cells if key and cell not in _EMPTY}


def point(record: Any) -> Point:
    """Operating point of one row. Source: InferenceX's dashboard, whose figures are those of its API."""
    row = {**mapping(record, "row")}
    scale = _scale(row)
    for key in list(row):
        if key.partition("_")[2] in ("ttft", "tpot", "itl", "e2el"):
            figure = number(row, key, scale=scale)
            row[key] = figure if figure else None  # the dashboard writes 0 for what was not measured
    hardware = row.get("hardware")
    if isinstance(hardware, str):
        row["hardware"] = re.split(r"[_-]", hardware)[0]  # b200_trt names the engine too
    if row.get("disagg"):
        row["decode_tp"] = row.get("tp")
    return inferencex.point(row)


def _scale(row: Mapping[str, Any]) -> float:
    """Seconds in the unit of the latencies; RowError where the row's own interactivity fits neither unit."""
    for statistic in ("median", "mean"):
        tpot, per_user = number(row, f"{statistic}_tpot"), number(row, f"{statistic}_intvty")
        if not tpot or not per_user:
            continue
        product = tpot * per_user
        for scale in (1.0, _MILLISECONDS):
            if _INVERSE[0] < product * scale < _INVERSE[1]:
                return scale
        reason = f"TPOT {tpot:.4g} and interactivity {per_user:.4g} tok/s fit neither in seconds nor in milliseconds"
        raise RowError("unknown_unit", reason, column=f"{statistic}_tpot", value=tpot)
    return 1.0


def _key(cell: str) -> str | None:
    """Key of a column, such as p99_ttft of `P99 TTFT (ms)` and output_tput_per_gpu of `Output Throughput/GPU (tok/s)`."""
    name = re.sub(r"\s*\(.*\)$", "", cell.strip().lower())
    statistic, _, rest = name.partition(" ")
    if statistic in _STATISTICS and rest in _WORDS:
        return f"{_STATISTICS[statistic]}_{_WORDS[rest]}"
    return _COLUMNS.get(re.sub(r"(/(gpu|chip)| (gpus?|chips?))$", "", name))


def _cell(cell: str) -> Any:
    if cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    try:
        return float(cell)
    except ValueError:
        return cell
