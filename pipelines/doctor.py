"""The health of an installation: versions, disk use by kind, the age of each source and why it is stale, failures."""

import os
import platform
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout
from rich.console import Console
from rich.markup import escape

from answers.query import DamagedReleaseError, connect
from answers.text import say, show_rows
from pipelines.notify import failures
from pipelines.outages import late_since, outages
from sources.publishers import CATALOGUE
from sources.source import Source
from sources.transports import bronze
from sources.transports.bronze import Attempt
from warehouse.folder import LOCK, NoRoomError, require_room
from warehouse.repairs import repairs
from warehouse.resources import Settings, read_settings

PACKAGES = ("inference-economics", "dagster", "duckdb", "polars", "pandera", "pyarrow", "scipy", "genai-prices")


GROWTH_DAYS = 30
CONDITIONS = ("fresh", "stale", "never had", "off")
WANT_A_LOOK = ("stale", "never had")
UNMAPPED = "SELECT name, n_sellers, prices, count(*) OVER () FROM core.unmapped_model_name LIMIT 8"


@dataclass(frozen=True)
class State:
    """What is held of a source: its age and whether that is within its promise, what a refresh would ask, and why it is old."""

    source: Source
    condition: str
    age: timedelta | None
    checked_at: datetime | None
    asks: str
    then: str
    why: str


def show_health(root: Path, *, console: Console, all_of_them: bool = False) -> None:
    """Print versions, the state of the data folder and what wants a look: sources that are stale or fail, unmapped models.

    On request every source, with what a refresh would ask of it. Raises ValueError for a bad config.yaml.
    """
    settings = read_settings(root / "config.yaml")
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    say(f"Python {platform.python_version()}, {versions}", console=console)
    say(_folder_line(root), console=console)
    now = datetime.now(UTC)
    say(_release_line(root, settings, now=now), console=console)
    say(_failure_line(root), console=console)
    for each in outages(root, settings, now=now):
        since = f"every try since {each.since:%Y-%m-%d} failed"
        say(f"[yellow]{each.source}[/yellow]: {since}: {escape(each.last_error)}", console=console)
    for repair in repairs(root)[-3:]:
        say(f"put right {repair.at:%Y-%m-%d %H:%M} UTC: {escape(repair.text)}", console=console)
    show_disk(root, settings, now=now, console=console)
    states = {
        asset: [
            _state(root, source, now=now, disabled=not settings.asks(asset, source.name, opt_in=source.opt_in))
            for source in sources
        ]
        for asset, sources in CATALOGUE.items()
    }
    counts = Counter(state.condition for group in states.values() for state in group)
    told = ", ".join(f"{counts[word]} {word}" for word in CONDITIONS if counts[word])
    console.print()
    say(f"[bold]sources[/bold]: {told}" + ("" if all_of_them else " (--all lists every one)"), console=console)
    for asset, group in states.items():
        if all_of_them:
            for state in group:
                _show_state(state, console=console)
        else:
            _show_group(asset, group, console=console)
    _show_unmapped(root / "releases" / "latest.duckdb", console=console)


def _show_group(asset: str, group: Sequence[State], *, console: Console) -> None:
    """Print what wants a look of the documents of one asset: those that are alike in one line."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for state in group:
        if state.condition in WANT_A_LOOK:
            age = f", {_ago(state.age)} old" if state.age is not None else ""
            alike.setdefault((state.condition, age, state.why), []).append(state.source.name)
    for (condition, age, why), names in alike.items():
        named = names[0] if len(names) == 1 else f"{asset}, {len(names)} of {len(group)}"
        say(f"[yellow]{named}[/yellow] {condition}{age}: {why}", console=console, indent=2)


def _show_state(state: State, *, console: Console) -> None:
    colour = "yellow" if state.condition in WANT_A_LOOK else "green"
    age = f"{_ago(state.age)} old, " if state.age is not None else ""
    line = f"[{colour}]{state.source.name}[/{colour}] {state.condition}: {age}promised {_ago(state.source.fresh_for)}"
    say(line, console=console, indent=2)
    if state.why:
        say(state.why, console=console, indent=4)
    checked = f"checked {state.checked_at:%Y-%m-%d %H:%M} UTC; " if state.checked_at else ""
    say(f"{checked}a refresh would ask {state.asks}, then {state.then}", console=console, indent=4)


def _show_unmapped(latest: Path, *, console: Console) -> None:
    """Print the models that most sellers list and that no canonical name stands for; nothing before the first refresh."""
    if not latest.exists():
        return
    try:
        with connect(latest) as connection:
            rows = connection.execute(UNMAPPED).fetchall()
    except (duckdb.Error, DamagedReleaseError):
        return  # an older or a damaged release; the lines above tell of it
    if rows:
        named = ", ".join(f"{escape(model)} ({prices} prices of {sellers})" for model, sellers, prices, _ in rows)
        console.print()
        say(f"[bold]models without a canonical name[/bold]: {rows[0][3]}; most sellers: {named}", console=console)


def show_disk(root: Path, settings: Settings, *, now: datetime, console: Console) -> None:
    """Print disk use by kind, what documents grew by a day of the last `GROWTH_DAYS`, and how long each kind is kept."""
    kinds = {
        "bronze": ("documents", "for ever, each content once"),
        "tables": ("tables", "one file per table"),
        "rejected": ("refused rows", "of the latest run of each table"),
        "releases": ("releases", f"the newest {settings.keep_releases} (keep_releases)"),
        "dagster": ("run records", f"{settings.keep_run_days} days (keep_run_days)"),
        "inbox": ("inbox", "until you delete them"),
        "damaged": ("set aside as damaged", "until you delete them"),
    }
    rows = []
    for folder, (kind, kept) in kinds.items():
        stats = [file.stat() for file in (root / folder).rglob("*") if file.is_file() and not file.is_symlink()]
        if stats:
            size, growth = sum(each.st_size for each in stats), _bytes_per_day(stats, now=now)
            rows.append((kind, f"{len(stats):,}", f"{size / 1e6:.1f}", growth if folder == "bronze" else "", kept))
    if rows:
        figures = ("files", "MB", "MB/day")
        show_rows(("disk use", *figures, "kept"), rows, console=console, right=figures)


def _bytes_per_day(stats: Sequence[os.stat_result], *, now: datetime) -> str:
    """Bytes written a day within the last `GROWTH_DAYS`, in MB; nothing where the first file is younger than a day."""
    days = min(GROWTH_DAYS, (now.timestamp() - min(each.st_mtime for each in stats)) / 86_400)
    young = sum(each.st_size for each in stats if now.timestamp() - each.st_mtime < GROWTH_DAYS * 86_400)
    return f"{young / days / 1e6:.2f}" if days >= 1 else ""


def _folder_line(root: Path) -> str:
    if not root.exists():
        return f"data folder {root}: not made yet; `iecon refresh` makes it"
    free = f"{shutil.disk_usage(root).free / 1e9:.1f} GB free"
    try:
        require_room(root)
        with FileLock(root / LOCK).acquire(timeout=0):
            return f"data folder {root}: {free}; no refresh is running"
    except Timeout:
        return f"data folder {root}: {free}; a refresh is running"
    except NoRoomError as error:
        return f"[red]no refresh can run[/red]: {escape(str(error))}"


def _failure_line(root: Path) -> str:
    told = failures(root)
    if not told:
        return "no refresh has failed"
    return f"[yellow]last failure[/yellow] {told[-1].at:%Y-%m-%d %H:%M} UTC: {escape(told[-1].text)}"


def _release_line(root: Path, settings: Settings, *, now: datetime) -> str:
    latest = root / "releases" / "latest.duckdb"
    if not latest.exists():
        return "no published warehouse yet"
    built = datetime.fromtimestamp(latest.stat().st_mtime, UTC)
    line = f"published warehouse {latest.resolve().name}, built {_ago(now - built)} ago"
    due = late_since(root, settings)
    if due is None or now < due:
        return line
    return (
        f"{line}; [yellow]late[/yellow]: the next was due {_ago(now - due)} ago (late_after_hours: {settings.late_after_hours})"
    )


def _state(root: Path, source: Source, *, now: datetime, disabled: bool) -> State:
    log = bronze.attempts(root / "bronze", source.name)
    served = [each for each in log if each.outcome in bronze.SERVED]
    stored = served[-1] if served else None
    floor = " or ".join(type(rung).__name__.lower() for rung in source.floor) or "nothing"
    live = ", ".join(type(rung).__name__ for rung in source.live) or "nothing"
    age = None if stored is None else now - (stored.published_at or stored.checked_at)
    condition = "never had" if age is None else "stale" if age > source.fresh_for else "fresh"
    if disabled and condition != "fresh":
        condition = "off"
    return State(
        source,
        condition=condition,
        age=age,
        checked_at=None if stored is None else stored.checked_at,
        asks=f"nothing ({_why_off(source)})" if disabled else live,
        then=f"the stored document, else {floor}" if stored else floor,
        why="" if condition == "fresh" else why_stale(source, log, disabled),
    )


def _why_off(source: Source) -> str:
    return "not documented by its publisher: off until enabled in config.yaml" if source.opt_in else "disabled in config.yaml"


def why_stale(source: Source, log: Sequence[Attempt], disabled: bool) -> str:
    """Why there is nothing younger of a source: what came of the latest try of each of its transports."""
    if disabled:
        return _why_off(source)
    if not source.live:
        return "shipped with the program; a new version may bring a younger one"
    latest = {each.rung: each for each in log if each.transport in bronze.LIVE}
    if not latest:
        return "never asked: no refresh has run"
    tries = [
        f"{each.transport} on {each.checked_at:%Y-%m-%d}: {escape((each.error or each.outcome)[:120])}"
        for each in latest.values()
    ]
    return "; ".join(dict.fromkeys(tries))


def _ago(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hours"
