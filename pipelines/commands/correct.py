"""`iecon correct`: what a correct answer costs, from one's own evaluation logs."""

import sys
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.console import CommandError, err, out, warehouse

if TYPE_CHECKING:
    from answers.correct.record import Correct


class Errors(StrEnum):
    """How an attempt that broke counts."""

    WRONG = "wrong"
    LEFT_OUT = "left-out"
    RETRIED = "retried"


def correct(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Evaluation logs of any tool, tables of attempts, or folders of them.")
    ] = None,
    benchmark: Annotated[str | None, typer.Option(help="Benchmark, where a log does not state it.")] = None,
    model: Annotated[str | None, typer.Option(help="Model, where a log does not state it.")] = None,
    errors: Annotated[Errors, typer.Option(help="An attempt that broke is wrong, left out, or asked again.")] = Errors.WRONG,
    price_date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Price all tokens as on this day, whatever the log states.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    csv: Annotated[Path | None, typer.Option(help="Write runs, curves and ways as rows to this file.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Draw accuracy against cost into this file.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the runs in the warehouse, as basis own.")] = False,
    list_kept: Annotated[bool, typer.Option("--list", help="List what is kept.")] = False,
    show_known: Annotated[
        bool, typer.Option("--overview", help="Show $ per correct by benchmark, published and own, and what is missing.")
    ] = False,
    forget: Annotated[str | None, typer.Option(metavar="ID", help="Forget a kept evaluation.")] = None,
) -> None:
    """Say what a correct answer costs by your own evaluation logs: per model, with its interval, and the cheapest way to each
    accuracy. A log states dollars, or tokens that the dated prices of the warehouse turn into dollars.
    """
    from answers.correct.answer import correct as answer_from  # noqa: PLC0415
    from answers.correct.drawing import draw_svg  # noqa: PLC0415
    from answers.correct.text import show_correct, write_csv  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    if list_kept or forget is not None:
        _kept(forget, as_json=as_json)
        return
    if show_known:
        _overview(as_json=as_json)
        return
    if not paths:
        raise typer.BadParameter("name the logs, or ask for --overview, --list or --forget ID")
    latest = data_root() / "releases" / "latest.duckdb"
    on: date | None = None if price_date is None else price_date.date()
    found = answer_from(
        paths,
        warehouse=latest if latest.exists() else None,
        benchmark=benchmark,
        model=model,
        errors=errors.value,
        price_date=on,
    )
    for line in (*found.unread, *found.refused):
        err.print(f"[red]rejected[/red] {line}", highlight=False, soft_wrap=True)
    if csv is not None:
        with csv.open("w", newline="") as file:
            write_csv(found, file)
    if svg is not None:
        svg.write_bytes(draw_svg(found))
    if as_json:
        write_json(found, sys.stdout)
    elif found.runs:
        show_correct(found, console=out)
    is_kept = not keep or _keep(found)
    if found.unread or not found.runs or not is_kept:
        if not found.unread and not found.runs:
            err.print("[red]rejected[/red] no file is of a known format of evaluation logs", highlight=False)
        raise typer.Exit(1)


def _overview(*, as_json: bool) -> None:
    from answers.correct.overview import overview, show_overview  # noqa: PLC0415
    from answers.text import write_json  # noqa: PLC0415

    rows = overview(warehouse())
    if as_json:
        write_json(rows, sys.stdout)
    else:
        show_overview(rows, console=out)


def _keep(found: "Correct") -> bool:
    """Keep the runs and refresh what follows from them, without network; returns whether all went well."""
    from answers.correct.keeping import rows_of  # noqa: PLC0415
    from sources.test_time.own_evaluations import keep  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    rows = rows_of(found)
    if not rows:
        err.print("[red]rejected[/red] nothing to keep: no run has outcomes", highlight=False)
        return False
    files = [Path(file).name for log in found.logs for file in log.files]
    name = keep(data_root(), logs_sha256=found.logs_sha256, files=files, rows=rows, now=datetime.now(UTC).date())
    err.print(f"kept as {name}: {len(rows)} rows of raw.own_evaluation", highlight=False)
    return _refresh()


def _kept(forget: str | None, *, as_json: bool) -> None:
    from answers.text import write_json  # noqa: PLC0415
    from sources.test_time.own_evaluations import forget as forgotten  # noqa: PLC0415
    from sources.test_time.own_evaluations import kept_evaluations  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    if forget is not None:
        try:
            if not forgotten(data_root(), forget):
                raise CommandError(f"no evaluation {forget} is kept: see `iecon correct --list`")
        except ValueError as error:
            raise CommandError(str(error), code=2) from None
        if not _refresh():
            raise typer.Exit(1)
        return
    kept, damaged = kept_evaluations(data_root())
    for line in damaged:
        err.print(f"[yellow]damaged[/yellow] {line}", highlight=False, soft_wrap=True)
    listed: list[dict[str, Any]] = [
        {
            "id": each.evaluation_id,
            "kept_on": each.kept_on,
            "files": list(each.files),
            "runs": sorted({f"{row['model']} on {row['benchmark']}" for row in each.rows}),
        }
        for each in kept
    ]
    if as_json:
        write_json(listed, sys.stdout)
        return
    for entry in listed:
        out.print(f"{entry['id']}  {entry['kept_on']}  {'; '.join(entry['runs'])}", highlight=False, soft_wrap=True)
    if not listed:
        out.print("nothing is kept: `iecon correct LOGS --keep`", highlight=False)


def _refresh() -> bool:
    """Refresh what follows from own evaluations, without network, and say in one line how it went."""
    from pipelines.progress import verdict  # noqa: PLC0415
    from pipelines.refresh import refresh  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    latest = data_root() / "releases" / "latest.duckdb"
    job = "refresh_inference_frontier" if latest.exists() else "refresh"
    outcome = refresh(data_root(), job=job, offline=True, on_step=lambda *_: None)
    err.print(verdict(outcome, latest), highlight=False, soft_wrap=True)
    return outcome.success
