"""The routing premium's tables: golden values, controls, fragility, and curves that move with prices."""

import math
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from assets.routing.premium import believed, operating_points, summary, under_disclosure_error
from assets.routing.replay import dated_prices, priced_curves
from economics.routing.patterns import deepest_exit
from schemas.routing.premium import RoutingCurve, RoutingFigure, RoutingPremium
from sources.document import TRANSCRIBED
from sources.routing.figures import parse_curves, parse_figures
from sources.source import Snapshot
from warehouse.contract import violations

OUTCOMES = Path(__file__).resolve().parents[3] / "shared" / "data" / "routing" / "routellm"


def snapshot(name: str) -> Snapshot:
    return Snapshot(
        source=name,
        body=(TRANSCRIBED / f"{name}.csv").read_bytes(),
        sha256="",
        served_from="seed",
        uri="",
        fetched_at=datetime(2026, 11, 23, tzinfo=UTC),
    )


FIGURES = parse_figures(snapshot("routing_operating_points")).accepted
CURVES = parse_curves(snapshot("routing_replay_curves")).accepted
POINTS = operating_points(believed(FIGURES))


def point(figure: str) -> dict[str, object]:
    return POINTS.row(by_predicate=pl.col("figure") == figure, named=True)


class TestFigures:
    def test_rows_keep_their_contracts(self) -> None:
        assert violations(RoutingFigure, FIGURES).is_empty()
        assert violations(RoutingCurve, CURVES).is_empty()
        assert violations(RoutingPremium, POINTS).is_empty()

    def test_every_class_has_systems_and_the_works_not_found_have_no_figure(self) -> None:
        assert POINTS["pattern"].n_unique() == 5
        assert POINTS["system"].n_unique() >= 6
        missing = FIGURES.filter(pl.col("status") == "not_found")
        assert set(missing["system"]) == {"Petullo 2026a", "Petullo and Xue 2026"}
        assert missing["value"].null_count() == missing.height
        assert not set(POINTS["status"]) & {"recalled", "not_found"}


class TestPremium:
    @pytest.mark.parametrize(
        ("a", "k", "c", "gross", "gamma", "speedup", "safety"),
        [
            (0.8, 4, 0.05, 0.703, 0.059, 2.80, 11.8),
            (0.8, 4, 0.20, 0.703, 0.238, 1.87, 3.0),
            (0.6, 4, 0.05, 0.566, 0.087, 1.92, 6.5),
        ],
    )
    def test_golden_values(self, a: float, k: int, c: float, gross: float, gamma: float, speedup: float, safety: float) -> None:
        figure = FIGURES.head(1).with_columns(
            value=pl.lit(None, dtype=pl.Float64),
            acceptance=pl.lit(a),
            draft_length=pl.lit(k, dtype=pl.Int64),
            draft_cost_ratio=pl.lit(c),
            status=pl.lit("derived"),
        )
        row = operating_points(figure).row(0, named=True)
        assert row["gross_saving"] == pytest.approx(gross, abs=5e-4)
        assert row["gamma"] == pytest.approx(gamma, abs=5e-4)
        assert 1 / (1 - row["premium"]) == pytest.approx(speedup, abs=5e-3)
        assert row["safety_factor"] == pytest.approx(safety, abs=0.05)
        assert row["kappa"] * row["delta"] == pytest.approx(row["gross_saving"])
        assert row["elasticity_of_saving"] == pytest.approx(row["gross_saving"] / row["premium"])

    def test_printed_savings(self) -> None:
        assert point("frugalgpt_headlines")["premium"] == pytest.approx(0.983)
        assert point("leviathan_ende_t5_small_t0")["premium"] == pytest.approx(1 - 1 / 3.4)
        assert point("routellm_mt_bench_cpt50")["premium"] == pytest.approx(1 - 1 / 3.66 - 0.004)
        assert point("vllm_draft_high_load")["premium"] == pytest.approx(-0.4)
        assert point("vllm_ngram_high_load")["premium"] == pytest.approx(-0.8)
        assert point("cges")["premium"] == pytest.approx(0.58)

    def test_negative_draft_cost_is_shown_and_measures_nothing(self) -> None:
        rows = POINTS.filter(pl.col("figure").str.starts_with("leviathan"))
        negative = rows.filter(pl.col("implied_draft_cost_ratio") < 0)
        assert (rows.height, negative.height) == (12, 4)
        assert negative["gamma"].null_count() == 4
        assert negative["premium"].null_count() == 0
        # Rounding of acceptance and speed-up may explain one of the four, never the other three.
        assert (negative["implied_high"] < 0).sum() == 3
        assert (rows["implied_low"] <= rows["implied_draft_cost_ratio"]).all()
        kept = rows.filter(pl.col("implied_draft_cost_ratio") >= 0)
        assert np.allclose(kept["kappa"] * kept["delta"] - kept["gamma"], kept["premium"])

    def test_controls_are_not_positive(self) -> None:
        controls = POINTS.filter("is_control")
        assert controls.height >= 8
        assert "positive" not in controls["sign"].to_list()
        assert set(controls.filter(pl.col("sign") == "negative")["pattern"]) == {
            "speculative_decoding",
            "cascade",
            "router",
        }
        learned = point("routerbench_mini_learned")
        assert learned["quality_kappa"] == pytest.approx((0.72 - 0.7252) / (0.7625 - 0.7252))

    def test_extremes_and_computed_figures_have_no_interval_of_rounding(self) -> None:
        for figure in ("eagle_3", "moe_slowdown", "routerbench_mini_learned"):
            assert point(figure)["premium_low"] is None
        assert point("prompt_length_mmlu_80")["interval_basis"] == "resampled"

    def test_adaptive_consistency_is_what_its_own_samples_save(self) -> None:
        assert point("adaptive_consistency_all")["premium"] == pytest.approx(1 - 16.5 / 40)
        assert point("adaptive_consistency_gsm8k_vicuna")["premium"] == pytest.approx(1 - 26.8 / 40)

    def test_six_of_800_items_are_no_sign(self) -> None:
        for figure in ("routerbench_mini_learned", "routerbench_mini_task_aware"):
            assert point(figure)["sign"] == "not_shown"

    def test_cost_goes_with_the_item(self) -> None:
        signs = {figure: point(f"prompt_length_{figure}")["sign"] for figure in ("mmlu_50", "mmlu_80", "gsm8k_50", "gsm8k_80")}
        assert signs == {"mmlu_50": "negative", "mmlu_80": "negative", "gsm8k_50": "not_shown", "gsm8k_80": "not_shown"}
        assert point("prompt_length_mmlu_50")["premium"] == pytest.approx(-0.35, abs=0.02)

    def test_undisclosed_controller_stays_unknown(self) -> None:
        for name in ("gamma", "safety_factor", "elasticity_of_gamma", "gross_saving"):
            assert point("frugalgpt_headlines")[name] is None

    def test_early_exit_scenario_is_the_closed_form(self) -> None:
        exits = np.power(0.9280227556689674, np.arange(32.0))
        shares: npt.NDArray[np.float64] = exits / exits.sum()
        assert float(deepest_exit(exit_shares=shares, batch=1.0)) == pytest.approx(32 / 3)
        saved = 1 - float(deepest_exit(exit_shares=shares, batch=32.0)) / 32
        row = point("early_exit_batch_32")
        assert row["gross_saving"] == pytest.approx(saved, abs=5e-4)
        assert (row["premium"], row["sign"]) == (None, "not_shown")


class TestFragility:
    def test_error_beyond_the_safety_factor_fails(self) -> None:
        frail = under_disclosure_error(POINTS)
        assert frail.height == 3 * POINTS["premium"].count()
        joined = frail.join(POINTS.select("figure", "safety_factor"), on="figure").drop_nulls("safety_factor")
        agrees = joined["fails_if_saving_overstated"] == (joined["safety_factor"] <= 1 + joined["overstatement"])
        assert agrees.all()

    def test_speedup_smaller_than_the_error_fails(self) -> None:
        frail = under_disclosure_error(POINTS)
        small = frail.filter(pl.col("figure") == "spec_bench_lookahead_7b").sort("overstatement")
        assert small["fails_if_cost_understated"].to_list() == [False, False, True]

    def test_only_positive_points_are_counted_as_failing(self) -> None:
        frail = under_disclosure_error(POINTS)
        counted = summary(POINTS, frail, FIGURES).filter(pattern="router").row(0, named=True)
        positive = POINTS.filter(pl.col("sign") == "positive", pattern="router")["figure"]
        at_half = frail.filter(pl.col("figure").is_in(positive.implode()), overstatement=0.5)
        assert counted["fail_at_50_percent"] == at_half["fails_if_cost_understated"].sum()
        assert counted["fail_at_50_percent"] <= counted["positive"]


class TestReplay:
    def prices(self, strong: float) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "strong_model": ["gpt-4-turbo"],
                "weak_model": ["mixtral-8x7b"],
                "as_of": [date(2026, 11, 10)],
                "strong_input_usd_per_mtok": [strong],
                "strong_output_usd_per_mtok": [strong],
                "weak_input_usd_per_mtok": [0.7],
                "weak_output_usd_per_mtok": [0.7],
            }
        )

    def premium(self, rows: pl.DataFrame, policy: str, share: float) -> float:
        (value,) = rows.filter(
            pl.col("benchmark") == "mmlu",
            pl.col("policy") == policy,
            (pl.col("strong_share") - share).abs() < 1e-3,
            pl.col("priced_by") == "warehouse",
        )["premium"]
        return float(value)

    def test_random_saves_nothing_and_the_oracle_most(self) -> None:
        rows = priced_curves(CURVES, self.prices(10.0))
        random = rows.filter(pl.col("policy") == "random")["premium"]
        assert float(random.abs().to_numpy().max()) < 1e-4  # shares and lengths are stored to six and four digits
        assert self.premium(rows, "oracle", 0.2) > self.premium(rows, "prompt_length", 0.2)

    def test_quality_has_its_interval_over_questions(self) -> None:
        rows = priced_curves(CURVES, self.prices(10.0))
        half = {"mmlu": 0.01, "gsm8k": 0.03}  # 14,042 and 1,319 questions
        for name, widest in half.items():
            of = rows.filter(pl.col("benchmark") == name)
            assert (of["quality_low"] <= of["quality"]).all()
            assert (of["quality"] <= of["quality_high"]).all()
            assert widest / 4 < ((of["quality_high"] - of["quality_low"]) / 2).max() < widest  # type: ignore[operator]

    def test_price_change_moves_the_premium(self) -> None:
        dear, cheap = (self.premium(priced_curves(CURVES, self.prices(p)), "oracle", 0.2) for p in (10.0, 1.0))
        assert dear > cheap > 0

    def test_prices_hold_from_each_change_where_both_are_known(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        history = warehouse.sql("FROM core.llm_price").pl()
        retired = warehouse.sql("FROM core.model_retirement").pl()
        found = dated_prices(CURVES, history, retired, today=date(2026, 12, 31))
        assert not found.is_empty()
        earlier = dated_prices(CURVES, history, retired, today=date(2024, 1, 1))
        assert earlier.is_empty()

    @pytest.mark.published
    def test_curves_follow_from_the_outcomes(self) -> None:
        if not OUTCOMES.exists():
            pytest.skip("the stored outcomes per question are not here")
        outcomes = pl.read_csv(OUTCOMES / "routellm_pairwise_correctness.csv", infer_schema_length=None)
        for name, items in outcomes.group_by("benchmark"):
            strong, weak = items["gpt4_1106_correct"].to_numpy(), items["mixtral_8x7b_correct"].to_numpy()
            of = CURVES.filter(pl.col("benchmark") == name[0]).sort("strong_share")
            ends = of.filter(pl.col("policy") == "random")["quality"]
            assert ends[0] == pytest.approx(weak.mean(), abs=1e-6)
            assert ends[-1] == pytest.approx(strong.mean(), abs=1e-6)
            assert of.filter(pl.col("policy") == "oracle")["quality"].max() == pytest.approx((strong | weak).mean(), abs=1e-6)


class TestWarehouse:
    def test_not_every_operating_point_is_positive(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        rows = warehouse.execute(
            "SELECT pattern, points, negative, all_positive, not_testable FROM marts.routing_pattern_summary"
        ).fetchall()
        by_pattern = {row[0]: row[1:] for row in rows}
        assert len(by_pattern) == 6
        assert by_pattern["speculative_decoding"][1] >= 3
        assert by_pattern["router"][2] is False
        assert by_pattern["complexity_aware_exploration"] == (0, 0, None, 1)

    def test_marts_hold_what_the_functions_give(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        ((count, least),) = warehouse.execute("SELECT count(*), min(premium) FROM marts.routing_premium").fetchall()
        assert count == POINTS.height
        assert math.isclose(least, POINTS["premium"].min())  # type: ignore[arg-type]
        ((dates,),) = warehouse.execute(
            "SELECT count(DISTINCT as_of) FROM marts.router_replay WHERE priced_by = 'warehouse'"
        ).fetchall()
        assert dates >= 1
