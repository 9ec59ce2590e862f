"""How answers are written: dollars, numbers and shares for people, JSON for programs. Unknown is `-`, and null in JSON.

Everything reads at 80 columns: a line goes on in the next between two words, and rows that do not fit side by side are stacked.
"""

import dataclasses
import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from schemas.foreign_text import escaped_in_json, plain

UNKNOWN = "-"


def usd(value: float | None, *, digits: int = 4) -> str:
    """Dollars, to so many digits and never fewer than the whole dollars: `$2.544`, `$12,480`, `-$0.31`."""
    if value is None:
        return UNKNOWN
    size = f"{abs(value):,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{abs(value):.{digits}g}"
    return f"{'-' if value < 0 else ''}${size}"


def number(value: object, *, digits: int = 4) -> str:
    """A number to so many digits, without an exponent below a million: `0.0218`, `9,600`."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return UNKNOWN
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.{digits}g}"
    return f"{value:.{digits}g}"


def share(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """A share in percent, with its interval where it has one: `53.3 % (36 to 70)`."""
    if value is None:
        return UNKNOWN
    around = "" if low is None or high is None else f" ({100 * low:.0f} to {100 * high:.0f})"
    return f"{100 * value:.1f} %{around}"


def write_json(answer: Any, stream: TextIO) -> None:
    """One JSON document of a record, or of a list of records. Dates are written as ISO. ValueError for NaN and infinity."""
    text = json.dumps(answer, default=_plain, allow_nan=False, indent=1, ensure_ascii=False)
    stream.write(escaped_in_json(text) + "\n")


def say(line: str, *, console: Console, indent: int = 0, hanging: int = 2) -> None:
    """Print a line of markup that goes on in the next between two words, further in than it begins; a word is never broken."""
    indent += len(line) - len(line := line.lstrip(" "))
    _print_wrapped(Text.from_markup(line), console=console, first=" " * indent, rest=" " * (indent + hanging))


def show_rows(headings: Sequence[str], rows: Sequence[Sequence[str]], *, console: Console, right: Collection[str] = ()) -> None:
    """Print rows of markup side by side where they fit into the width of the console, else each as a record of lines.

    `right` are the headings of columns of figures.
    """
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(Text(heading), justify="right" if heading in right else "left")
    for row in rows:
        table.add_row(*row)
    needed = console.measure(table, options=console.options.update(max_width=100_000)).maximum
    if needed <= console.width:
        console.print(table)
        return
    label = max(map(cell_len, headings))
    for place, row in enumerate(rows):
        if place:
            console.print()
        for heading, cell in zip(headings, row, strict=True):
            first = heading + " " * (label - cell_len(heading)) + "  "
            _print_wrapped(Text.from_markup(cell), console=console, first=first, rest=" " * (label + 2))


def _print_wrapped(text: Text, *, console: Console, first: str, rest: str) -> None:
    width = max(console.width - cell_len(rest), 20)
    lines = [part for line in text.split("\n", allow_blank=True) for part in line.divide(_ends_of_lines(line.plain, width))]
    for place, line in enumerate(lines or [Text()]):
        line.rstrip()
        console.print(Text(first if place == 0 else rest) + line, highlight=False, soft_wrap=True)


def _ends_of_lines(text: str, width: int) -> list[int]:
    """Where a text is broken, between words, so that each line is no longer than `width` unless a word is."""
    ends, used = [], len(text) - len(text.lstrip())
    for word in re.finditer(r"\S+\s*", text):
        if word.start() and used + cell_len(word[0].rstrip()) > width:
            ends.append(word.start())
            used = 0
        used += cell_len(word[0])
    return ends


class PlainConsole(Console):
    """A console on which nothing that others wrote can steer the terminal: whatever is printed goes through here."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of anything that is printed, with their steering signs made visible."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(plain(segment.text), segment.style)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)
