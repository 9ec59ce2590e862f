"""Colocated against disaggregated runs: the best within each bound, and whether the fit names it."""

import duckdb
import polars as pl
import pytest

from assets.serving.engine_pools import compared, ratios
from schemas.base import polars_schema
from schemas.serving.engine_pools import PoolComparison, PoolRatio
from schemas.serving.engine_runs import EngineRun
from warehouse.contract import violations

ALIKE = {
    "architecture": "m",
    "gpu": "h200-sxm",
    "engine": "sglang",
    "precision": "fp8",
    "input_tokens": 8192.0,
    "output_tokens": 1024.0,
}


def runs(*rows: dict[str, object]) -> pl.DataFrame:
    """Rows of the contract `EngineRun` with these figures; the fit is off by nothing unless a row says so."""
    schema = polars_schema(EngineRun)
    filled = {"usable": True, "drafts": False, "output_error_group": 0.0, "tpot_error_group": 0.0, **ALIKE}
    return pl.DataFrame([{name: {**filled, **row}.get(name) for name in schema} for row in rows], schema=schema)


def test_the_best_rate_within_a_bound_decides() -> None:
    table = compared(
        runs(
            {"kind": "closed", "tpot_measured": 0.009, "output_measured": 100.0},
            {"kind": "closed", "tpot_measured": 0.028, "output_measured": 300.0},
            {"kind": "pools", "tpot_measured": 0.0095, "output_measured": 80.0},
            {"kind": "pools", "tpot_measured": 0.025, "output_measured": 600.0, "output_error_group": 1.0},
        )
    )
    assert violations(PoolComparison, table).is_empty()
    by_bound = {row["tpot_bound_s"]: row for row in table.iter_rows(named=True)}
    assert (by_bound[0.01]["cheaper"], by_bound[0.01]["ratio"]) == ("colocated", 0.8)
    assert (by_bound[0.03]["cheaper"], by_bound[0.03]["ratio"]) == ("disaggregated", 2.0)
    assert (by_bound[0.01]["named_right"], by_bound[0.03]["named_right"]) == (True, False)


def test_the_best_ratio_of_workers() -> None:
    pools = {"kind": "pools", "concurrency": 64.0, "gpus": 8.0}
    table = ratios(
        runs(
            {**pools, "prefill_workers": 1.0, "decode_workers": 3.0, "output_measured": 100.0},
            {**pools, "prefill_workers": 3.0, "decode_workers": 1.0, "output_measured": 50.0},
            {**pools, "prefill_workers": 2.0, "decode_workers": 2.0, "output_measured": 80.0, "output_error_group": -0.5},
        )
    )
    assert violations(PoolRatio, table).is_empty()
    (row,) = table.iter_rows(named=True)
    assert (row["best_measured"], row["best_foretold"], row["ratios"]) == ("1:3", "2:2", 3)
    assert row["lost_share"] == pytest.approx(0.2)


def test_measured_pairs_and_ratios_are_there(warehouse: duckdb.DuckDBPyConnection) -> None:
    """gpt-oss-120b on H200 by the ratio of workers; designs compared at several bounds, each winning somewhere."""
    right, workloads = warehouse.sql("SELECT sum(named_right::INT), count(*) FROM marts.pool_ratio WHERE gpus = 8").fetchall()[
        0
    ]
    assert workloads >= 10
    assert right >= 0.8 * workloads
    winners = dict(warehouse.sql("SELECT cheaper::VARCHAR, count(*) FROM marts.pool_comparison GROUP BY 1").fetchall())
    assert min(winners["colocated"], winners["disaggregated"]) >= 5
