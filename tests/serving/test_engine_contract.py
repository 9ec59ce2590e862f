"""Capacity under a contract: the largest load at which every bound holds, on the fit of a refreshed warehouse."""

from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from assets.serving.engine_answers import Fit, answered, fit_of
from assets.serving.engine_contract import BROKEN, TOO_LARGE, UNKNOWN, bounds_of, capacity, held, tails_of
from assets.serving.engine_curves import curves
from assets.serving.engine_runs import RUN_COLUMNS
from economics.serving.queueing import wait_s

LLAMA = {"model": "llama-3.1-8b", "gpu": "h100-sxm", "engine": "vllm", "precision": "bf16", "gpus": 1.0, "tp": 1.0}
R1 = {"model": "deepseek-r1", "gpu": "h200-sxm", "engine": "sglang", "precision": "fp8", "gpus": 8.0, "tp": 8.0}
POOLS = {
    **{name: value for name, value in R1.items() if name != "tp"},
    "gpus": 24.0,
    "disaggregated": True,
    "prefill_gpus": 8.0,
    "prefill_workers": 1.0,
    "decode_gpus": 16.0,
    "decode_workers": 1.0,
    "decode_dp_attention": True,
}


@pytest.fixture(scope="module")
def tables(refreshed: Path) -> dict[str, pl.DataFrame]:
    wanted = ("core.model_shape", "core.model_layer", "core.gpu", "core.operating_point")
    with duckdb.connect(str((refreshed / "releases" / "latest.duckdb").resolve()), read_only=True) as connection:
        return {
            name.split(".")[1]: connection.sql(f"FROM {name}").pl().with_columns(pl.selectors.categorical().cast(pl.String))
            for name in (*wanted, "marts.engine_run", "marts.prediction_interval")
        }


@pytest.fixture(scope="module")
def fit(tables: dict[str, pl.DataFrame]) -> Fit:
    return fit_of(**{name: table for name, table in tables.items() if name != "operating_point"})


@pytest.fixture(scope="module")
def tails(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return tails_of(tables["engine_run"], tables["operating_point"])


def systems(*rows: dict[str, object], **bounds: float) -> pl.DataFrame:
    asked = {"input_tokens": 2000.0, "output_tokens": 500.0, "ttft_s": 2.0, "tpot_s": 0.05, **bounds}
    return pl.DataFrame([{**asked, **row} for row in rows])


def test_every_bound_holds_at_the_capacity_and_the_one_that_limits_is_reached(fit: Fit, tails: pl.DataFrame) -> None:
    """A first token waits without end from one load to the next where the queue never empties: that bound is not reached."""
    asked = systems(LLAMA, R1, POOLS)
    found, by_load = capacity(asked, fit=fit, tails=tails), curves(asked, fit=fit, tails=tails)
    assert found["feasible"].all()
    for row, ttft_s, loads in zip(found.to_dicts(), by_load.ttft_s, by_load.requests_per_s, strict=True):
        assert row["ttft_there_s"] <= 2.0 * (1 + 1e-9), row
        assert row["tpot_there_s"] <= 0.05 * (1 + 1e-9), row
        never_empties = np.isinf(ttft_s[np.argmax(loads > row["requests_per_s"] * (1 + 1e-9))])
        if row["limit"] == "tpot" or (row["limit"] == "ttft" and not never_empties):
            assert row[f"{row['limit']}_there_s"] == pytest.approx({"ttft": 2.0, "tpot": 0.05}[row["limit"]], rel=1e-6)
        assert row["output_tokens_per_s_per_gpu"] == pytest.approx(row["requests_per_s"] * 500.0 / row["gpus"])


def test_in_a_closed_loop_the_capacity_is_the_prediction_at_its_concurrency(fit: Fit, tails: pl.DataFrame) -> None:
    asked = systems({**LLAMA, "arrivals": "closed"}, tpot_s=0.03, ttft_s=1e9)
    row = capacity(asked, fit=fit, tails=tails).row(0, named=True)
    load = pl.DataFrame([{"input_tokens": 2000.0, "output_tokens": 500.0, **LLAMA, "concurrency": row["concurrency"]}])
    flags = {"disaggregated": False, "drafts": False}
    kinds = {name: fit.models.schema.get(name, pl.Float64) for name in RUN_COLUMNS}
    run = load.with_columns(pl.lit(None).cast(kinds[n]).alias(n) for n in RUN_COLUMNS if n not in load.columns)
    said = answered(run.with_columns(counts_decode_gpus=pl.lit(value=False), **{k: pl.lit(v) for k, v in flags.items()}), fit)
    assert said["tpot_p50_s_predicted"][0] * row["tpot_tail"] == pytest.approx(0.03, rel=0.02)
    assert said["output_tokens_per_s_per_gpu_predicted"][0] == pytest.approx(row["output_tokens_per_s_per_gpu"], rel=0.02)


@pytest.mark.parametrize(("bound", "values"), [("tpot_s", (0.02, 0.04, 0.08)), ("ttft_s", (0.2, 0.5, 5.0))])
def test_a_looser_bound_serves_no_less(fit: Fit, tails: pl.DataFrame, bound: str, values: tuple[float, ...]) -> None:
    for system in (LLAMA, R1, POOLS):
        asked = pl.concat([systems({**system, bound: value}) for value in values])
        rates = capacity(asked, fit=fit, tails=tails)["requests_per_s"].fill_null(0.0).to_numpy()
        assert np.all(np.diff(rates) >= -1e-9)


def test_a_median_is_met_more_easily_than_a_tail(fit: Fit, tails: pl.DataFrame) -> None:
    both = pl.concat([systems({**LLAMA, "percentile": share}) for share in (0.5, 0.9, 0.99)])
    rates = capacity(both, fit=fit, tails=tails)["requests_per_s"].to_list()
    assert rates == sorted(rates, reverse=True)


def test_the_whole_request_can_be_bounded(fit: Fit, tails: pl.DataFrame) -> None:
    row = capacity(systems({**LLAMA, "e2e_s": 10.0}), fit=fit, tails=tails).row(0, named=True)
    assert (row["limit"], row["e2e_there_s"]) == ("e2e", pytest.approx(10.0, rel=1e-6))


def test_passes_that_take_twice_as_long_meet_twice_the_bounds(fit: Fit, tails: pl.DataFrame) -> None:
    """The interval rests on it: low is what holds if every pass takes `factor` times as long."""
    found = curves(systems(LLAMA), fit=fit, tails=tails)
    wide, bounds = bounds_of(systems(LLAMA, ttft_s=4.0, tpot_s=0.1)), bounds_of(systems(LLAMA))
    slow, plain = held(found, wide, slower=2.0), held(found, bounds)
    assert slow["requests_per_s"][0] == pytest.approx(plain["requests_per_s"][0] / 2.0)
    row = capacity(systems(LLAMA), fit=fit, tails=tails).row(0, named=True)
    assert row["requests_per_s_low"] < row["requests_per_s"] < row["requests_per_s_high"]


def test_what_cannot_be_served_says_why(fit: Fit, tails: pl.DataFrame) -> None:
    large = {**R1, "gpu": "h100-sxm", "gpus": 4.0, "tp": 4.0}
    unknown, unmeasured = {**LLAMA, "model": "nobody-1b"}, {**LLAMA, "engine": "nobody"}
    found = capacity(systems(large, {**LLAMA, "tpot_s": 0.001}, unknown, unmeasured), fit=fit, tails=tails)
    assert found["reason"].to_list() == [TOO_LARGE, BROKEN, UNKNOWN, None]
    assert found["feasible"].to_list() == [False, False, False, True]
    assert found["limit"].to_list()[:3] == ["room", "tpot", None]
    assert found["tpot_least_s"][1] > 0.001
    assert found["requests_per_s_low"][3] is None, "no interval is claimed where no run of the engine was measured"
    assert found["basis"][3] == "none"


def test_prefix_hits_drafts_smaller_keys_and_another_prefill_device_change_what_is_served(
    fit: Fit, tails: pl.DataFrame
) -> None:
    long = {**LLAMA, "input_tokens": 12_000.0}
    plain, cached, drafted, small = capacity(
        systems(
            {**long, "prefix_hit_share": None, "draft_tokens": None, "draft_acceptance": None, "kv_bytes_factor": None},
            {**long, "prefix_hit_share": 0.8},
            {**long, "draft_tokens": 3.0, "draft_acceptance": 0.8, "tpot_s": 0.02},
            {**long, "kv_bytes_factor": 0.5},
        ),
        fit=fit,
        tails=tails,
    )["requests_per_s"]
    assert cached > plain
    assert small > plain
    assert drafted > capacity(systems({**long, "tpot_s": 0.02}), fit=fit, tails=tails)["requests_per_s"][0]
    slow = {**POOLS, "input_tokens": 16_000.0, "tpot_s": 0.1}
    ttft = [
        capacity(systems({**slow, "prefill_gpu": gpu}), fit=fit, tails=tails)["ttft_least_s"][0]
        for gpu in ("h200-sxm", "b200-sxm")
    ]
    assert ttft[1] < ttft[0]


def test_tails_are_measured(tails: pl.DataFrame) -> None:
    together = tails.filter(pl.col("engine").is_null())
    assert set(together["kind"]) >= {"closed", "rate", "pools"}
    assert tails.select((pl.col("ratio") >= 1.0).all() & (pl.col("low") <= pl.col("high")).all()).item()


def test_waiting_grows_with_the_load_and_ends_with_the_queue() -> None:
    waits = wait_s(service_s=1.0, servers=1.0, utilisation=np.array([0.0, 0.005, 0.5, 0.9, 1.0]), percentile=0.99)
    assert waits[:2].tolist() == [0.0, 0.0], "fewer than one in a hundred waits"
    assert waits[2] == pytest.approx(np.log(50.0))
    assert waits[3] == pytest.approx(np.log(90.0) / 0.2)
    assert np.isposinf(waits[4])
    assert wait_s(service_s=1.0, servers=4.0, utilisation=0.9, percentile=0.99) < waits[3] / 4.0
