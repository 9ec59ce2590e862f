"""A log file of any size: its JSON is split into elements by position, and only the element asked for is decoded.

A file of 1 GB is read in pieces of some megabytes. Where strings begin and end, and how deep each bracket stands, is found for
a whole piece at once; what is kept is the place of each element down to the third level.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

PIECE = 4 << 20
HEAD = 65_536
KEY_BYTES = 65_536
"""No key is longer."""
LEVELS = 3
"""How deep elements are told apart: `results.results[i]` is the deepest list that a format has."""

_OPEN, _CLOSE = b"{[", b"}]"


@dataclass
class Node:
    """A value of the file: where it stands, and its elements by key or position if it holds any that are told apart."""

    start: int
    end: int = 0
    kind: str = "value"
    children: dict[str, "Node"] | list["Node"] | None = None


@dataclass
class Document:
    """A file of evaluation results. `path` is its name, `body` where its bytes lie unpacked if it was compressed."""

    path: Path
    body: Path | None = None
    _handle: BinaryIO | None = field(default=None, repr=False)

    @property
    def bytes_at(self) -> Path:
        """Where its bytes lie."""
        return self.body or self.path

    @cached_property
    def head(self) -> bytes:
        """The first bytes, by which text that is no JSON is told."""
        with self.bytes_at.open("rb") as file:
            return file.read(HEAD)

    @cached_property
    def is_json(self) -> bool:
        """Whether the file begins as JSON does."""
        return self.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")

    @cached_property
    def is_lines(self) -> bool:
        """Whether the first line is a whole JSON object and more follow: a log of lines."""
        first, _, rest = self.head.partition(b"\n")
        if not rest.strip() and not (self.path.suffix == ".jsonl" and first.strip()):
            return False
        if not _ and self.path.suffix == ".jsonl" and len(self.head) == HEAD:
            return first.lstrip()[:1] == b"{"
        return isinstance(_decoded_or_none(first), dict)

    @cached_property
    def root(self) -> Node:
        """The file's first value with its elements. Raises ValueError for JSON that ends too soon."""
        return _outline(self.bytes_at)

    @property
    def top(self) -> list[str]:
        """Keys of the outermost object; empty for a list and for lines."""
        if not self.is_json or self.is_lines:
            return []
        children = self.root.children
        return list(children) if isinstance(children, dict) else []

    def node(self, *path: str) -> Node | None:
        """The value under these keys, None where there is none."""
        at: Node | None = self.root
        for key in path:
            children = at.children if at else None
            at = children.get(key) if isinstance(children, dict) else None
        return at

    def value(self, *path: str) -> Any:
        """The decoded value under these keys, None where there is none."""
        at = self.node(*path)
        return None if at is None else self._decode(at)

    def elements(self, *path: str) -> Iterator[Any]:
        """Elements of the list under these keys, decoded one by one; of the file itself where no key is given."""
        at = self.node(*path)
        if at is not None and isinstance(at.children, list):
            for child in at.children:
                yield self._decode(child)

    def members(self, *path: str) -> Iterator[tuple[str, Any]]:
        """Keys and decoded values of the object under these keys."""
        at = self.node(*path)
        if at is not None and isinstance(at.children, dict):
            for key, child in at.children.items():
                yield key, self._decode(child)

    def first(self, *path: str) -> Any:
        """The first element of a list or object, decoded; None where it is empty."""
        at = self.node(*path)
        if at is None or not at.children:
            return None
        children = at.children
        return self._decode(children[0] if isinstance(children, list) else next(iter(children.values())))

    def lines(self) -> Iterator[tuple[int, Any]]:
        """Number and value of each line that is not empty; a line that cannot be read is given as its ValueError."""
        with self.bytes_at.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    try:
                        yield number, decode(line)
                    except ValueError as error:
                        yield number, error

    @cached_property
    def first_line(self) -> dict[str, Any]:
        """The first line that is a JSON object, empty if none of the first is."""
        with self.bytes_at.open("rb") as file:
            for _, line in zip(range(50), file, strict=False):
                found = _decoded_or_none(line)
                if isinstance(found, dict):
                    return found
        return {}

    @cached_property
    def example(self) -> dict[str, Any]:
        """The first row of a log of rows: of its lines, of its list, or of the list under `data`; empty if there is none."""
        if not self.is_json:
            return {}
        if self.is_lines:
            return self.first_line
        found = self.first("data") if "data" in self.top else (None if self.top else self.first())
        return found if isinstance(found, dict) else {}

    def rows(self, refused: list[str]) -> Iterator[dict[str, Any]]:
        """All rows of a log of rows; one that is no object is told in `refused`."""
        numbered = (
            self.lines()
            if self.is_lines
            else enumerate(self.elements("data") if "data" in self.top else self.elements(), start=1)
        )
        for number, row in numbered:
            if isinstance(row, dict):
                yield row
            else:
                refused.append(f"{self.path.name}, row {number}: not a JSON object")

    def _decode(self, node: Node) -> Any:
        if self._handle is None:
            self._handle = self.bytes_at.open("rb")
        self._handle.seek(node.start)
        return decode(self._handle.read(node.end - node.start))

    def close(self) -> None:
        """Let go of the file."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None


def decode(body: bytes) -> Any:
    """A JSON value; NaN and infinity, which are not JSON, are read as Python writes them. Raises ValueError."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return json.loads(body)
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None


def _decoded_or_none(body: bytes) -> Any:
    try:
        return decode(body)
    except ValueError:
        return None


def _outline(path: Path) -> Node:
    """Walk a file once and note where its elements stand, down to `LEVELS`."""
    builder = _Builder()
    with path.open("rb") as file:
        offset, tail, in_string, depth = 0, b"", False, 0
        while piece := file.read(PIECE):
            body = tail + piece
            # A piece must not end within an escape: what may be one is read again with the next.
            cut = len(body) - (len(body) - len(body.rstrip(b"\\")))
            body, tail = (body[:cut], body[cut:]) if cut < len(body) else (body, b"")
            places, marks, depths, in_string, depth = _structure(body, in_string=in_string, depth=depth)
            builder.take(body, offset, places, marks, depths)
            offset += len(body)
    if builder.root is None or depth > 0 or in_string:
        raise ValueError("not complete JSON: it ends too soon")
    return builder.root


def _structure(body: bytes, *, in_string: bool, depth: int) -> tuple[list[int], list[int], list[int], bool, int]:
    """Places, bytes and depths of the brackets, commas and colons outside strings down to `LEVELS`.

    The depth of an opening bracket is that before it, of a closing one that after it, so that both of a pair agree.
    """
    # Of the same length: an escaped backslash or quote is no quote any more.
    plain = body.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    codes = np.frombuffer(plain, dtype=np.uint8)
    quote = codes == ord('"')
    inside = np.logical_xor.accumulate(quote) ^ in_string if codes.size else quote
    outside = ~inside & ~quote
    opens = ((codes == ord("{")) | (codes == ord("["))) & outside
    closes = ((codes == ord("}")) | (codes == ord("]"))) & outside
    brackets = np.flatnonzero(opens | closes)
    steps = np.where(opens[brackets], 1, -1)
    after = depth + np.cumsum(steps)
    level = np.minimum(after, after - steps)
    splits = np.flatnonzero(((codes == ord(",")) | (codes == ord(":"))) & outside)
    at = np.searchsorted(brackets, splits)
    split_level = np.concatenate([[depth], after])[at] - 1
    places = np.concatenate([brackets[level < LEVELS], splits[split_level < LEVELS]])
    levels = np.concatenate([level[level < LEVELS], split_level[split_level < LEVELS]])
    order = np.argsort(places, kind="stable")
    found = places[order]
    still_in = bool(inside[-1]) if codes.size else in_string
    ended = int(after[-1]) if after.size else depth
    return found.tolist(), codes[found].tolist(), levels[order].tolist(), still_in, ended


class _Builder:
    """Puts the nodes together from brackets, commas and colons, in the order of the file."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.open: list[Node] = []
        self.key_from: list[int] = []
        self.value_from: list[int] = []
        self.keys: list[str | None] = []
        self.text = b""
        self.text_from = 0

    def take(self, body: bytes, offset: int, places: list[int], marks: list[int], depths: list[int]) -> None:
        # A key or a short value may have begun in the piece before.
        waiting = offset
        if self.open:
            waiting = self.key_from[-1] if self.keys[-1] is None else self.value_from[-1]
        kept = self.text[max(0, waiting - self.text_from) :][-KEY_BYTES:] if waiting < offset else b""
        self.text, self.text_from = kept + body, offset - len(kept)
        for place, mark, depth in zip(places, marks, depths, strict=True):
            at = offset + place
            if mark in _OPEN:
                self._opened(at, "object" if mark == _OPEN[0] else "list", depth)
            elif mark in _CLOSE:
                self._closed(at, depth)
            elif mark == ord(","):
                self._ended(at, depth)
            else:
                self._keyed(at, depth)

    def _opened(self, at: int, kind: str, depth: int) -> None:
        node = Node(at, kind=kind)
        if depth == 0:
            if self.root is not None:
                return
            self.root = node
        elif depth > len(self.open):
            return
        else:
            self._add(node)
        node.children = {} if kind == "object" else []
        self.open.append(node)
        self.key_from.append(at + 1)
        self.value_from.append(at + 1)
        self.keys.append(None)

    def _closed(self, at: int, depth: int) -> None:
        if depth != len(self.open) - 1:
            return
        self._scalar(at)
        node = self.open.pop()
        for stack in (self.key_from, self.value_from, self.keys):
            stack.pop()
        node.end = at + 1

    def _ended(self, at: int, depth: int) -> None:
        if depth != len(self.open) - 1:
            return
        self._scalar(at)
        self.key_from[-1] = self.value_from[-1] = at + 1
        self.keys[-1] = None

    def _keyed(self, at: int, depth: int) -> None:
        if depth != len(self.open) - 1 or self.open[-1].kind != "object":
            return
        key = self.text[self.key_from[-1] - self.text_from : at - self.text_from]
        self.keys[-1] = str(decode(key.strip()))
        self.value_from[-1] = at + 1

    def _scalar(self, at: int) -> None:
        """A value that ends here and is neither object nor list that was told apart."""
        node, key, start = self.open[-1], self.keys[-1], self.value_from[-1]
        if isinstance(node.children, dict):
            if key is not None and key not in node.children:
                node.children[key] = Node(start, at)
        elif node.children is not None and start >= 0:
            last = node.children[-1] if node.children else None
            if (last is None or last.start < start) and self._has_text(start, at):
                node.children.append(Node(start, at))

    def _has_text(self, start: int, at: int) -> bool:
        if start < self.text_from:
            return True
        return bool(self.text[start - self.text_from : at - self.text_from].strip())

    def _add(self, node: Node) -> None:
        parent, key = self.open[-1], self.keys[-1]
        if isinstance(parent.children, dict):
            if key is not None:
                parent.children[key] = node
        elif parent.children is not None:
            parent.children.append(node)
