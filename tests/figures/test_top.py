"""What stands above the figures: the oldest evidence, stale sources, what changed, and doors that say what the figures say."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from assets.report_top import changes, in_words, oldest, stale
from figures.chart import bundle_version
from figures.page import page
from figures.style import PAGE
from figures.top import NOT_BUILT, Changes, Top, doors_of
from schemas.base import empty
from schemas.evidence.provenance import Refresh, SnapshotLog
from warehouse.changes import Change, Kind
from warehouse.resources import DataFolder
from warehouse.store import read_table


def change(kind: Kind, before: float | str | None, after: float | str | None, unit: str | None = None) -> Change:
    return Change(kind=kind, subject="gpt-5", detail="openai input", before=before, after=after, unit=unit)


def test_a_change_is_one_line():
    assert in_words(change(Kind.PRICE, 2.5, 1.25, "usd_per_mtok")) == "gpt-5, openai input: $2.5 before, $1.25 now"
    assert in_words(change(Kind.PRICE_FRONTIER, None, 5.625, "usd_per_mtok")) == "gpt-5, openai input: entered at $5.625"
    assert in_words(change(Kind.MODEL, 3, None, "sellers")) == "gpt-5, openai input: left"
    assert in_words(change(Kind.VERDICT, "not_testable", "reproduced")) == (
        "gpt-5, openai input: not testable before, reproduced now"
    )


def test_first_release_has_nothing_to_compare_with(refreshed: Path):
    assert changes(DataFolder(root=str(refreshed))) is None or len(list((refreshed / "releases").glob("*Z-*.duckdb"))) > 1


def test_oldest_document_has_a_title_and_a_day(refreshed: Path):
    documents = read_table(refreshed / "tables", SnapshotLog)
    assert documents is not None
    found = oldest(documents)
    assert found is not None
    title, day = found
    assert title
    assert day <= documents.select(pl.coalesce("published_at", "fetched_at").max()).item().date()
    assert oldest(empty(SnapshotLog)) is None


def test_a_source_is_stale_by_its_last_step():
    at = [datetime(2026, 12, day, tzinfo=UTC) for day in (1, 2)]
    rows = [
        ("source.a", 0, "written", "stale: 40 days old"),
        ("source.a", 1, "written", None),
        ("source.b", 1, "failed", None),
        ("core.x", 1, "failed", None),
        ("source.c", 1, "written", "stale: 31 days old"),
    ]
    blank = empty(Refresh)
    steps = pl.DataFrame(
        [{"asset": asset, "started_at": at[day], "outcome": outcome, "warnings": told} for asset, day, outcome, told in rows]
    ).cast({"started_at": blank.schema["started_at"]})
    assert stale(pl.concat([blank, steps], how="diagonal")) == ("b", "c")
    assert stale(None) == ()


def test_the_page_tells_what_changed_as_text():
    told = (("Prices", ("a <b>: $1 before, $2 now",), 3),)
    top = Top(
        built_at=datetime(2026, 12, 1, tzinfo=UTC),
        release="r.duckdb",
        oldest=("A title", date(2025, 3, 12)),
        doors=doors_of({}),
        changes=Changes(before="20261130", told=told),
        stale=("vast",),
        priced_model="",
    )
    html = page((), top=top, prices=None, hosting=None, bundle="window.vegaEmbed = null;</script>")
    for text in ("a &lt;b&gt;: $1 before, $2 now", "and 3 more", "12 March 2025 (A title)", "Stale or failed sources: vast."):
        assert text in html
    assert html.partition("<main>")[0].count(NOT_BUILT.partition("`")[0]) == 3
    assert html.count("</script>") == 3
    assert PAGE["ink"] == "var(--ink)"
    assert bundle_version().startswith("vega-")
