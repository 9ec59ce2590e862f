"""Public results of benchmark tools as their tools wrote them: what stands in each, and what all of them together show."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from sources.serving.benchmark_outputs import BenchmarkFile, RunMeta, detect, ingest, parse, same_run
from sources.serving.benchmark_outputs.operating_points import complete, point_frame
from sources.serving.benchmark_outputs.plausibility import split
from tests.refreshed import ROOT
from tests.serving.benchmark_outputs.samples import (
    AICONFIGURATOR,
    AZURE,
    CLIENT_RESULT,
    GUIDELLM,
    INFERENCEX,
    MLPERF,
    MLPERF_TABLE,
    MOONCAKE,
    NOT_BENCHMARKS,
    STAGES,
    VLLM,
    only_point,
    read,
    sample,
)
from tests.serving.benchmark_outputs.test_traces import read as read_trace

pytestmark = pytest.mark.published

SAMPLES = {
    VLLM: "vllm",
    GUIDELLM: "guidellm",
    INFERENCEX: "inferencex",
    CLIENT_RESULT: "inferencex",
    MLPERF: "mlperf",
    AICONFIGURATOR: "aiconfigurator",
    **dict.fromkeys(STAGES, "inference_perf"),
}


@pytest.mark.parametrize(("name", "expected"), SAMPLES.items())
def test_format_is_found_in_the_content(name, expected):
    assert detect(sample(name)) == expected


@pytest.mark.parametrize("name", NOT_BENCHMARKS)
def test_other_files_are_nobodys(name):
    body = sample(name)
    assert detect(body) is None
    with pytest.raises(ValueError, match="no known benchmark format"):
        parse(body, file_name=name, meta=None)


def test_real_run_in_seconds_with_its_load():
    point = only_point(sample(VLLM))
    assert (point["source"], point["client"], point["model"]) == ("vllm", "vllm", "zai-org/GLM-4.7")
    assert point["engine"] is None
    assert point["ttft_p99_s"] == pytest.approx(1.6112285)
    assert point["tpot_mean_s"] == pytest.approx(0.08094105)
    assert point["itl_p50_s"] == pytest.approx(0.07927858)
    assert point["tpot_definition"] == "after_first_token"
    assert point["output_tokens_mean"] == 117008 / 160
    assert point["input_tokens_per_s"] == pytest.approx(163840 / 627.4708737)
    assert (point["arrival"], point["concurrency"], point["start_burst_bias"]) == ("closed_loop", 16, True)
    assert (point["n_requests"], point["n_failed"], point["measured_on"]) == (160, 0, dt.date(2026, 3, 14))
    assert point["ttft_p90_s"] is None


def test_log_summary_in_seconds_under_its_contract():
    point = only_point(sample(MLPERF))
    assert (point["ttft_p99_s"], point["tpot_p99_s"]) == pytest.approx((0.947816763, 0.183017971))
    assert (point["slo_ttft_s"], point["slo_tpot_s"], point["slo_percentile"]) == pytest.approx((2.0, 0.2, 99))
    assert point["slo_met"] is True
    assert (point["arrival"], point["arrival_process"], point["request_rate_per_s"]) == ("open_loop", "poisson", 114.24)
    assert point["output_tokens_per_s"] == 33163.34
    assert point["latency_closure"] == pytest.approx(1.0015, abs=1e-4)
    assert point["priceable"] is False


def test_user_supplies_the_gpus_of_a_log():
    point = only_point(sample(MLPERF), RunMeta(gpu="NVIDIA H200-SXM-141GB", gpus=8, model="llama2-70b-99"))
    assert point["output_tokens_per_s_per_gpu"] == pytest.approx(4145.4, abs=0.1)
    assert (point["gpu_canonical"], point["priceable"]) == ("h200-sxm", True)


def test_two_rates_of_a_report():
    """The report comes from a mock server: its shape is real, its latencies are not those of a model."""
    parsed = read(sample(GUIDELLM))
    assert parsed.rejected.is_empty()
    assert parsed.accepted["request_rate_per_s"].to_list() == [2.0, 4.0]
    point = parsed.accepted.row(0, named=True)
    assert (point["arrival"], point["arrival_process"], point["start_burst_bias"]) == ("open_loop", "constant", False)
    assert point["ttft_p999_s"] == pytest.approx(0.011686325)
    assert point["tpot_mean_s"] == pytest.approx(0.0024421364)
    assert point["e2e_mean_s"] == pytest.approx(0.0197890997)
    assert (point["model"], point["measured_on"]) == ("e2e-mock-model", dt.date(2026, 8, 14))
    assert (point["n_requests"], point["n_failed"], point["input_tokens_mean"]) == (2, 0, 71.5)


def test_time_per_token_counts_the_first_token():
    point = read(sample(GUIDELLM)).accepted.row(0, named=True)
    assert (point["tpot_definition"], point["percentile_basis"]) == ("over_all_tokens", "token_weighted_requests")
    assert point["latency_closure"] == pytest.approx(0.987, abs=1e-3)


@pytest.mark.parametrize(("stage", "asked", "sent"), [(0, 1.0, 1.0151783), (5, 86.81, 73.0761336)])
def test_rate_asked_for_and_rate_sent(stage, asked, sent):
    point = only_point(sample(STAGES[stage]))
    assert (point["arrival"], point["start_burst_bias"]) == ("open_loop", False)
    assert point["request_rate_per_s"] == asked
    assert point["sent_rate_per_s"] == pytest.approx(sent)


def test_stage_in_seconds():
    point = only_point(sample(STAGES[4]))
    assert point["ttft_p50_s"] == pytest.approx(0.8081083650467917)
    assert point["e2e_p999_s"] == pytest.approx(3.449801756343106)
    assert point["tpot_p99_s"] is None
    assert (point["tpot_basis"], point["tpot_mean_s"]) == (
        "from_e2e",
        pytest.approx((point["e2e_mean_s"] - point["ttft_mean_s"]) / 61.878918),
    )
    assert (point["n_requests"], point["n_failed"]) == (4179, 0)
    assert point["output_tokens_mean"] == pytest.approx(62.878918)
    assert point["total_tokens_per_s"] == pytest.approx(17695.468723)


def test_tokens_counted_twice_show_in_the_closure():
    """These stages state about half the time per token that their own end-to-end latency gives."""
    closures = [only_point(sample(stage))["latency_closure"] for stage in STAGES]
    # In the last stages requests wait so long for their first token that the whole closes all the same.
    assert closures[5:] == pytest.approx([0.83, 0.84], abs=0.05)
    assert {only_point(sample(stage))["tpot_basis"] for stage in STAGES} == {"from_e2e"}
    assert closures[:4] == pytest.approx([0.551, 0.563, 0.564, 0.560], abs=1e-3)


@pytest.fixture(scope="module")
def capture() -> pl.DataFrame:
    return read(sample(INFERENCEX)).accepted


def test_every_row_but_one_is_believed():
    parsed = read(sample(INFERENCEX))
    assert parsed.accepted.height == 434
    # 512 clients and 50 tokens/s per GPU on MI355X: rate times latency makes 12 requests in flight.
    assert parsed.rejected.select("rule", "severity").rows() == [("against_littles_law", "suspect")]


def test_measured_crossover_of_colocated_and_disaggregated_serving(capture):
    """H200, DeepSeek-R1 FP8, 8k/1k: best total tokens/s per GPU under p99 contracts, as re-derived from this capture."""
    runs = capture.filter(gpu="h200", precision="fp8", input_tokens_nominal=8192, output_tokens_nominal=1024)

    def best(architecture: str, ttft_s: float, tpot_s: float) -> float:
        inside = runs.filter(pl.col("ttft_p99_s") <= ttft_s, pl.col("tpot_p99_s") <= tpot_s, architecture=architecture)
        return round(inside["total_tokens_per_s_per_gpu"].max())

    assert (best("colocated", 5, 0.05), best("disaggregated", 5, 0.05)) == (933, 415)
    assert (best("colocated", 20, 0.05), best("disaggregated", 20, 0.05)) == (1238, 1824)
    assert (best("colocated", 30, 0.05), best("disaggregated", 30, 0.05)) == (1238, 2070)


def test_gpus_of_one_engine_are_its_tensor_parallelism(capture):
    stated_64 = capture.filter(pl.col("notes").str.contains("states 64 GPUs"))
    assert stated_64.height == 33
    assert stated_64["gpus_total"].unique().to_list() == [8]


def test_littles_law_agrees_with_every_gpu_count(capture):
    """Requests in flight = rate of the system x latency; lengths are about .9 of nominal."""
    tokens = 0.9 * (pl.col("input_tokens_nominal") + pl.col("output_tokens_nominal"))
    in_flight = pl.col("total_tokens_per_s") / tokens * pl.col("e2e_mean_s") / pl.col("concurrency")
    assert capture["gpus_total"].null_count() == 0
    assert capture.select(in_flight.is_between(0.75, 1.1).all()).item()


def test_rates_per_phase_become_rates_of_the_whole_system(capture):
    pools = capture.filter(architecture="disaggregated")
    difference = pl.col("input_tokens_per_s_per_gpu") + pl.col("output_tokens_per_s_per_gpu")
    assert pools.select((difference / pl.col("total_tokens_per_s_per_gpu") - 1).abs().max()).item() < 0.01


def test_pools_stated_as_one_sum_are_recovered_from_the_rates(capture):
    recovered = capture.filter(pl.col("notes").str.contains("for each pool"))
    assert sorted(recovered.select("gpus_prefill", "gpus_decode").rows()) == [
        (4, 16),
        (4, 24),
        (4, 24),
        (4, 32),
        (4, 32),
        (24, 48),
        (32, 16),
        (48, 24),
    ]


def test_lengths_are_nominal_and_the_start_burst_is_flagged(capture):
    assert capture["output_tokens_mean"].null_count() == 434
    assert capture["start_burst_bias"].all()
    assert capture["arrival"].unique().to_list() == ["closed_loop"]


def test_names_power_and_place(capture):
    row = capture.filter(gpu="mi355x", concurrency=2048, input_tokens_nominal=8192).row(0, named=True)
    assert row["power_w_per_gpu"] == 907.773
    assert row["joules_per_output_token"] == 0.685255
    assert (row["gpus_prefill"], row["gpus_decode"], row["prefill_workers"]) == (16, 8, 2)
    assert row["source_locator"].startswith("https://github.com/SemiAnalysisAI/InferenceX/actions/runs/")
    assert set(capture["gpu_canonical"].unique()) == {
        "b200-sxm",
        "b300-sxm",
        "gb200",
        "gb300",
        "h100-sxm",
        "h200-sxm",
        "mi300x",
        "mi325x",
        "mi355x",
    }


def test_result_of_the_client_is_in_seconds():
    point = only_point(sample(CLIENT_RESULT))
    assert (point["ttft_p99_s"], point["tpot_p50_s"]) == (2.077586937993753, 0.033614915054966145)
    assert (point["output_tokens_mean"], point["concurrency"]) == (128, 16)
    assert point["total_tokens_per_s"] == pytest.approx(3228.647450737003 + 403.5809313421254)


@pytest.fixture(scope="module")
def points() -> pl.DataFrame:
    found = ingest([BenchmarkFile("run.json", sample(AICONFIGURATOR))])
    assert found.rejected.is_empty()
    return found.records


def test_runs_that_the_table_lists_two_or_three_times_are_one(points):
    assert same_run.united(points.drop("record_id")).height == points["run_id"].n_unique() < 4000


def test_every_measured_point_is_read(points):
    assert points.height == 5221
    assert points["architecture"].value_counts(sort=True).rows() == [
        ("colocated", 3564),
        ("disaggregated", 1602),
        (None, 55),
    ]


def test_first_row(points):
    row = points.row(0, named=True)
    assert (row["ttft_mean_s"], row["tpot_mean_s"]) == pytest.approx((0.97231098, 0.03344291))
    assert (row["gpu"], row["gpu_canonical"], row["gpus_total"]) == ("b300_sxm", "b300-sxm", 4)
    assert (row["concurrency"], row["measured_on"]) == (128, dt.date(2026, 4, 17))
    assert (row["input_tokens_nominal"], row["output_tokens_nominal"]) == (8192, 1024)
    assert row["ttft_p99_s"] is None


def test_no_throughput_is_made_up(points):
    assert points["output_tokens_per_s"].null_count() == 5221
    assert not points["priceable"].any()


def test_gpu_counts_that_stand_agree_with_the_capture_they_were_copied_from(points):
    """Same run in both files: same mean TPOT to the microsecond."""
    capture = read(sample(INFERENCEX)).accepted
    both = points.with_columns(key=pl.col("tpot_mean_s").round(9)).join(
        capture.with_columns(key=pl.col("tpot_mean_s").round(9)), on="key", suffix="_capture"
    )
    known = both.drop_nulls("gpus_total")
    assert known.height > 100
    assert known.filter(pl.col("gpus_total") != pl.col("gpus_total_capture")).is_empty()
    assert both.filter(pl.col("gpus_total").is_null())["notes"].str.contains("GPU count unknown").all()


def test_sums_over_pools_have_no_architecture(points):
    sums = points.filter(pl.col("architecture").is_null())
    assert sums["gpu"].unique().to_list() == ["gb200"]
    assert sums["notes"].str.contains("sum of pools").all()


def test_azure_code_trace(tmp_path):
    workload, requests, rejected = read_trace(sample(AZURE), tmp_path)
    assert (workload["n_requests"], workload["input_tokens_p50"], workload["output_tokens_p50"]) == (8819, 1469, 13)
    assert workload["requests_per_s"] == pytest.approx(2.57, abs=0.01)
    assert workload["started_at"].isoformat() == "2023-11-16T18:17:03.979960+00:00"
    # The file ends without a line end; its last request counts.
    assert requests.row(-1)[1:3] == (549, 173)
    assert rejected.is_empty()


def test_mooncake_trace_is_in_milliseconds(tmp_path):
    workload, _, _ = read_trace(sample(MOONCAKE), tmp_path, "trace.jsonl")
    assert workload["n_requests"] == 3993
    assert (round(workload["input_tokens_mean"]), round(workload["output_tokens_mean"])) == (15325, 149)
    assert workload["requests_per_s"] == pytest.approx(3.91, abs=0.01)
    assert workload["started_at"] is None


def test_percentiles_are_those_of_the_requests(tmp_path):
    workload, requests, _ = read_trace(sample(AZURE), tmp_path)
    for kind in ("input", "output"):
        exact = np.percentile(requests[f"{kind}_tokens"], [50, 90, 99, 99.9])
        assert [workload[f"{kind}_tokens_{q}"] for q in ("p50", "p90", "p99", "p999")] == pytest.approx(exact)


def test_no_audited_result_is_refused():
    """223 log summaries of MLPerf Inference v5.1 with latencies: each is a real figure of a real system."""
    table = pl.read_csv(sample(MLPERF_TABLE), infer_schema_length=None).drop_nulls("p99_ttft_ms")
    assert table.height == 223
    points = point_frame(
        [
            complete(
                {
                    "run_id": f"{i:016x}-1",
                    "source": "mlperf",
                    "file_name": row["path"],
                    "model": row["model"],
                    "gpu": row["accelerator"],
                    "precision": row["weight_dtype"],
                    "tpot_definition": "after_first_token",
                    **{f"{name}_{q}_s": row[f"{q}_{name}_ms"] / 1e3 for name in ("ttft", "tpot") for q in ("p50", "p99")},
                    "gpus_total": None if row["gpus"] is None else int(row["gpus"]),
                    "output_tokens_per_s": row["completed_tps"],
                },
                None,
            )
            for i, row in enumerate(table.iter_rows(named=True))
        ]
    )
    assert split(points).rejected.is_empty()


def test_the_page_says_how_many_points_repeat_others():
    page = (ROOT / "docs" / "benchmark_files.md").read_text()
    records = ingest([BenchmarkFile("a", sample(AICONFIGURATOR))]).records
    repeats = records.height - same_run.united(records.drop("record_id")).height
    assert f"{records.height:,} points, {repeats:,} repeat others" in page
