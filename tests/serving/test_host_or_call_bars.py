"""Against measured open-loop runs (source pchitral, vLLM and SGLang on H100 and A100): saturation, and the cost of a contract.

Below saturation the rate served is the rate offered, an identity, and counts for nothing. The fit has seen these groups; what
is judged is the way from it to a capacity, with and without one run of one's own.
"""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from answers.host_or_call.measured import multipliers
from answers.host_or_call.record import HostOrCallError
from answers.host_or_call.tables import Tables, tables_of
from assets.serving.hosting_options import with_capacity

GROUP = ["model", "gpu", "engine"]
OWN_RATE, FULL_RATE = 50.0, 200.0
UNBOUND_S = 1e6


@pytest.fixture(scope="module")
def release(refreshed: Path) -> Path:
    return refreshed / "releases" / "latest.duckdb"


@pytest.fixture
def known(warehouse) -> Tables:
    return tables_of(warehouse)


@pytest.fixture
def runs(warehouse) -> pl.DataFrame:
    found: pl.DataFrame = warehouse.sql("""
        SELECT model_canonical AS model, gpu_canonical AS gpu, engine, 'bf16' AS precision, 1.0 AS gpus, 1.0 AS tp,
            512.0 AS input_tokens, 256.0 AS output_tokens, request_rate_per_s, output_tokens_per_s_per_gpu AS measured,
            output_tokens_per_s_per_gpu / 256.0 AS served_per_s, ttft_p99_s, tpot_p90_s
        FROM core.operating_point WHERE source = 'pchitral' ORDER BY ALL
    """).pl()
    assert found.height == 49
    return found


def capacities(asked: pl.DataFrame, known: Tables) -> pl.DataFrame:
    return with_capacity(asked.drop("request_rate_per_s"), known.fit, tails=known.tails)


def test_saturation_is_within_its_interval_and_with_one_own_run_within_a_fifth(runs, known, release, tmp_path):
    full = runs.filter(pl.col("request_rate_per_s") == FULL_RATE)
    found = capacities(full.with_columns(ttft_s=pl.lit(UNBOUND_S), tpot_s=pl.lit(UNBOUND_S)), known)
    assert found.select(pl.col("served_per_s").is_between("requests_per_s_low", "requests_per_s_high").all()).item()
    with_own = {"vllm": [], "sglang": []}
    for row in found.iter_rows(named=True):
        times = multipliers(own_run(runs, row, tmp_path), warehouse=release, model=row["model"], known=known)
        with_own[row["engine"]].append(row["requests_per_s"] * times[row["gpu"]] / row["served_per_s"] - 1.0)
    for engine, errors in with_own.items():
        assert len(errors) >= 3, engine
        assert np.median(np.abs(errors)) < 0.2, (engine, errors)


def test_the_cost_of_the_contract_a_run_reached_is_within_a_fifth(runs, known, release, tmp_path):
    others = runs.filter(pl.col("request_rate_per_s") != OWN_RATE)
    bound = others.with_columns(
        ttft_s=pl.col("ttft_p99_s"), tpot_s=pl.col("tpot_p90_s"), ttft_percentile=pl.lit(0.99), tpot_percentile=pl.lit(0.9)
    )
    found = capacities(bound, known)
    errors: dict[str, list[float]] = {"vllm": [], "sglang": []}
    times = {
        key: multipliers(own_run(runs, part.row(0, named=True), tmp_path), warehouse=release, model=str(key[0]), known=known)
        for key, part in runs.group_by(GROUP)
    }
    for row in found.iter_rows(named=True):
        factor = times[row["model"], row["gpu"], row["engine"]][row["gpu"]]
        held = (row["requests_per_s"] or 0.0) * factor
        # Rent over capacity, predicted over measured: infinite where no load at all is said to hold the contract.
        errors[row["engine"]].append(row["served_per_s"] / held - 1.0 if held else np.inf)
    for engine, found_errors in errors.items():
        assert np.median(np.abs(found_errors)) < 0.2, (engine, sorted(np.round(found_errors, 2)))


def own_run(runs: pl.DataFrame, row: dict, folder: Path) -> Path:
    """One run of the row's group as a table of the user's own."""
    mine = runs.filter(*(pl.col(name) == row[name] for name in GROUP), pl.col("request_rate_per_s") == OWN_RATE)
    file = folder / "own.csv"
    mine.rename({"measured": "output_tokens_per_s_per_gpu"}).drop("ttft_p99_s", "tpot_p90_s", "served_per_s").write_csv(file)
    return file


def test_a_run_that_serves_all_that_is_offered_says_nothing(runs, known, release, tmp_path):
    idle = runs.filter(pl.col("request_rate_per_s") == 1.0).row(0, named=True)
    file = tmp_path / "own.csv"
    table = pl.DataFrame([{**idle, "output_tokens_per_s_per_gpu": idle["measured"]}]).drop("measured", "served_per_s")
    table.write_csv(file)
    with pytest.raises(HostOrCallError, match="has to be full"):
        multipliers(file, warehouse=release, model=idle["model"], known=known)
    table.drop("output_tokens_per_s_per_gpu").write_csv(file)
    with pytest.raises(HostOrCallError, match="column output_tokens_per_s_per_gpu is missing"):
        multipliers(file, warehouse=release, model=idle["model"], known=known)
