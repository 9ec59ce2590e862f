"""`iecon ui`: Dagster's pages with their scheduler."""

import os
import sys
from typing import Annotated

import typer

from pipelines.console import err


def ui(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on; the UI has no password.")] = "127.0.0.1",
) -> None:
    """Open Dagster's UI with its scheduler: lineage, runs, checks, schedules. Stop with Ctrl-C."""
    from pipelines.resources import dagster_home  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    home = dagster_home(data_root())
    environment = os.environ | {"DAGSTER_HOME": str(home), "ECONOMICS_DATA": str(data_root())}
    command = [sys.executable, "-m", "dagster", "dev", "-m", "pipelines.definitions", "-h", host, "-p", str(port)]
    err.print(f"Dagster UI on http://{host}:{port} with its records in {home}")
    os.execve(sys.executable, command, environment)
