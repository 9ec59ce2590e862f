"""How far `iecon decide` keeps its word, on what was measured.

    python benchmarks/bench_decide.py [DATA]

Capacity at the contract that a run kept, stated chances against how often they were right over measured pairs of systems, the
winner against an independent tool, and the cost of DeepSeek-R1 beside reports. Prints the tables of docs/serving.md.
"""

import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from scipy.special import ndtr

from answers.decide.known import Known, known_for
from answers.decide.record import ServingQuestion
from answers.decide.sizing import candidates_of, copies_of, field_of
from answers.decide.weighing import CORE, NORMAL_90, SHARED, WIDE, WIDE_SHARE
from assets.serving.engine_answers import answered
from assets.serving.engine_contract import bounds_of, held
from assets.serving.engine_curves import curves
from assets.serving.engine_runs import RUN_COLUMNS
from warehouse.folder import data_root

LOADS = ("concurrency", "request_rate_per_s", "requests")
LEVELS = {"run": "a run left out, others of its group known", "group": "the whole group left out"}
SOURCES = ("inferencex", "mlperf", "pchitral")
BOUNDS_S = (0.01, 0.02, 0.03, 0.05, 0.1)
CLEAR = 1.1
"""Margin of both sides from which winners are compared."""
RATE_PER_S = 2_000.0
"""So high that whole copies do not matter, as for the tool."""


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else data_root()
    file = (folder / "releases" / "latest.duckdb").resolve()
    asked = ServingQuestion(
        model="llama-3.1-70b", gpu="any", input_tokens=1000, output_tokens=500, requests_per_s=10, tpot_p50_s=0.05
    )
    _, known = known_for(asked, file)
    with duckdb.connect(str(file), read_only=True) as connection:
        runs = (
            connection.sql("FROM marts.engine_run WHERE usable").pl().with_columns(pl.selectors.categorical().cast(pl.String))
        )
        points = connection.sql("SELECT run_id, tpot_p99_s, ttft_p99_s FROM core.operating_point").pl()
        grid = connection.sql("FROM raw.serving_grid WHERE winner <> 'none'").pl()
    with pl.Config(tbl_rows=60, tbl_cols=20, tbl_width_chars=160, float_precision=3, tbl_hide_column_data_types=True):
        for level, meaning in LEVELS.items():
            print(f"\ncapacity at the measured contract, {meaning}")
            print(capacity_at_measured_contracts(runs, points, known, level))
        for level, meaning in LEVELS.items():
            print(f"\nstated chance against share right over pairs of measured systems, {meaning}")
            print(stated_and_right(runs, known, level))
        print("\nthe winner against the independent tool")
        print(beside_tool(grid, file))


def capacity_at_measured_contracts(runs: pl.DataFrame, points: pl.DataFrame, known: Known, level: str) -> pl.DataFrame:
    """Capacity within each run's own p99 of TTFT and TPOT over what it reached, as predicted without the run or its group."""
    kept = runs.join(points, on="run_id").filter(
        pl.col("source").is_in(SOURCES),
        pl.col("kind") != "offline",
        pl.col("tpot_p99_s") > 0,
        pl.col("ttft_p99_s") > 0,
        pl.col("output_measured").is_not_null(),
        pl.col(f"tpot_error_{level}").is_not_null(),
    )
    systems = kept.select(
        *(name for name in RUN_COLUMNS if name not in LOADS),
        tpot_s="tpot_p99_s",
        ttft_s="ttft_p99_s",
        arrivals=pl.when(pl.col("kind") == "rate").then(pl.lit("poisson")).otherwise(pl.lit("closed")),
    )
    fit = known.evidence.fit
    at_own_load = answered(kept.select(*RUN_COLUMNS, counts_decode_gpus=pl.lit(value=False)), fit)
    found = curves(systems, fit=fit, tails=known.tails)

    def without(short: str, name: str) -> np.ndarray:
        foretold = kept[f"{short}_measured"] * (-kept[f"{short}_error_{level}"]).exp()
        return (foretold / at_own_load[f"{name}_predicted"]).fill_null(1.0).fill_nan(1.0).to_numpy()[:, None]

    shifted = replace(
        found,
        tpot_s=found.tpot_s * without("tpot", "tpot_p50_s"),
        requests_per_s=found.requests_per_s * without("output", "output_tokens_per_s_per_gpu"),
    )
    factors = dict(
        known.evidence.fit.intervals.filter(pl.col("quantity") == "tpot_p50_s").select("range", "factor").iter_rows()
    )
    factor = factors["near" if level == "run" else "family"]
    bounds = bounds_of(systems)
    reached = {
        power: np.nan_to_num(held(shifted, bounds, slower=factor**power)["requests_per_s"]) * found.output_tokens / found.gpus
        for power in (0.0, 1.0, -1.0)
    }
    measured = kept["output_measured"].to_numpy()
    judged = kept.select("source", "kind").with_columns(
        off=pl.Series(np.abs(reached[0.0] / measured - 1.0)),
        inside=pl.Series((reached[1.0] <= measured) & (measured <= reached[-1.0])),
    )
    figures = {
        "runs": pl.len(),
        "median_off": pl.col("off").median(),
        "p90_off": pl.col("off").quantile(0.9),
        "inside": pl.col("inside").mean(),
    }
    parts = judged.group_by("source", "kind").agg(**figures).sort("source", "kind")
    return pl.concat([parts, judged.select(source=pl.lit("all"), kind=pl.lit("all"), **figures)], how="vertical_relaxed")


def stated_and_right(runs: pl.DataFrame, known: Known, level: str) -> pl.DataFrame:
    """Pairs of systems that served the same model and lengths: how sure the better was said to be, and how often it was."""
    intervals = known.evidence.fit.intervals.filter(pl.col("quantity") == "tpot_p50_s")
    factor = dict(intervals.select("range", "factor").iter_rows())["near" if level == "run" else "family"]
    sd = np.log(factor) / NORMAL_90
    key = ["architecture", "input_tokens", "output_tokens", "tpot_bound_s"]
    system = ["gpu", "engine", "precision", "disaggregated"]
    foretold = runs.filter(~pl.col("drafts"), pl.col("kind").is_in(["closed", "pools"])).with_columns(
        output_foretold=pl.col("output_measured") * (-pl.col(f"output_error_{level}")).exp(),
        tpot_foretold=pl.col("tpot_measured") * (-pl.col(f"tpot_error_{level}")).exp(),
    )
    within = foretold.join(pl.DataFrame({"tpot_bound_s": BOUNDS_S}), how="cross")
    best = (
        within.group_by(key + system)
        .agg(
            measured=pl.col("output_measured").filter(pl.col("tpot_measured") <= pl.col("tpot_bound_s")).max(),
            said=pl.col("output_foretold").filter(pl.col("tpot_foretold") <= pl.col("tpot_bound_s")).max(),
        )
        .drop_nulls(["measured", "said"])
    )
    numbered = best.with_row_index("place")
    pairs = numbered.join(numbered, on=key, suffix="_other").filter(pl.col("place") < pl.col("place_other"))
    alike = (
        ((pairs["gpu"] == pairs["gpu_other"]) & (pairs["engine"] == pairs["engine_other"])).fill_null(value=False).to_numpy()
    )
    own = sd * np.where(alike, np.sqrt(1.0 - SHARED), 1.0)
    ahead = np.abs(np.log((pairs["said"] / pairs["said_other"]).to_numpy()))
    chance = sum(
        share * other_share * ndtr(ahead / (own * np.hypot(width, other_width)))
        for width, share in ((CORE, 1.0 - WIDE_SHARE), (WIDE, WIDE_SHARE))
        for other_width, other_share in ((CORE, 1.0 - WIDE_SHARE), (WIDE, WIDE_SHARE))
    )
    judged = pairs.with_columns(
        stated=pl.Series(chance),
        right=(pl.col("said") > pl.col("said_other")) == (pl.col("measured") > pl.col("measured_other")),
    )
    bins = judged.with_columns(band=(pl.col("stated") * 10).floor().clip(5, 9) / 10)
    return bins.group_by("band").agg(pairs=pl.len(), stated=pl.col("stated").mean(), right=pl.col("right").mean()).sort("band")


def beside_tool(grid: pl.DataFrame, file: Path) -> pl.DataFrame:
    """Agreement on the winner, with clear margins on both sides, by accelerator and model."""
    rows = []
    for (gpu, model), part in grid.group_by("gpu", "model", maintain_order=True):
        asked = [
            ServingQuestion(
                model=str(model),
                gpu=str(gpu),
                precision="fp8",
                usd_per_gpu_hour=1.0,
                requests_per_s=RATE_PER_S,
                kv_dtype="fp8",
                input_tokens=row["input_tokens"],
                output_tokens=row["output_tokens"],
                ttft_p50_s=row["ttft_s"],
                tpot_p50_s=row["tpot_s"],
            )
            for row in part.iter_rows(named=True)
        ]
        first, known = known_for(asked[0], file)
        known_names = [replace(q, model=first.model, gpu=first.gpu, precision=first.precision) for q in asked]
        field = field_of(candidates_of(known_names, known, first.gpus_named, workers_most=3, more=(0, 1, 2, 4)), first, known)
        usd = field.systems.select("variant", "disaggregated", usd=pl.Series(field.usd_per_hour * copies_of(field)))
        best = (
            usd.group_by("variant", "disaggregated")
            .agg(pl.col("usd").min())
            .pivot("disaggregated", index="variant", values="usd")
        )
        table = (
            part.with_row_index("variant")
            .with_columns(pl.col("variant").cast(pl.Int64))
            .join(best, on="variant")
            .with_columns(
                ours=pl.col("false") / pl.col("true"),
                theirs=pl.col("disaggregated_tokens_per_s_per_gpu") / pl.col("aggregated_tokens_per_s_per_gpu"),
            )
        )
        clear = table.filter((pl.col("ours").log().abs() > np.log(CLEAR)) & (pl.col("theirs").log().abs() > np.log(CLEAR)))
        agreeing = clear.select(((pl.col("ours") > 1) == (pl.col("theirs") > 1)).sum()).item()
        every = table.select(((pl.col("ours") > 1) == (pl.col("theirs") > 1)).sum()).item()
        rows.append(
            {
                "gpu": gpu,
                "model": model,
                "contracts": table.height,
                "agree": every,
                "clear": clear.height,
                "agree_clear": agreeing,
            }
        )
    return pl.DataFrame(rows)


if __name__ == "__main__":
    main()
