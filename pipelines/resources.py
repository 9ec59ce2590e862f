"""The Dagster resources over a data folder, and the instance whose records live inside it."""

import os
from pathlib import Path

import dagster as dg
import yaml

from assets.documents import StoredDocuments
from pipelines.private_dagster import instance_at
from warehouse.folder import data_root
from warehouse.resources import DataFolder

OFFLINE_VARIABLE = "ECONOMICS_OFFLINE"

DAGSTER_YAML = """\
# Written once by inference-economics; edit freely, it is not overwritten.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1
run_monitoring:       # a run whose process was killed does not block the others for ever
  enabled: true
  max_runtime_seconds: 7200
freshness:
  enabled: true
retention:            # of what schedules and sensors did; `keep_run_days` in config.yaml is of runs
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days: {skipped: 7, success: 30, failure: 30}
"""


def dagster_home(root: Path) -> Path:
    """Dagster's own folder inside the data folder, made with its settings when it is not there."""
    home = root / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    settings = home / "dagster.yaml"
    if not settings.exists():
        settings.write_text(DAGSTER_YAML)
    return home


def resources(root: Path, *, offline: bool = False) -> dict[str, object]:
    """The resources of every run over one data folder."""
    return {
        "data": DataFolder(root=str(root), offline=offline),
        "documents": StoredDocuments(folder=str(root / "bronze")),
    }


def default_resources() -> dict[str, object]:
    """Resources for Dagster's own commands, from the environment."""
    return resources(data_root(), offline=bool(os.environ.get(OFFLINE_VARIABLE)))


def instance(root: Path) -> dg.DagsterInstance:
    """The persistent Dagster instance of a data folder: runs started here appear in its UI."""
    home = dagster_home(root)
    settings = set(yaml.safe_load((home / "dagster.yaml").read_text()) or {})
    return instance_at(home, own_storage=bool({"storage", "event_log_storage"} & settings))
