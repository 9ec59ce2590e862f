"""A month of schedule ticks, fast-forwarded, with nobody looking: a server's prices, shapes and failures change day by day."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator
from rich.console import Console

import assets
from pipelines import refresh as product
from pipelines.definitions import definitions
from pipelines.doctor import show_disk
from pipelines.refresh import QUIET
from pipelines.resources import instance, resources
from pipelines.schedules import CRON
from schemas.prices.llm_prices import LlmPrice
from sources.publishers import CATALOGUE
from sources.source import content_hash
from sources.transports import bronze
from tests.light_jobs import PUBLISHING, light_definitions
from tests.live_server import HERE, LiveServer, Reply, document, html, status
from tests.pipelines.test_refresh import FIRST_DAY, PATH, STEPS, folder, models, rows
from warehouse.history import holding_on
from warehouse.recovery import DAMAGED
from warehouse.resources import NOW_TAG, read_settings
from warehouse.store import table_path

__all__ = ["folder"]  # a fixture
FIRST, DAYS = FIRST_DAY.replace(hour=0), 30
PRICES_AND_RELEASE = "prices_and_release"
OUTAGE = (20, 21, 22)
PRICES = [8.0, 6.0, 5.0, 3.0, 2.0, 1.5]
"""What route `a` costs, five days each, in USD per million tokens."""


def price_on(day: int) -> float:
    return PRICES[min(day // 5, len(PRICES) - 1)]


def body(day: int) -> bytes:
    return models(a=f"{price_on(day) / 1e6:.7f}")


def answer(day: int, hour: int) -> tuple[Reply, bytes | None]:
    """What the publisher says at a tick, and the document where it is one that can be believed."""
    good = body(day)
    named = json.loads(good)
    more = [route | {"new_field": {"deep": [1]}} for route in named["data"]]
    widened = json.dumps({"data": more, "version": 2}).encode()
    odd: dict[tuple[int, int], tuple[Reply, bytes | None]] = {
        (1, 6): (html(), None),
        (2, 12): (document(good[: len(good) // 2]), None),
        (3, 0): (document(json.dumps(named["data"]).encode()), None),  # another shape: a bare list
        (4, 18): (document(models(a=f"{1000 * price_on(day) / 1e6:.4f}")), None),  # a unit slip
        (5, 6): (document(json.dumps({"data": named["data"][:20]}).encode()), None),  # most rows are gone
        (6, 12): (document(widened), widened),  # fields that nobody knew
    }
    if day in OUTAGE:
        return status(503), None
    return odd.get((day % 7, hour), (document(good, etag=f'"{day // 5}"'), good))


def ticks() -> list[tuple[datetime, str]]:
    """Every tick of every schedule of the month in order, with the job that the schedule itself asks for."""
    end, found = (FIRST + timedelta(days=DAYS)).timestamp(), []
    for name in CRON:
        schedule = definitions().resolve_schedule_def(f"{name}_schedule")
        for at in schedule_execution_time_iterator(FIRST.timestamp(), str(schedule.cron_schedule), "UTC"):
            if at.timestamp() >= end:
                break
            asked = schedule.evaluate_tick(dg.build_schedule_context(scheduled_execution_time=at))
            assert asked.run_requests
            found.append((at.astimezone(UTC), schedule.job_name))
    return sorted(found)


def take_prices_only(folder: Path, at: datetime) -> None:
    """The steps of a price refresh that touch history, without the marts and the release."""
    with instance(folder) as dagster:
        done = dg.materialize(
            dg.load_assets_from_package_module(assets),
            selection=STEPS,
            resources=resources(folder),
            instance=dagster,
            run_config=QUIET,
            tags={NOW_TAG: at.isoformat()},
        )
        assert done.success


@dataclass
class Month:
    """What was served and seen in a month; `expected` are the prices of route `a` with the day they came."""

    served: set[bytes] = field(default_factory=set)
    expected: list[tuple[date, float]] = field(default_factory=list)
    record_bytes: dict[int, int] = field(default_factory=dict)
    stale_days: set[int] = field(default_factory=set)
    asked: int = 0


def live_through(folder: Path, live_server: LiveServer) -> Month:
    """Run every tick of the month, with one table damaged in the middle and a user's shell open all the time."""
    month = Month()
    shell = duckdb.connect(str((folder / "releases" / "latest.duckdb").resolve()), read_only=True)
    question = "SELECT count(*), sum(usd_per_mtok) FROM core.llm_price"
    seen_by_shell = shell.sql(question).fetchall()
    for at, job in ticks():
        day = (at - FIRST).days
        if job == "refresh_llm_prices":
            reply, believed = answer(day, at.hour)
            live_server.serve(PATH, reply)
            month.asked += 1
            if believed is not None:
                month.served.add(believed)
                if not month.expected or month.expected[-1][1] != price_on(day):
                    month.expected.append((at.date(), price_on(day)))
            if at.hour:
                take_prices_only(folder, at)
                continue
            if day == 15:
                damaged = table_path(folder / "tables", LlmPrice)
                damaged.write_bytes(damaged.read_bytes()[:1000])
        elif day % 10:
            continue  # nothing of theirs changes; three whole days are enough
        chosen = job if day % 10 == 0 else PRICES_AND_RELEASE
        outcome = product.refresh(folder, job=chosen, offline=False, on_step=lambda *_: None, tags={NOW_TAG: at.isoformat()})
        failed = outcome.steps.filter(pl.col("outcome") == "failed").select("asset", "warnings").rows()
        assert outcome.success, f"{job} of {at}: {failed}"
        warnings = dict(outcome.steps.select("asset", "warnings").iter_rows())
        if "stale:" in (warnings.get("source.openrouter") or ""):
            month.stale_days.add(day)
        assert shell.sql(question).fetchall() == seen_by_shell
        month.record_bytes[day] = sum(file.stat().st_size for file in (folder / "dagster").rglob("*") if file.is_file())
    return month


@pytest.mark.soak
def test_month_without_anybody_looking(folder: Path, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch):
    prices = dg.AssetSelection.assets(*(dg.AssetKey(step.split("/")) for step in STEPS))
    light = light_definitions(dg.define_asset_job(PRICES_AND_RELEASE, selection=prices | PUBLISHING))
    monkeypatch.setattr(product, "definitions", lambda: light)
    quiet = [name for name in CATALOGUE if name != "openrouter"]
    (folder / "config.yaml").write_text(
        json.dumps({"urls": {"openrouter": live_server.url}, "private_hosts": [*HERE], "disabled": quiet})
    )
    month = live_through(folder, live_server)
    assert month.asked == 4 * DAYS
    assert month.stale_days
    assert month.stale_days <= {22, 23}  # two days are promised, and the outage lasts three
    check_history(folder, month)
    check_disk(folder, month)


def check_history(folder: Path, month: Month) -> None:
    """Each price of the route began on the day it was first seen, any past day can be rebuilt, no row is doubled."""
    history = rows(folder, LlmPrice)
    own = history.filter(pl.col("source_model") == "acme/a", pl.col("leg") == "input").sort("valid_from")
    assert own.select("valid_from", "usd_per_mtok").rows() == month.expected
    assert own["valid_to"].to_list() == [*[day for day, _ in month.expected[1:]], None]
    for number in range(DAYS):
        past = (FIRST + timedelta(days=number)).date()
        known = [usd for since, usd in month.expected if since <= past]
        assert holding_on(own, past)["usd_per_mtok"].to_list() == known[-1:]
    assert not history.select(LlmPrice.to_schema().unique).is_duplicated().any()


def check_disk(folder: Path, month: Month) -> None:
    """Each document is kept once; releases and run records are bounded by the settings; the damaged file is still there."""
    settings = read_settings(folder / "config.yaml")
    log = bronze.attempts(folder / "bronze", "openrouter")
    believed = {each.sha256 for each in log if each.transport == "http" and each.outcome in bronze.SERVED}
    bodies = {path.stem for path in (folder / "bronze" / "openrouter").glob("*.zst")}
    named = {each.sha256 for each in log if each.sha256}
    assert {content_hash(body) for body in month.served} <= believed
    assert bodies == named
    assert len([each for each in log if each.transport == "http" and each.checked_at >= FIRST]) == month.asked
    assert len(list((folder / "releases").glob("*Z-*.duckdb"))) == settings.keep_releases
    with instance(folder) as dagster:
        began = [datetime.fromisoformat(run.tags[NOW_TAG]) for run in dagster.get_runs() if NOW_TAG in run.tags]
    horizon = FIRST + timedelta(days=DAYS - 1 - settings.keep_run_days)
    assert len([at for at in began if at < horizon]) <= len(CRON)  # those of each asset's latest materialisation
    assert month.record_bytes[DAYS - 1] < 1.25 * month.record_bytes[20]
    assert len(list((folder / DAMAGED).iterdir())) == 1
    console = Console(width=160)
    show_disk(folder, settings, now=datetime.now(UTC), console=console)
    console.print(f"{month.asked} price ticks, {len(began)} runs recorded, run records in bytes by day {month.record_bytes}")
