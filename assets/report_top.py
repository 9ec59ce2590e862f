"""What stands above the figures of the report: release, oldest evidence, today's answers, what changed since the last."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from schemas.evidence.provenance import Refresh
from sources.publishers import CATALOGUE
from warehouse.changes import Change, Kind, compare, release_before
from warehouse.recovery import LATEST
from warehouse.resources import DataFolder
from warehouse.store import read_table

if TYPE_CHECKING:
    from figures.exhibit import Exhibit
    from figures.top import Changes, Top

HEADINGS = {
    Kind.PRICE: "Prices, $ per million tokens",
    Kind.RENT: "Rents, $ per GPU-hour",
    Kind.PRICE_FRONTIER: "Frontier of price and capability",
    Kind.SERVING_FRONTIER: "Frontier of serving, by evidence",
    Kind.CORRECT_FRONTIER: "Frontier of cost per task and accuracy",
    Kind.VERDICT: "Verdicts that flipped",
    Kind.MODEL: "Models sold",
    Kind.SOURCE: "Sources",
}
MOST_OF_A_KIND = 6


def top_of(data: DataFolder, exhibits: Mapping[str, "Exhibit"], documents: pl.DataFrame, *, at: datetime) -> "Top":
    """The top of the page. `documents` are rows of meta.snapshot."""
    from figures.top import Top, doors_of, priced_model  # noqa: PLC0415

    return Top(
        built_at=at,
        release=(data.releases / LATEST).resolve().name,
        oldest=oldest(documents),
        doors=doors_of(exhibits),
        changes=changes(data),
        stale=stale(read_table(data.tables, Refresh)),
        priced_model=priced_model(exhibits),
    )


def oldest(documents: pl.DataFrame) -> tuple[str, date] | None:
    """Title and day of the oldest document in use; None where none was fetched."""
    titles = {source.name: source.title for sources in CATALOGUE.values() for source in sources}
    newest = (
        documents.filter(pl.col("outcome") == "new", pl.col("source").is_in(list(titles)))
        .group_by("source")
        .agg(day=pl.coalesce("published_at", "fetched_at").max().dt.date())
        .sort("day", "source")
    )
    if newest.is_empty():
        return None
    first = newest.row(0, named=True)
    return titles[first["source"]], first["day"]


def stale(refreshes: pl.DataFrame | None) -> tuple[str, ...]:
    """Sources whose last step failed or said that its documents are stale."""
    if refreshes is None:
        return ()
    last = refreshes.filter(pl.col("asset").str.starts_with("source.")).sort("started_at").unique("asset", keep="last")
    told = (pl.col("outcome") == "failed") | pl.col("warnings").fill_null("").str.contains("stale")
    return tuple(name.removeprefix("source.") for name in last.filter(told)["asset"].sort())


def changes(data: DataFolder) -> "Changes | None":
    """What moved since the release before; None where no other is kept or it cannot be read."""
    from figures.top import Changes  # noqa: PLC0415

    before = release_before(data.releases)
    if before is None or not (data.releases / LATEST).exists():
        return None
    try:
        found = compare(before, data.releases / LATEST)
    except duckdb.Error:
        return None
    told = []
    for kind, heading in HEADINGS.items():
        moved = found.of(kind)
        if moved:
            lines = tuple(in_words(change) for change in moved[:MOST_OF_A_KIND])
            told.append((heading, lines, max(0, len(moved) - MOST_OF_A_KIND)))
    return Changes(before=found.before.name, told=tuple(told))


def in_words(change: Change) -> str:
    """One change in a line."""
    name = f"{change.subject}, {change.detail}" if change.detail else change.subject
    if change.before is None:
        return f"{name}: entered{_at(change.after, change)}"
    if change.after is None:
        return f"{name}: left{_at(change.before, change)}"
    return f"{name}: {_figure(change.before, change)} before, {_figure(change.after, change)} now"


def _at(value: float | str | None, change: Change) -> str:
    return "" if value is None or change.kind is Kind.MODEL else f" at {_figure(value, change)}"


def _figure(value: float | str, change: Change) -> str:
    if isinstance(value, str):
        return value.replace("_", " ")
    return f"${value:,.4g}" if (change.unit or "").startswith("usd") else f"{value:,.4g}"
