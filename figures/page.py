"""The report as one HTML page: everything it shows is inside it, so that it can be mailed, printed and kept."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, StrictUndefined, select_autoescape

from figures.exhibit import Exhibit, Subject, day
from schemas.base import table_name
from schemas.registry import TABLES

UNKNOWN = "\N{EN DASH}"
TEMPLATE = Path(__file__).with_name("page.html.j2")


@dataclass(frozen=True)
class Section:
    """A subject as it stands in the page: its exhibit and pictures, or the reason why there is none."""

    subject: Subject
    sources: str = ""
    exhibit: Exhibit | None = None
    missing: str = ""
    svg: bytes | None = None
    png: bytes | None = None


def page(sections: Sequence[Section], *, built_at: datetime, release: str) -> str:
    """The page. `release` names the warehouse file whose numbers these are."""
    return str(_template().render(sections=sections, built_at=built_at, release=release))


@cache
def _template() -> Any:
    environment = Environment(
        autoescape=select_autoescape(default=True), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"day": day, "base64": lambda body: b64encode(body).decode(), "cell": cell}
    environment.globals |= {"is_number": is_number, "verdict_class": verdict_class, "full_name": full_name}
    return environment.from_string(TEMPLATE.read_text())


def cell(value: object) -> str:
    """A value in a table: four digits at most behind a float, a dash for what is not known."""
    match value:
        case None:
            return UNKNOWN
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,.4g}" if abs(value) < 1e6 else f"{value:.3e}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
    return str(value)


def is_number(column: pl.Series) -> bool:
    """Whether a column is set to the right."""
    return column.dtype.is_numeric()


def verdict_class(value: object) -> str:
    """CSS class of a cell that holds a verdict of the ledger, else nothing."""
    return f"verdict {value}" if value in VERDICTS else ""


def full_name(table: str) -> str:
    """Name of a table with its layer, as SQL wants it."""
    return table_name(TABLES[table])


VERDICTS = ("reproduced", "reproduced_in_part", "not_reproduced", "not_testable", "inconclusive")
