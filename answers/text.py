"""How answers are written: dollars, numbers and shares for people, JSON for programs. Unknown is `-`, and null in JSON."""

import dataclasses
import json
from collections.abc import Iterable
from typing import Any, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

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
