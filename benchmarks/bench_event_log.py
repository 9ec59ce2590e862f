"""Dagster's SQLite event log, opened once per event and kept open, on the same run of assets that do nothing.

uv run python benchmarks/bench_event_log.py [assets] [runs]
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import dagster as dg

from pipelines.resources import instance

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def chain(length: int) -> list[dg.AssetsDefinition]:
    def make(place: int) -> dg.AssetsDefinition:
        @dg.asset(name=f"a{place}", deps=[f"a{place - 1}"] if place else [])
        def nothing() -> None: ...

        return nothing

    return [make(place) for place in range(length)]


def seconds(assets: list[dg.AssetsDefinition], *, kept_open: bool) -> float:
    with tempfile.TemporaryDirectory() as folder:
        instance(Path(folder)).dispose()  # writes the settings
        opened = instance(Path(folder)) if kept_open else dg.DagsterInstance.from_config(f"{folder}/dagster")
        with opened as dagster:
            start = time.perf_counter()
            dg.materialize(assets, instance=dagster, run_config=QUIET)
            return time.perf_counter() - start


def main() -> None:
    length = int(sys.argv[1]) if len(sys.argv) > 1 else 80
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    assets = chain(length)
    pairs = [(seconds(assets, kept_open=False), seconds(assets, kept_open=True)) for _ in range(runs)]
    per_event, kept = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{length} assets that do nothing, {runs} runs of each, taking turns; medians")
    print(f"opened per event {per_event:.2f} s, kept open {kept:.2f} s: {per_event / kept:.2f} times as fast")


if __name__ == "__main__":
    main()
