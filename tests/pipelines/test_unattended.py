"""What happens while nobody looks: failures are told, records stay bounded, the doctor says what is stale and why."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import dagster as dg
import pytest
from rich.console import Console

import assets
from pipelines.definitions import definitions
from pipelines.doctor import show_disk, why_stale
from pipelines.notify import FAILURES, WEBHOOK_VARIABLE, failures, tell
from pipelines.records import COMMAND_TAG, close_dead_runs, delete_old_runs
from pipelines.refresh import QUIET
from pipelines.resources import instance, resources
from pipelines.sensors import housekeeping, tell_failure
from sources.prices.openrouter import SOURCE
from sources.transports import bronze
from sources.transports.bronze import Attempt
from tests.live_server import LiveServer, redirect, status
from warehouse.resources import NOW_TAG, Settings

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
SECRET = "s3cr3t-token"


def told(folder: Path) -> list[str]:
    return tell(folder, at=AT, job="refresh", run_id="run", problems=["core.llm_price: must not be negative"])


def test_failure_is_posted_to_the_webhook_and_written_down(tmp_path: Path, live_server: LiveServer):
    url = live_server.serve(f"/hook/{SECRET}", status(200))
    (tmp_path / "config.yaml").write_text(json.dumps({"webhook": url}))
    assert told(tmp_path) == []
    posted = json.loads(live_server.seen(f"/hook/{SECRET}")[0].body)
    assert posted["text"] == "iecon: refresh failed: core.llm_price: must not be negative"
    assert [each.run_id for each in failures(tmp_path)] == ["run"]


def test_webhook_of_the_environment_comes_first(tmp_path: Path, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "config.yaml").write_text(json.dumps({"webhook": live_server.serve("/config", status(200))}))
    monkeypatch.setenv(WEBHOOK_VARIABLE, live_server.serve("/environment", status(200)))
    told(tmp_path)
    assert [request.path for request in live_server.requests] == ["/environment"]


@pytest.mark.parametrize(
    ("reply", "said"),
    [(status(500), "answered 500"), (redirect("/elsewhere"), "answered 302"), (None, "did not answer")],
)
def test_webhook_that_fails_is_one_line_without_its_address(tmp_path: Path, live_server: LiveServer, reply, said: str):
    url = live_server.serve(f"/{SECRET}", reply) if reply else f"http://127.0.0.1:9/{SECRET}"
    (tmp_path / "config.yaml").write_text(json.dumps({"webhook": url}))
    (line,) = told(tmp_path)
    assert said in line
    assert SECRET not in line
    assert SECRET not in (tmp_path / FAILURES).read_text()


def test_failed_run_of_the_orchestrator_is_told_once_and_one_of_the_command_line_not_again(tmp_path: Path):
    @dg.op
    def break_down() -> None:
        raise ValueError("the price is negative\nand more")

    @dg.job
    def broken() -> None:
        break_down()

    with instance(tmp_path) as dagster:
        for tags in ({}, {COMMAND_TAG: "refresh"}):
            run = broken.execute_in_process(instance=dagster, raise_on_error=False, tags=tags)
            context = dg.build_run_status_sensor_context(
                "tell_failure",
                dagster_instance=dagster,
                dagster_run=run.dagster_run,
                dagster_event=run.get_run_failure_event(),
                resources=resources(tmp_path),
            ).for_run_failure()
            tell_failure(context)
    (failure,) = failures(tmp_path)
    assert failure.problems == ("break_down: ValueError: the price is negative",)


def runs_of(dagster: dg.DagsterInstance) -> set[str]:
    return {run.run_id for run in dagster.get_runs()}


def test_old_runs_are_deleted_but_for_the_latest_of_each_asset(tmp_path: Path):
    @dg.asset
    def daily() -> None: ...

    @dg.asset
    def seldom() -> None: ...

    with instance(tmp_path) as dagster:
        runs = [
            dg.materialize(
                [daily, seldom],
                selection=["daily", "seldom"] if day == 0 else ["daily"],
                instance=dagster,
                tags={NOW_TAG: (AT + timedelta(days=day)).isoformat()},
            ).run_id
            for day in (0, 1, 2, 20, 30)
        ]
        assert delete_old_runs(dagster, tmp_path, now=AT + timedelta(days=31), keep_days=14) == 2
        assert runs_of(dagster) == {runs[0], runs[3], runs[4]}
        assert dagster.get_latest_materialization_event(dg.AssetKey("seldom")) is not None
        assert delete_old_runs(dagster, tmp_path, now=AT + timedelta(days=31), keep_days=14) == 0
    left = {path.name.split(".")[0] for path in (tmp_path / "dagster" / "history" / "runs").glob("*.db")}
    assert left == {runs[0], runs[3], runs[4], "index"}
    assert {path.name for path in (tmp_path / "dagster" / "storage").iterdir()} <= runs_of_names(runs, 0, 3, 4)


def runs_of_names(runs: list[str], *kept: int) -> set[str]:
    return {runs[each] for each in kept}


def test_housekeeping_closes_runs_of_killed_commands_and_no_others(tmp_path: Path):
    job = dg.GraphDefinition("refresh").to_job()
    with instance(tmp_path) as dagster:
        killed, alive = (
            dagster.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
            for tags in ({COMMAND_TAG: "refresh"}, {})
        )
        context = dg.build_sensor_context(instance=dagster, resources=resources(tmp_path))
        skipped = housekeeping(context)
        assert isinstance(skipped, dg.SkipReason)
        assert dagster.get_run_by_id(killed.run_id).status == dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]
        assert dagster.get_run_by_id(alive.run_id).status == dg.DagsterRunStatus.STARTED  # type: ignore[union-attr]
        assert close_dead_runs(dagster, tmp_path) == []


@pytest.mark.slow
def test_what_follows_from_a_table_built_by_itself_is_asked_for_once(refreshed: Path, tmp_path: Path):
    folder = Path(shutil.copytree(refreshed, tmp_path / "data", symlinks=True))
    repository, cursor = definitions().get_repository_def(), None
    with instance(folder) as dagster:

        def asked() -> set[str]:
            nonlocal cursor
            context = dg.build_sensor_context(instance=dagster, repository_def=repository, cursor=cursor)
            tick = repository.get_sensor_def("follow_changes").evaluate_tick(context)
            cursor = tick.cursor
            return {".".join(key.path) for each in tick.run_requests or [] for key in each.asset_selection or []}

        assert asked() == set()
        dg.materialize(
            dg.load_assets_from_package_module(assets),
            selection=["raw/epoch_eci"],
            instance=dagster,
            run_config=QUIET,
            resources=resources(folder, offline=True),
        )
        follow = asked()
        assert follow >= {"core.capability", "marts.price_frontier", "meta.refresh", "release.latest", "report.page"}
        assert not {name for name in follow if name.startswith(("raw.", "source.", "partitions."))}
        assert asked() == set()


def attempt(outcome: bronze.Outcome, day: int, error: str | None = None) -> Attempt:
    return Attempt(
        source="openrouter",
        checked_at=AT + timedelta(days=day),
        rung="x",
        transport="http",
        uri="x",
        outcome=outcome,
        error=error,
    )


def test_doctor_says_why_a_source_is_stale():
    log = [attempt("new", 0), attempt("failed", 3, "status 503")]
    assert why_stale(SOURCE, log, disabled=False) == "http on 2026-12-04: status 503"
    assert why_stale(SOURCE, log, disabled=True) == "disabled in config.yaml"
    assert why_stale(SOURCE, [], disabled=False) == "never asked: no refresh has run"


def test_doctor_reports_disk_use_by_kind_with_how_long_each_is_kept(refreshed: Path):
    console = Console(width=200, record=True, file=StringIO())
    show_disk(refreshed, Settings(keep_releases=3), now=datetime.now(UTC), console=console)
    text = console.export_text()
    assert "documents" in text
    assert "for ever, each content once" in text
    assert "the newest 3 (keep_releases)" in text
    assert "14 days (keep_run_days)" in text


def test_source_with_a_live_transport_is_overdue_when_its_documents_are_no_longer_fresh():
    graph = definitions().resolve_asset_graph()
    policies = {key.path[-1]: graph.get(key).freshness_policy_or_from_metadata for key in graph.get_all_asset_keys()}
    assert policies["openrouter"] == dg.FreshnessPolicy.time_window(fail_window=timedelta(days=2))
    assert policies["price_history"] is None
