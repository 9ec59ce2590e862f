"""The report as one HTML page: everything it shows is inside it, so that it can be mailed, printed and kept."""

import gzip
import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from jinja2 import Environment, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from figures.chart import alt, fields, pictures, specification
from figures.exhibit import Exhibit, Subject, day, rounded, shown_first
from figures.glossary import WORDS
from figures.style import PAGE, config
from figures.top import Top
from schemas.base import table_name
from schemas.registry import TABLES

FOLDER = Path(__file__).with_name("web")
SCRIPTS = ("data.js", "chart.js", "table.js", "calculators.js", "live.js", "page.js")
CLOSED, LIVE = "connect-src 'none'", "connect-src 'self'"
"""What a page may ask: nothing; handed out by `iecon serve`, the server it came from."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A subject as it stands in the page: its exhibit and pictures, or the reason why there is none."""

    subject: Subject
    sources: str = ""
    exhibit: Exhibit | None = None
    missing: str = ""
    alt: str = ""
    svg: bytes | None = None
    png: bytes | None = None

    @property
    def has_stale(self) -> bool:
        """Whether any of its rows rests on stale evidence."""
        rows = self.exhibit.rows if self.exhibit else pl.DataFrame()
        return "is_stale" in rows.columns and bool(rows["is_stale"].any())


def section(
    subject: Subject, exhibit: Exhibit, *, sources: str, draw: Callable[[bytes], tuple[bytes, bytes]] = pictures
) -> Section:
    """An exhibit with its pictures, as `draw` makes them of its specification, and its words for those who do not see it."""
    first = shown_first(exhibit)
    svg, png = draw(specification(exhibit.chart, first))
    words = alt(exhibit.chart, first, of=subject.title)
    return Section(subject=subject, sources=sources, exhibit=exhibit, alt=words, svg=svg, png=png)


def page(
    sections: Sequence[Section], *, top: Top, prices: pl.DataFrame | None, hosting: pl.DataFrame | None, bundle: str
) -> str:
    """The page. `prices`: rows of core.llm_price_wide, `hosting`: of marts.host_or_call, for calculators; `bundle` draws."""
    script = f"(() => {{\n'use strict';\n{''.join((FOLDER / name).read_text() for name in SCRIPTS)}}})();"
    style = (FOLDER / "page.css").read_text()
    safe = bundle.replace("</script", "<\\/script")
    return str(
        _template().render(
            sections=sections,
            top=top,
            glossary=WORDS,
            policy=policy(scripts=(safe, script), style=style),
            style=Markup(style),
            bundle=Markup(safe),
            script=Markup(script),
            rows=packed(
                {
                    "config": config(PAGE),
                    "prices": prices_of(prices),
                    "hosting": hosting_of(hosting),
                    "figures": list(figures_of(sections)),
                }
            ),
        )
    )


def policy(*, scripts: Iterable[str], style: str) -> str:
    """What the page may run and load: its own scripts and style by their hashes, pictures inside it, and nothing else."""
    hashes = " ".join(f"'{_hash(text)}'" for text in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src '{_hash(style)}'; img-src data:; {CLOSED}; "
        "base-uri 'none'; form-action 'none'"
    )


def live(html: str) -> str:
    """The page as a server hands it out: it may ask that server, and knows that it can."""
    return html.replace(escape(CLOSED), escape(LIVE), 1).replace('<html lang="en">', '<html lang="en" data-live="1">', 1)


def figures_of(sections: Sequence[Section]) -> Iterable[dict[str, Any]]:
    """What the page's script needs of every figure."""
    for each in sections:
        if each.exhibit is None:
            continue
        exhibit, frame = each.exhibit, each.exhibit.rows
        controls = [msgspec.to_builtins(control) | {"start": _plain(control.start)} for control in exhibit.controls]
        yield {
            "name": each.subject.name,
            "columns": columns_of(frame),
            "numeric": [name for name, kind in frame.schema.items() if kind.is_numeric()],
            "fields": fields(exhibit.chart, frame),
            "chart": exhibit.chart,
            "told": msgspec.to_builtins(exhibit.told),
            "controls": controls,
            "log": list(exhibit.log),
            "sql": exhibit.sql,
        }


def columns_of(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """A frame column by column; texts and days as places in the list of their values, which is much shorter."""
    found: dict[str, dict[str, Any]] = {}
    for name, kind in frame.schema.items():
        column = frame[name]
        if kind.is_numeric() or kind == pl.Boolean:
            found[name] = {"values": column.to_list()}
        else:
            texts = column.cast(pl.String)
            values = texts.drop_nulls().unique(maintain_order=True)
            found[name] = {"values": values.to_list(), "places": texts.cast(pl.Enum(values)).to_physical().to_list()}
    return found


def prices_of(prices: pl.DataFrame | None) -> dict[str, Any] | None:
    """Standard prices at all hours, of models that have one for input and output."""
    if prices is None:
        return None
    names = ("input_usd_per_mtok", "output_usd_per_mtok", "cache_read_usd_per_mtok")
    known = prices.filter(price_window="always").drop_nulls(names[:2])
    return columns_of(known.select("provider", "model", *names, "evidence_on", "is_stale"))


def hosting_of(hosting: pl.DataFrame | None) -> dict[str, Any] | None:
    """Each model, workload and GPU once: what moves with the volume, the page computes from its capacity."""
    if hosting is None or hosting.is_empty():
        return None
    once = hosting.sort("model", "workload", "gpu", "requests_per_day").unique(
        ["model", "workload", "gpu"], keep="first", maintain_order=True
    )
    return columns_of(rounded(once))


def packed(data: Mapping[str, Any]) -> str:
    """Data as JSON, compressed, in letters: the same for the same data."""
    return _letters(gzip.compress(msgspec.json.encode(data), compresslevel=6, mtime=0))


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _letters(body: bytes) -> str:
    return b64encode(body).decode()


def _hash(text: str) -> str:
    return f"sha256-{_letters(hashlib.sha256(text.encode()).digest())}"


@cache
def _template() -> Any:
    environment = Environment(
        autoescape=select_autoescape(default=True), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"day": day, "base64": _letters, "marked": marked}
    environment.globals["full_name"] = full_name
    return environment.from_string((FOLDER / "page.html.j2").read_text())


def marked(text: str) -> Markup:
    """A text with what stands between backticks set as code."""
    parts = text.split("`")
    return Markup().join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def full_name(table: str) -> str:
    """Name of a table with its layer, as SQL wants it."""
    return table_name(TABLES[table])
