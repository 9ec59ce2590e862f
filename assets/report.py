"""The page that people read: every figure drawn once from the published tables, shown in the UI on its mart as well."""

import hashlib
import time
import uuid
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl

from assets.report_top import top_of
from figures import FOLDER, PAGE
from schemas.base import empty, table_name
from schemas.evidence.provenance import SnapshotLog
from schemas.registry import TABLES
from sources.publishers import CATALOGUE
from warehouse.resources import DataFolder, run_time
from warehouse.store import read_table, scan_table
from warehouse.table import OWNER, asset_key

if TYPE_CHECKING:
    from figures.exhibit import Subject
    from figures.page import Section

KEY = dg.AssetKey(["report", "page"])
DRAWN_CHECK = "every_figure_is_drawn"
CACHE = "cache"
"""Folder of what is made once for a version and can always be made again."""


@dg.asset(
    key=KEY,
    deps=[dg.AssetKey(["release", "latest"])],
    group_name="report",
    owners=[OWNER],
    kinds={"html"},
    description="One page with the claims ledger and every figure, and each figure as SVG and PNG: `iecon report --open`.",
    check_specs=[
        dg.AssetCheckSpec(DRAWN_CHECK, asset=KEY, description="every table that a figure needs is there and has rows")
    ],
)
def page(context: dg.AssetExecutionContext, data: dg.ResourceParam[DataFolder]) -> Iterator[object]:
    """Draw the report from the tables as they stand. A figure without its table leaves a note in the page."""
    from figures.contents import SUBJECTS  # noqa: PLC0415  what draws takes long to import: only where it draws
    from figures.page import page as rendered  # noqa: PLC0415

    started = time.perf_counter()
    known = read_table(data.tables, SnapshotLog)
    documents = empty(SnapshotLog) if known is None else known
    sections = [section(subject, data, documents) for subject in SUBJECTS]
    for drawn in sections:
        if drawn.png:
            yield shown_on_its_mart(drawn)
    exhibits = {drawn.subject.name: drawn.exhibit for drawn in sections if drawn.exhibit is not None}
    top = top_of(data, exhibits, documents, at=run_time(context))
    prices, hosting = (table_of(data, name) for name in ("llm_price_wide", "host_or_call"))
    html = rendered(sections, top=top, prices=prices, hosting=hosting, bundle=bundle(data)).encode()
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


def table_of(data: DataFolder, name: str) -> pl.DataFrame | None:
    """A table of a calculator; None where it is not there."""
    return read_table(data.tables, TABLES[name]) if name in TABLES else None


def section(subject: "Subject", data: DataFolder, documents: pl.DataFrame) -> "Section":
    """Draw one subject, or say why it cannot be drawn."""
    from figures.exhibit import NothingToShowError, drawn  # noqa: PLC0415
    from figures.page import Section  # noqa: PLC0415
    from figures.page import section as with_pictures  # noqa: PLC0415

    tables = {name: scan_table(data.tables, TABLES[name]) for name in subject.tables}
    absent = [table_name(TABLES[name]) for name, frame in tables.items() if frame is None]
    if absent:
        return Section(subject=subject, missing=f"{' and '.join(absent)} not built yet. `iecon refresh` builds it.")
    try:
        exhibit = drawn(subject, {name: frame for name, frame in tables.items() if frame is not None})
    except NothingToShowError as nothing:
        return Section(subject=subject, missing=str(nothing))
    sources = evidence(exhibit.rests_on, documents)
    return with_pictures(subject, exhibit, sources=sources, draw=lambda whole: kept_pictures(data, subject.name, whole))


def evidence(names: Sequence[str], documents: pl.DataFrame) -> str:
    """The documents that rows rest on with the day each is of, newest first; documents never fetched are left out.

    `names` are sources as rows name them, see `documents_of`; `documents` are rows of meta.snapshot.
    """
    titles = {source.name: source.title for sources in CATALOGUE.values() for source in sources}
    wanted = {name for asked in names for name in documents_of(asked, titles)}
    newest = (
        documents.filter(pl.col("outcome") == "new", pl.col("source").is_in(list(wanted)))
        .group_by("source")
        .agg(day=pl.coalesce("published_at", "fetched_at").max())
        .sort(pl.col("day"), pl.col("source"), descending=[True, False])
    )
    return "; ".join(f"{titles[row['source']]} ({row['day']:%-d %b %Y})" for row in newest.iter_rows(named=True)) + "."


def documents_of(name: str, titles: Mapping[str, str]) -> list[str]:
    """The sources a row means: that of the name, those whose own name begins with it, else the collection of small runs."""
    if name in titles:
        return [name]
    if name == "closed_form":
        return list(CLOSED_FORMS)
    plain = name.replace("-", "_")
    named = [known for known in titles if _in_its_room(known).startswith(plain)]
    return named or ["measured_others"]


def _in_its_room(source: str) -> str:
    """A source without what says where its documents are kept."""
    for room in ("measured_", "published_", "test_time_"):
        source = source.removeprefix(room)
    return source


CLOSED_FORMS = ("published_hardware", "published_model_shape", "gpu_rent_seed")
"""What a cost that was computed by the closed forms rests on."""


def kept_pictures(data: DataFolder, name: str, whole: bytes) -> tuple[bytes, bytes]:
    """The pictures of a specification, drawn only where it is another than the last time: most rows move less than daily."""
    from figures import chart  # noqa: PLC0415

    folder = data.path / CACHE / "pictures"
    mark = hashlib.sha256(chart.bundle_version().encode() + whole).hexdigest()[:32]
    kept = tuple(folder / f"{name}.{mark}.{kind}" for kind in ("svg", "png"))
    if not all(file.exists() for file in kept):
        for file, body in zip(kept, chart.pictures(whole), strict=True):
            replace(file, body)
        for old in set(folder.glob(f"{name}.*")) - set(kept):
            old.unlink()
    svg, png = (file.read_bytes() for file in kept)
    return svg, png


def bundle(data: DataFolder) -> str:
    """The scripts that draw charts, made once for each version of them."""
    from figures import chart  # noqa: PLC0415

    kept = data.path / CACHE / f"{chart.bundle_version()}.js"
    if not kept.exists():
        replace(kept, chart.bundle().encode())
    return kept.read_text()


def shown_on_its_mart(drawn: "Section") -> dg.AssetObservation:
    """The picture as an observation of the first table it was drawn from, whose page in the UI shows it."""
    assert drawn.exhibit is not None
    assert drawn.png is not None
    picture = f"![{drawn.alt}](data:image/png;base64,{b64encode(drawn.png).decode()})"
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
        replace(path, body)
    for old in set(pictures.glob("*")) - set(files):
        old.unlink()


def replace(path: Path, body: bytes) -> None:
    """Put a file in its place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    unfinished.write_bytes(body)
    unfinished.replace(path)
