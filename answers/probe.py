"""What the live sources say at this moment, without keeping it: rows, keys nobody knows, and what a refresh would change."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

import polars as pl
from rich.console import Console
from rich.markup import escape

from answers.text import say
from assets.documents import READERS
from assets.prices.llm_prices import folded
from schemas.base import empty
from schemas.prices.llm_prices import LlmPrice, RawModelAttribute
from schemas.prices.price_sources import PRICE_SOURCES
from schemas.quarantine import Parsed
from sources.publishers import CATALOGUE
from sources.source import Source
from sources.transports import bronze
from sources.transports.http import Policy
from sources.transports.ladder import load
from warehouse.recovery import previous_table
from warehouse.resources import Settings
from warehouse.table import FEWER

UNKNOWN = ("unknown_price_key", "unknown_condition")
OF_A_DAY = ("seen_on", "evidence_on", "document_sha256", "locator")
"""Columns that differ between two documents which say the same."""


@dataclass(frozen=True)
class Probed:
    """What one source said: NULL where it gave no document. `problem` says why, `unknown` names the keys nobody knows."""

    source: str
    rows: int | None = None
    refused: int | None = None
    new_rows: int | None = None
    gone_rows: int | None = None
    held_back: int | None = None
    unknown: tuple[str, ...] = ()
    warning: str | None = None
    problem: str | None = None


def probe(root: Path, settings: Settings, *, names: Sequence[str], now: datetime) -> list[Probed]:
    """Ask each live source once, or those named, and keep nothing. Raises ValueError for a name that no live source has."""
    live = {source.name: (asset, source) for asset, group in CATALOGUE.items() for source in group if source.live}
    groups = {asset: [source.name for source in group if source.live] for asset, group in CATALOGUE.items()}
    asked = [each for name in names for each in (groups.get(name) or [name])]
    for name in asked:
        if name not in live:
            near = get_close_matches(name, [*live, *groups], 3)
            raise ValueError(f"{name} is no live source" + (f": did you mean {' or '.join(near)}?" if near else ""))
    chosen = asked or [name for name, (asset, each) in live.items() if settings.asks(asset, name, opt_in=each.opt_in)]
    return [_probed(*live[name], root=root, settings=settings, now=now) for name in chosen]


def _probed(asset: str, source: Source, *, root: Path, settings: Settings, now: datetime) -> Probed:
    read = READERS[asset]
    with TemporaryDirectory() as nowhere:
        policy = Policy(contact=settings.contact, private_hosts=settings.private_hosts, deadline_s=30.0)
        loaded = load(source, read, bronze_root=Path(nowhere), policy=policy, offline=False, now=now, urls=settings.urls)
    if loaded.served_from not in bronze.LIVE or loaded.parsed is None or loaded.snapshot is None:
        return Probed(source.name, problem="; ".join(loaded.problems) or "it gave no document")
    accepted, rejected = loaded.parsed
    before = _stored(source.name, read, root)
    unknown = rejected.filter(pl.col("rule").is_in(UNKNOWN))["column_name"].drop_nulls().unique().sort().to_list()
    share, was = _share(loaded.parsed), None if before is None else _share(before)
    fell = f"{share:.0%} of its rows can be used, {was:.0%} before" if was is not None and share < FEWER * was else None
    return Probed(
        source=source.name,
        rows=accepted.height,
        refused=int(rejected["n_rows"].sum()),
        new_rows=None if before is None else _beyond(accepted, before.accepted),
        gone_rows=None if before is None else _beyond(before.accepted, accepted),
        held_back=_held_back(accepted, root, now) if source.name in PRICE_SOURCES else None,
        unknown=tuple(unknown),
        warning=fell,
    )


def _stored(name: str, read: Callable[..., Parsed], root: Path) -> Parsed | None:
    """The rows of the last document kept of a source, None where there is none that can be read."""
    for held in bronze.good(bronze.attempts(root / "bronze", name)):
        try:
            body = bronze.get(root / "bronze", name, held.sha256)
            return read(type(held)(**{**asdict(held), "body": body}))
        except (bronze.DamagedBodyError, ValueError):
            continue
    return None


def _beyond(these: pl.DataFrame, those: pl.DataFrame) -> int:
    """Rows of one document that the other does not have."""
    same = [name for name in these.columns if name not in OF_A_DAY]
    return these.join(those, on=same, how="anti", nulls_equal=True).height


def _share(parsed: Parsed) -> float:
    """Share of a document's rows that could be used; what is out of scope does not count."""
    bad = parsed.rejected.filter(pl.col("severity") != "out_of_scope")["n_rows"].sum()
    return parsed.accepted.height / max(1, parsed.accepted.height + int(bad))


def _held_back(accepted: pl.DataFrame, root: Path, now: datetime) -> int:
    """Prices that the guards of the history would hold back today."""
    history = previous_table(root / "tables", LlmPrice)
    refused = folded(history, [accepted], [empty(RawModelAttribute)], now=now).rejected
    return int(refused["n_rows"].sum())


def show_probed(found: Sequence[Probed], *, console: Console) -> None:
    """One line per source, and a line for each warning."""
    for each in found:
        if each.problem:
            say(escape(f"{each.source}: no answer: {each.problem}"), console=console)
            continue
        change = "first document" if each.new_rows is None else f"{each.new_rows:,} new or other rows, {each.gone_rows:,} gone"
        held = f", {each.held_back:,} held back" if each.held_back is not None else ""
        line = f"{each.source}: {each.rows:,} rows, {each.refused:,} refused; a refresh would see {change}{held}"
        say(escape(line), console=console)
        if each.unknown:
            some = ", ".join(each.unknown[:8]) + (f" and {len(each.unknown) - 8} more" if len(each.unknown) > 8 else "")
            say(escape(f"warning: keys that nobody knows: {some}"), console=console, indent=2)
        if each.warning:
            say(escape(f"warning: {each.warning}"), console=console, indent=2)


def write_probed(found: Sequence[Probed], stream: TextIO = sys.stdout) -> None:
    """The same as JSON."""
    json.dump([asdict(each) for each in found], stream, indent=2)
    stream.write("\n")
