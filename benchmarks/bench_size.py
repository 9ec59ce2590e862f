"""How seconds and memory grow with the data: as many rows as today, ten and a hundred times as many, each in its own process.

    uv run python benchmarks/bench_size.py [data folder, refreshed]

Rows are repeated under other model names, so keys stay unique and every rule of the contracts is checked as on real data.
Prices go to a hundred times; the break-even surface, 258,048 cells today, to ten times in one piece. Beyond that there are
partitions, where memory is that of one.
"""

import os
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from assets.prices.frontier import prices_on
from assets.prices.llm_prices import consensus
from assets.serving.break_even_sweep import GPU_MODELS, finer
from assets.serving.measured_surface import measured
from assets.serving.pairs import AXES, pairs
from assets.serving.surface import in_code_words, measured_surface, surface_of
from schemas.base import Table, polars_schema
from schemas.prices.llm_prices import LlmPrice, LlmPriceCurrent
from schemas.registry import TABLES
from schemas.serving.surface import BreakEvenSurface
from warehouse.contract import violations
from warehouse.folder import data_root
from warehouse.history import holding_on
from warehouse.publish import publish
from warehouse.store import read_table, table_path, write_frame

POINTS = [
    ("prices", 1),
    ("prices", 10),
    ("prices", 100),
    ("day", 1),
    ("day", 10),
    ("day", 100),
    ("surface", 1),
    ("surface", 10),
    ("partition", 1),
    ("publish", 1),
    ("publish", 10),
]
"""What is measured, and by how much the data is multiplied."""
WHAT = {
    "prices": "core.llm_price_current: consensus, contract, write",
    "day": "one partition of partitions/daily_price",
    "surface": "marts.break_even_surface in one piece: compute, contract, write",
    "partition": "one partition of partitions/break_even_sweep",
    "publish": "the DuckDB file, with prices and surface multiplied",
}


def table_of(root: Path, schema: type[Table]) -> pl.DataFrame:
    frame = read_table(root / "tables", schema)
    if frame is None:
        raise SystemExit("run `iecon refresh --offline` first")
    return frame


def repeated(frame: pl.DataFrame, times: int, *columns: str) -> pl.DataFrame:
    """The rows so many times, under other names in the columns given."""
    return pl.concat(frame.with_columns(pl.col(name) + (f"~{i}" if i else "") for name in columns) for i in range(times))


def kept(schema: type[Table], frame: pl.DataFrame, folder: Path) -> None:
    frame = frame.select(list(polars_schema(schema)))
    if not (faults := violations(schema, frame)).is_empty():
        raise SystemExit(str(faults))
    write_frame(table_path(folder, schema), frame)


def measure(subject: str, times: int, root: Path, folder: Path) -> tuple[int, float]:
    """Rows that come out, and seconds; what is multiplied is made before the clock starts."""
    prices = repeated(table_of(root, LlmPrice), times, "model", "source_model")
    gpu, shape, price = (table_of(root, TABLES[name]) for name in ("gpu", "model_shape", "gpu_price"))
    asked = list(pairs(gpu, shape, price))
    if subject == "publish":
        write_frame(table_path(folder, LlmPrice), prices)
        surface = repeated(table_of(root, BreakEvenSurface), times, "model")
        write_frame(table_path(folder, BreakEvenSurface), surface)
        rows = prices.height + surface.height
        del prices, surface
    started = time.perf_counter()
    if subject == "prices":
        current = consensus(holding_on(prices, date.today()))  # noqa: DTZ011
        kept(LlmPriceCurrent, current, folder)
        rows = prices.height
    elif subject == "day":
        prices_on(prices.filter(pl.col("model").is_not_null()), [date(2026, 6, 1)])
        rows = prices.height
    elif subject in ("surface", "partition"):
        chosen, axes = (asked, AXES) if subject == "surface" else (asked[:1], finer(AXES))
        known = measured(
            gpu=gpu, **{name: table_of(root, TABLES[name]) for name in ("model_shape", "model_layer", "engine_run")}
        )
        found = pl.concat(
            in_code_words(part).with_columns(model=pl.col("model") + (f"~{i}" if i else ""))
            for i in range(times)
            for part in (surface_of(chosen, axes), measured_surface(chosen, known, axes))
        )
        kept(BreakEvenSurface, found, folder)
        rows = found.height
    else:
        publish(tables=folder, releases=folder / "releases", run_id="benchmark", at=datetime.now(UTC), keep=1)
    return rows, time.perf_counter() - started


def main() -> None:
    if len(sys.argv) == 4:
        subject, times, root = sys.argv[1:]
        with tempfile.TemporaryDirectory() as folder:
            print(*measure(subject, int(times), Path(root), Path(folder)))
        return
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else data_root()
    print(f"{os.cpu_count()} cores; {len(GPU_MODELS.get_partition_keys())} partitions of the sweep")
    print(f"{'':68} {'times':>5} {'rows':>10} {'seconds':>8} {'peak MB':>8}")
    for subject, times in POINTS:
        read, write = os.pipe()
        process = os.posix_spawn(
            sys.executable,
            [sys.executable, __file__, subject, str(times), str(root)],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)],
        )
        _, status, usage = os.wait4(process, 0)
        os.close(write)
        with os.fdopen(read) as answer:
            said = answer.read().split()
        if status:
            raise SystemExit(f"{subject} x{times} failed")
        print(
            f"{WHAT[subject]:68} {times:>5} {int(said[0]):>10,} {float(said[1]):>8.2f} {usage.ru_maxrss / 1e3:>8.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
