"""`iecon route`: which model answers which question, on a user's own outcomes."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import err, out

DAY = "%Y-%m-%d"


def route(
    files: Annotated[list[Path], typer.Argument(help="Tables of outcomes: CSV, Parquet, JSON or JSONL; long or wide.")],
    strong: Annotated[str | None, typer.Option(help="The strong model; of two the dearer one, of more the best.")] = None,
    weak: Annotated[str | None, typer.Option(help="The weak model; else every cheaper one.")] = None,
    quality: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the way from weak to strong that must be kept.")
    ] = 1.0,
    min_quality: Annotated[float | None, typer.Option(min=0.0, max=1.0, help="Share correct that must be kept.")] = None,
    max_drop: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="How far below the strong model, .01 where nothing is said.")
    ] = None,
    budget_per_item: Annotated[float | None, typer.Option(min=0.0, help="USD per item: the best quality for it.")] = None,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="With which the floor must hold.")] = 0.95,
    threshold: Annotated[float | None, typer.Option(help="Judge this threshold, the one you run.")] = None,
    after_answer: Annotated[
        bool, typer.Option("--after-answer", help="The score needs the weak model's answer, which is paid for.")
    ] = False,
    score: Annotated[list[str] | None, typer.Option(help="Column of a score; several are compared.")] = None,
    low_is_hard: Annotated[bool, typer.Option("--low-is-hard", help="Low scores go to the strong model.")] = False,
    map: Annotated[list[str] | None, typer.Option(help="Names of columns: item=id,correct=passed,...")] = None,
    where: Annotated[list[str] | None, typer.Option(help="Only rows with COLUMN=VALUE.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only these models.")] = None,
    free: Annotated[list[str] | None, typer.Option(help="Model that costs nothing.")] = None,
    price: Annotated[list[str] | None, typer.Option(help="MODEL=INPUT/OUTPUT, USD per million tokens.")] = None,
    price_date: Annotated[
        datetime | None, typer.Option(formats=[DAY], help="Price tokens at the list prices of a day.")
    ] = None,
    shared_prefix: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of a conversation's input that a cache holds until a switch.")
    ] = 0.0,
    switch_latency: Annotated[float, typer.Option(min=0.0, help="Seconds that a switch of the model adds.")] = 0.0,
    verifier_cost: Annotated[float, typer.Option(min=0.0, help="USD per answer that a cascade checks.")] = 0.0,
    policy: Annotated[Path | None, typer.Option(help="Write the policy to this JSON file, for a router to load.")] = None,
    curve: Annotated[list[Path] | None, typer.Option(help="Write quality over cost to this .csv or .svg.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the decision as JSON.")] = False,
) -> None:
    """Say which model should answer which question, whether a router pays, and what is promised; on unseen items."""
    from answers.route.answer import Options, show_route  # noqa: PLC0415
    from answers.route.record import Asked  # noqa: PLC0415
    from warehouse.folder import data_root  # noqa: PLC0415

    asked = Asked(
        strong=strong,
        weak=weak,
        quality=quality,
        min_quality=min_quality,
        max_drop=max_drop,
        budget_per_item=budget_per_item,
        threshold=threshold,
        confidence=confidence,
        after_answer=after_answer,
        shared_prefix=shared_prefix,
        switch_latency_s=switch_latency,
        verifier_cost=verifier_cost,
    )
    options = Options(
        mapping=map or [],
        where=where or [],
        models=model or [],
        free=free or [],
        scores=score or [],
        low_is_hard=low_is_hard,
        price=price or [],
        price_date=price_date.date() if price_date else None,
        warehouse=data_root() / "releases" / "latest.duckdb",
    )
    code = show_route(
        files,
        asked=asked,
        options=options,
        as_json_text=as_json,
        policy_to=policy,
        curve_to=curve or [],
        out=out,
        err=err,
    )
    if code:
        raise typer.Exit(code)
