"""Who is told, and once each: of killed runs, of sources that give nothing, of late refreshes; and Ctrl-C is no failure."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.interrupt import STOPPED
from pipelines.notify import HEARTBEAT_VARIABLE, failures, pulse
from pipelines.outages import OUTAGE, outage, tell_lateness, tell_outages
from pipelines.records import COMMAND_TAG, close_dead_runs
from pipelines.resources import instance, resources
from pipelines.sensors import housekeeping, tell_success
from sources.prices.openrouter import SOURCE
from sources.transports import bronze
from sources.transports.bronze import Attempt
from tests.live_server import LiveServer, status
from tests.refreshed import ROOT
from warehouse.folder import require_room

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)


def attempt(outcome: bronze.Outcome, day: float) -> Attempt:
    return Attempt(
        source=SOURCE.name,
        checked_at=AT + timedelta(days=day),
        rung="x",
        transport="http",
        uri="x",
        outcome=outcome,
        error="status 503" if outcome == "failed" else None,
    )


def test_source_that_gave_nothing_for_a_week_is_an_outage_and_less_is_none():
    week = [attempt("new", -1), *(attempt("failed", day) for day in range(8))]
    found = outage(SOURCE, week, now=AT + OUTAGE)
    assert found is not None
    assert (found.since, found.last_error) == (AT, "status 503")
    assert outage(SOURCE, week, now=AT + OUTAGE - timedelta(seconds=1)) is None
    assert outage(SOURCE, [*week, attempt("not_modified", 8)], now=AT + timedelta(days=30)) is None
    assert outage(SOURCE, [*week, attempt("skipped", 8)], now=AT + OUTAGE) == found
    assert outage(SOURCE, [], now=AT) is None


def test_outage_is_told_once_and_again_when_there_is_another(tmp_path: Path, live_server: LiveServer):
    url = live_server.serve("/hook", status(200))
    (tmp_path / "config.yaml").write_text(json.dumps({"webhook": url}))
    for day in range(9):
        bronze.append(tmp_path / "bronze", attempt("failed", day))
    for day in (8, 9, 10):
        tell_outages(tmp_path, now=AT + timedelta(days=day))
    (posted,) = live_server.seen("/hook")
    said = json.loads(posted.body)["text"]
    assert said == "iecon: source openrouter failed: every try since 2026-12-01 failed, the last with: status 503"
    bronze.append(tmp_path / "bronze", attempt("new", 11))
    for day in range(12, 20):
        bronze.append(tmp_path / "bronze", attempt("unreadable", day))
    assert len(tell_outages(tmp_path, now=AT + timedelta(days=20))) == 1
    assert len(failures(tmp_path)) == 2


def test_source_that_is_disabled_is_no_outage(tmp_path: Path):
    (tmp_path / "config.yaml").write_text("disabled: [openrouter]\n")
    bronze.append(tmp_path / "bronze", attempt("failed", 0))
    assert tell_outages(tmp_path, now=AT + timedelta(days=30)) == []


def test_refresh_that_did_not_come_is_told_once(tmp_path: Path):
    assert tell_lateness(tmp_path, now=AT) == []
    latest = tmp_path / "releases" / "latest.duckdb"
    latest.parent.mkdir()
    latest.touch()
    os.utime(latest, (AT.timestamp(), AT.timestamp()))
    assert tell_lateness(tmp_path, now=AT + timedelta(hours=47)) == []
    (line,) = tell_lateness(tmp_path, now=AT + timedelta(hours=49))
    assert "late: nothing was published for 48 hours" in line
    assert tell_lateness(tmp_path, now=AT + timedelta(hours=90)) == []


def test_killed_run_is_told_once_and_one_that_was_stopped_is_not(tmp_path: Path, live_server: LiveServer):
    url = live_server.serve("/hook", status(200))
    (tmp_path / "config.yaml").write_text(json.dumps({"webhook": url}))
    job = dg.GraphDefinition("refresh").to_job()

    def dead() -> str:
        return dagster.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags={COMMAND_TAG: "refresh"}).run_id

    with instance(tmp_path) as dagster:
        killed = dead()
        for _ in range(2):
            housekeeping(dg.build_sensor_context(instance=dagster, resources=resources(tmp_path)))
        stopped = dead()
        (tmp_path / STOPPED).touch()
        assert close_dead_runs(dagster, tmp_path) == []
        assert dagster.get_run_by_id(stopped).status == dg.DagsterRunStatus.CANCELED  # type: ignore[union-attr]
    assert [each.run_id for each in failures(tmp_path)] == [killed]
    assert "killed half-way" in json.loads(live_server.seen("/hook")[0].body)["text"]
    assert len(live_server.seen("/hook")) == 1
    assert not (tmp_path / STOPPED).exists()


def test_heartbeat_is_sent_after_success_and_its_address_never_shown(
    tmp_path: Path, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
):
    assert pulse(tmp_path) == []
    monkeypatch.setenv(HEARTBEAT_VARIABLE, live_server.serve("/ping/s3cr3t", status(200), status(500)))
    job = dg.GraphDefinition("refresh").to_job()
    with instance(tmp_path) as dagster:
        for tags in ({}, {COMMAND_TAG: "refresh"}):
            run = job.execute_in_process(instance=dagster, tags=tags)
            context = dg.build_run_status_sensor_context(
                "tell_success",
                dagster_instance=dagster,
                dagster_run=run.dagster_run,
                dagster_event=next(each for each in run.all_events if each.event_type is dg.DagsterEventType.RUN_SUCCESS),
                resources=resources(tmp_path),
            )
            tell_success(context)
    assert len(live_server.seen("/ping/s3cr3t")) == 1
    (line,) = pulse(tmp_path)
    assert line == "the heartbeat could not be sent: 127.0.0.1 answered 500"


@pytest.mark.parametrize("name", ["a?b", "a[1]", "a*", "a%20b"])
def test_folder_whose_name_stands_for_others_is_one_line(tmp_path: Path, name: str):
    with pytest.raises(OSError, match="in its path, which stands for other files"):
        require_room(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(("received", "after_s"), [(signal.SIGINT, 1.0), (signal.SIGINT, 6.0), (signal.SIGTERM, 4.0)])
def test_ctrl_c_ends_a_refresh_at_once_and_publishes_and_tells_nothing(
    tmp_path: Path, received: signal.Signals, after_s: float
):
    command = [sys.executable, "-m", "pipelines.cli", "refresh", "--offline"]
    environment = os.environ | {"ECONOMICS_DATA": str(tmp_path)}
    running = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(after_s)
    running.send_signal(received)
    sent = time.monotonic()
    out, err = running.communicate(timeout=30)
    assert time.monotonic() - sent < 4  # two seconds, on a machine that is not shared
    assert running.returncode == 128 + received
    assert "Traceback" not in out + err
    assert not (tmp_path / "releases" / "latest.duckdb").exists()
    assert failures(tmp_path) == []
    again = subprocess.run(
        [*command, "--only", "capability"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert "killed" not in again.stdout
    assert failures(tmp_path) == [] or "killed" not in failures(tmp_path)[-1].text
