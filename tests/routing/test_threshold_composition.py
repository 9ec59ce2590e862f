"""Samples and routing together: one unit and one evidence at a time, no sample counted twice, unknown ends left unknown."""

from typing import Any

import duckdb
import polars as pl
import pytest

from assets.routing.threshold_composition import ASSUMPTION, arcs, composed, savings
from economics.test_time.coverage import arc_elasticity
from schemas.base import empty
from schemas.routing.premium import PATTERNS, RoutingPremium
from schemas.routing.threshold_composition import COST_UNITS, ThresholdComposition
from schemas.test_time.inference_frontier import InferenceFrontier
from warehouse.contract import violations


def frontier(*, to: int = 4, share_from: float = 0.4, share_to: float = 0.6, **other: Any) -> pl.DataFrame:
    """One arc from one sample on, as it stands there once per dollar ratio."""
    eta = float(arc_elasticity(accept_rate_from=share_from, accept_rate_to=share_to, samples_from=1, samples_to=to))
    row = {
        "paper": "p",
        "benchmark": "b",
        "system": "s",
        "curve": "c",
        "status": "printed",
        "n": 100,
        "samples_from": 1,
        "samples_to": to,
        "attempts_to": float(to),
        "accuracy_from": share_from,
        "accuracy_to": share_to,
        "eta_samples": eta,
        "eta_samples_low": eta - 0.1,
        "eta_samples_high": eta + 0.1,
        "training_pairing": "another_system",
    }
    twice = pl.DataFrame([row | other | {"dollar_ratio": ratio} for ratio in (0.1, 1.0)])
    return pl.concat([empty(InferenceFrontier), twice], how="diagonal_relaxed")


def points(*rows: dict[str, Any]) -> pl.DataFrame:
    usual = {
        "system": "s",
        "pattern": "cascade",
        "saved_unit": "usd",
        "evidence": "out_of_sample",
        "bound": "exact",
        "premium": 0.5,
        "premium_low": None,
        "premium_high": None,
    }
    made = pl.DataFrame([usual | {"figure": str(place)} | row for place, row in enumerate(rows)])
    return pl.concat([empty(RoutingPremium), made], how="diagonal_relaxed")


def only(arc: pl.DataFrame, *saved: dict[str, Any]) -> dict[str, Any]:
    found = composed(arcs(arc), savings(points(*saved)))
    assert violations(ThresholdComposition, found).is_empty()
    (row,) = found.to_dicts()
    return row


class TestPair:
    def test_four_samples_for_half_as_many_again_right(self) -> None:
        row = only(frontier(), {"premium": 0.7, "premium_low": 0.65, "premium_high": 0.75})

        assert row["samples_cost_factor"] == pytest.approx(4 * 0.4 / 0.6)
        assert row["premium_needed"] == pytest.approx(1 - 0.6 / 1.6)
        assert row["composed_cost_factor"] == pytest.approx(0.3 * 4 * 0.4 / 0.6)
        assert row["composed_cost_factor_low"] == pytest.approx(0.25 * 4 ** (0.9 - row["eta_samples"]))
        assert row["composed_cost_factor_high"] == pytest.approx(0.35 * 4 ** (1.1 - row["eta_samples"]))
        assert row["composed_cost_factor_high"] > 1
        assert (row["pair_lowers_cost"], row["pair_certain"]) == (True, False)

    @pytest.mark.parametrize(("premium", "lowers"), [(0.62, False), (0.63, True)])
    def test_the_pair_turns_at_the_premium_that_is_needed(self, premium: float, lowers: bool) -> None:
        row = only(frontier(), {"premium": premium})

        assert row["premium_needed"] == pytest.approx(0.625)
        assert (row["pair_lowers_cost"], row["pair_certain"]) == (lowers, False)

    def test_samples_that_pay_alone_leave_room_for_a_loss(self) -> None:
        row = only(frontier(to=2, share_from=0.2, share_to=0.6), {"premium": -0.4})

        assert row["premium_needed"] == pytest.approx(-0.5)
        assert row["pair_lowers_cost"] is True

    def test_adaptive_sampling_has_no_product_with_samples(self) -> None:
        row = only(frontier(), {"pattern": "adaptive_sampling", "saved_unit": "samples"})

        assert (row["eta_unchanged"], row["premium"]) == ("no", 0.5)
        assert row["premium_needed"] == pytest.approx(0.625)
        for name in ("composed_cost_factor", "composed_cost_factor_low", "pair_lowers_cost", "pair_certain"):
            assert row[name] is None

    def test_a_floor_has_no_upper_end_and_the_verdict_that_needs_it_is_not_given(self) -> None:
        dear = only(frontier(to=64), {"bound": "at_least"})
        cheap = only(frontier(to=2, share_from=0.3), {"bound": "at_least"})

        assert (dear["premium_high"], dear["composed_cost_factor_low"]) == (None, None)
        assert (dear["pair_lowers_cost"], dear["pair_certain"]) == (False, None)
        assert (cheap["pair_lowers_cost"], cheap["pair_certain"]) == (True, True)

    def test_every_pattern_says_whether_the_assumption_can_hold(self) -> None:
        assert set(ASSUMPTION) == set(PATTERNS)


class TestSavings:
    def test_units_are_never_put_together_and_what_is_no_cost_is_left_out(self) -> None:
        found = savings(points(*({"saved_unit": unit} for unit in (*COST_UNITS, "latency", "strong_model_calls"))))

        assert sorted(found["saved_unit"]) == sorted(COST_UNITS)
        assert set(found["points"]) == {1}

    def test_the_best_evidence_alone_counts_with_its_controls_and_losses(self) -> None:
        found = savings(
            points(
                {"premium": 0.3, "premium_low": 0.1, "premium_high": 0.4},
                {"premium": -0.2, "is_control": True},
                {"premium": 0.1},
                {"premium": 0.9, "evidence": "in_sample"},
                {"premium": 0.8, "evidence": "not_stated"},
                {"premium": 0.7, "bound": "at_most"},
                {"premium": None},
            )
        )

        (row,) = found.to_dicts()
        assert (row["evidence"], row["points"], row["premium"]) == ("out_of_sample", 3, 0.1)
        assert (row["premium_low"], row["premium_high"]) == (-0.2, 0.4)

    def test_not_stated_goes_before_in_sample(self) -> None:
        found = savings(points({"evidence": "in_sample"}, {"evidence": "not_stated"}, {"evidence": "scenario"}))

        assert found["evidence"].to_list() == ["not_stated"]


def test_arcs_stand_once_and_without_the_surface() -> None:
    both = pl.concat([frontier(), frontier(system="pythia", training_pairing="own_checkpoints")])

    assert arcs(both)["system"].to_list() == ["s"]
    assert arcs(frontier(training_pairing=None)).height == 1


class TestWarehouse:
    def test_each_arc_meets_each_pattern_with_a_saving_of_cost(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        ((rows, arcs_, pairs),) = warehouse.execute(
            "SELECT count(*), count(DISTINCT (paper, benchmark, system, curve, samples_from, samples_to)), "
            "count(DISTINCT (pattern, saved_unit)) FROM marts.threshold_composition"
        ).fetchall()
        assert rows == arcs_ * pairs
        assert arcs_ >= 100
        found = warehouse.execute(
            "SELECT DISTINCT pattern::VARCHAR, saved_unit::VARCHAR, evidence::VARCHAR FROM marts.threshold_composition"
        ).fetchall()
        assert {("router", "usd", "out_of_sample"), ("cascade", "usd", "not_stated")} <= set(found)

    def test_r1_zero_votes_need_nearly_all(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        ((factor, needed),) = warehouse.execute(
            "SELECT DISTINCT samples_cost_factor, premium_needed FROM marts.threshold_composition "
            "WHERE system LIKE 'DeepSeek-R1-Zero%' AND samples_to = 64"
        ).fetchall()
        assert factor == pytest.approx(64 * 0.71 / 0.867)
        assert needed == pytest.approx(1 - 0.867 / 0.71 / 64)

    def test_product_is_of_both_marts_and_the_verdict_is_its_side_of_one(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        ((wrong,),) = warehouse.execute(
            "SELECT count(*) FROM marts.threshold_composition WHERE composed_cost_factor IS NOT NULL AND ("
            "abs(composed_cost_factor / ((1 - premium) * (attempts_to / samples_from) ** (1 - eta_samples)) - 1) > 1e-9 "
            "OR pair_lowers_cost <> (premium > premium_needed) "
            "OR composed_cost_factor NOT BETWEEN coalesce(composed_cost_factor_low, 0) AND composed_cost_factor_high)"
        ).fetchall()
        assert wrong == 0
