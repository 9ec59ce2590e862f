"""Recomputing every mart of test-time compute from warm tables, against as many Dagster assets that do nothing, in one run.

    uv run python benchmarks/bench_test_time_marts.py [runs]

Warm: one offline refresh of a fresh folder comes first and is not timed. The bar: all marts in less than 5 s.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dagster as dg

from pipelines.definitions import definitions
from pipelines.resources import resources

GROUP = "inference_frontier"
MOST_SECONDS = 5.0
QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


def empties(count: int) -> list[dg.AssetsDefinition]:
    """Assets that do nothing, one after the other."""

    def empty(place: int) -> dg.AssetsDefinition:
        @dg.asset(name=f"empty_{place}", deps=[f"empty_{place - 1}"] if place else [])
        def nothing() -> None: ...

        return nothing

    return [empty(place) for place in range(count)]


def main(runs: int) -> int:
    everything = [asset for asset in definitions().assets or [] if isinstance(asset, dg.AssetsDefinition)]
    marts = [asset.key for asset in everything if asset.key.path[0] == "marts" and asset.group_names_by_key[asset.key] == GROUP]
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        refresh = [sys.executable, "-m", "pipelines.cli", "refresh", "--offline"]
        subprocess.run(refresh, env=os.environ | {"ECONOMICS_DATA": folder}, check=True, capture_output=True)
        held = resources(Path(folder), offline=True)
        for _ in range(runs):
            began = time.perf_counter()
            dg.materialize(everything, selection=marts, resources=held, run_config=QUIET)
            between = time.perf_counter()
            dg.materialize(empties(len(marts)), run_config=QUIET)
            ours.append(between - began)
            theirs.append(time.perf_counter() - between)
    median, reference = statistics.median(ours), statistics.median(theirs)
    print(
        f"{len(marts)} marts: {median:.2f} s; as many assets that do nothing: {reference:.2f} s "
        f"({median / reference:.1f} times)"
    )
    print("bar met" if median < MOST_SECONDS else "BAR NOT MET")
    return 0 if median < MOST_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
