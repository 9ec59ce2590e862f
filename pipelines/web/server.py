"""Dagster's web server behind the guard, with one code server for it and for the daemon, until a signal ends all of them."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import uvicorn
from dagster_webserver.version import __version__
from dagster_webserver.webserver import DagsterWebserver
from graphql import GraphQLError, OperationDefinitionNode, OperationType
from graphql.validation import ASTValidationRule
from starlette.middleware import Middleware

from pipelines.private_dagster import code_server, workspace_context
from pipelines.web.guard import Guard, Rules

DEFINITIONS = "pipelines.definitions"
PATIENCE_S = 1.0
"""How long open pages and the daemon have to end by themselves."""


class NoMutation(ASTValidationRule):
    """Refuses every operation that could change something."""

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: object) -> None:
        """Look at one operation of a request."""
        if node.operation is OperationType.MUTATION:
            self.report_error(GraphQLError("this UI is read-only", node))


class GuardedWebserver(DagsterWebserver[Any, Any]):
    """Dagster's web server with the guard as its outermost layer, and no mutations where it is read-only."""

    def __init__(self, context: Any, rules: Rules) -> None:
        self._rules, self._read_only = rules, context.read_only
        super().__init__(context, live_data_poll_rate=2000)

    def build_middleware(self) -> list[Middleware]:
        """The guard, then Dagster's own."""
        return [Middleware(Guard, rules=self._rules), *super().build_middleware()]

    def build_graphql_validation_rules(self) -> Collection[type[ASTValidationRule]]:
        """Dagster's rules, and one more where nothing may change."""
        rules = super().build_graphql_validation_rules()
        return [*rules, NoMutation] if self._read_only else rules


def serve(instance: dg.DagsterInstance, *, host: str, port: int, rules: Rules, read_only: bool) -> None:
    """Serve the UI and run the daemon until Ctrl-C or SIGTERM. Expects DAGSTER_HOME and ECONOMICS_DATA in the environment.

    Raises KeyboardInterrupt or SystemExit when all of it has ended.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with contextlib.ExitStack() as stack:
        workspace = stack.enter_context(code_server(instance, DEFINITIONS))
        if not read_only:
            stack.enter_context(_daemon(workspace))
        context = stack.enter_context(workspace_context(instance, workspace, version=__version__, read_only=read_only))
        app = GuardedWebserver(context, rules).create_asgi_app()
        # Not uvicorn's trust in forwarded headers: whoever is on this machine could write them.
        uvicorn.run(
            app,
            host=host,
            port=port,
            log_level="warning",
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=int(PATIENCE_S),
        )


@contextlib.contextmanager
def _daemon(workspace: Path) -> Iterator[None]:
    """The process that looks after schedules, sensors and queued runs. It ends with this one, however this one ends."""
    command = [sys.executable, "-m", "pipelines.web.daemon", str(os.getpid()), "--workspace", str(workspace)]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
