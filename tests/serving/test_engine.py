"""The tables of the fit, from runs of an engine whose fixed time is known."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assets.serving.engine import beside_fit, calibration_of, intervals_of, validated
from assets.serving.engine_answers import answered, fit_of
from assets.serving.engine_fit import fit_runs
from assets.serving.engine_runs import QUANTITIES
from schemas.serving.engine_runs import Calibration, EngineRun, EngineValidation, PredictionInterval
from tests.serving.measured import LAYER_S, operating_points, runs
from warehouse.contract import violations


@pytest.fixture(scope="module")
def known(refreshed: Path) -> dict[str, pl.DataFrame]:
    """Shapes, layers and accelerators as a refresh makes them."""
    return {
        name: pl.read_parquet(refreshed / "tables" / "core" / f"{name}.parquet")
        for name in ("model_shape", "model_layer", "gpu")
    }


@pytest.fixture(scope="module")
def points(known: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return operating_points(known["model_shape"], known["model_layer"], known["gpu"])


@pytest.fixture(scope="module")
def fitted(known: dict[str, pl.DataFrame], points: pl.DataFrame) -> pl.DataFrame:
    table = runs(known["model_shape"], known["model_layer"], known["gpu"], points)
    return beside_fit(table, fit_runs(table))


def test_the_tables_keep_their_contracts(fitted: pl.DataFrame) -> None:
    intervals = intervals_of(fitted)
    for schema, frame in (
        (EngineRun, fitted),
        (Calibration, calibration_of(fitted)),
        (PredictionInterval, intervals),
        (EngineValidation, validated(fitted, intervals)),
    ):
        assert violations(schema, frame).is_empty(), schema
        assert frame.height, schema


def test_the_fixed_time_is_found(fitted: pl.DataFrame) -> None:
    row = calibration_of(fitted).row(0, named=True)
    assert (row["engine"], row["family"], row["groups"], row["runs"]) == ("vllm", "hopper", 12, 144)
    assert row["layer_s"] == pytest.approx(LAYER_S, rel=0.1)
    assert row["layer_low_s"] < LAYER_S < row["layer_high_s"]


def test_runs_left_out_are_predicted_as_well_as_the_noise_allows(fitted: pl.DataFrame) -> None:
    for level, most in (("run", 0.03), ("group", 0.08)):
        assert fitted[f"output_error_{level}"].abs().median() < most
    assert fitted["output_error_default"].abs().median() > 0.3


def test_an_interval_is_wider_the_further_the_runs_are(fitted: pl.DataFrame) -> None:
    factors = {(row["quantity"], row["range"]): row for row in intervals_of(fitted).iter_rows(named=True)}
    near, family = (factors["output_tokens_per_s_per_gpu", reach] for reach in ("near", "family"))
    assert 1.0 < near["factor"] < family["factor"] < 1.3
    assert near["held"] >= near["claimed"]


def test_answers_are_those_of_the_fit(known: dict[str, pl.DataFrame], fitted: pl.DataFrame, points: pl.DataFrame) -> None:
    """A run that was measured is its own nearest run, and its prediction lies between the form and the measurement."""
    fit = fit_of(engine_run=fitted, prediction_interval=intervals_of(fitted), **known)
    asked = runs(known["model_shape"], known["model_layer"], known["gpu"], points)
    wanted = [
        name
        for name in asked.columns
        if not name.startswith(("model_", "device_")) and name not in ("family", "architecture", "first_token_steps")
    ]
    answers = answered(asked.select(wanted), fit)
    assert answers["nearest_run"].to_list() == fitted["run_id"].to_list()
    assert answers["distance"].max() == pytest.approx(0.0, abs=1e-9)
    assert set(answers["basis"]) == {"group"}
    off = (answers["tpot_p50_s_predicted"] / fitted["tpot_measured"]).log().abs()
    assert off.median() < 0.02
    for name in QUANTITIES:
        assert (answers[f"{name}_low"] < answers[f"{name}_predicted"]).all()


def test_one_own_run_moves_the_answer_and_is_called_own(known: dict[str, pl.DataFrame], points: pl.DataFrame) -> None:
    """A host on which everything takes 1.5 times as long: a single run of one's own carries most of that over."""
    elsewhere = points.filter(pl.col("model_canonical") != "qwen3-32b")
    mine = points.filter(pl.col("model_canonical") == "qwen3-32b", pl.col("gpu_canonical") == "h200-sxm")
    slower = mine.with_columns(
        pl.col("tpot_p50_s", "ttft_p50_s", "ttft_p99_s") * 1.5,
        pl.col("output_tokens_per_s_per_gpu") / 1.5,
        source=pl.lit("vllm"),
    )
    shapes, layers, gpus = known["model_shape"], known["model_layer"], known["gpu"]
    asked = runs(shapes, layers, gpus, slower)
    for brought, basis, most in ((0, "family", 1.0), (1, "own", 0.22)):
        table = runs(shapes, layers, gpus, pl.concat([elsewhere, slower.slice(3, brought)]))
        fitted = beside_fit(table, fit_runs(table))
        fit = fit_of(engine_run=fitted, prediction_interval=intervals_of(fitted), **known)
        wanted = [
            name
            for name in asked.columns
            if not name.startswith(("model_", "device_")) and name not in ("family", "architecture", "first_token_steps")
        ]
        answers = answered(asked.select(wanted), fit)
        assert set(answers["basis"]) == {basis}
        off = np.median(np.abs(np.log(answers["tpot_p50_s_predicted"].to_numpy() / asked["tpot_p50_s"].to_numpy())))
        assert off < most
        assert (off > 0.3) == (brought == 0)
