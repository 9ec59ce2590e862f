"""What a figure is: rows, the chart that draws them, the sentence they prove, and how each mark is told."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from figures.style import Spec


class NothingToShowError(Exception):
    """A figure has no rows to draw; the message says which, and is printed in its place."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """Something the reader picks: rows with the chosen value of `column` are drawn, and rows where it is NULL always are.

    What there is to pick follows what was picked in the controls before it.
    """

    column: str
    label: str
    start: Any = None
    """What is picked first; where it is not there, or None, the first value of the frame."""
    every: str = ""
    """Label of the choice of all values; empty: there is none."""
    slider: bool = False


@dataclass(frozen=True, kw_only=True)
class Told:
    """The columns from which every mark tells its name, value, interval, source and date."""

    name: tuple[str, ...]
    value: str
    source: str
    on: str
    low: str | None = None
    high: str | None = None
    more: tuple[str, ...] = ()

    def columns(self) -> tuple[str, ...]:
        """All of them."""
        ends = [name for name in (self.low, self.high) if name]
        return (*self.name, self.value, *ends, self.source, self.on, *self.more)


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """A figure as made from the tables of one refresh."""

    finding: str
    """What it shows, in one or two sentences with numbers."""
    as_of: str
    """Days of the numbers."""
    uncertainty: str
    """What the error bars and bands are, and what they leave out."""
    rows: pl.DataFrame
    """All that can be drawn; units in the column names."""
    chart: Spec
    """Vega-Lite without data; its fields are columns of `rows`."""
    told: Told
    sql: str
    """The question to the warehouse that gives these rows, with the columns that controls pick by."""
    rests_on: tuple[str, ...]
    """Documents the rows rest on: names of sources."""
    controls: tuple[Control, ...] = ()
    log: tuple[str, ...] = ()
    """Axes that the reader may switch between a logarithmic and a linear scale."""


@dataclass(frozen=True)
class Subject:
    """A figure of the report before it is drawn: its name, the tables it needs, and the function that draws it."""

    name: str
    """File name of its pictures and anchor in the page."""
    title: str
    tables: tuple[str, ...]
    """Bare names of the tables that `draw` takes by keyword. The picture is shown in the UI on the first."""
    note: str
    """Method note in docs/."""
    draw: Callable[..., Exhibit]


def drawn(subject: Subject, tables: Mapping[str, pl.LazyFrame]) -> Exhibit:
    """Draw a subject from its tables. A parameter annotated as a LazyFrame gets its table unread."""
    asked = inspect.signature(subject.draw).parameters
    return subject.draw(
        **{name: table if asked[name].annotation is pl.LazyFrame else table.collect() for name, table in tables.items()}
    )


def shown_first(exhibit: Exhibit) -> pl.DataFrame:
    """The rows that are drawn before the reader picks anything, which are those of the pictures."""
    rows = exhibit.rows
    for control in exhibit.controls:
        known = rows[control.column].drop_nulls()
        if known.is_empty() or (control.every and control.start is None):
            continue
        picked = control.start if control.start is not None and control.start in known else known[0]
        rows = rows.filter(pl.col(control.column).is_null() | (pl.col(control.column) == picked))
    return rows


def rows(frame: pl.DataFrame, *, of: str) -> pl.DataFrame:
    """The frame itself. Raises NothingToShowError where it has no rows; `of` says what is missing."""
    if frame.is_empty():
        raise NothingToShowError(f"There is no {of}.")
    return frame


def rounded(frame: pl.DataFrame) -> pl.DataFrame:
    """Floats to four digits, which is what anybody reads."""
    return frame.with_columns(pl.selectors.float().round_sig_figs(4))


def span(column: pl.Series) -> tuple[float, float]:
    """Least and largest value of a column of numbers that has some."""
    return float(column.min()), float(column.max())  # type: ignore[arg-type]


def in_words(count: int, what: str) -> str:
    """A count with its noun, such as `1 model` or `12 models`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def day(value: object) -> str:
    """A date as 1 November 2026."""
    return f"{value:%-d %B %Y}"


def days(column: pl.Series) -> str:
    """The days of a column: one day, or the first and the last; a dash where none is known."""
    first, last = column.min(), column.max()
    if first is None:
        return "an unknown day"
    return day(first) if first == last else f"{day(first)} to {day(last)}"
