"""What a person sees of a refresh: a bar that moves with each step, then what came of it."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from answers.text import PlainConsole, say, show_rows
from pipelines.refresh import Outcome, planned_steps, refresh
from warehouse.publish import LAYERS


def show_refresh(root: Path, *, job: str, offline: bool, out: Console, all_of_them: bool = False) -> bool:
    """Run a refresh with a progress bar on the terminal and print what came of it on `out`. Returns whether all went well."""
    with moving_bar() as bar:
        outcome = refresh(root, job=job, offline=offline, on_step=following(bar, job))
    show_outcome(outcome, root / "tables", out=out, all_of_them=all_of_them)
    for note in outcome.notes:
        say(f"[yellow]note[/yellow]: {escape(note)}", console=out)
    seconds = outcome.steps["seconds"].sum()
    latest = root / "releases" / "latest.duckdb"
    say(f"{verdict(outcome, latest)} ({outcome.steps.height} assets, {seconds:.1f} s in steps)", console=out)
    return outcome.success


@contextmanager
def moving_bar() -> Iterator[Progress]:
    """A progress bar on the terminal that moves while steps run.

    It has standard error under a number of its own, since Dagster turns the usual one into the log of each step.
    """
    with os.fdopen(os.dup(sys.stderr.fileno()), "w") as terminal:
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=PlainConsole(file=terminal),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        with bar:
            yield bar


def following(bar: Progress, job: str) -> Callable[[str, str], None]:
    """A listener for `refresh` that moves a bar with each step of a job and has it end at their number."""
    planned, done = planned_steps(job), set[str]()
    task = bar.add_task("starting", total=len(planned))

    def on_step(step: str, stage: str) -> None:
        if stage == "start":
            bar.update(task, description=step)
        elif step in planned:  # after a failure what is good is published by a second job, whose steps are none of these
            done.add(step)
            bar.update(task, completed=len(done))

    return on_step


def verdict(outcome: Outcome, latest: Path) -> str:
    """Whether all went well and what is published: after a failure in a new data folder there may be nothing."""
    if outcome.success:
        return f"[green]published[/green]: {latest}"
    if latest.exists():
        return f"[red]some steps failed; the rest is published[/red]: {latest}"
    return f"[red]some steps failed; nothing is published yet[/red]: {latest.parent} has no warehouse"


def show_outcome(outcome: Outcome, tables: Path, *, out: Console, all_of_them: bool = False) -> None:
    """Print what wants a look: steps that failed, warned or were not reached, and rows of each layer; on request every step.

    `tables` holds the last good versions.
    """
    steps = outcome.steps
    if all_of_them:
        _show_steps(steps, out=out)
    for layer in LAYERS:
        written = steps.filter(pl.col("asset").str.starts_with(f"{layer}."), pl.col("rows").is_not_null())
        if written.height:
            refused = written["rejected_rows"].sum()
            said = f"{layer}: {written.height} tables, {written['rows'].sum():,} rows"
            say(said + (f", {refused:,} refused" if refused else ""), console=out)
    for step in steps.filter(pl.col("warnings").is_not_null() | (pl.col("outcome") == "failed")).iter_rows(named=True):
        colour = "red" if step["outcome"] == "failed" else "yellow"
        served = f" ({step['served_from']})" if step["served_from"] else ""
        say(f"[{colour}]{step['asset']}[/{colour}]{served}: {escape(step['warnings'] or step['outcome'])}", console=out)
    for asset in outcome.not_reached:
        stays = "; its last good version stays" if (tables / f"{asset.replace('.', '/')}.parquet").exists() else ""
        say(f"[red]{asset}[/red]: not reached{stays}", console=out)


def _show_steps(steps: pl.DataFrame, *, out: Console) -> None:
    """One line per asset: rows, rows refused, seconds, and where the bytes of a source came from."""
    rows = [
        (
            step["asset"],
            "" if step["rows"] is None else f"{step['rows']:,}",
            f"{step['rejected_rows']:,}" if step["rejected_rows"] else "",
            "" if step["seconds"] is None else f"{step['seconds']:.2f}",
            step["served_from"] or "",
        )
        for step in steps.iter_rows(named=True)
    ]
    figures = ("rows", "refused", "seconds")
    show_rows(("asset", *figures, "served from"), rows, console=out, right=figures)
