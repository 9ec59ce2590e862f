"""`iecon report`: where the page with all figures is."""

from typing import Annotated

import typer

from pipelines.console import err, out


def report(
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser as well.")] = False,
) -> None:
    """Say where the report is: one page with every figure, its numbers and their sources."""
    from pipelines.report import show_report  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    if not show_report(data_root(), open_it=open_it, out=out, err=err):
        raise typer.Exit(1)
