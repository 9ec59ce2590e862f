"""One refresh in this process, on the persistent Dagster instance, so that it appears in the UI like any other run."""

import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType

import dagster as dg
import polars as pl
from filelock import FileLock, Timeout

from assets.evidence.provenance import OF_RUN_TAG
from pipelines.definitions import definitions
from pipelines.interrupt import holding
from pipelines.notify import pulse, tell
from pipelines.outages import tell_outages
from pipelines.records import COMMAND_TAG, close_dead_runs, delete_old_runs, heal_records
from pipelines.resources import dagster_home, instance, resources
from pipelines.watch import tell_watched
from schemas.base import table_name
from schemas.registry import TABLES
from warehouse.folder import LOCK, NoRoomError, is_full, require_room
from warehouse.recovery import heal_release, restore_missing, sweep
from warehouse.repairs import note, repairs
from warehouse.resources import NOW_TAG, read_settings
from warehouse.run_log import steps_of_run
from warehouse.seal import seal_tables
from warehouse.store import table_path
from warehouse.table import asset_key

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
LOCK_PATIENCE_S = 1.0
"""`iecon doctor` and the housekeeping sensor hold the lock for a moment."""


class RefreshRunningError(RuntimeError):
    """Another refresh holds the data folder."""


@dataclass(frozen=True)
class Outcome:
    """A finished refresh: whether all went well, one row per asset (contract `Refresh`), and what was put right on the way."""

    success: bool
    run_id: str
    steps: pl.DataFrame
    not_reached: list[str]
    notes: list[str] = field(default_factory=list)


@cache
def resolved(job: str) -> dg.JobDefinition:
    """A job with its assets in order."""
    return definitions().resolve_job_def(job)


def planned_assets(job: str) -> list[str]:
    """Assets that a job builds, such as core.llm_price."""
    return sorted(".".join(key.path) for key in resolved(job).asset_layer.selected_asset_keys)


def planned_steps(job: str) -> set[str]:
    """Steps of a job, under the names that `on_step` is told: its assets, and checks that are steps of their own."""
    return {name.replace("__", ".") for name in resolved(job).graph.node_dict}


def refresh(
    root: Path,
    *,
    job: str,
    offline: bool,
    on_step: Callable[[str, str], None],
    tags: Mapping[str, str] = MappingProxyType({}),
) -> Outcome:
    """Run one refresh job over a data folder and publish what succeeded, even when some step failed.

    `on_step` is told each step as it starts and ends (`start`, `success`, `failure`, `skipped`). What an earlier crash left
    behind is put right first. A failure is told to whom `config.yaml` says. Raises RefreshRunningError when another
    command-line refresh holds the folder, NoRoomError when the folder cannot be written or its disk is full.
    """
    require_room(root)
    lock = FileLock(root / LOCK)
    try:
        with lock.acquire(timeout=LOCK_PATIENCE_S), holding(root):
            return _refresh(root, job, offline=offline, on_step=on_step, tags={COMMAND_TAG: job, **tags})
    except Timeout as held:
        raise RefreshRunningError(f"another refresh is running on {root} (lock {held.lock_file})") from None
    except Exception as error:
        if _is_disk_full(root, error):
            full = NoRoomError(f"the disk of {root} is full; the last published warehouse stays")
            tell(root, at=datetime.now(UTC), job=job, run_id=None, problems=[str(full)])
            raise full from error
        tell(root, at=datetime.now(UTC), job=job, run_id=None, problems=[_first_line(error)])
        raise


def _refresh(root: Path, job: str, *, offline: bool, on_step: Callable[[str, str], None], tags: Mapping[str, str]) -> Outcome:
    settings = read_settings(root / "config.yaml")
    dagster_home(root)
    repaired_before = len(repairs(root))
    sweep(root)
    heal_release(root / "releases")
    seal_tables(root)
    restore_missing(root / "tables")
    heal_records(root)
    with instance(root) as dagster:
        notes = close_dead_runs(dagster, root)
        _tell_what_is_lost(dagster, root)
        run_id = _execute(dagster, root, job, offline=offline, tags=tags, on_step=on_step)
        success = dagster.get_run_by_id(run_id).is_success  # type: ignore[union-attr]
        if not success:
            _execute(dagster, root, "publish", offline=True, tags={**tags, OF_RUN_TAG: run_id}, on_step=on_step)
        steps = steps_of_run(dagster, run_id)
        now = datetime.fromisoformat(tags[NOW_TAG]) if NOW_TAG in tags else datetime.now(UTC)
        delete_old_runs(dagster, root, now=now, keep_days=settings.keep_run_days)
    notes += [each.text for each in repairs(root)[repaired_before:]]
    if not success:
        problems = [
            f"{step['asset']}: {step['warnings']}" for step in steps.filter(pl.col("outcome") == "failed").iter_rows(named=True)
        ]
        notes += tell(root, at=now, job=job, run_id=run_id, problems=problems)
    else:
        notes += [*pulse(root), *tell_watched(root, at=now)]
    if not offline:
        notes += tell_outages(root, now=now)
    reached = set(steps["asset"])
    return Outcome(success, run_id, steps, [name for name in planned_assets(job) if name not in reached], notes)


def _tell_what_is_lost(dagster: dg.DagsterInstance, root: Path) -> None:
    """Note the tables that earlier runs wrote, that are not there, and that no release could give back."""
    absent = [schema for schema in TABLES.values() if not os.path.lexists(table_path(root / "tables", schema))]
    records = dagster.get_asset_records([asset_key(each) for each in absent]) if absent else []
    written = {each.asset_entry.asset_key for each in records if each.asset_entry.last_materialization_record}
    lost = sorted(table_name(schema) for schema in absent if asset_key(schema) in written)
    if lost:
        named = ", ".join(lost[:3]) + (f" and {len(lost) - 3} more" if len(lost) > 3 else "")
        note(root, f"{named}: written by an earlier run, missing now, and in no release. Made anew; histories begin again")


def _is_disk_full(root: Path, error: Exception) -> bool:
    return is_full(root) or any(words in str(error) for words in ("No space left", "disk is full"))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _execute(
    dagster: dg.DagsterInstance,
    root: Path,
    job: str,
    *,
    offline: bool,
    tags: Mapping[str, str],
    on_step: Callable[[str, str], None],
) -> str:
    run_id = str(uuid.uuid4())
    stages = {"STEP_START": "start", "STEP_SUCCESS": "success", "STEP_FAILURE": "failure", "STEP_SKIPPED": "skipped"}

    def listen(entry: dg.EventLogEntry) -> None:
        event = entry.dagster_event
        if event is not None and event.step_key and event.event_type_value in stages:
            on_step(event.step_key.replace("__", "."), stages[event.event_type_value])

    dagster.add_event_listener(run_id, listen)
    resolved(job).execute_in_process(
        instance=dagster,
        run_id=run_id,
        run_config=QUIET,
        tags=dict(tags),
        raise_on_error=False,
        resources=resources(root, offline=offline),
    )
    return run_id
