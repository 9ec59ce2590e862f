"""A user's outcomes to a decision: read, judged, and written as words, JSON, a policy file and a curve."""

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.markup import escape

from answers.route.columns import parsed_map
from answers.route.curve import curve_rows, write_curve
from answers.route.files import BadUsageError, RefusedTableError
from answers.route.judge import decide_routing
from answers.route.prices import Prices, parsed_prices
from answers.route.record import Asked, Decision
from answers.route.table import Reading, Table, read_outcomes
from answers.route.text import as_json, policy_file, words
from answers.text import say

NOT_MET = 3
"""Exit code of a contract that no policy can keep."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """As the command takes them."""

    mapping: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    free: list[str] = field(default_factory=list)
    scores: list[str] = field(default_factory=list)
    low_is_hard: bool = False
    price: list[str] = field(default_factory=list)
    price_date: date | None = None
    warehouse: Path | None = None


def read_table(files: list[Path], options: Options | None = None) -> Table:
    """The outcomes in the files. Raises RefusedTableError, BadUsageError."""
    options = options or Options()
    where = [one.partition("=") for one in options.where]
    for one, (column, mark, _) in zip(options.where, where, strict=True):
        if not mark or not column:
            raise BadUsageError(f"--where {one}: must be COLUMN=VALUE")
    reading = Reading(
        mapping=parsed_map(options.mapping),
        where={column.strip(): value.strip() for column, _, value in where},
        models=tuple(options.models),
        free=tuple(options.free),
        scores=tuple(options.scores),
        low_is_hard=options.low_is_hard,
    )
    return read_outcomes(files, reading=reading, prices=prices_of(options))


def prices_of(options: Options) -> Prices:
    """Prices as the options say."""
    return Prices(said=parsed_prices(options.price), warehouse=options.warehouse, day=options.price_date)


def decide(files: list[Path], *, asked: Asked | None = None, options: Options | None = None) -> Decision:
    """Which policy to follow on outcomes like these, whether a router pays, and what is promised.

    Raises RefusedTableError with row, column and rule, BadUsageError where options do not fit the table.
    """
    options = options or Options()
    table = read_table(files, options)
    return decide_routing(table, asked or Asked(), prices=prices_of(options), low_is_hard=options.low_is_hard)


def curve(files: list[Path], *, asked: Asked | None = None, options: Options | None = None) -> pl.DataFrame:
    """Quality against cost of every threshold, beside random choice, oracle and hull; a description, no evidence."""
    return curve_rows(read_table(files, options), asked or Asked())


def show_route(
    files: list[Path],
    *,
    asked: Asked,
    options: Options,
    as_json_text: bool,
    policy_to: Path | None,
    curve_to: list[Path],
    out: Console,
    err: Console,
) -> int:
    """Judge the files and print the decision; returns the exit code."""
    for file in curve_to:
        if file.suffix.lower() not in (".csv", ".svg"):
            raise BadUsageError(f"--curve {file}: must be a .csv or .svg file")
    try:
        table = read_table(files, options)
        decision = decide_routing(table, asked, prices=prices_of(options), low_is_hard=options.low_is_hard)
    except RefusedTableError as refused:
        for line in str(refused).splitlines():
            err.print(f"[red]rejected[/red] {', '.join(map(str, files))}: {line}", highlight=False, soft_wrap=True)
        return 1
    if policy_to is not None:
        policy_to.write_text(json.dumps(policy_file(decision), indent=1) + "\n")
    for file in curve_to:
        write_curve(curve_rows(table, asked), file, decision=decision)
    if as_json_text:
        out.print(json.dumps(as_json(decision), indent=1), highlight=False, soft_wrap=True, markup=False)
    else:
        for line in words(decision):
            say(escape(line), console=out)
    reachable = max(model.quality.high for model in decision.models)
    unmet = asked.min_quality is not None and not decision.best.floor.promised and reachable < asked.min_quality
    return NOT_MET if unmet else 0
