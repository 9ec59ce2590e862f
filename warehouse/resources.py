"""The data folder and how tables pass between assets: Dagster resources, one of each."""

import os
import re
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

import dagster as dg
import msgspec

from schemas.yaml_document import read_yaml

VARIABLE = r"\$\{(\w+)\}"
"""How a setting names an environment variable."""

NOW_TAG = "iecon/now"
"""Run tag that sets the clock of a run, for backfills and for rebuilding a past refresh."""


Rule = dict[Literal["price", "rent", "frontier", "verdict", "model", "source"], str]
"""What to watch: a kind of change, and the pattern of a name."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a user may set in `<data folder>/config.yaml`; every field has a default, so the file may be missing."""

    contact: str = ""
    """Mail or web address put into the User-Agent, so that a publisher can reach whoever fetches."""
    urls: dict[str, str] = {}
    """Another host for a source, by source name, such as a mirror. `${NAME}` is filled from the environment."""
    private_hosts: frozenset[str] = frozenset()
    """Hosts that may be asked although they lie in a private network or on this machine."""
    disabled: frozenset[str] = frozenset()
    """Sources that are never asked over the network."""
    enabled: frozenset[str] = frozenset()
    """Sources that are asked over the network only where a user says so, as their publisher documents no such use."""
    keep_releases: Annotated[int, msgspec.Meta(ge=1)] = 5
    """Published DuckDB files to keep; older ones are deleted after each refresh."""
    publish_to: str = ""
    """Where each release and its tables are copied to, such as s3://bucket/prefix; credentials come from the environment."""
    keep_run_days: Annotated[int, msgspec.Meta(ge=1)] = 14
    """Days that Dagster's records of a finished run are kept; those of each asset's latest materialisation stay longer."""
    webhook: str = ""
    """Address to which a failed refresh is posted as JSON; ECONOMICS_WEBHOOK comes before it."""
    heartbeat_url: str = ""
    """Address asked after each refresh that went well, so that silence is noticed; ECONOMICS_HEARTBEAT comes before it."""
    late_after_hours: Annotated[int, msgspec.Meta(ge=1)] = 48
    """Hours after a publication by which the next one is expected; the doctor and the daemon call a later one late."""

    watch: tuple[Rule, ...] = ()
    """What is told when a refresh changes it, such as `- price: gpt-4o*`, to the webhook where one is set."""

    def asks(self, asset: str, source: str, *, opt_in: bool) -> bool:
        """Whether a source may be asked over the network; both it and its asset can be named."""
        named = {asset, source}
        return not named & self.disabled and (not opt_in or bool(named & self.enabled))


def read_settings(path: Path) -> Settings:
    """Read `config.yaml`. Raises ValueError that names the file and the key for an unknown key or a wrong value.

    The message never repeats what the file says, as it may be half of an address with a password.
    """
    if not path.exists():
        return Settings()
    try:
        settings = msgspec.convert(read_yaml(path.read_bytes()) or {}, Settings)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from None
    return msgspec.structs.replace(settings, urls={name: _filled(path, name, url) for name, url in settings.urls.items()})


def _filled(path: Path, source: str, url: str) -> str:
    """An address with its variables from the environment, the only place where a login may stand."""

    def refused(rule: str) -> ValueError:
        return ValueError(f"{path}: urls.{source}: {rule}")

    def value(found: re.Match[str]) -> str:
        if (text := os.environ.get(found[1])) is None:
            raise refused(f"the environment has no variable {found[1]}")
        # Signs that would end the login early are escaped; what is escaped already stays.
        return quote(text, safe=":%") if found.end() < len(url) and url[found.end()] == "@" else text

    login = re.search(r"://(.*)@", url)
    if login and not re.fullmatch(VARIABLE, login[1]):
        raise refused(
            "a login does not belong in the file; put it into an environment variable, such as "
            "MIRROR_LOGIN=user:password, and write https://${MIRROR_LOGIN}@host"
        )
    filled = re.sub(VARIABLE, value, url)
    if not re.fullmatch(r"https?://([^/?#@]+@)?[^/?#@]+(/[^?#@]*)?", filled):
        raise refused("should be http:// or https://, a host and perhaps a path")
    return filled


class DataFolder(dg.ConfigurableResource[None]):
    """One folder that holds everything: stored documents, tables, releases and Dagster's own records."""

    root: str
    offline: bool = False

    @property
    def path(self) -> Path:
        """The folder itself."""
        return Path(self.root)

    @property
    def settings(self) -> Settings:
        """The user's `config.yaml`."""
        return read_settings(self.path / "config.yaml")

    @property
    def tables(self) -> Path:
        """One Parquet file per table."""
        return self.path / "tables"

    @property
    def rejected(self) -> Path:
        """Rows refused by the latest run of each table."""
        return self.path / "rejected"

    @property
    def bronze(self) -> Path:
        """Documents as fetched, by content hash."""
        return self.path / "bronze"

    @property
    def releases(self) -> Path:
        """Published DuckDB files and the `latest.duckdb` link."""
        return self.path / "releases"


def run_time(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> datetime:
    """The clock of a run: the same for all its steps, so that a refresh is one point in time."""
    if NOW_TAG in context.run.tags:
        return datetime.fromisoformat(context.run.tags[NOW_TAG]).astimezone(UTC)
    return _created(context.instance, context.run.run_id)


@lru_cache(maxsize=1)
def _created(instance: dg.DagsterInstance, run_id: str) -> datetime:
    record = instance.get_run_record_by_id(run_id)
    return record.create_timestamp if record else datetime.now(UTC)
