"""The `iecon` command: its options, its commands in the order of use, and how a failure ends it."""

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from typer.models import CommandInfo

from pipelines.commands import (
    allocate,
    changes,
    claims,
    correct,
    decide,
    doctor,
    host_or_call,
    ingest,
    mcp,
    meter,
    predict,
    price,
    query,
    refresh,
    report,
    route,
    runs,
    serve,
    source,
    ui,
)
from pipelines.commands.examples import EXAMPLES
from pipelines.console import err


def name_of(command: CommandInfo) -> str:
    """The word by which a command is called."""
    assert command.callback is not None
    return command.name or command.callback.__name__.replace("_", "-")


app = typer.Typer(
    name="iecon",
    help="What a useful token and a correct answer cost: refresh the evidence, then ask it in SQL.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(refresh.refresh)
app.command(context_settings={"ignore_unknown_options": True})(query.query)  # so that SQL may begin with a comment
app.command()(query.tables)
app.command()(query.describe)
app.command()(decide.decide)
app.command()(host_or_call.host_or_call)
app.command()(meter.meter)
app.command()(predict.predict)
app.command()(allocate.allocate)
app.command()(route.route)
app.command()(price.price)
app.command()(correct.correct)
app.command()(ingest.ingest)
app.add_typer(runs.runs, name="runs")
app.command()(claims.claims)
app.command()(report.report)
app.command()(serve.serve)
app.command()(source.source)
app.command()(changes.changes)
app.command()(mcp.mcp)
app.command()(ui.ui)
app.command()(doctor.doctor)
for command in app.registered_commands:
    command.epilog = f"Example: {EXAMPLES[name_of(command)]}"


def main() -> None:
    """Run a command; a failure is one clear line on stderr and an exit code (docs/commands.md): 1 failed, 2 bad usage."""
    try:
        app()
    except Exception as error:  # the last place that can turn any failure into one line; --debug shows all of it
        if "--debug" in sys.argv:
            raise
        err.print(f"[red]error:[/red] {escape(_told(error))}", highlight=False, soft_wrap=True)
        sys.exit(getattr(error, "code", 1))


def _told(error: Exception) -> str:
    """The first line of an error; all of one of DuckDB, which says what may be meant and where."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    duckdb = sys.modules.get("duckdb")  # not imported for the sake of an error of something else
    return "\n".join(lines) if duckdb is not None and isinstance(error, duckdb.Error) else lines[0]


def _show_version(asked: bool) -> None:
    if asked:
        print(f"iecon {version('inference-economics')}")  # noqa: T201
        raise typer.Exit


@app.callback()
def _options(
    data: Annotated[Path | None, typer.Option(help="Data folder; the same as setting ECONOMICS_DATA.")] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of a failure.")] = False,  # noqa: ARG001
    show_version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    if data is not None:
        os.environ["ECONOMICS_DATA"] = str(data)


if __name__ == "__main__":
    main()
