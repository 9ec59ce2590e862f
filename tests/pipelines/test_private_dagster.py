"""The event log that a refresh keeps open is the one that Dagster's own processes read, and a user's storage is left alone."""

import sqlite3
from pathlib import Path

import dagster as dg

from pipelines.private_dagster import OpenSqliteEventLog
from pipelines.resources import dagster_home, instance


@dg.asset
def answer() -> int:
    return 42


def test_dagster_itself_reads_what_a_refresh_wrote_while_it_is_still_open(tmp_path: Path):
    with instance(tmp_path) as ours:
        assert isinstance(ours.event_log_storage, OpenSqliteEventLog)
        run_id = dg.materialize([answer], instance=ours).run_id
        with dg.DagsterInstance.from_config(str(dagster_home(tmp_path))) as theirs:
            assert not isinstance(theirs.event_log_storage, OpenSqliteEventLog)
            written = [entry.dagster_event_type for entry in ours.all_logs(run_id)]
            assert [entry.dagster_event_type for entry in theirs.all_logs(run_id)] == written
            assert theirs.get_latest_materialization_event(answer.key).run_id == run_id


def test_both_write_the_same_files_in_turn(tmp_path: Path):
    with instance(tmp_path) as ours, dg.DagsterInstance.from_config(str(dagster_home(tmp_path))) as theirs:
        runs = [dg.materialize([answer], instance=one).run_id for one in (ours, theirs, ours)]
        assert [run.run_id for run in ours.get_runs()] == runs[::-1]
        assert theirs.get_latest_materialization_event(answer.key).run_id == runs[-1]


def test_storage_that_the_user_chose_is_left_alone(tmp_path: Path):
    settings = dagster_home(tmp_path) / "dagster.yaml"
    elsewhere = tmp_path / "elsewhere"
    settings.write_text(settings.read_text() + f"storage:\n  sqlite:\n    base_dir: {elsewhere}\n")
    with instance(tmp_path) as chosen:
        assert not isinstance(chosen.event_log_storage, OpenSqliteEventLog)
        dg.materialize([answer], instance=chosen)
    assert list(elsewhere.rglob("*.db"))


def test_part_of_the_schema_that_is_not_there_is_looked_for_again(tmp_path: Path):
    with instance(tmp_path) as ours:
        log = ours.event_log_storage
        assert log.has_table("event_logs")
        assert not log.has_table("of_a_later_version")
        with sqlite3.connect(log.path_for_shard("index")) as index:
            index.execute("CREATE TABLE of_a_later_version (id INTEGER)")
        assert log.has_table("of_a_later_version")
