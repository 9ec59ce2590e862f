"""Sensors: what happens because something else happened."""

import warnings
from datetime import UTC, datetime

import dagster as dg
from filelock import FileLock, Timeout

from assets.evidence.provenance import OF_RUN_TAG
from pipelines import inbox, jobs
from pipelines.notify import pulse, tell
from pipelines.outages import tell_lateness, tell_outages
from pipelines.records import COMMAND_TAG, close_dead_runs, delete_old_runs
from pipelines.watch import tell_watched
from warehouse.folder import LOCK
from warehouse.recovery import sweep
from warehouse.resources import DataFolder


@dg.run_failure_sensor(
    name="publish_after_failure",
    monitored_jobs=[jobs.refresh, *jobs.by_group.values()],
    request_job=jobs.publish,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Publish the tables that did succeed when a refresh failed half-way; the others keep their last good version.",
)
def publish_after_failure(context: dg.RunFailureSensorContext) -> dg.RunRequest:
    """Request the publishing job, tagged with the run that failed."""
    run_id = context.dagster_run.run_id
    return dg.RunRequest(run_key=run_id, tags={OF_RUN_TAG: run_id})


@dg.run_failure_sensor(
    name="tell_failure",
    monitored_jobs=[jobs.refresh, jobs.publish, *jobs.by_group.values()],
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Write a failed run down in failures.jsonl and post it to the webhook of config.yaml.",
)
def tell_failure(context: dg.RunFailureSensorContext, data: dg.ResourceParam[DataFolder]) -> None:
    """Tell of a run that failed. One from the command line has told already."""
    run = context.dagster_run
    if COMMAND_TAG in run.tags:
        return
    steps = [(each.step_key, each.step_failure_data.error) for each in context.get_step_failure_events()]
    problems = [
        f"{step}: {((error.cause or error).message if error else 'failed').strip().splitlines()[0]}" for step, error in steps
    ]
    trouble = tell(
        data.path,
        at=datetime.now(UTC),
        job=run.job_name,
        run_id=run.run_id,
        problems=problems or [context.failure_event.message or "failed"],
    )
    for line in trouble:
        context.log.warning(line)


@dg.run_status_sensor(
    name="tell_success",
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[jobs.refresh, *jobs.by_group.values()],
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="After each refresh that went well, ask the heartbeat address of config.yaml and tell of what is watched.",
)
def tell_success(context: dg.RunStatusSensorContext, data: dg.ResourceParam[DataFolder]) -> None:
    """Send the heartbeat of a run that went well, and what it changed of what is watched. The command line does so itself."""
    if COMMAND_TAG not in context.dagster_run.tags:
        for line in [*pulse(data.path), *tell_watched(data.path, at=datetime.now(UTC))]:
            context.log.warning(line)


@dg.sensor(
    name="housekeeping",
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Close runs of killed commands, tell of sources that give nothing and of refreshes that are late, and tidy up.",
)
def housekeeping(context: dg.SensorEvaluationContext, data: dg.ResourceParam[DataFolder]) -> dg.SkipReason:
    """Do what the command line does around each refresh, for those who only use the UI."""
    try:
        with FileLock(data.path / LOCK).acquire(timeout=0):
            for line in close_dead_runs(context.instance, data.path):
                context.log.warning(line)
            sweep(data.path)
            now = datetime.now(UTC)
            deleted = delete_old_runs(context.instance, data.path, now=now, keep_days=data.settings.keep_run_days)
            for line in [*tell_outages(data.path, now=now), *tell_lateness(data.path, now=now)]:
                context.log.warning(line)
    except Timeout:
        return dg.SkipReason("a refresh from the command line is running")
    return dg.SkipReason(f"deleted the records of {deleted} old runs")


with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)  # one condition for all assets is beta in Dagster
    follow_changes = dg.AutomationConditionSensorDefinition(
        "follow_changes",
        target=dg.AssetSelection.all() - dg.AssetSelection.key_prefixes("source") - jobs.PARTITIONED,
        default_condition=dg.AutomationCondition.eager(),
        use_user_code_server=True,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="When a table was built by itself, rebuild all that follows from it and publish, as a refresh does anyway.",
    )

sensors = [publish_after_failure, tell_failure, tell_success, housekeeping, inbox.inbox, follow_changes]
