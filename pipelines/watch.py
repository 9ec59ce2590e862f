"""What a user watches (`watch` in config.yaml): a price, a rent, a frontier, a verdict, a model that moved is told, once each.

Each release is compared with the last one that was looked at, whose name is kept in the data folder: after a kill, or while the
webhook does not answer, nothing is lost and nothing is told twice.
"""

from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

import duckdb
import msgspec

from answers.changes import in_words
from pipelines.notify import post
from schemas.foreign_text import plain
from warehouse.changes import FRONTIERS, Change, Kind, compare, release_before
from warehouse.resources import Rule, read_settings

LAST = "watched.release"
KINDS: dict[str, tuple[Kind, ...]] = {
    "price": (Kind.PRICE,),
    "rent": (Kind.RENT,),
    "frontier": FRONTIERS,
    "verdict": (Kind.VERDICT,),
    "model": (Kind.MODEL,),
    "source": (Kind.SOURCE,),
}


class Told(msgspec.Struct, frozen=True):
    """What is posted: `text` is the whole message in one line, as chat webhooks expect it under that name."""

    text: str
    at: datetime
    release: str
    changes: tuple[Change, ...]


def watched(changes: Sequence[Change], rules: Sequence[Rule]) -> tuple[Change, ...]:
    """The changes that some rule names: of its kind, with a subject, or a subject and detail, that fit its pattern."""

    def is_named(change: Change) -> bool:
        names = (change.subject, f"{change.subject} {change.detail}")
        return any(
            change.kind in KINDS[kind] and any(fnmatchcase(name.lower(), pattern.lower()) for name in names)
            for rule in rules
            for kind, pattern in rule.items()
        )

    return tuple(change for change in changes if is_named(change))


def tell_watched(root: Path, *, at: datetime) -> list[str]:
    """Tell of what moved since the last look. Returns a line for each change and for what did not work; raises nothing."""
    latest = root / "releases" / "latest.duckdb"
    try:
        rules = read_settings(root / "config.yaml").watch
        if not rules or not latest.exists():
            return []
        before = _last(root) or release_before(latest.parent)
        found = watched(compare(before, latest).changes, rules) if before is not None else ()
    except (ValueError, OSError, duckdb.Error) as error:
        return [f"what is watched could not be looked at: {str(error).splitlines()[0]}"]
    lines = [plain(in_words(change)) for change in found]
    if lines:
        release = latest.resolve().stem
        refusal = post(root, msgspec.json.encode(Told(f"iecon: {'; '.join(lines)}", at, release, found)))
        if refusal:
            return [*lines, f"{refusal}; it is told again after the next refresh"]
    (root / LAST).write_text(latest.resolve().name)
    return lines


def _last(root: Path) -> Path | None:
    """The release that was looked at last, where it is still kept and is not the current one."""
    file = root / LAST
    if not file.exists():
        return None
    release = root / "releases" / Path(file.read_text().strip()).name
    return release if release.is_file() else None
