"""Refreshes that are killed at seeded random points: nothing is lost or doubled, and the next one succeeds."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl

from pipelines.records import UNFINISHED
from pipelines.resources import instance
from schemas.base import Table, table_name
from schemas.evidence.provenance import Refresh, SnapshotLog
from schemas.quarantine import Quarantine
from schemas.registry import TABLES
from sources.transports import bronze
from tests.kills import KEYS, run, times_of_day
from tests.refreshed import built_at
from warehouse.recovery import opens
from warehouse.store import read_table

GROWING: tuple[type[Table], ...] = (Quarantine, Refresh, SnapshotLog)
PARTS = 8
"""Parts of all assets, of which each seed begins at another."""


class Kept:
    """What a data folder held before, and must hold after whatever happened to a refresh."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tables = {schema: self._table(schema) for schema in TABLES.values()}

    def check(self) -> None:
        """The published file opens; no row of any table is lost or doubled, on disk or in the published file."""
        latest = self.folder / "releases" / "latest.duckdb"
        assert opens(latest)
        with duckdb.connect(str(latest), read_only=True) as connection:
            for schema, before in self.tables.items():
                now = self._table(schema)
                if before is None or now is None:
                    assert before is now
                    continue
                counted = connection.sql(f"SELECT count(*) FROM {table_name(schema)}").fetchall()[0][0]
                key = schema.to_schema().unique
                if schema in GROWING or "refreshed_at" in (key or []):
                    assert now.height >= counted >= before.height, schema
                    assert before.join(now, on=key, how="anti", nulls_equal=True).is_empty(), schema
                else:
                    assert now.equals(before), schema
                    assert counted == before.height, schema
                assert not key or not now.select(key).is_duplicated().any(), schema

    def check_tidy(self) -> None:
        """Nothing half written lies about, no run counts as running, every line of every log is whole."""
        root = self.folder
        assert [*root.rglob(".*.tmp"), *root.glob("releases/*.building*"), *root.glob("releases/.*.link")] == []
        with instance(root) as dagster:
            assert [each for each in dagster.get_runs() if each.status in UNFINISHED] == []
        for log in (root / "bronze").glob("*/log.jsonl"):
            lines = [line for line in log.read_bytes().splitlines() if line]
            assert len(bronze.attempts(root / "bronze", log.parent.name)) == len(lines)

    def _table(self, schema: type[Table]) -> pl.DataFrame | None:
        frame = read_table(self.folder / "tables", schema)
        is_key = "refreshed_at" in (schema.to_schema().unique or [])
        return frame if frame is None or is_key else frame.drop("refreshed_at", strict=False)


def attack(folder: Path, *, seed: int, count: int, say: Callable[[str], object]) -> Counter[str]:
    """Kill so many refreshes of a data folder, each of one asset with its release, and let one more follow each.

    Half are killed just before a random operation on a file of the folder, half after a random time. After each, and after
    the refresh that follows, all that the folder held must still be there. Raises AssertionError where it is not.
    """
    kept, seeded, clock, came = Kept(folder), random.Random(seed), times_of_day(built_at(folder), 10 * count), Counter[str]()
    last, number = run(folder, KEYS[0], now=next(clock)), 0
    while came["killed"] < count:
        key = KEYS[(seed * len(KEYS) // PARTS + number) % len(KEYS)]
        if number % 2:
            after_s = seeded.uniform(0.0, last.seconds)
            where, ended = f"after {after_s:.1f} s", run(folder, key, now=next(clock), after_s=after_s)
        else:
            at = seeded.randint(1, last.operations)
            where, ended = f"at file operation {at}", run(folder, key, now=next(clock), at_operation=at)
        number += 1
        came["killed" if ended.exit_code == -9 else "ended before"] += 1  # no kill, and checked all the same
        kept.check()
        last = run(folder, key, now=next(clock))
        assert last.exit_code == 0, last.failed
        kept.check()
        kept.check_tidy()
        say(f"seed {seed}: {came['killed']} killed, {number} runs; {'.'.join(key.path)} {where}, exit {ended.exit_code}")
    return came
