"""`iecon ui`: Dagster's pages with their scheduler."""

from typing import Annotated

import typer

from pipelines.console import err


def ui(
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    name: Annotated[
        list[str] | None, typer.Option(help="A further host under which it may be asked, such as that of a proxy.")
    ] = None,
    token: Annotated[
        bool, typer.Option("--token", help="Ask for a token: that of ECONOMICS_UI_TOKEN, else a new one.")
    ] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="Change nothing, and run no scheduler.")] = False,
) -> None:
    """Open Dagster's UI with its scheduler: lineage, runs, checks, schedules. Stop with Ctrl-C."""
    from pipelines.web.start import start  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    start(data_root(), host=host, port=port, names=name or [], asks_token=token, read_only=read_only, console=err)
