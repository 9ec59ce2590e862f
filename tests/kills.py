"""Refreshes that are killed: each runs in its own process, forked from one that has everything imported.

`run` refreshes one asset and publishes, by the product's own `refresh`, and may be killed with SIGKILL, either just before
its n-th operation on a file of the data folder or after some seconds. Its clock is stated, as tables name the day they were
built.
"""

import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import dagster as dg

from pipelines import refresh as product
from pipelines.definitions import definitions
from pipelines.resources import instance
from tests.light_jobs import PUBLISHING, light_definitions
from warehouse.resources import NOW_TAG

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
    """How a refresh ended: its exit code (-9 where it was killed), seconds, and, if it lived to tell, its file operations and
    what failed."""

    exit_code: int
    seconds: float
    operations: int
    failed: str


def times_of_day(built: datetime, n: int) -> Iterator[datetime]:
    """Moments in order, from when a folder was built to the end of that day."""
    end = datetime.combine(built.date() + timedelta(days=1), time(), UTC)
    return (built + (end - built) * number / (n + 1) for number in range(1, n + 1))


def run(
    folder: Path, key: dg.AssetKey, *, now: datetime, at_operation: int | None = None, after_s: float | None = None
) -> Ended:
    """Refresh one asset and publish, in another process that may be killed."""
    told = _forks.SimpleQueue()
    child = _forks.Process(target=_refresh, args=(folder, key, now, at_operation, told))
    started = perf_counter()
    child.start()
    child.join(after_s)
    if child.is_alive() and child.pid is not None and after_s is not None:
        os.kill(child.pid, signal.SIGKILL)
    child.join()
    operations, failed = (0, "") if told.empty() else told.get()
    assert child.exitcode is not None
    return Ended(child.exitcode, perf_counter() - started, operations, failed)


def _refresh(folder: Path, key: dg.AssetKey, now: datetime, at_operation: int | None, told: Any) -> None:
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
    outcome = product.refresh(folder, job="refresh", offline=True, on_step=lambda *_: None, tags={NOW_TAG: now.isoformat()})
    failed = outcome.steps.filter(outcome="failed")
    told.put((count, "; ".join(f"{asset}: {said}" for asset, said in failed.select("asset", "warnings").rows())[:2000]))
    sys.exit(0 if outcome.success else 1)
