"""`iecon changes`: what differs between two data folders."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import CommandError, out


def changes(
    against: Annotated[Path, typer.Option(help="The data folder to compare with, as it was before.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per table that differs.")] = False,
) -> None:
    """Say what differs between this data folder and another: rows gone and new, columns whose values moved."""
    from answers.changes import changes as changes_of  # noqa: PLC0415
    from answers.changes import show_changes  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    if not (against / "tables").is_dir():
        raise CommandError(f"{against} is no data folder: it has no tables/", code=2)
    found = changes_of(against, data_root())
    if as_json:
        write_json([change for change in found if not change.is_equal], sys.stdout)
    else:
        show_changes(found, console=out)
