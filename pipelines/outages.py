"""What nobody would notice by itself: a source that has given nothing for a week, and a refresh that did not come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.notify import tell_once
from sources.publishers import CATALOGUE
from sources.source import Source
from sources.transports import bronze
from sources.transports.bronze import Attempt
from warehouse.resources import Settings, read_settings

OUTAGE = timedelta(days=7)


@dataclass(frozen=True)
class Outage:
    """A source of which every try has failed since a time, and what came of the last one."""

    source: str
    since: datetime
    last_error: str


def outage(source: Source, log: Sequence[Attempt], *, now: datetime) -> Outage | None:
    """The outage of a source, where it has been asked in vain for `OUTAGE` or longer."""
    tries = [each for each in log if each.transport in bronze.LIVE and each.outcome != "skipped"]
    vain: list[Attempt] = []
    for each in tries:
        vain = [] if each.outcome in bronze.SERVED else [*vain, each]
    if not vain or now - vain[0].checked_at < OUTAGE:
        return None
    return Outage(source.name, vain[0].checked_at, vain[-1].error or vain[-1].outcome)


def outages(root: Path, settings: Settings, *, now: datetime) -> list[Outage]:
    """Outages of all sources that are asked at all."""
    asked = [
        source
        for asset, sources in CATALOGUE.items()
        for source in sources
        if source.live and settings.asks(asset, source.name, opt_in=source.opt_in)
    ]
    found = [outage(source, bronze.attempts(root / "bronze", source.name), now=now) for source in asked]
    return [each for each in found if each is not None]


def late_since(root: Path, settings: Settings) -> datetime | None:
    """When a refresh was due, by the age of what is published and `late_after_hours`; None where nothing is published yet."""
    latest = root / "releases" / "latest.duckdb"
    if not latest.exists():
        return None
    published = datetime.fromtimestamp(latest.stat().st_mtime, UTC)
    return published + timedelta(hours=settings.late_after_hours)


def tell_outages(root: Path, *, now: datetime) -> list[str]:
    """Tell of each outage once. Returns a line for each, and for each way in which telling did not work."""
    said = []
    for each in outages(root, read_settings(root / "config.yaml"), now=now):
        problem = f"every try since {each.since:%Y-%m-%d} failed, the last with: {each.last_error}"
        said += tell_once(
            root, key=f"outage {each.source} {each.since:%Y-%m-%d}", at=now, job=f"source {each.source}", problems=[problem]
        )
    return said


def tell_lateness(root: Path, *, now: datetime) -> list[str]:
    """Tell once that the refresh after the last one did not come. Returns lines as `tell_outages` does."""
    settings = read_settings(root / "config.yaml")
    due = late_since(root, settings)
    if due is None or now < due:
        return []
    problem = f"late: nothing was published for {settings.late_after_hours} hours (late_after_hours in config.yaml)"
    return tell_once(root, key=f"late {due:%Y-%m-%dT%H:%M}", at=now, job="schedule", problems=[problem])
