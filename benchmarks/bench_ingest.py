"""What reading benchmark outputs costs: a large request trace against DuckDB's own reader, and many small result files.

    python benchmarks/bench_ingest.py [ROWS] [ROUNDS]

1. A trace in the layout of the Azure LLM inference traces (TIMESTAMP,ContextTokens,GeneratedTokens), ROWS lines (10 million),
   made here. Both sides read the same file, take turns within one run, each in a process of its own:
   - bare: DuckDB's `read_csv` into a table in memory;
   - ours: `ingest_trace`: read, check every request, exact percentiles, content hash, Parquet file on disk.
   The bar: ours at no less than half the rate of bare, in less than 1.5 GB of memory (peak resident size).
2. 5,000 different result files of vLLM's serving benchmark with percentiles, read by `ingest`, checked against their
   contracts. The bar: less than 20 s.
"""

import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import duckdb

from schemas.serving.benchmark_outputs import BenchmarkRun, OperatingPoint
from sources.serving.benchmark_outputs import BenchmarkFile, RunMeta, ingest
from sources.serving.benchmark_outputs.traces import ingest_trace

LEAST_SHARE_OF_RATE = 0.5
MOST_MEMORY_BYTES = 1.5e9
N_FILES = 5_000
MOST_SECONDS = 20.0


class Cost(NamedTuple):
    seconds: float
    peak_bytes: float
    rows: int


def write_trace(path: Path, n_rows: int) -> None:
    """A made-up trace: about 5.6 requests per second, skewed lengths, times to a ten-millionth of a second."""
    duckdb.sql(
        f"""COPY (
            SELECT strftime(TIMESTAMP '2023-11-16 18:17:03.979960' + to_microseconds(i * 180_000 + (random() * 1e5)::BIGINT),
                            '%Y-%m-%d %H:%M:%S.%f') || '0' AS "TIMESTAMP",
                   1 + (random() * random() * 7_000)::INTEGER AS "ContextTokens",
                   1 + (random() * random() * 800)::INTEGER AS "GeneratedTokens"
            FROM range({n_rows}) AS lines(i)
        ) TO '{path}' (HEADER)"""
    )


def bare(trace: Path) -> int:
    """DuckDB's own reader, into a table."""
    with duckdb.connect() as database:
        database.execute("CREATE TABLE requests AS SELECT * FROM read_csv(?)", [str(trace)])
        return int(database.execute("SELECT count(*) FROM requests").fetchall()[0][0])


def ours(trace: Path) -> int:
    """Our reader, into Parquet and one row of percentiles."""
    found = ingest_trace(trace, parquet=trace.with_suffix(".parquet"))
    assert found.rejected.is_empty()
    return int(found.workload["n_requests"].item())


def cost(side: Callable[[Path], int], trace: Path) -> Cost:
    """Wall time of one call and the peak size of the process that makes it."""
    start = time.perf_counter()
    rows = side(trace)
    seconds = time.perf_counter() - start
    return Cost(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, rows)


def in_own_process(side: Callable[[Path], int], trace: Path) -> Cost:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(cost, side, trace).result()


def result_file(i: int) -> BenchmarkFile:
    """A result of `vllm bench serve`, sound and different from every other."""
    chance = random.Random(i)
    concurrency, n_out = chance.choice([1, 4, 16, 64, 256]), chance.randint(50, 1500)
    ttft_s, tpot_s = chance.uniform(0.05, 2), chance.uniform(0.005, 0.1)
    e2e_s = ttft_s + tpot_s * (n_out - 1)
    n, rate = concurrency * 10, concurrency / e2e_s
    record: dict[str, object] = {
        "date": "20260314-193625",
        "backend": "vllm",
        "model_id": f"model-{i % 40}",
        "tokenizer_id": "t",
        "num_prompts": n,
        "request_rate": "inf",
        "burstiness": 1.0,
        "max_concurrency": concurrency,
        "duration": n / rate,
        "completed": n,
        "total_input_tokens": n * 1000,
        "total_output_tokens": n * n_out,
        "request_throughput": rate,
        "request_goodput": rate * 0.9,
        "output_throughput": rate * n_out,
        "total_token_throughput": rate * (n_out + 1000),
    }
    for name, figure_s in (("ttft", ttft_s), ("tpot", tpot_s), ("itl", tpot_s), ("e2el", e2e_s)):
        factors = {"mean": 1.0, "median": 1.0, "std": 0.01, "p90": 1.05, "p99": 1.1, "p99.9": 1.2}
        record |= {f"{word}_{name}_ms": figure_s * 1e3 * factor for word, factor in factors.items()}
    return BenchmarkFile(f"{i}.json", json.dumps(record, indent=1).encode(), RunMeta(gpu="h100-sxm", gpus=8))


def measure_trace(n_rows: int, rounds: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.csv"
        write_trace(trace, n_rows)
        print(f"trace: {n_rows:,} lines, {trace.stat().st_size / 1e6:.0f} MB")
        costs = [(in_own_process(bare, trace), in_own_process(ours, trace)) for _ in range(rounds)]
    assert all(cost.rows == n_rows for pair in costs for cost in pair)
    bare_s, ours_s = (statistics.median(pair[side].seconds for pair in costs) for side in (0, 1))
    memory = max(pair[1].peak_bytes for pair in costs)
    share = statistics.median(bare.seconds / ours.seconds for bare, ours in costs)
    print(f"bare  {bare_s:6.2f} s  {n_rows / bare_s / 1e6:5.2f} million lines/s")
    print(f"ours  {ours_s:6.2f} s  {n_rows / ours_s / 1e6:5.2f} million lines/s  peak {memory / 1e9:.2f} GB")
    print(f"median share of the rate {share:.2f} (bar {LEAST_SHARE_OF_RATE}), memory bar {MOST_MEMORY_BYTES / 1e9:.1f} GB")
    return share >= LEAST_SHARE_OF_RATE and memory < MOST_MEMORY_BYTES


def measure_files() -> bool:
    files = [result_file(i) for i in range(N_FILES)]
    start = time.perf_counter()
    found = ingest(files)
    BenchmarkRun.validate(found.runs)
    OperatingPoint.validate(found.accepted)
    seconds = time.perf_counter() - start
    assert (found.accepted.height, found.rejected.height) == (N_FILES, 0)
    print(f"files: {N_FILES:,} in {seconds:.2f} s (bar {MOST_SECONDS:.0f} s)")
    return seconds < MOST_SECONDS


def main() -> int:
    n_rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    return 0 if all([measure_trace(n_rows, rounds), measure_files()]) else 1


if __name__ == "__main__":
    sys.exit(main())
