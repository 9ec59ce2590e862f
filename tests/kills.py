"""Refreshes that are killed: each runs in its own process, forked from one that has everything imported.

`run` refreshes one asset and publishes, by the product's own `refresh`, and may be killed with SIGKILL, either just before
its n-th operation on a file of the data folder or after some seconds.
"""

import multiprocessing
import os
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import dagster as dg

from pipelines import refresh as product
from pipelines.definitions import definitions
from pipelines.resources import instance
from tests.light_jobs import PUBLISHING, light_definitions

GRAPH = definitions().resolve_asset_graph()
KEYS = sorted((key for key in GRAPH.get_all_asset_keys() if not GRAPH.get(key).is_partitioned), key=str)
"""What a refresh builds; partitioned assets are no part of one."""
FILE_OPERATIONS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "sqlite3.connect"}

with tempfile.TemporaryDirectory() as scratch, instance(Path(scratch)):
    pass  # imports what Dagster imports late, once for all forks

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.kills"])


@dataclass(frozen=True)
class Ended:
    """How a refresh ended: its exit code (-9 where it was killed), seconds, and file operations if it lived to tell."""

    exit_code: int
    seconds: float
    operations: int


def run(folder: Path, key: dg.AssetKey, *, at_operation: int | None = None, after_s: float | None = None) -> Ended:
    """Refresh one asset and publish, in another process that may be killed."""
    told = _forks.SimpleQueue()
    child = _forks.Process(target=_refresh, args=(folder, key, at_operation, told))
    started = perf_counter()
    child.start()
    child.join(after_s)
    if child.is_alive() and child.pid is not None and after_s is not None:
        os.kill(child.pid, signal.SIGKILL)
    child.join()
    operations = 0 if told.empty() else told.get()
    assert child.exitcode is not None
    return Ended(child.exitcode, perf_counter() - started, operations)


def _refresh(folder: Path, key: dg.AssetKey, at_operation: int | None, told: Any) -> None:
    count, inside = 0, str(folder)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event in FILE_OPERATIONS and arguments and str(arguments[0]).removeprefix("file:").startswith(inside):
            count += 1
            if count == at_operation:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    small = light_definitions(dg.define_asset_job("refresh", selection=dg.AssetSelection.assets(key) | PUBLISHING))
    product.definitions = lambda: small  # type: ignore[assignment]
    outcome = product.refresh(folder, job="refresh", offline=True, on_step=lambda *_: None)
    told.put(count)
    sys.exit(0 if outcome.success else 1)
