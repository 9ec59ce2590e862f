"""The body of a file as text and as JSON or YAML values, in whatever clothes it comes; broken lines are reported one by one.

A body may be packed (gzip, zstd), in UTF-8 or UTF-16, hold one JSON value, one per line, several pretty-printed ones in a row,
or JSON among the lines of a log.
"""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from schemas.yaml_document import read_yaml
from sources.serving.benchmark_outputs.fields import NoResultError, RowError

LARGEST_BYTES = 4_000_000_000
"""A packed file that unpacks to more than this is refused before it fills the memory."""
_SNIFFED_LINES = 50
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BYTE_ORDER_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_YAML_KEY = re.compile(r"^(benchmarks|metrics|results|scenario)[ \t]*:", re.MULTILINE)
"""A report in YAML has one of these keys at its top."""
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Document:
    """Text of a file, its first JSON or YAML value (None for other text), and how further values follow.

    `is_whole`: the value is the whole file. `is_log`: the values stand among lines that are none.
    """

    text: str
    value: Any
    is_whole: bool
    is_log: bool = False


def unpacked(body: bytes, *, most: int = LARGEST_BYTES) -> bytes:
    """The body without its gzip or zstd packing, at most so many bytes of it plus one. Raises ValueError for a damaged one."""
    try:
        if body.startswith(_GZIP):
            with gzip.open(io.BytesIO(body)) as packed:
                return packed.read(most + 1)
        if body.startswith(_ZSTD):
            with pa.input_stream(pa.py_buffer(body), compression="zstd") as stream:
                return bytes(stream.read(most + 1))
    except (EOFError, OSError, zlib.error, MemoryError, pa.ArrowException) as error:
        raise ValueError(f"the packed file cannot be unpacked: {error}") from error
    return body


def load(body: bytes) -> Document:
    """Unpack and decode a body and read its first value.

    Raises ValueError for an empty body, for bytes that are no text and for JSON without one complete value.
    """
    plain = unpacked(body)
    if len(plain) > LARGEST_BYTES:
        raise ValueError(f"the packed file unpacks to more than {LARGEST_BYTES / 1e9:.0f} GB")
    text = decoded(plain)
    stripped = text.lstrip()
    if not stripped:
        raise NoResultError("the file is empty")
    if stripped[0] not in "{[":
        return _yaml(text, plain) or _after_log(text) or Document(text, None, is_whole=False)
    try:
        value, end = _DECODER.raw_decode(stripped)
    except (ValueError, RecursionError) as error:
        return _from_readable_line(text, error)
    return Document(text, value, is_whole=not stripped[end:].strip())


def decoded(plain: bytes) -> str:
    """Text of bytes in UTF-8 or, where a byte order mark says so, UTF-16. Raises ValueError for anything else."""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if plain.startswith(mark)), "utf-8-sig")
    try:
        return plain.decode(encoding)
    except UnicodeDecodeError as error:
        raise NoResultError(f"not UTF-8 text: {error.reason} at byte {error.start}") from error


def objects(document: Document) -> Iterator[tuple[str, Any]]:
    """Values of a document with their place in it: the whole value, elements of a list, or one after the other.

    Yields (place, value); where a value is broken, (place, RowError).
    """
    if document.is_whole:
        if isinstance(document.value, list):
            yield from ((f"element {i}", item) for i, item in enumerate(document.value, start=1))
        else:
            yield "element 1", document.value
    elif document.is_log or _spans_lines(document.text):
        yield from _one_after_the_other(document)
    else:
        for number, line in enumerate(document.text.splitlines(), start=1):
            if line.strip():
                yield f"line {number}", _line(line)


def example(document: Document) -> dict[str, Any]:
    """First JSON object of a document, by which its format is recognised; empty if there is none."""
    value = document.value
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, dict)), None)
    return value if isinstance(value, dict) else {}


def table_rows(document: Document) -> Iterator[tuple[str, Any]]:
    """Rows of a table with their line, as cells by column without the empty ones; (line, RowError) for one that is broken.

    A last line without end may be cut inside a figure and is refused. Raises ValueError where the text is no table.
    """
    lines = document.text.splitlines()
    try:
        for number, row in enumerate(csv.DictReader(lines), start=2):
            if None in row or None in row.values():
                yield f"line {number}", RowError("wrong_width", "the line has more or fewer cells than the header")
            elif number == len(lines) and not document.text.endswith("\n"):
                reason = "the last line has no end: it may be cut inside a figure"
                yield f"line {number}", RowError("truncated", reason, severity="suspect")
            else:
                yield f"line {number}", {name: cell for name, cell in row.items() if name and cell != ""}
    except csv.Error as error:
        raise ValueError(f"not a table: {error}") from error


def _yaml(text: str, plain: bytes) -> Document | None:
    """A report in YAML; None for other text. Raises ValueError where it looks like one and cannot be read."""
    if not _YAML_KEY.search(text):
        return None
    value = read_yaml(text.encode() if plain[:2] in (b"\xff\xfe", b"\xfe\xff") else plain)
    return Document(text, value, is_whole=True) if isinstance(value, dict) else None


def _after_log(text: str) -> Document | None:
    """JSON that begins on a line of its own after other lines; None without any."""
    place = 0
    for _ in range(_SNIFFED_LINES):
        found = re.compile(r"^[ \t]*([{\[])", re.MULTILINE).search(text, place)
        if found is None:
            return None
        start = found.start(1)
        try:
            value, _ = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            place = found.end()
            continue
        if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value)):
            return Document(text[start:], value, is_whole=False, is_log=True)
        place = found.end()
    return None


def _from_readable_line(text: str, error: Exception) -> Document:
    """The document by the first of its lines that is a JSON object: a log of runs may begin with a broken line."""
    for line in text.splitlines()[:_SNIFFED_LINES]:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and value:
            return Document(text, value, is_whole=False)
    raise ValueError(f"not complete JSON: {error}") from error


def _spans_lines(text: str) -> bool:
    """Whether the first value goes on beyond its first line, or shares it with another."""
    start = len(text) - len(text.lstrip())
    try:
        _, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return False
    return "\n" in text[start:end] or bool(text[end:].partition("\n")[0].strip())


def _one_after_the_other(document: Document) -> Iterator[tuple[str, Any]]:
    """Values wherever they begin; what stands between them is passed over in a log, and else ends the reading."""
    text, place, number = document.text, 0, 0
    beginning = re.compile(r"^[ \t]*([{\[])" if document.is_log else r"\s*([{\[])", re.MULTILINE)
    while place < len(text):
        found = beginning.search(text, place) if document.is_log else beginning.match(text, place)
        if found is None:
            if not document.is_log and text[place:].strip():
                yield f"object {number + 1}", _line(text[place : place + 80])
            return
        number += 1
        try:
            value, place = _DECODER.raw_decode(text, found.start(1))
        except (ValueError, RecursionError) as error:
            if document.is_log and text[found.start(1)] == "[":  # a log's own brackets, such as [INFO]
                number -= 1
                place = found.end()
                continue
            reason = f"the object is not complete JSON: {error}"
            yield f"object {number}", RowError("unreadable_object", reason, value=text[found.start(1) :][:80])
            return
        if isinstance(value, list):
            yield from ((f"object {number} element {i}", item) for i, item in enumerate(value, start=1))
        else:
            yield f"object {number}", value


def _line(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return RowError("unreadable_line", f"the line is not complete JSON: {error}", value=line[:80])
