"""Tables kept by partition: any range is one run, and the days agree with the months and with the surface."""

import math
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

import assets
from assets.prices.daily_price import DAYS
from assets.serving.break_even_sweep import GPU_MODELS, finer
from assets.serving.pairs import AXES, GPUS, MODELS
from pipelines.definitions import definitions
from pipelines.refresh import QUIET
from pipelines.resources import instance, resources
from schemas.base import Table, polars_schema
from schemas.prices.daily_price import DailyPrice
from schemas.prices.frontier import MonthlyPrice
from schemas.serving.break_even_sweep import BreakEvenSweep
from schemas.serving.surface import SETTINGS, BreakEvenSurface
from tests.refreshed import ROOT
from warehouse.partitioned import partition_path
from warehouse.store import read_table, table_path, write_frame
from warehouse.table import asset_key

DAYS_KEY = asset_key(DailyPrice)


@pytest.fixture
def folder(refreshed: Path, tmp_path: Path) -> Path:
    """The refreshed tables in a folder that is free to be changed."""
    shutil.copytree(refreshed / "tables", tmp_path / "data" / "tables")
    return tmp_path / "data"


def backfill(folder: Path, schema: type[Table], first: str, last: str, **more: bool) -> dg.ExecuteInProcessResult:
    """One run over a range of partitions, as the daemon starts it for a backfill."""
    return dg.materialize(
        dg.load_assets_from_package_module(assets),
        selection=[asset_key(schema)],
        resources=resources(folder),
        run_config=QUIET,
        tags={"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last},
        **more,  # type: ignore[arg-type]
    )


def stored(folder: Path, schema: type[Table]) -> pl.DataFrame:
    """All partitions together."""
    name = schema.Config.name.split(".")[1]  # type: ignore[attr-defined]
    return pl.read_parquet(folder / "partitions" / name / "**" / "*.parquet")


def held_on_month_ends(folder: Path, first: date, last: date) -> pl.DataFrame:
    months = read_table(folder / "tables", MonthlyPrice)
    assert months is not None
    return months.filter(pl.col("as_of").is_between(first, last)).sort("as_of", "model", "provider")


def agrees_with_months(folder: Path, first: date, last: date) -> None:
    months, days = held_on_month_ends(folder, first, last), stored(folder, DailyPrice)
    assert months.height
    on_ends = days.filter(pl.col("as_of").is_in(months["as_of"].unique().implode()))
    assert on_ends.sort("as_of", "model", "provider").equals(months)


def test_a_range_of_days_is_one_run_that_agrees_with_the_months(folder: Path):
    result = backfill(folder, DailyPrice, "2026-08-28", "2026-10-02")
    events = result.get_asset_materialization_events()
    assert len(events) == 36  # one for each day, so that each is green in the calendar
    assert {event.partition for event in events} == set(
        DAYS.get_partition_keys_in_range(dg.PartitionKeyRange("2026-08-28", "2026-10-02"))
    )
    assert len(list((folder / "partitions" / "daily_price").iterdir())) == 36
    agrees_with_months(folder, date(2026, 8, 28), date(2026, 10, 2))


def test_a_day_again_replaces_its_file_alone(folder: Path):
    backfill(folder, DailyPrice, "2026-08-30", "2026-09-01")
    paths = [partition_path(folder, DailyPrice, (f"2026-{day}",)) for day in ("08-30", "08-31", "09-01")]
    before = [path.stat().st_ino for path in paths]
    backfill(folder, DailyPrice, "2026-08-31", "2026-08-31")
    assert [path.stat().st_ino == old for path, old in zip(paths, before, strict=True)] == [True, False, True]


def test_a_day_that_breaks_the_contract_fails_the_run_and_those_before_it_stay(folder: Path):
    from schemas.prices.llm_prices import LlmPrice

    prices = read_table(folder / "tables", LlmPrice)
    assert prices is not None
    wrong = pl.when(pl.coalesce("valid_from", pl.col("observed_at").dt.date()) >= date(2026, 7, 1))
    slipped = prices.with_columns(usd_per_mtok=wrong.then(0.0).otherwise("usd_per_mtok"))
    write_frame(table_path(folder / "tables", LlmPrice), slipped)
    first_wrong = slipped.filter(pl.col("usd_per_mtok") == 0)
    assert first_wrong.height
    result = backfill(folder, DailyPrice, "2026-06-28", "2026-11-20", raise_on_error=False)
    assert not result.success
    kept = stored(folder, DailyPrice)
    assert kept["as_of"].min() == date(2026, 6, 28)
    assert kept["as_of"].max() < date(2026, 11, 20)
    assert kept["input_usd_per_mtok"].min() > 0


def test_a_sweep_contains_the_surface_and_has_a_file_for_each_gpu_and_model(folder: Path):
    keys = GPU_MODELS.get_partition_keys()
    assert len(keys) == len(GPUS) * len(MODELS)
    backfill(folder, BreakEvenSweep, "h100-sxm|llama-3.1-8b", "h200-sxm|llama-2-13b")  # both dimensions run from first to last
    built = {(path.parent.name, path.stem) for path in (folder / "partitions" / "break_even_sweep").glob("*/*.parquet")}
    assert built == {(gpu, model) for gpu in ("h100-sxm", "h200-sxm") for model in ("llama-3.1-8b", "llama-2-13b")}
    surface = read_table(folder / "tables", BreakEvenSurface)
    assert surface is not None
    path = partition_path(folder, BreakEvenSweep, ("h100-sxm", "llama-3.1-8b"))
    sweep = pl.read_parquet(path)
    assert sweep.height == len(SETTINGS) * math.prod(len(values) for values in finer(AXES).values())
    coarse = surface.filter(gpu="h100-sxm", model="llama-3.1-8b")
    shared = sweep.join(coarse.select("setting", *AXES), on=["setting", *AXES], how="semi")
    order = ["setting", *AXES]
    assert shared.height == coarse.height
    assert shared.sort(order).equals(coarse.sort(order).select(list(polars_schema(BreakEvenSweep))))


def test_no_refresh_computes_partitions():
    for name in ("refresh", "refresh_llm_prices", "refresh_gpu_rents", "publish"):
        job = definitions().resolve_job_def(name)
        assert job.partitions_def is None
        assert not {key for key in job.asset_layer.selected_asset_keys if key.path[0] == "partitions"}


@pytest.mark.slow
def test_a_thousand_days_are_one_run_of_dagsters_own_command(refreshed: Path, tmp_path: Path):
    folder = Path(shutil.copytree(refreshed, tmp_path / "data", symlinks=True))
    command = [
        sys.executable,
        "-m",
        "dagster",
        "asset",
        "materialize",
        "-m",
        "pipelines.definitions",
        "--select",
        "key:partitions/daily_price",
        "--partition-range",
        "2024-01-01...2026-10-31",
    ]
    environment = os.environ | {"ECONOMICS_DATA": str(folder), "DAGSTER_HOME": str(folder / "dagster")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    with instance(folder) as dagster:
        assert len(dagster.get_materialized_partitions(DAYS_KEY)) == 1035
    assert stored(folder, DailyPrice)["as_of"].n_unique() > 1000
    agrees_with_months(folder, date(2024, 1, 1), date(2026, 10, 31))
