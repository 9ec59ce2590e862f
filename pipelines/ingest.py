"""What a person sees of `iecon ingest`: a bar over files and steps, then what was accepted, what was not, and why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipelines.progress import verdict
from pipelines.refresh import Outcome, RefreshRunningError, planned_assets, refresh
from sources.serving.user_files import TakenIn, files_under, take_in
from warehouse.resources import DataFolder

JOB = "refresh_benchmark_outputs"


def show_ingest(root: Path, paths: Sequence[Path], *, said: Mapping[str, Any], console: Console, out: Console) -> bool:
    """Take in files and folders, refresh what follows from them without network, and print what came of it.

    `said` are facts of all files by the names of `RunMeta`. The bar goes to `console`, the summary to `out`. Returns whether
    every file was accepted and every step went well. Raises ValueError where there is no file at all or `said` is wrong, and
    RefreshRunningError where another refresh holds the folder; what was accepted is kept then and shows after the next one.
    """
    files = files_under(paths)
    if not files:
        raise ValueError("there is no file to take in")
    job = JOB if (root / "releases" / "latest.duckdb").exists() else "refresh"
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    outcome = None
    with bar:
        reading = bar.add_task("reading", total=len(files))
        results = []
        taken = take_in(files, bronze_root=DataFolder(root=str(root)).bronze, said=said, now=datetime.now(UTC))
        for result in taken:
            results.append(result)
            bar.update(reading, advance=1, description=escape(result.path.name))
        accepted = [result for result in results if result.is_accepted]
        if accepted:
            steps = bar.add_task("refreshing", total=len(planned_assets(job)))
            try:
                outcome = refresh(root, job=job, offline=True, on_step=lambda _, stage: bar.advance(steps, stage != "start"))
            except RefreshRunningError as error:
                raise RefreshRunningError(f"{len(accepted)} files are kept and show after the next refresh; {error}") from None
    _print_summary(results, outcome, latest=root / "releases" / "latest.duckdb", out=out)
    return len(accepted) == len(results) and outcome is not None and outcome.success


def _print_summary(results: Sequence[TakenIn], outcome: Outcome | None, *, latest: Path, out: Console) -> None:
    def say(line: str) -> None:
        out.print(line, highlight=False, soft_wrap=True)

    accepted = [result for result in results if result.is_accepted]
    for result in results:
        name, reason = escape(str(result.path)), escape(result.refusal or "")
        if not result.is_accepted:
            say(f"[red]rejected[/red] {name}: {reason}")
        elif result.rows_refused:
            say(f"[yellow]in part[/yellow]  {name}: {result.rows_refused:,} rows refused: {reason}")
    formats = Counter(str(result.format) for result in accepted)
    listed = ", ".join(f"{count:,} {name}" for name, count in sorted(formats.items()))
    known = sum(not result.is_new for result in accepted)
    say(
        f"{len(accepted):,} files accepted"
        + (f" ({listed})" if listed else "")
        + (f", {known:,} known before" if known else "")
        + f", {len(results) - len(accepted):,} rejected; {sum(result.rows for result in accepted):,} rows"
    )
    if unpriced := sum(result.unpriced for result in accepted):
        say(
            f"[yellow]{unpriced:,} runs cannot be priced yet[/yellow]: their files do not tell the GPUs. Add --gpu and --gpus, "
            "or a run.json.meta.yaml beside each run.json"
        )
    if outcome is not None:
        for step in outcome.steps.filter(outcome.steps["outcome"] == "failed").iter_rows(named=True):
            say(f"[red]failed[/red]   {step['asset']}: {escape(step['warnings'] or '')}")
        say(verdict(outcome, latest))
