"""The validation mart: every check, from the shipped documents and from what a user brings."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import numpy as np
import polars as pl
import pytest

from assets.serving import benchmark_outputs, published_runs
from assets.serving.measured import ingested_rows
from assets.serving.simulated import own_traces, rows_of, shaped_traces
from assets.serving.validation import framed
from pipelines.refresh import QUIET
from pipelines.resources import resources
from schemas.base import empty
from schemas.registry import TABLES
from schemas.serving.benchmark_outputs import OperatingPoint, TraceRequest
from schemas.serving.validation import ServingValidation
from sources.serving.references import TRACES, parse_traces
from sources.serving.user_files import take_in
from tests.serving.benchmark_files import SAMPLES
from tests.serving.references import snapshot
from warehouse.store import read_table


def one(warehouse: duckdb.DuckDBPyConnection, sql: str):
    return warehouse.execute(sql).fetchone()


def test_every_check_is_there(warehouse: duckdb.DuckDBPyConnection):
    found = dict(warehouse.execute('SELECT "check"::VARCHAR, count(*) FROM marts.serving_validation GROUP BY 1').fetchall())
    assert found["independent_tool"] == 123
    assert found["measured"] >= 30
    assert found["simulation"] >= 80


def test_nothing_is_fitted_to_the_tool_or_the_simulation(warehouse: duckdb.DuckDBPyConnection):
    fitted = one(
        warehouse,
        """SELECT count(*) FILTER (fitted <> 'nothing') FROM marts.serving_validation WHERE "check" <> 'measured'""",
    )
    assert fitted == (0,)
    own = one(
        warehouse,
        """SELECT count(*) FROM marts.serving_validation WHERE "check" = 'measured' AND fitted NOT LIKE '%other%'""",
    )
    assert own == (0,)


def test_the_statistics_are_those_of_the_stored_rows(warehouse: duckdb.DuckDBPyConnection):
    agreed, correlation = warehouse.execute("""
        WITH point AS (
            SELECT predicted, observed, rank() OVER (ORDER BY predicted) AS ours, rank() OVER (ORDER BY observed) AS theirs
            FROM marts.serving_validation WHERE metric = 'throughput_ratio'
        )
        SELECT avg(((predicted > 1) = (observed > 1))::INT) FILTER (abs(ln(observed)) > ln(1.05)), corr(ours, theirs)
        FROM point
    """).fetchone()
    stored = dict(
        warehouse.execute("""
        SELECT metric::VARCHAR, observed FROM marts.serving_validation WHERE metric IN ('winner_agreement', 'rank_correlation')
    """).fetchall()
    )
    assert stored["winner_agreement"] == pytest.approx(agreed)
    assert stored["rank_correlation"] == pytest.approx(correlation, abs=0.01)
    median = one(
        warehouse,
        """
        SELECT median(abs(error)) FROM marts.serving_validation WHERE metric = 'output_tokens_per_s_per_gpu'
    """,
    )
    assert median == one(
        warehouse,
        """
        SELECT observed FROM marts.serving_validation WHERE slice = 'MLPerf v5.1, all GPUs'
    """,
    )


def test_where_the_closed_form_breaks(warehouse: duckdb.DuckDBPyConnection):
    """Equal requests within a tenth with places kept free; long tails cost colocated designs more; bursts break all."""
    errors = {
        tuple(key): error
        for *key, error in warehouse.execute("""
            SELECT workload, architecture::VARCHAR, max(error) FILTER (slice LIKE '%places kept free' OR
                   architecture = 'disaggregated')
            FROM marts.serving_validation WHERE metric = 'requests_per_s' GROUP BY ALL
        """).fetchall()
    }
    for trace in ("azure_code_2023", "mooncake_synthetic"):
        mean = {name: errors[f"Poisson, all of the mean length of {trace}", name] for name in ("chunked", "disaggregated")}
        tails = {name: errors[f"Poisson, lengths of {trace}", name] for name in ("chunked", "disaggregated")}
        assert all(abs(error) < 0.1 for error in mean.values())
        assert tails["chunked"] > mean["chunked"]
        assert tails["chunked"] > tails["disaggregated"]
    bursts = [errors["arrivals and lengths of azure_code_2023", name] for name in ("unchunked", "chunked", "disaggregated")]
    assert min(bursts) > 5.0


def azure() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with (SAMPLES / "azure" / "AzureLLMInferenceTrace_code.csv").open() as file:
        rows = list(csv.DictReader(file))
    times = np.array([row["TIMESTAMP"] for row in rows], dtype="datetime64[ns]")
    lengths = (np.array([int(row[name]) for row in rows]) for name in ("ContextTokens", "GeneratedTokens"))
    return ((times - times[0]) / np.timedelta64(1, "s"), *lengths)


def mooncake() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with (SAMPLES / "mooncake" / "synthetic_trace.jsonl").open() as file:
        rows = [json.loads(line) for line in file]
    columns = (np.array([row[name] for row in rows]) for name in ("timestamp", "input_length", "output_length"))
    arrival_ms, prompts, answers = columns
    return arrival_ms / 1e3, prompts, answers


@pytest.mark.published
@pytest.mark.skipif(not SAMPLES.exists(), reason="the real traces are not at hand")
@pytest.mark.parametrize(("name", "read"), [("azure_code_2023", azure), ("mooncake_synthetic", mooncake)])
def test_a_drawn_stream_is_like_the_trace(name, read):
    arrived_s, prompts, answers = read()
    (drawn,) = (trace.load for trace in shaped_traces(parse_traces(snapshot(TRACES)).accepted) if trace.name == name)
    for ours, theirs in ((drawn.input_tokens, prompts), (drawn.output_tokens, answers)):
        assert ours.mean() == pytest.approx(theirs.mean(), rel=0.05)
        np.testing.assert_allclose(np.quantile(ours, [0.1, 0.5, 0.9]), np.quantile(theirs, [0.1, 0.5, 0.9]), rtol=0.1)
    counts = np.bincount((arrived_s // 10).astype(int))[:-1]
    np.testing.assert_allclose(drawn.intensity, counts / counts.mean())


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables after a user has brought the real samples."""
    if not SAMPLES.exists():
        pytest.skip("the real samples are not at hand")
    folder = tmp_path_factory.mktemp("brought")
    (folder / "config.yaml").write_text(json.dumps({"disabled": sorted(benchmark_outputs.PUBLISHED)}))
    files = [
        SAMPLES / "aiconfigurator" / "silicon_sample.csv",
        SAMPLES / "mooncake" / "synthetic_trace.jsonl",
    ]
    taken = list(take_in(files, bronze_root=folder / "bronze", said={}, now=datetime(2026, 11, 20, tzinfo=UTC)))
    assert all(one.is_accepted for one in taken)
    modules = (benchmark_outputs, published_runs)
    assets = [item for module in modules for item in vars(module).values() if isinstance(item, dg.AssetsDefinition)]
    assert dg.materialize(assets, resources=resources(folder), run_config=QUIET).success
    return folder / "tables"


def facts(refreshed: Path, table: str) -> pl.DataFrame:
    frame = read_table(refreshed / "tables", TABLES[table])
    assert frame is not None
    return frame


@pytest.mark.published
def test_a_users_runs_are_judged_by_fits_to_others(brought: Path, refreshed: Path):
    """Under the measured load the median error is about a quarter; at a contract that hardly leaves a batch it is larger."""
    points = read_table(brought, OperatingPoint)
    assert points is not None
    points = points.filter(source="aiconfigurator")
    rows = list(ingested_rows(points, gpu=facts(refreshed, "gpu"), model_shape=facts(refreshed, "model_shape")))
    by_slice = {row["slice"]: row for row in rows}
    assert len(framed(rows)) == len(by_slice) >= 4
    for gpu in ("h100-sxm", "h200-sxm"):
        load, contract = (by_slice[f"aiconfigurator on {gpu}, at the measured {what}"] for what in ("load", "contract"))
        assert load["n"] > 100
        assert load["observed"] < 0.35
        assert load["observed"] < contract["observed"]


def test_without_runs_there_are_no_rows(refreshed: Path):
    tables = {"gpu": facts(refreshed, "gpu"), "model_shape": facts(refreshed, "model_shape")}
    assert list(ingested_rows(empty(OperatingPoint), **tables)) == []
    assert list(own_traces(empty(TraceRequest))) == []


@pytest.mark.published
def test_a_users_trace_is_simulated_with_its_own_lengths(brought: Path, refreshed: Path):
    (trace,) = own_traces(read_table(brought, TraceRequest))
    gpu, shape, price = (
        facts(refreshed, table).row(by_predicate=pl.col(key) == value, named=True)
        for table, key, value in (
            ("gpu", "gpu", "h100-sxm"),
            ("model_shape", "model", "llama-3.1-70b"),
            ("gpu_price", "gpu", "h100-sxm"),
        )
    )
    rows = framed(list(rows_of(trace, gpu=gpu, shape=shape, price=price)))
    ServingValidation.validate(rows)
    assert rows["workload"].str.contains("own ").all()
    even = rows.filter(
        pl.col("metric") == "requests_per_s",
        pl.col("workload").str.contains("mean length"),
        pl.col("slice").str.contains("places kept free"),
        pl.col("architecture") == "chunked",
    )
    assert abs(even["error"].item()) < 0.1
