"""Real files of benchmark tools, and the steps every test of a format repeats.

The files are public but not part of this project: a test that needs one is skipped where the folder is absent.
"""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from schemas.quarantine import Parsed, Rejected
from schemas.serving.benchmark_outputs import OperatingPoint
from sources.serving.benchmark_outputs import RunMeta, parse

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "serving"

VLLM = "samples/vllm_bench_serve_glm47_conc16.json"
GUIDELLM = "samples/guidellm_report_v2.json"
INFERENCEX = "inferencex/api_fixture_benchmarks.json"
AICONFIGURATOR = "aiconfigurator/silicon_sample.csv"
AZURE = "azure/AzureLLMInferenceTrace_code.csv"
MOONCAKE = "mooncake/synthetic_trace.jsonl"
MLPERF = "mlperf/raw_closed_Cisco_results_C885_H200x8_TRT_llama2-70b-99_Server_performance_run_1_mlperf_log_summary.txt"
MLPERF_TABLE = "mlperf/derived_v5.1_llm_p99_from_log_summaries.csv"
STAGES = tuple(f"samples/inference_perf/eagle_stage_{i}.json" for i in range(7))
CLIENT_RESULT = "samples/inferencemax/glm5_fp8_vllm_tp8_isl1024_osl128_conc16.json"
NOT_BENCHMARKS = (
    "aiconfigurator_grid.csv",
    "derived/distserve_osdi24_goodput_p90_recovered.csv",
    "distserve/profiler-a100-80g.vllm.json",
    "sarathi/osdi_table-2_results.csv",
    "splitwise/perf_model.csv",
    "vidur/profiling__network__a100_dgx__send_recv.csv",
    AZURE,
    MOONCAKE,
)


def sample(name: str) -> bytes:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the public sample {name} is not on this machine")
    return path.read_bytes()


def record_of(name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(sample(name))
    return record


def read(document: bytes | object, meta: RunMeta | None = None) -> Parsed:
    """Parse a body, or a JSON value, and hold both frames against their contracts."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    parsed = parse(body, file_name="run.json", meta=meta)
    OperatingPoint.validate(parsed.accepted)
    Rejected.validate(parsed.rejected)
    return parsed


def only_point(document: bytes | object, meta: RunMeta | None = None) -> dict[str, Any]:
    """The one operating point of a document from which nothing is refused."""
    parsed = read(document, meta)
    assert parsed.rejected.is_empty(), parsed.rejected.to_dicts()
    assert parsed.accepted.height == 1
    return parsed.accepted.row(0, named=True)


def rules(document: bytes | object, meta: RunMeta | None = None) -> list[str]:
    """Rules that refused every run of a document."""
    parsed = read(document, meta)
    assert parsed.accepted.is_empty(), parsed.accepted.to_dicts()
    return parsed.rejected["rule"].to_list()


def stated(point: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in point.items() if value is not None}


def rows(parsed: Parsed, **where: object) -> pl.DataFrame:
    return parsed.accepted.filter(**where)
