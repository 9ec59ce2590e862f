"""$ per correct answer by benchmark and model, of everything the warehouse holds, and what it does not hold."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

import warehouse as room
from answers.query import connect
from answers.text import say, share, show_rows, usd

QUERY = Path(room.__file__).parent / "queries" / "126_usd_per_correct_by_benchmark.sql"
"""The one query, which anybody can copy."""
CHEAPEST = 5
"""Models shown of a benchmark; the query and --json give all."""


def overview(warehouse: Path) -> list[dict[str, Any]]:
    """Rows of the query, cheapest first within a benchmark; a benchmark without dollars is one row that says what is missing.

    Raises what `answers.query.connect` does.
    """
    with connect(warehouse) as connection:
        found: list[dict[str, Any]] = connection.sql(QUERY.read_text()).pl().to_dicts()
    return found


def show_overview(rows: list[dict[str, Any]], *, console: Console) -> None:
    """Print the cheapest models of each benchmark, and a line for each benchmark that has no dollars."""
    shown: dict[str, int] = {}
    lines = []
    for row in (each for each in rows if each["missing"] is None):
        name = row["benchmark"]
        shown[name] = shown.get(name, 0) + 1
        if shown[name] > CHEAPEST:
            continue
        ends = (row["usd_per_correct_low"], row["usd_per_correct_high"])
        cost = usd(row["usd_per_correct"]) + ("" if None in ends else f" ({usd(ends[0])} to {usd(ends[1])})")
        lines.append((name if shown[name] == 1 else "", escape(row["system"]), share(row["accuracy"]), cost, row["basis"]))
    show_rows(("benchmark", "model", "right", "$ per correct (95 %)", "basis"), lines, console=console, right={"right"})
    for benchmark, count in shown.items():
        if count > CHEAPEST:
            say(f"{benchmark}: {count - CHEAPEST} dearer, with --json", console=console)
    for row in (each for each in rows if each["missing"] is not None):
        say(f"{row['benchmark']}: {row['missing']}", console=console)
