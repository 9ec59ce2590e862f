"""Published operating points in one frame, and the recomputations, from a real refresh and from figures changed by hand."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from assets.evidence.published import cited, common_frame, gpu_prices, gpus_of, shapes_of
from assets.evidence.rederivations import rederive
from economics.numeric.statistics import wilson_interval
from schemas.base import polars_schema
from schemas.evidence.published import Gpu, ModelShape, PublishedCommonFrame, PublishedRederivation
from schemas.prices.gpu_rents import GpuRent
from sources.evidence.published_figures import recomputations
from tests.evidence.test_published_figures import CITED, FIGURES

HARDWARE = Path(__file__).resolve().parents[3] / "shared" / "data" / "hardware" / "accelerators.csv"
needs_hardware = pytest.mark.skipif(not HARDWARE.exists(), reason="the figures as collected are not at hand")
DAY = date(2026, 11, 23)
CHECKED = rederive(FIGURES, recomputations())


def rent(gpu: str, usd: float, *, term: str = "on_demand", provider: str = "seller", **more: object) -> dict[str, Any]:
    return {
        "gpu": gpu,
        "usd_per_gpu_hour": usd,
        "term": term,
        "provider": provider,
        "statistic": "price",
        "source": "seed",
        "valid_from": date(2026, 11, 1),
        "observed_at": datetime(2026, 11, 2, tzinfo=UTC),
        **more,
    }


def rents(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=polars_schema(GpuRent))


A100 = rents(rent("a100-80gb-sxm", 2.0), rent("h100-sxm", 3.0))


def point(frame: pl.DataFrame, paper: str, figure: str) -> dict[str, Any]:
    return frame.filter(paper=paper, figure=figure).row(0, named=True)


FRAME = common_frame(CITED, A100, DAY)


def test_frame_keeps_its_contract() -> None:
    PublishedCommonFrame.validate(FRAME, lazy=True)
    PublishedRederivation.validate(CHECKED, lazy=True)


def test_a_goodput_becomes_dollars_per_million_tokens_within_the_contract() -> None:
    row = point(FRAME, "distserve", "goodput_chatbot_13b_distserve")
    tokens_per_s = 2.3 * 200.3
    assert row["output_tokens_per_s_per_gpu"] == pytest.approx(tokens_per_s)
    assert row["usd_per_mtok_output"] == pytest.approx(2.0e6 / 3600 / tokens_per_s)
    assert row["usd_per_mtok_slo_output"] == pytest.approx(row["usd_per_mtok_output"] / 0.9)
    assert (row["gpu_usd_per_hour"], row["gpu_price_on"], row["gpu_price_term"]) == (
        2.0,
        date(2026, 11, 1),
        "on_demand",
    )
    assert (row["ttft_s"], row["tpot_s"], row["percentile"], row["tpot_definition"]) == (
        0.25,
        0.1,
        90,
        "after_first_token",
    )
    assert row["output_tokens_basis"] == "mean"


@pytest.mark.parametrize(
    ("app", "ours", "baseline", "theirs", "ratio"),
    [
        ("chatbot_13b", 2.3, "vLLM", 0.5, 4.6),
        ("chatbot_66b", 0.955, "DeepSpeed-MII", 0.60714, 1.573),
        ("chatbot_175b", 0.20156, "vLLM", 0.10129, 1.990),
        ("code_66b", 1.14423, "DeepSpeed-MII", 0.72024, 1.589),
        ("summarisation_66b", 0.53, "DeepSpeed-MII", 0.3, 1.767),
    ],
)
def test_ratio_is_to_the_best_of_the_named_baselines(app: str, ours: float, baseline: str, theirs: float, ratio: float) -> None:
    row = point(FRAME, "distserve", f"goodput_{app}_distserve")
    assert (row["requests_per_s_per_gpu"], row["baseline"], row["ratio_basis"]) == (ours, baseline, "computed")
    assert row["ratio_to_baseline"] == pytest.approx(ours / theirs)
    assert row["ratio_to_baseline"] == pytest.approx(ratio, abs=0.001)


def test_attainment_on_a_hundred_requests_has_its_wilson_interval() -> None:
    row = point(FRAME, "distserve", "goodput_chatbot_13b_vllm")
    low, high = wilson_interval(successes=90.0, trials=100.0)
    assert (row["attainment_low"], row["attainment_high"]) == (pytest.approx(float(low)), pytest.approx(float(high)))
    assert (round(row["attainment_low"], 3), round(row["attainment_high"], 3)) == (0.826, 0.945)
    assert point(FRAME, "distserve", "goodput_chatbot_66b_vllm")["attainment_low"] is None


def test_submissions_are_no_sample_of_requests() -> None:
    row = point(FRAME, "mlperf_v5_1", "rate_llama2_70b_99_server_b200_sxm")
    assert (row["attainment_basis"], row["n"]) == ("guaranteed", 10)
    assert row["attainment"] == pytest.approx(0.98)
    assert row["attainment_low"] is None


def test_what_cannot_be_priced_is_null() -> None:
    no_contract = point(FRAME, "splitwise", "e2e_coding_h100")
    assert no_contract["usd_per_mtok_output"] == pytest.approx(3.0e6 / 3600 / (13 / (0.493 * 8)))
    assert no_contract["usd_per_mtok_slo_output"] is None
    no_rent = point(FRAME, "paged_attention", "knee_13b_sharegpt_vllm")
    assert (no_rent["gpu_usd_per_hour"], no_rent["usd_per_mtok_output"]) == (None, None)
    assert no_rent["ratio_to_baseline"] == pytest.approx(1.9 / 1.1)
    only_ratio = point(FRAME, "sarathi_serve", "gain_yi_vllm")
    assert (only_ratio["usd_per_mtok_output"], only_ratio["ratio_to_baseline"]) == (None, 3.7)
    gain = point(FRAME, "mooncake_fast25", "capacity_gain_conversation_100ms")
    assert (gain["ratio_to_baseline"], gain["tpot_definition"]) == (pytest.approx(5.98), "mean_of_worst_tenth")


def test_a_recalled_figure_never_reaches_the_frame() -> None:
    doubted = FIGURES.with_columns(
        status=pl.when(pl.col("figure") == "goodput_chatbot_13b_vllm").then(pl.lit("recalled")).otherwise("status")
    )
    frame = common_frame(cited(doubted), A100, DAY)
    assert frame.filter(figure="goodput_chatbot_13b_vllm").is_empty()
    assert point(frame, "distserve", "goodput_chatbot_13b_distserve")["baseline"] == "DeepSpeed-MII"
    lengths = FIGURES.with_columns(
        status=pl.when(pl.col("metric") == "mean_output_tokens").then(pl.lit("recalled")).otherwise("status")
    )
    unknown = point(common_frame(cited(lengths), A100, DAY), "distserve", "goodput_chatbot_13b_distserve")
    assert unknown["usd_per_mtok_output"] is None


def test_rows_of_one_key_share_model_workload_contract_and_definition() -> None:
    same = FRAME.group_by("comparable_with").agg(
        pl.col(name).n_unique()
        for name in ("model", "workload", "ttft_s", "tpot_s", "percentile", "tpot_definition", "gpu_price_term")
    )
    assert same.drop("comparable_with").max().row(0) == (1,) * 7


def test_rent_is_the_median_over_sellers_of_their_median_offer() -> None:
    offers = rents(
        rent("g", 1.0, provider="a"),
        rent("g", 1.2, provider="a"),
        rent("g", 1.4, provider="a"),
        rent("g", 2.2, provider="b"),
        rent("g", 0.1, term="spot"),
        rent("g", 0.2, term="tco_neocloud"),
        rent("g", 9.0, valid_to=date(2026, 11, 2)),
        rent("g", 7.0, statistic="p90"),
        rent("s", 2.0, term="stated"),
        rent("t", 0.5, term="tco_neocloud"),
    )
    prices = {row["gpu"]: row for row in gpu_prices(offers, DAY).iter_rows(named=True)}
    assert prices["g"]["gpu_usd_per_hour"] == pytest.approx(1.7)
    assert (prices["g"]["gpu_price_sellers"], prices["g"]["gpu_price_term"]) == (2, "on_demand")
    assert prices["s"]["gpu_price_term"] == "stated"
    assert "t" not in prices


def test_price_that_a_document_stated_for_an_earlier_day_is_the_last_known_one() -> None:
    before = date(2024, 2, 7)
    offers = rents(
        rent("g", 1.28, term="stated", valid_from=before, valid_to=date(2024, 2, 8)),
        rent("h", 4.75, term="stated", valid_from=before, valid_to=date(2024, 2, 8)),
        rent("h", 2.0),
    )
    prices = {row["gpu"]: row for row in gpu_prices(offers, DAY).iter_rows(named=True)}
    assert (prices["g"]["gpu_usd_per_hour"], prices["g"]["gpu_price_on"]) == (1.28, before)
    assert prices["h"]["gpu_usd_per_hour"] == 2.0


def test_a_gpu_and_a_shape_rest_on_citable_claims_alone() -> None:
    half = pl.col("figure").is_in(["h100_sxm_tdp_w", "h200_sxm_hbm_bytes", "qwen3_32b_layers", "opt_13b_hidden_genz"])
    doubted = FIGURES.with_columns(status=pl.when(half).then(pl.lit("recalled")).otherwise("status"))
    gpus, shapes = gpus_of(cited(doubted)), shapes_of(cited(doubted))
    assert gpus.filter(gpu="h100-sxm")["tdp_w"].to_list() == [None]
    assert gpus.filter(gpu="h200-sxm").is_empty()
    assert gpus_of(CITED).filter(gpu="h200-sxm").height == 1
    assert set(shapes_of(CITED)["model"]) - set(shapes["model"]) == {"qwen3-32b"}
    assert "5140" in shapes_of(CITED).filter(model="opt-13b")["disagreements"].item()
    assert "5140" not in shapes.filter(model="opt-13b")["disagreements"].item()
    assert "recalled" not in set(gpus["status"]) | set(shapes["status"])
    Gpu.validate(gpus, lazy=True)
    ModelShape.validate(shapes, lazy=True)


def check(name: str) -> dict[str, Any]:
    return CHECKED.filter(check=name).row(0, named=True)


@pytest.mark.parametrize(
    ("name", "recomputed", "closes"),
    [
        ("deepseek_nodes", 226.86, True),
        ("deepseek_cost", 87_072.0, True),
        ("deepseek_revenue", 562_100.0, True),
        ("sglang_price_decode_only", 0.1995, True),
        ("sglang_price_both_pools", 0.2657, False),
        ("sglang_prefill_adds", 0.08498, True),
        ("splitwise_cost_coding_a100_per_100", 0.4185, True),
        ("splitwise_cost_coding_h100_per_100", 0.5204, True),
        ("splitwise_cost_conversation_a100_per_100", 2.4234, True),
        ("splitwise_cost_conversation_h100_per_100", 3.5752, True),
        ("mooncake_break_even_a800", 5.859e9, True),
        ("mooncake_break_even_h800", 18.573e9, True),
        ("vllm_kv_slots_13b_gib", 15_728.64, True),
        ("vllm_kv_slots_13b_gb", 14_648.4, False),
        ("vllm_kv_slots_66b_gib", 9_557.3, True),
        ("vllm_kv_slots_66b_gb", 8_901.0, False),
        ("vllm_kv_slots_175b_gib", 60_074.7, True),
        ("vllm_kv_slots_175b_gb", 55_948.9, False),
        ("distserve_ratio_chatbot_13b_vllm", 4.6, True),
        ("distserve_ratio_chatbot_13b_deepspeed_mii", 7.36, True),
        ("distserve_kv_bytes_gb", 1.208e9, False),
        ("distserve_kv_bytes_gib", 1.125e9, True),
        ("distserve_text_summarisation_vllm", 4.24, False),
        ("distserve_slo_code_mii", 1.27, False),
        ("distserve_target_99_1", 98.5, False),
        ("distserve_transfer_share", 0.9, False),
        ("splitwise_tbt_ratio", 31 / 52, False),
        ("splitwise_cost_ratio", 2.159, True),
        ("splitwise_hh_cost_prompt", 2.159, False),
        ("splitwise_iso_power_machine", 62.77, False),
        ("splitwise_tflops_bf16", 3.170, False),
        ("sarathi_larger_chunk_2047", 1.0195, False),
        ("sarathi_larger_chunk_8191", 0.9937, True),
        ("sarathi_overhead_16383_2048", 0.8052, False),
        ("mooncake_trace_length", 8596.0, False),
        ("mooncake_hit_conversation", 36.6, False),
        ("mlperf_dynamo_gain_b200", 1.464, True),
        ("mlperf_dynamo_gain_gb200", 0.9976, False),
    ],
)
def test_recomputation(name: str, recomputed: float, closes: bool) -> None:
    row = check(name)
    assert row["recomputed_value"] == pytest.approx(recomputed, rel=1e-3)
    assert row["closes"] is closes


def test_cost_of_splitwise_is_a_hundred_requests() -> None:
    ratios = CHECKED.filter(pl.col("check").str.ends_with("_per_request"))["ratio"]
    assert ratios.to_list() == pytest.approx([100.0] * 4, rel=0.011)


def test_a_changed_figure_is_found() -> None:
    wrong = FIGURES.with_columns(
        value=pl.when(pl.col("figure") == "decode_rate", pl.col("paper") == "deepseek_inference")
        .then(pl.lit(18.4e3))
        .otherwise("value")
    )
    changed = rederive(wrong, recomputations().filter(pl.col("check") == "deepseek_nodes"))
    assert not changed["closes"].item()


def test_every_recomputation_names_its_weakest_figure() -> None:
    assert check("mooncake_break_even_a800")["status"] == "recalled"  # the two constants of its equation
    assert check("vllm_gain_over_orca_oracle_175b")["status"] == "digitised"
    assert check("deepseek_nodes")["status"] == "printed"


def test_warehouse_holds_frame_gpus_shapes_and_discrepancies(warehouse: duckdb.DuckDBPyConnection) -> None:
    def one(sql: str) -> Any:
        row = warehouse.execute(sql).fetchone()
        assert row is not None
        return row[0]

    recalled = "SELECT count(*) FROM marts.published_common_frame AS f JOIN raw.published_figure AS r USING (paper, figure)"
    assert one(f"{recalled} WHERE r.status = 'recalled' OR f.status = 'recalled'") == 0
    assert one("SELECT count(*) FROM raw.published_figure") == FIGURES.height
    assert one("SELECT count(*) FROM marts.published_common_frame WHERE usd_per_mtok_slo_output > 0") >= 40
    assert one("SELECT count(*) FROM meta.published_discrepancy") == CHECKED.filter(~pl.col("closes")).height
    wrong = "abs(kv_bytes_per_token - stated_kv_bytes_per_token) > 0"
    assert one(f"SELECT count(*) FROM core.model_shape WHERE {wrong}") == 0
    assert one("SELECT count(stated_kv_bytes_per_token) FROM core.model_shape") == shapes_of(CITED).height
    assert one("SELECT kv_bytes_per_token FROM core.model_shape WHERE model = 'deepseek-r1'") == 70_272.0
    assert one("SELECT hbm_bytes_per_s FROM core.gpu WHERE gpu = 'h100-sxm'") == 3.35e12
    assert "LLM-Viewer" in one("SELECT disagreements FROM core.gpu WHERE gpu = 'h100-sxm'")
    assert one("SELECT hbm_bytes FROM core.gpu WHERE gpu = 'h200-sxm'") == 141e9
    assert one("SELECT tdp_w FROM core.gpu WHERE gpu = 'b300-sxm'") == 1200.0
    assert one("SELECT status FROM core.gpu WHERE gpu = 'h20-sxm'") == "derived"
    assert one("SELECT tdp_w FROM core.gpu WHERE gpu = 'a800-80gb-sxm'") is None  # only recalled
    assert "litgpt 0.5.13" in one("SELECT locator FROM core.model_shape WHERE model = 'llama-2-13b'")
    priced = "SELECT gpu_price_on FROM marts.published_common_frame WHERE figure = 'goodput_chatbot_13b_distserve'"
    assert one(priced) is not None


def test_forty_accelerators_have_dense_figures_and_the_others_stand_beside_them() -> None:
    gpus = gpus_of(CITED)
    assert gpus.height >= 40
    facts = {row["gpu"]: row for row in gpus.iter_rows(named=True)}
    assert facts["tpu-v6e"]["bf16_flop_per_s"] == 918e12
    assert "bf16_flop_per_s: 920000000000000.0 (jax-ml/scaling-book" in facts["tpu-v6e"]["disagreements"]
    assert facts["tpu-v6e"]["scale_up_bytes_per_s"] == 400e9, "800 GB/s are both directions"
    assert facts["rtx-4090"]["bf16_flop_per_s"] == 165.2e12, "330 is with FP16 sums, 661 sparse"
    assert facts["trainium2"]["fp8_flop_per_s"] == 1299e12, "2,563 is sparse"
    assert (facts["gb200"]["scale_up_gpus"], facts["h100-sxm"]["scale_up_gpus"], facts["l40s"]["scale_up_gpus"]) == (
        72,
        8,
        None,
    )


@pytest.mark.published
@needs_hardware
def test_no_accelerator_rests_on_what_is_not_trusted_or_sparse() -> None:
    data = pl.read_csv(HARDWARE, infer_schema=False).with_columns(pl.col("value").cast(pl.Float64))
    trusted = data.filter(~pl.col("trust").is_in(["D", "X"]))
    dense = trusted.filter(~pl.col("metric").str.starts_with("peak") | pl.col("dense_or_sparse").str.starts_with("dense"))
    rows = FIGURES.filter(pl.col("paper") == "accelerators", pl.col("status") != "derived")
    stated = dense.select("value", place=pl.col("path_or_url").str.split(" (").list.first())
    for value, locator in rows.select("value", "locator").iter_rows():
        near = stated.filter((pl.col("value") / value - 1).abs() < 1e-4)
        assert any(place in locator for place in near["place"]), (value, locator)
