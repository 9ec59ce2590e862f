"""The checksum that every table's file carries in itself, so that damage is noticed before any library reads it.

Parquet keeps texts of its own by name in its index, which every reader passes over that does not know them. One is the name of
the file, the other the SHA-256 of all bytes with its own place filled by zeros. A file and its checksum are thus replaced in
one step. Damage that a compressed page hides, a file put in another's place, and bytes that would end the process of a Parquet
reader are all found here, by reading bytes alone.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

FILE, SHA256 = "iecon.file", "iecon.sha256"
BLANK = "0" * 64
_STATED = re.compile(re.escape(SHA256.encode()) + rb"\x18\x40([0-9a-f]{64})")
"""Name and value as Parquet's index writes them: a text of 64 bytes follows."""
_TAIL = 8
"""A Parquet file ends with the length of its index, in four bytes, and four letters."""
_BLOCK = 1 << 20


def metadata(path: Path) -> dict[str, str]:
    """What a file is written with before its checksum is known."""
    return {FILE: _named(path), SHA256: BLANK}


def fill_in(file: BinaryIO) -> None:
    """Put the checksum of a whole file into its place; the file is open for reading and writing."""
    place = _place(file)
    if place is None:
        raise ValueError("the file was not written with a place for its checksum")
    digest = _digest(file, place)
    file.seek(place)
    file.write(digest.encode())


def fault(path: Path) -> str | None:
    """What is wrong with the bytes of a file, in words; None where nothing is. Raises OSError where it cannot be read.

    A file without a checksum at all is none of this program's, or of a version that wrote none.
    """
    with path.open("rb") as file:
        place = _place(file)
        if place is None:
            return "it carries no checksum"
        file.seek(place)
        if file.read(len(BLANK)).decode() != _digest(file, place):
            return "its bytes are not those that were written"
        if f"{FILE}\x18{chr(len(_named(path)))}{_named(path)}".encode("latin-1") not in _index(file)[1]:
            return "it is the file of another table"
    return None


def is_stated(path: Path) -> bool:
    """Whether a file carries a checksum."""
    with path.open("rb") as file:
        return _place(file) is not None


def _named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _index(file: BinaryIO) -> tuple[int, bytes]:
    """Where the index of a Parquet file begins, and its bytes; nothing where there is none."""
    size = file.seek(0, 2)
    if size < 2 * _TAIL:
        return size, b""
    file.seek(size - _TAIL)
    length = int.from_bytes(file.read(4), "little")
    start = max(0, size - _TAIL - length)
    file.seek(start)
    return start, file.read(size - start)


def _place(file: BinaryIO) -> int | None:
    start, index = _index(file)
    found = _STATED.search(index)
    return None if found is None else start + found.start(1)


def _digest(file: BinaryIO, place: int) -> str:
    digest = hashlib.sha256()
    for start, block in _blocks(file):
        first, last = max(place, start), min(place + len(BLANK), start + len(block))
        if first < last:
            block[first - start : last - start] = b"0" * (last - first)
        digest.update(block)
    return digest.hexdigest()


def _blocks(file: BinaryIO) -> Iterator[tuple[int, bytearray]]:
    file.seek(0)
    start = 0
    while block := file.read(_BLOCK):
        yield start, bytearray(block)
        start += len(block)
