"""What a person sees of `iecon ingest`: a bar over files and steps, then what was accepted, what was not, and why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO, cast

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from answers.own_runs import own_runs
from answers.own_runs_text import summary
from answers.text import write_json
from pipelines.progress import following, moving_bar, verdict
from pipelines.refresh import Outcome, RefreshRunningError, refresh
from sources.serving.user_files import TakenIn, files_under, forget, take_in
from warehouse.resources import DataFolder

JOB = "refresh_benchmark_outputs"


def show_ingest(
    root: Path,
    paths: Sequence[Path],
    *,
    said: Mapping[str, Any],
    out: Console,
    as_json: bool = False,
) -> bool:
    """Take in files and folders, refresh what follows from them without network, and print what came of it.

    `said` are facts of all files by the names of `RunMeta`. The summary goes to `out`. Returns whether every
    file was accepted, or passed over as no result among results, and every step went well. Raises ValueError where there
    is no file at all or `said` is wrong, and RefreshRunningError where another refresh holds the folder; what was accepted is
    kept then and shows after the next one.
    """
    files = files_under(paths)
    if not files:
        raise ValueError("there is no file to take in")
    with moving_bar() as bar:
        reading = bar.add_task("reading", total=len(files))
        results = []
        taken = take_in(files, bronze_root=DataFolder(root=str(root)).bronze, said=said, now=datetime.now(UTC))
        for result in taken:
            results.append(result)
            bar.update(reading, advance=1, description=escape(result.path.name))
        accepted = [result for result in results if result.is_accepted]
        outcome = _refreshed(root, bar, waiting=f"{len(accepted)} files are kept") if accepted else None
    named = {path for path in paths if not path.is_dir()}
    passed = [result for result in results if result.holds_no_run and result.path not in named]
    refused = [result for result in results if not result.is_accepted and result not in passed]
    latest = root / "releases" / "latest.duckdb"
    runs = _used(latest, accepted)
    if as_json:
        write_json(_record(results, passed, runs, outcome), cast(TextIO, out.file))
    else:
        _print_summary(results, passed, runs, outcome, latest=latest, out=out)
    return not refused and (outcome.success if outcome is not None else bool(passed))


def forget_runs(root: Path, ids: Sequence[str], *, out: Console) -> bool:
    """Take runs and traces back and refresh what follows. Returns whether every step went well."""
    forget(DataFolder(root=str(root)).bronze, ids, now=datetime.now(UTC))
    with moving_bar() as bar:
        outcome = _refreshed(root, bar, waiting=f"{len(ids)} runs are marked")
    out.print(f"{len(ids)} taken back: {', '.join(ids)}; the files stay, and bringing them again undoes it", highlight=False)
    out.print(verdict(outcome, root / "releases" / "latest.duckdb"), highlight=False, soft_wrap=True)
    return outcome.success


def _refreshed(root: Path, bar: Progress, *, waiting: str) -> Outcome:
    """Recompute what follows from the user's files, without network."""
    job = JOB if (root / "releases" / "latest.duckdb").exists() else "refresh"
    try:
        return refresh(root, job=job, offline=True, on_step=following(bar, job))
    except RefreshRunningError as error:
        raise RefreshRunningError(f"{waiting} and show after the next refresh; {error}") from None


def _used(latest: Path, accepted: Sequence[TakenIn]) -> list[dict[str, Any]]:
    """The runs of these files as the warehouse has them now, with what each is used for."""
    ids = {run for result in accepted for run in result.runs}
    if not ids or not latest.exists():
        return []
    return [run for run in own_runs(latest) if run["run_id"].partition("-")[0] in {each.partition("-")[0] for each in ids}]


def _record(
    results: Sequence[TakenIn], passed: Sequence[TakenIn], runs: Sequence[dict[str, Any]], outcome: Outcome | None
) -> dict[str, Any]:
    """What came of an ingest, for programs."""

    def told(result: TakenIn) -> str:
        return "accepted" if result.is_accepted else "passed_over" if result in passed else "rejected"

    return {
        "files": [
            {
                "path": str(result.path),
                "outcome": told(result),
                "format": result.format,
                "rows": result.rows,
                "rows_refused": result.rows_refused,
                "run_ids": list(result.runs),
                "warnings": list(result.warnings),
                "refusal": result.refusal,
            }
            for result in results
        ],
        "runs": list(runs),
        "published": outcome is not None and outcome.success,
    }


def _print_summary(
    results: Sequence[TakenIn],
    passed: Sequence[TakenIn],
    runs: Sequence[dict[str, Any]],
    outcome: Outcome | None,
    *,
    latest: Path,
    out: Console,
) -> None:
    def say(line: str) -> None:
        out.print(line, highlight=False, soft_wrap=True)

    accepted = [result for result in results if result.is_accepted]
    for result in results:
        name, reason = escape(str(result.path)), escape(result.refusal or "")
        if result in passed:
            say(f"[dim]passed over[/dim] {name}: {reason}")
        elif not result.is_accepted:
            say(f"[red]rejected[/red] {name}: {reason}")
        elif result.rows_refused:
            say(f"[yellow]in part[/yellow]  {name}: {result.rows_refused:,} rows refused: {reason}")
        for warning in result.warnings:
            say(f"[yellow]note[/yellow]     {name}: {escape(warning)}")
    formats = Counter(str(result.format) for result in accepted)
    listed = ", ".join(f"{count:,} {name}" for name, count in sorted(formats.items()))
    known = sum(not result.is_new for result in accepted)
    say(
        f"{len(accepted):,} files accepted"
        + (f" ({listed})" if listed else "")
        + (f", {known:,} known before" if known else "")
        + f", {len(results) - len(accepted) - len(passed):,} rejected"
        + (f", {len(passed):,} passed over" if passed else "")
        + f"; {sum(result.rows for result in accepted):,} rows"
    )
    if runs:
        say(escape(summary(runs)))
    elif unpriced := sum(result.unpriced for result in accepted):
        say(
            f"[yellow]{unpriced:,} runs cannot be priced yet[/yellow]: their files do not tell the GPUs. Add --gpu and --gpus, "
            "or a run.json.meta.yaml beside each run.json"
        )
    if outcome is not None:
        for step in outcome.steps.filter(outcome.steps["outcome"] == "failed").iter_rows(named=True):
            say(f"[red]failed[/red]   {step['asset']}: {escape(step['warnings'] or '')}")
        say(verdict(outcome, latest))
