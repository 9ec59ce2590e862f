import datetime as dt

import polars as pl
import pytest

from sources.serving.benchmark_outputs import BenchmarkFile, ingest, same_run
from tests.serving.benchmark_outputs.samples import AICONFIGURATOR, INFERENCEX, read, rules, sample


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


def table(n_rows: int) -> bytes:
    return b"".join(sample(AICONFIGURATOR).splitlines(keepends=True)[: n_rows + 1])


def test_line_cut_inside_its_last_figure_is_refused():
    parsed = read(table(5)[:-7])
    assert parsed.accepted.height == 4
    assert parsed.rejected["rule"].to_list() == ["truncated"]


def test_line_with_a_missing_cell_is_refused():
    parsed = read(table(5) + b"short,row\n")
    assert parsed.accepted.height == 5
    assert parsed.rejected["rule"].to_list() == ["wrong_width"]


def test_word_for_a_number_is_refused():
    assert rules(table(1).replace(b",972.3109823355117,", b",fast,")) == ["not_a_number"]


def test_table_in_another_unit_is_refused_as_a_whole():
    in_us = pl.read_csv(sample(AICONFIGURATOR), infer_schema_length=None).with_columns(pl.col("silicon_ttft_ms") * 1000)
    found = rules(in_us.write_csv().encode())
    assert {"first_token_after_all_others", "file_in_doubt"} <= set(found)
