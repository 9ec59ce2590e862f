"""A data folder as the version of 26 November 2026 leaves it: that version is taken out of the history and run."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.refreshed import ROOT

COMMIT = "145295858d8ce6dd4d8e1c553242856cf4532f93"
"""The last commit of 26 November 2026."""


def make(folder: Path, workspace: Path) -> None:
    """Refresh `folder` offline with that version, unpacked into `workspace`. Skips where the history is not at hand."""
    archive = workspace / "older.tar"
    with archive.open("wb") as file:
        found = subprocess.run(["git", "archive", COMMIT], cwd=ROOT, stdout=file, stderr=subprocess.DEVNULL, check=False)
    if found.returncode:
        pytest.skip("the history of this checkout does not reach back to 26 November 2026")
    with tarfile.open(archive) as older:
        older.extractall(workspace / "older", filter="data")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pipelines.cli", "refresh", "--offline"],
        cwd=workspace / "older",
        env=os.environ | {"ECONOMICS_DATA": str(folder), "PYTHONPATH": str(workspace / "older")},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
