"""aiconfigurator's table of measured points (`silicon_*.csv`): one mean TTFT and TPOT per row, in milliseconds.

The means, concurrency, day and image stand in the text of `silicon_data_source`. Throughput is not given. GPU counts of
rows with expert parallelism multiply the same GPUs twice (64 on 8), and rows with one engine of more than 8 GPUs add up
the pools of disaggregated systems; their counts stay unknown here. Counts of disaggregated rows with workers hold.
"""

import csv
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sources.serving.benchmark_outputs.accelerator import canonical_gpu
from sources.serving.benchmark_outputs.document import Document
from sources.serving.benchmark_outputs.fields import Point, RowError, count, latencies, mapping, number, text
from sources.serving.benchmark_outputs.iso_dates import day

NAME = "aiconfigurator"
NOT_KEPT = frozenset[str]()
ARCHITECTURES = {"agg": "colocated", "disagg": "disaggregated"}
LARGEST_ENGINE = 8
"""GPUs of one server; larger `agg` rows are sums over the pools of a disaggregated system."""

_TEXTS = {
    "id",
    "silicon_data_source",
    "backend",
    "backend_version",
    "model_path",
    "system",
    "precision",
    "mode",
    "gemm_quant_mode",
    "moe_quant_mode",
}


def records(document: Document) -> Iterator[tuple[str, Any]]:
    """Rows by their id; numbers become numbers, other cells stay text. A last line without end may be cut: refused."""
    lines = document.text.splitlines()
    for number_of_line, row in enumerate(csv.DictReader(lines), start=2):
        key = row.get("id") or f"line {number_of_line}"
        if None in row or None in row.values():
            yield key, RowError("wrong_width", "the line has more or fewer cells than the header", value=row.get("id"))
        elif number_of_line == len(lines) and not document.text.endswith("\n"):
            yield (
                key,
                RowError("truncated", "the last line has no end: it may be cut inside a figure", severity="suspect"),
            )
        else:
            yield key, {name: cell if name in _TEXTS else _figure(cell) for name, cell in row.items() if cell != ""}


def _figure(cell: str) -> Any:
    try:
        return float(cell)
    except ValueError:
        return cell


def point(record: Any) -> Point:
    """Operating point of one row. TPOT is (E2E - TTFT)/(n - 1) per request, as in the benchmarks it was copied from."""
    row = mapping(record, "row")
    mode = text(row, "mode")
    if mode not in ARCHITECTURES:
        raise RowError("unknown_mode", "mode should be agg or disagg", column="mode", value=mode)
    source = text(row, "silicon_data_source") or ""
    said = dict(re.findall(r"([a-z_]+)=([^;]+?)\s*(?:;|$)", source))
    in_flight = _in_flight(said.get("silicon_concurrency"))
    gpu = text(row, "system")
    figures = latencies(row, "ttft", {"mean": ("silicon_ttft_ms",)}, scale=1e-3)
    figures |= latencies(row, "tpot", {"mean": ("silicon_tpot_ms",)}, scale=1e-3)
    return {
        "source_locator": source or None,
        "engine": text(row, "backend"),
        "engine_basis": "server",
        "engine_version": text(row, "backend_version"),
        "model": text(row, "model_path"),
        "precision": text(row, "precision") or text(row, "gemm_quant_mode"),
        "gpu": gpu,
        "gpu_canonical": canonical_gpu(gpu),
        "architecture": ARCHITECTURES[mode],
        "input_tokens_nominal": number(row, "isl"),
        "output_tokens_nominal": number(row, "osl"),
        "arrival": None if in_flight is None else "closed_loop",
        "concurrency": in_flight,
        "measured_on": day(said.get("measured"), "measured"),
        "tpot_definition": "after_first_token",
        "percentile_basis": "requests",
        **(_engine(row) if mode == "agg" else _pools(row)),
        **figures,
    }


def _in_flight(stated: str | None) -> float | None:
    if stated is None:
        return None
    if not stated.isdigit() or int(stated) == 0:
        raise RowError("not_a_count", "concurrency should be a whole number", column="silicon_data_source", value=stated)
    return float(stated)


def _engine(row: Mapping[str, Any]) -> Point:
    tp, pp = count(row, "tp_size", least=1), count(row, "pp_size", least=1)
    experts, slices = count(row, "moe_ep_size"), count(row, "moe_tp_size")
    replicas = count(row, "attention_dp_size")
    point: Point = {"pp": pp, "ep": experts or None, "dp_attention": None if replicas is None else replicas > 1}
    if tp is None or pp is None:
        return point
    if (experts or 0) > 1:
        note = "GPU count unknown: with expert parallelism the table multiplies the same GPUs twice in some rows"
        return point | {"notes": note}
    if tp > LARGEST_ENGINE:
        note = f"GPU count unknown: one engine of {tp} GPUs is the sum of pools"
        return point | {"architecture": None, "notes": note}
    if (replicas or 1) > 1 or slices not in (None, 0, 1, tp):
        return point | {"notes": "GPU count unknown: parallel sizes of attention and experts differ"}
    return point | {"tp": tp, "gpus_total": tp * pp}


def _pools(row: Mapping[str, Any]) -> Point:
    point: Point = {
        "tp": count(row, "decode_tp_size", least=1),
        "pp": count(row, "decode_pp_size", least=1),
        "ep": count(row, "decode_moe_ep_size") or None,
        "prefill_tp": count(row, "prefill_tp_size", least=1),
        "prefill_pp": count(row, "prefill_pp_size", least=1),
        "prefill_ep": count(row, "prefill_moe_ep_size") or None,
        "prefill_workers": count(row, "prefill_num_workers", least=1),
        "decode_workers": count(row, "decode_num_workers", least=1),
    }
    prefill, decode = _pool_size(row, "prefill"), _pool_size(row, "decode")
    if prefill is None or decode is None:
        return point | {"notes": "GPU count unknown: the number of workers is not given"}
    return point | {"gpus_prefill": prefill, "gpus_decode": decode, "gpus_total": prefill + decode}


def _pool_size(row: Mapping[str, Any], phase: str) -> int | None:
    """GPUs of a pool: workers times the GPUs of one; confirmed by InferenceX's own counts of the same runs."""
    parts = [count(row, f"{phase}_{part}", least=1) for part in ("num_workers", "tp_size", "pp_size", "attention_dp_size")]
    return None if None in parts else math.prod(part for part in parts if part is not None)
