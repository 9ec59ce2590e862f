"""What a user's own evaluation logs said, kept for every later refresh until he forgets it: one small file per call.

The logs themselves are not kept: they may be a gigabyte, and hold texts. The file stands under a name made of their content, so
that the same logs again replace what was kept of them.
"""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from schemas.base import empty, polars_schema
from schemas.test_time.own_evaluation import OwnEvaluation

FOLDER = "evaluations"
ID_LENGTH = 12

_ID = re.compile(f"[0-9a-f]{{{ID_LENGTH}}}")


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one call: its files and its rows of raw.own_evaluation."""

    evaluation_id: str
    kept_on: date
    files: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]


def evaluation_id(logs_sha256: str) -> str:
    """The name of an evaluation: the first digits of the hash of its logs."""
    return logs_sha256[:ID_LENGTH]


def keep(root: Path, *, logs_sha256: str, files: Sequence[str], rows: Sequence[Mapping[str, Any]], now: date) -> str:
    """Keep rows of an evaluation in the data folder; returns its id. The same logs again replace them."""
    name = evaluation_id(logs_sha256)
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    kept = Kept(evaluation_id=name, kept_on=now, files=tuple(files), rows=tuple(dict(row) for row in rows))
    temporary = folder / f".{name}.{os.getpid()}"
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=1))
    temporary.replace(folder / f"{name}.json")
    return name


def kept_evaluations(root: Path) -> tuple[list[Kept], list[str]]:
    """All that is kept, the oldest first, and a line for each file that can no longer be read."""
    found, damaged = [], []
    for path in sorted((root / FOLDER).glob("*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Kept))
        except (msgspec.DecodeError, OSError) as error:
            damaged.append(f"{path}: {error}; bring the logs again")
    return sorted(found, key=lambda each: (each.kept_on, each.evaluation_id)), damaged


def forget(root: Path, name: str) -> bool:
    """Forget an evaluation by its id; returns whether there was one. Raises ValueError for what is no id."""
    if not _ID.fullmatch(name):
        raise ValueError(
            f"{name} is no id of an evaluation: {ID_LENGTH} digits of 0 to 9 and a to f, see `iecon correct --list`"
        )
    path = root / FOLDER / f"{name}.json"
    if not path.exists():
        return False
    path.unlink()
    return True


def table_of(kept: Sequence[Kept]) -> pl.DataFrame:
    """Rows of all evaluations, in the contract `OwnEvaluation`."""
    columns = polars_schema(OwnEvaluation)
    rows = [
        {**row, "evaluation_id": each.evaluation_id, "kept_on": each.kept_on, "files": ", ".join(each.files)}
        for each in kept
        for row in each.rows
    ]
    if not rows:
        return empty(OwnEvaluation)
    days = pl.DataFrame(rows, infer_schema_length=None)
    typed = days.with_columns(
        pl.col(name).cast(pl.String).str.to_date(strict=False)
        for name, kind in columns.items()
        if kind == pl.Date and name in days.columns and days.schema[name] != pl.Date
    )
    absent = [pl.lit(None, kind).alias(name) for name, kind in columns.items() if name not in typed.columns]
    return typed.with_columns(absent).select(pl.col(name).cast(kind) for name, kind in columns.items())
