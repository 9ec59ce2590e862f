import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.quarantine import Rejected
from schemas.serving.benchmark_outputs import RequestTrace, Workload
from sources.serving.benchmark_outputs.traces import detect_trace, ingest_trace, percentiles_of_counts
from tests.serving.benchmark_outputs import made

CSV = """TIMESTAMP,ContextTokens,GeneratedTokens
2024-05-10 00:00:00.009930+00:00,12,3
2024-05-10 00:00:01.009930+00:00,x,3
yesterday,1,2
2024-05-10 00:00:01,5
2024-05-10 00:00:01,5,6,7
2024-05-10 00:00:01,,6
2024-05-10 00:00:01.9799600,-4,6
2024-05-10 00:00:02.009930+00:00,14,5
"""

SPAN_OF_30_000_YEARS = b"""{"timestamp": 0, "input_length": 1, "output_length": 1, "hash_ids": []}
{"timestamp": 1e15, "input_length": 1, "output_length": 1, "hash_ids": []}"""


def read(body: bytes, folder, name="trace.csv"):
    path, parquet = folder / name, folder / "requests.parquet"
    path.write_bytes(body)
    trace = ingest_trace(path, parquet=parquet)
    requests = pl.read_parquet(parquet)
    Workload.validate(trace.workload)
    Rejected.validate(trace.rejected)
    RequestTrace.validate(requests)
    return trace.workload.row(0, named=True), requests, trace.rejected


def test_burstgpt_layout(tmp_path):
    body = (
        "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
        "5,a,1.5,ChatGPT,472,18,490,Conversation log\n45,a,2.5,GPT-4,1087,230,1317,API log\n"
    )
    workload, requests, _ = read(body.encode(), tmp_path)
    assert (workload["source"], workload["duration_s"], workload["n_requests"]) == ("burstgpt_trace", 40, 2)
    assert requests["arrived_s"].to_list() == [0, 40]


def test_broken_lines_are_counted_per_rule_and_stop_nothing(tmp_path):
    workload, requests, rejected = read(CSV.encode(), tmp_path)
    assert requests["input_tokens"].to_list() == [12, 14]
    assert workload["duration_s"] == 2
    counted = dict(rejected.select("row_key", "n_rows").rows())
    assert counted == {
        "trace.csv: cast ContextTokens": 1,
        "trace.csv: cast TIMESTAMP": 1,
        "trace.csv: missing columns GeneratedTokens": 1,
        "trace.csv: too many columns": 1,
        "trace.csv: unsound requests": 2,
    }


def test_time_counts_from_the_earliest_request_wherever_it_stands(tmp_path):
    lines = CSV.splitlines()
    workload, requests, _ = read("\n".join([lines[0], lines[-1], lines[1]]).encode(), tmp_path)
    assert requests["arrived_s"].to_list() == [2, 0]
    assert workload["started_at"].isoformat() == "2024-05-10T00:00:00.009930+00:00"


def test_broken_json_lines_are_counted(tmp_path):
    body = (
        '{"timestamp": 0, "input_length": 10, "output_length": 6, "hash_ids": [0]}\n'
        '{"timestamp": 1, "input_length": "ten", "output_length": 6}\n{"timestamp": 5, "inp\n'
        '{"timestamp": 7, "input_length": 3, "output_length": 6}\n'
    )
    workload, _, rejected = read(body.encode(), tmp_path, "trace.jsonl")
    assert (workload["n_requests"], rejected["n_rows"].to_list()) == (2, [2])


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"a,b,c\n1,2,3\n", "no known trace layout"),
        (b"TIMESTAMP,ContextTokens,GeneratedTokens\n", "no sound request"),
        (SPAN_OF_30_000_YEARS, "another unit"),
    ],
)
def test_traces_that_cannot_be_read(body, complaint, tmp_path):
    (tmp_path / "trace").write_bytes(body)
    with pytest.raises(ValueError, match=complaint):
        ingest_trace(tmp_path / "trace", parquet=tmp_path / "requests.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["trace"]


def test_an_earlier_table_stays_where_a_later_trace_fails(tmp_path):
    read(CSV.encode(), tmp_path)
    (tmp_path / "bad.csv").write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n")
    with pytest.raises(ValueError, match="no sound request"):
        ingest_trace(tmp_path / "bad.csv", parquet=tmp_path / "requests.parquet")
    assert pl.read_parquet(tmp_path / "requests.parquet").height == 2


def test_a_results_file_is_no_trace():
    assert detect_trace(b'{"mean_ttft_ms": 3}') is None
    assert detect_trace(made.AZURE_TRACE) == "azure_llm_trace"


@given(st.lists(st.integers(0, 50), min_size=1, max_size=200))
def test_percentiles_of_counts_equal_those_of_the_sample(figures):
    values, counts = np.unique(figures, return_counts=True)
    levels = [0.0, 0.01, 0.5, 0.9, 0.999, 1.0]
    assert percentiles_of_counts(values, counts, levels) == pytest.approx(np.quantile(figures, levels))


def test_a_trace_of_the_year_zero_is_refused(tmp_path):
    file = tmp_path / "trace.csv"
    file.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n0000-05-10 00:00:01.5,20,5\n")
    with pytest.raises(ValueError, match="before 1970 or after 2100"):
        ingest_trace(file, parquet=tmp_path / "trace.parquet")
    assert not (tmp_path / "trace.parquet").exists()
