"""Bad disks, bad clocks, killed runs: what each does to a refresh, and that the next one puts it right."""

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl
import pytest

from pipelines import refresh as product
from pipelines.notify import failures
from pipelines.records import COMMAND_TAG, DATABASES, UNFINISHED
from pipelines.refresh import Outcome
from pipelines.resources import instance
from schemas.evidence.provenance import Refresh
from schemas.prices.capability import Capability
from schemas.prices.llm_prices import RAW_PRICES, LlmPrice, LlmPriceCurrent
from sources.prices.openrouter import SOURCE
from tests.attacks.kills import Kept
from tests.light_jobs import light_definitions
from tests.live_server import HERE, LiveServer, document, reset, status
from tests.pipelines.test_refresh import PATH, Day, day, folder, models, prices_of, rows, rules_of
from tests.refreshed import built_at, iecon
from warehouse.folder import NoRoomError
from warehouse.recovery import damaged_files, last_good, last_rejected, opens, sweep
from warehouse.resources import NOW_TAG
from warehouse.store import rejected_path, table_path, write_frame

__all__ = ["day", "folder"]  # fixtures
KILLED = "c0ffee00-0000-4000-8000-000000000000"


light = cache(light_definitions)


def run(folder: Path, job: str = "publish", **options: Any) -> Outcome:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(product, "definitions", light)
        return product.refresh(folder, **{"job": job, "offline": True, "on_step": lambda *_: None} | options)


@pytest.fixture(scope="module")
def hurt(refreshed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which everything that can be damaged is, all at once, and a run that was killed."""
    folder = Path(shutil.copytree(refreshed, tmp_path_factory.mktemp("hurt") / "data", symlinks=True))
    run(folder)  # a second release, so that one is left when the published one is damaged
    for name in ("core/llm_price", "meta/refresh", "marts/price_frontier"):
        file = folder / "tables" / f"{name}.parquet"
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    rejected_path(folder / "rejected", LlmPrice).write_bytes(b"PAR1 no more")
    (folder / "releases" / "latest.duckdb").resolve().write_bytes(b"not a database" * 10_000)
    with instance(folder) as dagster:
        job = dg.GraphDefinition("killed").to_job()
        dagster.create_run_for_job(job, run_id=KILLED, status=dg.DagsterRunStatus.STARTED, tags={COMMAND_TAG: "x"})
    for left in ("tables/core/.llm_price.0.tmp", "bronze/litellm/.0.tmp", "releases/x.building", "releases/.x.link"):
        (folder / left).parent.mkdir(exist_ok=True)
        (folder / left).write_bytes(b"half")
    return folder


@pytest.fixture(scope="module")
def healed(hurt: Path) -> tuple[Path, Outcome]:
    """That folder after the next refresh, and its outcome."""
    return hurt, run(hurt)


def test_next_refresh_after_damage_succeeds_and_says_in_one_line_each_what_was_wrong(healed: tuple[Path, Outcome]):
    folder, outcome = healed
    assert outcome.success
    told = "\n".join(outcome.notes)
    assert f"run {KILLED[:8]} (killed)" in told
    for name in (
        "tables.core.llm_price",
        "tables.meta.refresh",
        "tables.marts.price_frontier",
        "rejected.core.llm_price",
    ):
        assert f"{name}.parquet" in told
    assert all("\n" not in note for note in outcome.notes)
    assert len(damaged_files(folder)) == 5


def test_damaged_tables_come_back_as_they_were_published(healed: tuple[Path, Outcome], refreshed: Path):
    folder, _ = healed
    assert rows(folder, LlmPrice).equals(rows(refreshed, LlmPrice))
    before, after = rows(refreshed, Refresh), rows(folder, Refresh)
    assert before.join(after, on=["run_id", "asset"], how="anti").is_empty()
    assert not after.select("run_id", "asset").is_duplicated().any()


def test_published_file_opens_and_crashes_leave_nothing(healed: tuple[Path, Outcome]):
    folder, _ = healed
    assert opens(folder / "releases" / "latest.duckdb")
    assert list(folder.rglob(".*.tmp")) + list((folder / "releases").glob("*.building")) == []
    with instance(folder) as dagster:
        assert [each for each in dagster.get_runs() if each.status in UNFINISHED] == []
        assert dagster.get_run_by_id(KILLED).status == dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]


@pytest.mark.slow
def test_tables_without_any_release_are_made_from_the_stored_documents(folder: Path):
    """What no release holds any more, raw tables and history alike, the next refresh reads from the documents again."""
    before = {schema: rows(folder, schema) for schema in (RAW_PRICES["openrouter"], LlmPriceCurrent, LlmPrice)}
    for schema in before:
        table_path(folder / "tables", schema).write_bytes(b"half")
    now = built_at(folder)
    shutil.rmtree(folder / "releases")
    outcome = run(folder, "refresh_llm_prices", tags={NOW_TAG: now.isoformat()})
    assert outcome.success
    assert any("core.llm_price.parquet" in name for name in damaged_files(folder))  # the others are written anew unread
    for schema, frame in before.items():
        built = rows(folder, schema)
        assert built.drop("observed_at", strict=False).equals(frame.drop("observed_at", strict=False)), schema


@pytest.mark.parametrize("damage", [b"", b"<html>", "half", "zeros"], ids=["empty", "text", "half", "zeros"])
def test_table_that_cannot_be_read_is_set_aside_whatever_its_damage(refreshed: Path, tmp_path: Path, damage: bytes | str):
    path = table_path(tmp_path / "tables", Capability)
    write_frame(path, rows(refreshed, Capability))
    (tmp_path / "releases").symlink_to(refreshed / "releases")
    whole = path.read_bytes()
    bad = {"half": whole[: len(whole) // 2], "zeros": whole[:-4096] + bytes(4096)}
    path.write_bytes(damage if isinstance(damage, bytes) else bad[damage])
    found = last_good(tmp_path / "tables", Capability)
    assert found is not None
    assert found.equals(rows(refreshed, Capability))
    assert len(damaged_files(tmp_path)) == 1


def test_damaged_table_that_was_never_published_counts_as_not_built(tmp_path: Path):
    path = table_path(tmp_path / "tables", Capability)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    assert last_good(tmp_path / "tables", Capability) is None
    assert last_rejected(tmp_path / "rejected", Capability) is None


def test_file_that_a_living_process_writes_is_not_swept_away(tmp_path: Path):
    import fcntl

    (tmp_path / "tables" / "core").mkdir(parents=True)
    (tmp_path / "releases").mkdir()
    building = tmp_path / "releases" / "20260101T000000Z-crashed.building"
    building.write_bytes(b"half")
    held, left = (tmp_path / "tables" / "core" / f".{name}.tmp" for name in ("held", "left"))
    left.write_bytes(b"half")
    with held.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        sweep(tmp_path)
        assert (held.exists(), left.exists(), building.exists()) == (True, False, False)


@pytest.mark.slow
@pytest.mark.parametrize(("database", "damage"), [*zip(DATABASES, ["text", "middle", "text"], strict=True)])
def test_damaged_record_of_dagster_is_set_aside_and_the_refresh_succeeds(folder: Path, database: str, damage: str):
    path = folder / "dagster" / database
    whole = path.read_bytes()
    path.write_bytes(b"no database" * 1000 if damage == "text" else whole[:5000] + b"\xff" * 30_000 + whole[35_000:])
    kept, outcome = Kept(folder), run(folder)
    assert outcome.success
    assert any(path.name in note for note in outcome.notes)
    kept.check()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)


def test_damaged_published_file_is_told_in_one_line_by_a_query(folder: Path):
    (folder / "releases" / "latest.duckdb").resolve().write_bytes(b"not a database" * 1000)
    done = iecon(folder, "query", "FROM meta.release")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "`iecon refresh` sets it aside and publishes a new one" in done.stderr


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 MB of its own."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    mounted = tmp_path / "disk"
    mounted.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", mounted], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield mounted
    finally:
        subprocess.run(["umount", "-l", mounted], check=True)


def fill(folder: Path, *, leave_bytes: int = 0) -> Path:
    """Fill the disk of a folder up to so many bytes."""
    filler = folder.parent / "filler"
    with filler.open("wb", buffering=0) as file:
        left = shutil.disk_usage(folder).free - leave_bytes
        os.posix_fallocate(file.fileno(), 0, left)
    return filler


@pytest.mark.slow
def test_disk_nearly_full_refuses_before_anything_changes(refreshed: Path, disk: Path):
    folder = Path(shutil.copytree(refreshed, disk / "data", symlinks=True))
    fill(folder, leave_bytes=5_000_000)
    done = iecon(folder, "refresh", "--offline")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith(f"error: the disk of {folder} has 5 MB free, and a refresh needs")
    assert opens(folder / "releases" / "latest.duckdb")


@pytest.mark.slow
@pytest.mark.parametrize("step", [pytest.param("meta.snapshot", marks=pytest.mark.slow), "release.latest"])
def test_disk_that_fills_half_way_loses_nothing_and_the_next_refresh_succeeds(refreshed: Path, disk: Path, step: str):
    folder = Path(shutil.copytree(refreshed, disk / "data", symlinks=True))
    kept, fillers = Kept(folder), []

    def on_step(asset: str, stage: str) -> None:
        if (asset, stage) == (step, "start"):
            fillers.append(fill(folder))

    with pytest.raises(NoRoomError, match=r"^the disk of .* is full; the last published warehouse stays$"):
        run(folder, on_step=on_step)
    assert fillers
    kept.check()
    fillers[0].unlink()
    assert run(folder).success
    kept.check()
    kept.check_tidy()


@pytest.mark.slow
def test_folder_that_cannot_be_written_is_one_line_and_can_still_be_asked(refreshed: Path, disk: Path):
    folder = Path(shutil.copytree(refreshed, disk / "data", symlinks=True))
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    done = iecon(folder, "refresh", "--offline")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (1, 1)
    assert f"the data folder {folder} cannot be written" in done.stderr
    assert iecon(folder, "query", "FROM meta.release").returncode == 0
    assert "no refresh can run" in iecon(folder, "doctor").stdout


@pytest.mark.slow
def test_clock_that_jumps_back_neither_loses_nor_doubles_a_price(folder: Path, day: Day):
    for number in (8, 9, 10):
        day(number, document(models(a="0.000003", b=f"0.0000{number:02}")))
    before = rows(folder, LlmPrice)
    day(2, document(models(a="0.000004", b="0.000010")))
    assert rules_of(folder, "a") == {"older_than_known"}
    assert rows(folder, LlmPrice).equals(before)
    day(11, document(models(a="0.000004")))
    assert prices_of(folder, "a") == [(3.0, False), (4.0, True)]
    assert (
        not rows(folder, LlmPriceCurrent)
        .select(["provider", "model", "leg", "tier_min_tokens", "variant", "price_window"])
        .is_duplicated()
        .any()
    )


@pytest.mark.slow
def test_stored_body_that_is_gone_costs_no_price_and_is_fetched_again(folder: Path, day: Day, live_server: LiveServer):
    day(0, document(models(a="0.000003"), etag='"1"'))
    before = rows(folder, LlmPrice).filter(pl.col("source") == "openrouter")
    for body in (folder / "bronze" / SOURCE.name).glob("*.zst"):
        body.unlink()
    assert day(1, status(503)) == "seed"
    after = rows(folder, LlmPrice).filter(pl.col("source") == "openrouter")
    assert after.drop("missing_since").equals(before.drop("missing_since"))
    assert day(2, document(models(a="0.000003"), etag='"1"')) == "http"
    assert "If-None-Match" not in live_server.seen(PATH)[-1].headers
    assert prices_of(folder, "a") == [(3.0, True)]


@pytest.mark.slow
def test_network_lost_half_way_leaves_each_source_its_best_document(folder: Path, live_server: LiveServer):
    urls = dict.fromkeys(["openrouter", "models_dev"], live_server.url)
    mirrors = {"urls": urls, "private_hosts": [*HERE], "disabled": ["genai_prices", "litellm"]}
    (folder / "config.yaml").write_text(json.dumps(mirrors))
    kept = Kept(folder)
    live_server.serve(PATH, document(models(a="0.000003")), reset())
    outcomes = [run(folder, "refresh_llm_prices", offline=False) for _ in range(2)]
    served = [dict(each.steps.select("asset", "served_from").iter_rows())["source.openrouter"] for each in outcomes]
    assert ([each.success for each in outcomes], served) == ([True, True], ["http", "bronze"])
    assert rows(folder, RAW_PRICES["openrouter"]).height == 402
    others = pl.col("source") != "openrouter"
    before = kept.tables[LlmPrice]
    assert before is not None
    assert rows(folder, LlmPrice).filter(others).equals(before.filter(others))


@pytest.mark.slow
def test_failure_is_written_down_and_shown_by_doctor(folder: Path):
    write_frame(table_path(folder / "tables", Refresh), pl.DataFrame({"run_id": ["x"]}))
    outcome = run(folder)
    assert not outcome.success
    assert "meta.refresh" in failures(folder)[-1].text
    assert "last failure" in iecon(folder, "doctor").stdout
    with duckdb.connect(str(folder / "releases" / "latest.duckdb"), read_only=True) as connection:
        assert connection.sql("SELECT count(*) > 0 FROM core.llm_price").fetchall() == [(True,)]
