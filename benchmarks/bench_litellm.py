"""What validated parsing of LiteLLM's price file costs over the least one can do with it.

    python benchmarks/bench_litellm.py [PATH_OF_THE_JSON] [ROUNDS]

Without a path the file is taken from the newest litellm wheel, which is downloaded and not installed. Both sides start
from the bytes and end with a Parquet file on disk, and take turns within one run:

- bare: json.loads, one row per model with its four best-known prices as they stand, write_parquet;
- ours: parse_prices (every price with leg, threshold, tier and window; refused rows apart), its contract,
  write_parquet.

The bar: ours takes at most three times as long as bare.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from schemas.prices.llm_prices import CEILING_USD_PER_MTOK, RAW_PRICES
from sources.prices.litellm import SOURCE, parse_prices
from sources.source import Registry, Snapshot, content_hash

BAR = 3.0
FIELDS = (
    "litellm_provider",
    "mode",
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
)


def downloaded() -> bytes:
    """The price file inside the newest litellm wheel."""
    (rung,) = [rung for rung in SOURCE.live if isinstance(rung, Registry)]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*command, "--dest", folder, rung.package], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(rung.member)


def bare(snapshot: Snapshot, target: Path) -> int:
    """Read the JSON, make a plain frame, write it."""
    document = json.loads(snapshot.body)
    rows = [(name, *(entry.get(field) for field in FIELDS)) for name, entry in document.items()]
    schema = {"model": pl.String, "litellm_provider": pl.String, "mode": pl.String} | dict.fromkeys(FIELDS[2:], pl.Float64)
    frame = pl.DataFrame(rows, schema=schema, orient="row", strict=False)
    frame.write_parquet(target)
    return frame.height


def ours(snapshot: Snapshot, target: Path) -> int:
    """Parse every price, check the contract, write."""
    parsed = parse_prices(snapshot)
    # The table sends the few rows at or above the ceiling to quarantine; here they only have to be out of the way.
    prices = parsed.accepted.filter(pl.col("usd_per_mtok") < CEILING_USD_PER_MTOK)
    RAW_PRICES["litellm"].validate(prices, lazy=True)
    prices.write_parquet(target)
    return prices.height


def seconds(side: Callable[[Snapshot, Path], int], snapshot: Snapshot, target: Path) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    side(snapshot, target)
    return time.perf_counter() - start


def main() -> int:
    """Measure both sides alternately and print medians, spread and ratio."""
    body = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else downloaded()
    snapshot = Snapshot("litellm", body, content_hash(body), "seed", "benchmark", fetched_at=datetime.now(UTC))
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 31
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "prices.parquet"
        counts = {side.__name__: side(snapshot, target) for side in (bare, ours)}
        pairs = [(seconds(bare, snapshot, target), seconds(ours, snapshot, target)) for _ in range(rounds)]
    times = {"bare": [pair[0] for pair in pairs], "ours": [pair[1] for pair in pairs]}
    print(f"{len(body):,} bytes, {rounds} rounds of each, taking turns")
    for name, found in times.items():
        low, _, high = statistics.quantiles(found, n=4)
        print(
            f"{name}: {counts[name]:>6,} rows, median {statistics.median(found) * 1e3:6.1f} ms"
            f" (middle half {low * 1e3:.1f} to {high * 1e3:.1f})"
        )
    ratio = statistics.median(mine / theirs for theirs, mine in pairs)
    print(f"ratio, median over rounds: {ratio:.2f} (bar {BAR:.0f})")
    return int(ratio > BAR)


if __name__ == "__main__":
    sys.exit(main())
