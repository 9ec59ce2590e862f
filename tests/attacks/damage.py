"""Damage to single tables, as bad disks and careless hands do it; each must be noticed and healed by reading that table."""

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from schemas.base import Table, table_name
from schemas.registry import TABLES
from warehouse.recovery import DAMAGED, last_good
from warehouse.store import read_table, table_path

Change = Callable[[bytes, random.Random], bytes]


def _put(body: bytes, at: int, part: bytes) -> bytes:
    return body[:at] + part + body[at + len(part) :]


def _flipped(body: bytes, at: int, seeded: random.Random) -> bytes:
    return _put(body, at, bytes([body[at] ^ 1 << seeded.randrange(8)]))


def _swapped(body: bytes, seeded: random.Random) -> bytes:
    one, other = (seeded.randrange(max(1, len(body) - 32)) for _ in range(2))
    return _put(_put(body, one, body[other : other + 32]), other, body[one : one + 32])


def _zeroed(body: bytes, seeded: random.Random) -> bytes:
    start = seeded.randrange(len(body)) // 512 * 512
    return _put(body, start, bytes(len(body[start : start + 512])))


CHANGES: dict[str, Change] = {
    "bit": lambda body, seeded: _flipped(body, seeded.randrange(len(body)), seeded),
    "bit of the index": lambda body, seeded: _flipped(body, len(body) - seeded.randint(1, min(len(body), 2_000)), seeded),
    "byte": lambda body, seeded: _put(body, seeded.randrange(len(body)), seeded.randbytes(1)),
    "run": lambda body, seeded: _put(body, seeded.randrange(max(1, len(body) - 64)), seeded.randbytes(min(64, len(body)))),
    "zeros": _zeroed,
    "swapped": _swapped,
    "head gone": lambda body, seeded: body[seeded.randint(1, 16) :],
    "cut": lambda body, seeded: body[: seeded.randrange(len(body))],
    "grown": lambda body, seeded: body + seeded.randbytes(seeded.randint(1, 100)),
    "empty": lambda *_: b"",
    "text": lambda *_: b"<html>busy, try again</html>",
}
"""What happens to the bytes of a file."""
KINDS = (*CHANGES, "another table", "gone", "folder")


def damage(path: Path, kind: str, *, seeded: random.Random, others: list[Path]) -> bool:
    """Damage a file in one of the ways of `KINDS`. Returns whether its bytes are other ones now."""
    before = path.read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    if kind in ("folder", "gone"):
        return True
    is_exchanged = kind == "another table"
    body = (
        seeded.choice([each for each in others if each != path]).read_bytes() if is_exchanged else CHANGES[kind](before, seeded)
    )
    path.write_bytes(body)
    return body != before


def attack(folder: Path, *, seed: int, count: int) -> Counter[str]:
    """Damage tables of a data folder one after the other and read each. Returns how often what came of it.

    `healed`: the table is again what was published, and the damaged file set aside. `wrong`: it read otherwise. Everything
    else is the name of what was raised. The folder must have been published as it stands.
    """
    seeded, came = random.Random(seed), Counter[str]()
    schemas: dict[Path, type[Table]] = {
        path: schema for schema in TABLES.values() if (path := table_path(folder / "tables", schema)).exists()
    }
    paths = sorted(schemas)
    for _ in range(count):
        path, kind = seeded.choice(paths), seeded.choice(KINDS)
        schema = schemas[path]
        whole = read_table(folder / "tables", schema)
        assert whole is not None
        if not damage(path, kind, seeded=seeded, others=paths):
            came["unchanged"] += 1  # the random byte was the one that stood there
            continue
        try:
            found = last_good(folder / "tables", schema)
            good = found is not None and found.equals(whole)
            came["healed" if good else f"wrong: {kind} of {table_name(schema)}"] += 1
        except BaseException as error:  # a panic is none of Exception
            came[f"{type(error).__name__}: {kind} of {table_name(schema)}"] += 1
        if path.is_dir():
            path.rmdir()
        again = read_table(folder / "tables", schema) if path.exists() else None
        if again is None or not again.equals(whole):
            came["not healed on disk"] += 1
            break
    shutil.rmtree(folder / DAMAGED, ignore_errors=True)
    return came
