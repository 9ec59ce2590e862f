"""The data folder and how tables pass between assets: Dagster resources, one of each."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import dagster as dg
import msgspec
import polars as pl
import yaml

from schemas.registry import TABLES
from warehouse.recovery import scan_good

IS_LAZY = "iecon/is_lazy"
"""Metadata of an input that is to be scanned, so that only the columns in use are read."""

NOW_TAG = "iecon/now"
"""Run tag that sets the clock of a run, for backfills and for rebuilding a past refresh."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a user may set in `<data folder>/config.yaml`; every field has a default, so the file may be missing."""

    contact: str = ""
    """Mail or web address put into the User-Agent, so that a publisher can reach whoever fetches."""
    urls: dict[str, str] = {}
    """Another host for a source, by source name, such as a mirror."""
    disabled: frozenset[str] = frozenset()
    """Sources that are never asked over the network."""
    keep_releases: Annotated[int, msgspec.Meta(ge=1)] = 5
    """Published DuckDB files to keep; older ones are deleted after each refresh."""
    keep_run_days: Annotated[int, msgspec.Meta(ge=1)] = 14
    """Days that Dagster's records of a finished run are kept; those of each asset's latest materialisation stay longer."""
    webhook: str = ""
    """Address to which a failed refresh is posted as JSON; ECONOMICS_WEBHOOK comes before it."""


def read_settings(path: Path) -> Settings:
    """Read `config.yaml`. Raises ValueError that names the file and the key for an unknown key or a wrong value."""
    if not path.exists():
        return Settings()
    try:
        return msgspec.convert(yaml.safe_load(path.read_text()) or {}, Settings)
    except (msgspec.ValidationError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from None


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


def run_time(context: dg.AssetExecutionContext) -> datetime:
    """The clock of a run: the same for all its steps, so that a refresh is one point in time."""
    if NOW_TAG in context.run.tags:
        return datetime.fromisoformat(context.run.tags[NOW_TAG]).astimezone(UTC)
    record = context.instance.get_run_record_by_id(context.run.run_id)
    return record.create_timestamp if record else datetime.now(UTC)


class ParquetTables(dg.ConfigurableIOManager):
    """Hands tables to the assets that ask for them."""

    folder: str

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Refuse: `@table` has written its frame, validated, before Dagster sees a result."""
        raise dg.DagsterInvariantViolationError(
            f"{context.asset_key} handed over a value that is no table: {type(obj)}"
        )

    def load_input(self, context: dg.InputContext) -> pl.DataFrame | pl.LazyFrame:
        """The last good version of the table; not yet read where the asset asks for a LazyFrame."""
        frame = scan_good(Path(self.folder), TABLES[context.asset_key.path[-1]])
        if frame is None:
            raise dg.Failure(f"{'.'.join(context.asset_key.path)} has not been built yet: run `iecon refresh` first")
        return frame if (context.definition_metadata or {}).get(IS_LAZY) else frame.collect()
