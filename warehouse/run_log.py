"""What a run did, read from Dagster's own event log: the rows of `meta.refresh` and the closing table of a refresh."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import polars as pl

from schemas.base import polars_schema
from schemas.evidence.provenance import Refresh

OWN_WORDS = f"{dg.Failure.__module__}.{dg.Failure.__qualname__}: "
"""What Dagster puts before a failure that was raised on purpose, whose words are enough."""
FAILED = {"fresh": "stale"}
"""What a check that failed is called, where its name says what holds when it passes."""
KINDS = {
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_FAILURE,
}
"""Events that tell what came of a step; the others are most of a log."""


@dataclass
class _Step:
    asset: str
    outcome: str | None = None
    rows: int | None = None
    rejected_rows: int | None = None
    seconds: float | None = None
    served_from: str | None = None
    warnings: list[str] = field(default_factory=list)


def steps_of_run(instance: dg.DagsterInstance, run_id: str) -> pl.DataFrame:
    """One row per asset that a run reached (contract `Refresh`), in the order they were planned."""
    steps: dict[str, _Step] = {}
    started_at: datetime | None = None
    for entry in instance.all_logs(run_id, of_type=KINDS):
        event = entry.dagster_event
        if event is None:
            continue
        started_at = started_at or datetime.fromtimestamp(entry.timestamp, UTC)
        if event.is_asset_materialization_planned and event.step_key and event.asset_key:
            steps[event.step_key] = _Step(asset=".".join(event.asset_key.path))
        elif event.is_step_failure and event.step_key:
            # A check may be a step of its own, for which no table was planned.
            _note(steps.setdefault(event.step_key, _Step(asset=event.step_key.replace("__", "."))), event)
        elif event.step_key in steps:
            _note(steps[event.step_key], event)
    rows = [
        {
            "run_id": run_id,
            "started_at": started_at,
            "asset": step.asset,
            "outcome": step.outcome,
            "rows": step.rows,
            "rejected_rows": step.rejected_rows,
            "seconds": step.seconds,
            "served_from": step.served_from,
            "warnings": "; ".join(step.warnings) or None,
        }
        for step in steps.values()
        if step.outcome
    ]
    return pl.DataFrame(rows, schema=polars_schema(Refresh))


def _note(step: _Step, event: dg.DagsterEvent) -> None:
    kind = event.event_type
    if kind is dg.DagsterEventType.ASSET_MATERIALIZATION:
        metadata = event.step_materialization_data.materialization.metadata
        values: dict[str, Any] = {name: value.value for name, value in metadata.items()}
        step.outcome = "written"
        step.rows = values.get("dagster/row_count")
        step.rejected_rows = values.get("rejected_rows")
        step.served_from = values.get("served_from")
    elif kind is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.asset_check_evaluation_data
        if not check.passed:
            name = FAILED.get(check.check_name, check.check_name)
            step.warnings.append(f"{name}: {check.description}" if check.description else name)
    elif kind is dg.DagsterEventType.STEP_SUCCESS:
        step.seconds = event.step_success_data.duration_ms / 1000
    elif kind is dg.DagsterEventType.STEP_FAILURE:
        step.outcome = "failed"
        error = event.step_failure_data.error
        cause = error.cause if error and error.cause else error
        said = (cause.message if cause else "failed").strip().splitlines()[0]
        step.warnings.append(said.removeprefix(OWN_WORDS))
