"""The claims ledger, for people: every claim with what comes out, or one claim with all that stands behind it."""

from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from answers.names import UnknownNameError, not_known
from answers.query import connect
from answers.text import say

COLOURS = {
    "reproduced": "green",
    "reproduced_in_part": "yellow",
    "inconclusive": "cyan",
    "not_reproduced": "red",
    "not_testable": "dim",
}
Row = dict[str, Any]


def ledger(warehouse: Path, *, verdict: str | None = None, document: str | None = None) -> list[Row]:
    """Rows of `meta.claims`, by document as they stand there; `document` is any part of its name.

    Raises UnknownNameError where no claim is like that.
    """
    found = _rows(
        warehouse,
        "SELECT * FROM meta.claims WHERE ($verdict IS NULL OR verdict = $verdict) "
        "AND ($document IS NULL OR contains(document, lower($document)))",
        {"verdict": verdict, "document": document},
    )
    if not found:
        raise UnknownNameError("no claim is like that; `iecon claims` lists all")
    return found


def show_ledger(rows: list[Row], *, console: Console) -> None:
    """Print the claims of each document with their numbers, and how many there are of each verdict."""
    for document, claims in groupby(rows, key=itemgetter("document")):
        console.print(f"[bold]{escape(document)}[/bold]", highlight=False)
        for row in claims:
            colour = COLOURS[row["verdict"]]
            say(f"[{colour}]{row['verdict']}[/{colour}]  {row['claim_id']}", console=console, indent=2)
            say(escape(row["statement"]), console=console, indent=4, hanging=0)
            if numbers := _in_numbers(row):
                say(f"[dim]{escape(numbers)}[/dim]", console=console, indent=4)
    counts = [sum(row["verdict"] == verdict for row in rows) for verdict in COLOURS]
    say(", ".join(f"{n} {verdict}" for n, verdict in zip(counts, COLOURS, strict=True)), console=console)


def _in_numbers(row: Row) -> str:
    """What was published and what comes out, in a line: `>= 7.4 ratio published, 9.2 recomputed (8.1 to 10.4), margin 1.8`."""
    parts = [
        f"{published(row)} published" if published(row) else "",
        f"{number(row['recomputed_value'])} recomputed" if row["recomputed_value"] is not None else "",
        f"margin {number(row['margin'])}" if row["margin"] is not None else "",
    ]
    if interval(row):
        parts[1] += f" ({interval(row)})"
    return ", ".join(part for part in parts if part)


def show_claim(warehouse: Path, claim: str, *, console: Console) -> None:
    """Print one claim with its rule, numbers, inputs, history and the SQL that recomputes it. UnknownNameError."""
    found = _rows(warehouse, "SELECT * FROM meta.claims WHERE claim_id = $claim", {"claim": claim})
    if not found:
        known = [row["claim_id"] for row in _rows(warehouse, "SELECT claim_id FROM meta.claims", {})]
        raise not_known("claim", claim, known, listed_by="iecon claims")
    row = found[0]
    colour = COLOURS[row["verdict"]]
    lines = {
        "claim": row["statement"],
        "where": f"{row['document']}, {row['locator']} ({row['status']})",
        "judged by": f"{row['metric']} [{row['unit']}]",
        "published": published(row),
        "recomputed": number(row["recomputed_value"]) + (f", n = {row['n']}" if row["n"] is not None else ""),
        "interval": f"{interval(row)} ({row['interval_basis']})" if interval(row) else "",
        "margin": number(row["margin"]),
        "basis": row["basis"],
        "missing": row["missing_datum"],
        "note": row["note"],
        "from": row["inputs"],
        "refreshed": f"{row['refreshed_at']:%Y-%m-%d %H:%M} UTC",
    }
    console.print(f"[bold]{claim}[/bold]  [{colour}]{row['verdict']}[/{colour}]", highlight=False)
    for name, text in lines.items():
        if text:
            say(f"{name:<11}{escape(text)}", console=console, hanging=11)
    history = "SELECT * FROM meta.claims_history WHERE claim_id = $claim ORDER BY refreshed_at"
    for past in _rows(warehouse, history, {"claim": claim}):
        console.print(
            f"{past['refreshed_at']:%Y-%m-%d} {past['verdict']} {number(past['recomputed_value'])}",
            highlight=False,
        )
    if row["recomputation"]:
        console.print(f"\n{row['recomputation']}", highlight=False, markup=False, soft_wrap=True)


def published(row: Row) -> str:
    """What would bear a claim out, in a few characters: `>= 7.4 ratio`, `3 to 8 ratio`, `always`."""
    value, low, high = (row[f"published_{name}"] for name in ("value", "low", "high"))
    if row["relation"] in ("always", "never"):
        return str(row["relation"])
    if low is None and high is None:
        return ""
    if row["relation"] == "at_least":
        allowed = f">= {number(low if value is None else value)}"
    elif row["relation"] == "at_most":
        allowed = f"<= {number(high if value is None else value)}"
    else:
        allowed = number(value) if value is not None else f"{number(low)} to {number(high)}"
    return f"{allowed} {row['unit']}" if row["unit"] != "1" else allowed


def interval(row: Row) -> str:
    """Both ends of an interval, or nothing."""
    ends = (row["interval_low"], row["interval_high"])
    return "" if None in ends else f"{number(ends[0])} to {number(ends[1])}"


def number(value: float | None) -> str:
    """Four significant digits; nothing for NULL."""
    return "" if value is None else f"{value:.4g}"


def _rows(warehouse: Path, sql: str, parameters: Row) -> list[Row]:
    with connect(warehouse) as connection:
        found: list[Row] = connection.sql(sql, params=parameters).pl().to_dicts()
    return found
