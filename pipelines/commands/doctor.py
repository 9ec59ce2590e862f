"""`iecon doctor`: the health of an installation, and what the sources say at this moment."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from pipelines.console import out


def doctor(
    sources: Annotated[list[str] | None, typer.Argument(help="With --probe: the sources to ask; none means all.")] = None,
    probe: Annotated[bool, typer.Option("--probe", help="Ask the live sources once and keep nothing.")] = False,
    all_of_them: Annotated[bool, typer.Option("--all", help="Every source, with what a refresh would ask of it.")] = False,
    json: Annotated[bool, typer.Option("--json", help="With --probe: print JSON.")] = False,
) -> None:
    """Say what is installed, what the disk holds, how old each source is and why, and what a refresh would use."""
    from warehouse.folder import data_root  # noqa: PLC0415

    root = data_root()
    if not probe:
        if sources or json:
            raise typer.BadParameter("sources and --json go with --probe")
        from pipelines.doctor import show_health  # noqa: PLC0415

        show_health(root, console=out, all_of_them=all_of_them)
        return
    from answers.probe import probe as ask  # noqa: PLC0415
    from answers.probe import show_probed, write_probed  # noqa: PLC0415
    from pipelines.definitions import definitions  # noqa: PLC0415
    from warehouse.resources import read_settings  # noqa: PLC0415

    definitions()  # every source asset is defined by now, with the parser of its documents
    try:
        found = ask(root, read_settings(root / "config.yaml"), names=tuple(sources or ()), now=datetime.now(UTC))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if json:
        write_probed(found)
    else:
        show_probed(found, console=out)
    if found and all(each.problem for each in found):
        raise typer.Exit(1)
