"""Published gains as products of factors: the arithmetic, the list of figures, and what is left unexplained."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.evidence.published import cited, common_frame
from assets.serving.decomposition import decomposed
from economics.serving.decomposition import log_share, unexplained
from schemas.base import empty
from schemas.serving.decomposition import FACTORS, ServingDecomposition
from schemas.serving.frontier import ServingFrontier
from sources.evidence.published_figures import gain_factors
from tests.evidence.test_published_figures import CITED, FIGURES
from tests.evidence.test_published_frame import rent, rents

POINTS = common_frame(CITED, rents(rent("a100-80gb-sxm", 1.5)), date(2026, 11, 23))
SPLIT = decomposed(gain_factors(), CITED, POINTS, empty(ServingFrontier))


@given(st.floats(0.1, 100), st.lists(st.one_of(st.floats(0.1, 10), st.just(float("nan"))), min_size=1, max_size=6))
def test_factors_and_what_they_leave_multiply_to_the_ratio(ratio: float, factors: list[float]) -> None:
    left = unexplained(ratio=np.array([ratio]), factors=np.array([factors]))
    assert left[0] * np.nanprod(factors) == pytest.approx(ratio)
    shares = log_share(ratio=ratio, factor=np.array([*factors, left[0]]))
    if abs(np.log(ratio)) > 1e-3:
        assert np.nansum(shares) == pytest.approx(1.0, abs=1e-6)


def test_nothing_known_leaves_the_whole_gain_and_a_gain_of_one_has_no_shares() -> None:
    assert unexplained(ratio=np.array([4.0]), factors=np.array([[np.nan, np.nan]])) == pytest.approx([4.0])
    assert np.isnan(log_share(ratio=1.0, factor=np.array([2.0]))).all()
    with pytest.raises(ValueError, match="factors"):
        unexplained(ratio=np.array([4.0]), factors=np.array([[-1.0]]))


def row(gain: str, factor: str, split: pl.DataFrame = SPLIT) -> dict[str, Any]:
    return split.filter(gain=gain, factor=factor).row(0, named=True)


def test_every_gain_has_every_factor_and_keeps_the_contract() -> None:
    ServingDecomposition.validate(SPLIT, lazy=True)
    assert SPLIT.group_by("gain").len()["len"].unique().to_list() == [len(FACTORS)]


def test_every_figure_of_the_list_exists() -> None:
    names = set(FIGURES.select(pl.format("{}.{}", "paper", "figure")).to_series())
    listed = gain_factors()
    used = pl.concat([listed["numerator"], listed["denominator"], listed["spread"]]).drop_nulls()
    assert set(used.filter(used.str.contains(".", literal=True))) <= names
    assert listed.select("gain", "factor").is_unique().all()


def test_a_weak_baseline_is_a_factor_of_its_own() -> None:
    over_mii = row("distserve_chatbot_13b_over_deepspeed_mii", "baseline")
    assert (over_mii["value"], over_mii["basis"]) == (
        pytest.approx(1.6),
        "computed",
    )  # vLLM .5 over DeepSpeed-MII .3125
    left = [row(f"distserve_chatbot_13b_over_{name}", "unexplained")["value"] for name in ("deepspeed_mii", "vllm")]
    assert left == pytest.approx([4.6, 4.6])


def test_one_request_of_a_hundred_spreads_the_attainment() -> None:
    attainment = row("distserve_chatbot_13b_over_vllm", "attainment")
    assert attainment["value"] == 1.0
    assert (attainment["low"], attainment["high"]) == (pytest.approx(0.9526, rel=1e-3), pytest.approx(1.0901, rel=1e-3))


def test_a_gain_over_another_machine_is_its_hardware() -> None:
    assert row("dynamo_405b_interactive", "hardware")["value"] == pytest.approx(137.792 / 93.9209)
    assert row("dynamo_405b_interactive", "unexplained")["value"] == pytest.approx(1.0225, rel=1e-3)
    assert row("dynamo_405b_interactive_same_gpu", "unexplained")["value"] == pytest.approx(0.9979, rel=1e-3)


def test_cache_reuse_of_mooncake_has_an_upper_end_and_no_value() -> None:
    reuse, left = (row("mooncake_conversation_200ms", factor) for factor in ("cache_reuse", "unexplained"))
    assert (reuse["value"], reuse["basis"], reuse["low"]) == (None, "at_most", 1.0)
    assert reuse["high"] == pytest.approx(1 / 0.64)
    assert (left["low"], left["value"]) == (pytest.approx(2.57 * 0.64), pytest.approx(2.57))


def test_what_no_figure_says_stays_unexplained() -> None:
    assert row("vllm_13b_sharegpt_over_orca_max", "attainment")["basis"] == "unknown"
    assert row("vllm_13b_sharegpt_over_orca_max", "unexplained")["value"] == pytest.approx(1.9 / 1.1)


def test_a_recalled_figure_takes_its_factor_or_its_gain_with_it() -> None:
    def without(figure: str) -> pl.DataFrame:
        doubted = FIGURES.with_columns(status=pl.when(pl.col("figure") == figure).then(pl.lit("recalled")).otherwise("status"))
        return decomposed(gain_factors(), cited(doubted), POINTS, empty(ServingFrontier))

    hardware = row("dynamo_405b_interactive", "hardware", without("rate_llama3_1_405b_interactive_b200_sxm"))
    assert (hardware["value"], hardware["basis"]) == (None, "unknown")
    assert without("dynamo_gain").filter(gain="dynamo_405b_interactive").is_empty()


def test_the_design_is_the_ratio_of_two_predictions() -> None:
    at = {"model": "opt-13b", "gpu": "a100-80gb-sxm", "workload": "sharegpt (distserve)", "ttft_s": 0.25, "tpot_s": 0.1}
    predicted = pl.DataFrame(
        [
            {**at, "basis": "predicted", "design": name, "gpu_hours_per_mtok": hours}
            for name, hours in (("unchunked", 0.6), ("disaggregated", 0.4))
        ]
    )
    split = decomposed(gain_factors(), CITED, POINTS, predicted)
    design = row("distserve_chatbot_13b_over_vllm", "design", split)
    assert (design["value"], design["basis"]) == (pytest.approx(1.5), "closed_form")
    assert row("distserve_chatbot_13b_over_vllm", "unexplained", split)["value"] == pytest.approx(4.6 / 1.5)
    assert row("distserve_code_66b_over_vllm", "design", split)["basis"] == "unknown"
