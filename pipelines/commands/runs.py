"""`iecon runs`: the user's own benchmark runs and traces: list them, look into one, take some back."""

import sys
from typing import Annotated

import typer

from pipelines.console import out, warehouse

runs = typer.Typer(help="Your own benchmark runs: what was taken in and what each is used for.")


@runs.callback(invoke_without_command=True)
def list_runs(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False
) -> None:
    """List every run and trace you brought, with what it is used for and, if not, why."""
    if context.invoked_subcommand is not None:
        return
    from answers.own_runs import own_runs, own_traces  # noqa: PLC0415
    from answers.own_runs_text import show_runs  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415

    found, traces = own_runs(warehouse()), own_traces(warehouse())
    if as_json:
        write_json({"runs": found, "traces": traces}, sys.stdout)
    else:
        show_runs(found, traces, console=out)


@runs.command()
def show(
    run_id: Annotated[str, typer.Argument(help="Id of a run, or its first digits, as `iecon runs` lists it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show all that is known of a run, and which keys of its file each figure was read from."""
    from answers.own_runs import run_detail  # noqa: PLC0415
    from answers.own_runs_text import show_run  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415

    found = run_detail(warehouse(), run_id)
    if as_json:
        write_json(found, sys.stdout)
    else:
        show_run(found, console=out)


@runs.command()
def forget(
    run_ids: Annotated[list[str], typer.Argument(help="Ids of runs or traces, as `iecon runs` lists them.")],
) -> None:
    """Take runs or traces back: their bytes stay, marked, and bringing the file again undoes it."""
    from answers.own_runs import meant  # noqa: PLC0415
    from pipelines.ingest import forget_runs  # noqa: PLC0415
    from pipelines.interrupt import stopped_by_signals  # noqa: PLC0415
    from pipelines.records import tell_records  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    root, ids = data_root(), meant(warehouse(), run_ids)
    with stopped_by_signals(root, tell_records=lambda: tell_records(root)):
        is_good = forget_runs(root, ids, out=out)
    if not is_good:
        raise typer.Exit(1)
