"""The body of a file as text and as JSON values; broken lines are reported one by one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sources.serving.benchmark_outputs.fields import RowError

_SNIFFED_LINES = 50


@dataclass(frozen=True)
class Document:
    """Text of a file, its first JSON value (None for other text), and whether that value is the whole file."""

    text: str
    value: Any
    is_whole: bool


def load(body: bytes) -> Document:
    """Decode a body and read its first JSON value.

    Raises ValueError for an empty body, for bytes that are not UTF-8 text and for JSON without one complete value.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text: {error.reason} at byte {error.start}") from error
    stripped = text.lstrip()
    if not stripped:
        raise ValueError("the file is empty")
    if stripped[0] not in "{[":
        return Document(text, None, is_whole=False)
    try:
        value, end = json.JSONDecoder().raw_decode(stripped)
    except (ValueError, RecursionError) as error:
        return Document(text, _first_readable_line(text, error), is_whole=False)
    return Document(text, value, is_whole=not stripped[end:].strip())


def _first_readable_line(text: str, error: Exception) -> Any:
    """JSON object of the first line that is one: a log of runs may begin with a broken line."""
    for line in text.splitlines()[:_SNIFFED_LINES]:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and value:
            return value
    raise ValueError(f"not complete JSON: {error}") from error


def objects(document: Document) -> Iterator[tuple[str, Any]]:
    """JSON values of a document with their place in it: the whole value, elements of a list, or one per line.

    Yields (place, value); a line that is not JSON yields (place, RowError).
    """
    if document.is_whole:
        if isinstance(document.value, list):
            yield from ((f"element {i}", item) for i, item in enumerate(document.value, start=1))
        else:
            yield "element 1", document.value
        return
    for number, line in enumerate(document.text.splitlines(), start=1):
        if line.strip():
            yield f"line {number}", _line(line)


def _line(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return RowError("unreadable_line", f"the line is not complete JSON: {error}", value=line[:80])


def example(document: Document) -> dict[str, Any]:
    """First JSON object of a document, by which its format is recognised; empty if there is none."""
    value = document.value
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, dict)), None)
    return value if isinstance(value, dict) else {}
