"""Dagster's own records in the data folder: those of dead runs are closed, old ones deleted, damaged ones set aside."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster import DagsterRunStatus, RunRecord, RunsFilter

from pipelines.interrupt import STOPPED
from pipelines.notify import tell
from pipelines.resources import instance
from warehouse.recovery import set_aside
from warehouse.resources import NOW_TAG

COMMAND_TAG = "iecon/command"
"""On runs started from the command line. They hold the lock of the data folder, so that without it none of them is alive."""
UNFINISHED = [
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
FINISHED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
MOST_DELETED = 100
DATABASES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")


def heal_records(root: Path) -> None:
    """Set aside those of Dagster's SQLite files that are damaged; Dagster makes new ones. To be called before it opens them."""
    home = root / "dagster"
    for database in (home / name for name in DATABASES):
        if database.exists() and not _is_sound(database):
            for file in sorted(home.rglob(f"{database.name}*")):
                set_aside(root, file)


def close_dead_runs(records: dg.DagsterInstance, root: Path) -> list[str]:
    """Mark command-line runs that ended without a word as failed, tell of each, and say so in one line each.

    One that was stopped by whoever started it is canceled, and nobody is told. Only for a caller who holds the lock of the data
    folder. Left as they are, Dagster would count them as running and queue every other run behind them.
    """
    lines, was_stopped = [], (root / STOPPED).exists()
    for record in records.get_run_records(RunsFilter(statuses=UNFINISHED)):
        run = record.dagster_run
        if COMMAND_TAG not in run.tags:
            continue
        if was_stopped:
            records.report_run_canceled(run, "Stopped by a signal: Ctrl-C, or the service manager.")
            continue
        began = f"{record.create_timestamp.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        line = f"the run {run.run_id[:8]} ({run.job_name}) of {began} was killed half-way; it is marked as failed"
        records.report_run_failed(run, "The process ended without a word: killed, or the machine went down.")
        killed = f"killed half-way, as by kill -9, for want of memory, or with its machine (begun {began})"
        lines += [line, *tell(root, at=datetime.now(UTC), job=run.job_name, run_id=run.run_id, problems=[killed])]
    (root / STOPPED).unlink(missing_ok=True)
    return lines


def tell_records(root: Path) -> None:
    """Let the records say that the run of this process was stopped; it must be the one that holds the lock."""
    with instance(root) as records:
        close_dead_runs(records, root)


def delete_old_runs(records: dg.DagsterInstance, root: Path, *, now: datetime, keep_days: int) -> int:
    """Delete the records of runs that finished more than so many days ago, the oldest first; returns how many.

    At most `MOST_DELETED`, since each opens a file of its own; the next refresh deletes more.
    A run that holds the latest materialisation of some asset stays, whatever its age.
    """
    entries = [record.asset_entry for record in records.get_asset_records()]
    latest = {each.last_materialization_record.run_id for each in entries if each.last_materialization_record}
    old = [
        record.dagster_run.run_id
        for record in records.get_run_records(RunsFilter(statuses=FINISHED))
        if began(record) < now - timedelta(days=keep_days) and record.dagster_run.run_id not in latest
    ][-MOST_DELETED:]
    for run_id in old:
        records.delete_run(run_id)
        records.compute_log_manager.delete_logs(prefix=[run_id])
        for file in (root / "dagster" / "history" / "runs").glob(f"{run_id}.db*"):
            file.unlink()
    return len(old)


def began(record: RunRecord) -> datetime:
    """When a run began by its own clock, which its tag may set."""
    stated = record.dagster_run.tags.get(NOW_TAG)
    return (datetime.fromisoformat(stated) if stated else record.create_timestamp).astimezone(UTC)


def _is_sound(database: Path) -> bool:
    connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:
        return True  # locked or out of reach, which is no damage
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()
