"""What moved between two releases, as a reader would tell it: prices, rents, frontiers, verdicts, models, sources, tables.

Each subject is one question that is asked of both files; what differs between the answers is a change. A subject that one of
the two cannot answer, as another version wrote it, is left out and named.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import duckdb

SAME = 1e-9
"""Relative difference up to which two figures are the same."""


class Kind(StrEnum):
    """What a change is about, in the order in which changes are told."""

    PRICE = "price"
    RENT = "rent"
    PRICE_FRONTIER = "price_frontier"
    SERVING_FRONTIER = "serving_frontier"
    CORRECT_FRONTIER = "correct_frontier"
    VERDICT = "verdict"
    MODEL = "model"
    SOURCE = "source"
    TABLE = "table"


class Question(NamedTuple):
    """SQL with the columns subject, detail and value; whether it matters that a subject came or went; the unit of value."""

    sql: str
    tells_of_comings: bool
    unit: str | None = None


QUESTIONS = MappingProxyType(
    {
        Kind.PRICE: Question(
            """SELECT model, concat_ws(' ', provider, leg, nullif(price_window, 'always')), usd FROM (UNPIVOT (
                SELECT provider, model, price_window, input_usd_per_mtok AS input, output_usd_per_mtok AS output,
                       cache_read_usd_per_mtok AS cache_read
                FROM core.llm_price_wide
            ) ON input, output, cache_read INTO NAME leg VALUE usd)""",
            tells_of_comings=False,
            unit="usd_per_mtok",
        ),
        Kind.RENT: Question("SELECT gpu, term, usd_per_gpu_hour FROM core.gpu_price", True, "usd_per_gpu_hour"),
        Kind.PRICE_FRONTIER: Question(
            "SELECT model, scale, cpm_usd_per_mtok FROM marts.price_frontier WHERE on_frontier", True, "usd_per_mtok"
        ),
        Kind.SERVING_FRONTIER: Question(
            "SELECT concat_ws(' ', system, 'on', gpu, '(' || point || ')'), frame, usd_per_mtok FROM marts.serving_frontier "
            "WHERE on_evidence_frontier",
            True,
            "usd_per_mtok",
        ),
        Kind.CORRECT_FRONTIER: Question(
            "SELECT system || ' (' || configuration || ')', benchmark, usd_per_task FROM marts.cost_per_correct_frontier "
            "QUALIFY frontier_on = max(frontier_on) OVER (PARTITION BY basis, benchmark)",
            True,
            "usd",
        ),
        Kind.VERDICT: Question("SELECT claim_id, document, verdict FROM meta.claims", False),
        Kind.MODEL: Question(
            "SELECT model, '', count(DISTINCT provider) FROM core.llm_price_current "
            "WHERE model IN (SELECT model FROM core.model) GROUP BY model",
            True,
            "sellers",
        ),
        Kind.SOURCE: Question(
            "SELECT replace(asset, 'source.', ''), '', CASE WHEN arg_max(outcome, started_at) = 'failed' THEN 'failed' "
            "WHEN coalesce(arg_max(warnings, started_at), '') LIKE '%stale%' THEN 'stale' ELSE 'fresh' END "
            "FROM meta.refresh WHERE asset LIKE 'source.%' GROUP BY asset",
            False,
        ),
        Kind.TABLE: Question("SELECT name, '', rows FROM meta.tables WHERE kind = 'table'", True, "rows"),
    }
)
FRONTIERS = (Kind.PRICE_FRONTIER, Kind.SERVING_FRONTIER, Kind.CORRECT_FRONTIER)
ONLY_COMINGS = (*FRONTIERS, Kind.MODEL)
"""Here a value that moved is told elsewhere, or by nobody: what counts is who is in and who is out."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that moved. `before` None: it came; `after` None: it went."""

    kind: Kind
    subject: str
    """Model, GPU, system, claim, source or table."""
    detail: str
    """Seller and leg, term, scale, frame, benchmark or document; else empty."""
    before: float | str | None
    after: float | str | None
    unit: str | None

    @property
    def ratio(self) -> float | None:
        """How many times the figure it is now; None where there are not two figures above 0."""
        if isinstance(self.before, str) or isinstance(self.after, str) or not self.before or self.after is None:
            return None
        return self.after / self.before


@dataclass(frozen=True, kw_only=True)
class Release:
    """A published file and when it was built."""

    name: str
    built_at: datetime


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What moved from one release to another, in the order of Kind; kinds that one of them cannot tell are not compared."""

    before: Release
    after: Release
    changes: tuple[Change, ...]
    not_compared: tuple[Kind, ...]

    def of(self, *kinds: Kind) -> tuple[Change, ...]:
        """The changes of some kinds."""
        return tuple(change for change in self.changes if change.kind in kinds)


class UnknownReleaseError(ValueError):
    """No release is kept that was asked for; the command exits with 2."""

    code = 2


def compare(before: Path, after: Path) -> Comparison:
    """What moved between two published files, the largest moves of a kind first. Raises duckdb.Error for a damaged file."""
    changes: list[Change] = []
    missing = []
    with _opened(before) as old, _opened(after) as new:
        for kind, question in QUESTIONS.items():
            was, now = (_answer(release, question) for release in (old, new))
            if was is None or now is None:
                missing.append(kind)
            else:
                changes += _moves(kind, question, was, now)
        releases = [_release(file, opened) for file, opened in ((before, old), (after, new))]
    return Comparison(before=releases[0], after=releases[1], changes=tuple(changes), not_compared=tuple(missing))


def release_before(releases: Path, since: str | None = None) -> Path | None:
    """The kept release to compare the current one with: the last one before it, that of a day or that of a name.

    `since` is a day (the newest release of that day or an earlier one, else the oldest kept), or a part of a file's name that
    only one has. None where no other release is kept. Raises UnknownReleaseError for a name that no file, or several, have.
    """
    current = (releases / "latest.duckdb").resolve()
    kept = sorted(file for file in releases.glob("*Z-*.duckdb") if file.name != current.name)
    if since is None:
        earlier = [file for file in kept if file.name < current.name]
        return earlier[-1] if earlier else None
    try:
        stamp = f"{date.fromisoformat(since):%Y%m%d}T~"  # after every name of that day
    except ValueError:
        found = [file for file in kept if since in file.name]
        if len(found) == 1:
            return found[0]
        near = get_close_matches(since, [file.stem for file in kept], n=3, cutoff=0.4)
        names = ", ".join(near or [file.stem for file in kept]) or "none"
        how_many = "more than one" if found else "no"
        raise UnknownReleaseError(f"{how_many} release {since} is kept besides the current; there are {names}") from None
    until = [file for file in kept if file.name <= stamp]
    return until[-1] if until else kept[0] if kept else None


def _opened(release: Path) -> duckdb.DuckDBPyConnection:
    closed: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": False,
        "temp_directory": "",
        "threads": 1,
    }
    return duckdb.connect(str(release.resolve()), read_only=True, config=closed)


def _answer(release: duckdb.DuckDBPyConnection, question: Question) -> dict[tuple[str, str], float | str] | None:
    """Value by subject and detail; None where the release has no such table or column."""
    try:
        rows = release.execute(question.sql).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        return None
    return {(subject, detail or ""): value for subject, detail, value in rows if subject is not None}


def _moves(
    kind: Kind, question: Question, was: dict[tuple[str, str], float | str], now: dict[tuple[str, str], float | str]
) -> list[Change]:
    keys = was.keys() | now.keys() if question.tells_of_comings else was.keys() & now.keys()
    found = []
    for subject, detail in keys:
        before, after = was.get((subject, detail)), now.get((subject, detail))
        if _is_same(before, after) or (kind in ONLY_COMINGS and before is not None and after is not None):
            continue
        found.append(Change(kind=kind, subject=subject, detail=detail, before=before, after=after, unit=question.unit))
    return sorted(found, key=lambda change: (-_size(change), change.subject, change.detail))


def _is_same(before: float | str | None, after: float | str | None) -> bool:
    if isinstance(before, float) and isinstance(after, float):
        return abs(before - after) <= SAME * max(abs(before), abs(after))
    return before == after


def _size(change: Change) -> float:
    """How far a figure moved, by its ratio in either direction; what came or went is told first."""
    if change.ratio is None or change.ratio <= 0:
        return float("inf")
    return max(change.ratio, 1 / change.ratio)


def _release(file: Path, opened: duckdb.DuckDBPyConnection) -> Release:
    built_at = opened.execute("SELECT built_at FROM meta.release").fetchall()[0][0]
    return Release(name=file.resolve().stem, built_at=built_at.astimezone(UTC))
