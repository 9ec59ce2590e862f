"""All that this project uses of Dagster's private parts: its event log, kept open for a refresh, and parts of `dagster dev`.

Held to Dagster 1.13 by pyproject.toml. When `tests/pipelines/test_private_dagster.py` fails with a newer one, hand
`DagsterInstance.from_config(home)` out of `instance_at`: all works as before, and a refresh takes some seconds more.

Dagster opens and closes the database for every event, and closing a database that nobody else holds makes SQLite copy its
journal back and delete it. A refresh writes more than a thousand events. One open connection per file, and a compiled
statement used twice, is most of the difference between `benchmarks/bench_event_log.py`'s two columns. The files on disk are
the same, so the UI and the daemon read them as they are.

`iecon ui` puts its guard before Dagster's web server and starts what that needs by itself: one code server for the web server
and the daemon.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
import sqlalchemy
import yaml
from dagster._core.instance import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData


class OpenSqliteEventLog(SqliteEventLogStorage):
    """`SqliteEventLogStorage` with one connection per file instead of one per event, and one look at its schema."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, sqlalchemy.Engine] = {}
        self._known: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "OpenSqliteEventLog":
        """Build it from `event_log_storage` of `dagster.yaml`."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sqlalchemy.Connection]:
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> sqlalchemy.Engine:
        if shard not in self._engines:
            engine = sqlalchemy.create_engine(
                self.conn_string_for_shard(shard), connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
            )
            sqlalchemy.event.listen(engine, "connect", _commit_without_waiting_for_the_disk)
            self._initdb(engine)
            self._engines[shard] = engine
        return self._engines[shard]

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table."""
        return self._found(f"table {table_name}", partial(super().has_table, table_name))

    def has_secondary_index(self, name: str) -> bool:
        """Whether a summary of older events was built."""
        return self._found(f"index {name}", partial(super().has_secondary_index, name))

    def has_asset_key_col(self, column_name: str) -> bool:
        """Whether the table of assets has a column."""
        return self._found(f"column {column_name}", partial(super().has_asset_key_col, column_name))

    def _has_asset_key_col_on_connection(self, conn: sqlalchemy.Connection, column_name: str) -> bool:
        ask = partial(super()._has_asset_key_col_on_connection, conn, column_name)
        return self._found(f"column {column_name}", ask)

    def _found(self, what: str, look: Callable[[], bool]) -> bool:
        """Look for a part of the schema until it is there; Dagster would look ten times a step, and nothing is ever dropped."""
        if what not in self._known and look():
            self._known.add(what)
        return what in self._known

    def dispose(self) -> None:
        """Close the files."""
        for engine in self._engines.values():
            engine.dispose()
        super().dispose()


def _commit_without_waiting_for_the_disk(connection: Any, _record: object) -> None:
    """In write-ahead mode a killed process loses nothing; a power cut may lose the last events, never the file."""
    connection.execute("PRAGMA synchronous=NORMAL")


def instance_at(home: Path, *, own_storage: bool) -> dg.DagsterInstance:
    """The instance whose records are in a folder, with the open log unless a storage of one's own is set."""
    event_log = {
        "module": __name__,
        "class": OpenSqliteEventLog.__name__,
        "config": {"base_dir": str(home / "history" / "runs")},
    }
    overrides = {} if own_storage else {"event_log_storage": event_log}
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=overrides))


@contextmanager
def code_server(instance: dg.DagsterInstance, module: str) -> Iterator[Path]:
    """A process that has loaded a module's definitions, on a socket of this user's; yields the workspace file that names it."""
    from dagster._cli.proxy_server_manager import ProxyServerManager  # noqa: PLC0415  (a refresh needs none of this)
    from dagster._core.workspace.load_target import ModuleTarget  # noqa: PLC0415

    target = ModuleTarget(module, None, str(Path.cwd()), None)
    with (
        TemporaryDirectory(prefix="iecon-ui-") as folder,
        ProxyServerManager(instance, target, code_server_log_level="warning") as manager,
    ):
        workspace = Path(folder) / "workspace.yaml"
        workspace.write_text(yaml.safe_dump({"load_from": list(manager.get_code_server_specs())}))
        yield workspace


def workspace_context(instance: dg.DagsterInstance, workspace: Path, *, version: str, read_only: bool) -> Any:
    """What a web server knows of its code servers: a context manager."""
    from dagster._core.workspace.context import WorkspaceProcessContext  # noqa: PLC0415
    from dagster._core.workspace.load_target import WorkspaceFileTarget  # noqa: PLC0415

    target = WorkspaceFileTarget([str(workspace)])
    return WorkspaceProcessContext(instance, target, version=version, read_only=read_only)


def run_daemon(arguments: list[str]) -> None:
    """Run Dagster's daemon in this process, with the arguments of `dagster-daemon run`."""
    from dagster._daemon.cli import run_command  # noqa: PLC0415

    run_command(args=arguments)
