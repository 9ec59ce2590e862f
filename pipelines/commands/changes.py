"""`iecon changes`: what moved since a release, or what differs between two data folders."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import CommandError, out, warehouse


def changes(
    since: Annotated[
        str | None, typer.Option(metavar="DATE|RELEASE", help="A day, or a kept release; else the one before the current.")
    ] = None,
    against: Annotated[Path | None, typer.Option(help="Another data folder: rows gone, new and moved, table by table.")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="Every change, not the first ten of a kind.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what moved since an earlier release: prices, rents, frontiers, verdicts, models that came and went, sources, tables.

    As many releases are kept as keep_releases in config.yaml says.
    """
    from answers.changes import show_comparison  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415
    from warehouse.changes import compare, release_before  # noqa: PLC0415

    if against is not None:
        if since is not None:
            raise typer.BadParameter("--since and --against are two questions: ask one")
        _folders(against, as_json=as_json)
        return
    current = warehouse()
    before = release_before(current.parent, since)
    if before is None:
        raise CommandError(f"only one release is kept, {current.resolve().name}: there is nothing to compare it with yet")
    found = compare(before, current)
    if as_json:
        write_json(found, sys.stdout)
    else:
        show_comparison(found, console=out, all_of_them=all_of_them)


def _folders(against: Path, *, as_json: bool) -> None:
    from answers.folders import changes as changes_of  # noqa: PLC0415
    from answers.folders import show_changes  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    if not (against / "tables").is_dir():
        raise CommandError(f"{against} is no data folder: it has no tables/", code=2)
    found = changes_of(against, data_root())
    if as_json:
        write_json([change for change in found if not change.is_equal], sys.stdout)
    else:
        show_changes(found, console=out)
