import datetime as dt

import msgspec
import pytest

from sources.serving.benchmark_outputs import RunMeta, read_meta, run_meta, stored_meta
from tests.serving.benchmark_files import inferencex_row
from tests.serving.benchmark_outputs import made
from tests.serving.benchmark_outputs.samples import only_point, rules

YAML = b"""
gpu: h100-sxm
gpus: 8
engine_version: 0.11.0
precision: fp8
architecture: chunked
usd_per_gpu_hour: 2
measured_on: 2026-11-01
slo_ttft_s: 2.0
slo_tpot_s: 0.1
slo_percentile: 99
notes: our rack in hall 2
"""


def test_file_beside_the_results():
    meta = read_meta(YAML)
    assert (meta.gpu, meta.gpus, meta.usd_per_gpu_hour) == ("h100-sxm", 8, 2.0)
    assert meta.measured_on == dt.date(2026, 11, 1)


def test_facts_fill_what_the_file_lacks():
    point = only_point(made.vllm(), read_meta(YAML))
    assert (point["gpu_canonical"], point["gpus_total"], point["architecture"]) == ("h100-sxm", 8, "chunked")
    assert point["output_tokens_per_s_per_gpu"] == pytest.approx(200 * 16 / 10.45 / 8)
    assert (point["slo_ttft_s"], point["usd_per_gpu_hour"], point["notes"]) == (2.0, 2.0, "our rack in hall 2")
    assert point["priceable"] is True


def test_pools_make_the_total():
    point = only_point(made.vllm(), RunMeta(gpu="h200-sxm", gpus_prefill=2, gpus_decode=6, architecture="disaggregated"))
    assert point["gpus_total"] == 8


def test_pools_that_do_not_make_the_total_are_refused():
    assert rules(made.vllm(), RunMeta(gpus=9, gpus_prefill=2, gpus_decode=6)) == ["gpu_counts_do_not_add_up"]


def test_a_price_makes_a_run_priceable_without_a_gpu_name():
    assert only_point(made.vllm(), RunMeta(gpus=4, usd_per_gpu_hour=2.1))["priceable"] is True
    assert only_point(made.vllm(), RunMeta(gpus=4))["priceable"] is False


def test_user_and_file_that_contradict_each_other_are_refused():
    assert rules(made.vllm(), RunMeta(concurrency=8)) == ["meta_contradicts_file"]


def test_the_users_word_for_what_a_client_only_labels_wins_and_both_are_kept():
    point = only_point(made.vllm(), RunMeta(model="llama-3.1-8b", engine="sglang"))
    assert (point["model"], point["model_in_file"]) == ("llama-3.1-8b", "acme/Model-7B-Instruct")
    assert (point["engine"], point["engine_basis"], point["client"]) == ("sglang", "user", "vllm")


def test_an_engine_that_the_server_told_stands():
    row = inferencex_row()
    assert rules([row], RunMeta(engine="lmdeploy")) == ["meta_contradicts_file"]


def test_a_small_number_in_kept_metadata_comes_back():
    meta = run_meta({"gpu": "h100-sxm", "slo_tpot_s": 5e-6})
    assert stored_meta(msgspec.json.encode(meta)) == meta
    assert read_meta(b"gpu: h100-sxm\nslo_tpot_s: 5e-6") == meta


@pytest.mark.parametrize(
    ("word", "complaint"),
    [("h100sxm5x", "did you mean h100-sxm"), ("H100, A100", "several accelerators"), ("toaster", "no accelerator")],
)
def test_a_word_that_is_no_gpu_is_refused_with_the_nearest(word, complaint):
    with pytest.raises(ValueError, match=complaint):
        run_meta({"gpu": word})


def test_same_gpu_under_two_names_is_no_contradiction():
    row = inferencex_row()
    assert only_point([row], RunMeta(gpu="H200-SXM"))["gpu"] == "h200"
    assert rules([row], RunMeta(gpu="b200-sxm")) == ["meta_contradicts_file"]


def test_a_simulator_is_not_a_measurement():
    assert only_point(made.vllm(), RunMeta(basis="simulated"))["basis"] == "simulated"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"gpus: 8\n  gpu: x", "not YAML"),
        (b"\xff\xfe\x00", "not YAML"),
        (b"- gpu\n- gpus", "name: value"),
        (b"", "name: value"),
        (b"1: 2", "name: value"),
        (b"gpu: h100-sxm\ngpu_count: 8", "unknown field `gpu_count`.*the fields are gpu, gpus"),
        (b"gpus: eight", r"Expected `int \| null`, got `str` - at `\$.gpus`"),
        (b"gpus: 0", ">= 1"),
        (b"gpus: .nan", "gpus"),
        (b"usd_per_gpu_hour: -1", "> 0"),
        (b"usd_per_gpu_hour: .nan", "usd_per_gpu_hour"),
        (b"usd_per_gpu_hour: .inf", "usd_per_gpu_hour"),
        (b"architecture: split", "Invalid enum value 'split'"),
        (b"measured_on: soon", "measured_on"),
    ],
)
def test_wrong_metadata_says_what_is_wrong(body, complaint):
    with pytest.raises(ValueError, match=complaint):
        read_meta(body)


def test_options_of_a_command_line_are_checked_alike():
    assert run_meta({"gpu": "h100-sxm", "gpus": 8}) == RunMeta(gpu="h100-sxm", gpus=8)
    with pytest.raises(ValueError, match="gpus"):
        run_meta({"gpus": -1})
