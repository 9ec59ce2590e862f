"""Detection by content, and many files at once."""

import json

import pytest

from schemas.quarantine import Rejected
from schemas.serving.benchmark_outputs import BenchmarkRun, OperatingPoint
from sources.serving.benchmark_outputs import BenchmarkFile, RunMeta, detect, ingest, parse
from tests.serving.benchmark_outputs import made


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"\xff{}", "not UTF-8"),
        (b'{"mean_ttft_ms": 1', "not complete JSON"),
        (b"[" * 100_000, "not complete JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not complete JSON"),
        (b"{}", "no known benchmark format"),
        (b"[]", "no known benchmark format"),
        (b"hello", "no known benchmark format"),
    ],
)
def test_bodies_that_no_format_reads(body, complaint):
    assert detect(body) is None
    with pytest.raises(ValueError, match=complaint):
        parse(body, file_name="x", meta=None)


def test_a_byte_order_mark_is_no_obstacle():
    assert detect(b"\xef\xbb\xbf" + made.body("vllm")) == "vllm"


def test_folder_of_files_with_bad_ones_among_them():
    good = made.body("vllm")
    files = [
        BenchmarkFile("a.json", good, RunMeta(gpu="h100-sxm", gpus=8)),
        BenchmarkFile("copy of a.json", good),
        BenchmarkFile("cut.json", good[:200]),
        BenchmarkFile("stage.json", made.body("inference_perf")),
        BenchmarkFile("words.json", good.replace(b'"mean_tpot_ms": 50.0', b'"mean_tpot_ms": "slow"')),
    ]
    result = ingest(files)
    frames = (result.runs, result.accepted, result.rejected)
    for frame, contract in zip(frames, (BenchmarkRun, OperatingPoint, Rejected), strict=True):
        contract.validate(frame)
    assert result.accepted.select("file_name", "priceable").rows() == [("a.json", True), ("stage.json", False)]
    assert set(result.rejected.select("row_key", "rule").rows()) == {
        ("words.json: element 1", "not_a_number"),
        ("cut.json", "unreadable_file"),
    }
    assert result.runs.height == 3


def test_same_content_is_the_same_run_whatever_its_name():
    first, second = (parse(made.body("vllm"), file_name=name, meta=None).accepted for name in ("a.json", "b.json"))
    assert first["run_id"].to_list() == second["run_id"].to_list()


def test_record_is_kept_as_published():
    run = ingest([BenchmarkFile("a.json", made.body("vllm"))]).runs.row(0, named=True)
    assert json.loads(run["record_json"]) == json.loads(made.body("vllm"))
    assert run["record_id"] == run["file_sha256"][:16] + "-1"


def test_texts_and_lists_of_requests_are_not_copied_and_nan_stays_readable():
    record = json.loads(made.body("vllm")) | {"generated_texts": ["private"], "std_ttft_ms": float("nan")}
    run = ingest([BenchmarkFile("a.json", json.dumps(record).encode())]).runs.row(0, named=True)
    kept = json.loads(run["record_json"])
    assert "generated_texts" not in kept
    assert kept["std_ttft_ms"] == "NaN"


def test_no_files_make_empty_frames():
    result = ingest([])
    assert [frame.height for frame in result] == [0, 0, 0]
