"""Readers who open the published file while it is replaced: each must see one whole release, whichever."""

import multiprocessing
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from schemas.base import polars_schema
from schemas.evidence.provenance import Refresh
from schemas.prices.llm_prices import LlmPrice
from warehouse.publish import publish
from warehouse.recovery import LATEST
from warehouse.store import table_path, write_frame

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROW = {
    "provider": "openai",
    "model": "gpt-4o",
    "source_provider": "openai",
    "source_model": "gpt-4o",
    "leg": "input",
    "tier_min_tokens": 0,
    "variant": "standard",
    "price_window": "always",
    "usd_per_mtok": 0.0,
    "valid_from": AT.date(),
    "date_basis": "observed",
    "source": "litellm",
    "observed_at": AT,
}
"""A price, which stands for the generation of a release."""


def publish_generation(folder: Path, number: int) -> None:
    """Publish a release of which two tables name its generation."""
    row = ROW | {"usd_per_mtok": float(number)}
    write_frame(table_path(folder / "tables", LlmPrice), pl.DataFrame([row], schema=polars_schema(LlmPrice)))
    run = {"run_id": str(number), "started_at": AT, "asset": "a", "outcome": "written"}
    write_frame(table_path(folder / "tables", Refresh), pl.DataFrame([run], schema=polars_schema(Refresh)))
    at = AT + timedelta(seconds=number)
    publish(tables=folder / "tables", releases=folder / "releases", run_id=f"{number:08d}", at=at, keep=3)


def _publish_on(folder: Path, stop: Any, told: Any) -> None:
    number = 1
    while not stop.is_set():
        publish_generation(folder, number)
        number += 1
    told.put(number - 1)


def attack(folder: Path, *, count: int) -> Counter[str]:
    """Read so many times from an empty folder's releases while another process publishes one after the other."""
    publish_generation(folder, 0)
    processes, came, seen = multiprocessing.get_context("spawn"), Counter[str](), set()
    stop, told = processes.Event(), processes.SimpleQueue()
    publisher = processes.Process(target=_publish_on, args=(folder, stop, told))
    publisher.start()
    try:
        for _ in range(count):
            try:
                with duckdb.connect(str((folder / "releases" / LATEST).resolve()), read_only=True) as connection:
                    ((price, run),) = connection.execute(
                        "SELECT (SELECT usd_per_mtok FROM core.llm_price), (SELECT run_id FROM meta.refresh)"
                    ).fetchall()
                came["whole" if price == float(run) else "mixed"] += 1
                seen.add(run)
            except duckdb.Error as error:
                came[type(error).__name__] += 1
    finally:
        stop.set()
        publisher.join()
    came["releases published meanwhile"] = told.get()
    came["releases seen"] = len(seen)
    return came
