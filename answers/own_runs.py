"""The user's own benchmark runs: what was taken in, what each is used for, and the one nearest to a question."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from answers.query import connect
from assets.serving.run_use import uses
from sources.serving.benchmark_outputs import RunMeta
from sources.serving.benchmark_outputs.origins import origins

OWN = """
    SELECT run_id, any_value(file_name ORDER BY record_id) AS file_name, count(*) AS records
    FROM raw.benchmark_run WHERE file_sha256 IN (SELECT sha256 FROM meta.snapshot WHERE source = 'user_files') GROUP BY run_id
"""
LISTED = (
    "run_id",
    "file_name",
    "model",
    "engine",
    "gpu_canonical",
    "gpus_total",
    "precision",
    "concurrency",
    "request_rate_per_s",
    "input_tokens",
    "output_tokens",
    "output_tokens_per_s_per_gpu",
    "ttft_s",
    "tpot_s",
    "failed_share",
    "is_priced",
    "calibrates",
    "validates",
    "why_unpriced",
    "why_not_calibration",
    "why_not_validation",
)


@dataclass(frozen=True)
class OwnRuns:
    """The user's runs of a model on a GPU, and the one whose load is nearest to the question's."""

    runs: int
    gpu: str
    gpus: tuple[int, ...]
    nearest_run_id: str
    concurrency: float | None
    measured_output_tokens_per_s_per_gpu: float | None
    is_in_fit: bool
    why_not: str | None


def own_runs(warehouse: Path) -> list[dict[str, Any]]:
    """Every run the user brought, newest file last, with what it is used for and why not."""
    with connect(warehouse) as database:
        return _frame(database).select(LISTED).to_dicts()


def own_traces(warehouse: Path) -> list[dict[str, Any]]:
    """Every request trace the user brought: its workload."""
    with connect(warehouse) as database:
        return _rows(database, "FROM core.workload ORDER BY file_name")


def run_detail(warehouse: Path, run_id: str, meta: RunMeta | None = None) -> dict[str, Any]:
    """All that is known of a run, and for each figure the keys of its records that it was read from.

    `run_id` may be its first digits. `meta` is what the user said of it. Raises ValueError where no run, or more than one, is
    meant.
    """
    with connect(warehouse) as database:
        meant = _rows(database, "SELECT * FROM core.operating_point WHERE starts_with(run_id, $id)", id=run_id)
        if len(meant) != 1:
            told = "no run has the id" if not meant else f"{len(meant)} runs begin with"
            raise ValueError(f"{told} {run_id}; `iecon runs` lists them")
        records = _rows(
            database,
            "SELECT source, file_name, run_key, record_json FROM raw.benchmark_run WHERE run_id = $id ORDER BY record_id",
            id=meant[0]["run_id"],
        )
    return {
        "run": {name: value for name, value in meant[0].items() if value is not None},
        "records": [
            {
                "file_name": record["file_name"],
                "place": record["run_key"],
                "read_from": origins(record["source"], record["record_json"], meta),
            }
            for record in records
        ],
    }


def meant(warehouse: Path, written: list[str]) -> list[str]:
    """Ids of the user's runs and traces, of their ids or first digits. Raises ValueError for one that means none or several."""
    with connect(warehouse) as database:
        known = [
            row[0]
            for row in database.execute(f"SELECT run_id FROM ({OWN}) UNION SELECT trace_id FROM core.workload").fetchall()
        ]
    found = []
    for each in written:
        fitting = sorted(run for run in known if run.startswith(each)) if each else []
        if each in fitting:
            fitting = [each]
        if len(fitting) != 1:
            told = "is none of your runs" if not fitting else f"may be {' or '.join(fitting[:3])}"
            raise ValueError(f"{each} {told}; `iecon runs` lists them")
        found += fitting
    return found


def nearest_own_runs(warehouse: Path, *, model: str, gpu: str, concurrency: float | None) -> OwnRuns | None:
    """The user's runs of a model on a GPU, with the one nearest in concurrency; None where there is none.

    `model`, `gpu`: canonical names. `concurrency`: requests in flight in the question; None takes the fastest run. The question
    may show what was predicted beside what was measured.
    """
    with connect(warehouse) as database:
        found = _frame(database).filter(
            pl.col("model_canonical") == model,
            pl.col("gpu_canonical") == gpu,
            pl.col("output_tokens_per_s_per_gpu") > 0,
        )
    if found.is_empty():
        return None
    far = (pl.col("concurrency").log() - pl.lit(concurrency or 1.0).log()).abs()
    order = [-pl.col("output_tokens_per_s_per_gpu")] if concurrency is None else [far, -pl.col("output_tokens_per_s_per_gpu")]
    best = found.sort(order, nulls_last=True).row(0, named=True)
    return OwnRuns(
        runs=found.height,
        gpu=gpu,
        gpus=tuple(found["gpus_total"].drop_nulls().unique().sort().to_list()),
        nearest_run_id=best["run_id"],
        concurrency=best["concurrency"],
        measured_output_tokens_per_s_per_gpu=best["output_tokens_per_s_per_gpu"],
        is_in_fit=best["calibrates"],
        why_not=best["why_not_calibration"],
    )


def _frame(database: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """The user's runs (core.operating_point) with what they are used for."""
    runs: pl.DataFrame = database.sql(
        f"SELECT points.* EXCLUDE (file_name), own.file_name FROM core.operating_point points JOIN ({OWN}) own USING (run_id) "
        "ORDER BY own.file_name, concurrency, run_id"
    ).pl()
    tables = {name: database.sql(f"FROM core.{name}").pl() for name in ("gpu", "model_shape")}
    used = uses(runs, gpu=tables["gpu"], model_shape=tables["model_shape"])
    return runs.join(used, on="run_id", how="left", maintain_order="left").with_columns(
        model=pl.coalesce("model_canonical", "model"),
        input_tokens=pl.coalesce("input_tokens_nominal", "input_tokens_mean"),
        output_tokens=pl.coalesce("output_tokens_nominal", "output_tokens_mean"),
        ttft_s=pl.coalesce("ttft_p50_s", "ttft_mean_s"),
        tpot_s=pl.coalesce("tpot_p50_s", "tpot_mean_s"),
    )


def _rows(database: duckdb.DuckDBPyConnection, sql: str, **parameters: Any) -> list[dict[str, Any]]:
    cursor = database.execute(sql, parameters)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
