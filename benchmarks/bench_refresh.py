"""A full offline refresh: wall time, the share outside our own asset code, and peak memory, each run in a fresh folder.

    uv run python benchmarks/bench_refresh.py [runs]

The reference in the same run is Dagster itself: as many assets that do nothing, on a persistent instance of their own.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EMPTY = """
import sys, dagster as dg
def make(i):
    @dg.asset(name=f"a{i}", deps=[f"a{i - 1}"] if i else [])
    def nothing() -> None: ...
    return nothing
with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    dg.materialize([make(i) for i in range(int(sys.argv[2]))], instance=instance,
                   run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}})
"""


def timed(command: list[str], **environment: str) -> tuple[float, float, str]:
    """Wall seconds and peak megabytes of a command, and the last line it printed."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=printed, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        if status:
            raise SystemExit(f"{' '.join(command[:4])} failed")
        printed.seek(0)
        return wall, usage.ru_maxrss * 1024 / 1e6, (printed.read().splitlines() or [""])[-1]


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    refreshes, steps, peaks, empties, assets = [], [], [], [], 0
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as home:
            wall, peak, closing = timed([sys.executable, "-m", "pipelines.cli", "refresh", "--offline"], ECONOMICS_DATA=folder)
            refreshes.append(wall)
            peaks.append(peak)
            told = re.search(r"\((\d+) assets, ([\d.]+) s in steps\)", closing)
            if told is None:
                raise SystemExit(f"a refresh ended with: {closing}")
            assets = int(told[1])
            steps.append(float(told[2]))
            Path(home, "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
            empties.append(timed([sys.executable, "-c", EMPTY, home, str(assets)])[0])
    wall, inside, empty = statistics.median(refreshes), statistics.median(steps), statistics.median(empties)
    print(f"{runs} runs of each, taking turns; medians; {os.cpu_count()} cores")
    print(f"offline refresh of {assets} assets: {wall:.1f} s wall (bar 15), {max(peaks):.0f} MB peak (bar 700)")
    print(f"  inside steps {inside:.1f} s; outside (start, imports, between steps) {wall - inside:.1f} s")
    print(f"Dagster with {assets} assets that do nothing: {empty:.1f} s, so a refresh takes {wall / empty:.2f} times that")


if __name__ == "__main__":
    main()
