"""Damage to single tables, as bad disks and careless hands do it; each must be noticed and healed by reading that table."""

import random
import shutil
from collections import Counter
from pathlib import Path

from schemas.base import Table, table_name
from schemas.registry import TABLES
from warehouse.recovery import DAMAGED, last_good
from warehouse.store import read_table, table_path

KINDS = (
    "bit",
    "byte",
    "run",
    "zeros",
    "head",
    "index",
    "cut",
    "grown",
    "swapped",
    "empty",
    "text",
    "other table",
    "gone",
    "folder",
)


def damage(path: Path, kind: str, *, seeded: random.Random, others: list[Path]) -> bool:
    """Damage a file in one of the ways of `KINDS`. Returns whether its bytes are other ones now."""
    before = path.read_bytes()
    body, at = bytearray(before), seeded.randrange(len(before))
    if kind == "bit":
        body[at] ^= 1 << seeded.randrange(8)
    elif kind == "byte":
        body[at] = seeded.randrange(256)
    elif kind == "run":
        body[at : at + 64] = seeded.randbytes(min(64, len(body) - at))
    elif kind == "zeros":
        start = at // 512 * 512
        body[start : start + 512] = bytes(len(body[start : start + 512]))
    elif kind == "head":
        body[: seeded.randint(1, 16)] = b""
    elif kind == "index":
        at = len(body) - seeded.randint(1, min(len(body), 2_000))
        body[at] ^= 1 << seeded.randrange(8)
    elif kind == "cut":
        del body[at:]
    elif kind == "grown":
        body += seeded.randbytes(seeded.randint(1, 100))
    elif kind == "swapped":
        to = seeded.randrange(len(body))
        body[at : at + 32], body[to : to + 32] = body[to : to + 32], body[at : at + 32]
    elif kind == "empty":
        body.clear()
    elif kind == "text":
        body[:] = b"<html>busy, try again</html>"
    elif kind == "other table":
        body[:] = seeded.choice([each for each in others if each != path]).read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind != "gone":
        path.write_bytes(body)
    return kind in ("gone", "folder") or bytes(body) != before


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
