"""The page that people read: every figure drawn once from the published tables, shown in the UI on its mart as well."""

import time
import uuid
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl

from figures import FOLDER, PAGE
from schemas.base import empty, table_name
from schemas.evidence.provenance import SnapshotLog
from schemas.registry import TABLES
from sources.publishers import CATALOGUE
from sources.source import Source
from warehouse.recovery import LATEST
from warehouse.resources import DataFolder, run_time
from warehouse.store import read_table, scan_table
from warehouse.table import OWNER, asset_key

if TYPE_CHECKING:
    from figures.exhibit import Subject
    from figures.page import Section

KEY = dg.AssetKey(["report", "page"])
DRAWN_CHECK = "every_figure_is_drawn"


@dg.asset(
    key=KEY,
    deps=[dg.AssetKey(["release", "latest"])],
    group_name="report",
    owners=[OWNER],
    kinds={"matplotlib", "html"},
    description="One page with the claims ledger and every figure, and each figure as SVG and PNG: `iecon report --open`.",
    check_specs=[
        dg.AssetCheckSpec(DRAWN_CHECK, asset=KEY, description="every table that a figure needs is there and has rows")
    ],
)
def page(context: dg.AssetExecutionContext, data: dg.ResourceParam[DataFolder]) -> Iterator[object]:
    """Draw the report from the tables as they stand. A figure without its table leaves a note in the page."""
    from figures.contents import SUBJECTS  # noqa: PLC0415  matplotlib takes long to import: only where it draws
    from figures.page import page as rendered  # noqa: PLC0415

    started = time.perf_counter()
    known = read_table(data.tables, SnapshotLog)
    documents = empty(SnapshotLog) if known is None else known
    sections = [section(subject, data, documents) for subject in SUBJECTS]
    for drawn in sections:
        if drawn.png:
            yield shown_on_its_mart(drawn)
    release = (data.releases / LATEST).resolve().name
    html = rendered(sections, built_at=run_time(context), release=release).encode()
    write(data, html, sections)
    missing = {drawn.subject.name: drawn.missing for drawn in sections if drawn.exhibit is None}
    yield dg.AssetCheckResult(
        passed=not missing,
        check_name=DRAWN_CHECK,
        asset_key=KEY,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{name}: {why}" for name, why in missing.items()) or None,
    )
    yield dg.MaterializeResult(
        asset_key=KEY,
        metadata={
            "path": dg.MetadataValue.path(str(data.path / FOLDER / PAGE)),
            "bytes": len(html),
            "figures": len(sections) - len(missing),
            "seconds": time.perf_counter() - started,
        },
    )


def section(subject: "Subject", data: DataFolder, documents: pl.DataFrame) -> "Section":
    """Draw one subject, or say why it cannot be drawn."""
    from figures import style  # noqa: PLC0415
    from figures.exhibit import NothingToShowError, drawn  # noqa: PLC0415
    from figures.page import Section  # noqa: PLC0415

    tables = {name: scan_table(data.tables, TABLES[name]) for name in subject.tables}
    absent = [table_name(TABLES[name]) for name, frame in tables.items() if frame is None]
    if absent:
        return Section(subject, missing=f"{' and '.join(absent)} not built yet. `iecon refresh` builds it.")
    try:
        exhibit = drawn(subject, {name: frame for name, frame in tables.items() if frame is not None})
    except NothingToShowError as nothing:
        return Section(subject, missing=str(nothing))
    sources = evidence(subject.sources, documents)
    if exhibit.picture is None:
        return Section(subject, sources, exhibit)
    with style.house_style():
        svg, png = style.pictures(exhibit.picture)
    return Section(subject, sources, exhibit, svg=svg, png=png)


def evidence(names: Sequence[str], documents: pl.DataFrame) -> str:
    """The documents behind a figure with the day each is of, newest first; documents never fetched are left out.

    `names` are sources, or source assets for all their documents; `documents` are rows of meta.snapshot.
    """
    by_name = {source.name: source for sources in CATALOGUE.values() for source in sources}
    wanted: dict[str, Source] = {}
    for name in names:
        wanted |= {source.name: source for source in CATALOGUE.get(name, ())} or {name: by_name[name]}
    newest = (
        documents.filter(pl.col("outcome") == "new", pl.col("source").is_in(list(wanted)))
        .group_by("source")
        .agg(day=pl.coalesce("published_at", "fetched_at").max())
        .sort(pl.col("day"), pl.col("source"), descending=[True, False])
    )
    return "; ".join(f"{wanted[row['source']].title} ({row['day']:%-d %b %Y})" for row in newest.iter_rows(named=True)) + "."


def shown_on_its_mart(drawn: "Section") -> dg.AssetObservation:
    """The picture as an observation of the first table it was drawn from, whose page in the UI shows it."""
    assert drawn.exhibit is not None
    assert drawn.png is not None
    picture = f"![{drawn.exhibit.alt}](data:image/png;base64,{b64encode(drawn.png).decode()})"
    return dg.AssetObservation(
        asset_key=asset_key(TABLES[drawn.subject.tables[0]]),
        metadata={"figure": dg.MetadataValue.md(picture), "finding": drawn.exhibit.finding},
    )


def write(data: DataFolder, html: bytes, sections: Sequence["Section"]) -> None:
    """Replace the pictures and then the page, each in one step; pictures of figures that are gone are removed."""
    pictures = data.path / FOLDER / "figures"
    files = {
        pictures / f"{drawn.subject.name}.{kind}": body
        for drawn in sections
        for kind, body in (("svg", drawn.svg), ("png", drawn.png))
        if body
    }
    for path, body in (files | {data.path / FOLDER / PAGE: html}).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
        unfinished.write_bytes(body)
        unfinished.replace(path)
    for old in set(pictures.glob("*")) - set(files):
        old.unlink()
