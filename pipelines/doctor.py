"""The health of an installation: versions, disk use by kind, the age of each source and why it is stale, failures."""

import os
import platform
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console
from rich.markup import escape
from rich.table import Table

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


def show_health(root: Path, *, console: Console) -> None:
    """Print versions, the state of the data folder, and one line per source. Raises ValueError for a bad config.yaml."""
    settings = read_settings(root / "config.yaml")
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    console.print(f"Python {platform.python_version()}, {versions}", highlight=False)
    console.print(_folder_line(root), highlight=False, soft_wrap=True)
    now = datetime.now(UTC)
    console.print(_release_line(root, settings, now=now), highlight=False, soft_wrap=True)
    console.print(_failure_line(root), highlight=False, soft_wrap=True)
    for each in outages(root, settings, now=now):
        since = f"every try since {each.since:%Y-%m-%d} failed"
        console.print(f"[yellow]{each.source}[/yellow]: {since}: {escape(each.last_error)}", highlight=False, soft_wrap=True)
    for repair in repairs(root)[-3:]:
        console.print(f"put right {repair.at:%Y-%m-%d %H:%M} UTC: {escape(repair.text)}", highlight=False, soft_wrap=True)
    console.print(disk_table(root, settings, now=now))
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in (
        "source",
        "last checked",
        "age of evidence",
        "promised",
        "a refresh would ask",
        "then",
        "why stale",
    ):
        table.add_column(heading, overflow="fold")
    for asset, sources in CATALOGUE.items():
        for source in sources:
            off = not settings.asks(asset, source.name, opt_in=source.opt_in)
            table.add_row(*_source_cells(root, source, now=now, disabled=off))
    console.print(table)


def disk_table(root: Path, settings: Settings, *, now: datetime) -> Table:
    """Disk use by kind, what each kind grew by a day of the last `GROWTH_DAYS`, and how long it is kept."""
    kinds = {
        "bronze": ("documents", "for ever, each content once"),
        "tables": ("tables", "one file per table"),
        "rejected": ("refused rows", "of the latest run of each table"),
        "releases": ("releases", f"the newest {settings.keep_releases} (keep_releases)"),
        "dagster": ("run records", f"{settings.keep_run_days} days (keep_run_days), and each asset's latest"),
        "inbox": ("inbox", "until you delete them"),
        "damaged": ("set aside as damaged", "until you delete them"),
    }
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading, side in (
        ("disk use", "left"),
        ("files", "right"),
        ("MB", "right"),
        ("MB/day", "right"),
        ("kept", "left"),
    ):
        table.add_column(heading, justify="right" if side == "right" else "left")
    for folder, (kind, kept) in kinds.items():
        stats = [file.stat() for file in (root / folder).rglob("*") if file.is_file() and not file.is_symlink()]
        if stats:
            size, growth = sum(each.st_size for each in stats), _bytes_per_day(stats, now=now)
            table.add_row(kind, f"{len(stats):,}", f"{size / 1e6:.1f}", growth if folder == "bronze" else "", kept)
    return table


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


def _source_cells(root: Path, source: Source, *, now: datetime, disabled: bool) -> list[str]:
    log = bronze.attempts(root / "bronze", source.name)
    served = [each for each in log if each.outcome in bronze.SERVED]
    stored = served[-1] if served else None
    floor = " or ".join(type(rung).__name__.lower() for rung in source.floor) or "nothing"
    asks = f"nothing ({_why_off(source)})" if disabled else ", ".join(type(rung).__name__ for rung in source.live)
    then = f"the stored document, else {floor}" if stored else floor
    if stored is None:
        return [
            source.name,
            "never",
            "",
            _ago(source.fresh_for),
            asks or "nothing",
            then,
            why_stale(source, log, disabled),
        ]
    age = now - (stored.published_at or stored.checked_at)
    is_stale = age > source.fresh_for
    checked = f"{stored.checked_at:%Y-%m-%d %H:%M}"
    shown = f"[yellow]{_ago(age)}" if is_stale else _ago(age)
    why = why_stale(source, log, disabled) if is_stale else ""
    return [source.name, checked, shown, _ago(source.fresh_for), asks or "nothing", then, why]


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
