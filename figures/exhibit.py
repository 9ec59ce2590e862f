"""What a figure is: a picture, the sentence it proves, its words for those who cannot see it, and the numbers behind it."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl
from matplotlib.figure import Figure


class NothingToShowError(Exception):
    """A figure has no rows to draw; the message says which, and is printed in its place."""


@dataclass(frozen=True)
class Exhibit:
    """A figure as drawn from the tables of one refresh."""

    finding: str
    """What it shows, in one or two sentences with numbers."""
    alt: str
    """What is drawn, for a reader who does not see it."""
    as_of: str
    """Days of the numbers."""
    uncertainty: str
    """What the error bars and bands are, and what they leave out."""
    numbers: pl.DataFrame
    """The rows that were drawn; units in the column names."""
    picture: Figure | None = None
    """None where the table itself is the figure."""


@dataclass(frozen=True)
class Subject:
    """A figure of the report before it is drawn: its name, the tables it needs, and the function that draws it."""

    name: str
    """File name of its pictures and anchor in the page."""
    title: str
    tables: tuple[str, ...]
    """Bare names of the tables that `draw` takes by keyword. The picture is shown in the UI on the first."""
    sources: tuple[str, ...]
    """Documents behind these tables: names of sources, or of source assets with all their documents."""
    note: str
    """Method note in docs/."""
    draw: Callable[..., Exhibit]


def drawn(subject: Subject, tables: Mapping[str, pl.LazyFrame]) -> Exhibit:
    """Draw a subject from its tables. A parameter annotated as a LazyFrame gets its table unread."""
    asked = inspect.signature(subject.draw).parameters
    return subject.draw(
        **{name: table if asked[name].annotation is pl.LazyFrame else table.collect() for name, table in tables.items()}
    )


def rows(frame: pl.DataFrame, *, of: str) -> pl.DataFrame:
    """The frame itself. Raises NothingToShowError where it has no rows; `of` says what is missing."""
    if frame.is_empty():
        raise NothingToShowError(f"There is no {of}.")
    return frame


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
    """The days of a column: one day, or the first and the last."""
    first, last = column.min(), column.max()
    return day(first) if first == last else f"{day(first)} to {day(last)}"
