"""Where the wall time of an offline refresh goes, by sampling its own process: asset code, contracts, tables, Dagster, imports.

    uv run python benchmarks/bench_refresh_parts.py [runs]

Each run is a process of its own over a fresh folder. Every two milliseconds a thread looks where the main
thread stands and books the time since its last look to the first part of PARTS that the stack shows.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[1]
EVERY_S = 0.002
PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("imports and definitions", ("<frozen importlib", "pipelines/definitions.py")),
    ("contracts", ("warehouse/contract.py", "apply_contract", "pandera/")),
    ("release and its views", ("warehouse/publish.py",)),
    ("report page and figures", ("assets/report.py", "figures/")),
    ("writing and reading tables", ("warehouse/store.py", "warehouse/recovery.py")),
    ("asset code", ("assets/", "sources/", "economics/", "warehouse/")),
    ("Dagster: steps and events", ("dagster/",)),
    ("the command", ("",)),
)
ASSET_CODE = ("asset code", "report page and figures", "release and its views")
"""What an asset's own function does."""


def part_of(frame: FrameType | None) -> str:
    """The part that a stack belongs to."""
    stack = []
    while frame is not None:
        name = frame.f_code.co_filename
        own = name.removeprefix(f"{ROOT}/") if not name.startswith(f"{ROOT}/.venv") else name.rpartition("site-packages/")[2]
        stack += [own, frame.f_code.co_name]
        frame = frame.f_back
    return next(part for part, marks in PARTS if any(place.startswith(mark) for mark in marks for place in stack))


def sampled(folder: str, started: float) -> None:
    """Refresh in this process and print the seconds of each part as JSON."""
    main_thread, seconds, done = threading.main_thread().ident, Counter[str](), threading.Event()
    seconds["start of Python"] = time.time() - started

    def look() -> None:
        last = time.perf_counter()
        while not done.wait(EVERY_S):
            frame = sys._current_frames().get(main_thread or 0)
            now = time.perf_counter()
            seconds[part_of(frame)] += now - last
            last = now

    sampler = threading.Thread(target=look, daemon=True)
    sampler.start()
    os.environ["ECONOMICS_DATA"] = folder
    from rich.console import Console  # noqa: PLC0415

    from pipelines.progress import show_refresh  # noqa: PLC0415 -- its import is part of what is measured

    console = Console(stderr=True)
    show_refresh(Path(folder), job="refresh", offline=True, console=console, out=console)
    done.set()
    sampler.join()
    print(json.dumps(seconds))


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    found: list[Counter[str]] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, "--in", folder, str(time.time())]
            done = subprocess.run(
                command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, check=True
            )
            found.append(Counter(json.loads(done.stdout.splitlines()[-1])))
    wall = statistics.median(sum(each.values()) for each in found)
    print(f"{runs} offline refreshes, medians; {os.cpu_count()} cores; wall {wall:.1f} s in process")
    middle = {part: statistics.median(each[part] for each in found) for part in {part for each in found for part in each}}
    for part, seconds in sorted(middle.items(), key=lambda item: -item[1]):
        print(f"{seconds:6.2f} s {100 * seconds / wall:4.0f} %  {part}")
    own = sum(middle.get(part, 0.0) for part in ASSET_CODE)
    print(f"asset code with report and release: {own:.1f} s, {100 * own / wall:.0f} % of the wall time")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in"]:
        sampled(sys.argv[2], float(sys.argv[3]))
    else:
        main()
