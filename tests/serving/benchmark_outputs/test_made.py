"""What each format's own file says in seconds and tokens a second, computed by hand (see `made`)."""

import datetime as dt

import numpy as np
import pytest

from sources.serving.benchmark_outputs import RunMeta, detect
from sources.serving.benchmark_outputs.traces import detect_trace, ingest_trace
from tests.serving.benchmark_outputs import made
from tests.serving.benchmark_outputs.samples import only_point, read, rules

READER = {"inferencex client": "inferencex", "mlperf_log": "mlperf"}


@pytest.mark.parametrize("name", made.RUNS)
def test_each_is_known_by_its_content(name):
    assert detect(made.body(name)) == READER.get(name, name)


@pytest.mark.parametrize("name", ["vllm", "guidellm", "inference_perf", "mlperf_log", "inferencex client"])
def test_one_run_reads_the_same_from_every_format(name):
    point = only_point(made.body(name))
    assert point["ttft_p50_s"] == pytest.approx(0.4)
    assert point["ttft_p99_s"] == pytest.approx(1.5)
    per_token = 10.45 / 200 if point["tpot_definition"] == "over_all_tokens" else 0.05
    assert point["tpot_p50_s"] == pytest.approx(per_token)
    assert point["tpot_p99_s"] == pytest.approx(1.2 * per_token)
    assert point["output_tokens_per_s"] == pytest.approx(306.22, abs=0.01)
    if point["ttft_mean_s"] is not None:
        assert (point["ttft_mean_s"], point["tpot_mean_s"]) == (pytest.approx(0.5), pytest.approx(per_token))
    if point["e2e_p50_s"] is not None:
        assert point["e2e_p50_s"] == pytest.approx(10.45)


@pytest.mark.parametrize(
    ("name", "arrival", "load"),
    [
        ("vllm", "closed_loop", {"concurrency": 16}),
        ("guidellm", "closed_loop", {"concurrency": 16}),
        ("inference_perf", "open_loop", {"request_rate_per_s": 1.6, "sent_rate_per_s": 1.55}),
        ("mlperf_log", "open_loop", {"request_rate_per_s": 1.6, "slo_ttft_s": 2.0, "slo_tpot_s": 0.2, "slo_percentile": 99}),
        ("inferencex client", "closed_loop", {"concurrency": 16}),
    ],
)
def test_how_requests_were_sent(name, arrival, load):
    point = only_point(made.body(name))
    assert point["arrival"] == arrival
    assert {key: point[key] for key in load} == pytest.approx(load)


@pytest.mark.parametrize("name", ["vllm", "guidellm", "inferencex client"])
def test_tokens_requests_and_day(name):
    point = only_point(made.body(name))
    assert (point["n_requests"], point["output_tokens_mean"], point["input_tokens_mean"]) == (160, 200, 1000)
    assert point["duration_s"] == pytest.approx(104.5)
    assert point["measured_on"] == dt.date(2026, 11, 1)


def test_rates_per_gpu_follow_from_the_gpus_the_user_states():
    point = only_point(made.body("vllm"), RunMeta(gpu="h200-sxm", gpus=4))
    assert point["output_tokens_per_s_per_gpu"] == pytest.approx(306.22 / 4, abs=0.01)
    assert point["priceable"] is True


def test_pools_of_inferencex_give_rates_of_the_whole_system():
    over_nodes, as_a_sum, one_engine = read(made.inferencex()).accepted.to_dicts()
    each = 1024 * 16 / (0.5 + 1023 * 0.05)
    assert (over_nodes["gpus_prefill"], over_nodes["gpus_decode"]) == (4, 8)
    assert over_nodes["output_tokens_per_s_per_gpu"] == pytest.approx(each / 12)
    # 20 stated for each pool: the rates give 4 and 16.
    assert (as_a_sum["gpus_prefill"], as_a_sum["gpus_decode"]) == (4, 16)
    assert as_a_sum["total_tokens_per_s_per_gpu"] == pytest.approx(2 * each / 20)
    assert (one_engine["gpus_total"], one_engine["ep"]) == (8, 8)
    assert "states 64 GPUs" in one_engine["notes"]


def test_points_of_aiconfigurator_are_milliseconds_with_their_load():
    first, second = read(made.aiconfigurator(2)).accepted.to_dicts()
    assert (first["ttft_mean_s"], first["tpot_mean_s"], second["ttft_mean_s"]) == pytest.approx((0.5, 0.05, 1.0))
    assert (first["gpu_canonical"], first["gpus_total"], first["concurrency"]) == ("h200-sxm", 4, 16)
    assert (first["input_tokens_nominal"], first["output_tokens_nominal"]) == (1000, 200)
    assert (first["measured_on"], first["output_tokens_per_s"]) == (dt.date(2026, 11, 1), None)


def test_tokens_counted_twice_are_not_believed():
    point = only_point(made.inference_perf(tokens_counted_twice=True))
    # .5 + 199 x .025 = 5.475 of the 10.45 s that a request takes.
    assert point["latency_closure"] == pytest.approx(5.475 / 10.45)
    assert (point["tpot_basis"], point["tpot_mean_s"]) == ("from_e2e", pytest.approx(0.05))


def test_goodput_is_a_share_of_what_was_done():
    record = made.vllm() | {"request_goodput": 1.2}
    assert only_point(record)["attainment"] == pytest.approx(1.2 / (16 / 10.45))
    assert rules(record | {"request_goodput": 1.6}) == ["goodput_above_throughput"]


@pytest.mark.parametrize(("body", "name"), [(made.AZURE_TRACE, "azure_llm_trace"), (made.MOONCAKE_TRACE, "mooncake_trace")])
def test_three_requests_in_four_seconds(tmp_path, body, name):
    assert detect_trace(body) == name
    (tmp_path / "trace").write_bytes(body)
    row = ingest_trace(tmp_path / "trace", parquet=tmp_path / "requests").workload.row(0, named=True)
    assert (row["n_requests"], row["duration_s"]) == (3, pytest.approx(4.0))
    assert (row["input_tokens_p50"], row["output_tokens_p50"]) == (2000, 200)
    assert row["input_tokens_p99"] == pytest.approx(np.percentile([1000, 2000, 3000], 99))
