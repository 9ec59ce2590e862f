"""Checksums for the tables of a version that wrote none: once per data folder, before anything else reads them.

Damage in such a file is known only when it is read, and can end the process that reads it. So each is read in a process of its
own first; the one at which it ends is damaged.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from schemas.registry import TABLES
from warehouse import checksum
from warehouse.recovery import last_good, last_rejected, set_aside
from warehouse.repairs import note
from warehouse.store import CHECKED, rejected_path, table_path, write_frame


def seal_tables(root: Path) -> None:
    """Give every table of a data folder a checksum. From then on one without is damaged."""
    tables, rejected = root / "tables", root / "rejected"
    if (tables / CHECKED).exists():
        return
    paths = [table_path(tables, schema) for schema in TABLES.values()]
    paths += [rejected_path(rejected, schema) for schema in TABLES.values()]
    bare = [path for path in paths if path.is_file() and not checksum.is_stated(path)]
    for path in _unreadable(bare):
        set_aside(root, path)
    for schema in TABLES.values():
        frames = {
            path: read(folder, schema)
            for path, read, folder in (
                (table_path(tables, schema), last_good, tables),
                (rejected_path(rejected, schema), last_rejected, rejected),
            )
            if path in bare
        }
        for path, frame in frames.items():
            if frame is not None:
                write_frame(path, frame)
    if bare:
        note(root, f"{len(bare)} tables of an older version carry a checksum now")
    tables.mkdir(parents=True, exist_ok=True)
    (tables / CHECKED).touch()


def _unreadable(paths: Sequence[Path]) -> list[Path]:
    """Files that cannot be read whole, found by a process that may end at one and is started anew after it."""
    left, found = list(paths), []
    while left:
        command = [sys.executable, "-m", __name__, *map(str, left)]
        told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
        found += [path for path, word in zip(left, told, strict=False) if word != "good"]
        if len(told) < len(left):
            found.append(left[len(told)])
        left = left[len(told) + 1 :]
    return found


def main() -> None:
    """Read each file that is named, and say of each whether it is good."""
    for name in sys.argv[1:]:
        try:
            pl.read_parquet(name, glob=False)
            word = "good"
        except BaseException:  # polars panics past Exception
            word = "damaged"
        print(word, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
