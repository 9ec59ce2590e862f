"""Shipped capability figures followed back to their documents, and all figures as one table by canonical model."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from schemas.base import empty
from schemas.prices.capability import Capability, CapabilitySeed, EpochBenchmark, EpochEci, RouterIndex
from sources.prices import epoch
from sources.prices.capability_seed import SCALE_OF_BENCHMARK, SOURCE, by_model, parse_scores
from sources.prices.model_map import models, resolve
from sources.source import Seed, Snapshot, Source, content_hash

QUALITY = Path(__file__).resolve().parents[3] / "shared" / "data" / "pricing" / "quality"


def floor(source: Source) -> Snapshot:
    seed = source.floor[0]
    assert isinstance(seed, Seed)
    body = seed.path.read_bytes()
    now = datetime(2026, 11, 20, tzinfo=UTC)
    return Snapshot(source.name, body, content_hash(body), "seed", "file", now, seed.as_of)


SEED = parse_scores(floor(SOURCE)).accepted
INDEX = epoch.parse_eci(floor(epoch.SOURCE)).accepted
NO_INDICES = empty(RouterIndex)
NO_RUNS = epoch.parse_benchmarks(floor(epoch.SOURCE)).accepted


def test_seed_satisfies_its_contract() -> None:
    CapabilitySeed.validate(SEED)
    assert SEED.height >= 300
    assert set(SEED["model"]) <= set(models().filter(~pl.col("rolling"))["model"])
    percent = SEED.filter(~pl.col("scale").is_in(["lmarena_elo", "aa_intelligence"]) & ~pl.col("scale").str.starts_with("metr"))
    assert percent["score"].is_between(0, 100).all()


def test_names_in_the_seed_that_the_map_knows_mean_the_same_model() -> None:
    ids = SEED.select(source=pl.lit("document"), source_provider=pl.lit(""), source_model="source_model", ours="model")
    known = resolve(ids, listed=False).filter(pl.col("model").is_not_null() & (pl.col("model") != pl.col("ours")))
    # the timeline rates the checkpoint of May 2024 under the undated name
    assert set(known.select("source_model", "ours").rows()) == {("gpt-4o", "gpt-4o-2024-05-13")}


@pytest.mark.published
def test_benchmark_figures_follow_epochs_price_data() -> None:
    columns = {
        "mmlu": "MMLU",
        "gpqa_diamond": "GPQA Diamond",
        "human_eval": "HumanEval",
        "math_500": "MATH-500",
        "math_level_5": "MATH 5",
        "lmarena_elo": "LMSys Chatbot Arena ELO",
    }
    rows = SEED.filter(pl.col("scale").is_in(list(columns)))
    tables = {name: pl.read_csv(QUALITY / name) for name in rows["locator"].str.split(",").list.first().unique()}
    for row in rows.to_dicts():
        table = tables[row["locator"].split(",")[0]]
        figures = table.filter(pl.col("Model Name") == row["source_model"])[columns[row["scale"]]].drop_nulls().unique()
        assert figures.to_list() == [row["score"]]
    assert rows.height > 250


@pytest.mark.published
def test_index_and_horizons_follow_the_timeline() -> None:
    table = pl.read_csv(QUALITY / "frontier_vs_entry_timeline.csv")
    timeline = {row["model"]: row for row in table.to_dicts()}
    columns = {
        "aa_intelligence": "aa_intel",
        "metr_horizon_p50_min": "metr_horizon_min_p50",
        "metr_horizon_p80_min": "metr_horizon_min_p80",
    }
    rows = SEED.filter(pl.col("scale").is_in(list(columns)))
    for row in rows.to_dicts():
        entry = timeline[row["source_model"]]
        assert entry[columns[row["scale"]]] == row["score"]
        if row["scale"] == "aa_intelligence":
            assert entry["aa_version"].removeprefix("≤") == str(row["as_of"])
            assert ("on or before" in (row["note"] or "")) == entry["aa_version"].startswith("≤")
    sold = table.filter(pl.col("model") != "claude-mythos-preview-early")
    assert rows.height == sum(sold[column].count() for column in columns.values())


def test_all_figures_by_model() -> None:
    figures = by_model(INDEX, NO_RUNS, NO_INDICES, SEED)
    Capability.validate(figures)
    gpt5 = figures.filter((pl.col("model") == "gpt-5") & (pl.col("scale") == "eci"))
    assert gpt5.select("score", "as_of", "release_date", "basis").rows() == [
        (150.0, date(2026, 2, 8), date(2025, 8, 7), "publisher")
    ]
    sonnet = figures.filter((pl.col("model") == "claude-3.5-sonnet") & (pl.col("scale") == "eci"))
    assert sonnet["source_model"].to_list() == ["Claude 3.5 Sonnet", "Claude 3.5 Sonnet (October 2024)"]
    assert set(figures["scale"]) == set(SEED["scale"]) | {"eci"}
    assert figures.filter(pl.col("model").is_in(models().filter("rolling")["model"].implode())).is_empty()


def run(model: str, group: str | None, percent: float | None, row: int, benchmark: str = "GPQA diamond") -> dict[str, object]:
    return {
        "source": "epoch",
        "benchmark": benchmark,
        "source_file": "x.csv",
        "row": row,
        "source_model": model,
        "model_group": group,
        "score_column": "s",
        "score": 0.5,
        "score_percent": percent,
        "standard_error": None,
        "release_date": date(2025, 8, 7),
        "organization": None,
        "as_of": date(2026, 10, 8),
    }


def test_of_several_runs_the_best_counts() -> None:
    schema = NO_RUNS.schema
    runs = pl.DataFrame(
        [
            run("gpt-5-2025-08-07_low", "GPT-5", 70.0, 1),
            run("gpt-5-2025-08-07_high", "GPT-5", 86.0, 2),
            run("o3-2025-04-16_medium", None, 80.0, 3),
            run("o3-2025-04-16_high", None, None, 4),  # no stated scale, so no percent
            run("some-research-model", None, 10.0, 5),
            run("gpt-5-2025-08-07_high", "GPT-5", 12.0, 6, benchmark="Vending-Bench 2"),
        ],
        schema=schema,
    )
    EpochBenchmark.validate(runs)
    figures = by_model(INDEX.clear(), runs, NO_INDICES, SEED.clear())
    assert figures.select("model", "scale", "score", "source_model").rows() == [
        ("gpt-5", "gpqa_diamond", 86.0, "GPT-5"),
        ("o3", "gpqa_diamond", 80.0, "o3-2025-04-16_medium"),
    ]
    assert set(SCALE_OF_BENCHMARK.values()) <= set(SEED["scale"])


def test_empty_tables_give_an_empty_table() -> None:
    assert by_model(INDEX.clear(), NO_RUNS, NO_INDICES, SEED.clear()).is_empty()
    assert EpochEci.validate(INDEX.clear()).is_empty()
