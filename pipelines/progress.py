"""What a person sees of a refresh: a bar per step while it runs, then what came of each table."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipelines.refresh import Outcome, planned_assets, refresh

WARNING_WIDTH = 90
"""A longer warning goes on in the next line, also in a pipe, so that one of them does not widen every line."""


def show_refresh(root: Path, *, job: str, offline: bool, console: Console, out: Console) -> bool:
    """Run a refresh with a progress bar on `console` and print its closing table on `out`. Returns whether all went well."""
    planned = planned_assets(job)
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    with bar:
        task = bar.add_task("starting", total=len(planned))

        def on_step(asset: str, stage: str) -> None:
            if stage == "start":
                bar.update(task, description=asset)
            else:
                bar.advance(task)

        outcome = refresh(root, job=job, offline=offline, on_step=on_step)
    out.print(closing_table(outcome, root / "tables"))
    for note in outcome.notes:
        out.print(f"[yellow]note[/yellow]: {escape(note)}", highlight=False, soft_wrap=True)
    seconds = outcome.steps["seconds"].sum()
    latest = root / "releases" / "latest.duckdb"
    out.print(
        f"{verdict(outcome, latest)} ({outcome.steps.height} assets, {seconds:.1f} s in steps)",
        highlight=False,
        soft_wrap=True,
    )
    return outcome.success


def verdict(outcome: Outcome, latest: Path) -> str:
    """Whether all went well and what is published: after a failure in a new data folder there may be nothing."""
    if outcome.success:
        return f"[green]published[/green]: {latest}"
    if latest.exists():
        return f"[red]some steps failed; the rest is published[/red]: {latest}"
    return f"[red]some steps failed; nothing is published yet[/red]: {latest.parent} has no warehouse"


def closing_table(outcome: Outcome, tables: Path) -> Table:
    """One line per asset: rows, seconds, where its bytes came from, and warnings. `tables` holds the last good versions."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("asset", no_wrap=True)
    table.add_column("rows", justify="right")
    table.add_column("quarantined", justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("served_from")
    table.add_column("warnings", overflow="fold", max_width=WARNING_WIDTH)
    for step in outcome.steps.iter_rows(named=True):
        colour = "red" if step["outcome"] == "failed" else "yellow" if step["warnings"] else ""
        table.add_row(
            step["asset"],
            "" if step["rows"] is None else f"{step['rows']:,}",
            f"{step['rejected_rows']:,}" if step["rejected_rows"] else "",
            "" if step["seconds"] is None else f"{step['seconds']:.2f}",
            step["served_from"] or "",
            escape(step["warnings"] or ""),
            style=colour,
        )
    for asset in outcome.not_reached:
        stays = "; its last good version stays" if (tables / f"{asset.replace('.', '/')}.parquet").exists() else ""
        table.add_row(asset, "", "", "", "", f"not reached{stays}", style="red")
    return table
